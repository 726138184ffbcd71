// The same verdicts as those of the reference validator of the specification, agentskills/agentskills' skills-ref,
// read from its rules; and the cases of docs/rules/README.md in which they differ.

import { describe, expect, test } from 'vitest';
import { type Files, findingsOf } from './skills.ts';

const text = 'description: Fills forms.\n';
const fronted = (front: string) => `---\n${front}---\nRead.\n`;

type Case = readonly [what: string, folder: string, document: string | Files];

const valid: readonly Case[] = [
  ['the two fields that it requires', 'forms', fronted(`name: forms\n${text}`)],
  [
    'all fields',
    'forms',
    fronted(
      `name: forms\n${text}license: MIT\ncompatibility: git\nallowed-tools: Bash(git:*) Read\nmetadata:\n  author: ann\n  version: "1.0"\n`,
    ),
  ],
  ['digits and hyphens', 'a1-2b', fronted(`name: a1-2b\n${text}`)],
  ['a digit at the start', '3d', fronted(`name: 3d\n${text}`)],
  ['64 characters', 'a'.repeat(64), fronted(`name: ${'a'.repeat(64)}\n${text}`)],
  ['letters of another script', 'умение', fronted(`name: умение\n${text}`)],
  ['letters without case', '表单', fronted(`name: 表单\n${text}`)],
  ['a letter and its accent apart, in the folder', 'cafe\u0301', fronted(`name: caf\u00e9\n${text}`)],
  ['a ligature that is two letters', 'fill', fronted(`name: \ufb01ll\n${text}`)],
  ['1,024 characters of description', 'forms', fronted(`name: forms\ndescription: ${'x'.repeat(1024)}\n`)],
  [
    '500 characters of compatibility',
    'forms',
    fronted(`name: forms\n${text}compatibility: ${'x'.repeat(500)}\n`),
  ],
  ['blanks around a name', 'forms', fronted(`name: " forms "\n${text}`)],
  ['a number for a name', '123', fronted(`name: 123\n${text}`)],
  ['a number in metadata', 'forms', fronted(`name: forms\n${text}metadata:\n  version: 1.0\n`)],
  ['an empty body', 'forms', `---\nname: forms\n${text}---\n`],
  ['a text over several lines', 'forms', fronted('name: forms\ndescription: >-\n  Fills\n  forms.\n')],
  ['a comment', 'forms', fronted(`# About forms\nname: forms\n${text}`)],
];

const invalid: readonly Case[] = [
  ['no frontmatter', 'forms', '# Forms\n'],
  ['a frontmatter that does not close', 'forms', `---\nname: forms\n${text}`],
  ['a byte order mark', 'forms', `\uFEFF${fronted(`name: forms\n${text}`)}`],
  ['no YAML', 'forms', fronted('name: forms\ndescription: a: b\n')],
  ['a list', 'forms', fronted('- name\n- description\n')],
  ['a key twice', 'forms', fronted(`name: forms\nname: forms\n${text}`)],
  ['no name', 'forms', fronted(text)],
  ['an empty name', 'forms', fronted(`name:\n${text}`)],
  ['a name that is a list', 'forms', fronted(`name:\n  - forms\n${text}`)],
  ['capital letters', 'Forms', fronted(`name: Forms\n${text}`)],
  ['capital letters of another script', 'УМЕНИЕ', fronted(`name: УМЕНИЕ\n${text}`)],
  ['a hyphen at the start', '-forms', fronted(`name: "-forms"\n${text}`)],
  ['a hyphen at the end', 'forms-', fronted(`name: forms-\n${text}`)],
  ['two hyphens', 'pdf--forms', fronted(`name: pdf--forms\n${text}`)],
  ['an underscore', 'pdf_forms', fronted(`name: pdf_forms\n${text}`)],
  ['a space', 'pdf forms', fronted(`name: pdf forms\n${text}`)],
  ['65 characters', 'a'.repeat(65), fronted(`name: ${'a'.repeat(65)}\n${text}`)],
  ["another name than the folder's", 'forms', fronted(`name: tables\n${text}`)],
  ['no description', 'forms', fronted('name: forms\n')],
  ['a blank description', 'forms', fronted('name: forms\ndescription: "  "\n')],
  ['a description that is a map', 'forms', fronted('name: forms\ndescription:\n  en: Fills forms.\n')],
  ['1,025 characters of description', 'forms', fronted(`name: forms\ndescription: ${'x'.repeat(1025)}\n`)],
  [
    '501 characters of compatibility',
    'forms',
    fronted(`name: forms\n${text}compatibility: ${'x'.repeat(501)}\n`),
  ],
  ['a compatibility that is a list', 'forms', fronted(`name: forms\n${text}compatibility:\n  - git\n`)],
  ['a field of nobody', 'forms', fronted(`name: forms\n${text}author: ann\n`)],
  ['a field of another program', 'forms', fronted(`name: forms\n${text}user-invocable: true\n`)],
  ['an underscore in a field', 'forms', fronted(`name: forms\n${text}allowed_tools: Read\n`)],
  ['a document of another name', 'forms', { 'Skill.md': fronted(`name: forms\n${text}`) }],
];

/** What it takes, and the specification's text does not. */
const takenByItAlone: readonly Case[] = [
  ['skill.md', 'forms', { 'skill.md': fronted(`name: forms\n${text}`) }],
  ['an empty compatibility', 'forms', fronted(`name: forms\n${text}compatibility: ""\n`)],
  ['a license that is a list', 'forms', fronted(`name: forms\n${text}license:\n  - MIT\n`)],
  ['a metadata that is a text', 'forms', fronted(`name: forms\n${text}metadata: ann\n`)],
  ['a list in metadata', 'forms', fronted(`name: forms\n${text}metadata:\n  tags:\n    - a\n`)],
  ['a list of tools', 'forms', fronted(`name: forms\n${text}allowed-tools:\n  - Read\n`)],
];

/** What it refuses, and is YAML all the same. */
const refusedByItAlone: readonly Case[] = [
  ['a map in braces', 'forms', fronted(`name: forms\n${text}metadata: {author: ann}\n`)],
  ['an anchor', 'forms', fronted(`name: &n forms\n${text}`)],
  ['a tag', 'forms', fronted(`name: !!str forms\n${text}`)],
  ['--- within a value', 'forms', fronted('name: forms\ndescription: Fills --- forms.\n')],
];

function errorsOf([, folder, content]: Case): readonly string[] {
  const files = typeof content === 'string' ? { 'SKILL.md': content } : content;
  const findings = findingsOf(files, { path: folder });
  return findings.filter(({ severity }) => severity === 'error').map(({ what }) => what);
}

describe('under the target spec', () => {
  test.each([...valid, ...refusedByItAlone].map((one) => [one[0], one] as const))('%s is valid', (_, one) => {
    expect(errorsOf(one)).toEqual([]);
  });

  test.each([...invalid, ...takenByItAlone].map((one) => [one[0], one] as const))('%s is not', (_, one) => {
    expect(errorsOf(one)).not.toEqual([]);
  });
});

// Properties as the reference tool of the specification reads them, from its rules.

import { describe, expect, test } from 'vitest';
import { readProperties } from '../../src/document/properties.ts';
import { sentenceOf } from '../../src/problem.ts';
import type { SkillPath } from '../../src/skill/path.ts';

const read = (text: string) => readProperties(text, { skill: 'a' as SkillPath, file: 'SKILL.md' });
const fronted = (front: string) => `---\n${front}---\nRead.\n`;
const both = { name: 'forms', description: 'Fills forms.' };

describe('the properties of a document', () => {
  test.each<[what: string, front: string, more: object]>([
    ['the two that it has to have', '', {}],
    [
      'a license, a compatibility',
      'license: MIT\ncompatibility: git\n',
      { license: 'MIT', compatibility: 'git' },
    ],
    ['tools, by their hyphen', 'allowed-tools: Bash(jq:*) Read\n', { 'allowed-tools': 'Bash(jq:*) Read' }],
    ['not by an underscore', 'allowed_tools: Read\n', {}],
    ['no field that nobody specified', 'version: 1.0\nauthor: ann\n', {}],
    [
      'metadata as texts',
      'metadata:\n  author: ann\n  version: 1.0\n',
      { metadata: { author: 'ann', version: '1.0' } },
    ],
    [
      'scalars as they are written',
      'metadata:\n  a: 1.10\n  b: true\n  c:\n  d: 0x1F\n',
      { metadata: { a: '1.10', b: 'true', c: '', d: '0x1F' } },
    ],
    [
      'lists and maps of metadata as JSON',
      'metadata:\n  a: [x, 1]\n  b: {c: 1}\n',
      { metadata: { a: '["x","1"]', b: '{"c":"1"}' } },
    ],
    ['no empty metadata', 'metadata:\n', {}],
    ['no empty map of metadata', 'metadata: {}\n', {}],
    ['a metadata that is a text', 'metadata: ann\n', { metadata: 'ann' }],
    ['an empty license', 'license:\n', { license: '' }],
    ['a list of tools as a list', 'allowed-tools:\n  - Read\n  - 1\n', { 'allowed-tools': ['Read', '1'] }],
    ['a key of any name', 'metadata:\n  __proto__: a\n', { metadata: JSON.parse('{"__proto__": "a"}') }],
  ])('are %s', (_, front, more) => {
    const found = read(fronted(`name: forms\ndescription: Fills forms.\n${front}`));
    expect(JSON.stringify(found)).toBe(JSON.stringify({ ok: true, value: { ...both, ...more } }));
  });

  test.each<[what: string, front: string, name: string, description: string]>([
    ['blanks around them', 'name: " forms "\ndescription: "\\n Fills. "\n', 'forms', 'Fills.'],
    ['numbers', 'name: 12\ndescription: 1.0\n', '12', '1.0'],
    ['lines', 'name: a\ndescription: |\n  One.\n  Two.\n', 'a', 'One.\nTwo.'],
  ])('take a name and a description with %s', (_, front, name, description) => {
    expect(read(fronted(front))).toEqual({ ok: true, value: { name, description } });
  });

  test('are taken after a byte order mark', () => {
    expect(read(`\uFEFF${fronted('name: a\ndescription: b --- c\n')}`)).toEqual({
      ok: true,
      value: { name: 'a', description: 'b --- c' },
    });
  });

  test.each<[what: string, text: string, said: string]>([
    ['no frontmatter', '# Forms\n', 'a/SKILL.md:1: the document does not begin with frontmatter'],
    [
      'frontmatter that does not close',
      '---\nname: a\n',
      'a/SKILL.md:1: the frontmatter that opens here never closes',
    ],
    ['no YAML', fronted('name: a\ndescription: a: b\n'), 'a/SKILL.md:3: the frontmatter is no valid YAML'],
    ['a list', fronted('- name\n'), 'a/SKILL.md:1: the document does not begin with frontmatter'],
    ['no name', fronted('description: a\n'), 'a/SKILL.md:1: the skill has no name that is a text'],
    [
      'a blank name',
      fronted('name: " "\ndescription: a\n'),
      'a/SKILL.md:2: the skill has no name that is a text',
    ],
    ['no description', fronted('name: a\n'), 'a/SKILL.md:1: the skill has no description that is a text'],
    [
      'a description that is a list',
      fronted('name: a\ndescription:\n  - b\n'),
      'a/SKILL.md:3: the skill has no description that is a text',
    ],
  ])('are not those of %s', (_, text, said) => {
    const found = read(text);
    if (found.ok) throw new Error('it was read');
    expect(sentenceOf(found.problem).what).toContain(said);
  });
});

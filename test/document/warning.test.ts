// One document for each warning, and where the warning points.

import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/document/parse.ts';
import { maxWarnings, type WarningCode, warningSentence } from '../../src/document/warning.ts';
import type { SkillPath } from '../../src/skill/path.ts';

const place = { skill: 'dev/my-skill' as SkillPath, file: 'SKILL.md' };

function warningsOf(text: string) {
  const outcome = parseDocument(text, place);
  if (!outcome.ok) throw new Error(outcome.problem.reason);
  return outcome.value.warnings;
}

/** A document, where in it the warning stands, and what its sentence says. */
type Row = readonly [document: string, where: string, says: string];

// The type asks for a row for every code but that of which a document alone knows nothing.
const rows: Record<Exclude<WarningCode, 'kept-otherwise'>, Row> = {
  'fence-names-a-language': ['---yaml\na: b\n---\n', '1:', 'line 1 is "---yaml"'],
  'rule-above-prose': ['---\nprose\n---\n', '1:', 'it was read as part of the body'],
  'yaml-read-line-by-line': ['---\ndescription: a: b\n---\n', '2:15', 'bad indentation of a mapping entry'],
  'duplicate-key': ['---\nlicense: a\nlicense: b\n---\n', '3:1', 'license stands more than once'],
  'key-stands-elsewhere': [
    '---\ntype: tool\nmetadata:\n  type: mcp\n---\n',
    '2:1',
    'type is not read: metadata.type says the same',
  ],
  'no-text': [' \n', ':', 'the document is empty'],
  'no-description': ['---\nname: my-skill\ndescription: " "\n---\n# Title\n', ':', 'there is no description'],
  'name-breaks-specification': ['---\nname: My_Skill\n---\n', '2:1', '"My_Skill" is not made of a-z'],
  'name-differs-from-folder': [
    '---\nname: other\n---\n',
    '2:1',
    '"other" differs from the folder\'s, "my-skill"',
  ],
  'name-too-long': [`---\nname: ${'a'.repeat(65)}\n---\n`, '2:1', 'longer than 64 characters'],
  'version-is-a-number': ['---\nmetadata:\n  version: 1.0\n---\n', '3:3', 'the version 1.0 is a number'],
  'value-not-text': ['---\ndescription: true\n---\n', '2:1', 'description holds true'],
  'wrong-type': ['---\ndescription: [a]\n---\n', '2:1', 'description is not a text'],
  'unknown-value': ['---\nstatus: done\n---\n', '2:1', 'status is none of draft, active'],
  'too-long': [
    `---\nmetadata:\n  tags: [a, ${'b'.repeat(65)}]\n---\n`,
    '3:3',
    'metadata.tags holds a value longer',
  ],
  'names-no-skill': ['---\nreferences: [docs/a.md]\n---\n', '2:1', 'references names a file or an address'],
  'text-not-storable': ['---\nlicense: "a\\0b"\n---\n', '2:1', 'license holds a text with a NUL'],
  'number-not-storable': [
    '---\nlicense: !!float .inf\n---\n',
    '2:1',
    'license holds a number that JSON cannot',
  ],
  'more-warnings': [
    `---\ndescription: b\ntags: [${'1, '.repeat(maxWarnings + 20)}]\n---\n`,
    ':',
    '20 more warnings',
  ],
};

test.each(Object.entries(rows))('%s', (code, [document, where, says]) => {
  const warning = warningsOf(document).find((candidate) => candidate.code === code);
  expect(`${warning?.line ?? ''}:${warning?.column ?? ''}`).toBe(where);
  expect(warning && warningSentence(warning)).toContain(says);
});

describe('there is a warning', () => {
  test.each<[string, string, readonly WarningCode[]]>([
    ['for each break of a name', 'name: My Skill', ['name-breaks-specification', 'name-differs-from-folder']],
    [
      'for two hyphens in a name',
      'name: my--skill',
      ['name-breaks-specification', 'name-differs-from-folder'],
    ],
    ['for a number as name', 'name: 1', ['value-not-text', 'name-differs-from-folder']],
    ['for a version too long', `version: v${'1'.repeat(20)}`, ['too-long']],
    ['for a version that is true', 'version: true', ['value-not-text']],
    ['for a version that is a list', 'version: [1]', ['wrong-type']],
    ['for a category too long', `category: ${'a'.repeat(513)}`, ['too-long']],
    ['for a keyword too long', `keywords: [${'a'.repeat(129)}]`, ['too-long']],
    ['for an alias too long', `aliases: ${'a'.repeat(513)}`, ['too-long']],
    ['for a tool too long', `allowed-tools: Bash(${'a'.repeat(64)})`, ['too-long']],
    ['for a capability too long', `capabilities: ['${'a'.repeat(129)}: b']`, ['too-long']],
    ['for a facet key too long', `facets: {${'a'.repeat(65)}: b}`, ['too-long']],
    ['for a facet value too long', `facets: {a: ${'b'.repeat(257)}}`, ['too-long']],
    ['for a dependency too long', `dependencies: [${'a'.repeat(513)}]`, ['too-long']],
    ['for a type of reference too long', `see_also: [{path: a, type: ${'b'.repeat(33)}}]`, ['too-long']],
    ['for an unknown type of dependency', 'dependencies: [{path: a, type: maybe}]', ['unknown-value']],
    ['for a dependency without a target', 'dependencies: [{type: required}]', ['wrong-type']],
    ['for a list of lists', 'tags: [[a], b]', ['wrong-type']],
    ['for a map of tags', 'tags: {a: b}', ['wrong-type']],
    ['for facets that are a list', 'facets: [a]', ['wrong-type']],
    ['for another case of a word', 'type: Tool', ['unknown-value']],
    ['for half a surrogate pair', 'description: "\\ud800"', ['text-not-storable']],
    ['for a NUL in a key', 'a: {"\\0": b}', ['text-not-storable']],
    ['for a NUL deep down', 'a: [{b: ["\\0", c]}]', ['text-not-storable']],
    ['for two spellings of a key', 'allowed-tools: A\nallowed_tools: B', ['duplicate-key']],
    ['for two keys of a field', 'category: a\ntaxonomy: b', ['key-stands-elsewhere']],
  ])('%s', (_, yaml, codes) => {
    const found = warningsOf(`---\n${yaml}\n---\n`).map(({ code }) => code);
    expect(found.filter((code) => code !== 'no-description')).toEqual(codes);
  });
});

test.each([
  ['name: x\n\tlicense: y', '3:1', 'Indent with spaces'],
  ['name: x\nno colon here\nlicense: y', '4:8', 'Write "key: value" in the line here or above'],
  ['license: "a', '3:1', 'Close the quote or bracket'],
  ['license: a: b', '2:11', 'Quote the value that stands here, or indent'],
  ['name: x\n license: y', '3:9', 'or indent the line as those around it'],
  ['license: *x', '2:11', 'Quote the value that stands here'],
])('%j is no YAML at %s: %s', (yaml, where, remedy) => {
  const warning = warningsOf(`---\n${yaml}\n---\n`).find(({ code }) => code === 'yaml-read-line-by-line');
  expect(`${warning?.line}:${warning?.column}`).toBe(where);
  expect(warning && warningSentence(warning)).toContain(remedy);
});

test.each([
  ['that its frontmatter says', '---\ndescription: b\n---\n'],
  ['that its first paragraph is', '# Title\n\nWhat it does.\n'],
])('a description %s is one', (_, text) => {
  expect(warningsOf(text)).toEqual([]);
});

describe('there is no warning', () => {
  test.each([
    ['for a silent document', ''],
    ['for the folder’s name', 'name: my-skill\ndescription: b'],
    ['for keys without a value', 'name:\ndescription:\nversion: ""\ntags: []\nmetadata:\nfacets:\nlicense:'],
    ['for unknown keys', 'Name: x\nlicense: MIT\nx: 1.0\nmetadata:\n  author: me\n  name: y'],
    ['for values at their limits', `version: "${'1'.repeat(20)}"\ntags: [${'😀'.repeat(64)}]`],
  ])('%s', (_, yaml) => {
    const text = `---\n${yaml}\n---\n`;
    expect(warningsOf(text).filter(({ code }) => code !== 'no-description')).toEqual([]);
  });
});

test('a capability of the body that is too long is warned of at its line', () => {
  const text = `---\nname: my-skill\n---\n\n## Capabilities\n- **${'a'.repeat(129)}**: b\n`;
  expect(warningsOf(text)).toEqual([
    { code: 'too-long', key: '## Capabilities', limit: 128, line: 6, column: 1 },
    { code: 'no-description' },
  ]);
});

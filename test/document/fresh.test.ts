// The frontmatter of a row that has none, and that reading it gives the row's values back.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import {
  dependencyTypes,
  type Fields,
  type Json,
  limits,
  loadPriorities,
  silentFields,
  skillStyles,
  skillTypes,
  weights,
} from '../../src/document/fields.ts';
import { freshFrontmatter } from '../../src/document/fresh.ts';
import { saysField } from '../../src/document/keys.ts';
import { parseDocument } from '../../src/document/parse.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { statuses } from '../../src/skill/status.ts';

const silent: Fields = { ...silentFields, name: 'my-skill' };

function parsed(text: string) {
  const outcome = parseDocument(text, { skill: 'dev/folder' as SkillPath, file: 'SKILL.md' });
  if (!outcome.ok) throw new Error(outcome.problem.reason);
  return outcome.value;
}

describe('prints', () => {
  const capability = { name: 'See', description: 'Sees.' };
  test.each<[string, Partial<Fields>, string, string]>([
    ['a silent row', {}, '', 'name: my-skill\ndescription: ""\n'],
    ['its description', { description: 'Does: it' }, '', 'name: my-skill\ndescription: "Does: it"\n'],
    ['lines of text', { description: 'One\ntwo\n' }, '', 'name: my-skill\ndescription: |\n  One\n  two\n'],
    [
      'everything, in a fixed order',
      {
        extra: {
          x: null,
          metadata: { author: 'me', z: null },
          homepage: 'h',
          compatibility: 'c',
          license: 'MIT',
        },
        allowedTools: ['Read', 'Bash(git add:*)'],
        facets: [
          { key: 'os', value: 'linux' },
          { key: 'os', value: 'mac' },
          { key: 'a', value: 'b' },
        ],
        aliases: ['old'],
        references: [
          { target: 'r', type: 'see_also' },
          { target: 's', type: 'extends' },
        ],
        dependencies: [
          { target: 'd', type: 'required', justification: null },
          { target: 'e', type: 'conflict', justification: 'why' },
        ],
        capabilities: [capability, { name: 'Hear', description: '' }],
        tags: ['t'],
        keywords: ['k', 'true'],
        category: 'a/b',
        scope: 's',
        skillStyle: 'minimal',
        status: 'draft',
        loadPriority: 'always',
        weight: 'lightweight',
        type: 'tool',
        version: '2.0',
      },
      '',
      `name: my-skill
description: ""
license: MIT
compatibility: c
homepage: h
allowed-tools: Read Bash(git add:*)
metadata:
  version: "2.0"
  type: tool
  weight: lightweight
  load_priority: always
  status: draft
  skill_style: minimal
  scope: s
  category: a/b
  keywords:
    - k
    - "true"
  tags:
    - t
  capabilities:
    - name: See
      description: Sees.
    - name: Hear
  dependencies:
    - d
    - path: e
      type: conflict
      justification: why
  see_also:
    - r
    - path: s
      type: extends
  aliases:
    - old
  facets:
    os:
      - linux
      - mac
    a: b
  author: me
`,
    ],
    [
      'no capability that the body says',
      { capabilities: [{ name: 'A', description: '' }, capability] },
      '## Capabilities\n- **See**: Sees.\n',
      'name: my-skill\ndescription: ""\nmetadata:\n  capabilities:\n    - name: A\n',
    ],
    [
      'all capabilities where the body says one otherwise',
      { capabilities: [capability] },
      '## Capabilities\n- **See**: Hears.\n',
      'name: my-skill\ndescription: ""\nmetadata:\n  capabilities:\n    - name: See\n      description: Sees.\n',
    ],
    [
      'tools with blanks as a list',
      { allowedTools: ['two words'] },
      '',
      'name: my-skill\ndescription: ""\nallowed-tools:\n  - two words\n',
    ],
    [
      'a key too long for a mere colon',
      { extra: { ['k'.repeat(1025)]: ['a'], x: { ['k'.repeat(1025)]: 'b' } } },
      '',
      `name: my-skill\ndescription: ""\n? ${'k'.repeat(1025)}\n:\n  - a\nx:\n  ? ${'k'.repeat(1025)}\n  : b\n`,
    ],
    [
      'no keys of extra that would say a field',
      { extra: { version: '9', Version: '9', metadata: { 'load-priority': 'x', name: 'z' } } },
      '',
      'name: my-skill\ndescription: ""\nVersion: "9"\nmetadata:\n  name: z\n',
    ],
    [
      'fields at the top level where metadata is no map',
      { version: '2.0', extra: { metadata: 'text' } },
      '',
      'name: my-skill\ndescription: ""\nversion: "2.0"\nmetadata: text\n',
    ],
  ])('%s', (_, fields, body, yaml) => {
    expect(freshFrontmatter({ ...silent, ...fields }, body)).toBe(`---\n${yaml}---\n`);
  });
});

test('extra is printed up to a depth that is read back, and not beyond', () => {
  const nested = (depth: number): Json => (depth === 0 ? 'x' : [{ a: nested(depth - 2) }]);
  const fields = { ...silent, extra: { a: nested(64), metadata: { b: nested(64) } } };
  expect(parsed(freshFrontmatter(fields, '')).fields).toEqual(fields);
  expect(freshFrontmatter({ ...silent, extra: { a: nested(2000), b: nested(66) } }, '')).toBe(
    freshFrontmatter(silent, ''),
  );
});

const nasty = [
  'yes',
  'no',
  'on',
  'null',
  '~',
  'true',
  '1.0',
  '0x1f',
  '1e3',
  '-0',
  '.inf',
  '.nan',
  '1:20',
  '2024-01-01',
  '007',
  '---',
  '...',
  '- a',
  '? a',
  ': ',
  'a: b',
  'a:',
  '#',
  'a #b',
  '@a',
  '`a`',
  '%a',
  '!a',
  '&a',
  '*a',
  '|',
  '>',
  '>-',
  '{a}',
  '[a',
  '"a',
  "'a'",
  'a"b',
  '\\',
  '\\n',
  '<<',
  '=',
  ',',
  'a, b',
  '{{a}}',
  '😀',
  'مرحبا',
  '\u202eabc',
  '\u200f',
  ' a',
  'a ',
  'a\n',
  '\na',
  'a\n\nb',
  'a\n  b\n c',
  ' a\nb',
  'a \nb',
  'a\n \n',
  '\n\n',
  '\ta',
  'a\tb',
  'a\r\nb',
  'a\rb',
  '\u0001',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\u2029',
  '\uFEFF',
  'a\n---\nb',
  '__proto__',
  'é',
  'a'.repeat(2000),
  ' \n\n',
  `${'a'.repeat(300)}\n \n`,
];
test.each(nasty)('%j is read back as any text', (value) => {
  const fields = { ...silent, name: value.slice(0, 64), description: value, extra: { [value]: [value] } };
  expect(parsed(freshFrontmatter(fields, '')).fields).toEqual(fields);
});

const isStorable = (text: string) => !text.includes('\0') && text.isWellFormed();
const anyText = fc
  .oneof(
    fc.constantFrom(...nasty),
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...nasty, ' ', '\n', ':'), { maxLength: 4 }).map((parts) => parts.join('')),
  )
  .filter(isStorable);
const text = (limit: number) => anyText.filter((value) => value !== '' && [...value].length <= limit);
const texts = (limit: number) => fc.uniqueArray(text(limit), { maxLength: 4 });
const json = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'binary' })
  .map((value) => JSON.stringify(value))
  // As JSON writes a NUL or half a surrogate pair.
  .filter((written) => !/\\u0000|\\ud/.test(written))
  .map((written): Json => JSON.parse(written));
const keysFor = (where: 'top' | 'metadata') =>
  fc.dictionary(
    anyText.filter((key) => !saysField(key, where)),
    json.filter((value) => value !== null),
    { maxKeys: 4 },
  );
const metadata = fc.oneof(
  keysFor('metadata').filter((map) => Object.keys(map).length > 0),
  fc.oneof(
    anyText.filter((value) => value !== ''),
    fc.integer(),
    fc.boolean(),
    fc.array(json),
  ),
);
const grouped = fc
  .uniqueArray(
    fc.tuple(text(limits.facetKey), fc.uniqueArray(text(limits.facetValue), { minLength: 1, maxLength: 3 })),
    {
      maxLength: 3,
      selector: ([key]) => key,
    },
  )
  .map((groups) => groups.flatMap(([key, values]) => values.map((value) => ({ key, value }))));

const anyFields: fc.Arbitrary<Fields> = fc.record({
  name: text(limits.name),
  description: anyText,
  version: text(limits.version),
  type: fc.constantFrom(...skillTypes),
  weight: fc.constantFrom(...weights),
  loadPriority: fc.constantFrom(...loadPriorities),
  status: fc.constantFrom(...statuses),
  skillStyle: fc.constantFrom(null, ...skillStyles),
  scope: fc.option(anyText.filter((value) => value !== '')),
  category: fc.option(text(limits.category)),
  keywords: texts(limits.keyword),
  tags: texts(limits.tag),
  capabilities: fc.uniqueArray(fc.record({ name: text(limits.capabilityName), description: anyText }), {
    maxLength: 3,
    selector: ({ name }) => name,
  }),
  dependencies: fc.uniqueArray(
    fc.record({
      target: text(limits.target),
      type: fc.constantFrom(...dependencyTypes),
      justification: fc.option(anyText.filter((value) => value !== '')),
    }),
    { maxLength: 3, selector: ({ target }) => target },
  ),
  references: fc.uniqueArray(
    fc.record({
      target: text(limits.target),
      type: fc.oneof(fc.constant('see_also'), text(limits.referenceType)),
    }),
    { maxLength: 3, selector: ({ target, type }) => JSON.stringify([target, type]) },
  ),
  aliases: texts(limits.alias),
  facets: grouped,
  allowedTools: texts(limits.tool),
  extra: fc
    .tuple(keysFor('top'), fc.option(metadata, { nil: undefined }))
    .map(([top, below]) => (below === undefined ? top : { ...top, metadata: below })),
});
const bodies = fc.oneof(anyText, fc.constantFrom('', '\n', '---\na: b\n---\n', '# Title\n', '\uFEFF'));

test('what is read back equals what was printed, and the body is untouched', () => {
  fc.assert(
    fc.property(anyFields, bodies, (fields, body) => {
      const frontmatter = freshFrontmatter(fields, body);
      const read = parsed(frontmatter + body);
      expect(read.frontmatterSource).toBe(frontmatter);
      expect(read.body).toBe(body);
      expect(read.fields).toEqual(fields);
      expect(read.warnings.filter(({ code }) => !/^(name-|no-)/.test(code))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test.each(['1.1', '1.2'] as const)('readers of YAML %s find the same texts', (version) => {
  fc.assert(
    fc.property(anyText, texts(limits.tag), (description, tags) => {
      const frontmatter = freshFrontmatter({ ...silent, description, tags }, '');
      const read = parseYaml(frontmatter.slice(4, -4), { version });
      expect([read.description, read.metadata?.tags ?? []]).toEqual([description, tags]);
    }),
    { numRuns: 500 },
  );
});

test('with a section of capabilities in the body too, whichever of them the row has first', () => {
  const named = fc.constantFrom('A', 'B', 'C', 'D');
  const capabilities = fc.uniqueArray(
    fc.record({ name: named, description: fc.constantFrom('', 'x', 'y: z') }),
    { selector: ({ name }) => name },
  );
  fc.assert(
    fc.property(capabilities, capabilities, (own, bodys) => {
      const body = `## Capabilities\n${bodys.map(({ name, description }) => `- **${name}**: ${description}\n`).join('')}`;
      const others = bodys.filter(({ name }) => !own.some((capability) => capability.name === name));
      const fields = { ...silent, capabilities: [...own, ...others] };
      expect(parsed(freshFrontmatter(fields, body) + body).fields).toEqual(fields);
    }),
  );
});

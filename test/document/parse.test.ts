// What a document says as fields: where its values may stand, in which shapes, and what silence means.

import { afterEach, describe, expect, test } from 'vitest';
import type { Fields } from '../../src/document/fields.ts';
import { decodeDocument, parseDocument } from '../../src/document/parse.ts';
import { sentenceOf } from '../../src/problem.ts';
import type { SkillPath } from '../../src/skill/path.ts';

const place = { skill: 'dev/my-skill' as SkillPath, file: 'SKILL.md' };

function fieldsOf(text: string, skill = 'dev/my-skill'): Fields {
  const outcome = parseDocument(text, { skill: skill as SkillPath, file: 'SKILL.md' });
  if (!outcome.ok) throw new Error(outcome.problem.reason);
  return outcome.value.fields;
}

/** What a frontmatter says beyond a silent one. */
function said(yaml: string): Partial<Fields> {
  const silent = fieldsOf('---\n---\n');
  const entries = Object.entries(fieldsOf(`---\n${yaml}\n---\n`));
  return Object.fromEntries(
    entries.filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(silent[key as keyof Fields])),
  );
}

test('a silent document', () => {
  expect(parseDocument('---\n---\nHello.\n', place)).toEqual({
    ok: true,
    value: {
      frontmatterSource: '---\n---\n',
      body: 'Hello.\n',
      fields: {
        name: 'my-skill',
        description: '',
        version: '1.0.0',
        type: 'technical',
        weight: 'medium',
        loadPriority: 'task_specific',
        status: 'active',
        skillStyle: null,
        scope: null,
        category: null,
        keywords: [],
        tags: [],
        capabilities: [],
        dependencies: [],
        references: [],
        aliases: [],
        facets: [],
        allowedTools: [],
        extra: {},
      },
      statesStatus: false,
      warnings: [{ code: 'no-description' }],
    },
  });
});

test('a document that says everything', () => {
  const text = `---
name: my-skill
description: Does it.
license: MIT
allowed-tools: Read Write
metadata:
  version: "2.1"
  type: mcp
  weight: heavyweight
  load_priority: always
  status: draft
  skill_style: minimal
  scope: everywhere
  category: development/languages
  keywords: [one, two]
  tags: [a, b]
  capabilities:
    - name: See
      description: Sees things
  dependencies: [dev/other]
  see_also: [dev/more]
  aliases: [old/place]
  facets: {os: linux}
  author: me
---
`;
  expect(fieldsOf(text)).toEqual({
    name: 'my-skill',
    description: 'Does it.',
    version: '2.1',
    type: 'mcp',
    weight: 'heavyweight',
    loadPriority: 'always',
    status: 'draft',
    skillStyle: 'minimal',
    scope: 'everywhere',
    category: 'development/languages',
    keywords: ['one', 'two'],
    tags: ['a', 'b'],
    capabilities: [{ name: 'See', description: 'Sees things' }],
    dependencies: [{ target: 'dev/other', type: 'required', justification: null }],
    references: [{ target: 'dev/more', type: 'see_also' }],
    aliases: ['old/place'],
    facets: [{ key: 'os', value: 'linux' }],
    allowedTools: ['Read', 'Write'],
    extra: { license: 'MIT', metadata: { author: 'me' } },
  } satisfies Fields);
});

describe('where a value may stand', () => {
  test.each<[string, Partial<Fields>]>([
    ['metadata:\n  version: "2.0"', { version: '2.0' }],
    ['version: "2.0"', { version: '2.0' }],
    ['version: "1.1"\nmetadata:\n  version: "2.0"', { version: '2.0' }],
    ['version: "1.1"\nmetadata:\n  version:', { version: '1.1' }],
    ['load-priority: always\nskill-style: minimal', { loadPriority: 'always', skillStyle: 'minimal' }],
    ['metadata: {load-priority: always}', { loadPriority: 'always' }],
    ['taxonomy: a/b', { category: 'a/b' }],
    ['metadata: {taxonomy: a}\ncategory: b', { category: 'a' }],
    ['references: [a]', { references: [{ target: 'a', type: 'see_also' }] }],
    ['see-also: [a]', { references: [{ target: 'a', type: 'see_also' }] }],
    ['allowed_tools: Read', { allowedTools: ['Read'] }],
    // These stand at the top level only, and case counts.
    ['metadata: {name: a, description: b}', { extra: { metadata: { name: 'a', description: 'b' } } }],
    ['metadata: {allowed-tools: a}', { extra: { metadata: { 'allowed-tools': 'a' } } }],
    ['Name: a\nVersion: "2"', { extra: { Name: 'a', Version: '2' } }],
  ])('%j', (yaml, fields) => {
    expect(said(yaml)).toEqual(fields);
  });
});

describe('values that are taken', () => {
  test.each<[string, Partial<Fields>]>([
    ['name: other', { name: 'other' }],
    ['name: Mein Können', { name: 'Mein Können' }],
    ['name: 42', { name: '42' }],
    ['description: >\n  One\n  two.\n', { description: 'One two.\n' }],
    ['description: a: b', { description: 'a: b' }],
    ['version: 1.10', { version: '1.10' }],
    ['version: 2024-01-01', { version: '2024-01-01' }],
    ['tags: a, b,, c ,a', { tags: ['a', 'b', 'c'] }],
    ['tags: [a, " b ", "", ~, a, 2024, true]', { tags: ['a', ' b ', '2024', 'true'] }],
    ['keywords: one thing, another', { keywords: ['one thing', 'another'] }],
    ['aliases: a/b, c', { aliases: ['a/b', 'c'] }],
    [
      'allowed-tools: Read, Bash(git add:*) Bash(a (b), c)',
      { allowedTools: ['Read', 'Bash(git add:*)', 'Bash(a (b), c)'] },
    ],
    ['allowed-tools: a) b (c d', { allowedTools: ['a)', 'b', '(c d'] }],
    ['allowed-tools: [Read, "Bash(ls *)", two words]', { allowedTools: ['Read', 'Bash(ls *)', 'two words'] }],
    [
      'facets: {a: b, c: [d, 1.0, d], e: [], f: }',
      {
        facets: [
          { key: 'a', value: 'b' },
          { key: 'c', value: 'd' },
          { key: 'c', value: '1.0' },
        ],
      },
    ],
  ])('%j', (yaml, fields) => {
    expect(said(yaml)).toEqual(fields);
  });
});

describe('values that are left out', () => {
  test.each<[string, Partial<Fields>]>([
    [`name: ${'a'.repeat(65)}`, {}],
    ['type: skill\nweight: 3\nstatus: Active', {}],
    ['version: [1]', {}],
    ['description: {a: b}', {}],
    ['scope: "\\0"', {}],
    [`tags: [a, ${'b'.repeat(65)}, c]`, { tags: ['a', 'c'] }],
    ['tags: ["\\0", [a], b]', { tags: ['b'] }],
    ['version: 1\nmetadata: {version: [2]}', {}],
  ])('%j', (yaml, fields) => {
    expect(said(yaml)).toEqual(fields);
  });
});

test.each([
  ['status: active', true],
  ['metadata: {status: draft}', true],
  ['status:', false],
  ['status: unknown', false],
  ['', false],
])('whether %j states its status', (yaml, statesStatus) => {
  expect(parseDocument(`---\n${yaml}\n---\n`, place)).toMatchObject({ ok: true, value: { statesStatus } });
});

describe('names of folders', () => {
  const long = '😀'.repeat(65);
  test.each([
    ['dev/my-skill', '', 'my-skill'],
    ['my-skill', 'name: ""', 'my-skill'],
    [`dev/${long}`, '', '😀'.repeat(64)],
    [`dev/${long}`, `name: ${long}`, '😀'.repeat(64)],
    ['dev/a', `name: ${'😀'.repeat(64)}`, '😀'.repeat(64)],
  ])('%j with %j', (skill, yaml, name) => {
    expect(fieldsOf(`---\n${yaml}\n---\n`, skill).name).toBe(name);
  });
});

describe('capabilities', () => {
  test.each([
    [
      'texts',
      "['See: sees things', Hear, 'a:b']",
      [
        ['See', 'sees things'],
        ['Hear', ''],
        ['a:b', ''],
      ],
    ],
    [
      'single-key maps',
      '\n  - See: sees things\n  - Hear:',
      [
        ['See', 'sees things'],
        ['Hear', ''],
      ],
    ],
    [
      'maps',
      '\n  - {name: See, description: sees}\n  - name: Hear',
      [
        ['See', 'sees'],
        ['Hear', ''],
      ],
    ],
    [
      'one map',
      '{See: sees, Hear: hears}',
      [
        ['See', 'sees'],
        ['Hear', 'hears'],
      ],
    ],
    ['one text', "'See: sees, and more'", [['See', 'sees, and more']]],
    ['a name twice', '[{a: b}, {a: c}]', [['a', 'b']]],
    ['nothing', '', []],
  ])('%s', (_, value, capabilities) => {
    const read = fieldsOf(`---\ncapabilities: ${value}\n---\n`).capabilities;
    expect(read.map(({ name, description }) => [name, description])).toEqual(capabilities);
  });

  const body = `# Title
## Other
- **No**: not here
## Capabilities
Some words.

- **See**: sees things
  that are far
* **Hear:** hears

  a paragraph of its own
- **Feel**
- **Smell** : smells
    - **Deep**: not at the margin
- plain: no
\`\`\`
- **Code**: no
## Not a heading
\`\`\`
### More
- **Taste**: tastes
  well
- **See**: twice
# End
- **After**: no
`;
  test.each([
    ['LF', body],
    ['CRLF', body.replaceAll('\n', '\r\n')],
  ])('in the body, with %s', (_, text) => {
    expect(fieldsOf(text).capabilities).toEqual([
      { name: 'See', description: 'sees things that are far' },
      { name: 'Hear', description: 'hears' },
      { name: 'Smell', description: 'smells' },
      { name: 'Taste', description: 'tastes well' },
    ]);
  });

  test('in the frontmatter and the body: the frontmatter’s come first, and win', () => {
    const text = '---\ncapabilities: [{B: b}]\n---\n## Capabilities ##\n- **A**: a\n- **B**: c\n';
    expect(fieldsOf(text).capabilities).toEqual([
      { name: 'B', description: 'b' },
      { name: 'A', description: 'a' },
    ]);
  });
});

test.each([
  ['[a, b]', 'required a, required b'],
  ['a, b', 'required a, required b'],
  ['[{path: a}, {skill: b}, {name: c}, {target: d}]', 'required a, required b, required c, required d'],
  ['[{path: a, type: conflict, justification: why}]', 'conflict a (why)'],
  ['[{path: a, type: recommended, reason: why}]', 'recommended a (why)'],
  ['[{path: a, type: maybe}]', 'required a'],
  ['{path: a, type: conflict}', 'conflict a'],
  [
    '{recommended: [a, {path: b, reason: why}], required: c}',
    'required c, recommended a, recommended b (why)',
  ],
  ['[a, {path: a, type: conflict}]', 'required a'],
  ['[]', ''],
])('dependencies: %s', (value, expected) => {
  const { dependencies } = fieldsOf(`---\ndependencies: ${value}\n---\n`);
  const shown = dependencies.map(({ target, type, justification }) =>
    justification === null ? `${type} ${target}` : `${type} ${target} (${justification})`,
  );
  expect(shown.join(', ')).toBe(expected);
});

test.each([
  ['see_also: [a, {path: b, type: extends}]', 'see_also a, extends b'],
  ['see_also: a, b', 'see_also a, see_also b'],
  ['see_also: [a, {name: a, type: x}, a]', 'see_also a, x a'],
  ['references: [a/b, docs/a.md, https://x.org/y]', 'see_also a/b'],
  ['references: {path: a}', 'see_also a'],
  ['references: 3', 'see_also 3'],
])('%s', (yaml, expected) => {
  const { references } = fieldsOf(`---\n${yaml}\n---\n`);
  expect(references.map(({ target, type }) => `${type} ${target}`).join(', ')).toBe(expected);
});

describe('what no column holds', () => {
  test.each<[string, Fields['extra']]>([
    ['license: MIT\ncompatibility: {node: 20}', { license: 'MIT', compatibility: { node: 20 } }],
    ['x: 1.0\ny: -0\nz: [true, ~]\nempty:', { x: 1, y: 0, z: [true, null] }],
    ['metadata: {author: a, empty: }', { metadata: { author: 'a' } }],
    ['metadata: {type: tool, empty: }', {}],
    ['metadata: just text', { metadata: 'just text' }],
    ['metadata: [a]', { metadata: ['a'] }],
    ['a: ["\\0", {b: "\\ud800", c: d}, !!float .nan]', { a: [{ c: 'd' }] }],
    ['"\\0": a', {}],
    ['user-invocable: false\nuser_invocable: true', { 'user-invocable': false, user_invocable: true }],
    ['date: 2024-01-01', { date: '2024-01-01' }],
  ])('%j', (yaml, extra) => {
    expect(fieldsOf(`---\n${yaml}\n---\n`).extra).toEqual(extra);
  });

  test('a key __proto__ is a key like any other', () => {
    const { extra } = fieldsOf('---\n__proto__: {a: b}\nx: {__proto__: c}\n---\n');
    expect(JSON.stringify(extra)).toBe('{"__proto__":{"a":"b"},"x":{"__proto__":"c"}}');
    expect(Object.getPrototypeOf(extra)).toBe(Object.prototype);
  });
});

describe('with no frontmatter the description is the first paragraph', () => {
  test.each([
    ['Just this.', 'Just this.'],
    ['\uFEFFAfter a BOM.', 'After a BOM.'],
    ['# Title\n\nOne *two*\n  three.\n\nFour.\n', 'One *two* three.'],
    ['Title\n=====\nText\r\nmore\r\n# Next', 'Text more'],
    ['Title\n---\n\n***\n\nText', 'Text'],
    ['---\n\n# Title\n\nText\n', 'Text'],
    ['```\ncode\n\nmore\n```\nText', 'Text'],
    ['```\ncode\n``` no fence\n\nmore\n```\nText', 'Text'],
    ['~~~~ sh\n~~~\ncode\n~~~~\nText', 'Text'],
    ['```inline``` text', '```inline``` text'],
    ['#hashtag', '#hashtag'],
    ['# Title', ''],
    ['', ''],
    ['😀'.repeat(2000), '😀'.repeat(1024)],
  ])('%j', (text, description) => {
    expect(fieldsOf(text)).toMatchObject({ name: 'my-skill', description });
  });
});

describe('two rules with no key between them are no fences', () => {
  test.each([
    ['---\nSome prose.\n---\nText', 'Text'],
    ['---\n\nSome prose: with a colon,\nand more.\n\n---\n', 'Some prose: with a colon, and more.'],
    ['\uFEFF---\r\n- an item\r\n---\r\nText', 'Text'],
    [`---\n${'word '.repeat(60_000)}\n---\nText`, 'Text'],
  ])('%#', (text, description) => {
    const outcome = parseDocument(text, place);
    const frontmatterSource = text.startsWith('\uFEFF') ? '\uFEFF' : '';
    expect(outcome).toMatchObject({
      ok: true,
      value: {
        frontmatterSource,
        body: text.slice(frontmatterSource.length),
        fields: { description },
        warnings: [{ code: 'rule-above-prose', line: 1 }],
      },
    });
  });

  test.each([
    ['---\n---\nText', {}],
    ['---\n# only a comment\n---\nText', {}],
    ['---\nnull\n---\nText', {}],
    ['---\n{ license: MIT }\n---\nText', { license: 'MIT' }],
    ['---\nMy key: a\n---\nText', { 'My key': 'a' }],
    ['---\n  license: a: b\n---\nText', { license: 'a: b' }],
    ['---\nSome prose.\nlicense: MIT\n---\nText', { license: 'MIT' }],
  ])('but these are: %j', (text, extra) => {
    expect(parseDocument(text, place)).toMatchObject({
      ok: true,
      value: { body: 'Text', fields: { extra } },
    });
  });
});

describe('a problem, with file and line', () => {
  const bomb = `---\na: &a [*a]\n---\n`;
  test.each([
    ['a NUL', 'a\nb\0', 'document-holds-nul', 'dev/my-skill/SKILL.md:2: a NUL character'],
    [
      'an open fence',
      '---\na: b\n',
      'frontmatter-never-closes',
      'SKILL.md:1: the frontmatter that opens here',
    ],
    ['an alias bomb', bomb, 'yaml-alias-bomb', 'SKILL.md:2:1: the aliases in "a" grow'],
    [
      'a huge frontmatter',
      `---\na: ${'b'.repeat(262_144)}\n---\n`,
      'frontmatter-too-large',
      '262148 characters',
    ],
  ])('%s', (_, text, reason, what) => {
    const outcome = parseDocument(text, place);
    expect(outcome).toMatchObject({ ok: false, problem: { reason, path: 'dev/my-skill', file: 'SKILL.md' } });
    expect(!outcome.ok && sentenceOf(outcome.problem).what).toContain(what);
  });
});

describe('no code runs', () => {
  const world = globalThis as { ran?: boolean | undefined };
  afterEach(() => {
    world.ran = undefined;
  });
  test.each([
    '---js\nglobalThis.ran = true\n---\n',
    '--- javascript\n{ a: globalThis.ran = true }\n---\n',
    '---coffee\nglobalThis.ran = true\n---\n',
    '---\na: !!js/function "function () {}"\nb: !!js/eval "globalThis.ran = true"\n---\n',
    '---\n---js\nglobalThis.ran = true\n---\n---\n',
    '---\na: |\n  ---js\n  globalThis.ran = true\n---\n',
  ])('%j', (text) => {
    parseDocument(text, place);
    expect(world.ran).toBeUndefined();
  });
});

describe('bytes as text', () => {
  test.each([
    ['plain', Buffer.from('a\nb'), 'a\nb'],
    ['a BOM, which stays', Buffer.from('\uFEFFa'), '\uFEFFa'],
    ['U+FFFD itself', Buffer.from('\uFFFD😀'), '\uFFFD😀'],
    ['nothing', Buffer.alloc(0), ''],
  ])('%s', (_, bytes, value) => {
    expect(decodeDocument(bytes, place)).toEqual({ ok: true, value });
  });

  test.each([
    ['Latin-1', Buffer.from('a\nb\n\xe4\n', 'latin1'), 3],
    ['UTF-16', Buffer.from('\uFEFFa\nb', 'utf16le'), 1],
    ['after U+FFFD', Buffer.concat([Buffer.from('\uFFFD\n'), Buffer.from([0xff])]), 2],
    ['cut off', Buffer.from('a\n😀').subarray(0, 4), 2],
    ['a surrogate', Buffer.from([0x0a, 0xed, 0xa0, 0x80]), 2],
    ['too long a form', Buffer.from([0xc0, 0x80]), 1],
  ])('%s is refused with its line', (_, bytes, line) => {
    const problem = { reason: 'document-not-utf8', path: 'dev/my-skill', file: 'SKILL.md', line };
    expect(decodeDocument(bytes, place)).toEqual({ ok: false, problem });
  });
});

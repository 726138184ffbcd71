// Text in, edit, text out: what a patch touches, and in which style it writes.

import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/document/fields.ts';
import { parseDocument } from '../../src/document/parse.ts';
import { type FieldChanges, patchDocument } from '../../src/document/patch.ts';
import { sentenceOf } from '../../src/problem.ts';
import type { SkillPath } from '../../src/skill/path.ts';

const place = { skill: 'dev/my-skill' as SkillPath, file: 'SKILL.md' };

function patched(text: string, changes: FieldChanges): string {
  const outcome = patchDocument(text, changes, place);
  return outcome.ok ? outcome.value : outcome.problem.reason;
}

/** The text between the fences, patched. */
function patchedYaml(yaml: string, changes: FieldChanges): string {
  const text = patched(`---\n${yaml}---\nBody.\n`, changes);
  return text.startsWith('---\n') && text.endsWith('---\nBody.\n')
    ? text.slice(4, -'---\nBody.\n'.length)
    : text;
}

function fieldsOf(text: string): Fields {
  const outcome = parseDocument(text, place);
  if (!outcome.ok) throw new Error(outcome.problem.reason);
  return outcome.value.fields;
}

type Row = readonly [what: string, yaml: string, changes: FieldChanges, expected: string];

describe('a text keeps its style', () => {
  const wordy = { description: 'One two THREE four five six seven.' };
  test.each<Row>([
    ['plain', 'version: 1.2.3 # now\n', { version: '1.3.0' }, 'version: 1.3.0 # now\n'],
    ['single quotes', "version: '1.2'\n", { version: '1.3' }, "version: '1.3'\n"],
    ['double quotes', 'version:   "1.2"\n', { version: '1.3' }, 'version:   "1.3"\n'],
    ['plain, where YAML would misread it', 'version: 1.2.3\n', { version: '1.3' }, 'version: "1.3"\n'],
    ['single quotes, where they cannot', "scope: 'a'\n", { scope: 'a\tb' }, 'scope: "a\\tb"\n'],
    ['single quotes, with one in it', "scope: 'a'\n", { scope: "it's" }, "scope: 'it''s'\n"],
    ['a tag', 'version: !!str 1.0\n', { version: '1.1' }, 'version: !!str "1.1"\n'],
    ['a tag that it cannot have', 'scope: # c\n  !!int 3\n', { scope: 'a' }, 'scope: # c\n  a\n'],
    ['an anchor', 'version: &v 1.0.0\n', { version: '1.1.0' }, 'version: &v 1.1.0\n'],
    ['below its key', 'scope:\n  one\n', { scope: 'two' }, 'scope:\n  two\n'],
    ['an explicit key', '? scope\n: one\n', { scope: 'two' }, '? scope\n: two\n'],
    ['a quoted key', '"scope" : one\n', { scope: 'two' }, '"scope" : two\n'],
    [
      'folded, unchanged lines as they are',
      'description: >- # so\n  One two\n  three four\n  five six seven.\n',
      wordy,
      'description: >- # so\n  One two\n  THREE four\n  five six seven.\n',
    ],
    [
      'folded, with paragraphs',
      'description: >\n  One two\n\n  three\n',
      { description: 'One two\nfour\nthree\n' },
      'description: >\n  One two\n\n  four\n\n  three\n',
    ],
    [
      'folded in one line',
      'description: >-\n  One two\n',
      wordy,
      `description: >-\n  ${wordy.description}\n`,
    ],
    ['folded, another end', 'description: >\n  One\n', { description: 'Two' }, 'description: >-\n  Two\n'],
    [
      'literal',
      'description: |-\n    a\n    b\n',
      { description: 'a\n c\nb' },
      'description: |-\n    a\n     c\n    b\n',
    ],
    ['literal, another end', 'description: |-\n  a\n', { description: 'b\n' }, 'description: |\n  b\n'],
    [
      'literal, kept blank lines',
      'description: |+\n  a\n\n\n',
      { description: 'a\n\n' },
      'description: |+\n  a\n\n',
    ],
    ['literal, a kept break', 'description: |+\n  a\n', { description: 'b\n' }, 'description: |+\n  b\n'],
    ['literal, hidden blanks', 'description: |\n  a\n', { description: ' a ' }, 'description: " a "\n'],
    [
      'plain over lines',
      'description: One two\n  three\n',
      { description: 'One two four' },
      'description: One two\n  four\n',
    ],
    [
      'quoted over lines',
      "description: 'One two\n\n  three four\n\n  '\n",
      { description: "One two\nit's four\n" },
      "description: 'One two\n\n  it''s four\n\n  '\n",
    ],
    [
      'one line that becomes several',
      'description: a # c\n',
      { description: 'a: b\nc\n' },
      'description: | # c\n  a: b\n  c\n',
    ],
    [
      'in a flow map',
      'metadata: {version: 1.0.0, scope: x}\n',
      { scope: 'a, b' },
      'metadata: {version: 1.0.0, scope: "a, b"}\n',
    ],
    [
      'none, where none stands',
      'version: # todo\nscope: x\n',
      { version: '2.0' },
      'version: "2.0" # todo\nscope: x\n',
    ],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('texts that YAML would misread survive', () => {
  test.each([
    ...[
      'yes',
      'null',
      '~',
      '1.0',
      '2024-01-01',
      ': ',
      'a: b',
      'a #b',
      '#',
      '@a',
      '&a',
      '*a',
      '- a',
      '{a}',
      '"',
      "'",
    ],
    ...[
      '😀',
      'مرحبا',
      '\u202eabc',
      'a\nb',
      'a\n\nb\n',
      '\na',
      ' a',
      'a ',
      'a  b',
      '\ta',
      'a\r\nb',
      '\u0085',
      '\u2028',
    ],
    ...[
      '\uFEFF',
      '\u0001',
      '---',
      'a\n---\nb',
      '__proto__',
      '\\',
      '|',
      '>-',
      'a,b',
      '[a',
      '!!str a',
      '%a',
      '`a`',
      '?',
    ],
  ])('%j', (value) => {
    for (const yaml of [
      'description: a\n',
      "description: 'a'\n",
      'description: "a"\n',
      'description: >\n  a\n  b\n',
      'description: |\n  a\n',
      'description: a\n  b\n',
      "description: 'a\n  b'\n",
      'description: "a\n  b"\n',
      '{description: a}\n',
      'description: a: b\n',
      '',
    ]) {
      const text = patched(`---\n${yaml}---\n`, {
        description: value,
        tags: [value, 'b'],
        extra: { x: [value] },
      });
      expect(fieldsOf(text)).toMatchObject({ description: value, tags: [value, 'b'], extra: { x: [value] } });
    }
  });
});

describe('one item of a list', () => {
  const block = 'tags:\n  # first\n  - a\n  - "b" # beside\n  # of c\n  - c\n# of next\nx: y\n';
  const lines = 'tags: [\n  a, # of a\n  b,\n  c\n]\n';
  test.each<Row>([
    ['changed, flow', 'tags: [a, "b",  c ] # t\n', { tags: ['a', 'x', 'c'] }, 'tags: [a, "x",  c ] # t\n'],
    ['added, flow', 'tags: [a,b]\n', { tags: ['a', 'b', 'c'] }, 'tags: [a,b,c]\n'],
    ['added, flow, after a comma', 'tags: [ a, b, ]\n', { tags: ['a', 'b', 'c'] }, 'tags: [ a, b, c, ]\n'],
    ['added, to one', "tags: ['a']\n", { tags: ['a', 'b'] }, "tags: ['a', 'b']\n"],
    ['added, to none', 'tags: []\n', { tags: ['a', 'b c'] }, 'tags: [a, b c]\n'],
    ['removed, flow', 'tags: [a, b, c]\n', { tags: ['a', 'c'] }, 'tags: [a, c]\n'],
    ['removed, the last', 'tags: [a, b]\n', { tags: ['a'] }, 'tags: [a]\n'],
    ['changed, block', block, { tags: ['a', 'x', 'c'] }, block.replace('"b"', '"x"')],
    ['added, block', block, { tags: ['a', 'b', 'c', 'yes'] }, block.replace('- c\n', '- c\n  - "yes"\n')],
    ['removed, block', block, { tags: ['a', 'b'] }, block.replace('  # of c\n  - c\n', '')],
    ['at the margin', 'tags:\n- a\n- b\nx: y\n', { tags: ['b', 'c', 'd'] }, 'tags:\n- c\n- b\n- d\nx: y\n'],
    ['changed, over lines', lines, { tags: ['a', 'x', 'c'] }, lines.replace('b', 'x')],
    [
      'added, over lines',
      lines,
      { tags: ['a', 'b', 'c', 'd'] },
      'tags: [\n  a, # of a\n  b,\n  c,\n  d\n]\n',
    ],
    ['removed, over lines', lines, { tags: ['b', 'c'] }, 'tags: [\n  b,\n  c\n]\n'],
    ['removed, over lines, the last', lines, { tags: ['a', 'b'] }, 'tags: [\n  a, # of a\n  b\n]\n'],
    ['changed, text', 'tags: a,b ,  c\n', { tags: ['a', 'x', 'c'] }, 'tags: a,x ,  c\n'],
    ['added, text', 'tags: "a,b"\n', { tags: ['a', 'b', 'c'] }, 'tags: "a,b,c"\n'],
    ['removed, text', 'keywords: one thing, b, c\n', { keywords: ['b', 'c'] }, 'keywords: b, c\n'],
    [
      'added, text that cannot hold it',
      'tags: a, b\n',
      { tags: ['a', 'b', 'c, d'] },
      'tags: [a, b, "c, d"]\n',
    ],
    [
      'tools',
      'allowed-tools: Read Bash(git add:*)\n',
      { allowedTools: ['Read', 'Write'] },
      'allowed-tools: Read Write\n',
    ],
    ['tools, one', 'allowed-tools: Read\n', { allowedTools: ['Read', 'Edit'] }, 'allowed-tools: Read Edit\n'],
    [
      'tools, commas',
      'allowed_tools: Read, Edit\n',
      { allowedTools: ['Read', 'Edit', 'Bash(a b)'] },
      'allowed_tools: Read, Edit, Bash(a b)\n',
    ],
    ['all others go', 'tags: [a, b, c]\n', { tags: ['x'] }, 'tags: [x]\n'],
    [
      'what says nothing stays',
      `tags: [a, ~, [b], ${'x'.repeat(65)}]\n`,
      { tags: ['c'] },
      `tags: [c, ~, [b], ${'x'.repeat(65)}]\n`,
    ],
    ['what stands twice', 'tags: [a, b, a]\n', { tags: ['a', 'c'] }, 'tags: [a, c, a]\n'],
    ['a number stays one', 'tags: [2024, a]\n', { tags: ['2024', 'b'] }, 'tags: [2024, b]\n'],
    [
      'order alone is no change',
      'tags: [a, b]\nkeywords: c, d\n',
      { tags: ['b', 'a'], keywords: ['d', 'c'] },
      'tags: [a, b]\nkeywords: c, d\n',
    ],
    ['an alias', 'x: &a [a, b]\ntags: *a\n', { tags: ['a'] }, 'x: &a [a, b]\ntags: [a]\n'],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('an item that is a map', () => {
  const maps = `capabilities:
  - name: See # eyes
    description: sees
    icon: 👁
  - {name: Hear, description: 'hears'}
`;
  const see = { name: 'See', description: 'sees' };
  const hear = { name: 'Hear', description: 'hears' };
  const required = { type: 'required', justification: null } as const;
  test.each<Row>([
    [
      'changed in its own value',
      maps,
      {
        capabilities: [
          { ...see, description: 'sees: far' },
          { ...hear, description: 'listens' },
        ],
      },
      maps.replace('sees', '"sees: far"').replace("'hears'", "'listens'"),
    ],
    [
      'with a value taken out',
      maps,
      { capabilities: [{ ...see, description: '' }, hear] },
      maps.replace('    description: sees\n', ''),
    ],
    ['removed', maps, { capabilities: [hear] }, "capabilities:\n  - {name: Hear, description: 'hears'}\n"],
    [
      'added',
      maps,
      { capabilities: [see, hear, { name: 'Feel', description: '' }] },
      `${maps}  - {name: Feel}\n`,
    ],
    [
      'added in the middle, in order',
      'capabilities:\n  - See: sees\n  - Hear: hears\n',
      { capabilities: [see, { name: 'Feel', description: 'feels' }, hear] },
      'capabilities:\n  - See: sees\n  - Feel: feels\n  - Hear: hears\n',
    ],
    [
      'moved, which is a change of capabilities',
      "capabilities: ['See: sees', 'Hear: hears']\n",
      { capabilities: [hear, see] },
      "capabilities: ['Hear: hears', 'See: sees']\n",
    ],
    [
      'as a text',
      'capabilities: ["See: sees"]\n',
      { capabilities: [{ ...see, description: 'x' }] },
      'capabilities: ["See: x"]\n',
    ],
    [
      'added among texts, which cannot say it',
      'capabilities:\n  - Look\n',
      {
        capabilities: [
          { name: 'Look', description: '' },
          { name: 'a: b', description: '' },
        ],
      },
      'capabilities:\n  - Look\n  - name: "a: b"\n',
    ],
    [
      'one of several in one',
      'capabilities:\n  - See: sees\n    Hear: x\n',
      { capabilities: [see, hear] },
      'capabilities:\n  - name: See\n    description: sees\n  - name: Hear\n    description: hears\n',
    ],
    [
      'of one map',
      'capabilities: {See: sees, Hear: }\n',
      { capabilities: [see, hear] },
      'capabilities: {See: sees, Hear: hears }\n',
    ],
    [
      'a dependency',
      'dependencies:\n  - skill: a\n    reason: why\n  - b\n',
      {
        dependencies: [
          { target: 'a', type: 'conflict', justification: 'so' },
          { target: 'c', ...required },
        ],
      },
      'dependencies:\n  - skill: a\n    reason: so\n    type: conflict\n  - c\n',
    ],
    [
      'dependencies by type',
      'dependencies:\n  required: [a, b]\n  recommended: c\n',
      {
        dependencies: [
          { target: 'a', ...required },
          { ...required, target: 'b', type: 'conflict' },
        ],
      },
      'dependencies:\n  required: [a]\n  conflict:\n    - b\n',
    ],
    [
      'a reference',
      'references: [a, docs/x.md]\n',
      {
        references: [
          { target: 'b', type: 'see_also' },
          { target: 'c', type: 'extends' },
        ],
      },
      'references: [b, docs/x.md, {path: c, type: extends}]\n',
    ],
    [
      'facets',
      'facets:\n  os: linux # only\n  e:\n  a: [b, c]\n',
      {
        facets: [
          { key: 'os', value: 'linux' },
          { key: 'a', value: 'c' },
          { key: 'd', value: 'yes' },
          { key: 'd', value: 'f' },
        ],
      },
      'facets:\n  os: linux # only\n  e:\n  a: [c]\n  d:\n    - "yes"\n    - f\n',
    ],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('facets, aliases and tools', () => {
  test.each<Row>([
    [
      'facets, another value',
      'metadata:\n  facets:\n    os: linux # only\n    level: high\n',
      {
        facets: [
          { key: 'os', value: 'linux' },
          { key: 'level', value: 'low: very' },
        ],
      },
      'metadata:\n  facets:\n    os: linux # only\n    level: "low: very"\n',
    ],
    [
      'facets, one more value of a key',
      'facets: {os: linux}\n',
      {
        facets: [
          { key: 'os', value: 'linux' },
          { key: 'os', value: 'mac' },
        ],
      },
      'facets: {os: [linux, mac]}\n',
    ],
    [
      'facets, the first',
      'name: x\n',
      { facets: [{ key: 'os', value: 'linux' }] },
      'name: x\nmetadata:\n  facets:\n    os: linux\n',
    ],
    ['facets, the last', 'scope: a\nfacets:\n  os: linux # only\n', { facets: [] }, 'scope: a\n'],
    [
      'aliases, one renamed',
      'aliases:\n  - old/x # of 2024\n  - older/x\n',
      { aliases: ['old/x', 'oldest/x'] },
      'aliases:\n  - old/x # of 2024\n  - oldest/x\n',
    ],
    [
      'aliases, one more, quoted as the others',
      'aliases: ["old/x"]\n',
      { aliases: ['old/x', 'a, b'] },
      'aliases: ["old/x", "a, b"]\n',
    ],
    ['aliases, the last', 'scope: a\naliases: [old/x]\n', { aliases: [] }, 'scope: a\n'],
    [
      'tools, one renamed',
      'allowed-tools: Read  Write\n',
      { allowedTools: ['Read', 'Edit'] },
      'allowed-tools: Read  Edit\n',
    ],
    [
      'tools, as a list',
      'allowed-tools:\n  - Read # all\n  - Write\n',
      { allowedTools: ['Read', 'Bash(git *)'] },
      'allowed-tools:\n  - Read # all\n  - Bash(git *)\n',
    ],
    ['tools, the last', 'name: x\nallowed-tools: Read\n', { allowedTools: [] }, 'name: x\n'],
    [
      'tools, the first',
      'name: x\nmetadata:\n  scope: a\n',
      { allowedTools: ['Read', 'Edit'] },
      'name: x\nallowed-tools: Read Edit\nmetadata:\n  scope: a\n',
    ],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('a key that is read', () => {
  test.each<Row>([
    [
      'in metadata before the top',
      'scope: a\nmetadata:\n  scope: b\n',
      { scope: 'c' },
      'scope: a\nmetadata:\n  scope: c\n',
    ],
    ['the last of equal ones', 'scope: a\nscope: b\n', { scope: 'c' }, 'scope: a\nscope: c\n'],
    [
      'in its own spelling',
      'load-priority: always\n',
      { loadPriority: 'dormant' },
      'load-priority: dormant\n',
    ],
    ['under its other name', 'taxonomy: a\n', { category: 'b' }, 'taxonomy: b\n'],
    ['one that is not understood', 'type: skill\n', { type: 'tool' }, 'type: tool\n'],
    [
      'set to what silence means',
      'version: 2.0.0\nstatus: draft\n',
      { version: '1.0.0', status: 'active' },
      'version: 1.0.0\nstatus: active\n',
    ],
    ['a description that goes', 'description: a\n', { description: '' }, 'description: ""\n'],
    ['one that nobody changed', 'type: skill\n', { type: 'technical' }, 'type: skill\n'],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('a new key', () => {
  const category = { category: 'a/b' };
  test.each<Row>([
    [
      'in the map of metadata, beside its kin',
      'metadata:\n    author: me\n    type: tool # t\n    x: y\nz: z\n',
      category,
      'metadata:\n    author: me\n    type: tool # t\n    category: a/b\n    x: y\nz: z\n',
    ],
    [
      'in the map of metadata, at its end',
      'metadata:\n  author: me\n  # note\n',
      category,
      'metadata:\n  author: me\n  category: a/b\n  # note\n',
    ],
    ['in a flow map', 'metadata: { author: me }\n', category, 'metadata: { author: me, category: a/b }\n'],
    [
      'in a map as of JSON',
      'metadata: {"author":"me","x":1}\n',
      category,
      'metadata: {"author":"me","x":1,"category":"a/b"}\n',
    ],
    [
      'in a flow map over lines',
      'metadata:\n  {\n    "x": {},\n  }\n',
      category,
      'metadata:\n  {\n    "x": {},\n    "category": "a/b",\n  }\n',
    ],
    ['in an empty map', 'metadata: {}\n', category, 'metadata: {category: a/b}\n'],
    ['in a map without keys', 'metadata:\nx: y\n', category, 'metadata:\n  category: a/b\nx: y\n'],
    [
      'beside older kin at the top',
      'version: 1.0.0\ntags:\n  - a\nx: y\n',
      category,
      'version: 1.0.0\ntags:\n  - a\ncategory: a/b\nx: y\n',
    ],
    [
      'behind a comment within its kin',
      'tags:\n  - a\n  # - b\nx: y\n',
      category,
      'tags:\n  - a\n  # - b\ncategory: a/b\nx: y\n',
    ],
    [
      'in a new map',
      'name: my-skill\nx: |\n  text\n\n# end\n',
      category,
      'name: my-skill\nx: |\n  text\nmetadata:\n  category: a/b\n\n# end\n',
    ],
    ['where metadata is no map', 'metadata: text\n', category, 'metadata: text\ncategory: a/b\n'],
    [
      'where metadata is an alias',
      'x: &m {author: a}\nmetadata: *m\n',
      category,
      'x: &m {author: a}\nmetadata: *m\ncategory: a/b\n',
    ],
    [
      'in a frontmatter without keys',
      '# only a comment\n',
      category,
      '# only a comment\nmetadata:\n  category: a/b\n',
    ],
    [
      'in a frontmatter in braces',
      '{name: my-skill}\n',
      { scope: 'x' },
      '{name: my-skill, metadata: {scope: x}}\n',
    ],
    ['name: first', '# top\ndescription: a\n', { name: 'b' }, 'name: b\n# top\ndescription: a\n'],
    [
      'description: after the name',
      'x: y\nname: a\nz: z\n',
      { description: 'b: c' },
      'x: y\nname: a\ndescription: "b: c"\nz: z\n',
    ],
    [
      'allowed-tools: after license',
      'name: a\nlicense: MIT\nmetadata: {}\n',
      { allowedTools: ['Read', 'Edit'] },
      'name: a\nlicense: MIT\nallowed-tools: Read Edit\nmetadata: {}\n',
    ],
    [
      'several',
      'name: a\n',
      { tags: ['x'], scope: 's', description: 'd' },
      'name: a\ndescription: d\nmetadata:\n  scope: s\n  tags:\n    - x\n',
    ],
    [
      'none for what silence says',
      'name: a\n',
      { version: '1.0.0', status: 'active', tags: [] },
      'name: a\n',
    ],
    [
      'see_also where references cannot say it',
      'references: [a]\n',
      { references: [{ target: 'b.js', type: 'see_also' }] },
      'references: [a]\nsee_also:\n  - b.js\n',
    ],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('a key that goes', () => {
  test.each<Row>([
    [
      'with its lines and comments',
      'a: b\n# apart\n\n# of tags\n# too\ntags: # t\n  - a\n  # in it\n  - b\n# of c\nc: d\n',
      { tags: [] },
      'a: b\n# apart\n\n# of c\nc: d\n',
    ],
    [
      'from metadata',
      'metadata:\n  author: me\n  # of scope\n  scope: |\n    a\n\n    b\n  x: y\n',
      { scope: null },
      'metadata:\n  author: me\n  x: y\n',
    ],
    ['from a flow map', 'metadata: {scope: a, author: me}\n', { scope: null }, 'metadata: {author: me}\n'],
    [
      'from a map that it leaves empty',
      'a: b\nmetadata:\n  scope: a\nc: d\n',
      { scope: null },
      'a: b\nc: d\n',
    ],
    ['from a flow map that it leaves empty', 'metadata: {scope: a}\n', { scope: null }, ''],
    ['but not a map with a comment', 'metadata: # m\n  scope: a\n', { scope: null }, 'metadata: # m\n'],
    [
      'from both places',
      'scope: a\nmetadata:\n  scope: b\n  author: c\n',
      { scope: null },
      'metadata:\n  author: c\n',
    ],
    [
      'with the blank lines behind it, where the text above would keep them',
      'x: >+\n  a\n\n  b\nscope: a\n\ny: z\n',
      { scope: null },
      'x: >+\n  a\n\n  b\ny: z\n',
    ],
    [
      'at two places, up to each other',
      'x: |+\n  a\nscope: a\n\nscope: b\n\ny: z\n',
      { scope: null },
      'x: |+\n  a\ny: z\n',
    ],
    ['as often as it stands', 'scope: a\nx: y\nscope: b\n', { scope: null }, 'x: y\n'],
    [
      'but not another one that says nothing of it',
      'see_also: [a]\nreferences: [docs/x.md]\n',
      { references: [] },
      'references: [docs/x.md]\n',
    ],
    [
      'but not where something stays',
      'references: [a, docs/x.md]\n',
      { references: [] },
      'references: [docs/x.md]\n',
    ],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('what no field says', () => {
  test.each<Row>([
    [
      'changed',
      'license: MIT\nx: 1\n',
      { extra: { license: 'Apache-2.0', x: 2 } },
      'license: Apache-2.0\nx: 2\n',
    ],
    [
      'changed deep down',
      'x:\n  a: [1, {b: c}] # n\n  d: e\n',
      { extra: { x: { a: [1, { b: 'f' }], d: 'e' } } },
      'x:\n  a: [1, {b: f}] # n\n  d: e\n',
    ],
    [
      'beside a number as it is written',
      'x: {a: 1.0, b: c}\n',
      { extra: { x: { a: 1, b: 'd' } } },
      'x: {a: 1.0, b: d}\n',
    ],
    ['another type', 'x: true\n', { extra: { x: 'true' } }, 'x: "true"\n'],
    ['a map for a text', 'x: y\nz: z\n', { extra: { x: { a: [1] }, z: 'z' } }, 'x: {a: [1]}\nz: z\n'],
    [
      'a text for a list behind a comment',
      'x: # c\n- a\nz: z\n',
      { extra: { x: 'w', z: 'z' } },
      'x: w\nz: z\n',
    ],
    ['a text for a map', 'x:\n  a: b\n  c: d\nz: z\n', { extra: { x: 'w', z: 'z' } }, 'x: w\nz: z\n'],
    [
      'added',
      'name: a\nz: z\n',
      { extra: { z: 'z', license: 'MIT', q: [1, 'b'] } },
      'name: a\nlicense: MIT\nz: z\nq:\n  - 1\n  - b\n',
    ],
    ['removed', '# of x\nx: y\nz: z\n', { extra: { z: 'z' } }, 'z: z\n'],
    ['a null is no value', 'x: y\nz: z\n', { extra: { x: null, z: 'z' } }, 'z: z\n'],
    [
      'in metadata',
      'metadata:\n  author: me\n  type: tool\n',
      { extra: { metadata: { author: 'you', org: 'o' } } },
      'metadata:\n  author: you\n  type: tool\n  org: o\n',
    ],
    [
      'removed from metadata',
      'metadata:\n  author: me\n  type: tool\n',
      { extra: {} },
      'metadata:\n  type: tool\n',
    ],
    [
      'metadata that is a text',
      'metadata: a\n',
      { extra: { metadata: { author: 'b' } } },
      'metadata: {author: b}\n',
    ],
    [
      'keys that objects have',
      'constructor: x\ntoString: y\n',
      { extra: JSON.parse('{"toString":"z","__proto__":{}}') },
      'toString: z\n__proto__: {}\n',
    ],
    [
      'one as deep as can be read',
      `x: ${'['.repeat(90)}${']'.repeat(90)}\ny: z\n`,
      { extra: { x: JSON.parse(`${'['.repeat(90)}${']'.repeat(90)}`) } },
      `x: ${'['.repeat(90)}${']'.repeat(90)}\n`,
    ],
    ['a key __proto__', 'x: y\n', { extra: JSON.parse('{"x":"y","__proto__":"z"}') }, 'x: y\n__proto__: z\n'],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('line breaks, BOM and odd blanks stay', () => {
  test.each([
    [
      'CRLF',
      '---\r\nname: a\r\ntags:\r\n  - a\r\n---\r\nBody\r\n',
      '---\r\nname: b\r\ntags:\r\n  - a\r\n  - c\r\nscope: s\r\n---\r\nBody\r\n',
    ],
    [
      'CRLF, folded',
      '---\r\nname: a\r\ntags: a\r\nscope: >-\r\n  x\r\n---\r\n',
      '---\r\nname: b\r\ntags: a, c\r\nscope: >-\r\n  s\r\n---\r\n',
    ],
    [
      'a BOM',
      '\uFEFF---\nname: a\ntags: [a]\nscope: x\n---',
      '\uFEFF---\nname: b\ntags: [a, c]\nscope: s\n---',
    ],
    [
      'tabs and blanks',
      '---  \nname:\ta\t# x\ntags:  [a]  \nscope : x\n---\t\n',
      '---  \nname:\tb\t# x\ntags:  [a, c]  \nscope : s\n---\t\n',
    ],
  ])('%s', (_, text, expected) => {
    expect(patched(text, { name: 'b', tags: ['a', 'c'], scope: 's' })).toBe(expected);
  });
});

describe('without a frontmatter one is put before the body', () => {
  test.each<Row>([
    [
      'with its first paragraph',
      '# Title\n\nText: it.\n',
      { version: '2.0' },
      '---\ndescription: "Text: it."\nmetadata:\n  version: "2.0"\n---\n# Title\n\nText: it.\n',
    ],
    [
      'without one',
      '# Title\n',
      { name: 'a', scope: 's' },
      '---\nname: a\nmetadata:\n  scope: s\n---\n# Title\n',
    ],
    ['for a description', 'Text.\n', { description: 'Other.' }, '---\ndescription: Other.\n---\nText.\n'],
    ['for none', 'Text.\n', { description: '' }, '---\ndescription: ""\n---\nText.\n'],
    ['for a name', 'Text.\n', { name: 'a' }, '---\nname: a\ndescription: Text.\n---\nText.\n'],
    [
      'with CRLF',
      'Text.\r\n',
      { allowedTools: ['Read'] },
      '---\r\ndescription: Text.\r\nallowed-tools: Read\r\n---\r\nText.\r\n',
    ],
    [
      'behind a BOM',
      '\uFEFFText.',
      { extra: { license: 'MIT' } },
      '\uFEFF---\ndescription: Text.\nlicense: MIT\n---\nText.',
    ],
    ['before a rule', '---\nProse.\n---\n', { name: 'a' }, '---\nname: a\n---\n---\nProse.\n---\n'],
    ['before another fence', '---js\nx\n---\n', { name: 'a' }, '---\nname: a\n---\n---js\nx\n---\n'],
    ['in an empty file', '', { name: 'a' }, '---\nname: a\n---\n'],
    [
      'but not without a change',
      'Text.\n',
      { description: 'Text.', name: 'my-skill', version: '1.0.0' },
      'Text.\n',
    ],
  ])('%s', (_, text, changes, expected) => {
    expect(patched(text, changes)).toBe(expected);
  });
});

describe('a frontmatter that is no YAML is patched by lines', () => {
  const broken =
    'name: a\ndescription: b: c\n  and more\ntags: [a, b] # t\nmetadata:\n  type: tool\n  scope: d: e\n';
  test.each<Row>([
    ['the broken value', broken, { description: 'x: y' }, broken.replace('b: c\n  and more', '"x: y"')],
    ['a value that is YAML', broken, { tags: ['a'] }, broken.replace('[a, b]', '[a]')],
    ['below another key', broken, { type: 'mcp' }, broken.replace('tool', 'mcp')],
    ['a broken one below another key', broken, { scope: 'f' }, broken.replace('d: e', 'f')],
    ['a new one below another key', broken, { category: 'g' }, `${broken}  category: g\n`],
    ['one that goes', broken, { scope: null }, broken.replace('  scope: d: e\n', '')],
    ['an indented key', 'name: a\n  description: b\n', { description: 'c' }, 'name: a\n  description: c\n'],
    [
      'a new one behind an indented key',
      'name: a\n  license: b\n',
      { scope: 'c' },
      'name: a\n  license: b\nmetadata:\n  scope: c\n',
    ],
    [
      'behind tabs',
      'metadata:\n\ttype: tool\n\tscope: a\n',
      { scope: 'b' },
      'metadata:\n\ttype: tool\n\tscope: b\n',
    ],
    [
      'a list of broken items',
      'tags:\n  - @a\n  - b\nx: y\n',
      { tags: ['@a', 'c'] },
      'tags:\n  - "@a"\n  - c\nx: y\n',
    ],
  ])('%s', (_, yaml, changes, expected) => {
    expect(patchedYaml(yaml, changes)).toBe(expected);
  });
});

describe('capabilities of the body', () => {
  const body = `Text.

## Capabilities
Words.

- **See**: sees
  far
    - nested
- **Hear**: hears

* **Feel:** feels

## Next
`;
  const [see, hear, feel] = [
    { name: 'See', description: 'sees far' },
    { name: 'Hear', description: 'hears' },
    { name: 'Feel', description: 'feels' },
  ];
  const touch = { name: 'Touch', description: 'touches: it' };
  test.each<Row>([
    [
      'described otherwise',
      body,
      { capabilities: [see, { ...hear, description: 'listens' }, feel] },
      body.replace('hears', 'listens'),
    ],
    [
      'described otherwise, over lines',
      body,
      { capabilities: [{ ...see, description: 'sees near' }, hear, feel] },
      body.replace('far', 'near'),
    ],
    [
      'described with what would begin an item',
      body,
      { capabilities: [{ ...see, description: 'sees - far' }, hear, feel] },
      body.replace('sees\n  far', 'sees - far'),
    ],
    [
      'not described',
      body,
      { capabilities: [see, { ...hear, description: '' }, feel] },
      body.replace(' hears', ''),
    ],
    [
      'renamed',
      body,
      { capabilities: [see, { ...hear, name: 'Listen' }, { ...feel, name: 'Sense' }] },
      body.replace('Hear', 'Listen').replace('Feel', 'Sense'),
    ],
    [
      'removed, with what is nested',
      body,
      { capabilities: [hear, feel] },
      body.replace('- **See**: sees\n  far\n    - nested\n', ''),
    ],
    ['removed, the last', body, { capabilities: [see, hear] }, body.replace('\n* **Feel:** feels\n', '')],
    ['all removed', body, { capabilities: [] }, 'Text.\n\n## Capabilities\nWords.\n\n## Next\n'],
    [
      'added',
      body,
      { capabilities: [see, hear, feel, touch] },
      body.replace('feels\n', 'feels\n\n* **Touch:** touches: it\n'),
    ],
    [
      'added first',
      '## Capabilities\n- **Hear**: hears',
      { capabilities: [touch, hear] },
      '## Capabilities\n- **Touch**: touches: it\n- **Hear**: hears',
    ],
    [
      'added last',
      '## Capabilities\n- **Hear**: hears',
      { capabilities: [hear, touch] },
      '## Capabilities\n- **Hear**: hears\n- **Touch**: touches: it',
    ],
    [
      'added to none',
      'A.\n\n## Capabilities\n\n## Next\n',
      { capabilities: [touch] },
      'A.\n\n## Capabilities\n\n- **Touch**: touches: it\n\n## Next\n',
    ],
    [
      'added above other words',
      'A.\n\n## Capabilities\nWords.\n',
      { capabilities: [touch] },
      'A.\n\n## Capabilities\n\n- **Touch**: touches: it\n\nWords.\n',
    ],
    [
      'with CRLF',
      'A.\r\n\r\n## Capabilities\r\n- **Hear**: hears\r\n',
      { capabilities: [hear, touch] },
      'A.\r\n\r\n## Capabilities\r\n- **Hear**: hears\r\n- **Touch**: touches: it\r\n',
    ],
  ])('%s', (_, text, changes, expected) => {
    // With a frontmatter the first paragraph is no description.
    const frontmatter = '---\nname: a\n---\n';
    expect(patched(frontmatter + text, changes)).toBe(frontmatter + expected);
  });

  test.each<Row>([
    [
      'a key says its own',
      'capabilities:\n  - Touch: touches\n',
      { capabilities: [{ ...touch, description: 'x' }, see, hear, { ...feel, description: 'y' }] },
      `---\ncapabilities:\n  - Touch: x\n---\n${body.replace('feels', 'y')}`,
    ],
    [
      'and new ones',
      'capabilities: [Touch]\n',
      {
        capabilities: [{ name: 'Touch', description: '' }, touch, see, hear, feel]
          .filter((_, index) => index !== 1)
          .toSpliced(1, 0, { name: 'Think', description: '' }),
      },
      `---\ncapabilities: [Touch, Think]\n---\n${body}`,
    ],
    [
      'and what no item can say',
      'name: a\n',
      { capabilities: [see, hear, { ...feel, description: 'a\nb' }] },
      `---\nname: a\nmetadata:\n  capabilities:\n    - name: See\n      description: sees far\n    - name: Hear\n      description: hears\n    - name: Feel\n      description: |-\n        a\n        b\n---\n${body}`,
    ],
  ])('where %s', (_, yaml, changes, expected) => {
    expect(patched(`---\n${yaml}---\n${body}`, changes)).toBe(expected);
  });
});

describe('refused, with line and key', () => {
  const deep = (levels: number): Fields['extra'] => (levels === 0 ? { x: 'y' } : { x: deep(levels - 1) });
  test.each<[string, string, FieldChanges, string]>([
    [
      'a value that an alias repeats',
      'x: y\nscope: &s a\ncategory: *s\n',
      { scope: 'b' },
      'SKILL.md:3: the new value of scope',
    ],
    [
      'a key that an alias repeats',
      'tags: &t [a]\nkeywords: *t\n',
      { tags: [] },
      'SKILL.md:2: the new value of tags',
    ],
    ['a name that is none', 'name: a\n', { name: '' }, 'SKILL.md:2: the new value of name'],
    [
      'a text beyond its limit',
      '',
      { version: '1'.repeat(21) },
      'SKILL.md: the new value of metadata.version',
    ],
    ['a text that cannot be stored', '', { scope: '\ud800' }, 'the new value of metadata.scope'],
    [
      'a key of extra that a field says',
      'x: y\n',
      { extra: { x: 'y', version: '2' } },
      'the new value of version',
    ],
    ['a value nested too deep', '', { extra: { x: deep(5000) } }, 'the new value of x'],
    [
      'too many changes',
      '',
      { extra: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i])) },
      'the new value of k100',
    ],
  ])('%s', (_, yaml, changes, what) => {
    const outcome = patchDocument(`---\n${yaml}---\n`, changes, place);
    expect(outcome).toMatchObject({ ok: false, problem: { reason: 'not-patchable', path: 'dev/my-skill' } });
    expect(!outcome.ok && sentenceOf(outcome.problem).what).toContain(what);
  });

  test('a document that cannot be read is that problem', () => {
    expect(patched('---\na: b\n', { name: 'x' })).toBe('frontmatter-never-closes');
  });
});

// What the YAML between the fences says, strictly and line by line, and what is refused.

import { describe, expect, test } from 'vitest';
import { readFrontmatter } from '../../src/document/frontmatter.ts';
import { maxFrontmatterLength } from '../../src/document/split.ts';
import { Literal, type Pair, type Value } from '../../src/document/yaml.ts';
import type { SkillPath } from '../../src/skill/path.ts';

const place = { skill: 'dev/a' as SkillPath, file: 'SKILL.md' };

/** Values as a JSON of sorts: maps with bare keys, numbers and booleans as they are written. */
function show(value: Value): string {
  if (value instanceof Literal) return value.source;
  if (value instanceof Map) return showPairs([...value]);
  return Array.isArray(value) ? `[${value.map(show).join(', ')}]` : JSON.stringify(value);
}

function showPairs(pairs: readonly (readonly [string, Value])[]): string {
  return `{${pairs.map(([key, value]) => `${key}: ${show(value)}`).join(', ')}}`;
}

function read(yaml: string) {
  const outcome = readFrontmatter(yaml, place);
  if (!outcome.ok) throw new Error(outcome.problem.reason);
  const { pairs } = outcome.value;
  return { said: showPairs(pairs.map(({ key, value }) => [key, value])), ...outcome.value };
}

function problemOf(yaml: string) {
  const outcome = readFrontmatter(yaml, place);
  return outcome.ok ? undefined : outcome.problem;
}

/** Keys with line:column, and in parentheses those below. */
function placesOf(pairs: readonly Pair[]): string {
  return pairs
    .map(({ key, line, column, pairs: inner }) => {
      const below = inner.length === 0 ? '' : ` (${placesOf(inner)})`;
      return `${key} ${line}:${column}${below}`;
    })
    .join(', ');
}

describe('YAML is read strictly, without a warning', () => {
  test.each([
    ['', '{}'],
    ['\n\n', '{}'],
    ['# only a comment\n', '{}'],
    ['null', '{}'],
    ['a: b', '{a: "b"}'],
    ['a: b\r\nc: d\r\n', '{a: "b", c: "d"}'],
    ['a:\nb: ~\nc: null\nd: ""', '{a: null, b: null, c: null, d: ""}'],
    ['a: 1.0\nb: 007\nc: 1e3\nd: -0', '{a: 1.0, b: "007", c: 1e3, d: -0}'],
    ['a: true\nb: yes\nc: True', '{a: true, b: "yes", c: "True"}'],
    ['a: 2024-01-01', '{a: "2024-01-01"}'],
    ['a: [1, x]\nb: {c: d}', '{a: [1, "x"], b: {c: "d"}}'],
    ['a: >\n  one\n  two\n\n  three\n', String.raw`{a: "one two\nthree\n"}`],
    ['a: |-\n  one\n   two\n', String.raw`{a: "one\n two"}`],
    ['1: a\n1.0: b\ntrue: c', '{1: "a", 1.0: "b", true: "c"}'],
    ['a: &x [1]\nb: *x', '{a: [1], b: [1]}'],
    ['<<: {a: b}', '{<<: {a: "b"}}'],
    // Keys that mean something to gray-matter or to objects mean nothing here.
    ['excerpt_separator: {a: b}\nlanguage: js', '{excerpt_separator: {a: "b"}, language: "js"}'],
    ['__proto__: {a: b}\nconstructor: c', '{__proto__: {a: "b"}, constructor: "c"}'],
    ['a: "x\u2028---\u2029y"', '{a: "x\u2028---\u2029y"}'],
    ['a: |\n  ---\n  ---js\n', String.raw`{a: "---\n---js\n"}`],
  ])('%j', (yaml, said) => {
    expect(read(yaml)).toMatchObject({ said, warnings: [] });
  });
});

describe('what is no YAML is read line by line', () => {
  test.each([
    ['a colon', 'a: one: two\nb: c', '{a: "one: two", b: "c"}'],
    ['an at sign', 'a: @one\nb: [c]', '{a: "@one", b: ["c"]}'],
    ['a backtick', 'a: `one` two', '{a: "`one` two"}'],
    ['a percent sign', 'a: %one', '{a: "%one"}'],
    ['bold text', 'a: **one** two', '{a: "**one** two"}'],
    ['a template', 'a: {{one}} two', '{a: "{{one}} two"}'],
    ['brackets in a row', 'a: [one] [two]', '{a: "[one] [two]"}'],
    ['a quote that never closes', 'a: "one\nb: c', '{a: "one", b: "c"}'],
    ['text after a quote', "a: 'one' two", '{a: "\'one\' two"}'],
    ['two quotes', "a: 'one' or 'two'", "{a: \"'one' or 'two'\"}"],
    ['backslashes in quotes', String.raw`a: "C:\path \"x\""`, String.raw`{a: "C:\\path \"x\""}`],
    ['a tab before a value', 'a: b: c\nd:\te', '{a: "b: c", d: "e"}'],
    ['a tab before a continuation', 'a: one\n\ttwo: x\nb: c', '{a: "one two: x", b: "c"}'],
    ['a tag', 'a: !one two', '{a: "!one two"}'],
    ['code', "a: !!js/function 'f'", '{a: "!!js/function \'f\'"}'],
    ['an alias of nothing', 'a: *one', '{a: "*one"}'],
    ['a control character', 'a: x\u0080y', '{a: "x\u0080y"}'],
    ['indented text', 'a: one: x\n  two\n\n  three\n', '{a: "one: x two three"}'],
    ['folded text', 'a: >-\n\tone\n\ttwo\n\n\tthree\n', String.raw`{a: "one two\nthree"}`],
    ['literal text', 'a: |\n\tone: x\n\t  two\n', String.raw`{a: "one: x\n  two\n"}`],
    ['a list of it', 'a:\n  - one: two: x\n    more\n  - "three', '{a: ["one: two: x more", "three"]}'],
    ['a list at the margin', 'a:\n- @one\n- two\nb: c', '{a: ["@one", "two"], b: "c"}'],
    ['a map of it', 'm:\n  a: b: c\n  d: [e]\n  f: 1.0\ng: h', '{m: {a: "b: c", d: ["e"], f: 1.0}, g: "h"}'],
    ['a map behind tabs', 'm:\n\ta: b\n\tc: 1', '{m: {a: "b", c: 1}}'],
    ['a map in a map of it', 'm:\n  a: b: c\n  d:\n    e: f: g', '{m: {a: "b: c", d: "e: f: g"}}'],
    [
      'a bracket that closes at the margin',
      'a: [\n  b,\n  c\n]\nd: {\n  e: f\n}\ng: h',
      '{a: ["b", "c"], d: {e: "f"}, g: "h"}',
    ],
    ['a quoted key', '"a": b: c', '{a: "b: c"}'],
    ['indented keys', '  a: b: c\n  d: e', '{a: "b: c", d: "e"}'],
    ['CRLF', 'a: b: c\r\nd: e\r\n', '{a: "b: c", d: "e"}'],
    ['nothing', 'a: b: c\nd:', '{a: "b: c", d: null}'],
    ['a merge conflict', 'a: b\n<<<<<<< mine\nc: d\n=======\n>>>>>>> theirs\n', '{a: "b", c: "d"}'],
    ['prose after keys', 'a: b\nSome prose.\n- an item\nc: d', '{a: "b", c: "d"}'],
    ['a prototype', '__proto__: a: b', '{__proto__: "a: b"}'],
    ['two documents', 'a: b\n--- # x\nc: d', '{a: "b", c: "d"}'],
    ['deep nesting', `a: ${'['.repeat(200)}`, `{a: "${'['.repeat(200)}"}`],
  ])('%s', (_, yaml, said) => {
    expect(read(yaml)).toMatchObject({ said, warnings: [{ code: 'yaml-read-line-by-line' }] });
  });

  test.each<[string, number, number]>([
    ['a: b\nc: d: e', 3, 5],
    ['a: @one', 2, 4],
    ['a: b\r\nc: "d\r\n', 4, 1],
    ['a: b\nc: {x: {[y]: z}}', 3, 9],
    ['a: b\nc: !d e', 3, 4],
  ])('%j names line and column of the file', (yaml, line, column) => {
    expect(read(yaml).warnings).toMatchObject([{ line, column }]);
  });
});

test.each([
  ['a: b\n\n  # c\n"d": e', 'a 2:1, d 5:1'],
  ['metadata:\n  a: b\n  c: {d: e}', 'metadata 2:1 (a 3:3, c 4:3)'],
  ['x: {a: 1, b: 2}', 'x 2:1 (a 2:5, b 2:11)'],
  ['x: b: c\nmetadata:\n  a: b\n  c: d: e', 'x 2:1, metadata 3:1 (a 4:3, c 5:3)'],
  ['x: b: c\nmetadata:\n  a: b', 'x 2:1, metadata 3:1 (a 4:3)'],
  ['  x: b: c\n  metadata:\n    a: b', 'x 2:3, metadata 3:3 (a 4:5)'],
  ['a: 1\na: 2', 'a 3:1'],
])('%j: keys know their lines and columns in the file', (yaml, places) => {
  expect(placesOf(read(yaml).pairs)).toBe(places);
});

test.each([
  ['a: 1\nb: x\na: 2', '{a: 2, b: "x"}', 4, 1],
  ['m:\n  a: 1\n  a: 2', '{m: {a: 2}}', 4, 3],
  ['m: [{a: 1, a: 2}, {a: 3}]', '{m: [{a: 2}, {a: 3}]}', 2, 12],
])('%j: the last of equal keys counts', (yaml, said, line, column) => {
  expect(read(yaml)).toMatchObject({ said, warnings: [{ code: 'duplicate-key', key: 'a', line, column }] });
});

describe('line by line, a key may be indented below a text that is whole', () => {
  test.each([
    ['name: x\n  description: y', '{name: "x", description: "y"}'],
    [
      'name: x\n  description: y: z\n  more\nlicense: MIT',
      '{name: "x", description: "y: z more", license: "MIT"}',
    ],
    ['name: "x"\n\tlicense: MIT\n\ttags: [a]', '{name: "x", license: "MIT", tags: ["a"]}'],
    ['name: x: y\n  metadata:\n    type: tool', '{name: "x: y", metadata: {type: "tool"}}'],
    // Not where it goes on: other words, a block of text, an open quote, a map.
    ['description: x: y\n  note: z', '{description: "x: y note: z"}'],
    ['description: |\n\tname: x\nb: c: d', '{description: "name: x\\n", b: "c: d"}'],
    ['description: "x\n  name: y" z', '{description: "\\"x name: y\\" z"}'],
    ['metadata:\n  name: x\nb: c: d', '{metadata: {name: "x"}, b: "c: d"}'],
    ['metadata:\n  a: b: c\n    name: x', '{metadata: {a: "b: c name: x"}}'],
  ])('%j', (yaml, said) => {
    expect(read(yaml)).toMatchObject({ said, warnings: [{ code: 'yaml-read-line-by-line' }] });
  });

  test('which knows its place', () => {
    expect(placesOf(read('name: x\n  metadata:\n    type: tool').pairs)).toBe(
      'name 2:1, metadata 3:3 (type 4:5)',
    );
  });
});

describe('line by line, equal keys are warned of', () => {
  test.each([
    ['a: b: c\na: d', '{a: "d"}', 3, 1],
    ['a: b: c\nm: {d: 1,\n  d: 2}', '{a: "b: c", m: {d: 2}}', 4, 3],
    ['m:\n  a: b: c\n  a: d', '{m: {a: "d"}}', 4, 3],
    ['  x: b: c\n  m: {a: 1, a: 2}', '{x: "b: c", m: {a: 2}}', 3, 13],
  ])('%j', (yaml, said, line, column) => {
    expect(read(yaml)).toMatchObject({
      said,
      warnings: [{ code: 'yaml-read-line-by-line' }, { code: 'duplicate-key', line, column }],
    });
  });
});

describe('no reading finds a key in', () => {
  test.each([
    ['prose', 'Just some text.\n', 2, 1],
    ['a list', '- a\n- b', 2, 1],
    ['a list of maps', '- a: b', 2, 1],
    ['a broken list', '- a\n- "b', 3, 5],
    ['a key that is a list', '? [a]\n: b', 2, 3],
    ['a scalar', '"a"', 2, 1],
  ])('%s', (_, yaml, line, column) => {
    const warnings = [{ code: 'yaml-read-line-by-line', line, column }];
    expect(read(yaml)).toMatchObject({ said: '{}', warnings, isYaml: false });
  });
});

describe('bounds', () => {
  const nines = (name: string) => Array(9).fill(`*${name}`).join(', ');
  const laughs = [
    'a: &a [x, x, x]',
    ...'bcdefgh'.split('').map((n, i) => `${n}: &${n} [${nines('abcdefgh'[i] ?? '')}]`),
  ];

  test.each([
    ['a billion laughs', laughs.join('\n'), 8],
    ['a long text many times', `a: &a ${'x'.repeat(100_000)}\nb: [${Array(1000).fill('*a').join(', ')}]`, 3],
    ['a list in itself', 'a: &a [*a]', 2],
    ['a map in itself', 'a: &a {b: *a}', 2],
    [
      'a chain',
      Array.from({ length: 500 }, (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : `*a${i - 1}`}]`).join('\n'),
      101,
    ],
  ])('%s is an alias bomb', (_, yaml, line) => {
    expect(problemOf(yaml)).toMatchObject({ reason: 'yaml-alias-bomb', line });
  });

  test('a frontmatter at its limit is read, and one beyond it is not', () => {
    expect(problemOf('x'.repeat(maxFrontmatterLength - 3).concat(': y'))).toBeUndefined();
    expect(problemOf('x'.repeat(maxFrontmatterLength - 2).concat(': y'))).toMatchObject({
      reason: 'frontmatter-too-large',
      length: maxFrontmatterLength + 1,
    });
  });

  // Each of these would take minutes where something is quadratic.
  test.each([
    ['empty lines', 'a: b\n'.padEnd(maxFrontmatterLength, '\n')],
    ['line separators', `a: "${'\u2028'.repeat(maxFrontmatterLength - 5)}"`],
    ['comments', 'a: b\n'.padEnd(maxFrontmatterLength, '#\n')],
    ['broken keys', 'a: b: c\n'.padEnd(maxFrontmatterLength - 1, 'a: b: c\n')],
    ['keys', Array.from({ length: 25_000 }, (_, i) => `k${i}: x`).join('\n')],
    ['keys in one line', `a: {${Array.from({ length: 24_000 }, (_, i) => `k${i}: x`).join(', ')}}`],
    ['open brackets', 'a: '.padEnd(maxFrontmatterLength, '[')],
  ])('%s up to the limit are read', (_, yaml) => {
    expect(problemOf(yaml)).toBeUndefined();
  });
});

test('a prototype stays as it is', () => {
  read('__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}');
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

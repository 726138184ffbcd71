import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findCandidates,
  findRenames,
  type Rename,
  type Sketch,
  sketchOf,
} from '../../src/reconcile/renames.ts';
import type { SkillState, Snapshot } from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';

/** The text of each skill's document, by its path. */
type Texts = { readonly [path: string]: string };

interface World {
  readonly base: Texts;
  readonly local: Texts;
  /** The path of the base whose row it is comes first, where it is one of the base's. */
  readonly remote: { readonly [path: string]: readonly [was: string, text: string] };
  readonly unreadable?: readonly string[];
}

function skillOf(path: string, text: string): Skill {
  const entry = { path: 'SKILL.md' as FilePath, executable: false, bytes: Buffer.from(text) };
  return makeSkill(path as SkillPath, [entry]);
}

function snapshotOf(
  states: Iterable<readonly [string, SkillState]>,
  unreadable: readonly string[] = [],
): Snapshot {
  const problem = { reason: 'folder-unreadable', path: '', code: 'EACCES' } as const;
  return {
    skills: new Map([...states].map(([path, state]) => [path as SkillPath, state])),
    unreadable: unreadable.map((path) => ({ path, below: true, problem })),
    notices: [],
  };
}

/** Finds the renames of a world as a run does, each as its three paths. */
function renamesIn({ base, local, remote, unreadable }: World): readonly string[] {
  const places = Object.keys(base);
  const keyOf = (was: string, path: string) =>
    base[was] === undefined ? 1000 + path.length : places.indexOf(was);
  const input = {
    local: snapshotOf(
      Object.entries(local).map(([path, text]) => [path, { digest: digestSkill(skillOf(path, text)) }]),
      unreadable,
    ),
    remote: snapshotOf(
      Object.entries(remote).map(([path, [was, text]]) => [
        path,
        {
          digest: digestSkill(skillOf(path, text)),
          row: { skillId: keyOf(was, path), revision: 1, status: 'active' },
        },
      ]),
    ),
    base: new Map(
      Object.entries(base).map(([path, text]) => [
        path as SkillPath,
        { digest: digestSkill(skillOf(path, text)), skillId: places.indexOf(path) },
      ]),
    ),
  };
  const { gone, come } = findCandidates(input);
  const sketches = (of: readonly (readonly [SkillPath, string])[]): ReadonlyMap<SkillPath, Sketch> =>
    new Map(
      of.flatMap(([path, text]) => {
        const sketch = sketchOf(skillOf(path, text));
        return sketch ? [[path, sketch]] : [];
      }),
    );
  return findRenames(input, {
    gone: sketches(gone.map(({ path }) => [path, base[path] ?? ''])),
    come: sketches(come.map((path) => [path, local[path] ?? ''])),
  })
    .map(wordsOf)
    .sort();
}

function wordsOf({ base, files, database }: Rename): string {
  return `${base.path}: ${files} in the files, ${database} in the database`;
}

const inFiles = (from: string, to: string) => `${from}: ${to} in the files, ${from} in the database`;
const inDatabase = (from: string, to: string) => `${from}: ${from} in the files, ${to} in the database`;

const lines = (count: number, word: string) =>
  Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('');
const document = (name: string, body: string) => `---\nname: ${name}\ndescription: d\n---\n${body}`;
const [A, B, C] = ['a', 'b', 'c'].map((word) => document(word, lines(10, word))) as [string, string, string];

const named = (name: string, text: string) => text.replace(/^name: .*/m, `name: ${name}`);

/** Rows that stand where the base has them, and hold what it does. */
const still = (base: Texts): World['remote'] =>
  Object.fromEntries(Object.entries(base).map(([path, text]) => [path, [path, text]]));

const cases: readonly (readonly [name: string, world: World, renames: readonly string[]])[] = [
  [
    'the same bytes at another path',
    { base: { a: A, b: B }, local: { 'z/q': A, b: B }, remote: still({ a: A, b: B }) },
    [inFiles('a', 'z/q')],
  ],
  [
    'the same but for the name',
    { base: { a: A }, local: { q: A.replace('name: a', 'name: q') }, remote: still({ a: A }) },
    [inFiles('a', 'q')],
  ],
  [
    'the same but for the name, and a row that somebody edited',
    {
      base: { a: A },
      local: { q: A.replace('name: a', 'name: q') },
      remote: { a: ['a', A.replace('a 3', 'theirs')] },
    },
    [inFiles('a', 'q')],
  ],
  [
    'much the same in a folder of the same name',
    { base: { a: A }, local: { 'z/a': document('q', lines(7, 'a')) }, remote: still({ a: A }) },
    [inFiles('a', 'z/a')],
  ],
  [
    'much the same by the same name',
    { base: { a: A }, local: { q: document('a', lines(7, 'a')) }, remote: still({ a: A }) },
    [inFiles('a', 'q')],
  ],
  [
    'much the same by another name',
    { base: { a: A }, local: { q: document('q', lines(7, 'a')) }, remote: still({ a: A }) },
    [],
  ],
  [
    'less than 60 % the same by the same name',
    {
      base: { a: A },
      local: { 'z/a': document('a', lines(10, 'q') + lines(3, 'a')) },
      remote: still({ a: A }),
    },
    [],
  ],
  [
    'the best of two that are much the same',
    {
      base: { a: A },
      local: { 'x/a': document('a', lines(7, 'a')), 'y/a': document('a', lines(9, 'a')) },
      remote: still({ a: A }),
    },
    [inFiles('a', 'y/a')],
  ],
  [
    'two that are as much the same',
    {
      base: { a: A },
      local: { 'x/a': document('a', lines(9, 'a')), 'y/a': document('a', `${lines(9, 'a')}`) },
      remote: still({ a: A }),
    },
    [],
  ],
  ['two of the same bytes for one', { base: { a: A }, local: { x: A, y: A }, remote: still({ a: A }) }, []],
  [
    'one of the same bytes for two',
    { base: { a: A, b: A }, local: { x: A }, remote: still({ a: A, b: A }) },
    [],
  ],
  [
    'two of the same bytes for two, by the names of their folders',
    { base: { 'x/a': A, 'x/b': A }, local: { 'y/a': A, 'y/b': A }, remote: still({ 'x/a': A, 'x/b': A }) },
    [inFiles('x/a', 'y/a'), inFiles('x/b', 'y/b')],
  ],
  [
    'two of the same bytes for two in other folders',
    { base: { 'x/a': A, 'x/b': A }, local: { 'y/c': A, 'y/d': A }, remote: still({ 'x/a': A, 'x/b': A }) },
    [],
  ],
  [
    'two of the same bytes in folders of one name for two such',
    { base: { 'x/a': A, 'y/a': A }, local: { 'v/a': A, 'w/a': A }, remote: still({ 'x/a': A, 'y/a': A }) },
    [],
  ],
  [
    'a copy of what stands still',
    { base: { a: A, b: B }, local: { a: A, q: A }, remote: still({ a: A, b: B }) },
    [],
  ],
  [
    'what replaces another skill',
    { base: { a: A, b: B }, local: { b: A }, remote: still({ a: A, b: B }) },
    [],
  ],
  [
    'what replaces another skill that goes on in turn',
    { base: { a: A, b: B }, local: { b: A, q: B }, remote: still({ a: A, b: B }) },
    [inFiles('a', 'b'), inFiles('b', 'q')],
  ],
  [
    'three in a circle, and an edit',
    {
      base: { a: A, b: B, c: C, d: 'd' },
      local: { a: B, b: C, c: A, d: 'edited' },
      remote: still({ a: A, b: B, c: C, d: 'd' }),
    },
    [inFiles('a', 'c'), inFiles('b', 'a'), inFiles('c', 'b')],
  ],
  [
    'two that change places, each with the name of its folder',
    { base: { a: A, b: B }, local: { a: named('a', B), b: named('b', A) }, remote: still({ a: A, b: B }) },
    [inFiles('a', 'b'), inFiles('b', 'a')],
  ],
  [
    'two that change places, one with another name',
    { base: { a: A, b: B }, local: { a: B, b: named('b', A) }, remote: still({ a: A, b: B }) },
    [inFiles('a', 'b'), inFiles('b', 'a')],
  ],
  [
    'one after the other, each with the name of its folder',
    {
      base: { a: A, b: B, c: C },
      local: { b: named('b', A), c: named('c', B), q: named('q', C) },
      remote: still({ a: A, b: B, c: C }),
    },
    [inFiles('a', 'b'), inFiles('b', 'c'), inFiles('c', 'q')],
  ],
  [
    'one with another name onto the place of one as it was, and that one goes on',
    {
      base: { a: A, b: B },
      local: { b: named('b', A), q: B },
      remote: still({ a: A, b: B }),
    },
    [inFiles('a', 'b'), inFiles('b', 'q')],
  ],
  [
    'a copy of what was edited since',
    { base: { a: A }, local: { a: A.replace('a 3', 'mine'), q: A }, remote: still({ a: A }) },
    [],
  ],
  [
    'a copy under its own name of what became another',
    { base: { a: A }, local: { a: C, q: named('q', A) }, remote: still({ a: A }) },
    [],
  ],
  [
    'a name that changed where the skill stands, and another skill edited',
    {
      base: { a: A, b: B },
      local: { a: named('q', A), b: B.replace('b 3', 'mine') },
      remote: still({ a: A, b: B }),
    },
    [],
  ],
  [
    'what went, though another that stands was the same before it was edited',
    {
      base: { a: A, b: named('b', A) },
      local: { b: named('b', A).replace('a 3', 'mine'), q: named('q', A) },
      remote: still({ a: A, b: named('b', A) }),
    },
    [inFiles('a', 'q')],
  ],
  [
    'what may be there still, unread',
    { base: { 'u/a': A }, local: { q: A }, remote: still({ 'u/a': A }), unreadable: ['u'] },
    [],
  ],
  [
    'rows by their keys alone',
    { base: { a: A, b: B }, local: { a: A, b: B }, remote: { q: ['a', 'all new'], b: ['b', B] } },
    [inDatabase('a', 'q')],
  ],
  [
    'rows that change places',
    { base: { a: A, b: B }, local: { a: A, b: B }, remote: { b: ['a', A], a: ['b', B] } },
    [inDatabase('a', 'b'), inDatabase('b', 'a')],
  ],
  ['a new row where an old one was', { base: { a: A }, local: { a: A }, remote: { a: ['new', A] } }, []],
  [
    'both sides to one path, and to two',
    {
      base: { a: A, b: B },
      local: { q: A, r: B },
      remote: { q: ['a', A], s: ['b', B] },
    },
    ['a: q in the files, q in the database', 'b: r in the files, s in the database'],
  ],
  [
    'onto a path where the other side has another skill',
    { base: { a: A }, local: { q: A }, remote: { a: ['a', A], q: ['new', B] } },
    [],
  ],
  [
    'onto such a path, and one that would have followed it',
    { base: { a: A, b: B }, local: { b: A, q: B }, remote: { ...still({ a: A, b: B }), q: ['new', C] } },
    [],
  ],
  ['of a skill whose row is gone', { base: { a: A }, local: { q: A }, remote: {} }, [inFiles('a', 'q')]],
];

const bodies = ['one', 'two', 'three'].map((word) => lines(6, word));
const texts = fc
  .tuple(fc.constantFrom('n', 'm'), fc.constantFrom(...bodies), fc.constantFrom('', 'and more\n'))
  .map(([name, body, more]) => document(name, body + more));
const paths = ['a', 'b', 'x/a', 'x/b', 'y/a', 'y/b', 'z'];
const someTexts = fc.dictionary(fc.constantFrom(...paths), texts, { maxKeys: 6 });

const worlds = fc
  .tuple(someTexts, someTexts, fc.dictionary(fc.constantFrom(...paths), fc.tuple(fc.nat(), texts)))
  .map(([base, local, rows]): World => {
    const left = Object.keys(base);
    const remote = Object.entries(rows).map(([path, [pick, text]]) => {
      const [was = 'new'] = left.splice(pick % (left.length + 1), 1);
      return [path, [was, pick % 2 === 0 ? (base[was] ?? text) : text]] as const;
    });
    return { base, local, remote: Object.fromEntries(remote) };
  });

function reversed<T>(map: { readonly [key: string]: T }): { readonly [key: string]: T } {
  return Object.fromEntries(Object.entries(map).toReversed());
}

describe('renames', () => {
  test.each(cases)('found: %s', (_, world, renames) => {
    expect(renamesIn(world)).toEqual([...renames].sort());
  });

  test('are the same in whatever order skills come', () => {
    fc.assert(
      fc.property(worlds, ({ base, local, remote }) => {
        const other = { base: reversed(base), local: reversed(local), remote: reversed(remote) };
        expect(renamesIn(other)).toEqual(renamesIn({ base, local, remote }));
      }),
      { numRuns: 500 },
    );
  });

  test('give no path to two skills, nor to one what another has', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const found = renamesIn(world).map((words) =>
          /^(.*): (.*) in the files, (.*) in the database$/.exec(words)?.slice(1),
        );
        for (const part of [0, 1, 2]) {
          const places = found.map((three) => three?.[part]);
          expect(new Set(places).size).toBe(places.length);
        }
        const leaving = {
          files: found.filter((three) => three?.[1] === three?.[0]).map((three) => three?.[1]),
          database: found.filter((three) => three?.[2] === three?.[0]).map((three) => three?.[2]),
        };
        for (const [was, files, database] of found as [string, string, string][]) {
          if (files === database) continue;
          if (files !== was && files in world.remote) expect(leaving.database).toContain(files);
          if (database !== was && database in world.local) expect(leaving.files).toContain(database);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('are none in the files where what came came twice', () => {
    let ambiguous = 0;
    fc.assert(
      fc.property(worlds, (world) => {
        for (const words of renamesIn(world)) {
          const [, was = '', to = ''] = /^(.*): (.*) in the files/.exec(words) ?? [];
          if (was === to || to in world.base) continue;
          ambiguous++;
          const twin = { ...world.local, [`twin/${to}`]: world.local[to] ?? '' };
          const found = renamesIn({ ...world, local: twin });
          expect(found.filter((one) => one.startsWith(`${was}: ${to} in`))).toEqual([]);
          expect(found.filter((one) => one.includes(': twin/'))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
    expect(ambiguous).toBeGreaterThan(10);
  });
});

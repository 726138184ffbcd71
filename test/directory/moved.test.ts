// Skills that move in the files: killed, or failing, before each effect in turn, each stands whole at one place.

import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Change, Result } from '../../src/replica.ts';
import { type Digest, digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import type { Skill } from '../../src/skill/skill.ts';
import { dyingDisk, failingDisk, Killed } from './effects.ts';
import { type Folder, makeFolder, open, readFolder, skillOf, sourceOf, writeFolder } from './folder.ts';

const before: Folder = {
  'old/SKILL.md': 'document',
  'old/a/b': 'old',
  'old/run': { run: 'same' },
  'old/.env': 'secret',
  'old/nested/SKILL.md': 'nested',
  'deep/er/SKILL.md': 'deeper',
  'deep/er/c': 'c',
  'up/in/SKILL.md': 'inner',
  'here/SKILL.md': 'here',
  'outer/SKILL.md': 'outer',
  'outer/in/SKILL.md': 'out',
  'outer/in/z': 'z',
  'one/SKILL.md': 'one',
  'two/SKILL.md': 'two',
  'two/x': 'x',
  'left/SKILL.md': 'left',
  'right/SKILL.md': 'right',
  'right/y': 'y',
};

/** Where each skill comes from, and what it is to be. */
const moves: readonly (readonly [from: string, wanted: Skill])[] = [
  ['old', skillOf('new/place', { 'SKILL.md': 'document', 'a/b': 'new', run: { run: 'same' } })],
  ['deep/er', skillOf('deeper', { 'SKILL.md': 'deeper', c: 'c' })],
  ['up/in', skillOf('up', { 'SKILL.md': 'inner' })],
  ['here', skillOf('here/below', { 'SKILL.md': 'here' })],
  ['outer/in', skillOf('out', { 'SKILL.md': 'out', z: 'z' })],
  ['one', skillOf('two', { 'SKILL.md': 'one' })],
  ['two', skillOf('three', { 'SKILL.md': 'two', x: 'x' })],
  ['left', skillOf('right', { 'SKILL.md': 'left' })],
  ['right', skillOf('left', { 'SKILL.md': 'right', y: 'y' })],
];

const after: Folder = {
  'old/.env': 'secret',
  'old/nested/SKILL.md': 'nested',
  'new/place/SKILL.md': 'document',
  'new/place/a/b': 'new',
  'new/place/run': { run: 'same' },
  'deeper/SKILL.md': 'deeper',
  'deeper/c': 'c',
  'up/SKILL.md': 'inner',
  'here/below/SKILL.md': 'here',
  'outer/SKILL.md': 'outer',
  'out/SKILL.md': 'out',
  'out/z': 'z',
  'two/SKILL.md': 'one',
  'three/SKILL.md': 'two',
  'three/x': 'x',
  'left/SKILL.md': 'right',
  'left/y': 'y',
  'right/SKILL.md': 'left',
};

const source = sourceOf(moves.map(([, skill]) => skill));

/** What each skill was before. */
const initial = await (async () => {
  const root = fs.mkdtempSync('/tmp/skill-fleet-initial-');
  writeFolder(root, before);
  const { skills } = await (await open(root)).snapshot();
  fs.rmSync(root, { recursive: true });
  return skills;
})();

const wanted = new Map(moves.map(([, skill]) => [skill.path, digestSkill(skill)]));

async function heldIn(root: string): Promise<ReadonlyMap<string, Digest>> {
  const { skills } = await (await open(root)).snapshot();
  return new Map([...skills].map(([place, { digest }]) => [place, digest]));
}

/** One run: goes on with what was begun, and moves what still stands where it stood. */
async function run(root: string, disk: Disk = nodeDisk, some = moves): Promise<readonly Result[]> {
  const directory = await open(root, { disk });
  await directory.recover();
  const { skills, unreadable } = await directory.snapshot();
  const isKnown = (place: string) => unreadable.every((one) => one.path !== place);
  const changes = some.flatMap(([text, { path: place }]): readonly Change[] => {
    const from = text as SkillPath;
    const standing = skills.get(from);
    const digest = wanted.get(place);
    const isThere = standing?.digest === initial.get(from)?.digest && skills.get(place)?.digest !== digest;
    return isThere && standing && digest && isKnown(from) && isKnown(place)
      ? [{ path: place, from, before: standing, after: { digest } }]
      : [];
  });
  return directory.apply(changes, source);
}

/** Each skill stands whole where it was, or where it goes, and nowhere half. */
async function expectWhole(root: string): Promise<void> {
  const { skills, unreadable } = await (await open(root)).snapshot();
  const unknown = new Set(unreadable.map((one) => one.path));
  for (const [from, { path: place }] of moves) {
    if (unknown.has(from) || unknown.has(place)) continue;
    const old = initial.get(from as SkillPath)?.digest;
    const stands = [
      skills.get(from as SkillPath)?.digest === old,
      skills.get(place)?.digest === wanted.get(place),
    ];
    expect(stands, `${from} -> ${place}`).toContain(true);
  }
  for (const [place, { digest }] of skills) {
    expect([initial.get(place)?.digest, wanted.get(place)], place).toContain(digest);
  }
}

/** Makes the folder, and gives it to `work` for as many effects as a run has. */
async function atEachEffect(
  work: (root: string, at: number) => Promise<boolean>,
  every = 1,
): Promise<number> {
  for (let at = 1; ; at += every) {
    const root = makeFolder(before);
    if (!(await work(root, at))) return at - 1;
    fs.rmSync(root, { recursive: true });
    fs.rmSync(`${root}-trash`, { recursive: true, force: true });
  }
}

async function runUntilKilled(root: string, at: number, some = moves): Promise<boolean> {
  const disk = dyingDisk(at);
  await run(root, disk, some).catch((error) => {
    if (!(error instanceof Killed)) throw error;
  });
  return disk.hasDied();
}

test('all move, what is no content stays, empty folders go, and what was there is in the trash', async () => {
  const root = makeFolder(before);
  expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
  expect(readFolder(root)).toEqual(after);
  const trash = Object.entries(readFolder(`${root}-trash`)).map(([name, content]) => [
    name.slice(name.indexOf('/') + 1),
    content,
  ]);
  expect(Object.fromEntries(trash)).toEqual({
    'old/SKILL.md': 'document',
    'old/a/b': 'old',
    'old/run': { run: 'same' },
    'deep/er/SKILL.md': 'deeper',
    'deep/er/c': 'c',
    'up/in/SKILL.md': 'inner',
    'here/SKILL.md': 'here',
    'outer/in/SKILL.md': 'out',
    'outer/in/z': 'z',
    'one/SKILL.md': 'one',
    'two/SKILL.md': 'two',
    'two/x': 'x',
  });
});

test('killed before each effect, each is whole once it was gone on with, and the next run ends it', async () => {
  const effects = await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    await expectWhole(root);
    const next = await open(root);
    expect(await next.recover()).toMatchObject({ ok: true });
    expect((await next.snapshot()).unreadable).toEqual([]);
    await expectWhole(root);
    expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
    expect(readFolder(root), `killed before ${at}`).toEqual(after);
    return died;
  }, 2);
  expect(effects).toBeGreaterThan(50);
});

test('killed on its way out of another, what is left of a skill is nothing of the other', async () => {
  const some = moves.filter(([from]) => from === 'outer/in');
  await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at, some);
    await expectWhole(root);
    return died;
  });
});

test('killed again while it is brought to an end, the one after that ends it', async () => {
  await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    await runUntilKilled(root, 1 + ((at * 7) % 23));
    await expectWhole(root);
    expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
    expect(readFolder(root), `killed before ${at}`).toEqual(after);
    return died;
  }, 3);
});

test.each(['old/SKILL.md', 'old/a/b', 'new/place/SKILL.md', 'deep/er/SKILL.md'])(
  'what a user makes of %s since the kill stays',
  async (file) => {
    await atEachEffect(async (root, at) => {
      const died = await runUntilKilled(root, at);
      const place = path.join(root, file);
      const isPossible = fs.existsSync(place);
      if (isPossible) fs.writeFileSync(place, 'mine');
      expect(await (await open(root)).recover()).toMatchObject({ ok: true });
      if (isPossible) expect(fs.readFileSync(place, 'utf8'), `killed before ${at}`).toBe('mine');
      expect(Object.keys(readFolder(root)).filter((name) => name.includes('.skill-fleet-'))).toEqual([]);
      return died;
    }, 7);
  },
);

test('where an effect fails, each is whole, and the next run ends it', async () => {
  await atEachEffect(async (root, at) => {
    const disk = failingDisk(at, 'EIO');
    const results = await run(root, disk);
    for (const result of results) if (!result.ok) expect(result.problem).not.toHaveProperty('other');
    await expectWhole(root);
    expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
    expect(readFolder(root), `failed at ${at}`).toEqual(after);
    return disk.hasFailed();
  }, 2);
});

test.each<[string, Folder, string]>([
  ['moved on', { 'old/a/b': 'mine' }, 'files-changed-meanwhile'],
  ['came to the new path', { 'new/place/SKILL.md': 'mine' }, 'files-changed-meanwhile'],
  ['stand in the way there', { 'new/place/a/b': 'mine' }, 'file-in-the-way'],
])('is refused alone where files %s meanwhile, and changes none of them', async (_, edit, reason) => {
  const root = makeFolder(before);
  const directory = await open(root);
  const { skills } = await directory.snapshot();
  writeFolder(root, edit);
  const changes = moves.slice(0, 2).map(([from, { path: place }]) => ({
    path: place,
    from: from as SkillPath,
    before: skills.get(from as SkillPath) ?? null,
    after: { digest: wanted.get(place) as Digest },
  }));
  const results = await directory.apply(changes, source);
  expect(results).toMatchObject([{ ok: false, problem: { reason } }, { ok: true }]);
  const held = await heldIn(root);
  expect([...held.keys()]).toContain('old');
  expect(readFolder(root)).toMatchObject({
    ...edit,
    'old/SKILL.md': 'document',
    'deeper/SKILL.md': 'deeper',
  });
});

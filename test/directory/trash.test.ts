// The trash: where removed skills are, how they are found again, and for how long.

import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { keptDays, Trash } from '../../src/directory/trash.ts';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { trashOf } from '../../src/state-directory.ts';
import { makeFolder, open, readFolder, systemError } from './folder.ts';

const elsewhere: Disk = {
  ...nodeDisk,
  rename: async () => {
    throw systemError('EXDEV');
  },
};

test.each([
  ['on this file system', nodeDisk],
  ['on another one', elsewhere],
])('holds the files of removed skills at their paths, %s', async (_, disk) => {
  const root = makeFolder({ 'skills/a/b/SKILL.md': 'old', 'skills/a/b/run': { run: 'old' } });
  const trash = path.join(root, 'state/trash');
  const directory = await open(path.join(root, 'skills'), {
    disk: { ...disk, rename: (from, to) => (to.startsWith(trash) ? disk : nodeDisk).rename(from, to) },
    trash,
  });
  const { skills } = await directory.snapshot();
  const changes = [...skills].map(([skill, before]) => ({ path: skill, before, after: null }));
  expect(await directory.apply(changes, async function* () {})).toMatchObject([{ ok: true, state: null }]);
  expect(readFolder(path.join(root, 'skills'))).toEqual({});
  expect(readFolder(directory.trash)).toEqual({ 'a/b/SKILL.md': 'old', 'a/b/run': { run: 'old' } });
});

test(`is emptied after ${keptDays} days, of nothing but what is its own`, async () => {
  const day = 24 * 3_600_000;
  const now = new Date('2026-11-21T12:00:00Z');
  vi.setSystemTime(new Date(now.getTime() - keptDays * day - 1000));
  const old = path.basename(new Trash(nodeDisk, '/nowhere').folder);
  vi.setSystemTime(new Date(now.getTime() - keptDays * day + 1000));
  const young = path.basename(new Trash(nodeDisk, '/nowhere').folder);
  vi.useRealTimers();
  const others = { 'notes.txt': 'mine', '20200101T000000Z/x': 'mine', 'outside/x': 'mine' };
  const root = makeFolder({
    ...others,
    [`${old}/a/SKILL.md`]: 'old',
    [`${old}/link`]: { link: '../outside' },
    [`${young}/a/SKILL.md`]: 'young',
  });
  expect(await new Trash(nodeDisk, root).empty(now, async () => now)).toBe(1);
  expect(readFolder(root)).toEqual({ ...others, [`${young}/a/SKILL.md`]: 'young' });
  expect(await new Trash(nodeDisk, path.join(root, 'none')).empty(now, async () => now)).toBe(0);
});

test('stands in no folder from which an agent loads skills', async () => {
  const root = fs.realpathSync(
    makeFolder({ 'project/skills/a/SKILL.md': '', link: { link: 'project/skills' } }),
  );
  vi.stubEnv('XDG_STATE_HOME', '/states');
  const of = (state: string, skills: string) =>
    trashOf(nodeDisk, path.join(root, state), path.join(root, skills));
  const inProject = path.join(root, 'project/.skill-fleet/trash');
  expect(await of('project/.skill-fleet', 'project/skills')).toBe(inProject);
  expect(await of('project/.skill-fleet', 'link')).toBe(inProject);
  expect(await of('project/skills/.skill-fleet', 'project/skills')).toBe('/states/skill-fleet/trash');
  expect(await of('project/skills/.skill-fleet', 'link')).toBe('/states/skill-fleet/trash');
  expect(await of('project/.skill-fleet', 'project')).toBe('/states/skill-fleet/trash');
  vi.unstubAllEnvs();
});

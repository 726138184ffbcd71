// Where letter case does not count, a name that changes in case alone is the same file: it is kept, under its new name.

import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { makeFolder, open, readFolder, skillOf, sourceOf } from './folder.ts';

/** The path by the names that stand there, however it spells them. */
function spelled(place: string): string {
  if (place === '/') return place;
  const folder = spelled(path.dirname(place));
  const name = path.basename(place);
  const names = fs.existsSync(folder) && fs.statSync(folder).isDirectory() ? fs.readdirSync(folder) : [];
  const isMeant = (one: string) => one.toLowerCase() === name.toLowerCase();
  return path.join(folder, names.find((one) => one === name) ?? names.find(isMeant) ?? name);
}

/** What a rename gives: the new spelling, where the old one was. */
function renamed(to: string): string {
  const place = spelled(to);
  const wanted = path.join(path.dirname(place), path.basename(to));
  if (place !== wanted && fs.existsSync(place)) fs.renameSync(place, wanted);
  return wanted;
}

type Files = Readonly<Record<string, string | { run: string }>>;

/** A disk where letter case does not count and is kept. Paths are as they are, no folder is held open. */
const caseless: Disk = {
  ...nodeDisk,
  lstat: (place) => nodeDisk.lstat(spelled(place)),
  readdir: (place) => nodeDisk.readdir(spelled(place)),
  readdirBytes: (place) => nodeDisk.readdirBytes(spelled(place)),
  realpath: (place) => nodeDisk.realpath(spelled(place)),
  open: (place, flags, mode) => nodeDisk.open(spelled(place), flags, mode),
  openFolder: async (place) => ({ ...(await nodeDisk.openFolder(spelled(place))), place: spelled(place) }),
  writeNew: (place, bytes) => nodeDisk.writeNew(spelled(place), bytes),
  linkNew: (from, to) => nodeDisk.linkNew(spelled(from), spelled(to)),
  mkdir: (place) => nodeDisk.mkdir(spelled(place)),
  rename: (from, to) => nodeDisk.rename(spelled(from), renamed(to)),
  renameOver: (from, to, was) => nodeDisk.renameOver(spelled(from), renamed(to), was),
  unlink: (place) => nodeDisk.unlink(spelled(place)),
  unlinkAs: (place, was) => nodeDisk.unlinkAs(spelled(place), was),
  copyNew: (from, to) => nodeDisk.copyNew(spelled(from), spelled(to)),
  rmdir: (place) => nodeDisk.rmdir(spelled(place)),
};

const document = { 'SKILL.md': 'same' };

const changes: readonly (readonly [what: string, before: Files, after: Files])[] = [
  ['a file', { README: 'old', ...document }, { readme: 'old', ...document }],
  ['an edited file', { README: 'old', ...document }, { readme: 'new', ...document }],
  ['the document', { 'skill.md': 'same', x: 'old' }, { 'SKILL.md': 'same', x: 'old' }],
  ['an executable', { RUN: { run: 'old' }, ...document }, { run: { run: 'old' }, ...document }],
  ['two that change names', { A: 'one', b: 'two', ...document }, { a: 'two', B: 'one', ...document }],
];

test.each(changes)('%s', async (_, before, after) => {
  const root = makeFolder(within(before));
  const directory = await open(root, { disk: caseless });
  const { skills } = await directory.snapshot();
  const skill = skillOf('x', after);
  const change = {
    path: 'x' as SkillPath,
    before: skills.get('x' as SkillPath) ?? null,
    after: { digest: digestSkill(skill) },
  };
  expect(await directory.apply([change], sourceOf([skill]))).toMatchObject([{ ok: true }]);
  expect(readFolder(root)).toEqual(within(after));
  const now = (await directory.snapshot()).skills.get('x' as SkillPath);
  expect(now?.digest).toBe(digestSkill(skill));
});

function within(files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([file, content]) => [`x/${file}`, content]));
}

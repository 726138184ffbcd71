// Executable bits that are told, where the file system keeps none.

import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import { makeFolder, open, readFolder, skillOf, sourceOf, systemError } from './folder.ts';

/** A disk on which changing a mode fails with this. */
function refusing(code: string): Disk {
  return {
    ...nodeDisk,
    open: async (place, flags, mode) => ({
      ...(await nodeDisk.open(place, flags, mode)),
      chmod: () => Promise.reject(systemError(code)),
    }),
  };
}

const before = skillOf('a', { 'SKILL.md': 'a', told: { run: '1' }, 'sub/set': '2' });

test('files have the bits that are told, whatever their modes, in snapshots and loads', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a', 'a/told': '1', 'a/sub/set': { run: '2' } });
  const directory = await open(root);
  directory.takeBits(async (file) => file === 'a/told');
  expect([...(await directory.snapshot()).skills]).toEqual([['a', { digest: digestSkill(before) }]]);
  for await (const loaded of directory.load([before.path])) {
    expect(loaded).toEqual([{ path: 'a', skill: before }]);
  }
});

test('what was written has the bits that it was written with, until others are told', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a', 'a/told': '1', 'a/sub/set': '2' });
  const directory = await open(root);
  const tell = () => directory.takeBits(async (file) => file === 'a/told');
  tell();
  const digest = async () => (await directory.snapshot()).skills.get(before.path)?.digest;
  const after = skillOf('a', { 'SKILL.md': { run: 'a' }, told: '1', 'sub/set': { run: '2' } });
  const change = {
    path: after.path,
    before: { digest: digestSkill(before) },
    after: { digest: digestSkill(after) },
  };
  expect(await directory.apply([change], sourceOf([after]))).toMatchObject([{ ok: true }]);
  expect(await digest()).toBe(digestSkill(after));
  // The file system may keep modes after all.
  expect(readFolder(root)).toEqual({ 'a/SKILL.md': { run: 'a' }, 'a/told': '1', 'a/sub/set': { run: '2' } });
  tell();
  expect(await digest()).toBe(digestSkill(before));
});

test.each(['EPERM', 'ENOTSUP', 'EIO'])('a mode that cannot be set (%s)', async (code) => {
  const root = makeFolder({ 'a/SKILL.md': 'a' });
  const after = skillOf('a', { 'SKILL.md': { run: 'b' } });
  const change = {
    path: after.path,
    before: { digest: digestSkill(skillOf('a', { 'SKILL.md': 'a' })) },
    after: { digest: digestSkill(after) },
  };
  const directory = await open(root, { disk: refusing(code) });
  const fails = [{ ok: false, problem: { reason: 'cannot-write', code } }];
  expect(await directory.apply([change], sourceOf([after]))).toMatchObject(fails);
  directory.takeBits(async () => false);
  const results = await directory.apply([change], sourceOf([after]));
  expect(results).toMatchObject(code === 'EIO' ? fails : [{ ok: true }]);
  expect(fs.readFileSync(path.join(root, 'a/SKILL.md'), 'utf8')).toBe(code === 'EIO' ? 'a' : 'b');
});

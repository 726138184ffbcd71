import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../src/disk.ts';
import { makeStateDirectory } from '../src/state-directory.ts';
import { temporaryFolder } from './folders.ts';

test('ignores itself for git, also where it was first made by a process that died before it had said so', async () => {
  const directory = path.join(await temporaryFolder(), '.skill-fleet');
  // Dies between making a file and writing to it.
  const dying: Disk = {
    ...nodeDisk,
    writeNew: async (place) => {
      await nodeDisk.writeNew(place, Buffer.alloc(0));
      throw new Error('killed');
    },
  };
  await expect(makeStateDirectory(dying, directory)).rejects.toThrow('killed');
  await makeStateDirectory(nodeDisk, directory);
  expect(await readFile(path.join(directory, '.gitignore'), 'utf8')).toBe('*\n');
  expect(await readdir(directory)).toEqual(['.gitignore']);
});

test('leaves a .gitignore as it is that somebody changed', async () => {
  const directory = path.join(await temporaryFolder(), '.skill-fleet');
  await mkdir(directory);
  await writeFile(path.join(directory, '.gitignore'), '*\n!bases\n');
  await makeStateDirectory(nodeDisk, directory);
  expect(await readFile(path.join(directory, '.gitignore'), 'utf8')).toBe('*\n!bases\n');
});

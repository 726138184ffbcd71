// The project's `.skill-fleet`: bases, the trash and the embedded database. It ignores itself for git.

import path from 'node:path';
import { answer, type Disk } from './disk.ts';

/** Creates the state directory where it does not stand yet. The folder above it must. */
export async function makeStateDirectory(disk: Disk, directory: string): Promise<void> {
  await answer(disk.mkdir(directory), 'EEXIST');
  await answer(disk.writeNew(path.join(directory, '.gitignore'), Buffer.from('*\n')), 'EEXIST');
}

/** Where removed skills go. */
export function trashOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'trash');
}

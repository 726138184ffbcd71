// The project's `.skill-fleet`: bases and the embedded database. It ignores itself for git.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Creates the state directory where it does not stand yet. */
export async function makeStateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(path.join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

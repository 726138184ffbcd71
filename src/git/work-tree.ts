// Where a repository's files begin.

import { gitRecords } from './run-git.ts';

/** The topmost folder of the work tree that holds `directory`; undefined where none does, or git cannot say. */
export async function workTree(directory: string): Promise<string | undefined> {
  const args = ['rev-parse', '--show-toplevel'];
  // A folder's name may hold line breaks.
  return (await gitRecords({ directory, args, separator: '\n' }))?.join('\n');
}

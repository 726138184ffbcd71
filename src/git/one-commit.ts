// What one commit holds, and when it was first made.

import { heldBlob } from './held-blobs.ts';
import type { GitRepository } from './repository.ts';
import { gitRecords } from './run-git.ts';

/** When a commit was first made, rebased or not: its author's time. Undefined where git cannot say. */
export async function authorTime(
  { skillsDirectory: directory }: GitRepository,
  commit: string,
): Promise<Date | undefined> {
  const args = ['rev-list', '--no-walk', '--format=%at', commit, '--'];
  const seconds = Number((await gitRecords({ directory, args, separator: '\n' }))?.[1]);
  return Number.isSafeInteger(seconds) && seconds > 0 ? new Date(seconds * 1000) : undefined;
}

/**
 * The files that a commit holds below a folder, by their paths relative to the skills directory, each as
 * {@link heldBlob} names it; no links and no submodules. Undefined where git cannot say.
 */
export async function filesAt(
  { skillsDirectory: directory }: GitRepository,
  commit: string,
  folder: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  const args = ['--literal-pathspecs', 'ls-tree', '-r', '-z', commit, '--', `${folder}/`];
  const records = await gitRecords({ directory, args, separator: '\0' });
  return (
    records &&
    new Map(
      records.flatMap((record) => {
        const [mode = '', , blob = ''] = record.split(/[ \t]/, 3);
        const path = record.slice(record.indexOf('\t') + 1);
        const isExecutable = (Number.parseInt(mode, 8) & 0o100) !== 0;
        return mode.startsWith('100') ? [[path, heldBlob(path, isExecutable, blob)] as const] : [];
      }),
    )
  );
}

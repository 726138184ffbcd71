// Which files any commit up to HEAD ever held.

import { createHash } from 'node:crypto';
import { type Commit, readHistory } from './history.ts';
import type { GitRepository } from './repository.ts';
import { maxRecords } from './run-git.ts';

/** The id that git gives these bytes as they are: no line endings or other filters applied. */
export function blobIdOf(objectFormat: GitRepository['objectFormat'], bytes: Uint8Array): string {
  return createHash(objectFormat).update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** A file as {@link heldBlobs} names it. `path` is relative to the skills directory. */
export function heldBlob(path: string, executable: boolean, blob: string): string {
  return `${executable ? 'x' : '-'} ${blob} ${path}`;
}

/**
 * All files that any commit up to {@link GitRepository.head} holds below the skills directory, each as
 * {@link heldBlob} names it; no links and no submodules. The executable bit belongs to it: else a commit from before
 * a `chmod` would seem to hold what came after.
 *
 * What a commit holds, its first parent holds too, or it is a change against that parent; so other parents need no
 * comparison.
 *
 * With each is the latest commit that brought it there, merges apart: what these bring was made by others before.
 * Null where merges alone did.
 *
 * Undefined where git cannot say, or would say too much.
 */
export async function heldBlobs(
  repository: GitRepository,
): Promise<ReadonlyMap<string, Commit | null> | undefined> {
  const held = new Map<string, Commit | null>();
  const complete = await readHistory(repository, 'first parent', (commit, changes) => {
    const bringer = commit.parents.length > 1 ? null : commit;
    for (const { path, mode, blob } of changes.flat()) {
      // Trees written by old programs hold 100664 and the like.
      if (!mode.startsWith('100')) continue;
      const name = heldBlob(path, (Number.parseInt(mode, 8) & 0o100) !== 0, blob);
      held.set(name, held.get(name) ?? bringer);
    }
    return held.size <= maxRecords;
  });
  return complete && held.size <= maxRecords ? held : undefined;
}

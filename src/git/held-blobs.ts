// Which files any commit up to HEAD ever held.

import { createHash } from 'node:crypto';
import { readHistory } from './history.ts';
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
 * Undefined where git cannot say, or would say too much.
 */
export async function heldBlobs(repository: GitRepository): Promise<ReadonlySet<string> | undefined> {
  const held = new Set<string>();
  const complete = await readHistory(repository, 'first parent', (_, changes) => {
    for (const { path, mode, blob } of changes.flat()) {
      // Trees written by old programs hold 100664 and the like.
      if (mode.startsWith('100')) held.add(heldBlob(path, (Number.parseInt(mode, 8) & 0o100) !== 0, blob));
    }
    return held.size <= maxRecords;
  });
  return complete && held.size <= maxRecords ? held : undefined;
}

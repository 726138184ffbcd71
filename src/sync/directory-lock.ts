// One writing run at a time per skills directory: a lock of hidden files in it, for which the second waits.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, type Disk } from '../disk.ts';
import { describeHolder, type Lock, lookAtLock, takeLock } from '../lock.ts';
import { type Outcome, refuse } from '../problem.ts';

const lockName = '.skill-fleet-lock';

/** In milliseconds; doubled after each try, up to the longest. */
const waits = { first: 50, longest: 500 };

/** What takes the place of a lock where nobody can write. */
const noLock: Lock = { release: async () => {} };

/**
 * Takes the lock of a skills directory, and waits while another run holds it: `directory-locked` after
 * `timeoutMs`. A directory that this user cannot write to needs none.
 *
 * @param onWait called once, where there is somebody to wait for, with who that is in words
 * @param signal ends the waiting: this rejects then
 */
export async function lockDirectory(
  disk: Disk,
  directory: string,
  timeoutMs: number,
  onWait: (holder: string) => void,
  signal?: AbortSignal,
): Promise<Outcome<Lock>> {
  // By a clock that nobody sets: the day's may jump while this waits.
  const deadline = performance.now() + timeoutMs;
  for (let wait = waits.first, isFirst = true; ; wait = Math.min(wait * 2, waits.longest), isFirst = false) {
    const taken = await tryLock(disk, path.join(directory, lockName));
    if ('lock' in taken) return { ok: true, value: taken.lock };
    const holder = describeHolder(taken.holder);
    if (performance.now() >= deadline) return refuse({ reason: 'directory-locked', directory, holder });
    if (isFirst) onWait(holder);
    // Several that wait do not come back together.
    await sleep(wait * (0.5 + Math.random()), undefined, { signal });
  }
}

async function tryLock(disk: Disk, lockPath: string): ReturnType<typeof takeLock> {
  try {
    return await takeLock(disk, lockPath);
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) return { lock: noLock };
    throw error;
  }
}

/** Who holds the lock of a skills directory, in words, and the files that dead runs left of it. Waits for nobody. */
export async function lookAtDirectory(
  disk: Disk,
  directory: string,
): Promise<{ readonly holder: string | undefined; readonly left: readonly string[] }> {
  const { holder, left } = await lookAtLock(disk, path.join(directory, lockName));
  return { holder: holder && describeHolder(holder), left };
}

// Reads one file of the skills directory: no link followed, no more than a limit, and not while it changes.

import type { BigIntStats } from 'node:fs';
import { codeOf, type Disk, openRead, readBytes } from '../disk.ts';
import { type Outcome, refuse } from '../problem.ts';
import { join, type Library, placeOf } from './library.ts';
import type { Limits } from './limits.ts';

export interface ReadFile {
  readonly bytes: Buffer;
  readonly executable: boolean;
  /** What the system said of the file when its last byte was read. */
  readonly stat: BigIntStats;
}

const ownerMayExecute = 0o100n;

/**
 * Reads the file at `file` below `folder`. `known` is what lstat said of it, where that was asked already. A
 * file that changes meanwhile is read once more. Refuses with `file-unreadable`, `file-changes` or
 * `limit-exceeded`, the latter by the name of `limit`.
 */
export async function readFile(
  library: Library,
  folder: string,
  file: string,
  limit: keyof Limits,
  known?: BigIntStats,
): Promise<Outcome<ReadFile>> {
  const { disk, limits } = library;
  const place = placeOf(library, join(folder, file));
  try {
    for (const before of [known, undefined]) {
      const expected = before ?? (await disk.lstat(place));
      if (expected.size > limits[limit]) {
        return refuse({ reason: 'limit-exceeded', path: folder, file, limit, most: limits[limit] });
      }
      const read = await readUnchanged(disk, place, expected);
      if (read !== undefined) return { ok: true, value: read };
    }
  } catch (error) {
    return refuse({ reason: 'file-unreadable', path: folder, file, code: codeOf(error) });
  }
  return refuse({ reason: 'file-changes', path: folder, file });
}

/** The file, unless it is not, or not any more, the one that is expected. */
async function readUnchanged(
  disk: Disk,
  place: string,
  expected: BigIntStats,
): Promise<ReadFile | undefined> {
  if (!expected.isFile()) return undefined;
  const file = await disk.open(place, openRead);
  try {
    // What lies behind a link that came in between is nobody's to send.
    if (!(await file.isAt(place))) return undefined;
    const bytes = await readBytes(file, Number(expected.size));
    const now = await file.stat();
    const unchanged =
      now.ino === expected.ino && now.size === expected.size && now.mtimeNs === expected.mtimeNs;
    return unchanged ? { bytes, executable: (now.mode & ownerMayExecute) !== 0n, stat: now } : undefined;
  } finally {
    await file.close();
  }
}

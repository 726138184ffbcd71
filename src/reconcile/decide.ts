// What shall happen at one path: the whole of two-way sync, as a table over three digests.

import type { Digest } from '../skill/digest.ts';

/** What a replica, or the base, holds at a path: a digest, or null where it is absent. */
export type Held = Digest | null;

/** A replica that could not say what it holds. Unreadable is never absent. */
export type Known = Held | 'unknown';

export type Decision =
  | 'unchanged'
  /** Both sides hold the same, and the base does not: it catches up. */
  | 'agreed'
  | 'change-database'
  | 'change-files'
  | 'conflict'
  /** A side is unknown: nothing is decided. */
  | 'undecided';

/** Decides one path by its digests, or anything else that three states have. Pure and total. */
export function decide<H = Held>(local: H | 'unknown', remote: H | 'unknown', base: H): Decision {
  if (local === 'unknown' || remote === 'unknown') return 'undecided';
  if (local === remote) return local === base ? 'unchanged' : 'agreed';
  if (remote === base) return 'change-database';
  if (local === base) return 'change-files';
  return 'conflict';
}

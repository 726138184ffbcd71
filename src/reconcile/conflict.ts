// Conflicts, and who wins them: both sides left what they last agreed on, differently.

import type { PastState, SkillState } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Region } from './merge.ts';
import type { Rename } from './renames.ts';

/** A side of the sync, as the one that a change changes. */
export type Side = 'database' | 'files';

export function otherSide(side: Side): Side {
  return side === 'files' ? 'database' : 'files';
}

/** Both sides' states at a path, or of a skill that at least one of them renamed. */
export interface Pair {
  /** Of a renamed skill the new one; where each side gave it one of its own, that of the files. */
  readonly path: SkillPath;
  readonly local: SkillState | null;
  readonly remote: SkillState | null;
  readonly renamed?: Rename;
}

/** Both sides left the base, differently. */
export interface Conflict extends Pair {
  /**
   * `waits`: it stands where another one stood when both sides agreed, whose rename is not settled. `moved-on`: it changed since the
   * run that is to be taken back.
   */
  readonly why: 'both-edited' | 'edited-and-deleted' | 'both-renamed' | 'no-base' | 'waits' | 'moved-on';
  /** What both sides agreed on, where that is known. */
  readonly base: Digest | null;
  /** Why no side won by being newer, where that was to decide. */
  readonly undecided?: Undecided;
  /** Where the sides do not go together, if a merge was tried; none where nobody has what they agreed on. */
  readonly regions?: readonly Region[];
}

/**
 * Who wins a conflict: the side that changed last, one side always, both where their edits go together, or nobody.
 * `edits` decides no more than that an edit wins over a deletion, which all but `fail` do.
 */
export type ConflictPolicy = 'newest' | 'local' | 'database' | 'merge' | 'fail' | 'edits';

/** Where the versions stand that a merge is made of, before the run, and where it is to stand. */
export interface MergeSources {
  readonly path: SkillPath;
  readonly base: PastState & { readonly path: SkillPath };
  readonly files: SkillPath;
  readonly database: SkillPath;
}

/** What both sides' edits of a skill make together, from what they agreed on; or where they do not go together. */
export type FoundMerge =
  | { readonly digest: Digest; readonly sources: MergeSources }
  | { readonly regions: readonly Region[] };

/** When each side was last changed, by one clock; null where no trustworthy time is known. */
export interface ConflictTimes {
  readonly files: Date | null;
  readonly database: Date | null;
}

/** Why the times of both sides' last changes decide nothing: they are too close, or one is not known, or not to be trusted. */
export type Undecided = 'same-time' | 'time-unknown';

/** Why a side won. */
export type WonBy = 'newer' | 'preferred' | 'edit-over-deletion';

/** How the winner's version goes to the other side. */
export interface Won {
  /** The side that changes: the loser's. */
  readonly changes: Side;
  readonly by: WonBy;
}

/** Decides a conflict: who won, or why the times say nothing; neither where the policy does not. Pure and total. */
export function winnerOf(
  { why, local }: Conflict,
  policy: ConflictPolicy,
  times: ConflictTimes | undefined,
): Won | { readonly undecided?: Undecided } {
  if (policy === 'fail') return {};
  if (why === 'edited-and-deleted') {
    return { changes: local === null ? 'files' : 'database', by: 'edit-over-deletion' };
  }
  if (policy === 'local') return { changes: 'database', by: 'preferred' };
  if (policy === 'database') return { changes: 'files', by: 'preferred' };
  // Without a base nobody knows who left what: a later time would be a guess.
  if (policy !== 'newest' || why !== 'both-edited') return {};
  if (!times?.files || !times.database) return { undecided: 'time-unknown' };
  const later = times.files.getTime() - times.database.getTime();
  if (Math.abs(later) < sameTimeMs) return { undecided: 'same-time' };
  return { changes: later > 0 ? 'database' : 'files', by: 'newer' };
}

/** Times that are closer say nothing: commits, and some file systems, keep whole seconds or two. */
const sameTimeMs = 2000;

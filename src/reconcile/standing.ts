// How the two sides stand: a plan's skills, counted by what it takes until both hold them alike.

import type { Problem } from '../problem.ts';
import type { Snapshot, Unreadable } from '../replica.ts';
import { compareBytes } from '../skill/path.ts';
import type { Status } from '../skill/status.ts';
import { endsOf, type Plan } from './plan.ts';

/** Every skill that either side names counts once. Lists are in byte order. */
export interface Standing {
  /** How many skills both sides hold alike. */
  readonly synced: number;
  /** Skills of which the files are ahead, and those of which the database is. */
  readonly aheadHere: readonly string[];
  readonly aheadThere: readonly string[];
  readonly conflicts: readonly string[];
  /** Deletions that no run carries out unasked. */
  readonly held: readonly string[];
  /** Skills that take no part: a problem of theirs keeps them from it. */
  readonly failed: readonly string[];
  /** Places that could not be read, folders for all that is below them: nothing is known there. */
  readonly unknown: readonly string[];
  /** How many rows their status leaves out, by status; statuses of which there are none are not named. */
  readonly leftOut: { readonly [S in Status]?: number };
  readonly problems: readonly Problem[];
}

/**
 * Counts a plan of both directions that decides no conflict and deletes nothing.
 *
 * @param sides what the plan was made of
 */
export function standingOf(
  plan: Plan,
  { local, remote }: { readonly local: Snapshot; readonly remote: Snapshot },
): Standing {
  const unreadable = [...local.unreadable, ...remote.unreadable];
  const unknown = new Set(unreadable.filter(isUnknown).map(({ path }) => path || '.'));
  const said = new Set(unreadable.map(({ problem }) => problem));
  const failed = new Set([
    ...unreadable.filter((place) => !isUnknown(place)).map(({ path }) => path),
    ...plan.problems.flatMap((problem) => (!said.has(problem) && 'path' in problem ? problem.path : [])),
  ]);
  const ahead = (side: 'database' | 'files') => plan.changes.filter((change) => change.side === side);
  const named = new Set<string>([
    ...plan.changes.flatMap(({ path, from }) => (from === undefined ? [path] : [path, from])),
    ...[...plan.conflicts, ...plan.agreed].flatMap(endsOf),
    ...[...plan.holds].map(({ path }) => path),
    ...[...failed, ...unknown],
  ]);
  const leftOut: { [S in Status]?: number } = {};
  for (const [path, { row }] of remote.skills) {
    if (!row || row.status === 'active' || local.skills.has(path) || named.has(path)) continue;
    leftOut[row.status] = (leftOut[row.status] ?? 0) + 1;
  }
  return {
    synced: plan.unchanged + plan.agreed.filter((pair) => pair.local !== null).length,
    aheadHere: pathsOf(ahead('database')),
    aheadThere: pathsOf(ahead('files')),
    conflicts: pathsOf(plan.conflicts),
    held: pathsOf(plan.holds),
    failed: [...failed].filter((path) => !unknown.has(path)).sort(compareBytes),
    unknown: [...unknown].sort(compareBytes),
    leftOut,
    problems: plan.problems,
  };
}

/** Whether a place could not even be read: of another one it is known what is wrong with it. */
function isUnknown({ below, problem }: Unreadable): boolean {
  return below || problem.reason === 'file-unreadable';
}

function pathsOf(items: readonly { readonly path: string }[]): readonly string[] {
  return [...new Set(items.map(({ path }) => path))].sort(compareBytes);
}

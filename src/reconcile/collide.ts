// Paths that some file systems merge: a side must not come to hold two of them.

import type { Problem } from '../problem.ts';
import type { Snapshot } from '../replica.ts';
import { compareBytes, mergedForm } from '../skill/path.ts';
import type { Side } from './conflict.ts';
import type { PlanInput, PlannedChange } from './plan.ts';

/** The changes that a plan may keep, and why the others are not planned. */
interface Parted {
  readonly changes: readonly PlannedChange[];
  readonly problems: readonly Problem[];
}

/**
 * Leaves out what would bring a side a second path of the same {@link mergedForm}, each as the problem
 * `path-collides`, or `path-taken` where that is the very path. What a side holds already is left alone, and of
 * two new ones the first stays. Pure.
 *
 * @param changes in byte order of their paths
 */
export function partColliding(
  { local, remote }: Pick<PlanInput, 'local' | 'remote'>,
  changes: readonly PlannedChange[],
): Parted {
  const found = new Map([
    ...collisionsIn('database', remote, changes),
    ...collisionsIn('files', local, changes),
  ]);
  if (found.size === 0) return { changes, problems: [] };
  // What stays where it is leaves its place to nobody.
  const rest = partColliding(
    { local, remote },
    changes.filter((change) => !found.has(change)),
  );
  return { changes: rest.changes, problems: [...found.values(), ...rest.problems] };
}

function collisionsIn(
  side: Side,
  held: Snapshot,
  changes: readonly PlannedChange[],
): ReadonlyMap<PlannedChange, Problem> {
  const collisions = new Map<PlannedChange, Problem>();
  const mine = changes.filter((change) => change.side === side);
  const added = mine.filter(({ before, after, from }) => after !== null && (before === null || from));
  if (added.length === 0) return collisions;
  const wanted = new Set(added.map(({ path }) => mergedForm(path)));
  const removed = new Set<string>(
    mine.flatMap(({ path, after, from }) => (after === null ? [path] : (from ?? []))),
  );
  const taken = new Map<string, string>();
  const take = (path: string) => {
    const form = mergedForm(path);
    if (!wanted.has(form) || removed.has(path)) return;
    const other = taken.get(form);
    if (other === undefined || compareBytes(path, other) < 0) taken.set(form, path);
  };
  for (const path of held.skills.keys()) take(path);
  // Unreadable is never absent.
  for (const { path } of held.unreadable) take(path);
  if (taken.size === 0 && wanted.size === added.length) return collisions;
  for (const change of added) {
    const form = mergedForm(change.path);
    const other = taken.get(form);
    if (other === undefined) taken.set(form, change.path);
    else if (other === change.path) collisions.set(change, { reason: 'path-taken', path: change.path, side });
    else collisions.set(change, { reason: 'path-collides', path: change.path, other, side });
  }
  return collisions;
}

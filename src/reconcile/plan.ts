// The plan: the whole of what a run would do, as a value. A dry run prints it, a real run applies it.

import type { Problem } from '../problem.ts';
import type { Change, Direction, Reading, SkillState, Snapshot } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import { compareBytes, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { Status } from '../skill/status.ts';
import { partColliding } from './collide.ts';
import {
  type Conflict,
  type ConflictPolicy,
  type ConflictTimes,
  type Pair,
  type Side,
  type WonBy,
  winnerOf,
} from './conflict.ts';
import { type Decision, decide } from './decide.ts';
import { guard } from './guard.ts';

export type { Conflict, ConflictPolicy, ConflictTimes, Pair, Side } from './conflict.ts';

/** A change of one side, and why. */
export interface PlannedChange extends Change {
  readonly side: Side;
  /**
   * `new`: nothing stands there. `edited`: the other side moved on since both agreed. `older`: what stands
   * there is in the skill's history. `deleted`: the other side holds it no more. `forced`: it was asked for.
   * Else a conflict was decided: `newer` won, or what the user prefers, or an edit over a deletion.
   */
  readonly why: 'new' | 'edited' | 'older' | 'deleted' | 'forced' | WonBy;
}

/** Whether a change overwrites what its side alone holds: that is stored first. */
export function isOverwriting({ why, before }: PlannedChange): boolean {
  return before !== null && (why === 'forced' || why === 'newer' || why === 'preferred');
}

/** A change that policy keeps back. */
export interface Hold {
  readonly path: SkillPath;
  /** The side that would change. */
  readonly side: Side;
  readonly why: 'deletion';
}

/** What the user lets a run do. */
export interface Policy {
  /** Overwrite what the other side gained. */
  readonly force: boolean;
  readonly onConflict: ConflictPolicy;
  /** Carry out deletions, which are held otherwise. */
  readonly deletes: boolean;
  /** From the fourth deletion on, how much of a side a run may delete, in percent of its skills. */
  readonly maxDelete: number;
  /** Go past the guards. */
  readonly yes: boolean;
}

/** A change that this run's direction does not carry. */
export interface Ahead {
  readonly path: SkillPath;
  /** The side that would change. */
  readonly side: Side;
}

/** What a run would do. Lists are in byte order of their paths. */
export interface Plan {
  readonly direction: Direction;
  readonly changes: readonly PlannedChange[];
  readonly conflicts: readonly Conflict[];
  readonly holds: readonly Hold[];
  readonly ahead: readonly Ahead[];
  /** Paths where both sides hold the same and the base does not say so yet. */
  readonly agreed: readonly Pair[];
  /** How many skills both sides and the base hold alike. */
  readonly unchanged: number;
  /** How many rows only the database holds that their status leaves out. */
  readonly leftOut: number;
  readonly problems: readonly Problem[];
  /** Why the plan must not be carried out as it is; null where nothing stands against it. */
  readonly refusal: Problem | null;
}

/** One item of a plan, with the skill on both sides; null where a side holds none, or none that loads now. */
export type Preview = {
  readonly files: Skill | null;
  readonly database: Skill | null;
} & (
  | { readonly change: PlannedChange; readonly reading: Reading | undefined }
  | { readonly conflict: Conflict }
);

/** What both sides held when they last agreed. */
export type BaseEntries = ReadonlyMap<SkillPath, { readonly digest: Digest }>;

/** What a plan is made of. */
export interface PlanInput {
  readonly direction: Direction;
  readonly local: Snapshot;
  readonly remote: Snapshot;
  readonly base: BaseEntries;
  /** What both sides agreed on at paths that no base knows, as the history tells it; null is nothing. */
  readonly found: ReadonlyMap<SkillPath, Digest | null>;
  /** Whether the user's filter takes a path. What a filter leaves out is unknown: nothing is decided there. */
  readonly selects: (path: string) => boolean;
  /** The statuses of rows that take part; null where the user named none. */
  readonly statuses: ReadonlySet<Status> | 'all' | null;
  readonly policy: Policy;
  /** When each side of a conflict was last changed, where that is known. */
  readonly times: ReadonlyMap<SkillPath, ConflictTimes>;
}

/** Which sides a direction changes, and which one `--force` lets it overwrite. */
const directions: {
  readonly [D in Direction]: { readonly changes: readonly Side[]; readonly forced: Side };
} = {
  export: { changes: ['database'], forced: 'database' },
  import: { changes: ['files'], forced: 'files' },
  // A sync is an export, then an import: forced, its conflicts are the files' to win.
  sync: { changes: ['database', 'files'], forced: 'database' },
};

/** All paths that either side or the base names, in no order, with what each side holds there. */
function pairsOf({ local, remote, base }: Pick<PlanInput, 'local' | 'remote' | 'base'>): readonly Pair[] {
  const paths = new Set([...local.skills.keys(), ...remote.skills.keys(), ...base.keys()]);
  return [...paths].map((path) => ({
    path,
    local: local.skills.get(path) ?? null,
    remote: remote.skills.get(path) ?? null,
  }));
}

/** Paths that have no base, where the sides differ: only the history can tell who is ahead. */
export function differingWithoutBase(input: Pick<PlanInput, 'local' | 'remote' | 'base'>): readonly Pair[] {
  return pairsOf(input).filter(
    ({ path, local, remote }) => !input.base.has(path) && local?.digest !== remote?.digest,
  );
}

/** Paths where both sides left the base, differently. */
export function contestedBases(input: Pick<PlanInput, 'local' | 'remote' | 'base'>): readonly Pair[] {
  return pairsOf(input).filter(({ path, local, remote }) => {
    const base = input.base.get(path);
    return base && decide(local?.digest ?? null, remote?.digest ?? null, base.digest) === 'conflict';
  });
}

/** Tells of which paths a replica cannot speak. */
function unreadableIn(snapshot: Snapshot): (path: string) => boolean {
  const places = new Set(snapshot.unreadable.map((place) => place.path));
  const folders = new Set(snapshot.unreadable.filter((place) => place.below).map((place) => place.path));
  return (path) => {
    if (places.has(path) || folders.has('')) return true;
    if (folders.size === 0) return false;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (folders.has(path.slice(0, end))) return true;
    }
    return false;
  };
}

/** Whether a row's status lets it take part. Rows that the files or the base hold do, unless the user chose. */
function statusTakesPart({ base, found, statuses }: PlanInput, { path, local, remote }: Pair): boolean {
  if (!remote?.row || statuses === 'all') return true;
  if (statuses) return statuses.has(remote.row.status);
  return remote.row.status === 'active' || local !== null || base.has(path) || Boolean(found.get(path));
}

/** A plan under construction. */
interface Draft {
  readonly changes: PlannedChange[];
  readonly conflicts: Conflict[];
  readonly holds: Hold[];
  readonly ahead: Ahead[];
  readonly agreed: Pair[];
}

/** Makes the plan of a run. Pure. */
export function makePlan(input: PlanInput): Plan {
  const draft: Draft = { changes: [], conflicts: [], holds: [], ahead: [], agreed: [] };
  // What one problem keeps many places from is said once.
  const unreadable = new Set<Problem>();
  for (const { path, below, problem } of [...input.local.unreadable, ...input.remote.unreadable]) {
    // A folder that cannot be read may hide any path that the filter takes.
    if (below || input.selects(path)) unreadable.add(problem);
  }
  const unknownLocally = unreadableIn(input.local);
  const unknownRemotely = unreadableIn(input.remote);
  let unchanged = 0;
  let leftOut = 0;
  for (const pair of [...pairsOf(input)].sort((a, b) => compareBytes(a.path, b.path))) {
    if (!input.selects(pair.path)) continue;
    if (!statusTakesPart(input, pair)) {
      // An export writes no files: no row takes part in it for itself.
      if (input.direction !== 'export') leftOut++;
      continue;
    }
    const decision = decide(
      unknownLocally(pair.path) ? 'unknown' : (pair.local?.digest ?? null),
      unknownRemotely(pair.path) ? 'unknown' : (pair.remote?.digest ?? null),
      baseAt(input, pair),
    );
    if (decision === 'unchanged') unchanged++;
    else addDecision(draft, input, pair, decision);
  }
  const { changes, problems: colliding } = partColliding(input, draft.changes);
  const problems = [...unreadable, ...colliding];
  const refusal = guard(input, changes);
  return { direction: input.direction, ...draft, changes, unchanged, leftOut, problems, refusal };
}

/** What both sides agreed on at this path. */
function baseAt({ base, found }: PlanInput, { path }: Pair): Digest | null {
  return base.get(path)?.digest ?? found.get(path) ?? null;
}

function addDecision(draft: Draft, input: PlanInput, pair: Pair, decision: Decision): void {
  switch (decision) {
    case 'agreed':
      draft.agreed.push(pair);
      return;
    case 'change-database':
    case 'change-files':
      addChange(draft, input, pair, decision === 'change-database' ? 'database' : 'files');
      return;
    case 'conflict':
      addConflict(draft, input, pair);
      return;
    case 'unchanged':
    case 'undecided':
      return;
  }
}

function sourceOf(side: Side, { local, remote }: Pair): SkillState | null {
  return side === 'database' ? local : remote;
}

function addChange(draft: Draft, input: PlanInput, pair: Pair, side: Side): void {
  const { changes, forced } = directions[input.direction];
  const { path } = pair;
  if (!changes.includes(side)) {
    // Overwriting needs something to write: what only the other side holds is never removed by force.
    if (input.policy.force && sourceOf(forced, pair)) draft.changes.push(changeOf(pair, forced, 'forced'));
    else draft.ahead.push({ path, side });
  } else if (sourceOf(side, pair) === null) {
    if (input.policy.deletes) draft.changes.push(changeOf(pair, side, 'deleted'));
    else draft.holds.push({ path, side, why: 'deletion' });
  } else {
    const isNew = sourceOf(side === 'database' ? 'files' : 'database', pair) === null;
    const isOlder = side === 'files' && input.found.get(path) === pair.local?.digest;
    draft.changes.push(changeOf(pair, side, isNew ? 'new' : isOlder ? 'older' : 'edited'));
  }
}

function addConflict(draft: Draft, input: PlanInput, pair: Pair): void {
  const { changes, forced } = directions[input.direction];
  const { path, local, remote } = pair;
  if (input.policy.force && sourceOf(forced, pair)) {
    draft.changes.push(changeOf(pair, forced, 'forced'));
    return;
  }
  const deleted = local === null || remote === null;
  const why = deleted ? 'edited-and-deleted' : baseAt(input, pair) ? 'both-edited' : 'no-base';
  const conflict: Conflict = { ...pair, why };
  const won = winnerOf(conflict, input.policy.onConflict, input.times.get(path));
  if (won === null) draft.conflicts.push(conflict);
  else if (changes.includes(won.changes)) draft.changes.push(changeOf(pair, won.changes, won.by));
  else draft.ahead.push({ path, side: won.changes });
}

function changeOf({ path, local, remote }: Pair, side: Side, why: PlannedChange['why']): PlannedChange {
  const [before, after] = side === 'database' ? [remote, local] : [local, remote];
  // What is forced is no commit's: others that hold it by accident must not take it back.
  return { path, side, why, before, after, ...(why === 'forced' && { origin: 'database' }) };
}

// The plan: the whole of what a run would do, as a value. A dry run prints it, a real run applies it.

import type { Problem } from '../problem.ts';
import type { Change, Direction, PastState, Reading, SkillState, Snapshot } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import { compareBytes, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { Status } from '../skill/status.ts';
import { partColliding } from './collide.ts';
import {
  type Conflict,
  type ConflictPolicy,
  type ConflictTimes,
  type FoundMerge,
  type MergeSources,
  otherSide,
  type Pair,
  type Side,
  type WonBy,
  winnerOf,
} from './conflict.ts';
import { type Decision, decide } from './decide.ts';
import { guard } from './guard.ts';
import type { Rename } from './renames.ts';
import { unreadableIn } from './unreadable.ts';

export type {
  Conflict,
  ConflictPolicy,
  ConflictTimes,
  FoundMerge,
  MergeSources,
  Pair,
  Side,
} from './conflict.ts';

/** A change of one side, and why. */
export interface PlannedChange extends Change {
  readonly side: Side;
  /**
   * `new`: nothing stands there. `edited`: the other side moved on since both agreed. `older`: what stands
   * there is in the skill's history. `renamed`: the other side renamed it since, edits of that side with it.
   * `deleted`: the other side holds it no more. `forced`: it was asked for.
   * `undone`: as it was before a run that is taken back. `merged`: both sides' edits together.
   * `resolved`: what the user made of both sides of a conflict.
   * Else a conflict was decided: `newer` won, or what the user prefers, or an edit over a deletion.
   */
  readonly why:
    | 'new'
    | 'edited'
    | 'older'
    | 'renamed'
    | 'deleted'
    | 'forced'
    | 'undone'
    | 'merged'
    | 'resolved'
    | WonBy;
  /** Which side holds what it brings, and where before the run, if that is not the other side at `path`. */
  readonly content?: { readonly side: Side; readonly path: SkillPath };
  /** What it brings, where that is out of the history. */
  readonly past?: PastState;
  /**
   * Of what it is made, where neither side holds what it brings: of both sides' versions and what they agreed on,
   * or by whoever settled a conflict.
   */
  readonly merge?: MergeSources | 'by-hand';
}

/** Whether a change overwrites what its side alone holds: that is stored first. What is deleted goes to the trash too. */
export function isOverwriting({ why, side, before, after }: PlannedChange): boolean {
  if (before === null) return false;
  return after === null ? side === 'files' && why === 'preferred' : overwriting.has(why);
}

const overwriting: ReadonlySet<PlannedChange['why']> = new Set([
  'forced',
  'newer',
  'preferred',
  'merged',
  'resolved',
]);

/** A change that policy keeps back. */
export interface Hold {
  readonly path: SkillPath;
  /** The side that would change. */
  readonly side: Side;
  /** `deletion`: nobody allowed it. `perhaps-moved`: it may be what the other side holds, or held, where it cannot be read. */
  readonly why: 'deletion' | 'perhaps-moved';
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
  /** Where the side holds the skill that the other one renamed. */
  readonly from?: SkillPath;
  /** The side that would change. */
  readonly side: Side;
}

/** What a run would do. Lists are in byte order of their paths. */
export interface Plan {
  readonly direction: Direction | 'undo';
  /** The run that an undo takes back. */
  readonly undoes?: number;
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
  /** Skills that stand elsewhere than when both sides agreed. */
  readonly renames: readonly Rename[];
  /** Whether the user's filter takes a path. What a filter leaves out is unknown: nothing is decided there. */
  readonly selects: (path: string) => boolean;
  /** The statuses of rows that take part; null where the user named none. */
  readonly statuses: ReadonlySet<Status> | 'all' | null;
  readonly policy: Policy;
  /** When each side of a conflict was last changed, where that is known. */
  readonly times: ReadonlyMap<SkillPath, ConflictTimes>;
  /** What the sides of conflicts make together, where that was tried. */
  readonly merges: ReadonlyMap<SkillPath, FoundMerge>;
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

/** All skills that either side or the base names, in no order, with what each side holds of them. */
function pairsOf({
  local,
  remote,
  base,
  renames = [],
}: Pick<PlanInput, 'local' | 'remote' | 'base'> & Partial<Pick<PlanInput, 'renames'>>): readonly Pair[] {
  const [files, rows] = [new Map(local.skills), new Map(remote.skills)];
  const agreed = new Set(base.keys());
  const renamed = renames.map(
    (rename): Pair => ({
      path: rename.files === rename.base.path ? rename.database : rename.files,
      local: local.skills.get(rename.files) ?? null,
      remote: remote.skills.get(rename.database) ?? null,
      renamed: rename,
    }),
  );
  for (const rename of renames) {
    files.delete(rename.files);
    rows.delete(rename.database);
    agreed.delete(rename.base.path);
  }
  const paths = new Set([...files.keys(), ...rows.keys(), ...agreed]);
  return [
    ...renamed,
    ...[...paths].map((path) => ({ path, local: files.get(path) ?? null, remote: rows.get(path) ?? null })),
  ];
}

/** Paths that have no base, where the sides differ: only the history can tell who is ahead. */
export function differingWithoutBase(input: Pick<PlanInput, 'local' | 'remote' | 'base'>): readonly Pair[] {
  return pairsOf(input).filter(
    ({ path, local, remote }) => !input.base.has(path) && local?.digest !== remote?.digest,
  );
}

/** The same, but that nothing was agreed on where renamed skills stood: what stands there now is another. */
function withoutRenamed<I extends Pick<PlanInput, 'base' | 'found' | 'renames'>>(input: I): I {
  if (input.renames.length === 0) return input;
  const [base, found] = [new Map(input.base), new Map(input.found)];
  for (const rename of input.renames) {
    base.delete(rename.base.path);
    found.delete(rename.base.path);
  }
  return { ...input, base, found };
}

/** Skills that both sides have at one path, and of which both left the base, differently. */
export function contestedBases(
  input: Pick<PlanInput, 'local' | 'remote' | 'base' | 'found' | 'renames'>,
): readonly Pair[] {
  const { base } = withoutRenamed(input);
  return pairsOf(input).filter(({ path, local, remote, renamed }) => {
    const digest = (renamed?.base ?? base.get(path))?.digest;
    const isAtOnePath = !renamed || renamed.files === renamed.database;
    return (
      digest && isAtOnePath && decide(local?.digest ?? null, remote?.digest ?? null, digest) === 'conflict'
    );
  });
}

/** Whether a row's status lets it take part. Rows that the files or the base hold do, unless the user chose. */
function statusTakesPart(
  { base, found, statuses }: PlanInput,
  { path, local, remote, renamed }: Pair,
): boolean {
  if (!remote?.row || statuses === 'all') return true;
  if (statuses) return statuses.has(remote.row.status);
  return (
    renamed !== undefined ||
    remote.row.status === 'active' ||
    local !== null ||
    base.has(path) ||
    Boolean(found.get(path))
  );
}

/** A plan under construction. */
interface Draft {
  /** Which sides hold something that cannot be read where no skill is known to be: one may have come there. */
  readonly hides: { readonly [S in Side]: boolean };
  /** What both sides agreed on of skills that a side may hold, and cannot read: what comes elsewhere may be one of them. */
  readonly hidden: { readonly [S in Side]: ReadonlySet<Digest> };
  readonly changes: PlannedChange[];
  readonly conflicts: Conflict[];
  readonly holds: Hold[];
  readonly ahead: Ahead[];
  readonly agreed: Pair[];
  unchanged: number;
  leftOut: number;
}

/** Makes the plan of a run. Pure. */
export function makePlan(whole: PlanInput): Plan {
  const input = withoutRenamed(whole);
  // What one problem keeps many places from is said once.
  const unreadable = new Set<Problem>();
  for (const { path, below, problem } of [...input.local.unreadable, ...input.remote.unreadable]) {
    // A folder that cannot be read may hide any path that the filter takes.
    if (below || input.selects(path)) unreadable.add(problem);
  }
  const pairs = pairsOf(input).toSorted((a, b) => compareBytes(a.path, b.path));
  const { unchanged, leftOut, hides: _, hidden: __, ...draft } = draftOf(input, pairs);
  // A renamed skill's changes stand at other paths than the skill.
  draft.changes.sort((a, b) => compareBytes(a.path, b.path));
  const { changes, problems: colliding } = partColliding(input, draft.changes);
  const problems = [...unreadable, ...colliding];
  const refusal = guard(whole, changes);
  return { direction: input.direction, ...draft, changes, unchanged, leftOut, problems, refusal };
}

function hidesArrivals(side: Snapshot, other: Snapshot, { base }: Pick<PlanInput, 'base'>): boolean {
  return side.unreadable.some(({ path, below }) => {
    const known = path as SkillPath;
    return below || !(base.has(known) || other.skills.has(known));
  });
}

function agreedUnread(side: Snapshot, { base }: Pick<PlanInput, 'base'>): ReadonlySet<Digest> {
  if (side.unreadable.length === 0) return new Set();
  const isUnreadable = unreadableIn(side);
  return new Set([...base].flatMap(([path, { digest }]) => (isUnreadable(path) ? [digest] : [])));
}

/**
 * Decides each skill. What both sides agreed on of a renamed skill that this plan does not settle stays known by its
 * old path: what would come to stand there waits.
 */
function draftOf(input: PlanInput, pairs: readonly Pair[], waiting: ReadonlySet<Pair> = new Set()): Draft {
  const draft: Draft = {
    hides: {
      files: hidesArrivals(input.local, input.remote, input),
      database: hidesArrivals(input.remote, input.local, input),
    },
    hidden: {
      files: agreedUnread(input.local, input),
      database: agreedUnread(input.remote, input),
    },
    changes: [],
    conflicts: [],
    holds: [],
    ahead: [],
    agreed: [],
    unchanged: 0,
    leftOut: 0,
  };
  const unknown = { local: unreadableIn(input.local), remote: unreadableIn(input.remote) };
  for (const pair of pairs) {
    const ends = endsOf(pair);
    if (!ends.some(input.selects)) continue;
    if (!statusTakesPart(input, pair)) {
      // An export writes no files: no row takes part in it for itself.
      if (input.direction !== 'export') draft.leftOut++;
      continue;
    }
    const decision = decide(
      ends.some(unknown.local) ? 'unknown' : (pair.local?.digest ?? null),
      ends.some(unknown.remote) ? 'unknown' : (pair.remote?.digest ?? null),
      baseAt(input, pair),
    );
    if (waiting.has(pair)) draft.conflicts.push({ ...pair, why: 'waits', base: baseAt(input, pair) });
    else if (pair.renamed && decision !== 'undecided') addRenamed(draft, input, pair, pair.renamed, decision);
    else if (decision === 'unchanged') draft.unchanged++;
    else addDecision(draft, input, pair, decision);
  }
  const settled = new Set([
    ...draft.agreed.flatMap(({ renamed }) => renamed?.base.path ?? []),
    ...draft.changes.flatMap((change) => (isPlacing(change) ? (change.formerly ?? []) : [])),
  ]);
  const kept = new Set(
    pairs.flatMap(({ renamed }) => (renamed && !settled.has(renamed.base.path) ? [renamed.base.path] : [])),
  );
  const left = new Set(draft.conflicts.map(({ path }) => path));
  const inTheWay = pairs.filter(
    (pair) =>
      kept.has(pair.path) &&
      pair.renamed?.base.path !== pair.path &&
      !left.has(pair.path) &&
      !waiting.has(pair),
  );
  return inTheWay.length === 0 ? draft : draftOf(input, pairs, new Set([...waiting, ...inTheWay]));
}

/** Whether both sides have a skill at one path by this change: by an edit of what one side renamed they do not. */
export function isPlacing({ side, content }: PlannedChange): boolean {
  return content === undefined || content.side === side;
}

/** The paths at which a skill stands, or stood. */
export function endsOf({ path, renamed }: Pair): readonly SkillPath[] {
  return renamed ? [...new Set([renamed.base.path, renamed.files, renamed.database])] : [path];
}

/** What both sides agreed on of this skill. */
function baseAt({ base, found }: PlanInput, { path, renamed }: Pair): Digest | null {
  return renamed?.base.digest ?? base.get(path)?.digest ?? found.get(path) ?? null;
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
    else draft.ahead.push(aheadOf(changeOf(pair, side, 'edited')));
  } else if (sourceOf(side, pair) === null) {
    if (!input.policy.deletes) draft.holds.push({ path, side, why: 'deletion' });
    else if (draft.hides[otherSide(side)]) draft.holds.push({ path, side, why: 'perhaps-moved' });
    else draft.changes.push(changeOf(pair, side, 'deleted'));
  } else {
    const isNew = sourceOf(otherSide(side), pair) === null;
    const digest = sourceOf(side, pair)?.digest;
    if (isNew && digest && draft.hidden[otherSide(side)].has(digest)) {
      draft.holds.push({ path, side, why: 'perhaps-moved' });
      return;
    }
    const isOlder = side === 'files' && input.found.get(path) === pair.local?.digest;
    draft.changes.push(changeOf(pair, side, isNew ? 'new' : isOlder ? 'older' : 'edited'));
  }
}

function addConflict(draft: Draft, input: PlanInput, pair: Pair, named?: Conflict['why']): void {
  const { changes, forced } = directions[input.direction];
  if (input.policy.force && sourceOf(forced, pair)) {
    draft.changes.push(changeOf(pair, forced, 'forced'));
    return;
  }
  const base = baseAt(input, pair);
  const conflict: Conflict = { ...pair, why: named ?? whyConflict(pair, base), base };
  if (addMerge(draft, input, conflict)) return;
  const won = winnerOf(conflict, input.policy.onConflict, input.times.get(pair.path));
  if (!('changes' in won)) draft.conflicts.push({ ...conflict, ...won });
  else if (changes.includes(won.changes)) draft.changes.push(changeOf(pair, won.changes, won.by));
  else draft.ahead.push(aheadOf(changeOf(pair, won.changes, won.by)));
}

/**
 * Adds what a merge of a conflict found. False where none was tried.
 *
 * @param mover the side that is to follow a rename, too
 */
function addMerge(draft: Draft, input: PlanInput, conflict: Conflict, mover?: Side): boolean {
  const found = conflict.why === 'both-edited' ? input.merges.get(conflict.path) : undefined;
  if (found === undefined) return false;
  if ('regions' in found) draft.conflicts.push({ ...conflict, regions: found.regions });
  else {
    const changes = bothChanged(conflict, mover, found.digest, { why: 'merged', merge: found.sources });
    draft.changes.push(...changes);
  }
  return true;
}

/**
 * Settles a conflict by what the user made of both sides. Undefined where one of them holds none: a side is to be
 * chosen then.
 */
export function resolveByHand(conflict: Conflict, digest: Digest): readonly PlannedChange[] | undefined {
  const { local, remote, renamed } = conflict;
  if (!local || !remote) return undefined;
  const place = renamed && decide(renamed.files, renamed.database, renamed.base.path);
  // Where each renamed it otherwise, it stands where the files have it.
  const mover =
    place === 'change-files'
      ? 'files'
      : place === 'change-database' || place === 'conflict'
        ? 'database'
        : undefined;
  return bothChanged(conflict, mover, digest, { why: 'resolved', merge: 'by-hand' });
}

/** Makes both sides hold what neither may hold yet. */
function bothChanged(
  { why: _, base: __, regions: ___, ...pair }: Conflict,
  mover: Side | undefined,
  digest: Digest,
  { why, merge }: Pick<PlannedChange, 'why' | 'merge'>,
): readonly PlannedChange[] {
  const { local, remote } = pair;
  return (['database', 'files'] as const).flatMap((side): readonly PlannedChange[] => {
    const [stands, comes] = side === 'database' ? [remote, local] : [local, remote];
    if (side !== mover && stands?.digest === digest) return [];
    const isEdit = mover !== undefined && side !== mover;
    const change = isEdit ? editOf(pair, side, why) : changeOf(pair, side, why);
    if (comes?.digest === digest) return [change];
    const { content: ____, ...bare } = change;
    return [
      {
        ...bare,
        after: { ...bare.after, digest },
        ...(merge && { merge }),
        // No commit knows it.
        ...(side === 'database' && { origin: 'database' as const }),
      },
    ];
  });
}

function whyConflict({ local, remote }: Pair, base: Digest | null): Conflict['why'] {
  if (local === null || remote === null) return 'edited-and-deleted';
  return base ? 'both-edited' : 'no-base';
}

/** Adds what becomes of a renamed skill: where it stands is decided apart from what it holds. */
function addRenamed(draft: Draft, input: PlanInput, pair: Pair, rename: Rename, content: Decision): void {
  const { base, files, database } = rename;
  const place = decide(files, database, base.path);
  if (pair.local === null || pair.remote === null) addConflict(draft, input, pair);
  else if (place === 'conflict') addConflict(draft, input, pair, 'both-renamed');
  else if (place === 'agreed') addDecision(draft, input, pair, content === 'unchanged' ? place : content);
  else addMove(draft, input, pair, place === 'change-database' ? 'database' : 'files', content);
}

/** One side renamed, and either may have edited: `mover` is the side that is to follow. */
function addMove(draft: Draft, input: PlanInput, pair: Pair, mover: Side, content: Decision): void {
  const { changes, forced } = directions[input.direction];
  let edit: { readonly side: Side; readonly why: PlannedChange['why'] } | undefined;
  if (content === 'conflict') {
    const conflict: Conflict = { ...pair, why: 'both-edited', base: baseAt(input, pair) };
    if (!input.policy.force && addMerge(draft, input, conflict, mover)) return;
    const won = winnerOf(conflict, input.policy.onConflict, input.times.get(pair.path));
    if ('changes' in won) edit = { side: won.changes, why: won.by };
    else if (!input.policy.force) {
      draft.conflicts.push({ ...conflict, ...won });
      return;
    }
  } else if (content === 'change-database' || content === 'change-files') {
    edit = { side: content === 'change-database' ? 'database' : 'files', why: 'edited' };
  }
  const concerned = [mover, ...(edit && edit.side !== mover ? [edit.side] : [])];
  if (input.policy.force && (content === 'conflict' || concerned.some((side) => !changes.includes(side)))) {
    draft.changes.push(changeOf(pair, forced, 'forced'));
    return;
  }
  const whyMoved = edit === undefined || edit.why === 'edited' ? 'renamed' : edit.why;
  const planned =
    edit === undefined || edit.side === mover
      ? [changeOf(pair, mover, whyMoved)]
      : [moveOf(pair, mover), editOf(pair, edit.side, edit.why)];
  for (const change of planned) {
    if (changes.includes(change.side)) draft.changes.push(change);
    else draft.ahead.push(aheadOf(change));
  }
}

function aheadOf({ path, side, from }: PlannedChange): Ahead {
  return { path, side, ...(from && { from }) };
}

/** Makes a side hold what the other one does, where the other one does. */
function changeOf(pair: Pair, side: Side, why: PlannedChange['why']): PlannedChange {
  const { local, remote, renamed } = pair;
  const [before, after] = side === 'database' ? [remote, local] : [local, remote];
  // What is forced is no commit's: others that hold it by accident must not take it back.
  const change = { side, why, before, after, ...(why === 'forced' && { origin: 'database' as const }) };
  if (!renamed) return { path: pair.path, ...change };
  const [here, there] = placesOf(renamed, side);
  // A row that is deleted still stands somewhere.
  const isMove = here !== there && (before !== null || side === 'database');
  return { path: there, ...change, ...(isMove && { from: here }), ...formerlyOf(renamed, there) };
}

/** Moves a skill to where the other side has it, as it is. */
function moveOf(pair: Pair, side: Side): PlannedChange {
  const change = changeOf(pair, side, 'renamed');
  const { before, from = change.path } = change;
  const moved = { ...change, after: before && { digest: before.digest }, content: { side, path: from } };
  // The files hold something else: no commit knows what goes to the new path.
  return side === 'database' ? { ...moved, origin: 'database' } : moved;
}

/** Makes a side that renamed a skill hold what the other one does, where this side has it. */
function editOf(pair: Pair, side: Side, why: PlannedChange['why']): PlannedChange {
  const { from: _, formerly: __, ...change } = changeOf(pair, side, why);
  if (!pair.renamed) return change;
  const [here, there] = placesOf(pair.renamed, side);
  const content = { side: otherSide(side), path: there };
  return { ...change, path: here, content, ...formerlyOf(pair.renamed, here) };
}

/** Where a side has a renamed skill, and where the other one does. */
function placesOf({ files, database }: Rename, side: Side): readonly [here: SkillPath, there: SkillPath] {
  return side === 'files' ? [files, database] : [database, files];
}

function formerlyOf({ base }: Rename, path: SkillPath): { readonly formerly?: SkillPath } {
  return base.path === path ? {} : { formerly: base.path };
}

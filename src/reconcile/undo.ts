// Undo: the plan whose wanted state is the one before a run.

import type { RecordedChange, SkillState, Snapshot } from '../replica.ts';
import { compareBytes, type SkillPath } from '../skill/path.ts';
import { partColliding } from './collide.ts';
import type { Conflict, Side } from './conflict.ts';
import { guard } from './guard.ts';
import type { Plan, PlanInput, PlannedChange, Policy } from './plan.ts';
import { unreadableIn } from './unreadable.ts';

/** What the plan of an undo is made of. */
export interface UndoInput extends Pick<PlanInput, 'local' | 'remote' | 'selects'> {
  /** The run's number. */
  readonly run: number;
  /** What the run did, in order. */
  readonly done: readonly RecordedChange[];
  /** With `force`, what changed since the run goes too: it is stored first. */
  readonly policy: Pick<Policy, 'force' | 'maxDelete' | 'yes'>;
}

/** Makes the plan that takes back what a run did. What moved on since is a conflict. Pure. */
export function makeUndoPlan({ run, done, local, remote, selects, policy }: UndoInput): Plan {
  const sides: { readonly [S in Side]: Snapshot } = { files: local, database: remote };
  const isUnknown = { files: unreadableIn(local), database: unreadableIn(remote) };
  const problems = new Set(
    [...local.unreadable, ...remote.unreadable].flatMap(({ path, below, problem }) =>
      below || selects(path) ? [problem] : [],
    ),
  );
  const rows = new Map([...remote.skills].map(([path, state]) => [state.row?.skillId, { path, state }]));
  const changes: PlannedChange[] = [];
  const conflicts: Conflict[] = [];
  let unchanged = 0;
  for (const ofSkill of bySkill(joinDone(done))) {
    const paths = ofSkill.flatMap(({ path, formerly }) => [path, formerly]);
    if (!paths.some(selects)) continue;
    if (ofSkill.some(({ side, path, formerly }) => [path, formerly].some(isUnknown[side]))) continue;
    const left = ofSkill.filter((one) => !isBack(one, sides[one.side]));
    const hasMoved = left.some((one) => !isAsLeft(one, sides[one.side]));
    const [{ path }] = ofSkill;
    if (left.length === 0) unchanged++;
    else if (hasMoved && !policy.force) {
      const pair = { path, local: local.skills.get(path) ?? null, remote: remote.skills.get(path) ?? null };
      conflicts.push({ ...pair, why: 'moved-on', base: null });
    } else changes.push(...left.map((one) => changeBack(one, sides[one.side], rows, hasMoved)));
  }
  changes.sort((a, b) => compareBytes(a.path, b.path));
  const parted = partColliding({ local, remote }, changes);
  // What both sides agreed on says nothing of what a run is to take back.
  const guarded = { local, remote, policy, base: new Map(), renames: [] };
  return {
    direction: 'undo',
    undoes: run,
    changes: parted.changes,
    conflicts: conflicts.sort((a, b) => compareBytes(a.path, b.path)),
    holds: [],
    ahead: [],
    agreed: [],
    unchanged,
    leftOut: 0,
    problems: [...problems, ...parted.problems],
    refusal: guard(guarded, parted.changes),
  };
}

/** What a run did in several steps, as one. */
export function joinDone(done: readonly RecordedChange[]): readonly RecordedChange[] {
  const keyOf = (side: Side, path: SkillPath, skillId: number | null) => `${side} ${skillId} ${path}`;
  const joined: RecordedChange[] = [];
  // Where the step stands that left a skill at a path.
  const latest = new Map<string, number>();
  for (const one of done) {
    const from = keyOf(one.side, one.formerly, one.skillId);
    let at = latest.get(from) ?? -1;
    const first = joined[at];
    if (first?.after === one.before) {
      joined[at] = { ...first, path: one.path, after: one.after };
      latest.delete(from);
    } else at = joined.push(one) - 1;
    latest.set(keyOf(one.side, one.path, one.skillId), at);
  }
  return joined;
}

type Some<T> = readonly [T, ...T[]];

/** What was done to one skill is taken back on both sides, or on none. */
function bySkill(done: readonly RecordedChange[]): readonly Some<RecordedChange>[] {
  const groups = new Map<number | SkillPath, [RecordedChange, ...RecordedChange[]]>();
  for (const one of done) {
    const key = one.skillId ?? one.path;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()];
}

/** The state of the very skill at a path, which may be another one's by now. */
function stateAt(
  path: SkillPath,
  { side, skillId }: RecordedChange,
  { skills }: Snapshot,
): SkillState | null {
  const state = skills.get(path);
  const isOther = side === 'database' && skillId !== null && state?.row && state.row.skillId !== skillId;
  return state === undefined || isOther ? null : state;
}

function isBack(one: RecordedChange, snapshot: Snapshot): boolean {
  const { path, formerly, before } = one;
  const isThere = (stateAt(formerly, one, snapshot)?.digest ?? null) === before;
  return isThere && (path === formerly || stateAt(path, one, snapshot) === null || before === null);
}

function isAsLeft(one: RecordedChange, snapshot: Snapshot): boolean {
  const { path, after } = one;
  return after === null ? !snapshot.skills.has(path) : stateAt(path, one, snapshot)?.digest === after;
}

function changeBack(
  one: RecordedChange,
  snapshot: Snapshot,
  rows: ReadonlyMap<number | undefined, { readonly path: SkillPath; readonly state: SkillState }>,
  isForced: boolean,
): PlannedChange {
  const { side, path, formerly, skillId, before, revision } = one;
  const stands = stateAt(path, one, snapshot);
  const row = skillId === null ? undefined : rows.get(skillId);
  const change = {
    side,
    why: isForced ? ('forced' as const) : ('undone' as const),
    before: stands,
    // No commit knows what an undo writes.
    origin: 'database' as const,
  };
  if (before === null) return { path, ...change, after: null };
  return {
    path: formerly,
    ...change,
    after: { digest: before, ...(side === 'files' && rowOf(skillId, row?.state)) },
    ...(path !== formerly && stands !== null && { from: path }),
    ...(side === 'files' && row?.state.digest === before
      ? { content: { side: 'database' as const, path: row.path } }
      : skillId !== null && { past: { skillId, digest: before, revision } }),
  };
}

/** The row that files belong to; it may be gone by now. */
function rowOf(skillId: number | null, state: SkillState | undefined): Pick<SkillState, 'row'> {
  if (state?.row) return { row: state.row };
  return skillId === null ? {} : { row: { skillId, revision: 0, status: 'archived' } };
}

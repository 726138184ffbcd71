// How a run ends: its plan carried out on both sides, and the base advanced by what they answered.

import { type Problem, refuse } from '../problem.ts';
import { otherSide } from '../reconcile/conflict.ts';
import { isOverwriting, type Plan, type PlannedChange } from '../reconcile/plan.ts';
import {
  gathered,
  type Load,
  type Loaded,
  loadAt,
  notWhole,
  type OnProgress,
  type Result,
  type RunStart,
  type Snapshot,
  type Step,
} from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import { foldersAbove, type SkillPath } from '../skill/path.ts';
import { advanceBase } from './advance-base.ts';
import { loadMerged } from './merge.ts';
import { type ContentsOf, isForLack, type Prepared, prepareSync, type SyncInput } from './sync.ts';
import { withFileTimes } from './times.ts';

/** What became of a run. */
export interface Applied {
  /** The plan as it was in the end: what the world overtook was planned anew. */
  readonly plan: Plan;
  readonly results: readonly Result<PlannedChange>[];
  /** The number of the run; none where it had nothing to write. */
  readonly run?: number;
}

/** How often a run plans anew what the world overtook while it was carried out. */
const maxPlans = 4;

/** Carries out a plan, and plans anew what the world overtook meanwhile. What has nothing to write is noted now and then. */
export async function runPlan(input: SyncInput, prepared: Prepared): Promise<Applied> {
  const mends = input.run.direction !== 'import';
  if (prepared.plan.changes.length === 0 && prepared.unsettled.size === 0) {
    await advanceBase(input, prepared, []);
    if (mends) await input.database.mendDerived();
    await input.database.noteIdleRun(
      { ...input.run, ...prepared.checkout?.commitAndBranch },
      conflictsIn(prepared.plan),
    );
    return { plan: prepared.plan, results: [] };
  }
  return inRecord(input, prepared, input.run, async () => {
    const applied = await carryOutAndReplan(input, prepared);
    // Rows that others deleted, and categories that they moved, took along what follows from them.
    if (mends && !input.signal?.aborted) await input.database.mendDerived();
    return applied;
  });
}

/** Carries out just this plan, and plans nothing anew. What has nothing to write leaves no record. */
export async function runAsPlanned(input: SyncInput, prepared: Prepared): Promise<Applied> {
  const { plan } = prepared;
  if (plan.changes.length === 0) return { plan, results: [] };
  return inRecord(input, prepared, input.run, async () => {
    const results = await applyChanges(input, prepared);
    await advanceBase(input, prepared, agreedOn(prepared, results));
    return { plan, results };
  });
}

/**
 * Those of what was done that both sides held at one moment: what the side that gave it went on to since is an edit of
 * it. Two that did not come from there have to hold it now: a merge, and what the files of another clone gave.
 */
function agreedOn(
  { local, remote, isMadeHere = false }: Prepared,
  results: readonly Result<PlannedChange>[],
): readonly Result<PlannedChange>[] {
  const now = { files: digestsIn(local), database: digestsIn(remote) };
  const done = results.filter((result) => result.ok);
  // Skills may take each other's places.
  for (const { change } of done) now[change.side].delete(change.from ?? change.path);
  for (const { change, state } of done) if (state) now[change.side].set(change.path, state.digest);
  return done.filter(({ change: { side, path, why, content }, state }) => {
    const there = now[otherSide(side)];
    // What is moved as it is may be edited on the side that moved it first.
    if (content?.side === side) return there.has(path);
    const isMerge = why === 'merged' || why === 'resolved';
    const wasGiven = !isMerge && (side === 'files' || isMadeHere);
    return wasGiven || there.get(content?.path ?? path) === state?.digest;
  });
}

function digestsIn({ skills }: Snapshot): Map<SkillPath, Digest> {
  return new Map([...skills].map(([path, { digest }]) => [path, digest]));
}

/** Carries out a run between the beginning and the end of its record. */
export async function inRecord<A extends Applied>(
  { database }: SyncInput,
  { checkout }: Pick<Prepared, 'checkout'>,
  start: RunStart,
  work: () => Promise<A>,
): Promise<A & { readonly run: number }> {
  const run = await database.beginRun({ ...start, ...checkout?.commitAndBranch });
  try {
    const applied = await work();
    const failed = applied.results.filter((result) => !result.ok).length;
    await database.endRun(countsOf(applied), failed > 0 ? `${failed} failed` : null);
    return { ...applied, run };
  } catch (error) {
    // The first error says more than what closing the record meets on a lost connection.
    await database.endRun({}, (error as Error).message).catch(() => {});
    throw error;
  }
}

async function carryOutAndReplan(input: SyncInput, prepared: Prepared): Promise<Applied> {
  let { plan } = prepared;
  let latest = await carryOut(input, prepared);
  let results = latest;
  // Force was asked for against what stood there when the run began, and not for what came since.
  const policy = { ...input.policy, force: false };
  for (let plans = 1; plans < maxPlans && !input.signal?.aborted; plans++) {
    const giving = givingUp(latest, prepared).filter((path) => input.selects(path));
    const anew = new Set<string>([...overtakenIn(latest), ...giving]);
    if (anew.size === 0) break;
    const some = { ...input, policy, selects: (path: string) => anew.has(path) };
    const { signal: _, ...uninterrupted } = some;
    const again = await prepareSync(uninterrupted);
    if (again.plan.refusal) break;
    latest = await carryOut(some, again);
    plan = joinPlans(plan, again.plan, giving);
    results = [...results.filter(({ ok, change }) => ok || !anew.has(change.path)), ...latest];
  }
  return { plan, results };
}

/** Where a skill is, or was, that the world overtook. */
function overtakenIn(results: readonly Result<PlannedChange>[]): readonly SkillPath[] {
  return results.flatMap(({ change: { path, from = path }, ...result }) =>
    !result.ok && overtakenReasons.has(result.problem.reason) ? [path, from] : [],
  );
}

/**
 * Skills in the files above one that came: what stands in its folder is not theirs any more. What of them is left
 * as it is stays that.
 */
function givingUp(
  results: readonly Result<PlannedChange>[],
  { local, plan: { conflicts, holds, ahead } }: Prepared,
): readonly SkillPath[] {
  const left = new Set<string>([...conflicts, ...holds, ...ahead].map(({ path }) => path));
  return results.flatMap(({ ok, change: { side, path, before, after, from } }) =>
    ok && side === 'files' && after && (before === null || from)
      ? (foldersAbove(path) as SkillPath[]).filter((above) => local.skills.has(above) && !left.has(above))
      : [],
  );
}

const overtakenReasons: ReadonlySet<Problem['reason']> = new Set([
  'row-changed-meanwhile',
  'files-changed-meanwhile',
  'content-changed-meanwhile',
  'skill-not-found',
]);

/**
 * A plan, and that of what was planned anew: nothing of this was carried out by the first.
 *
 * @param others skills that were planned anew though nothing was to be done about them
 */
function joinPlans(first: Plan, again: Plan, others: readonly SkillPath[]): Plan {
  // What cannot be read is found by each plan.
  const said = new Set(first.problems.map((problem) => JSON.stringify(problem)));
  const { changes, conflicts, holds, ahead, agreed } = first;
  const named = new Set(
    [changes, conflicts, holds, ahead, agreed].flatMap((some) => some.map(({ path }) => path)),
  );
  const counted = new Set(others.filter((path) => !named.has(path)));
  return {
    ...first,
    problems: [...first.problems, ...again.problems.filter((problem) => !said.has(JSON.stringify(problem)))],
    conflicts: [...conflicts, ...again.conflicts],
    holds: [...holds, ...again.holds],
    ahead: [...ahead, ...again.ahead],
    agreed: [...agreed, ...again.agreed],
    unchanged: first.unchanged + again.unchanged - counted.size,
  };
}

/** Carries out a plan once: the database in one transaction, then the files, then the base. */
async function carryOut(input: SyncInput, prepared: Prepared): Promise<readonly Result<PlannedChange>[]> {
  const settling = new Map(prepared.unsettled);
  const results = await applyChanges(input, prepared);
  for (const result of results) if (!result.ok) settling.delete(result.change.path);
  if (settling.size > 0 && !input.signal?.aborted) {
    await input.database.settle(settling, input.files.load, formerPaths(prepared.plan));
  }
  await advanceBase(input, prepared, results);
  return results;
}

/** Where skills stood when both sides last agreed, by where they stand now. */
function formerPaths({ changes, agreed }: Plan): ReadonlyMap<SkillPath, SkillPath> {
  return new Map([
    ...agreed.flatMap(({ path, renamed }) => (renamed ? [[path, renamed.base.path] as const] : [])),
    ...changes.flatMap(({ path, formerly }) => (formerly ? [[path, formerly] as const] : [])),
  ]);
}

/**
 * Reads what changes of one side bring. Most of it stands on the other side at the same path; of a renamed skill,
 * where the plan says.
 *
 * @param moved from where to where rows were moved since the plan was made
 */
function contentsOf(
  { files, database }: SyncInput,
  changes: readonly PlannedChange[],
  moved: ReadonlyMap<SkillPath, SkillPath>,
): Load {
  const byPath = new Map(changes.map((change) => [change.path, change]));
  const loads = { files: files.load, database: database.load };
  return async function* (paths) {
    const places = { files: new Map<SkillPath, SkillPath>(), database: new Map<SkillPath, SkillPath>() };
    const past = paths.flatMap((path) => {
      const of = byPath.get(path)?.past;
      return of ? [{ path, ...of }] : [];
    });
    // Where a merge goes to both sides, the database has it by the time that the files get it.
    const merges = paths.flatMap((path) => {
      const { side, merge } = byPath.get(path) ?? {};
      return side === 'database' && merge && merge !== 'by-hand' ? [merge] : [];
    });
    const isMade = new Set([...past, ...merges].map(({ path }) => path));
    for (const path of paths) {
      const change = byPath.get(path);
      if (change === undefined || isMade.has(path)) continue;
      const { side, path: place } = change.content ?? { side: otherSide(change.side), path };
      places[side].set(path, (change.content && side === 'database' && moved.get(place)) || place);
    }
    for (const side of ['files', 'database'] as const) {
      if (places[side].size > 0) yield* loadAt(loads[side], places[side]);
    }
    yield* database.loadPast(past);
    yield* loadMerged({ files, database }, merges);
  };
}

/** Reads what changes bring from where it lies by its digest. */
function contentsFrom(contents: ContentsOf, changes: readonly PlannedChange[]): Load {
  const digests = new Map(changes.map(({ path, after }) => [path, after?.digest]));
  async function* oneByOne(paths: readonly SkillPath[]): AsyncGenerator<Loaded> {
    const asked = paths.flatMap((path) => {
      const digest = digests.get(path);
      return digest ? [[path, digest] as const] : [];
    });
    let at = 0;
    for await (const content of contents(asked.map(([, digest]) => digest))) {
      const path = asked[at++]?.[0];
      if (path === undefined) return;
      if ('problem' in content) yield { path, problem: content.problem };
      else yield { path, skill: { path, entries: content.entries } };
    }
  }
  return (paths) => gathered(oneByOne(paths));
}

/** The same, telling how much of it was asked for. */
function told(load: Load, step: Step, total: number, onProgress: OnProgress): Load {
  let done = 0;
  return async function* (paths) {
    for await (const batch of load(paths)) {
      yield batch;
      done += batch.length;
      onProgress(step, done, total);
    }
    // What is removed needs no content.
    onProgress(step, total, total);
  };
}

/** Carries out a plan's changes: the database's in one transaction, then the files'. */
export async function applyChanges(
  input: SyncInput,
  { plan, local, base, checkout, contents, isWhole = false }: Prepared,
): Promise<readonly Result<PlannedChange>[]> {
  const { files, database, signal } = input;
  const changes = plan.changes.map((change): PlannedChange => {
    const agreed = base.entries.get(change.formerly ?? change.path);
    return agreed === undefined ? change : { ...change, agreed };
  });
  const back = await cameBack(input, local, changes);
  const overtaken = [...back].map(([change, problem]) => ({ change, ...refuse(problem) }));
  if (isWhole && back.size > 0) {
    const others = changes.filter((change) => !back.has(change));
    return [...overtaken, ...others.map((change) => ({ change, ...refuse(notWhole) }))];
  }
  const toDatabase = await withFileTimes(
    { files, database, checkout },
    changes.filter((change) => change.side === 'database' && !back.has(change)),
  );
  const source = (some: readonly PlannedChange[], moved: ReadonlyMap<SkillPath, SkillPath>, step: Step) => {
    const brought = contents ? contentsFrom(contents, some) : contentsOf(input, some, moved);
    const load = (step === 'store' && input.onSend?.(some, brought)) || brought;
    return input.onProgress ? told(load, step, some.length, input.onProgress) : load;
  };
  const stored = [
    ...overtaken,
    ...(toDatabase.length > 0
      ? await database.apply(toDatabase, source(toDatabase, new Map(), 'store'), signal, isWhole)
      : []),
  ];
  // What the database did not take goes nowhere; why not is said once.
  const unmerged = new Set(stored.flatMap(({ ok, change }) => (!ok && change.merge ? [change.path] : [])));
  const toFiles = changes.filter(
    ({ side, merge, path }) => side === 'files' && !(merge && unmerged.has(path)),
  );
  if (toFiles.length === 0) return stored;
  if (isWhole && stored.some(({ ok }) => !ok)) {
    return [...stored, ...toFiles.map((change) => ({ change, ...refuse(notWhole) }))];
  }
  // What is not written any more need not be kept.
  // A history takes no files of which nobody knows the row: the trash has those.
  const overwriting = signal?.aborted
    ? []
    : toFiles.filter((change) => isOverwriting(change) && (change.after ?? change.agreed));
  const standing = new Map(overwriting.map(({ path, from }) => [path, from ?? path]));
  const kept =
    overwriting.length > 0 ? await database.keep(overwriting, () => loadAt(files.load, standing)) : [];
  const refused = kept.filter((result) => !result.ok);
  const unkept = new Set(refused.map((result) => result.change));
  const revisions = new Map(
    kept.flatMap((result) => (result.ok ? [[result.change, result.kept] as const] : [])),
  );
  const answers = await files.apply(
    toFiles.filter((change) => !unkept.has(change)),
    source(toFiles, movedRows(stored), 'write'),
    signal,
  );
  const written = answers.map((result): Result<PlannedChange> => {
    const revision = revisions.get(result.change);
    return result.ok && revision !== undefined ? { ...result, kept: revision } : result;
  });
  await database.log([...refused, ...written]);
  return [...stored, ...refused, ...written];
}

/**
 * Deletions of rows whose skills the files lacked when the plan was made, and have again, or of which nobody can tell: a
 * skill that is moved or written anew while it is listed is away for a moment.
 */
async function cameBack(
  { files }: SyncInput,
  local: Snapshot,
  changes: readonly PlannedChange[],
): Promise<ReadonlyMap<PlannedChange, Problem>> {
  const deletions = new Map(
    changes.flatMap((change) => (isForLack(change, local) ? [[change.path, change] as const] : [])),
  );
  const back = new Map<PlannedChange, Problem>();
  for await (const batch of files.load([...deletions.keys()])) {
    for (const loaded of batch) {
      const { path } = loaded;
      const change = deletions.get(path);
      const problem: Problem =
        'problem' in loaded ? loaded.problem : { reason: 'files-changed-meanwhile', path };
      if (change && problem.reason !== 'skill-not-found') back.set(change, problem);
    }
  }
  return back;
}

function movedRows(results: readonly Result<PlannedChange>[]): ReadonlyMap<SkillPath, SkillPath> {
  return new Map(
    results.flatMap(({ ok, change: { path, from } }) => (ok && from ? [[from, path] as const] : [])),
  );
}

/** How many conflicts a run left, for its record. */
function conflictsIn({ conflicts }: Plan): { readonly conflicts: number } {
  return { conflicts: conflicts.length };
}

/** How many of each kind a run did, for its record. */
function countsOf({ plan, results }: Applied): { readonly [name: string]: number } {
  const counts = { created: 0, updated: 0, renamed: 0, removed: 0, failed: 0, ...conflictsIn(plan) };
  for (const { ok, change } of results) {
    if (!ok) counts.failed++;
    else if (change.from !== undefined) counts.renamed++;
    else if (change.after === null) counts.removed++;
    else if (change.before === null) counts.created++;
    else counts.updated++;
  }
  return counts;
}

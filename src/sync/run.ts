// How a run ends: its plan carried out on both sides, and the base advanced by what they answered.

import type { Problem } from '../problem.ts';
import { isOverwriting, type Plan, type PlannedChange } from '../reconcile/plan.ts';
import type { Result, SkillState } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import { writeBase } from './base.ts';
import { noteCommits } from './commit-notes.ts';
import { type Prepared, prepareSync, type SyncInput } from './sync.ts';
import { withFileTimes } from './times.ts';

/** What became of a run. */
export interface Applied {
  /** The plan as it was in the end: what the world overtook was planned anew. */
  readonly plan: Plan;
  readonly results: readonly Result<PlannedChange>[];
}

/** How often a run plans anew what the world overtook while it was carried out. */
const maxPlans = 4;

/** Carries out a plan, and plans anew what the world overtook meanwhile. What has nothing to write leaves no record. */
export async function runPlan(input: SyncInput, prepared: Prepared): Promise<Applied> {
  if (prepared.plan.changes.length === 0 && prepared.unsettled.size === 0) {
    await advanceBase(input, prepared, []);
    return { plan: prepared.plan, results: [] };
  }
  const { database } = input;
  await database.beginRun(input.run);
  try {
    const applied = await carryOutAndReplan(input, prepared);
    const failed = applied.results.filter((result) => !result.ok).length;
    await database.endRun(countsOf(applied.results), failed > 0 ? `${failed} failed` : null);
    return applied;
  } catch (error) {
    // The first error says more than what closing the record meets on a lost connection.
    await database.endRun({}, (error as Error).message).catch(() => {});
    throw error;
  }
}

async function carryOutAndReplan(input: SyncInput, prepared: Prepared): Promise<Applied> {
  let applied: Applied = { plan: prepared.plan, results: await carryOut(input, prepared) };
  // Force was asked for against what stood there when the run began, and not for what came since.
  const policy = { ...input.policy, force: false };
  for (let plans = 1; plans < maxPlans; plans++) {
    const overtaken = new Set<string>(
      applied.results.flatMap((result) =>
        !result.ok && overtakenReasons.has(result.problem.reason) ? [result.change.path] : [],
      ),
    );
    if (overtaken.size === 0 || input.signal?.aborted) break;
    const some = { ...input, policy, selects: (path: string) => overtaken.has(path) };
    const { signal: _, ...uninterrupted } = some;
    const again = await prepareSync(uninterrupted);
    if (again.plan.refusal) break;
    const results = await carryOut(some, again);
    applied = {
      plan: joinPlans(applied.plan, again.plan),
      results: [...applied.results.filter(({ change }) => !overtaken.has(change.path)), ...results],
    };
  }
  return applied;
}

const overtakenReasons: ReadonlySet<Problem['reason']> = new Set([
  'row-changed-meanwhile',
  'files-changed-meanwhile',
  'content-changed-meanwhile',
  'skill-not-found',
]);

/** A plan, and that of what was planned anew: nothing of this was carried out by the first. */
function joinPlans(first: Plan, again: Plan): Plan {
  // What cannot be read is found by each plan.
  const said = new Set(first.problems.map((problem) => JSON.stringify(problem)));
  return {
    ...first,
    problems: [...first.problems, ...again.problems.filter((problem) => !said.has(JSON.stringify(problem)))],
    conflicts: [...first.conflicts, ...again.conflicts],
    holds: [...first.holds, ...again.holds],
    ahead: [...first.ahead, ...again.ahead],
    agreed: [...first.agreed, ...again.agreed],
    unchanged: first.unchanged + again.unchanged,
  };
}

/** Carries out a plan once: the database in one transaction, then the files, then the base. */
async function carryOut(input: SyncInput, prepared: Prepared): Promise<readonly Result<PlannedChange>[]> {
  const settling = new Map(prepared.unsettled);
  const results = await applyChanges(input, prepared);
  for (const result of results) if (!result.ok) settling.delete(result.change.path);
  if (settling.size > 0 && !input.signal?.aborted) await input.database.settle(settling, input.files.load);
  await advanceBase(input, prepared, results);
  return results;
}

async function applyChanges(
  { files, database, signal }: SyncInput,
  { plan: { changes }, checkout }: Prepared,
): Promise<readonly Result<PlannedChange>[]> {
  const toDatabase = await withFileTimes(
    { files, database, checkout },
    changes.filter((change) => change.side === 'database'),
  );
  const toFiles = changes.filter((change) => change.side === 'files');
  const stored = toDatabase.length > 0 ? await database.apply(toDatabase, files.load, signal) : [];
  if (toFiles.length === 0) return stored;
  // What is not written any more need not be kept.
  const overwriting = signal?.aborted ? [] : toFiles.filter(isOverwriting);
  const kept = overwriting.length > 0 ? await database.keep(overwriting, files.load) : [];
  const refused = kept.filter((result) => !result.ok);
  const unkept = new Set(refused.map((result) => result.change));
  const revisions = new Map(
    kept.flatMap((result) => (result.ok ? [[result.change, result.kept] as const] : [])),
  );
  const answers = await files.apply(
    toFiles.filter((change) => !unkept.has(change)),
    database.load,
    signal,
  );
  const written = answers.map((result): Result<PlannedChange> => {
    const revision = revisions.get(result.change);
    return result.ok && revision !== undefined ? { ...result, kept: revision } : result;
  });
  await database.log([...refused, ...written]);
  return [...stored, ...refused, ...written];
}

/** Writes down, path by path, what both sides are now known to hold, and which commit knows it. */
async function advanceBase(
  { database, disk, stateDirectory }: SyncInput,
  prepared: Prepared,
  results: readonly Result<PlannedChange>[],
): Promise<void> {
  const { plan, base, identity, checkout } = prepared;
  const entries = new Map(base.entries);
  const settle = (path: SkillPath, local: SkillState | null, remote: SkillState | null) => {
    if (local === null) entries.delete(path);
    else if (remote?.row)
      entries.set(path, { digest: local.digest, skillId: remote.row.skillId, noted: false });
  };
  for (const { path, local, remote } of plan.agreed) settle(path, local, remote);
  for (const result of results) {
    if (!result.ok) continue;
    const { change, state } = result;
    settle(change.path, state, state?.row ? state : change.after);
  }
  const noted = await noteCommits(database, prepared, entries, results);
  for (const path of noted) {
    const entry = entries.get(path);
    if (entry) entries.set(path, { ...entry, noted: true });
  }
  if (plan.agreed.length === 0 && noted.length === 0 && results.every((result) => !result.ok)) return;
  const { latest } = await database.identity();
  const moment = {
    repository: checkout?.repositoryName ?? null,
    head: checkout?.place.commit ?? null,
    latest,
  };
  await writeBase(disk, stateDirectory, identity, moment, entries);
}

function countsOf(results: readonly Result[]): { readonly [name: string]: number } {
  const counts = { created: 0, updated: 0, failed: 0 };
  for (const { ok, change } of results) {
    if (!ok) counts.failed++;
    else if (change.before === null) counts.created++;
    else counts.updated++;
  }
  return counts;
}

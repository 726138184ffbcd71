// Takes back what a run did, on both sides, and sets back what they agreed on.

import { type Outcome, refuse } from '../problem.ts';
import type { Plan } from '../reconcile/plan.ts';
import { joinDone, makeUndoPlan } from '../reconcile/undo.ts';
import type { RecordedChange, RecordedRun } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import { writeBaseNow } from './advance-base.ts';
import type { BaseEntry } from './base.ts';
import { type Applied, applyChanges, inRecord } from './run.ts';
import { type Prepared, prepareSync, readSides, type SyncInput } from './sync.ts';

/** The plan of an undo, and the run that it takes back. */
export interface PreparedUndo extends Prepared {
  readonly run: RecordedRun;
  /** What of it can be taken back here: files were changed in one skills directory only. */
  readonly done: readonly RecordedChange[];
  /** How many files it changed in another skills directory. */
  readonly elsewhere: number;
}

/**
 * Reads both sides, and plans what takes back a run. Writes nothing. Refused with `run-not-found`, and
 * `run-not-recorded` where the run is older than its record can tell.
 *
 * @param id the run's number; null is the latest that is not taken back yet
 */
export async function prepareUndo(input: SyncInput, id: number | null): Promise<Outcome<PreparedUndo>> {
  const { database, selects, policy } = input;
  return database.inView(async () => {
    const recorded = await database.recordedRun(id);
    if (recorded === undefined) return refuse({ reason: 'run-not-found', run: id });
    const { run, changes } = recorded;
    if (changes === null) return refuse({ reason: 'run-not-recorded', run: run.id });
    const isHere = isAt(input, run);
    const done = changes.filter(({ side }) => side === 'database' || isHere);
    const { first: _, ...sides } = await readSides(input);
    const { local, remote } = sides;
    const plan = makeUndoPlan({ run: run.id, done, local, remote, selects, policy });
    return {
      ok: true,
      value: {
        ...sides,
        plan,
        notices: [...local.notices, ...remote.notices],
        unsettled: new Map(),
        run,
        done,
        elsewhere: changes.length - done.length,
      },
    };
  });
}

/** Whether a run worked on this skills directory. */
function isAt({ run: { host, directory } }: SyncInput, run: RecordedRun): boolean {
  return run.host === host && run.directory === directory;
}

/** Carries out an undo. It is a run like others, and can be taken back in turn. */
export async function runUndo(input: SyncInput, prepared: PreparedUndo): Promise<Applied> {
  const { plan, run } = prepared;
  if (plan.changes.length === 0) return { plan, results: [] };
  return inRecord(input, prepared, { ...input.run, direction: 'undo', undoes: run.id }, async () => {
    const results = await applyChanges(input, prepared);
    await setBaseBack(input, prepared, new Set(results.flatMap(({ ok, change }) => (ok ? [] : change.path))));
    return { plan, results };
  });
}

/** Lets both sides have agreed last on what they had agreed on before the run. */
async function setBaseBack(
  input: SyncInput,
  prepared: PreparedUndo,
  failed: ReadonlySet<string>,
): Promise<void> {
  const { run, done, plan, base } = prepared;
  // What another skills directory agreed on with the database is kept there.
  if (!isAt(input, run)) return;
  const { selects } = input;
  const left = new Set<string>([...failed, ...plan.conflicts.map(({ path }) => path)]);
  const entries = new Map<SkillPath, BaseEntry>(base.entries);
  const back = joinDone(done).filter(
    ({ path, formerly }) => !left.has(path) && !left.has(formerly) && (selects(path) || selects(formerly)),
  );
  for (const { path } of back) entries.delete(path);
  for (const { formerly, agreed, skillId } of back) {
    if (agreed !== null && skillId !== null) entries.set(formerly, { digest: agreed, skillId, noted: false });
  }
  await writeBaseNow(input, prepared, entries);
}

/** What a sync would do now with the skills that an undo concerned. Writes nothing. */
export async function planNext(input: SyncInput, { done }: PreparedUndo): Promise<Plan> {
  const paths = new Set<string>(done.flatMap(({ path, formerly }) => [path, formerly]));
  const policy = { ...input.policy, force: false, onConflict: 'newest' as const };
  const run = { ...input.run, direction: 'sync' as const };
  return (await prepareSync({ ...input, run, policy, selects: (path) => paths.has(path) })).plan;
}

// The record of runs: written apart from what a run changes, so that a failed run is known too.

import type { DatabaseReplica, RecordedChange, RecordedRun, Result, RunStart } from '../replica.ts';

import { type Connection, inWriting } from './connection.ts';
import { Reshaped } from './sqlstate.ts';

/** Notes that a run begins to write. Returns its id. */
export async function beginRun(connection: Connection, run: RunStart): Promise<number> {
  const [row] = await connection.query<{ run_id: number }>(
    `insert into sync_runs (direction, who, host, directory, git_commit, git_branch, undoes)
     values ($1, $2, $3, $4, $5, $6, $7) returning run_id`,
    [
      run.direction,
      run.who,
      run.host,
      run.directory,
      run.commit ?? null,
      run.branch ?? null,
      run.undoes ?? null,
    ],
  );
  if (!row) throw new Reshaped('sync_runs keeps no row');
  return row.run_id;
}

/**
 * Notes that a run found nothing to do, if the last good one is an hour old, or none since was good, or this one left
 * other conflicts than that: often enough for who watches, and so seldom that runs in a row write nothing.
 */
export async function noteIdleRun(
  connection: Connection,
  run: RunStart,
  counts: { readonly conflicts: number },
): Promise<void> {
  const [recent] = await connection.query(
    `select from sync_runs
     where outcome = 'success' and direction = any ($1) and finished_at > now() - interval '1 hour'
       and run_id > (select coalesce(max(run_id), 0) from sync_runs where outcome <> 'success')
       -- One without conflicts may come between those of a clone that has some.
       and ($2 = 0 or (counts ->> 'conflicts')::integer = $2 and run_id = (
         select max(run_id) from sync_runs where direction = any ($1)
       ))
     limit 1`,
    [betweenSides, counts.conflicts],
  );
  if (recent) return;
  await inWriting(connection, async () => {
    const id = await beginRun(connection, run);
    await endRun(connection, id, { counts, error: null });
  });
}

/** Directions of runs between both sides. */
const betweenSides: readonly RunStart['direction'][] = ['export', 'import', 'sync'];

/** Notes what became of changes. */
export async function logResults(
  connection: Connection,
  runId: number,
  direction: 'to_database' | 'to_files',
  results: readonly Result[],
): Promise<void> {
  await connection.query(
    `insert into sync_log (
       run_id, skill_path, skill_id, operation, direction, status, error,
       former_path, before_digest, after_digest, base_digest, before_revision, revision, why, is_detailed
     )
     select $1, skill_path,
       -- Of files that are removed no side may tell whose they were.
       coalesce(
         skill_id,
         (select s.skill_id from skills s where s.skill_path = logged.skill_path),
         (select r.skill_id from skill_revisions r
          where r.skill_path = logged.skill_path and r.digest = logged.before_digest
          order by r.revision desc limit 1)
       ),
       operation, $2, status, error,
       former_path, before_digest, after_digest, base_digest, before_revision, revision, why, true
     from unnest(
       $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
       $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::text[]
     ) as logged (
       skill_path, skill_id, operation, status, error,
       former_path, before_digest, after_digest, base_digest, before_revision, revision, why
     )`,
    [
      runId,
      direction,
      results.map(({ change }) => change.path),
      results.map((result) => skillIdOf(result)),
      results.map(({ change }) => operationOf(change)),
      results.map((result) => (result.ok ? 'success' : 'failed')),
      results.map((result) => (result.ok ? null : result.problem.reason)),
      results.map(({ change }) => change.from ?? null),
      results.map(({ change }) => change.before?.digest ?? null),
      results.map((result) => (result.ok ? result.state : result.change.after)?.digest ?? null),
      results.map(({ change }) => change.agreed?.digest ?? null),
      results.map(({ change }) => change.before?.row?.revision ?? null),
      results.map((result) => (result.ok ? (result.state?.row?.revision ?? result.kept ?? null) : null)),
      results.map(({ change }) => change.why ?? null),
    ],
  );
}

function skillIdOf(result: Result): number | null {
  const { before, after, agreed } = result.change;
  const state = result.ok ? result.state : null;
  const deleted = result.ok ? result.deleted : undefined;
  return (state?.row ?? deleted ?? before?.row ?? after?.row ?? agreed)?.skillId ?? null;
}

function operationOf({ before, after, from }: Result['change']): 'create' | 'update' | 'rename' | 'remove' {
  if (from !== undefined) return 'rename';
  if (after === null) return 'remove';
  return before === null ? 'create' : 'update';
}

/** Notes how a run ended. */
export async function endRun(
  connection: Connection,
  runId: number,
  end: { readonly counts: { readonly [name: string]: number }; readonly error: string | null },
): Promise<void> {
  await connection.query(
    `update sync_runs set finished_at = clock_timestamp(), outcome = $2, counts = $3, error = $4 where run_id = $1`,
    [runId, end.error === null ? 'success' : 'failed', JSON.stringify(end.counts), end.error],
  );
}

/** See {@link DatabaseReplica.recordedRun}. */
export async function recordedRun(
  connection: Connection,
  id: number | null,
): ReturnType<DatabaseReplica['recordedRun']> {
  const [run] = await connection.query<RecordedRun>(
    `select r.run_id as id, r.direction, r.who, r.host, r.directory, r.started_at as "startedAt"
     from sync_runs r
     where r.run_id = $1
       or $1::bigint is null and r.undoes is null and r.run_id <> all ($2)
         and exists (
           select from sync_log l
           where l.run_id = r.run_id and l.status = 'success'
             -- What left a skill as it was leaves nothing to take back.
             and (l.before_digest is distinct from l.after_digest or l.former_path is not null or not l.is_detailed)
         )
     order by r.run_id desc limit 1`,
    [id, id === null ? [...(await takenBack(connection)).keys()] : []],
  );
  if (run === undefined) return undefined;
  const rows = await connection.query<RecordedChange & { readonly isDetailed: boolean }>(
    `select case direction when 'to_database' then 'database' else 'files' end as side, skill_path as path,
       coalesce(former_path, skill_path) as formerly, skill_id as "skillId", before_digest as before,
       before_revision as revision, after_digest as after, base_digest as agreed, is_detailed as "isDetailed"
     from sync_log where run_id = $1 and status = 'success' order by log_id`,
    [run.id],
  );
  return { run, changes: rows.every((row) => row.isDetailed) ? rows : null };
}

/** The runs that an undo took back, and no other one took that back in turn: each with the undo that did. */
export async function takenBack(connection: Connection): Promise<ReadonlyMap<number, number>> {
  const undone = new Map<number, number>();
  for (const { run_id: id, undoes } of await connection.query<{ run_id: number; undoes: number }>(
    `select run_id, undoes from sync_runs where undoes is not null and outcome = 'success' order by run_id desc`,
  )) {
    if (!undone.has(id) && !undone.has(undoes)) undone.set(undoes, id);
  }
  return undone;
}

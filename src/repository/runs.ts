// The record of runs: written apart from what a run changes, so that a failed run is known too.

import type { Result, RunStart } from '../replica.ts';
import type { Connection } from './connection.ts';

/** Notes that a run begins to write. Returns its id. */
export async function beginRun(connection: Connection, run: RunStart): Promise<number> {
  const [row] = await connection.query<{ run_id: number }>(
    'insert into sync_runs (direction, who, host, directory) values ($1, $2, $3, $4) returning run_id',
    [run.direction, run.who, run.host, run.directory],
  );
  if (!row) throw new Error('the database returned no run_id');
  return row.run_id;
}

/** Notes what became of changes. */
export async function logResults(
  connection: Connection,
  runId: number,
  direction: 'to_database' | 'to_files',
  results: readonly Result[],
): Promise<void> {
  await connection.query(
    `insert into sync_log (run_id, skill_path, skill_id, operation, direction, status, error)
     select $1, skill_path, skill_id, operation, $2, status, error
     from unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::text[])
       as logged (skill_path, skill_id, operation, status, error)`,
    [
      runId,
      direction,
      results.map(({ change }) => change.path),
      results.map((result) => skillIdOf(result)),
      results.map(({ change }) => operationOf(change)),
      results.map((result) => (result.ok ? 'success' : 'failed')),
      results.map((result) => (result.ok ? null : result.problem.reason)),
    ],
  );
}

function skillIdOf(result: Result): number | null {
  const { before, after } = result.change;
  const state = result.ok ? result.state : null;
  return (state?.row ?? before?.row ?? after?.row)?.skillId ?? null;
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

// What the database alone can say of how things stand: its last runs, and rows that no category finds.

import { type Connection, inView } from './connection.ts';
import type { LoggedRun } from './run-log.ts';

/** A run, without what it did. */
export type RunEnd = Pick<
  LoggedRun,
  'run' | 'direction' | 'who' | 'host' | 'startedAt' | 'finishedAt' | 'outcome' | 'error'
>;

/** What the database's record says. */
export interface RunRecord {
  /** The database's clock. */
  readonly now: Date;
  readonly lastRun: RunEnd | null;
  /** The last run between both sides that succeeded. */
  readonly lastGoodRun: RunEnd | null;
  /** How many of the last ten runs failed. */
  readonly recentFailures: number;
  /** How many skills are in no category. */
  readonly uncategorized: number;
}

/** The record of a database that does not exist yet. */
export function emptyRecord(now: Date): RunRecord {
  return { now, lastRun: null, lastGoodRun: null, recentFailures: 0, uncategorized: 0 };
}

/** Reads the record. */
export function readRecord(connection: Connection): Promise<RunRecord> {
  return inView(connection, async () => {
    const [facts] = await connection.query<
      Pick<RunRecord, 'now' | 'recentFailures' | 'uncategorized'> & {
        readonly last: number | null;
        readonly good: number | null;
      }
    >(
      `select clock_timestamp() as now,
         (select max(run_id) from sync_runs) as last,
         (select max(run_id) from sync_runs
           where outcome = 'success' and direction in ('export', 'import', 'sync')) as good,
         (select count(*) from (select outcome from sync_runs order by run_id desc limit 10) recent
           where outcome = 'failed') as "recentFailures",
         (select count(*) from skills s
           where s.deleted_at is null
             and not exists (select from skill_categories sc where sc.skill_id = s.skill_id)) as uncategorized`,
    );
    if (facts === undefined) throw new Error('a query of one row gave none');
    const { last, good, ...record } = facts;
    const runs = await connection.query<RunEnd>(
      `select run_id as run, direction, who, host, started_at as "startedAt", finished_at as "finishedAt",
         outcome, error
       from sync_runs where run_id = any ($1)`,
      [[last, good]],
    );
    const runOf = (id: number | null) => runs.find(({ run }) => run === id) ?? null;
    return { ...record, lastRun: runOf(last), lastGoodRun: runOf(good) };
  });
}

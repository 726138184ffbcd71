// What the database tells of the past: its runs, and the states that one skill had.

import type { Direction, Loaded } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import type { Connection } from './connection.ts';
import { isKeptFiles } from './history.ts';
import { loadRows } from './load.ts';
import { type KnownSkill, loadRevisions } from './revision.ts';
import { takenBack } from './runs.ts';

/** A stretch of the past, from its newer end. */
export interface Stretch {
  /** How many at most. */
  readonly limit: number;
  /** Nothing older; null is all. What nobody knows the time of is older. */
  readonly since: Date | null;
}

/** The time so many milliseconds ago, by the clock that dates runs and revisions: the database's. */
export async function timeAgo(connection: Connection, ms: number): Promise<Date> {
  const [row] = await connection.query<{ at: Date }>(
    'select clock_timestamp() - make_interval(secs => $1::float8 / 1000) as at',
    [ms],
  );
  if (row === undefined) throw new Error('a query of one row gave none');
  return row.at;
}

/** One run, as its record has it. */
export interface LoggedRun {
  readonly run: number;
  readonly direction: Direction | 'restore' | 'undo';
  readonly who: string;
  readonly host: string;
  readonly directory: string;
  readonly startedAt: Date;
  /** Null where it is under way, or was killed. */
  readonly finishedAt: Date | null;
  readonly outcome: 'running' | 'success' | 'failed';
  readonly error: string | null;
  /** The commit and the branch of the skills directory; null outside of git. */
  readonly commit: string | null;
  readonly branch: string | null;
  /** What it did to how many skills. */
  readonly counts: RunCounts;
  /** The run that it took back. */
  readonly undoes: number | null;
  /** The run that took it back, unless that was taken back in turn. */
  readonly takenBackBy: number | null;
}

/** How many skills a run changed, by what it did, and how many it could not. */
export interface RunCounts {
  readonly create: number;
  readonly update: number;
  readonly rename: number;
  readonly archive: number;
  readonly write: number;
  readonly remove: number;
  /** Skills whose edits on both sides it put together; they count among those above too. */
  readonly merge: number;
  readonly failed: number;
  /** Conflicts that it left undecided. */
  readonly conflicts: number;
}

/** The latest runs, the newest first. */
export async function loggedRuns(
  connection: Connection,
  { limit, since }: Stretch,
): Promise<readonly LoggedRun[]> {
  const runs = await connection.query<Omit<LoggedRun, 'takenBackBy'>>(
    `select r.run_id as run, r.direction, r.who, r.host, r.directory, r.started_at as "startedAt",
       r.finished_at as "finishedAt", r.outcome, r.error, r.git_commit as commit, r.git_branch as branch, r.undoes,
       (
         select json_build_object(
           'create', count(*) filter (where done.what = 'create to_database'),
           'update', count(*) filter (where done.what = 'update to_database'),
           'rename', count(*) filter (where done.what like 'rename %'),
           'archive', count(*) filter (where done.what = 'remove to_database'),
           'write', count(*) filter (where done.what in ('create to_files', 'update to_files')),
           'remove', count(*) filter (where done.what = 'remove to_files'),
           'merge', count(distinct done.skill_path) filter (where done.what is not null and done.why = 'merged'),
           'failed', count(*) filter (where done.what is null),
           'conflicts', case when r.counts @? '$.conflicts ? (@.type() == "number")' then (r.counts ->> 'conflicts')::numeric else 0 end
         )
         from (
           select case when l.status = 'success' then l.operation || ' ' || l.direction end as what,
             l.skill_path, l.why
           from sync_log l where l.run_id = r.run_id
         ) done
       ) as counts
     from sync_runs r
     where $2::timestamptz is null or r.started_at >= $2
     order by r.run_id desc limit $1`,
    [limit, since],
  );
  const undoneBy = await takenBack(connection);
  return runs.map((run) => ({ ...run, takenBackBy: undoneBy.get(run.run) ?? null }));
}

/** One state that a skill has or had. */
export interface LoggedRevision {
  readonly revision: number;
  readonly path: SkillPath;
  /** When it came to be; null where nobody knows. */
  readonly at: Date | null;
  readonly origin: 'files' | 'database';
  readonly writer: string | null;
  /** The run that made it; null where another writer did. */
  readonly run: number | null;
  readonly digest: Digest | null;
  /** Whether it is what the row holds. */
  readonly isPresent: boolean;
  readonly isDeleted: boolean;
  /** Whether it was never a row's state: files that a run overwrote, and kept first. */
  readonly isKept: boolean;
  /** Whether a run put both sides' edits together in it. */
  readonly isMerge: boolean;
  /** The revision that it followed; null for the first. */
  readonly before: number | null;
}

/**
 * The states of a skill, the newest first: that of its row, and those that the history holds.
 *
 * @param only their numbers, where not all of the stretch are wanted
 */
export function loggedRevisions(
  connection: Connection,
  skillId: number,
  { limit, since }: Stretch,
  only: readonly number[] | null = null,
): Promise<readonly LoggedRevision[]> {
  return connection.query<LoggedRevision>(
    `with states as (
       select r.revision, r.skill_path, coalesce(r.revised_at, kept.at) as at, r.origin, r.writer, r.digest,
         r.replaced_by_run, false as is_present, r.deleted, kept.at is not null as is_kept
       from skill_revisions r
       left join lateral (select r.replaced_at as at where ${isKeptFiles('r')}) kept on true
       where r.skill_id = $1
       union all
       select y.revision, s.skill_path, y.revised_at, y.origin, y.writer,
         case when y.digest_revision = y.revision then y.digest end, null, true, s.deleted_at is not null, false
       from skills s join skill_sync y using (skill_id) where s.skill_id = $1
     ),
     followed as (
       select *, max(case when not is_kept then revision end)
         over (order by revision rows between unbounded preceding and 1 preceding) as before
       from states
     )
     select f.revision, f.skill_path as path, f.at, f.origin, f.writer, f.digest, f.is_present as "isPresent",
       f.deleted as "isDeleted", f.is_kept as "isKept", f.before,
       not f.is_kept and exists (
         select from sync_log l
         where l.skill_id = $1 and l.revision = f.revision and l.direction = 'to_database' and l.why = 'merged'
           and l.status = 'success'
       ) as "isMerge",
       case when f.is_kept then f.replaced_by_run else coalesce(
         (select min(l.run_id) from sync_log l
          where l.skill_id = $1 and l.revision = f.revision and l.direction = 'to_database' and l.status = 'success'),
         (select b.replaced_by_run from skill_revisions b where b.skill_id = $1 and b.revision = f.before)
       ) end as run
     from followed f
     where ($3::timestamptz is null or f.at >= $3) and ($4::bigint[] is null or f.revision = any ($4))
     order by f.revision desc limit $2`,
    [skillId, limit, since, only],
  );
}

/** Reads what a skill held in some of its states, in bounded batches, in the order asked for. */
export async function* loadStates(
  connection: Connection,
  { skillId, path, revision: present }: KnownSkill,
  states: readonly Pick<LoggedRevision, 'revision' | 'path'>[],
  mapping: TaxonomyMapping,
): AsyncIterable<readonly Loaded[]> {
  const keys = states.map((state) => ({ ...state, skillId }));
  const at = keys.findIndex((key) => key.revision === present);
  yield* loadRevisions(connection, at === -1 ? keys : keys.slice(0, at));
  if (at === -1) return;
  yield* loadRows(connection, [{ skillId, path }], { mapping });
  yield* loadRevisions(connection, keys.slice(at + 1));
}

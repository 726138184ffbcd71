// Prune: the contents of old revisions are given up, and what tells that they were there stays.

import { type Connection, inView, inWriting } from './connection.ts';
import { advisoryLockKey } from './migrate.ts';
import { recordedRun } from './runs.ts';

/** Which revisions keep their contents whether anything needs them or not. */
export interface PruneLimits {
  /** So many of the latest of each skill, what its row holds now not counted. */
  readonly keepLast: number;
  /** Those replaced in so many days. */
  readonly keepDays: number;
}

/** What was given up, and what stays. */
export interface Pruned {
  /** Revisions whose contents went. */
  readonly revisions: number;
  /** Skills that these are of. */
  readonly skills: number;
  /** Contents of attached files that no revision with contents names any more. */
  readonly blobs: number;
  /** The size of all that, in bytes. */
  readonly bytes: number;
  readonly keptRevisions: number;
  readonly keptBlobs: number;
}

/** Finds what a prune would give up. Reads only. */
export function findPrunable(connection: Connection, limits: PruneLimits): Promise<Pruned> {
  return inView(connection, () => prune(connection, limits, sightings));
}

/**
 * Gives up the contents of revisions that are beyond the limits and that nothing needs, and the contents of files
 * that no other revision names. Numbers, paths, times, digests and manifests stay.
 */
export function pruneRevisions(connection: Connection, limits: PruneLimits): Promise<Pruned> {
  return inWriting(connection, async () => {
    await connection.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
    // Whoever names a file's content without storing it, since it is there already, is seen or waits.
    await connection.query('lock table skill_blobs in share row exclusive mode');
    return prune(connection, limits, removals);
  });
}

interface Steps {
  readonly pruned: string;
  readonly removed: string;
}

const isUnnamed = 'not exists (select from named n where n.sha256 = b.sha256)';

const sightings: Steps = {
  pruned: 'select skill_id from doomed',
  removed: `select octet_length(b.bytes) as bytes from skill_blobs b where ${isUnnamed}`,
};

const removals: Steps = {
  pruned: `
    update skill_revisions r
    set frontmatter_source = null, skill_content = null, index = null, indexed = null, targets = null,
      pruned_at = now()
    from doomed d where (r.skill_id, r.revision) = (d.skill_id, d.revision)
    returning r.skill_id`,
  removed: `delete from skill_blobs b where ${isUnnamed} returning octet_length(b.bytes) as bytes`,
};

async function prune(
  connection: Connection,
  { keepLast, keepDays }: PruneLimits,
  { pruned, removed }: Steps,
): Promise<Pruned> {
  const undoable = await recordedRun(connection, null);
  const [row] = await connection.query<Pruned>(
    `with ${doomedSql},
     named as materialized (
       select distinct f.sha256
       from skill_revisions r cross join lateral jsonb_to_recordset(r.files) as f (sha256 text)
       where r.pruned_at is null
         and not exists (select from doomed d where (d.skill_id, d.revision) = (r.skill_id, r.revision))
     ),
     pruned as (${pruned}),
     removed as (${removed}),
     given_up as (
       select (select count(*) from pruned) as revisions, (select count(*) from removed) as blobs
     )
     select revisions, (select count(distinct skill_id) from pruned) as skills, blobs,
       ((select coalesce(sum(bytes), 0) from doomed) + (select coalesce(sum(bytes), 0) from removed))::bigint
         as bytes,
       (select count(*) from skill_revisions where pruned_at is null) - revisions as "keptRevisions",
       (select count(*) from skill_blobs) - blobs as "keptBlobs"
     from given_up`,
    [keepLast, keepDays, undoable?.run.id ?? null],
  );
  if (!row) throw new Error('the database counted nothing');
  return row;
}

/**
 * The revisions whose contents are to go, with the size of these. What is needed, and by whom:
 * - `undo`: what the run that it takes back replaced or overwrote, the latest run, which may be an undo itself, and
 *   runs under way, which have not noted all of it yet. Such a run may count on any content that the history holds;
 * - a base: what files and database agreed on last;
 * - a skill that is gone: its last state, and the files of it that were kept last.
 */
const doomedSql = `
  under_way as (
    select run_id from sync_runs where outcome = 'running' and started_at > now() - interval '1 day'
  ),
  runs as (
    select run_id from under_way
    union select $3::bigint
    union select max(run_id) from sync_log where status = 'success'
  ),
  done as (
    select l.skill_id, l.before_revision, l.revision, l.before_digest
    from sync_log l join runs using (run_id) where l.status = 'success'
  ),
  held as (
    select r.skill_id, r.revision, r.digest, r.pruned_at is not null as is_pruned, r.replaced_at,
      r.replaced_by_run, r.deleted, r.index is null as is_of_files,
      row_number() over (partition by r.skill_id order by r.revision desc) as rank
    from skill_revisions r
  ),
  of_digest as (
    select distinct on (skill_id, digest) skill_id, revision, digest
    from held where digest is not null and not is_pruned order by skill_id, digest, revision desc
  ),
  agreed as (
    select distinct on (r.skill_id) r.skill_id, r.revision
    from skill_revisions r
    where r.digest is not null and (r.origin = 'files'
      or exists (select from skill_commits n where (n.skill_id, n.revision) = (r.skill_id, r.revision)))
    order by r.skill_id, r.revision desc
  ),
  last_of_gone as (
    select distinct on (h.skill_id, h.deleted, h.is_of_files) h.skill_id, h.revision
    from held h
    where not h.is_pruned
      and not exists (select from skills s where s.skill_id = h.skill_id and s.deleted_at is null)
    order by h.skill_id, h.deleted, h.is_of_files, h.revision desc
  ),
  needed as materialized (
    select h.skill_id, h.revision from held h join runs on runs.run_id = h.replaced_by_run
    union select skill_id, before_revision from done
    union select skill_id, revision from done
    union select o.skill_id, o.revision
      from of_digest o join done on (done.skill_id, done.before_digest) = (o.skill_id, o.digest)
    union select skill_id, revision from of_digest where exists (select from under_way)
    union select skill_id, revision from agreed
    union select skill_id, revision from last_of_gone
  ),
  doomed as materialized (
    select r.skill_id, r.revision,
      coalesce(octet_length(r.frontmatter_source), 0) + coalesce(octet_length(r.skill_content), 0)
        + coalesce(octet_length(r.index::text), 0) + coalesce(octet_length(r.indexed::text), 0)
        + coalesce(octet_length(r.targets::text), 0) as bytes
    from held h join skill_revisions r using (skill_id, revision)
    where not h.is_pruned and h.rank > $1::bigint and h.replaced_at <= now() - make_interval(days => $2::integer)
      and not exists (select from needed n where (n.skill_id, n.revision) = (h.skill_id, h.revision))
  )`;

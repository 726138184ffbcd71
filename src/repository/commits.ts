// Which commits know which revisions, and which revisions there are to know.

import type { CommitPlace, DatabaseReplica, Held, Holder, NotedRevision, RevisionMark } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import type { Connection } from './connection.ts';
import { loadRows } from './load.ts';
import { loadRevision } from './revision.ts';

const markTime = `to_char(revised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`;

/** The latest revision of any skill; null where there is none. */
export async function latestRevision(connection: Connection): Promise<RevisionMark | null> {
  const [row] = await connection.query<RevisionMark>(
    `select skill_id as "skillId", revision, ${markTime} as "revisedAt"
     from skill_sync where revision <= $1 order by revision desc limit 1`,
    [Number.MAX_SAFE_INTEGER],
  );
  return row ?? null;
}

/** Whether the history has that revision, made at that time. */
export async function remembers(connection: Connection, mark: RevisionMark): Promise<boolean> {
  const rows = await connection.query(
    `select from (
       select skill_id, revision, revised_at from skill_sync
       union all select skill_id, revision, revised_at from skill_revisions
     ) known
     where skill_id = $1 and revision = $2 and ${markTime} is not distinct from $3`,
    [mark.skillId, mark.revision, mark.revisedAt],
  );
  return rows.length > 0;
}

/**
 * The keys of the skills that are asked for, `asked` being a list of paths and keys: without one it is that of
 * the row at the path, or of the last one that was there.
 */
export const keysOfAsked = `
  known as (
    select a.path, coalesce(
      a.skill_id,
      (select s.skill_id from skills s where s.skill_path = a.path),
      (select r.skill_id from skill_revisions r where r.skill_path = a.path order by r.revision desc limit 1)
    ) as skill_id
    from asked a
  )`;

/**
 * All revisions of the skills that are asked for: those whose digest is known, and with none those in which the
 * skill was deleted.
 */
const revisionsOfAsked = `
  ${keysOfAsked},
  revisions as (
    select k.path, k.skill_id, y.revision, case when s.deleted_at is null then y.digest end as digest, y.origin,
      y.revised_at, true as is_present
    from known k join skills s using (skill_id) join skill_sync y using (skill_id)
    where s.skill_path = k.path and (y.digest_revision = y.revision or s.deleted_at is not null)
    union all
    select k.path, k.skill_id, r.revision, r.digest, r.origin, r.revised_at, false
    from known k join skill_revisions r using (skill_id)
    where r.skill_path = k.path and (r.digest is not null or r.deleted)
  )`;

/** See {@link DatabaseReplica.notedRevisions}. */
export async function notedRevisions(
  connection: Connection,
  { repository, directory }: Omit<CommitPlace, 'commit'>,
  asked: Parameters<DatabaseReplica['notedRevisions']>[1],
): Promise<readonly NotedRevision[]> {
  return connection.query<NotedRevision>(
    `with asked as (select * from unnest($3::text[], $4::integer[]) as a (path, skill_id)), ${revisionsOfAsked}
     select r.path, r.skill_id as "skillId", r.revision, r.digest, n.commit, n.clean
     from revisions r join skill_commits n using (skill_id, revision)
     where n.repository = $1 and n.directory = $2`,
    [repository, directory, asked.map((one) => one.path), asked.map((one) => one.skillId)],
  );
}

/** See {@link DatabaseReplica.lastDeletions}. */
export async function lastDeletions(
  connection: Connection,
  asked: Parameters<DatabaseReplica['lastDeletions']>[0],
): Promise<ReadonlyMap<SkillPath, number>> {
  const rows = await connection.query<{ skill_path: SkillPath; revision: number }>(
    `select skill_path, max(r.revision) as revision
     from unnest($1::text[], $2::integer[]) as asked (skill_path, skill_id)
     join skill_revisions r using (skill_path)
     where r.deleted or r.skill_id <> asked.skill_id
     group by skill_path`,
    [asked.map((one) => one.path), asked.map((one) => one.skillId)],
  );
  return new Map(rows.map((row) => [row.skill_path, row.revision]));
}

interface Candidate extends Held {
  readonly skill_id: number;
  readonly revision: number;
  readonly digest: Digest;
  readonly is_present: boolean;
}

/** Of each skill at most so many revisions of either origin are looked at: who is further behind has lost more than a base. */
const maxLookedAt = 20;

/** See {@link DatabaseReplica.newestHeld}. */
export async function newestHeld(
  connection: Connection,
  mapping: TaxonomyMapping,
  asked: Parameters<DatabaseReplica['newestHeld']>[0],
  holder: Holder,
): Promise<ReadonlyMap<SkillPath, Digest>> {
  const found = new Map<SkillPath, Digest>();
  const untold = new Set<SkillPath>();
  if (asked.length === 0) return found;
  const candidates = await connection.query<Candidate>(
    `with asked as (select * from unnest($1::text[], $2::integer[], $3::bigint[]) as a (path, skill_id, after)),
     ${revisionsOfAsked},
     ranked as (
       select r.*, case r.origin when 'database' then r.revised_at end as since,
         row_number() over (partition by r.path, r.origin order by r.revision desc) as rank
       from revisions r join asked a using (path)
       where r.digest is not null and r.revision > a.after
         and (r.origin = 'files' or r.revised_at is not null)
     )
     select path, skill_id, revision, digest, is_present, since from ranked where rank <= $4 order by path, revision desc`,
    [
      asked.map((one) => one.path),
      asked.map((one) => one.skillId),
      asked.map((one) => one.after),
      maxLookedAt,
    ],
  );
  // Asking git for all that it ever held takes a while: only where there is something to look for.
  for (const candidate of candidates.length > 0 ? await holder.everHeld(candidates) : []) {
    if (found.has(candidate.path) || untold.has(candidate.path)) continue;
    const skill = await skillOf(connection, mapping, candidate);
    if (skill && (await holder.holds(skill, candidate.since))) found.set(candidate.path, candidate.digest);
    // Nobody can tell whether that was the newest: an older one may be too old.
    if (!skill && candidate.since === null) untold.add(candidate.path);
  }
  return found;
}

async function skillOf(
  connection: Connection,
  mapping: TaxonomyMapping,
  { path, skill_id: skillId, revision, is_present: isPresent }: Candidate,
): Promise<Skill | undefined> {
  if (!isPresent) {
    const past = await loadRevision(connection, { path, skillId, revision });
    return past.ok ? past.value : undefined;
  }
  for await (const [loaded] of loadRows(connection, [{ path, skillId }], { mapping })) {
    return loaded && 'skill' in loaded ? loaded.skill : undefined;
  }
  return undefined;
}

/** See {@link DatabaseReplica.noteCommits}. */
export async function noteCommits(
  connection: Connection,
  { repository, directory, commit }: CommitPlace,
  at: Date,
  notes: Parameters<DatabaseReplica['noteCommits']>[2],
): Promise<void> {
  await connection.query(
    `insert into skill_commits (skill_id, revision, repository, directory, commit, clean)
     select y.skill_id, y.revision, $1, $2, $3, n.clean
     from unnest($5::integer[], $6::bigint[], $7::boolean[]) as n (skill_id, revision, clean)
     join skill_sync y using (skill_id, revision)
     where y.origin = 'files' or y.revised_at is null or y.revised_at <= $4
     on conflict (skill_id, revision, repository, directory, commit) do update set clean = true
       where excluded.clean and not skill_commits.clean`,
    [
      repository,
      directory,
      commit,
      at,
      notes.map((note) => note.skillId),
      notes.map((note) => note.revision),
      notes.map((note) => note.clean),
    ],
  );
}

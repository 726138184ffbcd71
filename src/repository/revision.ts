// Revisions out of the history, as the skills that they were.

import { type Outcome, refuse } from '../problem.ts';
import type { Loaded, PastState } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import { readPrinted, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import { type Connection, inView } from './connection.ts';
import { loadSized, mentionedIds, pathsOf } from './load.ts';
import { type FileRow, renderRow, type SkillRow, soundRow } from './render.ts';
import { filesIn, indexIn, targetsIn } from './sound.ts';

/** A skill as the history knows it: where it stands now, if it does. */
export interface KnownSkill {
  /** Where it stands, or stood last. */
  readonly path: SkillPath;
  readonly skillId: number;
  /** Its row's present revision; null where there is no row any more, or a deleted one. */
  readonly revision: number | null;
}

/** A skill that was asked for, and whether by its name: else by a path that it has or had, or an alias. */
export interface FoundSkill extends KnownSkill {
  readonly isByName: boolean;
}

/**
 * The skill at a path: by its row, else by an alias or a name that leads to one, else by the history alone. Where there is none,
 * the path is taken as one that was printed.
 */
export async function findSkill(connection: Connection, path: string): Promise<FoundSkill | undefined> {
  const meant = readPrinted(path);
  return (await findAt(connection, path)) ?? (meant === path ? undefined : await findAt(connection, meant));
}

async function findAt(connection: Connection, path: string): Promise<FoundSkill | undefined> {
  const [row] = await connection.query<{
    skill_id: number;
    skill_path: SkillPath;
    revision: number | null;
    by_name: boolean;
  }>(
    `select * from (
       select s.skill_id, s.skill_path, case when s.deleted_at is null then y.revision end as revision, 1 as rank,
         false as by_name
       from skills s left join skill_sync y using (skill_id) where s.skill_path = $1
       union all
       select s.skill_id, s.skill_path, case when s.deleted_at is null then y.revision end, 2,
         not exists (select from skill_aliases a where a.skill_id = s.skill_id and a.alias_path = $1)
       from skill_fleet_resolve(array[$1]) r join skills s using (skill_id) left join skill_sync y using (skill_id)
       union all
       (select r.skill_id, coalesce(s.skill_path, r.skill_path), null, 3, false
        from skill_revisions r left join skills s using (skill_id)
        where r.skill_path = $1 and (s.skill_id is null or s.deleted_at is not null)
        order by r.revision desc limit 1)
     ) known order by rank limit 1`,
    [path],
  );
  return (
    row && { path: row.skill_path, skillId: row.skill_id, revision: row.revision, isByName: row.by_name }
  );
}

/** A skill, and a digest that it may have had. */
export interface PastDigest {
  readonly path: SkillPath;
  readonly skillId: number;
  readonly digest: Digest;
}

/** The paths of those skills whose history holds the digest asked for. */
export async function findPast(
  connection: Connection,
  asked: readonly PastDigest[],
): Promise<ReadonlySet<SkillPath>> {
  const rows = await connection.query<{ skill_path: SkillPath }>(
    `select distinct asked.skill_path
     from unnest($1::text[], $2::integer[], $3::text[]) as asked (skill_path, skill_id, digest)
     join skill_revisions r using (skill_id, digest)`,
    [asked.map((one) => one.path), asked.map((one) => one.skillId), asked.map((one) => one.digest)],
  );
  return new Set(rows.map((row) => row.skill_path));
}

/**
 * Where to read what skills held: at the revision that is named, else at the latest with that digest; those whose
 * contents were given up only where there is no other. What the history does not know is left out.
 */
export function findRevisions(
  connection: Connection,
  asked: readonly (PastState & { readonly path: SkillPath })[],
): Promise<readonly RevisionKey[]> {
  return connection.query<RevisionKey>(
    `select a.path, a.skill_id as "skillId", coalesce(r.revision, a.revision) as revision
     from unnest($1::text[], $2::integer[], $3::text[], $4::bigint[]) with ordinality
       as a (path, skill_id, digest, revision, place)
     left join lateral (
       select r.revision from skill_revisions r
       where r.skill_id = a.skill_id and (r.revision = a.revision or r.digest = a.digest)
       order by r.pruned_at is null desc, r.revision = a.revision desc, r.revision desc
       limit 1
     ) r on true
     where coalesce(r.revision, a.revision) is not null
     order by a.place`,
    [
      asked.map((one) => one.path),
      asked.map((one) => one.skillId),
      asked.map((one) => one.digest),
      asked.map((one) => one.revision),
    ],
  );
}

/** A revision of a skill, and the path under which it is asked for. */
export interface RevisionKey {
  readonly path: SkillPath;
  readonly skillId: number;
  readonly revision: number;
}

interface RevisionRow extends SkillRow {
  readonly revision: number;
  readonly is_pruned: boolean;
  readonly files: readonly {
    readonly path: string;
    readonly mode: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

/**
 * Reads skills as they were, in bounded batches, in the order asked for. Those that cannot be given are the problem
 * `revision-not-found` or `revision-pruned`.
 */
export async function* loadRevisions(
  connection: Connection,
  keys: readonly RevisionKey[],
): AsyncIterable<readonly Loaded[]> {
  const sizes = await inView(connection, () => sizesOf(connection, keys));
  yield* loadSized(
    keys,
    ({ revision }) => sizes.get(revision) ?? 0,
    (batch) => inView(connection, () => loadBatch(connection, batch)),
  );
}

/** How much there is of each revision, whose numbers no two skills share. */
async function sizesOf(
  connection: Connection,
  keys: readonly RevisionKey[],
): Promise<ReadonlyMap<number, number>> {
  const rows = await connection.query<{ revision: number; bytes: number }>(
    `select r.revision,
       (coalesce(octet_length(r.frontmatter_source), 0)::bigint + coalesce(octet_length(r.skill_content), 0)
        + coalesce((select sum(2 * (f.file ->> 'bytes')::bigint) from jsonb_array_elements(${filesIn('r.files')}) as f (file)), 0)
       )::bigint as bytes
     from skill_revisions r
     join unnest($1::integer[], $2::bigint[]) as asked (skill_id, revision) using (skill_id, revision)`,
    [keys.map((key) => key.skillId), keys.map((key) => key.revision)],
  );
  return new Map(rows.map((row) => [row.revision, row.bytes]));
}

async function loadBatch(connection: Connection, keys: readonly RevisionKey[]): Promise<readonly Loaded[]> {
  const read = await connection.query<RevisionRow>(
    `select r.skill_id, r.revision,
       '.' || r.frontmatter_source as frontmatter_source, '.' || r.skill_content as skill_content,
       r.document_name, r.document_mode, case when r.digest is null then r.index end as index,
       r.indexed is null as never_stored, ${targetsIn('r.targets')} as targets, null as unsound,
       skill_fleet_edited(r.index, ${indexIn('r.indexed')}) as edited, ${filesIn('r.files')} as files,
       r.pruned_at is not null as is_pruned
     from skill_revisions r
     join unnest($1::integer[], $2::bigint[]) as asked (skill_id, revision) using (skill_id, revision)`,
    [keys.map((key) => key.skillId), keys.map((key) => key.revision)],
  );
  const rows = read.map(soundRow);
  const byRevision = new Map(rows.map((row) => [row.revision, row]));
  const contents = await contentsOf(connection, rows);
  const paths = await pathsOf(connection, rows.flatMap(mentionedIds));
  return keys.map(({ path, revision }) => {
    const row = byRevision.get(revision);
    if (!row) return { path, problem: { reason: 'revision-not-found', path, revision } };
    if (row.is_pruned) return { path, problem: { reason: 'revision-pruned', path, revision } };
    const files = row.files.flatMap((file): readonly FileRow[] => {
      const binary = contents.get(file.sha256);
      return binary
        ? [
            {
              skill_id: row.skill_id,
              relative_path: file.path,
              content: null,
              binary_data: binary,
              file_mode: file.mode,
            },
          ]
        : [];
    });
    if (files.length < row.files.length)
      return { path, problem: { reason: 'revision-pruned', path, revision } };
    const rendered = renderRow(path, row, files, paths, undefined);
    return rendered.ok ? { path, skill: rendered.value } : { path, problem: rendered.problem };
  });
}

/** Contents by SHA-256: what was replaced lies with the history, what stands with the row. */
async function contentsOf(
  connection: Connection,
  revisions: readonly RevisionRow[],
): Promise<ReadonlyMap<string, Buffer>> {
  const rows = await connection.query<{ sha256: string; bytes: Buffer }>(
    `select sha256, bytes from skill_blobs where sha256 = any ($1)
     union all
     select encode(sha256(bytes), 'hex'), bytes
     from skill_files f, coalesce(f.binary_data, convert_to(f.content, 'UTF8')) as bytes
     where f.skill_id = any ($2) and encode(sha256(bytes), 'hex') = any ($1)`,
    [
      revisions.flatMap((row) => row.files.map((file) => file.sha256)),
      revisions.flatMap((row) => (row.files.length > 0 ? row.skill_id : [])),
    ],
  );
  return new Map(rows.map((row) => [row.sha256, row.bytes]));
}

/** Reads a skill as it was at a revision: `revision-not-found`, `revision-pruned`. */
export async function loadRevision(connection: Connection, key: RevisionKey): Promise<Outcome<Skill>> {
  for await (const [loaded] of loadRevisions(connection, [key])) {
    if (loaded) return 'skill' in loaded ? { ok: true, value: loaded.skill } : refuse(loaded.problem);
  }
  throw new Error('one revision asked for, and no answer');
}

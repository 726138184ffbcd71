// Skills into rows: a batch of skills becomes a few statements, whatever its size.

import type { Fields, Json } from '../document/fields.ts';
import { indexVersion } from '../document/parse.ts';
import type { Change, SkillState } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { Skill } from '../skill/skill.ts';
import { createCategories } from './categories.ts';
import type { Connection } from './connection.ts';
import { matchFiles } from './files.ts';
import { modeOf } from './load.ts';
import type { ReadSkill } from './read-skill.ts';
import { matchRelations } from './relations.ts';
import { declaredTargets } from './targets.ts';

/** A skill ready to be stored. */
export interface Incoming<C extends Change = Change> extends ReadSkill {
  readonly change: C;
  readonly skill: Skill;
  readonly digest: Digest;
}

/** A stored row: an incoming skill, and the key and revision that it now has. */
export type Stored<I extends Incoming = Incoming> = I & {
  readonly skillId: number;
  readonly revision: number;
};

/** A row as it stands, locked. `revision` is 0 for one that no sync nor trigger ever saw, as in a snapshot. */
export interface LockedRow {
  readonly skillId: number;
  readonly deleted: boolean;
  readonly revision: number;
}

/** Locks the rows at these paths until the transaction ends: skills first, as an update by anyone does. */
export async function lockRows(
  connection: Connection,
  paths: readonly string[],
): Promise<ReadonlyMap<string, LockedRow>> {
  const skills = await connection.query<{ skill_id: number; skill_path: string; deleted: boolean }>(
    `select skill_id, skill_path, deleted_at is not null as deleted
     from skills where skill_path = any ($1) order by skill_id for no key update`,
    [paths],
  );
  const revisions = await connection.query<{ skill_id: number; revision: number }>(
    'select skill_id, revision from skill_sync where skill_id = any ($1) order by skill_id for update',
    [skills.map((row) => row.skill_id)],
  );
  const byId = new Map(revisions.map((row) => [row.skill_id, row.revision]));
  return new Map(
    skills.map((row) => [
      row.skill_path,
      { skillId: row.skill_id, deleted: row.deleted, revision: byId.get(row.skill_id) ?? 0 },
    ]),
  );
}

/** Whether the row is what the change expects to find. */
export function stillBefore(before: SkillState | null, row: LockedRow | undefined): boolean {
  if (before === null) return row === undefined || row.deleted;
  return row !== undefined && !row.deleted && before.row?.revision === row.revision;
}

/**
 * Stores a batch, with its relations and files, in the transaction at hand. The rows must be locked, and what
 * they held archived, by the caller. Targets of dependencies are linked later, when all skills are there.
 *
 * @param locked the rows that stood when they were locked
 * @param settling the rows hold the same text already: they get what the sync keeps beside it, no revision
 * @param taxonomy the version of the mapping by which their categories were found
 * @returns what was stored; what is missing met a row that someone else made meanwhile
 */
export async function storeBatch<I extends Incoming>(
  connection: Connection,
  batch: readonly I[],
  locked: ReadonlyMap<string, LockedRow>,
  { settling, taxonomy }: { readonly settling: boolean; readonly taxonomy: string },
): Promise<readonly Stored<I>[]> {
  const ids = await upsertSkills(connection, batch, locked);
  const keyed = batch.flatMap((incoming) => {
    const skillId = ids.get(incoming.skill.path);
    return skillId === undefined ? [] : [{ ...incoming, skillId }];
  });
  await matchCategories(connection, keyed);
  await matchRelations(
    connection,
    keyed.map(({ skillId, document }) => ({ skillId, fields: document.fields })),
  );
  await matchFiles(connection, keyed);
  const revisions = await noteStored(connection, keyed, settling, taxonomy);
  return keyed.map((row) => ({ ...row, revision: requireKey(revisions, row.skillId) }));
}

function requireKey<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`the database returned no row for ${key}`);
  return value;
}

async function upsertSkills(
  connection: Connection,
  batch: readonly Incoming[],
  locked: ReadonlyMap<string, LockedRow>,
): Promise<ReadonlyMap<string, number>> {
  const standing = [...locked].map(([path, row]) => [path, row.skillId] as const);
  const fields = (pick: (fields: Fields) => unknown) => batch.map(({ document }) => pick(document.fields));
  // A row that says all of this already is not touched: settling must not bump its last_modified. Nor is one
  // that was not locked: nobody compared it, and the history does not hold it.
  const written = await connection.query<{ skill_id: number; skill_path: string }>(
    `insert into skills as s (
       skill_path, frontmatter_source, skill_content, name, description, version, type, weight, load_priority,
       status, skill_style, scope, extra
     )
     select skill_path, frontmatter_source, skill_content, name, description, version,
       type::skill_type_enum, weight::skill_weight_enum, load_priority::load_priority_enum,
       status::skill_status_enum, skill_style::skill_style_enum, scope, extra::jsonb
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
       as incoming (skill_path, frontmatter_source, skill_content, name, description, version, type, weight,
         load_priority, status, skill_style, scope, extra)
     on conflict (skill_path) do update set
       frontmatter_source = excluded.frontmatter_source, skill_content = excluded.skill_content,
       name = excluded.name, description = excluded.description, version = excluded.version,
       type = excluded.type, weight = excluded.weight, load_priority = excluded.load_priority,
       status = case
         when excluded.skill_path = any ($14) or (select y.states_status from skill_sync y where y.skill_id = s.skill_id)
         then excluded.status else s.status end,
       skill_style = excluded.skill_style, scope = excluded.scope, extra = excluded.extra, deleted_at = null
     where s.skill_id = any ($15) and (s.frontmatter_source, s.skill_content, s.name, s.description, s.version, s.type, s.weight,
         s.load_priority, s.status, s.skill_style, s.scope, s.extra, s.deleted_at)
       is distinct from (excluded.frontmatter_source, excluded.skill_content, excluded.name, excluded.description,
         excluded.version, excluded.type, excluded.weight, excluded.load_priority, excluded.status,
         excluded.skill_style, excluded.scope, excluded.extra, null)
     returning skill_id, skill_path`,
    [
      batch.map(({ skill }) => skill.path),
      batch.map(({ document }) => document.frontmatterSource),
      batch.map(({ document }) => document.body),
      fields((f) => f.name),
      fields((f) => f.description),
      fields((f) => f.version),
      fields((f) => f.type),
      fields((f) => f.weight),
      fields((f) => f.loadPriority),
      fields((f) => f.status),
      fields((f) => f.skillStyle),
      fields((f) => f.scope),
      fields((f) => JSON.stringify(f.extra)),
      batch.filter(({ document }) => document.statesStatus).map(({ skill }) => skill.path),
      standing.map(([, skillId]) => skillId),
    ],
  );
  return new Map([...standing, ...written.map((row) => [row.skill_path, row.skill_id] as const)]);
}

type Keyed = Incoming & { readonly skillId: number };

/** Sets each skill's primary category. Other categories that someone gave a skill stay. */
async function matchCategories(connection: Connection, batch: readonly Keyed[]): Promise<void> {
  const created = batch.flatMap(({ category }) => (category?.creates ? [category.path] : []));
  if (created.length > 0) await createCategories(connection, created);
  await connection.query(
    `with wanted as (
       select w.skill_id, c.category_id
       from unnest($1::integer[], $2::text[]) as w (skill_id, path)
       left join taxonomy_categories c using (path)
     ),
     removed as (
       delete from skill_categories sc using wanted w
       where sc.skill_id = w.skill_id and sc.is_primary and sc.category_id is distinct from w.category_id
     )
     insert into skill_categories as sc (skill_id, category_id, is_primary)
     select skill_id, category_id, true from wanted where category_id is not null
     on conflict (skill_id, category_id) do update set is_primary = true where not sc.is_primary`,
    [batch.map((row) => row.skillId), batch.map((row) => row.category?.path ?? null)],
  );
}

async function noteStored(
  connection: Connection,
  batch: readonly Keyed[],
  settling: boolean,
  taxonomy: string,
): Promise<ReadonlyMap<number, number>> {
  const rows = await connection.query<{ skill_id: number; revision: number }>(
    `insert into skill_sync as y (
       skill_id, digest, document_name, document_mode, targets, category_reason, states_status, index_version,
       taxonomy_version, origin, revised_at, writer, revision_xid
     )
     select skill_id, digest, document_name, document_mode, targets::jsonb, category_reason, states_status, $8, $10,
       'files', transaction_timestamp(), concat_ws(' ', session_user, nullif(current_setting('application_name'), '')),
       pg_current_xact_id()
     from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
       as incoming (skill_id, digest, document_name, document_mode, targets, category_reason, states_status)
     on conflict (skill_id) do update set
       digest = excluded.digest, document_name = excluded.document_name, document_mode = excluded.document_mode,
       targets = excluded.targets, category_reason = excluded.category_reason,
       states_status = excluded.states_status, index_version = excluded.index_version,
       taxonomy_version = excluded.taxonomy_version,
       revision = case when $9 then y.revision else excluded.revision end,
       revised_at = case when $9 then y.revised_at else excluded.revised_at end,
       origin = case when $9 then y.origin else excluded.origin end,
       writer = case when $9 then y.writer else excluded.writer end,
       revision_xid = case when $9 then y.revision_xid else excluded.revision_xid end
     returning skill_id, revision`,
    [
      batch.map((row) => row.skillId),
      batch.map((row) => row.digest),
      batch.map((row) => row.entry.path),
      batch.map((row) => modeOf(row.entry.executable)),
      batch.map((row) => JSON.stringify(declaredTargets(row.document.fields) satisfies Json)),
      batch.map((row) => row.category?.reason ?? null),
      batch.map((row) => row.document.statesStatus),
      indexVersion,
      settling,
      taxonomy,
    ],
  );
  await connection.query('update skill_sync set digest_revision = revision where skill_id = any ($1)', [
    batch.map((row) => row.skillId),
  ]);
  return new Map(rows.map((row) => [row.skill_id, row.revision]));
}

/** Keeps what columns and relations now say of these skills, to see later what another writer changed. */
export async function noteIndexed(connection: Connection, ids: readonly number[]): Promise<void> {
  await connection.query(
    `update skill_sync y set indexed = i.index
     from skill_fleet_index($1) i
     where y.skill_id = i.skill_id and y.indexed is distinct from i.index`,
    [ids],
  );
}

/** Keeps what these skills hold in the history, before a sync replaces it. */
export async function archive(
  connection: Connection,
  ids: readonly number[],
  runId: number | null,
): Promise<void> {
  await connection.query('select skill_fleet_archive($1, $2)', [ids, runId]);
}

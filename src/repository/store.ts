// Skills into rows: a batch of skills becomes a few statements, whatever its size.

import {
  type Fields,
  type Json,
  loadPriorities,
  silentFields,
  skillStyles,
  skillTypes,
  weights,
} from '../document/fields.ts';
import { indexVersion, type SkillDocument } from '../document/parse.ts';
import type { Change, SkillState } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { Skill } from '../skill/skill.ts';
import { createCategories } from './categories.ts';
import { type Connection, writerSql } from './connection.ts';
import { matchFiles } from './files.ts';
import { isWholeDocument } from './first-text.ts';
import type { ReadSkill } from './read-skill.ts';
import { countTags, matchRelations } from './relations.ts';
import { behindPoint, modeOf } from './render.ts';
import { indexIn } from './sound.ts';
import { Reshaped } from './sqlstate.ts';
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
  /** Whether no sync ever stored a text for the row. */
  readonly isTextless: boolean;
  /** Whether `skill_content` is a whole document, as some writers have it: the row keeps that shape. */
  readonly isWhole: boolean;
}

/** Locks the rows at these paths until the transaction ends: skills first, as an update by anyone does. */
export function lockRows(
  connection: Connection,
  paths: readonly string[],
): Promise<ReadonlyMap<string, LockedRow>> {
  return readRows(connection, paths, { skills: 'for no key update', sync: 'for update' });
}

/** What stands at these paths, also where the database lets nobody lock it. */
export function seeRows(
  connection: Connection,
  paths: readonly string[],
): Promise<ReadonlyMap<string, LockedRow>> {
  return readRows(connection, paths, { skills: '', sync: '' });
}

async function readRows(
  connection: Connection,
  paths: readonly string[],
  locking: { readonly skills: string; readonly sync: string },
): Promise<ReadonlyMap<string, LockedRow>> {
  const skills = await connection.query<{
    skill_id: number;
    skill_path: string;
    deleted: boolean;
    sourceless: boolean;
    content: string | null;
  }>(
    `select skill_id, skill_path, deleted_at is not null as deleted, frontmatter_source is null as sourceless,
       case when frontmatter_source is null and left(skill_content, 4) like '%---%' then '.' || skill_content end as content
     from skills where skill_path = any ($1) order by skill_id ${locking.skills}`,
    [paths],
  );
  const noted = await connection.query<{ skill_id: number; revision: number; indexed: boolean }>(
    `select skill_id, revision, indexed is not null as indexed
     from skill_sync where skill_id = any ($1) order by skill_id ${locking.sync}`,
    [skills.map((row) => row.skill_id)],
  );
  const byId = new Map(noted.map((row) => [row.skill_id, row]));
  return new Map(
    skills.map(({ skill_id: skillId, skill_path: path, deleted, sourceless, content }) => [
      path,
      {
        skillId,
        deleted,
        revision: byId.get(skillId)?.revision ?? 0,
        isTextless: sourceless && !byId.get(skillId)?.indexed,
        isWhole: content !== null && isWholeDocument(behindPoint(content)),
      },
    ]),
  );
}

/** Whether the row is what the change expects to find. */
export function stillBefore(before: SkillState | null, row: LockedRow | undefined): boolean {
  if (before === null) return row === undefined || row.deleted;
  return row !== undefined && !row.deleted && before.row?.revision === row.revision;
}

/** How a batch is stored. */
export interface Storing {
  /** Whether the rows count as holding the same already: who wrote it, and when, stays noted. */
  readonly settling: boolean;
  /** Of those, the rows that get a new revision all the same, since something of theirs may change. */
  readonly anew: readonly number[];
  /** The version of the mapping by which categories were found. */
  readonly taxonomy: string;
}

/**
 * Stores a batch, with its relations and files, in the transaction at hand. The rows must be locked, and what
 * they held archived, by the caller. Targets of dependencies are linked later, when all skills are there.
 *
 * @param locked the rows that stood when they were locked
 * @returns what was stored; what is missing met a row that someone else made meanwhile
 */
export async function storeBatch<I extends Incoming>(
  connection: Connection,
  batch: readonly I[],
  locked: ReadonlyMap<string, LockedRow>,
  storing: Storing,
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
  const revived = keyed.filter(({ skill }) => locked.get(skill.path)?.deleted);
  await countTags(connection, [
    ...new Set([
      ...revived.flatMap(({ document }) => document.fields.tags),
      ...(await tagsByOthers(connection, keyed)),
    ]),
  ]);
  await matchFiles(connection, keyed);
  const revisions = await noteStored(connection, keyed, storing);
  return keyed.map((row) => ({ ...row, revision: requireKey(revisions, row.skillId) }));
}

/** The tags that rows have and no sync wrote, or the other way round: whoever changed them counted nothing. */
async function tagsByOthers(
  connection: Connection,
  rows: readonly { readonly skillId: number }[],
): Promise<readonly string[]> {
  const tags = await connection.query<{ tag: string }>(
    `select distinct tag
     from (select skill_id, tag::text from skill_tags where skill_id = any ($1)) has
     full join (
       select skill_id, jsonb_array_elements_text(${indexIn('indexed')} -> 'tags') as tag
       from skill_sync where skill_id = any ($1)
     ) had using (skill_id, tag)
     where has.skill_id is null or had.skill_id is null`,
    [rows.map((row) => row.skillId)],
  );
  return tags.map((row) => row.tag);
}

/** What a map must hold, or the database did not answer as it does. */
export function requireKey<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Reshaped(`a row is not kept, that of skill_id ${key}`);
  return value;
}

async function upsertSkills(
  connection: Connection,
  batch: readonly Incoming[],
  locked: ReadonlyMap<string, LockedRow>,
): Promise<ReadonlyMap<string, number>> {
  const standing = [...locked].map(([path, row]) => [path, row.skillId] as const);
  const texts = batch.map(({ skill, document }) => textColumns(document, locked.get(skill.path)));
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
       type = ${orUnknown('type', '$16')}, weight = ${orUnknown('weight', '$17')},
       load_priority = ${orUnknown('load_priority', '$18')}, skill_style = ${orUnknown('skill_style', '$19')},
       status = case
         when excluded.skill_path = any ($14) then excluded.status
         else coalesce((
           select case
             when s.deleted_at is not null then y.previous_status
             when y.states_status then excluded.status end
           from skill_sync y where y.skill_id = s.skill_id
         ), s.status) end,
       scope = excluded.scope, extra = excluded.extra, deleted_at = null
     where s.skill_id = any ($15) and (s.frontmatter_source, s.skill_content, s.name, s.description, s.version, s.type, s.weight,
         s.load_priority, s.status, s.skill_style, s.scope, s.extra, s.deleted_at)
       is distinct from (excluded.frontmatter_source, excluded.skill_content, excluded.name, excluded.description,
         excluded.version, excluded.type, excluded.weight, excluded.load_priority, excluded.status,
         excluded.skill_style, excluded.scope, excluded.extra, null)
     returning skill_id, skill_path`,
    [
      batch.map(({ skill }) => skill.path),
      texts.map((text) => text.source),
      texts.map((text) => text.content),
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
      [silentFields.type, ...skillTypes],
      [silentFields.weight, ...weights],
      [silentFields.loadPriority, ...loadPriorities],
      [silentFields.skillStyle, ...skillStyles],
    ],
  );
  return new Map([...standing, ...written.map((row) => [row.skill_path, row.skill_id] as const)]);
}

/**
 * What a column takes from a document: not a silent document's value where the row holds a label that only the
 * library's own enum knows, which no document can say.
 *
 * @param labels a parameter: the silent value, then all known labels
 */
function orUnknown(column: string, labels: string): string {
  return `case when s.${column}::text <> all ((${labels}::text[])[2:]) and excluded.${column}::text is not distinct from (${labels}::text[])[1]
    then s.${column} else excluded.${column} end`;
}

/** A document as `frontmatter_source` and `skill_content` hold it. */
function textColumns(
  { frontmatterSource, body }: SkillDocument,
  row: LockedRow | undefined,
): { readonly source: string | null; readonly content: string } {
  const text = frontmatterSource + body;
  return row?.isWhole && isWholeDocument(text)
    ? { source: null, content: text }
    : { source: frontmatterSource, content: body };
}

type Keyed = Incoming & { readonly skillId: number };

/** Sets each skill's primary category. Other categories that someone gave a skill stay. */
async function matchCategories(connection: Connection, batch: readonly Keyed[]): Promise<void> {
  const created = batch.flatMap(({ category }) => (category?.creates ? [category.path] : []));
  if (created.length > 0) await createCategories(connection, created);
  const wanted = [batch.map((row) => row.skillId), batch.map((row) => row.category?.path ?? null)];
  // Where the wanted one is among several primary ones, all stay. In two statements: a library may have an index
  // that allows a skill one primary category at a time.
  await connection.query(
    `delete from skill_categories sc
     using unnest($1::integer[], $2::text[]) as w (skill_id, path)
     where sc.skill_id = w.skill_id and sc.is_primary and not exists (
       select from skill_categories p join taxonomy_categories c using (category_id)
       where p.skill_id = w.skill_id and p.is_primary and c.path = w.path
     )`,
    wanted,
  );
  await connection.query(
    `insert into skill_categories as sc (skill_id, category_id, is_primary)
     select w.skill_id, c.category_id, true
     from unnest($1::integer[], $2::text[]) as w (skill_id, path) join taxonomy_categories c using (path)
     on conflict (skill_id, category_id) do update set is_primary = true where not sc.is_primary`,
    wanted,
  );
}

async function noteStored(
  connection: Connection,
  batch: readonly Keyed[],
  { settling, anew, taxonomy }: Storing,
): Promise<ReadonlyMap<number, number>> {
  const rows = await connection.query<{ skill_id: number; revision: number }>(
    `insert into skill_sync as y (
       skill_id, digest, document_name, document_mode, targets, category_reason, states_status, index_version,
       taxonomy_version, origin, changed_at, revised_at, writer, revision_xid
     )
     select skill_id, digest, document_name, document_mode, targets::jsonb, category_reason, states_status, $8, $10,
       origin, least(changed_at, transaction_timestamp()), transaction_timestamp(), ${writerSql},
       pg_current_xact_id()
     from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $12::text[],
       $13::timestamptz[])
       as incoming (skill_id, digest, document_name, document_mode, targets, category_reason, states_status, origin,
         changed_at)
     on conflict (skill_id) do update set
       digest = excluded.digest, document_name = excluded.document_name, document_mode = excluded.document_mode,
       targets = excluded.targets, category_reason = excluded.category_reason,
       states_status = excluded.states_status, index_version = excluded.index_version,
       taxonomy_version = excluded.taxonomy_version, previous_status = null,
       revision = case when $9 and y.skill_id <> all ($11) then y.revision else excluded.revision end,
       changed_at = case when $9 then y.changed_at else excluded.changed_at end,
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
      anew,
      batch.map((row) => row.change.origin ?? 'files'),
      batch.map((row) => row.change.changedAt?.toISOString() ?? null),
    ],
  );
  await connection.query('update skill_sync set digest_revision = revision where skill_id = any ($1)', [
    batch.map((row) => row.skillId),
  ]);
  return new Map(rows.map((row) => [row.skill_id, row.revision]));
}

/**
 * Deletes skills so that it can be taken back. The rows must be locked, and archived, by the caller.
 *
 * @returns the revision that each row has by this
 */
export async function deleteRows(
  connection: Connection,
  ids: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const revisions = await connection.query<{ skill_id: number; revision: number }>(
    `update skill_sync y set
       previous_status = s.status, revision = nextval('skill_revision_seq'), origin = 'files',
       changed_at = null, revised_at = transaction_timestamp(), revision_xid = pg_current_xact_id(),
       writer = ${writerSql}
     from skills s
     where s.skill_id = y.skill_id and y.skill_id = any ($1)
     returning y.skill_id, y.revision`,
    [ids],
  );
  await connection.query(
    `update skills set deleted_at = transaction_timestamp(), status = 'archived' where skill_id = any ($1)`,
    [ids],
  );
  const tags = await connection.query<{ tag: string }>(
    'select distinct tag from skill_tags where skill_id = any ($1)',
    [ids],
  );
  await countTags(
    connection,
    tags.map((row) => row.tag),
  );
  return new Map(revisions.map((row) => [row.skill_id, row.revision]));
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

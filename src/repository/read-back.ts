// What the database holds of what was sent to it, read back before it is committed: triggers, rules and row-level
// security of others may have changed it, dropped it or hidden it.

import { createHash } from 'node:crypto';
import { keptOtherwise } from '../document/agreement.ts';
import { dependencyTypes } from '../document/fields.ts';
import { keysOf } from '../document/keys.ts';
import type { Warning } from '../document/warning.ts';
import type { Problem } from '../problem.ts';
import { batchesOf } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Entry } from '../skill/skill.ts';
import type { Connection } from './connection.ts';
import { fieldsOf, type IndexRow } from './index-row.ts';
import { modeOf } from './render.ts';
import { soundIndex } from './sound.ts';
import { Reshaped } from './sqlstate.ts';
import type { Incoming, Stored } from './store.ts';
import { linksSql } from './targets.ts';

/** What of a skill the database did not keep. */
export type Differs = Problem<'not-kept'>['differs'];

/** A stored skill in so few words that a run can keep those of all its skills: hashes, hexadecimal. */
export interface Sent {
  readonly skillId: number;
  readonly path: SkillPath;
  readonly document: string;
  readonly attached: string;
}

/** What was sent of a stored skill. */
export function sentOf({ skillId, change, skill, entry }: Stored<Incoming>): Sent {
  const attached = skill.entries.filter((file) => file !== entry);
  return {
    skillId,
    path: change.path,
    document: sha256(lineOf(entry)),
    attached: sha256(attached.map(lineOf).join('\n')),
  };
}

/** A file's mode, the SHA-256 of its bytes, and its path, as the statement below says them of rows. */
function lineOf({ path, bytes, executable }: Entry): string {
  return `${modeOf(executable)} ${sha256(bytes)} ${path}`;
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** In SQL, the SHA-256 of bytes, or of a text's. */
function sha256Sql(bytes: string): string {
  return `encode(sha256(${bytes}), 'hex')`;
}

function textSha256Sql(text: string): string {
  return sha256Sql(`convert_to(${text}, 'UTF8')`);
}

/** Those of the stored and of the deleted skills that the database holds otherwise than it was told to, by key. */
export async function notKept(
  connection: Connection,
  sent: readonly Sent[],
  deleted: readonly number[],
): Promise<ReadonlyMap<number, Differs>> {
  // Deferred triggers fire now, while what they do can be seen, and a savepoint can undo it.
  await connection.query('set constraints all immediate');
  const differing = new Map<number, Differs>();
  for (const some of batchesOf(sent, () => 0)) {
    for (const row of await differingRows(connection, some)) differing.set(row.skill_id, row.differs);
  }
  const standing = await connection.query<{ skill_id: number }>(
    'select skill_id from skills where skill_id = any ($1) and deleted_at is null',
    [deleted],
  );
  for (const row of standing) differing.set(row.skill_id, 'the deletion');
  return differing;
}

function differingRows(
  connection: Connection,
  sent: readonly Sent[],
): Promise<readonly { readonly skill_id: number; readonly differs: Differs }[]> {
  return connection.query(
    `select skill_id, differs
     from unnest($1::integer[], $2::text[], $3::text[], $4::text[]) as sent (skill_id, skill_path, document, attached)
     left join skills s using (skill_id)
     left join skill_sync y using (skill_id)
     cross join lateral (
       select case
         when (s.skill_path, s.deleted_at) is distinct from (sent.skill_path, null) then 'the row itself'
         when ${textSha256Sql(
           `y.document_mode || ' ' || ${textSha256Sql("coalesce(s.frontmatter_source, '') || s.skill_content")}
             || ' ' || y.document_name`,
         )} is distinct from sent.document then 'the document'
         when (
           select ${textSha256Sql(`coalesce(string_agg(
             f.file_mode || ' ' || ${sha256Sql("coalesce(f.binary_data, convert_to(f.content, 'UTF8'), '')")}
               || ' ' || f.relative_path,
             chr(10) order by f.relative_path collate "C"
           ), '')`)}
           from skill_files f where f.skill_id = sent.skill_id
         ) is distinct from sent.attached then 'attached files' end as differs
     ) compared
     where differs is not null`,
    [
      sent.map((one) => one.skillId),
      sent.map((one) => one.path),
      sent.map((one) => one.document),
      sent.map((one) => one.attached),
    ],
  );
}

/** What columns and relations hold otherwise than the documents say, links apart: warnings by key. */
export async function indexedOtherwise(
  connection: Connection,
  stored: readonly Stored<Incoming>[],
): Promise<ReadonlyMap<number, readonly Warning[]>> {
  const rows = await connection.query<{ skill_id: number; index: unknown }>(
    'select skill_id, index from skill_fleet_index($1)',
    [stored.map((row) => row.skillId)],
  );
  const indexes = new Map(rows.map((row) => [row.skill_id, soundOf(row.index)]));
  return new Map(
    stored.flatMap(({ skillId, document }) => {
      const index = indexes.get(skillId);
      return index
        ? [[skillId, warningsOf(keptOtherwise(fieldsOf(index, new Map()), document))] as const]
        : [];
    }),
  );
}

/** What columns that just took a document's values say, as ever; where not, somebody replaced the function. */
function soundOf(index: unknown): IndexRow {
  const sound = soundIndex(index);
  if ('unsound' in sound) throw new Reshaped(`skill_fleet_index is another: ${sound.unsound}`);
  return sound.index;
}

/** As {@link indexedOtherwise}, for the links of these skills. */
export async function linkedOtherwise(
  connection: Connection,
  ids: readonly number[],
): Promise<ReadonlyMap<number, readonly Warning[]>> {
  const rows = await connection.query<{
    skill_id: number;
    fields: readonly ('dependencies' | 'references')[];
  }>(
    `with named as (${linksSql}),
     linked as (
       select dependent_id as source_id, 'dependency' as kind, dependency_skill_id as skill_id,
         dependency_type::text as type, justification
       from skill_dependencies where dependent_id = any ($1)
       union all
       select source_skill_id, 'reference', target_skill_id, reference_type, null
       from skill_references where source_skill_id = any ($1)
     )
     select source_id as skill_id,
       array_agg(distinct case kind when 'dependency' then 'dependencies' else 'references' end) as fields
     from named n full join linked l using (source_id, kind, skill_id)
     where n.type is null or l.type is null
       or (kind = 'reference' or l.type = any ($2))
         and (n.type, n.justification) is distinct from (l.type, l.justification)
     group by source_id`,
    [ids, dependencyTypes],
  );
  return new Map(rows.map((row) => [row.skill_id, warningsOf(row.fields.map((field) => keysOf(field)[0]))]));
}

function warningsOf(keys: readonly string[]): readonly Warning[] {
  return keys.map((key) => ({ code: 'kept-otherwise', key }));
}

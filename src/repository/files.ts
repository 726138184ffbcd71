// A skill's attached files as rows of skill_files.

import { isUtf8 } from 'node:buffer';
import type { SkillPath } from '../skill/path.ts';
import type { Entry, Skill } from '../skill/skill.ts';
import type { Connection } from './connection.ts';
import { fileType } from './file-type.ts';
import { modeOf } from './render.ts';

/** A skill, the key of its row, and its document: every other entry is an attached file. */
export interface Attached {
  readonly skillId: number;
  readonly skill: Skill;
  readonly entry: Entry;
}

/** Makes the attached files of each skill's row those of the skill. */
export async function matchFiles(connection: Connection, batch: readonly Attached[]): Promise<void> {
  const files = batch.flatMap(({ skillId, skill, entry }) =>
    skill.entries.filter((file) => file !== entry).map((file, order) => fileRow(skillId, file, order)),
  );
  const column = <K extends keyof FileRow>(name: K) => files.map((file) => file[name]);
  await connection.query(
    `with removed as (
       delete from skill_files f
       where f.skill_id = any ($1) and not exists (
         select from unnest($2::integer[], $3::text[]) as w (skill_id, relative_path)
         where w.skill_id = f.skill_id and w.relative_path = f.relative_path
       )
     )
     insert into skill_files as f (
       skill_id, relative_path, filename, file_type, content, binary_data, file_mode, file_size_bytes, checksum,
       sort_order
     )
     select skill_id, relative_path, filename, file_type::file_type_enum, content, binary_data, file_mode,
       file_size_bytes, encode(sha256(coalesce(binary_data, convert_to(content, 'UTF8'))), 'hex'), sort_order
     from unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[],
       $9::integer[], $10::integer[])
       as incoming (skill_id, relative_path, filename, file_type, content, binary_data, file_mode,
         file_size_bytes, sort_order)
     on conflict (skill_id, relative_path) do update set
       content = excluded.content, binary_data = excluded.binary_data, file_mode = excluded.file_mode,
       file_size_bytes = excluded.file_size_bytes, checksum = excluded.checksum, updated_at = now()
     where (f.content, f.binary_data, f.file_mode, f.file_size_bytes, f.checksum) is distinct from
       (excluded.content, excluded.binary_data, excluded.file_mode, excluded.file_size_bytes, excluded.checksum)`,
    [
      batch.map((row) => row.skillId),
      column('skillId'),
      column('path'),
      column('filename'),
      column('type'),
      column('content'),
      column('binary'),
      column('mode'),
      column('bytes'),
      column('order'),
    ],
  );
}

interface FileRow {
  readonly skillId: number;
  readonly path: string;
  readonly filename: string;
  readonly type: string;
  readonly content: string | null;
  readonly binary: Buffer | null;
  readonly mode: string;
  readonly bytes: number;
  readonly order: number;
}

function fileRow(skillId: number, { path, bytes, executable }: Entry, order: number): FileRow {
  // PostgreSQL's text holds any UTF-8 but NUL.
  const isText = isUtf8(bytes) && !bytes.includes(0);
  return {
    skillId,
    path,
    filename: path.slice(path.lastIndexOf('/') + 1),
    type: fileType(path),
    content: isText ? bytes.toString() : null,
    binary: isText ? null : bytes,
    mode: modeOf(executable),
    bytes: bytes.length,
    order,
  };
}

/**
 * The files of rows, their documents among them, as paths below the skills directory: of each skill those at or
 * below `within`, or all where that is ''.
 */
export async function storedFiles(
  connection: Connection,
  asked: readonly { readonly path: SkillPath; readonly within: string }[],
): Promise<readonly string[]> {
  const rows = await connection.query<{ file: string }>(
    `select distinct s.skill_path || '/' || f.relative_path as file
     from unnest($1::text[], $2::text[]) as asked (skill_path, within)
     join skills s using (skill_path)
     cross join lateral (
       select relative_path from skill_files where skill_id = s.skill_id
       union all
       select coalesce((select document_name from skill_sync where skill_id = s.skill_id), 'SKILL.md')
     ) f
     where s.deleted_at is null
       and (within = '' or f.relative_path = within or starts_with(f.relative_path, within || '/'))`,
    [asked.map((one) => one.path), asked.map((one) => one.within)],
  );
  return rows.map((row) => row.file);
}

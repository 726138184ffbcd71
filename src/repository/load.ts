// Rows back into skills: stored text as it stands, a fresh frontmatter where none was ever stored.

import { freshFrontmatter } from '../document/fresh.ts';
import type { DocumentPlace } from '../document/frontmatter.ts';
import { parseDocument } from '../document/parse.ts';
import { patchDocument } from '../document/patch.ts';
import { splitDocument } from '../document/split.ts';
import { type Outcome, refuse } from '../problem.ts';
import { batchesOf, type Loaded } from '../replica.ts';
import { type FilePath, parseFilePath, type SkillPath } from '../skill/path.ts';
import { type Entry, makeSkill, type Skill } from '../skill/skill.ts';
import type { Connection } from './connection.ts';
import { changesOf, type KeptTarget } from './edits.ts';
import { fieldsOf, type IndexRow } from './index-row.ts';

/** Which row to load, and where it stands. */
export interface RowKey {
  readonly skillId: number;
  readonly path: SkillPath;
}

interface SkillRow {
  readonly skill_id: number;
  readonly frontmatter_source: string | null;
  readonly skill_content: string | null;
  readonly document_name: string;
  readonly document_mode: string;
  /** Null where nobody but a sync changed the row. */
  readonly index: IndexRow | null;
  readonly targets: readonly KeptTarget[];
  /** The keys of `index` that another writer changed since the sync wrote them. */
  readonly edited: readonly string[] | null;
}

interface FileRow {
  readonly skill_id: number;
  readonly relative_path: string;
  readonly content: string | null;
  readonly binary_data: Buffer | null;
  readonly file_mode: string;
}

/**
 * A text as it stands. The embedded database hands texts over without a BOM at their start, so that queries
 * here put a point before each of them.
 */
function behindPoint(text: string | null): string | null {
  return text === null ? null : text.slice(1);
}

const executableMode = '100755';

/** The executable bit as `file_mode` and git have it. */
export function modeOf(executable: boolean): string {
  return executable ? executableMode : '100644';
}

/** Reads rows in bounded batches. A row that is gone meanwhile is the problem `skill-not-found`. */
export async function* loadRows(
  connection: Connection,
  keys: readonly RowKey[],
): AsyncIterable<readonly Loaded[]> {
  const sizes = await sizesOf(connection, keys);
  for (const batch of batchesOf(keys, (key) => sizes.get(key.skillId) ?? 0)) {
    yield await loadBatch(connection, batch);
  }
}

async function sizesOf(
  connection: Connection,
  keys: readonly RowKey[],
): Promise<ReadonlyMap<number, number>> {
  // octet_length reads a stored text's size without reading the text.
  const rows = await connection.query<{ skill_id: number; bytes: number }>(
    `select s.skill_id,
       (coalesce(octet_length(s.frontmatter_source), 0) + coalesce(octet_length(s.skill_content), 0)
        + coalesce(sum(coalesce(octet_length(f.content), 0) + coalesce(octet_length(f.binary_data), 0)), 0))::bigint
       as bytes
     from skills s left join skill_files f using (skill_id)
     where s.skill_id = any ($1)
     group by s.skill_id`,
    [keys.map((key) => key.skillId)],
  );
  return new Map(rows.map((row) => [row.skill_id, row.bytes]));
}

async function loadBatch(connection: Connection, keys: readonly RowKey[]): Promise<readonly Loaded[]> {
  const ids = [keys.map((key) => key.skillId)];
  const rows = await connection.query<SkillRow>(
    `select s.skill_id, '.' || s.frontmatter_source as frontmatter_source, '.' || s.skill_content as skill_content,
       coalesce(y.document_name, 'SKILL.md') as document_name,
       coalesce(y.document_mode, '100644') as document_mode,
       i.index, coalesce(y.targets, '[]') as targets,
       (
         select array_agg(written.key order by written.key)
         from jsonb_each(y.indexed) written
         where i.index -> written.key is distinct from case
           when written.key not in ('dependencies', 'references') then written.value
           -- A link that went with its target is no edit of this skill.
           else (
             select coalesce(jsonb_agg(link order by position), '[]')
             from jsonb_array_elements(written.value) with ordinality as links (link, position)
             where exists (select from skills t where t.skill_id = (link ->> 'skill_id')::integer)
           )
         end
       ) as edited
     from skills s
     left join skill_sync y using (skill_id)
     left join lateral skill_fleet_index(array[s.skill_id]) i
       on y.digest is null or y.digest_revision is distinct from y.revision
     where s.skill_id = any ($1)`,
    ids,
  );
  const files = new Map<number, FileRow[]>(keys.map((key) => [key.skillId, []]));
  for (const file of await connection.query<FileRow>(
    `select skill_id, relative_path, '.' || content as content, binary_data, file_mode
     from skill_files where skill_id = any ($1)`,
    ids,
  )) {
    files.get(file.skill_id)?.push(file);
  }
  const paths = await pathsOf(connection, rows.flatMap(mentionedIds));
  const byId = new Map(rows.map((row) => [row.skill_id, row]));
  return keys.map(({ skillId, path }) => {
    const row = byId.get(skillId);
    if (row === undefined) return { path, problem: { reason: 'skill-not-found', path } };
    const rendered = renderRow(path, row, files.get(skillId) ?? [], paths);
    return rendered.ok ? { path, skill: rendered.value } : { path, problem: rendered.problem };
  });
}

/** The skills that a row which someone changed points to, now or as its document has it. */
function mentionedIds({ index, targets }: SkillRow): readonly number[] {
  if (index === null) return [];
  const linked = [...index.dependencies, ...index.references].map((link) => link.skill_id);
  return [...linked, ...targets.flatMap((target) => target.skill_id ?? [])];
}

async function pathsOf(connection: Connection, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await connection.query<{ skill_id: number; skill_path: string }>(
    'select skill_id, skill_path from skills where skill_id = any ($1)',
    [ids],
  );
  return new Map(rows.map((row) => [row.skill_id, row.skill_path]));
}

function renderRow(
  path: SkillPath,
  row: SkillRow,
  files: readonly FileRow[],
  paths: ReadonlyMap<number, string>,
): Outcome<Skill> {
  const text = renderDocument(path, row, paths);
  if (!text.ok) return text;
  const entries: Entry[] = [
    {
      path: row.document_name as FilePath,
      executable: row.document_mode === executableMode,
      bytes: Buffer.from(text.value),
    },
  ];
  for (const file of files) {
    const filePath = parseFilePath(path, file.relative_path);
    if (!filePath.ok) return filePath;
    if (filePath.value === row.document_name) {
      return refuse({ reason: 'file-is-document', path, file: filePath.value });
    }
    entries.push({
      path: filePath.value,
      executable: file.file_mode === executableMode,
      bytes: file.binary_data ?? Buffer.from(behindPoint(file.content) ?? ''),
    });
  }
  return { ok: true, value: makeSkill(path, entries) };
}

function renderDocument(path: SkillPath, row: SkillRow, paths: ReadonlyMap<number, string>): Outcome<string> {
  const body = behindPoint(row.skill_content) ?? '';
  const source = behindPoint(row.frontmatter_source);
  const { index, edited } = row;
  if (index === null) return { ok: true, value: (source ?? '') + body };
  const place = { skill: path, file: row.document_name };
  if (source === null) {
    // Some writers put the whole document into skill_content.
    const isWhole = splitDocument(body).frontmatterSource !== '';
    return readable((isWhole ? '' : freshFrontmatter(fieldsOf(index, paths), body)) + body, place);
  }
  if (edited === null) return readable(source + body, place);
  return patchDocument(source + body, changesOf(edited, index, row.targets, paths), place);
}

/** A text that another writer had a part in, where the files' side will be able to read it. */
function readable(text: string, place: DocumentPlace): Outcome<string> {
  const parsed = parseDocument(text, place);
  return parsed.ok ? { ok: true, value: text } : parsed;
}

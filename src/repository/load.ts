// Rows read in bounded batches, with all that rendering them takes.

import { batchesOf, type Load, type Loaded } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import { type Connection, inView } from './connection.ts';
import { type FirstText, firstTexts, isWholeDocument } from './first-text.ts';
import {
  behindPoint,
  bytesOf,
  documentEntry,
  type FileRow,
  renderRow,
  type SkillRow,
  soundRow,
} from './render.ts';
import { indexIn, targetsIn, unsoundIn } from './sound.ts';

/** Which row to load, and where it stands. */
export interface RowKey {
  readonly skillId: number;
  readonly path: SkillPath;
}

/** What is known beside the rows. */
export interface Beside {
  readonly mapping: TaxonomyMapping;
  /** Files that rows without a stored text may take theirs from. */
  readonly files?: {
    readonly source: Load;
    readonly isOffered: (path: SkillPath) => boolean;
    /** Told of each row that took its file's text. */
    readonly onTaken: (path: SkillPath) => void;
  };
}

/** The most bytes of a row and its files, as they are sent: Node holds no longer text, and bytes are sent as two digits each. */
const mostRow = 511 * 1024 * 1024;

/** Reads rows in bounded batches. A row that is gone meanwhile is the problem `skill-not-found`. */
export async function* loadRows(
  connection: Connection,
  keys: readonly RowKey[],
  beside: Beside,
): AsyncIterable<readonly Loaded[]> {
  const sizes = await inView(connection, () => sizesOf(connection, keys));
  yield* loadSized(
    keys,
    ({ skillId }) => sizes.get(skillId) ?? 0,
    (batch) => inView(connection, () => loadBatch(connection, batch, beside)),
  );
}

/** Loads in bounded batches, in the order asked for. What is too large is named in its place, and not read. */
export async function* loadSized<K extends { readonly path: SkillPath }>(
  keys: readonly K[],
  sizeOf: (key: K) => number,
  load: (batch: readonly K[]) => Promise<readonly Loaded[]>,
): AsyncIterable<readonly Loaded[]> {
  const isTooLarge = (key: K) => sizeOf(key) > mostRow;
  for (const batch of batchesOf(keys, (key) => (isTooLarge(key) ? 0 : sizeOf(key)))) {
    const rest = (await load(batch.filter((key) => !isTooLarge(key)))).values();
    yield batch.flatMap((key): readonly Loaded[] => {
      const { path } = key;
      if (isTooLarge(key)) {
        return [{ path, problem: { reason: 'limit-exceeded', path, limit: 'rowBytes', most: mostRow } }];
      }
      const { value } = rest.next();
      return value ? [value] : [];
    });
  }
}

async function sizesOf(
  connection: Connection,
  keys: readonly RowKey[],
): Promise<ReadonlyMap<number, number>> {
  // octet_length reads a stored text's size without reading the text.
  const rows = await connection.query<{ skill_id: number; bytes: number }>(
    `select s.skill_id,
       (coalesce(octet_length(s.frontmatter_source), 0)::bigint + coalesce(octet_length(s.skill_content), 0)
        -- An index takes these in too, and holds no more than a quarter of what a text can.
        + 4 * (coalesce(octet_length(s.description), 0)::bigint + coalesce(octet_length(s.scope), 0))
        + coalesce(sum(coalesce(octet_length(f.content), 0)::bigint + 2::bigint * coalesce(octet_length(f.binary_data), 0)), 0)
       )::bigint as bytes
     from skills s left join skill_files f using (skill_id)
     where s.skill_id = any ($1)
     group by s.skill_id`,
    [keys.map((key) => key.skillId)],
  );
  return new Map(rows.map((row) => [row.skill_id, row.bytes]));
}

async function loadBatch(
  connection: Connection,
  keys: readonly RowKey[],
  beside: Beside,
): Promise<readonly Loaded[]> {
  const ids = [keys.map((key) => key.skillId)];
  const read = await connection.query<SkillRow>(
    `select s.skill_id, '.' || s.frontmatter_source as frontmatter_source, '.' || s.skill_content as skill_content,
       coalesce(y.document_name, 'SKILL.md') as document_name,
       coalesce(y.document_mode, '100644') as document_mode,
       i.index, y.indexed is null as never_stored, ${targetsIn('y.targets')} as targets,
       ${unsoundIn('y')} as unsound, skill_fleet_edited(i.index, ${indexIn('y.indexed')}) as edited
     from skills s
     left join skill_sync y using (skill_id)
     left join lateral skill_fleet_index(array[s.skill_id]) i
       on y.digest is null or y.digest_revision is distinct from y.revision
     join unnest($1::integer[], $2::text[]) as asked (skill_id, skill_path)
       on (asked.skill_id, asked.skill_path) = (s.skill_id, s.skill_path)
     where s.deleted_at is null`,
    [...ids, keys.map((key) => key.path)],
  );
  const rows = read.map(soundRow);
  const files = new Map<number, FileRow[]>(keys.map((key) => [key.skillId, []]));
  for (const file of await connection.query<FileRow>(
    `select skill_id, coalesce(relative_path, '') as relative_path, '.' || content as content, binary_data, file_mode
     from skill_files where skill_id = any ($1)`,
    ids,
  )) {
    files.get(file.skill_id)?.push(file);
  }
  const paths = await pathsOf(connection, rows.flatMap(mentionedIds));
  const byId = new Map(rows.map((row) => [row.skill_id, row]));
  const texts = await findFirstTexts(connection, keys, byId, files, paths, beside);
  return keys.map(({ skillId, path }) => {
    const row = byId.get(skillId);
    if (row === undefined) return { path, problem: { reason: 'skill-not-found', path } };
    const rendered = renderRow(path, row, files.get(skillId) ?? [], paths, texts.get(skillId));
    return rendered.ok ? { path, skill: rendered.value } : { path, problem: rendered.problem };
  });
}

/** The texts of those rows for which none was ever stored. */
async function findFirstTexts(
  connection: Connection,
  keys: readonly RowKey[],
  rows: ReadonlyMap<number, SkillRow>,
  filesOf: ReadonlyMap<number, readonly FileRow[]>,
  paths: ReadonlyMap<number, string>,
  { mapping, files }: Beside,
): Promise<ReadonlyMap<number, FirstText>> {
  const first = keys.flatMap(({ skillId, path }) => {
    const row = rows.get(skillId);
    if (!row?.never_stored || row.unsound !== null || row.frontmatter_source !== null || row.index === null) {
      return [];
    }
    const content = behindPoint(row.skill_content) ?? '';
    const isWhole = isWholeDocument(content);
    if (!isWhole && !files?.isOffered(path)) return [];
    const attached = (filesOf.get(skillId) ?? []).map((file) => ({
      path: file.relative_path,
      bytes: bytesOf(file),
    }));
    return [{ skillId, path, document: documentEntry(row, content), isWhole, attached, index: row.index }];
  });
  if (first.length === 0) return new Map();
  const skills = new Map<SkillPath, Skill>();
  const offered = files ? first.map((row) => row.path).filter(files.isOffered) : [];
  if (files && offered.length > 0) {
    for await (const batch of files.source(offered)) {
      for (const loaded of batch) if ('skill' in loaded) skills.set(loaded.path, loaded.skill);
    }
  }
  const texts = await firstTexts(connection, first, skills, paths, mapping);
  for (const { skillId, path } of first) if (texts.get(skillId)?.file) files?.onTaken(path);
  return texts;
}

/** The skills that a row which someone changed points to, now or as its document has it. */
export function mentionedIds({ index, targets, unsound }: SkillRow): readonly number[] {
  if (index === null || unsound !== null) return [];
  const linked = [...index.dependencies, ...index.references].map((link) => link.skill_id);
  return [...linked, ...targets.flatMap((target) => target.skill_id ?? [])];
}

/** The paths of skills, by key. */
export async function pathsOf(
  connection: Connection,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await connection.query<{ skill_id: number; skill_path: string }>(
    'select skill_id, skill_path from skills where skill_id = any ($1)',
    [ids],
  );
  return new Map(rows.map((row) => [row.skill_id, row.skill_path]));
}

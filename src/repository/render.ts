// Rows back into skills: stored text as it stands, with the values that another writer changed; a fresh
// frontmatter where no text was ever stored.

import { freshFrontmatter } from '../document/fresh.ts';
import type { DocumentPlace } from '../document/frontmatter.ts';
import { parseDocument } from '../document/parse.ts';
import { patchDocument } from '../document/patch.ts';
import { type Outcome, refuse } from '../problem.ts';
import { type FilePath, parseFilePath, type SkillPath } from '../skill/path.ts';
import { type Entry, isDocumentName, makeSkill, type Skill } from '../skill/skill.ts';
import { changesOf, type KeptTarget } from './edits.ts';
import { type FirstText, isWholeDocument } from './first-text.ts';
import { fieldsOf, type IndexRow } from './index-row.ts';
import { soundIndex } from './sound.ts';

/** A row of skills with its bookkeeping; texts behind a point. */
export interface SkillRow {
  readonly skill_id: number;
  readonly frontmatter_source: string | null;
  readonly skill_content: string | null;
  readonly document_name: string;
  readonly document_mode: string;
  /** Null where nobody but a sync changed the row. */
  readonly index: IndexRow | null;
  /** Whether no sync ever stored a text for the row. */
  readonly never_stored: boolean;
  readonly targets: readonly KeptTarget[];
  /** Why what is known of the row cannot be used; null where it can. */
  readonly unsound: string | null;
  /** The keys of `index` that another writer changed since the sync wrote them. */
  readonly edited: readonly string[] | null;
}

/** A row with an index that can be used, or the reason why not: what nobody changed needs none. */
export function soundRow<R extends SkillRow>(row: R): R {
  if (row.index === null) return { ...row, unsound: null };
  return row.unsound === null ? { ...row, unsound: null, ...soundIndex(row.index) } : row;
}

/** A row of skill_files; text behind a point. */
export interface FileRow {
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
export function behindPoint<T extends string | null>(text: T): T | string {
  return text === null ? text : text.slice(1);
}

/** What `file_mode` and git have for a file that is executable. */
export const executableMode = '100755';

/** A file's bytes. */
export function bytesOf({ binary_data: binary, content }: FileRow): Buffer {
  return binary ?? Buffer.from(behindPoint(content) ?? '');
}

/** The executable bit as `file_mode` and git have it. */
export function modeOf(executable: boolean): string {
  return executable ? executableMode : '100644';
}

/**
 * A row as a skill.
 *
 * @param paths skill paths by key, of all that the row points to
 * @param first the text of a row for which none was ever stored
 */
export function renderRow(
  path: SkillPath,
  row: SkillRow,
  files: readonly FileRow[],
  paths: ReadonlyMap<number, string>,
  first: FirstText | undefined,
): Outcome<Skill> {
  if (!isDocumentName(row.document_name)) {
    return refuse({ reason: 'row-not-readable', path, why: 'skill_sync.document_name names no document' });
  }
  if (row.unsound !== null) return refuse({ reason: 'row-not-readable', path, why: row.unsound });
  const text = first ? renderFirst(path, first) : renderDocument(path, row, paths);
  if (!text.ok) return text;
  const document = first?.read.entry ?? documentEntry(row, '');
  const entries: Entry[] = [{ ...document, bytes: Buffer.from(text.value) }];
  if (first?.file) {
    entries.push(...first.file.entries.filter((entry) => entry !== document));
    return { ok: true, value: makeSkill(path, entries) };
  }
  for (const file of files) {
    const filePath = parseFilePath(path, file.relative_path);
    if (!filePath.ok) return filePath;
    if (filePath.value === document.path) {
      return refuse({ reason: 'file-is-document', path, file: filePath.value });
    }
    entries.push({
      path: filePath.value,
      executable: file.file_mode === executableMode,
      bytes: bytesOf(file),
    });
  }
  return { ok: true, value: makeSkill(path, entries) };
}

function renderDocument(path: SkillPath, row: SkillRow, paths: ReadonlyMap<number, string>): Outcome<string> {
  const body = behindPoint(row.skill_content) ?? '';
  const source = behindPoint(row.frontmatter_source);
  const { index, edited } = row;
  const text = (source ?? '') + body;
  if (index === null) return { ok: true, value: text };
  const place = { skill: path, file: row.document_name };
  if (source === null && !isWholeDocument(body)) {
    return readable(freshFrontmatter(fieldsOf(index, paths), body) + body, place);
  }
  if (edited === null) return readable(text, place);
  return patchDocument(text, changesOf(edited, index, row.targets, paths), place);
}

/** A row's first text, with what only the row says. */
function renderFirst(path: SkillPath, { read, beyond }: FirstText): Outcome<string> {
  const text = read.document.frontmatterSource + read.document.body;
  const place = { skill: path, file: read.entry.path };
  return Object.keys(beyond).length === 0 ? { ok: true, value: text } : patchDocument(text, beyond, place);
}

/** The row's document, with this text. */
export function documentEntry(row: SkillRow, text: string): Entry {
  return {
    path: row.document_name as FilePath,
    executable: row.document_mode === executableMode,
    bytes: Buffer.from(text),
  };
}

/** A text that another writer had a part in, where the files' side will be able to read it. */
function readable(text: string, place: DocumentPlace): Outcome<string> {
  const parsed = parseDocument(text, place);
  return parsed.ok ? { ok: true, value: text } : parsed;
}

// Three-way merge of skills: what both sides made of what they last agreed on, as one.

import { commentsOf } from '../document/comments.ts';
import type { Fields } from '../document/fields.ts';
import type { DocumentPlace } from '../document/frontmatter.ts';
import { decodeDocument, parseDocument, type SkillDocument } from '../document/parse.ts';
import { type FieldChanges, isSame, patchDocument } from '../document/patch.ts';
import { splitDocument } from '../document/split.ts';
import { type FilePath, findMerged, foldersAbove, type SkillPath } from '../skill/path.ts';
import { documentOf, type Entry, makeSkill, type Skill } from '../skill/skill.ts';
import { mergedPlainly, mergeFields, type ValueRegion } from './merge-fields.ts';
import { type LineRegion, mergeLines } from './merge-lines.ts';

/** A file as each side has it, where both changed it differently; null is none. */
export interface FileRegion {
  readonly base: FileState | null;
  readonly files: FileState | null;
  readonly database: FileState | null;
}

export interface FileState {
  readonly bytes: number;
  readonly executable: boolean;
}

/** A place in a skill where both sides' changes do not go together. */
export type Region = { readonly file: string } & (
  | ({ readonly part: 'body' } & LineRegion)
  | ({ readonly part: 'value' } & ValueRegion)
  | ({ readonly part: 'file' } & FileRegion)
  /** No text of the frontmatter says both sides' values. */
  | { readonly part: 'frontmatter' }
  /** Together with the file `other` it could not stand in one folder. */
  | { readonly part: 'name'; readonly other: string }
);

export type Merged =
  | { readonly ok: true; readonly skill: Skill }
  | { readonly ok: false; readonly regions: readonly Region[] };

/** A skill as both sides agreed on it, and as each has it now, each at its own path. */
export interface ThreeSkills {
  readonly base: Skill;
  readonly files: Skill;
  readonly database: Skill;
}

/**
 * Merges both sides' changes of a skill: the document's body by lines, its frontmatter by value, attached files
 * whole, executable bits apart from the bytes. Pure.
 *
 * @param path where the merged skill is to stand
 */
export function mergeSkills(three: ThreeSkills, path: SkillPath): Merged {
  const regions: Region[] = [];
  const entries: Entry[] = [];
  const document = mergeDocumentEntries(three, path);
  if (document.ok) entries.push(document.entry);
  else regions.push(...document.regions);
  const [base, files, database] = [three.base, three.files, three.database].map(attachedFiles);
  for (const file of new Set([...(files?.keys() ?? []), ...(database?.keys() ?? [])])) {
    const merged = mergeEntries(file, base?.get(file), files?.get(file), database?.get(file));
    if (merged === 'conflict') {
      const states = { base: base?.get(file), files: files?.get(file), database: database?.get(file) };
      regions.push({ file, part: 'file', ...statesOf(states) });
    } else if (merged) entries.push(merged);
  }
  regions.push(...clashing(entries.map((entry) => entry.path)));
  return regions.length > 0 ? { ok: false, regions } : { ok: true, skill: makeSkill(path, entries) };
}

function attachedFiles(skill: Skill): ReadonlyMap<FilePath, Entry> {
  const document = documentOf(skill);
  return new Map(skill.entries.flatMap((entry) => (entry === document ? [] : [[entry.path, entry]])));
}

/** A file that both sides hold, one does, or neither any more. */
function mergeEntries(
  path: FilePath,
  base: Entry | undefined,
  files: Entry | undefined,
  database: Entry | undefined,
): Entry | undefined | 'conflict' {
  const whole = mergedPlainly({ base, files, database }, isSameEntry);
  if (whole) return whole.value;
  if (!files || !database) return 'conflict';
  const bytes = mergedPlainly<Buffer | undefined>(
    { base: base?.bytes, files: files.bytes, database: database.bytes },
    isSameBytes,
  );
  const executable = mergedPlainly({
    base: base?.executable,
    files: files.executable,
    database: database.executable,
  });
  if (!bytes?.value || executable?.value === undefined) return 'conflict';
  return { path, bytes: bytes.value, executable: executable.value };
}

function isSameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  return a && b ? a.executable === b.executable && a.bytes.equals(b.bytes) : a === b;
}

function isSameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a && b ? a.equals(b) : a === b;
}

function statesOf(states: { readonly [S in keyof FileRegion]: Entry | undefined }): FileRegion {
  const of = (entry: Entry | undefined): FileState | null =>
    entry ? { bytes: entry.bytes.length, executable: entry.executable } : null;
  return { base: of(states.base), files: of(states.files), database: of(states.database) };
}

/** Files that cannot stand side by side: each side alone has one of them. */
function clashing(files: readonly FilePath[]): readonly Region[] {
  const all = new Set<string>(files);
  const merged = findMerged(files);
  return [
    ...(merged ? [{ file: merged.file, part: 'name' as const, other: merged.other }] : []),
    ...files.flatMap((file) =>
      foldersAbove(file).flatMap((other) => (all.has(other) ? [{ file, part: 'name' as const, other }] : [])),
    ),
  ];
}

type MergedEntry =
  | { readonly ok: true; readonly entry: Entry }
  | { readonly ok: false; readonly regions: readonly Region[] };

function mergeDocumentEntries(three: ThreeSkills, path: SkillPath): MergedEntry {
  const [base, files, database] = [
    documentOf(three.base),
    documentOf(three.files),
    documentOf(three.database),
  ];
  const region = (part: 'file'): MergedEntry => ({
    ok: false,
    regions: [{ file: files.path, part, ...statesOf({ base, files, database }) }],
  });
  const name = mergedPlainly({ base: base.path, files: files.path, database: database.path });
  const executable = mergedPlainly({
    base: base.executable,
    files: files.executable,
    database: database.executable,
  });
  if (!name || !executable) return region('file');
  const entry = { path: name.value, executable: executable.value };
  const bytes = mergedPlainly<Buffer>(
    { base: base.bytes, files: files.bytes, database: database.bytes },
    isSameBytes,
  );
  if (bytes) return { ok: true, entry: { ...entry, bytes: bytes.value } };
  const read = (skill: Skill, of: Entry) => readAt({ skill: skill.path, file: of.path }, of.bytes);
  const texts = {
    base: read(three.base, base),
    files: read(three.files, files),
    database: read(three.database, database),
  };
  // What no reading understands has no values.
  if (!texts.base || !texts.files || !texts.database) return region('file');
  const merged = mergeDocuments(
    { base: texts.base, files: texts.files, database: texts.database },
    { skill: path, file: entry.path },
  );
  return merged.ok ? { ok: true, entry: { ...entry, bytes: Buffer.from(merged.text) } } : merged;
}

/** A document as text and as a value. */
interface ReadDocument {
  readonly text: string;
  readonly document: SkillDocument;
}

function readAt(place: DocumentPlace, bytes: Buffer): ReadDocument | undefined {
  const text = decodeDocument(bytes, place);
  if (!text.ok) return undefined;
  const document = parseDocument(text.value, place);
  return document.ok ? { text: text.value, document: document.value } : undefined;
}

type MergedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly regions: readonly Region[] };

interface ThreeDocuments {
  readonly base: ReadDocument;
  readonly files: ReadDocument;
  readonly database: ReadDocument;
}

/** Merges documents that both sides changed. What comes of it reads back as both sides' values, or is none. */
function mergeDocuments(three: ThreeDocuments, place: DocumentPlace): MergedText {
  const { file } = place;
  const [base, files, database] = [three.base.document, three.files.document, three.database.document];
  const body = mergeLines(base.body, files.body, database.body);
  const { fields, regions } = mergeFields({
    base: base.fields,
    files: files.fields,
    database: database.fields,
  });
  const values = regions.map((region) => ({ file, part: 'value' as const, ...region }));
  if (!body.ok || values.length > 0) {
    const bodies = body.ok ? [] : body.regions;
    return { ok: false, regions: [...values, ...bodies.map((region) => inDocument(region, three, file))] };
  }
  const known = new Set([...files.warnings, ...database.warnings].map(({ code }) => code));
  for (const text of candidates(three, place, body.text, fields)) {
    const read = parseDocument(text, place);
    if (!read.ok || read.value.body !== body.text || !isSaid(fields, read.value.fields)) continue;
    // A key that stands twice, and the like, would be the merge's own fault.
    if (read.value.warnings.every(({ code }) => known.has(code))) return { ok: true, text };
  }
  return { ok: false, regions: [{ file, part: 'frontmatter' }] };
}

/** A region of the body, with the numbers that its lines have in the document. */
function inDocument({ base, files, database }: LineRegion, three: ThreeDocuments, file: string): Region {
  const at = (lines: LineRegion['base'], { document }: ReadDocument) => ({
    ...lines,
    line: lines.line + document.frontmatterSource.split('\n').length - 1,
  });
  return {
    file,
    part: 'body',
    base: at(base, three.base),
    files: at(files, three.files),
    database: at(database, three.database),
  };
}

/** Whether a document says just these values, lists in any order. */
function isSaid(wanted: Fields, said: Fields): boolean {
  return (Object.keys(wanted) as (keyof Fields)[]).every((field) =>
    field === 'capabilities'
      ? isSame('references', capabilitiesAsSet(wanted), capabilitiesAsSet(said))
      : isSame(field, said[field], wanted[field]),
  );
}

/** The body gives the order of those that it names. */
function capabilitiesAsSet({ capabilities }: Fields): Fields['references'] {
  return capabilities.map(({ name, description }) => ({ target: name, type: description }));
}

/** Texts that may say both sides' values, above the merged body; the one first that keeps most of both texts. */
function* candidates(
  { base, files, database }: ThreeDocuments,
  place: DocumentPlace,
  body: string,
  wanted: Fields,
): Generator<string> {
  const sourceOf = ({ document }: ReadDocument) => document.frontmatterSource;
  const byLines = mergeLines(sourceOf(base), sourceOf(files), sourceOf(database));
  if (byLines.ok) yield byLines.text + body;
  const sides = [
    [files, database],
    [database, files],
  ] as const;
  for (const [kept, other] of sides) {
    const patched = withValues(sourceOf(kept) + body, wanted, place);
    // What somebody wrote into the other text beside its values must not go unsaid.
    if (patched !== undefined && newComments(base, other).every((comment) => patched.includes(comment))) {
      yield patched;
    }
  }
}

/** A document with what differs of its values made as wanted. */
function withValues(text: string, wanted: Fields, place: DocumentPlace): string | undefined {
  const read = parseDocument(text, place);
  if (!read.ok) return undefined;
  const { fields } = read.value;
  const differing = (Object.keys(wanted) as (keyof Fields)[]).filter(
    (field) => !isSame(field, fields[field], wanted[field]),
  );
  const changes: FieldChanges = Object.fromEntries(differing.map((field) => [field, wanted[field]]));
  const patched = patchDocument(text, changes, place);
  return patched.ok ? patched.value : undefined;
}

function newComments(base: ReadDocument, side: ReadDocument): readonly string[] {
  const of = ({ text }: ReadDocument) => commentsOf(splitDocument(text).yaml?.text ?? '');
  const known = of(base);
  return of(side).filter((comment) => !known.includes(comment));
}

// A skill as the rules look at it: its files, and its document read once, with places.

import type { Fields } from '../document/fields.ts';
import type { Frontmatter } from '../document/frontmatter.ts';
import { decodeDocument, readDocument } from '../document/parse.ts';
import { SourceLines } from '../document/source-lines.ts';
import { type Split, splitDocument } from '../document/split.ts';
import type { Warning } from '../document/warning.ts';
import type { Outcome } from '../problem.ts';
import { folderName, type SkillPath } from '../skill/path.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';
import type { Spot } from './finding.ts';

export interface CheckedDocument {
  /** Its name in the skill's folder. */
  readonly file: string;
  readonly text: string;
  readonly lines: SourceLines;
  readonly split: Split;
  /** Null where the document has none. */
  readonly frontmatter: Frontmatter | null;
  readonly fields: Fields;
  /** What of the fields was read leniently. */
  readonly warnings: readonly Warning[];
  /** The line of the file at which the body begins. */
  readonly bodyLine: number;
}

/** A file that holds text, as far as its bytes tell. */
export interface TextFile {
  readonly file: string;
  readonly text: string;
}

export interface Subject {
  readonly path: SkillPath;
  readonly folder: string;
  readonly entries: readonly Entry[];
  readonly document: CheckedDocument;
  /** The document and every other file that holds text. */
  readonly texts: readonly TextFile[];
}

/** Reads a skill for the rules. Problems: those of a document that cannot be read. */
export function readSubject({ path, entries }: Skill): Outcome<Subject> {
  const { path: file, bytes } = documentOf({ path, entries });
  const place = { skill: path, file };
  const decoded = decodeDocument(bytes, place);
  if (!decoded.ok) return decoded;
  const text = decoded.value;
  const read = readDocument(text, place);
  if (!read.ok) return read;
  const split = splitDocument(text);
  const { frontmatter, document } = read.value;
  const attached = entries.filter((entry) => entry.path !== file && !isBinary(entry.bytes));
  return {
    ok: true,
    value: {
      path,
      folder: folderName(path),
      entries,
      document: {
        ...{ file, text, split, frontmatter },
        lines: new SourceLines(text),
        fields: document.fields,
        warnings: document.warnings,
        bodyLine: split.frontmatterSource.split('\n').length,
      },
      texts: [
        { file, text },
        ...attached.map((entry) => ({ file: entry.path, text: entry.bytes.toString() })),
      ],
    },
  };
}

/** As git tells text from other files: by a NUL among the first bytes. A PDF may have none. */
export function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8000).includes(0) || bytes.subarray(0, 5).toString() === '%PDF-';
}

/** The place of an offset in a file. */
export function spotAt(file: string, lines: SourceLines, offset: number): Required<Spot> {
  return { file, line: lines.line(offset) + 1, column: offset - lines.start(offset) + 1 };
}

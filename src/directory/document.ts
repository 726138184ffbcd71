// Reads the document of a skill, and no other file of it.

import { codeOf } from '../disk.ts';
import { decodeDocument } from '../document/parse.ts';
import { type Outcome, refuse } from '../problem.ts';
import type { FilePath, SkillPath } from '../skill/path.ts';
import { documentName } from '../skill/skill.ts';
import { type Library, placeOf } from './library.ts';
import { readFile } from './read-file.ts';

/** A document as text. */
export interface ReadDocument {
  /** Its name in the skill's folder. */
  readonly file: FilePath;
  readonly text: string;
}

/**
 * Reads the document of the skill at `path`. Problems: `skill-not-found`, `folder-unreadable`, `document-not-utf8`, and
 * those of {@link readFile}.
 */
export async function readDocumentAt(library: Library, path: SkillPath): Promise<Outcome<ReadDocument>> {
  try {
    const entries = await library.disk.readdir(placeOf(library, path));
    const file = documentName(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    if (file === undefined) return refuse({ reason: 'skill-not-found', path });
    const read = await readFile(library, path, file, 'documentBytes');
    if (!read.ok) return read;
    const text = decodeDocument(read.value.bytes, { skill: path, file });
    return text.ok ? { ok: true, value: { file: file as FilePath, text: text.value } } : text;
  } catch (error) {
    return refuse({ reason: 'folder-unreadable', path, code: codeOf(error) });
  }
}

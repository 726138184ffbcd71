// What writing or removing a skill does, file by file and in order: decided first, carried out after. Pure.

import { createHash, randomUUID } from 'node:crypto';
import { type FilePath, foldersAbove, type SkillPath } from '../skill/path.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';
import { ownPrefix } from './ignore.ts';
import { join } from './library.ts';

/** The SHA-256 of a file's bytes in hex, to know them by. Not every file system keeps more of it than these. */
export type FileMark = string;

/** What becomes of one file. */
export interface Step {
  /** Within the skill. */
  readonly file: FilePath;
  /** What stands there before; null is nothing. */
  readonly before: FileMark | null;
  /** Where its new content lies until it is in place, relative to the skills directory; null: the file goes. */
  readonly staged: string | null;
}

/** What becomes of a skill's files. */
export interface Replacement {
  readonly path: SkillPath;
  /** In the order in which they are taken. */
  readonly steps: readonly Step[];
  /** Whether the skill itself goes: to the trash. */
  readonly removed: boolean;
  /** Where the skill stood before: these of its files go, to the trash, once the others are in place. */
  readonly leaves?: Pick<Replacement, 'path' | 'steps'>;
}

/** Tells content from content, in less room. */
export function markOf({ bytes }: Pick<Entry, 'bytes'>): FileMark {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Makes the files of `current` those of `wanted`. The document comes last, so that nobody reads a new one without
 * its files, and the files that are gone after it.
 *
 * @param current what stands where the skill's files go, its own files or the same as they shall be
 * @param stagingFolder says in which folder the new content of a file lies until it is in place
 */
export function stepsToWrite(
  current: readonly Entry[],
  wanted: Skill,
  stagingFolder: (file: FilePath) => string,
): readonly Step[] {
  const before = new Map(current.map((entry) => [entry.path, entry]));
  const { inTheWay, leftOver } = obsoleteFiles(current, wanted);
  const go = (entry: Entry): Step => ({ file: entry.path, before: markOf(entry), staged: null });
  const come = (entry: Entry): Step => {
    const replaced = before.get(entry.path);
    return {
      file: entry.path,
      before: replaced ? markOf(replaced) : null,
      staged: join(stagingFolder(entry.path), `${ownPrefix}${randomUUID()}`),
    };
  };
  const changed = documentLast(wanted).filter((entry) => !isSame(before.get(entry.path), entry));
  return [...inTheWay.map(go), ...changed.map(come), ...leftOver.map(go)];
}

/** Removes a skill. Without its document the rest is none: no half of one is ever taken for an edit. */
export function stepsToRemove(skill: Skill): readonly Step[] {
  return documentLast(skill)
    .toReversed()
    .map((entry) => ({ file: entry.path, before: markOf(entry), staged: null }));
}

/** The current files that `wanted` lacks, apart those that must go before its own can be put in place. */
function obsoleteFiles(
  current: readonly Entry[],
  wanted: Skill,
): { inTheWay: readonly Entry[]; leftOver: readonly Entry[] } {
  const files = new Set<string>(wanted.entries.map((entry) => entry.path));
  const folders = new Set(wanted.entries.flatMap((entry) => foldersAbove(entry.path)));
  // Where case does not count, removing a file after its renamed self was put in place would remove that.
  const anyCase = new Set([...files].map((file) => file.toLowerCase()));
  const isInTheWay = ({ path }: Entry): boolean =>
    folders.has(path) ||
    anyCase.has(path.toLowerCase()) ||
    foldersAbove(path).some((folder) => files.has(folder));
  const obsolete = current.filter((entry) => !files.has(entry.path));
  return {
    inTheWay: obsolete.filter(isInTheWay),
    leftOver: obsolete.filter((entry) => !isInTheWay(entry)),
  };
}

function isSame(before: Entry | undefined, entry: Entry): boolean {
  return before?.executable === entry.executable && before.bytes.equals(entry.bytes);
}

function documentLast(skill: Skill): readonly Entry[] {
  const document = documentOf(skill);
  return [...skill.entries.filter((entry) => entry !== document), document];
}

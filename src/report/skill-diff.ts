// The difference between two states of a skill, as a unified diff of its files.

import { isUtf8 } from 'node:buffer';
import { createTwoFilesPatch } from 'diff';
import type { Preview } from '../reconcile/plan.ts';
import { compareBytes } from '../skill/path.ts';
import type { Entry, Skill } from '../skill/skill.ts';

/** Lines of one file's diff that are shown where not all are asked for; the rest is counted. */
const maxLines = 60;

/** Whether long diffs are shown whole, or as much of them as is read. */
export type Length = 'whole' | 'folded';

/** Edits beyond this are not worth finding: the whole file counts as changed. Bounds the search's time. */
const maxEditLength = 2000;

/** What became of one file. */
export interface FileDiff {
  /** Relative to the skill. */
  readonly path: string;
  /** The whole unified diff; a line that says so where the contents are no texts, or are too different. */
  readonly text: string;
  /** Lines; none where they were not compared. */
  readonly added: number;
  readonly removed: number;
  /** What the lines do not say: `binary`, `executable`, `not executable`. */
  readonly notes: readonly string[];
}

interface Names {
  readonly before: string;
  readonly after: string;
}

/**
 * The unified diff from `before` to `after`, null being absent: text, without colour. Binary files are named.
 *
 * @param names what the two sides are called in file headers
 */
export function diffSkills(
  before: Skill | null,
  after: Skill | null,
  names: Names,
  length: Length = 'folded',
): string {
  return diffText(diffFiles(before, after, names), length);
}

/** The unified diff of all files. */
export function diffText(diffs: readonly FileDiff[], length: Length = 'folded'): string {
  return diffs.map(({ text }) => (length === 'whole' ? text : fold(text))).join('');
}

/** A line a file: `scripts/run.sh  +3 -1, executable`. */
export function statText(diffs: readonly FileDiff[]): string {
  return diffs
    .map(({ path, added, removed, notes }) => {
      const counts = added + removed > 0 ? [`+${added} -${removed}`] : [];
      return `${path}  ${[...counts, ...notes].join(', ') || 'empty'}\n`;
    })
    .join('');
}

/** What became of each file that differs, in byte order of their paths. */
export function diffFiles(before: Skill | null, after: Skill | null, names: Names): readonly FileDiff[] {
  const old = entriesByPath(before);
  const now = entriesByPath(after);
  const [oldPath, nowPath] = [(before ?? after)?.path, (after ?? before)?.path];
  return [...new Set([...old.keys(), ...now.keys()])].sort(compareBytes).flatMap((path) =>
    diffEntries(path, old.get(path), now.get(path), {
      before: `${names.before}/${oldPath}/${path}`,
      after: `${names.after}/${nowPath}/${path}`,
    }),
  );
}

function entriesByPath(skill: Skill | null): ReadonlyMap<string, Entry> {
  return new Map((skill?.entries ?? []).map((entry) => [entry.path, entry]));
}

function diffEntries(
  path: string,
  old: Entry | undefined,
  now: Entry | undefined,
  names: Names,
): readonly FileDiff[] {
  const before = old ? names.before : '/dev/null';
  const after = now ? names.after : '/dev/null';
  const isModeSaid = now !== undefined && now.executable !== (old?.executable ?? false);
  const bit = now?.executable ? 'executable' : 'not executable';
  const mode = isModeSaid ? `mode of ${names.after}: ${bit}\n` : '';
  const notes = isModeSaid ? [bit] : [];
  const [oldBytes, nowBytes] = [old?.bytes ?? Buffer.alloc(0), now?.bytes ?? Buffer.alloc(0)];
  const head = `${mode}--- ${before}\n+++ ${after}\n`;
  const none = { path, added: 0, removed: 0 };
  if (oldBytes.equals(nowBytes)) {
    if (!old || !now) return [{ ...none, text: `${head}(empty)\n`, notes }];
    return isModeSaid ? [{ ...none, text: mode, notes }] : [];
  }
  if (!isText(oldBytes) || !isText(nowBytes)) {
    const sizes = `${oldBytes.length} -> ${nowBytes.length} bytes`;
    return [{ ...none, text: `${head}(binary: ${sizes})\n`, notes: [...notes, `binary, ${sizes}`] }];
  }
  const text = unifiedDiff(before, after, oldBytes.toString(), nowBytes.toString());
  const count = (sign: '+' | '-') => text.split(`\n${sign}`).length - 1;
  // Of the two lines of the head the first begins the text.
  const isCompared = text.includes('\n@@');
  return [
    {
      path,
      text: mode + text,
      added: isCompared ? count('+') - 1 : 0,
      removed: isCompared ? count('-') : 0,
      notes: isCompared ? notes : [...notes, 'too different to compare'],
    },
  ];
}

function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

function unifiedDiff(before: string, after: string, old: string, now: string): string {
  const patch = createTwoFilesPatch(before, after, old, now, '', '', { context: 3, maxEditLength });
  if (patch === undefined) {
    return `--- ${before}\n+++ ${after}\n(too different to compare: ${old.length} -> ${now.length} characters)\n`;
  }
  // Names are spelled where they are printed, as everywhere.
  return `--- ${before}\n+++ ${after}\n${patch.slice(patch.indexOf('\n@@') + 1)}`;
}

function fold(text: string): string {
  const lines = text.split('\n').slice(0, -1);
  const hidden = lines.length - maxLines;
  return hidden <= 0 ? text : `${lines.slice(0, maxLines).join('\n')}\n... ${hidden} more lines\n`;
}

/** A preview's difference, from what the side that changes holds to what it shall hold; a conflict's to the files. */
export function diffPreview(preview: Preview): readonly FileDiff[] {
  const { files, database } = preview;
  const change = 'change' in preview ? preview.change : undefined;
  // A skill that is moved as it is.
  if (change?.content?.side === change?.side && change) return [];
  return change?.side === 'files'
    ? diffFiles(files, database, { before: 'files', after: change.merge ? 'merged' : 'database' })
    : diffFiles(database, files, { before: 'database', after: change?.merge ? 'merged' : 'files' });
}

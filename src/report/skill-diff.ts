// The difference between two states of a skill, as a unified diff of its files.

import { isUtf8 } from 'node:buffer';
import { createTwoFilesPatch } from 'diff';
import type { Preview } from '../reconcile/plan.ts';
import { compareBytes } from '../skill/path.ts';
import type { Entry, Skill } from '../skill/skill.ts';

/** Lines of one file's diff that are shown; the rest is counted. */
const maxLines = 60;

/** Edits beyond this are not worth finding: the whole file counts as changed. Bounds the search's time. */
const maxEditLength = 2000;

/**
 * The unified diff from `before` to `after`, null being absent: text, without colour. Long ones are folded,
 * binary files named.
 *
 * @param names what the two sides are called in file headers
 */
export function diffSkills(
  before: Skill | null,
  after: Skill | null,
  names: { readonly before: string; readonly after: string },
): string {
  const old = entriesByPath(before);
  const now = entriesByPath(after);
  const [oldPath, nowPath] = [(before ?? after)?.path, (after ?? before)?.path];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort(compareBytes)
    .map((path) =>
      diffEntries(old.get(path), now.get(path), {
        before: `${names.before}/${oldPath}/${path}`,
        after: `${names.after}/${nowPath}/${path}`,
      }),
    )
    .join('');
}

function entriesByPath(skill: Skill | null): ReadonlyMap<string, Entry> {
  return new Map((skill?.entries ?? []).map((entry) => [entry.path, entry]));
}

function diffEntries(
  old: Entry | undefined,
  now: Entry | undefined,
  names: { readonly before: string; readonly after: string },
): string {
  const before = old ? names.before : '/dev/null';
  const after = now ? names.after : '/dev/null';
  const mode =
    old && now && old.executable !== now.executable
      ? `mode of ${names.after}: ${now.executable ? 'executable' : 'not executable'}\n`
      : now?.executable && !old
        ? `mode of ${names.after}: executable\n`
        : '';
  const [oldBytes, nowBytes] = [old?.bytes ?? Buffer.alloc(0), now?.bytes ?? Buffer.alloc(0)];
  if (oldBytes.equals(nowBytes)) return old && now ? mode : `${mode}--- ${before}\n+++ ${after}\n(empty)\n`;
  if (!isText(oldBytes) || !isText(nowBytes)) {
    return `${mode}--- ${before}\n+++ ${after}\n(binary: ${oldBytes.length} -> ${nowBytes.length} bytes)\n`;
  }
  return mode + fold(unifiedDiff(before, after, oldBytes.toString(), nowBytes.toString()));
}

function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

function unifiedDiff(before: string, after: string, old: string, now: string): string {
  const patch = createTwoFilesPatch(before, after, old, now, '', '', { context: 3, maxEditLength });
  if (patch === undefined) {
    return `--- ${before}\n+++ ${after}\n(too different to compare: ${old.length} -> ${now.length} characters)\n`;
  }
  return patch.replace(/^=+\n/, '').replaceAll('\t\n', '\n');
}

function fold(text: string): string {
  const lines = text.split('\n').slice(0, -1);
  const hidden = lines.length - maxLines;
  return hidden <= 0 ? text : `${lines.slice(0, maxLines).join('\n')}\n... ${hidden} more lines\n`;
}

/** A preview's difference, from what the side that changes holds to what it shall hold; a conflict's to the files. */
export function diffPreview(preview: Preview): string {
  const { files, database } = preview;
  const change = 'change' in preview ? preview.change : undefined;
  // A skill that is moved as it is.
  if (change?.content?.side === change?.side && change) return '';
  return change?.side === 'files'
    ? diffSkills(files, database, { before: 'files', after: change.merge ? 'merged' : 'database' })
    : diffSkills(database, files, { before: 'database', after: change?.merge ? 'merged' : 'files' });
}

// A unified diff as it is printed: coloured by line, the words that changed marked, nothing in it able to steer the
// terminal.

import { diffWordsWithSpace } from 'diff';
import type { Colors } from './colors.ts';
import { printable } from './terminal-text.ts';

/** Lines that are longer are not compared by words. */
const maxLineLength = 2000;

/** Lines of which less is the same are other lines, not changed ones. */
const leastAlike = 0.5;

/** Lines of one change; more of them are another text. */
const maxLines = 20;

/** Colours a unified diff's lines, and indents them below the skill that they are about. */
export function diffLines(diff: string, colors: Colors): string {
  const lines = diff.split('\n').slice(0, -1);
  const marked = colors.isColorSupported ? markWords(lines, colors) : new Map<number, string>();
  return lines.map((line, at) => `  ${marked.get(at) ?? paint(printable(line), colors)}\n`).join('');
}

function paint(line: string, colors: Colors): string {
  if (line.startsWith('--- ') || line.startsWith('+++ ')) return colors.bold(line);
  if (line.startsWith('@@')) return colors.cyan(line);
  if (line.startsWith('+')) return colors.green(line);
  if (line.startsWith('-')) return colors.red(line);
  return line;
}

/** Lines that became others, by their place, with what differs marked. */
function markWords(lines: readonly string[], colors: Colors): ReadonlyMap<number, string> {
  const marked = new Map<number, string>();
  const isOf = (sign: string, at: number) =>
    (lines[at]?.startsWith(sign) ?? false) && !/^(?:--- |\+\+\+ )/.test(lines[at] ?? '');
  for (let at = 0; at < lines.length; at++) {
    let removed = 0;
    while (isOf('-', at + removed)) removed++;
    let added = 0;
    while (isOf('+', at + removed + added)) added++;
    const end = at + removed + added;
    // Each removed line, and the first of the added ones that is much like it.
    for (let old = at, next = at + removed; removed + added <= maxLines && old < at + removed; old++) {
      for (let now = next; now < end; now++) {
        const pair = markPair(lines[old] ?? '', lines[now] ?? '', colors);
        if (!pair) continue;
        marked.set(old, pair[0]).set(now, pair[1]);
        next = now + 1;
        break;
      }
    }
    at = Math.max(at, end - 1);
  }
  return marked;
}

function markPair(
  old: string,
  now: string,
  { red, green, inverse }: Colors,
): readonly [string, string] | undefined {
  if (Math.max(old.length, now.length) > maxLineLength) return undefined;
  const parts = diffWordsWithSpace(old.slice(1), now.slice(1));
  const same = parts.reduce((sum, part) => sum + (part.added || part.removed ? 0 : part.value.length), 0);
  if (same < leastAlike * Math.max(old.length, now.length)) return undefined;
  const side = (isOwn: (part: (typeof parts)[number]) => boolean | undefined, sign: string) =>
    sign +
    parts
      .map((part) => {
        if (!part.added && !part.removed) return printable(part.value);
        return isOwn(part) ? inverse(printable(part.value)) : '';
      })
      .join('');
  return [red(side((part) => part.removed, '-')), green(side((part) => part.added, '+'))];
}

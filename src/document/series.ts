// Parts of a text with separators between them, taken out and put in.

import type { Run } from './align.ts';
import type { Splice } from './splice.ts';

/** Where a part stands in its text. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Takes out a run of parts and what separates them from the next part, or else from the one before. */
export function cut(parts: readonly Stretch[], { from, to }: Run): Splice {
  const next = parts[to + 1];
  const start = (next === undefined ? parts[from - 1]?.end : undefined) ?? parts[from]?.start ?? 0;
  return { start, end: next?.start ?? parts[to]?.end ?? start, text: '' };
}

/** Puts texts after a part, or before the first one where `after` is -1. */
export function insert(
  parts: readonly Stretch[],
  after: number,
  texts: readonly string[],
  separator: string,
): Splice {
  const before = parts[after];
  const at = before?.end ?? parts[0]?.start ?? 0;
  const joined = texts.map((text) => (before === undefined ? text + separator : separator + text));
  return { start: at, end: at, text: joined.join('') };
}

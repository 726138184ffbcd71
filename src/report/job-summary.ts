// The job summary of GitHub Actions: a run as a page of Markdown, which is no larger than GitHub takes.
//
// What skills hold stands in HTML blocks, in <code> or <pre>, or in a fence: in none of these Markdown is read, and
// no mention, emoji code or link is looked for.

import { counted } from './counted.ts';
import type { PlanRow } from './plan-text.ts';
import { printable, printableLine } from './terminal-text.ts';

/** What a run is on that page. */
export interface JobSummary {
  readonly title: string;
  /** In prose, made of nothing that comes from skills. */
  readonly sentences: readonly string[];
  /** What to run next, in lines. */
  readonly advice: string;
  readonly problems: readonly { readonly what: string; readonly remedy: string }[];
  readonly rows: readonly PlanRow[];
  readonly diffs: readonly SummaryDiff[];
  /** Diffs that were not kept. */
  readonly droppedDiffs: number;
}

export interface SummaryDiff {
  readonly path: string;
  readonly diff: string;
}

/** Characters of one text that are shown within a line. */
const maxLineLength = 2000;

/** More than a line takes that says how much is left out. */
const noteBytes = 200;

/**
 * The page, of at most `room` bytes. Diffs are left out first, then rows, then problems. Undefined where not even
 * its beginning has room.
 */
export function jobSummaryText(summary: JobSummary, room: number): string | undefined {
  const { title, sentences, advice, problems, rows, diffs, droppedDiffs } = summary;
  const head =
    `## ${title}\n\n${sentences.map((sentence) => `${sentence}\n\n`).join('')}` +
    (advice === '' ? '' : `<pre>${htmlText(printable(advice))}</pre>\n\n`);
  let left = room - Buffer.byteLength(head) - 3 * noteBytes;
  if (left < 0) return undefined;
  const take = <T>(list: List<T>) => {
    const text = fill(list, left);
    left -= Buffer.byteLength(text);
    return text;
  };
  const problemText = take({
    items: problems,
    textOf: problemItem,
    name: 'problem',
    begin: '<ul>\n',
    end: '</ul>\n\n',
  });
  const rowText = take({ items: rows, textOf: rowItem, name: 'row', begin: tableHead, end: '</table>\n\n' });
  const diffText = take({ items: diffs, textOf: diffItem, name: 'diff', dropped: droppedDiffs });
  return head + rowText + problemText + diffText;
}

const tableHead = '<table>\n<tr><th>Skill</th><th>What</th><th>Why</th></tr>\n';

interface List<T> {
  readonly items: readonly T[];
  readonly textOf: (item: T) => string;
  readonly name: string;
  readonly begin?: string;
  readonly end?: string;
  /** How many are left out already. */
  readonly dropped?: number;
}

/** As many of the items as `room` bytes hold, each whole, and then how many are left out. */
function fill<T>({ items, textOf, name, begin = '', end = '', dropped = 0 }: List<T>, room: number): string {
  let left = room - Buffer.byteLength(begin + end);
  const taken: string[] = [];
  for (const item of items) {
    const text = textOf(item);
    const bytes = Buffer.byteLength(text);
    if (bytes > left) continue;
    left -= bytes;
    taken.push(text);
  }
  const count = items.length - taken.length + dropped;
  const note = count === 0 ? '' : `${counted(count, name)} left out: GitHub takes at most 1 MiB a step.\n\n`;
  return (taken.length === 0 ? '' : begin + taken.join('') + end) + note;
}

function problemItem({ what, remedy }: JobSummary['problems'][number]): string {
  return `<li>${code(what)}<br>${code(remedy)}</li>\n`;
}

function rowItem({ verb, path, why }: PlanRow): string {
  return `<tr><td>${code(path)}</td><td>${verb}</td><td>${why}</td></tr>\n`;
}

function diffItem({ path, diff }: SummaryDiff): string {
  const text = printable(diff);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `<details><summary>${code(path)}</summary>\n\n${fence}diff\n${text}${fence}\n\n</details>\n\n`;
}

/** A text that is data, within an HTML block. */
function code(text: string): string {
  const characters = [...printableLine(text)];
  const shown = characters.slice(0, maxLineLength).join('');
  return `<code>${htmlText(shown)}${characters.length > maxLineLength ? '...' : ''}</code>`;
}

function htmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

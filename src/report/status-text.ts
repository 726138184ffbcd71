// How the two sides stand, in lines that fit one screen.

import { sentenceOf } from '../problem.ts';
import type { Standing } from '../reconcile/standing.ts';
import type { Colors } from './colors.ts';
import { counted } from './counted.ts';
import type { RunLine } from './log-text.ts';
import { printableLine } from './terminal-text.ts';
import { agoText, timeText } from './time-text.ts';

/** A run, without what it did. */
type RunEnd = Pick<RunLine, 'run' | 'direction' | 'who' | 'host' | 'startedAt' | 'finishedAt' | 'outcome'>;

/** What the lines say. */
export interface StatusFacts {
  readonly skillsDirectory: string;
  readonly database: string;
  readonly standing: Standing;
  readonly record: {
    readonly now: Date;
    readonly lastRun: RunEnd | null;
    readonly lastGoodRun: RunEnd | null;
    readonly recentFailures: number;
    readonly uncategorized: number;
  };
  /** Why things do not stand well; empty where they do. */
  readonly faults: readonly string[];
  /** The commands to run next, and what each is for. */
  readonly next: readonly { readonly command: string; readonly what: string }[];
}

/** Paths and problems of a kind that are named unless all are asked for. */
const maxNamed = 5;

const labelWidth = 15;

/** `LABEL  COUNT  PATHS`, one line a kind, then what to run next. */
export function statusLines(facts: StatusFacts, isVerbose: boolean, colors: Colors): string {
  const { standing, record, faults, next } = facts;
  const line = (label: string, text: string, paint: (text: string) => string = String) =>
    `${paint(label.padEnd(labelWidth))} ${text}\n`;
  const kind = (
    label: string,
    what: string,
    paths: readonly string[],
    paint: (text: string) => string,
  ): string =>
    paths.length === 0 ? '' : line(label, `${paths.length} ${what}${namesText(paths, isVerbose)}`, paint);
  const { red, yellow, green } = colors;
  const lines = [
    line('Files', printableLine(facts.skillsDirectory)),
    line('Database', printableLine(facts.database)),
    line('In sync', counted(standing.synced, 'skill')),
    kind('Ahead here', 'to export', standing.aheadHere, yellow),
    kind('Ahead there', 'to import', standing.aheadThere, yellow),
    kind('Conflicts', 'edited on both sides', standing.conflicts, red),
    kind('Held', 'deleted on one side', standing.held, yellow),
    kind('Problems', 'left out', standing.failed, red),
    kind('Unreadable', 'of which nothing is known', standing.unknown, red),
    problemsText(standing, isVerbose),
    leftOutLine(standing, line),
    record.uncategorized > 0 ? line('No category', counted(record.uncategorized, 'skill')) : '',
    line(
      'Last run',
      runText(record.lastRun, record.now),
      record.lastRun?.outcome === 'success' ? String : yellow,
    ),
    record.lastGoodRun?.run === record.lastRun?.run
      ? ''
      : line('Last good sync', runText(record.lastGoodRun, record.now)),
    record.recentFailures > 0
      ? line('Failed lately', `${record.recentFailures} of the last 10 runs`, yellow)
      : '',
    faults.length > 0
      ? line('Health', `not well: ${printableLine(faults.join(', '))}`, red)
      : line('Health', 'well', green),
    ...next.map(({ command, what }, at) => line(at === 0 ? 'Next' : '', `${command}  ${colors.dim(what)}`)),
  ];
  return lines.join('');
}

function namesText(paths: readonly string[], isVerbose: boolean): string {
  if (isVerbose) return paths.map((path) => `\n  ${printableLine(path)}`).join('');
  const named = paths.slice(0, maxNamed).map(printableLine).join(', ');
  return `: ${named}${paths.length > maxNamed ? `, and ${paths.length - maxNamed} more` : ''}`;
}

function problemsText({ problems }: Standing, isVerbose: boolean): string {
  return problems
    .slice(0, isVerbose ? problems.length : maxNamed)
    .map(sentenceOf)
    .map(({ what, remedy }) => `  ${printableLine(isVerbose ? `${what}. ${remedy}` : what)}\n`)
    .join('');
}

function leftOutLine({ leftOut }: Standing, line: (label: string, text: string) => string): string {
  const counts = Object.entries(leftOut).sort();
  if (counts.length === 0) return '';
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const texts = counts.map(([status, count]) => `${count} ${printableLine(status)}`);
  return line('Left out', `${counted(total, 'row')} by status: ${texts.join(', ')}`);
}

/** `12 sync by ann@host, success, 2026-01-31 12:00:00Z, 3 h ago`. */
function runText(run: RunEnd | null, now: Date): string {
  if (run === null) return 'none';
  const { direction, who, host, outcome, finishedAt, startedAt } = run;
  const at = finishedAt ?? startedAt;
  const how = finishedAt === null ? 'under way, or killed' : outcome;
  return printableLine(
    `${run.run} ${direction} by ${who}@${host}, ${how}, ${timeText(at)}, ${agoText(+now - +at)}`,
  );
}

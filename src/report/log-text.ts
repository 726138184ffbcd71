// The past as lines: one a run, or one a revision of a skill, columns aligned.

import type { Colors } from './colors.ts';
import { hanging } from './columns.ts';
import { counted } from './counted.ts';
import { diffLines } from './diff-text.ts';
import { doneWords } from './plan-text.ts';
import { printableLine } from './terminal-text.ts';
import { timeText } from './time-text.ts';

/** What a line says of a run. */
export interface RunLine {
  readonly run: number;
  readonly direction: string;
  readonly who: string;
  readonly host: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly outcome: string;
  readonly error: string | null;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly counts: { readonly [V in keyof typeof doneWords | 'merge' | 'failed' | 'conflicts']: number };
  readonly undoes: number | null;
  readonly takenBackBy: number | null;
}

/** `NUMBER  TIME  DIRECTION  WHO@HOST  OUTCOME (DURATION)  COMMIT BRANCH  WHAT IT DID (which run took back which)`. */
export function runLines(runs: readonly RunLine[], colors: Colors, columns?: number): string {
  if (runs.length === 0) return 'No runs.\n';
  return alignedLines(
    runs.map((run) => ({
      number: run.run,
      cells: [
        timeText(run.startedAt),
        printableLine(run.direction),
        printableLine(`${run.who}@${run.host}`),
        outcomeText(run),
        standText(run),
      ],
      last: didText(run),
      paint: run.outcome === 'failed' ? colors.red : run.finishedAt === null ? colors.yellow : String,
    })),
    columns,
  );
}

function outcomeText({ outcome, startedAt, finishedAt }: RunLine): string {
  const end = printableLine(outcome);
  return finishedAt === null ? end : `${end} (${durationText(+finishedAt - +startedAt)})`;
}

/** `0.3 s`, `42 s`, `3 min`. */
function durationText(ms: number): string {
  if (ms < 9950) return `${(Math.max(ms, 0) / 1000).toFixed(1)} s`;
  return ms < 99_500 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Where git stood: `1234567 main`. */
function standText({ commit, branch }: RunLine): string {
  return commit === null ? '' : printableLine(`${commit.slice(0, 7)} ${branch ?? ''}`).trimEnd();
}

function didText({ finishedAt, counts, error, undoes, takenBackBy }: RunLine): string {
  const verbs = Object.keys(doneWords) as (keyof typeof doneWords)[];
  const done = [
    ...verbs.flatMap((verb) => (counts[verb] > 0 ? [`${counts[verb]} ${doneWords[verb]}`] : [])),
    ...(counts.merge > 0 ? [`${counts.merge} merged of both sides`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
  ].join(', ');
  // How many failed is counted already.
  const why = error === null || error === `${counts.failed} failed` ? '' : `: ${printableLine(error)}`;
  const left = counts.conflicts > 0 ? `, ${counted(counts.conflicts, 'conflict')} left` : '';
  return [
    `${done || (finishedAt === null ? 'nothing recorded yet' : 'nothing changed')}${left}${why}`,
    ...(undoes === null ? [] : [`(takes back run ${undoes})`]),
    ...(takenBackBy === null ? [] : [`(taken back by run ${takenBackBy})`]),
  ].join(' ');
}

/** What a line says of a revision. */
export interface RevisionLine {
  readonly revision: number;
  readonly at: Date | null;
  readonly origin: string;
  readonly writer: string | null;
  readonly run: number | null;
  readonly isPresent: boolean;
  readonly isKept: boolean;
  readonly isMerge: boolean;
  /** What it changed of the revision that it followed. */
  readonly summary: string;
  /** The unified diff of that, where it is asked for. */
  readonly diff?: string;
}

/** `NUMBER  TIME  ORIGIN  WRITER  RUN  now  SUMMARY`, below each its diff. */
export function revisionLines(revisions: readonly RevisionLine[], colors: Colors, columns?: number): string {
  if (revisions.length === 0) return 'No revisions.\n';
  return alignedLines(
    revisions.map((revision) => ({
      number: revision.revision,
      cells: [
        revision.at ? timeText(revision.at) : '',
        printableLine(revision.origin),
        printableLine(revision.writer ?? ''),
        revision.run === null ? '' : `run ${revision.run}`,
        standingOf(revision),
      ],
      last: printableLine(revision.summary),
      paint: revision.diff === undefined ? String : colors.bold,
      ...(revision.diff !== undefined && { below: diffLines(revision.diff, colors) }),
    })),
    columns,
  );
}

function standingOf({ isPresent, isKept, isMerge }: RevisionLine): string {
  return [
    ...(isPresent ? ['now'] : []),
    ...(isKept ? ['overwritten'] : []),
    ...(isMerge ? ['merged'] : []),
  ].join(', ');
}

interface Row {
  readonly number: number;
  readonly cells: readonly string[];
  readonly last: string;
  readonly paint: (line: string) => string;
  readonly below?: string;
}

/** Rows with each column as wide as its widest cell; a column without text takes no room. The last one is broken at words. */
function alignedLines(rows: readonly Row[], columns: number | undefined): string {
  const numberWidth = Math.max(0, ...rows.map(({ number }) => String(number).length));
  const widths = (rows[0]?.cells ?? []).map((_, at) =>
    Math.max(...rows.map(({ cells }) => cells[at]?.length ?? 0)),
  );
  return rows
    .map(({ number, cells, last, paint, below = '' }) => {
      const shown = cells.flatMap((cell, at) => (widths[at] ? [cell.padEnd(widths[at])] : []));
      const head = [String(number).padStart(numberWidth), ...shown, ''].join('  ');
      const lines = hanging(head, last, columns, numberWidth + 2)
        .split('\n')
        .map(paint);
      return `${lines.join('\n')}\n${below}`;
    })
    .join('');
}

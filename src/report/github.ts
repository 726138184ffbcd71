// A syncing command's report on GitHub Actions: beside what it prints, annotations and a job summary.

import { appendFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { warningSentence } from '../document/warning.ts';
import { type Problem, sentenceOf } from '../problem.ts';
import type { Conflict, Hold, Plan, PlannedChange } from '../reconcile/plan.ts';
import type { Reading } from '../replica.ts';
import { documentName } from '../skill/skill.ts';
import { counted } from './counted.ts';
import { type JobSummary, jobSummaryText, type SummaryDiff } from './job-summary.ts';
import {
  adviceLines,
  aheadRow,
  changeRow,
  conflictRow,
  doneSentence,
  holdRow,
  plannedSentence,
} from './plan-text.ts';
import { diffPreview, diffText } from './skill-diff.ts';
import type { Ended, SyncReport } from './sync-report.ts';
import { printableLine } from './terminal-text.ts';
import {
  type Annotation,
  type AnnotationKind,
  annotationLine,
  isOnGithub,
  maxAnnotations,
} from './workflow-command.ts';

/** The bytes of summary that GitHub takes of a step; of more it takes nothing. */
const maxSummaryBytes = 1024 * 1024 - 1;

/** Bytes of diffs that are kept for the summary. */
const maxDiffBytes = 1024 * 1024;

/** Where a step runs, and what it may do there. */
export interface Surroundings {
  /** The command, as the summary's heading names it. */
  readonly command: string;
  /** Whether the summary shows what differs: a log that leaves that out may be for everybody to read. */
  readonly withDiffs: boolean;
  /** The folder that holds the repository, without links. */
  readonly workspace: string;
  /** The names in a folder; none where it cannot be read. */
  readonly namesIn: (folder: string) => readonly string[];
  /** The path without links; as it is where that is not known. */
  readonly realPath: (path: string) => string;
  /** Writes to stderr. */
  readonly notice: (text: string) => void;
  /** The file for the step's summary, where there is one. Both functions throw what the system says. */
  readonly summary?: {
    readonly file: string;
    /** Bytes that stand in it; 0 where there is no such file. */
    readonly size: () => number;
    readonly append: (text: string) => void;
  };
}

/** The report, and in a step of GitHub Actions what this file is for. */
export function onGithub(
  report: SyncReport,
  command: string,
  withDiffs: boolean,
  env = process.env,
): SyncReport {
  if (!isOnGithub(env)) return report;
  const file = env['GITHUB_STEP_SUMMARY'];
  return githubReport(report, {
    ...{ command, withDiffs },
    workspace: realPath(env['GITHUB_WORKSPACE'] || process.cwd()),
    ...{ namesIn, realPath },
    notice: (text) => process.stderr.write(text),
    ...(file && {
      summary: { file, size: () => sizeOf(file), append: (text) => appendFileSync(file, text) },
    }),
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The path without links; as it is where that is not known. */
export function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The size of a file that can be appended to: a pipe would wait for a reader. */
function sizeOf(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat && !stat.isFile()) throw new Error('it is no file');
  return stat?.size ?? 0;
}

/** Passes each call on, listens, and at the end tells GitHub: what went wrong at its place, and all on one page. */
export function githubReport(report: SyncReport, surroundings: Surroundings): SyncReport {
  let isDryRun = false;
  let skillsDirectory = '';
  const documentWarnings: Annotation[] = [];
  let warningCount = 0;
  const diffs: SummaryDiff[] = [];
  let diffBytes = 0;
  let droppedDiffs = 0;

  const placeOf = (skill: string, file?: string) => placeIn(surroundings, skillsDirectory, skill, file);

  const warn = (change: PlannedChange, reading: Reading | undefined) => {
    for (const warning of reading?.warnings ?? []) {
      warningCount++;
      if (documentWarnings.length === maxAnnotations) continue;
      const { line, column } = warning;
      const file = placeOf(change.content?.path ?? change.path);
      const message = [`${change.path}: ${warningSentence(warning)}`];
      documentWarnings.push({ title: 'Read leniently', message, file, line, column });
    }
  };

  const keepDiff = (skill: string, diff: string) => {
    if (diff === '') return;
    const bytes = Buffer.byteLength(diff);
    if (diffBytes + bytes > maxDiffBytes) droppedDiffs++;
    else {
      diffBytes += bytes;
      diffs.push({ path: skill, diff });
    }
  };

  return {
    ...report,
    start(facts) {
      isDryRun = facts.isDryRun;
      skillsDirectory = surroundings.realPath(facts.skillsDirectory);
      report.start(facts);
    },
    preview(preview) {
      report.preview(preview);
      if ('change' in preview) warn(preview.change, preview.reading);
      if (!surroundings.withDiffs) return;
      keepDiff(
        'change' in preview ? preview.change.path : preview.conflict.path,
        diffText(diffPreview(preview)),
      );
    },
    result(result) {
      report.result(result);
      if (result.ok) warn(result.change, result.reading);
    },
    end(ended) {
      report.end(ended);
      const { plan, problems } = ended;
      const conflicts = first(plan.conflicts).map((conflict) => conflictAnnotation(conflict, placeOf));
      const kinds: readonly Kind[] = [
        {
          kind: 'error',
          shown: first(problems).map((problem) => problemAnnotation(problem, placeOf)),
          count: problems.length,
        },
        {
          kind: 'warning',
          shown: [...conflicts, ...documentWarnings],
          count: plan.conflicts.length + warningCount,
        },
        {
          kind: 'notice',
          shown: first(plan.holds).map((hold) => holdAnnotation(hold, placeOf)),
          count: plan.holds.length,
        },
      ];
      for (const kind of kinds) surroundings.notice(annotationLines(kind));
      writeSummary(surroundings, {
        title: `skill-fleet ${surroundings.command}${isDryRun ? ' (dry run)' : ''}`,
        ...summaryOf(ended, isDryRun, kinds),
        ...{ diffs, droppedDiffs },
      });
    },
  };
}

/** Annotations of one kind: how many there are, and at least as many of them as are shown. */
export interface Kind {
  readonly kind: AnnotationKind;
  readonly shown: readonly Annotation[];
  readonly count: number;
}

type PlaceOf = (skill: string, file?: string) => string | undefined;

function first<T>(list: readonly T[]): readonly T[] {
  return list.slice(0, maxAnnotations);
}

/** How many of that kind have an annotation of their own: where there are too many, the last one counts the rest. */
function ownOf({ count }: Kind): number {
  return count > maxAnnotations ? maxAnnotations - 1 : count;
}

/** Those that GitHub shows, the last one counting the rest. */
export function annotationLines(one: Kind): string {
  const own = ownOf(one);
  const more = one.count - own;
  const rest = {
    title: 'And more',
    message: [`${counted(more, `more ${one.kind}`)}: see what this step printed`],
  };
  return [...one.shown.slice(0, own), ...(more > 0 ? [rest] : [])]
    .map((annotation) => annotationLine(one.kind, annotation))
    .join('');
}

function problemAnnotation(problem: Problem, placeOf: PlaceOf): Annotation {
  const { what, remedy } = sentenceOf(problem);
  const { path: skill, file, line, column } = problem as Placed;
  // What a skill cannot be written for is named from the skills directory on.
  const isBelow = file !== undefined && obstacles.has(problem.reason);
  const place = skill === undefined ? undefined : isBelow ? placeOf('', file) : placeOf(skill, file);
  return { title: 'Problem', message: [what, remedy], file: place, line, column };
}

const obstacles: ReadonlySet<Problem['reason']> = new Set([
  'link-in-the-way',
  'file-in-the-way',
  'cannot-write',
]);

/** What a problem may say of its place. */
interface Placed {
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

function conflictAnnotation(conflict: Conflict, placeOf: PlaceOf): Annotation {
  const { path: skill, why } = conflictRow(conflict);
  const file = placeOf(conflict.renamed?.files ?? conflict.path);
  return { title: 'Conflict', message: [`${skill}: ${why}`], file };
}

function holdAnnotation(hold: Hold, placeOf: PlaceOf): Annotation {
  const { path: skill, why } = holdRow(hold);
  return { title: 'Deletion held', message: [`${skill}: ${why}`], file: placeOf(hold.path) };
}

/** A file of a skill, or its document where the files hold it; relative to the repository, if it is in there. */
function placeIn(
  { workspace, namesIn }: Surroundings,
  skillsDirectory: string,
  skill: string,
  file?: string,
): string | undefined {
  const folder = path.resolve(skillsDirectory, skill);
  const name = file ?? documentName(namesIn(folder));
  if (name === undefined) return undefined;
  const place = path.relative(workspace, path.resolve(folder, name));
  return place === '..' || place.startsWith('../') || path.isAbsolute(place) ? undefined : place;
}

function summaryOf(
  { plan, done, problems, command }: Ended,
  isDryRun: boolean,
  kinds: readonly Kind[],
): Pick<JobSummary, 'sentences' | 'advice' | 'problems' | 'rows'> {
  const run = isDryRun && plan.changes.length > 0 ? `Run it with:\n  skill-fleet ${command}\n` : '';
  return {
    sentences: [
      isDryRun ? plannedSentence(plan, problems) : doneSentence(plan, done, problems),
      ...kinds.filter(({ count }) => count > maxAnnotations).map(restSentence),
    ],
    advice: run + adviceLines(plan),
    problems: problems.map(sentenceOf),
    rows: rowsOf(plan, isDryRun ? plan.changes : done),
  };
}

function restSentence(one: Kind): string {
  return `${one.count - ownOf(one)} of ${counted(one.count, one.kind)} have no annotation: GitHub shows ${maxAnnotations} of a kind.`;
}

function rowsOf({ conflicts, holds, ahead }: Plan, changes: readonly PlannedChange[]): JobSummary['rows'] {
  return [
    ...changes.map(changeRow),
    ...conflicts.map(conflictRow),
    ...holds.map(holdRow),
    ...ahead.map(aheadRow),
  ];
}

/** Appends to the step's summary. What hinders that is said, and hinders nothing else. */
function writeSummary({ summary, notice }: Surroundings, content: JobSummary): void {
  if (summary === undefined) return;
  try {
    const size = summary.size();
    // What stands there may end within a line.
    const begin = size === 0 ? '' : '\n\n';
    const text = jobSummaryText(content, maxSummaryBytes - size - begin.length);
    if (text === undefined) throw new Error('it is full');
    summary.append(begin + text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    notice(`note: no job summary in ${printableLine(summary.file)}: ${printableLine(why)}\n`);
  }
}

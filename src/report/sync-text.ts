// A syncing command's report for people.

import type { Preview } from '../reconcile/plan.ts';
import type { Reading } from '../replica.ts';
import type { Colors } from './colors.ts';
import { counted } from './counted.ts';
import { diffLines } from './diff-text.ts';
import { noticeLines } from './notice-text.ts';
import type { Output } from './output.ts';
import {
  aheadLine,
  changeLine,
  conflictLines,
  holdLine,
  keptLine,
  margin,
  nextLine,
  planSummary,
  resultSummary,
  undoLine,
} from './plan-text.ts';
import { problemLines, warningLine } from './problem-text.ts';
import { compareRelations } from './relation-changes.ts';
import { diffPreview, diffText, type Length, statText } from './skill-diff.ts';
import type { RunFacts, SyncReport } from './sync-report.ts';
import { printableLine } from './terminal-text.ts';
import { sentFindingLines } from './validation-text.ts';

/** Warnings of one run that are printed; `--verbose` prints all. */
const maxWarnings = 20;

/** Items of a relation that are named. */
const maxNames = 10;

/** Paths that are ahead on the other side and printed by name. */
const maxAhead = 20;

/** How much of what differs a dry run prints: unified diffs, a line a file, or neither. */
export type DiffForm = 'full' | 'stat' | 'none';

/** What the flags say of a report. */
export interface TextForm {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly diff?: DiffForm;
}

/** Renders a run as lines: results to stdout, the rest to stderr. */
export function textReport(
  output: Output,
  { quiet = false, verbose = false, diff = 'full' }: TextForm,
): SyncReport {
  const { colors } = output;
  const say = (text: string) => {
    if (!quiet) output.notice(text);
  };
  let isDryRun = false;
  let warnings = 0;

  const warn = (path: string, reading: Reading | undefined) => {
    for (const warning of reading?.warnings ?? []) {
      warnings++;
      if (verbose || warnings <= maxWarnings) say(warningLine(path, warning, colors));
    }
  };

  return {
    waiting: (holder) => say(`waiting for ${printableLine(holder)}, which works on these skills\n`),
    start(facts) {
      isDryRun = facts.isDryRun;
      say(startLines(facts));
    },
    notice: (notice) => say(noticeLines(notice, verbose)),
    baseSetAside: (why) => say(`note: ${why}\n`),
    preview(preview) {
      output.result(previewLines(preview, output, diff, verbose ? 'whole' : 'folded'));
      if ('change' in preview) warn(preview.change.path, preview.reading);
    },
    result(result) {
      if (!result.ok) return;
      if (!quiet) output.result(changeLine(result.change, result.reading, output));
      if (!quiet && result.kept !== undefined) output.result(keptLine(result.change, result.kept, colors));
      warn(result.change.path, result.reading);
    },
    validated: (found) => say(sentFindingLines(found)),
    end({ plan, done, problems, run, next, command }) {
      if (warnings > maxWarnings && !verbose) {
        say(`note: ${warnings - maxWarnings} more warnings; --verbose shows them all\n`);
      }
      if (!isDryRun) for (const conflict of plan.conflicts) output.result(conflictLines(conflict, output));
      for (const hold of plan.holds) output.result(holdLine(hold, output));
      for (const ahead of plan.ahead.slice(0, verbose ? undefined : maxAhead)) {
        output.result(aheadLine(ahead, output));
      }
      if (plan.ahead.length > maxAhead && !verbose) {
        output.result(`skip     and ${plan.ahead.length - maxAhead} more\n`);
      }
      if (plan.leftOut > 0) {
        say(`note: left out by status: ${counted(plan.leftOut, 'row')}; --status all takes all\n`);
      }
      for (const problem of problems) output.notice(problemLines(problem, colors));
      output.result(
        isDryRun ? planSummary(plan, problems, command, output.columns) : resultSummary(plan, done, problems),
      );
      if (next) output.result(nextLine(next));
      if (run !== undefined && plan.undoes !== undefined) output.result(undoLine(run));
    },
  };
}

function startLines({
  database,
  isEmbeddedByDefault,
  databaseNamedBy,
  outside,
  skillsDirectory,
  migrations,
  isDryRun,
}: RunFacts): string {
  const where = isEmbeddedByDefault ? embeddedText(database) : printableLine(database);
  const tables =
    migrations.length === 0 ? '' : `note: ${isDryRun ? 'would apply' : 'applied'} ${migrations.join(', ')}\n`;
  const who = databaseNamedBy === undefined ? '' : `, as ${printableLine(databaseNamedBy)} says`;
  return `${printableLine(skillsDirectory)} with ${where}${who}\n${outsideText(outside)}${tables}`;
}

/** What comes with a clone may lead to anybody's files: who runs this has to see it. */
function outsideText(outside: RunFacts['outside']): string {
  if (outside === undefined) return '';
  const { directory, project, namedBy } = outside;
  return (
    printableLine(`note: these skills stand in ${directory}, out of ${project}: ${namedBy} leads there`) +
    '\n'
  );
}

/** The embedded database that serves where none was chosen. */
export function embeddedText(folder: string): string {
  return `the embedded database ${printableLine(folder)} (set DATABASE_URL for a server)`;
}

function previewLines(preview: Preview, output: Output, form: DiffForm, length: Length): string {
  const { colors } = output;
  // Where a merge was tried, the places that do not go together say more than all that differs.
  if ('conflict' in preview && preview.conflict.regions?.length) {
    return conflictLines(preview.conflict, output);
  }
  const head =
    'conflict' in preview
      ? conflictLines(preview.conflict, output)
      : changeLine(preview.change, preview.reading, output);
  return head + relationLines(preview, colors) + differenceLines(preview, form, length, colors);
}

function differenceLines(preview: Preview, form: DiffForm, length: Length, colors: Colors): string {
  if (form === 'none') return '';
  const diffs = diffPreview(preview);
  return form === 'full' ? diffLines(diffText(diffs, length), colors) : statLines(statText(diffs));
}

function statLines(stat: string): string {
  return stat.replace(/^(?=.)/gm, '  ');
}

/** What of its relations a change of the database would change. */
function relationLines(preview: Preview, colors: Colors): string {
  if (!('change' in preview) || preview.change.side !== 'database' || preview.change.after === null)
    return '';
  return compareRelations(preview.database, preview.files)
    .map(({ relation, added, removed }) => {
      const names = [...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`)];
      const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : '';
      const shown = names.slice(0, maxNames).map(printableLine).join(', ');
      return `${margin}${colors.dim(`${relation}: ${shown}${more}`)}\n`;
    })
    .join('');
}

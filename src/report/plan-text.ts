// A plan and its results as lines for people: per skill what and why, then a summary that says what is next.

import type { Problem } from '../problem.ts';
import { otherSide, type Side, type Undecided } from '../reconcile/conflict.ts';
import {
  type Ahead,
  type Conflict,
  type Hold,
  isOverwriting,
  type Plan,
  type PlannedChange,
} from '../reconcile/plan.ts';
import type { Rename } from '../reconcile/renames.ts';
import type { Direction, Reading } from '../replica.ts';
import { categoryText } from './category-text.ts';
import type { Colors } from './colors.ts';
import { hanging, widthOf } from './columns.ts';
import { diffCommand, restoreCommand, skillWord } from './command-text.ts';
import { counted } from './counted.ts';
import type { Page } from './output.ts';
import { regionLines } from './region-text.ts';
import { printableLine } from './terminal-text.ts';

const commands: { readonly [D in Direction]: string } = {
  export: 'export-to-db',
  import: 'import-from-db',
  sync: 'sync-db',
};

const reasons: { readonly [W in PlannedChange['why']]: string | ((winner: Side) => string) } = {
  new: 'new',
  edited: 'edited since both agreed',
  older: 'what stands there is an older revision',
  renamed: 'renamed on the other side since both agreed',
  deleted: 'deleted on the other side',
  forced: 'overwritten as asked, stored first',
  undone: 'as it was before the run that is taken back',
  merged: 'both sides were edited, and the edits go together',
  resolved: 'both sides were edited, resolved as asked',
  newer: (winner) => `both sides were edited, the ${winner} last`,
  preferred: (winner) => `in conflict, decided for the ${winner}`,
  'edit-over-deletion': (winner) => `deleted there, edited in the ${winner}: the edit wins`,
};

type Verb = 'create' | 'update' | 'rename' | 'archive' | 'write' | 'remove';

/** What a change does, in one word. */
export function verbOf({ side, before, after, from }: PlannedChange): Verb {
  if (from !== undefined) return 'rename';
  if (after === null) return side === 'files' ? 'remove' : 'archive';
  if (side === 'files') return 'write';
  return before === null ? 'create' : 'update';
}

const verbWidth = 8;

/** Before what is said of a skill below its line. */
export const margin = ' '.repeat(verbWidth + 1);

/** A skill that a plan names: what becomes of it, and why. */
export interface PlanRow {
  readonly verb: Verb | 'conflict' | 'hold' | 'skip';
  readonly path: string;
  readonly why: string;
}

function line(
  { colors, columns }: Page,
  paint: (text: string) => string,
  { verb, path, why }: PlanRow,
): string {
  const text = `${printableLine(path)}  ${colors.dim(why)}`;
  return `${hanging(`${paint(verb.padEnd(verbWidth))} `, text, columns)}\n`;
}

/** A skill's path, and the one that it leaves. */
function pathText({ path, from }: { readonly path: string; readonly from?: string }): string {
  return from === undefined ? path : `${from} -> ${path}`;
}

export function changeRow(change: PlannedChange): PlanRow {
  const where = change.side === 'database' ? 'in the database' : 'in the files';
  const reason = reasons[change.why];
  const why = typeof reason === 'string' ? reason : reason(otherSide(change.side));
  return { verb: verbOf(change), path: pathText(change), why: `${where}: ${why}` };
}

export function changeLine(change: PlannedChange, reading: Reading | undefined, page: Page): string {
  const { colors, columns } = page;
  const paint = change.after === null ? colors.red : colors.green;
  const head = line(page, paint, changeRow(change));
  if (reading === undefined) return head;
  const { path = null, reason = null, creates = false } = reading.category ?? {};
  const text = `category: ${categoryText(path, reason)}${creates ? ', a new one' : ''}`;
  return `${head}${hanging(margin, colors.dim(text), columns)}\n`;
}

/** How to bring back what a change overwrote or deleted; nothing where it was an older version of the same. */
export function keptLine(change: PlannedChange, revision: number, colors: Colors): string {
  if (!isOverwriting(change) && change.after !== null) return '';
  return `${margin}${colors.dim(`what it held: ${restoreCommand(change.path, revision)}`)}\n`;
}

const conflictReasons: { readonly [W in Conflict['why']]: string } = {
  'both-edited': 'both sides were edited since they agreed',
  'edited-and-deleted': 'edited on one side, deleted on the other',
  'both-renamed': 'each side renamed it differently',
  'no-base': 'the sides differ, and nothing says which one is newer',
  waits: 'it came to where another one stood, whose rename is still to be settled',
  'moved-on': 'it changed since the run that is to be taken back',
};

const undecidedTexts: { readonly [U in Undecided]: string } = {
  'same-time': ', within two seconds of each other',
  'time-unknown': ', and it is not known which was last',
};

export function conflictRow({ path, why, undecided, renamed }: Conflict): PlanRow {
  return {
    verb: 'conflict',
    path: renamed ? renamedText(renamed) : path,
    why: conflictReasons[why] + (undecided ? undecidedTexts[undecided] : ''),
  };
}

/** A conflict, and where its sides do not go together. */
export function conflictLines(conflict: Conflict, page: Page): string {
  const head = line(page, page.colors.red, conflictRow(conflict));
  return head + (conflict.regions ? regionLines(conflict.regions, page.colors) : '');
}

/** Each path that differs from the one before, and on which side. */
function renamedText({ base, files, database }: Rename): string {
  const now = [
    ...(files === base.path ? [] : [`${files} in the files`]),
    ...(database === base.path ? [] : [`${database} in the database`]),
  ];
  return `${base.path} -> ${files === database ? files : now.join(', ')}`;
}

export function holdRow({ path, side, why }: Hold): PlanRow {
  const where = side === 'database' ? 'in the files' : 'in the database';
  return { verb: 'hold', path, why: `deleted ${where}; ${whyHeld[why]}` };
}

const whyHeld: { readonly [W in Hold['why']]: string } = {
  deletion: 'held without --delete',
  'perhaps-moved': 'held, as what cannot be read there may be this skill, moved',
};

export function holdLine(hold: Hold, page: Page): string {
  return line(page, page.colors.yellow, holdRow(hold));
}

export function aheadRow(ahead: Ahead): PlanRow {
  const why =
    ahead.side === 'database'
      ? `the files are ahead: ${commands.export} or ${commands.sync} carries it`
      : `the database is ahead: ${commands.import} or ${commands.sync} carries it`;
  return { verb: 'skip', path: pathText(ahead), why };
}

export function aheadLine(ahead: Ahead, page: Page): string {
  return line(page, page.colors.yellow, aheadRow(ahead));
}

/** How many there are of each thing that a plan names; what a summary and JSON say. */
export interface PlanCounts {
  readonly create: number;
  readonly update: number;
  readonly rename: number;
  readonly archive: number;
  readonly write: number;
  readonly remove: number;
  readonly conflicts: number;
  readonly holds: number;
  readonly ahead: number;
  readonly unchanged: number;
  readonly problems: number;
}

export function countPlan(plan: Plan): PlanCounts {
  const verbs = plan.changes.map(verbOf);
  const count = (verb: Verb) => verbs.filter((one) => one === verb).length;
  return {
    create: count('create'),
    update: count('update'),
    rename: count('rename'),
    archive: count('archive'),
    write: count('write'),
    remove: count('remove'),
    conflicts: plan.conflicts.length,
    holds: plan.holds.length,
    ahead: plan.ahead.length,
    unchanged: plan.unchanged + plan.agreed.filter((pair) => pair.local !== null).length,
    problems: plan.problems.length,
  };
}

/** What a guard kept from being done. */
function refusedText({ refusal, changes }: Plan): readonly string[] {
  return refusal ? [`${counted(changes.length, 'change')} not made`] : [];
}

/** `3 created, 1 conflict, 20 unchanged`: what there is none of is not said, but for what is unchanged. */
function countsText(counts: PlanCounts, words: { readonly [V in Verb]: string }): string {
  const parts: readonly (readonly [count: number, text: string])[] = [
    [counts.create, `${counts.create} ${words.create}`],
    [counts.update, `${counts.update} ${words.update}`],
    [counts.rename, `${counts.rename} ${words.rename}`],
    [counts.archive, `${counts.archive} ${words.archive}`],
    [counts.write, `${counts.write} ${words.write}`],
    [counts.remove, `${counts.remove} ${words.remove}`],
    [counts.conflicts, counted(counts.conflicts, 'conflict')],
    [counts.holds, `${counts.holds} held`],
    [counts.ahead, `${counts.ahead} ahead on the other side`],
    [counts.problems, counted(counts.problems, 'problem')],
  ];
  return [
    ...parts.filter(([count]) => count > 0).map(([, text]) => text),
    `${counts.unchanged} unchanged`,
  ].join(', ');
}

/** What a plan would do, in numbers. */
function plannedText(plan: Plan, problems: readonly Problem[]): string {
  return countsText(
    { ...countPlan(plan), problems: problems.length },
    {
      create: 'to create in the database',
      update: 'to update in the database',
      rename: 'to rename',
      archive: 'to delete in the database',
      write: 'to write to the files',
      remove: 'to remove from the files',
    },
  );
}

/** What the next sync would do. */
export function nextLine(plan: Plan): string {
  return `The next ${commands.sync} would find of these: ${plannedText(plan, plan.problems)}.\n`;
}

/** How an undo is taken back. */
export function undoLine(run: number): string {
  return `To have it again: skill-fleet undo ${run}\n`;
}

/** What a dry run found, in one sentence. */
export function plannedSentence(plan: Plan, problems: readonly Problem[]): string {
  return `Dry run, nothing was changed: ${plannedText(plan, problems)}.`;
}

/**
 * The last line of a dry run.
 *
 * @param command what carries the plan out
 * @param columns how wide the terminal is, where there is one: a command is not broken
 */
export function planSummary(
  plan: Plan,
  problems: readonly Problem[],
  command: string,
  columns?: number,
): string {
  const sentence = plannedSentence(plan, problems);
  const next = plan.changes.length > 0 ? `Run it with: skill-fleet ${command}` : '';
  const isOneLine = columns === undefined || widthOf(sentence) + widthOf(next) < columns;
  const lines = isOneLine ? [`${sentence} ${next}`.trimEnd()] : [hanging('', sentence, columns), next];
  return `${lines.filter(Boolean).join('\n')}\n${adviceLines(plan)}`;
}

/** What was done, after a count. */
export const doneWords: { readonly [V in Verb]: string } = {
  create: 'created in the database',
  update: 'updated in the database',
  rename: 'renamed',
  archive: 'deleted in the database',
  write: 'written to the files',
  remove: 'removed from the files',
};

/** What was done, by what the two sides answered, in one sentence. */
export function doneSentence(
  plan: Plan,
  done: readonly PlannedChange[],
  problems: readonly Problem[],
): string {
  const text = countsText({ ...countPlan({ ...plan, changes: done }), problems: problems.length }, doneWords);
  return `${done.length === 0 ? 'Nothing changed' : 'Done'}: ${[...refusedText(plan), text].join(', ')}.`;
}

/** The last line of a run. */
export function resultSummary(
  plan: Plan,
  done: readonly PlannedChange[],
  problems: readonly Problem[],
): string {
  return `${doneSentence(plan, done, problems)}\n${adviceLines(plan)}`;
}

/** What to run where a plan leaves something to settle. */
export function adviceLines(plan: Plan): string {
  return aheadAdvice(plan) + conflictAdvice(plan);
}

function aheadAdvice({ ahead }: Plan): string {
  if (ahead.length === 0) return '';
  return (
    'What the other side is ahead in was left as it is. To see it:\n' +
    `  ${diffCommand(ahead.map(({ path }) => path))}\n`
  );
}

function conflictAdvice(plan: Plan): string {
  const { direction, conflicts } = plan;
  if (conflicts.length === 0) return '';
  if (direction === 'undo') {
    return (
      'What changed since that run was left as it is. To take it back all the same (it is stored first):\n' +
      `  skill-fleet undo ${plan.undoes} --force\n`
    );
  }
  // What waits is settled by what it waits for.
  const first = conflicts.find(({ why }) => why !== 'waits');
  if (first === undefined) return '';
  return (
    `Neither side of a conflict was changed${direction === 'sync' ? '' : ' by this command'}. ` +
    'To see one, and to settle it (what is overwritten is stored first):\n' +
    `  skill-fleet diff --conflict ${skillWord(first.path)}\n` +
    settlingLines(first, false)
  );
}

/**
 * How to settle a conflict.
 *
 * @param isMergeable whether both sides' edits are known to go together
 */
export function settlingLines({ path, why, local, remote }: Conflict, isMergeable: boolean): string {
  if (why === 'waits') return '';
  const name = skillWord(path);
  const merge = `  skill-fleet sync-db --skill-path ${name} --on-conflict merge\n`;
  const versions = ['local', 'database', ...(local && remote ? ['FILE'] : [])];
  return (
    (isMergeable ? `  They go together:\n${merge}` : '') +
    versions.map((version) => `  skill-fleet resolve ${name} --with ${version}\n`).join('')
  );
}

// `log`: the runs, or the revisions of one skill.

import { type Outcome, type Problem, refuse, sentenceOf } from '../problem.ts';
import { type Loaded, oneByOne } from '../replica.ts';
import { restoreCommand } from '../report/command-text.ts';
import { jsonText } from '../report/json.ts';
import { revisionLines, runLines } from '../report/log-text.ts';
import { absentLine, foundLine } from '../report/notice-text.ts';
import type { Output } from '../report/output.ts';
import { changesText, compareRevisions, type RevisionChanges } from '../report/revision-changes.ts';
import { diffSkills, type Length } from '../report/skill-diff.ts';
import { printableLine } from '../report/terminal-text.ts';
import { type Connection, inView } from '../repository/connection.ts';
import { type FoundSkill, findSkill, type KnownSkill } from '../repository/revision.ts';
import {
  type LoggedRevision,
  type LoggedRun,
  loadStates,
  loggedRevisions,
  loggedRuns,
  type Stretch,
  timeAgo,
} from '../repository/run-log.ts';
import { describeDatabase } from '../repository/sqlstate.ts';
import type { Skill } from '../skill/skill.ts';
import { compileMapping, type TaxonomyMapping } from '../taxonomy/infer.ts';
import { type GlobalFlags, runCommand, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { openAlone } from './sides.ts';

/** Flags of `log`. */
export interface LogFlags extends GlobalFlags {
  readonly limit: number;
  /** A time, or how many milliseconds ago. */
  readonly since?: Date | number;
  /** True is each revision's diff; else that of a revision, against another where `from` names it. */
  readonly diff?: true | { readonly from?: number; readonly to: number };
}

/** Prints the runs, or the revisions of the skill at `path`. Creates and changes nothing. Returns the exit code. */
export function run(flags: LogFlags, path?: string): Promise<number> {
  return runCommand(flags, true, async (around) => {
    const { config, output } = around;
    const opened = await openAlone(around, flags, true);
    if (!opened.ok) return opened;
    if (opened.value.state === 'absent') {
      if (path !== undefined) return refuse({ reason: 'skill-unknown', path });
      if (!flags.json && !flags.quiet) output.notice(absentLine(describeDatabase(opened.value.name)));
      return printRuns([], flags, output);
    }
    const { connection } = opened.value;
    return withConnection(connection, () =>
      inView(connection, async () =>
        path === undefined
          ? printRuns(await loggedRuns(connection, await stretchOf(connection, flags)), flags, output)
          : logSkill(connection, path, compileMapping(config.taxonomy.mapping), flags, output),
      ),
    );
  });
}

/** How much of each difference is shown, where it is asked for. */
function diffLength({ diff, verbose }: LogFlags): Length | undefined {
  return diff === undefined ? undefined : verbose ? 'whole' : 'folded';
}

/** One more than is shown tells whether there are more. */
async function stretchOf(connection: Connection, { limit, since }: LogFlags): Promise<Stretch> {
  return {
    limit: limit + 1,
    since: typeof since === 'number' ? await timeAgo(connection, since) : (since ?? null),
  };
}

function printRuns(runs: readonly LoggedRun[], flags: LogFlags, output: Output): Outcome<number> {
  const shown = runs.slice(0, flags.limit);
  const isMore = runs.length > shown.length;
  if (flags.json) output.result(jsonText({ runs: shown, more: isMore, exitCode: exitCodes.done }));
  else output.result(runLines(shown, output.colors, output.columns));
  return end(isMore, flags, output);
}

function end(isMore: boolean, { json, quiet }: LogFlags, output: Output): Outcome<number> {
  if (isMore && !json && !quiet) output.notice('note: there are older ones; --limit N shows more\n');
  return { ok: true, value: exitCodes.done };
}

/** A revision, and what it changed. */
interface Described extends LoggedRevision {
  readonly isPruned: boolean;
  readonly summary: string;
  /** Null where there are no two contents to compare. */
  readonly changes: RevisionChanges | null;
  readonly diff?: string;
}

async function logSkill(
  connection: Connection,
  path: string,
  mapping: TaxonomyMapping,
  flags: LogFlags,
  output: Output,
): Promise<Outcome<number>> {
  const known = await findSkill(connection, path);
  if (known === undefined) return refuse({ reason: 'skill-unknown', path });
  const found = await revisionsOf(connection, known, flags);
  if (!found.ok) return found;
  const shown = found.value.slice(0, flags.limit);
  const isMore = found.value.length > shown.length;
  if (!flags.json && !flags.quiet) output.notice(standingLines(known, path));
  const described: Described[] = [];
  for await (const revision of describe(connection, known, shown, mapping, diffLength(flags))) {
    // Who asks for one difference is not helped by the reason why there is none in a list.
    if (typeof flags.diff === 'object' && !revision.ok) return revision;
    described.push(revision.ok ? revision.value : revision.instead);
  }
  if (flags.json) {
    output.result(
      jsonText({
        path: known.path,
        skillId: known.skillId,
        revisions: described,
        more: isMore,
        exitCode: exitCodes.done,
      }),
    );
    return end(isMore, flags, output);
  }
  output.result(revisionLines(described, output.colors, output.columns));
  const back = described.find(({ isPresent, isDeleted, isPruned }) => !isPresent && !isDeleted && !isPruned);
  if (back) {
    output.result(`To bring one back: ${restoreCommand(known.path, back.revision)}\n`);
  }
  return end(isMore, flags, output);
}

/** What a line of the log does not say: where the skill stands that was asked for, and whether it does. */
function standingLines(known: FoundSkill, asked: string): string {
  const name = printableLine(known.path);
  const deleted = known.revision === null ? `note: ${name} is deleted; a revision brings it back\n` : '';
  return foundLine(asked, known) + deleted;
}

/** The revisions that are asked for; of one against another, the one with the other before it. */
async function revisionsOf(
  connection: Connection,
  { skillId, path }: KnownSkill,
  flags: LogFlags,
): Promise<Outcome<readonly LoggedRevision[]>> {
  if (typeof flags.diff !== 'object') {
    const stretch = await stretchOf(connection, flags);
    return { ok: true, value: await loggedRevisions(connection, skillId, stretch) };
  }
  const { from, to } = flags.diff;
  const asked = from === undefined ? [to] : [to, from];
  const found = await statesAt(connection, skillId, asked);
  const missing = asked.find((number) => !found.some(({ revision }) => revision === number));
  if (missing !== undefined) return refuse({ reason: 'revision-not-found', path, revision: missing });
  const value = found.filter(({ revision }) => revision === to);
  return { ok: true, value: from === undefined ? value : value.map((one) => ({ ...one, before: from })) };
}

function statesAt(
  connection: Connection,
  skillId: number,
  numbers: readonly number[],
): Promise<readonly LoggedRevision[]> {
  return loggedRevisions(connection, skillId, { limit: numbers.length, since: null }, numbers);
}

/** What a skill held in a state: nothing where it was deleted. */
type Content = Extract<Loaded, { readonly problem: unknown }> | { readonly skill: Skill | null };

/** A revision with what it changed, or why that cannot be told, and what can be all the same. */
type Description =
  | { readonly ok: true; readonly value: Described }
  | { readonly ok: false; readonly problem: Problem; readonly instead: Described };

/** Compares revisions with those that they followed, in order. No more contents are in memory than still wait for another. */
async function* describe(
  connection: Connection,
  known: KnownSkill,
  shown: readonly LoggedRevision[],
  mapping: TaxonomyMapping,
  length: Length | undefined,
): AsyncGenerator<Description> {
  const uses = new Map<number, number>();
  for (const number of shown.flatMap(usedBy)) uses.set(number, (uses.get(number) ?? 0) + 1);
  const others = [...uses.keys()].filter((number) => !shown.some(({ revision }) => revision === number));
  const states = [...shown, ...(await statesAt(connection, known.skillId, others))].sort(
    (a, b) => b.revision - a.revision,
  );
  const stood = states.filter((state) => !state.isDeleted);
  const loaded = oneByOne(loadStates(connection, known, stood, mapping));
  const contents = new Map<number, Content>();
  let at = 0;
  for (const { revision, isDeleted } of states) {
    contents.set(revision, isDeleted ? { skill: null } : (await loaded.next()).value);
    for (
      let next = shown[at];
      next && usedBy(next).every((number) => contents.has(number));
      next = shown[++at]
    ) {
      yield describeOne(next, contents, length);
      for (const number of usedBy(next)) {
        const left = (uses.get(number) ?? 0) - 1;
        uses.set(number, left);
        if (left === 0) contents.delete(number);
      }
    }
  }
}

function usedBy({ revision, before }: LoggedRevision): readonly number[] {
  return before === null ? [revision] : [revision, before];
}

function describeOne(
  revision: LoggedRevision,
  contents: ReadonlyMap<number, Content>,
  length: Length | undefined,
): Description {
  const now = contents.get(revision.revision) ?? { skill: null };
  const before = (revision.before === null ? undefined : contents.get(revision.before)) ?? { skill: null };
  const told = {
    ...revision,
    isPruned: 'problem' in now && now.problem.reason === 'revision-pruned',
    changes: null,
  };
  if ('problem' in now) {
    const { reason } = now.problem;
    const summary = reason === 'revision-pruned' ? 'contents given up' : sentenceOf(now.problem).what;
    return { ok: false, problem: now.problem, instead: { ...told, summary } };
  }
  if ('problem' in before) {
    const summary = now.skill ? `changed since revision ${revision.before}, which cannot be read` : 'deleted';
    return { ok: false, problem: before.problem, instead: { ...told, summary } };
  }
  const names = { before: `revision ${revision.before}`, after: `revision ${revision.revision}` };
  const diff = length ? { diff: diffSkills(before.skill, now.skill, names, length) } : {};
  if (before.skill && now.skill) {
    const changes = compareRevisions(before.skill, now.skill);
    return { ok: true, value: { ...told, changes, summary: changesText(changes), ...diff } };
  }
  const summary = now.skill ? (revision.before === null ? 'created' : 'brought back') : 'deleted';
  return { ok: true, value: { ...told, summary, ...diff } };
}

// `diff`: what the two sides hold differently, files against database.

import type { Problem } from '../problem.ts';
import { mergeSkills } from '../reconcile/merge.ts';
import type { Colors } from '../report/colors.ts';
import { diffLines } from '../report/diff-text.ts';
import { jsonText, problemJson } from '../report/json.ts';
import type { Output } from '../report/output.ts';
import { conflictLines, settlingLines } from '../report/plan-text.ts';
import { problemLines } from '../report/problem-text.ts';
import { diffSkills } from '../report/skill-diff.ts';
import { printableLine } from '../report/terminal-text.ts';
import { loadConflicts } from '../sync/merge.ts';
import { loadDifferences, type SkillDifference } from '../sync/preview.ts';
import { type Prepared, prepareSync, type SyncInput } from '../sync/sync.ts';
import { type GlobalFlags, runCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { PathGlobs } from './path-globs.ts';
import { openSkills, openUnnamed, readingInput, withDatabase } from './sides.ts';

/** Flags of `diff`. */
export interface DiffFlags extends GlobalFlags {
  /** Only conflicts, each side against what both agreed on. */
  readonly conflict?: boolean;
}

/** Prints the differences of the skills at `globs`, or of all. Creates and changes nothing. */
export function run(flags: DiffFlags, ...globs: readonly string[]): Promise<number> {
  return runCommand(flags, true, async (around) => {
    const { config, output, signal } = around;
    const directory = await openSkills(config);
    if (!directory.ok) return directory;
    const opened = await openUnnamed(around, flags, directory.value.root, true);
    if (!opened.ok) return opened;
    const selected = new PathGlobs(globs);
    return withDatabase(config, opened.value, (databaseName, database) =>
      database.inView(async () => {
        const input = readingInput(config, directory.value, [databaseName, database], {
          around: { signal, output },
          selects: (path) => selected.select(path),
          statuses: 'all',
        });
        const prepared = await prepareSync(input);
        const problems = [...prepared.plan.problems, ...selected.unmatched()];
        const exitCode = problems.length > 0 ? exitCodes.failed : exitCodes.done;
        if (flags.conflict) {
          await printConflicts(input, prepared, problems, flags, output);
          return { ok: true, value: exitCode } as const;
        }
        const skills: object[] = [];
        const { colors } = output;
        for await (const difference of loadDifferences(input, prepared, input.selects)) {
          signal.throwIfAborted();
          const { path, from, files, database: row } = difference;
          const diff = diffSkills(row, files, { before: 'database', after: 'files' }, 'whole');
          if (flags.json) skills.push({ path, ...(from !== undefined && { from }), diff });
          else output.result(headLine(difference, colors) + diffLines(diff, colors));
        }
        if (flags.json) output.result(jsonText({ skills, problems: problems.map(problemJson) }));
        else for (const problem of problems) output.notice(problemLines(problem, output.colors));
        return { ok: true, value: exitCode } as const;
      }),
    );
  });
}

/** The skill, and which side is which in its diff. */
function headLine({ path, from, files, database }: SkillDifference, colors: Colors): string {
  const sides =
    files && database
      ? `- in the database${from === undefined ? '' : `, at ${from}`}, + in the files`
      : `only in the ${files ? 'files' : 'database'}`;
  return `${colors.bold(printableLine(path))}  ${colors.dim(printableLine(`(${sides})`))}\n`;
}

/** Prints conflicts: what each side made of what both agreed on, and whether that goes together. */
async function printConflicts(
  input: SyncInput,
  { plan }: Prepared,
  problems: readonly Problem[],
  flags: DiffFlags,
  output: Output,
): Promise<void> {
  const shown: object[] = [];
  const { colors } = output;
  for await (const { conflict, ...versions } of loadConflicts(input, plan.conflicts)) {
    input.signal?.throwIfAborted();
    const { path, why } = conflict;
    const { base, files, database } = versions;
    const against = (side: 'files' | 'database') =>
      diffSkills(base ?? null, versions[side] ?? null, { before: 'agreed', after: side }, 'whole');
    // Where nobody has what both agreed on, there are two versions to compare, and no more.
    const diffs = base
      ? { files: against('files'), database: against('database') }
      : {
          files: diffSkills(database ?? null, files ?? null, { before: 'database', after: 'files' }, 'whole'),
          database: '',
        };
    const isTried = why === 'both-edited' && base && files && database;
    const merged = isTried ? mergeSkills({ base, files, database }, path) : undefined;
    const regions = merged && !merged.ok ? merged.regions : [];
    if (flags.json)
      shown.push({ path, why, base: conflict.base, merges: merged?.ok ?? false, regions, ...diffs });
    else {
      output.result(conflictLines({ ...conflict, ...(regions.length > 0 && { regions }) }, output));
      output.result(diffLines(diffs.files, colors) + diffLines(diffs.database, colors));
      output.result(settlingLines(conflict, merged?.ok === true));
    }
  }
  if (flags.json) output.result(jsonText({ conflicts: shown, problems: problems.map(problemJson) }));
  else {
    if (plan.conflicts.length === 0) output.result('No conflicts.\n');
    for (const problem of problems) output.notice(problemLines(problem, colors));
  }
}

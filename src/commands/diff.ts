// `diff`: what the two sides hold differently, files against database.

import { nodeDisk } from '../disk.ts';
import { diffLines } from '../report/diff-text.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { problemLines } from '../report/problem-text.ts';
import { diffSkills } from '../report/skill-diff.ts';
import { printableLine } from '../report/terminal-text.ts';
import { loadDifferences } from '../sync/preview.ts';
import { prepareSync, type SyncInput } from '../sync/sync.ts';
import { type GlobalFlags, runCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { PathGlobs } from './path-globs.ts';
import { openSide, openSkills, whoRuns, withDatabase } from './sides.ts';

/** Prints the differences of the skills at `globs`, or of all. Creates and changes nothing. */
export function run(flags: GlobalFlags, ...globs: readonly string[]): Promise<number> {
  return runCommand(flags, true, async ({ config, output, signal, connecting }) => {
    const directory = await openSkills(config);
    if (!directory.ok) return directory;
    const opened = await openSide(config, connecting, directory.value.root, true);
    if (!opened.ok) return opened;
    const selected = new PathGlobs(globs);
    return withDatabase(config, opened.value, (databaseName, database) =>
      database.inView(async () => {
        const input: SyncInput = {
          run: { direction: 'sync', ...whoRuns(), directory: directory.value.root },
          files: directory.value,
          database,
          databaseName,
          disk: nodeDisk,
          stateDirectory: config.stateDirectory,
          selects: (path) => selected.select(path),
          statuses: 'all',
          policy: { force: false, onConflict: 'fail', deletes: false, maxDelete: 0, yes: true },
          signal,
        };
        const prepared = await prepareSync(input);
        const skills: { path: string; diff: string }[] = [];
        for await (const { path, files, database: row } of loadDifferences(input, prepared, input.selects)) {
          signal.throwIfAborted();
          const diff = diffSkills(row, files, { before: 'database', after: 'files' });
          if (flags.json) skills.push({ path, diff });
          else output.result(`${output.colors.bold(printableLine(path))}\n${diffLines(diff, output.colors)}`);
        }
        const problems = [...prepared.plan.problems, ...selected.unmatched()];
        if (flags.json) output.result(jsonText({ skills, problems: problems.map(problemJson) }));
        else for (const problem of problems) output.notice(problemLines(problem, output.colors));
        return { ok: true, value: problems.length > 0 ? exitCodes.failed : exitCodes.done } as const;
      }),
    );
  });
}

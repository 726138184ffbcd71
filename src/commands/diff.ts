// `diff`: what the two sides hold differently, files against database.

import { hostname, userInfo } from 'node:os';
import { nodeDisk } from '../disk.ts';
import type { DatabaseReplica } from '../replica.ts';
import { diffLines } from '../report/diff-text.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { problemLines } from '../report/problem-text.ts';
import { diffSkills } from '../report/skill-diff.ts';
import { printableLine } from '../report/terminal-text.ts';
import type { DatabaseName } from '../repository/connection.ts';
import { Database } from '../repository/database.ts';
import { emptyDatabase } from '../repository/empty.ts';
import { loadDifferences } from '../sync/preview.ts';
import { prepareSync, type SyncInput } from '../sync/sync.ts';
import { compileMapping } from '../taxonomy/infer.ts';
import { exitCodes, type GlobalFlags, runCommand, withConnection } from './command.ts';
import { PathGlobs } from './path-globs.ts';
import { openSide, openSkills } from './sides.ts';

/** Prints the differences of the skills at `globs`, or of all. Creates and changes nothing. */
export function run(flags: GlobalFlags, ...globs: readonly string[]): Promise<number> {
  return runCommand(flags, async ({ config, output }) => {
    const directory = await openSkills(config);
    if (!directory.ok) return directory;
    const opened = await openSide(config, directory.value.root, true);
    if (!opened.ok) return opened;
    const mapping = compileMapping(config.taxonomy.mapping);
    const selected = new PathGlobs(globs);
    const compare = async (databaseName: DatabaseName, database: DatabaseReplica) => {
      const input: SyncInput = {
        run: {
          direction: 'sync',
          who: userInfo().username,
          host: hostname(),
          directory: directory.value.root,
        },
        files: directory.value,
        database,
        databaseName,
        disk: nodeDisk,
        stateDirectory: config.stateDirectory,
        selects: (path) => selected.select(path),
        statuses: 'all',
        policy: { force: false, onConflict: 'fail', deletes: false, maxDelete: 0, yes: true },
      };
      const prepared = await prepareSync(input);
      const skills: { path: string; diff: string }[] = [];
      for await (const { path, files, database: row } of loadDifferences(input, prepared, input.selects)) {
        const diff = diffSkills(row, files, { before: 'database', after: 'files' });
        if (flags.json) skills.push({ path, diff });
        else output.result(`${output.colors.bold(printableLine(path))}\n${diffLines(diff, output.colors)}`);
      }
      const problems = [...prepared.plan.problems, ...selected.unmatched()];
      if (flags.json) output.result(jsonText({ skills, problems: problems.map(problemJson) }));
      else for (const problem of problems) output.notice(problemLines(problem, output.colors));
      return { ok: true, value: problems.length > 0 ? exitCodes.failed : exitCodes.done } as const;
    };
    if (opened.value.state === 'absent') return compare(opened.value.name, emptyDatabase(mapping));
    const { connection } = opened.value;
    return withConnection(connection, () => compare(connection.database, new Database(connection, mapping)));
  });
}

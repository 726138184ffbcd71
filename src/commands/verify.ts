// `verify`: both sides read anew, and proved equal byte by byte.

import type { Difference } from '../replica.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { problemLines } from '../report/problem-text.ts';
import { differenceLine, equalLine } from '../report/verify-text.ts';
import { verifySides } from '../sync/verify.ts';
import { type GlobalFlags, runCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { openSkills, openUnnamed, readingInput, withDatabase } from './sides.ts';

/** Prints what is not equal, or how much is. Creates and changes nothing. */
export function run(flags: GlobalFlags): Promise<number> {
  return runCommand(flags, true, async (around) => {
    const { config, output, signal } = around;
    const directory = await openSkills(config, true);
    if (!directory.ok) return directory;
    const opened = await openUnnamed(around, flags, directory.value.root, true);
    if (!opened.ok) return opened;
    return withDatabase(config, opened.value, async (databaseName, database) => {
      const differences: Difference[] = [];
      let isEqual = true;
      const { problems, ...count } = await verifySides(
        readingInput(config, directory.value, [databaseName, database], { around: { signal, output } }),
        (difference) => {
          isEqual = false;
          if (flags.json) differences.push(difference);
          else output.result(differenceLine(difference, output.colors));
        },
      );
      const unequal = isEqual ? exitCodes.done : exitCodes.pending;
      const exitCode = problems.length > 0 ? exitCodes.failed : unequal;
      if (flags.json) {
        output.result(jsonText({ ...count, differences, problems: problems.map(problemJson), exitCode }));
      } else {
        for (const problem of problems) output.notice(problemLines(problem, output.colors));
        if (exitCode === exitCodes.done) output.result(equalLine(count));
      }
      return { ok: true, value: exitCode } as const;
    });
  });
}

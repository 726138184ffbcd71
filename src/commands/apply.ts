// `apply`: carries out a saved plan.

import { nodeDisk } from '../disk.ts';
import { openPlan } from '../sync/plan-file.ts';
import { prepareApply, runApply, whyNotAbsent } from '../sync/saved-plan.ts';
import { runCommand } from './command.ts';
import { PathGlobs } from './path-globs.ts';
import { carryOut, inputOf, runOnSides, type SyncFlags } from './sync-command.ts';

/** Flags of `apply`. */
export interface ApplyFlags extends SyncFlags {
  readonly atomic?: boolean;
}

/** Carries out what is left of the plan that is saved as `file`. Returns the exit code. */
export async function run(flags: ApplyFlags, file: string): Promise<number> {
  const opened = await openPlan(nodeDisk, file);
  // A file that is no plan touches neither side.
  if (!opened.ok) return runCommand(flags, true, async () => opened);
  const saved = opened.value;
  try {
    const whyNot = whyNotAbsent(saved, file);
    return await runOnSides(
      'apply',
      flags,
      async (sides) => {
        const globs = new PathGlobs([]);
        const input = inputOf(saved.header.direction, flags, sides, globs);
        const prepared = await prepareApply(input, saved, file, flags.atomic === true);
        if (!prepared.ok) return prepared;
        const exitCode = await carryOut({
          ...{ flags, sides, input, prepared: prepared.value, globs, command: 'apply', planFile: file },
          run: () => runApply(input, prepared.value),
        });
        return { ok: true, value: exitCode };
      },
      whyNot,
    );
  } finally {
    await saved.close();
  }
}

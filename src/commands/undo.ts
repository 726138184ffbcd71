// `undo`: takes back what a run did, on both sides.

import { planNext, prepareUndo, runUndo } from '../sync/undo.ts';
import { PathGlobs } from './path-globs.ts';
import { carryOut, inputOf, runOnSides, type SyncFlags } from './sync-command.ts';

/**
 * Takes back a run. Returns the exit code.
 *
 * @param number the run, as `log` shows it; absent is the latest that is not taken back yet
 */
export function run(flags: SyncFlags, number?: string): Promise<number> {
  return runOnSides('undo', flags, async (sides) => {
    const globs = new PathGlobs(flags.skillPath ?? []);
    const input = inputOf('sync', flags, sides, globs);
    const prepared = await prepareUndo(input, number === undefined ? null : Number(number));
    if (!prepared.ok) return prepared;
    const undo = prepared.value;
    const { run: undone, elsewhere } = undo;
    sides.report.notice({ notice: 'undoes', run: undone });
    if (elsewhere > 0) sides.report.notice({ notice: 'undo-elsewhere', count: elsewhere, run: undone });
    const exitCode = await carryOut({
      ...{ flags, sides, input, prepared: undo, globs, command: `undo ${undone.id}` },
      run: () => runUndo(input, undo),
      planNext: () => planNext(input, undo),
    });
    return { ok: true, value: exitCode };
  });
}

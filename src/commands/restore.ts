// `restore`: makes an old revision of a skill the current one in the database.

import { nodeDisk } from '../disk.ts';
import { type Outcome, refuse } from '../problem.ts';
import { jsonText } from '../report/json.ts';
import { printableLine } from '../report/terminal-text.ts';
import { Database, type Restored } from '../repository/database.ts';
import { openForWriting } from '../repository/open.ts';
import { makeStateDirectory } from '../state-directory.ts';
import { compileMapping } from '../taxonomy/infer.ts';
import { type GlobalFlags, runCommand, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { whoRuns } from './sides.ts';

/** Flags of `restore`. */
export interface RestoreFlags extends GlobalFlags {
  readonly revision: number;
}

/** Restores the skill at `path`. Returns the exit code. */
export function run(flags: RestoreFlags, path: string): Promise<number> {
  return runCommand(flags, false, async ({ config, output, connecting }) => {
    await makeStateDirectory(nodeDisk, config.stateDirectory);
    const opened = await openForWriting(config.database, nodeDisk, connecting);
    if (!opened.ok) return opened;
    if (opened.value.state === 'absent') return refuse({ reason: 'skill-unknown', path });
    const { connection } = opened.value;
    return withConnection(connection, async () => {
      const database = new Database(connection, compileMapping(config.taxonomy.mapping));
      await database.beginRun({ direction: 'restore', ...whoRuns(), directory: '' });
      const restored = await database.restore(path, flags.revision);
      await database.endRun({ updated: restored.ok ? 1 : 0 }, restored.ok ? null : restored.problem.reason);
      if (!restored.ok) return restored;
      output.result(
        flags.json ? jsonText({ ...restored.value }) : restoredLines(restored.value, flags.revision),
      );
      return { ok: true, value: exitCodes.done } satisfies Outcome<number>;
    });
  });
}

function restoredLines({ path, replaced }: Restored, revision: number): string {
  const name = printableLine(path);
  const undo = replaced === null ? '' : ` What it held: skill-fleet restore ${name} --revision ${replaced}`;
  return `Restored ${name} to revision ${revision} in the database.${undo}\nThe files get it with: skill-fleet sync-db\n`;
}

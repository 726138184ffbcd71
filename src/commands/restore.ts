// `restore`: makes an old revision of a skill the current one in the database.

import { type Outcome, refuse } from '../problem.ts';
import { oneByOne } from '../replica.ts';
import { restoreCommand } from '../report/command-text.ts';
import { diffLines } from '../report/diff-text.ts';
import { jsonText } from '../report/json.ts';
import { diffSkills } from '../report/skill-diff.ts';
import { printableLine } from '../report/terminal-text.ts';
import { type Connection, inView } from '../repository/connection.ts';
import { Database, type Restored } from '../repository/database.ts';
import { loadRows } from '../repository/load.ts';
import { findSkill, loadRevision } from '../repository/revision.ts';
import { compileMapping } from '../taxonomy/infer.ts';
import { type GlobalFlags, runCommand, type Surroundings, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { openAlone, whoRuns } from './sides.ts';

/** Flags of `restore`. */
export interface RestoreFlags extends GlobalFlags {
  readonly revision: number;
  /** Show what would become different, and change nothing. */
  readonly dryRun?: boolean;
}

/** Restores the skill at `path`. Returns the exit code. */
export function run(flags: RestoreFlags, path: string): Promise<number> {
  return runCommand(flags, flags.dryRun === true, async (around) => {
    if (flags.dryRun) return preview(flags, path, around);
    const { config, output } = around;
    const opened = await openAlone(around, flags, false);
    if (!opened.ok) return opened;
    if (opened.value.state === 'absent') return refuse({ reason: 'skill-unknown', path });
    const { connection } = opened.value;
    return withConnection(connection, async () => {
      const database = new Database(connection, compileMapping(config.taxonomy.mapping));
      // What was never there is a slip of who asked, and no run that failed.
      const past = await inView(connection, () => findPast(connection, path, flags.revision));
      if (!past.ok) return past;
      await database.beginRun({ direction: 'restore', ...whoRuns(), directory: '' });
      const restored = await database.restore(path, flags.revision).catch(async (error: Error) => {
        // The first error says more than what closing the record meets on a lost connection.
        await database.endRun({}, error.message).catch(() => {});
        throw error;
      });
      await database.endRun({ updated: restored.ok ? 1 : 0 }, restored.ok ? null : restored.problem.reason);
      if (!restored.ok) return restored;
      output.result(
        flags.json
          ? jsonText({ dryRun: false, ...restored.value })
          : restoredLines(restored.value, flags.revision),
      );
      return { ok: true, value: exitCodes.done } satisfies Outcome<number>;
    });
  });
}

/** The skill that is known by a path, and what it was. */
async function findPast(connection: Connection, path: string, revision: number) {
  const known = await findSkill(connection, path);
  if (known === undefined) return refuse({ reason: 'skill-unknown', path });
  const past = await loadRevision(connection, { ...known, revision });
  return past.ok ? ({ ok: true, value: { known, skill: past.value } } as const) : past;
}

async function preview(flags: RestoreFlags, path: string, around: Surroundings): Promise<Outcome<number>> {
  const { config, output } = around;
  const opened = await openAlone(around, flags, true);
  if (!opened.ok) return opened;
  if (opened.value.state === 'absent') return refuse({ reason: 'skill-unknown', path });
  const { connection } = opened.value;
  return withConnection(connection, () =>
    inView(connection, async () => {
      const past = await findPast(connection, path, flags.revision);
      if (!past.ok) return past;
      const { known, skill } = past.value;
      const mapping = compileMapping(config.taxonomy.mapping);
      const rows = oneByOne(loadRows(connection, known.revision === null ? [] : [known], { mapping }));
      const { value: now } = await rows.next();
      if (now && 'problem' in now) return refuse(now.problem);
      const names = { before: 'database', after: `revision ${flags.revision}` };
      const diff = diffSkills(now?.skill ?? null, skill, names);
      output.result(
        flags.json
          ? jsonText({
              dryRun: true,
              path: known.path,
              revision: flags.revision,
              replaced: known.revision,
              diff,
            })
          : `${diffLines(diff, output.colors)}Dry run, nothing was changed. Run it with: ${restoreCommand(known.path, flags.revision)}\n`,
      );
      return { ok: true, value: exitCodes.done } as const;
    }),
  );
}

function restoredLines({ path, replaced }: Restored, revision: number): string {
  const name = printableLine(path);
  const undo = replaced === null ? '' : ` What it held: ${restoreCommand(path, replaced)}`;
  return `Restored ${name} to revision ${revision} in the database.${undo}\nThe files get it with: skill-fleet sync-db\n`;
}

// `list`: the skills in the database.

import { nodeDisk } from '../disk.ts';
import { jsonText } from '../report/json.ts';
import { listLines } from '../report/list-text.ts';
import { type ListedSkill, type ListFilter, listSkills } from '../repository/list.ts';
import { openForReading } from '../repository/open.ts';
import type { Status } from '../skill/status.ts';
import { type GlobalFlags, runCommand, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';

/** Flags of `list`. */
export interface ListFlags extends GlobalFlags {
  readonly filter?: string;
  readonly status?: Status;
  readonly category?: string;
}

/** Prints the skills that the filters take. Creates and changes nothing. */
export function run(flags: ListFlags): Promise<number> {
  return runCommand(flags, true, async ({ config, output, connecting }) => {
    const opened = await openForReading(config.database, nodeDisk, connecting);
    if (!opened.ok) return opened;
    const print = (skills: readonly ListedSkill[]) => {
      output.result(flags.json ? jsonText({ skills }) : listLines(skills, output.colors));
      return { ok: true, value: exitCodes.done } as const;
    };
    if (opened.value.state === 'absent') return print([]);
    const { connection } = opened.value;
    const filter: ListFilter = {
      ...(flags.filter !== undefined && { text: flags.filter }),
      ...(flags.status !== undefined && { status: flags.status }),
      ...(flags.category !== undefined && { category: flags.category }),
    };
    return withConnection(connection, async () => print(await listSkills(connection, filter)));
  });
}

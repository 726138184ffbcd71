// `list`: the skills in the database.

import { jsonText } from '../report/json.ts';
import { listLines, listTable } from '../report/list-text.ts';
import { absentLine } from '../report/notice-text.ts';
import { type Listing, type ListOrder, listSkills } from '../repository/list.ts';
import { describeDatabase } from '../repository/sqlstate.ts';
import type { Status } from '../skill/status.ts';
import { type GlobalFlags, runCommand, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { openAlone } from './sides.ts';

/** Flags of `list`. */
export interface ListFlags extends GlobalFlags {
  readonly filter?: string;
  readonly status?: Status;
  readonly category?: string;
  readonly tag?: string;
  readonly sort?: ListOrder;
  readonly limit?: number;
  readonly offset?: number;
}

/** Prints the skills that the filters take. Creates and changes nothing. */
export function run(flags: ListFlags): Promise<number> {
  return runCommand(flags, true, async (around) => {
    const { output } = around;
    const opened = await openAlone(around, flags, true);
    if (!opened.ok) return opened;
    const print = ({ skills, total }: Listing) => {
      const next = (flags.offset ?? 0) + skills.length;
      const isMore = skills.length > 0 && next < total;
      const { columns, colors } = output;
      if (flags.json) output.result(jsonText({ skills, total, more: isMore }));
      else if (columns === undefined) output.result(listLines(skills, total, colors));
      else output.result(listTable(skills, total, columns, colors));
      if (isMore && !flags.json && !flags.quiet) {
        output.notice(`note: there are more; --offset ${next} shows them\n`);
      }
      return { ok: true, value: exitCodes.done } as const;
    };
    if (opened.value.state === 'absent') {
      if (!flags.json && !flags.quiet) output.notice(absentLine(describeDatabase(opened.value.name)));
      return print({ skills: [], total: 0 });
    }
    const { connection } = opened.value;
    const { filter, ...asked } = flags;
    return withConnection(connection, async () =>
      print(await listSkills(connection, { ...asked, ...(filter !== undefined && { text: filter }) }, flags)),
    );
  });
}

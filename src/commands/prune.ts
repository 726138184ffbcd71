// `prune`: gives up the contents of old revisions, and keeps their digests.

import { counted } from '../report/counted.ts';
import { jsonText } from '../report/json.ts';
import { findPrunable, type Pruned, type PruneLimits, pruneRevisions } from '../repository/prune.ts';
import { type GlobalFlags, runCommand, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { openAlone } from './sides.ts';

/** Flags of `prune`. */
export interface PruneFlags extends GlobalFlags, PruneLimits {
  readonly dryRun?: boolean;
}

const nothing: Pruned = { revisions: 0, skills: 0, blobs: 0, bytes: 0, keptRevisions: 0, keptBlobs: 0 };

/** Prunes the history; a dry run says what it would give up. Returns the exit code. */
export function run(flags: PruneFlags): Promise<number> {
  const { dryRun: isDryRun = false } = flags;
  return runCommand(flags, isDryRun, async (around) => {
    const { output } = around;
    const opened = await openAlone(around, flags, isDryRun);
    if (!opened.ok) return opened;
    const print = (pruned: Pruned) => {
      output.result(flags.json ? jsonText({ dryRun: isDryRun, ...pruned }) : prunedLines(pruned, isDryRun));
      return { ok: true, value: exitCodes.done } as const;
    };
    if (opened.value.state === 'absent') return print(nothing);
    const { connection } = opened.value;
    const prune = isDryRun ? findPrunable : pruneRevisions;
    return withConnection(connection, async () => print(await prune(connection, flags)));
  });
}

function prunedLines(
  { revisions, skills, blobs, bytes, keptRevisions, keptBlobs }: Pruned,
  isDryRun: boolean,
): string {
  const [gave, keep] = isDryRun ? ['Would give up', 'would keep'] : ['Gave up', 'keep'];
  const what = `${counted(revisions, 'revision')} of ${counted(skills, 'skill')}, and ${counted(blobs, 'attached file')}`;
  const rest = `${counted(keptRevisions, 'revision')} and ${counted(keptBlobs, 'attached file')}`;
  return `${gave} the contents of ${what}: ${counted(bytes, 'byte')}. Digests stay.\n${rest} ${keep} theirs.\n`;
}

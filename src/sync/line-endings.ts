// A run whose changes are line endings alone: git rewrote them, and nobody meant it.

import { isMost } from '../reconcile/guard.ts';
import type { Plan, PlannedChange, Side } from '../reconcile/plan.ts';
import { type Load, oneByOne, type Snapshot } from '../replica.ts';
import type { Skill } from '../skill/skill.ts';

/** Both sides, as far as contents are compared. */
interface Sides {
  readonly files: { readonly load: Load };
  readonly database: { readonly load: Load };
  readonly policy: { readonly yes: boolean };
}

/** The plan, refused where it would overwrite most of a side by texts that differ in line endings alone. */
export async function guardLineEndings(
  { files, database, policy }: Sides,
  { local, remote }: { readonly local: Snapshot; readonly remote: Snapshot },
  plan: Plan,
): Promise<Plan> {
  if (policy.yes) return plan;
  for (const side of ['database', 'files'] as const satisfies readonly Side[]) {
    const total = (side === 'database' ? remote : local).skills.size;
    const updates = plan.changes.filter(
      ({ side: changed, before, after, from, content }) =>
        changed === side && before !== null && after !== null && !from && !content,
    );
    if (!isMost(updates.length, total)) continue;
    const count = await countLineEndings(files.load, database.load, updates);
    if (isMost(count, total))
      return { ...plan, refusal: { reason: 'line-endings-only', side, count, total } };
  }
  return plan;
}

/** How many of the changes change line endings alone. Reads both sides side by side. */
async function countLineEndings(
  local: Load,
  remote: Load,
  changes: readonly PlannedChange[],
): Promise<number> {
  const paths = changes.map((change) => change.path);
  const others = oneByOne(remote(paths));
  let count = 0;
  for await (const mine of oneByOne(local(paths))) {
    const other = await others.next();
    if (other.done || !('skill' in mine) || !('skill' in other.value)) continue;
    if (differInLineEndings(mine.skill, other.value.skill)) count++;
  }
  return count;
}

function differInLineEndings(a: Skill, b: Skill): boolean {
  const ofOther = new Map(b.entries.map((entry) => [entry.path, entry]));
  return (
    a.entries.length === b.entries.length &&
    a.entries.every((entry) => {
      const other = ofOther.get(entry.path);
      return (
        other !== undefined &&
        entry.executable === other.executable &&
        (entry.bytes.equals(other.bytes) || withLineFeeds(entry.bytes) === withLineFeeds(other.bytes))
      );
    })
  );
}

/** The bytes, one character each, with every line ended by LF. */
function withLineFeeds(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\r\n', '\n');
}

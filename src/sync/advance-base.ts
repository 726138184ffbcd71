// The base advances, path by path, from what both sides answered.

import { isPlacing, type Plan, type PlannedChange } from '../reconcile/plan.ts';
import type { Result, SkillState } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import { type BaseEntry, isLastDatabase, type ReadBase, writeBase } from './base.ts';
import { noteCommits } from './commit-notes.ts';
import type { Prepared, SyncInput } from './sync.ts';

/** Writes down, path by path, what both sides are now known to hold, and which commit knows it. */
export async function advanceBase(
  input: SyncInput,
  prepared: Prepared,
  results: readonly Result<PlannedChange>[],
): Promise<void> {
  const { plan, base } = prepared;
  const renamed = renamedOnBoth(plan, results);
  const entries = followRenames(base.entries, renamed);
  const settle = (path: SkillPath, local: SkillState | null, remote: SkillState | null) => {
    if (local === null) entries.delete(path);
    else if (remote?.row)
      entries.set(path, { digest: local.digest, skillId: remote.row.skillId, noted: false });
  };
  // A path that nobody holds any more may be the new one of another skill.
  const agreed = plan.agreed.toSorted((a, b) => Number(a.local !== null) - Number(b.local !== null));
  for (const { path, local, remote } of agreed) settle(path, local, remote);
  for (const result of results) {
    if (!result.ok) continue;
    const { change, state } = result;
    // What was moved as it is holds what both sides agreed on, or is edited next.
    if (change.content?.side === change.side) continue;
    // A merge that the files do not hold yet is nothing that both sides agree on.
    if (change.merge && change.side === 'database') continue;
    const path = change.formerly && !renamed.has(change.path) ? change.formerly : change.path;
    settle(path, state, state?.row ? state : change.after);
  }
  const noted = await noteCommits(input.database, prepared, entries, results);
  for (const path of noted) {
    const entry = entries.get(path);
    if (entry) entries.set(path, { ...entry, noted: true });
  }
  const isAsItWas = plan.agreed.length === 0 && noted.length === 0 && results.every((result) => !result.ok);
  // Which database was the last is told by which base is the newest.
  if (isAsItWas && (await isLastDatabase(input.disk, input.stateDirectory, prepared.identity))) return;
  await writeBaseNow(input, prepared, entries);
}

/** Writes the base, as of this moment. */
export async function writeBaseNow(
  { database, disk, stateDirectory }: SyncInput,
  { identity, checkout }: Pick<Prepared, 'identity' | 'checkout'>,
  entries: ReadBase['entries'],
): Promise<void> {
  const { latest } = await database.identity();
  const moment = {
    repository: checkout?.repositoryName ?? null,
    head: checkout?.place.commit ?? null,
    latest,
  };
  await writeBase(disk, stateDirectory, identity, moment, entries);
}

/** Skills that both sides have at a new path now, each with the one where the base has it. */
function renamedOnBoth(
  { agreed }: Plan,
  results: readonly Result<PlannedChange>[],
): ReadonlyMap<SkillPath, SkillPath> {
  return new Map([
    ...agreed.flatMap(({ path, renamed }) => (renamed ? [[path, renamed.base.path] as const] : [])),
    ...results.flatMap(({ ok, change }) =>
      ok && change.formerly && isPlacing(change) ? [[change.path, change.formerly] as const] : [],
    ),
  ]);
}

/** The base, in which these skills are at their new paths, as it had them. */
function followRenames(
  base: ReadonlyMap<SkillPath, BaseEntry>,
  renamed: ReadonlyMap<SkillPath, SkillPath>,
): Map<SkillPath, BaseEntry> {
  const entries = new Map(base);
  for (const formerly of renamed.values()) entries.delete(formerly);
  for (const [path, formerly] of renamed) {
    const entry = base.get(formerly);
    if (entry) entries.set(path, { ...entry, noted: false });
  }
  return entries;
}

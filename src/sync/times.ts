// When each side was last changed, by one clock, as far as that can be trusted.

import type { ConflictTimes, Pair, PlannedChange } from '../reconcile/plan.ts';
import type { DatabaseReplica, FilesReplica } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Checkout } from './checkout.ts';

/** A file or row from before the first agent skill was written has no time, but a default. */
const firstSkill = new Date('2020-01-01T00:00:00Z');

/** Clocks that differ by more are not corrected for: one of them is wrong, and nobody knows since when. */
const maxClockDifferenceMs = 10 * 60 * 1000;

/** How much later than now a time may be: file systems round. */
const toleranceMs = 2000;

/** The two sides and git, as the times are asked of them. */
interface Clocks {
  readonly files: FilesReplica;
  readonly database: DatabaseReplica;
  readonly checkout: Checkout | undefined;
}

/** A skill, and where each side has it. */
interface Asked {
  readonly path: SkillPath;
  readonly inFiles: SkillPath;
  readonly inDatabase: SkillPath;
}

interface Times {
  /** How much the database's clock is ahead of this machine's. */
  readonly difference: number;
  readonly of: ReadonlyMap<SkillPath, ConflictTimes>;
}

/**
 * The times of skills that both sides hold, by this machine's clock; what is senseless is unknown. Files that
 * are as HEAD has them changed when they were committed. None where the clocks cannot be compared.
 */
async function readTimes(
  { files, database, checkout }: Clocks,
  asking: readonly Asked[],
): Promise<Times | undefined> {
  if (asking.length === 0) return undefined;
  const inFiles = asking.map((one) => one.inFiles);
  const committed = (await checkout?.commitTimes(inFiles)) ?? new Map<string, Date>();
  const ofFiles = await files.changedAt(inFiles);
  const asked = Date.now();
  const { now, times } = await database.changedAt(asking.map((one) => one.inDatabase));
  const answered = Date.now();
  const difference = now.getTime() - (asked + answered) / 2;
  if (Math.abs(difference) > maxClockDifferenceMs) return undefined;
  const trusted = (time: Date | undefined): Date | null =>
    time && time >= firstSkill && time.getTime() <= answered + toleranceMs ? time : null;
  const corrected = (time: Date | undefined) => time && new Date(time.getTime() - difference);
  const of = new Map(
    asking.map((one) => [
      one.path,
      {
        files: trusted(committed.get(one.inFiles) ?? ofFiles.get(one.inFiles)),
        database: trusted(corrected(times.get(one.inDatabase))),
      },
    ]),
  );
  return { difference, of };
}

/** When each side of a conflict was last changed. */
export async function conflictTimes(
  clocks: Clocks,
  pairs: readonly Pair[],
): Promise<ReadonlyMap<SkillPath, ConflictTimes>> {
  const asking = pairs.map(({ path, renamed }) => ({
    path,
    inFiles: renamed?.files ?? path,
    inDatabase: renamed?.database ?? path,
  }));
  return (await readTimes(clocks, asking))?.of ?? new Map();
}

/**
 * Changes of the database, each with the time at which its files were changed: what somebody wrote before
 * another did is no newer for being exported after it.
 */
export async function withFileTimes(
  clocks: Clocks,
  changes: readonly PlannedChange[],
): Promise<readonly PlannedChange[]> {
  // Only what others may have edited too can come into a conflict with what they wrote. Of what is known, none asks.
  const edited = changes.flatMap(
    ({ path, from = path, before, after, content, ...known }): readonly Asked[] =>
      before && after && content?.side !== 'database' && !known.origin && !known.changedAt
        ? [{ path, inFiles: content?.path ?? path, inDatabase: from }]
        : [],
  );
  const times = await readTimes(clocks, edited);
  if (times === undefined) return changes;
  return changes.map((change) => {
    const time = times.of.get(change.path)?.files;
    return time ? { ...change, changedAt: new Date(time.getTime() + times.difference) } : change;
  });
}

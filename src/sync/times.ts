// When each side of a conflict was last changed, by one clock, as far as that can be trusted.

import type { ConflictTimes } from '../reconcile/plan.ts';
import type { DatabaseReplica, FilesReplica } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';

/** A file or row from before the first agent skill was written has no time, but a default. */
const firstSkill = new Date('2020-01-01T00:00:00Z');

/** Clocks that differ by more are not corrected for: one of them is wrong, and nobody knows since when. */
const maxClockDifferenceMs = 10 * 60 * 1000;

/** How much later than now a time may be: file systems round. */
const toleranceMs = 2000;

/**
 * The times of skills that both sides edited. The database's are corrected for the difference of its clock to
 * this machine's; what is senseless is unknown.
 *
 * @param committed when files that are as HEAD has them were committed: that is when they changed
 */
export async function conflictTimes(
  files: FilesReplica,
  database: DatabaseReplica,
  committed: ReadonlyMap<string, Date>,
  paths: readonly SkillPath[],
): Promise<ReadonlyMap<SkillPath, ConflictTimes>> {
  const ofFiles = await files.changedAt(paths);
  const asked = Date.now();
  const { now, times } = await database.changedAt(paths);
  const answered = Date.now();
  const difference = now.getTime() - (asked + answered) / 2;
  if (Math.abs(difference) > maxClockDifferenceMs) return new Map();
  const trusted = (time: Date | undefined): Date | null =>
    time && time >= firstSkill && time.getTime() <= answered + toleranceMs ? time : null;
  const corrected = (time: Date | undefined) => time && new Date(time.getTime() - difference);
  return new Map(
    paths.map((path) => [
      path,
      {
        files: trusted(committed.get(path) ?? ofFiles.get(path)),
        database: trusted(corrected(times.get(path))),
      },
    ]),
  );
}

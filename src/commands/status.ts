// `status`: how the files and the database stand, at a glance.

import type { Outcome } from '../problem.ts';
import { type Standing, standingOf } from '../reconcile/standing.ts';
import { commandText } from '../report/command-text.ts';
import { counted } from '../report/counted.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { noticeLines } from '../report/notice-text.ts';
import { statusLines } from '../report/status-text.ts';
import { describeDatabase } from '../repository/sqlstate.ts';
import { emptyRecord, type RunRecord, readRecord } from '../repository/status.ts';
import { prepareSync } from '../sync/sync.ts';
import { type GlobalFlags, runCommand, type Surroundings } from './command.ts';
import { durationMs } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';
import { openSide, openSkills, readingInput, withDatabase } from './sides.ts';

/** Flags of `status`. */
export interface StatusFlags extends GlobalFlags {
  /** Ends with 2 where things do not stand well. */
  readonly exitCode?: boolean;
  /** Milliseconds. */
  readonly maxAge?: number;
}

/** The numbers that programs watch. */
export interface Health {
  /** Skills that both sides hold alike. */
  readonly synced: number;
  /** Skills that a sync would change or leave undecided: edits of either side, held deletions, conflicts. */
  readonly pending: number;
  /** Skills that take no part: a problem of theirs keeps them from it. */
  readonly failed: number;
  /** Places that could not be read. */
  readonly unknown: number;
  /** All of the above together. Rows that their status leaves out are not among them. */
  readonly total: number;
  /** How many of the last ten runs failed. */
  readonly recentFailures: number;
  /** Whether there is no fault: {@link faultsOf}. */
  readonly healthy: boolean;
}

export const run = (flags: StatusFlags): Promise<number> => runStatus(flags);

/** Prints how both sides stand. Creates and changes nothing. Returns the exit code. */
export function runStatus(flags: StatusFlags, host?: Host): Promise<number> {
  const work = async ({ config, output, signal, connecting }: Surroundings): Promise<Outcome<number>> => {
    const directory = await openSkills(config);
    if (!directory.ok) return directory;
    const skillsDirectory = directory.value.root;
    const opened = await openSide(config, connecting, skillsDirectory, true);
    if (!opened.ok) return opened;
    const side = opened.value;
    return withDatabase(config, side, (databaseName, database) =>
      database.inView(async () => {
        const { plan, ...sides } = await prepareSync(
          readingInput(config, directory.value, [databaseName, database], { around: { signal, output } }),
        );
        const standing = standingOf(plan, sides);
        const record = side.state === 'ready' ? await readRecord(side.connection) : emptyRecord(new Date());
        const maxAgeMs = flags.maxAge ?? durationMs(config.health.maxAge ?? '');
        const faults = faultsOf(standing, record, maxAgeMs);
        const health = healthOf(standing, record, faults);
        const next = nextOf(standing, flags);
        const exitCode = exitCodeOf(health, flags);
        const facts = { skillsDirectory, database: describeDatabase(databaseName) };
        if (flags.json) {
          const { problems, synced: _, failed, unknown, ...lists } = standing;
          output.result(
            jsonText({
              ...facts,
              ...health,
              faults,
              ...lists,
              failedPaths: failed,
              unknownPaths: unknown,
              uncategorized: record.uncategorized,
              lastRun: record.lastRun,
              lastGoodRun: record.lastGoodRun,
              next: next.map(({ command }) => command),
              problems: problems.map(problemJson),
              exitCode,
            }),
          );
        } else {
          const text = statusLines(
            { ...facts, standing, record, faults, next },
            flags.verbose === true,
            output.colors,
          );
          output.result(text);
          // A skills directory that is a skill itself holds nothing to count.
          const within = sides.notices.find(({ notice }) => notice === 'root-document');
          if (within && !flags.quiet) output.notice(noticeLines(within, false));
        }
        return { ok: true, value: exitCode } as const;
      }),
    );
  };
  return runCommand(flags, true, work, host);
}

/**
 * Why things do not stand well, each in a few words: a skill with a problem, a conflict, a place that could not be
 * read, a last run that did not succeed, or none that did in the last `maxAgeMs`. A database without runs, deletions
 * that are held, and edits that wait are no fault in themselves.
 */
export function faultsOf(
  standing: Standing,
  { now, lastRun, lastGoodRun }: Pick<RunRecord, 'now' | 'lastRun' | 'lastGoodRun'>,
  maxAgeMs: number | undefined,
): readonly string[] {
  const goodAt = lastGoodRun?.finishedAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  // A time to come was written while the clock was wrong, and says nothing of how long ago that was.
  const isLate = maxAgeMs !== undefined && Math.abs(+now - goodAt) > maxAgeMs;
  const { conflicts, failed, unknown } = standing;
  return [
    ...(failed.length > 0 ? [`${counted(failed.length, 'skill')} with a problem`] : []),
    ...(conflicts.length > 0 ? [counted(conflicts.length, 'conflict')] : []),
    ...(unknown.length > 0 ? [`${counted(unknown.length, 'place')} could not be read`] : []),
    ...(lastRun?.outcome === 'failed' ? ['the last run failed'] : []),
    ...(lastRun?.outcome === 'running' ? ['the last run is under way, or was killed'] : []),
    ...(isLate ? ['no sync succeeded lately enough'] : []),
  ];
}

function pendingIn({ aheadHere, aheadThere, conflicts, held }: Standing): number {
  return aheadHere.length + aheadThere.length + conflicts.length + held.length;
}

function healthOf(standing: Standing, { recentFailures }: RunRecord, faults: readonly string[]): Health {
  const [pending, failed, unknown] = [pendingIn(standing), standing.failed.length, standing.unknown.length];
  const { synced } = standing;
  const total = synced + pending + failed + unknown;
  return { synced, pending, failed, unknown, total, recentFailures, healthy: faults.length === 0 };
}

/** What could not be read weighs most: nobody can tell how it stands. */
function exitCodeOf({ unknown, healthy }: Health, flags: StatusFlags): number {
  if (unknown > 0) return exitCodes.failed;
  return flags.exitCode && !healthy ? exitCodes.pending : exitCodes.done;
}

/** The commands that look at what is not in step, the most urgent first. */
function nextOf(
  { conflicts, aheadHere, aheadThere, held, leftOut }: Standing,
  flags: StatusFlags,
): readonly { readonly command: string; readonly what: string }[] {
  const isAhead = aheadHere.length + aheadThere.length > 0;
  const commands: readonly (readonly [isWanted: boolean, command: string, what: string])[] = [
    [conflicts.length > 0, 'diff --conflict', 'what each side made of it, and how to settle it'],
    [isAhead, 'sync-db --dry-run', 'what a sync would carry'],
    [held.length > 0, 'sync-db --delete --dry-run', 'what a sync would carry, deletions too'],
    [Object.keys(leftOut).length > 0, 'import-from-db --status all --dry-run', 'the rows that are left out'],
  ];
  return commands.flatMap(([isWanted, command, what]) =>
    isWanted ? [{ command: `skill-fleet ${commandText(command, sidesOf(flags))}`, what }] : [],
  );
}

/** The flags that name both sides. */
function sidesOf({ skillsDir, config, envFile, databaseUrl }: StatusFlags) {
  return {
    ...(skillsDir !== undefined && { skillsDir }),
    ...(config !== undefined && { config }),
    ...(envFile !== undefined && { envFile }),
    ...(databaseUrl !== undefined && { databaseUrl }),
  };
}

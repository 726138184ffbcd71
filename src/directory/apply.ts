// Carries out changes of the skills directory, each one only where the world is still as the plan found it.
//
// Skills are written in waves: all files of a wave are staged and flushed, the journal says so, and each is renamed
// into place. A run that is killed before the journal holds changed nothing; after that, the next one goes on.

import type { BigIntStats } from 'node:fs';
import { codeOf } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import {
  batchesOf,
  type Change,
  interrupted,
  type Load,
  type Loaded,
  oneByOne,
  type Result,
  readAhead,
  type SkillState,
} from '../replica.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import { compareBytes, type FilePath, foldersAbove, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import { Above } from './above.ts';
import { mapBounded, skillsAtOnce } from './bounded.ts';
import { whyNotKeepable, whyPathsNotAllowed } from './keepable.ts';
import type { Library } from './library.ts';
import { findSite } from './obstacle.ts';
import { findSkill, readSkill, type StandingSkill, type Surroundings } from './read.ts';
import { stepsToRemove, stepsToWrite } from './steps.ts';
import { type Applying, type Prepared, placeWave } from './wave.ts';

/** Codes of a disk that takes nothing more, whatever the skill: no room, no inodes, no quota, read-only. */
const fullCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EROFS'];

/**
 * Writes the skills of `changes`, their contents read by `source`, and removes those that shall be absent; the
 * results have the changes' order. A skill that is refused, or fails, stops none of the others, unless the disk
 * is full or `signal` aborted: what was not written then has one problem together, `disk-full` or `interrupted`.
 */
export async function applyChanges<C extends Change>(
  applying: Applying,
  changes: readonly C[],
  source: Load,
  signal: AbortSignal | undefined,
): Promise<readonly Result<C>[]> {
  const outcomes = new Map<string, Outcome<SkillState | null>>();
  let stopped: Problem | undefined;
  const run = async (wave: readonly Wanted[], isOne = false) => {
    if (signal?.aborted) stopped ??= interrupted;
    for (const [path, outcome] of stopped ? [] : await takeAll(applying, wave, isOne)) {
      const isFull = !outcome.ok && isDiskFull(outcome.problem);
      outcomes.set(path, isFull && stopped ? refuse(stopped) : outcome);
      if (isFull)
        stopped ??= { reason: 'disk-full', directory: applying.library.root, code: outcome.problem.code };
    }
  };
  // A folder that one skill leaves may be another's place.
  const removals = changes.filter((change) => change.after === null);
  for (const batch of batchesOf(removals, () => 0)) {
    await run(batch.map((change) => ({ change, skill: null })));
  }
  const writes = changes.filter((change) => change.after !== null);
  const { rounds, circles } = orderRenames(writes.filter(({ from }) => from !== undefined));
  for (const circle of circles) {
    const loaded = new Map<string, Loaded>();
    for await (const one of oneByOne(source(circle.map((change) => change.path)))) loaded.set(one.path, one);
    const skills = circle.map((change) => {
      const one = loaded.get(change.path);
      return { change, skill: one ? wantedSkill(change, one) : overtaken(change) };
    });
    const wanted = skills.flatMap(({ change, skill }) => (skill.ok ? [{ change, skill: skill.value }] : []));
    if (wanted.length === circle.length) await run(wanted, true);
    else for (const { change, skill } of skills) if (!skill.ok) outcomes.set(change.path, skill);
    if (stopped) break;
  }
  // A folder that a skill moves away from is another's place too.
  for (const some of [...rounds, writes.filter(({ from }) => from === undefined)]) {
    if (stopped || some.length === 0) continue;
    const byPath = new Map<string, Change>(some.map((change) => [change.path, change]));
    const loads = source(some.map((change) => change.path).sort(compareBytes));
    for await (const batch of readAhead(loads)) {
      const wanted = batch.flatMap((loaded): readonly Wanted[] => {
        const change = byPath.get(loaded.path);
        if (change === undefined) throw new Error(`loaded unasked: ${loaded.path}`);
        const skill = wantedSkill(change, loaded);
        if (skill.ok) return [{ change, skill: skill.value }];
        outcomes.set(change.path, skill);
        return [];
      });
      for (const wave of wavesOf(wanted)) await run(wave);
      if (stopped) break;
    }
  }
  return changes.map((change) => {
    const outcome = outcomes.get(change.path) ?? (stopped ? refuse(stopped) : overtaken(change));
    return outcome.ok
      ? { change, ok: true, state: outcome.value }
      : { change, ok: false, problem: outcome.problem };
  });
}

function isDiskFull(problem: Problem): problem is Problem & { readonly reason: 'cannot-write' } {
  return problem.reason === 'cannot-write' && fullCodes.includes(problem.code);
}

/** A change, and the skill that it brings; null where the skill goes. */
interface Wanted {
  readonly change: Change;
  readonly skill: Skill | null;
}

/**
 * Renames in rounds, each after the one that frees its place. Skills that take each other's places in a circle are
 * written where others stood, all of a circle or none: no place is ever without a skill.
 */
function orderRenames(renames: readonly Change[]): {
  readonly rounds: readonly (readonly Change[])[];
  readonly circles: readonly (readonly Change[])[];
} {
  const rounds: (readonly Change[])[] = [];
  let waiting = renames;
  for (let round = renames; round.length > 0; ) {
    const standing = new Set(waiting.map(({ from }) => from));
    round = waiting.filter(({ path }) => !standing.has(path));
    waiting = waiting.filter(({ path }) => standing.has(path));
    if (round.length > 0) rounds.push(round);
  }
  const leaving = new Map<SkillPath | undefined, Change>(waiting.map((change) => [change.from, change]));
  const befores = new Map(waiting.map(({ from, before }) => [from, before]));
  const circles: (readonly Change[])[] = [];
  for (const first of waiting) {
    const circle: Change[] = [];
    for (let next = leaving.get(first.from); next && leaving.delete(next.from); ) {
      const { from: _, ...change } = next;
      circle.push({ ...change, before: befores.get(change.path) ?? null });
      next = leaving.get(change.path);
    }
    if (circle.length > 0) circles.push(circle);
  }
  return { rounds, circles };
}

/** A file that a skill gives up may become one of a skill below it: that one has to wait. */
function wavesOf(wanted: readonly Wanted[]): readonly (readonly Wanted[])[] {
  const paths = new Set<string>(wanted.map(({ change }) => change.path));
  const waves: Wanted[][] = [];
  for (const one of wanted) {
    const depth = foldersAbove(one.change.path).filter((folder) => paths.has(folder)).length;
    const wave = waves[depth];
    if (wave) wave.push(one);
    else waves[depth] = [one];
  }
  return waves;
}

/** The other side does not hold, or no more, what the change was planned with. */
function overtaken({ path }: Change): Outcome<never> {
  return refuse({ reason: 'content-changed-meanwhile', path });
}

function wantedSkill(change: Change, loaded: Loaded): Outcome<Skill> {
  if ('problem' in loaded) return refuse(loaded.problem);
  const wanted: Skill = { path: change.path, entries: loaded.skill.entries };
  return digestSkill(wanted) === change.after?.digest ? { ok: true, value: wanted } : overtaken(change);
}

/** Takes a wave of changes, none of which waits for another; all of them or none where they are one. */
async function takeAll(
  applying: Applying,
  wave: readonly Wanted[],
  isOne: boolean,
): Promise<ReadonlyMap<SkillPath, Outcome<SkillState | null>>> {
  const { library } = applying;
  const above = new Above(library);
  const outcomes = new Map<SkillPath, Outcome<SkillState | null>>();
  const prepared: Prepared[] = [];
  await mapBounded(wave, skillsAtOnce, async (wanted) => {
    const outcome = await prepare(library, wanted, above);
    if (outcome.ok) prepared.push(outcome.value);
    else outcomes.set(wanted.change.path, outcome);
  });
  if (isOne && prepared.length < wave.length) {
    for (const { replacement } of prepared) outcomes.set(replacement.path, overtakenBy(replacement.path));
    return outcomes;
  }
  const placed = await placeWave(applying, prepared, isOne);
  const aboveNow = new Above(library);
  await mapBounded(wave, skillsAtOnce, async ({ change, skill }) => {
    const { path } = change;
    const stats = placed.get(path);
    if (stats === undefined) return;
    if (!stats.ok || skill === null || change.after === null)
      outcomes.set(path, stats.ok ? { ok: true, value: null } : stats);
    else {
      library.bits?.noteWritten(skill);
      outcomes.set(path, await verify(library, skill, change.after, stats.value, aboveNow));
    }
  });
  return outcomes;
}

/** What was to take the place of another that stays. */
function overtakenBy(path: SkillPath): Outcome<never> {
  return refuse({ reason: 'files-changed-meanwhile', path });
}

/** Decides what a change does, where the files still are what it expects. */
async function prepare(
  library: Library,
  { change: { path, from, before }, skill }: Wanted,
  above: Above,
): Promise<Outcome<Prepared>> {
  const notAllowed = skill && whyPathsNotAllowed(skill);
  if (notAllowed) return refuse(notAllowed);
  const now = await readNow(library, path, above);
  if (!now.ok) return now;
  const { standing } = now.value;
  if (digestOf(standing?.skill) !== (from ? undefined : before?.digest))
    return refuse({ reason: 'files-changed-meanwhile', path });
  const write = skill && (await prepareWrite(library, now.value, skill, above));
  if (write) return from && write.ok ? prepareLeave(library, write.value, from, before, above) : write;
  if (standing === null) throw new Error(`nothing to remove: ${path}`);
  const steps = stepsToRemove(standing.skill);
  return {
    ok: true,
    value: { replacement: { path, steps, removed: true }, entries: new Map(), stats: standing.stats },
  };
}

async function prepareWrite(
  library: Library,
  { standing, loose, nested }: Current,
  wanted: Skill,
  above: Above,
): Promise<Outcome<Prepared>> {
  const { path } = wanted;
  try {
    const site = await findSite(library, standing?.skill ?? null, wanted, loose, above);
    if (!site.ok) return site;
    const problem = await whyNotKeepable(library, wanted, nested, above);
    if (problem) return refuse(problem);
    const { folders, same } = site.value;
    const current = [
      ...(standing?.skill.entries ?? []),
      ...[...same].map(([file, read]) => ({ path: file, ...read })),
    ];
    const stagingFolder = (file: FilePath) =>
      foldersAbove(`${path}/${file}`).findLast((folder) => folders.has(folder)) ?? '';
    return {
      ok: true,
      value: {
        replacement: { path, steps: stepsToWrite(current, wanted, stagingFolder), removed: false },
        entries: new Map(wanted.entries.map((entry) => [entry.path, entry])),
        stats: new Map([
          ...(standing?.stats ?? []),
          ...[...same].map(([file, { stat }]) => [file, stat] as const),
        ]),
      },
    };
  } catch (error) {
    return refuse({ reason: 'cannot-write', path, file: path, code: codeOf(error) });
  }
}

/** Adds that the skill leaves the place where it stood. */
async function prepareLeave(
  library: Library,
  write: Prepared,
  from: SkillPath,
  before: SkillState | null,
  above: Above,
): Promise<Outcome<Prepared>> {
  const { path } = write.replacement;
  const there = await readNow(library, from, above);
  if (!there.ok) return there;
  const { standing } = there.value;
  if (standing === null || digestOf(standing.skill) !== before?.digest)
    return refuse({ reason: 'files-changed-meanwhile', path });
  // Where case does not count, what is to come stands there already, and would go.
  const isSamePlace = [...standing.stats].some(([file, stat]) => {
    const now = write.stats.get(file);
    return now !== undefined && now.ino === stat.ino && now.dev === stat.dev;
  });
  if (isSamePlace) return refuse({ reason: 'path-collides', path, other: from, side: 'files' });
  const leaves = { path: from, steps: stepsToRemove(standing.skill) };
  return {
    ok: true,
    value: { ...write, replacement: { ...write.replacement, leaves }, leaving: standing.stats },
  };
}

interface Current extends Surroundings {
  readonly standing: StandingSkill | null;
}

/** What the files hold at a path at this moment. */
async function readNow(library: Library, path: SkillPath, above: Above): Promise<Outcome<Current>> {
  const found = await findSkill(library, path, above);
  if (!found.ok) return found;
  const { skill, ...surroundings } = found.value;
  const read = skill === null ? ({ ok: true, value: null } as const) : await readSkill(library, skill);
  return read.ok ? { ok: true, value: { standing: read.value, ...surroundings } } : read;
}

function digestOf(skill: Skill | undefined): Digest | undefined {
  return skill && digestSkill(skill);
}

/** Looks at what the files hold now: that decides, and not what was intended. */
async function verify(
  library: Library,
  wanted: Skill,
  { digest }: SkillState,
  stats: ReadonlyMap<FilePath, BigIntStats>,
  above: Above,
): Promise<Outcome<SkillState>> {
  const { path } = wanted;
  const found = await findSkill(library, path, above);
  if (!found.ok) return found;
  const files = found.value.skill?.files ?? [];
  const isUntouched =
    files.length === wanted.entries.length &&
    files.every(({ path: file, stat }) => {
      const was = stats.get(file);
      return was && was.ino === stat.ino && was.size === stat.size && was.mtimeNs === stat.mtimeNs;
    });
  if (isUntouched) return { ok: true, value: { digest } };
  const read = found.value.skill && (await readSkill(library, found.value.skill));
  if (read && !read.ok) return read;
  return digestOf(read?.value.skill) === digest
    ? { ok: true, value: { digest } }
    : refuse({ reason: 'files-changed-meanwhile', path });
}

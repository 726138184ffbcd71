// Takes many skills' files into place together: staged, flushed, written in the journal, then renamed.

import type { BigIntStats } from 'node:fs';
import { codeOf, isSameFile } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { FilePath, SkillPath } from '../skill/path.ts';
import type { Entry } from '../skill/skill.ts';
import { mapBounded, skillsAtOnce } from './bounded.ts';
import { Folders } from './folders.ts';
import { announce, hold, journalName, settleJournal } from './journal.ts';
import { join, type Library, placeOf } from './library.ts';
import { statAt } from './list.ts';
import { Placement } from './placement.ts';
import type { Replacement, Step } from './steps.ts';
import type { Trash } from './trash.ts';

/** What could not be brought to an end: the next run goes on with it. */
export type Unfinished = Map<SkillPath, { readonly replacement: Replacement; readonly problem: Problem }>;

/** Where changes are carried out. */
export interface Applying {
  readonly library: Library;
  readonly trash: Trash;
  /** What this run, and those before it, could not bring to an end. Grows. */
  readonly unfinished: Unfinished;
}

/** A skill that may be written or removed, and how. */
export interface Prepared {
  readonly replacement: Replacement;
  /** Its files as they shall be. */
  readonly entries: ReadonlyMap<FilePath, Entry>;
  /** What the system said of the files that stand there. */
  readonly stats: ReadonlyMap<FilePath, BigIntStats>;
  /** As `stats`, of the files where the skill stood before. */
  readonly leaving?: ReadonlyMap<FilePath, BigIntStats>;
}

/** One skill on its way. */
interface Item extends Prepared {
  readonly placement: Placement;
  /** As `stats`, and of each staged file what the system says of that. */
  readonly after: Map<FilePath, BigIntStats>;
  problem: Problem | undefined;
}

/**
 * Carries out what was prepared, and gives for each skill why it failed, or what the system says of its files
 * once they are in place.
 *
 * @param isOne whether either all are carried out or none
 */
export async function placeWave(
  applying: Applying,
  wave: readonly Prepared[],
  isOne: boolean,
): Promise<ReadonlyMap<SkillPath, Outcome<ReadonlyMap<FilePath, BigIntStats>>>> {
  const { library, trash } = applying;
  const items = wave.map(
    (prepared): Item => ({
      ...prepared,
      placement: new Placement(library, trash, prepared.replacement),
      after: new Map(prepared.stats),
      problem: undefined,
    }),
  );
  const busy = items.filter(({ replacement: { steps, leaves } }) => steps.length > 0 || leaves);
  try {
    if (busy.length > 0) await takeInto(applying, busy, isOne);
  } finally {
    for (const { placement } of busy) await placement.close();
  }
  return new Map(
    items.map(({ replacement, problem, after }) => [
      replacement.path,
      problem ? refuse(problem) : { ok: true, value: after },
    ]),
  );
}

async function takeInto(applying: Applying, items: readonly Item[], isOne: boolean): Promise<void> {
  const { library, unfinished } = applying;
  if (!(await journaled(items, () => announce(library, underWay(applying, items))))) return;
  await each(items, stage);
  await each(going(items), (item) => expectUnchanged(library, item));
  if (isOne && going(items).length < items.length) {
    for (const item of going(items))
      item.problem = { reason: 'files-changed-meanwhile', path: item.replacement.path };
  }
  const staged = going(items);
  const isHeld =
    staged.length > 0 &&
    (await journaled(staged, async () => {
      // Of what failed nothing may be carried out, not even by the next run.
      if (staged.length < items.length) await announce(library, underWay(applying, staged));
      await hold(library);
    }));
  if (isHeld) await placeAll(applying, staged, isOne);
  await journaled(going(items), () => settleJournal(library, underWay(applying, [])));
  for (const { problem, placement } of items) {
    // Only once no journal names it: the next run would take some of its steps.
    if (problem && !unfinished.has(placement.replacement.path)) await placement.discard();
  }
}

function going(items: readonly Item[]): readonly Item[] {
  return items.filter(({ problem }) => problem === undefined);
}

/** What a journal has to name: these, and what was not brought to an end. */
export function underWay({ unfinished }: Applying, items: readonly Item[]): readonly Replacement[] {
  return [
    ...[...unfinished.values()].map((one) => one.replacement),
    ...items.map((item) => item.replacement),
  ];
}

/** Does what each item needs; an item whose call fails has a problem then. */
async function each(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  await mapBounded(items, skillsAtOnce, async (item) => {
    try {
      await work(item);
    } catch (error) {
      item.problem = cannotWrite(item, item.placement.folders.at, error);
    }
  });
}

/** Does what all items need: where it fails, all of them have that problem. */
async function journaled(items: readonly Item[], work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    for (const item of items) item.problem = cannotWrite(item, journalName, error);
    return false;
  }
}

function cannotWrite({ replacement: { path } }: Item, file: string, error: unknown): Problem {
  return { reason: 'cannot-write', path, file, code: codeOf(error) };
}

async function stage({ placement, entries, stats, after }: Item): Promise<void> {
  for (const { file, staged } of placement.replacement.steps) {
    const entry = entries.get(file);
    if (staged === null || entry === undefined) continue;
    after.set(file, await placement.stage(staged, entry, stats.get(file)));
  }
}

/** Whoever edits a file while this runs wins, and the whole skill is theirs. */
async function expectUnchanged(library: Library, item: Item): Promise<void> {
  const { path, steps, leaves } = item.replacement;
  const expect = async (
    place: SkillPath,
    { file, before }: Step,
    stats: ReadonlyMap<FilePath, BigIntStats>,
  ) => {
    const was = stats.get(file);
    if (before === null || was === undefined) return;
    const now = await statAt(library.disk, placeOf(library, join(place, file)));
    if (!now || !isSameFile(now, was)) item.problem = { reason: 'files-changed-meanwhile', path };
  };
  for (const step of steps) await expect(path, step, item.stats);
  if (leaves && item.leaving) for (const step of leaves.steps) await expect(leaves.path, step, item.leaving);
}

/** Renames what is staged. What fails half-way stays in the journal. */
async function placeAll(
  { library, unfinished }: Applying,
  items: readonly Item[],
  isOne: boolean,
): Promise<void> {
  await each(items, async (item) => {
    const { path } = item.replacement;
    const isAsExpected = await item.placement.place(async ({ file, before }, skill) => {
      const stats = skill === path ? item.stats : item.leaving;
      return before === null ? null : (stats?.get(file) ?? 'changed');
    });
    if (!isAsExpected) item.problem = { reason: 'files-changed-meanwhile', path };
  });
  const folders = new Folders(library);
  try {
    for (const { placement } of items)
      for (const folder of placement.folders.touched) folders.touched.add(folder);
    await folders.flush(() => true);
  } catch (error) {
    for (const item of going(items)) item.problem = cannotWrite(item, folders.at, error);
  } finally {
    await folders.close();
  }
  const haveBegun = isOne && items.some(({ placement }) => placement.hasBegun);
  for (const { problem, placement, replacement } of items) {
    if (problem?.reason === 'cannot-write' && (haveBegun || placement.hasBegun)) {
      unfinished.set(replacement.path, { replacement, problem });
    }
  }
}

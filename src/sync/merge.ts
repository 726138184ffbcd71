// Merges of conflicts: the versions that they are made of, read side by side.

import type { Conflict, FoundMerge, MergeSources } from '../reconcile/conflict.ts';
import { type Merged, mergeSkills } from '../reconcile/merge.ts';
import { baseAt, type PlanInput } from '../reconcile/plan.ts';
import { type Loaded, oneByOne } from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { SyncInput } from './sync.ts';

type Sides = Pick<SyncInput, 'files' | 'database'>;

/** Places of a conflict that are named. */
const maxRegions = 20;

/** Tries to merge skills that both sides edited since they agreed. */
export async function findMerges(
  sides: Sides,
  input: Pick<PlanInput, 'base' | 'found'>,
  conflicts: readonly Conflict[],
): Promise<ReadonlyMap<SkillPath, FoundMerge>> {
  const asked = new Map(
    conflicts.flatMap((conflict): readonly (readonly [MergeSources, SkillPath])[] => {
      const { path, remote, renamed } = conflict;
      const digest = baseAt(input, conflict);
      if (!remote?.row || digest === null) return [];
      const { skillId } = remote.row;
      const { files = path, database = path, base: { path: formerly } = { path } } = renamed ?? {};
      const base = { path: formerly, skillId, digest, revision: null };
      // Where one side alone renamed it, the other one follows.
      return [[{ path: files === formerly ? database : files, base, files, database }, path]];
    }),
  );
  const found = new Map<SkillPath, FoundMerge>();
  for await (const [sources, { base, merged }] of mergeEach(sides, [...asked.keys()])) {
    const path = asked.get(sources) ?? sources.path;
    if (merged?.ok) found.set(path, { digest: digestSkill(merged.skill), sources });
    // A version that cannot be read now leaves the conflict as it is.
    else if (merged || !base) found.set(path, { regions: merged?.regions.slice(0, maxRegions) ?? [] });
  }
  return found;
}

/** Reads what both sides' versions make together, as skills of the paths where they are to stand. */
export async function* loadMerged(
  sides: Sides,
  asked: readonly MergeSources[],
): AsyncGenerator<readonly Loaded[]> {
  for await (const [{ path }, { merged }] of mergeEach(sides, asked)) {
    yield merged?.ok
      ? [{ path, skill: merged.skill }]
      : [{ path, problem: { reason: 'content-changed-meanwhile', path } }];
  }
}

/** What came of a merge; nothing where a version was not to be had, and whether that was what both agreed on. */
interface Tried {
  readonly base: Skill | undefined;
  readonly merged: Merged | undefined;
}

/** Merges each, in the order asked for, within bounded memory. */
async function* mergeEach(
  { files, database }: Sides,
  asked: readonly MergeSources[],
): AsyncGenerator<readonly [MergeSources, Tried]> {
  const here = oneByOne(files.load(asked.map((one) => one.files)));
  const there = oneByOne(database.load(asked.map((one) => one.database)));
  const past = oneByOne(database.loadPast(asked.map((one) => one.base)));
  let before = await past.next();
  for (const sources of asked) {
    const [local, remote] = [skillOf(await here.next()), skillOf(await there.next())];
    // Of what the history does not know there is nothing.
    const isKnown = !before.done && before.value.path === sources.base.path;
    const base = isKnown ? skillOf(before) : undefined;
    if (isKnown) before = await past.next();
    const merged =
      base && local && remote
        ? mergeSkills({ base, files: local, database: remote }, sources.path)
        : undefined;
    yield [sources, { base, merged }];
  }
}

function skillOf({ value }: IteratorResult<Loaded, unknown>): Skill | undefined {
  const loaded = value as Loaded | undefined;
  return loaded && 'skill' in loaded ? loaded.skill : undefined;
}

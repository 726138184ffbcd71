// The versions of a skill that is in conflict, read side by side, and what they make together.

import type { Conflict, FoundMerge, MergeSources } from '../reconcile/conflict.ts';
import { mergeSkills } from '../reconcile/merge.ts';
import { gathered, type Loaded, oneByOne, type PastState } from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { SyncInput } from './sync.ts';

type Sides = Pick<SyncInput, 'files' | 'database'>;

/** Places of a conflict that are named. */
const maxRegions = 20;

/** Where the versions of a skill are to be read; null is nowhere. */
interface Asked {
  readonly base: (PastState & { readonly path: SkillPath }) | null;
  readonly files: SkillPath | null;
  readonly database: SkillPath | null;
}

/** The versions of a skill; undefined where one cannot be had. */
export interface Versions {
  readonly base: Skill | undefined;
  readonly files: Skill | undefined;
  readonly database: Skill | undefined;
}

/** Tries to merge skills that both sides edited since they agreed. */
export async function findMerges(
  sides: Sides,
  conflicts: readonly Conflict[],
): Promise<ReadonlyMap<SkillPath, FoundMerge>> {
  const found = new Map<SkillPath, FoundMerge>();
  for await (const { conflict, base, files, database } of loadConflicts(sides, conflicts)) {
    const sources = sourcesOf(conflict);
    // A version that cannot be read now leaves the conflict as it is.
    if (sources === undefined || !files || !database) continue;
    const merged = base && mergeSkills({ base, files, database }, sources.path);
    found.set(
      conflict.path,
      merged?.ok
        ? { digest: digestSkill(merged.skill), sources }
        : { regions: merged?.regions.slice(0, maxRegions) ?? [] },
    );
  }
  return found;
}

function sourcesOf(conflict: Conflict): MergeSources | undefined {
  const { path } = conflict;
  const { base, files, database } = askedOf(conflict);
  // Where one side alone renamed it, the other one follows: that is the path of the conflict.
  return base && files && database ? { path, base, files, database } : undefined;
}

/** @param former the key of a row that is gone */
function askedOf({ path, local, remote, base, renamed }: Conflict, former?: number): Asked {
  const { files = path, database = path, base: { path: formerly } = { path } } = renamed ?? {};
  const skillId = remote?.row?.skillId ?? former;
  return {
    base: base && skillId ? { path: formerly, skillId, digest: base, revision: null } : null,
    files: local && files,
    database: remote && database,
  };
}

/** Reads what each side holds of conflicts, and what they agreed on, in order, within bounded memory. */
export async function* loadConflicts(
  sides: Sides,
  conflicts: readonly Conflict[],
): AsyncGenerator<Versions & { readonly conflict: Conflict }> {
  const gone = conflicts.flatMap(({ path, remote, base }) => (base && !remote ? [path] : []));
  const keys = gone.length > 0 ? await sides.database.formerKeys(gone) : new Map<SkillPath, number>();
  const asked = conflicts.map((conflict) => askedOf(conflict, keys.get(conflict.path)));
  let at = 0;
  for await (const versions of loadVersions(sides, asked)) {
    const conflict = conflicts[at++];
    if (conflict) yield { conflict, ...versions };
  }
}

/** Reads what both sides' versions make together, as skills of the paths where they are to stand. */
export function loadMerged(sides: Sides, asked: readonly MergeSources[]): AsyncGenerator<readonly Loaded[]> {
  return gathered(mergeEach(sides, asked));
}

async function* mergeEach(sides: Sides, asked: readonly MergeSources[]): AsyncGenerator<Loaded> {
  let at = 0;
  for await (const { base, files, database } of loadVersions(sides, asked)) {
    const path = asked[at++]?.path as SkillPath;
    const merged = base && files && database && mergeSkills({ base, files, database }, path);
    yield merged?.ok
      ? { path, skill: merged.skill }
      : { path, problem: { reason: 'content-changed-meanwhile', path } };
  }
}

async function* loadVersions({ files, database }: Sides, asked: readonly Asked[]): AsyncGenerator<Versions> {
  const here = oneByOne(files.load(asked.flatMap((one) => one.files ?? [])));
  const there = oneByOne(database.load(asked.flatMap((one) => one.database ?? [])));
  const past = oneByOne(database.loadPast(asked.flatMap((one) => one.base ?? [])));
  let before = await past.next();
  for (const one of asked) {
    const local = one.files ? skillOf(await here.next()) : undefined;
    const remote = one.database ? skillOf(await there.next()) : undefined;
    // Of what the history does not know there is nothing.
    const isKnown = one.base !== null && !before.done && before.value.path === one.base.path;
    const base = isKnown ? skillOf(before) : undefined;
    if (isKnown) before = await past.next();
    yield { base, files: local, database: remote };
  }
}

function skillOf({ value }: IteratorResult<Loaded, unknown>): Skill | undefined {
  const loaded = value as Loaded | undefined;
  return loaded && 'skill' in loaded ? loaded.skill : undefined;
}

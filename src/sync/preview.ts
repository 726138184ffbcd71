// The contents behind a plan: what each side holds at the paths that it names, for who wants to see them.

import { otherSide } from '../reconcile/conflict.ts';
import type { Conflict, MergeSources, Plan, PlannedChange, Preview, Side } from '../reconcile/plan.ts';
import { type Loaded, oneByOne, type PastState } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import { compareBytes, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import { loadMerged } from './merge.ts';
import type { ContentsOf, Prepared, SyncInput } from './sync.ts';

/** A skill, and where each side holds what there is to see of it; null is nowhere. */
interface Place {
  readonly path: SkillPath;
  readonly inFiles: SkillPath | null;
  readonly inDatabase: SkillPath | null;
  /** What comes out of the history, or of a merge, in the place of what the side `from` holds. */
  readonly past?: PastState;
  readonly merge?: MergeSources;
  readonly saved?: Digest;
  readonly from?: Side;
}

interface Item extends Place {
  readonly of: { readonly change: PlannedChange } | { readonly conflict: Conflict };
}

/** What both sides hold at a path; null where a side holds nothing, or nothing that loads now. */
export interface BothSides {
  readonly files: Skill | null;
  readonly database: Skill | null;
}

type Sides = Pick<SyncInput, 'files' | 'database'>;

/** Reads what a plan's changes and conflicts are about, in byte order of paths, within bounded memory. */
export async function* previewPlan(
  sides: Sides,
  { plan, contents }: Pick<Prepared, 'plan' | 'contents'>,
): AsyncGenerator<Preview> {
  const read = await sides.database.reader();
  const items = itemsOf(plan, contents !== undefined);
  for await (const [{ of }, both] of loadBoth(sides, items, contents)) {
    if ('conflict' in of) yield { ...both, conflict: of.conflict };
    else {
      const { side, path, content } = of.change;
      const comes = content?.side === 'database' ? both.database : both.files;
      const reading = side === 'database' && comes ? read({ ...comes, path }) : undefined;
      yield { ...both, change: of.change, reading };
    }
  }
}

/** A skill that the sides hold differently. */
export interface SkillDifference extends BothSides {
  /** Where it stands; in the files, where that is elsewhere. */
  readonly path: SkillPath;
  /** Where it stands in the database, if elsewhere. */
  readonly from?: SkillPath;
}

/** Reads all skills that the sides hold differently, of those that are selected, in byte order of paths. */
export async function* loadDifferences(
  sides: Sides,
  { local, remote, plan }: Pick<Prepared, 'local' | 'remote' | 'plan'>,
  selects: (path: string) => boolean,
): AsyncGenerator<SkillDifference> {
  const moved = movedIn(plan);
  const [here, there] = [new Map(local.skills), new Map(remote.skills)];
  for (const { inFiles, inDatabase } of moved) {
    here.delete(inFiles);
    there.delete(inDatabase);
  }
  const places = [...new Set([...here.keys(), ...there.keys()])].flatMap((path): readonly Place[] =>
    selects(path) && here.get(path)?.digest !== there.get(path)?.digest
      ? [{ path, inFiles: here.has(path) ? path : null, inDatabase: there.has(path) ? path : null }]
      : [],
  );
  const items = [...moved, ...places].sort((a, b) => compareBytes(a.path, b.path));
  for await (const [{ path, inDatabase }, both] of loadBoth(sides, items)) {
    yield { path, ...(inDatabase && inDatabase !== path && { from: inDatabase }), ...both };
  }
}

/** The skills that a plan takes for one though they stand at different paths, and that both sides hold. */
function movedIn({ changes, conflicts }: Plan): readonly (Place & {
  readonly inFiles: SkillPath;
  readonly inDatabase: SkillPath;
})[] {
  const renamed = conflicts.flatMap(({ local, remote, renamed }) =>
    renamed && local && remote && renamed.files !== renamed.database ? [renamed] : [],
  );
  return [
    ...changes.flatMap(({ path, side, from }) =>
      from === undefined
        ? []
        : [{ files: side === 'files' ? from : path, database: side === 'files' ? path : from }],
    ),
    ...renamed,
  ].map(({ files, database }) => ({ path: files, inFiles: files, inDatabase: database }));
}

/** Reads both sides of each item, side by side, in the items' order. */
async function* loadBoth<I extends Place>(
  { files, database }: Sides,
  items: readonly I[],
  contents?: ContentsOf,
): AsyncGenerator<readonly [I, BothSides]> {
  const local = oneByOne(files.load(items.flatMap((item) => item.inFiles ?? [])));
  const remote = oneByOne(database.load(items.flatMap((item) => item.inDatabase ?? [])));
  const asked = items.flatMap(({ path, past }) => (past ? [{ path, ...past }] : []));
  const history = oneByOne(database.loadPast(asked));
  const merging = items.flatMap(({ merge }) => merge ?? []);
  const merges = oneByOne(loadMerged({ files, database }, merging));
  const saved = contents?.(items.flatMap((item) => item.saved ?? []))[Symbol.asyncIterator]();
  let older = await history.next();
  for (const item of items) {
    let here = item.inFiles ? await nextSkill(local) : null;
    let stored = item.inDatabase ? await nextSkill(remote) : null;
    let made: Skill | null | undefined;
    if (item.merge) made = await nextSkill(merges);
    else if (item.saved) {
      const { value } = (await saved?.next()) ?? {};
      made = value && 'entries' in value ? { path: item.path, entries: value.entries } : null;
    } else if (item.past && older.value?.path === item.path) {
      made = 'skill' in older.value ? older.value.skill : null;
      older = await history.next();
    }
    if (made !== undefined && item.from === 'files') here = made;
    else if (made !== undefined) stored = made;
    yield [item, { files: here, database: stored }];
  }
}

/** @param isSaved whether what changes bring lies beside both sides */
function itemsOf({ changes, conflicts }: Plan, isSaved: boolean): readonly Item[] {
  const changed = changes.map((change): Item => {
    const { side, path, from = path, before, after, content, past, merge } = change;
    const target = before && from;
    const isMade = isSaved && content?.side !== side;
    const source = after === null || past || merge || isMade ? null : (content?.path ?? path);
    // What is moved as it is stays what it was: there is nothing else to see.
    const [mine, other] = content?.side === side ? [target, null] : [target, source];
    const [inDatabase, inFiles] = side === 'database' ? [mine, other] : [other, mine];
    return {
      path,
      inFiles,
      inDatabase,
      ...(past && { past }),
      ...(merge && merge !== 'by-hand' && { merge }),
      ...(isMade && after && { saved: after.digest }),
      from: otherSide(side),
      of: { change },
    };
  });
  const conflicting = conflicts.map((conflict): Item => {
    const { path, local, remote, renamed } = conflict;
    return {
      path,
      inFiles: local && (renamed?.files ?? path),
      inDatabase: remote && (renamed?.database ?? path),
      of: { conflict },
    };
  });
  return [...changed, ...conflicting].sort((a, b) => compareBytes(a.path, b.path));
}

async function nextSkill(load: AsyncGenerator<Loaded>): Promise<Skill | null> {
  const { value } = await load.next();
  return value !== undefined && 'skill' in value ? value.skill : null;
}

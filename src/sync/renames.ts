// Finds renames: what digests and keys do not tell is read on both sides, and compared.

import type { Pair } from '../reconcile/plan.ts';
import {
  findCandidates,
  findRenames,
  type Rename,
  type RenameInput,
  type Sketch,
  sketchOf,
} from '../reconcile/renames.ts';
import { type DatabaseReplica, type Loaded, loadAt, oneByOne, type Snapshot } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import type { ReadBase } from './base.ts';
import type { SyncInput } from './sync.ts';
import type { FoundBases } from './unbased.ts';

/** The renames of both sides. Only what may be one is read. */
export async function readRenames(
  { files, database }: Pick<SyncInput, 'files' | 'database'>,
  input: RenameInput,
): Promise<readonly Rename[]> {
  const { gone, come } = findCandidates(input);
  if (gone.length === 0) return findRenames(input, { gone: new Map(), come: new Map() });
  const stored = gone.flatMap(({ path, stored }) => (stored === null ? [] : [[path, stored] as const]));
  return findRenames(input, {
    gone: new Map([
      ...(await readSketches(loadAt(database.load, new Map(stored)))),
      ...(await readSketches(
        database.loadPast(gone.flatMap((one) => (one.stored === null ? [{ ...one, revision: null }] : []))),
      )),
    ]),
    come: await readSketches(files.load(come)),
  });
}

async function readSketches(
  batches: AsyncIterable<readonly Loaded[]>,
): Promise<ReadonlyMap<SkillPath, Sketch>> {
  const sketches = new Map<SkillPath, Sketch>();
  for await (const loaded of oneByOne(batches)) {
    const sketch = 'skill' in loaded ? sketchOf(loaded.skill) : undefined;
    if (sketch) sketches.set(loaded.path, sketch);
  }
  return sketches;
}

/**
 * Pairs without a base, in which what only the files hold has the row that stood there last: somebody may have
 * renamed it.
 */
export async function withMovedRows(
  database: DatabaseReplica,
  remote: Snapshot,
  pairs: readonly Pair[],
): Promise<readonly Pair[]> {
  const here = pairs.flatMap(({ path, local, remote: row }) => (local && !row ? [path] : []));
  const isPossible = here.length > 0 && pairs.some(({ local, remote: row }) => !local && row);
  const keys: ReadonlyMap<SkillPath, number> = isPossible ? await database.formerKeys(here) : new Map();
  if (keys.size === 0) return pairs;
  const rows = new Map([...remote.skills.values()].map((state) => [state.row?.skillId, state]));
  return pairs.map((pair) => ({ ...pair, remote: pair.remote ?? rows.get(keys.get(pair.path)) ?? null }));
}

/** What both sides agreed on, by the base, and where there is none by the history. */
export function agreedOn(
  { entries }: ReadBase,
  found: FoundBases,
  unbased: readonly Pair[],
): RenameInput['base'] {
  const known = new Set([...entries.values()].map(({ skillId }) => skillId));
  const reconstructed = unbased.flatMap(({ path, remote }) => {
    const digest = found.get(path);
    const skillId = remote?.row?.skillId;
    return digest && skillId !== undefined && !known.has(skillId)
      ? [[path, { digest, skillId }] as const]
      : [];
  });
  return new Map([...entries, ...reconstructed]);
}

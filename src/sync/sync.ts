// How a run begins: both sides read, what is known of them brought together, a plan made. Start reading here.

import type { Disk } from '../disk.ts';
import type { Notice } from '../notice.ts';
import type { Problem } from '../problem.ts';
import {
  contestedBases,
  differingWithoutBase,
  makePlan,
  type Pair,
  type Plan,
  type PlanInput,
  type PlannedChange,
  type Policy,
} from '../reconcile/plan.ts';
import type {
  DatabaseReplica,
  DatabaseSnapshot,
  Direction,
  FilesReplica,
  FilesSnapshot,
  Load,
  OnProgress,
  RunStart,
  SkillState,
  Snapshot,
} from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Entry } from '../skill/skill.ts';
import { type BaseIdentity, type ReadBase, readBase, setAsideUnless } from './base.ts';
import { BitsElsewhere, withPastBits } from './bits.ts';
import { Checkout, isInShallowClone } from './checkout.ts';
import { withHeldFiles } from './held.ts';
import { guardLineEndings } from './line-endings.ts';
import { findMerges } from './merge.ts';
import { agreedOn, readRenames, withMovedRows } from './renames.ts';
import { conflictTimes } from './times.ts';
import { askGit, reconstruct } from './unbased.ts';

/** What a run works on, and how. */
export interface SyncInput {
  readonly run: RunStart & { readonly direction: Direction };
  readonly files: FilesReplica;
  readonly database: DatabaseReplica;
  readonly databaseName: BaseIdentity['database'];
  readonly disk: Disk;
  readonly stateDirectory: string;
  readonly selects: PlanInput['selects'];
  readonly statuses: PlanInput['statuses'];
  readonly policy: Policy;
  /** Ends the run where it stands: what is under way is finished or rolled back. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Sees what goes to the database as it goes, and may put a problem in the place of a skill. */
  readonly onSend?: (changes: readonly PlannedChange[], load: Load) => Load;
}

/** A plan, and what carrying it out needs to know of how it was made. */
export interface Prepared {
  readonly plan: Plan;
  readonly notices: readonly Notice[];
  readonly local: FilesSnapshot;
  readonly remote: DatabaseSnapshot;
  readonly base: ReadBase;
  readonly identity: BaseIdentity;
  /** The repository that the skills directory stands in, if git knows one. */
  readonly checkout: Checkout | undefined;
  /** Rows of which the database does not keep all that it could, though the files hold the same. */
  readonly unsettled: ReadonlyMap<SkillPath, SkillState>;
  /** What the changes bring, where that lies beside both sides. */
  readonly contents?: ContentsOf;
  /** Whether the plan was made of these very files, and not of another clone's. */
  readonly isMadeHere?: boolean;
  /** Whether the database is to take all changes or none. */
  readonly isWhole?: boolean;
}

/** Reads contents by their digests, one at a time, in the order asked for. */
export type ContentsOf = (digests: readonly Digest[]) => AsyncIterable<LoadedContent>;

/** A skill's files, or why they cannot be had. */
export type LoadedContent =
  | { readonly digest: Digest; readonly entries: readonly Entry[] }
  | { readonly digest: Digest; readonly problem: Problem };

/** Reads both sides and decides. Writes nothing: a dry run ends here. */
export function prepareSync(input: SyncInput): Promise<Prepared> {
  return input.database.inView(async () => {
    const prepared = await prepare(input);
    // A skill that was moved to where the listing had passed already is not deleted.
    return (await somethingCame(input, prepared)) ? prepare(input) : prepared;
  });
}

/** Whether a change deletes a row since the files lack its skill. */
export function isForLack({ side, after, path }: PlannedChange, local: Snapshot): boolean {
  return side === 'database' && after === null && !local.skills.has(path);
}

/** Whether skills stand that the files lacked, where rows are to go since the files lack them. */
async function somethingCame({ files, signal }: SyncInput, { plan, local }: Prepared): Promise<boolean> {
  if (!plan.changes.some((change) => isForLack(change, local))) return false;
  const unreadable = new Set(local.unreadable.map(({ path }) => path));
  const { paths } = await files.list(signal);
  return paths.some((path) => !local.skills.has(path) && !unreadable.has(path));
}

/** Both sides as they are, and what is known of them. */
export interface ReadSides extends Pick<Prepared, 'local' | 'base' | 'identity' | 'checkout'> {
  readonly remote: DatabaseSnapshot;
  /** What rows without a stored text would take from the files. */
  readonly first: ReadonlyMap<SkillPath, SkillState>;
}

/** Reads both sides. Writes nothing. */
export async function readSides(input: SyncInput): Promise<ReadSides> {
  const { files, database, signal, onProgress } = input;
  const bits = await BitsElsewhere.find(input);
  if (bits) files.takeBits(bits.isExecutable);
  const scanned = await files.snapshot(signal, onProgress);
  const stored = await database.snapshot(signal);
  const read = await withHeldFiles(files, database, scanned, stored);
  signal?.throwIfAborted();
  const checkout = await Checkout.find(input.run.directory, {
    isSkill: (path) => read.skills.has(path as SkillPath),
    dropped: read.dropped,
    ...(bits && { otherBits: () => bits.unlikeIndex() }),
  });
  const { id } = await database.identity();
  const identity = { directory: input.run.directory, databaseId: id, database: input.databaseName };
  const base = await currentBase(input, identity, checkout);
  const local = bits ? await withPastBits(input, bits, { local: read, remote: stored, base }) : read;
  const first = await firstTexts(input, local, stored, base);
  const remote = { ...stored, skills: new Map([...stored.skills, ...first]) };
  return { local, remote, base, identity, checkout, first };
}

async function prepare(input: SyncInput): Promise<Prepared> {
  const { files, database, selects, statuses, policy } = input;
  const { local, remote, base, identity, checkout, first } = await readSides(input);
  const sides = { local, remote, base: base.entries };
  const unbased = await withMovedRows(
    database,
    remote,
    differingWithoutBase(sides).filter(({ path }) => selects(path)),
  );
  const found = new Map([
    ...(await reconstruct(database, checkout, unbased, base.moment !== null)),
    // A row that took its file's text and says more than that is ahead of the file.
    ...unbased.flatMap(({ path, local }) =>
      local && first.has(path) ? [[path, local.digest] as const] : [],
    ),
  ]);
  const planInput = {
    direction: input.run.direction,
    ...sides,
    found,
    renames: await readRenames({ files, database }, { local, remote, base: agreedOn(base, found, unbased) }),
    selects,
    statuses,
    policy,
    times: new Map(),
    merges: new Map(),
  };
  const plan = await decideConflicts(input, checkout, await decideByGit(input, checkout, planInput));
  return {
    plan: plan.refusal ? plan : await guardLineEndings(input, sides, plan),
    notices: [
      ...local.notices,
      ...remote.notices,
      ...(checkout === undefined ? await shallowNotice(input, plan, remote, unbased) : []),
    ],
    local,
    remote,
    base,
    identity,
    checkout,
    unsettled: findUnsettled(input, local, remote, plan),
  };
}

/** That only git's history would have told what became of skills without a base; the first ones of a database are new. */
async function shallowNotice(
  { run }: SyncInput,
  { changes, conflicts, holds, ahead }: Plan,
  remote: Snapshot,
  unbased: readonly Pair[],
): Promise<readonly Notice[]> {
  const asked = new Set(unbased.map(({ path }) => path));
  const isConcerned = [changes, conflicts, holds, ahead].some((some) =>
    some.some(({ path }) => asked.has(path)),
  );
  const isShallow = isConcerned && remote.skills.size > 0 && (await isInShallowClone(run.directory));
  return isShallow ? [{ notice: 'shallow-clone' }] : [];
}

/** The base, set aside where it is of another time or place. */
async function currentBase(
  { database, disk, stateDirectory }: SyncInput,
  identity: BaseIdentity,
  checkout: Checkout | undefined,
): Promise<ReadBase> {
  return setAsideUnless(await readBase(disk, stateDirectory, identity), {
    'other-repository': ({ repository }) =>
      !checkout || repository === null || repository === checkout.repositoryName,
    'other-checkout': async ({ head }) => !checkout || head === null || (await checkout.isAtOrAfter(head)),
    'database-restored': async ({ latest }) => latest === null || (await database.remembers(latest)),
  });
}

/**
 * A base may be older than what git knows: where another clone exported a commit that this one comes after, or
 * comes before, the two sides are in no conflict.
 */
async function decideByGit(
  { database, selects }: SyncInput,
  checkout: Checkout | undefined,
  input: PlanInput,
): Promise<PlanInput> {
  if (checkout === undefined) return input;
  const contested = contestedBases(input).filter(({ path }) => selects(path));
  const known = await askGit(database, checkout, contested);
  if (known.size === 0) return input;
  const decided = contested.flatMap(({ path, local, remote }) => {
    const digest = known.get(path);
    const isOneSide = digest === (local?.digest ?? null) || digest === (remote?.digest ?? null);
    return digest !== undefined && isOneSide ? [[path, digest] as const] : [];
  });
  const base = new Map(input.base);
  for (const [path] of decided) base.delete(path);
  const found = new Map(decided);
  const renames = input.renames.map((rename) => {
    const digest = found.get(rename.files);
    return digest ? { ...rename, base: { ...rename.base, digest } } : rename;
  });
  return { ...input, base, renames, found: new Map([...input.found, ...decided]) };
}

/** The plan, in which conflicts are decided by what only a look at both versions tells, where the policy says so. */
async function decideConflicts(
  { files, database, policy }: SyncInput,
  checkout: Checkout | undefined,
  input: PlanInput,
): Promise<Plan> {
  const draft = makePlan(input);
  const conflicts = draft.conflicts.filter(({ why }) => why === 'both-edited');
  if (conflicts.length === 0) return draft;
  switch (policy.onConflict) {
    case 'newest': {
      const times = await conflictTimes({ files, database, checkout }, conflicts);
      return times.size > 0 ? makePlan({ ...input, times }) : draft;
    }
    case 'merge':
      return makePlan({ ...input, merges: await findMerges({ files, database }, conflicts) });
    default:
      return draft;
  }
}

/**
 * What rows hold once those without a stored text took that of files which say nothing against them. Where
 * there is a base, the two sides have met before.
 */
async function firstTexts(
  { files, database, selects }: SyncInput,
  local: Snapshot,
  remote: DatabaseSnapshot,
  base: ReadBase,
): Promise<ReadonlyMap<SkillPath, SkillState>> {
  const paths = [...remote.textless].filter((path) => {
    const [here, there] = [local.skills.get(path), remote.skills.get(path)];
    return selects(path) && !base.entries.has(path) && here && here.digest !== there?.digest;
  });
  if (paths.length === 0) return new Map();
  const digests = await database.takeTexts(paths, files.load);
  return new Map(
    [...digests].flatMap(([path, digest]) => {
      const state = remote.skills.get(path);
      return state ? [[path, { ...state, digest }] as const] : [];
    }),
  );
}

/**
 * Rows that hold, or shall hold after the run, what the files do, and of which the database does not keep all
 * that it could: rows that another writer made or changed, and for a run that may change the database those
 * that another version of the parser or of the mapping indexed.
 */
function findUnsettled(
  { run: { direction }, selects }: SyncInput,
  local: Snapshot,
  remote: DatabaseSnapshot,
  plan: Plan,
): ReadonlyMap<SkillPath, SkillState> {
  const incoming = new Set(plan.changes.filter((change) => change.side === 'files').map(({ path }) => path));
  const outdated = direction === 'import' ? [] : remote.outdated;
  const found = new Map<SkillPath, SkillState>();
  for (const path of new Set([...remote.unsettled, ...outdated])) {
    const state = remote.skills.get(path);
    if (!state || !(selects(path) || incoming.has(path))) continue;
    if (incoming.has(path) || local.skills.get(path)?.digest === state.digest) found.set(path, state);
  }
  return found;
}

// A run, from two snapshots to two sides that hold the same. Start reading here.

import type { Disk } from '../disk.ts';
import type { Notice } from '../notice.ts';
import {
  differingWithoutBase,
  makePlan,
  type Plan,
  type PlanInput,
  type PlannedChange,
} from '../reconcile/plan.ts';
import type {
  DatabaseReplica,
  DatabaseSnapshot,
  Replica,
  Result,
  RunStart,
  SkillState,
  Snapshot,
} from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import { type BaseIdentity, type ReadBase, readBase, writeBase } from './base.ts';

/** What a run works on, and how. */
export interface SyncInput {
  readonly run: RunStart;
  readonly files: Replica;
  readonly database: DatabaseReplica;
  readonly databaseName: BaseIdentity['database'];
  readonly disk: Disk;
  readonly stateDirectory: string;
  readonly selects: PlanInput['selects'];
  readonly statuses: PlanInput['statuses'];
  readonly force: boolean;
}

/** A plan, and what applying it needs to know of how it was made. */
export interface Prepared {
  readonly plan: Plan;
  readonly notices: readonly Notice[];
  readonly base: ReadBase;
  readonly identity: BaseIdentity;
  /** Rows of which the database does not keep all that it could, though the files hold the same. */
  readonly unsettled: ReadonlyMap<SkillPath, SkillState>;
}

/** Reads both sides and decides. Writes nothing: a dry run ends here. */
export async function prepareSync(input: SyncInput): Promise<Prepared> {
  const local = await input.files.snapshot();
  const found = await input.database.snapshot();
  const { id, highestRevision } = await input.database.identity();
  const identity = { directory: input.run.directory, databaseId: id, database: input.databaseName };
  const base = await readBase(input.disk, input.stateDirectory, identity, highestRevision);
  const first = await firstTexts(input, local, found, base);
  const remote = { ...found, skills: new Map([...found.skills, ...first]) };
  const sides = { local, remote, base: base.entries };
  const asked = differingWithoutBase(sides).flatMap(({ path, local, remote }) =>
    local && remote?.row && !first.has(path)
      ? [{ path, skillId: remote.row.skillId, digest: local.digest }]
      : [],
  );
  const past = asked.length > 0 ? await input.database.findPast(asked) : [];
  // A row that took its file's text and says more than that is ahead of the file.
  const ahead = [...first].flatMap(([path, { digest }]) =>
    local.skills.get(path)?.digest === digest ? [] : [path],
  );
  const older = new Set([...past, ...ahead]);
  const { direction } = input.run;
  const { selects, statuses, force } = input;
  const plan = makePlan({ direction, ...sides, older, selects, statuses, force });
  return {
    plan,
    notices: [...local.notices, ...remote.notices],
    base,
    identity,
    unsettled: findUnsettled(input, local, remote, plan),
  };
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
    if (!state || !selects(path)) continue;
    if (incoming.has(path) || local.skills.get(path)?.digest === state.digest) found.set(path, state);
  }
  return found;
}

/** Carries out a plan: the database in one transaction, then the files, then the base. */
export async function applySync(
  input: SyncInput,
  prepared: Prepared,
): Promise<readonly Result<PlannedChange>[]> {
  const { plan, unsettled } = prepared;
  const { files, database } = input;
  const settling = new Map(unsettled);
  if (plan.changes.length === 0 && settling.size === 0) {
    await advanceBase(input, prepared, []);
    return [];
  }
  await database.beginRun(input.run);
  try {
    const results = await applyChanges(input, plan.changes);
    const failed = new Set(results.filter((result) => !result.ok).map((result) => result.change.path));
    for (const path of failed) settling.delete(path);
    if (settling.size > 0) await database.settle(settling, files.load);
    await advanceBase(input, prepared, results);
    await database.endRun(countsOf(results), failed.size > 0 ? `${failed.size} failed` : null);
    return results;
  } catch (error) {
    // The first error says more than what closing the record meets on a lost connection.
    await database.endRun({}, (error as Error).message).catch(() => {});
    throw error;
  }
}

async function applyChanges(
  { files, database }: SyncInput,
  changes: readonly PlannedChange[],
): Promise<readonly Result<PlannedChange>[]> {
  const toDatabase = changes.filter((change) => change.side === 'database');
  const toFiles = changes.filter((change) => change.side === 'files');
  const stored = toDatabase.length > 0 ? await database.apply(toDatabase, files.load) : [];
  if (toFiles.length === 0) return stored;
  const forced = toFiles.filter((change) => change.why === 'forced' && change.before !== null);
  const kept = forced.length > 0 ? await database.keep(forced, files.load) : [];
  const refused = kept.filter((result) => !result.ok);
  const unkept = new Set(refused.map((result) => result.change));
  const written = await files.apply(
    toFiles.filter((change) => !unkept.has(change)),
    database.load,
  );
  await database.log([...refused, ...written]);
  return [...stored, ...refused, ...written];
}

/** Writes down, path by path, what both sides are now known to hold. */
async function advanceBase(
  { database, disk, stateDirectory }: SyncInput,
  { plan, base, identity }: Prepared,
  results: readonly Result[],
): Promise<void> {
  const entries = new Map(base.entries);
  const settle = (path: SkillPath, local: SkillState | null, remote: SkillState | null) => {
    if (local === null) entries.delete(path);
    else if (remote?.row) entries.set(path, { digest: local.digest, skillId: remote.row.skillId });
  };
  for (const { path, local, remote } of plan.agreed) settle(path, local, remote);
  for (const result of results) {
    if (!result.ok) continue;
    const { change, state } = result;
    settle(change.path, state, state?.row ? state : change.after);
  }
  if (plan.agreed.length === 0 && results.every((result) => !result.ok)) return;
  const { highestRevision } = await database.identity();
  await writeBase(disk, stateDirectory, identity, highestRevision, entries);
}

function countsOf(results: readonly Result[]): { readonly [name: string]: number } {
  const counts = { created: 0, updated: 0, failed: 0 };
  for (const { ok, change } of results) {
    if (!ok) counts.failed++;
    else if (change.before === null) counts.created++;
    else counts.updated++;
  }
  return counts;
}

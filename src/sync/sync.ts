// How a run begins: both sides read, what is known of them brought together, a plan made. Start reading here.

import type { Disk } from '../disk.ts';
import type { Notice } from '../notice.ts';
import { differingWithoutBase, makePlan, type Plan, type PlanInput, type Policy } from '../reconcile/plan.ts';
import type {
  DatabaseReplica,
  DatabaseSnapshot,
  Direction,
  FilesReplica,
  RunStart,
  SkillState,
  Snapshot,
} from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import { type BaseIdentity, type ReadBase, readBase } from './base.ts';
import { guardLineEndings } from './line-endings.ts';
import { conflictTimes } from './times.ts';

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
  const { selects, statuses, policy } = input;
  const planInput = { direction, ...sides, older, selects, statuses, policy, times: new Map() };
  const draft = makePlan(planInput);
  const times =
    policy.onConflict === 'newest'
      ? await conflictTimes(input.files, input.database, draft.conflicts)
      : new Map();
  const decided = times.size > 0 ? makePlan({ ...planInput, times }) : draft;
  const plan = decided.refusal ? decided : await guardLineEndings(input, sides, decided);
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

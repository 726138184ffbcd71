// Saved plans: a plan kept as a file, and carried out later, perhaps on another machine.

import { findPlace } from '../git/repository.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { partColliding } from '../reconcile/collide.ts';
import type { Side } from '../reconcile/conflict.ts';
import type { Plan, PlannedChange, Preview } from '../reconcile/plan.ts';
import { unreadableIn } from '../reconcile/unreadable.ts';
import { notWhole, type Snapshot } from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { PlanWriter, SavedPlan } from './plan-file.ts';
import type { PlanHeader, SavedChange } from './plan-format.ts';
import { type Applied, runAsPlanned } from './run.ts';
import { type Prepared, readSides, type SyncInput } from './sync.ts';
import { withFileTimes } from './times.ts';
import { prepareUndo, runUndo } from './undo.ts';

/** What a plan says of itself when it is saved. */
export async function headerOf(
  { run, databaseName: { kind, host, name } }: SyncInput,
  { identity }: Prepared,
  version: string,
): Promise<PlanHeader> {
  const place = await findPlace(run.directory);
  return {
    made: { at: new Date().toISOString(), by: run.who, host: run.host, version },
    files: {
      host: run.host,
      directory: run.directory,
      git: place ? { repository: place.root, directory: place.directory, commit: place.head } : null,
    },
    database: { id: identity.databaseId || null, kind, host, name },
    direction: run.direction,
  };
}

/** Keeps a plan's changes, one after the other, as they are previewed. */
export class PlanSaver {
  readonly #writer: PlanWriter;
  readonly #changedAt: ReadonlyMap<SkillPath, Date>;

  private constructor(writer: PlanWriter, changedAt: ReadonlyMap<SkillPath, Date>) {
    this.#writer = writer;
    this.#changedAt = changedAt;
  }

  static async begin(input: SyncInput, { plan, checkout }: Prepared, writer: PlanWriter): Promise<PlanSaver> {
    const toDatabase = plan.changes.filter(({ side }) => side === 'database');
    const timed = await withFileTimes({ ...input, checkout }, toDatabase);
    return new PlanSaver(
      writer,
      new Map(timed.flatMap(({ path, changedAt }) => (changedAt ? [[path, changedAt] as const] : []))),
    );
  }

  /** Adds what is previewed, if it is a change. The problem of one whose content moved on since it was planned. */
  async add(preview: Preview): Promise<Problem | undefined> {
    if (!('change' in preview)) return undefined;
    const { change, files, database } = preview;
    const { path, side, after } = change;
    const brought = after && [files, database].find((skill) => skill && digestSkill(skill) === after.digest);
    if (brought === undefined) return { reason: 'content-changed-meanwhile', path };
    const changedAt = side === 'database' ? this.#changedAt.get(path) : undefined;
    await this.#writer.add(savedChangeOf({ ...change, ...(changedAt && { changedAt }) }), brought);
    return undefined;
  }

  /** Puts the plan in its place: `plan-too-large`, `plan-not-written`. */
  finish(): Promise<Outcome<void>> {
    return this.#writer.finish();
  }

  /** Gives up what is not finished. */
  discard(): Promise<void> {
    return this.#writer.discard();
  }
}

function savedChangeOf(change: PlannedChange): SavedChange {
  const { path, side, why, before, after, from, formerly, origin, changedAt, content } = change;
  const skillId = (side === 'database' ? before : after)?.row?.skillId;
  return {
    path,
    side,
    why,
    before: before?.digest ?? null,
    after: after?.digest ?? null,
    ...(from && { from }),
    ...(formerly && { formerly }),
    ...(skillId && { skillId }),
    ...(origin && { origin }),
    ...(changedAt && { changedAt: changedAt.toISOString() }),
    ...(content && { content: { side: content.side, path: content.path } }),
  };
}

/**
 * Reads both sides, and plans what of a saved plan is still to be done: changes of which what they expect still
 * holds. The others are problems, each by name. Writes nothing. Refused with `plan-foreign`.
 *
 * @param isWhole whether nothing is to be done where not all can be
 */
export async function prepareApply(
  input: SyncInput,
  saved: SavedPlan,
  file: string,
  isWhole: boolean,
): Promise<Outcome<Prepared>> {
  return input.database.inView(async () => {
    const { first: _, ...sides } = await readSides(input);
    const why = await whyForeign(input, sides, saved.header);
    if (why !== undefined) return refuse({ reason: 'plan-foreign', file, why });
    const plan = planOf(saved, sides, isWhole);
    const notices = [...sides.local.notices, ...sides.remote.notices];
    const { load: contents, header } = saved;
    const isMadeHere = isSameFolder(input, header);
    const unsettled = new Map();
    return { ok: true, value: { ...sides, plan, notices, unsettled, contents, isMadeHere, isWhole } };
  });
}

/** What a plan is about, if not these two sides. */
async function whyForeign(
  input: SyncInput,
  { identity }: Pick<Prepared, 'identity'>,
  header: PlanHeader,
): Promise<string | undefined> {
  const { run, databaseName } = input;
  const { files, database } = header;
  // A database that held no library yet has no name but where it is.
  const isDatabase =
    database.id === null
      ? database.kind === databaseName.kind &&
        database.host === databaseName.host &&
        database.name === databaseName.name
      : database.id === identity.databaseId;
  if (!isDatabase) return madeFor(header);
  const { git } = files;
  const place = await findPlace(run.directory);
  const isDirectory =
    git && place
      ? git.directory === place.directory &&
        (git.commit === place.head || (git.repository !== null && git.repository === place.root))
      : isSameFolder(input, header);
  return isDirectory ? undefined : `it was made for the skills in ${files.directory} on ${files.host}`;
}

function madeFor({ database }: PlanHeader): string {
  return `it was made for the database ${database.name} at ${database.host}`;
}

/** Why a database that holds no library is not the one that a plan was made for, where it is not. */
export function whyNotAbsent({ header }: SavedPlan, file: string): Problem | undefined {
  return header.database.id === null ? undefined : { reason: 'plan-foreign', file, why: madeFor(header) };
}

function isSameFolder({ run }: SyncInput, { files }: PlanHeader): boolean {
  return files.host === run.host && files.directory === run.directory;
}

/** The plan of what is left to do. */
function planOf(
  saved: SavedPlan,
  { local, remote }: Pick<Prepared, 'local' | 'remote'>,
  isWhole: boolean,
): Plan {
  const snapshots = { files: local, database: remote };
  const isUnknown = { files: unreadableIn(local), database: unreadableIn(remote) };
  const problems = new Set<Problem>();
  const fresh: SavedChange[] = [];
  let unchanged = 0;
  for (const change of saved.changes) {
    const { side, path, from = path } = change;
    const places = [path, from];
    if (places.some(isUnknown[side])) {
      problems.add({ reason: 'plan-stale', path, side });
      for (const { path: at, below, problem } of snapshots[side].unreadable) {
        if (below || places.includes(at as SkillPath)) problems.add(problem);
      }
    } else if (isDone(change, snapshots[side])) unchanged++;
    else fresh.push(change);
  }
  const { held, stale } = partStale(fresh, snapshots);
  for (const { path, side } of stale) problems.add({ reason: 'plan-stale', path, side });
  const planned = held.map((change) => plannedChangeOf(change, snapshots));
  const { changes, problems: colliding } = partColliding({ local, remote }, planned);
  for (const problem of colliding) problems.add(problem);
  const count = saved.changes.length - unchanged - changes.length;
  return {
    direction: saved.header.direction,
    changes,
    conflicts: [],
    holds: [],
    ahead: [],
    agreed: [],
    unchanged,
    leftOut: 0,
    problems: [...problems],
    refusal: isWhole && count > 0 ? { reason: 'plan-not-whole', count } : null,
  };
}

function isDone({ path, from, before, after }: SavedChange, { skills }: Snapshot): boolean {
  if (after === null) return !skills.has(path);
  if (skills.get(path)?.digest !== after) return false;
  return from === undefined || skills.get(from)?.digest !== before;
}

type Snapshots = { readonly [S in Side]: Snapshot };

/** Changes whose places are as they expect, or will be once others of them leave; and those that are overtaken. */
function partStale(
  changes: readonly SavedChange[],
  snapshots: Snapshots,
): { readonly held: readonly SavedChange[]; readonly stale: readonly SavedChange[] } {
  const placeOf = (side: Side, path: SkillPath) => `${side} ${path}`;
  const leaving = new Set(changes.flatMap(({ side, from }) => (from ? [placeOf(side, from)] : [])));
  const isHeld = ({ side, path, from, before }: SavedChange): boolean => {
    const { skills } = snapshots[side];
    const isFree = !skills.has(path) || leaving.has(placeOf(side, path));
    if (before === null) return isFree;
    const isThere = skills.get(from ?? path)?.digest === before;
    return isThere && (from === undefined || isFree);
  };
  const held: SavedChange[] = [];
  const stale: SavedChange[] = [];
  for (const change of changes) (isHeld(change) ? held : stale).push(change);
  if (stale.length === 0 || held.length === 0) return { held, stale };
  // What stays where it is leaves its place to nobody.
  const rest = partStale(held, snapshots);
  return { held: rest.held, stale: [...stale, ...rest.stale] };
}

function plannedChangeOf(saved: SavedChange, { files, database }: Snapshots): PlannedChange {
  const { path, side, why, from, formerly, skillId, content, origin, changedAt } = saved;
  const stands = (side === 'files' ? files : database).skills.get(from ?? path) ?? null;
  const source = content?.side === side ? undefined : (content?.path ?? path);
  const there = source && (side === 'files' ? database : files).skills.get(source);
  const row =
    there?.row ?? (skillId === undefined ? undefined : { skillId, revision: 0, status: 'active' as const });
  return {
    path,
    side,
    why,
    before: saved.before === null ? null : stands,
    after: saved.after && { digest: saved.after, ...(side === 'files' && row && { row }) },
    ...(from && { from }),
    ...(formerly && { formerly }),
    ...(origin && { origin }),
    ...(changedAt && { changedAt: new Date(changedAt) }),
    ...(content && { content }),
  };
}

/**
 * Carries out what is left of a saved plan: that, and nothing that was planned anew. Where all or nothing is asked
 * for and a part fails, what was done is taken back: problem `plan-half-done` where that fails too.
 */
export async function runApply(input: SyncInput, prepared: Prepared): Promise<Applied> {
  const applied = await runAsPlanned(input, prepared);
  const { results, run } = applied;
  const isHalfDone = results.some(({ ok }) => ok) && results.some(({ ok }) => !ok);
  return prepared.isWhole && isHalfDone && run !== undefined ? takeBack(input, applied, run) : applied;
}

async function takeBack(input: SyncInput, { plan, results }: Applied, run: number): Promise<Applied> {
  const { signal: _, ...uninterrupted } = input;
  const undo = await prepareUndo({ ...uninterrupted, policy: { ...input.policy, yes: true } }, run);
  const undone = undo.ok ? await runUndo(uninterrupted, undo.value) : undefined;
  const isBack = undo.ok && undo.value.plan.conflicts.length === 0 && undone?.results.every(({ ok }) => ok);
  return {
    plan,
    run,
    results: results.map((result) =>
      result.ok
        ? { change: result.change, ...refuse(isBack ? notWhole : { reason: 'plan-half-done', run }) }
        : result,
    ),
  };
}

// The database as a side of the sync.

import type { Warning } from '../document/warning.ts';
import type { Notice } from '../notice.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import {
  batchesOf,
  type Change,
  type DatabaseReplica,
  type DatabaseSnapshot,
  interrupted,
  type Load,
  type Loaded,
  type Reading,
  type Result,
  type SkillState,
} from '../replica.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import { type TaxonomyMapping, taxonomyVersion } from '../taxonomy/infer.ts';
import type { KnownCategories } from '../taxonomy/known.ts';
import { executableBits, pastBits } from './bits.ts';
import { fillClosure, knownCategories } from './categories.ts';
import { latestRevision, newestHeld, noteCommits, notedRevisions, remembers } from './commits.ts';
import { type Connection, inHalves, inView, inWriting } from './connection.ts';
import { storedFiles } from './files.ts';
import { findPast, keepFiles, type Overwritten, readOverwritten, rowsChangedAt } from './history.ts';
import { type Beside, loadRows } from './load.ts';
import { advisoryLockKey } from './migrate.ts';
import { indexedOtherwise, linkedOtherwise, notKept, type Sent, sentOf } from './read-back.ts';
import { readerOf, readingOf, readSkill } from './read-skill.ts';
import { findSkill, loadRevision } from './revision.ts';
import { beginRun, endRun, logResults } from './runs.ts';
import { takeSnapshot } from './snapshot.ts';
import { problemOfRefusal } from './sqlstate.ts';
import {
  archive,
  deleteRows,
  type Incoming,
  lockRows,
  noteIndexed,
  requireKey,
  type Stored,
  seeRows,
  stillBefore,
  storeBatch,
} from './store.ts';
import { linkTargets, unresolvedTargets } from './targets.ts';

/** A skill whose past revision is its present state again. */
export interface Restored {
  readonly path: SkillPath;
  readonly revision: number;
  /** The revision that was replaced; null where the skill was deleted. */
  readonly replaced: number | null;
}

/** What became of a change, and what was sent of it, to be read back. */
interface Answer<C extends Change> {
  readonly result: Result<C>;
  readonly sent?: Sent;
}

/**
 * The database behind a connection whose schema is current. Loads what its last snapshot, or a change, saw.
 * The caller closes the connection.
 */
export class Database implements DatabaseReplica {
  readonly #connection: Connection;
  readonly #mapping: TaxonomyMapping;
  readonly #taxonomy: string;
  readonly #keys = new Map<SkillPath, number>();
  /** Rows that take their first text from files, and those files. */
  #taken: { readonly paths: ReadonlySet<SkillPath>; readonly source: Load } | null = null;
  #runId: number | null = null;
  #brought: readonly number[] = [];

  constructor(connection: Connection, mapping: TaxonomyMapping) {
    this.#connection = connection;
    this.#mapping = mapping;
    this.#taxonomy = taxonomyVersion(mapping);
  }

  async snapshot(signal?: AbortSignal): Promise<DatabaseSnapshot> {
    signal?.throwIfAborted();
    const snapshot = await takeSnapshot(this.#connection, this.#mapping, signal);
    this.#taken = null;
    this.#keys.clear();
    for (const [path, { row }] of snapshot.skills) if (row) this.#keys.set(path, row.skillId);
    return snapshot;
  }

  inView: DatabaseReplica['inView'] = (work) => inView(this.#connection, work);

  load: Load = (paths) => {
    const taken = this.#taken;
    return this.#load(
      paths,
      taken && { source: taken.source, isOffered: (path) => taken.paths.has(path), onTaken: () => {} },
    );
  };

  takeTexts: DatabaseReplica['takeTexts'] = async (paths, source) => {
    const taken = new Set<SkillPath>();
    const digests = new Map<SkillPath, Digest>();
    const files = { source, isOffered: () => true, onTaken: (path: SkillPath) => taken.add(path) };
    for await (const batch of this.#load(paths, files)) {
      for (const loaded of batch) {
        if ('skill' in loaded && taken.has(loaded.path)) digests.set(loaded.path, digestSkill(loaded.skill));
      }
    }
    this.#taken = { paths: new Set(digests.keys()), source };
    return digests;
  };

  #load(paths: readonly SkillPath[], files: Beside['files'] | null): AsyncIterable<readonly Loaded[]> {
    // No row has the key 0: what no snapshot saw is not found.
    const keys = paths.map((path) => ({ path, skillId: this.#keys.get(path) ?? 0 }));
    return loadRows(this.#connection, keys, { mapping: this.#mapping, ...(files && { files }) });
  }

  identity: DatabaseReplica['identity'] = () =>
    this.inView(async () => {
      const [row] = await this.#connection.query<{ id: string }>(
        'select database_id as id from sync_databases',
      );
      if (!row) throw new Error('the database has no id');
      return { id: row.id, latest: await latestRevision(this.#connection) };
    });

  remembers: DatabaseReplica['remembers'] = (mark) => this.inView(() => remembers(this.#connection, mark));

  notedRevisions: DatabaseReplica['notedRevisions'] = (place, asked) =>
    this.inView(() => notedRevisions(this.#connection, place, asked));

  newestHeld: DatabaseReplica['newestHeld'] = (asked, holder) =>
    this.inView(() => newestHeld(this.#connection, this.#mapping, asked, holder));

  noteCommits: DatabaseReplica['noteCommits'] = (place, at, notes) =>
    inWriting(this.#connection, () => noteCommits(this.#connection, place, at, notes));

  findPast: DatabaseReplica['findPast'] = (asked) => this.inView(() => findPast(this.#connection, asked));

  beginRun: DatabaseReplica['beginRun'] = async (run) => {
    this.#runId = await inWriting(this.#connection, () => beginRun(this.#connection, run));
  };

  endRun: DatabaseReplica['endRun'] = async (counts, error) => {
    await inWriting(this.#connection, () => endRun(this.#connection, this.#run(), { counts, error }));
    this.#runId = null;
  };

  log: DatabaseReplica['log'] = (results) =>
    inWriting(this.#connection, () => logResults(this.#connection, this.#run(), 'to_files', results));

  async apply<C extends Change>(
    changes: readonly C[],
    source: Load,
    signal?: AbortSignal,
  ): Promise<readonly Result<C>[]> {
    try {
      return await this.#write(async (known) => {
        const done = await this.#applyAll(changes, stoppedBy(signal, source), known);
        signal?.throwIfAborted();
        const byChange = new Map(done.map((result) => [result.change, result]));
        const results = changes.map((change) => byChange.get(change) ?? overtaken(change));
        this.#brought = results.flatMap((result) => (result.ok ? (result.state?.row?.skillId ?? []) : []));
        await logResults(this.#connection, this.#run(), 'to_database', results);
        return results;
      });
    } catch (error) {
      // All is rolled back: one transaction holds what a run changes.
      if (!signal?.aborted || error !== signal.reason) throw error;
      return changes.map((change) => ({ change, ...refuse(interrupted) }));
    }
  }

  async settle(states: ReadonlyMap<SkillPath, SkillState>, source: Load): Promise<void> {
    const changes = [...states].map(([path, state]): Change => ({ path, before: state, after: state }));
    await this.#write(async (known) => {
      // What the database refuses of it, or does not keep, stays as it is: the next run finds it unsettled again.
      const failed = new Set<SkillPath>();
      await this.#connection.query('savepoint nothing_stored');
      for (;;) {
        const left = changes.filter((change) => !failed.has(change.path));
        const sent: Sent[] = [];
        for await (const batch of incomingBatches(left, source, known, this.#mapping, [])) {
          const settled = await inHalves(
            this.#connection,
            batch,
            (some) => this.#settleBatch(some),
            () => undefined,
          );
          sent.push(...settled.filter((one) => one !== undefined));
        }
        await this.#link(sent.map((one) => one.skillId));
        const differing = await notKept(this.#connection, sent, []);
        if (differing.size === 0) return;
        for (const { skillId, path } of sent) if (differing.has(skillId)) failed.add(path);
        await this.#connection.query('rollback to savepoint nothing_stored');
      }
    });
  }

  async #settleBatch(batch: readonly Incoming[]): Promise<readonly Sent[]> {
    const rows = await lockRows(this.#connection, pathsOf(batch));
    const still = batch.filter(({ change }) => stillBefore(change.before, rows.get(change.path)));
    // What never had a stored text may lose words of its own to the one that it gets.
    const anew = still.flatMap(({ change: { path } }) => {
      const row = rows.get(path);
      return row?.isTextless && (row.isWhole || this.#taken?.paths.has(path)) ? [row.skillId] : [];
    });
    if (anew.length > 0) await archive(this.#connection, anew, this.#run());
    const stored = await storeBatch(this.#connection, still, rows, {
      settling: true,
      anew,
      taxonomy: this.#taxonomy,
    });
    return stored.map(sentOf);
  }

  async keep<C extends Change>(changes: readonly C[], source: Load): Promise<readonly Result<C>[]> {
    const byPath = new Map(changes.map((change) => [change.path, change]));
    const results = new Map<C, Result<C>>();
    for await (const batch of source([...byPath.keys()])) {
      const overwritten = new Map<C, Overwritten>();
      for (const loaded of batch) {
        const change = byPath.get(loaded.path);
        if (change === undefined) continue;
        const read = readBefore(change, loaded);
        if (read.ok) overwritten.set(change, read.value);
        else results.set(change, { change, ...read });
      }
      const kept = await inWriting(this.#connection, () =>
        keepFiles(this.#connection, [...overwritten.values()], this.#run()),
      );
      for (const [change, { skillId }] of overwritten) {
        const revision = kept.get(skillId);
        results.set(change, { change, ok: true, state: change.before, ...(revision && { kept: revision }) });
      }
    }
    return changes.flatMap((change) => results.get(change) ?? []);
  }

  storedFiles: DatabaseReplica['storedFiles'] = (asked) =>
    this.inView(() => storedFiles(this.#connection, asked));

  executableBits: DatabaseReplica['executableBits'] = () =>
    this.inView(() => executableBits(this.#connection));

  pastBits: DatabaseReplica['pastBits'] = (asked) => this.inView(() => pastBits(this.#connection, asked));

  changedAt: DatabaseReplica['changedAt'] = (paths) =>
    this.inView(() => rowsChangedAt(this.#connection, paths));

  /**
   * Makes a past revision of a skill its present state, also where the skill was deleted. What it holds now goes
   * to the history. Problems: `skill-unknown`, `revision-not-found`, `revision-pruned`, and why it is refused.
   */
  async restore(path: string, revision: number): Promise<Outcome<Restored>> {
    const past = await this.inView(async () => {
      const known = await findSkill(this.#connection, path);
      return known && ([known, await loadRevision(this.#connection, known, revision)] as const);
    });
    if (!past) return refuse({ reason: 'skill-unknown', path });
    const [known, skill] = past;
    if (!skill.ok) return skill;
    const after = { digest: digestSkill(skill.value) };
    const before =
      known.revision === null
        ? null
        : { ...after, row: { skillId: known.skillId, revision: known.revision, status: 'active' as const } };
    const change: Change = { path: known.path, before, after, origin: 'database' };
    const [result] = await this.apply([change], async function* () {
      yield [{ path: known.path, skill: skill.value }];
    });
    if (!result?.ok) return result ?? refuse({ reason: 'skill-unknown', path });
    const row = result.state?.row;
    if (!row) throw new Error(`restored, and no row: ${known.path}`);
    return { ok: true, value: { path: known.path, revision: row.revision, replaced: known.revision } };
  }

  unresolved(): Promise<readonly Notice[]> {
    return this.inView(() => unresolvedTargets(this.#connection, this.#brought));
  }

  async reader(): Promise<(skill: Skill) => Reading> {
    return readerOf(await this.inView(() => knownCategories(this.#connection)), this.#mapping);
  }

  #run(): number {
    if (this.#runId === null) throw new Error('no run has begun');
    return this.#runId;
  }

  /** One transaction of a sync's writes: after those of any other sync, and unnoticed by the triggers. */
  #write<T>(work: (known: KnownCategories) => Promise<T>): Promise<T> {
    return inWriting(this.#connection, async () => {
      await this.#connection.query(settingsOfSync);
      await this.#connection.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
      const done = await work(await knownCategories(this.#connection));
      await fillClosure(this.#connection);
      return done;
    });
  }

  /**
   * Stores the changes, links what they name, and reads back what came of it. A skill whose links the database
   * refuses, or which it does not keep as it was sent, fails whole: all is undone, and done again without it.
   */
  async #applyAll<C extends Change>(
    changes: readonly C[],
    source: Load,
    known: KnownCategories,
  ): Promise<readonly Result<C>[]> {
    const failed = new Map<C, Result<C>>();
    await this.#connection.query('savepoint nothing_stored');
    for (;;) {
      const left = changes.filter((change) => !failed.has(change));
      const answers = await this.#storeAll(left, source, known);
      const results = answers.map((answer) => answer.result);
      const sent = answers.flatMap((answer) => answer.sent ?? []);
      const deleted = results.flatMap((result) => (result.ok ? (result.deleted ?? []) : []));
      const byId = new Map(
        results.flatMap((result) => {
          const row = result.ok ? (result.deleted ?? result.state?.row) : undefined;
          return row ? [[row.skillId, result.change] as const] : [];
        }),
      );
      const fail = (skillId: number, problemAt: (path: string) => Problem) => {
        const change = byId.get(skillId);
        if (change) failed.set(change, { change, ...refuse(problemAt(change.path)) });
      };
      const refused = await this.#link(sent.map((one) => one.skillId));
      const differing = await notKept(
        this.#connection,
        sent,
        deleted.map((one) => one.skillId),
      );
      for (const [skillId, differs] of differing) {
        fail(skillId, (path) => ({ reason: 'not-kept', path, differs }));
      }
      for (const [skillId, error] of refused) fail(skillId, (path) => problemOfRefusal(path, error));
      // What stands elsewhere than it was sent to is found by nobody.
      for (const result of results) {
        if (!result.ok && result.problem.reason === 'not-kept') failed.set(result.change, result);
      }
      if (left.every((change) => !failed.has(change))) {
        const links = await linkedOtherwise(
          this.#connection,
          sent.map((one) => one.skillId),
        );
        const done = results.map((result) =>
          result.ok && result.state?.row && result.reading
            ? { ...result, reading: warned(result.reading, links.get(result.state.row.skillId)) }
            : result,
        );
        return [...failed.values(), ...done];
      }
      await this.#connection.query('rollback to savepoint nothing_stored');
    }
  }

  async #storeAll<C extends Change>(
    changes: readonly C[],
    source: Load,
    known: KnownCategories,
  ): Promise<readonly Answer<C>[]> {
    const answers: Answer<C>[] = [];
    const refused: Result<C>[] = [];
    const refuseAlone = (change: C, error: unknown): Answer<C> => ({
      result: { change, ...refuse(problemOfRefusal(change.path, error)) },
    });
    const removals = changes.filter((change) => change.after === null);
    for (const batch of batchesOf(removals, () => 0)) {
      answers.push(
        ...(await inHalves(this.#connection, batch, (some) => this.#removeChanges(some), refuseAlone)),
      );
    }
    const additions = changes.filter((change) => change.after !== null);
    for await (const batch of incomingBatches(additions, source, known, this.#mapping, refused)) {
      const stored = await inHalves(
        this.#connection,
        batch,
        (some) => this.#storeChanges(some),
        ({ change }, error) => refuseAlone(change, error),
      );
      answers.push(...stored);
    }
    return [...refused.map((result) => ({ result })), ...answers];
  }

  async #removeChanges<C extends Change>(changes: readonly C[]): Promise<readonly Answer<C>[]> {
    const rows = await lockRows(
      this.#connection,
      changes.map((change) => change.path),
    );
    const still = changes.flatMap(({ path, before }) => {
      const row = rows.get(path);
      return row && stillBefore(before, row) ? [[path, row.skillId] as const] : [];
    });
    const ids = still.map(([, skillId]) => skillId);
    await archive(this.#connection, ids, this.#run());
    const revisions = await deleteRows(this.#connection, ids);
    const removed = new Map(still);
    const gone = await this.#whyNot(changes.filter((change) => !removed.has(change.path)));
    const done = changes.flatMap((change): readonly Answer<C>[] => {
      const skillId = removed.get(change.path);
      if (skillId === undefined) return [];
      const deleted = { skillId, revision: requireKey(revisions, skillId) };
      return [{ result: { change, ok: true, state: null, deleted, ...keptAs(change) } }];
    });
    return [...done, ...gone];
  }

  /** Why changes met no row to be carried out on: someone was faster, or the database lets nobody at it. */
  async #whyNot<C extends Change>(changes: readonly C[]): Promise<readonly Answer<C>[]> {
    if (changes.length === 0) return [];
    const rows = await seeRows(
      this.#connection,
      changes.map((change) => change.path),
    );
    return changes.map((change) => {
      const { path, before, after } = change;
      const differs = after === null ? 'the deletion' : 'the row itself';
      const problem: Problem = stillBefore(before, rows.get(path))
        ? { reason: 'not-kept', path, differs }
        : { reason: 'row-changed-meanwhile', path };
      return { result: { change, ...refuse(problem) } };
    });
  }

  async #storeChanges<C extends Change>(batch: readonly Incoming<C>[]): Promise<readonly Answer<C>[]> {
    const rows = await lockRows(this.#connection, pathsOf(batch));
    const still = batch.filter(({ change }) => stillBefore(change.before, rows.get(change.path)));
    await archive(
      this.#connection,
      still.flatMap(({ change }) => rows.get(change.path)?.skillId ?? []),
      this.#run(),
    );
    const stored = await storeBatch(this.#connection, still, rows, {
      settling: false,
      anew: [],
      taxonomy: this.#taxonomy,
    });
    for (const row of stored) this.#keys.set(row.change.path, row.skillId);
    const paths = new Set(stored.map((row) => row.change.path));
    const unstored = batch.map(({ change }) => change).filter((change) => !paths.has(change.path));
    const otherwise = await indexedOtherwise(this.#connection, stored);
    const done = stored.map((row): Answer<C> => {
      const { change } = row;
      const result = {
        change,
        ok: true,
        state: stateOf(row),
        reading: warned(readingOf(row), otherwise.get(row.skillId)),
        ...keptAs(change),
      } as const;
      return { result, sent: sentOf(row) };
    });
    return [...done, ...(await this.#whyNot(unstored))];
  }

  /** Links what these skills name, and what waited for them. Returns what the database refused of whom. */
  async #link(ids: readonly number[]): Promise<ReadonlyMap<number, unknown>> {
    if (ids.length === 0) return new Map();
    const { linked, refused } = await linkTargets(this.#connection, ids);
    await noteIndexed(this.#connection, [...new Set([...ids, ...linked])]);
    return refused;
  }
}

/** The other side does not hold, or no more, what it was to bring. */
function overtaken<C extends Change>(change: C): Result<C> {
  return { change, ...refuse({ reason: 'content-changed-meanwhile', path: change.path }) };
}

/** The same, until the signal is aborted: then it rejects with the signal's reason. */
function stoppedBy(signal: AbortSignal | undefined, source: Load): Load {
  return async function* (paths) {
    signal?.throwIfAborted();
    for await (const batch of source(paths)) {
      yield batch;
      signal?.throwIfAborted();
    }
  };
}

/** The triggers are told, and large texts are compressed by what is fastest, where the server has it. */
const settingsOfSync = `
  select set_config('skill_fleet.syncing', 'on', true),
    (select set_config(name, 'lz4', true) from pg_settings
     where name = 'default_toast_compression' and 'lz4' = any (enumvals))`;

/** The files that a change of the files overwrites, where they still are what it expects. */
function readBefore({ path, before, after }: Change, loaded: Loaded): Outcome<Overwritten> {
  if ('problem' in loaded) return refuse(loaded.problem);
  const digest = digestSkill(loaded.skill);
  if (digest !== before?.digest || !after?.row) return refuse({ reason: 'content-changed-meanwhile', path });
  return readOverwritten(after.row.skillId, loaded.skill, digest);
}

/** What stood in the row before was archived under its own revision. */
function keptAs({ before }: Change): { readonly kept?: number } {
  return before?.row ? { kept: before.row.revision } : {};
}

function warned(reading: Reading, warnings: readonly Warning[] = []): Reading {
  return { ...reading, warnings: [...reading.warnings, ...warnings] };
}

function stateOf({ digest, skillId, revision, document }: Stored): SkillState {
  return { digest, row: { skillId, revision, status: document.fields.status } };
}

function pathsOf(batch: readonly Incoming[]): readonly SkillPath[] {
  return batch.map(({ change }) => change.path);
}

/** Reads what changes bring, batch by batch, ready to be stored. What cannot be goes to `refused`. */
async function* incomingBatches<C extends Change>(
  changes: readonly C[],
  source: Load,
  known: KnownCategories,
  mapping: TaxonomyMapping,
  refused: Result<C>[],
): AsyncIterable<readonly Incoming<C>[]> {
  const byPath = new Map(changes.map((change) => [change.path, change]));
  for await (const batch of source([...byPath.keys()])) {
    const incoming: Incoming<C>[] = [];
    for (const loaded of batch) {
      const change = byPath.get(loaded.path);
      if (change === undefined) continue;
      const no = (problem: Problem) => refused.push({ change, ...refuse(problem) });
      if ('problem' in loaded) {
        no(loaded.problem);
        continue;
      }
      const digest = digestSkill(loaded.skill);
      if (digest !== change.after?.digest) {
        no({ reason: 'content-changed-meanwhile', path: loaded.path });
        continue;
      }
      const read = readSkill(loaded.skill, known, mapping);
      if (read.ok) incoming.push({ ...read.value, change, skill: loaded.skill, digest });
      else no(read.problem);
    }
    yield incoming;
  }
}

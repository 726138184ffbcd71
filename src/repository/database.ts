// The database as a side of the sync.

import { type Problem, refuse } from '../problem.ts';
import type {
  Change,
  DatabaseReplica,
  DatabaseSnapshot,
  Load,
  Loaded,
  Reading,
  Result,
  SkillState,
} from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import type { KnownCategories } from '../taxonomy/known.ts';
import { knownCategories } from './categories.ts';
import { type Connection, inSavepoint, inTransaction } from './connection.ts';
import { findPast, keepFiles, type Overwritten } from './history.ts';
import { loadRows } from './load.ts';
import { advisoryLockKey } from './migrate.ts';
import { beginRun, endRun, logResults } from './runs.ts';
import { takeSnapshot } from './snapshot.ts';
import { isRefusal, problemOfRefusal } from './sqlstate.ts';
import {
  archive,
  type Incoming,
  lockRows,
  noteIndexed,
  readingOf,
  readSkill,
  type Stored,
  stillBefore,
  storeBatch,
} from './store.ts';
import { linkTargets } from './targets.ts';

/**
 * The database behind a connection whose schema is current. Loads what its last snapshot, or a change, saw.
 * The caller closes the connection.
 */
export class Database implements DatabaseReplica {
  readonly #connection: Connection;
  readonly #mapping: TaxonomyMapping;
  readonly #keys = new Map<SkillPath, number>();
  #runId: number | null = null;

  constructor(connection: Connection, mapping: TaxonomyMapping) {
    this.#connection = connection;
    this.#mapping = mapping;
  }

  async snapshot(): Promise<DatabaseSnapshot> {
    const snapshot = await takeSnapshot(this.#connection);
    this.#keys.clear();
    for (const [path, { row }] of snapshot.skills) if (row) this.#keys.set(path, row.skillId);
    return snapshot;
  }

  load: Load = (paths): AsyncIterable<readonly Loaded[]> =>
    loadRows(
      this.#connection,
      paths.flatMap((path) => {
        const skillId = this.#keys.get(path);
        return skillId === undefined ? [] : [{ path, skillId }];
      }),
    );

  async identity(): Promise<{ id: string; highestRevision: number }> {
    const [row] = await this.#connection.query<{ id: string; highest: number }>(
      `select (select database_id from sync_databases) as id, last_value as highest from skill_revision_seq`,
    );
    if (!row) throw new Error('the sequence of revisions gave no row');
    return { id: row.id, highestRevision: row.highest };
  }

  findPast: DatabaseReplica['findPast'] = (asked) => findPast(this.#connection, asked);

  beginRun: DatabaseReplica['beginRun'] = async (run) => {
    this.#runId = await beginRun(this.#connection, run);
  };

  endRun: DatabaseReplica['endRun'] = async (counts, error) => {
    await endRun(this.#connection, this.#run(), { counts, error });
    this.#runId = null;
  };

  log: DatabaseReplica['log'] = (results) => logResults(this.#connection, this.#run(), 'to_files', results);

  async apply<C extends Change>(changes: readonly C[], source: Load): Promise<readonly Result<C>[]> {
    return this.#write(async (known) => {
      const results: Result<C>[] = [];
      const incoming = incomingBatches(changes, source, known, this.#mapping, results);
      for await (const batch of incoming) results.push(...(await this.#applyBatch(batch)));
      await this.#link(results.flatMap((result) => (result.ok ? (result.state?.row?.skillId ?? []) : [])));
      await logResults(this.#connection, this.#run(), 'to_database', results);
      return results;
    });
  }

  async settle(states: ReadonlyMap<SkillPath, SkillState>, source: Load): Promise<void> {
    const changes = [...states].map(([path, state]): Change => ({ path, before: state, after: state }));
    await this.#write(async (known) => {
      const ids: number[] = [];
      for await (const batch of incomingBatches(changes, source, known, this.#mapping, [])) {
        const rows = await lockRows(this.#connection, pathsOf(batch));
        const still = batch.filter(({ change }) => stillBefore(change.before, rows.get(change.path)));
        ids.push(...(await storeBatch(this.#connection, still, true)).map((row) => row.skillId));
      }
      await this.#link(ids);
    });
  }

  async keep<C extends Change>(changes: readonly C[], source: Load): Promise<readonly Result<C>[]> {
    const byPath = new Map(changes.map((change) => [change.path, change]));
    const results: Result<C>[] = [];
    for await (const batch of source([...byPath.keys()])) {
      const overwritten: Overwritten[] = [];
      for (const loaded of batch) {
        const change = byPath.get(loaded.path);
        const skillId = change?.after?.row?.skillId;
        if (change === undefined || skillId === undefined) continue;
        if ('problem' in loaded) results.push({ change, ...refuse(loaded.problem) });
        else if (digestSkill(loaded.skill) !== change.before?.digest) {
          results.push({ change, ...refuse({ reason: 'content-changed-meanwhile', path: loaded.path }) });
        } else {
          overwritten.push({ skillId, skill: loaded.skill, digest: change.before.digest });
          results.push({ change, ok: true, state: change.before });
        }
      }
      await inTransaction(this.#connection, '', () => keepFiles(this.#connection, overwritten, this.#run()));
    }
    return results;
  }

  async reader(): Promise<(skill: Skill) => Reading> {
    return readerOf(await knownCategories(this.#connection), this.#mapping);
  }

  #run(): number {
    if (this.#runId === null) throw new Error('no run has begun');
    return this.#runId;
  }

  /** One transaction of a sync's writes: after those of any other sync, and unnoticed by the triggers. */
  #write<T>(work: (known: KnownCategories) => Promise<T>): Promise<T> {
    return inTransaction(this.#connection, '', async () => {
      await this.#connection.query(`set local skill_fleet.syncing = 'on'`);
      await this.#connection.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
      return work(await knownCategories(this.#connection));
    });
  }

  /** Stores a batch; where the database refuses something in it, the halves, so that one skill fails alone. */
  async #applyBatch<C extends Change>(batch: readonly Incoming<C>[]): Promise<readonly Result<C>[]> {
    try {
      return await inSavepoint(this.#connection, () => this.#storeChanges(batch));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [first] = batch;
      if (first === undefined) throw error;
      if (batch.length === 1)
        return [{ change: first.change, ...refuse(problemOfRefusal(first.skill.path, error)) }];
      const half = Math.ceil(batch.length / 2);
      return [
        ...(await this.#applyBatch(batch.slice(0, half))),
        ...(await this.#applyBatch(batch.slice(half))),
      ];
    }
  }

  async #storeChanges<C extends Change>(batch: readonly Incoming<C>[]): Promise<readonly Result<C>[]> {
    const rows = await lockRows(this.#connection, pathsOf(batch));
    const results: Result<C>[] = [];
    const still: Incoming<C>[] = [];
    for (const incoming of batch) {
      const { change } = incoming;
      if (stillBefore(change.before, rows.get(change.path))) still.push(incoming);
      else results.push({ change, ...refuse({ reason: 'row-changed-meanwhile', path: change.path }) });
    }
    await archive(
      this.#connection,
      still.flatMap(({ change }) => rows.get(change.path)?.skillId ?? []),
      this.#run(),
    );
    const stored = await storeBatch(this.#connection, still, false);
    for (const row of stored) this.#keys.set(row.skill.path, row.skillId);
    return [
      ...results,
      ...stored.map(
        (row): Result<C> => ({ change: row.change, ok: true, state: stateOf(row), reading: readingOf(row) }),
      ),
    ];
  }

  async #link(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await noteIndexed(this.#connection, await linkTargets(this.#connection, ids));
  }
}

/** Tells what people are told of a skill. One that cannot be read has no category and no warnings. */
export function readerOf(known: KnownCategories, mapping: TaxonomyMapping): (skill: Skill) => Reading {
  return (skill) => {
    const read = readSkill(skill, known, mapping);
    return read.ok ? readingOf(read.value) : { category: null, warnings: [] };
  };
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

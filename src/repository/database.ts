// The database as a side of the sync.

import type { Notice } from '../notice.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import {
  type Change,
  type DatabaseReplica,
  type DatabaseSnapshot,
  interrupted,
  type Load,
  type Loaded,
  notWhole,
  oneByOne,
  type Reading,
  type Result,
  type SkillState,
} from '../replica.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import { type TaxonomyMapping, taxonomyVersion } from '../taxonomy/infer.ts';
import type { KnownCategories } from '../taxonomy/known.ts';
import { type Applying, applyChanges, settleRows } from './apply.ts';
import { executableBits, pastBits } from './bits.ts';
import { fillClosure, knownCategories } from './categories.ts';
import {
  lastDeletions,
  latestRevision,
  newestHeld,
  noteCommits,
  notedRevisions,
  remembers,
} from './commits.ts';
import { type Connection, inWholeView, inWriting } from './connection.ts';
import { isDerivedWrong, mendDerived, verifyDerived } from './derived.ts';
import { storedFiles } from './files.ts';
import { formerKeys, keepFiles, type Overwritten, readOverwritten, rowsChangedAt } from './history.ts';
import { type Beside, loadRows, type RowKey } from './load.ts';
import { advisoryLockKey } from './migrate.ts';
import { readerOf } from './read-skill.ts';
import { findPast, findRevisions, findSkill, loadRevision, loadRevisions } from './revision.ts';
import { beginRun, endRun, logResults, noteIdleRun, recordedRun } from './runs.ts';
import { takeSnapshot } from './snapshot.ts';
import { Reshaped } from './sqlstate.ts';
import { unresolvedTargets } from './targets.ts';
import { verifyHistory, verifyRows } from './verify.ts';

/** A skill whose past revision is its present state again. */
export interface Restored {
  readonly path: SkillPath;
  readonly revision: number;
  /** The revision that was replaced; null where the skill was deleted. */
  readonly replaced: number | null;
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
    const snapshot = await this.inView(() => takeSnapshot(this.#connection, this.#mapping, signal));
    this.#taken = null;
    this.#keys.clear();
    for (const [path, { row }] of snapshot.skills) if (row) this.#keys.set(path, row.skillId);
    return snapshot;
  }

  inView: DatabaseReplica['inView'] = (work) => inWholeView(this.#connection, tablesOfSkills, work);

  load: Load = (paths) => {
    const taken = this.#taken;
    return this.#load(
      this.#keysOf(paths),
      taken && { source: taken.source, isOffered: (path) => taken.paths.has(path), onTaken: () => {} },
    );
  };

  takeTexts: DatabaseReplica['takeTexts'] = async (paths, source) => {
    const taken = new Set<SkillPath>();
    const digests = new Map<SkillPath, Digest>();
    const files = { source, isOffered: () => true, onTaken: (path: SkillPath) => taken.add(path) };
    for await (const batch of this.#load(this.#keysOf(paths), files)) {
      for (const loaded of batch) {
        if ('skill' in loaded && taken.has(loaded.path)) digests.set(loaded.path, digestSkill(loaded.skill));
      }
    }
    this.#taken = { paths: new Set(digests.keys()), source };
    return digests;
  };

  #load(keys: readonly RowKey[], files: Beside['files'] | null): AsyncIterable<readonly Loaded[]> {
    return loadRows(this.#connection, keys, {
      mapping: this.#mapping,
      ...(files && { files }),
    });
  }

  /** No row has the key 0: what no snapshot saw is not found. */
  #keysOf(paths: readonly SkillPath[]): readonly RowKey[] {
    return paths.map((path) => ({ path, skillId: this.#keys.get(path) ?? 0 }));
  }

  verifyRows: DatabaseReplica['verifyRows'] = (paths) =>
    verifyRows(this.#connection, this.#keysOf(paths), this.#mapping);

  verifyDerived: DatabaseReplica['verifyDerived'] = (told) => verifyDerived(this.#connection, told);

  mendDerived: DatabaseReplica['mendDerived'] = async () => {
    // Who has nothing to write waits for nobody.
    if (await this.inView(() => isDerivedWrong(this.#connection))) {
      await this.#write(() => mendDerived(this.#connection));
    }
  };

  verifyHistory: DatabaseReplica['verifyHistory'] = (damaged) => verifyHistory(this.#connection, damaged);

  identity: DatabaseReplica['identity'] = () =>
    this.inView(async () => {
      const [row] = await this.#connection.query<{ id: string }>(
        'select database_id as id from sync_databases',
      );
      if (!row) throw new Reshaped('sync_databases holds no row');
      return { id: row.id, latest: await latestRevision(this.#connection) };
    });

  remembers: DatabaseReplica['remembers'] = (mark) => this.inView(() => remembers(this.#connection, mark));

  notedRevisions: DatabaseReplica['notedRevisions'] = (place, asked) =>
    this.inView(() => notedRevisions(this.#connection, place, asked));

  lastDeletions: DatabaseReplica['lastDeletions'] = (asked) =>
    this.inView(() => lastDeletions(this.#connection, asked));

  newestHeld: DatabaseReplica['newestHeld'] = (asked, holder) =>
    this.inView(() => newestHeld(this.#connection, this.#mapping, asked, holder));

  noteCommits: DatabaseReplica['noteCommits'] = (place, at, notes) =>
    inWriting(this.#connection, () => noteCommits(this.#connection, place, at, notes));

  findPast: DatabaseReplica['findPast'] = (asked) => this.inView(() => findPast(this.#connection, asked));

  async *loadPast(asked: Parameters<DatabaseReplica['loadPast']>[0]): AsyncGenerator<readonly Loaded[]> {
    if (asked.length === 0) return;
    yield* loadRevisions(this.#connection, await this.inView(() => findRevisions(this.#connection, asked)));
  }

  formerKeys: DatabaseReplica['formerKeys'] = (paths) =>
    this.inView(() => formerKeys(this.#connection, paths));

  beginRun: DatabaseReplica['beginRun'] = async (run) => {
    const id = await inWriting(this.#connection, () => beginRun(this.#connection, run));
    this.#runId = id;
    return id;
  };

  noteIdleRun: DatabaseReplica['noteIdleRun'] = (run, counts) => noteIdleRun(this.#connection, run, counts);

  endRun: DatabaseReplica['endRun'] = async (counts, error) => {
    await inWriting(this.#connection, () => endRun(this.#connection, this.#run(), { counts, error }));
    this.#runId = null;
  };

  recordedRun: DatabaseReplica['recordedRun'] = (id) => this.inView(() => recordedRun(this.#connection, id));

  log: DatabaseReplica['log'] = (results) =>
    inWriting(this.#connection, () => logResults(this.#connection, this.#run(), 'to_files', results));

  async apply<C extends Change>(
    changes: readonly C[],
    source: Load,
    signal?: AbortSignal,
    isWhole = false,
  ): Promise<readonly Result<C>[]> {
    try {
      return await this.#write(async (known) => {
        const done = await applyChanges(this.#applying(known), changes, stoppedBy(signal, source));
        signal?.throwIfAborted();
        const byChange = new Map(done.map((result) => [result.change, result]));
        const results = changes.map((change) => byChange.get(change) ?? overtaken(change));
        if (isWhole && results.some(({ ok }) => !ok)) throw new NotWhole(results);
        for (const { ok, change } of results) if (ok && change.from) this.#keys.delete(change.from);
        for (const { change, ...result } of results) {
          if (result.ok && result.state?.row) this.#keys.set(change.path, result.state.row.skillId);
        }
        this.#brought = results.flatMap((result) => (result.ok ? (result.state?.row?.skillId ?? []) : []));
        await logResults(this.#connection, this.#run(), 'to_database', results);
        return results;
      });
    } catch (error) {
      // All is rolled back: one transaction holds what a run changes.
      if (error instanceof NotWhole) {
        const refused = new Map<unknown, Problem>(
          error.results.flatMap((result) => (result.ok ? [] : [[result.change, result.problem]])),
        );
        return changes.map((change) => ({ change, ...refuse(refused.get(change) ?? notWhole) }));
      }
      if (!signal?.aborted || error !== signal.reason) throw error;
      return changes.map((change) => ({ change, ...refuse(interrupted) }));
    }
  }

  async settle(
    states: ReadonlyMap<SkillPath, SkillState>,
    source: Load,
    former: ReadonlyMap<SkillPath, SkillPath>,
  ): Promise<void> {
    const changes = [...states].map(([path, state]): Change => {
      const formerly = former.get(path);
      return { path, before: state, after: state, ...(formerly && { formerly }) };
    });
    await this.#write((known) => settleRows(this.#applying(known), changes, source));
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
      if (known === undefined) return undefined;
      const rows = oneByOne(this.#load(known.revision === null ? [] : [known], null));
      const { value: now } = await rows.next();
      return { known, now, skill: await loadRevision(this.#connection, { ...known, revision }) };
    });
    if (!past) return refuse({ reason: 'skill-unknown', path });
    const { known, now, skill } = past;
    if (!skill.ok) return skill;
    const after = { digest: digestSkill(skill.value) };
    // A row that cannot be read is mended by this, and nobody wants it back.
    const held = now && 'skill' in now ? digestSkill(now.skill) : after.digest;
    const before =
      known.revision === null
        ? null
        : {
            digest: held,
            row: { skillId: known.skillId, revision: known.revision, status: 'active' as const },
          };
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

  #applying(known: KnownCategories): Applying {
    return {
      connection: this.#connection,
      mapping: this.#mapping,
      taxonomy: this.#taxonomy,
      known,
      runId: this.#run(),
      takesText: (path) => this.#taken?.paths.has(path) ?? false,
    };
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
}

/** What the state of a skill is read from. */
const tablesOfSkills = [
  'skills',
  'skill_sync',
  'skill_files',
  'skill_categories',
  'taxonomy_categories',
  'skill_keywords',
  'skill_tags',
  'capabilities',
  'skill_dependencies',
  'skill_references',
  'skill_allowed_tools',
  'skill_aliases',
  'skill_facets',
];

/** Rolls back a transaction of which nothing is to stand where a part is refused. */
class NotWhole extends Error {
  readonly results: readonly Result[];

  constructor(results: readonly Result[]) {
    super('a change was refused');
    this.results = results;
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
function readBefore({ path, before, after, agreed }: Change, loaded: Loaded): Outcome<Overwritten> {
  if ('problem' in loaded) return refuse(loaded.problem);
  const digest = digestSkill(loaded.skill);
  const skillId = (after?.row ?? agreed)?.skillId;
  if (digest !== before?.digest || skillId === undefined)
    return refuse({ reason: 'content-changed-meanwhile', path });
  return readOverwritten(skillId, loaded.skill, digest);
}

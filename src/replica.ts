// One side of the sync, the skills directory or the database: the few things that the middle asks of both.

import type { Warning } from './document/warning.ts';
import type { NamedRun, Notice } from './notice.ts';
import type { Problem } from './problem.ts';
import type { Digest } from './skill/digest.ts';
import type { SkillPath } from './skill/path.ts';
import type { Skill } from './skill/skill.ts';
import type { Status } from './skill/status.ts';

/** What a replica holds at one path, and by what it will know whether that is still so. */
export interface SkillState {
  readonly digest: Digest;
  /** The database's own key, revision and status; absent for files. */
  readonly row?: { readonly skillId: number; readonly revision: number; readonly status: Status };
}

/** A place about which a replica cannot speak. Unreadable is never absent: no decision is taken there. */
export interface Unreadable {
  /** A skill path or, with `below`, a folder with everything under it; '' is the whole replica. */
  readonly path: string;
  readonly below: boolean;
  readonly problem: Problem;
}

/** What a replica holds now. */
export interface Snapshot {
  readonly skills: ReadonlyMap<SkillPath, SkillState>;
  readonly unreadable: readonly Unreadable[];
  /** What was left out, and is no problem. */
  readonly notices: readonly Notice[];
}

/** One skill as it was loaded, or why it could not be. The skill's own path is where it stands. */
export type Loaded =
  | { readonly path: SkillPath; readonly skill: Skill }
  | { readonly path: SkillPath; readonly problem: Problem };

/** A change of one skill: what the replica is expected to hold, and what it shall hold. Null is absent. */
export interface Change {
  readonly path: SkillPath;
  readonly before: SkillState | null;
  readonly after: SkillState | null;
  /** Where the skill stands before, if elsewhere: then nothing else may stand at `path` that does not go itself. */
  readonly from?: SkillPath;
  /** Where both sides held the skill when they last agreed, if elsewhere: others may know it by that. */
  readonly formerly?: SkillPath;
  /** What both sides last agreed on, as the record of the run is to have it. */
  readonly agreed?: { readonly digest: Digest; readonly skillId: number };
  /** Why, as the record of the run is to have it. */
  readonly why?: string;
  /** Whose wish a change of the database is, where it is not the files': then no commit knows it. */
  readonly origin?: 'database';
  /** When the files that go to the database were changed, by its clock; the run's time where nobody knows. */
  readonly changedAt?: Date;
}

/** What the database makes of a skill that comes to it. */
export interface Reading {
  /** Null where nothing says what the skill is about. */
  readonly category: {
    readonly path: string;
    readonly reason: string;
    /** Whether the database did not know it before. */
    readonly creates: boolean;
  } | null;
  readonly warnings: readonly Warning[];
}

/** What became of a change: the state that the replica now holds, or why it refused. */
export type Result<C extends Change = Change> =
  | {
      readonly change: C;
      readonly ok: true;
      readonly state: SkillState | null;
      /** Where the database took the skill. */
      readonly reading?: Reading;
      /** The revision under which the history holds what was replaced. */
      readonly kept?: number;
      /** The row that is deleted now, and the revision that this is. */
      readonly deleted?: { readonly skillId: number; readonly revision: number };
    }
  | { readonly change: C; readonly ok: false; readonly problem: Problem };

/** Reads skills in bounded batches, in the order asked for. */
export type Load = (paths: readonly SkillPath[]) => AsyncIterable<readonly Loaded[]>;

/** Reads skills from the paths that `places` names, each as one of the path that it has there. */
export async function* loadAt(
  load: Load,
  places: ReadonlyMap<SkillPath, SkillPath>,
): AsyncGenerator<readonly Loaded[]> {
  const asked = new Map([...places].map(([path, place]) => [place, path]));
  for await (const batch of load([...asked.keys()])) {
    yield batch.map((loaded) => ({ ...loaded, path: asked.get(loaded.path) ?? loaded.path }));
  }
}

/** The problem of what was not done since a run was interrupted: one, so that it is said once. */
export const interrupted: Problem = { reason: 'interrupted' };

/** The problem of what was not done because another change was refused. */
export const notWhole: Problem = { reason: 'left-with-others' };

/** A side of the sync. */
export interface Replica {
  /** Rejects with the signal's reason soon after it is aborted. */
  snapshot(signal?: AbortSignal): Promise<Snapshot>;
  /** Whoever asks for no further batch ends it, and nothing stays open. */
  load: Load;
  /**
   * Carries out changes, their contents read by `source`. Each `before` is checked again first, and each
   * content against `after.digest`: a change that the world overtook is refused, and the others go on. Once
   * `signal` is aborted, what is under way is finished or rolled back, and the rest is {@link interrupted}.
   */
  apply<C extends Change>(
    changes: readonly C[],
    source: Load,
    signal?: AbortSignal,
  ): Promise<readonly Result<C>[]>;
}

/** What a run may take long for. */
export type Step = 'read' | 'show' | 'store' | 'write';

/** Hears how far a step has come, in skills. */
export type OnProgress = (step: Step, done: number, total: number) => void;

/** The skills directory's snapshot. */
export interface FilesSnapshot extends Snapshot {
  /** What ignore rules leave out: files, and folders with all below them; relative to the skills directory. */
  readonly dropped: readonly string[];
}

/** Tells whether a file is executable by its path in the skills directory, where its mode cannot. */
export type IsExecutable = (file: string) => Promise<boolean>;

/** The skills directory as a side of the sync. */
export interface FilesReplica extends Replica {
  snapshot(signal?: AbortSignal, onProgress?: OnProgress): Promise<FilesSnapshot>;
  /** Where skills stand now, without reading them. */
  list(signal?: AbortSignal): Promise<{ readonly paths: readonly SkillPath[] }>;
  /** Takes files for content that ignore rules would drop, since the other side holds them. */
  hold(files: readonly string[]): void;
  /**
   * From now on a file is executable where `isExecutable` says so, whatever its mode: the file system keeps no
   * executable bits. What is written after this is as it was written.
   */
  takeBits(isExecutable: IsExecutable): void;
  /** When each skill's files were last changed, by this machine's clock or that of a commit. */
  changedAt(paths: readonly SkillPath[]): Promise<ReadonlyMap<SkillPath, Date>>;
}

/** Which sides a run may change: the database, the files, or both. */
export type Direction = 'export' | 'import' | 'sync';

/** Who runs what where: what the database keeps of a run that writes. */
export interface RunStart {
  readonly direction: Direction | 'restore' | 'undo';
  readonly who: string;
  readonly host: string;
  /** The skills directory, absolute; empty where the run concerns none. */
  readonly directory: string;
  /** HEAD, and its branch, where git knows the skills directory. */
  readonly commit?: string;
  readonly branch?: string;
  /** The run that this one takes back. */
  readonly undoes?: number;
}

/** A run as its record has it. */
export interface RecordedRun extends NamedRun {
  readonly direction: RunStart['direction'];
}

/** What a run did to a skill on one side. */
export interface RecordedChange {
  readonly side: 'database' | 'files';
  /** Where the run left the skill, and where it found it. */
  readonly path: SkillPath;
  readonly formerly: SkillPath;
  readonly skillId: number | null;
  /** What the side held before and after, and what both sides had agreed on before; null is nothing. */
  readonly before: Digest | null;
  readonly after: Digest | null;
  readonly agreed: Digest | null;
  /** The revision that its row had before. */
  readonly revision: number | null;
}

/** A state that a skill had: the revision, or where nobody knows that, the latest of this digest. */
export interface PastState {
  readonly skillId: number;
  readonly digest: Digest;
  readonly revision: number | null;
}

/** The database's snapshot. */
export interface DatabaseSnapshot extends Snapshot {
  /** Paths whose digest had to be computed, since another writer made or changed the row. */
  readonly unsettled: ReadonlySet<SkillPath>;
  /** Paths that another version of the parser or of the taxonomy mapping indexed. */
  readonly outdated: ReadonlySet<SkillPath>;
  /** Paths of rows for which no sync ever stored a text, as those of an adopted database. */
  readonly textless: ReadonlySet<SkillPath>;
}

/** One revision of one skill, by which a history is told from another that took its place. */
export interface RevisionMark {
  readonly skillId: number;
  readonly revision: number;
  /** When it was made, as text; null where nobody knows. */
  readonly revisedAt: string | null;
}

/** Where a revision was seen: a commit of a repository, which its root commit tells, and a directory in it. */
export interface CommitPlace {
  readonly repository: string;
  readonly directory: string;
  readonly commit: string;
}

/** A revision that git knows from a commit. */
export interface NotedRevision {
  readonly path: SkillPath;
  readonly skillId: number;
  readonly revision: number;
  /** Null where the skill was deleted. */
  readonly digest: Digest | null;
  readonly commit: string;
  /** Whether the files were as the commit has them. */
  readonly clean: boolean;
}

/** A skill that a repository may hold; with a time, in the state that only commits made after it can have from here. */
export interface Held {
  readonly path: SkillPath;
  readonly since: Date | null;
}

/** What a repository ever held, up to where it is checked out. */
export interface Holder {
  /** Those of the paths where it held a skill, and changed it after the time that is named. */
  everHeld<T extends Held>(asked: readonly T[]): Promise<readonly T[]>;
  /**
   * Whether it held each of the skill's files, at its path. With a time: whether a commit made after that brought the
   * skill to just these files.
   */
  holds(skill: Skill, since: Date | null): Promise<boolean>;
}

/** One way in which the executable bits of a skill's files stood, at one time or another. */
export interface PastBits {
  readonly path: SkillPath;
  /** The files that were executable, relative to the skill. */
  readonly executable: readonly string[];
  /** What the skill held meanwhile. */
  readonly digests: readonly Digest[];
}

/** A row as its bytes have it, and what else the database notes of it that is not so. */
export interface VerifiedRow {
  readonly skillId: number;
  readonly loaded: Loaded;
  /** Whether the noted digest of the skill is that of what its row holds; true where none is noted. */
  readonly hasItsDigest: boolean;
  /** Attached files whose noted SHA-256 is not theirs. */
  readonly mischecked: readonly string[];
  /** Those whose noted size is not theirs. */
  readonly missized: readonly string[];
  /** Columns and relations that say otherwise than the sync wrote, or than the document says, though nobody edited them. */
  readonly columns: readonly string[];
}

/** What the history does not hold as it says. */
export type HistoryFault =
  | {
      readonly what: 'revision';
      readonly path: string;
      readonly revision: number;
      /** `contents`: some are missing. `digest`: they make another than the noted one. */
      readonly why: 'contents' | 'digest';
    }
  | { readonly what: 'blob'; readonly sha256: string };

/** A table that does not say what others do, of a skill's path, a category's path or a tag. */
export interface FollowingFault {
  readonly what: 'dependency_closure' | 'taxonomy_closure' | 'tag_stats';
  readonly of: string;
}

/** What does not follow from what it is made of. */
export type DerivedFault =
  | FollowingFault
  /** A deleted skill that is not what the history says it was, or is there again though nobody took it back. */
  | { readonly what: 'deleted'; readonly path: string; readonly skillId: number };

/** A part of the history: how much of it was read, and what is wrong with it. */
export interface VerifiedHistory {
  readonly revisions: number;
  readonly blobs: number;
  readonly faults: readonly HistoryFault[];
}

/** One thing in which the two sides, or what the database says of itself, are not equal. */
export type Difference =
  | { readonly what: 'skill'; readonly path: string; readonly missing: 'files' | 'database' }
  | {
      readonly what: 'document' | 'file' | 'executable';
      readonly path: string;
      readonly file: string;
      /** The side that holds no such file. */
      readonly missing?: 'files' | 'database';
      /** The sides that left what both last agreed on, where that is known. */
      readonly edited: readonly ('files' | 'database')[];
    }
  | { readonly what: 'column'; readonly path: string; readonly column: string }
  /** Of the skill, or of one of its files. */
  | { readonly what: 'digest'; readonly path: string; readonly file?: string }
  /** Of an attached file. */
  | { readonly what: 'size'; readonly path: string; readonly file: string }
  | DerivedFault
  | HistoryFault;

/** The database as a side of the sync: a replica that also remembers. */
export interface DatabaseReplica extends Replica {
  snapshot(signal?: AbortSignal): Promise<DatabaseSnapshot>;
  /** @param isWhole whether nothing is to be done where one change is refused: the others are {@link notWhole} then */
  apply<C extends Change>(
    changes: readonly C[],
    source: Load,
    signal?: AbortSignal,
    isWhole?: boolean,
  ): Promise<readonly Result<C>[]>;
  /** Runs `work`, which writes nothing here: all that it reads here is of one moment. */
  inView<T>(work: () => Promise<T>): Promise<T>;
  /** The database's own id, and its latest revision: both tell a restored or copied database. */
  identity(): Promise<{ readonly id: string; readonly latest: RevisionMark | null }>;
  /** Whether the history still has a revision that it had. */
  remembers(mark: RevisionMark): Promise<boolean>;
  /**
   * The revisions of these skills, at these paths, that some commit of a repository's directory knows. A skill
   * without a key is looked for by its path, also among those that are gone.
   */
  notedRevisions(
    place: Omit<CommitPlace, 'commit'>,
    asked: readonly { readonly path: SkillPath; readonly skillId: number | null }[],
  ): Promise<readonly NotedRevision[]>;
  /**
   * The latest revision in which each of these skills was deleted at its path, or another one stood there that is gone
   * from it; none of those for which neither was.
   */
  lastDeletions(
    asked: readonly { readonly path: SkillPath; readonly skillId: number }[],
  ): Promise<ReadonlyMap<SkillPath, number>>;
  /**
   * Of each skill the newest revision, after the one that is named, that a repository holds. One that the database
   * made is held by later commits alone: what stood in the files before may be the same by force, or restored.
   */
  newestHeld(
    asked: readonly { readonly path: SkillPath; readonly skillId: number | null; readonly after: number }[],
    holder: Holder,
  ): Promise<ReadonlyMap<SkillPath, Digest>>;
  /**
   * Notes that a commit knows revisions. One that the database made is known only to later commits: what stood
   * in the files before may be the same by force.
   *
   * @param at when the commit was made
   */
  noteCommits(
    place: CommitPlace,
    at: Date,
    notes: readonly { readonly skillId: number; readonly revision: number; readonly clean: boolean }[],
  ): Promise<void>;
  /** Those of the asked paths whose history holds the digest asked for. */
  findPast(
    asked: readonly { readonly path: SkillPath; readonly skillId: number; readonly digest: Digest }[],
  ): Promise<ReadonlySet<SkillPath>>;
  /**
   * Reads skills as they were, in bounded batches; of what the history does not know there is nothing, and what it
   * gave up is `revision-pruned`.
   */
  loadPast(asked: readonly (PastState & { readonly path: SkillPath })[]): AsyncIterable<readonly Loaded[]>;
  /**
   * Lets rows without a stored text take that of the files, where these say nothing against them: from then on
   * they count as having it. Writes nothing.
   *
   * @returns what the rows at those of the paths hold then; the others hold what they held
   */
  takeTexts(paths: readonly SkillPath[], source: Load): Promise<ReadonlyMap<SkillPath, Digest>>;
  /**
   * The files that rows hold, relative to the skills directory: of each skill those at or below a path within
   * it, or all where that is ''.
   */
  storedFiles(
    asked: readonly { readonly path: SkillPath; readonly within: string }[],
  ): Promise<readonly string[]>;
  /**
   * Whether the files of rows are executable, by paths relative to the skills directory. A row for which no sync
   * ever stored a text says it only of those that are: its writer may know nothing of executable bits.
   */
  executableBits(): Promise<ReadonlyMap<string, boolean>>;
  /**
   * All ways in which the executable bits of skills stood in the history, at these paths, the latest first. A
   * skill without a key is looked for by its path, also among those that are gone.
   */
  pastBits(
    asked: readonly { readonly path: SkillPath; readonly skillId: number | null }[],
  ): Promise<readonly PastBits[]>;
  /**
   * When each row was last changed, and what the database's clock says now. What came from files changed when
   * they did.
   */
  changedAt(
    paths: readonly SkillPath[],
  ): Promise<{ readonly now: Date; readonly times: ReadonlyMap<SkillPath, Date> }>;
  /** Begins the record of a run that writes; what `apply` replaces and logs belongs to it until it ends. Returns its number. */
  beginRun(run: RunStart): Promise<number>;
  /** Notes that a run found nothing to do; not each one, where they come often and leave as many conflicts. */
  noteIdleRun(run: RunStart, counts: { readonly conflicts: number }): Promise<void>;
  endRun(counts: { readonly [name: string]: number }, error: string | null): Promise<void>;
  /** Keeps files in the history before a run overwrites them; refused where they moved on. */
  keep<C extends Change>(changes: readonly C[], source: Load): Promise<readonly Result<C>[]>;
  /** Gives what tells what the database would make of a skill that comes to it. Writes nothing. */
  reader(): Promise<(skill: Skill) => Reading>;
  /**
   * Takes note that the files hold what these rows were found to hold, so that nobody computes it again.
   *
   * @param former where rows that someone else renamed stood before
   */
  settle(
    states: ReadonlyMap<SkillPath, SkillState>,
    source: Load,
    former: ReadonlyMap<SkillPath, SkillPath>,
  ): Promise<void>;
  /** The keys of the skills that stood at these paths last, those that stand there now apart. */
  formerKeys(paths: readonly SkillPath[]): Promise<ReadonlyMap<SkillPath, number>>;
  /** Brings right what {@link verifyDerived} would tell of, and writes nothing else. */
  mendDerived(): Promise<void>;
  /** What the skills that this run's changes brought name in vain. */
  unresolved(): Promise<readonly Notice[]>;
  /**
   * A run, and what it did, in order: by its number, or the latest that did anything and is neither an undo nor taken
   * back. Undefined where there is none. What a run of an older version did is not known in such detail: null.
   */
  recordedRun(
    id: number | null,
  ): Promise<{ readonly run: RecordedRun; readonly changes: readonly RecordedChange[] | null } | undefined>;
  /** Reads rows that the last snapshot saw anew, in bounded batches, in the order asked for. Trusts no noted digest. */
  verifyRows(paths: readonly SkillPath[]): AsyncIterable<readonly VerifiedRow[]>;
  /**
   * Holds what follows from other tables against them. What the next sync brings up to date is no fault.
   *
   * @param told skills of which it was told that their values are not what they should be
   */
  verifyDerived(told: ReadonlySet<number>): AsyncIterable<DerivedFault>;
  /**
   * Reads the whole history, in bounded batches. What follows from a fault alone is not told of beside it.
   *
   * @param damaged skills whose rows do not hold what they did: contents of theirs may be missing by that
   */
  verifyHistory(damaged: ReadonlySet<number>): AsyncIterable<VerifiedHistory>;
  /** Notes what became of changes to the files. */
  log(results: readonly Result[]): Promise<void>;
}

/** How much of a replica's content is in memory at once: skills, and bytes unless one skill alone has more. */
const batchLimits = { skills: 200, bytes: 8 * 1024 * 1024 };

/** Cuts `items` into batches within {@link batchLimits}, in their order. */
export function* batchesOf<T>(items: readonly T[], bytesOf: (item: T) => number): Generator<readonly T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = bytesOf(item);
    if (batch.length > 0 && (batch.length === batchLimits.skills || bytes + more > batchLimits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

/** Hands out what a load yields one by one: only one batch of it is in memory. */
export async function* oneByOne(batches: AsyncIterable<readonly Loaded[]>): AsyncGenerator<Loaded> {
  for await (const batch of batches) yield* batch;
}

/** Gathers what comes one by one: whoever stores it does so batch by batch. */
export async function* gathered(loads: AsyncIterable<Loaded>): AsyncGenerator<readonly Loaded[]> {
  let batch: Loaded[] = [];
  let bytes = 0;
  for await (const loaded of loads) {
    batch.push(loaded);
    if ('skill' in loaded) for (const entry of loaded.skill.entries) bytes += entry.bytes.length;
    if (batch.length < batchLimits.skills && bytes < batchLimits.bytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Reads a batch while the one before it is worked on: two of them are in memory. */
export async function* readAhead(
  batches: AsyncIterable<readonly Loaded[]>,
): AsyncGenerator<readonly Loaded[]> {
  const iterator = batches[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (let batch = await next; !batch.done; batch = await next) {
      next = iterator.next();
      // Whoever asks for it is told; until then nobody listens.
      next.catch(() => {});
      yield batch.value;
    }
  } finally {
    await iterator.return?.();
  }
}

// The skills directory as a replica: start reading the folder here.

import { answer, codeOf, type Disk } from '../disk.ts';
import { NamedPaths, type Notice } from '../notice.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import {
  batchesOf,
  type Change,
  type FilesReplica,
  type FilesSnapshot,
  type IsExecutable,
  type Load,
  type Loaded,
  type OnProgress,
  type Result,
  type SkillState,
  type Unreadable,
} from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import { compareBytes, foldersAbove, type SkillPath } from '../skill/path.ts';
import { Above } from './above.ts';
import { applyChanges } from './apply.ts';
import { mapBounded, skillsAtOnce } from './bounded.ts';
import { type ReadDocument, readDocumentAt } from './document.ts';
import { baseRules } from './ignore.ts';
import { readJournal } from './journal.ts';
import { KnownBits, withoutModes } from './known-bits.ts';
import { findLeftovers, type Leftovers } from './leftovers.ts';
import type { Library } from './library.ts';
import type { Limits } from './limits.ts';
import { kindOf } from './list.ts';
import { findSkill, lastChange, type MeasuredSkill, measureSkill, readSkill } from './read.ts';
import { recover } from './recover.ts';
import { scanTree } from './scan.ts';
import { ScanCache } from './scan-cache.ts';
import type { Replacement } from './steps.ts';
import { keptDays, Trash } from './trash.ts';
import type { Applying, Unfinished } from './wave.ts';

export interface DirectoryOptions {
  /** The skills directory, as it was named. It may be a link itself. */
  readonly root: string;
  readonly disk: Disk;
  /** Patterns in gitignore's syntax, relative to the skills directory. */
  readonly ignore: readonly string[];
  readonly limits: Limits;
  /** The folder that removed skills go to, absolute and outside the skills directory. */
  readonly trash: string;
  /** The file of what is known of skills that did not change since; without it each is read. */
  readonly cache?: string;
}

/** What stands in a skills directory. */
export interface Listing {
  readonly paths: readonly SkillPath[];
  readonly unreadable: readonly Unreadable[];
  readonly notices: readonly Notice[];
}

/** Skills with more bytes are read one by one, which bounds the memory. */
const largeBytes = 8 * 1024 * 1024;

/**
 * Opens the skills directory. Problems: `skills-directory-not-found`, `skills-directory-is-a-file`,
 * `skills-directory-unreadable`, `ignore-rule-not-allowed`.
 */
export async function openDirectory(options: DirectoryOptions): Promise<Outcome<Directory>> {
  const { root: directory, disk, limits } = options;
  const held = new Set<string>();
  const rules = baseRules(options.ignore, (path) => held.has(path));
  if (!rules.ok) return rules;
  try {
    const root = await answer(disk.realpath(directory), 'ENOENT', 'ENOTDIR');
    if (!root.ok) return refuse({ reason: 'skills-directory-not-found', directory });
    const kind = kindOf(await disk.lstat(root.value));
    return kind === 'folder'
      ? {
          ok: true,
          value: new Directory(
            { root: root.value, disk, rules: rules.value, limits },
            new Trash(disk, options.trash),
            held,
            options.cache,
          ),
        }
      : refuse({ reason: 'skills-directory-is-a-file', directory });
  } catch (error) {
    return refuse({ reason: 'skills-directory-unreadable', directory, code: codeOf(error) });
  }
}

export class Directory implements FilesReplica {
  #library: Library;
  readonly #trash: Trash;
  readonly #unfinished: Unfinished = new Map();
  /** Whether what the journal held was carried out, but for what is unfinished. */
  #isRecovered = false;
  readonly #held: Set<string>;
  readonly #cacheFile: string | undefined;

  /** @param held what `library.rules` do not reach; grows with {@link hold} */
  constructor(library: Library, trash: Trash, held: Set<string>, cacheFile?: string) {
    this.#library = library;
    this.#trash = trash;
    this.#held = held;
    this.#cacheFile = cacheFile;
  }

  /** The skills directory's real path. */
  get root(): string {
    return this.#library.root;
  }

  /** Where the files of skills are that this removed. */
  get trash(): string {
    return this.#trash.folder;
  }

  /** From now on no ignore rule reaches these files, as in git those that it tracks. */
  hold(files: readonly string[]): void {
    for (const file of files) for (const path of [...foldersAbove(file), file]) this.#held.add(path);
  }

  /**
   * Goes on with what a run that was killed had begun. Only for who holds the lock of this directory. Refuses with
   * `journal-unreadable`, `skills-directory-unreadable`.
   */
  async recover(): Promise<Outcome<readonly Notice[]>> {
    try {
      const finished = await recover(this.#applying());
      if (!finished.ok) return finished;
      this.#isRecovered = true;
      const named = new NamedPaths();
      for (const path of finished.value) named.add(path);
      return { ok: true, value: named.as('finished') };
    } catch (error) {
      return refuse({ reason: 'skills-directory-unreadable', directory: this.root, code: codeOf(error) });
    }
  }

  /** What killed runs left here. Refuses with `journal-unreadable`, `skills-directory-unreadable`. */
  async leftovers(): Promise<Outcome<Leftovers>> {
    try {
      return await findLeftovers(this.#library);
    } catch (error) {
      return refuse({ reason: 'skills-directory-unreadable', directory: this.root, code: codeOf(error) });
    }
  }

  /**
   * Deletes what was removed long ago, by this machine's clock and by another.
   *
   * @param byAnother asked where there is something to delete
   */
  async emptyTrash(byAnother: () => Promise<Date>): Promise<readonly Notice[]> {
    const count = await this.#trash.empty(new Date(), byAnother);
    return count > 0 ? [{ notice: 'trash-emptied', count, days: keptDays }] : [];
  }

  /** The skills that stand here, in byte order of their paths, without reading them. */
  async list(signal?: AbortSignal): Promise<Listing> {
    const { skills, unreadable, notices } = await scanTree(this.#library, signal);
    return { paths: [...skills.keys()], unreadable, notices };
  }

  takeBits(isExecutable: IsExecutable): void {
    const { disk, ...library } = this.#library;
    this.#library = { ...library, disk: withoutModes(disk), bits: new KnownBits(isExecutable) };
  }

  async snapshot(signal?: AbortSignal, onProgress?: OnProgress): Promise<FilesSnapshot> {
    const halfWritten = await this.#halfWritten();
    const tree = await scanTree(this.#library, signal);
    const cache = await this.#openCache();
    const large: Found[] = [];
    let done = 0;
    const told = <S>(state: S): S => {
      onProgress?.('read', ++done, tree.skills.size);
      return state;
    };
    const read = async (found: Found) => told(await this.#digest(found, cache));
    const small = await mapBounded([...tree.skills], skillsAtOnce, async ([path, files]) => {
      signal?.throwIfAborted();
      const found: Found = { path, skill: await measureSkill(this.#library, path, files) };
      const known = found.skill.ok ? cache?.digestOf(path, found.skill.value.files) : undefined;
      if (known) return told({ path, state: { ok: true, value: { digest: known } } as const });
      if (bytesOf(found) <= largeBytes) return read(found);
      large.push(found);
      return undefined;
    });
    const states = small.filter((one) => one !== undefined);
    for (const found of large) {
      signal?.throwIfAborted();
      states.push(await read(found));
    }
    if (this.#isRecovered) await cache?.save();
    const skills = new Map<SkillPath, SkillState>();
    const unreadable: Unreadable[] = [...tree.unreadable, ...halfWritten];
    for (const { path, state } of states.sort((a, b) => compareBytes(a.path, b.path))) {
      if (state.ok) skills.set(path, state.value);
      else unreadable.push({ path, below: false, problem: state.problem });
    }
    for (const { path, problem } of halfWritten) {
      skills.delete(path as SkillPath);
      // Until its document stands, a skill's files count as those of the skill above it.
      for (const above of foldersAbove(path) as readonly SkillPath[]) {
        if (skills.delete(above)) unreadable.push({ path: above, below: false, problem });
      }
    }
    return { skills, unreadable, notices: tree.notices, dropped: tree.dropped };
  }

  /** Skills of which only a part may be in place: what stands there is nobody's edit. */
  async #halfWritten(): Promise<readonly Unreadable[]> {
    if (this.#isRecovered) {
      return [...this.#unfinished.values()].flatMap(({ replacement, problem }) =>
        placesOf(replacement).map((path) => ({ path, below: false, problem })),
      );
    }
    try {
      const journal = await readJournal(this.#library);
      if (!journal.ok) return [{ path: '', below: true, problem: journal.problem }];
      const { holding } = journal.value;
      const [first] = holding;
      if (first === undefined) return [];
      // One problem, that is said once.
      const problem: Problem = { reason: 'write-interrupted', path: first.path, count: holding.length };
      return holding.flatMap(placesOf).map((path) => ({ path, below: false, problem }));
    } catch (error) {
      const problem = { reason: 'folder-unreadable', path: '.', code: codeOf(error) } as const;
      return [{ path: '', below: true, problem }];
    }
  }

  #applying(): Applying {
    return { library: this.#library, trash: this.#trash, unfinished: this.#unfinished };
  }

  /** Reads the folders of the skills that are asked for, and nothing else of the skills directory. */
  load: Load = (paths) => this.#load(paths);

  async *#load(paths: readonly SkillPath[]): AsyncGenerator<readonly Loaded[]> {
    for (const some of batchesOf(paths, () => 0)) {
      const above = new Above(this.#library);
      const found = await mapBounded(some, skillsAtOnce, (path) => this.#find(path, above));
      for (const batch of batchesOf(found, bytesOf)) {
        yield await mapBounded(batch, skillsAtOnce, (one) => this.#read(one));
      }
    }
  }

  /** Reads the documents of the skills that are asked for, a few at a time, and no other file of theirs. */
  async *documents(
    paths: readonly SkillPath[],
  ): AsyncGenerator<{ readonly path: SkillPath; readonly document: Outcome<ReadDocument> }> {
    for (let at = 0; at < paths.length; at += skillsAtOnce) {
      yield* await mapBounded(paths.slice(at, at + skillsAtOnce), skillsAtOnce, async (path) => ({
        path,
        document: await readDocumentAt(this.#library, path),
      }));
    }
  }

  async changedAt(paths: readonly SkillPath[]): Promise<ReadonlyMap<SkillPath, Date>> {
    const above = new Above(this.#library);
    const found = await mapBounded(paths, skillsAtOnce, (path) => this.#find(path, above));
    return new Map(
      found.flatMap(({ path, skill }) => (skill.ok ? [[path, lastChange(skill.value)] as const] : [])),
    );
  }

  apply<C extends Change>(
    changes: readonly C[],
    source: Load,
    signal?: AbortSignal,
  ): Promise<readonly Result<C>[]> {
    return applyChanges(this.#applying(), changes, source, signal);
  }

  async #find(path: SkillPath, above: Above): Promise<Found> {
    const found = await findSkill(this.#library, path, above);
    if (!found.ok) return { path, skill: found };
    const { skill } = found.value;
    return {
      path,
      skill: skill === null ? refuse({ reason: 'skill-not-found', path }) : { ok: true, value: skill },
    };
  }

  async #read({ path, skill }: Found): Promise<Loaded> {
    const read = skill.ok ? await readSkill(this.#library, skill.value) : skill;
    return read.ok ? { path, skill: read.value.skill } : { path, problem: read.problem };
  }

  /** Where modes say nothing of executable bits, a file may become executable and look as it did. */
  async #openCache(): Promise<ScanCache | undefined> {
    const { disk, bits } = this.#library;
    return this.#cacheFile && !bits ? ScanCache.open(disk, this.#cacheFile) : undefined;
  }

  async #digest({ path, skill }: Found, cache: ScanCache | undefined): Promise<Digested> {
    if (this.#isRecovered) await cache?.begin();
    const read = skill.ok ? await readSkill(this.#library, skill.value) : skill;
    if (!read.ok) return { path, state: read };
    const digest = digestSkill(read.value.skill);
    await cache?.keep(
      path,
      [...read.value.stats].map(([path, stat]) => ({ path, stat })),
      digest,
    );
    return { path, state: { ok: true, value: { digest } } };
  }
}

/** Where a replacement changes files. */
function placesOf({ path, leaves }: Replacement): readonly SkillPath[] {
  return leaves ? [path, leaves.path] : [path];
}

interface Found {
  readonly path: SkillPath;
  readonly skill: Outcome<MeasuredSkill>;
}

/** What a skill holds, or why nobody can tell. */
interface Digested {
  readonly path: SkillPath;
  readonly state: Outcome<SkillState>;
}

function bytesOf({ skill }: Found): number {
  return skill.ok ? skill.value.bytes : 0;
}

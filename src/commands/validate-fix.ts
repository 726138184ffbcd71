// `validate --fix`: mends skills before they are judged, in their files or, in a dry run, in memory alone.

import type { Directory, Listing } from '../directory/directory.ts';
import { answer, type Disk } from '../disk.ts';
import type { Outcome, Problem } from '../problem.ts';
import type { Change, Load, Loaded } from '../replica.ts';
import type { FixReport, MendedSkill } from '../report/validation-fixes.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import { makeSkill, type Skill } from '../skill/skill.ts';
import { lockDirectory } from '../sync/directory-lock.ts';
import type { Finding } from '../validation/finding.ts';
import { readSubject } from '../validation/subject.ts';
import type { Judge } from './skill-check.ts';

export interface FixingOptions {
  readonly disk: Disk;
  readonly isDryRun: boolean;
  readonly lockTimeoutMs: number;
  readonly report: FixReport;
  readonly signal: AbortSignal;
  /** Which findings are to be mended. */
  readonly takes: (finding: Finding) => boolean;
  /** Opens the skills directory at a real path, to write to it. */
  readonly open: (root: string) => Promise<Outcome<Directory>>;
  readonly onWait: (holder: string) => void;
  readonly onNotices: (notices: Listing['notices']) => void;
}

/** Where skills that are loaded have their files. */
export interface Home {
  /** The skills directory: its lock keeps syncs out, and its journal tells them of what was killed half-way. */
  readonly root: string;
  /** What comes before their paths there: '', or a path and a slash. */
  readonly prefix: string;
}

/** A way to mend skills: how they are judged, where they stand, and where that is from the working directory. */
export interface Site extends Judge {
  readonly home: Home;
  readonly placed: (finding: Finding) => MendedSkill['fixed'][number];
  readonly placeOf: (path: SkillPath) => string;
}

interface Writable {
  readonly directory: Directory;
  readonly release: () => Promise<void>;
  /** What was last seen of the executable bits of files, where they have no modes. */
  readonly bits: Map<string, boolean>;
}

/** Skills directories whose skills are mended, each locked until {@link end}. */
export class Fixing {
  readonly #options: FixingOptions;
  readonly #homes = new Map<string, Writable>();

  constructor(options: FixingOptions) {
    this.#options = options;
  }

  /**
   * Takes a skills directory for this run alone, and brings to an end what a killed one began. A dry run takes none.
   *
   * @param keepsModes whether its files' modes tell which are executable
   * @returns whether what stands there may be other than it was before
   */
  async begin({ root }: Home, keepsModes: boolean): Promise<Outcome<boolean>> {
    const { isDryRun, disk, lockTimeoutMs, signal, onWait, onNotices, open } = this.#options;
    if (isDryRun || this.#homes.has(root)) return { ok: true, value: false };
    let hasWaited = false;
    const lock = await lockDirectory(
      disk,
      root,
      lockTimeoutMs,
      (holder) => {
        hasWaited = true;
        onWait(holder);
      },
      signal,
    );
    if (!lock.ok) return lock;
    const opened = await open(root);
    const recovered = opened.ok ? await opened.value.recover() : opened;
    if (!opened.ok || !recovered.ok) {
      await lock.value.release();
      return opened.ok ? (recovered as Outcome<never>) : opened;
    }
    const bits = new Map<string, boolean>();
    if (!keepsModes) opened.value.takeBits(async (file) => bits.get(file) ?? false);
    this.#homes.set(root, { directory: opened.value, release: () => lock.value.release(), bits });
    onNotices(recovered.value);
    return { ok: true, value: hasWaited || recovered.value.length > 0 };
  }

  /** Lets go of all skills directories. */
  async end(): Promise<void> {
    for (const { release } of this.#homes.values()) await release();
  }

  /** The skills that are loaded, each as it is once it is mended. */
  async *mending(loads: AsyncIterable<readonly Loaded[]>, site: Site): AsyncGenerator<readonly Loaded[]> {
    for await (const batch of loads) {
      const mended: Mended[] = [];
      for (const loaded of batch) {
        const one = 'skill' in loaded ? await this.#mend(loaded.skill, site) : undefined;
        if (one !== undefined) mended.push(one);
      }
      const done = mended.length === 0 ? new Map<string, Skill>() : await this.#takeOver(mended, site);
      yield batch.map((loaded) => {
        const skill = done.get(loaded.path);
        return skill === undefined ? loaded : { path: loaded.path, skill };
      });
    }
  }

  async #mend(before: Skill, { validation, around }: Site): Promise<Mended | undefined> {
    const read = readSubject(before);
    // What keeps it from being read is found when it is judged.
    if (!read.ok) return undefined;
    const { subject, fixed } = validation.mended(read.value, await around(read.value), this.#options.takes);
    return fixed.length === 0 ? undefined : { before, after: makeSkill(before.path, subject.entries), fixed };
  }

  /** Writes what was mended, and gives what is as it shall be. */
  async #takeOver(mended: readonly Mended[], site: Site): Promise<ReadonlyMap<string, Skill>> {
    const { report, isDryRun, disk } = this.#options;
    const { home, placed, placeOf } = site;
    const done = new Map<string, Skill>();
    const writable: Mended[] = [];
    for (const one of mended) {
      const problem = await whyNotWritable(disk, home, one);
      if (problem === undefined) writable.push(one);
      else report.failed(problem);
    }
    const refused = isDryRun ? new Map<string, Problem>() : await this.#write(writable, home);
    for (const { before, after, fixed } of writable) {
      const problem = refused.get(after.path);
      if (problem === undefined) {
        done.set(after.path, after);
        report.mended({ place: placeOf(after.path), before, after, fixed: fixed.map(placed) });
      } else report.failed(problem);
    }
    return done;
  }

  /** Returns why skills were not written, by their paths. */
  async #write(mended: readonly Mended[], home: Home): Promise<ReadonlyMap<string, Problem>> {
    const writable = this.#homes.get(home.root);
    if (writable === undefined) throw new Error(`not begun: ${home.root}`);
    const { directory, bits } = writable;
    const skills = new Map<SkillPath, Skill>();
    const changes: Change[] = [];
    for (const { before, after } of mended) {
      const path = pathAt(home, before.path);
      const wanted = makeSkill(path, after.entries);
      for (const entry of before.entries) bits.set(`${path}/${entry.path}`, entry.executable);
      // Rules of folders above may leave out what was judged as a part of it.
      directory.hold(before.entries.map((entry) => `${path}/${entry.path}`));
      skills.set(path, wanted);
      changes.push({ path, before: { digest: digestSkill(before) }, after: { digest: digestSkill(wanted) } });
    }
    const refused = new Map<string, Problem>();
    for (const result of await directory.apply(changes, loadOf(skills), this.#options.signal)) {
      if (!result.ok) refused.set(result.change.path.slice(home.prefix.length), result.problem);
    }
    return refused;
  }
}

/** A skill as it was loaded, and as it is mended. */
interface Mended extends Pick<MendedSkill, 'before' | 'after'> {
  readonly fixed: readonly Finding[];
}

function pathAt({ prefix }: Home, path: string): SkillPath {
  return `${prefix}${path}` as SkillPath;
}

function loadOf(skills: ReadonlyMap<SkillPath, Skill>): Load {
  return async function* (paths) {
    yield paths.map((path): Loaded => {
      const skill = skills.get(path);
      return skill ? { path, skill } : { path, problem: { reason: 'skill-not-found', path } };
    });
  };
}

/** Whoever takes everybody's right to write from a file means it, though a file beside it could take its place. */
async function whyNotWritable(
  disk: Disk,
  home: Home,
  { before, after }: Mended,
): Promise<Problem | undefined> {
  const path = pathAt(home, before.path);
  for (const entry of before.entries) {
    if (after.entries.includes(entry)) continue;
    const seen = await answer(disk.lstat(`${home.root}/${path}/${entry.path}`));
    // What is gone meanwhile is found when it is written.
    if (seen.ok && (seen.value.mode & 0o222n) === 0n) {
      return { reason: 'cannot-write', path, file: entry.path, code: 'EACCES' };
    }
  }
  return undefined;
}

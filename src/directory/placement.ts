// Carries out a skill's steps: each file renamed into place, or gone, if it still is what the step expects.

import type { BigIntStats } from 'node:fs';
import { answer, type OpenFile, openNew } from '../disk.ts';
import { foldersAbove, type SkillPath } from '../skill/path.ts';
import type { Entry } from '../skill/skill.ts';
import { Folders } from './folders.ts';
import { isBelow, join, type Library, parentOf, placeOf } from './library.ts';
import { kindAt, listFolder } from './list.ts';
import type { Replacement, Step } from './steps.ts';
import type { Trash } from './trash.ts';

/**
 * What stands where a step's file goes: what the system says of it, null for nothing; or `changed`, where it is
 * not what the step expects, or `taken`, where the step was taken before.
 */
export type Found = BigIntStats | null | 'changed' | 'taken';

/** Looks at a step's file, that of a skill. */
export type Look = (step: Step, skill: SkillPath) => Promise<Found>;

/** One skill's files, on their way into place. One user at a time; `close` it. */
export class Placement {
  readonly replacement: Replacement;
  readonly folders: Folders;
  #hasBegun = false;
  readonly #library: Library;
  readonly #trash: Trash;
  /** The skill where it stood before. */
  readonly #left: Placement | undefined;

  constructor(
    library: Library,
    trash: Trash,
    replacement: Replacement,
    folders: Folders = new Folders(library),
  ) {
    this.replacement = replacement;
    this.folders = folders;
    this.#library = library;
    this.#trash = trash;
    const { leaves } = replacement;
    this.#left = leaves && new Placement(library, trash, { ...leaves, removed: true }, folders);
  }

  /** Whether a file was put in place, or went: there is no way back then. */
  get hasBegun(): boolean {
    return this.#hasBegun || this.#left?.hasBegun === true;
  }

  /**
   * Writes and flushes an entry's bytes where its step says.
   *
   * @returns what the system says of the file now
   */
  async stage(staged: string, entry: Entry, replaced: BigIntStats | undefined): Promise<BigIntStats> {
    const { disk } = this.#library;
    const file = await disk.open(await this.folders.placeOf(staged), openNew, 0o666);
    try {
      // Owner and mode come before the first byte: a private file's new content is never open to others.
      if (replaced || entry.executable) await dress(file, replaced, entry.executable);
      await file.write(entry.bytes);
      await file.sync();
      return await file.stat();
    } finally {
      await file.close();
    }
  }

  /**
   * Takes the steps. Where a file is no more what its step expects, that file stays as it is: whoever changed it
   * wins. A failed call rejects with the system's error; the steps can be taken again from the first.
   *
   * @returns whether every file was as expected
   */
  async place(look: Look): Promise<boolean> {
    const { path, steps, removed } = this.replacement;
    let isAsExpected = true;
    for (const step of steps) {
      const found = await look(step, path);
      const isTaken = await (step.staged === null
        ? this.#remove(step, found)
        : this.#put(step.staged, step, found));
      // A removal that meets an edit ends there: somebody wants the skill again.
      if (!isTaken && removed) return false;
      if (!isTaken) isAsExpected = false;
    }
    if (removed) for (const folder of foldersAbove(path).toReversed()) await this.folders.removeEmpty(folder);
    await this.folders.flush((folder) => folder === path || isBelow(folder, path));
    // Where somebody changed what was to come, what was there before is not given up.
    return isAsExpected && (!this.#left || this.#left.place(look));
  }

  /** Removes what was staged and is not in place, and the folders that were made and are empty. */
  async discard(): Promise<void> {
    const { disk } = this.#library;
    for (const { staged } of this.replacement.steps) {
      // What fails here too stays: its name is one that no scan takes for content.
      if (staged !== null) await answer(this.folders.placeOf(staged).then((place) => disk.unlink(place)));
    }
    for (const folder of this.folders.made.toReversed()) await answer(this.folders.removeEmpty(folder));
  }

  close(): Promise<void> {
    return this.folders.close();
  }

  async #put(staged: string, step: Step, was: Found): Promise<boolean> {
    if (was === 'taken') return true;
    if (was === 'changed' || !(await this.#rename(staged, this.#pathOf(step), was))) {
      await this.#library.disk.unlink(await this.folders.placeOf(staged));
      return false;
    }
    this.#hasBegun = true;
    return true;
  }

  async #rename(staged: string, file: string, was: BigIntStats | null): Promise<boolean> {
    const { disk } = this.#library;
    await this.folders.make(parentOf(file));
    const rename = async () => disk.renameOver(...(await this.folders.placesOf(staged, file)), was);
    let isRenamed = await rename();
    // Where nothing was expected, folders may stand that hold nothing.
    if (!isRenamed && was === null && (await kindAt(disk, placeOf(this.#library, file))) === 'folder') {
      await this.#removeEmptyFolders(file);
      isRenamed = await rename();
    }
    if (isRenamed) this.folders.touched.add(parentOf(file)).add(parentOf(staged));
    return isRenamed;
  }

  /** Removes a file, and the folders of the skill that are then empty. */
  async #remove(step: Step, was: Found): Promise<boolean> {
    if (was === 'changed') return false;
    const file = this.#pathOf(step);
    if (was !== null && was !== 'taken') {
      if (!(await this.#takeAway(file, was))) return false;
      this.#hasBegun = true;
      this.folders.touched.add(parentOf(file));
    }
    for (const folder of this.#ownFolders(step).toReversed()) {
      if (!(await this.folders.removeEmpty(folder))) break;
    }
    return true;
  }

  async #takeAway(file: string, was: BigIntStats): Promise<boolean> {
    const { disk } = this.#library;
    const place = await this.folders.placeOf(file);
    if (!this.replacement.removed) return disk.unlinkAs(place, was);
    await this.#trash.take(place, file);
    return true;
  }

  /** The folders that go with a step's file when they are empty. */
  #ownFolders({ file }: Step): readonly string[] {
    const { path, removed } = this.replacement;
    const within = foldersAbove(file).map((folder) => join(path, folder));
    return removed ? [path, ...within] : within;
  }

  async #removeEmptyFolders(folder: string): Promise<void> {
    for (const { name, kind } of await listFolder(this.#library.disk, placeOf(this.#library, folder))) {
      if (kind === 'folder') await this.#removeEmptyFolders(join(folder, name));
    }
    await this.folders.removeEmpty(folder);
  }

  #pathOf({ file }: Step): string {
    return join(this.replacement.path, file);
  }
}

/**
 * Gives a new file the owner and mode of the one that it replaces, where there is one. The executable bits are
 * ours: like git, set for whoever may read, or cleared.
 */
async function dress(file: OpenFile, replaced: BigIntStats | undefined, executable: boolean): Promise<void> {
  const fresh = await file.stat();
  if (replaced && (replaced.uid !== fresh.uid || replaced.gid !== fresh.gid)) {
    // Only the superuser may give files away; others go on as the file's new owner.
    await answer(file.chown(Number(replaced.uid), Number(replaced.gid)), 'EPERM');
  }
  const mode = Number((replaced ?? fresh).mode & 0o777n);
  const wanted = executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
  if (wanted !== Number(fresh.mode & 0o777n)) await file.chmod(wanted);
}

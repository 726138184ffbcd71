// Writes one skill's files: all of them staged and flushed first, then each renamed into place.

import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { answer, codeOf, type OpenFile, openNew, openRead } from '../disk.ts';
import type { Problem } from '../problem.ts';
import { type FilePath, foldersAbove, type SkillPath } from '../skill/path.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';
import { ownPrefix } from './ignore.ts';
import { join, type Library, parentOf, placeOf } from './library.ts';
import { kindAt, listFolder } from './list.ts';

/**
 * Makes the files of `current`, which were just read, those of `wanted`. What is in the way, or could not be
 * kept, is found before: see {@link findObstacle} and {@link whyNotKeepable}.
 *
 * The document comes last, so that nobody reads a new one without its files, and the files that are gone
 * after it. `cannot-write` where a call fails: before the first rename nothing has changed then.
 */
export async function writeSkill(
  library: Library,
  current: Skill | null,
  wanted: Skill,
): Promise<Problem | undefined> {
  const writer = new SkillWriter(library, wanted.path);
  try {
    await writer.replace(current?.entries ?? [], wanted);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    await writer.cleanUp();
    return { reason: 'cannot-write', path: wanted.path, file: writer.at, code };
  }
}

class SkillWriter {
  /** What is being written, relative to the skills directory. */
  at: string;
  readonly #library: Library;
  readonly #skill: SkillPath;
  /** Where the new content of each file lies until it is in place. */
  readonly #staged = new Map<FilePath, string>();
  readonly #madeFolders: string[] = [];
  /** The folders whose entries changed. */
  readonly #touched = new Set<string>();

  constructor(library: Library, skill: SkillPath) {
    this.#library = library;
    this.#skill = skill;
    this.at = skill;
  }

  async replace(current: readonly Entry[], wanted: Skill): Promise<void> {
    const before = new Map(current.map((entry) => [entry.path, entry]));
    const changed = documentLast(wanted).filter((entry) => !isSame(before.get(entry.path), entry));
    const { inTheWay, leftOver } = obsoleteFiles(current, wanted);
    await this.#makeFolders(this.#skill);
    for (const entry of changed) await this.#stage(entry);
    for (const file of inTheWay) await this.#remove(file);
    for (const entry of changed) await this.#putInPlace(entry.path);
    for (const file of leftOver) await this.#remove(file);
    for (const folder of this.#touched) await this.#flush(folder);
  }

  /** After a failure: removes what was staged, and the folders that were made for it. */
  async cleanUp(): Promise<void> {
    const { disk } = this.#library;
    // What fails here too stays: its name is one that no scan takes for content.
    for (const temporary of this.#staged.values()) await answer(disk.unlink(temporary));
    for (const folder of this.#madeFolders.toReversed()) await answer(disk.rmdir(folder));
  }

  #placeOf(file: string): string {
    this.at = `${this.#skill}/${file}`;
    return placeOf(this.#library, this.at);
  }

  /** Makes a folder, and those above it that are missing. */
  async #makeFolders(folder: string): Promise<void> {
    for (const path of [...foldersAbove(folder), folder]) {
      this.at = path;
      const place = placeOf(this.#library, path);
      const made = await answer(this.#library.disk.mkdir(place), 'EEXIST');
      if (!made.ok) continue;
      this.#madeFolders.push(place);
      this.#touched.add(parentOf(path));
    }
  }

  /** Writes an entry's bytes beside the document, with the owner and mode that its file shall have. */
  async #stage(entry: Entry): Promise<void> {
    const { disk } = this.#library;
    const replaced = await answer(disk.lstat(this.#placeOf(entry.path)), 'ENOENT', 'ENOTDIR');
    const temporary = placeOf(this.#library, `${this.#skill}/${ownPrefix}${randomUUID()}`);
    const file = await disk.open(temporary, openNew, 0o666);
    this.#staged.set(entry.path, temporary);
    try {
      // Owner and mode come before the first byte: a private file's new content is never open to others.
      await dress(
        file,
        replaced.ok && replaced.value.isFile() ? replaced.value : undefined,
        entry.executable,
      );
      await file.write(entry.bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #putInPlace(file: FilePath): Promise<void> {
    const temporary = this.#staged.get(file);
    if (temporary === undefined) throw new Error(`not staged: ${file}`);
    const folder = parentOf(`${this.#skill}/${file}`);
    await this.#makeFolders(folder);
    const place = this.#placeOf(file);
    if ((await kindAt(this.#library.disk, place)) === 'folder') await this.#removeEmptyFolders(place);
    await this.#library.disk.rename(temporary, place);
    this.#staged.delete(file);
    this.#touched.add(folder);
  }

  /** Removes a file, and the folders of the skill that are then empty. */
  async #remove(file: FilePath): Promise<void> {
    const { disk } = this.#library;
    await disk.unlink(this.#placeOf(file));
    this.#touched.add(parentOf(this.at));
    for (const folder of foldersAbove(file).toReversed()) {
      const removed = await answer(disk.rmdir(this.#placeOf(folder)), 'ENOTEMPTY', 'EEXIST');
      if (!removed.ok) return;
      this.#touched.delete(this.at);
      this.#touched.add(parentOf(this.at));
    }
  }

  async #removeEmptyFolders(place: string): Promise<void> {
    const { disk } = this.#library;
    for (const { name, kind } of await listFolder(disk, place)) {
      if (kind === 'folder') await this.#removeEmptyFolders(join(place, name));
    }
    await disk.rmdir(place);
  }

  /** Makes the names in a folder survive a loss of power, where the file system can do that. */
  async #flush(folder: string): Promise<void> {
    this.at = folder;
    const opened = await this.#library.disk.open(placeOf(this.#library, folder), openRead);
    try {
      await answer(opened.sync(), 'EINVAL', 'ENOTSUP');
    } finally {
      await opened.close();
    }
  }
}

/** The current files that `wanted` lacks, apart those that must go before its own can be put in place. */
function obsoleteFiles(
  current: readonly Entry[],
  wanted: Skill,
): { inTheWay: readonly FilePath[]; leftOver: readonly FilePath[] } {
  const files = new Set<string>(wanted.entries.map((entry) => entry.path));
  const folders = new Set(wanted.entries.flatMap((entry) => foldersAbove(entry.path)));
  // Where case does not count, removing a file after its renamed self was put in place would remove that.
  const anyCase = new Set([...files].map((file) => file.toLowerCase()));
  const isInTheWay = (file: string): boolean =>
    folders.has(file) ||
    anyCase.has(file.toLowerCase()) ||
    foldersAbove(file).some((folder) => files.has(folder));
  const obsolete = current.map((entry) => entry.path).filter((file) => !files.has(file));
  return {
    inTheWay: obsolete.filter(isInTheWay),
    leftOver: obsolete.filter((file) => !isInTheWay(file)),
  };
}

/**
 * Gives a new file the owner and mode of the one that it replaces, where there is one. The executable bits are
 * ours: like git, set for whoever may read, or cleared.
 */
async function dress(file: OpenFile, replaced: BigIntStats | undefined, executable: boolean): Promise<void> {
  const fresh = await file.stat();
  if (replaced !== undefined && (replaced.uid !== fresh.uid || replaced.gid !== fresh.gid)) {
    // Only the superuser may give files away; others go on as the file's new owner.
    await answer(file.chown(Number(replaced.uid), Number(replaced.gid)), 'EPERM');
  }
  const mode = Number((replaced ?? fresh).mode & 0o777n);
  const wanted = executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
  if (wanted !== Number(fresh.mode & 0o777n)) await file.chmod(wanted);
}

function isSame(before: Entry | undefined, entry: Entry): boolean {
  return before?.executable === entry.executable && before.bytes.equals(entry.bytes);
}

function documentLast(skill: Skill): readonly Entry[] {
  const document = documentOf(skill);
  return [...skill.entries.filter((entry) => entry !== document), document];
}

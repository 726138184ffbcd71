// Removes a skill so that it can be taken back: its own files go to the trash, and nothing else goes.

import { randomUUID } from 'node:crypto';
import { answer, codeOf, type Disk } from '../disk.ts';
import type { Problem } from '../problem.ts';
import { foldersAbove } from '../skill/path.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';
import { join, type Library, placeOf } from './library.ts';

/**
 * Where removed skills go: outside the skills directory, so that no agent loads them. Each {@link Trash} has a
 * folder of its own there, in which a skill stands at its path.
 */
export class Trash {
  readonly #disk: Disk;
  readonly #root: string;
  /** The folder of what was removed by this. */
  readonly folder: string;

  /** @param root the folder of all trash, made with the first skill that goes there; the one above it stands */
  constructor(disk: Disk, root: string) {
    const day = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    this.#disk = disk;
    this.#root = root;
    this.folder = `${root}/${day}-${randomUUID().slice(0, 8)}`;
  }

  /** Moves a file there. `bytes` are its content, for a trash on another file system. */
  async take(place: string, path: string, { bytes }: Entry): Promise<void> {
    const target = `${this.folder}/${path}`;
    const above = foldersAbove(path).map((folder) => `${this.folder}/${folder}`);
    for (const folder of [this.#root, this.folder, ...above]) {
      await answer(this.#disk.mkdir(folder), 'EEXIST');
    }
    try {
      await this.#disk.rename(place, target);
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error;
      await this.#disk.writeNew(target, bytes);
      await this.#disk.unlink(place);
    }
  }
}

/**
 * Moves the files of `skill`, which were just read, to the trash, and removes the folders that are then empty.
 * What is ignored, a link, or another skill's stays, and the folders above it.
 */
export async function removeSkill(
  library: Library,
  trash: Trash,
  skill: Skill,
): Promise<Problem | undefined> {
  const document = documentOf(skill);
  let at: string = skill.path;
  try {
    // Without its document the rest is no skill: no half of one is ever taken for an edit.
    for (const entry of [document, ...skill.entries.filter((one) => one !== document)]) {
      at = join(skill.path, entry.path);
      await trash.take(placeOf(library, at), at, entry);
    }
    const folders = new Set(skill.entries.flatMap((entry) => foldersAbove(join(skill.path, entry.path))));
    for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
      at = folder;
      await answer(library.disk.rmdir(placeOf(library, folder)), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
    }
    return undefined;
  } catch (error) {
    return { reason: 'cannot-write', path: skill.path, file: at, code: codeOf(error) };
  }
}

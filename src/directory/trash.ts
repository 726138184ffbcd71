// Where the files of removed skills go, so that a removal can be taken back.

import { randomUUID } from 'node:crypto';
import { answer, codeOf, type Disk } from '../disk.ts';
import { foldersAbove } from '../skill/path.ts';

/**
 * A folder outside the skills directory, so that no agent loads what is in it. Each {@link Trash} has a folder of its
 * own there, in which a skill stands at its path.
 */
export class Trash {
  readonly #disk: Disk;
  readonly #root: string;
  readonly #made = new Set<string>();
  /** The folder of what was removed by this. */
  readonly folder: string;

  /** @param root the folder of all trash, made with the first skill that goes there; the one above it stands */
  constructor(disk: Disk, root: string) {
    const day = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    this.#disk = disk;
    this.#root = root;
    this.folder = `${root}/${day}-${randomUUID().slice(0, 8)}`;
  }

  /** Moves a file there from `place`; `path` is where it stood in the skills directory. */
  async take(place: string, path: string): Promise<void> {
    const target = `${this.folder}/${path}`;
    const above = foldersAbove(path).map((folder) => `${this.folder}/${folder}`);
    for (const folder of [this.#root, this.folder, ...above]) {
      if (this.#made.has(folder)) continue;
      await answer(this.#disk.mkdir(folder), 'EEXIST');
      this.#made.add(folder);
    }
    try {
      await this.#disk.rename(place, target);
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error;
      await this.#disk.copyNew(place, target);
      await this.#disk.unlink(place);
    }
  }
}

// Where the files of removed skills go, so that a removal can be taken back.

import { randomUUID } from 'node:crypto';
import { answer, codeOf, type Disk } from '../disk.ts';
import { parentOf } from './library.ts';

/** How long the trash is kept. The history in the database keeps longer. */
export const keptDays = 30;

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

  /** @param root the folder of all trash, made with the first skill that goes there */
  constructor(disk: Disk, root: string) {
    const day = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    this.#disk = disk;
    this.#root = root;
    this.folder = `${root}/${day}-${randomUUID().slice(0, 8)}`;
  }

  /**
   * Deletes what was removed longer than {@link keptDays} ago. What cannot be deleted stays, and no run fails for it.
   *
   * @param byAnother what another clock says, asked where this machine's says that there is something to delete
   * @returns how many runs' removals that were
   */
  async empty(now: Date, byAnother: () => Promise<Date>): Promise<number> {
    const found = await answer(this.#disk.readdir(this.#root));
    const names = found.ok ? found.value.map(({ name }) => name) : [];
    const old = names.filter((name) => isOld(name, now));
    const asked = old.length > 0 ? await byAnother() : now;
    let emptied = 0;
    for (const name of old.filter((one) => isOld(one, asked))) {
      if ((await answer(this.#disk.removeTree(`${this.#root}/${name}`))).ok) emptied++;
    }
    return emptied;
  }

  /** Moves a file there from `place`; `path` is where it stood in the skills directory. */
  async take(place: string, path: string): Promise<void> {
    const target = `${this.folder}/${path}`;
    await this.#make(parentOf(target));
    try {
      await this.#disk.rename(place, target);
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error;
      await this.#disk.copyNew(place, target);
      await this.#disk.unlink(place);
    }
  }

  async #make(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    try {
      await answer(this.#disk.mkdir(folder), 'EEXIST');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await this.#make(parentOf(folder));
      await answer(this.#disk.mkdir(folder), 'EEXIST');
    }
    this.#made.add(folder);
  }
}

/** A clock that says an earlier time has not been set. */
const firstTrash = Date.parse('2020-01-01T00:00:00Z');

function isOld(name: string, now: Date): boolean {
  const removedAt = timeOf(name) ?? 0;
  return removedAt >= firstTrash && now.getTime() - removedAt > keptDays * 24 * 3_600_000;
}

/** When a run began to remove, by the name of its folder; undefined for what is not ours. */
function timeOf(name: string): number | undefined {
  const [, date, time] = /^(\d{8})T(\d{6})Z-[0-9a-f]{8}$/.exec(name) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const iso = `${date.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
  const at = Date.parse(iso);
  return Number.isNaN(at) ? undefined : at;
}

// Folders of the skills directory, held open while something in them changes: no link leads out of them.

import { answer, codeOf, type OpenFolder } from '../disk.ts';
import { type Library, parentOf, placeOf } from './library.ts';

/** How many are held open at once. */
const maxOpen = 16;

/** For one user at a time: what `place` gives is good until the next call. */
export class Folders {
  /** What is looked at, relative to the skills directory. */
  at = '';
  /** The folders that this made, in that order. */
  readonly made: string[] = [];
  /** The folders whose names changed, and that stand. */
  readonly touched = new Set<string>();
  readonly #library: Library;
  readonly #open = new Map<string, OpenFolder>();

  constructor(library: Library) {
    this.#library = library;
  }

  /** The place on the disk of a path whose folder stands. Rejects with ELOOP where a link came in between. */
  async placeOf(path: string): Promise<string> {
    const { place } = await this.#folder(parentOf(path));
    this.at = path;
    return `${place}/${path.slice(path.lastIndexOf('/') + 1)}`;
  }

  /** The places of two paths, both good until the next call. */
  async placesOf(one: string, other: string): Promise<readonly [string, string]> {
    // The second call must not close what the first one opened.
    if (this.#open.size >= maxOpen - 1) await this.close();
    return [await this.placeOf(one), await this.placeOf(other)];
  }

  /** Makes a folder and those above it, as far as they are missing. */
  async make(folder: string): Promise<void> {
    this.at = folder;
    if ((await answer(this.#folder(folder), 'ENOENT')).ok) return;
    await this.make(parentOf(folder));
    const place = await this.placeOf(folder);
    if (!(await answer(this.#library.disk.mkdir(place), 'EEXIST')).ok) return;
    this.made.push(folder);
    this.touched.add(parentOf(folder)).add(folder);
  }

  /** Removes a folder where it is empty. Returns whether none stands there now. */
  async removeEmpty(folder: string): Promise<boolean> {
    const { disk } = this.#library;
    try {
      await disk.rmdir(await this.placeOf(folder));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return true;
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) return false;
      throw error;
    }
    await this.#forget(folder);
    this.touched.delete(folder);
    this.touched.add(parentOf(folder));
    return true;
  }

  /** Flushes those of the touched folders that `belongs` takes, and forgets them. */
  async flush(belongs: (folder: string) => boolean): Promise<void> {
    for (const folder of [...this.touched].filter(belongs)) {
      this.at = folder;
      // Another skill's removal may have taken it away.
      const opened = await answer(this.#folder(folder), 'ENOENT');
      if (opened.ok) await opened.value.sync();
      this.touched.delete(folder);
    }
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const folder of open) await folder.close();
  }

  async #folder(folder: string): Promise<OpenFolder> {
    const known = this.#open.get(folder);
    if (known) return known;
    if (this.#open.size >= maxOpen) await this.close();
    const opened = await this.#library.disk.openFolder(placeOf(this.#library, folder));
    this.#open.set(folder, opened);
    return opened;
  }

  async #forget(folder: string): Promise<void> {
    for (const [path, opened] of this.#open) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      this.#open.delete(path);
      await opened.close();
    }
  }
}

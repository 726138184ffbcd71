// What stands above skills that are read or written together: looked at once for all of them.

import type { Outcome } from '../problem.ts';
import { foldersAbove } from '../skill/path.ts';
import { type IgnoreRules, ignoreFileName, linesOf } from './ignore.ts';
import { join, type Library, parentOf, placeOf } from './library.ts';
import { type Kind, kindAt } from './list.ts';
import { readFile } from './read-file.ts';

export class Above {
  readonly #library: Library;
  readonly #kinds = new Map<string, Promise<Kind | undefined>>();
  readonly #rules = new Map<string, Promise<Outcome<IgnoreRules>>>();

  constructor(library: Library) {
    this.#library = library;
  }

  /** The first thing in a path's folders that is no folder: what it is, undefined where it is missing. */
  async firstGap(path: string): Promise<{ folder: string; kind: Kind | undefined } | undefined> {
    for (const folder of foldersAbove(path)) {
      const kind = await this.#kindOf(folder);
      if (kind !== 'folder') return { folder, kind };
    }
    return undefined;
  }

  /** The ignore rules that hold in a folder. */
  rulesIn(folder: string): Promise<Outcome<IgnoreRules>> {
    return remembered(this.#rules, folder, async () => {
      const above = folder === '' ? this.#topmost() : await this.rulesIn(parentOf(folder));
      const place = placeOf(this.#library, join(folder, ignoreFileName));
      const isRuled = above.ok && (await kindAt(this.#library.disk, place)) === 'file';
      return isRuled ? rulesOf(this.#library, folder, above.value) : above;
    });
  }

  /** The ignore rules that hold in the folder of a path; undefined where they, or what stands there, hide it. */
  async rulesAround(path: string): Promise<Outcome<IgnoreRules | undefined>> {
    // First of all: no rules are read behind a link.
    if (await this.firstGap(path)) return { ok: true, value: undefined };
    for (const folder of [...foldersAbove(path), path]) {
      const rules = await this.rulesIn(parentOf(folder));
      if (!rules.ok) return rules;
      if (['ignored', 'never'].includes(rules.value.verdict(folder, true)))
        return { ok: true, value: undefined };
    }
    return this.rulesIn(parentOf(path));
  }

  #topmost(): Outcome<IgnoreRules> {
    return { ok: true, value: this.#library.rules };
  }

  #kindOf(folder: string): Promise<Kind | undefined> {
    return remembered(this.#kinds, folder, () => kindAt(this.#library.disk, placeOf(this.#library, folder)));
  }
}

function remembered<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}

/** The rules above a folder, and those of the ignore file in it. */
export async function rulesOf(
  library: Library,
  folder: string,
  above: IgnoreRules,
): Promise<Outcome<IgnoreRules>> {
  const read = await readFile(library, folder, ignoreFileName, 'fileBytes');
  return read.ok ? above.with(folder, linesOf(read.value.bytes), join(folder, ignoreFileName)) : read;
}

// What killed runs left in a skills directory. Looks, and touches nothing.

import { answer } from '../disk.ts';
import type { Outcome } from '../problem.ts';
import { readJournal, stagedName } from './journal.ts';
import { join, type Library, placeOf } from './library.ts';
import { listFolder } from './list.ts';

/** What is left of runs that were killed. A run that is at work has the same. */
export interface Leftovers {
  /** Skills that are half written, which the next run that writes brings to an end. */
  readonly unfinished: readonly string[];
  /** Files that were staged, relative to the skills directory, and that the next run clears away. */
  readonly staged: readonly string[];
  /** Such files that no journal names: nobody clears them away. */
  readonly stray: readonly string[];
}

/** Refuses with `journal-unreadable`. Throws the system's error. */
export async function findLeftovers(library: Library): Promise<Outcome<Leftovers>> {
  const journal = await readJournal(library);
  if (!journal.ok) return journal;
  const { announced, holding } = journal.value;
  const named = new Set(
    [...announced, ...holding].flatMap(({ steps }) => steps.map(({ staged }) => staged?.split('/').at(-1))),
  );
  const found = await filesBelow(library, '', library.limits.depth);
  const isNamed = (file: string) => named.has(file.split('/').at(-1));
  return {
    ok: true,
    value: {
      unfinished: holding.map(({ path }) => path),
      staged: found.filter(isNamed),
      stray: found.filter((file) => !isNamed(file)),
    },
  };
}

/** Files with a name that only staging gives. No link is followed, and what cannot be listed is passed over. */
async function filesBelow(library: Library, folder: string, depth: number): Promise<readonly string[]> {
  const items = await answer(listFolder(library.disk, placeOf(library, folder)));
  const found: string[] = [];
  for (const { name, kind } of items.ok ? items.value : []) {
    const path = join(folder, name);
    if (kind === 'folder' && name !== '.git' && depth > 0)
      found.push(...(await filesBelow(library, path, depth - 1)));
    else if (kind === 'file' && stagedName.test(name)) found.push(path);
  }
  return found;
}

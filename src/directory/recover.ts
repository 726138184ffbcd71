// Goes on with what a run that was killed had begun.

import { answer, codeOf } from '../disk.ts';
import type { Outcome } from '../problem.ts';
import type { SkillPath } from '../skill/path.ts';
import { Folders } from './folders.ts';
import { readJournal, settleJournal } from './journal.ts';
import { join, type Library, placeOf } from './library.ts';
import { listFolder, statAt } from './list.ts';
import { type Found, Placement } from './placement.ts';
import { readFile } from './read-file.ts';
import { markOf, type Step } from './steps.ts';
import { type Applying, underWay } from './wave.ts';

/**
 * Carries out what the journal holds, and clears away what was announced only. A file that somebody changed since
 * stays as it is. What cannot be carried out is `unfinished`.
 *
 * @returns the skills that are finished now; refused with `journal-unreadable`
 */
export async function recover(applying: Applying): Promise<Outcome<readonly SkillPath[]>> {
  const { library, trash, unfinished } = applying;
  const journal = await readJournal(library);
  if (!journal.ok) return journal;
  const { announced, holding, stands } = journal.value;
  const held = new Set(holding.flatMap(({ steps }) => steps.map((step) => step.staged)));
  for (const replacement of announced) {
    const steps = replacement.steps.filter(({ staged }) => staged !== null && !held.has(staged));
    await using(new Placement(library, trash, { ...replacement, steps }), (placement) => placement.discard());
  }
  const finished: SkillPath[] = [];
  for (const replacement of holding) {
    const { path } = replacement;
    await using(new Placement(library, trash, replacement), async (placement) => {
      try {
        await placement.place((step, skill) => look(library, skill, step));
        await placement.folders.flush(() => true);
        finished.push(path);
      } catch (error) {
        const file = placement.folders.at;
        unfinished.set(path, {
          replacement,
          problem: { reason: 'cannot-write', path, file, code: codeOf(error) },
        });
      }
    });
  }
  const left = [...announced, ...holding].flatMap(({ path, steps }) =>
    unfinished.has(path) ? [] : steps.flatMap(({ staged }) => (staged === null ? [] : nameOf(staged))),
  );
  if (left.length > 0) await sweep(library, new Set(left));
  if (stands) await settleJournal(library, underWay(applying, []));
  return { ok: true, value: finished };
}

async function using(placement: Placement, work: (placement: Placement) => Promise<void>): Promise<void> {
  try {
    await work(placement);
  } finally {
    await placement.close();
  }
}

/** Removes what was staged wherever it stands: whoever moved a folder since moved that along. */
async function sweep(library: Library, names: ReadonlySet<string>): Promise<void> {
  const folders = new Folders(library);
  const below = async (folder: string): Promise<void> => {
    // What cannot be listed keeps what it holds: its name is one that no scan takes for content.
    const items = await answer(listFolder(library.disk, placeOf(library, folder)));
    for (const { name, kind } of items.ok ? items.value : []) {
      const path = join(folder, name);
      if (kind === 'folder') await below(path);
      else if (names.has(name)) {
        await answer(folders.placeOf(path).then((place) => library.disk.unlink(place)));
      }
    }
  };
  try {
    await below('');
  } finally {
    await folders.close();
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function look(library: Library, path: SkillPath, { file, before, staged }: Step): Promise<Found> {
  const { disk } = library;
  if (staged !== null && !(await statAt(disk, placeOf(library, staged)))) return 'taken';
  const stat = await statAt(disk, placeOf(library, join(path, file)));
  if (stat === undefined) return before === null ? null : staged === null ? 'taken' : 'changed';
  if (before === null) return stat.isDirectory() ? null : 'changed';
  const read = await readFile(library, path, file, 'fileBytes', stat);
  return read.ok && markOf(read.value) === before ? read.value.stat : 'changed';
}

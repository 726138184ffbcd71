// The journal: which files are on their way into place, so that a run that was killed is finished by the next one.
//
// It stands in the skills directory itself, where the next run finds it wherever that starts. It is announced
// before the first file is staged, and holds once all of them are flushed: from then on each step can be taken,
// and taken again. What was announced and does not hold yet is only cleared away.

import { answer, readWhole } from '../disk.ts';
import { type Outcome, refuse } from '../problem.ts';
import { parseFilePath, parseSkillPath } from '../skill/path.ts';
import { isNever, ownPrefix } from './ignore.ts';
import { type Library, parentOf, placeOf } from './library.ts';
import type { Replacement } from './steps.ts';

export const journalName = `${ownPrefix}journal`;
const draftName = `${journalName}.draft`;

/** Raised with every change that an older program would misread. What older ones wrote is read still. */
const formatVersion = 2;

/** Of a journal that is read. None of ours comes near it. */
const maxBytes = 256 * 1024 * 1024;

/** What a journal says: announced only, or to be carried out. */
export interface Journal {
  readonly announced: readonly Replacement[];
  readonly holding: readonly Replacement[];
  /** Whether it leaves a file to clear away, be it half of one. */
  readonly stands: boolean;
}

/** Refuses with `journal-unreadable` what no program of this version wrote. Throws the system's error. */
export async function readJournal(library: Library): Promise<Outcome<Journal>> {
  const announced = await readReplacements(library, draftName);
  const holding = await readReplacements(library, journalName);
  // A draft that was not written to its end was followed by nothing.
  if (!holding.ok) return holding;
  return {
    ok: true,
    value: {
      announced: (announced.ok ? announced.value : null) ?? [],
      holding: holding.value ?? [],
      stands: !announced.ok || announced.value !== null || holding.value !== null,
    },
  };
}

/** Says what is about to be staged. Throws the system's error. */
export async function announce(library: Library, replacements: readonly Replacement[]): Promise<void> {
  const place = placeOf(library, draftName);
  await answer(library.disk.unlink(place), 'ENOENT');
  const text = JSON.stringify({ version: formatVersion, replacements });
  await library.disk.writeNew(place, Buffer.from(text));
}

/** What was announced holds from now on. All that it names must be staged and flushed. */
export async function hold(library: Library): Promise<void> {
  await library.disk.rename(placeOf(library, draftName), placeOf(library, journalName));
  await flushRoot(library);
}

/** What was not brought to an end stays in the journal; all else is done. */
export async function settleJournal(library: Library, unfinished: readonly Replacement[]): Promise<void> {
  if (unfinished.length > 0) {
    await announce(library, unfinished);
    return hold(library);
  }
  for (const name of [draftName, journalName]) {
    await answer(library.disk.unlink(placeOf(library, name)), 'ENOENT');
  }
}

async function flushRoot({ disk, root }: Library): Promise<void> {
  const folder = await disk.openFolder(root);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Null where no such file stands. */
async function readReplacements(
  library: Library,
  name: string,
): Promise<Outcome<readonly Replacement[] | null>> {
  const place = placeOf(library, name);
  const stat = await answer(library.disk.lstat(place), 'ENOENT');
  if (!stat.ok) return { ok: true, value: null };
  const isReadable = stat.value.isFile() && stat.value.size <= maxBytes;
  const found = isReadable ? parse((await readWhole(library.disk, place, maxBytes)).toString()) : undefined;
  return found ? { ok: true, value: found } : refuse({ reason: 'journal-unreadable', file: place });
}

function parse(text: string): readonly Replacement[] | undefined {
  try {
    const { version, replacements } = JSON.parse(text) as { version: unknown; replacements: unknown };
    const isWhole =
      [1, formatVersion].includes(version as number) &&
      Array.isArray(replacements) &&
      replacements.every(isReplacement);
    return isWhole ? replacements : undefined;
  } catch {
    return undefined;
  }
}

function isReplacement(value: unknown): value is Replacement {
  const { removed, leaves } = (value ?? {}) as Partial<Replacement>;
  const isMove = leaves === undefined || (isOfSkill(leaves) && leaves.steps.every(({ staged }) => !staged));
  return typeof removed === 'boolean' && isOfSkill(value) && isMove;
}

function isOfSkill(value: unknown): value is Pick<Replacement, 'path' | 'steps'> {
  const { path, steps } = (value ?? {}) as Partial<Replacement>;
  if (typeof path !== 'string' || !Array.isArray(steps)) return false;
  const skill = parseSkillPath(path);
  return (
    skill.ok &&
    steps.every(({ file, before, staged }) => {
      // Of its own accord nothing is written there: no hook of git's comes from a journal that somebody committed.
      const isPlace =
        typeof file === 'string' && parseFilePath(skill.value, file).ok && !isNever(`${path}/${file}`);
      return (
        isPlace && (before === null || marks.test(before)) && (staged === null || isStagingPlace(staged))
      );
    })
  );
}

const marks = /^[0-9a-f]{64}$/;
/** How files are called until they are renamed into place. */
export const stagedName = /^\.skill-fleet-[0-9a-f-]{36}$/;

/** A journal that somebody else wrote must not lead anywhere. */
function isStagingPlace(path: unknown): boolean {
  if (typeof path !== 'string') return false;
  const folder = parentOf(path);
  const isFolder = folder === '' || (parseSkillPath(folder).ok && !isNever(`${folder}/`));
  return isFolder && stagedName.test(path.slice(path.lastIndexOf('/') + 1));
}

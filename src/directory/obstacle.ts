// What stands where a skill is to be written, and whether it is the skill's own to replace.

import { answer } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { type FilePath, foldersAbove, mergedForm } from '../skill/path.ts';
import type { Entry, Skill } from '../skill/skill.ts';
import type { Above } from './above.ts';
import { join, type Library, parentOf, placeOf } from './library.ts';
import { kindAt, listFolder } from './list.ts';
import { type ReadFile, readFile } from './read-file.ts';

/** Where a skill may be written. */
export interface Site {
  /** Those of the folders of its files that stand. */
  readonly folders: ReadonlySet<string>;
  /** Files that are not the skill's own, and hold what it is about to write there. */
  readonly same: ReadonlyMap<FilePath, ReadFile>;
}

/**
 * Looks at every component below the skills directory, so that nothing is written through a link. Refuses with
 * the first thing in the way, as `link-in-the-way` or `file-in-the-way`. A file of `loose` is in the way too, if
 * it would become the skill's with its document. Throws the system's error.
 */
export async function findSite(
  library: Library,
  current: Skill | null,
  wanted: Skill,
  loose: readonly FilePath[],
  above: Above,
): Promise<Outcome<Site>> {
  const { path } = wanted;
  const own = new Set((current?.entries ?? []).map((entry) => `${path}/${entry.path}`));
  const standing = await findFolders(library, wanted, own, above);
  if (!standing.ok) return standing;
  const folders = standing.value;
  const same = new Map<FilePath, ReadFile>();
  for (const entry of wanted.entries) {
    const file = `${path}/${entry.path}`;
    if (own.has(file) || !folders.has(parentOf(file))) continue;
    const found = await sameAt(library, wanted, entry, own);
    if (!found.ok) return found;
    if (found.value) same.set(entry.path, found.value);
  }
  const files = new Set(wanted.entries.map((entry) => entry.path));
  const added = loose.find((file) => !files.has(file));
  return added
    ? refuse({ reason: 'file-in-the-way', path, file: `${path}/${added}` })
    : { ok: true, value: { folders, same } };
}

/** The folders of a skill's files that stand, those above the skill among them. */
async function findFolders(
  library: Library,
  { path, entries }: Skill,
  own: ReadonlySet<string>,
  above: Above,
): Promise<Outcome<ReadonlySet<string>>> {
  const gap = await above.firstGap(path);
  if (gap) {
    const problem = whyImpassable(gap, path, own);
    if (problem) return refuse(problem);
    const upper = foldersAbove(path);
    return { ok: true, value: new Set(['', ...upper.slice(0, upper.indexOf(gap.folder))]) };
  }
  const standing = new Set(['', ...foldersAbove(path)]);
  const within = new Set([path, ...entries.flatMap((entry) => foldersAbove(`${path}/${entry.path}`))]);
  // Sorted, a folder comes before those in it: none is looked at through a link.
  for (const folder of [...within].sort()) {
    if (standing.has(folder) || !standing.has(parentOf(folder))) continue;
    const kind = await kindAt(library.disk, placeOf(library, folder));
    const problem = whyImpassable({ folder, kind }, path, own);
    if (problem) return refuse(problem);
    if (kind === 'folder') standing.add(folder);
  }
  return { ok: true, value: standing };
}

function whyImpassable(
  { folder, kind }: { folder: string; kind: Awaited<ReturnType<typeof kindAt>> },
  path: Skill['path'],
  own: ReadonlySet<string>,
): Problem | undefined {
  if (kind === 'link') return { reason: 'link-in-the-way', path, file: folder };
  const isPassable = kind === undefined || kind === 'folder' || own.has(folder);
  return isPassable ? undefined : { reason: 'file-in-the-way', path, file: folder };
}

/** What is not the skill's own where one of its files goes: refused, unless it holds the same. */
async function sameAt(
  library: Library,
  { path }: Skill,
  entry: Entry,
  own: ReadonlySet<string>,
): Promise<Outcome<ReadFile | undefined>> {
  const file = `${path}/${entry.path}`;
  const kind = await kindAt(library.disk, placeOf(library, file));
  if (kind === undefined) return { ok: true, value: undefined };
  if (kind === 'link') return refuse({ reason: 'link-in-the-way', path, file });
  if (kind === 'folder') {
    const foreign = await findForeign(library, file, own);
    return foreign === undefined
      ? { ok: true, value: undefined }
      : refuse({ reason: 'file-in-the-way', path, file: foreign });
  }
  // Where case does not count, one of its own goes by this name too, and makes way as it does under its own.
  if (await isOneOf(library, file, own)) return { ok: true, value: undefined };
  // Nobody loses anything where the same bytes stand there already, as when only the document was deleted.
  const there = await readFile(library, path, entry.path, 'fileBytes');
  return there.ok && there.value.bytes.equals(entry.bytes)
    ? there
    : refuse({ reason: 'file-in-the-way', path, file });
}

/** Whether a file is one that `own` names in another spelling: some file systems take both names for one. */
async function isOneOf(library: Library, file: string, own: ReadonlySet<string>): Promise<boolean> {
  const form = mergedForm(file);
  const other = [...own].find((one) => mergedForm(one) === form);
  if (other === undefined) return false;
  const [a, b] = await Promise.all(
    [file, other].map((one) => answer(library.disk.lstat(placeOf(library, one)))),
  );
  return a?.ok === true && b?.ok === true && a.value.dev === b.value.dev && a.value.ino === b.value.ino;
}

/** Something below a folder that is neither a folder nor in `own`. */
async function findForeign(
  library: Library,
  folder: string,
  own: ReadonlySet<string>,
): Promise<string | undefined> {
  for (const { name, kind } of await listFolder(library.disk, placeOf(library, folder))) {
    const path = join(folder, name);
    if (own.has(path)) continue;
    const foreign = kind === 'folder' ? await findForeign(library, path, own) : path;
    if (foreign !== undefined) return foreign;
  }
  return undefined;
}

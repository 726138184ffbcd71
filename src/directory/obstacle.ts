// What stands where a skill is to be written, and is not the skill's own to replace.

import type { Problem } from '../problem.ts';
import { type FilePath, foldersAbove } from '../skill/path.ts';
import type { Entry, Skill } from '../skill/skill.ts';
import { join, type Library, placeOf } from './library.ts';
import { kindAt, listFolder } from './list.ts';
import { readFile } from './read-file.ts';

/**
 * The first thing in the way of `wanted`, as `link-in-the-way` or `file-in-the-way`. Looks at every component
 * below the skills directory, so that nothing is written through a link. A file of `loose` is in the way too,
 * if it would become the skill's with its document. Throws the system's error.
 */
export async function findObstacle(
  library: Library,
  current: Skill | null,
  wanted: Skill,
  loose: readonly FilePath[],
): Promise<Problem | undefined> {
  const { path } = wanted;
  const own = new Set((current?.entries ?? []).map((entry) => `${path}/${entry.path}`));
  const folders = new Set(wanted.entries.flatMap((entry) => foldersAbove(`${path}/${entry.path}`)));
  // Sorted, a folder comes before those in it: none is looked at through a link.
  for (const folder of [...folders].sort()) {
    const kind = await kindAt(library.disk, placeOf(library, folder));
    if (kind === 'link') return { reason: 'link-in-the-way', path, file: folder };
    const passable = kind === undefined || kind === 'folder' || own.has(folder);
    if (!passable) return { reason: 'file-in-the-way', path, file: folder };
  }
  for (const entry of wanted.entries) {
    const problem = await obstacleAt(library, wanted, entry, own);
    if (problem !== undefined) return problem;
  }
  const files = new Set(wanted.entries.map((entry) => entry.path));
  const added = loose.find((file) => !files.has(file));
  return added && { reason: 'file-in-the-way', path, file: `${path}/${added}` };
}

async function obstacleAt(
  library: Library,
  { path }: Skill,
  entry: Entry,
  own: ReadonlySet<string>,
): Promise<Problem | undefined> {
  const file = `${path}/${entry.path}`;
  if (own.has(file)) return undefined;
  const kind = await kindAt(library.disk, placeOf(library, file));
  if (kind === undefined) return undefined;
  if (kind === 'link') return { reason: 'link-in-the-way', path, file };
  if (kind === 'folder') {
    const foreign = await findForeign(library, file, own);
    return foreign === undefined ? undefined : { reason: 'file-in-the-way', path, file: foreign };
  }
  // Nobody loses anything where the same bytes stand there already, as when only the document was deleted.
  const there = await readFile(library, path, entry.path, 'fileBytes');
  return there.ok && there.value.bytes.equals(entry.bytes)
    ? undefined
    : { reason: 'file-in-the-way', path, file };
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

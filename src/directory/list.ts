// Lists one folder: names and kinds, nothing followed, nothing dropped.

import { isUtf8 } from 'node:buffer';
import type { BigIntStats, Dirent } from 'node:fs';
import { answer, type Disk } from '../disk.ts';

export type Kind = 'file' | 'folder' | 'link' | 'special';

export interface Item {
  readonly name: string;
  readonly kind: Kind;
  /** False where the name's bytes are not UTF-8, so that `name` does not lead to it. */
  readonly utf8: boolean;
}

export function kindOf(entry: Dirent | BigIntStats): Kind {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'special';
}

/** Everything in a folder. Throws the system's error. */
export async function listFolder(disk: Disk, folder: string): Promise<readonly Item[]> {
  const entries = await disk.readdir(folder);
  // Node replaces bytes that are no UTF-8; but a name may also hold that character by right.
  const replaced = entries.some((entry) => entry.name.includes('\uFFFD'))
    ? await replacedNames(disk, folder)
    : undefined;
  return entries.map((entry) => ({
    name: entry.name,
    kind: kindOf(entry),
    utf8: replaced?.has(entry.name) !== true,
  }));
}

async function replacedNames(disk: Disk, folder: string): Promise<ReadonlySet<string>> {
  const names = await disk.readdirBytes(folder);
  return new Set(names.filter((bytes) => !isUtf8(bytes)).map((bytes) => bytes.toString()));
}

/** What stands at a path; undefined where nothing does. Throws the system's error. */
export async function kindAt(disk: Disk, path: string): Promise<Kind | undefined> {
  const stat = await statAt(disk, path);
  return stat && kindOf(stat);
}

/** What the system says of a path; undefined where nothing stands there. Throws the system's error. */
export async function statAt(disk: Disk, path: string): Promise<BigIntStats | undefined> {
  // ENOTDIR: a file stands where the path has a folder.
  const stat = await answer(disk.lstat(path), 'ENOENT', 'ENOTDIR');
  return stat.ok ? stat.value : undefined;
}

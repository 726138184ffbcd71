// A skills directory: where it is, by which rules it is read, and how paths in it are put together.

import type { Disk } from '../disk.ts';
import type { IgnoreRules } from './ignore.ts';
import type { KnownBits } from './known-bits.ts';
import type { Limits } from './limits.ts';

/** All that reading and writing a skills directory needs to know of it. */
export interface Library {
  /** Its real path: no component of it is a link. */
  readonly root: string;
  readonly disk: Disk;
  /** The rules that hold in the whole of it. */
  readonly rules: IgnoreRules;
  readonly limits: Limits;
  /** What files' executable bits are, where the file system keeps none. */
  readonly bits?: KnownBits;
}

/** The path on the disk of what stands at `path` in the skills directory; '' is the directory itself. */
export function placeOf({ root }: Library, path: string): string {
  return path === '' ? root : `${root === '/' ? '' : root}/${path}`;
}

export function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** The folder of a path, '' being the topmost. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function isBelow(path: string, folder: string): boolean {
  return folder === '' ? path !== '' : path.startsWith(`${folder}/`);
}

// Executable bits in a skills directory whose file system keeps none: what is known of them elsewhere.

import { answer, type Disk } from '../disk.ts';
import type { IsExecutable } from '../replica.ts';
import type { Skill } from '../skill/skill.ts';

/** What the executable bits of files are, whatever their modes. */
export class KnownBits {
  readonly #elsewhere: IsExecutable;
  readonly #written = new Map<string, boolean>();

  constructor(elsewhere: IsExecutable) {
    this.#elsewhere = elsewhere;
  }

  isExecutable: IsExecutable = async (file) => this.#written.get(file) ?? this.#elsewhere(file);

  /** A file's bit is from now on the one that it was written with. */
  noteWritten({ path, entries }: Skill): void {
    for (const entry of entries) this.#written.set(`${path}/${entry.path}`, entry.executable);
  }
}

/** What systems answer where there is no mode to change. */
const noModes = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'];

/** The disk, on which changing a mode may come to nothing. It is tried: git's setting may know less than the disk. */
export function withoutModes(disk: Disk): Disk {
  return {
    ...disk,
    open: async (path, flags, mode) => {
      const file = await disk.open(path, flags, mode);
      return { ...file, chmod: async (wanted) => void (await answer(file.chmod(wanted), ...noModes)) };
    },
  };
}

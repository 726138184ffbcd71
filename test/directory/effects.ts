// A disk on which a test sees each effect before it happens, and can make it fail.

import { constants } from 'node:fs';
import { type Disk, nodeDisk, type OpenFile } from '../../src/disk.ts';
import { systemError } from './folder.ts';

/** What changes the disk: the call, and the path that it changes. */
export interface Effect {
  readonly call: string;
  readonly path: string;
}

/** @param before called before each effect; throws where it shall fail */
export function watchedDisk(before: (effect: Effect) => void): Disk {
  const on = async (call: string, path: string) => before({ call, path });
  return {
    ...nodeDisk,
    open: async (path, flags, mode) => {
      if ((flags & (constants.O_WRONLY | constants.O_RDWR)) === 0) return nodeDisk.open(path, flags, mode);
      await on('open', path);
      return watchedFile(path, await nodeDisk.open(path, flags, mode), on);
    },
    // Paths as they are, for a test to read: no link comes in between here.
    openFolder: async (path) => {
      const folder = await nodeDisk.openFolder(path);
      return {
        place: path,
        sync: async () => {
          await on('flush', path);
          await folder.sync();
        },
        close: folder.close,
      };
    },
    writeNew: async (path, bytes) => {
      await on('writeNew', path);
      await nodeDisk.writeNew(path, bytes);
    },
    linkNew: async (from, to) => {
      await on('link', to);
      return nodeDisk.linkNew(from, to);
    },
    mkdir: async (path) => {
      await on('mkdir', path);
      await nodeDisk.mkdir(path);
    },
    rename: async (from, to) => {
      await on('rename', to);
      await nodeDisk.rename(from, to);
    },
    renameOver: async (from, to, was) => {
      await on('rename', to);
      return nodeDisk.renameOver(from, to, was);
    },
    unlink: async (path) => {
      await on('unlink', path);
      await nodeDisk.unlink(path);
    },
    unlinkAs: async (path, was) => {
      await on('unlink', path);
      return nodeDisk.unlinkAs(path, was);
    },
    copyNew: async (from, to) => {
      await on('copy', to);
      await nodeDisk.copyNew(from, to);
    },
    rmdir: async (path) => {
      await on('rmdir', path);
      await nodeDisk.rmdir(path);
    },
  };
}

function watchedFile(
  path: string,
  file: OpenFile,
  on: (call: string, path: string) => Promise<void>,
): OpenFile {
  return {
    ...file,
    write: async (bytes) => {
      await on('write', path);
      await file.write(bytes);
    },
    chown: async (uid, gid) => {
      await on('chown', path);
      await file.chown(uid, gid);
    },
    chmod: async (mode) => {
      await on('chmod', path);
      await file.chmod(mode);
    },
    sync: async () => {
      await on('flush', path);
      await file.sync();
    },
  };
}

/** As if the process died: no effect happens any more, and nobody can tell why. */
export class Killed extends Error {}

/** A disk that dies before its effect number `at`, counted from 1. */
export function dyingDisk(at: number): Disk & { readonly hasDied: () => boolean } {
  let count = 0;
  const disk = watchedDisk(() => {
    count++;
    if (count >= at) throw new Killed('killed');
  });
  return { ...disk, hasDied: () => count >= at };
}

/** A disk whose effect number `at`, counted from 1, fails with a code of the system, and where `forGood` all after it. */
export function failingDisk(
  at: number,
  code: string,
  forGood = false,
): Disk & { readonly hasFailed: () => boolean } {
  let count = 0;
  const disk = watchedDisk(() => {
    count++;
    if (forGood ? count >= at : count === at) throw systemError(code);
  });
  return { ...disk, hasFailed: () => count >= at };
}

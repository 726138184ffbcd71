// The thin seam over the file system: just the calls that are used, so that a test can make any one of them fail.

import { type BigIntStats, constants, type Dirent } from 'node:fs';
import * as fs from 'node:fs/promises';

/** A file that is open, until `close`. */
export interface OpenFile {
  stat(): Promise<BigIntStats>;
  /** Reads into `target` from the file's current position; 0 bytes at its end. */
  read(target: Buffer, offset: number): Promise<number>;
  write(bytes: Buffer): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  /** Flushes to the device: what was written survives a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Every call rejects with the system's error, which {@link codeOf} reads. */
export interface Disk {
  realpath(path: string): Promise<string>;
  /** Never follows a link. */
  lstat(path: string): Promise<BigIntStats>;
  readdir(path: string): Promise<Dirent[]>;
  /** The names as the bytes that the file system holds, which need not be UTF-8. */
  readdirBytes(path: string): Promise<Buffer[]>;
  /** `flags` are those of `constants` in node:fs; `mode` is that of a new file, before the umask. */
  open(path: string, flags: number, mode?: number): Promise<OpenFile>;
  /** Writes a file that must not exist, and flushes it. */
  writeNew(path: string, bytes: Buffer): Promise<void>;
  /** Gives a file a second name; false where that name is taken. */
  linkNew(from: string, to: string): Promise<boolean>;
  mkdir(path: string): Promise<void>;
  /** Replaces what stands at `to`, in one step. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
}

/** A file that must not exist, opened for writing. */
export const openNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A file opened for reading, unless it is a link; opening a FIFO does not wait for its writer. */
export const openRead = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function open(path: string, flags: number, mode?: number): Promise<OpenFile> {
  const handle = await fs.open(path, flags, mode);
  return {
    stat: () => handle.stat({ bigint: true }),
    read: async (target, offset) => (await handle.read(target, offset)).bytesRead,
    write: (bytes) => handle.writeFile(bytes),
    chown: (uid, gid) => handle.chown(uid, gid),
    chmod: (mode) => handle.chmod(mode),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function writeNew(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, openNew, 0o666);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The real file system. */
export const nodeDisk: Disk = {
  realpath: (path) => fs.realpath(path),
  lstat: (path) => fs.lstat(path, { bigint: true }),
  readdir: (path) => fs.readdir(path, { withFileTypes: true }),
  readdirBytes: (path) => fs.readdir(path, { encoding: 'buffer' }),
  open,
  writeNew,
  linkNew,
  mkdir: (path) => fs.mkdir(path),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  rmdir: (path) => fs.rmdir(path),
};

/** The system's code of a failed call, as `ENOENT`. Any other error is a bug, and is thrown on. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  throw error;
}

/** What a call on the disk gave, if it did. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

/** Waits for a call on the disk, which may fail: with one of `codes`, or with any where none is named. */
export async function answer<T>(call: Promise<T>, ...codes: readonly string[]): Promise<Answer<T>> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    const code = codeOf(error);
    if (codes.length === 0 || codes.includes(code)) return { ok: false };
    throw error;
  }
}

/**
 * Reads a file to the length that `size` says, or to its end where that comes first. It is not the whole file
 * where the file grew since `size` was asked for.
 */
export async function readBytes(file: OpenFile, size: number): Promise<Buffer> {
  const target = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const more = await file.read(target, length);
    if (more === 0) break;
    length += more;
  }
  return target.subarray(0, length);
}

/** Reads a file whole, as it is now; rejects with the system's error. For small files of our own. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path, openRead);
  try {
    return await readBytes(file, Number((await file.stat()).size));
  } finally {
    await file.close();
  }
}

// The thin seam over the file system: just the calls that are used, so that a test can make any one of them fail.

import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync as fsyncCallback,
  lstatSync,
  mkdirSync,
  open as openCallback,
  openSync,
  read as readCallback,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  write as writeCallback,
  writeSync,
} from 'node:fs';
import * as fs from 'node:fs/promises';
import { promisify } from 'node:util';

/** A file that is open, until `close`. */
export interface OpenFile {
  stat(): Promise<BigIntStats>;
  /** Whether it stands at `path`, a real one: a folder of it may have become a link. True where no system can tell. */
  isAt(path: string): Promise<boolean>;
  /** Reads into `target`, from `position` or else the file's current one; 0 bytes at its end. */
  read(target: Buffer, offset: number, position?: number): Promise<number>;
  write(bytes: Buffer): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  /** Flushes to the device: what was written survives a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A folder that is held open, until `close`. */
export interface OpenFolder {
  /** What names in it are appended to, after a slash: leads into this very folder, whatever its path becomes. */
  readonly place: string;
  /** Makes the names in it survive a loss of power, where the file system can do that. */
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
  /** `path` is a real one: rejects with ELOOP where a component of it became a link. */
  openFolder(path: string): Promise<OpenFolder>;
  /** Writes a file that must not exist, and flushes it. */
  writeNew(path: string, bytes: Buffer): Promise<void>;
  /** Gives a file a second name; false where that name is taken. */
  linkNew(from: string, to: string): Promise<boolean>;
  mkdir(path: string): Promise<void>;
  /** Replaces what stands at `to`, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** As `rename`, where `to` is still as it was, null for nothing; else false, and nothing is done. */
  renameOver(from: string, to: string, was: BigIntStats | null): Promise<boolean>;
  unlink(path: string): Promise<void>;
  /** As `unlink`, where `path` is still as it was; else false, and nothing is done. */
  unlinkAs(path: string, was: BigIntStats): Promise<boolean>;
  /** Copies a file to where nothing stands. */
  copyNew(from: string, to: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** Removes a folder with all that is in it; no link is followed. */
  removeTree(path: string): Promise<void>;
  /** Whether the file system that holds a folder keeps executable bits, as far as its kind tells. */
  keepsModes(folder: string): Promise<boolean>;
}

/** A file that must not exist, opened for writing. */
export const openNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A file opened for reading, also through a link; opening a FIFO does not wait for its writer. */
export const openReadThrough = constants.O_RDONLY | constants.O_NONBLOCK;

/** The same, unless it is a link. */
export const openRead = openReadThrough | constants.O_NOFOLLOW;

// Where a local disk answers from memory, asking at once takes a tenth of the time that a thread's answer takes. What
// reads, writes or waits for the device is left to threads.

const openAsync = promisify(openCallback);
const readAsync = promisify(readCallback);
const writeAsync = promisify(writeCallback);
const syncAsync = promisify(fsyncCallback);

/** What is written at once: more is left to a thread. */
const smallBytes = 64 * 1024;

async function open(path: string, flags: number, mode?: number): Promise<OpenFile> {
  const isNew = (flags & constants.O_CREAT) !== 0;
  const fd = isNew ? openSync(path, flags, mode) : await openAsync(path, flags, mode);
  return {
    stat: async () => fstatSync(fd, { bigint: true }),
    isAt: async (place) => !isAnchored || readlinkSync(`${openFiles}/${fd}`) === place,
    read: async (target, offset, position) =>
      (await readAsync(fd, target, offset, target.length - offset, position ?? null)).bytesRead,
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        at +=
          bytes.length <= smallBytes
            ? writeSync(fd, bytes, at)
            : (await writeAsync(fd, bytes, at, bytes.length - at, null)).bytesWritten;
      }
    },
    chown: async (uid, gid) => fchownSync(fd, uid, gid),
    chmod: async (mode) => fchmodSync(fd, mode),
    sync: () => syncAsync(fd),
    close: async () => closeSync(fd),
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

/** Where Linux keeps a process's open files, each as a link to what it is. Other systems' folder leads nowhere. */
const openFiles = '/proc/self/fd';
const isAnchored = process.platform === 'linux' && existsSync(openFiles);

/**
 * Node has no `openat`. On Linux the way through the open folder takes its part; elsewhere a link that comes
 * after the look is not seen.
 */
async function openFolder(path: string): Promise<OpenFolder> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const place = `${openFiles}/${fd}`;
    const real = isAnchored ? readlinkSync(place) : realpathSync.native(path);
    if (real !== path) throw Object.assign(new Error(`a link leads to ${path}`), linkCode);
    return {
      place: isAnchored ? place : path,
      sync: async () => void (await answer(syncAsync(fd), 'EINVAL', 'ENOTSUP', 'EPERM')),
      close: async () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

const linkCode = { code: 'ELOOP', syscall: 'open' };

/** Whether two looks at a path saw one file, unchanged, with the same mode. */
export function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}

/** At once, so that next to nothing comes between this look and what is done about it. */
function isAsBefore(path: string, was: BigIntStats | null): boolean {
  const now = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return was === null || now === undefined ? was === (now ?? null) : isSameFile(now, was);
}

/**
 * Kinds of file systems on Linux that have no place for an executable bit: MSDOS_SUPER_MAGIC, which is vfat too,
 * and EXFAT_SUPER_MAGIC, as linux/magic.h has them. NTFS, 9p (WSL's drvfs), FUSE and network shares are not among
 * them: whether those keep one depends on the driver and on how they are mounted.
 */
const modelessTypes = [0x4d44, 0x2011bab0];

/** What {@link Disk.keepsModes} says of a system, and of a kind as statfs(2) names it there. */
export function kindKeepsModes(platform: NodeJS.Platform, type: number | undefined): boolean {
  if (platform === 'win32') return false;
  return platform !== 'linux' || type === undefined || !modelessTypes.includes(type);
}

async function keepsModes(folder: string): Promise<boolean> {
  const asked = await answer(fs.statfs(folder));
  return kindKeepsModes(process.platform, asked.ok ? asked.value.type : undefined);
}

/** The real file system. */
export const nodeDisk: Disk = {
  realpath: (path) => fs.realpath(path),
  lstat: async (path) => lstatSync(path, { bigint: true }),
  readdir: async (path) => readdirSync(path, { withFileTypes: true }),
  readdirBytes: (path) => fs.readdir(path, { encoding: 'buffer' }),
  open,
  openFolder,
  writeNew,
  linkNew,
  mkdir: async (path) => mkdirSync(path),
  rename: async (from, to) => renameSync(from, to),
  renameOver: async (from, to, was) => {
    const isAs = isAsBefore(to, was);
    if (isAs) renameSync(from, to);
    return isAs;
  },
  unlink: async (path) => unlinkSync(path),
  unlinkAs: async (path, was) => {
    const isAs = isAsBefore(path, was);
    if (isAs) unlinkSync(path);
    return isAs;
  },
  copyNew: (from, to) => fs.copyFile(from, to, constants.COPYFILE_EXCL),
  rmdir: async (path) => rmdirSync(path),
  removeTree: (path) => fs.rm(path, { recursive: true }),
  keepsModes,
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
 * Reads a file, from `position` or else its current one, to the length that `size` says, or to its end where that
 * comes first. It is not the whole file where the file grew since `size` was asked for.
 */
export async function readBytes(file: OpenFile, size: number, position?: number): Promise<Buffer> {
  const target = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const more = await file.read(target, length, position === undefined ? position : position + length);
    if (more === 0) break;
    length += more;
  }
  return target.subarray(0, length);
}

/** Bytes of a small file of our own: others may have put anything in its place. */
const smallFileBytes = 64 * 1024;

/**
 * Reads a file whole, as it is now; rejects with the system's error, and with EFBIG where it is larger than `most`.
 * For files of our own.
 */
export async function readWhole(disk: Disk, path: string, most = smallFileBytes): Promise<Buffer> {
  const file = await disk.open(path, openRead);
  try {
    const { size } = await file.stat();
    if (size > most)
      throw Object.assign(new Error(`${path} is too large`), { code: 'EFBIG', syscall: 'read' });
    return await readBytes(file, Number(size));
  } finally {
    await file.close();
  }
}

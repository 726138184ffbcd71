// The embedded database: Postgres in this process, in a folder of the project, for who has no server.

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { PGlite } from '@electric-sql/pglite';
import { answer, codeOf, type Disk, openRead, readWhole } from '../disk.ts';
import { describeHolder, type Lock, lookAtLock, takeLock } from '../lock.ts';
import { packageRoot } from '../package-root.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { type Connection, connectEmbedded, type Patience } from './connection.ts';

/** The major version of the Postgres that PGlite is. */
const embeddedVersion = '18';

/** Whether something stands there that opening has to look at: reading commands create no database. */
export async function embeddedExists(disk: Disk, directory: string): Promise<boolean> {
  const standing = await standingAt(disk, directory);
  return !standing.ok || standing.value === 'database';
}

/**
 * Opens the embedded database in `directory`, creating it where it does not stand yet. Two processes that
 * open one such database corrupt it, so an exclusive lock beside it guards it until the connection is closed.
 * Problems: `database-locked`, and those whose reason begins with `embedded-`.
 */
export async function connectToEmbedded(
  disk: Disk,
  directory: string,
  { isGuest = false, ...patience }: Patience & { readonly isGuest?: boolean },
): Promise<Outcome<Connection>> {
  const place = await lockedPlace(disk, directory);
  if (!place.ok) return place;
  const { folder, lock } = place.value;
  try {
    if (!isGuest) compileOnce();
    const opened = await openOrCreate(disk, directory, folder);
    if (!opened.ok) {
      await lock.release();
      return opened;
    }
    const database = opened.value;
    const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
    const value = await connectEmbedded(directory, createPgConfig(database), patience, async () => {
      try {
        await database.close();
      } finally {
        await lock.release();
      }
    });
    return { ok: true, value };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Whether an embedded database would stand where skills are looked for. In a `.skill-fleet` nobody looks.
 *
 * @param skillsDirectory its real path
 */
export async function standsAmongSkills(
  disk: Disk,
  directory: string,
  skillsDirectory: string,
): Promise<boolean> {
  const way = path.relative(skillsDirectory, await realPlace(disk, directory)).split(path.sep);
  return way[0] !== '..' && !way.some((name) => name.toLowerCase() === '.skill-fleet');
}

/** Where a path really leads, also where nothing stands there yet. */
async function realPlace(disk: Disk, place: string): Promise<string> {
  const real = await answer(disk.realpath(place));
  return real.ok ? real.value : path.join(await realPlace(disk, path.dirname(place)), path.basename(place));
}

/** Takes the lock of the real folder, so that a link to it is no second way in. The folder need not stand yet. */
async function lockedPlace(
  disk: Disk,
  directory: string,
): Promise<Outcome<{ readonly folder: string; readonly lock: Lock }>> {
  try {
    await makeFolder(disk, path.dirname(directory));
    const folder = await realPlace(disk, directory);
    const taken = await takeLock(disk, `${folder}.lock`);
    if ('lock' in taken) return { ok: true, value: { folder, lock: taken.lock } };
    const holder = describeHolder(taken.holder);
    return refuse({ reason: 'database-locked', database: directory, holder, files: `${folder}.lock.*` });
  } catch (error) {
    return refuse(unusable(directory, error, path.dirname(directory)));
  }
}

/** What an embedded database's folder has beside it: who has it open, in words, and what killed processes left. */
export async function lookBeside(
  disk: Disk,
  directory: string,
): Promise<{ readonly holder: string | undefined; readonly left: readonly string[] }> {
  const folder = await realPlace(disk, directory);
  const { holder, left } = await lookAtLock(disk, `${folder}.lock`);
  if (holder !== undefined) return { holder: describeHolder(holder), left: [] };
  const half = halfMade(folder);
  const stands = (await answer(disk.lstat(half))).ok;
  return { holder: undefined, left: [...left, ...(stands ? [half] : [])] };
}

/** Step by step: where the system makes no folder, as in /proc, Node's recursive `mkdir` never ends. */
async function makeFolder(disk: Disk, folder: string): Promise<void> {
  if ((await answer(disk.realpath(folder), 'ENOENT')).ok) return;
  await makeFolder(disk, path.dirname(folder));
  await answer(disk.mkdir(folder), 'EEXIST');
}

/** What stands in a folder where a database is to be: one, or nothing. Anything else is a problem, and stays. */
async function standingAt(disk: Disk, directory: string): Promise<Outcome<'nothing' | 'database'>> {
  try {
    const names = await answer(disk.readdir(directory), 'ENOENT');
    if (!names.ok && (await answer(disk.lstat(directory), 'ENOENT')).ok) {
      return refuse({
        reason: 'embedded-folder-unusable',
        directory,
        why: 'it is a link that leads nowhere',
      });
    }
    if (!names.ok || names.value.length === 0) return { ok: true, value: 'nothing' };
    const version = await answer(readWhole(disk, path.join(directory, 'PG_VERSION')), 'ENOENT');
    if (!version.ok) return refuse({ reason: 'embedded-folder-taken', directory });
    const server = await serverOf(disk, directory);
    if (server !== undefined) {
      const why = `it holds the data of a Postgres server, whose process is or was ${server}`;
      return refuse({ reason: 'embedded-folder-unusable', directory, why });
    }
    const major = version.value.toString().trim();
    if (major === embeddedVersion) return { ok: true, value: 'database' };
    return /^\d{1,3}$/.test(major)
      ? refuse({
          reason: 'embedded-database-other-version',
          database: directory,
          version: major,
          known: embeddedVersion,
        })
      : refuse({ reason: 'embedded-database-damaged', database: directory });
  } catch (error) {
    return refuse(unusable(directory, error));
  }
}

/** The process of a server that has a folder's data open, or was killed while it had: PGlite's has a negative id. */
async function serverOf(disk: Disk, directory: string): Promise<string | undefined> {
  const lock = await answer(readWhole(disk, path.join(directory, ownLock)), 'ENOENT');
  return lock.ok ? /^[1-9]\d*$/.exec(lock.value.toString().split('\n', 1)[0] ?? '')?.[0] : undefined;
}

/** The file in which Postgres says who has a folder's data open. */
const ownLock = 'postmaster.pid';

/**
 * Most commands run a small part of PGlite's program once: V8 is told to compile anew, in other threads, only what runs
 * for long. It is told for the whole process.
 */
function compileOnce(): void {
  setFlagsFromString('--wasm-tiering-budget=100000000');
}

async function openOrCreate(disk: Disk, directory: string, folder: string): Promise<Outcome<PGlite>> {
  const standing = await standingAt(disk, directory);
  if (!standing.ok) return standing;
  if (standing.value === 'nothing') {
    const obstacle = await create(disk, folder);
    if (obstacle !== undefined) return refuse(unusable(directory, obstacle));
  }
  // Only who holds the lock opens it: what says otherwise is of somebody who was killed. Where that was before it was
  // written to its end, Postgres would not start.
  await answer(disk.unlink(path.join(folder, ownLock)));
  const { PGlite } = await import('@electric-sql/pglite');
  // Of the 128 MB that it takes by itself each start clears every byte, which is a tenth of a second.
  const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];
  const database = await PGlite.create(folder, { startParams }).catch(() => undefined);
  if (database !== undefined) return { ok: true, value: database };
  // What PGlite throws names no cause. The files may.
  const obstacle = await obstacleIn(disk, folder);
  return refuse(
    obstacle === undefined
      ? { reason: 'embedded-database-damaged', database: directory }
      : unusable(directory, obstacle),
  );
}

/** Where a database stands until it is whole. */
function halfMade(folder: string): string {
  return `${folder}.skill-fleet-new`;
}

/**
 * Creates a database aside, and renames it into place once it is whole: killed at any instant, nothing half stands
 * there. Returns the disk's error where it refuses.
 */
async function create(disk: Disk, folder: string): Promise<unknown> {
  const { PGlite } = await import('@electric-sql/pglite');
  // Only who holds the lock makes one: what stands there is of somebody who was killed.
  const fresh = halfMade(folder);
  try {
    await answer(disk.removeTree(fresh), 'ENOENT');
    await disk.mkdir(fresh);
    // PGlite takes seconds to make one: the package brings one, unless it was not built.
    const made = await readFile(new URL('dist/new-database.tar.gz', packageRoot)).catch(() => undefined);
    const options = made && { loadDataDir: new Blob([made]) };
    const database = await PGlite.create(fresh, options).catch(async (error: unknown) => {
      throw (await obstacleIn(disk, fresh)) ?? error;
    });
    await database.close();
    // PGlite flushes nothing. A loss of power must not leave the name without the contents.
    await visitTree(disk, fresh, flushFile, flushFolder);
    await disk.rename(fresh, folder);
    await flushFolder(disk, path.dirname(folder));
    return undefined;
  } catch (error) {
    await answer(disk.removeTree(fresh));
    return error;
  }
}

/** The disk's error where this user may not write the files of a database, or nothing more fits in. */
async function obstacleIn(disk: Disk, folder: string): Promise<unknown> {
  const probe = path.join(folder, `.probe-${randomUUID()}`);
  try {
    await disk.writeNew(probe, Buffer.alloc(probeBytes));
    await visitTree(disk, folder, openForBoth, async () => {});
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await answer(disk.unlink(probe));
  }
}

/** More than what is left where PGlite found no room. */
const probeBytes = 64 * 1024;

type Visit = (disk: Disk, path: string) => Promise<void>;

/** Visits all files of a folder and of those below it, then the folder. No link is followed. */
async function visitTree(disk: Disk, folder: string, file: Visit, itself: Visit): Promise<void> {
  const entries = await disk.readdir(folder);
  await Promise.all(
    entries.filter((entry) => entry.isFile()).map(({ name }) => file(disk, path.join(folder, name))),
  );
  for (const entry of entries.filter((one) => one.isDirectory())) {
    await visitTree(disk, path.join(folder, entry.name), file, itself);
  }
  await itself(disk, folder);
}

async function flushFile(disk: Disk, file: string): Promise<void> {
  const open = await disk.open(file, openRead);
  await open.sync();
  await open.close();
}

async function flushFolder(disk: Disk, folder: string): Promise<void> {
  const open = await disk.openFolder(folder);
  await open.sync();
  await open.close();
}

async function openForBoth(disk: Disk, file: string): Promise<void> {
  const open = await disk.open(file, constants.O_RDWR);
  await open.close();
}

const mayNot = (where: string) => `this user may not read and write ${where}`;
const full = () => 'the disk is full';
const notFolder = () => 'a file stands there, or in the way to it';
const mounted = () => 'a disk is mounted there: name a folder on it';

/** What the disk's answer to a path means. */
const obstacles: { readonly [code: string]: (where: string) => string } = {
  EACCES: mayNot,
  EPERM: mayNot,
  ENOENT: (where) => `nothing can be made in ${where}`,
  EROFS: () => 'the disk is read-only',
  ENOSPC: full,
  EDQUOT: full,
  ENOTDIR: notFolder,
  EEXIST: notFolder,
  EBUSY: mounted,
  EXDEV: mounted,
};

/** An error that is none of the disk's is thrown on. `where` names what was tried where the error does not. */
function unusable(directory: string, error: unknown, where?: string): Problem {
  const code = codeOf(error);
  const tried = where ?? (error as NodeJS.ErrnoException).path ?? directory;
  const why = obstacles[code]?.(tried);
  return {
    reason: 'embedded-folder-unusable',
    directory,
    why: why === undefined ? code : `${why} (${code})`,
  };
}

// A lock between processes, as files: one holder at a time, and a dead holder's lock can be taken over.
//
// Each holder creates `PATH.<generation>`, exclusively; the highest generation holds. Taking over from the
// dead is creating the next generation, which only one process can do: no moment has two holders, and nobody
// deletes a lock that another one has just taken.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { answer, type Disk, readWhole } from './disk.ts';

/** Who holds a lock, as its file says. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When it was taken, ISO 8601. */
  readonly since: string;
  /** Tells this process from a later one with the same pid; '' where the system does not say. */
  readonly started: string;
}

/** A lock that is held until `release`. */
export interface Lock {
  release(): Promise<void>;
}

/** Each round that is lost means that another process won, so this many are never lost in a row. */
const maxRounds = 100;

/**
 * Takes the lock at `lockPath`, whose folder exists, or says who holds it. Waits for nobody.
 *
 * A holder on another host cannot be seen to be dead: it holds until its file is deleted.
 */
export async function takeLock(
  disk: Disk,
  lockPath: string,
): Promise<{ readonly lock: Lock } | { readonly holder: LockHolder }> {
  const draft = `${lockPath}.${randomUUID()}`;
  const me: LockHolder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    started: await startOf(process.pid),
  };
  await disk.writeNew(draft, Buffer.from(JSON.stringify(me)));
  try {
    for (let round = 0; round < maxRounds; round++) {
      const highest = Math.max(0, ...(await generations(disk, lockPath)));
      const holder = highest > 0 ? await readHolder(disk, `${lockPath}.${highest}`) : undefined;
      if (holder && (await isAlive(holder))) return { holder };
      const mine = `${lockPath}.${highest + 1}`;
      // A link appears whole, and only where nothing stands: nobody reads half a holder.
      if (!(await disk.linkNew(draft, mine))) continue;
      const present = await generations(disk, lockPath);
      if (Math.max(...present) > highest + 1) {
        await disk.unlink(mine);
        continue;
      }
      for (const dead of present) if (dead <= highest) await answer(disk.unlink(`${lockPath}.${dead}`));
      return { lock: { release: () => disk.unlink(mine) } };
    }
    throw new Error(`the lock ${lockPath} could not be taken in ${maxRounds} rounds`);
  } finally {
    await disk.unlink(draft);
  }
}

async function generations(disk: Disk, lockPath: string): Promise<readonly number[]> {
  const prefix = `${path.basename(lockPath)}.`;
  const entries = await disk.readdir(path.dirname(lockPath));
  return entries
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length))
    .filter((generation) => /^\d{1,15}$/.test(generation))
    .map(Number);
}

/** Undefined where the holder let go meanwhile. What cannot be read names nobody, and counts as dead. */
async function readHolder(disk: Disk, file: string): Promise<LockHolder | undefined> {
  const bytes = await answer(readWhole(disk, file));
  if (!bytes.ok) return undefined;
  try {
    return JSON.parse(bytes.value.toString()) as LockHolder;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, host, started }: LockHolder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const running = await startOf(pid);
  return started === '' || running === '' || running === started;
}

/** When a process started, in the system's own count: Linux says it in /proc, others do not. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may hold spaces; the start is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

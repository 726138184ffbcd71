// A lock between processes, as files: one holder at a time, and a dead holder's lock can be taken over.
//
// Each holder creates `PATH.<generation>`, exclusively. Taking over from the dead is creating the next
// generation, which only one process can do. It holds once it has looked again and found no other generation
// alive: of two that are there at once, the later one sees the earlier, so no moment has two holders. Only the
// dead are deleted by others.

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

/** The holder, as a problem names it. */
export function describeHolder({ pid, host, since }: LockHolder): string {
  return `process ${pid} on ${host} since ${since}`;
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
      const holder = highest > 0 ? await liveHolder(disk, `${lockPath}.${highest}`) : undefined;
      if (holder) return { holder };
      const mine = `${lockPath}.${highest + 1}`;
      // A link appears whole, and only where nothing stands: nobody reads half a holder.
      if (!(await disk.linkNew(draft, mine))) continue;
      const present = await generations(disk, lockPath);
      const others = present.filter((one) => one !== highest + 1).map((one) => `${lockPath}.${one}`);
      const alive = await Promise.all(others.map((file) => liveHolder(disk, file)));
      if (alive.some(Boolean)) {
        await answer(disk.unlink(mine), 'ENOENT');
        continue;
      }
      for (const dead of [...others, ...(await abandonedDrafts(disk, lockPath, draft))]) {
        await answer(disk.unlink(dead), 'ENOENT');
      }
      return { lock: { release: () => disk.unlink(mine) } };
    }
    throw new Error(`the lock ${lockPath} could not be taken in ${maxRounds} rounds`);
  } finally {
    await disk.unlink(draft);
  }
}

/** What processes left that died before they held the lock. A draft that is not whole may be under way. */
async function abandonedDrafts(disk: Disk, lockPath: string, mine: string): Promise<readonly string[]> {
  const entries = await disk.readdir(path.dirname(lockPath));
  const drafts = entries
    .map(({ name }) => path.join(path.dirname(lockPath), name))
    .filter((file) => file.startsWith(`${lockPath}.`) && file.length === mine.length && file !== mine);
  const dead: string[] = [];
  for (const file of drafts) {
    const bytes = await answer(readWhole(disk, file), 'ENOENT');
    const holder = bytes.ok ? parseHolder(bytes.value.toString()) : undefined;
    if (holder && !(await isAlive(holder))) dead.push(file);
  }
  return dead;
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

/** Undefined where the holder is dead, or let go meanwhile. A file of another shape names nobody. */
async function liveHolder(disk: Disk, file: string): Promise<LockHolder | undefined> {
  const bytes = await answer(readWhole(disk, file), 'ENOENT');
  const holder = bytes.ok ? parseHolder(bytes.value.toString()) : undefined;
  return holder && (await isAlive(holder)) ? holder : undefined;
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const { pid, host, since, started } = JSON.parse(text) as Partial<LockHolder>;
    const whole =
      Number.isSafeInteger(pid) &&
      Number(pid) > 0 &&
      [host, since, started].every((value) => typeof value === 'string');
    return whole ? ({ pid, host, since, started } as LockHolder) : undefined;
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

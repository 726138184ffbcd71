// A lock between processes, as files: one holder at a time, and a dead holder's lock can be taken over.
//
// Each holder creates `PATH.<generation>`, exclusively. Taking over from the dead is creating the next
// generation, which only one process can do. It holds once it has looked again and found no other generation
// alive: of two that are there at once, the later one sees the earlier, so no moment has two holders. Only the
// dead are deleted by others.

import { randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { answer, codeOf, type Disk, readWhole } from './disk.ts';
import { userName } from './user.ts';

/** Who holds a lock, as its file says. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When it was taken, ISO 8601. */
  readonly since: string;
  /** Tells this process from a later one with the same pid; '' where the system does not say. */
  readonly started: string;
  /** Tells this start of the system from others. Neither older files nor all systems say it. */
  readonly boot?: string;
  /** In which numbering of processes the pid counts: containers that share a hostname have their own. */
  readonly namespace?: string;
  /** The user's name. Older files do not say it. */
  readonly user?: string;
}

/** Somebody whose file this user may not read: whose it is, and since when it stands. */
interface UnknownHolder {
  readonly userId: number;
  readonly since: string;
}

/** Who holds a lock, as far as this user may know. */
export type Holder = LockHolder | UnknownHolder;

/** The holder, as a problem names it: `ada's process 12 on build-7, for 3 minutes (since 2026-01-01T00:00:00.000Z)`. */
export function describeHolder(holder: Holder, now = Date.now()): string {
  const { since } = holder;
  const age = ageInWords(now - Date.parse(since));
  const when = age === undefined ? `since ${since}` : `for ${age} (since ${since})`;
  if ('userId' in holder) return `a process of the user with the id ${holder.userId}, ${when}`;
  const { user, pid, host } = holder;
  return `${user === undefined ? '' : `${user}'s `}process ${pid} on ${host}, ${when}`;
}

const second = 1000;
const units = [
  { name: 'day', ms: 86_400 * second },
  { name: 'hour', ms: 3600 * second },
  { name: 'minute', ms: 60 * second },
  { name: 'second', ms: second },
];

/** Undefined for what lies in the future, where clocks disagree, or is no time. */
function ageInWords(ms: number): string | undefined {
  if (!(ms >= 0)) return undefined;
  const unit = units.find((one) => ms >= one.ms);
  if (unit === undefined) return 'less than a second';
  const count = Math.floor(ms / unit.ms);
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`;
}

/** A lock that is held until `release`. */
export interface Lock {
  release(): Promise<void>;
}

/** Each round that is lost means that another process won, so this many are never lost in a row. */
const maxRounds = 100;

/** The last that {@link generations} reads. */
const maxGeneration = 999_999_999_999_999;

/**
 * Takes the lock at `lockPath`, whose folder exists, or says who holds it. Waits for nobody.
 *
 * A holder on another host, or in another container, cannot be seen to be dead: it holds until its file is deleted.
 */
export async function takeLock(
  disk: Disk,
  lockPath: string,
): Promise<{ readonly lock: Lock } | { readonly holder: Holder }> {
  const draft = `${lockPath}.${randomUUID()}`;
  const [running, boot, namespace] = [await lookAt(process.pid), await bootOf(), await namespaceOf()];
  const me: LockHolder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    started: running.started,
    ...(boot && { boot }),
    ...(namespace && { namespace }),
    user: userName(),
  };
  await disk.writeNew(draft, Buffer.from(JSON.stringify(me)));
  try {
    for (let round = 0; round < maxRounds; round++) {
      const highest = Math.max(0, ...(await generations(disk, lockPath)));
      const holder = highest > 0 ? await liveHolder(disk, `${lockPath}.${highest}`) : undefined;
      if (holder) return { holder };
      if (highest >= maxGeneration) {
        // Nobody could see the next one. None of ours comes here: somebody else wrote this one.
        await answer(disk.unlink(`${lockPath}.${highest}`), 'ENOENT');
        continue;
      }
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
      // Somebody may have deleted it, as a problem tells people to do.
      return { lock: { release: async () => void (await answer(disk.unlink(mine), 'ENOENT')) } };
    }
    throw new Error(`the lock ${lockPath} could not be taken in ${maxRounds} rounds`);
  } finally {
    await disk.unlink(draft);
  }
}

/** Who holds the lock at `lockPath`, and the files that dead ones left there, which the next to take it deletes. Takes nothing. */
export async function lookAtLock(
  disk: Disk,
  lockPath: string,
): Promise<{ readonly holder: Holder | undefined; readonly left: readonly string[] }> {
  const files = (await generations(disk, lockPath)).map((one) => `${lockPath}.${one}`);
  const holders = await Promise.all(files.map((file) => liveHolder(disk, file)));
  const dead = files.filter((_, index) => holders[index] === undefined);
  return {
    holder: holders.find((holder) => holder !== undefined),
    left: [...dead, ...(await abandonedDrafts(disk, lockPath, `${lockPath}.${randomUUID()}`))],
  };
}

/** How old a draft is that nobody writes any more, in milliseconds: to write one takes some of them. */
const draftMs = 3600 * second;

/** What processes left that died before they held the lock. A draft that is not whole may be under way, unless it is old. */
async function abandonedDrafts(disk: Disk, lockPath: string, mine: string): Promise<readonly string[]> {
  const entries = await disk.readdir(path.dirname(lockPath));
  const drafts = entries
    .map(({ name }) => path.join(path.dirname(lockPath), name))
    .filter((file) => file.startsWith(`${lockPath}.`) && file.length === mine.length && file !== mine);
  const dead: string[] = [];
  for (const file of drafts) {
    const bytes = await answer(readWhole(disk, file), 'ENOENT', 'EFBIG', ...unreadable);
    if (!bytes.ok) continue;
    const holder = parseHolder(bytes.value.toString());
    const stat = holder ? undefined : await answer(disk.lstat(file), 'ENOENT');
    const isOld = stat?.ok === true && Date.now() - Number(stat.value.mtimeMs) > draftMs;
    if (holder ? !(await isAlive(holder)) : isOld) dead.push(file);
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

/** Codes of a file that another user keeps to itself. */
const unreadable = ['EACCES', 'EPERM'];

/** Undefined where the holder is dead, or let go meanwhile. A file of another shape names nobody. */
async function liveHolder(disk: Disk, file: string): Promise<Holder | undefined> {
  try {
    const holder = parseHolder((await readWhole(disk, file)).toString());
    return holder && (await isAlive(holder)) ? holder : undefined;
  } catch (error) {
    if (['ENOENT', 'EFBIG'].includes(codeOf(error))) return undefined;
    if (!unreadable.includes(codeOf(error))) throw error;
    const stat = await answer(disk.lstat(file), 'ENOENT');
    return stat.ok
      ? { userId: Number(stat.value.uid), since: new Date(Number(stat.value.mtimeMs)).toISOString() }
      : undefined;
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const { pid, host, since, started, boot, namespace, user } = JSON.parse(text) as Partial<LockHolder>;
    const optional = { boot, namespace, user };
    const whole =
      Number.isSafeInteger(pid) &&
      Number(pid) > 0 &&
      [host, since, started].every((value) => typeof value === 'string') &&
      Object.values(optional).every((value) => value === undefined || typeof value === 'string');
    const said = Object.fromEntries(Object.entries(optional).filter(([, value]) => value));
    return whole ? ({ pid, host, since, started, ...said } as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, host, started, boot, namespace }: LockHolder): Promise<boolean> {
  if (host !== hostname()) return true;
  const now = await bootOf();
  if (boot && now && boot !== now) return false;
  const here = await namespaceOf();
  if (namespace && here && namespace !== here) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM' && isStill(await lookAt(pid), started);
  }
  return isStill(await lookAt(pid), started);
}

/** What the system says of a process; '' for what it does not say. */
interface Running {
  readonly state: string;
  /** In the system's own count. */
  readonly started: string;
}

/** Whether this is the process that started then, and runs: a zombie has ended, and waits to be asked about. */
function isStill({ state, started }: Running, then: string): boolean {
  return !['Z', 'X'].includes(state) && (then === '' || started === '' || started === then);
}

/** Linux says it in /proc, others do not. */
async function lookAt(pid: number): Promise<Running> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  // The second field is the command in parentheses, which may hold spaces; the start is the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? '' };
}

/** A machine that starts again repeats process ids, and counts starts from its own. */
async function bootOf(): Promise<string> {
  return (await contentOf('/proc/sys/kernel/random/boot_id')).trim();
}

async function namespaceOf(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '');
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return '';
  }
}

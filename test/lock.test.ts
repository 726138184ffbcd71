import { fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Disk, nodeDisk } from '../src/disk.ts';
import { describeHolder, type LockHolder, lookAtLock, takeLock } from '../src/lock.ts';
import { temporaryFolder } from './folders.ts';
import { bundledProgram } from './programs.ts';

async function lockPath(): Promise<string> {
  return path.join(await temporaryFolder(), 'db.lock');
}

/** A process that was there, and is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

/** A process that has ended while its parent, which never asks about it, lives. */
async function zombiePid(): Promise<number> {
  // The shell starts a child, then becomes a program that knows nothing of it. The child waits for that.
  const child = 'until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done';
  const parent = spawn('sh', ['-c', `sh -c '${child}' & echo $!; exec sleep 600`]);
  onTestFinished(() => void parent.kill());
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(line);
  if (process.platform !== 'linux') return pid;
  while (!/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) await sleep(10);
  return pid;
}

function holder(of: Partial<LockHolder>): LockHolder {
  return { pid: process.pid, host: hostname(), since: '2026-01-01T00:00:00.000Z', started: '', ...of };
}

test('holds until it is let go, and leaves nothing', async () => {
  const file = await lockPath();
  for (const _ of ['once', 'again']) {
    const first = await takeLock(nodeDisk, file);
    if (!('lock' in first)) throw new Error('held');
    expect(await takeLock(nodeDisk, file)).toEqual({
      holder: {
        pid: process.pid,
        host: hostname(),
        since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        started: expect.any(String),
        user: userInfo().username,
        ...(process.platform === 'linux' && { boot: expect.any(String), namespace: expect.any(String) }),
      },
    });
    await first.lock.release();
    expect(await readdir(path.dirname(file))).toEqual([]);
  }
});

const holders: readonly {
  readonly name: string;
  readonly content: () => Promise<string>;
  readonly holds: boolean;
}[] = [
  { name: 'a live process', content: async () => JSON.stringify(holder({})), holds: true },
  {
    name: "another user's live process",
    content: async () => JSON.stringify(holder({ pid: 1 })),
    holds: true,
  },
  {
    name: 'a process on another host, which nobody can ask',
    content: async () => JSON.stringify(holder({ host: 'elsewhere.invalid', pid: await deadPid() })),
    holds: true,
  },
  {
    name: 'a dead process',
    content: async () => JSON.stringify(holder({ pid: await deadPid() })),
    holds: false,
  },
  {
    name: 'a dead process whose pid another one has now',
    content: async () => JSON.stringify(holder({ started: '1' })),
    // Only Linux tells when a process started.
    holds: process.platform !== 'linux',
  },
  {
    name: 'a process of an earlier start of this machine, whose pid and start another one has now',
    content: async () => JSON.stringify(holder({ boot: 'an earlier one' })),
    holds: process.platform !== 'linux',
  },
  {
    name: 'a process of another container with the same hostname, which nobody here can ask',
    content: async () => JSON.stringify(holder({ pid: await deadPid(), namespace: 'pid:[1]' })),
    // Only Linux tells containers apart.
    holds: process.platform === 'linux',
  },
  {
    name: 'a process whose user is known',
    content: async () => JSON.stringify(holder({ user: 'ada' })),
    holds: true,
  },
  {
    name: 'a zombie, which has ended and was not asked about',
    content: async () => JSON.stringify(holder({ pid: await zombiePid() })),
    // Elsewhere than on Linux nobody can tell it from a live one.
    holds: process.platform !== 'linux',
  },
  {
    name: 'nobody: a user that is no text',
    content: async () => JSON.stringify({ ...holder({}), user: 1 }),
    holds: false,
  },
  { name: 'nobody: an empty file', content: async () => '', holds: false },
  { name: 'nobody: half a file', content: async () => '{"pid": 1, "ho', holds: false },
  { name: 'nobody: another shape', content: async () => '{}', holds: false },
  { name: 'nobody: no object', content: async () => 'null', holds: false },
];

test.each(holders)('a lock of $name: holds $holds', async ({ content, holds }) => {
  const file = await lockPath();
  const text = await content();
  await writeFile(`${file}.7`, text);
  expect(await lookAtLock(nodeDisk, file)).toEqual(
    holds ? { holder: JSON.parse(text), left: [] } : { holder: undefined, left: [`${file}.7`] },
  );
  const taken = await takeLock(nodeDisk, file);
  if (holds) {
    expect(taken).toEqual({ holder: JSON.parse(text) });
    expect(await readdir(path.dirname(file))).toEqual(['db.lock.7']);
  } else {
    expect(taken).toHaveProperty('lock');
    expect(await readdir(path.dirname(file))).toEqual(['db.lock.8']);
  }
});

test('of many that ask at once, in one process, one holds', async () => {
  const file = await lockPath();
  await writeFile(`${file}.1`, JSON.stringify(holder({ pid: await deadPid() })));
  const taken = await Promise.all(Array.from({ length: 20 }, () => takeLock(nodeDisk, file)));
  expect(taken.filter((one) => 'lock' in one).length).toBe(1);
  expect(await readdir(path.dirname(file))).toEqual(['db.lock.2']);
});

test('of five processes that ask at once one holds, and the others know which', async () => {
  const file = await lockPath();
  await writeFile(`${file}.1`, JSON.stringify(holder({ pid: await deadPid() })));
  const program = await bundledProgram('ask-for-lock.ts');
  const children = Array.from({ length: 5 }, () => fork(program, [file], { execArgv: [] }));
  onTestFinished(() => {
    for (const child of children) child.kill();
  });
  await Promise.all(children.map((child) => once(child, 'message')));
  const answers = await Promise.all(
    children.map(async (child) => {
      const answered = once(child, 'message');
      child.send('ask');
      const [pid] = await answered;
      return { asked: child.pid, pid };
    }),
  );
  const winners = answers.filter(({ asked, pid }) => asked === pid);
  expect(winners.length).toBe(1);
  expect(new Set(answers.map(({ pid }) => pid))).toEqual(new Set([winners[0]?.pid]));
});

test('who was overtaken between looking and taking does not take it from a third', async () => {
  const file = await lockPath();
  await writeFile(`${file}.1`, JSON.stringify(holder({ pid: await deadPid() })));
  let third: Awaited<ReturnType<typeof takeLock>> | undefined;
  const slow: Disk = {
    ...nodeDisk,
    linkNew: async (from, to) => {
      if (third === undefined) {
        // Meanwhile another one takes over from the dead, is done, and a third begins.
        const second = await takeLock(nodeDisk, file);
        if ('lock' in second) await second.lock.release();
        third = await takeLock(nodeDisk, file);
      }
      return nodeDisk.linkNew(from, to);
    },
  };
  const taken = await takeLock(slow, file);
  expect(third).toHaveProperty('lock');
  expect(taken).toHaveProperty('holder');
});

test('a lock that is let go while it is asked for is free', async () => {
  const file = await lockPath();
  await writeFile(`${file}.1`, JSON.stringify(holder({})));
  const late: Disk = {
    ...nodeDisk,
    open: async (name, flags, mode) => {
      if (name === `${file}.1`) await unlink(name);
      return nodeDisk.open(name, flags, mode);
    },
  };
  expect(await takeLock(late, file)).toHaveProperty('lock');
});

test('clears away what died before it held the lock, and nothing else', async () => {
  const file = await lockPath();
  const dead = `${file}.${randomUUID()}`;
  const alive = `${file}.${randomUUID()}`;
  await writeFile(dead, JSON.stringify(holder({ pid: await deadPid() })));
  await writeFile(alive, JSON.stringify(holder({})));
  // Of what is not whole only its age tells whether somebody writes it.
  const [underWay, old] = [`${file}.${randomUUID()}`, `${file}.${randomUUID()}`];
  for (const half of [underWay, old]) await writeFile(half, '{"pid": 1, "ho');
  await utimes(old, 0, 0);
  expect(new Set((await lookAtLock(nodeDisk, file)).left)).toEqual(new Set([dead, old]));
  const taken = await takeLock(nodeDisk, file);
  if (!('lock' in taken)) throw new Error('held');
  await taken.lock.release();
  expect(await readdir(path.dirname(file))).toEqual(
    [alive, underWay].map((one) => path.basename(one)).sort(),
  );
});

test.each([
  ['EACCES', 'open'],
  ['EPERM', 'open'],
])('a lock that this user may not read (%s) holds, whoever made it', async (code) => {
  const file = await lockPath();
  await writeFile(`${file}.1`, JSON.stringify(holder({ pid: await deadPid() })));
  const closed: Disk = {
    ...nodeDisk,
    open: (name, flags, mode) =>
      name === `${file}.1` ? Promise.reject(systemError(code)) : nodeDisk.open(name, flags, mode),
  };
  const taken = await takeLock(closed, file);
  expect(taken).toEqual({
    holder: { userId: userInfo().uid, since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
  });
  expect(await readdir(path.dirname(file))).toEqual(['db.lock.1']);
});

test('in a folder that cannot be written to there is no lock, and its error says so', async () => {
  const file = await lockPath();
  const readOnly: Disk = { ...nodeDisk, writeNew: () => Promise.reject(systemError('EROFS')) };
  await expect(takeLock(readOnly, file)).rejects.toMatchObject({ code: 'EROFS' });
  expect(await readdir(path.dirname(file))).toEqual([]);
});

test('a lock whose file somebody deleted is let go all the same', async () => {
  const file = await lockPath();
  const taken = await takeLock(nodeDisk, file);
  if (!('lock' in taken)) throw new Error('held');
  await unlink(`${file}.1`);
  await taken.lock.release();
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'open' });
}

const since = '2026-01-01T00:00:00.000Z';
const [second, hour, day] = [1000, 3_600_000, 86_400_000];

test.each([
  [0, 'for less than a second'],
  [second, 'for 1 second'],
  [59.9 * second, 'for 59 seconds'],
  [180 * second, 'for 3 minutes'],
  [hour, 'for 1 hour'],
  [2.9 * day, 'for 2 days'],
])('a holder is named with its age: after %d ms %s', (ms, age) => {
  const named = describeHolder(
    holder({ pid: 12, host: 'build-7', since, user: 'ada' }),
    Date.parse(since) + ms,
  );
  expect(named).toBe(`ada's process 12 on build-7, ${age} (since ${since})`);
});

test.each([
  [
    'an older file',
    holder({ pid: 12, host: 'build-7', since }),
    'process 12 on build-7, for 1 second (since ',
  ],
  [
    'a time that is to come',
    holder({ pid: 12, host: 'b', since: '2026-01-01T00:03:00.000Z' }),
    'process 12 on b, since 2026-01-01T00:03',
  ],
  ['no time', holder({ pid: 12, host: 'b', since: 'yesterday' }), 'process 12 on b, since yesterday'],
  [
    "another user's closed file",
    { userId: 1001, since },
    'a process of the user with the id 1001, for 1 second',
  ],
])('a holder of %s is named as far as it is known', (_, known, start) => {
  expect(describeHolder(known, Date.parse(since) + second).startsWith(start)).toBe(true);
});

import { fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Disk, nodeDisk } from '../src/disk.ts';
import { type LockHolder, takeLock } from '../src/lock.ts';
import { temporaryFolder } from './folders.ts';

async function lockPath(): Promise<string> {
  return path.join(await temporaryFolder(), 'db.lock');
}

/** A process that was there, and is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return child.pid ?? 0;
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
  { name: 'nobody: an empty file', content: async () => '', holds: false },
  { name: 'nobody: half a file', content: async () => '{"pid": 1, "ho', holds: false },
  { name: 'nobody: another shape', content: async () => '{}', holds: false },
  { name: 'nobody: no object', content: async () => 'null', holds: false },
];

test.each(holders)('a lock of $name: holds $holds', async ({ content, holds }) => {
  const file = await lockPath();
  const text = await content();
  await writeFile(`${file}.7`, text);
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
  const built = (name: string) => JSON.stringify(path.join(import.meta.dirname, '../dist', name));
  const script = path.join(path.dirname(file), 'ask.mjs');
  await writeFile(
    script,
    `import { takeLock } from ${built('lock.js')};
     import { nodeDisk } from ${built('disk.js')};
     process.on('message', async () => {
       const taken = await takeLock(nodeDisk, ${JSON.stringify(file)});
       process.send('lock' in taken ? process.pid : taken.holder.pid);
     });
     process.send('ready');`,
  );
  const children = Array.from({ length: 5 }, () => fork(script, { execArgv: [] }));
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
  const taken = await takeLock(nodeDisk, file);
  if (!('lock' in taken)) throw new Error('held');
  await taken.lock.release();
  expect(await readdir(path.dirname(file))).toEqual([path.basename(alive)]);
});

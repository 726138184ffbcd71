// The server dies while the built command line runs: that is said in one true sentence, and the next run does the rest.
//
//   KILLS=30 npx vitest run test/faults/killed-server.test.ts      so many of each command line, in each way

import * as fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type Server, startPostgres } from '../servers/start-postgres.ts';
import { commandLines } from './command-lines.ts';
import { type Ended, Tally, Trial } from './killing.ts';

const { KILLS } = process.env;
const isLong = KILLS !== undefined;
const timeout = isLong ? 24 * 3_600_000 : 120_000;

/** What a test's server is spared, and one that is killed must have: what it said to be committed is in its log. */
const settings = ['synchronous_commit=on', 'full_page_writes=on'];

/** As `pg_ctl stop -m immediate` has it. https://www.postgresql.org/docs/current/server-shutdown.html */
const immediately = 'SIGQUIT';

function signalServer({ folder }: Server, signal: NodeJS.Signals): void {
  const [pid] = fs.readFileSync(path.join(folder, 'postmaster.pid'), 'utf8').split('\n');
  process.kill(Number(pid), signal);
}

/** Those who served clients outlive it for a moment, and it waits for them by failing. */
async function startAgain(server: Server): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await server.start();
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

async function endSessions({ url }: Server, database: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      database,
    ]);
  } finally {
    await client.end();
  }
}

/** How a server fails, and comes back. */
const failures: {
  readonly [way: string]: (server: Server, database: string) => Promise<() => Promise<void>>;
} = {
  'is killed': async (server) => {
    signalServer(server, 'SIGKILL');
    return () => startAgain(server);
  },
  'is stopped at once': async (server) => {
    signalServer(server, immediately);
    return () => startAgain(server);
  },
  'ends its sessions': async (server, database) => {
    await endSessions(server, database);
    return async () => {};
  },
};

/** One sentence, and what to do; nothing that only a programmer reads. */
function expectSaid({ code, stderr, stdout }: Ended, name: string): void {
  expect(code, `${name}: ${stderr}${stdout}`).toBe(1);
  expect(stderr.match(/^error: .*$/gm), `${name}: ${stderr}`).toEqual([
    expect.stringMatching(
      /^error: (The connection to \S+ at \S+ was lost|Cannot reach the database \S+ at \S+): \S/,
    ),
  ]);
  expect(stderr, name).toMatch(/^error: .*\n {2}.*(Run the command again|Check that it runs)/m);
  expect(stderr, name).not.toMatch(/\n\s+at |fault of its own/);
}

const few: readonly string[] = ['sync'];

test.for(commandLines.filter(({ name }) => isLong || few.includes(name)))(
  '$name, whose server fails at an instant',
  { timeout },
  async (line) => {
    const server = await startPostgres({ settings });
    onTestFinished(() => server.remove());
    const trial = await Trial.make(line, { server: server.url });
    const { first, last } = trial.effects;
    for (const [way, fail] of Object.entries(failures)) {
      const tally = new Tally(`${line.name}, whose server ${way}`, isLong);
      for (let nth = 0; nth < Number(KILLS ?? 1); nth++) {
        const after = first + Math.random() * (last - first);
        await tally.add(`${line.name}, ${way} after ${after} ms`, async (name) => {
          await trial.putBack();
          const running = trial.run();
          await sleep(after);
          const comeBack = await fail(server, path.basename(new URL(trial.library.url).pathname));
          const ended = await running;
          await comeBack();
          if (ended.code !== 0) expectSaid(ended, name);
          tally.count('failed', ended.code !== 0);
          await trial.expectWhole(ended, name);
          await trial.expectConverges(name);
        });
      }
      tally.expectWell();
    }
  },
);

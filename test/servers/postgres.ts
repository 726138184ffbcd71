// A real Postgres for the whole test run: the one that TEST_DATABASE_URL names, or one started here.

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { nodeDisk } from '../../src/disk.ts';
import { openForWriting } from '../../src/repository/open.ts';
import { startPostgres } from './start-postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A URL whose user may create databases. */
    readonly serverUrl: string;
    /** A database on the server with every migration, which nobody connects to: a test that needs one copies it. */
    readonly serverTemplate: string;
    /** How the server copies a database as files, where it can be told: half the work of a copy through its log. */
    readonly copyStrategy: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  const server = given ? { url: given, remove: async () => {} } : await startPostgres();
  project.provide('serverUrl', server.url);
  const name = `skill_fleet_template_${randomUUID().replaceAll('-', '')}`;
  await onServer(server.url, `create database ${name}`);
  const url = new URL(server.url);
  url.pathname = name;
  const [version] = await onServer(server.url, 'show server_version_num');
  project.provide(
    'copyStrategy',
    Number(version?.server_version_num) >= 150_000 ? ' strategy file_copy' : '',
  );
  const opened = await openForWriting({ kind: 'postgres', url: url.href }, nodeDisk);
  if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
  await opened.value.connection.close();
  project.provide('serverTemplate', name);
  return async () => {
    await onServer(server.url, `drop database ${name} with (force)`);
    await server.remove();
  };
}

async function onServer(
  url: string,
  statement: string,
): Promise<readonly { readonly server_version_num?: string }[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

// Databases for tests: on a real server and embedded, each test with one of its own.

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { nodeDisk } from '../src/disk.ts';
import type { Connection } from '../src/repository/connection.ts';
import { connect, type DatabasePlace, openForWriting } from '../src/repository/open.ts';
import type { ConnectOptions } from '../src/repository/server.ts';
import { copyFolder, temporaryFolder } from './folders.ts';

/** The two databases that everything must work on. */
export const databaseKinds = ['postgres', 'embedded'] as const;

/**
 * Where what stands above the connection is tried: on a server. On both:
 *
 *   DATABASES=all npm test
 */
export const usualKinds: readonly DatabaseKind[] =
  process.env['DATABASES'] === 'all' ? databaseKinds : ['postgres'];

export type DatabaseKind = (typeof databaseKinds)[number];

/** Where a test can have its database: beside the two, on the server through a pooler in transaction mode. */
export type PlaceKind = DatabaseKind | 'pooler';

/** Why nothing can be tested through a pooler, for the names of tests that are skipped then; else nothing. */
export const noPooler = inject('poolerUrl') === null ? ' (skipped: PgBouncer is not installed)' : '';

/** What makes a new database on the server a copy: `create database … ${asCopyOf(template)}`. */
export function asCopyOf(template: string): string {
  return `template ${template}${inject('copyStrategy')}`;
}

/** Kept open from one test to the next. */
const server = new pg.Pool({ connectionString: inject('serverUrl'), max: 2, allowExitOnIdle: true });
// The server stops before the workers do.
server.on('error', () => {});

/** Runs a statement on the server, as its owner. */
export async function onServer(statement: string): Promise<void> {
  await server.query(statement);
}

/** An empty database that goes when the test has finished. */
export function emptyDatabasePlace(kind: PlaceKind): Promise<DatabasePlace> {
  return databasePlace(kind, false);
}

async function databasePlace(kind: PlaceKind, isMigrated: boolean): Promise<DatabasePlace> {
  if (kind === 'embedded') {
    const directory = `${await temporaryFolder()}/db`;
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await copyFolder(inject(isMigrated ? 'embeddedTemplate' : 'embeddedEmpty'), directory);
    return { kind, directory };
  }
  const name = `skill_fleet_${randomUUID().replaceAll('-', '')}`;
  const template = isMigrated ? inject('serverTemplate') : 'template1';
  await onServer(`create database ${name} ${asCopyOf(template)}`);
  onTestFinished(() => onServer(`drop database ${name} with (force)`));
  const url = new URL((kind === 'pooler' && inject('poolerUrl')) || inject('serverUrl'));
  url.pathname = name;
  return { kind: 'postgres', url: url.href };
}

/** A connection without migrations, closed when the test has finished. */
export async function openConnection(place: DatabasePlace): Promise<Connection> {
  const connection = await connect(place, nodeDisk);
  if (!connection.ok) throw new Error(connection.problem.reason);
  onTestFinished(() => connection.value.close().catch(() => {}));
  return connection.value;
}

/** The URL of an empty database on the server that goes when the test has finished. */
export async function emptyDatabaseUrl(): Promise<string> {
  const place = await emptyDatabasePlace('postgres');
  return place.kind === 'postgres' ? place.url : '';
}

/** A migrated database of the test's own. */
export async function migratedDatabase(kind: PlaceKind): Promise<Connection> {
  const connection = await openMigrated(await databasePlace(kind, true));
  // Each has a name of its own, as if it had been migrated where it stands.
  await connection.query('update sync_databases set database_id = gen_random_uuid()');
  return connection;
}

/** A connection to a database that is migrated by this where it is not, closed when the test has finished. */
export async function openMigrated(place: DatabasePlace, options?: ConnectOptions): Promise<Connection> {
  const opened = await openForWriting(place, nodeDisk, options);
  if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
  const { connection } = opened.value;
  onTestFinished(() => connection.close().catch(() => {}));
  return connection;
}

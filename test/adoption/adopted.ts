// A team's own library in a database, for tests: library.sql, as it stands or a little different.

import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { expect, inject, onTestFinished } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { migrate } from '../../src/repository/migrate.ts';
import type { DatabasePlace } from '../../src/repository/open.ts';
import { type DatabaseKind, emptyDatabasePlace, openConnection } from '../databases.ts';
import { type Columns, columnsOf, type Dump, differences, dump } from './schema.ts';

/** What a sync neither reads nor writes. */
export const neverSynced = [
  'jobs',
  'hitl_interactions',
  'deep_understanding_state',
  'tdd_workflow_state',
  'validation_reports',
  'validation_checks',
  'skill_test_coverage',
  'usage_events',
  'skill_statistics',
  'optimization_jobs',
  'conversation_sessions',
];

/** A run that takes every skill of library.sql. */
export const everyStatus = { statuses: ['draft', 'active', 'deprecated', 'archived'] } as const;

/** The skills of library.sql, in the order of their paths. */
export const librarySkills = [
  'development/languages/python/async_tests',
  'development/languages/python/asyncio',
  'development/languages/python/asyncio-v1',
  'house_style/commit-messages',
  'no-category',
  'operations/deployment/blue-green',
  'operations/deployment/small-images',
] as const;

/** How one team's library differs from library.sql. */
export interface Variation {
  /** Runs before anything stands. */
  readonly first?: readonly string[];
  readonly edit?: (library: string) => string;
  /** Runs when the library stands, statement by statement: a new label of an enum is of use only then. */
  readonly later?: readonly string[];
}

/** A database of the test's own that no migration ever touched. */
export async function teamLibrary(
  kind: DatabaseKind,
  { first = [], edit = (library) => library, later = [] }: Variation = {},
): Promise<{ readonly place: DatabasePlace; readonly connection: Connection }> {
  const place = await emptyDatabasePlace(kind);
  const connection = await openConnection(place);
  const library = await readFile(path.join(import.meta.dirname, 'library.sql'), 'utf8');
  for (const sql of [...first, edit(library), ...later]) await connection.query(sql);
  return { place, connection };
}

const migrationsFolder = path.join(import.meta.dirname, '../../migrations');

/** The migrations, in their order. */
export async function migrationNames(): Promise<readonly string[]> {
  return (await readdir(migrationsFolder)).sort();
}

export function migrationSql(name: string): Promise<string> {
  return readFile(path.join(migrationsFolder, name), 'utf8');
}

/** What stood in a library before it was adopted. */
export interface Adopted {
  readonly columns: Columns;
  readonly before: Dump;
}

/** Migrates a team's library, which must change no row and no value that stood before. */
export async function adopt(connection: Connection): Promise<Adopted> {
  const columns = await columnsOf(connection);
  const before = await dump(connection, columns);
  expect(await migrate(connection)).toEqual({ ok: true, value: await migrationNames() });
  expect(differences(before, await dump(connection, columns))).toEqual([]);
  return { columns, before };
}

/** A role that may log in and no more, gone when the test has finished; before its database is made. */
export async function plainRole(kind: DatabaseKind): Promise<{ name: string; create: string }> {
  const name = `team_${randomUUID().replaceAll('-', '')}`;
  const create = `create role ${name}`;
  if (kind === 'embedded') return { name, create };
  const onServer = async (sql: string) => {
    const client = new pg.Client(inject('serverUrl'));
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  onTestFinished(() => onServer(`drop role ${name}`));
  return { name, create };
}

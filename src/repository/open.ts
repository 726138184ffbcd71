// From a chosen database to one that can be synced with: connected, its schema current.

import type { Disk } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { Connection, DatabaseName } from './connection.ts';
import { connectToEmbedded, embeddedExists } from './embedded.ts';
import { allPending, inspectSchema, type MigrationState, migrate } from './migrate.ts';
import { type ConnectOptions, connectServer } from './server.ts';
import { describeDatabase, problemOfDatabase } from './sqlstate.ts';

/** Which database: a server by its URL, or an embedded one by its folder. */
export type DatabasePlace =
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'embedded'; readonly directory: string };

/** A database that stands, or one that is still to come: no tables, or not even a folder. */
export type OpenedDatabase =
  | { readonly state: 'ready'; readonly connection: Connection; readonly migrated: readonly string[] }
  | { readonly state: 'absent'; readonly name: DatabaseName; readonly pending: readonly string[] };

/** Connects, and no more. An embedded database is created where it does not stand. */
export function connect(
  place: DatabasePlace,
  disk: Disk,
  options: ConnectOptions = {},
): Promise<Outcome<Connection>> {
  return place.kind === 'postgres'
    ? connectServer(place.url, options)
    : connectToEmbedded(disk, place.directory, options);
}

/**
 * Opens a database for writing. Pending migrations are applied to an empty or an embedded database; one that
 * holds data asks for `migrate`, and nothing is changed.
 */
export async function openForWriting(
  place: DatabasePlace,
  disk: Disk,
  options?: ConnectOptions,
): Promise<Outcome<OpenedDatabase>> {
  return opened<OpenedDatabase>(await connect(place, disk, options), async (connection) => {
    const { database, readOnly } = connection;
    if (readOnly !== null) {
      return refuse({ reason: 'database-read-only', database: describeDatabase(database), why: readOnly });
    }
    const schema = await inspectSchema(connection);
    if (!schema.ok) return schema;
    const { state } = schema.value;
    if (state === 'current') return { ok: true, value: { state: 'ready', connection, migrated: [] } };
    if (state !== 'absent' && place.kind !== 'embedded') {
      return refuse(needsMigrate(connection, schema.value.migrations));
    }
    const migrated = await migrate(connection);
    if (!migrated.ok) return migrated;
    return { ok: true, value: { state: 'ready', connection, migrated: migrated.value } };
  });
}

/** Opens a database for reading: nothing is created or migrated. One without our tables is `absent`. */
export async function openForReading(
  place: DatabasePlace,
  disk: Disk,
  options?: ConnectOptions,
): Promise<Outcome<OpenedDatabase>> {
  if (place.kind === 'embedded' && (await isStillToCome(place, disk))) {
    const name: DatabaseName = { kind: 'embedded', host: 'embedded', name: place.directory };
    return { ok: true, value: { state: 'absent', name, pending: namesOf(await allPending()) } };
  }
  return opened<OpenedDatabase>(await connect(place, disk, options), async (connection) => {
    const schema = await inspectSchema(connection);
    if (!schema.ok) return schema;
    const { state, migrations } = schema.value;
    if (state === 'current') return { ok: true, value: { state: 'ready', connection, migrated: [] } };
    if (state !== 'absent') return refuse(needsMigrate(connection, migrations));
    await connection.close();
    return { ok: true, value: { state: 'absent', name: connection.database, pending: namesOf(migrations) } };
  });
}

/** Whether the place is an embedded database that nobody created yet. */
async function isStillToCome(place: DatabasePlace, disk: Disk): Promise<boolean> {
  return place.kind === 'embedded' && !(await embeddedExists(disk, place.directory));
}

/** How a database's migrations stand. Creates and changes nothing. */
export async function migrationsOf(
  place: DatabasePlace,
  disk: Disk,
  options?: ConnectOptions,
): Promise<Outcome<readonly MigrationState[]>> {
  if (await isStillToCome(place, disk)) return { ok: true, value: await allPending() };
  return opened(await connect(place, disk, options), async (connection) => {
    const schema = await inspectSchema(connection);
    if (!schema.ok) return schema;
    await connection.close();
    return { ok: true, value: schema.value.migrations };
  });
}

function namesOf(migrations: readonly MigrationState[]): readonly string[] {
  return migrations.map((migration) => migration.name);
}

/** Hands the connection to `next`, and closes it where that refuses or fails. */
async function opened<T>(
  connection: Outcome<Connection>,
  next: (connection: Connection) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  if (!connection.ok) return connection;
  let isKept = false;
  try {
    const result = await withProblems(connection.value, next);
    isKept = result.ok;
    return result;
  } finally {
    // Where the connection was lost, the first error says more than what closing it meets.
    if (!isKept) await connection.value.close().catch(() => {});
  }
}

/** What the database answers while `work` goes on is a problem like any other. */
export async function withProblems<T>(
  connection: Connection,
  work: (connection: Connection) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  try {
    return await work(connection);
  } catch (error) {
    const problem = problemOfDatabase(connection.database, error);
    if (problem === undefined) throw error;
    return refuse(problem);
  }
}

function needsMigrate({ database }: Connection, migrations: readonly MigrationState[]): Problem {
  const pending = migrations.filter((migration) => migration.appliedAt === null).length;
  return { reason: 'database-needs-migrate', database: describeDatabase(database), pending };
}

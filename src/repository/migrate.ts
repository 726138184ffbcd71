// Brings a database's tables to the shape that this program needs: numbered files, applied once each, in order.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { packageRoot } from '../package-root.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { seedCategories } from './categories.ts';
import { type Connection, type DatabaseName, inView, inWriting } from './connection.ts';
import { findMisfits } from './shape.ts';
import { describeDatabase, problemOfDatabase } from './sqlstate.ts';

/** One file of `migrations/`. */
interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
}

/** One migration as a user sees it. `appliedAt` is null where it is pending. */
export interface MigrationState {
  readonly name: string;
  readonly appliedAt: Date | null;
}

/** How a database stands to this program's migrations. */
export interface Schema {
  /** `absent`: none of our tables. `adoptable`: tables of the known shape that skill-fleet never touched. */
  readonly state: 'absent' | 'adoptable' | 'behind' | 'current';
  readonly migrations: readonly MigrationState[];
}

/** Held while migrating: any number that no other program is likely to take. */
export const advisoryLockKey = 7_553_301_442;

async function readMigrations(): Promise<readonly Migration[]> {
  const folder = new URL('migrations/', packageRoot);
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8');
      return { name, sql, digest: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** The migrations of a database that does not stand yet: all are pending. */
export async function allPending(): Promise<readonly MigrationState[]> {
  return (await readMigrations()).map(({ name }) => ({ name, appliedAt: null }));
}

interface AppliedRow {
  readonly name: string;
  readonly digest: string;
  readonly applied_at: Date;
}

/** The table that lists applied migrations, and whether it stands. */
interface MigrationsTable {
  readonly name: 'schema_migrations' | 'skill_fleet_migrations';
  readonly stands: boolean;
}

/** Other programs keep their migrations under the usual name too: beside one of those, ours has a name of its own. */
export async function migrationsTable(connection: Connection): Promise<MigrationsTable> {
  const [found] = await connection.query<{ usual: boolean; usual_is_ours: boolean; own: boolean }>(
    `select to_regclass('schema_migrations') is not null as usual,
       to_regclass('skill_fleet_migrations') is not null as own,
       (select count(*) = 3 from pg_attribute
        where attrelid = to_regclass('schema_migrations') and attname in ('name', 'digest', 'applied_at')
          and not attisdropped) as usual_is_ours`,
  );
  return found?.usual && !found.usual_is_ours
    ? { name: 'skill_fleet_migrations', stands: found.own }
    : { name: 'schema_migrations', stands: found?.usual ?? false };
}

/** How the database stands, or why this program must not touch it. Reads only. */
export function inspectSchema(connection: Connection): Promise<Outcome<Schema>> {
  return inView(connection, () => inspectTables(connection));
}

async function inspectTables(connection: Connection): Promise<Outcome<Schema>> {
  const [exists] = await connection.query<{ skills: boolean }>(
    `select to_regclass('skills') is not null as skills`,
  );
  const wanted = await readMigrations();
  const table = await migrationsTable(connection);
  const applied = table.stands
    ? await connection.query<AppliedRow>(`select name, digest, applied_at from ${table.name} order by name`)
    : [];
  const problem = whyNotOurs(wanted, applied, describeDatabase(connection.database));
  if (problem) return refuse(problem);
  const times = new Map(applied.map((row) => [row.name, row.applied_at]));
  const migrations = wanted.map(({ name }) => ({ name, appliedAt: times.get(name) ?? null }));
  const pending = migrations.some((migration) => migration.appliedAt === null);
  const state = !pending
    ? 'current'
    : applied.length > 0
      ? 'behind'
      : exists?.skills
        ? 'adoptable'
        : 'absent';
  return { ok: true, value: { state, migrations } };
}

function whyNotOurs(
  wanted: readonly Migration[],
  applied: readonly AppliedRow[],
  database: string,
): Problem | undefined {
  const digests = new Map(wanted.map(({ name, digest }) => [name, digest]));
  for (const { name, digest } of applied) {
    const ours = digests.get(name);
    if (ours === undefined) return { reason: 'database-newer', database, migration: name };
    if (ours !== digest) return { reason: 'migration-edited', migration: name };
  }
  return undefined;
}

/**
 * Applies what is pending, each migration in a transaction of its own, under an advisory lock that ends with
 * it: two at once are safe, also behind a pooler. A new database is seeded with the known categories. One that
 * others made is looked at first, so that nothing is begun which could not be finished.
 *
 * @returns the names of the migrations that were applied
 */
export async function migrate(connection: Connection): Promise<Outcome<readonly string[]>> {
  const before = await inspectSchema(connection);
  if (!before.ok) return before;
  if (before.value.state === 'adoptable') {
    const misfits = await inWriting(connection, () => misfitsBeforeAll(connection));
    if (misfits.length > 0) {
      return refuse({
        reason: 'database-not-adoptable',
        database: describeDatabase(connection.database),
        misfits,
      });
    }
  }
  const applied: string[] = [];
  for (const migration of await readMigrations()) {
    try {
      const done = await inWriting(connection, () => applyOne(connection, migration));
      if (done) applied.push(migration.name);
    } catch (error) {
      return refuse(problemOfMigrating(connection.database, migration, error));
    }
  }
  return { ok: true, value: applied };
}

/** What fails of the statements themselves is the migration's; the rest would fail any. */
function problemOfMigrating(database: DatabaseName, { name }: Migration, error: unknown): Problem {
  const problem = problemOfDatabase(database, error);
  return problem === undefined || ['database-failed', 'database-reshaped'].includes(problem.reason)
    ? { reason: 'migration-failed', migration: name, why: (error as Error).message }
    : problem;
}

/** What stands against adopting a library that nobody has begun to migrate, also not since it was looked at. */
async function misfitsBeforeAll(connection: Connection): Promise<readonly string[]> {
  await lockMigrations(connection);
  const now = await inspectSchema(connection);
  return now.ok && now.value.state === 'adoptable' ? findMisfits(connection) : [];
}

async function lockMigrations(connection: Connection): Promise<void> {
  await connection.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
}

async function applyOne(connection: Connection, { name, digest, sql }: Migration): Promise<boolean> {
  await lockMigrations(connection);
  const table = await migrationsTable(connection);
  await connection.query(
    `create table if not exists ${table.name} (
       name text primary key,
       digest varchar(64) not null,
       applied_at timestamptz not null default now()
     )`,
  );
  const [seen] = await connection.query(`select from ${table.name} where name = $1`, [name]);
  if (seen) return false;
  const [library] = await connection.query<{ isNew: boolean }>(
    `select to_regclass('skills') is null as "isNew"`,
  );
  await connection.query(sql);
  // A new library begins with the known categories; one that others filled has its own.
  if (library?.isNew) await seedCategories(connection);
  await connection.query(`insert into ${table.name} (name, digest) values ($1, $2)`, [name, digest]);
  return true;
}

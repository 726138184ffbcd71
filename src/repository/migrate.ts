// Brings a database's tables to the shape that this program needs: numbered files, applied once each, in order.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { seedCategories } from './categories.ts';
import { type Connection, inTransaction } from './connection.ts';
import { describeDatabase } from './sqlstate.ts';

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
  // The same folder from src/ and from dist/: both stand beside it.
  const folder = new URL('../../migrations/', import.meta.url);
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

/** How the database stands, or why this program must not touch it. Reads only. */
export async function inspectSchema(connection: Connection): Promise<Outcome<Schema>> {
  const [exists] = await connection.query<{ skills: boolean; ours: boolean }>(
    `select to_regclass('skills') is not null as skills, to_regclass('schema_migrations') is not null as ours`,
  );
  const wanted = await readMigrations();
  const applied = exists?.ours
    ? await connection.query<AppliedRow>(
        'select name, digest, applied_at from schema_migrations order by name',
      )
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
 * it: two at once are safe, also behind a pooler. A new database is seeded with the known categories.
 *
 * @returns the names of the migrations that were applied
 */
export async function migrate(connection: Connection): Promise<Outcome<readonly string[]>> {
  const before = await inspectSchema(connection);
  if (!before.ok) return before;
  const applied: string[] = [];
  for (const migration of await readMigrations()) {
    try {
      const done = await inTransaction(connection, '', () => applyOne(connection, migration));
      if (done) applied.push(migration.name);
    } catch (error) {
      return refuse({
        reason: 'migration-failed',
        migration: migration.name,
        why: (error as Error).message,
      });
    }
  }
  if (before.value.state === 'absent') await inTransaction(connection, '', () => seedCategories(connection));
  return { ok: true, value: applied };
}

async function applyOne(connection: Connection, { name, digest, sql }: Migration): Promise<boolean> {
  await connection.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
  await connection.query(
    `create table if not exists schema_migrations (
       name text primary key,
       digest varchar(64) not null,
       applied_at timestamptz not null default now()
     )`,
  );
  const [seen] = await connection.query('select from schema_migrations where name = $1', [name]);
  if (seen) return false;
  await connection.query(sql);
  await connection.query('insert into schema_migrations (name, digest) values ($1, $2)', [name, digest]);
  return true;
}

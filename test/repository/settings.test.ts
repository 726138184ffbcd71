import path from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { inWriting } from '../../src/repository/connection.ts';
import { inspectSchema } from '../../src/repository/migrate.ts';
import { connect } from '../../src/repository/open.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { databaseKinds, emptyDatabaseUrl, migratedDatabase, openMigrated } from '../databases.ts';
import { cloneAt, document, makeClone } from '../sync/sides.ts';
import { watched } from './seam.ts';

/** Another session, until the test has finished. */
async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const tree = { 'a/SKILL.md': document('a', 'Résumé ☃\n'), 'b/SKILL.md': document('b'), 'b/notes.txt': 'ü' };

describe('whatever a role or a database has set, a sync is the same', () => {
  const settings = [
    `timezone = 'Asia/Kathmandu'`,
    `client_encoding = 'LATIN1'`,
    `bytea_output = 'escape'`,
    `standard_conforming_strings = 'off'`,
    `intervalstyle = 'sql_standard'`,
    `extra_float_digits = '-10'`,
    `default_transaction_isolation = 'serializable'`,
    `default_transaction_deferrable = 'on'`,
    `quote_all_identifiers = 'on'`,
    `array_nulls = 'off'`,
    `transform_null_equals = 'on'`,
    `xmloption = 'document'`,
    `default_toast_compression = 'pglz'`,
    `jit = 'on'`,
    `idle_in_transaction_session_timeout = '5ms'`,
    `search_path = team, public`,
  ];

  test.each([`datestyle = 'SQL, DMY'`, `datestyle = 'German'`])('also %s', async (style) => {
    const url = await emptyDatabaseUrl();
    const admin = await session(url);
    await admin.query('create schema team');
    for (const setting of [style, ...settings]) {
      await admin.query(
        `do $$ begin execute format('alter database %I set ${setting.replaceAll("'", "''")}', current_database()); end $$`,
      );
    }
    const connection = await openMigrated({ kind: 'postgres', url });
    const clone = await makeClone(connection);
    await clone.write(tree);
    expect((await clone.run('export')).words).toEqual(['a: new -> database', 'b: new -> database']);
    expect((await clone.run('sync')).words).toEqual([]);
    const schema = await inspectSchema(connection);
    expect(
      schema.ok && schema.value.migrations.every(({ appliedAt }) => !Number.isNaN(appliedAt?.getTime())),
    ).toBe(true);
    const edited = await session(url);
    await edited.query(`update skills set description = 'Theirs.' where skill_path = 'a'`);
    await clone.write({ 'b/SKILL.md': document('b', 'Mine.\n') });
    expect((await clone.run('sync')).words).toEqual(['b: edited -> database', 'a: edited -> files']);
    const other = await makeClone(connection);
    await other.run('import');
    expect(await other.files()).toEqual(await clone.files());
    expect((await clone.run('sync')).words).toEqual([]);
  });
});

test('a schema other than public holds the library, whoever names it', async () => {
  const url = await emptyDatabaseUrl();
  const admin = await session(url);
  await admin.query('create schema team');
  const named = `${url}?options=-csearch_path%3Dteam`;
  const clone = await makeClone(await openMigrated({ kind: 'postgres', url: named }));
  await clone.write(tree);
  await clone.run('export');
  const tables = await admin.query(
    `select distinct schemaname from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  expect(tables.rows).toEqual([{ schemaname: 'team' }]);
  // Who writes there without that search path is noticed as anybody.
  await admin.query(`update team.skills set description = 'Theirs.' where skill_path = 'a'`);
  expect((await clone.run('sync')).words).toEqual(['a: edited -> files']);
});

describe('others that hold a lock', () => {
  test('are waited for, for as long as is asked, and no longer', async () => {
    const url = await emptyDatabaseUrl();
    const clone = await makeClone(await openMigrated({ kind: 'postgres', url }));
    await clone.write(tree);
    const holder = await session(url);
    await holder.query('begin; lock table skills in access exclusive mode');
    const hasty = await openMigrated({ kind: 'postgres', url }, { lockTimeoutMs: 200 });
    const run = clone.run('export');
    const other = await makeClone(hasty);
    await other.write(tree);
    const error = await other.run('export').then(String, (thrown: unknown) => thrown);
    expect(problemOfDatabase(hasty.database, error)).toMatchObject({ reason: 'database-busy' });
    await holder.query('commit');
    expect((await run).words).toEqual(['a: new -> database', 'b: new -> database']);
    // What waited in vain left nothing open, and goes on.
    expect((await other.run('export')).words).toEqual([]);
    expect(
      await hasty.query(
        `select from pg_stat_activity where datname = current_database() and state like 'idle in%'`,
      ),
    ).toEqual([]);
  });

  test('and are limited by the server, where it has a limit and nobody says otherwise', async () => {
    const url = await emptyDatabaseUrl();
    const connection = await openMigrated({ kind: 'postgres', url });
    const inside = async (one: Connection) =>
      inWriting(one, () =>
        one.query(
          `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`,
        ),
      );
    expect(await inside(connection)).toEqual([{ lock: '1min', statement: '0' }]);
    const admin = await session(url);
    await admin.query(
      `do $$ begin execute format('alter database %I set lock_timeout = ''7s''', current_database()); end $$`,
    );
    await admin.query(
      `do $$ begin execute format('alter database %I set statement_timeout = ''9s''', current_database()); end $$`,
    );
    expect(await inside(await openMigrated({ kind: 'postgres', url }))).toEqual([
      { lock: '7s', statement: '9s' },
    ]);
    expect(
      await inside(
        await openMigrated({ kind: 'postgres', url }, { lockTimeoutMs: 3000, statementTimeoutMs: 4000 }),
      ),
    ).toEqual([{ lock: '3s', statement: '4s' }]);
    expect(await inside(await openMigrated({ kind: 'postgres', url }, { lockTimeoutMs: 0 }))).toMatchObject([
      { lock: '1ms' },
    ]);
    // Nothing of it stays with the session, which may be another's next.
    const own = await openMigrated({ kind: 'postgres', url }, { lockTimeoutMs: 3000 });
    await inside(own);
    expect(await own.query(`select current_setting('lock_timeout') as lock`)).toEqual([{ lock: '7s' }]);
  });
});

// To Postgres, 0 ms would be no limit.
test.each([500, 0.4])('a statement that takes longer than %s ms is ended, and said', async (limit) => {
  const url = await emptyDatabaseUrl();
  const opened = await connect({ kind: 'postgres', url }, nodeDisk, { statementTimeoutMs: limit });
  if (!opened.ok) throw new Error(opened.problem.reason);
  const connection = opened.value;
  onTestFinished(() => connection.close());
  const error = await inWriting(connection, () => connection.query('select pg_sleep(30)')).catch(
    (thrown: unknown) => thrown,
  );
  expect(problemOfDatabase(connection.database, error)).toMatchObject({ reason: 'statement-canceled' });
  expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }]);
});

test('a transaction that the database gives up for a deadlock is done again', async () => {
  const url = await emptyDatabaseUrl();
  const connection = await openMigrated({ kind: 'postgres', url });
  const clone = await makeClone(connection);
  await clone.write(tree);
  await clone.run('export');
  await clone.write({ 'a/SKILL.md': document('a', 'Mine.\n') });
  const other = await session(url);
  const onlooker = await session(url);
  await other.query(`begin; set local deadlock_timeout = '1h'`);
  await other.query(`update skills set scope = 'theirs' where skill_path = 'b'`);
  let tries = 0;
  let theirs: Promise<unknown> | undefined;
  const meeting = watched(connection, async (text) => {
    if (!text.startsWith('select skill_id, skill_path, deleted_at')) return;
    tries++;
    if (tries > 1) return;
    // The sync holds what the other one wants, and comes to want what the other one has.
    await connection.query(`select from skills where skill_path = 'a' for update`);
    theirs = other.query(`update skills set scope = 'theirs' where skill_path = 'a'; commit`);
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await vi.waitFor(async () => expect((await onlooker.query(waiting)).rowCount).toBe(1), 10_000);
    await connection.query(`set local deadlock_timeout = '10ms'`);
    await connection.query(`select from skills where skill_path = 'b' for update`);
  });
  const again = await cloneAt(meeting, path.dirname(clone.folder), 'skills');
  expect((await again.run('export')).words).toEqual(expect.arrayContaining([expect.stringMatching(/^a: /)]));
  await theirs;
  expect(tries).toBeGreaterThan(1);
  expect(
    await connection.query(
      `select count(*)::integer as open from pg_locks
       where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    ),
  ).toEqual([{ open: 0 }]);
});

test.each(databaseKinds)('on %s, no statement of a run stands outside a transaction', async (kind) => {
  const connection = await migratedDatabase(kind);
  const outside: string[] = [];
  const seen = watched(connection, (text) => {
    const opens = /^(begin|commit|rollback)\b/.test(text);
    if (!opens && !connection.session.inTransaction) outside.push(text);
  });
  const clone = await makeClone(seen);
  await clone.write(tree);
  await clone.run('export');
  await clone.write({ 'a/SKILL.md': document('a', 'Mine.\n'), 'b/run.sh': 'x' });
  await connection.query(`update skills set description = 'Theirs.' where skill_path = 'a'`);
  await clone.run('sync', { dryRun: true });
  await clone.run('sync', { onConflict: 'local' });
  await connection.query(`update skills set description = 'Theirs too.' where skill_path = 'a'`);
  await clone.run('import');
  await connection.query(`delete from skills where skill_path = 'b'`);
  await clone.run('sync', { deletes: true, yes: true });
  expect(outside).toEqual([]);
});

test('large texts are compressed with lz4 where the server has it', async () => {
  const connection = await migratedDatabase('postgres');
  const [known] = await connection.query<{ known: boolean }>(
    `select 'lz4' = any (enumvals) as known from pg_settings where name = 'default_toast_compression'`,
  );
  const clone = await makeClone(connection);
  await clone.write({ 'a/SKILL.md': document('a', 'Many words, and then many words.\n'.repeat(500)) });
  await clone.run('export');
  expect(await connection.query('select pg_column_compression(skill_content) as method from skills')).toEqual(
    [{ method: known?.known ? 'lz4' : 'pglz' }],
  );
});

import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { inspectSchema, migrate } from '../../src/repository/migrate.ts';
import type { DatabasePlace } from '../../src/repository/open.ts';
import { makeProject } from '../acceptance/cli.ts';
import { migrationNames, migrationSql, teamLibrary } from '../adoption/adopted.ts';
import { columnsOf, describeSchema, dump } from '../adoption/schema.ts';
import { databaseKinds, emptyDatabasePlace, migratedDatabase, openConnection } from '../databases.ts';

/** All that a database is and holds. */
async function whole(connection: Connection): Promise<unknown> {
  return [await describeSchema(connection), await dump(connection, await columnsOf(connection))];
}

async function recorded(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ name: string }>('select name from schema_migrations order by name');
  return rows.map((row) => row.name);
}

describe.each(databaseKinds)('on %s', (kind) => {
  test('an empty database gets every migration once', async () => {
    const connection = await openConnection(await emptyDatabasePlace(kind));
    expect(await inspectSchema(connection)).toMatchObject({ ok: true, value: { state: 'absent' } });

    const first = await migrate(connection);
    expect(first.ok && first.value.length).toBeGreaterThan(1);
    expect(await inspectSchema(connection)).toMatchObject({ ok: true, value: { state: 'current' } });

    const before = await whole(connection);
    expect(await migrate(connection)).toEqual({ ok: true, value: [] });
    expect(await whole(connection)).toEqual(before);
  });

  test('the taxonomy is seeded, with its closure', async () => {
    const connection = await migratedDatabase(kind);
    const above = await connection.query(
      `select a.path, t.depth from taxonomy_closure t
       join taxonomy_categories d on d.category_id = t.descendant_id
       join taxonomy_categories a on a.category_id = t.ancestor_id
       where d.path = 'development/languages/python' order by t.depth`,
    );
    expect(above).toEqual([
      { path: 'development/languages/python', depth: 0 },
      { path: 'development/languages', depth: 1 },
      { path: 'development', depth: 2 },
    ]);
  });

  test('an edited migration and one of a newer program are errors, and change nothing', async () => {
    const connection = await migratedDatabase(kind);
    const refusing = async (problem: object) => {
      const before = await whole(connection);
      expect(await inspectSchema(connection)).toMatchObject({ problem });
      expect(await migrate(connection)).toMatchObject({ problem });
      expect(await whole(connection)).toEqual(before);
    };
    await connection.query(`update schema_migrations set digest = 'x' where name = '0001_library.sql'`);
    await refusing({ reason: 'migration-edited', migration: '0001_library.sql' });
    await connection.query(`insert into schema_migrations (name, digest) values ('0000_x.sql', 'x')`);
    await refusing({ reason: 'database-newer', migration: '0000_x.sql' });
  });

  const occupied: readonly (readonly [what: string, occupy: string, free: string])[] = [
    ['skill_tags', 'create view skill_tags as select 1 as tag', 'drop view skill_tags'],
    ['skill_sync', 'create table skill_sync (id integer)', 'drop table skill_sync'],
    ['sync_runs', 'create view sync_runs as select 1 as run_id', 'drop view sync_runs'],
    ['skill_revision_seq', 'create sequence skill_revision_seq', 'drop sequence skill_revision_seq'],
    [
      'skill_fleet_keep_blob',
      `create function skill_fleet_keep_blob() returns integer language sql as 'select 1'`,
      'drop function skill_fleet_keep_blob()',
    ],
    [
      'skill_fleet_resolve',
      `create function skill_fleet_resolve(text[]) returns integer language sql as 'select 1'`,
      'drop function skill_fleet_resolve(text[])',
    ],
  ];

  // An embedded database takes seconds to begin.
  test.each(kind === 'postgres' ? occupied : occupied.slice(0, 2))(
    'a name that something has already, %s, fails one migration whole',
    async (name, occupy, free) => {
      const connection = await openConnection(await emptyDatabasePlace(kind));
      await connection.query(occupy);
      const failed = await migrate(connection);
      if (failed.ok || failed.problem.reason !== 'migration-failed') throw new Error('it was applied');
      expect(failed.problem.why).toContain(name);

      const names = await migrationNames();
      const before = names.slice(0, names.indexOf(failed.problem.migration));
      const wanted = await openConnection(await emptyDatabasePlace(kind));
      await wanted.query(occupy);
      for (const migration of before) await wanted.query(await migrationSql(migration));
      const schema = (await describeSchema(connection)).filter(
        (line) => !/^table schema_migrations/.test(line),
      );
      expect(schema).toEqual(await describeSchema(wanted));
      if (before.length > 0) expect(await recorded(connection)).toEqual(before);

      await connection.query(free);
      expect(await migrate(connection)).toEqual({ ok: true, value: names.slice(before.length) });
      expect(await describeSchema(connection)).toEqual(await describeSchema(await migratedDatabase(kind)));
    },
  );

  test('a database that is new is seeded also where a migration failed first', async () => {
    const connection = await openConnection(await emptyDatabasePlace(kind));
    await connection.query('create table skill_sync (id integer)');
    expect(await migrate(connection)).toMatchObject({ ok: false });
    await connection.query('drop table skill_sync');
    expect(await migrate(connection)).toMatchObject({ ok: true });
    expect(await connection.query('select from taxonomy_categories limit 1')).toHaveLength(1);
  });

  test('a column that a library has of its own is named, and the library stays as it is', async () => {
    const { connection } = await teamLibrary(kind, {
      later: ['alter table skills add column deleted_at date', `update skills set deleted_at = '2025-01-01'`],
    });
    const stood = await columnsOf(connection);
    const rows = await dump(connection, stood);
    expect(await migrate(connection)).toMatchObject({
      problem: { reason: 'database-not-adoptable', misfits: ['a skills.deleted_at of its own'] },
    });
    expect(await dump(connection, stood)).toEqual(rows);
  });

  test('a table of migrations that another program keeps stays, and ours stands beside it', async () => {
    const { connection } = await teamLibrary(kind, {
      later: [
        'create table schema_migrations (version varchar(128) primary key)',
        `insert into schema_migrations values ('20250101000000')`,
      ],
    });
    expect(await inspectSchema(connection)).toMatchObject({ value: { state: 'adoptable' } });
    expect(await migrate(connection)).toMatchObject({ ok: true });
    expect(await inspectSchema(connection)).toMatchObject({ value: { state: 'current' } });
    expect(await migrate(connection)).toEqual({ ok: true, value: [] });
    expect(await connection.query('select * from schema_migrations')).toEqual([
      { version: '20250101000000' },
    ]);
  });
});

describe('several at once on a server', () => {
  const beginnings: readonly (readonly [what: string, make: () => Promise<DatabasePlace>])[] = [
    ['an empty database', () => emptyDatabasePlace('postgres')],
    ['a library', async () => (await teamLibrary('postgres')).place],
  ];
  const cases = beginnings.flatMap(([what, make]) => [2, 5].map((count) => [count, what, make] as const));

  test.each(cases)('%i connections bring %s to its shape once', async (count, _, make) => {
    const place = await make();
    const connections = await Promise.all(Array.from({ length: count }, () => openConnection(place)));
    const outcomes = await Promise.all(connections.map((connection) => migrate(connection)));
    const names = await migrationNames();
    expect(outcomes).toEqual(outcomes.map(() => ({ ok: true, value: expect.any(Array) })));
    const applied = outcomes.flatMap((outcome) => (outcome.ok ? outcome.value : []));
    expect(applied.sort()).toEqual(names);

    const [first] = connections as [Connection];
    expect(await recorded(first)).toEqual(names);
    expect(await first.query('select from taxonomy_categories limit 1')).toHaveLength(1);
    expect(await first.query('select from sync_databases')).toHaveLength(1);
  });

  test.each(beginnings)('two processes bring %s to its shape once', async (_, make) => {
    const place = await make();
    if (place.kind !== 'postgres') throw new Error('not a server');
    const project = await makeProject();
    const env = { DATABASE_URL: place.url };
    const ran = await Promise.all([project.run(['migrate'], env), project.run(['migrate'], env)]);
    expect(ran.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      ran.map(() => ({ code: 0, stderr: '' })),
    );
    const applied = ran.flatMap(({ stdout }) => stdout.match(/\d{4}_\w+\.sql/g) ?? []);
    expect(applied.sort()).toEqual(await migrationNames());
    expect(await recorded(await openConnection(place))).toEqual(await migrationNames());
  });
});

import { describe, expect, test } from 'vitest';
import { inspectSchema, migrate } from '../../src/repository/migrate.ts';
import { databaseKinds, emptyDatabasePlace, migratedDatabase, openConnection } from '../databases.ts';

describe.each(databaseKinds)('on %s', (kind) => {
  test('an empty database gets every migration once', async () => {
    const connection = await openConnection(await emptyDatabasePlace(kind));
    expect(await inspectSchema(connection)).toMatchObject({ ok: true, value: { state: 'absent' } });

    const first = await migrate(connection);
    expect(first.ok && first.value.length).toBeGreaterThan(1);
    expect(await inspectSchema(connection)).toMatchObject({ ok: true, value: { state: 'current' } });

    expect(await migrate(connection)).toEqual({ ok: true, value: [] });
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

  test('an edited migration and one of a newer program are errors', async () => {
    const connection = await migratedDatabase(kind);
    await connection.query(`update schema_migrations set digest = 'x' where name = '0001_library.sql'`);
    expect(await inspectSchema(connection)).toMatchObject({
      problem: { reason: 'migration-edited', migration: '0001_library.sql' },
    });
    await connection.query(`insert into schema_migrations (name, digest) values ('0000_x.sql', 'x')`);
    expect(await inspectSchema(connection)).toMatchObject({
      problem: { reason: 'database-newer', migration: '0000_x.sql' },
    });
  });
});

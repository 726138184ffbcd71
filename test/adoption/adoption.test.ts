import { describe, expect, test } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import { inspectSchema, migrate } from '../../src/repository/migrate.ts';
import { openForReading, openForWriting } from '../../src/repository/open.ts';
import { makeProject } from '../acceptance/cli.ts';
import { databaseKinds, emptyDatabasePlace, openConnection } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { adopt, migrationNames, migrationSql, neverSynced, teamLibrary } from './adopted.ts';
import { columnsOf, describeSchema, differences, dump } from './schema.ts';

/** Checks of the team that no tree of skills keeps to. */
const relaxed = [
  /^table skills constraint skills_path_chars /,
  /^table skills constraint Skills: kebab-case names /,
  /^table skills constraint skills_semver /,
  /^table skill_aliases constraint alias_chars /,
];

/** An index by what it holds, whatever its name. */
function heldBy(index: string): string {
  return index.replace(/ index CREATE (UNIQUE )?INDEX \S+ ON /, ' ');
}

function indexesOf(schema: readonly string[]): readonly string[] {
  return schema.filter((line) => / index CREATE /.test(line));
}

describe.each(databaseKinds)("a team's library on %s", (kind) => {
  test('keeps every row and value through the migrations', async () => {
    const { connection } = await teamLibrary(kind);
    const { before } = await adopt(connection);
    const empty = Object.keys(before).filter((table) => before[table]?.length === 0);
    expect(empty).toEqual(['taxonomy_closure']);
    for (const table of neverSynced) expect(before[table]?.length).toBeGreaterThan(0);
  });

  test('is not opened unmigrated on a server, and not changed', async () => {
    const { place, connection } = await teamLibrary(kind);
    const stood = { schema: await describeSchema(connection), columns: await columnsOf(connection) };
    const before = await dump(connection, stood.columns);
    await connection.close();
    const pending = (await migrationNames()).length;
    const refused = { ok: false, problem: { reason: 'database-needs-migrate', pending } };

    expect(await openForReading(place, nodeDisk)).toMatchObject(refused);
    if (kind === 'postgres') expect(await openForWriting(place, nodeDisk)).toMatchObject(refused);
    const again = await openConnection(place);
    expect(await inspectSchema(again)).toMatchObject({ value: { state: 'adoptable' } });
    expect(await describeSchema(again)).toEqual(stood.schema);
    expect(differences(before, await dump(again, stood.columns))).toEqual([]);
    await again.close();
    if (kind === 'postgres') return;

    const opened = await openForWriting(place, nodeDisk);
    if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
    expect(opened.value.migrated).toEqual(await migrationNames());
    expect(differences(before, await dump(opened.value.connection, stood.columns))).toEqual([]);
    await opened.value.connection.close();
  });

  test('asks the command line for `migrate`', async () => {
    const { place, connection } = await teamLibrary(kind);
    const stood = { schema: await describeSchema(connection), columns: await columnsOf(connection) };
    const before = await dump(connection, stood.columns);
    await connection.close();
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/new/SKILL.md': document('new') });
    const env = { DATABASE_URL: place.kind === 'postgres' ? place.url : `pglite:${place.directory}` };
    const reading = [
      ['list'],
      ['export-to-db', '--dry-run'],
      ['import-from-db', '--dry-run'],
      ['sync-db', '--dry-run'],
    ];
    const writing = [['export-to-db'], ['import-from-db'], ['sync-db']];

    for (const args of kind === 'postgres' ? [...reading, ...writing] : reading) {
      const ran = await project.run(args, env);
      expect(ran, args.join(' ')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^error: .*migrations? (is|are) pending\n.*skill-fleet migrate/m),
      });
      expect(ran.stderr).not.toMatch(/\n\s+at /);
    }
    const untouched = await openConnection(place);
    expect(await describeSchema(untouched)).toEqual(stood.schema);
    expect(differences(before, await dump(untouched, stood.columns))).toEqual([]);
    await untouched.close();

    const pending = await project.run(['migrate', '--status'], env);
    expect(pending).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0001_library\.sql {2}pending$/m),
    });
    const applied = (await migrationNames()).map((name) => `applied ${name}\n`).join('');
    expect(await project.run(['migrate'], env)).toMatchObject({ code: 0, stdout: applied });
    expect(await project.run(['migrate'], env)).toMatchObject({ code: 0, stdout: 'Nothing to apply.\n' });
    expect(await project.run(['list'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^house_style\/commit-messages +draft/m),
    });
  });

  test('gets the schema that an empty database gets, and keeps its own', async () => {
    // Functions keep the path that they were made under, and the embedded database begins with another.
    const samePath = 'set search_path = public';
    const migrated = await openConnection(await emptyDatabasePlace(kind));
    await migrated.query(samePath);
    expect(await migrate(migrated)).toMatchObject({ ok: true });
    const empty = await describeSchema(migrated);
    await expect(`${empty.join('\n')}\n`).toMatchFileSnapshot('schema.golden.txt');

    const library = await openConnection(await emptyDatabasePlace(kind));
    await library.query(samePath);
    await library.query(await migrationSql('0001_library.sql'));
    const known = new Set(await describeSchema(library));
    const ours = empty.filter((line) => !known.has(line) && !/^table \w+ index /.test(line));

    const { connection } = await teamLibrary(kind, { first: [samePath] });
    const before = await describeSchema(connection);
    await adopt(connection);
    const after = await describeSchema(connection);
    const [wanted, stands] = [new Set(empty), new Set(after)];
    expect(ours.length).toBeGreaterThan(100);
    expect(ours.filter((line) => !stands.has(line))).toEqual([]);
    expect(before.filter((line) => !stands.has(line) && !relaxed.some((check) => check.test(line)))).toEqual(
      [],
    );
    expect(relaxed.filter((check) => after.some((line) => check.test(line)))).toEqual([]);
    const added = after.filter((line) => !before.includes(line));
    expect(added.filter((line) => !wanted.has(line))).toEqual([]);

    const indexes = indexesOf(after).map(heldBy);
    expect(
      indexesOf(empty)
        .map(heldBy)
        .filter((index) => !indexes.includes(index)),
    ).toEqual([]);
    expect(indexes.filter((index, place) => indexes.indexOf(index) !== place)).toEqual([]);
    const columns = await columnsOf(connection);
    for (const [table, names] of await columnsOf(library)) {
      expect(columns.get(table), table).toEqual(expect.arrayContaining([...names]));
    }
    const differing = [
      ...empty.filter((line) => !stands.has(line)).map((line) => `- ${line}`),
      ...after.filter((line) => !wanted.has(line)).map((line) => `+ ${line}`),
    ];
    await expect(`${differing.join('\n')}\n`).toMatchFileSnapshot('adopted.golden.txt');
  });
});

import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { openForWriting } from '../../src/repository/open.ts';
import { type DatabaseKind, databaseKinds, emptyDatabasePlace, openConnection } from '../databases.ts';
import { type Clone, document, makeSides } from '../sync/sides.ts';

const binary = Buffer.from([0, 1, 254, 255]);

const x = document(
  'x',
  '# x\n',
  `license: MIT
metadata:
  category: data/ml
  keywords: one, two
  tags: red
  capabilities: ["Does: this"]
  dependencies: {recommended: [{path: other, reason: why not}]}
  see_also: other
  aliases: old/x
  facets: {level: high}
allowed-tools: Read
`,
);

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

type Sides = Clone & { readonly connection: Connection };

/** A skill `x` with a row in every relation, and a skill `other` that it names, both just exported. */
async function exported(kind: DatabaseKind): Promise<Sides> {
  const sides = await makeSides(kind);
  await sides.write({
    'x/SKILL.md': x,
    'x/a.txt': 'text',
    'x/b.bin': binary,
    'other/SKILL.md': document('other'),
  });
  await sides.run('export');
  await sides.connection.query(`set application_name = 'by hand'`);
  return sides;
}

/** What the history holds of a skill, oldest first, without keys, digests and times. */
async function history(connection: Connection, skillPath: string): Promise<readonly unknown[]> {
  return connection.query(
    `select skill_path, document_name, document_mode, frontmatter_source, skill_content, index, files,
       digest is not null as digested, origin, replaced_by_run is not null as by_run
     from skill_revisions r where skill_path = $1 order by revision`,
    [skillPath],
  );
}

/** What the history shall hold of `x` as it was exported. */
async function asExported(connection: Connection): Promise<unknown> {
  const [other] = await connection.query<{ skill_id: number }>(
    `select skill_id from skills where skill_path = 'other'`,
  );
  const target = { skill_id: other?.skill_id };
  return {
    skill_path: 'x',
    document_name: 'SKILL.md',
    document_mode: '100644',
    frontmatter_source: x.slice(0, -'# x\n'.length),
    skill_content: '# x\n',
    index: {
      name: 'x',
      description: 'About x.',
      version: '1.0.0',
      type: 'technical',
      weight: 'medium',
      load_priority: 'task_specific',
      status: 'active',
      skill_style: null,
      scope: null,
      extra: { license: 'MIT' },
      category: 'data/ml',
      keywords: ['one', 'two'],
      tags: ['red'],
      capabilities: [{ name: 'Does', description: 'this' }],
      dependencies: [{ ...target, type: 'recommended', justification: 'why not' }],
      references: [{ ...target, type: 'see_also' }],
      aliases: ['old/x'],
      facets: [{ key: 'level', value: 'high' }],
      allowed_tools: ['Read'],
    },
    files: [
      { path: 'a.txt', mode: '100644', bytes: 4, sha256: sha256('text') },
      { path: 'b.bin', mode: '100644', bytes: 4, sha256: sha256(binary) },
    ],
    digested: true,
    origin: 'files',
    by_run: false,
  };
}

const byHand = expect.stringMatching(/^\S+ by hand$/);

/** How a skill's present state came about. */
async function present(connection: Connection, skillPath: string): Promise<unknown> {
  const [row] = await connection.query(
    `select revision, origin, writer, digest_revision = revision as digested, revised_at
     from skill_sync join skills using (skill_id) where skill_path = $1`,
    [skillPath],
  );
  return row;
}

const idOf = (name: string) => `(select skill_id from skills where name = '${name}')`;

describe.each(databaseKinds)('another writer on %s', (kind) => {
  test('leaves the whole state before a change in the history, and a new revision', async () => {
    const { connection } = await exported(kind);
    const expected = await asExported(connection);
    const before = (await present(connection, 'x')) as { readonly revision: number };
    await connection.query(`update skills set description = 'Changed.' where name = 'x'`);
    expect(await history(connection, 'x')).toEqual([expected]);
    expect(await present(connection, 'x')).toEqual({
      revision: expect.toSatisfy((value: number) => value > before.revision),
      origin: 'database',
      writer: byHand,
      digested: false,
      revised_at: expect.any(Date),
    });
  });

  test('gives a skill one revision a transaction, whatever happens within it', async () => {
    const { connection } = await exported(kind);
    const expected = await asExported(connection);
    const before = await present(connection, 'x');
    for (const statement of [
      'begin',
      'savepoint undone',
      `update skills set description = 'Undone.' where name = 'x'`,
      'rollback to undone',
      'commit',
    ]) {
      await connection.query(statement);
    }
    expect(await history(connection, 'x')).toEqual([]);
    expect(await present(connection, 'x')).toEqual(before);
    for (const statement of [
      'begin',
      'savepoint undone',
      `update skills set description = 'Undone.' where name = 'x'`,
      `delete from skill_files`,
      'rollback to undone',
      `insert into skill_keywords values (${idOf('x')}, 'three')`,
      `update skills set description = 'Changed.' where name = 'x'`,
      'savepoint kept',
      `delete from skill_files where relative_path = 'b.bin'`,
      'savepoint undone_too',
      `update skills set description = 'Undone.' where name = 'x'`,
      'rollback to undone_too',
      'release kept',
      `delete from skill_tags`,
      'commit',
    ]) {
      await connection.query(statement);
    }
    expect(await history(connection, 'x')).toEqual([expected]);
    const first = (await present(connection, 'x')) as { revision: number; revised_at: Date };

    await connection.query(`update skills set description = 'Again.' where name = 'x'`);
    const [, second] = await history(connection, 'x');
    expect(second).toMatchObject({
      index: { description: 'Changed.', keywords: ['one', 'three', 'two'], tags: [] },
      files: [{ path: 'a.txt' }],
      digested: false,
      origin: 'database',
    });
    const [kept] = await connection.query(
      'select revised_at, writer from skill_revisions where revision = $1',
      [first.revision],
    );
    expect(kept).toEqual({ revised_at: first.revised_at, writer: byHand });
  });

  test('leaves the contents that it replaces or removes', async () => {
    const { connection } = await exported(kind);
    const expected = await asExported(connection);
    const blobs = () => connection.query('select sha256, bytes from skill_blobs order by bytes');
    await connection.query('begin');
    await connection.query('truncate skill_files');
    expect(await blobs()).toMatchObject([{ bytes: binary }, { bytes: Buffer.from('text') }]);
    await connection.query('rollback');
    await connection.query(`update skill_files set file_mode = '100755'`);
    expect(await blobs()).toEqual([]);
    await connection.query(
      `update skill_files set content = null, binary_data = 'new' where content is not null`,
    );
    const replaced = { sha256: sha256('text'), bytes: Buffer.from('text') };
    expect(await blobs()).toEqual([replaced]);
    await connection.query(`delete from skills where name = 'x'`);
    expect(await blobs()).toEqual([
      { sha256: sha256(binary), bytes: binary },
      { sha256: sha256('new'), bytes: Buffer.from('new') },
      replaced,
    ]);
    const [first, , last] = await history(connection, 'x');
    expect(first).toEqual(expected);
    expect(last).toMatchObject({
      skill_content: '# x\n',
      files: [
        { path: 'a.txt', mode: '100755', bytes: 3, sha256: sha256('new') },
        { path: 'b.bin', mode: '100755', bytes: 4, sha256: sha256(binary) },
      ],
      origin: 'database',
    });
    expect(await connection.query('select skill_id from skill_sync')).toEqual(
      await connection.query('select skill_id from skills'),
    );
  });

  test('makes a skill that the next sync takes', async () => {
    const { connection, run, files } = await exported(kind);
    for (const statement of [
      'begin',
      `insert into skills (skill_path, name, description, type, status) values ('made', 'made', 'Made.', 'tool', 'active')`,
      `insert into skill_keywords values (${idOf('made')}, 'one')`,
      `update skills set skill_content = E'Body.\\n' where name = 'made'`,
      'commit',
    ]) {
      await connection.query(statement);
    }
    expect(await history(connection, 'made')).toEqual([]);
    expect(await present(connection, 'made')).toMatchObject({
      origin: 'database',
      writer: byHand,
      digested: null,
      revised_at: expect.any(Date),
    });
    expect((await run('sync')).words).toEqual(['made: new -> files']);
    expect((await files())['made/SKILL.md']).toContain('Made.');
  });

  test('cannot hide behind temporary tables of the same names', async () => {
    const { connection } = await exported(kind);
    const expected = await asExported(connection);
    for (const table of ['skill_sync', 'skill_revisions', 'skill_blobs', 'skills', 'skill_files']) {
      await connection.query(`create temporary table ${table} as select * from ${table} limit 0`);
    }
    await connection.query(`update public.skills set description = 'Changed.' where name = 'x'`);
    await connection.query(`delete from public.skill_files where relative_path = 'b.bin'`);
    await connection.query('discard temp');
    expect((await history(connection, 'x'))[0]).toEqual(expected);
    expect(await connection.query('select sha256 from skill_blobs')).toEqual([{ sha256: sha256(binary) }]);
  });

  test('whose rows no trigger saw loses nothing all the same', async () => {
    const { connection, write, run } = await exported(kind);
    for (const statement of [
      `set session_replication_role = replica`,
      `insert into skills (skill_path, name, type, skill_content, status)
       values ('restored', 'restored', 'technical', 'Restored.', 'active'), ('both', 'both', 'technical', 'Mine.', 'active')`,
      `set session_replication_role = origin`,
      `update skills set skill_content = 'Changed.' where name = 'restored'`,
    ]) {
      await connection.query(statement);
    }
    expect(await history(connection, 'restored')).toMatchObject([{ skill_content: 'Restored.' }]);

    await write({ 'both/SKILL.md': document('both') });
    expect((await run('export')).words).toEqual(['both: conflict no-base', 'restored: ahead -> files']);
    expect((await run('export', { force: true })).words).toEqual([
      'both: forced -> database',
      'restored: ahead -> files',
    ]);
    expect(await history(connection, 'both')).toMatchObject([{ skill_content: 'Mine.', by_run: true }]);
    expect((await run('import')).words).toEqual(['restored: new -> files']);
    expect((await run('sync')).words).toEqual([]);
  });

  test('is not taken for a sync, and a sync not for another writer', async () => {
    const { connection, write, run } = await exported(kind);
    const expected = await asExported(connection);
    await write({ 'x/SKILL.md': x.replace('About', 'On'), 'x/a.txt': 'changed' });
    expect((await run('export')).words).toEqual(['x: edited -> database']);
    expect(await history(connection, 'x')).toEqual([{ ...(expected as object), by_run: true }]);
    expect(await present(connection, 'x')).toMatchObject({ origin: 'files', digested: true });
    expect(await connection.query('select sha256 from skill_blobs')).toEqual([{ sha256: sha256('text') }]);

    // On the connection of a sync, once its transaction is over.
    await connection.query(`update skills set skill_content = 'Theirs.' where name = 'x'`);
    expect(await present(connection, 'x')).toMatchObject({ origin: 'database', digested: false });
    expect((await run('export', { force: true })).words).toEqual(['x: forced -> database']);
    expect(await history(connection, 'x')).toMatchObject([
      { origin: 'files', by_run: true },
      { origin: 'files', by_run: false, index: { description: 'On x.' } },
      { origin: 'database', by_run: true, skill_content: 'Theirs.' },
    ]);
    expect(await present(connection, 'x')).toMatchObject({ origin: 'database', digested: true });
  });

  test('did nothing, where a sync links what waited or settles what it found equal', async () => {
    const { connection, write, run } = await exported(kind);
    await write({ 'waits/SKILL.md': document('waits', '', 'dependencies: [late]\n') });
    await run('export');
    await connection.query(`update skills set description = 'Changed.' where name = 'x'`);
    await connection.query(`update skills set description = 'About x.' where name = 'x'`);
    const waits = await present(connection, 'waits');
    const changedBack = await present(connection, 'x');
    await write({ 'late/SKILL.md': document('late') });
    expect((await run('sync')).words).toEqual(['late: new -> database']);

    expect(await connection.query('select from skill_dependencies')).toHaveLength(2);
    expect(await present(connection, 'waits')).toEqual(waits);
    expect(await present(connection, 'x')).toEqual({ ...(changedBack as object), digested: true });
    expect(await history(connection, 'waits')).toEqual([]);
    expect(await history(connection, 'x')).toHaveLength(2);
    expect(await history(connection, 'late')).toEqual([]);
  });
});

/** A role of the server that goes when the test has finished, before the database behind `connection` does. */
async function makeRole(connection: Connection): Promise<string> {
  const role = `skill_fleet_${randomUUID().replaceAll('-', '')}`;
  await connection.query(`create role ${role} login password 'password'`);
  onTestFinished(async () => {
    await connection.query(`drop owned by ${role} cascade`);
    await connection.query(`drop role ${role}`);
  });
  return role;
}

function urlOf(database: string, user: string): string {
  const url = new URL(inject('serverUrl'));
  url.pathname = database;
  url.username = user;
  url.password = 'password';
  return url.href;
}

async function asRole(database: string, role: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(database, role), application_name: 'an API' });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const library = [
  'skills',
  'skill_categories',
  'skill_keywords',
  'skill_tags',
  'capabilities',
  'skill_dependencies',
  'skill_references',
  'skill_aliases',
  'skill_facets',
  'skill_allowed_tools',
  'skill_files',
  'taxonomy_categories',
];

describe('a role that may write to the library alone', () => {
  test('writes, and the history is kept', async () => {
    const { connection, run } = await exported('postgres');
    const expected = await asExported(connection);
    const role = await makeRole(connection);
    await connection.query(`grant select, insert, update, delete on ${library.join(', ')} to ${role}`);
    await connection.query(`grant usage on all sequences in schema public to ${role}`);
    await asRole(connection.database.name, role, [
      'set search_path = pg_catalog',
      `update public.skills set description = 'Changed.' where name = 'x'`,
      `delete from public.skill_files where relative_path = 'b.bin'`,
      `insert into public.skills (skill_path, name, type) values ('made', 'made', 'tool')`,
      `insert into public.skill_keywords values ((select skill_id from public.skills where name = 'made'), 'one')`,
      `delete from public.skills where name = 'other'`,
    ]);
    expect((await history(connection, 'x'))[0]).toEqual(expected);
    expect(await history(connection, 'other')).toMatchObject([{ skill_content: '# other\n' }]);
    for (const name of ['x', 'made']) {
      expect(await present(connection, name)).toMatchObject({ origin: 'database', writer: `${role} an API` });
    }
    expect(await connection.query('select sha256 from skill_blobs')).toEqual([{ sha256: sha256(binary) }]);
    expect((await run('sync')).words).toEqual(['x: edited -> files', 'other: hold deletion']);
  });

  test('writes to a library in the schema of another role', async () => {
    const connection = await openConnection(await emptyDatabasePlace('postgres'));
    const owner = await makeRole(connection);
    const writer = await makeRole(connection);
    await connection.query(`create schema authorization ${owner}`);
    const { name } = connection.database;
    const opened = await openForWriting({ kind: 'postgres', url: urlOf(name, owner) }, nodeDisk);
    if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
    const owned = opened.value.connection;
    onTestFinished(() => owned.close());
    await owned.query(`insert into skills (skill_path, name, type) values ('x', 'x', 'tool')`);
    await owned.query(`grant usage on schema ${owner} to ${writer}`);
    await owned.query(`grant select, insert, update, delete on skills, skill_keywords to ${writer}`);
    await asRole(name, writer, [
      `insert into ${owner}.skill_keywords select skill_id, 'one' from ${owner}.skills`,
      `update ${owner}.skills set description = 'Changed.'`,
    ]);
    expect(await history(owned, 'x')).toMatchObject([
      { index: { description: '', keywords: [] } },
      { index: { description: '', keywords: ['one'] } },
    ]);
    expect(await present(owned, 'x')).toMatchObject({ origin: 'database', writer: `${writer} an API` });
  });
});

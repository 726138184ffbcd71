import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill } from '../../src/skill/skill.ts';
import { databaseKinds, migratedDatabase } from '../databases.ts';
import { document, makeClone, makeSides } from '../sync/sides.ts';
import { stepIn } from './seam.ts';

/** Runs statements on a connection of its own to the same server's database. */
async function aside(connection: Connection, ...statements: readonly string[]): Promise<readonly unknown[]> {
  const url = new URL(inject('serverUrl'));
  url.pathname = connection.database.name;
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    let rows: readonly unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

/** Documents in a row of names. */
function documents(...names: readonly string[]): { readonly [path: string]: string } {
  return Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, document(name)]));
}

const stored = 'select skill_path from skills order by 1';
const log = 'select skill_path, status, error from sync_log order by skill_path';

/** More than 1 MiB of words, all different, in a document that is not too large. */
const distinctWords = Array.from({ length: 160_000 }, (_, n) => `w${n.toString(36)}x`).join(' ');

/** A rule of the database that a document breaks, that document, and what is said of it. */
const refused: readonly {
  readonly name: string;
  readonly rule: string;
  readonly files: { readonly [path: string]: string };
  readonly problem: object;
}[] = [
  {
    name: 'a column',
    rule: `alter table skills add constraint no_secrets check (description !~ 'secret')`,
    files: { 'c/SKILL.md': document('c', '', 'version: 1.0.0\n').replace('About', 'secret') },
    problem: {
      reason: 'row-refused',
      path: 'c',
      sqlstate: '23514',
      why: expect.stringContaining('no_secrets'),
    },
  },
  {
    name: 'a relation',
    rule: `alter table skill_keywords add constraint no_secrets check (keyword <> 'secret')`,
    files: { 'c/SKILL.md': document('c', '', 'keywords: secret\n') },
    problem: {
      reason: 'row-refused',
      path: 'c',
      sqlstate: '23514',
      why: expect.stringContaining('no_secrets'),
    },
  },
  {
    name: 'a file',
    rule: `alter table skill_files add constraint not_large check (file_size_bytes < 5)`,
    files: { ...documents('c'), 'c/large.txt': 'large' },
    problem: {
      reason: 'row-refused',
      path: 'c',
      sqlstate: '23514',
      why: expect.stringContaining('not_large'),
    },
  },
  {
    name: 'a category',
    rule: `alter table taxonomy_categories add constraint ours check (path !~ 'secret')`,
    files: { 'c/SKILL.md': document('c', '', 'category: secret/area\n') },
    problem: { reason: 'row-refused', path: 'c', sqlstate: '23514', why: expect.stringContaining('ours') },
  },
  {
    name: 'a text beyond what can be searched',
    rule: 'select',
    files: { 'c/SKILL.md': document('c', distinctWords) },
    problem: { reason: 'text-not-indexable', path: 'c' },
  },
  {
    name: 'a link',
    rule: `alter table skill_dependencies add constraint reasons check (justification is not null)`,
    files: { 'c/SKILL.md': document('c', '', 'dependencies: [{path: a, reason: some}, d]\n') },
    problem: { reason: 'row-refused', path: 'c', sqlstate: '23514', why: expect.stringContaining('reasons') },
  },
];

describe.each(databaseKinds)('on %s', (kind) => {
  test('a skill that the database refuses fails alone, by name', async () => {
    const sides = await makeSides(kind);
    for (const { name, rule, files, problem } of refused) {
      await sides.connection.query('truncate skills cascade');
      const clone = await makeClone(sides.connection);
      await sides.connection.query(rule);
      await clone.write({ ...documents('a', 'b', 'd', 'e'), ...files });
      const { results } = await clone.run('export');
      expect(
        results.flatMap((result) => (result.ok ? [] : [result.problem])),
        name,
      ).toEqual([problem]);
      expect(results.length, name).toBe(5);
      expect(await sides.connection.query(stored), name).toEqual(
        ['a', 'b', 'd', 'e'].map((skill_path) => ({ skill_path })),
      );
    }
  });

  test('names and paths as long as a tree can hold are stored', async () => {
    const { connection, write, run, files } = await makeSides(kind);
    const long = 'l'.repeat(200);
    await write({
      [`${long}/${long}/${'n'.repeat(100)}/SKILL.md`]: document('n'.repeat(100)),
      [`${Array.from({ length: 40 }, (_, depth) => `d${depth}`).join('/')}/SKILL.md`]: document('deep'),
      'stated/SKILL.md': document(
        'stated',
        '',
        `category: ${'c/'.repeat(400)}c\nversion: ${long}\nkeywords: ${long}\n`,
      ),
      [`attached/${long}/${long}/${'f'.repeat(100)}`]: 'file',
      ...documents('attached'),
    });
    const written = await files();
    expect((await run('export')).results.filter((result) => !result.ok)).toEqual([]);
    expect(await connection.query('select from skill_categories where is_primary')).toEqual([]);
    const other = await makeClone(connection);
    await other.run('import');
    expect(await other.files()).toEqual(written);
  });

  test('a row that moved on after it was read is planned anew, and not overwritten', async () => {
    const connection = await migratedDatabase(kind);
    const first = await makeClone(connection);
    await first.write(documents('a', 'b', 'c'));
    await first.run('export');

    const meanwhile = stepIn(connection, 'insert into sync_runs', async () => {
      await connection.query(`update skills set skill_content = 'Theirs.' where name = 'a'`);
      await connection.query(
        `insert into skill_keywords select skill_id, 'theirs' from skills where name = 'b'`,
      );
      await connection.query(`insert into skills (skill_path, name, type) values ('d', 'theirs', 'tool')`);
      await connection.query(`delete from skills where name = 'e'`);
    });
    await first.write({ 'e/SKILL.md': document('e') });
    await first.run('export');
    const second = await makeClone(meanwhile);
    await second.write({ ...documents('d', 'f'), 'a/SKILL.md': document('a', 'Mine.\n') });
    await second.write({ 'b/SKILL.md': document('b', 'Mine.\n'), 'c/SKILL.md': document('c', 'Mine.\n') });
    await second.write({ 'e/SKILL.md': document('e', 'Mine.\n') });
    expect((await second.run('export', { force: true })).words).toEqual([
      'c: forced -> database',
      'f: new -> database',
      'e: new -> database',
      'a: conflict no-base',
      'b: conflict no-base',
      'd: conflict no-base',
    ]);
    expect(await connection.query('select skill_path, name, skill_content from skills order by 1')).toEqual([
      { skill_path: 'a', name: 'a', skill_content: 'Theirs.' },
      { skill_path: 'b', name: 'b', skill_content: '# b\n' },
      { skill_path: 'c', name: 'c', skill_content: 'Mine.\n' },
      { skill_path: 'd', name: 'theirs', skill_content: null },
      { skill_path: 'e', name: 'e', skill_content: 'Mine.\n' },
      { skill_path: 'f', name: 'f', skill_content: '# f\n' },
    ]);
    expect(
      await connection.query(`select skill_path, status, error from sync_log
        where run_id = (select max(run_id) from sync_runs) order by 1, log_id`),
    ).toEqual([
      ...['a', 'b'].map((skill_path) => ({ skill_path, status: 'failed', error: 'row-changed-meanwhile' })),
      { skill_path: 'c', status: 'success', error: null },
      ...['d', 'e'].map((skill_path) => ({ skill_path, status: 'failed', error: 'row-changed-meanwhile' })),
      { skill_path: 'e', status: 'success', error: null },
      { skill_path: 'f', status: 'success', error: null },
    ]);
  });
});

describe.each(databaseKinds)('before files are overwritten, on %s', (kind) => {
  test('those that cannot be stored are refused, and the others are stored', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write(documents('a', 'b', 'c'));
    await run('export');
    const database = new Database(connection, []);
    const { skills } = await database.snapshot();
    const mine: readonly (readonly [path: string, content: Buffer])[] = [
      ['a', Buffer.from(document('a', 'Mine.\n'))],
      ['b', Buffer.from([0x62, 0xff])],
      ['c', Buffer.from('c\n\0')],
    ];
    const overwritten = mine.map(([path, bytes]) =>
      makeSkill(path as SkillPath, [{ path: 'SKILL.md' as FilePath, executable: false, bytes }]),
    );
    await database.beginRun({ direction: 'import', who: 'tester', host: 'test', directory: '/' });
    const results = await database.keep(
      overwritten.map((skill) => ({
        path: skill.path,
        before: { digest: digestSkill(skill) },
        after: skills.get(skill.path) ?? null,
      })),
      async function* () {
        yield overwritten.map((skill) => ({ path: skill.path, skill }));
      },
    );
    expect(results.map(({ change, ...result }) => [change.path, result])).toEqual([
      ['a', { ok: true, state: expect.anything(), kept: expect.any(Number) }],
      ['b', { ok: false, problem: { reason: 'document-not-utf8', path: 'b', file: 'SKILL.md', line: 1 } }],
      ['c', { ok: false, problem: { reason: 'document-holds-nul', path: 'c', file: 'SKILL.md', line: 2 } }],
    ]);
    expect(await connection.query('select skill_path, skill_content from skill_revisions')).toEqual([
      { skill_path: 'a', skill_content: 'Mine.\n' },
    ]);
  });
});

describe('on a server', () => {
  test('a row that someone else makes while a batch is stored is not overwritten', async () => {
    const connection = await migratedDatabase('postgres');
    const clone = await makeClone(
      stepIn(connection, 'insert into skills', () =>
        aside(
          connection,
          `insert into skills (skill_path, name, type, skill_content) values ('b', 'theirs', 'tool', 'Theirs.')`,
        ),
      ),
    );
    await clone.write(documents('a', 'b', 'c'));
    expect((await clone.run('export')).words).toEqual([
      'a: new -> database',
      'c: new -> database',
      'b: conflict no-base',
    ]);
    expect(await connection.query('select skill_path, name, skill_content from skills order by 1')).toEqual([
      { skill_path: 'a', name: 'a', skill_content: '# a\n' },
      { skill_path: 'b', name: 'theirs', skill_content: 'Theirs.' },
      { skill_path: 'c', name: 'c', skill_content: '# c\n' },
    ]);
  });

  test('a run whose connection is cut leaves nothing half, and is known', async () => {
    const connection = await migratedDatabase('postgres');
    const first = await makeClone(connection);
    await first.write(documents('a'));
    await first.run('export');
    const [process] = await connection.query<{ pid: number }>('select pg_backend_pid() as pid');
    const cut = stepIn(connection, 'insert into skill_sync', () =>
      aside(connection, `select pg_terminate_backend(${process?.pid})`),
    );
    const second = await makeClone(cut);
    await second.write({ ...documents('b', 'c'), 'a/SKILL.md': document('a', 'Mine.\n') });
    const error = await second.run('export', { force: true }).then(String, (thrown: unknown) => thrown);
    expect(problemOfDatabase(connection.database, error)).toMatchObject({ reason: 'database-lost' });

    expect(await aside(connection, 'select skill_path, skill_content from skills')).toEqual([
      { skill_path: 'a', skill_content: '# a\n' },
    ]);
    expect(await aside(connection, 'select from skill_revisions')).toEqual([]);
    expect(await aside(connection, 'select outcome from sync_runs order by run_id')).toEqual([
      { outcome: 'success' },
      { outcome: 'running' },
    ]);
    expect(await aside(connection, log)).toEqual([{ skill_path: 'a', status: 'success', error: null }]);
  });

  test('a database that fails as a whole fails the run, and leaves nothing half', async () => {
    const connection = await migratedDatabase('postgres');
    const clone = await makeClone(
      stepIn(connection, 'insert into skill_sync', () =>
        // What a server says that is shut down, or has no room: no row's fault.
        connection.query(`do $$ begin raise exception 'no room' using errcode = '53100'; end $$`),
      ),
    );
    await clone.write(documents('a', 'b'));
    await expect(clone.run('export')).rejects.toMatchObject({ code: '53100' });
    expect(await connection.query(stored)).toEqual([]);
    expect(await connection.query('select outcome, error from sync_runs')).toEqual([
      { outcome: 'failed', error: 'no room' },
    ]);
    expect((await clone.run('export')).words).toEqual(['a: new -> database', 'b: new -> database']);
  });
});

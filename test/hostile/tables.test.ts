// Tables that an owner made otherwise than they were: each run says so by name, or goes on as ever; and once they are
// as they were, nothing is lost.

import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { sentenceOf } from '../../src/problem.ts';
import { inspectSchema } from '../../src/repository/migrate.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { document, makeClone, makeSides } from '../sync/sides.ts';

/** Who owns nothing: to others no policy applies. */
const tenant = `tenant_${randomUUID().replaceAll('-', '')}`;

interface Alteration {
  readonly name: string;
  readonly sql: string;
  readonly undo: string;
  /** What a run comes to: a problem of its whole, or that of the skill `b`, or nothing. */
  readonly said: string;
}

function trigger(name: string, table: string, body: string, said: string): Alteration {
  return {
    name,
    sql: `create function theirs() returns trigger language plpgsql as $$ begin ${body} end $$;
      create trigger theirs before insert or update on ${table} for each row execute function theirs()`,
    undo: 'drop function theirs cascade',
    said,
  };
}

function exchanged(table: string, kind: 'view' | 'materialized view', said: string): Alteration {
  return {
    name: `${table} as a ${kind}`,
    sql: `alter table ${table} rename to theirs; create ${kind} ${table} as select * from theirs`,
    undo: `drop ${kind} ${table}; alter table theirs rename to ${table}`,
    said,
  };
}

function gone(table: string): Alteration {
  return {
    name: `no ${table}`,
    sql: `alter table ${table} rename to theirs`,
    undo: `alter table theirs rename to ${table}`,
    said: 'database-reshaped',
  };
}

function policy(name: string, using: string, said: string): Alteration {
  return {
    name,
    sql: `create function theirs(one text) returns boolean language plpgsql as $$ begin ${using} end $$;
      alter table skills enable row level security; create policy theirs on skills using (theirs(skill_path));
      set role ${tenant}`,
    undo: 'reset role; drop function theirs cascade; alter table skills disable row level security',
    said,
  };
}

function later(name: string, digest: string, said: string): Alteration {
  return {
    name: `the migration ${name}`,
    sql: `insert into schema_migrations values (${name}, ${digest})`,
    undo: `delete from schema_migrations where name = ${name}`,
    said,
  };
}

const alterations: readonly Alteration[] = [
  exchanged('skills', 'view', 'database-reshaped'),
  exchanged('skill_files', 'view', 'nothing'),
  exchanged('skill_sync', 'materialized view', 'database-reshaped'),
  ...['skills', 'skill_files', 'skill_tags', 'skill_sync', 'sync_runs', 'sync_log', 'sync_databases'].map(
    gone,
  ),
  {
    name: 'no id',
    sql: 'create table theirs as table sync_databases; delete from sync_databases',
    undo: 'insert into sync_databases table theirs; drop table theirs',
    said: 'database-reshaped',
  },
  {
    name: 'no key of paths',
    sql: 'alter table skills drop constraint skills_skill_path_key',
    undo: 'alter table skills add constraint skills_skill_path_key unique (skill_path)',
    said: 'database-reshaped',
  },
  ...[`'7'`, `'{"tags": 7}'`, `'{"tags": [null]}'`].map((index) => ({
    name: `an index that is ${index}`,
    sql: `alter function skill_fleet_index rename to theirs;
      create function skill_fleet_index(ids integer[]) returns table (skill_id integer, index jsonb) language sql
        as $$ select s.skill_id, ${index}::jsonb from skills s where s.skill_id = any (ids) $$`,
    undo: 'drop function skill_fleet_index; alter function theirs rename to skill_fleet_index',
    said: 'database-reshaped',
  })),
  {
    name: 'no function for an index',
    sql: 'alter function skill_fleet_index rename to theirs',
    undo: 'alter function theirs rename to skill_fleet_index',
    said: 'database-reshaped',
  },
  {
    name: 'a column of skills by another name',
    sql: 'alter table skills rename extra to theirs',
    undo: 'alter table skills rename theirs to extra',
    said: 'database-reshaped',
  },
  {
    name: 'functions that shadow those of PostgreSQL',
    sql: `create function public.sha256(bytea) returns bytea language sql as $$ select '\\x00'::bytea $$;
      create function public.digest(bytea, text) returns bytea language sql as $$ select '\\x00'::bytea $$;
      create function public.lower(text) returns text language sql as $$ select 'theirs' $$;
      create function public.now() returns timestamptz language sql as $$ select timestamptz 'infinity' $$`,
    undo: `drop function public.sha256, public.digest, public.lower(text), public.now`,
    said: 'nothing',
  },
  {
    name: 'tables that shadow those of PostgreSQL',
    sql: 'create table public.pg_class (oid oid); create table public.pg_attribute (attrelid oid)',
    undo: 'drop table public.pg_class, public.pg_attribute',
    said: 'nothing',
  },
  {
    name: 'a second id',
    sql: 'create table theirs as table sync_databases; insert into sync_databases default values',
    undo: 'delete from sync_databases where database_id not in (select database_id from theirs); drop table theirs',
    said: 'nothing',
  },
  trigger('a trigger on sync_runs that drops rows', 'sync_runs', 'return null;', 'database-reshaped'),
  trigger('a trigger on sync_runs that commits', 'sync_runs', 'commit; return new;', 'database-failed'),
  trigger('a trigger on sync_log that drops rows', 'sync_log', 'return null;', 'nothing'),
  trigger(
    'a trigger on skills that steers terminals',
    'skills',
    `raise notice E'\\x1b[2J'; raise exception E'\\x1b[2J%', repeat('x', 100000) using hint = E'\\x1b[2J';`,
    'row-refused',
  ),
  trigger(
    'a trigger on skills with a code that is a key of every object',
    'skills',
    `raise exception 'no' using errcode = 'constructor';`,
    'database-reshaped',
  ),
  trigger(
    'a trigger on skills that tells 10,000 times',
    'skills',
    `for i in 1..10000 loop raise notice E'\\x1b[2J'; end loop; return new;`,
    'nothing',
  ),
  trigger(
    'a trigger on sync_runs that turns the search path away',
    'sync_runs',
    `perform set_config('search_path', 'pg_catalog', false); return new;`,
    'database-reshaped',
  ),
  trigger(
    'a trigger on sync_runs that turns settings over',
    'sync_runs',
    `perform set_config('datestyle', 'German', true), set_config('bytea_output', 'escape', true); return new;`,
    'nothing',
  ),
  policy('a policy that fails', `raise exception 'no' using errcode = '22012';`, 'database-failed'),
  policy('a policy that hides all', 'return false;', 'side-emptied'),
  later("'0099_later'", "repeat('0', 64)", 'database-newer'),
  later("E'\\x1b[2J'", "''", 'database-newer'),
  {
    name: 'another digest of a migration',
    sql: `create table theirs as table schema_migrations; update schema_migrations set digest = 'z'`,
    undo: 'update schema_migrations m set digest = t.digest from theirs t where t.name = m.name; drop table theirs',
    said: 'migration-edited',
  },
];

test(`${alterations.length} alterations of tables are named, and cost nothing`, async () => {
  const sides = await makeSides('postgres');
  const { connection, write, run } = sides;
  await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
  await run('export');
  await connection.query(`create role ${tenant};
    grant all on all tables in schema public to ${tenant}; grant all on all sequences in schema public to ${tenant}`);
  onTestFinished(async () => {
    await connection.query(`reset role; drop owned by ${tenant}; drop role ${tenant}`);
  });
  const came: (readonly [string, string])[] = [];
  for (const [index, { name, sql, undo }] of alterations.entries()) {
    await write({ 'b/SKILL.md': document('b', `Round ${index}.\n`) });
    await connection.query(sql);
    came.push([name, await comesTo(sides)]);
    await connection.query(`reset all; ${undo}`);
    const { plan } = await run('sync');
    expect([plan.conflicts, plan.problems, plan.refusal], name).toEqual([[], [], null]);
    expect((await run('sync')).words, name).toEqual([]);
    const other = await makeClone(connection);
    await other.run('import');
    expect(await other.files(), name).toEqual(await sides.files());
  }
  expect(came).toEqual(alterations.map(({ name, said }) => [name, said]));
});

/** Opens as a command does, and syncs: what that comes to, in a word. */
async function comesTo({ connection, run }: Awaited<ReturnType<typeof makeSides>>): Promise<string> {
  const schema = await inspectSchema(connection);
  if (!schema.ok) return schema.problem.reason;
  try {
    const { plan, results } = await run('sync');
    const [problem] = [
      ...(plan.refusal ? [plan.refusal] : []),
      ...plan.problems,
      ...results.flatMap((result) => (result.ok ? [] : [result.problem])),
    ];
    if (problem) expect(sentenceOf(problem).what.length).toBeLessThan(1500);
    return problem?.reason ?? 'nothing';
  } catch (error) {
    const problem = problemOfDatabase(connection.database, error);
    if (!problem) throw error;
    return problem.reason;
  }
}

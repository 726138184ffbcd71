import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { databaseKinds } from '../databases.ts';
import { exportedLibrary, type Library, nested, nextSnapshot } from './kept.ts';
import { columnEdits, relations, rowEdits, unsyncedColumns, unsyncedTables } from './outside-edits.ts';

/** Bits of pg_trigger.tgtype. */
const events = { 'insert into': 4, 'delete from': 8, update: 16, truncate: 32 } as const;

type Event = keyof typeof events;

interface Trigger {
  readonly table: string;
  readonly type: number;
  readonly definition: string;
}

interface Schema {
  /** Columns by table. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  /** Those of the history that fire for everyone but a sync. */
  readonly triggers: readonly Trigger[];
  /** The keys that skill_fleet_index gives, and those that a sync has written. */
  readonly index: { readonly given: readonly string[]; readonly written: readonly string[] };
}

async function readSchema(connection: Connection): Promise<Schema> {
  const tables = await connection.query<{ name: string; columns: readonly string[] }>(
    `select c.relname::text as name,
       coalesce(array_agg(a.attname::text order by a.attnum) filter (where a.attnum is not null), '{}') as columns
     from pg_class c
     left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f')
     group by c.oid, c.relname`,
  );
  const triggers = await connection.query<Trigger>(
    `select tgrelid::regclass::text as table, tgtype as type, pg_get_triggerdef(oid) as definition
     from pg_trigger
     where not tgisinternal and tgenabled in ('O', 'A') and pg_get_triggerdef(oid) like '%NOT skill_fleet_is_syncing()%'`,
  );
  const [index] = await connection.query<Schema['index']>(
    `select array(select distinct jsonb_object_keys(index)
         from skill_fleet_index((select array_agg(skill_id) from skills)) order by 1) as given,
       array(select distinct jsonb_object_keys(indexed) from skill_sync order by 1) as written`,
  );
  return {
    tables: new Map(tables.map((table) => [table.name, table.columns])),
    triggers,
    index: index ?? { given: [], written: [] },
  };
}

/** The columns that an update trigger compares. */
function comparedColumns({ definition }: Trigger): readonly string[] {
  const compared = /old\.("?\w+"?)\)?(?:::[\w ]+)? IS DISTINCT FROM \(?new\.\1\b/gi;
  return [...definition.matchAll(compared)].map(([, column = '']) => column.replaceAll('"', ''));
}

const synced = [...Object.keys(relations), 'skills', 'taxonomy_categories'];

/** What a change of each synced table has to fire. Nobody empties categories without emptying skill_categories. */
function eventsOf(table: string): readonly Event[] {
  if (table === 'taxonomy_categories') return ['delete from', 'update'];
  return ['insert into', 'delete from', 'update', 'truncate'];
}

/** In what the schema, the classification of its columns and the table of edits disagree, in a line each. */
function disagreements({ tables, triggers, index }: Schema): readonly string[] {
  const skills = { skill: 1, free: 2, nth: 3 };
  const covered = new Set([...columnEdits(skills), ...rowEdits(skills)].map((edit) => edit.covers));
  const found: string[] = [];
  for (const name of tables.keys()) {
    if (!synced.includes(name) && !(name in unsyncedTables)) found.push(`${name}: synced or not?`);
  }
  for (const name of [...synced, ...Object.keys(unsyncedTables)]) {
    if (!tables.has(name)) found.push(`${name}: no such table`);
  }
  for (const table of synced) {
    const columns = tables.get(table) ?? [];
    const unsynced = Object.keys(unsyncedColumns[table] ?? {});
    const own = triggers.filter((trigger) => trigger.table === table);
    for (const event of eventsOf(table)) {
      if (!own.some(({ type }) => type & events[event])) found.push(`${table}: no trigger notes ${event}`);
      const byRows = event === 'insert into' || event === 'delete from';
      if (byRows && !covered.has(`${event} ${table}`)) found.push(`${table}: no test of ${event}`);
    }
    const updated = own.filter(({ type }) => type & events.update);
    // One that fires for some rows only says nothing of the others.
    if (updated.every(({ definition }) => / IS NOT NULL/i.test(definition))) {
      found.push(`${table}: no trigger notes every update`);
    }
    const compared = updated.map(comparedColumns);
    for (const column of columns) {
      const name = `${table}.${column}`;
      if (unsynced.includes(column)) {
        if (compared.some((some) => some.includes(column)))
          found.push(`${name}: compared, though not synced`);
        continue;
      }
      if (!compared.every((some) => some.includes(column)))
        found.push(`${name}: synced or not? Not compared`);
      if (!covered.has(name)) found.push(`${name}: no test changes it`);
    }
    for (const column of unsynced) {
      if (!columns.includes(column)) found.push(`${table}.${column}: no such column`);
    }
  }
  for (const key of index.given) if (!index.written.includes(key)) found.push(`${key}: given, not written`);
  for (const key of index.written) if (!index.given.includes(key)) found.push(`${key}: written, not given`);
  return found;
}

/** Runs `work` in a transaction that is undone. */
async function undone<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query('begin');
  try {
    return await work();
  } finally {
    await connection.query('rollback');
  }
}

/** What of a library makes a sync do something: what its index says, and the digests at its paths. */
async function seenBySync({
  connection,
}: Library): Promise<{ readonly index: unknown; readonly digests: unknown }> {
  const index = await connection.query(
    'select * from skill_fleet_index((select array_agg(skill_id) from skills)) order by skill_id',
  );
  return { index, digests: (await nextSnapshot(nested(connection))).digests };
}

/** Columns that are the content itself, its place, or whether there is any: no values of the document. */
const content = [
  'skills.skill_path',
  'skills.skill_content',
  'skills.frontmatter_source',
  'skills.deleted_at',
  'skill_files.skill_id',
  'skill_files.relative_path',
  'skill_files.content',
  'skill_files.binary_data',
  'skill_files.file_mode',
];

function dropsTriggers(table: string, event: Event): string {
  return `do $$ declare old record; begin
    for old in
      select tgname from pg_trigger
      where tgrelid = '${table}'::regclass and not tgisinternal and (tgtype & ${events[event]}) <> 0
    loop
      execute format('drop trigger %I on ${table}', old.tgname);
    end loop;
  end $$`;
}

/** What a schema of tomorrow may bring, and what is then said of it. */
const tomorrow: readonly (readonly [sql: string, said: readonly string[]])[] = [
  [
    'alter table skills add column mood text',
    ['skills.mood: synced or not? Not compared', 'skills.mood: no test changes it'],
  ],
  [
    'alter table skill_files add column owner text',
    ['skill_files.owner: synced or not? Not compared', 'skill_files.owner: no test changes it'],
  ],
  ['create table skill_prices (skill_id integer references skills)', ['skill_prices: synced or not?']],
  ['alter table skills drop column change_summary', ['skills.change_summary: no such column']],
  ['drop table tag_stats', ['tag_stats: no such table']],
  [dropsTriggers('skill_tags', 'truncate'), ['skill_tags: no trigger notes truncate']],
  [
    'alter table capabilities disable trigger user',
    [
      'capabilities: no trigger notes insert into',
      'capabilities: no trigger notes delete from',
      'capabilities: no trigger notes update',
      'capabilities: no trigger notes truncate',
      'capabilities: no trigger notes every update',
    ],
  ],
  [
    `${dropsTriggers('skill_facets', 'update')};
     create trigger narrower before update on skill_facets for each row
       when (not skill_fleet_is_syncing()
         and (old.skill_id is distinct from new.skill_id or old.facet_key is distinct from new.facet_key))
       execute function skill_fleet_touch_last_modified()`,
    ['skill_facets.facet_value: synced or not? Not compared'],
  ],
  [
    `create trigger revived_too before update on skill_tags for each row
       when (not skill_fleet_is_syncing() and old.tag is distinct from new.tag)
       execute function skill_fleet_touch_last_modified()`,
    ['skill_tags.skill_id: synced or not? Not compared'],
  ],
  [
    `${dropsTriggers('skill_aliases', 'update')};
     create trigger now_and_then before update on skill_aliases for each row
       when (not skill_fleet_is_syncing() and old.reason is not null and (old.skill_id is distinct from new.skill_id
         or old.alias_path is distinct from new.alias_path or old.reason is distinct from new.reason))
       execute function skill_fleet_touch_last_modified()`,
    ['skill_aliases: no trigger notes every update'],
  ],
  [
    `create or replace function skill_fleet_index(ids integer[]) returns table (skill_id integer, index jsonb)
     language sql stable as $$
       select s.skill_id, y.indexed - 'scope' || '{"mood": null}'
       from skills s join skill_sync y using (skill_id) where s.skill_id = any (ids)
     $$`,
    ['mood: given, not written', 'scope: written, not given'],
  ],
];

describe.each(databaseKinds)('the definitions of what is synced, on %s,', (kind) => {
  test('agree: columns, triggers, index and the edits that tests make', async () => {
    const { connection } = await exportedLibrary(kind);
    expect(disagreements(await readSchema(connection))).toEqual([]);
  });

  test('fail this test where a schema brings what they do not say', async () => {
    const { connection } = await exportedLibrary(kind);
    for (const [sql, said] of tomorrow) {
      const found = await undone(connection, async () => {
        for (const statement of sql.split(/(?<=\$\$);\n/)) await connection.query(statement);
        return disagreements(await readSchema(connection));
      });
      expect({ sql, found }).toEqual({ sql, found: said });
    }
  });

  test('leave no synced column whose change a sync does not see', async () => {
    const library = await exportedLibrary(kind);
    const before = await undone(library.connection, () => seenBySync(library));
    for (const { sql, covers } of columnEdits({ skill: library.ids.x, free: library.ids.free, nth: 1 })) {
      const { index, digests } = await undone(library.connection, async () => {
        await library.connection.query(sql);
        return seenBySync(library);
      });
      expect({ sql, digests }).not.toEqual({ sql, digests: before.digests });
      if (!content.includes(covers)) expect({ sql, index }).not.toEqual({ sql, index: before.index });
    }
  });
});

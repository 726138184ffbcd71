// A database as text, to compare one with another: what its catalog says, and what its tables and views hold.

import type { Connection } from '../../src/repository/connection.ts';

/** Whatever stands in the schema, each thing as one text that names it, sorted. */
export async function describeSchema(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ text: string }>(
    `with relation as (
       select c.oid, c.relname as name, c.relkind as kind, c.relrowsecurity as secured
       from pg_class c where c.relnamespace = current_schema()::regnamespace
     )
     select format('table %s%s', name, case when secured then ' with row level security' else '' end) as text
     from relation where kind = 'r'
     union all
     select format('table %s column %s %s%s%s', r.name, a.attname, format_type(a.atttypid, a.atttypmod),
       case when a.attnotnull then ' not null' else '' end,
       case when d.oid is null then ''
         when a.attgenerated = 's' then format(' generated always as (%s)', pg_get_expr(d.adbin, d.adrelid))
         else format(' default %s', pg_get_expr(d.adbin, d.adrelid)) end)
     from relation r join pg_attribute a on a.attrelid = r.oid
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where r.kind = 'r' and a.attnum > 0 and not a.attisdropped
     union all
     -- Not null is said with its column: servers differ in whether it is a constraint as well.
     select format('table %s constraint %s %s', r.name, c.conname, pg_get_constraintdef(c.oid))
     from relation r join pg_constraint c on c.conrelid = r.oid where c.contype <> 'n'
     union all
     select format('table %s index %s', r.name, pg_get_indexdef(i.indexrelid))
     from relation r join pg_index i on i.indrelid = r.oid
     union all
     select format('table %s trigger %s', r.name, pg_get_triggerdef(t.oid))
     from relation r join pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
     union all
     select format('table %s policy %s for %s using %s check %s', r.name, p.polname, p.polcmd,
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
     from relation r join pg_policy p on p.polrelid = r.oid
     union all
     select format('view %s %s', name, pg_get_viewdef(oid)) from relation where kind in ('v', 'm')
     union all
     select format('sequence %s of %s', r.name, format_type(s.seqtypid, null))
     from relation r join pg_sequence s on s.seqrelid = r.oid
     union all
     select format('enum %s (%s)', t.typname, string_agg(e.enumlabel, ', ' order by e.enumsortorder))
     from pg_type t join pg_enum e on e.enumtypid = t.oid
     where t.typnamespace = current_schema()::regnamespace group by t.oid
     union all
     select format('function %s', pg_get_functiondef(p.oid))
     from pg_proc p where p.pronamespace = current_schema()::regnamespace`,
  );
  return rows.map((row) => row.text).sort();
}

/** Tables and views, with the columns that each has. */
export type Columns = ReadonlyMap<string, readonly string[]>;

export async function columnsOf(connection: Connection): Promise<Columns> {
  const rows = await connection.query<{ name: string; columns: string }>(
    `select c.relname as name, jsonb_agg(a.attname order by a.attname)::text as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v', 'm')
       and a.attnum > 0 and not a.attisdropped
     group by c.relname order by c.relname`,
  );
  return new Map(rows.map(({ name, columns }) => [name, JSON.parse(columns)]));
}

/** What tables and views hold in these columns, each row as JSON text, sorted. */
export type Dump = { readonly [table: string]: readonly string[] };

export async function dump(connection: Connection, columns: Columns): Promise<Dump> {
  const tables: { [table: string]: readonly string[] } = {};
  for (const [table, names] of columns) {
    const rows = await connection.query<{ row: string }>(
      `select to_jsonb(r)::text as row
       from (select ${names.map((name) => `"${name}"`).join(', ')} from "${table}") r order by 1`,
    );
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}

/** What one dump has and the other has not: rows that went with -, rows that came with +. */
export function differences(before: Dump, after: Dump): readonly string[] {
  const only = (sign: string, some: Dump, others: Dump) =>
    Object.entries(some).flatMap(([table, rows]) => {
      const rest = new Set(others[table]);
      return rows.filter((row) => !rest.has(row)).map((row) => `${sign} ${table} ${row}`);
    });
  return [...only('-', before, after), ...only('+', after, before)];
}

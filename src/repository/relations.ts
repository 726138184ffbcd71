// A skill's relations, each a table whose rows a document's values name: brought to match, set-based.

import type { Fields } from '../document/fields.ts';
import type { Connection } from './connection.ts';

type Cell = string | number | boolean | null;

/** A table that holds rows of skills. Column names come from here alone, never from data. */
export interface Relation {
  readonly table: string;
  /** The column that holds the skill's key. */
  readonly skill: string;
  /** Columns that tell a row from the skill's other rows, with their SQL types. */
  readonly key: { readonly [column: string]: string };
  /** Columns that are brought up to date where the row stands already. */
  readonly values: { readonly [column: string]: string };
  /** A condition on rows `r` that are removed by nobody here. */
  readonly keeps?: string;
}

/** One wanted row: the skill's key, then the cells of `key`, then those of `values`. */
export type RelationRow = readonly [skillId: number, ...cells: Cell[]];

/** The relations that a document's own values fill, and the cells of each item. */
const ofDocuments: readonly (Relation & {
  readonly cells: (fields: Fields) => readonly (readonly Cell[])[];
})[] = [
  {
    table: 'skill_keywords',
    skill: 'skill_id',
    key: { keyword: 'text' },
    values: {},
    cells: (fields) => fields.keywords.map((keyword) => [keyword]),
  },
  {
    table: 'skill_tags',
    skill: 'skill_id',
    key: { tag: 'text' },
    values: {},
    cells: (fields) => fields.tags.map((tag) => [tag]),
  },
  {
    table: 'capabilities',
    skill: 'skill_id',
    key: { name: 'text' },
    values: { description: 'text', sort_order: 'integer' },
    cells: (fields) => fields.capabilities.map(({ name, description }, order) => [name, description, order]),
  },
  {
    table: 'skill_aliases',
    skill: 'skill_id',
    key: { alias_path: 'text' },
    values: {},
    // What a rename left is no part of the document, and stays.
    keeps: `r.reason = 'renamed'`,
    cells: (fields) => fields.aliases.map((alias) => [alias]),
  },
  {
    table: 'skill_facets',
    skill: 'skill_id',
    key: { facet_key: 'text', facet_value: 'text' },
    values: {},
    cells: (fields) => fields.facets.map(({ key, value }) => [key, value]),
  },
  {
    table: 'skill_allowed_tools',
    skill: 'skill_id',
    key: { tool_name: 'text' },
    values: {},
    cells: (fields) => fields.allowedTools.map((tool) => [tool]),
  },
];

/** Makes the relations of these skills hold what their documents name, and nothing else: a statement a table. */
export async function matchRelations(
  connection: Connection,
  skills: readonly { readonly skillId: number; readonly fields: Fields }[],
): Promise<void> {
  const ids = skills.map((skill) => skill.skillId);
  for (const relation of ofDocuments) {
    const rows = skills.flatMap(({ skillId, fields }) =>
      relation.cells(fields).map((cells): RelationRow => [skillId, ...cells]),
    );
    await matchRelation(connection, relation, ids, rows);
  }
}

/** Makes `relation` hold just `rows` for the skills in `ids`: removes, updates and inserts in one statement. */
export async function matchRelation(
  connection: Connection,
  { table, skill, key, values, keeps = 'false' }: Relation,
  ids: readonly number[],
  rows: readonly RelationRow[],
): Promise<void> {
  const types = { [skill]: 'integer', ...key, ...values };
  const columns = Object.keys(types);
  const rest = Object.keys(values);
  const sameRow = [skill, ...Object.keys(key)].map((column) => `r.${column} = w.${column}`).join(' and ');
  const updated = `updated as (
      update ${table} r set ${rest.map((column) => `${column} = w.${column}`).join(', ')}
      from wanted w
      where ${sameRow} and (${rest.map((column) => `r.${column} is distinct from w.${column}`).join(' or ')})
    ),`;
  await connection.query(
    `with wanted (${columns.join(', ')}) as (
       select * from unnest(${Object.values(types)
         .map((type, place) => `$${place + 2}::${type}[]`)
         .join(', ')})
     ),
     ${rest.length > 0 ? updated : ''}
     removed as (
       delete from ${table} r
       where r.${skill} = any ($1) and (${keeps}) is not true
         and not exists (select from wanted w where ${sameRow})
     )
     insert into ${table} (${columns.join(', ')})
     select ${columns.map((column) => `w.${column}`).join(', ')}
     from wanted w
     where not exists (select from ${table} r where ${sameRow})`,
    [ids, ...columns.map((_, place) => rows.map((row) => row[place] ?? null))],
  );
}

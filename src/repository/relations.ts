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
  /** A condition on rows `r` that are left as they are, though `w` wants other values. */
  readonly leaves?: string;
  /** The column whose values are told where a row came, changed or went. */
  readonly tells?: string;
}

/** One wanted row: the skill's key, then the cells of `key`, then those of `values`. */
export type RelationRow = readonly [skillId: number, ...cells: Cell[]];

/** A relation that a document's own values fill, and the cells of each item. */
interface DocumentRelation extends Relation {
  readonly cells: (fields: Fields, standing: readonly StandingCapability[]) => readonly (readonly Cell[])[];
}

/** A capability as its row stands, in the order that the rows have. */
interface StandingCapability {
  readonly skill_id: number;
  readonly name: string;
  readonly sort_order: number | null;
}

const skillTags: DocumentRelation = {
  table: 'skill_tags',
  skill: 'skill_id',
  key: { tag: 'text' },
  values: {},
  tells: 'tag',
  cells: (fields) => fields.tags.map((tag) => [tag]),
};

const ofDocuments: readonly DocumentRelation[] = [
  skillTags,
  {
    table: 'skill_keywords',
    skill: 'skill_id',
    key: { keyword: 'text' },
    values: {},
    // Tags come before keywords here, so that a tag which went takes its old double with it.
    keeps: `r.keyword = any ((select y.tags_among_keywords from skill_sync y where y.skill_id = r.skill_id)::text[])
      and exists (select from skill_tags t where t.skill_id = r.skill_id and t.tag = r.keyword)`,
    cells: (fields) => fields.keywords.map((keyword) => [keyword]),
  },
  {
    table: 'capabilities',
    skill: 'skill_id',
    key: { name: 'text' },
    values: { description: 'text', sort_order: 'integer' },
    // Rows that have the wanted order by numbers of their own keep those.
    cells: ({ capabilities }, standing) => {
      const isInOrder =
        standing.length === capabilities.length &&
        capabilities.every(({ name }, place) => standing[place]?.name === name);
      return capabilities.map(({ name, description }, place) => [
        name,
        description,
        isInOrder ? (standing[place]?.sort_order ?? null) : place,
      ]);
    },
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

interface Indexed {
  readonly skillId: number;
  readonly fields: Fields;
}

/** Makes the relations of these skills hold what their documents name, and nothing else: a statement a table. */
export async function matchRelations(connection: Connection, skills: readonly Indexed[]): Promise<void> {
  await noteTagsAmongKeywords(connection, skills);
  await takeNamedAliases(connection, skills);
  const ids = skills.map((skill) => skill.skillId);
  const standing = new Map<number, StandingCapability[]>(ids.map((id) => [id, []]));
  for (const row of await connection.query<StandingCapability>(
    `select skill_id, name, sort_order from capabilities where skill_id = any ($1)
     order by skill_id, sort_order, name collate "C"`,
    [ids],
  )) {
    standing.get(row.skill_id)?.push(row);
  }
  for (const relation of ofDocuments) {
    const rows = skills.flatMap(({ skillId, fields }) =>
      relation.cells(fields, standing.get(skillId) ?? []).map((cells): RelationRow => [skillId, ...cells]),
    );
    const told = await matchRelation(connection, relation, ids, rows);
    if (relation === skillTags) await countTags(connection, told);
  }
}

/** What a rename left, and a document names now, is the document's from then on. */
async function takeNamedAliases(connection: Connection, skills: readonly Indexed[]): Promise<void> {
  const named = skills.flatMap(({ skillId, fields }) => fields.aliases.map((alias) => ({ skillId, alias })));
  if (named.length === 0) return;
  await connection.query(
    `delete from skill_aliases a
     using unnest($1::integer[], $2::text[]) as n (skill_id, alias_path)
     where a.skill_id = n.skill_id and a.alias_path = n.alias_path and a.reason = 'renamed'`,
    [named.map((one) => one.skillId), named.map((one) => one.alias)],
  );
}

/** Libraries that others filled have tags among their keywords: at a skill's first sync those are remembered. */
async function noteTagsAmongKeywords(connection: Connection, skills: readonly Indexed[]): Promise<void> {
  const tags = skills.flatMap(({ skillId, fields: { tags, keywords } }) =>
    tags.filter((tag) => !keywords.includes(tag)).map((tag) => ({ skillId, tag })),
  );
  await connection.query(
    `update skill_sync y set tags_among_keywords = held.tags
     from (
       select k.skill_id, array_agg(k.keyword::text) as tags
       from skill_keywords k
       join unnest($1::integer[], $2::text[]) as t (skill_id, tag) on t.skill_id = k.skill_id and t.tag = k.keyword
       group by k.skill_id
     ) held
     where held.skill_id = y.skill_id and y.index_version is null`,
    [tags.map((one) => one.skillId), tags.map((one) => one.tag)],
  );
}

/** Makes `tag_stats` say how many skills have these tags. A tag was last used when a skill got it. */
export async function countTags(connection: Connection, tags: readonly Cell[]): Promise<void> {
  await connection.query(
    `insert into tag_stats as known (tag, usage_count, last_used_at)
     select changed.tag, count(s.skill_id), case when count(s.skill_id) > 0 then now() end
     from unnest($1::text[]) as changed (tag)
     left join skill_tags t on t.tag = changed.tag
     left join skills s on s.skill_id = t.skill_id and s.deleted_at is null
     group by changed.tag order by changed.tag
     on conflict (tag) do update set
       usage_count = excluded.usage_count,
       last_used_at = case
         when excluded.usage_count > coalesce(known.usage_count, 0) then excluded.last_used_at
         else known.last_used_at end
     where known.usage_count is distinct from excluded.usage_count`,
    [tags],
  );
}

/**
 * Makes `relation` hold just `rows` for the skills in `ids`: removes, updates and inserts in one statement.
 *
 * @returns what the relation tells of the rows that it came to differ in, each value once
 */
export async function matchRelation(
  connection: Connection,
  { table, skill, key, values, keeps = 'false', leaves = 'false', tells }: Relation,
  ids: readonly number[],
  rows: readonly RelationRow[],
): Promise<readonly Cell[]> {
  const types = { [skill]: 'integer', ...key, ...values };
  const columns = Object.keys(types);
  const rest = Object.keys(values);
  const sameRow = [skill, ...Object.keys(key)].map((column) => `r.${column} = w.${column}`).join(' and ');
  const returning = tells === undefined ? '' : `returning r.${tells}`;
  const updated = `updated as (
      update ${table} r set ${rest.map((column) => `${column} = w.${column}`).join(', ')}
      from wanted w
      where ${sameRow} and (${rest.map((column) => `r.${column} is distinct from w.${column}`).join(' or ')})
        and (${leaves}) is not true
      ${returning}
    ),`;
  const changes = [...(rest.length > 0 ? ['updated'] : []), 'removed', 'added'];
  const told = await connection.query<{ told: Cell }>(
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
       ${returning}
     ),
     added as (
       insert into ${table} as r (${columns.join(', ')})
       select ${columns.map((column) => `w.${column}`).join(', ')}
       from wanted w
       where not exists (select from ${table} r where ${sameRow})
       ${returning}
     )
     ${
       tells === undefined
         ? 'select where false'
         : changes.map((change) => `select ${tells} as told from ${change}`).join(' union ')
     }`,
    [ids, ...columns.map((_, place) => rows.map((row) => row[place] ?? null))],
  );
  return told.map((row) => row.told);
}

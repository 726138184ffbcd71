// What the library holds, for people and programs that ask: one query over the index.

import type { Status } from '../skill/status.ts';
import { type Connection, inView } from './connection.ts';

/** Which skills to list; what is absent does not filter. */
export interface ListFilter {
  /** Full text over name, description and body, ranked, and parts of paths and names. */
  readonly text?: string;
  readonly status?: Status;
  /** A category's path: it and everything below it. */
  readonly category?: string;
  readonly tag?: string;
}

/** Which of the found skills to give, and in what order: all, from the first, where it does not say. */
export interface ListPage {
  /** The best match first where a text is asked for, else by path, where it does not say. */
  readonly sort?: ListOrder;
  readonly limit?: number;
  readonly offset?: number;
}

/** Equal ones are in byte order of their paths. */
const orders = {
  path: '',
  name: 's.name collate "C",',
  /** The latest change first. */
  updated: 'f.updated_at desc nulls last,',
  /** What path or name say comes before what only a description or a body does. */
  rank: 'f.is_named desc, f.rank desc,',
} as const;

export type ListOrder = keyof typeof orders;

/** One listed skill, in the database's words. */
export interface ListedSkill {
  readonly skill_path: string;
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly type: string;
  readonly status: Status;
  readonly category: string | null;
  /** Why it is in that category; null where another writer put it there. */
  readonly category_reason: string | null;
  readonly keywords: readonly string[];
  readonly tags: readonly string[];
  readonly files: number;
  /** When what is synced of it last changed. */
  readonly updated_at: Date;
}

/** A page of what was found, and how many there are of it on all pages. */
export interface Listing {
  readonly skills: readonly ListedSkill[];
  readonly total: number;
}

/** Lists skills that are not deleted. */
export async function listSkills(
  connection: Connection,
  { text, status, category, tag }: ListFilter,
  { sort = 'rank', limit, offset }: ListPage = {},
): Promise<Listing> {
  // Where the page is empty, one row without a skill says how many there are.
  const rows = await inView(connection, () =>
    connection.query<{ readonly total: number; readonly skill: number | null } & ListedSkill>(
      `with found as materialized (
         select s.skill_id, coalesce(y.revised_at, s.last_modified) as updated_at,
           coalesce(
             strpos(lower(s.skill_path), lower($1)) > 0 or strpos(lower(s.name), lower($1)) > 0
               or ts_filter(s.search_vector, '{a}') @@ asked.query,
             false
           ) as is_named,
           coalesce(ts_rank(s.search_vector, asked.query), 0) as rank
         from skills s
         left join skill_sync y using (skill_id)
         cross join (select websearch_to_tsquery('english', $1::text) as query) asked
         where s.deleted_at is null
           and ($1::text is null
             or s.search_vector @@ asked.query
             or strpos(lower(s.skill_path), lower($1)) > 0
             or strpos(lower(s.name), lower($1)) > 0)
           and ($2::text is null or s.status::text = $2)
           and ($3::text is null or exists (
             select from skill_categories any_category
             join taxonomy_closure below on below.descendant_id = any_category.category_id
             join taxonomy_categories asked on asked.category_id = below.ancestor_id
             where any_category.skill_id = s.skill_id and asked.path = $3
           ))
           and ($4::text is null or exists (
             select from skill_tags t where t.skill_id = s.skill_id and t.tag = $4
           ))
       ),
       page as (
         select f.skill_id, f.updated_at,
           row_number() over (order by ${orders[sort]} s.skill_path collate "C") as place
         from found f join skills s using (skill_id)
         order by place limit $5 offset $6
       )
       select counted.total, p.skill_id as skill, coalesce(s.skill_path, '') as skill_path, coalesce(s.name, '') as name,
         coalesce(s.description, '') as description, coalesce(s.version, '') as version,
         coalesce(s.type::text, '') as type, coalesce(s.status::text, '') as status,
         category.path as category, y.category_reason,
         (select coalesce(array_agg(k.keyword::text order by k.keyword), '{}') from skill_keywords k
           where k.skill_id = s.skill_id) as keywords,
         (select coalesce(array_agg(t.tag::text order by t.tag), '{}') from skill_tags t
           where t.skill_id = s.skill_id) as tags,
         (select count(*) from skill_files f where f.skill_id = s.skill_id) as files,
         p.updated_at
       from (select count(*) as total from found) counted
       left join page p on true
       left join skills s using (skill_id)
       left join skill_sync y using (skill_id)
       left join lateral (
         select min(c.path) as path from skill_categories sc join taxonomy_categories c using (category_id)
         where sc.skill_id = s.skill_id and sc.is_primary
       ) category on true
       order by p.place`,
      [text ?? null, status ?? null, category ?? null, tag ?? null, limit ?? null, offset ?? 0],
    ),
  );
  const skills = rows.flatMap(({ total: _, skill, ...listed }) => (skill === null ? [] : [listed]));
  return { skills, total: rows[0]?.total ?? 0 };
}

// What the library holds, for people and programs that ask: one query over the index.

import type { Status } from '../skill/status.ts';
import { type Connection, inView } from './connection.ts';

/** Which skills to list; what is absent does not filter. */
export interface ListFilter {
  /** Full text over name, description and body, ranked, and parts of paths. */
  readonly text?: string;
  readonly status?: Status;
  /** A category's path: it and everything below it. */
  readonly category?: string;
}

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
}

/** Lists skills that are not deleted: the best match first where a text is asked for, else by path. */
export function listSkills(connection: Connection, filter: ListFilter): Promise<readonly ListedSkill[]> {
  return inView(connection, () =>
    connection.query<ListedSkill>(
      `select s.skill_path, s.name, s.description, s.version, s.type, s.status,
       c.path as category, y.category_reason,
       (select coalesce(array_agg(k.keyword::text order by k.keyword), '{}') from skill_keywords k
         where k.skill_id = s.skill_id) as keywords,
       (select coalesce(array_agg(t.tag::text order by t.tag), '{}') from skill_tags t
         where t.skill_id = s.skill_id) as tags,
       (select count(*) from skill_files f where f.skill_id = s.skill_id) as files
     from skills s
     left join skill_sync y using (skill_id)
     left join skill_categories sc on sc.skill_id = s.skill_id and sc.is_primary
     left join taxonomy_categories c using (category_id)
     where s.deleted_at is null
       and ($1::text is null
         or s.search_vector @@ websearch_to_tsquery('english', $1)
         or strpos(lower(s.skill_path), lower($1)) > 0)
       and ($2::text is null or s.status::text = $2)
       and ($3::text is null or exists (
         select from skill_categories any_category
         join taxonomy_closure below on below.descendant_id = any_category.category_id
         join taxonomy_categories asked on asked.category_id = below.ancestor_id
         where any_category.skill_id = s.skill_id and asked.path = $3
       ))
     order by
       case when $1::text is null then 0
         else ts_rank(s.search_vector, websearch_to_tsquery('english', $1)) end desc,
       s.skill_path collate "C"`,
      [filter.text ?? null, filter.status ?? null, filter.category ?? null],
    ),
  );
}

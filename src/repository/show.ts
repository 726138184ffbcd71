// All that the library says of one skill, for people and programs that ask.

import type { Status } from '../skill/status.ts';
import type { Connection } from './connection.ts';
import { isKeptFiles } from './history.ts';
import { targetsIn } from './sound.ts';

/** A skill at the other end of a relation. */
export interface Linked {
  /** Where it stands; as the document names it where it is no skill yet. */
  readonly path: string;
  readonly type: string;
  readonly justification?: string | null;
  /** Whether no skill stands there: it is deleted, or still to come. */
  readonly isMissing: boolean;
}

/** What a skill's row and relations say. */
export interface ShownSkill {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly type: string;
  readonly weight: string;
  readonly loadPriority: string;
  readonly status: Status;
  readonly style: string | null;
  readonly scope: string | null;
  /** The keys of the document that no column holds. */
  readonly extra: { readonly [key: string]: unknown };
  readonly category: string | null;
  /** Why it is in that category; null where another writer put it there. */
  readonly categoryReason: string | null;
  readonly otherCategories: readonly string[];
  readonly keywords: readonly string[];
  readonly tags: readonly string[];
  readonly allowedTools: readonly string[];
  readonly capabilities: readonly { readonly name: string; readonly description: string | null }[];
  readonly facets: readonly { readonly key: string; readonly value: string }[];
  readonly aliases: readonly string[];
  readonly needs: readonly Linked[];
  readonly neededBy: readonly Linked[];
  readonly refersTo: readonly Linked[];
  readonly referredBy: readonly Linked[];
  readonly createdAt: Date;
  /** Null where it stands. */
  readonly deletedAt: Date | null;
}

/** The items of a relation as a JSON list, which is empty where there are none. */
function listSql(item: string, order: string, from: string): string {
  return `(select coalesce(json_agg(${item} order by ${order}), '[]') from ${from})`;
}

/** The skills at the other end of a relation. */
function linksSql(table: string, mine: string, other: string, type: string, more = ''): string {
  return listSql(
    `json_build_object('path', o.skill_path, 'type', l.${type}${more}, 'isMissing', o.deleted_at is not null)`,
    `o.skill_path collate "C", l.${type}::text`,
    `${table} l join skills o on o.skill_id = l.${other} where l.${mine} = s.skill_id`,
  );
}

/** What a document names and no skill is yet. */
function vainSql(kind: 'dependency' | 'reference', more = ''): string {
  return listSql(
    `json_build_object('path', t.item ->> 'target', 'type', t.item ->> 'type'${more}, 'isMissing', true)`,
    't.place',
    `jsonb_array_elements(${targetsIn('y.targets')}) with ordinality as t (item, place)
     where t.item ->> 'kind' = '${kind}' and t.item ->> 'skill_id' is null`,
  );
}

/** Reads a skill's row, also that of a deleted one, and its relations. Undefined where there is no row any more. */
export async function readShown(connection: Connection, skillId: number): Promise<ShownSkill | undefined> {
  const [row] = await connection.query<
    Omit<ShownSkill, 'needs' | 'refersTo'> & {
      readonly [R in 'needs' | 'neededInVain' | 'refersTo' | 'referredInVain']: readonly Linked[];
    }
  >(
    `select coalesce(s.name, '') as name, coalesce(s.description, '') as description,
       coalesce(s.version, '') as version, coalesce(s.type::text, '') as type, coalesce(s.weight::text, '') as weight,
       coalesce(s.load_priority::text, '') as "loadPriority", coalesce(s.status::text, '') as status,
       s.skill_style as style, s.scope, case when jsonb_typeof(s.extra) = 'object' then s.extra else '{}' end as extra,
       category.path as category, y.category_reason as "categoryReason",
       s.created_at as "createdAt", s.deleted_at as "deletedAt",
       ${listSql(
         'c.path',
         'c.path collate "C"',
         `skill_categories sc join taxonomy_categories c using (category_id)
          where sc.skill_id = s.skill_id and c.path is distinct from category.path`,
       )} as "otherCategories",
       ${listSql('k.keyword', 'k.keyword collate "C"', 'skill_keywords k where k.skill_id = s.skill_id')} as keywords,
       ${listSql('t.tag', 't.tag collate "C"', 'skill_tags t where t.skill_id = s.skill_id')} as tags,
       ${listSql(
         't.tool_name',
         't.tool_name collate "C"',
         'skill_allowed_tools t where t.skill_id = s.skill_id',
       )} as "allowedTools",
       ${listSql(
         `json_build_object('name', c.name, 'description', c.description)`,
         'c.sort_order, c.name collate "C"',
         'capabilities c where c.skill_id = s.skill_id',
       )} as capabilities,
       ${listSql(
         `json_build_object('key', f.facet_key, 'value', f.facet_value)`,
         'f.facet_key collate "C", f.facet_value collate "C"',
         'skill_facets f where f.skill_id = s.skill_id',
       )} as facets,
       ${listSql('a.alias_path', 'a.alias_path collate "C"', 'skill_aliases a where a.skill_id = s.skill_id')} as aliases,
       ${linksSql(
         ...(['skill_dependencies', 'dependent_id', 'dependency_skill_id', 'dependency_type'] as const),
         `, 'justification', l.justification`,
       )} as needs,
       ${vainSql('dependency', `, 'justification', t.item ->> 'justification'`)} as "neededInVain",
       ${linksSql(
         ...(['skill_dependencies', 'dependency_skill_id', 'dependent_id', 'dependency_type'] as const),
         `, 'justification', l.justification`,
       )} as "neededBy",
       ${linksSql('skill_references', 'source_skill_id', 'target_skill_id', 'reference_type')} as "refersTo",
       ${vainSql('reference')} as "referredInVain",
       ${linksSql('skill_references', 'target_skill_id', 'source_skill_id', 'reference_type')} as "referredBy"
     from skills s
     left join skill_sync y using (skill_id)
     left join lateral (
       select min(c.path) as path from skill_categories sc join taxonomy_categories c using (category_id)
       where sc.skill_id = s.skill_id and sc.is_primary
     ) category on true
     where s.skill_id = $1`,
    [skillId],
  );
  if (row === undefined) return undefined;
  const { neededInVain, referredInVain, needs, refersTo, ...shown } = row;
  return { ...shown, needs: [...needs, ...neededInVain], refersTo: [...refersTo, ...referredInVain] };
}

/** The latest revision in which a skill that is gone stood; undefined where the history has none. */
export async function lastStanding(connection: Connection, skillId: number): Promise<number | undefined> {
  const [row] = await connection.query<{ revision: number }>(
    `select r.revision from skill_revisions r
     where r.skill_id = $1 and not r.deleted and not (${isKeptFiles('r')})
     order by r.revision desc limit 1`,
    [skillId],
  );
  return row?.revision;
}

/** How many paths are proposed in the place of one that is unknown. */
const maxNearest = 5;

/** The skills whose path ends as an unknown one does, or that are named so: letter case does not count. */
export async function nearestPaths(connection: Connection, path: string): Promise<readonly string[]> {
  const rows = await connection.query<{ skill_path: string }>(
    `select s.skill_path from skills s
     where s.deleted_at is null
       and regexp_replace($1::text, '^.*/', '') <> ''
       and lower(regexp_replace($1::text, '^.*/', '')) in (lower(regexp_replace(s.skill_path, '^.*/', '')), lower(s.name))
     order by s.skill_path collate "C" limit $2`,
    [path, maxNearest],
  );
  return rows.map((row) => row.skill_path);
}

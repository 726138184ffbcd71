// What follows from other tables, held against them, and brought right: closures, counts, and deleted rows, which no sync reads.

import type { DerivedFault, FollowingFault } from '../replica.ts';
import { maxCategoryDepth } from '../taxonomy/category.ts';
import { categoriesAbove, fillClosure } from './categories.ts';
import { type Connection, inView } from './connection.ts';
import { countTags } from './relations.ts';
import { indexIn } from './sound.ts';

/**
 * Rows that another writer changed since a sync, which brings up to date what follows from them, and those of `$1`,
 * of which worse was told.
 */
const pending = `
  pending as (
    select s.skill_id, y.indexed
    from skills s left join skill_sync y using (skill_id)
    where s.skill_id = any ($1)
      or y.previous_status is null and (y.digest is null or y.digest_revision is distinct from y.revision)
  )`;

/** A deletion archives a skill as it was, and remembers its status: who takes it back forgets that. */
const deletedSql = `
     select s.skill_path::text as path, s.skill_id as "skillId"
     from skills s
     join skill_sync y using (skill_id)
     left join lateral (
       select from_history.*
       from skill_revisions from_history
       where from_history.skill_id = s.skill_id and not from_history.deleted and from_history.index is not null
       order by from_history.revision desc limit 1
     ) r on true
     where y.previous_status is not null and (s.deleted_at is null or (
       r.pruned_at is null
       and (s.frontmatter_source, s.skill_content, y.document_name, y.document_mode, array(
         select (f.relative_path, f.file_mode,
           encode(sha256(coalesce(f.binary_data, convert_to(f.content, 'UTF8'))), 'hex'))::text
         from skill_files f where f.skill_id = s.skill_id order by 1
       )) is distinct from (r.frontmatter_source, r.skill_content, r.document_name, r.document_mode, array(
         select (f.path, f.mode, f.sha256)::text
         from jsonb_to_recordset(r.files) as f (path text, mode text, sha256 text) order by 1
       ))
     ))
     order by s.skill_path collate "C"`;

/** What follows from other tables, and how it is brought right. */
interface Following {
  readonly what: FollowingFault['what'];
  /** Finds what is wrong, by what it is of. */
  readonly sql: string;
  readonly more?: (isMending: boolean) => readonly unknown[];
  readonly mend: (connection: Connection, of: readonly string[]) => Promise<unknown>;
}

const following: readonly Following[] = [
  {
    what: 'dependency_closure',
    // A way is right where the way to the last but one is, and no way of a step more is shorter.
    sql: `with ${pending},
     closed as not materialized (
       select ancestor_id, descendant_id, min_depth, dependency_types
       from dependency_closure where ancestor_id <> descendant_id
     ),
     wrong as (
       select c.ancestor_id as skill_id
       from closed c
       where not exists (
         select from skill_dependencies d
         left join closed p on p.descendant_id = d.dependent_id and p.ancestor_id = c.ancestor_id
         where d.dependency_skill_id = c.descendant_id
           and (p.ancestor_id is not null or d.dependent_id = c.ancestor_id)
           and c.min_depth = coalesce(p.min_depth, 0) + 1
           and c.dependency_types = coalesce(p.dependency_types, '{}') || d.dependency_type::text
       )
       union
       select d.dependent_id
       from skill_dependencies d
       left join closed c on (c.ancestor_id, c.descendant_id) = (d.dependent_id, d.dependency_skill_id)
       where c.min_depth is distinct from 1
       union
       select p.ancestor_id
       from closed p
       join skill_dependencies d on d.dependent_id = p.descendant_id and d.dependency_skill_id <> p.ancestor_id
       left join closed c on (c.ancestor_id, c.descendant_id) = (p.ancestor_id, d.dependency_skill_id)
       where c.min_depth is null or c.min_depth > p.min_depth + 1
     ),
     unsure as (
       select skill_id from pending
       union select c.ancestor_id from closed c join pending on pending.skill_id = c.descendant_id
     )
     select s.skill_path::text as of
     from wrong join skills s using (skill_id)
     where not exists (select from unsure u where u.skill_id = s.skill_id)
     order by s.skill_path collate "C"`,
    mend: (connection, paths) =>
      connection.query(
        `select skill_fleet_fill_dependency_closure(array_agg(skill_id)) from skills where skill_path = any ($1)`,
        [paths],
      ),
  },
  {
    what: 'taxonomy_closure',
    // Only those of the categories that hold skills are faults: others' new ones are closed by the next sync.
    sql: `with recursive ${categoriesAbove('$2')},
     ${pending},
     used as (
       select category_id from skill_categories
       except select category_id from skill_categories join pending using (skill_id)
     )
     select distinct c.path::text as of
     from shortest s
     full join taxonomy_closure t using (ancestor_id, descendant_id)
     join taxonomy_categories c on c.category_id = descendant_id
     where s.depth is distinct from t.depth and ($3 or descendant_id in (select category_id from used))
     order by 1`,
    more: (isMending) => [maxCategoryDepth, isMending],
    mend: fillClosure,
  },
  {
    what: 'tag_stats',
    sql: `with ${pending},
     unsure as (
       select t.tag::text from pending join skill_tags t using (skill_id)
       union select jsonb_array_elements_text(${indexIn('indexed')} -> 'tags') from pending
     )
     select coalesce(t.tag, k.tag::text) as of
     from (
       select t.tag::text, count(*)
       from skill_tags t join skills s on s.skill_id = t.skill_id and s.deleted_at is null
       group by t.tag
     ) t
     full join tag_stats k on k.tag = t.tag
     where coalesce(t.count, 0) <> coalesce(k.usage_count, 0)
       and coalesce(t.tag, k.tag::text) not in (select tag from unsure)
     order by coalesce(t.tag, k.tag::text) collate "C"`,
    mend: countTags,
  },
];

/**
 * What does not follow from what it is made of, by whatever it is of: a skill, a category, a tag.
 *
 * @param told skills of which it was told already that their values are not what they should be
 */
export async function* verifyDerived(
  connection: Connection,
  told: ReadonlySet<number>,
): AsyncGenerator<DerivedFault> {
  const suspect = new Set(told);
  for (const { path, skillId } of await inView(connection, () =>
    connection.query<{ path: string; skillId: number }>(deletedSql),
  )) {
    suspect.add(skillId);
    yield { what: 'deleted', path, skillId };
  }
  for (const one of following) {
    for (const of of await wrongIn(connection, one, [...suspect], false)) yield { what: one.what, of };
  }
}

/** Whether anything is to be brought right by {@link mendDerived}. */
export async function isDerivedWrong(connection: Connection): Promise<boolean> {
  for (const one of following) if ((await wrongIn(connection, one, [], true)).length > 0) return true;
  return false;
}

/** Brings right what follows from other tables, in the transaction at hand. What rests on edits that no sync took yet waits. */
export async function mendDerived(connection: Connection): Promise<void> {
  for (const one of following) {
    const wrong = await wrongIn(connection, one, [], true);
    if (wrong.length > 0) await one.mend(connection, wrong);
  }
}

async function wrongIn(
  connection: Connection,
  { sql, more }: Following,
  suspect: readonly number[],
  isMending: boolean,
): Promise<readonly string[]> {
  const values = [suspect, ...(more?.(isMending) ?? [])];
  const rows = await inView(connection, () => connection.query<{ of: string }>(sql, values));
  return rows.map(({ of }) => of);
}

// Categories as the database knows them: read for inference, created where a skill needs a new one.

import { lineage, maxCategoryDepth } from '../taxonomy/category.ts';
import { indexCategories, type KnownCategories } from '../taxonomy/known.ts';
import { displayName, seed } from '../taxonomy/seed.ts';
import type { Connection } from './connection.ts';

/** All categories that the database holds, ready for inference. */
export async function knownCategories(connection: Connection): Promise<KnownCategories> {
  const rows = await connection.query<{ path: string }>('select path from taxonomy_categories');
  return indexCategories(rows.map((row) => row.path));
}

/** Fills an empty taxonomy with the categories that a new library starts with. */
export async function seedCategories(connection: Connection): Promise<void> {
  const [any] = await connection.query('select from taxonomy_categories limit 1');
  const paths = seed.map((category) => category.path);
  if (any) return;
  await createCategories(connection, paths);
  await fillClosure(connection);
}

/** Creates what is missing of these categories and of those above them. */
export async function createCategories(connection: Connection, paths: Iterable<string>): Promise<void> {
  const wanted = [...new Set([...paths].flatMap(lineage))];
  await connection.query(
    `insert into taxonomy_categories (path, name, level, sort_order)
     select path, name, level,
       row_number() over (partition by level, regexp_replace(path, '[^/]*$', '') order by position) - 1
     from unnest($1::text[], $2::text[], $3::integer[]) with ordinality as wanted (path, name, level, position)
     on conflict (path) do nothing`,
    [wanted, wanted.map(displayName), wanted.map((path) => path.split('/').length - 1)],
  );
  await connection.query(
    `update taxonomy_categories child set parent_id = parent.category_id
     from taxonomy_categories parent
     where child.path = any ($1) and child.parent_id is null and child.level > 0
       and parent.path = regexp_replace(child.path, '/[^/]*$', '')`,
    [wanted],
  );
}

/** What `taxonomy_closure` is to say, as common table expressions; `most` is the parameter of the greatest depth. */
export const categoriesAbove = (most: `$${number}`) => `
  above (ancestor_id, descendant_id, depth) as (
    select category_id, category_id, 0 from taxonomy_categories
    union
    select c.parent_id, a.descendant_id, a.depth + 1
    from above a join taxonomy_categories c on c.category_id = a.ancestor_id
    where c.parent_id is not null and a.depth < ${most}
  ),
  shortest as (
    select ancestor_id, descendant_id, min(depth) as depth from above group by ancestor_id, descendant_id
  )`;

/**
 * Makes `taxonomy_closure` say what the parents of categories say: existing databases have no trigger that
 * fills it, and anyone may have moved a category. A cycle that another writer made ends at the depth that no
 * tree of categories has.
 */
export async function fillClosure(connection: Connection): Promise<void> {
  await connection.query(
    `with recursive ${categoriesAbove('$1')},
     gone as (
       delete from taxonomy_closure t
       where not exists (
         select from shortest s where s.ancestor_id = t.ancestor_id and s.descendant_id = t.descendant_id
       )
     )
     insert into taxonomy_closure (ancestor_id, descendant_id, depth)
     select ancestor_id, descendant_id, depth from shortest
     on conflict (ancestor_id, descendant_id) do update set depth = excluded.depth
       where taxonomy_closure.depth <> excluded.depth`,
    [maxCategoryDepth],
  );
}

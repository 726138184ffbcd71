// The shape that a library must have to be adopted: the columns that a sync reads and writes.

import type { Connection } from './connection.ts';

/** The columns of each table. A table that is missing is created; a column that is missing is for its owner to add. */
const shape: { readonly [table: string]: string } = {
  skills: `skill_id skill_path name description version type weight load_priority status skill_style skill_content
    scope last_modified search_vector`,
  taxonomy_categories: 'category_id path name parent_id level sort_order',
  taxonomy_closure: 'ancestor_id descendant_id depth',
  skill_categories: 'skill_id category_id is_primary',
  skill_keywords: 'skill_id keyword',
  skill_tags: 'skill_id tag',
  tag_stats: 'tag usage_count last_used_at',
  capabilities: 'skill_id name description sort_order',
  skill_dependencies: 'dependent_id dependency_skill_id dependency_type justification',
  dependency_closure: 'ancestor_id descendant_id min_depth dependency_types',
  skill_references: 'source_skill_id target_skill_id reference_type',
  skill_files: `skill_id file_type relative_path filename content binary_data file_size_bytes checksum sort_order
    updated_at`,
  skill_allowed_tools: 'skill_id tool_name',
  skill_aliases: 'skill_id alias_path reason',
  skill_facets: 'skill_id facet_key facet_value',
};

/** The columns that migrations add: their names must be free. */
const added: { readonly [table: string]: string } = {
  skills: 'frontmatter_source extra deleted_at',
  skill_files: 'file_mode',
};

/** What keeps a library from being adopted: `no skills.scope`, `a skills.extra of its own`. */
export async function findMisfits(connection: Connection): Promise<readonly string[]> {
  const columns = (tables: typeof shape) =>
    Object.entries(tables).flatMap(([table, names]) =>
      names.split(/\s+/).map((column) => ({ table, column })),
    );
  const [wanted, free] = [columns(shape), columns(added)];
  const rows = await connection.query<{ misfit: string }>(
    `select case when is_free then 'a ' || name || ' of its own' else 'no ' || name end as misfit
     from (
       select table_name || '.' || column_name as name, is_free, position,
         exists (
           select from pg_attribute
           where attrelid = to_regclass(table_name) and attname = column_name and not attisdropped
         ) as stands
       from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality
         as asked (table_name, column_name, is_free, position)
       where to_regclass(table_name) is not null
     ) known
     where stands = is_free order by position`,
    [
      [...wanted, ...free].map((one) => one.table),
      [...wanted, ...free].map((one) => one.column),
      [...wanted.map(() => false), ...free.map(() => true)],
    ],
  );
  return rows.map((row) => row.misfit);
}

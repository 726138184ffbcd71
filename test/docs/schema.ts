// What docs/reference/schema.md says of the tables: their columns as the migrations make them, and what each means.

import type { Connection } from '../../src/repository/connection.ts';

interface Table {
  readonly name: string;
  readonly about: string;
  /** What each column says. A comment in the database serves where nothing stands here. */
  readonly columns: { readonly [column: string]: string };
}

const id = 'key';
const skill = 'the skill';

/** The library: what APIs, agents and search read, and may write. */
const library: readonly Table[] = [
  {
    name: 'skills',
    about: 'One row a skill. Deleted ones stay, with `deleted_at`.',
    columns: {
      skill_id: 'key; it survives renames and deletions',
      skill_path: 'the folder, relative to the skills directory; unique',
      name: 'of the document, else the folder’s',
      description: 'of the document; where it has no frontmatter, its first paragraph',
      version: 'of the document',
      parent_version_id: 'another row; not synced',
      type: 'of the document; `technical` where it is silent',
      weight: 'of the document',
      load_priority: 'of the document',
      status: 'of the document; `active` where it is silent, and as it is where an API made the row',
      skill_style: 'of the document',
      skill_content: 'the body: all that follows the frontmatter, exactly',
      scope: 'of the document',
      created_at: 'when the row was made',
      last_modified: 'a trigger sets it on each update; nothing is decided by it',
      published_at: 'not synced',
      change_summary: 'not synced',
      integrity_hash: 'not synced',
      performance_stats: 'not synced',
      search_vector: 'name (A), description (B), body (C), for full-text search',
    },
  },
  {
    name: 'skill_files',
    about: 'The other files of a skill.',
    columns: {
      file_id: id,
      skill_id: skill,
      file_type: 'by folder and name: `script`, `reference`, …',
      relative_path: 'in the skill’s folder; unique per skill',
      filename: 'its last part',
      content: 'the bytes, where they are UTF-8 without a NUL',
      binary_data: 'the bytes, where they are not',
      file_size_bytes: 'how many',
      checksum: 'their SHA-256',
      description: 'not synced',
      sort_order: 'not synced',
      created_at: 'when the row was made',
      updated_at: 'when it was last changed',
      file_mode: '`100755` is executable, `100644` is not',
    },
  },
  {
    name: 'taxonomy_categories',
    about: 'The tree of categories. A sync adds those that skills need, and renames or removes none.',
    columns: {
      category_id: id,
      path: '`development/languages/python`; unique',
      name: 'its last part, to show',
      description: 'not synced',
      parent_id: 'the category above',
      level: '0 for a root',
      sort_order: 'not synced',
      created_at: 'when the row was made',
    },
  },
  {
    name: 'taxonomy_closure',
    about: 'Each category with each one above it, and with itself.',
    columns: { ancestor_id: 'above', descendant_id: 'below', depth: 'steps between them; 0 is itself' },
  },
  {
    name: 'skill_categories',
    about: 'Which category a skill has.',
    columns: {
      skill_id: skill,
      category_id: 'the category',
      is_primary: 'the one that the sync keeps; others are left alone',
      created_at: 'when the row was made',
    },
  },
  {
    name: 'skill_keywords',
    about: 'Keywords of the document. Old rows may hold tags too.',
    columns: { skill_id: skill, keyword: 'the word', weight: 'not synced' },
  },
  { name: 'skill_tags', about: 'Tags of the document.', columns: { skill_id: skill, tag: 'the tag' } },
  {
    name: 'tag_stats',
    about: 'How often each tag is used. Each sync makes it true for what it writes.',
    columns: {
      tag: 'the tag',
      usage_count: 'skills that have it',
      last_used_at: 'when a skill last got it',
    },
  },
  {
    name: 'capabilities',
    about: 'Capabilities of the document: of its frontmatter, and of its section `## Capabilities`.',
    columns: {
      capability_id: id,
      skill_id: skill,
      name: 'unique per skill',
      description: 'the text after the name',
      test_criteria: 'not synced',
      sort_order: 'the order in the document',
    },
  },
  {
    name: 'skill_dependencies',
    about: 'Skills that a skill needs, once they are there.',
    columns: {
      dependency_id: id,
      dependent_id: 'who needs',
      dependency_skill_id: 'what is needed',
      dependency_type: 'required, recommended or conflict',
      justification: 'why, as the document says',
    },
  },
  {
    name: 'dependency_closure',
    about: 'Each skill with each one that it needs, over any number of steps.',
    columns: {
      ancestor_id: 'who needs',
      descendant_id: 'what is needed',
      min_depth: 'the fewest steps',
      dependency_types: 'of the ways between them',
    },
  },
  {
    name: 'skill_references',
    about: 'Skills that a skill points its reader to, once they are there.',
    columns: { source_skill_id: 'who points', target_skill_id: 'to what', reference_type: 'how' },
  },
  {
    name: 'skill_allowed_tools',
    about: 'Tools that the document allows.',
    columns: { skill_id: skill, tool_name: 'the tool', required: 'not synced', description: 'not synced' },
  },
  {
    name: 'skill_aliases',
    about: 'Other paths of a skill: what the document says, and where the skill once stood.',
    columns: {
      alias_id: id,
      skill_id: skill,
      alias_path: 'the path',
      reason: '`renamed` where a sync found the skill moved',
    },
  },
  {
    name: 'skill_facets',
    about: 'Facets of the document.',
    columns: { skill_id: skill, facet_key: 'which', facet_value: 'its value' },
  },
  {
    name: 'facet_definitions',
    about: 'Which facets there are. A sync adds those that documents use.',
    columns: { facet_key: 'which', allowed_values: 'not synced', description: 'not synced' },
  },
];

/** What skill-fleet adds for itself. To read it is safe; to write it is not. */
const bookkeeping: readonly Table[] = [
  {
    name: 'skill_sync',
    about: 'One row beside each skill: what the sync knows of it.',
    columns: {
      skill_id: skill,
      revision: 'of its present state; any change by anybody gives a new one',
      revised_at: 'when that was; null for what was adopted and never changed since',
      origin: '`files` or `database`: from where the present state came',
      writer: 'the role and the program that wrote it',
      revision_xid: 'the transaction that did',
      digest_revision: 'the revision that `digest` is true for',
      category_reason: 'why it has its category, in words',
      document_name: 'how the document’s file is spelt',
      document_mode: 'its executable bit',
    },
  },
  {
    name: 'skill_revisions',
    about: 'What each change replaced. It outlives its skill.',
    columns: {
      skill_id: skill,
      revision: 'which',
      skill_path: 'the path of that time',
      document_name: 'as in `skill_sync`',
      document_mode: 'as in `skill_sync`',
      frontmatter_source: 'as in `skills`',
      skill_content: 'as in `skills`',
      files: 'the attached files: path, mode, SHA-256',
      digest: 'SHA-256 of the whole',
      origin: 'as in `skill_sync`',
      writer: 'as in `skill_sync`',
      revised_at: 'when it became the present state',
      replaced_at: 'when another one did',
      replaced_by_run: 'the run that replaced it; null for another writer',
      targets: 'as in `skill_sync`',
    },
  },
  {
    name: 'skill_blobs',
    about: 'Contents of attached files that were replaced, each once.',
    columns: { sha256: 'of the bytes', bytes: 'the bytes' },
  },
  {
    name: 'skill_commits',
    about: 'At which git commits a revision was seen.',
    columns: {
      skill_id: skill,
      revision: 'which',
      commit: 'the commit',
      noted_at: 'when it was noted',
    },
  },
  {
    name: 'sync_databases',
    about: 'One row: who this database is.',
    columns: {
      database_id: 'its id; a branch or a restored backup has the same',
      created_at: 'when it was given',
    },
  },
  {
    name: 'sync_runs',
    about: 'One row a run.',
    columns: {
      run_id: id,
      direction: 'what kind of run',
      who: 'the user',
      host: 'the machine',
      directory: 'the skills directory',
      started_at: 'when',
      finished_at: 'when; null while it runs, or where it was killed',
      outcome: 'running, success or failed',
      counts: 'how many skills it changed, by kind',
      error: 'why it failed',
      git_commit: 'HEAD',
      git_branch: 'the branch',
      undoes: 'the run that it took back',
    },
  },
  {
    name: 'sync_log',
    about: 'Each skill that a run touched.',
    columns: {
      log_id: id,
      run_id: 'the run',
      skill_path: 'where the skill stands since',
      skill_id: skill,
      operation: 'create, update, rename or remove',
      direction: '`to_database` or `to_files`',
      status: 'success or failed',
      error: 'why it failed',
      logged_at: 'when',
      before_digest: 'what stood there before; null for nothing',
      after_digest: 'what stands there since; null for nothing',
      is_detailed:
        'whether the columns from `former_path` on are filled: runs of old versions cannot be undone',
    },
  },
  {
    name: 'schema_migrations',
    about:
      'Each applied migration. Where another program has a table of that name, ours is `skill_fleet_migrations`.',
    columns: { name: 'its file', digest: 'SHA-256 of it', applied_at: 'when' },
  },
];

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly default: string | null;
  readonly comment: string | null;
}

/** The page, and what is wrong with it: a column that nothing is said of, or that is not there. */
export async function schemaReference(
  connection: Connection,
): Promise<{ readonly page: string; readonly faults: readonly string[] }> {
  const columns = await connection.query<Column>(
    `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
       case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default,
       col_description(c.oid, a.attnum) as comment
     from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
     order by a.attnum`,
  );
  const enums = await connection.query<{ name: string; labels: string }>(
    `select typname as name, string_agg(enumlabel, ', ' order by enumsortorder) as labels
     from pg_enum join pg_type t on t.oid = enumtypid group by typname order by typname`,
  );
  const tables = [...library, ...bookkeeping];
  const known = new Map(tables.map((table) => [table.name, table]));
  const faults = [
    ...columns
      .filter(({ table, column, comment }) => !(known.get(table)?.columns[column] ?? comment))
      .map(({ table, column }) => `nothing is said of ${table}.${column}`),
    ...tables.flatMap(({ name, columns: said }) =>
      Object.keys(said)
        .filter((column) => !columns.some((one) => one.table === name && one.column === column))
        .map((column) => `there is no ${name}.${column}`),
    ),
  ];
  const textOf = ({ name, about, columns: said }: Table) =>
    [
      `### ${name}\n\n${about}\n`,
      '| column | type | default | meaning |\n|---|---|---|---|',
      ...columns
        .filter(({ table }) => table === name)
        .map(
          (one) =>
            `| \`${one.column}\` | ${shortType(one.type)} | ${shortDefault(one.default)} | ${said[one.column] ?? one.comment} |`,
        ),
    ].join('\n');
  const page = `${introduction}
## The library

${library.map(textOf).join('\n\n')}

### Enums

${enums.map(({ name, labels }) => `- \`${name}\`: ${labels}`).join('\n')}

## Bookkeeping

Read it as you like. Write to it, and a sync may take old for new.

${bookkeeping.map(textOf).join('\n\n')}
`;
  return { page, faults };
}

const shortType = (type: string) =>
  type
    .replace('character varying', 'varchar')
    .replace('timestamp with time zone', 'timestamptz')
    .replace('double precision', 'float');

function shortDefault(expression: string | null): string {
  if (expression === null) return '';
  if (expression.startsWith('nextval')) return 'serial';
  return `\`${expression.replace(/::[\w ]+(\[\])?/g, '')}\``;
}

const introduction = `# The schema

<!-- Made by: WRITE_REFERENCE=1 npx vitest run test/docs -->

What stands in the database, for who reads or writes it with SQL. A migration adds to it and renames nothing.

## Reading

Leave out what is deleted:

\`\`\`sql
select skill_path, name, description from skills where deleted_at is null and status = 'active';
\`\`\`

A document as its file has it, byte for byte, while nobody has changed a column since the last sync:

\`\`\`sql
select coalesce(frontmatter_source, '') || coalesce(skill_content, '') from skills where skill_path = 'a/b';
\`\`\`

Full text, ranked:

\`\`\`sql
select skill_path, ts_rank(search_vector, q) as rank from skills, websearch_to_tsquery('english', 'docker image') q
where search_vector @@ q and deleted_at is null order by rank desc;
\`\`\`

Skills of a category and of all below it:

\`\`\`sql
select s.skill_path from skills s
join skill_categories sc using (skill_id)
join taxonomy_closure c on c.descendant_id = sc.category_id
join taxonomy_categories t on t.category_id = c.ancestor_id
where t.path = 'development' and s.deleted_at is null;
\`\`\`

## Writing

Any program may insert, update and delete rows of the library, with any client, and needs to know nothing of this: triggers
note the change, keep the state before it, and the next sync carries it to the files.

\`\`\`sql
update skills set description = 'Builds small images.' where skill_path = 'a/b';
insert into skills (skill_path, name, type, description, skill_content)
values ('tools/new', 'new', 'tool', 'A new one.', E'# New\\n');
update skills set deleted_at = now() where skill_path = 'tools/new';
\`\`\`

- Of a row that has a document, the sync patches just the value that changed into the text. Columns marked "not synced" change
  no file, and no sync changes them.
- A row without a document gets one: \`name\`, \`description\`, then what differs from the defaults.
- Set \`deleted_at\` rather than delete: the history keeps both, but a row that is gone takes its relations with it.
- Leave \`frontmatter_source\`, \`extra\` and the tables under Bookkeeping alone.
`;

// What other writers do to a library with SQL, as data: an edit of every synced column, rows that come, go and
// move in every relation, and the columns that a sync has no business with.

/** The keys of the skills that an edit is about. */
export interface EditedSkills {
  /** The skill that is changed. It has rows in each of its relations, and its category for itself. */
  readonly skill: number;
  /** A skill that `skill` is not linked to. */
  readonly free: number;
  /** Makes the values of one edit differ from those of another. */
  readonly nth: number;
}

/** One statement of another writer. */
export interface Edit {
  readonly sql: string;
  /** The column that it changes, `table.column`, or what it does to whole rows: `insert into table`. */
  readonly covers: string;
  /** The skills that it changes, by key. */
  readonly changes: readonly number[];
}

/** The relations of a skill, and the column of each that holds the skill's key. */
export const relations = {
  skill_categories: 'skill_id',
  skill_keywords: 'skill_id',
  skill_tags: 'skill_id',
  capabilities: 'skill_id',
  skill_dependencies: 'dependent_id',
  skill_references: 'source_skill_id',
  skill_aliases: 'skill_id',
  skill_facets: 'skill_id',
  skill_allowed_tools: 'skill_id',
  skill_files: 'skill_id',
} as const;

type RelationName = keyof typeof relations;

const relationNames = Object.keys(relations) as readonly RelationName[];

/** Columns of a table, and to what an edit sets each. */
type Settings = { readonly [column: string]: string };

/** A value of an enum that is not the one that stands. */
const other = (column: string, type: string, [one, two]: readonly [string, string]) =>
  `case ${column} when '${one}' then '${two}' else '${one}' end::${type}`;

const categoryOf = (path: string) => `(select category_id from taxonomy_categories where path = '${path}')`;

function settingsOfSkills(nth: number): Settings {
  return {
    skill_path: `'moved/${nth}'`,
    name: `'renamed-${nth}'`,
    description: `'Changed ${nth}.'`,
    version: `'2.0.${nth}'`,
    type: other('type', 'skill_type_enum', ['tool', 'domain']),
    weight: other('weight', 'skill_weight_enum', ['heavyweight', 'lightweight']),
    load_priority: other('load_priority', 'load_priority_enum', ['always', 'dormant']),
    status: other('status', 'skill_status_enum', ['deprecated', 'active']),
    skill_style: other('skill_style', 'skill_style_enum', ['minimal', 'comprehensive']),
    skill_content: `E'# Changed ${nth}\\r\\n'`,
    scope: `'scope ${nth}'`,
    frontmatter_source: `replace(frontmatter_source, 'license: ', 'license:  ')`,
    extra: `extra || '{"license": "GPL-${nth}"}'`,
    deleted_at: 'case when deleted_at is null then now() end',
  };
}

function settingsOfRelations({ free, nth }: EditedSkills): { readonly [T in RelationName]: Settings } {
  return {
    skill_categories: {
      skill_id: `${free}`,
      category_id: categoryOf('research'),
      is_primary: 'not is_primary',
    },
    skill_keywords: { skill_id: `${free}`, keyword: `'keyword ${nth}'` },
    skill_tags: { skill_id: `${free}`, tag: `'tag ${nth}'` },
    capabilities: {
      skill_id: `${free}`,
      name: `'Capability ${nth}'`,
      description: `'Changed ${nth}.'`,
      sort_order: `sort_order + 100 + ${nth}`,
    },
    skill_dependencies: {
      dependent_id: `${free}`,
      dependency_skill_id: `${free}`,
      dependency_type: other('dependency_type', 'dependency_type_enum', ['conflict', 'required']),
      justification: `'because ${nth}'`,
    },
    skill_references: {
      source_skill_id: `${free}`,
      target_skill_id: `${free}`,
      reference_type: `'extends ${nth}'`,
    },
    skill_aliases: {
      skill_id: `${free}`,
      alias_path: `'old/${nth}'`,
      reason: `case reason when 'renamed' then 'said so' else 'renamed' end`,
    },
    skill_facets: { skill_id: `${free}`, facet_key: `'facet-${nth}'`, facet_value: `'value ${nth}'` },
    skill_allowed_tools: { skill_id: `${free}`, tool_name: `'Tool${nth}'` },
    skill_files: {
      skill_id: `${free}`,
      relative_path: `'renamed-${nth}.txt'`,
      content: `'changed ${nth}'`,
      binary_data: `'\\xff00'::bytea || '${nth}'::bytea`,
      file_mode: `case file_mode when '100755' then '100644' else '100755' end`,
    },
  };
}

/** The rest of a row that a relation gains. */
const added: { readonly [T in RelationName]: (skills: EditedSkills) => Settings } = {
  skill_categories: () => ({ category_id: categoryOf('research'), is_primary: 'true' }),
  skill_keywords: ({ nth }) => ({ keyword: `'more ${nth}'` }),
  skill_tags: ({ nth }) => ({ tag: `'more ${nth}'` }),
  capabilities: ({ nth }) => ({ name: `'More ${nth}'`, description: `'And more.'`, sort_order: '9' }),
  skill_dependencies: ({ free }) => ({ dependency_skill_id: `${free}` }),
  skill_references: ({ free }) => ({ target_skill_id: `${free}` }),
  skill_aliases: ({ nth }) => ({ alias_path: `'older/${nth}'` }),
  skill_facets: ({ nth }) => ({ facet_key: `'level'`, facet_value: `'more ${nth}'` }),
  skill_allowed_tools: ({ nth }) => ({ tool_name: `'More${nth}'` }),
  skill_files: ({ nth }) => ({
    file_type: `'asset'`,
    relative_path: `'more-${nth}.txt'`,
    filename: `'more-${nth}.txt'`,
    content: `E'\\ufeffmore ${nth}\\r\\n'`,
  }),
};

function isOneRow(table: RelationName, skill: number): string {
  return `ctid = (select ctid from ${table} where ${relations[table]} = ${skill} order by ctid limit 1)`;
}

/** An edit of each synced column: of the skill, of one row of each relation, of the skill's category. */
export function columnEdits(skills: EditedSkills): readonly Edit[] {
  const { skill, free, nth } = skills;
  const ofRelations = settingsOfRelations(skills);
  return [
    ...Object.entries(settingsOfSkills(nth)).map(([column, value]) => ({
      sql: `update skills set ${column} = ${value} where skill_id = ${skill}`,
      covers: `skills.${column}`,
      changes: [skill],
    })),
    ...relationNames.flatMap((table) =>
      Object.entries(ofRelations[table]).map(([column, value]) => ({
        sql: `update ${table} set ${column} = ${value} where ${isOneRow(table, skill)}`,
        covers: `${table}.${column}`,
        changes: column === relations[table] ? [skill, free] : [skill],
      })),
    ),
    {
      sql: `update taxonomy_categories set path = 'elsewhere/${nth}'
        where category_id in (select category_id from skill_categories where skill_id = ${skill} and is_primary)`,
      covers: 'taxonomy_categories.path',
      changes: [skill],
    },
  ];
}

/** Whole rows that come and go. */
export function rowEdits(skills: EditedSkills): readonly Edit[] {
  const { skill, nth } = skills;
  const made = 1_000_000 + nth;
  return [
    {
      sql: `insert into skills (skill_id, skill_path, name, type, status, description, skill_content)
        values (${made}, 'made/${nth}', 'made-${nth}', 'tool', 'active', 'Made.', E'# Made\\n')`,
      covers: 'insert into skills',
      changes: [made],
    },
    {
      sql: `delete from skills where skill_id = ${skill}`,
      covers: 'delete from skills',
      changes: [skill],
    },
    ...relationNames.flatMap((table): readonly Edit[] => {
      const row = { [relations[table]]: `${skill}`, ...added[table](skills) };
      return [
        {
          sql: `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`,
          covers: `insert into ${table}`,
          changes: [skill],
        },
        {
          sql: `delete from ${table} where ${isOneRow(table, skill)}`,
          covers: `delete from ${table}`,
          changes: [skill],
        },
      ];
    }),
    {
      sql: `delete from taxonomy_categories
        where category_id in (select category_id from skill_categories where skill_id = ${skill} and is_primary)`,
      covers: 'delete from taxonomy_categories',
      changes: [skill],
    },
  ];
}

interface Unsynced {
  readonly why: string;
  /** To what an edit sets it; null where no writer can. */
  readonly value: string | null;
}

const key: Unsynced = { why: 'the key of the row', value: null };
const serial = (column: string): Unsynced => ({
  why: 'a number that says nothing',
  value: `${column} + 1000`,
});
const time: Unsynced = { why: 'when, for other readers', value: `'2001-01-01'` };
const byOthers = (value: string): Unsynced => ({ why: 'no document says it', value });
const derived = (value: string | null): Unsynced => ({ why: 'follows from other columns', value });

/** Columns of synced tables that are deliberately not synced. */
export const unsyncedColumns: { readonly [table: string]: { readonly [column: string]: Unsynced } } = {
  skills: {
    skill_id: key,
    parent_version_id: byOthers('skill_id'),
    created_at: time,
    last_modified: time,
    published_at: time,
    change_summary: byOthers(`'some'`),
    integrity_hash: byOthers(`'some'`),
    performance_stats: byOthers(`'{"runs": 1}'`),
    search_vector: derived(null),
  },
  skill_categories: { created_at: time },
  skill_keywords: { weight: byOthers('0.5') },
  skill_tags: {},
  capabilities: { capability_id: serial('capability_id'), test_criteria: byOthers(`'some'`) },
  skill_dependencies: { dependency_id: serial('dependency_id') },
  skill_references: {},
  skill_aliases: { alias_id: serial('alias_id') },
  skill_facets: {},
  skill_allowed_tools: { required: byOthers('true'), description: byOthers(`'some'`) },
  skill_files: {
    file_id: serial('file_id'),
    file_type: derived(`'guide'`),
    filename: derived(`'some'`),
    file_size_bytes: derived('1'),
    checksum: derived(`'some'`),
    description: byOthers(`'some'`),
    sort_order: derived('9'),
    created_at: time,
    updated_at: time,
  },
  taxonomy_categories: {
    category_id: key,
    name: byOthers(`'Some'`),
    description: byOthers(`'some'`),
    parent_id: derived('null'),
    level: derived('7'),
    sort_order: byOthers('9'),
    created_at: time,
  },
};

/** Tables that are deliberately not synced. */
export const unsyncedTables: { readonly [table: string]: string } = {
  taxonomy_closure: 'follows from taxonomy_categories',
  dependency_closure: 'follows from skill_dependencies',
  tag_stats: 'counts that others keep',
  facet_definitions: 'what others allow',
  skill_sync: 'what a sync keeps of each skill',
  skill_revisions: 'the history',
  skill_blobs: 'the history',
  skill_commits: 'the history',
  sync_databases: 'the database itself',
  sync_runs: 'records of runs',
  sync_log: 'records of runs',
  schema_migrations: 'the schema itself',
};

/** Statements that change nothing, or nothing that is synced. */
export function idleEdits({ skill }: EditedSkills): readonly string[] {
  return [
    ...Object.entries(unsyncedColumns).flatMap(([table, columns]) =>
      Object.entries(columns).flatMap(([column, { value }]) =>
        value === null ? [] : [`update ${table} set ${column} = ${value}`],
      ),
    ),
    'update skills set name = name, description = description, extra = extra, skill_content = skill_content',
    ...relationNames.map((table) => `update ${table} set ${relations[table]} = ${relations[table]}`),
    `update skills set description = 'Nobody.' where skill_id = -1`,
    `delete from skill_keywords where keyword = 'none'`,
    `insert into taxonomy_categories (path, name) values ('elsewhere', 'Elsewhere')`,
    `delete from taxonomy_categories c
     where not exists (select from skill_categories sc where sc.category_id = c.category_id)
       and not exists (select from taxonomy_categories below where below.parent_id = c.category_id)`,
    // An API that says again what stands already.
    ...relationNames.flatMap((table) =>
      ['nothing', 'same'].map((action) => sayAgain(table, skill, action === 'same')),
    ),
    `insert into skills (skill_path, name, type, description)
     select skill_path, name, type, description from skills
     on conflict (skill_path) do update set name = excluded.name, description = excluded.description`,
  ];
}

/** Columns that `insert ... on conflict` needs: what tells a skill's rows apart, and what an insert must say. */
const saidAgain: {
  readonly [T in RelationName]: readonly [unique: readonly string[], rest: readonly string[]];
} = {
  skill_categories: [['skill_id', 'category_id'], ['is_primary']],
  skill_keywords: [['skill_id', 'keyword'], []],
  skill_tags: [['skill_id', 'tag'], []],
  capabilities: [
    ['skill_id', 'name'],
    ['description', 'sort_order'],
  ],
  skill_dependencies: [
    ['dependent_id', 'dependency_skill_id'],
    ['dependency_type', 'justification'],
  ],
  skill_references: [['source_skill_id', 'target_skill_id'], ['reference_type']],
  skill_aliases: [['skill_id', 'alias_path'], ['reason']],
  skill_facets: [['skill_id', 'facet_key', 'facet_value'], []],
  skill_allowed_tools: [['skill_id', 'tool_name'], []],
  skill_files: [
    ['skill_id', 'relative_path'],
    ['file_type', 'filename', 'content', 'binary_data', 'file_mode'],
  ],
};

function sayAgain(table: RelationName, skill: number, updates: boolean): string {
  const [unique, rest] = saidAgain[table];
  const columns = [...unique, ...rest];
  const set = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  return `insert into ${table} (${columns.join(', ')})
     select ${columns.join(', ')} from ${table} where ${relations[table]} = ${skill}
     on conflict (${unique.join(', ')}) do ${updates ? `update set ${set}` : 'nothing'}`;
}

/** An API makes what is missing, and leaves what stands as it stands, which is otherwise. */
export const leavingEdits: readonly string[] = [
  `insert into capabilities (skill_id, name, description, sort_order)
   select skill_id, name, 'At first.', 77 from capabilities on conflict do nothing`,
  `insert into skill_dependencies (dependent_id, dependency_skill_id, dependency_type, justification)
   select dependent_id, dependency_skill_id, 'conflict', 'At first.' from skill_dependencies on conflict do nothing`,
  `insert into skill_aliases (skill_id, alias_path, reason)
   select skill_id, alias_path, 'At first.' from skill_aliases on conflict do nothing`,
  `insert into skill_categories (skill_id, category_id)
   select skill_id, category_id from skill_categories on conflict do nothing`,
  `insert into skill_files (skill_id, file_type, relative_path, filename, content)
   select skill_id, 'asset', relative_path, filename, 'At first.' from skill_files on conflict do nothing`,
  `insert into skills (skill_path, name, type)
   select skill_path, 'at-first', 'memory' from skills on conflict do nothing`,
];

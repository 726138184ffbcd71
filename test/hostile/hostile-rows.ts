// Values that other programs may put into a library's rows, and what becomes of the skills that have them.

import type { Reason } from '../../src/problem.ts';

/** What a skill comes to: carried, as any other, or left alone with a problem. */
export type Fate = Reason | 'carried';

export interface HostileRow {
  readonly name: string;
  /** Columns of `skills`, in SQL. */
  readonly columns?: { readonly [column: string]: string };
  /** Statements about the skill whose key is `:id`. */
  readonly also?: readonly string[];
  /** What becomes of a skill that only the database has. */
  readonly fresh: Fate;
  /** What becomes of one that both sides had. */
  readonly stored: Fate;
}

/** Texts that YAML, terminals, shells and runners take for something else. */
export const texts: readonly string[] = [
  ...["E'a\\nb'", "E'a\\n---\\nb'", "'---'", "'...'", "E'a\\rb'", "E'\\r'", "E'a\\tb'", "' a '", "E'a\\n'"],
  ...[
    "U&'a\\2028b'",
    "U&'a\\2029b'",
    "U&'a\\0085b'",
    "U&'\\FEFFx'",
    "U&'a\\200Bb'",
    "U&'\\202Egpj'",
    "U&'x\\0007'",
  ],
  ...[
    "'null'",
    "'~'",
    "'true'",
    "'yes'",
    "'off'",
    "'1.0'",
    "'1e5'",
    "'0x1f'",
    "'0o17'",
    "'1_000'",
    "'.inf'",
    "'.nan'",
  ],
  ...[
    "'2020-01-01'",
    "'12:30:45'",
    "'2001-12-14t21:59:43.10-05:00'",
    "'!!binary x'",
    "'!x'",
    "'&a'",
    "'*a'",
    "'<<'",
  ],
  ...[
    "'='",
    "'{'",
    "'}'",
    "'['",
    "'[]'",
    "'{}'",
    "'|'",
    "'>'",
    "'>-'",
    "'@x'",
    "'`x'",
    "'%x'",
    "'#x'",
    "'x #y'",
  ],
  ...[
    "'- x'",
    "'-'",
    "'? x'",
    "'x: y'",
    "'x:'",
    "':'",
    "','",
    "'a, b'",
    "'\"'",
    "''''",
    "'it''s'",
    "'\"x'",
    "'''x'",
  ],
  ...[
    "'\\'",
    "'\\n'",
    "'$(touch x)'",
    "'%00'",
    "'::error::x'",
    "E'\\n::error::x'",
    "'<b>'",
    "'{{x}}'",
    "'__proto__'",
  ],
  ...[
    "E'\\x1b[2J'",
    "E'\\x1b]0;owned\\x07'",
    "U&'\\009b31m'",
    "E'\\x08\\x7f'",
    "'\u{1f600}'",
    "U&'\\0065\\0301'",
  ],
];

function carried(name: string, more: Pick<HostileRow, 'columns' | 'also'>): HostileRow {
  return { name, ...more, fresh: 'carried', stored: 'carried' };
}

const asValues = texts.map((text) =>
  carried(`the text ${text}`, {
    columns: { name: text, description: text, scope: text, version: `left(${text}, 20)` },
    also: [
      `insert into skill_tags values (:id, ${text})`,
      `insert into skill_keywords values (:id, ${text})`,
      `insert into skill_allowed_tools (skill_id, tool_name) values (:id, ${text})`,
      `insert into skill_aliases (skill_id, alias_path) values (:id, ${text})`,
      `insert into skill_facets values (:id, ${text}, ${text})`,
      `insert into capabilities (skill_id, name, description) values (:id, ${text}, ${text})`,
    ],
  }),
);

const extras: readonly (readonly [json: string, fresh: Fate, stored: Fate])[] = [
  [`'{"__proto__": {"polluted": true}}'`, 'carried', 'carried'],
  [`'{"constructor": 1, "toString": 2, "hasOwnProperty": 3}'`, 'carried', 'carried'],
  [`'{"": ""}'`, 'carried', 'carried'],
  [`'{"a\\nb": "c", "a: b": "# c", "-": "-", "<<": {"x": 1}, "true": true, "1": 1}'`, 'carried', 'carried'],
  [`'{"metadata": [1]}'`, 'carried', 'not-patchable'],
  [`'{"metadata": {"__proto__": 1, "x": {"__proto__": 2}}}'`, 'carried', 'carried'],
  [`'{"name": "other", "description": 1, "tags": "x"}'`, 'carried', 'not-patchable'],
  [`'{"n": 1e400}'`, 'carried', 'not-patchable'],
  [`'{"n": 12345678901234567890}'`, 'carried', 'carried'],
  [`'{"n": 1e-400, "m": -0.0}'`, 'carried', 'carried'],
  [`'{"escape": "\\u001b[2J"}'`, 'carried', 'carried'],
  [`('{"deep":' || repeat('[', 60) || repeat(']', 60) || '}')::jsonb`, 'carried', 'carried'],
  [`('{"deep":' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb`, 'carried', 'not-patchable'],
  [`(select jsonb_object_agg('k' || g, g) from generate_series(1, 10000) g)`, 'carried', 'not-patchable'],
  [`jsonb_build_object('k', repeat('x', 3000000))`, 'frontmatter-too-large', 'not-patchable'],
  [`jsonb_build_object(repeat('k', 100000), 1)`, 'carried', 'carried'],
  [`'null'`, 'carried', 'carried'],
  ...['[]', '[1]', '"text"', '1', 'true'].map(
    (json) => [`'${json}'`, 'row-not-readable', 'row-not-readable'] as const,
  ),
];

const asExtra = extras.map(
  ([json, fresh, stored]): HostileRow => ({ name: `extra ${json}`, columns: { extra: json }, fresh, stored }),
);

/** What only a sync writes; a row that nobody changed since is carried without a look at it. */
const bookkeeping: readonly HostileRow[] = [
  ...[
    "'[]'",
    `'"x"'`,
    "'1'",
    "'null'",
    "'{}'",
    `'{"name": 1, "tags": {}, "dependencies": 3, "references": 4}'`,
  ]
    .concat(`'{"tags": [], "dependencies": [{"skill_id": "x"}], "references": []}'`)
    .concat(`'{"tags": [], "dependencies": [{"skill_id": 1e40}], "references": []}'`)
    .map((value) => ({ column: 'indexed', value })),
  ...["'{}'", `'"x"'`, "'null'", "'[1]'", "'[null]'", `'[{"kind": "x"}]'`, `'[{"kind": "dependency"}]'`]
    .concat(`'[{"kind": "dependency", "target": "a", "type": "x", "skill_id": "x"}]'`)
    .concat(`'[{"kind": "reference", "target": "a", "type": "x", "skill_id": 1e40}]'`)
    .map((value) => ({ column: 'targets', value })),
  ...["'../SKILL.md'", "'x.md'", "''", "'/etc/passwd'", "'a/SKILL.md'", "'.git/config'", "E'\\x1b[2J'"].map(
    (value) => ({ column: 'document_name', value }),
  ),
  ...['9223372036854775807', '-9223372036854775808'].map((value) => ({ column: 'revision', value })),
].map(({ column, value }): HostileRow => {
  const also = [
    `update skill_sync set ${column} = ${value} where skill_id = :id`,
    // Whoever changes a row has its revision counted on, and what is kept of it read.
    ...(column === 'revision' ? [] : [`update skills set description = 'Theirs.' where skill_id = :id`]),
  ];
  return {
    name: `skill_sync.${column} ${value}`,
    also,
    fresh: 'row-not-readable',
    stored: 'row-not-readable',
  };
});

const times = ["'infinity'", "'-infinity'", "'294276-12-31'", "'4713-01-01 BC'", "'0001-01-01 BC'"].map(
  (time) =>
    carried(`the time ${time}`, {
      columns: { last_modified: time, created_at: time, published_at: time },
      also: [
        `update skill_sync set revised_at = ${time}, changed_at = ${time} where skill_id = :id`,
        `insert into skill_files (skill_id, file_type, relative_path, filename, content, updated_at)
       values (:id, 'asset', 'a.txt', 'a.txt', 'x', ${time})`,
      ],
    }),
);

export const hostileRows: readonly HostileRow[] = [
  ...asValues,
  ...asExtra,
  ...bookkeeping,
  ...times,
  ...['description', 'version', 'type', 'weight', 'load_priority', 'extra'].map((column) =>
    carried(`no ${column}`, { columns: { [column]: 'null' } }),
  ),
  { name: 'no name', columns: { name: 'null' }, fresh: 'row-not-readable', stored: 'row-not-readable' },
  carried('enum values of later versions, where nothing is stored', {
    also: [
      `insert into skill_files (skill_id, file_type, relative_path, filename, content)
       values (:id, 'virus', 'a.txt', 'a.txt', 'x')`,
    ],
  }),
  ...(
    [
      ['type', 'alien'],
      ['weight', 'feather'],
      ['load_priority', 'never'],
      ['skill_style', 'baroque'],
    ] as const
  ).map(
    ([column, value]): HostileRow => ({
      name: `the ${column} ${value}`,
      columns: { [column]: `'${value}'` },
      fresh: 'carried',
      stored: 'not-patchable',
    }),
  ),
  carried('a version of itself', { columns: { parent_version_id: ':id' } }),
  carried('a hash of nothing, and statistics without form', {
    columns: {
      integrity_hash: "repeat('z', 64)",
      performance_stats: `'["x", {"__proto__": 1}]'`,
      change_summary: "E'\\x1b[2J'",
    },
  }),
  carried('weights that are no numbers', {
    also: [
      `insert into skill_keywords values (:id, 'a', 'NaN'), (:id, 'b', 'infinity'), (:id, 'c', '-infinity')`,
    ],
  }),
  carried('files with neither, both and wrong contents, sizes and sums', {
    also: [
      `insert into skill_files
         (skill_id, file_type, relative_path, filename, content, binary_data, file_size_bytes, checksum, sort_order)
       values (:id, 'asset', 'none', '', null, null, -5, null, -2147483648),
         (:id, 'asset', 'both', '../x', 'text', '\\x00ff', 2147483647, repeat('0', 64), 2147483647),
         (:id, 'asset', 'sum', '/x', 'text', null, null, E'\\x1b[2J', 0)`,
    ],
  }),
  carried('a reference to itself', { also: [`insert into skill_references values (:id, :id, E'\\x1b[2J')`] }),
  carried('dependencies in a circle', {
    also: [
      `insert into skill_dependencies (dependent_id, dependency_skill_id, justification)
       select :id, skill_id, E'a\\n---\\nb' from skills where skill_path = 'ok'`,
      `insert into skill_dependencies (dependent_id, dependency_skill_id)
       select skill_id, :id from skills where skill_path = 'ok'`,
      `insert into dependency_closure select :id, :id, -1`,
    ],
  }),
  carried('categories in a circle, each the first', {
    also: [
      `insert into taxonomy_categories (path, name, level) values ('loop-:id', E'\\x1b[2J', -7)`,
      `update taxonomy_categories set parent_id = category_id where path = 'loop-:id'`,
      `insert into taxonomy_closure select category_id, category_id, 9 from taxonomy_categories where path = 'loop-:id'`,
      `insert into skill_categories select :id, category_id, true from taxonomy_categories where path like 'loop-%'`,
    ],
  }),
  ...["E'\\x1b[2J:id'", "'../up-:id'", "'/abs-:id'", "'a//b-:id'", "E'line\\nbreak-:id'", "'null'"].map(
    (path) =>
      carried(`the category ${path}`, {
        also: [
          `insert into taxonomy_categories (path, name) values (${path}, 'x') on conflict do nothing`,
          `insert into skill_categories select :id, category_id, true from taxonomy_categories where path = ${path}`,
        ],
      }),
  ),
  carried('no bookkeeping', { also: ['delete from skill_sync where skill_id = :id'] }),
  carried('bookkeeping by nobody', {
    also: [
      `update skill_sync set writer = E'\\x1b[2J\\n::error::x', category_reason = E'\\x1b[2J', index_version = 2147483647,
         taxonomy_version = 'z', revision_xid = '18446744073709551615' where skill_id = :id`,
    ],
  }),
];

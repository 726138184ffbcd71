import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { document, makeClone } from '../sync/sides.ts';
import { adopt, everyStatus, teamLibrary } from './adopted.ts';
import { type Columns, differences, dump } from './schema.ts';

/** Times, and what follows from other columns. */
const followingColumns = new Set([
  'last_modified',
  'updated_at',
  'checksum',
  'file_size_bytes',
  'search_vector',
]);

/** Tables and views that say what others say, in another way. */
const followingTables = new Set([
  'taxonomy_closure',
  'every_skill',
  'skill_overview',
  'live_overview',
  'closure_by_path',
]);

function columnsWrittenByTheTeam(columns: Columns, except?: string): Columns {
  return new Map(
    [...columns]
      .filter(([table]) => !followingTables.has(table))
      .map(([table, names]) => [
        table,
        names.filter((name) => name !== except && !followingColumns.has(name)),
      ]),
  );
}

const oddSkill = `insert into skills (skill_path, name, description, type, status, skill_content)
  values ('odd', 'odd', 'Odd.', 'technical', 'active', '# Odd')`;
const odd = `(select skill_id from skills where skill_path = 'odd')`;

interface Kept {
  readonly what: string;
  readonly sql: readonly string[];
  /** A column that the import may change. */
  readonly changes?: string;
}

/** What a team may have written in a way that no document says it. */
const kept: readonly Kept[] = [
  { what: 'a body that is a whole document', sql: [] },
  {
    what: 'values that a whole document does not say',
    sql: [
      `update skills set weight = 'heavyweight', scope = 'ours' where skill_id = 5`,
      `insert into skill_keywords (skill_id, keyword, weight) values (5, 'ours', 2)`,
      `insert into skill_tags (skill_id, tag) values (5, 'ours')`,
      'update skill_categories set category_id = 1 where skill_id = 5',
    ],
    changes: 'skill_content',
  },
  {
    what: 'two primary categories',
    sql: [
      oddSkill,
      `insert into skill_categories (skill_id, category_id, is_primary) values (${odd}, 1, true), (${odd}, 4, true)`,
    ],
  },
  {
    what: 'capabilities numbered in tens, and not numbered',
    sql: [
      oddSkill,
      `insert into capabilities (skill_id, name, description, sort_order)
       values (${odd}, 'a', '', 10), (${odd}, 'b', '', 20), (6, 'c', 'x', null), (6, 'd', 'x', null)`,
    ],
  },
  {
    what: 'a type and a kind of dependency that only the team knows',
    sql: [
      `alter type skill_type_enum add value 'robotic'`,
      `alter type dependency_type_enum add value 'extends'`,
      oddSkill,
      `update skills set type = 'robotic' where skill_path = 'odd'`,
      `insert into skill_dependencies (dependent_id, dependency_skill_id, dependency_type) values (${odd}, 1, 'extends')`,
    ],
  },
  {
    what: 'keywords, tags and tools of any form',
    sql: [
      oddSkill,
      `insert into skill_keywords (skill_id, keyword, weight) values
       (${odd}, ' x ', 3), (${odd}, 'a, b', 2), (${odd}, 'A', 2), (${odd}, 'a', 2), (${odd}, 'yes', 2), (${odd}, '1.0', 2)`,
      `insert into skill_tags (skill_id, tag) values (${odd}, ' x '), (${odd}, 'null'), (${odd}, 'C#')`,
      `insert into skill_allowed_tools (skill_id, tool_name, required) values
       (${odd}, 'Bash(git *)', true), (${odd}, 'With Space', true), (${odd}, 'a,b', true)`,
    ],
  },
  {
    what: 'a category whose path is no path of folders',
    sql: [
      oddSkill,
      `insert into taxonomy_categories (category_id, path, name, level) values (7, 'Data & ML/C++', 'C++', 1)`,
      `insert into skill_categories (skill_id, category_id, is_primary) values (${odd}, 7, true)`,
    ],
  },
  {
    what: 'a category of a name that another has too',
    sql: [
      oddSkill,
      `insert into taxonomy_categories (category_id, path, name, level) values (7, 'python', 'Python', 0)`,
      `insert into skill_categories (skill_id, category_id, is_primary) values (${odd}, 7, true)`,
    ],
  },
  {
    what: 'capabilities that its body says in other words',
    sql: [
      oddSkill.replace('# Odd', '# Odd\n\n## Capabilities\n\n- **Fly**: Up.\n'),
      `insert into capabilities (skill_id, name, description, test_criteria) values (${odd}, 'Fly', 'Down.', 'It flies')`,
    ],
  },
];

// The same SQL serves both databases; variations.test.ts syncs adopted libraries on the embedded one too.
describe.each(['postgres'] as const)('the first sync of a library on %s', (kind) => {
  test.each(kept.map((one) => [one.what, one] as const))(
    'keeps through an import: %s',
    async (_, { sql, changes }) => {
      const { connection } = await teamLibrary(kind, { later: sql });
      const adopted = await adopt(connection);
      const columns = columnsWrittenByTheTeam(adopted.columns, changes);
      const before = await dump(connection, columns);
      const clone = await makeClone(connection);
      await clone.run('import', everyStatus);
      expect((await clone.run('sync', everyStatus)).words).toEqual([]);
      const changed = differences(before, await dump(connection, columns));
      // Nothing went; what came is indexed from texts.
      expect(changed.filter((line) => line.startsWith('-'))).toEqual([]);
    },
  );

  test('writes whole documents and attached files as they stand', async () => {
    const { connection } = await teamLibrary(kind);
    await adopt(connection);
    const clone = await makeClone(connection);
    await clone.run('import', everyStatus);
    const stored = await connection.query<{ path: string; hex: string }>(
      `select s.skill_path || '/' || f.relative_path as path,
         encode(coalesce(f.binary_data, convert_to(f.content, 'UTF8')), 'hex') as hex
       from skills s join skill_files f using (skill_id)
       union all
       select skill_path || '/SKILL.md', encode(convert_to(skill_content, 'UTF8'), 'hex')
       from skills where skill_id = 5`,
    );
    expect(stored).toHaveLength(6);
    for (const { path: name, hex } of stored) {
      expect((await readFile(path.join(clone.folder, name))).toString('hex'), name).toBe(hex);
    }
  });

  test('keeps in the history what a whole document says otherwise', async () => {
    const { connection } = await teamLibrary(kind, {
      later: [`update skills set version = '3.2.1', description = 'Ours.' where skill_id = 5`],
    });
    await adopt(connection);
    await (await makeClone(connection)).run('import', everyStatus);
    expect(
      await connection.query(
        `select index ->> 'version' as version, index ->> 'description' as description
         from skill_revisions where skill_id = 5`,
      ),
    ).toEqual([{ version: '3.2.1', description: 'Ours.' }]);
  });

  test('answers the queries that users run truly, after an import and an export', async () => {
    const { connection } = await teamLibrary(kind);
    await adopt(connection);
    const clone = await makeClone(connection);
    await clone.run('import', everyStatus);
    await clone.write({
      'house_style/tone/SKILL.md': document('tone'),
      'operations/deployment/small-images/SKILL.md': document(
        'small-images',
        '',
        'metadata: {category: development}\n',
      ),
      'nowhere-at-all/SKILL.md': document('nowhere-at-all'),
    });
    await clone.run('export');
    const counts = await connection.query(
      `select tc.path, tc.name, count(s.skill_id) from taxonomy_categories tc
       left join skill_categories sc on tc.category_id = sc.category_id left join skills s on sc.skill_id = s.skill_id
       where tc.level > 0 group by tc.path, tc.name order by 3 desc, 1`,
    );
    expect(counts).toEqual([
      { path: 'development/languages/python', name: 'Python', count: 3 },
      { path: 'development/languages', name: 'Languages', count: 0 },
      { path: 'operations/deployment', name: 'Deployment', count: 0 },
    ]);
    const roots = await connection.query(
      `select tc.path, count(sc.skill_id) from taxonomy_categories tc
       left join skill_categories sc using (category_id) where tc.level = 0 group by 1 order by 1`,
    );
    expect(roots).toEqual([
      { path: 'development', count: 1 },
      { path: 'house_style', count: 3 },
      { path: 'operations', count: 1 },
    ]);
    const orphans = await connection.query(
      `select s.skill_id, s.name, s.skill_path from skills s
       left join skill_categories sc on s.skill_id = sc.skill_id where sc.category_id is null order by 1`,
    );
    expect(orphans).toEqual([
      { skill_id: 6, name: 'no-category', skill_path: 'no-category' },
      { skill_id: expect.any(Number), name: 'nowhere-at-all', skill_path: 'nowhere-at-all' },
    ]);
    const closure = await connection.query(
      `select a.path as above, d.path as below, t.depth from taxonomy_closure t
       join taxonomy_categories a on a.category_id = t.ancestor_id
       join taxonomy_categories d on d.category_id = t.descendant_id where t.depth > 0 order by 1, 2`,
    );
    expect(closure).toEqual([
      { above: 'development', below: 'development/languages', depth: 1 },
      { above: 'development', below: 'development/languages/python', depth: 2 },
      { above: 'development/languages', below: 'development/languages/python', depth: 1 },
      { above: 'operations', below: 'operations/deployment', depth: 1 },
    ]);
  });
});

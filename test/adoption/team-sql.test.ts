import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { adopt, plainRole, teamLibrary } from './adopted.ts';
import { type Columns, columnsOf, differences, dump } from './schema.ts';

/** What the team's API and its reports run, in this order. Some of it fails, before as after. */
const statements = [
  `insert into skills (skill_path, name, description, type, skill_content) values ('a/new', 'new', 'New.', 'tool', '# New')
   returning skill_id, status, version, owner_team, reviewed, search_vector::text`,
  `update skills set description = 'Changed.', reviewed = true where skill_path = 'a/new'
   returning last_modified > created_at as stamped, search_vector::text`,
  `update skills set status = 'active', published_at = now() where skill_path = 'a/new'`,
  `update skills set performance_stats = '{"mean_tokens": 1}' where skill_id = 1 returning performance_stats`,
  `update skills set skill_path = 'a/moved', name = 'moved' where skill_path = 'a/new' returning skill_id`,
  `insert into skills (skill_path, name, description, type, skill_content) values ('a/moved', 'x', 'X.', 'tool', '')`,
  `insert into skills (skill_path, name, description, type, skill_content) values ('a/moved', 'x', 'X.', 'tool', '')
   on conflict (skill_path) do update set description = excluded.description returning skill_id, description`,
  `insert into skills (skill_path, name, description, type) values ('a/b', 'b', 'B.', 'tool')`,
  `insert into skills (skill_path, name, description, type, skill_content, owner_team) values ('a/b', 'b', 'B.', 'tool', '', '')`,
  `update skills set parent_version_id = skill_id where skill_id = 1`,
  `update skills set parent_version_id = 999 where skill_id = 1`,
  `update skills set type = 'no such type' where skill_id = 1`,
  `insert into taxonomy_categories (path, name, parent_id, level) values ('operations/cicd', 'CI', 4, 1) returning category_id`,
  `update taxonomy_categories set path = 'operations/ci', name = 'CI and CD' where path = 'operations/cicd'`,
  `insert into taxonomy_closure values (1, 1, 0), (4, 5, 1)`,
  `update taxonomy_closure set depth = 2 where ancestor_id = 4`,
  `delete from taxonomy_closure where ancestor_id = 4`,
  `delete from taxonomy_categories where path = 'operations/deployment'`,
  `delete from taxonomy_categories where path = 'operations/ci' returning category_id`,
  `insert into skill_categories (skill_id, category_id, is_primary) values (6, 6, true)`,
  `insert into skill_categories (skill_id, category_id) values (6, 999)`,
  `update skill_categories set category_id = 4, is_primary = false where skill_id = 6 returning category_id, is_primary`,
  `delete from skill_categories where skill_id = 6 returning category_id`,
  `insert into skill_keywords (skill_id, keyword) values (6, 'one'), (6, 'two'), (6, 'three') returning weight`,
  `update skill_keywords set weight = weight * 2 where skill_id in (1, 6) returning keyword, weight`,
  `with moved as (delete from skill_keywords where keyword in ('one', 'two') returning skill_id, keyword)
   insert into skill_tags (skill_id, tag) select * from moved returning skill_id, tag`,
  `update skill_tags set tag = 'uno' where tag = 'one'`,
  `update skill_tags set tag = 'uno' where tag = 'two'`,
  `delete from skill_tags where tag = 'uno'`,
  `insert into tag_stats (tag, usage_count) values ('two', 1) on conflict (tag) do nothing`,
  `update tag_stats set usage_count = usage_count + 1 where tag = 'python' returning usage_count`,
  `delete from tag_stats where tag = 'forgotten'`,
  `insert into capabilities (skill_id, name, description) values (6, 'Fly', 'Up.') returning capability_id, sort_order`,
  `insert into capabilities (skill_id, name) values (6, 'Swim')`,
  `update capabilities set test_criteria = 'It flies', description = 'Down.' where name = 'Fly' returning description`,
  `delete from capabilities where name = 'Fly'`,
  `insert into skill_dependencies (dependent_id, dependency_skill_id, dependency_type) values (6, 3, 'required')
   returning dependency_id`,
  `insert into skill_dependencies (dependent_id, dependency_skill_id, dependency_type) values (6, 6, 'required')`,
  `update skill_dependencies set dependency_type = 'recommended', justification = 'Why not' where dependent_id = 6`,
  `delete from skill_dependencies where dependent_id = 6`,
  `insert into dependency_closure values (6, 3, 1, '{required}')`,
  `update dependency_closure set min_depth = 3 where ancestor_id = 6`,
  `delete from dependency_closure where ancestor_id = 6`,
  `insert into skill_references (source_skill_id, target_skill_id) values (6, 1) returning reference_type`,
  `update skill_references set target_skill_id = 3, reference_type = 'contrasts' where source_skill_id = 6`,
  `delete from skill_references where source_skill_id = 6`,
  `insert into skill_files (skill_id, file_type, relative_path, filename, content) values (6, 'guide', 'g.md', 'g.md', 'G')
   returning file_id, uploaded_by, sort_order`,
  `insert into skill_files (skill_id, file_type, relative_path, filename, content, binary_data)
   values (6, 'guide', 'h.md', 'h.md', 'H', '\\x00')`,
  `update skill_files set content = null, binary_data = '\\x0001', updated_at = now() where relative_path = 'g.md'`,
  `update skill_files set relative_path = 'g.bin', filename = 'g.bin' where relative_path = 'g.md'`,
  `delete from skill_files where relative_path = 'g.bin' returning binary_data`,
  `insert into skill_allowed_tools (skill_id, tool_name) values (6, 'Write') returning required`,
  `update skill_allowed_tools set tool_name = 'Edit', required = true where skill_id = 6`,
  `delete from skill_allowed_tools where skill_id = 6`,
  `insert into skill_aliases (skill_id, alias_path) values (6, 'none') returning alias_id`,
  `update skill_aliases set alias_path = 'nowhere', reason = 'Shorter' where skill_id = 6`,
  `delete from skill_aliases where skill_id = 6`,
  `insert into facet_definitions (facet_key) values ('size')`,
  `insert into skill_facets (skill_id, facet_key, facet_value) values (6, 'size', 'small')`,
  `update skill_facets set facet_value = 'large' where skill_id = 6`,
  `delete from skill_facets where skill_id = 6`,
  `insert into jobs (task, requested_by) values ('More', 'api')`,
  `update jobs set state = 'done', progress = 101 where requested_by = 'api'`,
  `update jobs set state = 'done', progress = 100 where requested_by = 'api' returning state`,
  `insert into usage_events (skill_id, user_id) values (6, 'dan') returning event_id`,
  `delete from skills where skill_id = 6`,
  `delete from usage_events where user_id = 'dan'`,
  `select skill_path, name, type from every_skill order by skill_id`,
  `select * from skill_overview order by skill_id`,
  `select * from live_overview order by skill_path`,
  `select * from team_find('event loops')`,
  `select skill_id, skill_path from team_skills_of('delivery')`,
  'select team_refresh()',
  'refresh materialized view usage_summary',
  'select skill_path, uses from usage_summary order by skill_id',
  `select skill_id from skills where status = 'active' order by skill_id for update`,
  `delete from skills where skill_path = 'a/moved' returning skill_id`,
  'delete from skills where skill_id = 1',
  `delete from skills s using skill_categories c where s.skill_id = c.skill_id and c.category_id = 6 and c.is_primary`,
  'truncate skill_facets',
  'truncate tag_stats, optimization_jobs',
  'delete from jobs',
] as const;

async function answersTo(connection: Connection, asked: readonly string[]): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const sql of asked) {
    const answer = await connection.query(sql).catch((error) => `error ${error.code}`);
    answers.push(`${sql}\n${JSON.stringify(answer)}`);
  }
  return answers;
}

/** All columns but those that hold the time of a change. */
async function timelessColumns(connection: Connection): Promise<Columns> {
  const columns = [...(await columnsOf(connection))];
  return new Map(
    columns.map(([table, names]) => [table, names.filter((name) => !/_at$|^last_modified$/.test(name))]),
  );
}

const grants = (role: string) => [
  `grant select, insert, update, delete on all tables in schema public to ${role}`,
  `grant usage on all sequences in schema public to ${role}`,
];

// Roles and their rights are a server's matter.
describe.each(['postgres'] as const)("the team's own SQL on %s", (kind) => {
  test.each(['the owner', 'a role of the API'])('answers %s as it did before', async (who) => {
    const run = async (migrated: boolean) => {
      const role = await plainRole(kind);
      const { connection } = await teamLibrary(kind, { later: [role.create, ...grants(role.name)] });
      const columns = await timelessColumns(connection);
      if (migrated) await adopt(connection);
      if (who !== 'the owner') await connection.query(`set role ${role.name}`);
      const answers = await answersTo(connection, statements);
      await connection.query('reset role');
      return { answers, rows: await dump(connection, columns) };
    };
    const [before, after] = [await run(false), await run(true)];
    expect(after.answers).toEqual(before.answers);
    expect(differences(before.rows, after.rows)).toEqual([]);
  });

  test('works where functions are not for everyone', async () => {
    const role = await plainRole(kind);
    const { connection } = await teamLibrary(kind, {
      first: ['alter default privileges revoke execute on functions from public'],
      later: [role.create, ...grants(role.name)],
    });
    await adopt(connection);
    await connection.query(`set role ${role.name}`);
    await connection.query(`update skills set description = 'Changed.' where skill_id = 1`);
    await connection.query(`insert into skill_tags (skill_id, tag) values (6, 'new')`);
    await connection.query('reset role');
    expect(
      await connection.query(
        `select skill_id, origin from skill_sync where revised_at is not null order by 1`,
      ),
    ).toEqual([
      { skill_id: 1, origin: 'database' },
      { skill_id: 6, origin: 'database' },
    ]);
  });

  test('deletes a skill that others depend on, and its history stays', async () => {
    const { connection } = await teamLibrary(kind);
    await adopt(connection);
    await connection.query('delete from skills where skill_id = 3');
    expect(
      await connection.query(
        `select skill_path, index ->> 'scope' as scope from skill_revisions where skill_id = 3`,
      ),
    ).toEqual([{ skill_path: 'operations/deployment/small-images', scope: 'containers' }]);
    expect(await connection.query('select from dependency_closure where descendant_id = 3')).toEqual([]);
  });

  test('takes names, versions, paths and aliases that a tree of skills has', async () => {
    const { connection } = await teamLibrary(kind);
    await adopt(connection);
    await connection.query(
      `update skills set skill_path = 'C++ und über.md', name = 'C++', version = 'v2' where skill_id = 6`,
    );
    await connection.query(`insert into skill_aliases (skill_id, alias_path) values (6, 'Old Name/C++')`);
    for (const path of ['a//b', '/a', 'a/', '../a', '']) {
      await expect(
        connection.query('update skills set skill_path = $1 where skill_id = 6', [path]),
      ).rejects.toMatchObject({ code: '23514' });
    }
  });
});

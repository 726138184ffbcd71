import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/document/fields.ts';
import { parseDocument } from '../../src/document/parse.ts';
import type { Connection } from '../../src/repository/connection.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { databaseKinds } from '../databases.ts';
import { runs } from '../runs.ts';
import { document, makeSides } from '../sync/sides.ts';

/** Each relation of a skill as `what: item`, sorted; other skills by path. */
async function relationsOf(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ said: string }>(
    `select s.skill_path || ' ' || r.said as said
     from (
       select skill_id, 'keyword: ' || keyword as said from skill_keywords
       union all select skill_id, 'tag: ' || tag from skill_tags
       union all select skill_id, 'alias: ' || alias_path from skill_aliases
       union all select skill_id, 'facet: ' || facet_key || '=' || facet_value from skill_facets
       union all select skill_id, 'tool: ' || tool_name from skill_allowed_tools
       union all select skill_id, 'capability: ' || sort_order || ' ' || name || ': ' || description from capabilities
       union all select dependent_id, 'needs: ' || t.skill_path || ' (' || dependency_type || ')'
         from skill_dependencies join skills t on t.skill_id = dependency_skill_id
       union all select source_skill_id, 'refers to: ' || t.skill_path
         from skill_references join skills t on t.skill_id = target_skill_id
     ) r join skills s using (skill_id) order by said collate "C"`,
  );
  return rows.map((row) => row.said).sort();
}

function relationsSaid(skillPath: string, fields: Fields, known: ReadonlySet<string>): readonly string[] {
  // A skill is linked with another once, as its document has it first, and never with itself.
  const links = <T extends { readonly target: string }>(named: readonly T[]) =>
    named.filter(
      ({ target }, index) =>
        known.has(target) &&
        target !== skillPath &&
        named.findIndex((one) => one.target === target) === index,
    );
  return [
    ...fields.keywords.map((keyword) => `keyword: ${keyword}`),
    ...fields.tags.map((tag) => `tag: ${tag}`),
    ...fields.aliases.map((alias) => `alias: ${alias}`),
    ...fields.facets.map(({ key, value }) => `facet: ${key}=${value}`),
    ...fields.allowedTools.map((tool) => `tool: ${tool}`),
    ...fields.capabilities.map(
      ({ name, description }, order) => `capability: ${order} ${name}: ${description}`,
    ),
    ...links(fields.dependencies).map(({ target, type }) => `needs: ${target} (${type})`),
    ...links(fields.references).map(({ target }) => `refers to: ${target}`),
  ].map((said) => `${skillPath} ${said}`);
}

/** Every way through dependencies, as the closure has it: who, whom, how far. Breadth first, from each skill. */
function reachable(needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...needs.keys()]
    .flatMap((start) => {
      const depths = new Map([[start, 0]]);
      for (const [at, depth] of depths) {
        for (const next of needs.get(at) ?? []) if (!depths.has(next)) depths.set(next, depth + 1);
      }
      depths.delete(start);
      return [...depths].map(([end, depth]) => `${start} -> ${end} ${depth}`);
    })
    .sort();
}

const skillNames = ['a', 'b', 'c', 'd'];
const words = fc.uniqueArray(fc.constantFrom('one', 'two', 'three', 'Four'), { maxLength: 3 });
const others = fc.uniqueArray(fc.constantFrom(...skillNames, 'later'), { maxLength: 3 });

const frontmatter = fc
  .record({
    keywords: words,
    tags: words,
    aliases: words,
    tools: words,
    facets: words,
    capabilities: words,
    needs: fc.uniqueArray(
      fc.tuple(fc.constantFrom(...skillNames, 'later'), fc.constantFrom('required', 'conflict')),
      {
        maxLength: 3,
      },
    ),
    refers: others,
  })
  .map(({ keywords, tags, aliases, tools, facets, capabilities, needs, refers }) =>
    [
      `keywords: [${keywords}]`,
      `tags: [${tags}]`,
      `aliases: [${aliases.map((alias) => `old/${alias}`)}]`,
      `allowed-tools: ${tools.join(' ')}`,
      `facets: {${facets.map((word) => `${word}: ${word.length}`).join(', ')}}`,
      `capabilities: [${capabilities.map((word) => `"${word}: Does ${tags.length}."`)}]`,
      `dependencies: [${needs.map(([target, type]) => `{path: ${target}, type: ${type}}`)}]`,
      `see_also: [${refers}]`,
      '',
    ].join('\n'),
  );

/** What a tree becomes, one export after another: each time some of its skills are told anew. */
const histories = fc.array(fc.dictionary(fc.constantFrom(...skillNames), frontmatter, { minKeys: 1 }), {
  minLength: 2,
  maxLength: 4,
});

describe.each(databaseKinds)('relations on %s', (kind) => {
  test('hold what the documents say, and statistics and closures what the relations do, after each export', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const { connection, write, run } = await makeSides(kind);
        const texts = new Map<string, string>();
        for (const step of steps) {
          for (const [name, said] of Object.entries(step)) texts.set(name, document(name, '', said));
          await write(Object.fromEntries([...texts].map(([name, text]) => [`${name}/SKILL.md`, text])));
          await run('export');
          const known = new Set(texts.keys());
          const fields = new Map(
            [...texts].map(([name, text]) => {
              const parsed = parseDocument(text, { skill: name as SkillPath, file: 'SKILL.md' });
              if (!parsed.ok) throw new Error(parsed.problem.reason);
              return [name, parsed.value.fields] as const;
            }),
          );
          expect(await relationsOf(connection)).toEqual(
            [...fields].flatMap(([name, said]) => relationsSaid(name, said, known)).sort(),
          );

          const counts = new Map<string, number>();
          for (const { tags } of fields.values()) {
            for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
          }
          expect(
            await connection.query(
              'select tag, usage_count from tag_stats where usage_count > 0 order by tag collate "C"',
            ),
          ).toEqual([...counts].sort().map(([tag, count]) => ({ tag, usage_count: count })));

          const closure = await connection.query<{ way: string }>(
            `select a.skill_path || ' -> ' || d.skill_path || ' ' || min_depth as way, dependency_types
             from dependency_closure
             join skills a on a.skill_id = ancestor_id join skills d on d.skill_id = descendant_id`,
          );
          const needs = new Map(
            [...fields].map(([name, said]) => [
              name,
              said.dependencies
                .map(({ target }) => target)
                .filter((target) => known.has(target) && target !== name),
            ]),
          );
          expect(closure.map(({ way }) => way).sort()).toEqual(reachable(needs));
        }
      }),
      { numRuns: runs(kind === 'postgres' ? 8 : 2) },
    );
  });

  test('keep what skill-fleet does not own', async () => {
    const { connection, write, run } = await makeSides(kind);
    const before = 'keywords: [k, gone]\ntags: [t]\ncapabilities: ["Fly: Up."]\nallowed-tools: Read\n';
    await write({ 'x/SKILL.md': document('x', '', before), 'x/file.md': 'one' });
    await run('export');
    await connection.query(
      `update skills set performance_stats = '{"runs": 3}', published_at = 'epoch', change_summary = 's'`,
    );
    await connection.query('update skill_keywords set weight = 0.25');
    await connection.query(`update capabilities set test_criteria = 'flies'`);
    await connection.query(`update skill_allowed_tools set required = true, description = 'for files'`);
    await connection.query(
      `update skill_files set description = 'a file', sort_order = 7, file_type = 'guide'`,
    );
    await connection.query(`update tag_stats set last_used_at = 'epoch'`);
    await connection.query(`insert into taxonomy_categories (path, name) values ('nobody/uses', 'This')`);
    await connection.query(
      `insert into facet_definitions (facet_key, allowed_values) values ('level', array['high', 'low'])`,
    );
    expect((await run('sync')).words).toEqual([]);
    await write({ 'x/SKILL.md': document('x', 'New.\n', before.replace(', gone', '')), 'x/file.md': 'two' });
    expect((await run('export')).words).toEqual(['x: edited -> database']);
    expect(
      await connection.query(
        `select performance_stats, published_at = 'epoch' as published, change_summary, keyword, k.weight,
           test_criteria, required, t.description as tool, f.description as file, f.sort_order, file_type, f.content,
           last_used_at = 'epoch' as used_long_ago
         from skills s join skill_keywords k using (skill_id) join capabilities c using (skill_id)
         join skill_allowed_tools t using (skill_id) join skill_files f using (skill_id), tag_stats`,
      ),
    ).toEqual([
      {
        performance_stats: { runs: 3 },
        published: true,
        change_summary: 's',
        keyword: 'k',
        weight: 0.25,
        test_criteria: 'flies',
        required: true,
        tool: 'for files',
        file: 'a file',
        sort_order: 7,
        file_type: 'guide',
        content: 'two',
        used_long_ago: true,
      },
    ]);
    expect(
      await connection.query(
        `select (select count(*) from taxonomy_categories where path = 'nobody/uses') as categories,
           (select count(*) from facet_definitions) as facets`,
      ),
    ).toEqual([{ categories: 1, facets: 1 }]);
  });

  test('keep the tags that an old library has among its keywords, for as long as they are tags', async () => {
    const { connection, write, run } = await makeSides(kind);
    await connection.query(
      `insert into skills (skill_path, name, description, type, skill_content)
       values ('x', 'x', 'About x.', 'technical', '# x\n')`,
    );
    await connection.query(
      `insert into skill_keywords (skill_id, keyword)
       select skill_id, keyword from skills, unnest(array['k', 't', 'u']) as old (keyword)`,
    );
    const keywords = async () =>
      (await connection.query<{ keyword: string }>('select keyword from skill_keywords order by 1')).map(
        (row) => row.keyword,
      );
    await write({ 'x/SKILL.md': document('x', '# x\n', 'keywords: [k]\ntags: [t, u]\n') });
    expect((await run('sync')).words).toEqual([]);
    expect(await keywords()).toEqual(['k', 't', 'u']);
    await write({ 'x/SKILL.md': document('x', '# x\n', 'keywords: [k, t]\ntags: [t, v]\n') });
    await run('export');
    expect(await keywords()).toEqual(['k', 't']);
    await write({ 'x/SKILL.md': document('x', '# x\n', 'keywords: [k, v]\ntags: [t, v]\n') });
    await run('export');
    expect(await keywords()).toEqual(['k', 't', 'v']);
    await write({ 'x/SKILL.md': document('x', '# x\n', 'keywords: [k]\ntags: [t, v]\n') });
    await run('export');
    expect(await keywords()).toEqual(['k', 't']);
  });

  test('follow categories that another writer moved, and leave one that a mapping empties', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({ 'tools/x/SKILL.md': document('x'), 'y/SKILL.md': document('y') });
    const mapping = [{ glob: 'tools/*', category: 'workshop/old' }];
    await run('export', { mapping });
    await connection.query(
      `update taxonomy_categories set parent_id = (select category_id from taxonomy_categories where path = 'research'),
         level = 2 where path = 'workshop/old'`,
    );
    const above = () =>
      connection.query(
        `select a.path as above, depth from taxonomy_closure
         join taxonomy_categories d on d.category_id = descendant_id join taxonomy_categories a on a.category_id = ancestor_id
         where d.path = 'workshop/old' order by 2`,
      );
    await write({ 'y/SKILL.md': document('y', 'New.\n') });
    await run('export', { mapping });
    expect(await above()).toEqual([
      { above: 'workshop/old', depth: 0 },
      { above: 'research', depth: 1 },
    ]);

    await run('export', { mapping: [{ glob: 'tools/*', category: 'workshop/new' }] });
    expect(
      await connection.query(
        `select tc.path, tc.name, count(s.skill_id) from taxonomy_categories tc
         left join skill_categories sc on tc.category_id = sc.category_id left join skills s on sc.skill_id = s.skill_id
         where tc.level > 0 and tc.path like 'workshop/%' group by tc.path, tc.name order by 3 desc`,
      ),
    ).toEqual([
      { path: 'workshop/new', name: 'New', count: 1 },
      { path: 'workshop/old', name: 'Old', count: 0 },
    ]);
    expect(
      await connection.query(
        `select s.name, s.skill_path from skills s left join skill_categories sc on s.skill_id = sc.skill_id
         where sc.category_id is null`,
      ),
    ).toEqual([{ name: 'y', skill_path: 'y' }]);
  });

  test('to a skill that another writer deletes go with it, and those that it adds are closed', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({
      'a/SKILL.md': document('a', '', 'dependencies: [b]\n'),
      'b/SKILL.md': document('b', '', 'dependencies: [{path: c, type: recommended}]\n'),
      'c/SKILL.md': document('c'),
    });
    await run('export');
    const ways = () =>
      connection.query(
        `select a.name || d.name as way, min_depth, dependency_types from dependency_closure
         join skills a on a.skill_id = ancestor_id join skills d on d.skill_id = descendant_id order by 1`,
      );
    expect(await ways()).toEqual([
      { way: 'ab', min_depth: 1, dependency_types: ['required'] },
      { way: 'ac', min_depth: 2, dependency_types: ['required', 'recommended'] },
      { way: 'bc', min_depth: 1, dependency_types: ['recommended'] },
    ]);
    // As in databases whose closure refers to skills without a cascade.
    for (const column of ['ancestor_id', 'descendant_id']) {
      await connection.query(
        `alter table dependency_closure drop constraint dependency_closure_${column}_fkey`,
      );
      await connection.query(
        `alter table dependency_closure add foreign key (${column}) references skills (skill_id)`,
      );
    }
    await connection.query(`delete from skills where name = 'b'`);
    expect(await ways()).toEqual([]);
    await connection.query(
      `insert into skill_dependencies (dependent_id, dependency_skill_id, dependency_type)
       select a.skill_id, c.skill_id, 'conflict' from skills a, skills c where a.name = 'a' and c.name = 'c'`,
    );
    await run('sync');
    expect(await ways()).toEqual([{ way: 'ac', min_depth: 1, dependency_types: ['conflict'] }]);
  });
});

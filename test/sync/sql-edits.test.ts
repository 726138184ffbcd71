import { describe, expect, test } from 'vitest';
import { usualKinds } from '../databases.ts';
import { document, makeSides } from './sides.ts';

const before = `---
name: x   # as the folder
description: "About x."
license: MIT
metadata:
  version: "1.2.0"
  type: tool
  keywords: one, two
  tags: [red, blue]
  dependencies:
    - other   # by name
    - not/here/yet
  see_also: [other]
  facets:
    level: high
allowed-tools: Read Write
---
# x

## Capabilities

- **Fly**: Up.
- **Swim**: Down.
`;

const idOf = (name: string) => `(select skill_id from skills where name = '${name}')`;

/** What another writer does, and the lines of the document that change: removed ones with -, added ones with +. */
const edits: readonly (readonly [sql: string, lines: readonly string[]])[] = [
  [
    `update skills set name = 'renamed' where skill_path = 'x'`,
    ['-name: x   # as the folder', '+name: renamed   # as the folder'],
  ],
  [
    `update skills set description = 'Says: "hello" # yes' where skill_path = 'x'`,
    ['-description: "About x."', `+description: "Says: \\"hello\\" # yes"`],
  ],
  [
    `update skills set version = '2.0.0' where skill_path = 'x'`,
    ['-  version: "1.2.0"', '+  version: "2.0.0"'],
  ],
  [`update skills set type = 'domain' where skill_path = 'x'`, ['-  type: tool', '+  type: domain']],
  [`update skills set weight = 'heavyweight' where skill_path = 'x'`, ['+  weight: heavyweight']],
  [`update skills set load_priority = 'always' where skill_path = 'x'`, ['+  load_priority: always']],
  [`update skills set status = 'deprecated' where skill_path = 'x'`, ['+  status: deprecated']],
  [`update skills set skill_style = 'minimal' where skill_path = 'x'`, ['+  skill_style: minimal']],
  [`update skills set scope = 'everywhere' where skill_path = 'x'`, ['+  scope: everywhere']],
  [
    `update skills set extra = extra || '{"license": "Apache-2.0"}' where skill_path = 'x'`,
    ['-license: MIT', '+license: Apache-2.0'],
  ],
  [`update skills set extra = extra - 'license' where skill_path = 'x'`, ['-license: MIT']],
  [
    `insert into skill_keywords (skill_id, keyword) values (${idOf('x')}, 'three')`,
    ['-  keywords: one, two', '+  keywords: one, two, three'],
  ],
  [`delete from skill_keywords where keyword = 'one'`, ['-  keywords: one, two', '+  keywords: two']],
  [`delete from skill_tags where tag = 'red'`, ['-  tags: [red, blue]', '+  tags: [blue]']],
  [
    `update skill_tags set tag = 'green' where tag = 'red'`,
    ['-  tags: [red, blue]', '+  tags: [green, blue]'],
  ],
  [
    `update capabilities set description = 'Sideways.' where name = 'Swim'`,
    ['-- **Swim**: Down.', '+- **Swim**: Sideways.'],
  ],
  [`delete from capabilities where name = 'Fly'`, ['-- **Fly**: Up.']],
  [
    `insert into capabilities (skill_id, name, description, sort_order) values (${idOf('x')}, 'Run', 'Off.', 9)`,
    ['+- **Run**: Off.'],
  ],
  [`delete from skill_dependencies where dependent_id = ${idOf('x')}`, ['-    - other   # by name']],
  [
    `insert into skill_dependencies (dependent_id, dependency_skill_id) values (${idOf('x')}, ${idOf('third')})`,
    ['+    - some/third'],
  ],
  [
    `insert into skill_references (source_skill_id, target_skill_id) values (${idOf('x')}, ${idOf('third')})`,
    ['-  see_also: [other]', '+  see_also: [other, some/third]'],
  ],
  [`update skill_facets set facet_value = 'low'`, ['-    level: high', '+    level: low']],
  [`delete from skill_facets`, ['-  facets:', '-    level: high']],
  [
    `insert into skill_facets (skill_id, facet_key, facet_value) values (${idOf('x')}, 'os', 'linux')`,
    ['+    os: linux'],
  ],
  [
    `delete from skill_allowed_tools where tool_name = 'Read'`,
    ['-allowed-tools: Read Write', '+allowed-tools: Write'],
  ],
  [
    `update skill_allowed_tools set tool_name = 'Bash(git *)' where tool_name = 'Write'`,
    ['-allowed-tools: Read Write', '+allowed-tools: Read Bash(git *)'],
  ],
  [
    `insert into skill_aliases (skill_id, alias_path) values (${idOf('x')}, 'old/x')`,
    ['+  aliases:', '+    - old/x'],
  ],
  [
    `update skill_categories set category_id = (select category_id from taxonomy_categories where path = 'data/ml')
     where skill_id = ${idOf('x')}`,
    ['-  category: research', '+  category: data/ml'],
  ],
];

/** The lines that only one of two texts has, in order. */
function changedLines(old: string, now: string): readonly string[] {
  const [oldLines, nowLines] = [old.split('\n'), now.split('\n')];
  return [
    ...oldLines.filter((line) => !nowLines.includes(line)).map((line) => `-${line}`),
    ...nowLines.filter((line) => !oldLines.includes(line)).map((line) => `+${line}`),
  ];
}

describe.each(usualKinds)("another writer's edits on %s", (kind) => {
  test('change the lines that say so, and no other byte', async () => {
    const sides = await makeSides(kind);
    await sides.write({
      'x/SKILL.md': before,
      'other/SKILL.md': document('other'),
      'some/third/SKILL.md': document('third'),
    });
    await sides.run('sync');
    await sides.connection.query(
      `insert into skill_categories (skill_id, category_id, is_primary)
       select ${idOf('x')}, category_id, true from taxonomy_categories where path = 'research'`,
    );
    await sides.run('sync');
    const start = (await sides.files())['x/SKILL.md'] ?? '';
    for (const [sql, lines] of edits) {
      await sides.connection.query(sql);
      expect({ sql, words: (await sides.run('import')).words }).toEqual({
        sql,
        words: ['x: edited -> files'],
      });
      const now = (await sides.files())['x/SKILL.md'] ?? '';
      expect({ sql, lines: changedLines(start, now) }).toEqual({ sql, lines });
      expect((await sides.run('sync')).words).toEqual([]);
      // Back to where it was, by the files.
      await sides.write({ 'x/SKILL.md': start });
      expect((await sides.run('export')).words).toEqual(['x: edited -> database']);
    }
  });

  test('travel together with an edit of the body and of another column', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x', '# x\n') });
    await sides.run('sync');
    await sides.connection.query(
      `update skills set description = 'Changed.', skill_content = E'# Changed\n', scope = 'all'`,
    );
    await sides.run('import');
    expect(await sides.files()).toEqual({
      'x/SKILL.md': '---\nname: x\ndescription: Changed.\nmetadata:\n  scope: all\n---\n# Changed\n',
    });
    expect((await sides.run('sync')).words).toEqual([]);
  });

  test('that cannot be written without changing more are held and named, and the others go on', async () => {
    const sides = await makeSides(kind);
    const shared = '---\nname: x\ndescription: &same About x.\nscope: *same\n---\n';
    await sides.write({ 'x/SKILL.md': shared, 'y/SKILL.md': document('y') });
    await sides.run('sync');
    await sides.connection.query(`update skills set description = 'Changed.'`);
    const { words, plan } = await sides.run('sync');
    expect(words).toEqual(['y: edited -> files', 'problem not-patchable']);
    expect(plan.problems).toMatchObject([{ path: 'x', file: 'SKILL.md', line: 3, key: 'description' }]);
    expect((await sides.files())['x/SKILL.md']).toBe(shared);
    await sides.connection.query(`update skills set description = 'About x.' where skill_path = 'x'`);
    expect((await sides.run('sync')).words).toEqual([]);
  });

  test('a status set beside a silent document stays, and travels where it says more than silence', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x') });
    await sides.run('sync');
    await sides.connection.query(`update skills set status = 'deprecated'`);
    await sides.run('import');
    expect((await sides.files())['x/SKILL.md']).toContain('\nmetadata:\n  status: deprecated\n---\n');
    await sides.connection.query(`update skills set status = 'active'`);
    await sides.run('import');
    expect((await sides.files())['x/SKILL.md']).toContain('  status: active\n');
  });
});

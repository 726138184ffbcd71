// What follows from other tables is right after a sync, whoever changed what it follows from, and behind whose back.

import { describe, expect, test } from 'vitest';
import { Database } from '../../src/repository/database.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { document, makeSides } from './sides.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

/** All that follows, without keys, and the writes that each row has seen. */
async function followingIn({ connection }: Sides) {
  return {
    tags: await connection.query(
      'select tag, usage_count from tag_stats where usage_count > 0 order by tag collate "C"',
    ),
    categories: await connection.query(
      `select a.path as above, c.path as below, t.depth
       from taxonomy_closure t
       join taxonomy_categories a on a.category_id = t.ancestor_id
       join taxonomy_categories c on c.category_id = t.descendant_id
       where c.path like 'house%' order by 2, 3`,
    ),
    dependencies: await connection.query(
      `select a.skill_path as above, s.skill_path as below, d.min_depth
       from dependency_closure d
       join skills a on a.skill_id = d.ancestor_id join skills s on s.skill_id = d.descendant_id
       order by 1, 2`,
    ),
  };
}

function versions({ connection }: Sides) {
  return connection.query(
    `select 'tag ' || tag as row, xmin::text from tag_stats
     union all select 'category ' || ancestor_id || ' ' || descendant_id, xmin::text from taxonomy_closure
     union all select 'dependency ' || ancestor_id || ' ' || descendant_id, xmin::text from dependency_closure
     order by 1`,
  );
}

async function faultsOf({ connection }: Sides): Promise<readonly unknown[]> {
  const faults: unknown[] = [];
  const database = new Database(connection, compileMapping([]));
  for await (const fault of database.verifyDerived(new Set())) faults.push(fault);
  return faults;
}

async function library(kind: DatabaseKind): Promise<Sides> {
  const sides = await makeSides(kind);
  const frontmatter = (needs: string) =>
    `category: house/own\ntags: [red, ${needs}]\ndependencies: [${needs}]\n`;
  await sides.write({
    'a/SKILL.md': document('a', '', frontmatter('b')),
    'b/SKILL.md': document('b', '', frontmatter('c')),
    'c/SKILL.md': document('c', '', 'category: house/own\ntags: [red]\n'),
  });
  await sides.run('sync');
  return sides;
}

const stale: readonly (readonly [what: string, sql: string])[] = [
  ['a count', `update tag_stats set usage_count = 7 where tag = 'red'`],
  ['a count that is gone', `delete from tag_stats where tag = 'red'`],
  ['a count of a tag that no skill has', `insert into tag_stats (tag, usage_count) values ('none', 2)`],
  ['ways between categories', 'delete from taxonomy_closure where depth = 1'],
  ['ways between skills', 'delete from dependency_closure where min_depth = 2'],
];

describe.each(usualKinds)('with %s', (kind) => {
  test('a sync that has nothing else to do mends it, and writes nothing but that', async () => {
    const sides = await library(kind);
    const [right, before] = [await followingIn(sides), await versions(sides)];
    for (const direction of ['sync', 'export'] as const) {
      await sides.run(direction);
      expect(await versions(sides)).toEqual(before);
    }
    for (const [what, sql] of stale) {
      await sides.connection.query(sql);
      const wrong = await followingIn(sides);
      expect(wrong, what).not.toEqual(right);
      expect((await faultsOf(sides)).length, what).toBe(1);
      await sides.run('sync', { dryRun: true });
      await sides.run('import');
      expect(await followingIn(sides), what).toEqual(wrong);
      await sides.run(what.includes('count') ? 'export' : 'sync');
      expect(await followingIn(sides), what).toEqual(right);
      expect(await faultsOf(sides)).toEqual([]);
    }
  });

  test('rows that another writer deletes leave no count behind, and a moved category no old way', async () => {
    const sides = await library(kind);
    const { connection } = sides;
    await connection.query(`delete from skills where skill_path in ('a', 'b')`);
    await connection.query(
      `update taxonomy_categories set parent_id = (select category_id from taxonomy_categories where path = 'data')
       where path = 'house/own'`,
    );
    await connection.query(
      `insert into taxonomy_categories (path, name, level, parent_id)
       select 'house/empty', 'Empty', 1, category_id from taxonomy_categories where path = 'house'`,
    );
    // The files still hold them: held deletions, of which no sync writes anything.
    expect((await sides.run('sync')).words).toEqual(['a: hold deletion', 'b: hold deletion']);
    expect(await followingIn(sides)).toEqual({
      tags: [{ tag: 'red', usage_count: 1 }],
      categories: [
        { above: 'house', below: 'house', depth: 0 },
        { above: 'house/empty', below: 'house/empty', depth: 0 },
        { above: 'house', below: 'house/empty', depth: 1 },
        { above: 'house/own', below: 'house/own', depth: 0 },
        { above: 'data', below: 'house/own', depth: 1 },
      ],
      dependencies: [],
    });
  });

  test('what others edited waits for the sync that takes it', async () => {
    const sides = await library(kind);
    await sides.connection.query(
      `insert into skill_tags (skill_id, tag) select skill_id, 'theirs' from skills where name = 'c'`,
    );
    await sides.run('export');
    expect((await followingIn(sides)).tags).not.toContainEqual({ tag: 'theirs', usage_count: 1 });
    await sides.run('sync');
    expect((await followingIn(sides)).tags).toContainEqual({ tag: 'theirs', usage_count: 1 });
  });
});

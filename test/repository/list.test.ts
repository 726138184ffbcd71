// What `list` finds, and in which order.

import { describe, expect, test } from 'vitest';
import { type ListFilter, type ListPage, listSkills } from '../../src/repository/list.ts';
import { databaseKinds, migratedDatabase } from '../databases.ts';
import { document, makeSides } from '../sync/sides.ts';

describe.each(databaseKinds)('a list on %s', (kind) => {
  test('finds by text, status, category and tag, the best match first, a page at a time', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({
      // Many words of a body weigh less than one of a name or of a path.
      'z/body/SKILL.md': document('body', 'docker docker docker docker docker docker docker docker\n'),
      'b/docker-images/SKILL.md': document('docker-images', '', 'tags: [Small, tools]\n'),
      'c/docker/plain/SKILL.md': document('plain', '', 'metadata:\n  status: draft\n'),
      'a/named/SKILL.md': document('undockered', '', 'tags: [tools]\ncategory: house/own\n'),
      'd/other/SKILL.md': document('other', '', 'category: house\n'),
      'e/gone/SKILL.md': document('docker'),
    });
    await run('export');
    await connection.query(`update skills set deleted_at = now() where skill_path = 'e/gone'`);
    await connection.query(`update skills set description = 'Theirs.' where skill_path = 'd/other'`);
    const [images, plain, named] = ['b/docker-images', 'c/docker/plain', 'a/named'];
    const [body, other] = ['z/body', 'd/other'];
    const cases: readonly (readonly [ListFilter, ListPage, readonly string[], number])[] = [
      [{}, {}, [named, images, plain, other, body], 5],
      [{ text: 'docker' }, {}, [images, named, plain, body], 4],
      [{ text: 'DOCKER' }, { limit: 2, offset: 1 }, [named, plain], 4],
      [{ text: 'docker' }, { sort: 'path' }, [named, images, plain, body], 4],
      [{ text: 'docker' }, { offset: 9 }, [], 4],
      [{ text: 'nothing of the kind' }, {}, [], 0],
      [{ text: `it's \\ 100% (odd) & ! "` }, {}, [], 0],
      [{}, { sort: 'name' }, [body, images, other, plain, named], 5],
      [{}, { sort: 'updated', limit: 1 }, [other], 5],
      [{ tag: 'tools' }, {}, [named, images], 2],
      [{ tag: 'small' }, {}, [], 0],
      [{ category: 'house' }, {}, [named, other], 2],
      [{ category: 'house', tag: 'tools', status: 'active', text: 'undock' }, {}, [named], 1],
      [{ status: 'draft' }, {}, [plain], 1],
    ];
    for (const [filter, page, paths, total] of cases) {
      const listed = await listSkills(connection, filter, page);
      expect(
        { paths: listed.skills.map((skill) => skill.skill_path), total: listed.total },
        JSON.stringify([filter, page]),
      ).toEqual({ paths, total });
    }
    const { skills } = await listSkills(connection, { tag: 'Small' });
    expect(skills).toEqual([
      {
        skill_path: images,
        name: 'docker-images',
        description: 'About docker-images.',
        version: '1.0.0',
        type: expect.any(String),
        status: 'active',
        category: 'b',
        category_reason: expect.any(String),
        keywords: [],
        tags: ['Small', 'tools'],
        files: 0,
        updated_at: expect.any(Date),
      },
    ]);
  });

  test('names a skill once, though someone else gave it two primary categories, or no revision', async () => {
    const connection = await migratedDatabase(kind);
    await connection.query(
      `insert into skills (skill_path, name, type) values ('a/x', 'x', 'technical');
       insert into skill_categories (skill_id, category_id, is_primary)
         select skill_id, category_id, true from skills, taxonomy_categories where level = 0;
       delete from skill_sync`,
    );
    const { skills, total } = await listSkills(connection, {});
    expect([skills.length, total]).toEqual([1, 1]);
    expect(skills[0]?.updated_at).toBeInstanceOf(Date);
  });
});

test('10,000 skills are ranked, and read a page at a time', async () => {
  const connection = await migratedDatabase('postgres');
  await connection.query(
    `insert into skills (skill_path, name, type, skill_content)
     select 'many/s' || n, 's' || n, 'technical', case when n % 2 = 0 then 'even' else 'odd' end
     from generate_series(1, 10000) n`,
  );
  const seen = new Set<string>();
  for (let offset = 0; offset < 5000; offset += 1000) {
    const { skills, total } = await listSkills(connection, { text: 'even' }, { limit: 1000, offset });
    expect(total).toBe(5000);
    for (const { skill_path } of skills) seen.add(skill_path);
  }
  expect(seen.size).toBe(5000);
  expect((await listSkills(connection, {})).skills.length).toBe(10_000);
});

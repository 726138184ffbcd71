// The queries that users of such a database already run answer truly: checked against what the files say.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/document/parse.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { runPlan } from '../../src/sync/run.ts';
import { prepareSync } from '../../src/sync/sync.ts';
import { inferCategory } from '../../src/taxonomy/infer.ts';
import { indexCategories } from '../../src/taxonomy/known.ts';
import { seed } from '../../src/taxonomy/seed.ts';
import { databaseKinds, migratedDatabase } from '../databases.ts';
import { syncInput } from './input.ts';

const byCategory = `
  select tc.path, tc.name, count(s.skill_id) from taxonomy_categories tc
    left join skill_categories sc on tc.category_id = sc.category_id left join skills s on sc.skill_id = s.skill_id
    where tc.level > 0 group by tc.path, tc.name order by 3 desc`;
const withoutCategory = `
  select s.skill_id, s.name, s.skill_path from skills s
    left join skill_categories sc on s.skill_id = sc.skill_id where sc.category_id is null`;

/** What a document says of its skill. */
interface Told {
  readonly path: string;
  readonly name: string;
  readonly category: string | null;
}

/** Every folder below `root` that holds a SKILL.md, and what that says. */
async function told(
  root: string,
  read: (path: string, text: string) => Told | null,
): Promise<readonly Told[]> {
  const names = await readdir(root, { recursive: true });
  const documents = names.filter((name) => path.basename(name).toLowerCase() === 'skill.md');
  const skills = await Promise.all(
    documents.map(async (name) => read(path.dirname(name), await readFile(path.join(root, name), 'utf8'))),
  );
  return skills.filter((skill) => skill !== null);
}

/** As this project's own library is laid out: the folders are the category. */
function byFolder(skillPath: string, text: string): Told {
  const name = /^name: (.*)$/m.exec(text)?.[1] ?? '';
  return { path: skillPath, name, category: path.dirname(skillPath) };
}

const seeded = indexCategories(seed.map((category) => category.path));

/** As inference places it. */
function byInference(skillPath: string, text: string): Told | null {
  const place = { skill: skillPath as SkillPath, file: 'SKILL.md' };
  const document = parseDocument(text, place);
  if (!document.ok) return null;
  const { fields } = document.value;
  const choice = inferCategory({ path: place.skill, ...fields }, seeded, []);
  return { path: skillPath, name: fields.name, category: choice?.path ?? null };
}

const root = path.join(import.meta.dirname, '../..');

describe.each([
  { library: path.join(root, 'skills'), read: byFolder },
  { library: path.join(root, '../shared/corpus'), read: byInference },
])('over $library', ({ library, read }) => {
  test.skipIf(!existsSync(library)).each(databaseKinds)('they answer truly on %s', async (kind) => {
    const connection = await migratedDatabase(kind);
    const input = await syncInput(connection, library, 'export');
    await runPlan(input, await prepareSync(input));
    const skills = await told(library, read);
    expect(skills.length).toBeGreaterThan(10);

    const counts = await connection.query<{ path: string; name: string; count: number }>(byCategory);
    const found = Object.fromEntries(counts.map((row) => [row.path, row.count]));
    const wanted: { [path: string]: number } = {};
    for (const category of seed) if (category.path.includes('/')) wanted[category.path] = 0;
    for (const { category } of skills) {
      const folders = category?.split('/') ?? [];
      for (let end = 2; end < folders.length; end++) wanted[folders.slice(0, end).join('/')] ??= 0;
      if (folders.length > 1) wanted[folders.join('/')] = (wanted[folders.join('/')] ?? 0) + 1;
    }
    expect(found).toEqual(wanted);
    expect(counts.length).toBe(Object.keys(wanted).length);
    expect(counts.map((row) => row.count)).toEqual(counts.map((row) => row.count).toSorted((a, b) => b - a));
    expect(counts.filter((row) => row.name === '')).toEqual([]);

    const bare = await connection.query<{ skill_path: string; name: string }>(withoutCategory);
    expect(bare.map((row) => `${row.skill_path} ${row.name}`).sort()).toEqual(
      skills
        .filter((skill) => skill.category === null)
        .map((skill) => `${skill.path} ${skill.name}`)
        .sort(),
    );
    expect(await connection.query('select count(*) from skills')).toEqual([{ count: skills.length }]);
  });
});

import { mkdir, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

const document = (name: string) =>
  `---\nname: ${name}\ndescription: What it is about.\n---\n# A heading\n\nOne line.\nTwo lines.\n`;

test('a renamed skill is one rename: shown with what else changes, done, known by its old path', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const env = { DATABASE_URL: url };
  const skills = path.join(project.folder, 'skills');
  await writeFiles(skills, {
    'tools/old/SKILL.md': document('old'),
    'still/SKILL.md': '---\nname: still\ndescription: Still.\n---\nNothing new.\n',
  });
  await project.run(['sync-db'], env);
  const keys = await sql(url, 'select skill_id from skills order by skill_id');

  await mkdir(path.join(skills, 'data'));
  await rename(path.join(skills, 'tools/old'), path.join(skills, 'data/new'));
  await writeFiles(skills, { 'data/new/SKILL.md': document('new') });
  expect((await project.run(['export-to-db', '--dry-run'], env)).stdout).toBe(
    [
      'rename   tools/old -> data/new  in the database: renamed on the other side since both agreed',
      '         category: data (folder)',
      '  --- database/tools/old/SKILL.md',
      '  +++ files/data/new/SKILL.md',
      '  @@ -1,5 +1,5 @@',
      '   ---',
      '  -name: old',
      '  +name: new',
      '   description: What it is about.',
      '   ---',
      '   # A heading',
      'Dry run, nothing was changed: 1 to rename, 1 unchanged. Run it with: skill-fleet export-to-db',
      '',
    ].join('\n'),
  );
  expect((await project.run(['import-from-db', '--dry-run'], env)).stdout).toContain(
    'skip     tools/old -> data/new  the files are ahead: export-to-db or sync-db carries it',
  );
  const real = await project.run(['export-to-db', '--json', '--skill-path', 'tools/*'], env);
  expect(JSON.parse(real.stdout)).toMatchObject({
    summary: { rename: 1, create: 0, holds: 0, done: 1 },
    changes: [
      { path: 'data/new', from: 'tools/old', operation: 'rename', why: 'renamed', outcome: 'success' },
    ],
    exitCode: 0,
  });
  expect(await sql(url, 'select skill_id from skills order by skill_id')).toEqual(keys);

  await sql(url, `update skills set skill_path = 'back' where skill_path = 'data/new'`);
  const back = await project.run(['sync-db'], env);
  expect([back.code, back.stdout]).toEqual([
    0,
    'rename   data/new -> back  in the files: renamed on the other side since both agreed\nDone: 1 renamed, 1 unchanged.\n',
  ]);
  expect((await readdir(skills)).filter((name) => !name.startsWith('.')).sort()).toEqual([
    'back',
    'still',
    'tools',
  ]);
  const [first] = await sql(url, 'select revision from skill_revisions order by revision');
  const restored = await project.run(
    ['restore', 'tools/old', '--revision', String(first?.['revision'])],
    env,
  );
  expect(restored.stdout).toMatch(/^Restored back to revision/);
  expect((await project.run(['sync-db', '--exit-code'], env)).code).toBe(0);
});

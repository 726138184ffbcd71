import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

const document = (name: string, body = 'Text.') => `---\nname: ${name}\ndescription: About.\n---\n${body}\n`;

test('the wrong directory synced into production is looked at, and taken back, in two commands', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const env = { DATABASE_URL: url };
  const right = Object.fromEntries(['a', 'b', 'c'].map((name) => [`${name}/SKILL.md`, document(name)]));
  const wrong = {
    ...right,
    'a/SKILL.md': document('a', 'Wrong.'),
    'x/SKILL.md': document('x'),
    'y/SKILL.md': document('y'),
  };
  await writeFiles(path.join(project.folder, 'skills'), right);
  await writeFiles(path.join(project.folder, 'wrong'), wrong);
  await project.run(['sync-db'], env);
  const rows = () =>
    sql(url, 'select skill_path, skill_id, skill_content from skills where deleted_at is null order by 1');
  const before = await rows();
  const mistake = ['--skills-dir', 'wrong'];
  await project.run(['sync-db', '--on-conflict', 'local', ...mistake], env);
  expect(await rows()).not.toEqual(before);

  const looked = await project.run(['undo', '--dry-run', ...mistake], env);
  expect(looked.stderr).toMatch(/^note: this takes back what run 2 \(sync by .*\) did$/m);
  expect(looked.stdout).toContain(
    'archive  x  in the database: as it was before the run that is taken back\n',
  );
  expect(looked.stdout).toMatch(
    /Dry run, nothing was changed: 1 to update in the database, 2 to delete in the database, 0 unchanged. Run it with: skill-fleet undo 2\n$/,
  );
  const undone = await project.run(['undo', '2', ...mistake], env);
  expect(undone.code).toBe(0);
  expect(undone.stdout).toContain('To have it again: skill-fleet undo 3\n');
  expect(await rows()).toEqual(before);
  expect((await project.run(['sync-db', '--exit-code'], env)).code).toBe(0);

  const again = await project.run(['undo', '3', '--json', ...mistake], env);
  expect(JSON.parse(again.stdout)).toMatchObject({ undoes: 3, run: 4, summary: { done: 3 }, exitCode: 0 });
  const none = await project.run(['undo', '99'], env);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('No run 99 is recorded')]);
});

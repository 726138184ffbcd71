import { readFile, rm } from 'node:fs/promises';
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
    /Dry run, nothing was changed: 1 to update in the database, 2 to delete in the database, 0 unchanged. Run it with: skill-fleet undo 2 --skills-dir wrong\n$/,
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

test('what a run deletes or overwrites comes back by the command that it prints', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const env = { DATABASE_URL: url };
  const skills = path.join(project.folder, 'skills');
  const files = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}/SKILL.md`, document(name)]));
  await writeFiles(skills, files);
  await project.run(['sync-db'], env);
  const printed = async (args: readonly string[]) => {
    const { stdout, stderr } = await project.run(args, env);
    const [, command = ''] = /skill-fleet ((?:undo|restore) [^\n]*)/.exec(stdout + stderr) ?? [];
    return (await project.run(command.split(' '), env)).code;
  };
  const textOf = (name: string) => readFile(path.join(skills, `${name}/SKILL.md`), 'utf8');
  const rowOf = (name: string) =>
    sql(url, `select skill_content from skills where skill_path = '${name}' and deleted_at is null`);

  await sql(url, `update skills set deleted_at = now() where skill_path = 'a'`);
  expect(await printed(['import-from-db', '--delete'])).toBe(0);
  expect(await textOf('a')).toBe(document('a'));

  await rm(path.join(skills, 'b'), { recursive: true });
  expect(await printed(['export-to-db', '--delete'])).toBe(0);
  expect(await rowOf('b')).toEqual([{ skill_content: 'Text.\n' }]);

  await writeFiles(skills, { 'c/SKILL.md': document('c', 'Mine.') });
  await sql(url, `update skills set skill_content = 'Theirs.' where skill_path = 'c'`);
  expect(await printed(['sync-db', '--on-conflict', 'local', '--skill-path', 'c'])).toBe(0);
  expect(await rowOf('c')).toEqual([{ skill_content: 'Theirs.' }]);

  await writeFiles(skills, { 'd/SKILL.md': document('d', 'Mine.') });
  expect(await printed(['import-from-db', '--force', '--skill-path', 'd'])).toBe(0);
  expect(await rowOf('d')).toEqual([{ skill_content: 'Mine.\n' }]);
});

test('restore --dry-run shows what would become different, and the command that does it', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const env = { DATABASE_URL: url };
  const skills = path.join(project.folder, 'skills');
  for (const body of ['Old.', 'New.']) {
    await writeFiles(skills, { 'a/SKILL.md': document('a', body) });
    await project.run(['export-to-db'], env);
  }
  const { revisions } = JSON.parse((await project.run(['log', 'a', '--json'], env)).stdout);
  const number = String(revisions.at(-1).revision);
  const rows = () => sql(url, 'select skill_content from skills');
  const dry = await project.run(['restore', 'a', '--revision', number, '--dry-run'], env);
  expect(dry.stdout).toMatch(/^ {2}-New\.\n {2}\+Old\.\n/m);
  expect(await rows()).toEqual([{ skill_content: 'New.\n' }]);
  const [, command = ''] = /Run it with: skill-fleet (.*)\n$/.exec(dry.stdout) ?? [];
  expect((await project.run(command.split(' '), env)).code).toBe(0);
  expect(await rows()).toEqual([{ skill_content: 'Old.\n' }]);
  // Of a skill that is gone, all would come.
  await sql(url, 'update skills set deleted_at = now()');
  const gone = await project.run(['restore', 'a', '--revision', number, '--dry-run'], env);
  expect(gone.stdout).toContain('  --- /dev/null\n');
});

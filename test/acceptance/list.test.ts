// Pages of a list, as the built command line prints them. What is found is tested beside the query.

import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject } from './cli.ts';

test('list prints plain lines to a pipe, a page at a time, and says that there are more', async () => {
  const project = await makeProject();
  const env = { DATABASE_URL: await databaseUrl('postgres') };
  const run = (...args: readonly string[]) => project.run(['list', ...args], env);
  expect(await run()).toEqual({
    code: 0,
    stdout: '0 skills\n',
    stderr: expect.stringMatching(
      /^note: no library stands in the database \S+ at \S+ yet; the first sync makes it\n$/,
    ),
  });
  expect(JSON.parse((await run('--json')).stdout)).toEqual({ version: 1, skills: [], total: 0, more: false });
  const names = ['one', '茶', 'two'];
  await writeFiles(
    path.join(project.folder, 'skills'),
    Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, document(name, '', 'tags: [red]\n')])),
  );
  await project.run(['export-to-db'], env);
  expect(await run('--tag', 'red', '--limit', '1', '--offset', '1')).toEqual({
    code: 0,
    stdout: 'two  active      (no category)\n1 of 3 skills\n',
    stderr: 'note: there are more; --offset 2 shows them\n',
  });
  expect(await run('--sort', 'updated', '--offset', '2')).toEqual({
    code: 0,
    stdout: '茶  active      (no category)\n1 of 3 skills\n',
    stderr: '',
  });
  const { skills, ...rest } = JSON.parse((await run('--json', '--limit', '2')).stdout);
  expect([skills.length, rest]).toEqual([2, { version: 1, total: 3, more: true }]);
  for (const wrong of [
    ['--sort', 'size'],
    ['--limit', '0'],
    ['--offset', '-1'],
  ]) {
    expect((await run(...wrong)).code, wrong.join(' ')).toBe(64);
  }
});

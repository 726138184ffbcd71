import { cp, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { copyFolder, temporaryFolder } from '../folders.ts';
import { databaseUrl, makeProject, personEnvironment, projectRoot, runProcess, sql } from './cli.ts';

const clonedFiles = [
  'package.json',
  'tsconfig.json',
  'rolldown.config.ts',
  'src',
  'dist',
  'migrations',
  'skills',
];

/** The project as a clone has it after `npm ci`: its files, built, with its packages. */
async function cloneProject(): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'skill-fleet');
  await mkdir(folder);
  for (const name of clonedFiles) {
    await cp(path.join(projectRoot, name), path.join(folder, name), { recursive: true });
  }
  await symlink(path.join(projectRoot, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

test('in a clone, `npx skill-fleet` syncs the library that ships with it', async () => {
  const cwd = await cloneProject();
  // npx keeps what it makes of a project by path, so it gets a new cache.
  const env = personEnvironment({ npm_config_cache: await temporaryFolder() });
  expect(await runProcess('npx', ['skill-fleet', 'sync-db'], { cwd, env })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('13 created in the database'),
  });
});

test('what is built can be run as it is: npx may have linked what was built before', async () => {
  expect((await stat(path.join(projectRoot, 'dist/cli.js'))).mode & 0o111).toBe(0o111);
});

test('an edit here and an edit of a body by SQL there: one sync, and both sides hold both', async () => {
  const server = await databaseUrl('postgres');
  const project = await makeProject();
  const { folder } = project;
  await copyFolder(path.join(projectRoot, 'skills'), path.join(folder, 'skills'));
  const run = (...args: readonly string[]) => project.run(args, { DATABASE_URL: server });
  expect((await run('sync-db')).code).toBe(0);

  const here = path.join(folder, 'skills/development/practices/tdd/test-first-cycle/SKILL.md');
  const there = path.join(folder, 'skills/operations/deployment/docker/small-docker-images/SKILL.md');
  const [oldHere, oldThere] = [await readFile(here, 'utf8'), await readFile(there, 'utf8')];
  await writeFile(here, `${oldHere}\nEdited here.\n`);
  await sql(
    server,
    `update skills set skill_content = skill_content || E'\\nEdited there.\\n'
     where skill_path = 'operations/deployment/docker/small-docker-images'`,
  );

  expect((await run('sync-db', '--dry-run', '--exit-code')).code).toBe(2);
  expect(await run('sync-db')).toMatchObject({ code: 0 });
  expect(await readFile(here, 'utf8')).toBe(`${oldHere}\nEdited here.\n`);
  expect(await readFile(there, 'utf8')).toBe(`${oldThere}\nEdited there.\n`);
  expect(
    await sql(
      server,
      `select frontmatter_source || skill_content as text from skills
       where skill_path in ('development/practices/tdd/test-first-cycle', 'operations/deployment/docker/small-docker-images')
       order by skill_path`,
    ),
  ).toEqual([{ text: `${oldHere}\nEdited here.\n` }, { text: `${oldThere}\nEdited there.\n` }]);
  expect((await run('sync-db', '--dry-run', '--exit-code')).code).toBe(0);
});

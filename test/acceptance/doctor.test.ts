// The doctor among surroundings that are broken in one way each, and what it says then.

import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { noPooler } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { commitAll, git } from '../git/repositories.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, nobodyThere, type Project, personEnvironment, sql } from './cli.ts';

interface Check {
  readonly group: string;
  readonly name: string;
  readonly outcome: 'pass' | 'warn' | 'fail' | 'skip';
  readonly found: string;
  readonly remedy?: string;
}

type Variables = { readonly [name: string]: string };

async function diagnose({ run }: Project, env: Variables = {}, args: readonly string[] = []) {
  const ran = await run(['doctor', '--json', ...args], { GIT_CONFIG_GLOBAL: '/dev/null', ...env });
  expect(ran.stderr).not.toMatch(/fault of its own/);
  const { checks, exitCode } = JSON.parse(ran.stdout) as { checks: readonly Check[]; exitCode: number };
  expect(exitCode).toBe(ran.code);
  // Whoever is told that something is not well is told what to do, and nobody else.
  for (const { name, outcome, remedy } of checks) {
    expect({ name, hasRemedy: remedy !== undefined }).toEqual({
      name,
      hasRemedy: outcome === 'warn' || outcome === 'fail',
    });
  }
  return {
    code: ran.code,
    checks,
    /** What a check found, by `GROUP/NAME`. */
    of: (key: string): Check => {
      const check = checks.find(({ group, name }) => key === `${group}/${name}`);
      if (!check) throw new Error(`no check ${key}`);
      return check;
    },
  };
}

/** A project in git, of which all is well. */
async function healthyProject(): Promise<Project> {
  const project = await makeProject();
  await writeFiles(project.folder, {
    'skills/x/SKILL.md': document('x'),
    '.gitignore': '/.env\n/.skill-fleet/\n',
  });
  git(project.folder, 'init', '--quiet');
  commitAll(project.folder);
  return project;
}

/** All that stands in a folder: names, contents, modes and times. */
async function photographOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const stat = await lstat(file, { bigint: true });
      const content = stat.isFile() ? await readFile(file, 'latin1') : '';
      return `${name} ${stat.mode} ${stat.mtimeNs} ${stat.ctimeNs} ${content}`;
    }),
  );
}

function withPassword(url: string, password: string): string {
  return Object.assign(new URL(url), { password }).href;
}

test('where all is well it says so, exits 0, and changes nothing on either side', async () => {
  const project = await healthyProject();
  const DATABASE_URL = await databaseUrl('postgres');
  expect((await project.run(['sync-db'], { DATABASE_URL })).code).toBe(0);
  const rows = () =>
    sql(
      DATABASE_URL,
      `select (select max(xmin::text::bigint) from pg_class) as tables,
      (select json_agg(s) from skill_sync s) as skills, (select json_agg(r) from sync_runs r) as runs`,
    );
  const before = [await photographOf(project.folder), await rows()];
  const { code, checks } = await diagnose(project, { DATABASE_URL });
  expect(checks.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
  expect(code).toBe(0);
  const ran = await project.run(['doctor'], { DATABASE_URL, GIT_CONFIG_GLOBAL: '/dev/null' });
  expect(ran.stdout).toMatch(/^Configuration\n {2}ok {4}project +\S/);
  expect(ran.stdout).toMatch(new RegExp(`\\n\\n${checks.length} passed, 0 warnings, 0 failed\\n$`));
  expect(ran.stderr).toBe('');
  expect([await photographOf(project.folder), await rows()]).toEqual(before);
});

test('an embedded database is looked at where it stands, and made by nobody who looks', async () => {
  const project = await healthyProject();
  const before = await photographOf(project.folder);
  const first = await diagnose(project);
  expect(first.of('Database/connection')).toMatchObject({
    outcome: 'pass',
    found: expect.stringContaining('the first sync makes it'),
  });
  expect(first.of('Database/server').outcome).toBe('skip');
  expect(await photographOf(project.folder)).toEqual(before);
  expect((await project.run(['sync-db'])).code).toBe(0);
  const then = await diagnose(project);
  expect(then.checks.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
  expect(then.of('Database/TLS').found).toMatch(/not needed/);
  const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString(), started: '' };
  await writeFile(path.join(project.folder, '.skill-fleet/db.lock.1'), JSON.stringify(holder));
  const held = await diagnose(project);
  expect(held.of('Database/embedded lock')).toMatchObject({ outcome: 'warn' });
  expect(held.of('Database/connection')).toMatchObject({ outcome: 'skip' });
  expect(held.code).toBe(0);
});

test('a role that only reads can ask it, also where nothing can be written', async () => {
  const project = await healthyProject();
  const DATABASE_URL = await databaseUrl('postgres');
  await project.run(['sync-db'], { DATABASE_URL });
  const readOnly = `${DATABASE_URL}?options=-cdefault_transaction_read_only%3Don`;
  const { code, of } = await diagnose(project, { DATABASE_URL: readOnly });
  expect(code).toBe(0);
  expect(of('Database/server')).toMatchObject({
    outcome: 'warn',
    found: expect.stringMatching(/takes no writes/),
  });
  expect(of('Database/migrations').outcome).toBe('pass');
});

test.skipIf(noPooler !== '')(`a pooler is told by its signs${noPooler}`, async () => {
  const project = await healthyProject();
  const { of } = await diagnose(project, { DATABASE_URL: await databaseUrl('pooler') });
  expect(of('Database/pooler')).toMatchObject({
    outcome: 'pass',
    found: expect.stringContaining('another process served than was announced'),
  });
});

type Broken = readonly [
  what: string,
  check: string,
  outcome: 'warn' | 'fail',
  found: RegExp,
  breaks: (project: Project) => Promise<{ env?: Variables; args?: readonly string[] } | undefined>,
];

/** A name that only staging gives. */
const staged = '.skill-fleet-01234567-89ab-4cde-8f01-23456789abcd';

const into =
  (files: { readonly [file: string]: string | Buffer }) =>
  async ({ folder }: Project) => {
    await writeFiles(folder, files);
    return undefined;
  };
const under =
  (env: Variables, args: readonly string[] = []) =>
  async () => ({ env, args });

describe('what is broken is told by the check that it is about, and the others go on', () => {
  const configuration: readonly Broken[] = [
    [
      'a configuration file that is not valid',
      'configuration file',
      'fail',
      /:1: .*there is no such setting/,
      into({ 'skill-fleet.config.yaml': 'colour: red\n' }),
    ],
    [
      'two of them',
      'configuration file',
      'fail',
      /more than one/,
      into({ 'skill-fleet.config.yaml': '', 'skill-fleet.config.json': '{}' }),
    ],
    [
      'one that is not there',
      'configuration file',
      'fail',
      /no such file/,
      under({}, ['--config', 'nowhere.yaml']),
    ],
    ['a .env that is no text', 'variables', 'fail', /not UTF-8/, into({ '.env': Buffer.from([0xff]) })],
    ['an option without a value', 'options', 'fail', /--skills-dir/, under({}, ['--skills-dir', ''])],
    [
      'a URL of another kind',
      'database',
      'fail',
      /mysql/,
      under({ DATABASE_URL: 'mysql://a:secret-word@h/d' }),
    ],
    [
      'a URL with a part that nobody knows',
      'database',
      'fail',
      /pasword/,
      under({ DATABASE_URL: 'postgres://h/d?pasword=secret-word' }),
    ],
    ['no database under CI', 'database', 'fail', /DATABASE_URL not set/, under({ CI: 'true' })],
    [
      'a variable that overrules .env',
      'database',
      'warn',
      /from DATABASE_URL in the environment\); .*\.env says something else/,
      async (project) => {
        await writeFiles(project.folder, { '.env': 'DATABASE_URL=postgres://a:secret-word@other/d\n' });
        return { env: { DATABASE_URL: nobodyThere } };
      },
    ],
  ];
  const database: readonly Broken[] = [
    ['nobody there', 'connection', 'fail', /nothing answers there/, under({ DATABASE_URL: nobodyThere })],
    [
      'a wrong password',
      'connection',
      'fail',
      /password is wrong/,
      async () => ({ env: { DATABASE_URL: withPassword(await databaseUrl('postgres'), 'secret-word') } }),
    ],
    [
      'no TLS where it is asked for',
      'TLS',
      'fail',
      /no TLS/,
      async () => ({ env: { DATABASE_URL: `${await databaseUrl('postgres')}?sslmode=require` } }),
    ],
    [
      'a search path that leads nowhere',
      'server',
      'fail',
      /search_path/,
      async () => ({
        env: { DATABASE_URL: `${await databaseUrl('postgres')}?options=-csearch_path%3Dnowhere` },
      }),
    ],
    [
      'a library that stands in another schema',
      'migrations',
      'warn',
      /in the schema team/,
      async () => {
        const url = await databaseUrl('postgres');
        await sql(url, 'create schema team; create table team.skill_sync (id integer)');
        return { env: { DATABASE_URL: url } };
      },
    ],
    [
      'migrations that are pending',
      'migrations',
      'warn',
      /1 of \d+ pending/,
      migrated(`delete from schema_migrations where name like '0009%'`),
    ],
    [
      'migrations of a newer program',
      'migrations',
      'fail',
      /does not know/,
      migrated(`insert into schema_migrations values ('9999_new.sql', '')`),
    ],
    [
      'tables of another shape',
      'migrations',
      'fail',
      /cannot be adopted/,
      migrated('drop schema public cascade; create schema public; create table skills (id integer)'),
    ],
    ['a table that is gone', 'runs', 'fail', /sync_runs/, migrated('drop table sync_runs cascade')],
    [
      'a table that is gone, of which nothing else tells',
      'migrations',
      'fail',
      /lacks .*skill_facets, skill_fleet_edited/,
      migrated('drop table skill_facets; drop function skill_fleet_edited'),
    ],
    [
      'a trigger of others',
      'triggers and rules',
      'warn',
      /skills\.theirs/,
      migrated(
        `create function f() returns trigger language plpgsql as $$ begin return new; end $$; create trigger theirs before insert on skills for each row execute function f()`,
      ),
    ],
    [
      'a run that never ended',
      'runs',
      'warn',
      /run 1 \(sync by ana on here/,
      migrated(
        `insert into sync_runs (direction, who, host, directory) values ('sync', 'ana', 'here', '/x')`,
      ),
    ],
  ];
  const skills: readonly Broken[] = [
    ['no skills directory', 'folder', 'fail', /not found: .*nowhere/, under({}, ['--skills-dir', 'nowhere'])],
    [
      'a run at work',
      'lock',
      'warn',
      /held by ada's process 1 on elsewhere/,
      into({
        'skills/.skill-fleet-lock.1': JSON.stringify({
          pid: 1,
          host: 'elsewhere',
          since: '2026-01-01T00:00:00Z',
          started: '',
          user: 'ada',
        }),
      }),
    ],
    [
      'a run that was killed while it wrote',
      'interrupted writes',
      'warn',
      /1 skill half written/,
      into({
        'skills/.skill-fleet-journal': JSON.stringify({
          version: 2,
          replacements: [{ path: 'x', steps: [], removed: false }],
        }),
      }),
    ],
    [
      'a run that was killed before it wrote',
      'interrupted writes',
      'warn',
      /1 file staged/,
      into({
        'skills/.skill-fleet-journal.draft': JSON.stringify({
          version: 2,
          replacements: [
            { path: 'x', steps: [{ file: 'SKILL.md', before: null, staged: `x/${staged}` }], removed: false },
          ],
        }),
        [`skills/x/${staged}`]: 'x',
      }),
    ],
    [
      'a journal that nobody can read',
      'interrupted writes',
      'fail',
      /cannot read it/,
      into({ 'skills/.skill-fleet-journal': '{' }),
    ],
    [
      'a file that was staged',
      'temporary files',
      'warn',
      /1 file of a run/,
      into({ [`skills/x/${staged}`]: 'x' }),
    ],
    [
      'a plan that was not finished',
      'plan drafts',
      'warn',
      /1 file of a run/,
      into({ '.skill-fleet-plan.01234567-89ab-4cde-8f01-23456789abcd': 'x' }),
    ],
  ];
  const ofGit: readonly Broken[] = [
    ['no git', 'git', 'warn', /not found/, async () => ({ env: { PATH: '/nowhere' } })],
    [
      'no repository',
      'repository',
      'warn',
      /stand in none/,
      async ({ folder }) => void (await rm(path.join(folder, '.git'), { recursive: true })) as undefined,
    ],
    [
      'no commit',
      'repository',
      'warn',
      /without a commit/,
      async ({ folder }) => {
        await rm(path.join(folder, '.git'), { recursive: true });
        git(folder, 'init', '--quiet');
        return undefined;
      },
    ],
    [
      'skills that git ignores',
      'repository',
      'warn',
      /ignores the skills/,
      into({ '.gitignore': '/skills/\n/.skill-fleet/\n', 'skills/.gitignore': '*\n' }),
    ],
    [
      'a shallow clone',
      'history',
      'warn',
      /shallow/,
      async ({ folder }) => {
        commitAll(folder);
        git(folder, 'clone', '--quiet', '--depth=1', `file://${folder}`, `${folder}/clone`);
        await rename(`${folder}/.git`, `${folder}/origin.git`);
        await rename(`${folder}/clone/.git`, `${folder}/.git`);
        git(folder, 'config', 'remote.origin.url', `file://${folder}/origin.git`);
        return undefined;
      },
    ],
    ['core.autocrlf', 'line endings', 'warn', /core\.autocrlf/, configured('core.autocrlf', 'true')],
    [
      'files with other line endings than git keeps',
      'line endings',
      'warn',
      /1 file checked out/,
      async ({ folder }) => {
        await writeFiles(folder, { 'skills/x/SKILL.md': document('x').replaceAll('\n', '\r\n') });
        return undefined;
      },
    ],
    ['core.fileMode', 'executable bits', 'warn', /core\.fileMode/, configured('core.fileMode', 'false')],
    ['core.ignoreCase', 'letter case', 'warn', /git takes it/, configured('core.ignoreCase', 'true')],
    [
      'secrets that git tracks',
      'variables',
      'fail',
      /tracked by git/,
      async ({ folder }) => {
        await writeFiles(folder, { '.env': 'X=secret-word\n' });
        git(folder, 'add', '--force', '.env');
        return undefined;
      },
    ],
    [
      'secrets that git does not ignore',
      'variables',
      'warn',
      /not ignored/,
      async ({ folder }) => {
        await writeFiles(folder, { '.env': 'X=secret-word\n', '.gitignore': '/.skill-fleet/\n' });
        await chmod(path.join(folder, '.env'), 0o600);
        return undefined;
      },
    ],
    [
      'secrets for everybody to read',
      'variables',
      'warn',
      /every user/,
      async ({ folder }) => {
        await writeFiles(folder, { '.env': 'X=secret-word\n' });
        await chmod(path.join(folder, '.env'), 0o644);
        return undefined;
      },
    ],
    [
      'a state directory that git tracks',
      'state directory',
      'fail',
      /tracked by git/,
      async ({ folder }) => {
        await writeFiles(folder, { '.skill-fleet/bases/x.json': '{}' });
        git(folder, 'add', '--force', '.skill-fleet');
        return undefined;
      },
    ],
    [
      'a state directory that git does not ignore',
      'state directory',
      'warn',
      /not ignored/,
      into({ '.skill-fleet/bases/x.json': '{}', '.gitignore': '/.env\n' }),
    ],
    [
      'a password in the configuration file',
      'configuration file',
      'fail',
      /holds a database URL with a password, and is tracked/,
      async ({ folder }) => {
        await writeFiles(folder, { 'skill-fleet.config.yaml': '# postgres://ana:secret-word@h/d\n' });
        commitAll(folder);
        return undefined;
      },
    ],
    [
      'the same, in a file that git does not have',
      'configuration file',
      'warn',
      /with a password$/,
      into({ 'skill-fleet.config.yaml': '# postgres://ana:secret-word@h/d\n' }),
    ],
  ];
  const all = Object.entries({
    Configuration: configuration,
    Database: database,
    'Skills directory': skills,
    Git: ofGit,
  }).flatMap(([group, cases]) => cases.map((one) => [group, ...one] as const));

  function migrated(statements: string) {
    return async ({ run }: Project) => {
      const DATABASE_URL = await databaseUrl('postgres');
      expect((await run(['migrate'], { DATABASE_URL })).code).toBe(0);
      await sql(DATABASE_URL, statements);
      return { env: { DATABASE_URL } };
    };
  }

  function configured(name: string, value: string) {
    return async ({ folder }: Project) => {
      git(folder, 'config', name, value);
      return undefined;
    };
  }

  test.each(all)('%s: %s', async (group, _, name, outcome, found, breaks) => {
    const project = await healthyProject();
    const { env, args } = (await breaks(project)) ?? {};
    const before = await photographOf(path.join(project.folder, 'skills'));
    const { code, checks, of } = await diagnose(project, env, args);
    expect(of(`${group}/${name}`)).toMatchObject({ outcome, found: expect.stringMatching(found) });
    expect(code).toBe(checks.some((check) => check.outcome === 'fail') ? 1 : 0);
    expect(new Set(checks.map((check) => check.group)).size).toBe(4);
    expect(JSON.stringify(checks)).not.toContain('secret-word');
    expect(await photographOf(path.join(project.folder, 'skills'))).toEqual(before);
    // A remedy that is a command does what it says, as it stands there.
    const remedy = of(`${group}/${name}`).remedy ?? '';
    if (!/^(rm|chmod|echo|git .*(init|config|--unshallow|rm))\b/.test(remedy)) return;
    await promisify(execFile)('bash', ['-c', remedy], {
      cwd: project.folder,
      env: personEnvironment({ GIT_CONFIG_GLOBAL: '/dev/null' }),
    });
    if (!/ init$/.test(remedy)) {
      expect((await diagnose(project, env, args)).of(`${group}/${name}`).outcome).not.toBe(outcome);
    }
  });

  test.skipIf(process.getuid?.() !== 0)('Git: a repository of another user (as root)', async () => {
    const project = await healthyProject();
    for (const name of ['', '.git']) await chown(path.join(project.folder, name), 65_534, 65_534);
    const { of } = await diagnose(project);
    expect(of('Git/repository')).toMatchObject({
      outcome: 'warn',
      found: expect.stringContaining('belongs to another user'),
      remedy: `git config --global --add safe.directory ${project.folder}`,
    });
  });
});

test('what hangs on a broken file is skipped, and not taken for the default', async () => {
  const project = await healthyProject();
  await writeFiles(project.folder, {
    '.env': Buffer.from([0xff]),
    'skill-fleet.config.yaml': 'skillsDirectory: [',
  });
  const silent = await diagnose(project);
  for (const key of ['Configuration/database', 'Configuration/skills directory', 'Configuration/limits']) {
    expect(silent.of(key).outcome, key).toBe('skip');
  }
  expect(silent.of('Database/connection').outcome).toBe('skip');
  expect(silent.of('Skills directory/folder').outcome).toBe('skip');
  const DATABASE_URL = await databaseUrl('postgres');
  const told = await diagnose(project, { DATABASE_URL }, ['--skills-dir', 'skills']);
  expect(told.of('Database/connection').outcome).toBe('pass');
  expect(told.of('Skills directory/folder').outcome).toBe('pass');
  expect(told.code).toBe(1);
});

test('each value is told with its source', async () => {
  const project = await healthyProject();
  await mkdir(path.join(project.folder, 'mine'));
  await writeFiles(project.folder, {
    '.env': 'SKILLS_DIR=others\n',
    'skill-fleet.config.yaml':
      'skillsDirectory: third\nignore: [a, b]\nlimits: {fileBytes: 5}\nhealth: {maxAge: 7d}\ntaxonomy: {mapping: [{glob: x, category: y}]}\nvalidation: {target: codex, export: error, rules: {name-format: off}, overrides: [{paths: [a], rules: {}}]}\n',
  });
  const DATABASE_URL = `${await databaseUrl('postgres')}?connect_timeout=7`;
  const { of } = await diagnose(project, { DATABASE_URL }, ['--skills-dir', 'mine', '--lock-timeout', '3']);
  const found = (name: string) => of(`Configuration/${name}`).found;
  expect(found('skills directory')).toMatch(
    /mine \(from --skills-dir\); .*\.env and .*skill-fleet\.config\.yaml say something else/,
  );
  expect(of('Configuration/skills directory').outcome).toBe('pass');
  expect(found('database')).toMatch(
    /^\S+ at 127\.0\.0\.1:\d+ \(from DATABASE_URL in the environment\)$|localhost/,
  );
  expect(found('ignore patterns')).toMatch(/^2 patterns \(from .*config\.yaml\)$/);
  expect(found('limits')).toMatch(/fileBytes 5, .*by default.* \(from .*config\.yaml\)$/);
  expect(found('taxonomy mapping')).toMatch(/^1 rule \(from/);
  expect(found('validation')).toMatch(
    /^target codex, export error, 1 rule set, 1 override \(from .*config\.yaml\)$/,
  );
  expect(found('health.maxAge')).toMatch(/^7d \(from/);
  expect(found('connect timeout')).toBe('7 s (from the URL in DATABASE_URL in the environment)');
  expect(found('lock timeout')).toBe('3 s (from --lock-timeout)');
});

test('of the rules of validate it tells what is set, and of one that does not exist the nearest', async () => {
  const project = await healthyProject();
  const DATABASE_URL = await databaseUrl('postgres');
  const check = async (validation: string) => {
    await writeFiles(project.folder, { 'skill-fleet.config.yaml': `validation: ${validation}\n` });
    const { of } = await diagnose(project, { DATABASE_URL });
    return of;
  };
  const silent = await check('{}');
  expect(silent('Configuration/validation')).toMatchObject({
    outcome: 'pass',
    found: 'target spec, in an export skill-fleet, export warn, 0 rules set (the default)',
  });
  const misspelt = await check('{rules: {name-formt: off}}');
  expect(misspelt('Configuration/configuration file')).toMatchObject({
    outcome: 'fail',
    found: expect.stringMatching(/:1: .*name-formt: there is no such rule; perhaps name-format is meant/),
  });
  expect(misspelt('Configuration/validation').outcome).toBe('skip');
});

test('--quiet shows what is not well, and what to do; nothing else', async () => {
  const project = await healthyProject();
  git(project.folder, 'config', 'core.fileMode', 'false');
  const env = { GIT_CONFIG_GLOBAL: '/dev/null' };
  const { stdout, code } = await project.run(['doctor', '--quiet'], env);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Git\n {2}warn {2}executable bits +core\.fileMode is false.*\n {8}git -C .*\n\n\d+ passed, 1 warning, 0 failed, \d+ skipped\n$/,
  );
  const coloured = await project.run(['doctor', '--quiet'], { ...env, NO_COLOR: '', FORCE_COLOR: '1' });
  expect(coloured.stdout).toContain('\u001b[33mwarn\u001b[39m');
});

describe('a password is in nothing that it prints', () => {
  const secret = 's3cr3t-W0rd';
  test.each([
    `postgres://ana:${secret}@127.0.0.1:1/x`,
    `postgres://ana:${secret}/1@127.0.0.1/x`,
    `postgres://ana:12?${secret}@127.0.0.1/x`,
    `postgres://:${secret}@127.0.0.1:1/x?connect_timeout=1`,
    `postgres://127.0.0.1:1/x?password=${secret}`,
    `postgres://127.0.0.1:1/x?sslpassword=${secret}&sslmode=require`,
    `postgres://127.0.0.1:1/x?${secret}`,
    `ana:${secret}@127.0.0.1/x`,
    `pglite://ana:${secret}@127.0.0.1/x`,
  ])('%s', async (url) => {
    const project = await healthyProject();
    await writeFiles(project.folder, {
      '.env': `DATABASE_URL=postgres://eve:${secret}@h/d\n`,
      'skill-fleet.config.yaml': `database: postgres://eve:${secret}@h/d\n`,
    });
    for (const args of [['--verbose'], ['--json', '--database-url', url]]) {
      const ran = await project.run(['doctor', '--connect-timeout', '0', ...args], { DATABASE_URL: url });
      expect(ran.code).toBe(1);
      expect(ran.stdout).not.toBe('');
      expect(ran.stdout + ran.stderr).not.toContain(secret);
    }
  });

  test('where the login succeeds', async () => {
    const project = await healthyProject();
    const DATABASE_URL = await databaseUrl('postgres');
    const password = decodeURIComponent(new URL(DATABASE_URL).password);
    const role = `doctored_${Date.now().toString(36)}`;
    await sql(DATABASE_URL, `create role ${role} login password '${secret}'`);
    try {
      const url = Object.assign(new URL(DATABASE_URL), { username: role, password: secret }).href;
      for (const args of [[], ['--json']]) {
        const ran = await project.run(['doctor', ...args], { DATABASE_URL: url });
        expect(ran.code).toBe(0);
        expect(ran.stdout).toContain(role);
        expect(ran.stdout + ran.stderr).not.toContain(secret);
      }
      expect(password).not.toBe(secret);
    } finally {
      await sql(DATABASE_URL, `drop role ${role}`);
    }
  });
});

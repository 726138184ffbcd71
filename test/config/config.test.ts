import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'dotenv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Config, type ConfigFlags, loadConfig } from '../../src/config/config.ts';
import { type Problem, sentenceOf } from '../../src/problem.ts';

/** The project root, and the folder within it where the run starts. */
let root: string;
let cwd: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'skill-fleet-config-')));
  cwd = join(root, 'below');
  await mkdir(join(root, '.git'));
  await mkdir(cwd);
});
afterEach(() => rm(root, { recursive: true }));

/** Files by their paths from the project root. */
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

async function load(flags: ConfigFlags = {}, env: Record<string, string> = {}): Promise<Config> {
  const loaded = await loadConfig({ flags, env, cwd });
  if (!loaded.ok) throw new Error(sentenceOf(loaded.problem).what);
  return loaded.value;
}

async function problem(flags: ConfigFlags = {}, env: Record<string, string> = {}): Promise<Problem> {
  const loaded = await loadConfig({ flags, env, cwd });
  if (loaded.ok) throw new Error(`accepted: ${JSON.stringify(loaded.value)}`);
  return loaded.problem;
}

const silence = { kind: 'default', name: 'default' };

test('with nothing said, everything has its default', async () => {
  expect(await load()).toEqual({
    projectRoot: root,
    stateDirectory: join(root, '.skill-fleet'),
    skillsDirectory: join(root, 'skills'),
    database: {
      kind: 'embedded',
      directory: join(root, '.skill-fleet', 'db'),
      chosen: 'default',
      source: silence,
    },
    ignore: [],
    limits: {},
    health: {},
    taxonomy: { mapping: [] },
    validation: { rules: {}, overrides: [] },
    sources: {
      skillsDirectory: silence,
      ignore: silence,
      limits: silence,
      taxonomy: silence,
      health: silence,
    },
  });
});

describe('the database', () => {
  /** The levels, each stronger than the one before it. */
  const levels = [
    { source: () => ({ kind: 'env-file', name: join(root, '.env') }), url: 'postgres://env-file' },
    { source: () => ({ kind: 'environment', name: 'DATABASE_URL' }), url: 'postgres://environment' },
    { source: () => ({ kind: 'flag', name: '--database-url' }), url: 'postgres://flag' },
  ];

  test.each([0, 1, 2])('is what level %i says, over those below it', async (top) => {
    const [envFile, environment, flag] = levels.map(({ url }, level) => (level <= top ? url : undefined));
    await write({ '.env': `DATABASE_URL=${envFile}` });
    const { database } = await load(
      { databaseUrl: flag },
      environment === undefined ? {} : { DATABASE_URL: environment },
    );
    expect(database).toEqual({ kind: 'postgres', url: levels[top]?.url, source: levels[top]?.source() });
  });

  test('is not what a blank variable says', async () => {
    await write({ '.env': 'DATABASE_URL=postgres://env-file' });
    expect((await load({}, { DATABASE_URL: ' ' })).database).toMatchObject({ url: 'postgres://env-file' });
    await write({ '.env': 'DATABASE_URL=' });
    expect((await load({}, { DATABASE_URL: '' })).database).toMatchObject({ chosen: 'default' });
  });

  test('is named without the spaces around it', async () => {
    const { database } = await load({}, { DATABASE_URL: ' postgres://host/db\n' });
    expect(database).toMatchObject({ url: 'postgres://host/db' });
  });

  test.each([
    ['a flag', () => cwd, { databaseUrl: 'pglite:db' }, {}, ''],
    ['the environment', () => cwd, {}, { DATABASE_URL: 'pglite:db' }, ''],
    ['.env', () => root, {}, {}, 'DATABASE_URL=pglite:db'],
  ])('in a folder that %s names is relative to the right place', async (_who, folder, flags, env, text) => {
    await write({ '.env': text });
    expect((await load(flags, env)).database).toMatchObject({
      kind: 'embedded',
      directory: join(folder(), 'db'),
    });
  });

  test('in a folder that an --env-file names is relative to the project root', async () => {
    await write({ 'below/deep/prod.env': 'DATABASE_URL=pglite:db\nSKILLS_DIR=library' });
    const { database, skillsDirectory, sources } = await load({ envFile: 'deep/prod.env' });
    const source = { kind: 'env-file', name: join(cwd, 'deep', 'prod.env') };
    expect(database).toEqual({ kind: 'embedded', directory: join(root, 'db'), chosen: 'url', source });
    expect(skillsDirectory).toBe(join(root, 'library'));
    expect(sources.skillsDirectory).toEqual(source);
  });

  test.each(['true', '1', 'yes', 'True'])('must be named under CI=%s', async (CI) => {
    const found = await problem({}, { CI });
    expect(sentenceOf(found).what).toContain('DATABASE_URL not set');
    expect((await load({ databaseUrl: 'pglite:db' }, { CI })).database.kind).toBe('embedded');
    await write({ '.env': 'DATABASE_URL=pglite:db' });
    expect((await load({}, { CI })).database.kind).toBe('embedded');
  });

  test.each(['', '0', 'false', 'FALSE'])('need not be named under CI=%s', async (CI) => {
    expect((await load({}, { CI })).database).toMatchObject({ chosen: 'default' });
  });

  test('need not be named where only .env says CI', async () => {
    await write({ '.env': 'CI=true' });
    expect((await load()).database).toMatchObject({ chosen: 'default' });
  });

  test('of an unknown kind is a problem that names its source', async () => {
    await write({ '.env': 'DATABASE_URL=mysql://user:secret@host/db' });
    const { what } = sentenceOf(await problem());
    expect(what).toContain(`${join(root, '.env')} begins with "mysql://"`);
    expect(what).not.toContain('secret');
  });
});

describe('the skills directory', () => {
  const file = { 'skill-fleet.config.yaml': 'skillsDirectory: from-file' };
  const env = { '.env': 'SKILLS_DIR=from-env-file' };

  test('is what the configuration file says, relative to that file', async () => {
    await write(file);
    const { skillsDirectory, sources } = await load();
    expect(skillsDirectory).toBe(join(root, 'from-file'));
    expect(sources.skillsDirectory).toEqual({
      kind: 'configuration',
      name: join(root, 'skill-fleet.config.yaml'),
    });
    await write({ 'other/config.json': '{"skillsDirectory": "../from-other"}' });
    expect((await load({ config: '../other/config.json' })).skillsDirectory).toBe(join(root, 'from-other'));
  });

  test('is what .env says before the file, relative to the project root', async () => {
    await write({ ...file, ...env });
    const { skillsDirectory, sources } = await load();
    expect(skillsDirectory).toBe(join(root, 'from-env-file'));
    expect(sources.skillsDirectory).toEqual({ kind: 'env-file', name: join(root, '.env') });
  });

  test('is what the environment says before .env, relative to the working directory', async () => {
    await write({ ...file, ...env });
    const { skillsDirectory, sources } = await load({}, { SKILLS_DIR: 'from-env' });
    expect(skillsDirectory).toBe(join(cwd, 'from-env'));
    expect(sources.skillsDirectory).toEqual({ kind: 'environment', name: 'SKILLS_DIR' });
  });

  test('is what the flag says before all others, relative to the working directory', async () => {
    await write({ ...file, ...env });
    const { skillsDirectory, sources } = await load(
      { skillsDir: '../from-flag' },
      { SKILLS_DIR: 'from-env' },
    );
    expect(skillsDirectory).toBe(join(root, 'from-flag'));
    expect(sources.skillsDirectory).toEqual({ kind: 'flag', name: '--skills-dir' });
    expect((await load({ skillsDir: join(root, 'absolute') })).skillsDirectory).toBe(join(root, 'absolute'));
  });

  test('is by default that of the working directory, where it has one', async () => {
    await write({ 'skills/x/SKILL.md': '', 'below/skills/y/SKILL.md': '' });
    expect((await load()).skillsDirectory).toBe(join(cwd, 'skills'));
  });
});

describe('the configuration file', () => {
  const text = JSON.stringify({
    ignore: ['drafts/'],
    limits: { fileBytes: 1000 },
    taxonomy: { mapping: [{ glob: 'a/**', category: 'data/ml' }] },
  });

  test.each(['skill-fleet.config.yaml', 'skill-fleet.config.yml', 'skill-fleet.config.json'])(
    'is %s in the project root',
    async (name) => {
      await write({ [name]: text });
      const source = { kind: 'configuration', name: join(root, name) };
      expect(await load()).toMatchObject({
        ...JSON.parse(text),
        sources: { ignore: source, limits: source, taxonomy: source },
      });
    },
  );

  test('is the one that --config names, instead of that in the project root', async () => {
    await write({ 'skill-fleet.config.yaml': 'ignore: [a]', 'below/mine.yaml': 'ignore: [b]' });
    const { ignore, projectRoot } = await load({ config: 'mine.yaml' });
    expect(ignore).toEqual(['b']);
    expect(projectRoot).toBe(root);
  });

  test('must be one', async () => {
    await write({ 'skill-fleet.config.yaml': '', 'skill-fleet.config.json': '{}' });
    expect(await problem()).toEqual({
      reason: 'configuration-ambiguous',
      files: [join(root, 'skill-fleet.config.yaml'), join(root, 'skill-fleet.config.json')],
    });
    expect((await load({ config: '../skill-fleet.config.json' })).ignore).toEqual([]);
  });

  test('with a mistake is a problem that names file, line and key', async () => {
    await write({ 'skill-fleet.config.yaml': '# mine\nignored: []\n' });
    const file = join(root, 'skill-fleet.config.yaml');
    expect(sentenceOf(await problem()).what).toBe(`${file}:2: ignored: there is no such setting`);
  });
});

describe('a problem', () => {
  test.each<[flag: keyof ConfigFlags, name: string]>([
    ['envFile', 'prod.env'],
    ['config', 'config.yaml'],
  ])('is that the file of %s is missing', async (flag, name) => {
    expect(await problem({ [flag]: name })).toEqual({
      reason: 'configuration-unreadable',
      file: join(cwd, name),
      why: 'there is no such file',
    });
  });

  test.each(['.env', 'skill-fleet.config.yaml'])('is that %s cannot be read', async (name) => {
    await mkdir(join(root, name));
    expect(await problem()).toMatchObject({ reason: 'configuration-unreadable', why: 'EISDIR' });
  });

  test.each<[flag: keyof ConfigFlags, option: string]>([
    ['skillsDir', '--skills-dir'],
    ['databaseUrl', '--database-url'],
    ['envFile', '--env-file'],
    ['config', '--config'],
  ])('is that %s is empty', async (flag, option) => {
    expect(await problem({ [flag]: ' ' })).toEqual({ reason: 'option-empty', option });
  });
});

describe('.env', () => {
  test('is read as other tools read it', async () => {
    const url = 'postgres://user:p#w@host/db';
    for (const line of [
      `export DATABASE_URL="${url}" # mine`,
      `\r\n# mine\r\nDATABASE_URL='${url}'\r\n`,
      `DATABASE_URL = "${url}"`,
      `\ufeffDATABASE_URL=\`${url}\``,
    ]) {
      await write({ '.env': line });
      expect((await load()).database).toMatchObject({ url });
    }
  });

  test('takes no quadratic time', async () => {
    await write({ '.env': `${'\n'.repeat(100_000)}=\nDATABASE_URL=postgres://host/db` });
    expect((await load()).database).toMatchObject({ url: 'postgres://host/db' });
  });

  test('does not enter the environment of this process', async () => {
    await write({ '.env': 'SKILL_FLEET_TEST_VARIABLE=1\nDATABASE_URL=postgres://env-file' });
    const before = { ...process.env };
    await load();
    expect(process.env).toEqual(before);
  });

  test('has an example that names every variable, no server and no secret', async () => {
    const example = parse(await readFile(new URL('../../.env.example', import.meta.url)));
    expect(example).toEqual({ DATABASE_URL: 'pglite:.skill-fleet/db', SKILLS_DIR: 'skills' });
    await write({ '.env': await readFile(new URL('../../.env.example', import.meta.url), 'utf8') });
    const { database, skillsDirectory } = await load();
    expect(database).toMatchObject({ directory: join(root, '.skill-fleet', 'db') });
    expect(skillsDirectory).toBe(join(root, 'skills'));
  });
});

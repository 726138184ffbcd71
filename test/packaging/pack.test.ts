// The package as npm has it: what is in it, and that it works where it is installed.

import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { personEnvironment, projectRoot, type Ran, runProcess } from '../acceptance/cli.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** All that the package holds. */
const expected: readonly RegExp[] = [
  /^package\.json$/,
  /^(README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/,
  /^dist\/[a-z][\w-]*\.js$/,
  /^dist\/types\/(api|error|options|reports)\.d\.ts$/,
  /^dist\/(LICENSES\.md|new-database\.tar\.gz)$/,
  /^migrations\/\d{4}_\w+\.sql$/,
  /^docs\/([a-z]+\/)?[\w-]+\.md$/,
  /^docs\/reference\/(output|plan)\.schema\.json$/,
  /^docs\/examples\/github\/[\w-]+\.yml$/,
  /^docs\/pictures\/\w+\.svg$/,
];

/** What somebody meant to keep, and what shows where it was built. */
const unwanted = [
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /sourceMappingURL=/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /\bgh[ops]_[A-Za-z0-9]{36}\b/,
  /\bAKIA[0-9A-Z]{16}\b/,
  new RegExp(projectRoot.replaceAll('.', '\\.')),
];

const kilobyte = 1024;

/** Scripts that npm runs where a package is installed. */
const installScripts = ['preinstall', 'install', 'postinstall', 'prepublish'];

const embedded = path.join(projectRoot, 'node_modules/@electric-sql/pglite');

let folder: string;
let packed: Packed;
let tarball: string;
/** A project that has the package as a dependency. */
let project: string;

async function done(ran: Promise<Ran>): Promise<Ran> {
  const { code, stdout, stderr } = await ran;
  if (code !== 0) throw new Error(`${stdout}${stderr}`);
  return { code, stdout, stderr };
}

const npm = (cwd: string, ...args: readonly string[]) =>
  done(
    runProcess('npm', ['--no-audit', '--no-fund', '--no-update-notifier', ...args], {
      cwd,
      env: personEnvironment({ npm_config_cache: path.join(folder, 'cache') }),
    }),
  );

async function newProject(name: string): Promise<string> {
  const made = path.join(folder, name);
  await writeFiles(made, {
    'package.json': JSON.stringify({ name, private: true, type: 'module' }),
    'skills/a/SKILL.md': document('a', 'Text.\n'),
  });
  return made;
}

async function packageAt(place: string): Promise<{ readonly [field: string]: unknown }> {
  return JSON.parse(await readFile(path.join(place, 'package.json'), 'utf8'));
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'skill-fleet-package-')));
  // It is built already, and others run it meanwhile.
  const { stdout } = await npm(
    projectRoot,
    'pack',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    folder,
  );
  packed = JSON.parse(stdout)[0];
  tarball = path.join(folder, packed.filename);
  project = await newProject('project');
  // Nothing is asked of a registry: the one dependency is linked.
  await npm(project, 'install', '--save-dev', '--offline', '--ignore-scripts', tarball, embedded);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the package', () => {
  test('holds what is expected, all of it, and only the program can be run', () => {
    const files = packed.files.map((file) => file.path);
    expect(files.filter((file) => !expected.some((pattern) => pattern.test(file)))).toEqual([]);
    expect(expected.filter((pattern) => !files.some((file) => pattern.test(file)))).toEqual([]);
    const runnable = packed.files.filter(({ mode }) => (mode & 0o111) !== 0);
    expect(runnable.map((file) => file.path)).toEqual(['dist/cli.js']);
  });

  test('is small', () => {
    // Of which a new embedded database takes 4.5 MB.
    expect(packed.size).toBeLessThan(5800 * kilobyte);
    expect(packed.unpackedSize).toBeLessThan(9000 * kilobyte);
  });

  test('holds no secret, no map of the sources, and no path of where it was built', async () => {
    const installed = path.join(project, 'node_modules/skill-fleet');
    for (const { path: file } of packed.files) {
      const text = await readFile(path.join(installed, file), 'utf8');
      expect({ file, found: unwanted.filter((pattern) => pattern.test(text)) }).toEqual({ file, found: [] });
    }
  });

  test('runs nothing where it is installed, nor does what it brings', async () => {
    const lock = JSON.parse(await readFile(path.join(project, 'package-lock.json'), 'utf8'));
    const places = Object.keys(lock.packages).filter((place) => place.startsWith('node_modules/'));
    expect(places.sort()).toEqual(['node_modules/@electric-sql/pglite', 'node_modules/skill-fleet']);
    for (const place of places) {
      const { scripts = {} } = await packageAt(path.join(project, place));
      const run = Object.keys(scripts as object).filter((name) => installScripts.includes(name));
      expect({ place, run }).toEqual({ place, run: [] });
    }
  });

  test('leads to what is there, and says how it is published', async () => {
    const { exports, bin, publishConfig, ...fields } = await packageAt(projectRoot);
    const named = Object.values(exports as object).flatMap((one) =>
      typeof one === 'string' ? one : Object.values(one as object),
    );
    const files = packed.files.map((file) => `./${file.path}`);
    for (const file of named) expect(files).toContain(file);
    for (const file of Object.values(bin as object)) expect(files).toContain(`./${file}`);
    expect(publishConfig).toEqual({ access: 'public', provenance: true });
    for (const field of ['name', 'version', 'description', 'license', 'engines', 'keywords']) {
      expect(fields).toHaveProperty(field);
    }
  });
});

describe('where it is installed', () => {
  test('npx runs it, and it syncs with the embedded database', async () => {
    const { version } = await packageAt(projectRoot);
    const { stdout } = await npm(project, 'exec', '--offline', '--no', '--', 'skill-fleet', '--version');
    expect(stdout.trim()).toBe(version);
    const program = path.join(project, 'node_modules/.bin/skill-fleet');
    const synced = await done(runProcess(program, ['sync-db', '--json'], { cwd: project }));
    expect(JSON.parse(synced.stdout)).toMatchObject({ summary: { done: 1 }, exitCode: 0 });
  });

  test('the page of the library says what it does, its schemas are there, and nothing else of it is', async () => {
    const page = await readFile(path.join(projectRoot, 'docs/reference/api.md'), 'utf8');
    const [, example = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
    await writeFiles(project, {
      'program.js': `${example.replaceAll('/srv/library', project)}
        import output from 'skill-fleet/output.schema.json' with { type: 'json' };
        import saved from 'skill-fleet/plan.schema.json' with { type: 'json' };
        const inside = await import('skill-fleet/dist/cli.js').catch(({ code }) => code);
        console.log(JSON.stringify([findings.length, inside, typeof output.title, typeof saved.title]));
      `,
    });
    const { stdout, stderr } = await done(
      runProcess(process.execPath, ['--no-warnings', 'program.js'], { cwd: project }),
    );
    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: ['a About a. 6', '[1,"ERR_PACKAGE_PATH_NOT_EXPORTED","string","string"]'],
      stderr: '',
    });
  });

  test('it names the licences of all that is bundled', async () => {
    const installed = path.join(project, 'node_modules/skill-fleet');
    const licenses = await readFile(path.join(installed, 'dist/LICENSES.md'), 'utf8');
    const { dependencies } = await packageAt(installed);
    expect(Object.keys(dependencies as object)).toEqual(['@electric-sql/pglite']);
    for (const name of ['pg', 'yaml', 'zod', 'commander'])
      expect(licenses).toMatch(new RegExp(`^# ${name} \\d`, 'm'));
    // All else is Node's own, or stands beside it.
    const imported = new Set<string>();
    for (const file of (await readdir(path.join(installed, 'dist'))).filter((name) => name.endsWith('.js'))) {
      const text = await readFile(path.join(installed, 'dist', file), 'utf8');
      const names = text.matchAll(/(?:^import\b[^"'\n]*|\bimport\()["']([@\w][^"']*)["']/gm);
      for (const [, name = ''] of names) if (!isBuiltin(name)) imported.add(name);
    }
    expect([...imported].sort()).toEqual(['@electric-sql/pglite', '@electric-sql/pglite/node-postgres']);
  });
});

/** With packages from the registry, in a cache of its own: DOWNLOADS=1. */
describe.skipIf(!process.env['DOWNLOADS'])('from the registry (DOWNLOADS=1)', () => {
  test('it is installed beside its one dependency, with scripts and without', async () => {
    for (const more of [[], ['--ignore-scripts']]) {
      const fresh = await newProject(`fresh${more.length}`);
      await npm(fresh, 'install', ...more, tarball);
      const ran = await npm(fresh, 'exec', '--no', '--', 'skill-fleet', 'sync-db', '--json');
      expect(JSON.parse(ran.stdout)).toMatchObject({ summary: { done: 1 }, exitCode: 0 });
      const lock = await readFile(path.join(fresh, 'package-lock.json'), 'utf8');
      expect(lock).not.toContain('hasInstallScript');
    }
  });

  test('it is installed for all projects, and run without being installed', async () => {
    const fresh = await newProject('global');
    await npm(fresh, 'install', '--global', '--prefix', path.join(folder, 'prefix'), tarball);
    const program = path.join(folder, 'prefix/bin/skill-fleet');
    expect((await done(runProcess(program, ['validate'], { cwd: fresh }))).stdout).toContain('1 skill');
    const ran = await npm(fresh, 'exec', '--yes', `--package=${tarball}`, '--', 'skill-fleet', 'validate');
    expect(ran.stdout).toContain('1 skill');
  });
});

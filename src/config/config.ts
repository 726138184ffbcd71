// The one checked configuration of a run. Flags come before the environment, this before `.env`, this before
// the configuration file, this before the defaults.

import { dirname, join, resolve } from 'node:path';
import { type Outcome, refuse } from '../problem.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import { type DatabaseChoice, parseDatabaseUrl, type Source } from './database-url.ts';
import { configurationNames, findProjectRoot, isThere } from './project-root.ts';
import { readSmallFile } from './small-file.ts';

/** What every command needs to know. Paths are absolute. */
export interface Config {
  readonly projectRoot: string;
  /** Bases, stat cache, trash and the embedded database: `.skill-fleet` in the project root. */
  readonly stateDirectory: string;
  /** It need not exist. */
  readonly skillsDirectory: string;
  readonly database: DatabaseChoice;
  /** Patterns as in a .gitignore. */
  readonly ignore: readonly string[];
  /** Only those that the configuration file sets. */
  readonly limits: ConfigurationFile['limits'];
  readonly taxonomy: ConfigurationFile['taxonomy'];
  /** `maxAge` is how long ago, as 7d, 12h or 30m. */
  readonly health: ConfigurationFile['health'];
  /** Where each value came from; that of the database stands with it. */
  readonly sources: Readonly<Record<'skillsDirectory' | keyof Settings, Source>>;
}

type Settings = Pick<ConfigurationFile, 'ignore' | 'limits' | 'taxonomy' | 'health'>;

/** The global flags that say what to work on, as the command line gives them. */
export interface ConfigFlags {
  readonly skillsDir?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly envFile?: string | undefined;
  readonly config?: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** A text that somebody set, the folder that it is relative to, and who that was. */
interface Setting {
  readonly text: string;
  readonly folder: string;
  readonly source: Source;
}

interface Surroundings {
  readonly flags: ConfigFlags;
  readonly env: Variables;
  readonly cwd: string;
  readonly projectRoot: string;
  readonly envFile: { readonly path: string; readonly variables: Variables };
  readonly file: { readonly path: string; readonly content: ConfigurationFile } | undefined;
}

const options = {
  skillsDir: '--skills-dir',
  databaseUrl: '--database-url',
  envFile: '--env-file',
  config: '--config',
} satisfies Record<keyof ConfigFlags, string>;

const silent: Settings = { ignore: [], limits: {}, taxonomy: { mapping: [] }, health: {} };
const byDefault: Source = { kind: 'default', name: 'default' };

function emptyOption(flags: ConfigFlags): string | undefined {
  const empty = (Object.keys(options) as (keyof ConfigFlags)[]).find((flag) => flags[flag]?.trim() === '');
  return empty === undefined ? undefined : options[empty];
}

/**
 * What a flag, the environment or `.env` say. What a person types is relative to where they are; `.env` and
 * an `--env-file` speak of the project, wherever they stand. A blank variable is one that is not set, as CI
 * systems hand out a secret that does not exist.
 */
function settingOf(
  flag: 'skillsDir' | 'databaseUrl',
  variable: string,
  { flags, env, cwd, projectRoot, envFile }: Surroundings,
): Setting | undefined {
  const candidates: readonly (readonly [string | undefined, string, Source])[] = [
    [flags[flag], cwd, { kind: 'flag', name: options[flag] }],
    [env[variable], cwd, { kind: 'environment', name: variable }],
    [envFile.variables[variable], projectRoot, { kind: 'env-file', name: envFile.path }],
  ];
  for (const [value, folder, source] of candidates) {
    const text = value?.trim();
    if (text) return { text, folder, source };
  }
  return undefined;
}

/** The default is `skills` where one stands in the working directory, else that of the project root. */
async function findSkillsDirectory(around: Surroundings): Promise<readonly [string, Source]> {
  const setting = settingOf('skillsDir', 'SKILLS_DIR', around);
  if (setting !== undefined) return [resolve(setting.folder, setting.text), setting.source];
  const { cwd, projectRoot, file } = around;
  const configured = file?.content.skillsDirectory;
  if (file !== undefined && configured !== undefined) {
    return [resolve(dirname(file.path), configured), { kind: 'configuration', name: file.path }];
  }
  const here = resolve(cwd, 'skills');
  return [(await isThere(here)) ? here : join(projectRoot, 'skills'), byDefault];
}

/** Whether this is a CI system's job: `CI` set to anything but nothing, 0 or false. */
function isCi(env: Variables): boolean {
  return !['', '0', 'false'].includes(env['CI']?.trim().toLowerCase() ?? '');
}

function chooseDatabase(around: Surroundings, stateDirectory: string): Outcome<DatabaseChoice> {
  const setting = settingOf('databaseUrl', 'DATABASE_URL', around);
  if (setting !== undefined) return parseDatabaseUrl(setting.text, setting.folder, setting.source);
  if (isCi(around.env)) {
    return refuse({
      reason: 'database-url-not-set',
      why: 'CI is set, and the embedded database would end with this job',
    });
  }
  const directory = join(stateDirectory, 'db');
  return { ok: true, value: { kind: 'embedded', directory, chosen: 'default', source: byDefault } };
}

/** `.env` in the project root may be missing, a file that was named may not. Nothing enters process.env. */
async function readEnvFile(
  { envFile }: ConfigFlags,
  cwd: string,
  projectRoot: string,
): Promise<Outcome<Surroundings['envFile']>> {
  const path = envFile === undefined ? join(projectRoot, '.env') : resolve(cwd, envFile);
  const read = await readSmallFile(path);
  if (!read.ok) return read;
  if (read.value === undefined) {
    return envFile === undefined
      ? { ok: true, value: { path, variables: {} } }
      : refuse({ reason: 'configuration-unreadable', file: path, why: 'there is no such file' });
  }
  const { parse } = await import('dotenv');
  // The default parser takes quadratic time on blank lines: 7 s for 60,000 of them.
  return { ok: true, value: { path, variables: parse(read.value, { fast: true }) } };
}

async function findConfigurationFile(
  { config }: ConfigFlags,
  cwd: string,
  projectRoot: string,
): Promise<Outcome<string | undefined>> {
  if (config !== undefined) return { ok: true, value: resolve(cwd, config) };
  const paths = configurationNames.map((name) => join(projectRoot, name));
  const there = await Promise.all(paths.map(isThere));
  const files = paths.filter((_, index) => there[index]);
  return files.length > 1
    ? refuse({ reason: 'configuration-ambiguous', files })
    : { ok: true, value: files[0] };
}

async function readConfigurationFile(path: string | undefined): Promise<Outcome<Surroundings['file']>> {
  if (path === undefined) return { ok: true, value: undefined };
  const read = await readSmallFile(path);
  if (!read.ok) return read;
  if (read.value === undefined) {
    return refuse({ reason: 'configuration-unreadable', file: path, why: 'there is no such file' });
  }
  // Loaded only here: most projects have no configuration file, and the checker is slow to start.
  const { parseConfigurationFile } = await import('./configuration-file.ts');
  const parsed = parseConfigurationFile(read.value, path);
  return parsed.ok ? { ok: true, value: { path, content: parsed.value } } : parsed;
}

async function look(flags: ConfigFlags, env: Variables, cwd: string): Promise<Outcome<Surroundings>> {
  const projectRoot = await findProjectRoot(cwd);
  const envFile = await readEnvFile(flags, cwd, projectRoot);
  if (!envFile.ok) return envFile;
  const found = await findConfigurationFile(flags, cwd, projectRoot);
  if (!found.ok) return found;
  const file = await readConfigurationFile(found.value);
  if (!file.ok) return file;
  return { ok: true, value: { flags, env, cwd, projectRoot, envFile: envFile.value, file: file.value } };
}

/**
 * Reads the configuration of a run started in `cwd`. Problems: `option-empty`, `configuration-unreadable`,
 * `configuration-ambiguous`, `configuration-not-valid`, `database-url-not-understood`, and under CI
 * `database-url-not-set`. Reads files, and writes nothing.
 */
export async function loadConfig(start: {
  readonly flags: ConfigFlags;
  readonly env: Variables;
  readonly cwd: string;
}): Promise<Outcome<Config>> {
  const option = emptyOption(start.flags);
  if (option !== undefined) return refuse({ reason: 'option-empty', option });
  const around = await look(start.flags, start.env, start.cwd);
  if (!around.ok) return around;
  const { projectRoot, file } = around.value;
  const stateDirectory = join(projectRoot, '.skill-fleet');
  const database = chooseDatabase(around.value, stateDirectory);
  if (!database.ok) return database;
  const [skillsDirectory, skillsSource] = await findSkillsDirectory(around.value);
  const { ignore, limits, taxonomy, health } = file?.content ?? silent;
  const fileSource: Source = file === undefined ? byDefault : { kind: 'configuration', name: file.path };
  return {
    ok: true,
    value: {
      projectRoot,
      stateDirectory,
      skillsDirectory,
      database: database.value,
      ignore,
      limits,
      taxonomy,
      health,
      sources: {
        skillsDirectory: skillsSource,
        ignore: fileSource,
        limits: fileSource,
        taxonomy: fileSource,
        health: fileSource,
      },
    },
  };
}

// The one checked configuration of a run. Flags come before the environment, this before `.env`, this before
// the configuration file, this before the defaults.

import { dirname, join, resolve } from 'node:path';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import { type DatabaseChoice, parseDatabaseUrl, type Source } from './database-url.ts';
import { configurationNames, findProjectRoot, isThere } from './project-root.ts';
import { readSmallFile } from './small-file.ts';

/** What every command needs to know. Paths are absolute. */
export interface Config {
  readonly projectRoot: string;
  /** Bases, scans, trash and the embedded database: `.skill-fleet` in the project root. */
  readonly stateDirectory: string;
  /** It need not exist. */
  readonly skillsDirectory: string;
  readonly database: DatabaseChoice;
  /** Patterns as in a .gitignore. */
  readonly ignore: readonly string[];
  /** Only those that the configuration file sets. */
  readonly limits: ConfigurationFile['limits'];
  readonly taxonomy: ConfigurationFile['taxonomy'];
  readonly validation: ConfigurationFile['validation'];
  /** `maxAge` is how long ago, as 7d, 12h or 30m. */
  readonly health: ConfigurationFile['health'];
  /** Where each value came from; that of the database stands with it. */
  readonly sources: Readonly<Record<'skillsDirectory' | Exclude<keyof Settings, 'validation'>, Source>>;
}

type Settings = Pick<ConfigurationFile, 'ignore' | 'limits' | 'taxonomy' | 'validation' | 'health'>;

/** A configuration as far as it can be told, for who has to say what is wrong with it. */
export interface ExaminedConfig {
  readonly projectRoot: string;
  readonly stateDirectory: string;
  /** The file that is read for variables; it need not stand. */
  readonly envFile: string;
  /** The configuration file; undefined where there is none, or nobody can tell which. */
  readonly file: string | undefined;
  /** Undefined where it hangs on a file that cannot be read. */
  readonly skillsDirectory: Chosen<string> | undefined;
  /** The same. */
  readonly database: Chosen<Outcome<DatabaseChoice>> | undefined;
  /** What the configuration file sets; undefined where it cannot be read. */
  readonly settings: Settings | undefined;
  /** All that is wrong, in the order in which it is found. */
  readonly problems: readonly Problem[];
}

/** A value that was chosen, and who has another one for it that does not count. */
export interface Chosen<T> {
  readonly value: T;
  readonly source: Source;
  readonly overruled: readonly Source[];
}

/** The global flags that say what to work on, as the command line gives them. */
export interface ConfigFlags {
  readonly skillsDir?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly envFile?: string | undefined;
  readonly config?: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** A text that somebody set, the folder that it is relative to, who that was, and who says something else. */
interface Setting {
  readonly text: string;
  readonly folder: string;
  readonly source: Source;
  readonly overruled: readonly Source[];
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

const silent: Settings = {
  ignore: [],
  limits: {},
  taxonomy: { mapping: [] },
  validation: { rules: {}, overrides: [] },
  health: {},
};
const byDefault: Source = { kind: 'default', name: 'default' };

function emptyOption(flags: ConfigFlags): keyof ConfigFlags | undefined {
  return (Object.keys(options) as (keyof ConfigFlags)[]).find((flag) => flags[flag]?.trim() === '');
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
  const set = candidates.flatMap(([value, folder, source]) => {
    const text = value?.trim();
    return text ? [{ text, folder, source }] : [];
  });
  const [first, ...others] = set;
  if (first === undefined) return undefined;
  const overruled = others.filter((other) => other.text !== first.text).map((other) => other.source);
  return { ...first, overruled };
}

/** The default is `skills` where one stands in the working directory, else that of the project root. */
async function findSkillsDirectory(around: Surroundings): Promise<Chosen<string>> {
  const setting = settingOf('skillsDir', 'SKILLS_DIR', around);
  const { cwd, projectRoot, file } = around;
  const configured = file?.content.skillsDirectory;
  const inFile =
    file !== undefined && configured !== undefined
      ? {
          value: resolve(dirname(file.path), configured),
          source: { kind: 'configuration', name: file.path } satisfies Source,
        }
      : undefined;
  if (setting !== undefined) {
    const value = resolve(setting.folder, setting.text);
    const loser = inFile !== undefined && inFile.value !== value ? [inFile.source] : [];
    return { value, source: setting.source, overruled: [...setting.overruled, ...loser] };
  }
  if (inFile !== undefined) return { ...inFile, overruled: [] };
  const here = resolve(cwd, 'skills');
  const value = (await isThere(here)) ? here : join(projectRoot, 'skills');
  return { value, source: byDefault, overruled: [] };
}

/** Whether this is a CI system's job: `CI` set to anything but nothing, 0 or false. */
function isCi(env: Variables): boolean {
  return !['', '0', 'false'].includes(env['CI']?.trim().toLowerCase() ?? '');
}

function chooseDatabase(around: Surroundings, stateDirectory: string): Chosen<Outcome<DatabaseChoice>> {
  const setting = settingOf('databaseUrl', 'DATABASE_URL', around);
  if (setting !== undefined) {
    const { text, folder, source, overruled } = setting;
    return { value: parseDatabaseUrl(text, folder, source), source, overruled };
  }
  const none = { source: byDefault, overruled: [] };
  if (isCi(around.env)) {
    const why = 'CI is set, and the embedded database would end with this job';
    return { ...none, value: refuse({ reason: 'database-url-not-set', why }) };
  }
  const directory = join(stateDirectory, 'db');
  const value: DatabaseChoice = { kind: 'embedded', directory, chosen: 'default', source: byDefault };
  return { ...none, value: { ok: true, value } };
}

function envFilePath(named: string | undefined, cwd: string, projectRoot: string): string {
  return named === undefined ? join(projectRoot, '.env') : resolve(cwd, named);
}

/** `.env` in the project root may be missing, a file that was named may not. Nothing enters process.env. */
async function readEnvFile(path: string, isNamed: boolean): Promise<Outcome<Surroundings['envFile']>> {
  const read = await readSmallFile(path);
  if (!read.ok) return read;
  if (read.value === undefined) {
    return isNamed
      ? refuse({ reason: 'configuration-unreadable', file: path, why: 'there is no such file' })
      : { ok: true, value: { path, variables: {} } };
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

/** Where a run starts: what it was told, and where it is. */
export interface ConfigStart {
  readonly flags: ConfigFlags;
  readonly env: Variables;
  readonly cwd: string;
  /** Whether the project's `.env` counts; it does where nobody says. */
  readonly readsEnvFile?: boolean;
}

/** Reads the configuration of a run started in `cwd`, as far as that can be done. Writes nothing. */
export async function examineConfig({
  flags: given,
  env,
  cwd,
  readsEnvFile = true,
}: ConfigStart): Promise<ExaminedConfig> {
  const empty = emptyOption(given);
  const flags = empty === undefined ? given : { ...given, [empty]: undefined };
  const projectRoot = await findProjectRoot(cwd);
  const stateDirectory = join(projectRoot, '.skill-fleet');
  const envPath = envFilePath(flags.envFile, cwd, projectRoot);
  const envFile = readsEnvFile
    ? await readEnvFile(envPath, flags.envFile !== undefined)
    : ({ ok: true, value: { path: envPath, variables: {} } } as const);
  const found = await findConfigurationFile(flags, cwd, projectRoot);
  const file = found.ok ? await readConfigurationFile(found.value) : found;
  const around: Surroundings = {
    ...{ flags, env, cwd, projectRoot },
    envFile: envFile.ok ? envFile.value : { path: envPath, variables: {} },
    file: file.ok ? file.value : undefined,
  };
  // Whoever comes before a file that cannot be read has said what counts.
  const isKnown = ({ source: { kind } }: Chosen<unknown>, ...files: readonly Outcome<unknown>[]) =>
    kind === 'flag' || kind === 'environment' || files.every((one) => one.ok);
  const database = chooseDatabase(around, stateDirectory);
  const skillsDirectory = await findSkillsDirectory(around);
  const knowsSkills = isKnown(
    skillsDirectory,
    envFile,
    skillsDirectory.source.kind === 'env-file' ? envFile : file,
  );
  const problems = [
    ...(empty === undefined ? [] : [refuse({ reason: 'option-empty', option: options[empty] })]),
    envFile,
    file,
    database.value,
  ].flatMap((one) => (one.ok ? [] : [one.problem]));
  return {
    ...{ projectRoot, stateDirectory, problems },
    envFile: envPath,
    file: found.ok ? found.value : undefined,
    database: isKnown(database, envFile) ? database : undefined,
    skillsDirectory: knowsSkills ? skillsDirectory : undefined,
    settings: file.ok ? (file.value?.content ?? silent) : undefined,
  };
}

/**
 * Reads the configuration of a run started in `cwd`. Problems: `option-empty`, `configuration-unreadable`,
 * `configuration-ambiguous`, `configuration-not-valid`, `database-url-not-understood`, and under CI
 * `database-url-not-set`. Reads files, and writes nothing.
 */
export async function loadConfig(start: ConfigStart): Promise<Outcome<Config>> {
  return configOf(await examineConfig(start));
}

/** The configuration, or the first thing that is wrong with it. */
export function configOf(examined: ExaminedConfig): Outcome<Config> {
  const { projectRoot, stateDirectory, skillsDirectory, database, settings, file, problems } = examined;
  const [problem] = problems;
  if (problem !== undefined) return refuse(problem);
  if (!(skillsDirectory && database?.value.ok && settings))
    throw new Error('nothing is wrong, and something is missing');
  const { ignore, limits, taxonomy, validation, health } = settings;
  const fileSource: Source = file === undefined ? byDefault : { kind: 'configuration', name: file };
  return {
    ok: true,
    value: {
      ...{ projectRoot, stateDirectory, ignore, limits, taxonomy, validation, health },
      skillsDirectory: skillsDirectory.value,
      database: database.value.value,
      sources: {
        skillsDirectory: skillsDirectory.source,
        ignore: fileSource,
        limits: fileSource,
        taxonomy: fileSource,
        health: fileSource,
      },
    },
  };
}

// What the doctor says of the configuration: each value, and who said it.

import type { ExaminedConfig } from '../config/config.ts';
import type { DatabaseChoice, Source } from '../config/database-url.ts';
import { isThere } from '../config/project-root.ts';
import { defaultLimits } from '../directory/limits.ts';
import { type Problem, sentenceOf } from '../problem.ts';
import { counted } from '../report/counted.ts';
import type { Check } from '../report/doctor-text.ts';
import { defaultConnectMs } from '../repository/server.ts';
import { readServerAddress } from '../repository/server-address.ts';
import { describeDatabase } from '../repository/sqlstate.ts';
import { userName } from '../user.ts';
import type { GlobalFlags } from './command.ts';

type Found = Omit<Check, 'group' | 'name'>;

/** What a problem is as something found. */
export function failure(problem: Problem, outcome: 'fail' | 'warn' = 'fail'): Found {
  const { what, remedy } = sentenceOf(problem);
  return { outcome, found: what, remedy };
}

/** What was not asked, and why. */
export function skipped(why: string): Found {
  return { outcome: 'skip', found: why };
}

function sourceText({ kind, name }: Source): string {
  if (kind === 'default') return 'the default';
  return kind === 'environment' ? `from ${name} in the environment` : `from ${name}`;
}

/** A value, and who said it. The environment is easily forgotten: what it overrules is worth a warning. */
function valueFound(text: string, source: Source, overruled: readonly Source[] = []): Found {
  const found = `${text} (${sourceText(source)})`;
  if (overruled.length === 0) return { outcome: 'pass', found };
  const losers = overruled.map(({ name }) => name).join(' and ');
  const all = `${found}; ${losers} ${overruled.length === 1 ? 'says' : 'say'} something else, which does not count`;
  return source.kind === 'environment'
    ? { outcome: 'warn', found: all, remedy: `If that is meant to count: unset ${source.name}` }
    : { outcome: 'pass', found: all };
}

/** Which check a problem of the configuration belongs to. */
function checkOf(problem: Problem, { envFile }: ExaminedConfig): string {
  if (problem.reason === 'option-empty') return 'options';
  if (problem.reason === 'configuration-unreadable' && problem.file === envFile) return 'variables';
  return problem.reason.startsWith('database-') ? 'database' : 'configuration file';
}

/** What the configuration is, value by value, also where it is broken. */
export async function configurationChecks(
  examined: ExaminedConfig,
  flags: GlobalFlags,
  env: NodeJS.ProcessEnv,
): Promise<readonly Check[]> {
  const { settings, database, skillsDirectory, file, envFile, projectRoot } = examined;
  const problems = new Map(examined.problems.map((problem) => [checkOf(problem, examined), problem]));
  const check = (name: string, found: () => Found): Check => {
    const problem = problems.get(name);
    return { group: 'Configuration', name, ...(problem ? failure(problem) : found()) };
  };
  const unknown = () => skipped('it may stand in a file that cannot be read');
  const fileSource: Source =
    file === undefined ? { kind: 'default', name: 'default' } : { kind: 'configuration', name: file };
  const setting = (name: string, isSet: boolean, text: string) =>
    check(name, () =>
      settings === undefined
        ? unknown()
        : valueFound(text, isSet ? fileSource : { kind: 'default', name: 'default' }),
    );
  const { ignore = [], limits = {}, taxonomy, validation, health } = settings ?? {};
  const mapping = taxonomy?.mapping ?? [];
  const set = Object.keys(limits);
  const limitTexts = Object.keys({ documentBytes: 0, fileBytes: 0, skillBytes: 0, filesPerSkill: 0 }).map(
    (name) =>
      `${name} ${{ ...defaultLimits, ...limits }[name as keyof typeof defaultLimits]}${set.includes(name) || set.length === 0 ? '' : ' by default'}`,
  );
  const standsEnvFile = await isThere(envFile);
  const named = flags.envFile === undefined ? '' : ' (from --env-file)';
  return [
    ...(problems.has('options') ? [check('options', unknown)] : []),
    check('project', () => ({ outcome: 'pass', found: projectRoot })),
    check('variables', () => ({
      outcome: 'pass',
      found: standsEnvFile ? `${envFile}${named}` : `only those of the environment: no ${envFile}`,
    })),
    check('configuration file', () => ({
      outcome: 'pass',
      found: file === undefined ? 'none' : `${file}${flags.config === undefined ? '' : ' (from --config)'}`,
    })),
    check('skills directory', () =>
      skillsDirectory === undefined
        ? unknown()
        : valueFound(skillsDirectory.value, skillsDirectory.source, skillsDirectory.overruled),
    ),
    check('database', () => {
      if (!database?.value.ok) return unknown();
      const text = databaseText(database.value.value, env);
      return typeof text === 'string' ? valueFound(text, database.source, database.overruled) : failure(text);
    }),
    setting('ignore patterns', ignore.length > 0, counted(ignore.length, 'pattern')),
    setting('limits', set.length > 0, limitTexts.join(', ')),
    setting('taxonomy mapping', mapping.length > 0, counted(mapping.length, 'rule')),
    setting('validation', isValidationSet(validation), validationText(validation)),
    setting('health.maxAge', health?.maxAge !== undefined, health?.maxAge ?? 'none'),
    ...timeouts(examined, flags, env).map(([name, text, source]) =>
      check(name, () => valueFound(text, source)),
    ),
  ];
}

type ValidationSettings = NonNullable<ExaminedConfig['settings']>['validation'];

function isValidationSet(validation: ValidationSettings | undefined): boolean {
  const { rules = {}, overrides = [], ...named } = validation ?? {};
  return [...Object.keys(rules), ...overrides, ...Object.keys(named)].length > 0;
}

/** Whom the skills are for, what an export does about it, and how much of the rules is set otherwise. */
function validationText(validation: ValidationSettings | undefined): string {
  const { target, rules = {}, overrides = [], export: level = 'warn' } = validation ?? {};
  return [
    target === undefined ? 'target spec, in an export skill-fleet' : `target ${target}`,
    `export ${level}`,
    `${counted(Object.keys(rules).length, 'rule')} set`,
    ...(overrides.length > 0 ? [counted(overrides.length, 'override')] : []),
  ].join(', ');
}

/** Where the database is, without user and password; or why nobody can tell. */
function databaseText(choice: DatabaseChoice, env: NodeJS.ProcessEnv): string | Problem {
  if (choice.kind === 'embedded') return `embedded, in ${choice.directory}`;
  const address = readServerAddress(choice.url, env, userName());
  if (!address.ok) return address.problem;
  const { host, port, database } = address.value;
  return describeDatabase({ kind: 'postgres', host: `${host}:${port}`, name: database });
}

type Timeout = readonly [name: string, text: string, source: Source];

function timeouts(
  { database }: ExaminedConfig,
  { connectTimeout, lockTimeout, statementTimeout }: GlobalFlags,
  env: NodeJS.ProcessEnv,
): readonly Timeout[] {
  const flag = (name: string): Source => ({ kind: 'flag', name });
  const byDefault: Source = { kind: 'default', name: 'default' };
  const other = (name: string, seconds: number | undefined, otherwise: string): Timeout =>
    seconds === undefined
      ? [`${name} timeout`, otherwise, byDefault]
      : [`${name} timeout`, `${seconds} s`, flag(`--${name}-timeout`)];
  const connecting = (): Timeout => {
    if (connectTimeout !== undefined) return other('connect', connectTimeout, '');
    const choice = database?.value.ok ? database.value.value : undefined;
    const inAddress = (variables: NodeJS.ProcessEnv): number | undefined => {
      const address =
        choice?.kind === 'postgres' ? readServerAddress(choice.url, variables, userName()) : undefined;
      return address?.ok ? address.value.connectTimeoutMs : undefined;
    };
    const [inUrl, inEither] = [inAddress({}), inAddress(env)];
    if (inUrl !== undefined && database)
      return [
        'connect timeout',
        `${inUrl / 1000} s`,
        { ...database.source, name: `the URL in ${database.source.name}` },
      ];
    return inEither === undefined
      ? ['connect timeout', `${defaultConnectMs / 1000} s`, byDefault]
      : ['connect timeout', `${inEither / 1000} s`, { kind: 'environment', name: 'PGCONNECT_TIMEOUT' }];
  };
  return [
    connecting(),
    other('lock', lockTimeout, "60 s, or the server's own"),
    other('statement', statementTimeout, "the server's own"),
  ];
}

// What the doctor says of git: what it knows of the skills, what it does to their bytes, and what it must not hold.

import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ExaminedConfig } from '../config/config.ts';
import { nodeDisk } from '../disk.ts';
import {
  type FileSettings,
  fileSettings,
  gitVersion,
  isIgnoredByGit,
  isTrackedByGit,
  type LineEndings,
  lineEndings,
  type Standing,
  standingOf,
} from '../git/condition.ts';
import { shellWord } from '../report/command-text.ts';
import { counted } from '../report/counted.ts';
import type { Check } from '../report/doctor-text.ts';
import { skipped } from './doctor-configuration.ts';

type Found = Omit<Check, 'group' | 'name'>;

/** What is asked of the repository of the skills directory, in this order. */
const askedOfRepositories = ['history', 'line endings', 'executable bits', 'letter case'] as const;

/** All about git. `directory` is the skills directory's real path, where it stands. */
export async function gitChecks(
  examined: ExaminedConfig,
  directory: string | undefined,
): Promise<readonly Check[]> {
  const check = (name: string, found: Found): Check => ({ group: 'Git', name, ...found });
  const version = await gitVersion();
  if (version === undefined) {
    const names = [
      'repository',
      ...askedOfRepositories,
      'variables',
      'state directory',
      'configuration file',
    ];
    return [
      check('git', {
        outcome: 'warn',
        found:
          'not found: a clone without a base cannot learn one from the commits, and edits have only file times',
        remedy: 'Install git, and put it on the PATH',
      }),
      ...names.map((name) => check(name, skipped('there is no git'))),
      ...(await secretChecks(examined)),
    ];
  }
  const standing = directory === undefined ? undefined : await standingOf(directory);
  const isRepository = standing?.state === 'found' || standing?.state === 'no-commit';
  const ofRepository =
    directory !== undefined && isRepository
      ? await repositoryFound(directory, standing)
      : askedOfRepositories.map((name) =>
          check(name, skipped(standing ? 'see repository' : 'there is no skills directory')),
        );
  return [
    check('git', { outcome: 'pass', found: version }),
    check(
      'repository',
      standing ? standingFound(standing, directory ?? '') : skipped('there is no skills directory'),
    ),
    ...ofRepository,
    check('state directory', await stateFound(examined)),
    ...(await secretChecks(examined)),
  ];
}

/** What is said of secrets also where there is no git. */
async function secretChecks({ envFile, file }: ExaminedConfig): Promise<readonly Check[]> {
  return [
    { group: 'Git', name: 'variables', ...(await variablesFound(envFile)) },
    { group: 'Git', name: 'configuration file', ...(await configurationFound(file)) },
  ];
}

async function repositoryFound(directory: string, standing: Standing): Promise<readonly Check[]> {
  const [settings, endings] = [await fileSettings(directory), await lineEndings(directory)];
  const found: { readonly [A in (typeof askedOfRepositories)[number]]: Found } = {
    history: historyFound(standing),
    'line endings': endings ? endingsFound(endings, settings, directory) : skipped('git does not say'),
    'executable bits': bitsFound(await nodeDisk.keepsModes(directory), settings, directory),
    'letter case': caseFound(await ignoresCase(directory), settings, directory),
  };
  return askedOfRepositories.map((name) => ({ group: 'Git', name, ...found[name] }));
}

function standingFound(standing: Standing, directory: string): Found {
  const top = 'top' in standing ? standing.top : '';
  switch (standing.state) {
    case 'none':
      return {
        outcome: 'warn',
        found:
          'the skills stand in none: another clone has no base, and every difference there is a conflict',
        remedy: `git -C ${shellWord(path.dirname(directory))} init`,
      };
    case 'refused':
      return standing.isForeign
        ? {
            outcome: 'warn',
            found: `git refuses ${top}: it belongs to another user`,
            remedy: `git config --global --add safe.directory ${shellWord(top)}`,
          }
        : {
            outcome: 'warn',
            found: `git gives no answer in ${top}`,
            remedy: `git -C ${shellWord(directory)} status # says why`,
          };
    case 'no-commit':
      return {
        outcome: 'warn',
        found: `${top}, without a commit: nothing can be told from it yet`,
        remedy: `git -C ${shellWord(top)} add ${shellWord(directory)} && git -C ${shellWord(top)} commit --message Skills`,
      };
    case 'found':
      return standing.isIgnored
        ? {
            outcome: 'warn',
            found: `${top} ignores the skills: nothing can be told from its commits`,
            remedy: `git -C ${shellWord(directory)} check-ignore -v SKILL.md # names the rule`,
          }
        : { outcome: 'pass', found: top };
  }
}

function historyFound(standing: Standing): Found {
  if (standing.state !== 'found') return skipped('there is no commit yet');
  return standing.isShallow
    ? {
        outcome: 'warn',
        found:
          'a shallow clone: what its ancestors held cannot be told, so without a base differences are conflicts',
        remedy: `git -C ${shellWord(standing.top)} fetch --unshallow # in GitHub Actions: fetch-depth: 0 of actions/checkout`,
      }
    : { outcome: 'pass', found: 'whole' };
}

/** Whether git hands out, or takes in, other bytes than the files have. */
export function endingsFound(
  { rewritten, wouldChange, text, eol }: LineEndings,
  { autocrlf }: Pick<FileSettings, 'autocrlf'>,
  directory: string,
): Found {
  const isFree = text === 'unset';
  const why = [
    ...(rewritten > 0
      ? [`${counted(rewritten, 'file')} checked out with other line endings than git keeps`]
      : []),
    ...(wouldChange > 0 ? [`${counted(wouldChange, 'file')} with CRLF, which git will make LF`] : []),
    ...(autocrlf === 'true' && !isFree && eol !== 'lf' ? ['core.autocrlf is true'] : []),
    ...(eol === 'crlf' && !isFree ? ['.gitattributes says eol=crlf'] : []),
  ];
  if (why.length === 0) return { outcome: 'pass', found: 'left as they are' };
  const attributes = shellWord(path.join(directory, '.gitattributes'));
  return {
    outcome: 'warn',
    found: `${why.join('; ')}: what is synced depends on who checked it out`,
    remedy: `echo '* -text' >> ${attributes} && git -C ${shellWord(directory)} add --renormalize . # then commit, and check out anew`,
  };
}

/** Where git and the file system disagree of what a mode says. */
export function bitsFound(
  isKept: boolean,
  { filemode }: Pick<FileSettings, 'filemode'>,
  directory: string,
): Found {
  if (!isKept) {
    return {
      outcome: 'pass',
      found: 'the file system keeps none: they are taken from the database, and from git',
    };
  }
  return filemode === 'false'
    ? {
        outcome: 'warn',
        found: 'core.fileMode is false: what chmod does here is not synced',
        remedy: `git -C ${shellWord(directory)} config core.fileMode true # where the disk keeps them`,
      }
    : { outcome: 'pass', found: 'kept' };
}

/** Where git and the file system disagree of whether case counts. */
export function caseFound(
  isIgnored: boolean,
  { ignorecase }: Pick<FileSettings, 'ignorecase'>,
  directory: string,
): Found {
  if (isIgnored !== (ignorecase === 'true')) {
    return {
      outcome: 'warn',
      found: `${isIgnored ? 'does not count' : 'counts'} on this disk, and git takes it that it ${isIgnored ? 'does' : 'does not'}`,
      remedy: `git -C ${shellWord(directory)} config core.ignoreCase ${isIgnored}`,
    };
  }
  return {
    outcome: 'pass',
    found: isIgnored
      ? 'does not count: of two paths that differ in it alone, one is refused by name'
      : 'counts',
  };
}

/** Whether a folder is found by its name in other case too. */
async function ignoresCase(folder: string): Promise<boolean> {
  const name = path.basename(folder);
  const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  if (other === name) return false;
  const [one, same] = await Promise.all(
    [name, other].map((each) => lstat(path.join(path.dirname(folder), each)).catch(() => undefined)),
  );
  return one !== undefined && same !== undefined && one.ino === same.ino && one.dev === same.dev;
}

async function variablesFound(file: string): Promise<Found> {
  const stat = await lstat(file).catch(() => undefined);
  if (stat === undefined) return { outcome: 'pass', found: 'there is no file of them' };
  const [name, folder] = [path.basename(file), shellWord(path.dirname(file))];
  if ((await isTrackedByGit(file)) === true) {
    return {
      outcome: 'fail',
      found: `${file} is tracked by git: whoever has the repository has its secrets`,
      remedy: `git -C ${folder} rm --cached ${shellWord(name)} # and change the passwords: the history keeps them`,
    };
  }
  if ((await isIgnoredByGit(file)) === false) {
    return {
      outcome: 'warn',
      found: `${file} is not ignored by git: the next git add takes it`,
      remedy: `echo ${shellWord(`/${name}`)} >> ${shellWord(path.join(path.dirname(file), '.gitignore'))}`,
    };
  }
  return (stat.mode & 0o004) !== 0 && stat.isFile() && (await nodeDisk.keepsModes(path.dirname(file)))
    ? {
        outcome: 'warn',
        found: `${file} can be read by every user of this machine`,
        remedy: `chmod 600 ${shellWord(file)}`,
      }
    : { outcome: 'pass', found: 'not in git, and not for everybody to read' };
}

/** The state directory, and an embedded database that stands elsewhere. */
async function stateFound({ stateDirectory, database }: ExaminedConfig): Promise<Found> {
  const choice = database?.value.ok ? database.value.value : undefined;
  const folders = [stateDirectory, ...(choice?.kind === 'embedded' ? [choice.directory] : [])];
  for (const folder of folders) {
    if ((await lstat(folder).catch(() => undefined)) === undefined) continue;
    const above = shellWord(path.dirname(folder));
    if ((await isTrackedByGit(folder)) === true) {
      return {
        outcome: 'fail',
        found: `${folder} is tracked by git: it holds what is of this clone alone`,
        remedy: `git -C ${above} rm -r --cached ${shellWord(path.basename(folder))}`,
      };
    }
    if ((await isIgnoredByGit(path.join(folder, 'PG_VERSION'))) === false) {
      return {
        outcome: 'warn',
        found: `${folder} is not ignored by git: the next git add takes it`,
        remedy: `echo '*' > ${shellWord(path.join(folder, '.gitignore'))}`,
      };
    }
  }
  return { outcome: 'pass', found: 'not in git' };
}

const urlWithPassword = /postgres(?:ql)?:\/\/[^\s:@/]*:[^\s@]+@|[?&](?:ssl)?password=[^\s&]/i;

async function configurationFound(file: string | undefined): Promise<Found> {
  const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
  if (file === undefined || !urlWithPassword.test(text)) {
    return { outcome: 'pass', found: 'no password in it' };
  }
  const remedy =
    'Move the URL into .env, as DATABASE_URL=…, and change the password where others have seen it';
  return (await isTrackedByGit(file)) === true
    ? {
        outcome: 'fail',
        found: `${file} holds a database URL with a password, and is tracked by git`,
        remedy,
      }
    : { outcome: 'warn', found: `${file} holds a database URL with a password`, remedy };
}

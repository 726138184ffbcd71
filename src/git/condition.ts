// How git stands to a folder, for who wants to know why it gives no answers, or what it does to files.

import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { gitRecords, streamGit } from './run-git.ts';

/** Git's version; undefined where it is not there. */
export async function gitVersion(): Promise<string | undefined> {
  const lines = await gitRecords({
    directory: path.parse(process.cwd()).root,
    args: ['version'],
    separator: '\n',
  });
  return lines?.[0]?.replace(/^git version /, '');
}

/**
 * The work tree around a folder. `refused`: there is one, and git gives no answer, as in a folder of another user;
 * `no-commit`: nothing was committed in it yet.
 */
export type Standing =
  | { readonly state: 'none' }
  | { readonly state: 'refused'; readonly top: string; readonly isForeign: boolean }
  | { readonly state: 'no-commit'; readonly top: string }
  | {
      readonly state: 'found';
      readonly top: string;
      readonly isShallow: boolean;
      /** Whether the repository ignores the folder. */
      readonly isIgnored: boolean;
    };

/** Where a folder stands, an absolute path with links resolved. */
export async function standingOf(directory: string): Promise<Standing> {
  const args = ['rev-parse', '--is-inside-work-tree', '--is-shallow-repository', '--show-toplevel'];
  const lines = await gitRecords({ directory, args, separator: '\n' });
  const [isInside, isShallow, ...rest] = lines ?? [];
  if (isInside !== 'true') return standingWithout(directory);
  const top = rest.join('\n');
  const commit = ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'];
  if ((await gitRecords({ directory, args: commit, separator: '\n' })) === undefined)
    return { state: 'no-commit', top };
  const isIgnored = (await isIgnoredByGit(path.join(directory, 'SKILL.md'))) === true;
  return { state: 'found', top, isShallow: isShallow === 'true', isIgnored };
}

async function standingWithout(directory: string): Promise<Standing> {
  for (let folder = directory; ; folder = path.dirname(folder)) {
    const mark = await lstat(path.join(folder, '.git')).catch(() => undefined);
    if (mark !== undefined) {
      const owners = [mark.uid, (await lstat(folder)).uid];
      const isForeign = owners.some((owner) => owner !== process.getuid?.());
      return { state: 'refused', top: folder, isForeign };
    }
    if (folder === path.dirname(folder)) return { state: 'none' };
  }
}

/** Whether git's index has a file, or anything below a folder, whose own folder stands; undefined where git cannot say. */
export async function isTrackedByGit(file: string): Promise<boolean | undefined> {
  let isTracked = false;
  const args = ['--literal-pathspecs', 'ls-files', '-z', '--', path.basename(file)];
  const exit = await streamGit({ directory: path.dirname(file), args, separator: '\0' }, () => {
    isTracked = true;
    return false;
  });
  return exit === 0 ? isTracked : undefined;
}

/** Whether a rule of git's drops a file that it does not track, and that need not stand; undefined where it cannot say. */
export async function isIgnoredByGit(file: string): Promise<boolean | undefined> {
  const args = ['check-ignore', '--quiet', '--', path.basename(file)];
  const exit = await streamGit({ directory: path.dirname(file), args, separator: '\0' }, () => true);
  return exit === 0 || exit === 1 ? exit === 0 : undefined;
}

/** What git's configuration says of files; undefined for what nobody set. */
export interface FileSettings {
  readonly autocrlf: string | undefined;
  readonly filemode: string | undefined;
  readonly ignorecase: string | undefined;
}

export async function fileSettings(directory: string): Promise<FileSettings> {
  const args = ['config', '-z', '--get-regexp', '^core\\.(autocrlf|filemode|ignorecase)$'];
  const records = (await gitRecords({ directory, args, separator: '\0' })) ?? [];
  // What is said last counts. A key without a value is true.
  const values = new Map(
    records.map((record) => {
      const [key = '', value = 'true'] = record.split('\n');
      return [key, value.toLowerCase()];
    }),
  );
  const get = (name: string) => values.get(`core.${name}`);
  return { autocrlf: get('autocrlf'), filemode: get('filemode'), ignorecase: get('ignorecase') };
}

/** What git does to line endings in a folder. */
export interface LineEndings {
  /** Tracked files that stand there with other line endings than git keeps. */
  readonly rewritten: number;
  /** Tracked files with CRLF of which git would keep LF alone, once they are added again. */
  readonly wouldChange: number;
  /** `text` and `eol`, as the attributes have them for a document there. */
  readonly text: string;
  readonly eol: string;
}

/** Undefined where git cannot say. */
export async function lineEndings(directory: string): Promise<LineEndings | undefined> {
  let [rewritten, wouldChange] = [0, 0];
  const args = ['ls-files', '--eol', '-z', '--', '.'];
  const exit = await streamGit({ directory, args, separator: '\0' }, (record) => {
    const [, index, workTree, attributes] = /^i\/(\S*)\s+w\/(\S*)\s+attr\/([^\t]*)\t/.exec(record) ?? [];
    const isText = [index, workTree].every((one) => ['lf', 'crlf', 'mixed'].includes(one ?? ''));
    if (isText && index !== workTree) rewritten++;
    else if (isText && workTree !== 'lf' && /^(text|eol)/.test(attributes ?? '')) wouldChange++;
    return true;
  });
  const asked = ['check-attr', '-z', 'text', 'eol', '--', 'SKILL.md'];
  const values = await gitRecords({ directory, args: asked, separator: '\0' });
  return exit === 0 && values
    ? { rewritten, wouldChange, text: values[2] ?? '', eol: values[5] ?? '' }
    : undefined;
}

// What of a skills directory is not as HEAD has it.

import { type GitRepository, withinDirectory } from './repository.ts';
import { gitRecords } from './run-git.ts';

/**
 * Why a path is not known to be as HEAD has it.
 *
 * - `modified`: its bytes, type or executable bit differ from the index; also one added by `git add -N`
 * - `staged`: it is as the index has it, which is not as HEAD has it
 * - `deleted`: HEAD or the index has it, and the work tree has not. A rename is a path deleted and a path come
 * - `untracked`, `ignored`: HEAD and the index do not have it
 * - `conflicted`: a merge is under way
 * - `sparse`: git was told not to look (skip-worktree), as it is for all that a sparse checkout leaves out: where
 *   no file is there, nobody deleted it; where one is, git did not compare it
 * - `assumed`: git was told to take it for unchanged (assume-unchanged), and did not compare it
 * - `submodule`: another repository's files, of which HEAD has but the name of a commit
 */
export type UncleanKind =
  | 'modified'
  | 'staged'
  | 'deleted'
  | 'untracked'
  | 'ignored'
  | 'conflicted'
  | 'sparse'
  | 'assumed'
  | 'submodule';

/** A path that is not known to be as HEAD has it. */
export interface UncleanPath {
  /** Relative to the skills directory; with a `/` at its end it stands for the folder and all below it. */
  readonly path: string;
  readonly kind: UncleanKind;
}

/** A record of `git status` after its first word: how many more words stand before the path. */
const wordsBeforePath: { readonly [type: string]: number } = { '1': 7, u: 9, '?': 0, '!': 0 };

function kindOf(type: string, [index, workTree]: string): UncleanKind {
  if (type === '?') return 'untracked';
  if (type === '!') return 'ignored';
  if (type === 'u') return 'conflicted';
  if (workTree === 'D' || (workTree === '.' && index === 'D')) return 'deleted';
  return workTree === '.' ? 'staged' : 'modified';
}

/** What one record of `git status --porcelain=v2 -z` says, its path from the work tree's top; undefined for no path. */
export function readStatus(record: string): UncleanPath | undefined {
  const [type = '', state = ''] = record.split(' ', 2);
  const words = wordsBeforePath[type];
  if (words === undefined) return undefined;
  const rest = record.split(' ').slice(1 + words);
  return { path: rest.join(' '), kind: kindOf(type, state) };
}

/** What one record of `git ls-files -z --stage -v` says that `git status` does not; undefined for nothing. */
export function readIndexEntry(record: string): UncleanPath | undefined {
  const tab = record.indexOf('\t');
  const [tag = '', mode] = record.slice(0, tab).split(' ');
  const path = record.slice(tab + 1);
  if (mode === '160000') return { path: `${path}/`, kind: 'submodule' };
  if (tag.toUpperCase() === 'S') return { path, kind: 'sparse' };
  return tag === tag.toUpperCase() ? undefined : { path, kind: 'assumed' };
}

/** The names of the filters of a configuration, from `filter.NAME.clean` and the like; a name may be empty. */
export function filterNames(keys: readonly string[]): readonly string[] {
  const prefix = 'filter.';
  // `filter.clean` is of no filter.
  const named = keys.filter((key) => key.lastIndexOf('.') >= prefix.length);
  return [...new Set(named.map((key) => key.slice(prefix.length, key.lastIndexOf('.'))))];
}

/**
 * Options that keep git from running the filters that `.gitattributes` name, as it does to compare a file whose
 * times changed since git last looked. A file with a filter (of git LFS, say) then counts as modified, clean or not.
 */
async function withoutFilters(directory: string): Promise<readonly string[] | undefined> {
  // Every call sets core.hooksPath: a sure match, without which git config fails where there is no filter.
  const args = ['config', '-z', '--name-only', '--get-regexp', '^(filter\\..*|core\\.hookspath)$'];
  const keys = await gitRecords({ directory, args, separator: '\0' });
  if (!keys) return undefined;
  const names = filterNames(keys.filter((key) => key.startsWith('filter.')));
  // `-c` ends a key at the first `=`; what is no UTF-8 was read as another name.
  if (names.some((name) => /[=\uFFFD]/.test(name))) return undefined;
  return names.flatMap((name) =>
    ['clean=', 'process=', 'required=false'].flatMap((setting) => ['-c', `filter.${name}.${setting}`]),
  );
}

const statusArguments = [
  'status',
  '--porcelain=v2',
  '-z',
  '--branch',
  '--no-ahead-behind',
  '--untracked-files=all',
  '--ignored=matching',
  // Telling renames reads contents; a submodule's own state would be told by a git that runs in it.
  '--no-renames',
  '--ignore-submodules=all',
  '--',
  '.',
];

/**
 * What stands below the skills directory and is not as {@link GitRepository.head} has it, each path once. What is
 * not named, and is not below a folder that is named, is clean.
 *
 * Undefined where git cannot say, or HEAD has moved since.
 */
export async function uncleanPaths(repository: GitRepository): Promise<readonly UncleanPath[] | undefined> {
  const directory = repository.skillsDirectory;
  const options = await withoutFilters(directory);
  if (!options) return undefined;
  const [status, index] = await Promise.all([
    gitRecords({ directory, args: [...options, ...statusArguments], separator: '\0' }),
    gitRecords({ directory, args: ['ls-files', '-z', '--stage', '-v', '--', '.'], separator: '\0' }),
  ]);
  if (!index || !status?.includes(`# branch.oid ${repository.head}`)) return undefined;
  const kinds = new Map<string, UncleanKind>();
  for (const { path: fromTop, kind } of status.map(readStatus).filter((one) => one !== undefined)) {
    const path = withinDirectory(repository, fromTop);
    // The skills directory as one, or a folder above it: the repository ignores the whole of it by now.
    if (!path) return undefined;
    kinds.set(path, kind);
  }
  for (const entry of index.map(readIndexEntry)) if (entry) kinds.set(entry.path, entry.kind);
  return [...kinds].map(([path, kind]) => ({ path, kind }));
}

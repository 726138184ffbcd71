// What git knows of executable bits where the file system may keep none.

import { gitRecords } from './run-git.ts';

/**
 * Whether files keep executable bits in the repository that holds `directory`: git tries it when it makes one, and
 * keeps the answer as `core.fileMode`. Undefined where git cannot say.
 */
export async function fileModesAreKept(directory: string): Promise<boolean | undefined> {
  // The user's own configuration is not asked: it is about no file system, and holds outside of repositories too.
  const args = ['config', '-z', '--local', '--includes', '--bool', '--get', 'core.fileMode'];
  const [value] = (await gitRecords({ directory, args, separator: '\0' })) ?? [];
  return value === undefined ? undefined : value === 'true';
}

/** The files below `directory` that are executable in git's index, relative to it; none where git cannot say. */
export async function executableInIndex(directory: string): Promise<ReadonlySet<string>> {
  const args = ['ls-files', '-z', '--stage', '--', '.'];
  const entries = (await gitRecords({ directory, args, separator: '\0' })) ?? [];
  const executable = entries.filter((entry) => entry.startsWith('100755 '));
  return new Set(executable.map((entry) => entry.slice(entry.indexOf('\t') + 1)));
}

// Where the project begins: the folder of its configuration, its `.env` and its `.skill-fleet/`.

import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Names of the configuration file. A project has at most one of them. */
export const configurationNames = [
  'skill-fleet.config.yaml',
  'skill-fleet.config.yml',
  'skill-fleet.config.json',
] as const;

/** Whether something stands there that this user can see. */
export function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * The nearest folder from `cwd` upward with a configuration file or a `.git` (a file in a linked worktree),
 * else `cwd` itself. Absolute.
 */
export async function findProjectRoot(cwd: string): Promise<string> {
  const start = resolve(cwd);
  for (let folder = start; ; folder = dirname(folder)) {
    const marks = ['.git', ...configurationNames].map((name) => isThere(join(folder, name)));
    if ((await Promise.all(marks)).includes(true)) return folder;
    if (folder === dirname(folder)) return start;
  }
}

// When HEAD's history last changed what stands at a path.

import { type Change, readHistory, type Visit } from './history.ts';
import type { GitRepository } from './repository.ts';

function* pathAndFolders(path: string): Generator<string> {
  yield path;
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    yield path.slice(0, end);
  yield '';
}

function touched(waiting: ReadonlySet<string>, changes: readonly Change[]): Set<string> {
  const found = new Set<string>();
  for (const { path } of changes) {
    for (const place of pathAndFolders(path)) if (waiting.has(place)) found.add(place);
  }
  return found;
}

/**
 * Follows each path back from `head`, as `git log -1 -- PATH` does: past commits that changed nothing there, and at
 * a merge along the first parent that has the same there. So a change that a merge discarded does not count. All
 * paths are followed at once: each waits at the commit that it has come to.
 *
 * `visit` takes the commits, children before their parents, with their changes against every parent, and says
 * whether any path still waits; `times` are those of the paths that have arrived.
 */
export function lastChanges(
  head: string,
  paths: readonly string[],
): { readonly times: ReadonlyMap<string, Date>; readonly visit: Visit } {
  const times = new Map<string, Date>();
  const waitingAt = new Map([[head, new Set(paths)]]);
  const wait = (commit: string, come: Set<string>): void => {
    const there = waitingAt.get(commit) ?? new Set();
    const [less, more] = come.size < there.size ? [come, there] : [there, come];
    for (const path of less) more.add(path);
    if (more.size > 0) waitingAt.set(commit, more);
  };
  return {
    times,
    visit({ id, seconds, parents }, changes) {
      let waiting = waitingAt.get(id);
      if (!waiting) return true;
      waitingAt.delete(id);
      for (const [index, against] of changes.entries()) {
        const changed = touched(waiting, against);
        for (const path of changed) waiting.delete(path);
        const parent = parents[index];
        if (parent !== undefined) wait(parent, waiting);
        waiting = changed;
      }
      for (const path of waiting) times.set(path, new Date(seconds * 1000));
      return waitingAt.size > 0;
    },
  };
}

/**
 * When the last commit up to {@link GitRepository.head} that changed anything at or below each path was committed.
 * Paths are of files or folders, relative to the skills directory; '' is all of it. Those that nothing changed are
 * not among the result. Undefined where git cannot say.
 */
export async function commitTimes(
  repository: GitRepository,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Date> | undefined> {
  if (paths.length === 0) return new Map();
  const { times, visit } = lastChanges(repository.head, paths);
  return (await readHistory(repository, 'every parent', visit)) ? times : undefined;
}

// Where commits stand to HEAD, for thousands of commits in two runs of git.

import type { GitRepository } from './repository.ts';
import { gitRecords } from './run-git.ts';

/**
 * `head` is HEAD's commit; an `ancestor` can be reached from it; it can be reached from a `descendant`;
 * `elsewhere` is another branch, before or after it parted.
 */
export type Standing = 'head' | 'ancestor' | 'descendant' | 'elsewhere';

/**
 * Tells standings from a graph.
 *
 * @param present - the commits that are asked about, all in the repository
 * @param beyond - lines `COMMIT PARENT...` of all commits that can be reached from those, and not from `head`;
 *   children before their parents
 */
export function standingsOf(
  head: string,
  present: readonly string[],
  beyond: readonly string[],
): ReadonlyMap<string, Standing> {
  const descends = new Map<string, boolean>([[head, true]]);
  for (const line of beyond.toReversed()) {
    const [commit = '', ...parents] = line.split(' ');
    descends.set(
      commit,
      parents.some((parent) => descends.get(parent) === true),
    );
  }
  const standing = (commit: string): Standing => {
    if (commit === head) return 'head';
    const descendant = descends.get(commit);
    if (descendant === undefined) return 'ancestor';
    return descendant ? 'descendant' : 'elsewhere';
  };
  return new Map(present.map((commit) => [commit, standing(commit)]));
}

/**
 * Where each of `commits` stands to {@link GitRepository.head}. What the repository does not have, or is no commit's
 * whole id in lower-case hexadecimal digits, is not among them. Undefined where git cannot say.
 */
export async function standings(
  repository: GitRepository,
  commits: readonly string[],
): Promise<ReadonlyMap<string, Standing> | undefined> {
  const shape = repository.objectFormat === 'sha1' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/;
  const asked = new Set(commits.filter((commit) => shape.test(commit)));
  if (asked.size === 0) return new Map();
  const call = { directory: repository.skillsDirectory, separator: '\n' } as const;
  const listed = await gitRecords({
    ...call,
    // `cat-file --batch-check` tells as much, but starts a fetch for each missing commit of a partial clone, even
    // where every fetch is refused.
    args: ['rev-list', '--no-walk=unsorted', '--ignore-missing', '--missing=allow-any', '--stdin'],
    input: lines(asked),
  });
  if (!listed) return undefined;
  // An annotated tag's id is answered with its commit's.
  const present = [...new Set(listed)].filter((commit) => asked.has(commit));
  const beyond = await gitRecords({
    ...call,
    args: ['rev-list', '--topo-order', '--parents', '--stdin'],
    input: lines([`^${repository.head}`, ...present]),
  });
  return beyond && standingsOf(repository.head, present, beyond);
}

function lines(all: Iterable<string>): string {
  return [...all, ''].join('\n');
}

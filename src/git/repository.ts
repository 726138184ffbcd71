// The git repository that a skills directory stands in: which one, where in it, and at which commit.

import { gitRecords, streamGit } from './run-git.ts';

/** A skills directory in a git repository, as one commit finds it. All that is asked of it is about that commit. */
export interface GitRepository {
  /**
   * The commit without parents at the end of HEAD's first parents: it tells a repository from others, wherever it
   * is cloned. An unrelated history that is merged in comes as a second parent, so that this root stays, where
   * "the oldest root" or "the least id" may change.
   */
  readonly root: string;
  /** The skills directory, absolute. */
  readonly skillsDirectory: string;
  /** The skills directory within the work tree, in POSIX form; '' for the work tree's top. */
  readonly directory: string;
  /** The commit that HEAD stands for. */
  readonly head: string;
  /** The branch without `refs/heads/`; null where HEAD is detached. */
  readonly branch: string | null;
  /** What object ids are: 40 hexadecimal digits, or 64. */
  readonly objectFormat: 'sha1' | 'sha256';
}

/** What one `git rev-parse` tells of a directory. */
export type Place = Pick<GitRepository, 'directory' | 'head' | 'branch' | 'objectFormat'>;

const placeArguments = [
  'rev-parse',
  '--is-inside-work-tree',
  '--is-shallow-repository',
  'HEAD^{commit}',
  '--symbolic-full-name',
  'HEAD',
  // Last, since a folder's name may hold line breaks, and rev-parse has no -z.
  '--show-prefix',
];

/**
 * Reads the lines that {@link placeArguments} ask for; undefined where they are not those of a whole clone, or of
 * any where a shallow one is taken too.
 */
export function readPlace(
  [inside, shallow, head, name, ...prefix]: readonly string[],
  takesShallow = false,
): Place | undefined {
  if (inside !== 'true' || (shallow !== 'false' && !takesShallow)) return undefined;
  if (head === undefined || name === undefined || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(head))
    return undefined;
  return {
    directory: prefix.join('\n').replace(/\/$/, ''),
    head,
    branch: name.startsWith('refs/heads/') ? name.slice('refs/heads/'.length) : null,
    objectFormat: head.length === 40 ? 'sha1' : 'sha256',
  };
}

async function rootOf(directory: string, head: string): Promise<string | undefined> {
  const args = ['rev-list', '--first-parent', '--max-parents=0', head, '--'];
  const roots = await gitRecords({ directory, args, separator: '\n' });
  return roots?.[0];
}

/**
 * False also where git cannot say. A directory that is ignored as a whole, yet holds files that git was told to
 * track, is not ignored.
 */
async function isKept(directory: string): Promise<boolean> {
  const args = ['check-ignore', '--quiet', '--', '.'];
  return (await streamGit({ directory, args, separator: '\n' }, () => true)) === 1;
}

/**
 * The repository that holds `directory`, an absolute path with links resolved; in a submodule, the submodule.
 *
 * Undefined where git has no answers: it is not installed or too old, there is no repository or no commit yet, the
 * clone is shallow (what its ancestors held cannot be told), the repository ignores the directory, git refuses
 * (as it does in a folder of another user), or any other failure.
 */
export async function findRepository(directory: string): Promise<GitRepository | undefined> {
  const lines = await gitRecords({ directory, args: placeArguments, separator: '\n' });
  const place = lines && readPlace(lines);
  if (!place) return undefined;
  const [root, kept] = await Promise.all([rootOf(directory, place.head), isKept(directory)]);
  return root !== undefined && kept ? { ...place, root, skillsDirectory: directory } : undefined;
}

/** Where a directory stands, for who only compares places: a shallow clone knows its commit, and no root. */
export async function findPlace(
  directory: string,
): Promise<(Place & { readonly root: string | null }) | undefined> {
  const lines = await gitRecords({ directory, args: placeArguments, separator: '\n' });
  const place = lines && readPlace(lines, true);
  if (!lines || !place) return undefined;
  const isWhole = readPlace(lines) !== undefined;
  return { ...place, root: (isWhole && (await rootOf(directory, place.head))) || null };
}

/** A path as git prints it, from the work tree's top, seen from the skills directory; undefined for one outside. */
export function withinDirectory({ directory }: GitRepository, path: string): string | undefined {
  if (directory === '') return path;
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
}

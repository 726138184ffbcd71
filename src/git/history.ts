// What each commit in HEAD's history changed below the skills directory.
//
// Two runs of plumbing, whatever the history's size: `rev-list` for the graph, and `diff-tree --stdin` over all its
// commits. `git log --raw` takes as long (5,000 commits: 0.12 s; 100,000: 3.3 s, these two 2.9 s), but obeys a dozen
// settings of the user's. `rev-list --objects` takes as long too, and names each blob at one path alone.

import { type GitRepository, withinDirectory } from './repository.ts';
import { gitRecords, streamGit } from './run-git.ts';

/** A commit of HEAD's history. */
export interface Commit {
  readonly id: string;
  /** When it was committed, in seconds since 1970. */
  readonly seconds: number;
  readonly parents: readonly string[];
}

/** What a commit has at a path where its parent has something else. */
export interface Change {
  /** Relative to the skills directory. */
  readonly path: string;
  /** As trees have it: `100755`; `000000` where the commit has nothing there. */
  readonly mode: string;
  readonly blob: string;
}

/** Which parents a commit is compared with; one that has none is compared with nothing at all. */
export type Comparisons = 'every parent' | 'first parent';

/** Reads a line of `git rev-list --timestamp --parents`. */
export function readCommit(line: string): Commit {
  const [seconds, id = '', ...parents] = line.split(' ');
  return { id, seconds: Number(seconds), parents };
}

function comparedParents({ parents }: Commit, comparisons: Comparisons): readonly string[] {
  return comparisons === 'first parent' ? parents.slice(0, 1) : parents;
}

/** Lines for `git diff-tree --stdin`, one a comparison: `COMMIT PARENT`, or `COMMIT` alone for a root. */
function comparisonLines(commits: readonly string[], comparisons: Comparisons): string {
  const input: string[] = [];
  for (const line of commits) {
    const commit = readCommit(line);
    const parents = comparedParents(commit, comparisons);
    for (const parent of parents) input.push(`${commit.id} ${parent}\n`);
    if (parents.length === 0) input.push(`${commit.id}\n`);
  }
  return input.join('');
}

/** Takes what each commit changed, one list for each parent that it was compared with; false where that is enough. */
export type Visit = (commit: Commit, changes: readonly (readonly Change[])[]) => boolean;

/**
 * Reads the records of `git diff-tree --stdin --always --raw -z`: for each comparison the commit, then for each
 * change `:MODE MODE BLOB BLOB LETTER` and its path.
 *
 * `take` says false where the visit had enough, or git answered something else. `finish`, after the last record,
 * visits the last commit, and says whether all went as it should.
 */
export function changeReader(
  repository: GitRepository,
  commits: readonly string[],
  comparisons: Comparisons,
  visit: Visit,
): { take(record: string): boolean; finish(): boolean } {
  let next = 0;
  let current:
    | { readonly commit: Commit; readonly comparisons: number; readonly changes: Change[][] }
    | undefined;
  let state: string | undefined;
  let outcome: 'reading' | 'enough' | 'not understood' = 'reading';
  const endCommit = (): void => {
    if (current && !visit(current.commit, current.changes)) outcome = 'enough';
    current = undefined;
  };
  const beginComparison = (id: string): void => {
    if (current && current.changes.length < current.comparisons) {
      if (current.commit.id !== id) outcome = 'not understood';
      current.changes.push([]);
      return;
    }
    endCommit();
    if (outcome === 'enough') return;
    const commit = readCommit(commits[next++] ?? '');
    if (commit.id !== id) outcome = 'not understood';
    current = { commit, comparisons: comparedParents(commit, comparisons).length, changes: [[]] };
  };
  const endChange = ([, mode = '', , blob = '']: readonly string[], fromTop: string): void => {
    const path = withinDirectory(repository, fromTop);
    if (path !== undefined) current?.changes.at(-1)?.push({ path, mode, blob });
  };
  return {
    take(record) {
      if (state !== undefined) {
        endChange(state.split(' '), record);
        state = undefined;
      } else if (record.startsWith(':')) state = record;
      else beginComparison(record);
      return outcome === 'reading';
    },
    finish() {
      if (outcome === 'reading') endCommit();
      return outcome === 'enough' || (outcome === 'reading' && next === commits.length);
    },
  };
}

/**
 * Hands each commit that can be reached from {@link GitRepository.head} to `visit`, children before their parents,
 * with what it changed below the skills directory against each parent that it is compared with. No commit is left
 * out, nor taken for another's equal, as `git log -- PATH` does. Ends where `visit` says false.
 *
 * @returns whether git answered everything that was asked of it; false leaves what was visited incomplete.
 */
export async function readHistory(
  repository: GitRepository,
  comparisons: Comparisons,
  visit: Visit,
): Promise<boolean> {
  const directory = repository.skillsDirectory;
  const commits = await gitRecords({
    directory,
    args: ['rev-list', '--topo-order', '--timestamp', '--parents', repository.head, '--'],
    separator: '\n',
  });
  if (!commits) return false;
  const args = ['diff-tree', '--stdin', '--always', '--root', '-r', '--raw', '-z', '--no-renames', '--', '.'];
  const input = comparisonLines(commits, comparisons);
  const reader = changeReader(repository, commits, comparisons, visit);
  const exit = await streamGit({ directory, args, input, separator: '\0' }, reader.take);
  return exit === 0 && reader.finish();
}

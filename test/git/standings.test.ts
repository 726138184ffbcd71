// Where commits stand to HEAD.

import { assert, asyncProperty } from 'fast-check';
import { expect, test } from 'vitest';
import { standings } from '../../src/git/standings.ts';
import { writeFiles } from '../folders.ts';
import { runs } from '../runs.ts';
import { histories, makeHistory } from './generated-histories.ts';
import {
  cloneOf,
  commitFiles,
  describeWithGit,
  git,
  gitAt,
  makeRepository,
  repositoryOf,
} from './repositories.ts';

const file = (text: string) => ({ 'skills/a/SKILL.md': text });

async function standingsIn(folder: string, commits: Readonly<Record<string, string>>) {
  const found = await standings(await repositoryOf(folder), Object.values(commits));
  expect(Object.values(commits)).toEqual(expect.arrayContaining([...(found?.keys() ?? [])]));
  return Object.fromEntries(
    Object.entries(commits).map(([name, commit]) => [name, found?.get(commit) ?? 'not there']),
  );
}

describeWithGit('a commit stands to HEAD', () => {
  test('as head, ancestor or descendant along a branch', async () => {
    const folder = await makeRepository(file('1'));
    const first = git(folder, 'rev-parse', 'HEAD');
    const second = await commitFiles(folder, file('2'));
    const third = await commitFiles(folder, file('3'));
    const fourth = await commitFiles(folder, file('4'));
    git(folder, 'checkout', '--quiet', second);
    expect(await standingsIn(folder, { first, second, third, fourth })).toEqual({
      first: 'ancestor',
      second: 'head',
      third: 'descendant',
      fourth: 'descendant',
    });
  });

  test('elsewhere on a branch that was squashed, an ancestor on one that was merged', async () => {
    const folder = await makeRepository(file('1'));
    git(folder, 'switch', '--quiet', '--create', 'feature');
    const feature = await commitFiles(folder, file('2'));
    git(folder, 'switch', '--quiet', '--create', 'squashed', 'main');
    git(folder, 'merge', '--quiet', '--squash', 'feature');
    const squash = await commitFiles(folder, {});
    expect(await standingsIn(folder, { feature, squash })).toEqual({ feature: 'elsewhere', squash: 'head' });
    git(folder, 'switch', '--quiet', '--create', 'merged', 'main');
    git(folder, 'merge', '--quiet', '--no-ff', '--message', 'Merge', 'feature');
    expect(await standingsIn(folder, { feature, squash })).toEqual({
      feature: 'ancestor',
      squash: 'elsewhere',
    });
    git(folder, 'checkout', '--quiet', 'main');
    expect(await standingsIn(folder, { feature, squash })).toEqual({
      feature: 'descendant',
      squash: 'descendant',
    });
  });

  test('elsewhere on a branch before it was rebased', async () => {
    const folder = await makeRepository(file('1'));
    git(folder, 'switch', '--quiet', '--create', 'feature');
    const before = await commitFiles(folder, { 'skills/b/SKILL.md': 'b' });
    git(folder, 'switch', '--quiet', 'main');
    const main = await commitFiles(folder, file('2'));
    git(folder, 'rebase', '--quiet', 'main', 'feature');
    const after = git(folder, 'rev-parse', 'HEAD');
    expect(await standingsIn(folder, { before, main, after })).toEqual({
      before: 'elsewhere',
      main: 'ancestor',
      after: 'head',
    });
  });

  test('elsewhere on an orphan branch, an ancestor once that is merged in', async () => {
    const folder = await makeRepository(file('1'));
    const orphan = gitAt(1, folder, ['commit-tree', '-m', 'Orphan', 'HEAD^{tree}']);
    expect(await standingsIn(folder, { orphan })).toEqual({ orphan: 'elsewhere' });
    git(folder, 'merge', '--quiet', '--allow-unrelated-histories', '-m', 'Merge', orphan);
    expect(await standingsIn(folder, { orphan })).toEqual({ orphan: 'ancestor' });
  });

  test('not at all where the repository does not have it, or it is no whole id of a commit', async () => {
    const folder = await makeRepository(file('1'));
    git(folder, 'tag', '--annotate', '--message', 'Tag', 'v1');
    const head = await commitFiles(folder, file('2'));
    git(folder, 'branch', 'f'.repeat(40));
    const commits = {
      head,
      missing: 'e'.repeat(40),
      branch: 'f'.repeat(40),
      tree: git(folder, 'rev-parse', 'HEAD^{tree}'),
      blob: git(folder, 'rev-parse', 'HEAD:skills/a/SKILL.md'),
      tag: git(folder, 'rev-parse', 'v1'),
      short: head.slice(0, 12),
      upper: head.toUpperCase(),
      ofAnotherFormat: head + head.slice(0, 24),
      name: 'HEAD',
      negated: `^${head}`,
      option: '--all',
      range: `${head}..`,
      twoLines: `${head}\n--all`,
      empty: '',
    };
    const notThere = Object.fromEntries(Object.keys(commits).map((name) => [name, 'not there']));
    expect(await standingsIn(folder, commits)).toEqual({ ...notThere, head: 'head' });
    expect(await standings(await repositoryOf(folder), [])).toEqual(new Map());
  });

  test('where ids are SHA-256', async () => {
    const folder = await makeRepository(file('1'), ['--object-format=sha256']);
    const first = git(folder, 'rev-parse', 'HEAD');
    await commitFiles(folder, file('2'));
    expect(await standingsIn(folder, { first, missing: 'f'.repeat(64), short: 'f'.repeat(40) })).toEqual({
      first: 'ancestor',
      missing: 'not there',
      short: 'not there',
    });
  });

  test('at the commit that the repository was found at, though HEAD moves on', async () => {
    const folder = await makeRepository(file('1'));
    const repository = await repositoryOf(folder);
    const later = await commitFiles(folder, file('2'));
    expect(await standings(repository, [repository.head, later])).toEqual(
      new Map([
        [repository.head, 'head'],
        [later, 'descendant'],
      ]),
    );
  });

  test('as history is, whatever this machine replaces in it', async () => {
    const folder = await makeRepository(file('1'));
    const first = git(folder, 'rev-parse', 'HEAD');
    const second = await commitFiles(folder, file('2'));
    git(folder, 'replace', second, gitAt(1, folder, ['commit-tree', '-m', 'Other', 'HEAD^{tree}']));
    expect(await standingsIn(folder, { first })).toEqual({ first: 'ancestor' });
    git(folder, 'replace', '--delete', second);
    await writeFiles(folder, { '.git/info/grafts': `${second}\n` });
    expect(git(folder, 'rev-list', 'HEAD')).toBe(second);
    expect(await standingsIn(folder, { first })).toEqual({ first: 'ancestor' });
  });

  test('undefined where git fails', async () => {
    const clone = await cloneOf(await makeRepository(file('1')));
    const repository = await repositoryOf(clone);
    const lost = { ...repository, head: 'e'.repeat(40) };
    expect(await standings(lost, [repository.head])).toBeUndefined();
  });

  test('as git merge-base --is-ancestor says, in every small history', async () => {
    const isAncestor = (folder: string, one: string, other: string): boolean => {
      try {
        git(folder, 'merge-base', '--is-ancestor', one, other);
        return true;
      } catch {
        return false;
      }
    };
    await assert(
      asyncProperty(histories, async (steps) => {
        const { folder, commits } = await makeHistory(steps);
        for (const head of new Set([commits.at(-1) ?? '', commits[commits.length >> 1] ?? ''])) {
          git(folder, 'update-ref', '--no-deref', 'HEAD', head);
          const expected = commits.map((commit) => {
            if (commit === head) return [commit, 'head'];
            if (isAncestor(folder, commit, head)) return [commit, 'ancestor'];
            return [commit, isAncestor(folder, head, commit) ? 'descendant' : 'elsewhere'];
          });
          const found = await standings(await repositoryOf(folder), commits);
          expect(Object.fromEntries(found ?? [])).toEqual(Object.fromEntries(expected));
        }
      }),
      { numRuns: runs(10) },
    );
  });
});

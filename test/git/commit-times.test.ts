// When history last changed a path.

import { assert, asyncProperty } from 'fast-check';
import { expect, test } from 'vitest';
import { commitTimes, lastChanges } from '../../src/git/commit-times.ts';
import { headTime } from '../../src/git/head-time.ts';
import { writeFiles } from '../folders.ts';
import { runs } from '../runs.ts';
import { histories, makeHistory } from './generated-histories.ts';
import { describeWithGit, git, gitAt, makeRepository, repositoryOf } from './repositories.ts';

/** Commits these files at a time; times in the tests count seconds from one moment. */
async function commitAt(
  seconds: number,
  folder: string,
  files: { readonly [path: string]: string },
): Promise<void> {
  await writeFiles(folder, files);
  gitAt(start + seconds, folder, ['add', '--all']);
  gitAt(start + seconds, folder, ['commit', '--quiet', '--message', 'Work']);
}

const start = 1_800_000_000;

async function times(folder: string, paths: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const found = await commitTimes(await repositoryOf(folder), paths);
  return Object.fromEntries([...(found ?? [])].map(([path, date]) => [path, date.getTime() / 1000 - start]));
}

describeWithGit('the time of HEAD', () => {
  test("is the committer's", async () => {
    const folder = await makeRepository();
    gitAt(start, folder, ['commit', '--quiet', '--amend', '--no-edit', '--date', `@${start + 9} +0000`]);
    const repository = await repositoryOf(folder);
    expect(await headTime(repository)).toEqual(new Date(start * 1000));
    expect(await headTime({ ...repository, head: 'e'.repeat(40) })).toBeUndefined();
  });
});

describeWithGit('the time of the last change', () => {
  test('is of a file, of a folder with all below it, and of nothing that no commit touched', async () => {
    const folder = await makeRepository({ 'README.md': 'x' });
    await commitAt(1, folder, { 'skills/a/SKILL.md': '1', 'skills/a/x': '1', 'skills/ab/SKILL.md': '1' });
    await commitAt(2, folder, { 'skills/a/deep/er/x': '2' });
    await commitAt(3, folder, { 'skills/two\nlines/é': '3' });
    await commitAt(4, folder, { 'elsewhere/x': '4' });
    await writeFiles(folder, { 'skills/new/SKILL.md': 'new' });
    const paths = [
      '',
      'a',
      'a/SKILL.md',
      'a/deep',
      'ab',
      'two\nlines/é',
      'new',
      'SKILL.md',
      'A',
      'a/',
      'constructor',
    ];
    expect(await times(folder, paths)).toEqual({
      '': 3,
      a: 2,
      'a/SKILL.md': 1,
      'a/deep': 2,
      ab: 1,
      'two\nlines/é': 3,
    });
    expect(await times(folder, [])).toEqual({});
  });

  test('is that of the deletion, of a path that is gone', async () => {
    const folder = await makeRepository({ 'README.md': 'x' });
    await commitAt(1, folder, { 'skills/a/SKILL.md': '1', 'skills/b/SKILL.md': '1' });
    git(folder, 'rm', '-r', '--quiet', 'skills/a');
    await commitAt(2, folder, {});
    expect(await times(folder, ['a', 'a/SKILL.md', 'b'])).toEqual({ a: 2, 'a/SKILL.md': 2, b: 1 });
  });

  test("is the committer's, also where a rebase or a wrong clock makes it earlier than the parent's", async () => {
    const folder = await makeRepository({ 'README.md': 'x' });
    await commitAt(5, folder, { 'skills/a': '1' });
    await commitAt(3, folder, { 'skills/a': '2' });
    gitAt(start + 4, folder, ['commit', '--quiet', '--amend', '--no-edit', '--date', `@${start + 9} +0000`]);
    expect(await times(folder, ['a'])).toEqual({ a: 4 });
  });

  test('is not that of a change which a merge discarded; what a merge brought keeps its time', async () => {
    const folder = await makeRepository({ 'README.md': 'x' });
    await commitAt(1, folder, { 'skills/a': '1', 'skills/b': '1' });
    git(folder, 'switch', '--quiet', '--create', 'feature');
    await commitAt(2, folder, { 'skills/b': '2' });
    git(folder, 'switch', '--quiet', '--create', 'discarded');
    await commitAt(3, folder, { 'skills/a': '3' });
    git(folder, 'switch', '--quiet', 'main');
    await commitAt(4, folder, { outside: '4' });
    gitAt(start + 5, folder, ['merge', '--quiet', '--no-ff', '--message', 'Merge', 'feature']);
    gitAt(start + 6, folder, ['merge', '--quiet', '--strategy', 'ours', '--message', 'Merge', 'discarded']);
    expect(await times(folder, ['a', 'b'])).toEqual({ a: 1, b: 2 });
  });

  test('is asked of no more commits than it takes', () => {
    const { times, visit } = lastChanges('c', ['a', 'b']);
    const change = (path: string) => [[{ path, mode: '100644', blob: 'e'.repeat(40) }]];
    expect(visit({ id: 'c', seconds: 3, parents: ['b'] }, change('a'))).toBe(true);
    expect(visit({ id: 'b', seconds: 2, parents: ['a'] }, change('b/x'))).toBe(false);
    expect(times).toEqual(
      new Map([
        ['a', new Date(3000)],
        ['b', new Date(2000)],
      ]),
    );
  });

  test('is undefined where git fails', async () => {
    const repository = await repositoryOf(await makeRepository());
    expect(await commitTimes({ ...repository, head: 'e'.repeat(40) }, ['a'])).toBeUndefined();
  });

  test('is that of git log -1, in every small history', async () => {
    const paths = ['a', 'a/x', 'a/y', 'b', 'b/a/x', 'c', 'c/x', 'd'];
    await assert(
      asyncProperty(histories, async (steps) => {
        const { folder } = await makeHistory(steps);
        const log = (path: string): string =>
          git(folder, '--literal-pathspecs', 'log', '-1', '--format=%ct', '--', `skills/${path}`);
        const expected = [...paths, '']
          .map((path) => [path, log(path)])
          .filter(([, seconds]) => seconds !== '');
        const found = (await commitTimes(await repositoryOf(folder), [...paths, ''])) ?? [];
        expect(
          Object.fromEntries([...found].map(([path, date]) => [path, String(date.getTime() / 1000)])),
        ).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: runs(20) },
    );
  });
});

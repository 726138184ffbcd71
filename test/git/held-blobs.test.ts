// What any commit up to HEAD held.

import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { assert, asyncProperty, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blobIdOf, heldBlob, heldBlobs } from '../../src/git/held-blobs.ts';
import type { GitRepository } from '../../src/git/repository.ts';
import { runs } from '../runs.ts';
import { histories, makeHistory } from './generated-histories.ts';
import {
  cloneOf,
  commitAll,
  commitFiles,
  describeWithGit,
  git,
  gitAt,
  makeRepository,
  repositoryOf,
} from './repositories.ts';

const blob = (text: string): string => blobIdOf('sha1', Buffer.from(text));

/** What a repository held, each as the path and the text, of a few that are known. */
async function held(folder: string, texts: readonly string[], directory = 'skills'): Promise<string[]> {
  const names = new Map(texts.map((text) => [blob(text), text]));
  const found = await heldBlobs(await repositoryOf(folder, directory));
  return [...(found?.keys() ?? [])]
    .map((one) => one.replace(/^(.) (\w+) /, (_, bit, id) => `${bit} ${names.get(id) ?? id} `))
    .sort();
}

/** The same, by listing every commit. */
function heldByListing(folder: string, { directory }: GitRepository): Set<string> {
  const commits = git(folder, 'rev-list', 'HEAD').split('\n');
  const lines = commits.flatMap((commit) =>
    git(folder, 'ls-tree', '-r', '-z', commit, `${directory}/`).split('\0'),
  );
  return new Set(
    lines.filter(Boolean).map((line) => {
      const [mode, , id = ''] = line.split(/[ \t]/);
      return heldBlob(line.slice(line.indexOf('\t') + 1 + directory.length + 1), mode === '100755', id);
    }),
  );
}

describeWithGit('the blobs that HEAD and its ancestors hold', () => {
  test('are named with their paths, each at every path that it stood at', async () => {
    const folder = await makeRepository({ 'skills/a/SKILL.md': '1', 'skills/b/SKILL.md': '1', outside: '1' });
    await commitFiles(folder, { 'skills/a/SKILL.md': '2' });
    git(folder, 'mv', 'skills/b', 'skills/c');
    commitAll(folder);
    await commitFiles(folder, { 'skills/a/SKILL.md': '1' });
    git(folder, 'rm', '-r', '--quiet', 'skills');
    commitAll(folder);
    expect(await held(folder, ['1', '2'])).toEqual([
      '- 1 a/SKILL.md',
      '- 1 b/SKILL.md',
      '- 1 c/SKILL.md',
      '- 2 a/SKILL.md',
    ]);
    expect(await held(folder, ['1', '2'], '')).toContain('- 1 outside');
  });

  test('are those of a squashed branch, but none that only the branch held', async () => {
    const folder = await makeRepository({ 'skills/a': '1' });
    git(folder, 'switch', '--quiet', '--create', 'feature');
    await commitFiles(folder, { 'skills/a': '2' });
    await commitFiles(folder, { 'skills/a': '3' });
    git(folder, 'switch', '--quiet', 'main');
    git(folder, 'merge', '--quiet', '--squash', 'feature');
    commitAll(folder);
    expect(await held(folder, ['1', '2', '3'])).toEqual(['- 1 a', '- 3 a']);
  });

  test('are those of a branch whose changes the merge discarded, and those of the merge alone', async () => {
    const folder = await makeRepository({ 'skills/a': '1' });
    git(folder, 'switch', '--quiet', '--create', 'feature');
    await commitFiles(folder, { 'skills/a': '2' });
    git(folder, 'switch', '--quiet', 'main');
    await commitFiles(folder, { 'skills/a': '3' });
    git(folder, 'merge', '--quiet', '--strategy', 'ours', '--message', 'Merge', 'feature');
    await writeFile(path.join(folder, 'skills/a'), '4');
    git(folder, 'commit', '--quiet', '--all', '--amend', '--message', 'Merge');
    await commitFiles(folder, { 'skills/a': '5' });
    expect(await held(folder, ['1', '2', '3', '4', '5'])).toEqual([
      '- 1 a',
      '- 2 a',
      '- 3 a',
      '- 4 a',
      '- 5 a',
    ]);
  });

  test('are those of an unrelated history that was merged in', async () => {
    const folder = await makeRepository({ 'skills/a': '1' });
    const tree = git(folder, 'rev-parse', 'HEAD^{tree}');
    await commitFiles(folder, { 'skills/a': '2' });
    const early = gitAt(1, folder, ['commit-tree', '-m', 'Orphan', tree]);
    git(folder, 'checkout', '--quiet', '--orphan', 'fresh');
    await commitFiles(folder, { 'skills/a': '3' });
    git(
      folder,
      'merge',
      '--quiet',
      '--allow-unrelated-histories',
      '--strategy',
      'ours',
      '-m',
      'Merge',
      early,
    );
    expect(await held(folder, ['1', '2', '3'])).toEqual(['- 1 a', '- 3 a']);
  });

  test('have their executable bit, and are no links and no submodules', async () => {
    const library = await makeRepository();
    const folder = await makeRepository({ 'skills/a': '1' });
    await symlink('a', path.join(folder, 'skills/link'));
    git(folder, 'submodule', '--quiet', 'add', `file://${library}`, 'skills/module');
    await chmod(path.join(folder, 'skills/a'), 0o755);
    commitAll(folder);
    expect(await held(folder, ['1'])).toEqual(['- 1 a', 'x 1 a']);
  });

  test.runIf(process.platform === 'linux')('may have any name', async () => {
    const names = [
      'two\nlines',
      '"quoted"',
      '-dash',
      ':100644 000000',
      'é',
      '文',
      '\u{1f600}',
      'f'.repeat(40),
    ];
    const folder = await makeRepository(Object.fromEntries(names.map((name) => [`skills/${name}/x`, '1'])));
    await writeFile(Buffer.concat([Buffer.from(`${folder}/skills/caf`), Buffer.from([0xe9])]), '1');
    commitAll(folder);
    expect(await held(folder, ['1'])).toEqual([...names.map((name) => `- 1 ${name}/x`), '- 1 caf�'].sort());
  });

  test.each(['sk[il]*ls', 'two\nlines', '-dash', ':(top)'])(
    'are those below a folder named %j',
    async (name) => {
      const folder = await makeRepository({ [`${name}/a`]: '1', 'skills/b': '1', 'skiills/c': '1' });
      expect(await held(folder, ['1'], name)).toEqual(['- 1 a']);
    },
  );

  test('are named the same whatever the user sets git to print', async () => {
    const folder = await makeRepository({ 'skills/a/x': '1' });
    await commitFiles(folder, { 'skills/a/x': '2' });
    git(folder, 'mv', 'skills/a', 'skills/b');
    commitAll(folder);
    const before = await held(folder, ['1', '2']);
    for (const [key, value] of [
      ['diff.relative', 'true'],
      ['diff.renames', 'copies'],
      ['diff.noPrefix', 'true'],
      ['diff.orderFile', '/nowhere'],
      ['log.showRoot', 'false'],
      ['log.diffMerges', 'off'],
      ['log.follow', 'true'],
      ['core.abbrev', '4'],
      ['color.ui', 'always'],
    ] as const) {
      git(folder, 'config', key, value);
    }
    expect(await held(folder, ['1', '2'])).toEqual(before);
    expect(before).toEqual(['- 1 a/x', '- 2 a/x', '- 2 b/x']);
  });

  test('are not told where a partial clone lacks the folders, and nothing is fetched', async () => {
    const origin = await makeRepository({ 'skills/a/x': '1' });
    git(origin, 'config', 'uploadpack.allowFilter', 'true');
    git(origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    await commitFiles(origin, { 'skills/a/x': '2' });
    const missing = (clone: string): string =>
      git(clone, 'rev-list', '--objects', '--missing=print', 'HEAD').replace(/^[^?].*\n/gm, '');
    const treeless = await cloneOf(origin, ['--filter=tree:0']);
    const lacks = missing(treeless);
    expect(await heldBlobs(await repositoryOf(treeless))).toBeUndefined();
    expect(missing(treeless)).toBe(lacks);
    const blobless = await cloneOf(origin, ['--filter=blob:none']);
    const lacksBlobs = missing(blobless);
    expect(lacksBlobs).toContain(blob('1'));
    expect(await held(blobless, ['1', '2'])).toEqual(['- 1 a/x', '- 2 a/x']);
    expect(missing(blobless)).toBe(lacksBlobs);
  });

  test('are undefined where git fails', async () => {
    const folder = await makeRepository();
    const repository = await repositoryOf(folder);
    expect(await heldBlobs({ ...repository, head: 'e'.repeat(40) })).toBeUndefined();
    await rm(path.join(folder, '.git/objects'), { recursive: true });
    expect(await heldBlobs(repository)).toBeUndefined();
  });

  test('are all that listing every commit shows, in every small history', async () => {
    await assert(
      asyncProperty(histories, async (steps) => {
        const { folder } = await makeHistory(steps);
        const repository = await repositoryOf(folder);
        expect(new Set((await heldBlobs(repository))?.keys())).toEqual(heldByListing(folder, repository));
      }),
      { numRuns: runs(20) },
    );
  });
});

describe('a blob id', () => {
  test('is what git is known to give', () => {
    expect(blobIdOf('sha1', Buffer.from(''))).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
    expect(blobIdOf('sha256', Buffer.from(''))).toBe(
      '473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813',
    );
  });
});

describeWithGit('a blob id', () => {
  test.each(['sha1', 'sha256'] as const)('is what git gives the same bytes (%s)', async (objectFormat) => {
    const folder = await makeRepository(undefined, [`--object-format=${objectFormat}`]);
    await assert(
      asyncProperty(uint8Array({ maxLength: 300 }), async (bytes) => {
        await writeFile(path.join(folder, 'x'), bytes);
        expect(blobIdOf(objectFormat, bytes)).toBe(git(folder, 'hash-object', '--no-filters', 'x'));
      }),
      { numRuns: runs(10) },
    );
  });
});

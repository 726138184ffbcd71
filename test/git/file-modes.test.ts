// What git says of executable bits, of a repository and of its index.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { executableInIndex, fileModesAreKept } from '../../src/git/file-modes.ts';
import { writeFiles } from '../folders.ts';
import { cloneOf, describeWithGit, emptyFolder, git, makeRepository } from './repositories.ts';

describeWithGit('whether a repository keeps file modes', () => {
  test.each<[string, readonly (readonly string[])[], boolean | undefined]>([
    ['is what git found out when it made it', [], true],
    ['may be set', [['core.fileMode', 'false']], false],
    ['may be set in other words', [['core.filemode', 'off']], false],
    [
      'is the last of what is set',
      [
        ['core.fileMode', 'false'],
        ['--add', 'core.fileMode', 'true'],
      ],
      true,
    ],
    ['is not known from nonsense', [['core.fileMode', 'nonsense']], undefined],
    ['is not known where it is not set', [['--unset', 'core.fileMode']], undefined],
  ])('%s', async (_, settings, kept) => {
    const folder = await makeRepository();
    for (const setting of settings) git(folder, 'config', ...setting);
    expect(await fileModesAreKept(path.join(folder, 'skills'))).toBe(kept);
  });

  test('may stand in a file that its configuration includes', async () => {
    const folder = await makeRepository();
    await writeFile(path.join(folder, 'more'), '[core]\nfileMode = false\n');
    git(folder, 'config', '--unset', 'core.fileMode');
    git(folder, 'config', 'include.path', '../more');
    expect(await fileModesAreKept(folder)).toBe(false);
  });

  test('is not known outside of repositories, nor where nothing is', async () => {
    const folder = await emptyFolder();
    expect(await fileModesAreKept(folder)).toBeUndefined();
    expect(await fileModesAreKept(path.join(folder, 'nowhere'))).toBeUndefined();
  });
});

describeWithGit("the executable files of git's index", () => {
  const names = ['a/run.sh', 'a/ü\n"x".sh', 'a/\ttab.sh'];

  test('are those of the folder, by paths within it, committed or not', async () => {
    const folder = await makeRepository({ 'other/run.sh': '', 'skills/a/SKILL.md': 'a' });
    await writeFiles(folder, Object.fromEntries(names.map((name) => [`skills/${name}`, ''])));
    git(folder, 'add', '--chmod=+x', 'skills');
    git(folder, 'add', '--chmod=-x', 'skills/a/SKILL.md');
    git(folder, 'update-index', '--chmod=+x', 'other/run.sh');
    await writeFiles(folder, { 'skills/a/untracked.sh': '' });
    expect(await executableInIndex(path.join(folder, 'skills'))).toEqual(new Set(names));
    git(folder, 'commit', '--quiet', '--message', 'Run');
    const shallow = await cloneOf(folder, ['--depth', '1']);
    expect(await executableInIndex(path.join(shallow, 'skills'))).toEqual(new Set(names));
  });

  test('are those that are known before the first commit, and none outside of repositories', async () => {
    const folder = await emptyFolder();
    expect(await executableInIndex(folder)).toEqual(new Set());
    git(folder, 'init', '--quiet');
    await writeFiles(folder, { 'run.sh': '' });
    git(folder, 'add', '--chmod=+x', 'run.sh');
    expect(await executableInIndex(folder)).toEqual(new Set(['run.sh']));
  });
});

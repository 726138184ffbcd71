// Which repository a skills directory stands in, and when git has no answers.

import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { findRepository, readPlace } from '../../src/git/repository.ts';
import { writeFiles } from '../folders.ts';
import {
  cloneOf,
  commitAll,
  commitFiles,
  describeWithGit,
  emptyFolder,
  git,
  gitAt,
  makeRepository,
  repositoryOf,
} from './repositories.ts';

function setVariable(name: string, value: string): void {
  vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describeWithGit('a skills directory in a repository', () => {
  test.each(['sha1', 'sha256'] as const)(
    'is told by root, place, HEAD and branch (%s)',
    async (objectFormat) => {
      const folder = await makeRepository(undefined, [`--object-format=${objectFormat}`]);
      const root = git(folder, 'rev-parse', 'HEAD');
      const head = await commitFiles(folder, { 'skills/b/SKILL.md': 'b\n' });
      git(folder, 'switch', '--quiet', '--create', 'feature/x');
      const skillsDirectory = path.join(folder, 'skills');
      const repository = {
        root,
        head,
        branch: 'feature/x',
        objectFormat,
        directory: 'skills',
        skillsDirectory,
      };
      expect(await findRepository(skillsDirectory)).toEqual(repository);
      expect(await findRepository(folder)).toEqual({ ...repository, directory: '', skillsDirectory: folder });
    },
  );

  test.each([
    'two\nlines',
    'at the end\n',
    '"quoted"',
    '-dash',
    'sk[il]*ls',
    'é',
    '文',
    'a b',
    ':(top)',
    'x/y/z',
  ])('may be named %j', async (name) => {
    const folder = await makeRepository({ [`${name}/a/SKILL.md`]: 'a' });
    expect(await repositoryOf(folder, name)).toMatchObject({ directory: name });
  });

  test('may be in a linked worktree, where it has that branch and the same root', async () => {
    const folder = await makeRepository();
    const worktree = path.join(await emptyFolder(), 'worktree');
    git(folder, 'worktree', 'add', '--quiet', '-b', 'other', worktree);
    const { root } = await repositoryOf(folder);
    expect(await repositoryOf(worktree)).toMatchObject({ root, branch: 'other', directory: 'skills' });
  });

  test("may be in a submodule, which is a repository of its own, or be the submodule's top", async () => {
    const library = await makeRepository();
    const { root, head } = await repositoryOf(library);
    const folder = await makeRepository({ 'README.md': 'x' });
    git(folder, 'submodule', '--quiet', 'add', `file://${library}`, 'vendor/library');
    commitAll(folder);
    expect(await repositoryOf(folder, 'vendor/library/skills')).toMatchObject({
      root,
      head,
      directory: 'skills',
    });
    expect(await repositoryOf(folder, 'vendor/library')).toMatchObject({ root, head, directory: '' });
  });

  test('has no branch where HEAD is detached, as on the merge that a pull request is tested at', async () => {
    const folder = await makeRepository();
    const { root } = await repositoryOf(folder);
    git(folder, 'switch', '--quiet', '--create', 'feature');
    await commitFiles(folder, { 'skills/a/SKILL.md': 'feature' });
    git(folder, 'switch', '--quiet', '--detach', 'main');
    git(folder, 'merge', '--quiet', '--no-ff', '--message', 'Merge', 'feature');
    git(folder, 'update-ref', 'refs/pull/1/merge', 'HEAD');
    git(folder, 'checkout', '--quiet', 'refs/pull/1/merge');
    const head = git(folder, 'rev-parse', 'HEAD');
    expect(await repositoryOf(folder)).toMatchObject({ root, head, branch: null });
  });

  test('keeps its root when unrelated histories, older and younger, are merged in', async () => {
    const folder = await makeRepository();
    const { root } = await repositoryOf(folder);
    for (const seconds of [1, 2_000_000_000]) {
      const other = gitAt(seconds, folder, ['commit-tree', '-m', 'Other', 'HEAD^{tree}']);
      git(folder, 'merge', '--quiet', '--allow-unrelated-histories', '--message', 'Merge', other);
      expect(await repositoryOf(folder)).toMatchObject({ root });
    }
    expect(git(folder, 'rev-list', '--max-parents=0', 'HEAD').split('\n')).toHaveLength(3);
  });

  test('may hold files that git tracks although it ignores the folder', async () => {
    const folder = await makeRepository({ '.gitignore': 'skills/' });
    await writeFiles(folder, { 'skills/a/SKILL.md': 'a' });
    git(folder, 'add', '--force', 'skills/a/SKILL.md');
    git(folder, 'commit', '--quiet', '--message', 'Track');
    expect(await repositoryOf(folder)).toMatchObject({ directory: 'skills' });
  });

  test('may have a branch named HEAD beside it', async () => {
    const folder = await makeRepository();
    git(folder, 'update-ref', 'refs/heads/HEAD', 'HEAD');
    expect(await repositoryOf(folder)).toMatchObject({ branch: 'main' });
  });

  test('is found where the environment tells of another repository, as within a hook', async () => {
    const folder = await makeRepository();
    const { root } = await repositoryOf(folder);
    const other = path.join(await makeRepository({ 'skills/other': 'other' }), '.git');
    for (const [name, value] of Object.entries({
      GIT_DIR: other,
      GIT_WORK_TREE: path.dirname(other),
      GIT_COMMON_DIR: other,
      GIT_INDEX_FILE: path.join(other, 'index'),
      GIT_OBJECT_DIRECTORY: path.join(other, 'objects'),
      GIT_PREFIX: 'elsewhere/',
      GIT_NAMESPACE: 'elsewhere',
      GIT_ICASE_PATHSPECS: '1',
      GIT_LITERAL_PATHSPECS: '1',
      GIT_CONFIG_PARAMETERS: "'core.bare=true'",
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.bare',
      GIT_CONFIG_VALUE_0: 'true',
    })) {
      setVariable(name, value);
    }
    expect(await repositoryOf(folder)).toMatchObject({ root, directory: 'skills' });
  });
});

describe('the lines that place a directory', () => {
  const head = 'e'.repeat(40);
  const place = { directory: '', head, branch: 'main', objectFormat: 'sha1' };
  test.each<[string, readonly string[], unknown]>([
    ['a whole clone', ['true', 'false', head, 'refs/heads/main', ''], place],
    [
      'a detached HEAD',
      ['true', 'false', head, 'HEAD', 'x/y/'],
      { ...place, branch: null, directory: 'x/y' },
    ],
    ['a bare repository', ['false', 'false', head, 'refs/heads/main', ''], undefined],
    ['a shallow clone', ['true', 'true', head, 'refs/heads/main', ''], undefined],
    [
      'a git that cannot tell a shallow clone',
      ['true', '--is-shallow-repository', head, 'HEAD', ''],
      undefined,
    ],
    ['no commit', ['true', 'false', 'HEAD^{commit}', 'HEAD', ''], undefined],
    ['no name', ['true', 'false', head], undefined],
    ['nothing', [], undefined],
  ])('of %s', (_, lines, expected) => {
    expect(readPlace(lines)).toEqual(expected);
  });
});

describeWithGit('git has no answers', () => {
  const places: { readonly [name: string]: () => Promise<string> } = {
    'outside any repository': emptyFolder,
    'before the first commit': async () => {
      const folder = await emptyFolder();
      git(folder, 'init', '--quiet');
      return folder;
    },
    'in a shallow clone': async () => {
      const folder = await makeRepository();
      await commitFiles(folder, { 'skills/a/SKILL.md': 'later' });
      return path.join(await cloneOf(folder, ['--depth', '1']), 'skills');
    },
    'in a folder that the repository ignores': async () => {
      const folder = await makeRepository({ '.gitignore': 'skills/' });
      await writeFiles(folder, { 'skills/a/SKILL.md': 'a' });
      return path.join(folder, 'skills');
    },
    'below a folder that the repository ignores': async () => {
      const folder = await makeRepository({ '.gitignore': '/private\n' });
      await writeFiles(folder, { 'private/our/skills/a/SKILL.md': 'a' });
      return path.join(folder, 'private/our/skills');
    },
    'in a repository without a work tree': async () => cloneOf(await makeRepository(), ['--bare']),
    "in the repository's own folder": async () => path.join(await makeRepository(), '.git'),
    'in a repository that is damaged': async () => {
      const folder = await makeRepository();
      await writeFile(path.join(folder, '.git/config'), '[core\n');
      return folder;
    },
    'where nothing is': async () => path.join(await makeRepository(), 'nowhere'),
    'at a path that cannot be': async () => '/no\0where',
  };

  test.each(Object.keys(places))('%s', async (name) => {
    const place = await places[name]?.();
    expect(await findRepository(place ?? '')).toBeUndefined();
  });

  test.each(['', ':', '.'])(
    'where PATH is %j, and a file named git in the folder is not run',
    async (PATH) => {
      const folder = await makeRepository();
      const mark = path.join(folder, 'mark');
      await writeFile(path.join(folder, 'git'), `#!/bin/sh\n: > '${mark}'\n`);
      await chmod(path.join(folder, 'git'), 0o755);
      setVariable('PATH', PATH);
      expect(await findRepository(folder)).toBeUndefined();
      await expect(stat(mark)).rejects.toThrow('ENOENT');
    },
  );

  test('where git cannot be started', async () => {
    const folder = await makeRepository();
    const bin = await emptyFolder();
    await mkdir(path.join(bin, 'git'));
    setVariable('PATH', bin);
    expect(await findRepository(folder)).toBeUndefined();
  });
});

// What git knows not to be as HEAD has it, state by state.

import { chmod, mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type UncleanPath, uncleanPaths } from '../../src/git/unclean.ts';
import { writeFiles } from '../folders.ts';
import { cloneOf, commitFiles, describeWithGit, git, makeRepository, repositoryOf } from './repositories.ts';

const tracked = {
  'skills/a/SKILL.md': 'a\n',
  'skills/a/run.sh': 'run\n',
  'skills/b/SKILL.md': 'b\n',
  'README.md': 'outside\n',
};

/** The paths by kind, each kind's in order. */
async function unclean(folder: string, directory = 'skills'): Promise<Readonly<Record<string, string[]>>> {
  return byKind((await uncleanPaths(await repositoryOf(folder, directory))) ?? []);
}

function byKind(all: readonly UncleanPath[]): Readonly<Record<string, string[]>> {
  const kinds: Record<string, string[]> = {};
  for (const { path, kind } of all) kinds[kind] = [...(kinds[kind] ?? []), path].sort();
  return kinds;
}

interface Case {
  readonly work: (folder: string) => Promise<unknown>;
  readonly unclean: Readonly<Record<string, readonly string[]>>;
}

const file = (folder: string, name = 'a/SKILL.md'): string => path.join(folder, 'skills', name);

const cases: { readonly [name: string]: Case } = {
  'nothing changed': { work: async () => undefined, unclean: {} },
  'a file touched': { work: (folder) => utimes(file(folder), 1, 1), unclean: {} },
  'a file outside changed': { work: (folder) => writeFile(path.join(folder, 'README.md'), 'x'), unclean: {} },
  'a file changed': {
    work: (folder) => writeFile(file(folder), 'more\n'),
    unclean: { modified: ['a/SKILL.md'] },
  },
  'a file made executable': {
    work: (folder) => chmod(file(folder, 'a/run.sh'), 0o755),
    unclean: { modified: ['a/run.sh'] },
  },
  'a file become a link': {
    work: async (folder) => {
      await rm(file(folder));
      await symlink('run.sh', file(folder));
    },
    unclean: { modified: ['a/SKILL.md'] },
  },
  'a file become a folder': {
    work: async (folder) => {
      await rm(file(folder));
      await writeFiles(file(folder), { x: 'x' });
    },
    unclean: { deleted: ['a/SKILL.md'], untracked: ['a/SKILL.md/x'] },
  },
  'a change staged': {
    work: async (folder) => {
      await writeFile(file(folder), 'more\n');
      git(folder, 'add', '.');
    },
    unclean: { staged: ['a/SKILL.md'] },
  },
  'a change staged, and another made': {
    work: async (folder) => {
      await writeFile(file(folder), 'more\n');
      git(folder, 'add', '.');
      await writeFile(file(folder), 'and more\n');
    },
    unclean: { modified: ['a/SKILL.md'] },
  },
  'a new file staged': {
    work: async (folder) => {
      await writeFiles(folder, { 'skills/c/SKILL.md': 'c' });
      git(folder, 'add', '.');
    },
    unclean: { staged: ['c/SKILL.md'] },
  },
  'a new file with git add -N': {
    work: async (folder) => {
      await writeFiles(folder, { 'skills/c/SKILL.md': 'c' });
      git(folder, 'add', '--intent-to-add', '.');
    },
    unclean: { modified: ['c/SKILL.md'] },
  },
  'a file deleted': { work: (folder) => rm(file(folder)), unclean: { deleted: ['a/SKILL.md'] } },
  'a folder deleted with git rm': {
    work: async (folder) => git(folder, 'rm', '-r', '--quiet', 'skills/a'),
    unclean: { deleted: ['a/SKILL.md', 'a/run.sh'] },
  },
  'a file taken out of the index': {
    work: async (folder) => git(folder, 'rm', '--cached', '--quiet', 'skills/a/SKILL.md'),
    unclean: { untracked: ['a/SKILL.md'] },
  },
  'a file renamed': {
    work: (folder) => rename(file(folder), file(folder, 'a/other')),
    unclean: { deleted: ['a/SKILL.md'], untracked: ['a/other'] },
  },
  'a folder renamed with git mv': {
    work: async (folder) => git(folder, 'mv', 'skills/a', 'skills/c'),
    unclean: { deleted: ['a/SKILL.md', 'a/run.sh'], staged: ['c/SKILL.md', 'c/run.sh'] },
  },
  'untracked files, each by itself': {
    work: (folder) => writeFiles(folder, { 'skills/c/x': 'x', 'skills/c/d/y': 'y' }),
    unclean: { untracked: ['c/d/y', 'c/x'] },
  },
  'ignored files, and an ignored folder as one': {
    work: (folder) =>
      writeFiles(folder, {
        '.git/info/exclude': '*.log\nnode_modules/\n',
        'skills/a/x.log': 'x',
        'skills/node_modules/x': 'x',
        'skills/a/node_modules/y/z': 'z',
      }),
    unclean: { ignored: ['a/node_modules/', 'a/x.log', 'node_modules/'] },
  },
  'another repository within': {
    work: async (folder) => {
      await mkdir(file(folder, 'c'));
      git(file(folder, 'c'), 'init', '--quiet');
      await commitFiles(file(folder, 'c'), { 'SKILL.md': 'c' });
    },
    unclean: { untracked: ['c/'] },
  },
  'a submodule, though as recorded': {
    work: async (folder) => {
      const library = await makeRepository();
      git(folder, 'submodule', '--quiet', 'add', `file://${library}`, 'skills/c');
      git(folder, 'commit', '--quiet', '--message', 'Add');
    },
    unclean: { submodule: ['c/'] },
  },
  'a conflict': {
    work: async (folder) => {
      git(folder, 'switch', '--quiet', '--create', 'other');
      await commitFiles(folder, { 'skills/a/SKILL.md': 'other\n', 'skills/c/SKILL.md': 'c\n' });
      git(folder, 'switch', '--quiet', 'main');
      await commitFiles(folder, { 'skills/a/SKILL.md': 'ours\n' });
      expect(() => git(folder, 'merge', '--quiet', 'other')).toThrow();
    },
    unclean: { conflicted: ['a/SKILL.md'], staged: ['c/SKILL.md'] },
  },
  'a file taken for unchanged': {
    work: async (folder) => {
      git(folder, 'update-index', '--assume-unchanged', 'skills/a/SKILL.md');
      await writeFile(file(folder), 'changed\n');
    },
    unclean: { assumed: ['a/SKILL.md'] },
  },
  'a file that git was told to skip': {
    work: async (folder) => {
      git(folder, 'update-index', '--skip-worktree', 'skills/a/SKILL.md');
      await rm(file(folder, 'a/run.sh'));
    },
    unclean: { sparse: ['a/SKILL.md'], deleted: ['a/run.sh'] },
  },
  'a sparse checkout': {
    work: async (folder) => git(folder, 'sparse-checkout', 'set', 'skills/b'),
    unclean: { sparse: ['a/SKILL.md', 'a/run.sh'] },
  },
  'a sparse checkout with a sparse index': {
    work: async (folder) => git(folder, 'sparse-checkout', 'set', '--cone', '--sparse-index', 'skills/b'),
    unclean: { sparse: ['a/SKILL.md', 'a/run.sh'] },
  },
  'names of every kind': {
    work: (folder) =>
      writeFiles(
        path.join(folder, 'skills'),
        Object.fromEntries(
          ['two\nlines', '"quoted"', '-dash', 'tab\there', ' blank ', 'é', '文', 'a -> b', '? x'].map(
            (name) => [name, name],
          ),
        ),
      ),
    unclean: {
      untracked: [' blank ', '"quoted"', '-dash', '? x', 'a -> b', 'tab\there', 'two\nlines', 'é', '文'],
    },
  },
  'settings of the user that change what git prints': {
    work: async (folder) => {
      for (const [key, value] of [
        ['color.ui', 'always'],
        ['color.status', 'always'],
        ['status.short', 'true'],
        ['status.branch', 'true'],
        ['status.showStash', 'true'],
        ['status.renames', 'copies'],
        ['status.showUntrackedFiles', 'no'],
        ['status.relativePaths', 'true'],
        ['core.quotePath', 'true'],
        ['column.ui', 'always'],
        ['diff.relative', 'true'],
      ] as const) {
        git(folder, 'config', key, value);
      }
      await writeFile(file(folder), 'stash\n');
      git(folder, 'stash', '--quiet');
      git(folder, 'mv', 'skills/a', 'skills/c');
      await writeFiles(folder, { 'skills/é': 'x' });
    },
    unclean: { deleted: ['a/SKILL.md', 'a/run.sh'], staged: ['c/SKILL.md', 'c/run.sh'], untracked: ['é'] },
  },
};

describeWithGit('what is not as HEAD has it', () => {
  test.each(Object.keys(cases))('%s', async (name) => {
    const { work, unclean: expected } = cases[name] as Case;
    const folder = await makeRepository(tracked);
    await work(folder);
    expect(await unclean(folder)).toEqual(expected);
  });

  test('where the skills directory is the top of the work tree', async () => {
    const folder = await makeRepository({ 'a/SKILL.md': 'a' });
    await writeFiles(folder, { 'b/SKILL.md': 'b' });
    expect(await unclean(folder, '')).toEqual({ untracked: ['b/SKILL.md'] });
  });

  test.each(['sk[il]*ls', 'two\nlines', '-dash', ':(top)'])('below a folder named %j alone', async (name) => {
    const folder = await makeRepository({ [`${name}/a`]: 'a', 'skills/a': 'a', 'skiills/a': 'a' });
    await writeFiles(folder, { [`${name}/b`]: 'b', 'skills/b': 'b', 'skiills/b': 'b' });
    await rm(path.join(folder, name, 'a'));
    expect(await unclean(folder, name)).toEqual({ deleted: ['a'], untracked: ['b'] });
  });

  test.runIf(process.platform === 'linux')(
    'names that are not UTF-8, as Node reads them from the folder',
    async () => {
      const folder = await makeRepository(tracked);
      await writeFile(Buffer.concat([Buffer.from(`${folder}/skills/caf`), Buffer.from([0xe9])]), 'x');
      expect(await unclean(folder)).toEqual({ untracked: ['caf�'] });
    },
  );

  test('in a clone whose line endings are converted, nothing', async () => {
    const folder = await cloneOf(await makeRepository(tracked), ['--config', 'core.autocrlf=true']);
    expect(await readFile(file(folder), 'utf8')).toBe('a\r\n');
    await utimes(file(folder), 1, 1);
    expect(await unclean(folder)).toEqual({});
  });

  test('is asked of the commit that the repository was found at, and of no later one', async () => {
    const folder = await makeRepository(tracked);
    const repository = await repositoryOf(folder);
    await commitFiles(folder, { 'skills/a/SKILL.md': 'later\n' });
    expect(await uncleanPaths(repository)).toBeUndefined();
    expect(await unclean(folder)).toEqual({});
  });

  test('is not told where the repository has gone, or ignores all by now', async () => {
    const folder = await makeRepository(tracked);
    const repository = await repositoryOf(folder);
    git(folder, 'rm', '-r', '--cached', '--quiet', 'skills');
    await writeFile(path.join(folder, '.git/info/exclude'), 'skills/\n');
    expect(await uncleanPaths(repository)).toBeUndefined();
    await rm(path.join(folder, '.git'), { recursive: true });
    expect(await uncleanPaths(repository)).toBeUndefined();
  });

  test('is found without refreshing the index', async () => {
    const folder = await makeRepository(tracked);
    await utimes(file(folder), 1, 1);
    const index = path.join(folder, '.git/index');
    const before = await readFile(index);
    expect(await unclean(folder)).toEqual({});
    expect(before.equals(await readFile(index))).toBe(true);
    git(folder, 'status');
    expect(before.equals(await readFile(index))).toBe(false);
  });
});

// How git is run: what bounds it, and that nothing which a repository names is run with it.

import { chmod, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { commitTimes } from '../../src/git/commit-times.ts';
import { heldBlobs } from '../../src/git/held-blobs.ts';
import { findRepository } from '../../src/git/repository.ts';
import { gitEnvironment, gitRecords, streamGit } from '../../src/git/run-git.ts';
import { standings } from '../../src/git/standings.ts';
import { uncleanPaths } from '../../src/git/unclean.ts';
import { writeFiles } from '../folders.ts';
import {
  commitAll,
  describeWithGit,
  emptyFolder,
  git,
  makeRepository,
  repositoryOf,
} from './repositories.ts';

/** Puts a program named `git` first on PATH, for this test. */
async function pretendGit(script: string): Promise<string> {
  const folder = await emptyFolder();
  await writeFile(path.join(folder, 'git'), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(folder, 'git'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return folder;
}

describe.skipIf(process.platform === 'win32')('a run of git', () => {
  // Longer than a test may take: what ends a run is another bound.
  const call = { directory: '/', args: [], separator: '\0', timeoutMs: 600_000 } as const;

  test.each<[string, string, readonly string[] | undefined]>([
    ['gives its records', String.raw`printf 'a\0\0b c\0'`, ['a', '', 'b c']],
    ['gives none', '', []],
    ['fails', String.raw`printf 'a\0'; exit 1`, undefined],
    ['is killed by another', String.raw`printf 'a\0'; kill -9 $$`, undefined],
    ['stops within a record', String.raw`printf 'a\0b'`, undefined],
    ['never ends a record', 'cat /dev/zero | tr "\\0" x', undefined],
    ['is not UTF-8', String.raw`printf 'caf\351\0\303\0\251\0'`, ['caf�', '�', '�']],
    ['comes byte by byte', String.raw`for b in '\303' '\251' '\0'; do printf "$b"; sleep 0.05; done`, ['é']],
    ['does not read its input', String.raw`exec <&-; printf 'a\0'`, ['a']],
    ['complains', String.raw`seq 100000 >&2; printf 'a\0'`, ['a']],
  ])('%s', async (_, script, records) => {
    await pretendGit(script);
    expect(await gitRecords({ ...call, input: 'x'.repeat(1 << 20) })).toEqual(records);
  });

  test('reads its input', async () => {
    await pretendGit('cat');
    const input = `${'x\0'.repeat(100_000)}é\0`;
    expect((await gitRecords({ ...call, input }))?.join('\0')).toBe(input.slice(0, -1));
  });

  test('is stopped when there was enough', async () => {
    await pretendGit('yes a');
    let taken = 0;
    expect(await streamGit({ ...call, separator: '\n' }, () => ++taken < 100_000)).toBe(0);
    expect(taken).toBe(100_000);
  });

  test('is killed when it takes too long, though it started others', async () => {
    const folder = await pretendGit('echo $$ > "$(dirname "$0")/pid"; sleep 100 & wait');
    expect(await gitRecords({ ...call, timeoutMs: 1000 })).toBeUndefined();
    const pid = Number(await readFile(path.join(folder, 'pid'), 'utf8'));
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
  });

  test('has none of the variables of git that tell of a repository or run a program', () => {
    const user = {
      PATH: '/bin',
      HOME: '/home/ada',
      GIT_CONFIG_GLOBAL: '/home/ada/git',
      GIT_CEILING_DIRECTORIES: '/home',
    };
    const environment = gitEnvironment({
      ...user,
      GIT_DIR: '/x',
      git_dir: '/x',
      GIT_EXTERNAL_DIFF: 'x',
      GIT_TRACE: '/x',
      GIT_CONFIG_KEY_0: 'x',
      LC_ALL: 'de_DE.UTF-8',
    });
    expect(environment).toMatchObject({
      ...user,
      LC_ALL: 'C',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_LAZY_FETCH: '1',
      GIT_ALLOW_PROTOCOL: '',
    });
    for (const gone of ['GIT_DIR', 'git_dir', 'GIT_EXTERNAL_DIFF', 'GIT_TRACE', 'GIT_CONFIG_KEY_0']) {
      expect(environment).not.toHaveProperty(gone);
    }
  });
});

describeWithGit('a run of git', () => {
  test('has none of the variables that git names as local to a repository', async () => {
    const names = git(await emptyFolder(), 'rev-parse', '--local-env-vars').split('\n');
    const environment = gitEnvironment(Object.fromEntries(names.map((name) => [name, 'x'])));
    expect(names).toContain('GIT_DIR');
    expect(Object.values(environment)).not.toContain('x');
  });
});

/** Everything that a configuration or a repository can make git run; each touches `mark`. */
const baits: { readonly [name: string]: (folder: string, program: string) => Promise<unknown> } = {
  'core.fsmonitor': async (folder, program) => git(folder, 'config', 'core.fsmonitor', program),
  'core.pager': async (folder, program) => {
    git(folder, 'config', 'core.pager', program);
    for (const command of ['status', 'rev-list', 'diff-tree', 'ls-files', 'config', 'rev-parse']) {
      git(folder, 'config', `pager.${command}`, 'true');
    }
  },
  alias: async (folder, program) => {
    for (const command of ['status', 'rev-list', 'diff-tree', 'ls-files', 'rev-parse', 'check-ignore']) {
      git(folder, 'config', `alias.${command}`, `!${program}`);
    }
  },
  'diff.external': async (folder, program) => git(folder, 'config', 'diff.external', program),
  textconv: async (folder, program) => {
    await writeFile(path.join(folder, '.git/info/attributes'), '* diff=bait\n');
    git(folder, 'config', 'diff.bait.textconv', program);
    git(folder, 'config', 'diff.bait.command', program);
  },
  'a filter': async (folder, program) => {
    await writeFile(path.join(folder, '.git/info/attributes'), '* filter=Bait.one\n');
    git(folder, 'config', 'filter.Bait.one.clean', program);
    git(folder, 'config', 'filter.Bait.one.required', 'true');
  },
  'a filter that is a process': async (folder, program) => {
    await writeFile(path.join(folder, '.git/info/attributes'), '* filter=bait\n');
    git(folder, 'config', 'filter.bait.process', program);
  },
  hooks: async (folder, program) => {
    const hooks = [
      'post-index-change',
      'post-checkout',
      'reference-transaction',
      'fsmonitor-watchman',
      'query-watchman',
    ];
    for (const hook of hooks) {
      await writeFiles(folder, { [`.git/hooks/${hook}`]: await readFile(program) });
      await chmod(path.join(folder, '.git/hooks', hook), 0o755);
    }
  },
  'core.hooksPath': async (folder, program) => {
    await writeFiles(folder, { '.git/bait/post-index-change': await readFile(program) });
    await chmod(path.join(folder, '.git/bait/post-index-change'), 0o755);
    git(folder, 'config', 'core.hooksPath', path.join(folder, '.git/bait'));
  },
  'gpg.program': async (folder, program) => {
    git(folder, 'config', 'gpg.program', program);
    git(folder, 'config', 'log.showSignature', 'true');
  },
  'a promised remote': async (folder, program) => {
    git(folder, 'config', 'extensions.partialClone', 'origin');
    git(folder, 'config', 'core.repositoryFormatVersion', '1');
    git(folder, 'config', 'remote.origin.url', 'ssh://localhost/x');
    git(folder, 'config', 'remote.origin.promisor', 'true');
    git(folder, 'config', 'core.sshCommand', program);
    git(folder, 'config', 'credential.helper', program);
  },
  "a submodule's configuration": async (folder, program) => {
    git(folder, 'submodule', '--quiet', 'add', `file://${await makeRepository()}`, 'skills/module');
    commitAll(folder);
    await writeFiles(folder, { '.git/modules/skills/module/info/attributes': '* filter=bait\n' });
    git(path.join(folder, 'skills/module'), 'config', 'filter.bait.clean', program);
    await utimes(path.join(folder, 'skills/module/skills/a/SKILL.md'), 1, 1);
  },
};

/** What a person may type that springs the bait, to know that it is one. */
const springs: { readonly [name: string]: readonly string[] } = {
  'core.fsmonitor': ['status'],
  'diff.external': ['diff'],
  textconv: ['diff'],
  'a filter': ['status'],
  'a filter that is a process': ['status'],
  hooks: ['status'],
  'core.hooksPath': ['status'],
  'a promised remote': ['cat-file', '-e', 'e'.repeat(40)],
  "a submodule's configuration": ['status'],
};

describeWithGit('what a hostile repository names is not run', () => {
  test.each(Object.keys(baits))('%s', async (name) => {
    const folder = await makeRepository({ 'skills/a/SKILL.md': 'a\n', 'skills/b/SKILL.md': 'b\n' });
    const outside = await emptyFolder();
    const mark = path.join(outside, 'mark');
    const program = path.join(outside, 'program');
    await writeFile(program, `#!/bin/sh\n: > '${mark}'\nexit 1\n`);
    await chmod(program, 0o755);
    await baits[name]?.(folder, program);
    await writeFile(path.join(folder, 'skills/b/SKILL.md'), 'changed\n');
    const touch = () => utimes(path.join(folder, 'skills/a/SKILL.md'), 1, 1);
    await touch();

    const repository = await repositoryOf(folder);
    expect(await findRepository(folder)).toBeDefined();
    expect(await uncleanPaths(repository)).toContainEqual({ path: 'b/SKILL.md', kind: 'modified' });
    expect(await standings(repository, ['e'.repeat(40), repository.head])).toEqual(
      new Map([[repository.head, 'head']]),
    );
    expect((await heldBlobs(repository))?.size).toBe(2);
    expect((await commitTimes(repository, ['a']))?.size).toBe(1);
    await expect(stat(mark)).rejects.toThrow('ENOENT');

    const spring = springs[name];
    if (!spring) return;
    await touch();
    try {
      git(folder, ...spring);
    } catch {
      // The bait fails, and some commands with it.
    }
    expect((await stat(mark)).isFile()).toBe(true);
  });
});

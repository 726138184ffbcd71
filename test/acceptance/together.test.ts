import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, type Project, sql } from './cli.ts';

const names = Array.from({ length: 12 }, (_, index) => `s${index}`);

function tree(word: string, some: readonly string[] = names): { readonly [file: string]: string } {
  return Object.fromEntries(some.map((name) => [`skills/${name}/SKILL.md`, document(name, `${word}\n`)]));
}

async function contents(url: string): Promise<{ readonly [skill: string]: string }> {
  const rows = await sql(
    url,
    'select skill_path, rtrim(skill_content, chr(10)) as text from skills order by 1',
  );
  return Object.fromEntries(rows.map(({ skill_path: skill, text }) => [skill, text]));
}

/** Each state that the history and the rows hold, once each: what a lost or doubled update would show in. */
async function states(url: string): Promise<readonly string[]> {
  const rows = await sql(
    url,
    `select skill_path || ' ' || rtrim(skill_content, chr(10)) as state from skill_revisions
     union all select skill_path || ' ' || rtrim(skill_content, chr(10)) from skills order by 1`,
  );
  return rows.map(({ state }) => String(state));
}

function sync(project: Project, url: string, ...args: readonly string[]) {
  return project.run(['sync-db', '--quiet', ...args], { DATABASE_URL: url });
}

describe('several runs at once', () => {
  test('from one directory wait for each other, and nothing is done twice', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    await writeFiles(project.folder, tree('one'));
    const ran = await Promise.all(Array.from({ length: 5 }, () => sync(project, url)));
    expect(ran.map(({ code, stderr }) => [code, stderr])).toEqual(ran.map(() => [0, '']));
    expect(ran.map(({ stdout }) => stdout.includes('12 created')).filter(Boolean)).toHaveLength(1);
    expect(await sql(url, 'select count(*)::integer as runs from sync_runs')).toEqual([{ runs: 1 }]);
    expect(await states(url)).toEqual(names.map((name) => `${name} one`).sort());
    await writeFiles(project.folder, tree('two', names.slice(0, 6)));
    await Promise.all(Array.from({ length: 5 }, () => sync(project, url)));
    expect(await states(url)).toEqual(
      [...names.map((name) => `${name} one`), ...names.slice(0, 6).map((name) => `${name} two`)].sort(),
    );
  });

  test('from two directories lose no update, and store each once', async () => {
    const [first, second] = [await makeProject(), await makeProject()];
    const url = await databaseUrl('postgres');
    await writeFiles(first.folder, tree('one'));
    await sync(first, url);
    await writeFiles(second.folder, { 'skills/.keep': '' });
    await sync(second, url);
    await writeFiles(first.folder, tree('first', names.slice(0, 6)));
    await writeFiles(second.folder, tree('second', names.slice(6)));
    const both = [first, second, first, second, first];
    const ran = await Promise.all(both.map((project) => sync(project, url)));
    expect(ran.map(({ code }) => code)).toEqual(ran.map(() => 0));
    await sync(first, url);
    await sync(second, url);
    const wanted = Object.fromEntries(names.map((name, place) => [name, place < 6 ? 'first' : 'second']));
    expect(await contents(url)).toEqual(wanted);
    expect(await states(url)).toEqual(
      [...names.map((name) => `${name} one`), ...Object.entries(wanted).map((one) => one.join(' '))].sort(),
    );
    for (const project of [first, second]) {
      expect((await sync(project, url, '--dry-run', '--exit-code')).code).toBe(0);
    }
  });

  test('beside an API that writes all the while lose none of its updates, nor their own', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    await writeFiles(project.folder, tree('0'));
    await sync(project, url);
    const client = new pg.Client(url);
    await client.connect();
    let isDone = false;
    let writes = 0;
    const api = (async () => {
      while (!isDone) {
        const name = names[writes % 6] ?? '';
        writes++;
        await client.query('update skills set skill_content = $1 where name = $2', [`api ${writes}\n`, name]);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    for (let round = 1; round <= 4; round++) {
      await writeFiles(project.folder, tree(`mine ${round}`, names.slice(6)));
      expect([0, 1, 3]).toContain((await sync(project, url)).code);
    }
    isDone = true;
    await api;
    await client.end();
    expect((await sync(project, url)).code).toBe(0);
    const kept = new Set(await states(url));
    // Every text that the API ever wrote stands in the history, or is there.
    const lost = Array.from({ length: writes }, (_, index) => `${names[index % 6]} api ${index + 1}`).filter(
      (state) => !kept.has(state),
    );
    expect(lost).toEqual([]);
    expect((await contents(url))['s11']).toBe('mine 4');
    expect((await sync(project, url, '--dry-run', '--exit-code')).code).toBe(0);
  });

  test('end where one waits too long, and say for whom', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    await writeFiles(project.folder, tree('one'));
    const holder = { pid: process.pid, host: hostname(), since: 'now', started: '' };
    await writeFiles(project.folder, { 'skills/.skill-fleet-lock.1': JSON.stringify(holder) });
    const late = await sync(project, url, '--lock-timeout', '0.2');
    expect([late.code, late.stderr]).toEqual([
      1,
      expect.stringContaining(`in use by process ${process.pid}`),
    ]);
    expect((await project.run(['sync-db', '--dry-run'], { DATABASE_URL: url })).code).toBe(0);
  });
});

describe('what a run leaves to decide', () => {
  test('says it by its exit code, and a pull request asks only for what is not its own', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    const code = async (what: string, ...args: readonly string[]) =>
      (
        await project.run(['sync-db', '--dry-run', '--on-conflict', 'fail', `--exit-code${what}`, ...args], {
          DATABASE_URL: url,
        })
      ).code;
    await writeFiles(project.folder, tree('one', names.slice(0, 3)));
    await sync(project, url);
    expect([await code(''), await code('=theirs'), await code('=conflicts')]).toEqual([0, 0, 0]);
    await writeFiles(project.folder, tree('mine', ['s0']));
    expect([await code(''), await code('=theirs'), await code('=conflicts')]).toEqual([2, 0, 0]);
    await sql(url, `update skills set skill_content = 'theirs' where name = 's1'`);
    expect([await code(''), await code('=theirs'), await code('=conflicts')]).toEqual([2, 2, 0]);
    await sql(url, `update skills set skill_content = 'theirs' where name = 's0'`);
    expect([await code(''), await code('=theirs'), await code('=conflicts')]).toEqual([3, 3, 3]);
    expect(await code('=sometimes')).toBe(64);
    for (const wrong of ['half', '-1', '101']) expect(await code('', '--max-delete', wrong)).toBe(64);
  });

  test('says where removed files are', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    await writeFiles(project.folder, tree('one', ['s0', 's1']));
    await sync(project, url);
    await sql(url, `update skills set deleted_at = now() where name = 's0'`);
    const run = await project.run(['import-from-db', '--delete'], { DATABASE_URL: url });
    expect(run.stdout).toContain('remove   s0  in the files: deleted on the other side');
    const [, folder = ''] = /1 skill removed from the files, to be found in (.*)/.exec(run.stderr) ?? [];
    expect(await readFile(`${folder}/s0/SKILL.md`, 'utf8')).toBe(document('s0', 'one\n'));
  });

  test('prints the command that brings back what lost', async () => {
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    await writeFiles(project.folder, tree('one', ['s0']));
    await sync(project, url);
    await writeFiles(project.folder, tree('mine', ['s0']));
    await sql(url, `update skills set skill_content = 'theirs' where name = 's0'`);
    const run = await project.run(['sync-db', '--on-conflict', 'local'], { DATABASE_URL: url });
    const [, command = ''] = /what it held: skill-fleet (.*)/.exec(run.stdout) ?? [];
    const restored = await project.run(command.split(' '), { DATABASE_URL: url });
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(await contents(url)).toEqual({ s0: 'theirs' });
    const unknown = await project.run(['restore', 's0', '--revision', '999'], { DATABASE_URL: url });
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('no revision 999')]);
    expect((await project.run(['restore', 'nobody', '--revision', '1'], { DATABASE_URL: url })).code).toBe(1);
    // Whoever asks for what never was is told so, and no run has failed.
    expect((await project.run(['status', '--exit-code'], { DATABASE_URL: url })).code).toBe(0);
  });
});

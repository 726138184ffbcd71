// What was done, and what a skill was, as the built command line prints it.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { git } from '../git/repositories.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, type Project, type Ran, sql } from './cli.ts';

interface Library {
  readonly project: Project;
  readonly url: string;
  /** Runs a command that must succeed. */
  run(...args: readonly string[]): Promise<Ran>;
  write(files: { readonly [path: string]: string }): Promise<void>;
}

async function makeLibrary(): Promise<Library> {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  return {
    project,
    url,
    run: async (...args) => {
      const ran = await project.run(args, { DATABASE_URL: url });
      expect(ran, args.join(' ')).toMatchObject({ code: 0 });
      return ran;
    },
    write: (files) => writeFiles(path.join(project.folder, 'skills'), files),
  };
}

/** The lines, with what differs from test to test named: times, durations, users, machines. */
function linesOf({ stdout }: Ran): readonly string[] {
  return stdout
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/\((\d\.\d|\d\d) s\)/g, '(DURATION)')
    .replace(/\S+@\S+/g, 'WHO')
    .split('\n')
    .slice(0, -1);
}

test('log: runs, in git with the commit, an undo and what it took back, a killed one, a failed one', async () => {
  const { project, url, run, write } = await makeLibrary();
  await write({ 'a/SKILL.md': document('a', 'One.\n'), 'b/SKILL.md': document('b') });
  git(project.folder, 'init', '-q');
  git(project.folder, 'add', 'skills');
  git(project.folder, 'commit', '-qm', 'one');
  const commit = git(project.folder, 'rev-parse', 'HEAD').slice(0, 7);
  expect((await run('log')).stdout).toBe('No runs.\n');
  await run('sync-db');
  await write({ 'a/SKILL.md': document('a', 'Two.\n') });
  await sql(url, `update skills set skill_content = 'Theirs.' where name = 'b'`);
  await run('sync-db');
  await run('undo');
  await sql(
    url,
    `insert into sync_runs (direction, who, host, directory) values ('sync', 'kim', E'pc\\n\\u001b[2J', '/x');
     insert into sync_runs (direction, who, host, directory, started_at, finished_at, outcome, error)
     values ('import', 'kim', 'pc', '/x', '2020-01-31 12:00:00Z', '2020-01-31 12:02:59Z', 'failed', E'lost\\nit')`,
  );
  const lines = [
    `5  TIME  import  WHO  failed (3 min)                    nothing changed: lost\\nit`,
    `4  TIME  sync    WHO  running                           nothing recorded yet`,
    `3  TIME  undo    WHO  success (DURATION)  ${commit} main  1 updated in the database, 1 written to the files (takes back run 2)`,
    `2  TIME  sync    WHO  success (DURATION)  ${commit} main  1 updated in the database, 1 written to the files (taken back by run 3)`,
    `1  TIME  sync    WHO  success (DURATION)  ${commit} main  2 created in the database`,
  ];
  const squeezed = (line: string) => line.replace(/ {2,}/g, '  ');
  const shown = await run('log');
  expect([shown.stderr, linesOf(shown).map(squeezed)]).toEqual(['', lines.map(squeezed)]);
  expect(shown.stdout).toContain('kim@pc\\n\\u{1b}[2J');
  const columns = shown.stdout.split('\n').slice(2, 5);
  expect(new Set(columns.map((line) => line.indexOf(commit))).size).toBe(1);

  const some = await run('log', '--limit', '2');
  expect([linesOf(some).length, some.stderr]).toEqual([2, expect.stringContaining('--limit N shows more')]);
  expect(linesOf(await run('log', '--since', '1h')).map((line) => line[0])).toEqual(['4', '3', '2', '1']);
  const { runs, more, exitCode } = JSON.parse((await run('log', '--json', '--since', '2020-01-31')).stdout);
  expect([runs.length, more, exitCode]).toEqual([5, false, 0]);
  expect(runs[0]).toMatchObject({
    startedAt: '2020-01-31T12:00:00.000Z',
    outcome: 'failed',
    error: 'lost\nit',
  });
  expect(runs[3]).toMatchObject({
    ...{ run: 2, direction: 'sync', undoes: null, takenBackBy: 3, branch: 'main' },
    counts: {
      create: 0,
      update: 1,
      rename: 0,
      archive: 0,
      write: 1,
      remove: 0,
      merge: 0,
      failed: 0,
      conflicts: 0,
    },
  });
});

test('log counts the conflicts that a run left', async () => {
  const { project, url, run, write } = await makeLibrary();
  await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
  await run('sync-db');
  await write({ 'a/SKILL.md': document('a', 'Mine.\n'), 'b/SKILL.md': document('b', 'Mine.\n') });
  await sql(url, `update skills set skill_content = 'Theirs.' where name = 'a'`);
  const left = await project.run(['sync-db', '--on-conflict', 'fail'], { DATABASE_URL: url });
  expect([left.code, linesOf(await run('log'))[0]]).toEqual([
    3,
    '2  TIME  sync  WHO  success (DURATION)  1 updated in the database, 1 conflict left',
  ]);
});

describe('log PATH', () => {
  test('shows what each revision changed, by any path that the skill had, deleted and erased too', async () => {
    const { project, url, run, write } = await makeLibrary();
    const body = 'One.\nA line that stays.\nAnother line that stays.\n';
    await write({ 'old/a/SKILL.md': document('a', body), 'b/SKILL.md': document('b') });
    await run('sync-db');
    await rm(path.join(project.folder, 'skills/old'), { recursive: true });
    await write({ 'new/a/SKILL.md': document('a', body.replace('One.', 'Two.')), 'new/a/run.sh': 'x\n' });
    await run('sync-db');
    await sql(url, `update skills set description = 'Theirs.' where name = 'a'`);
    const numbers = (await sql(
      url,
      `select revision from skill_revisions union select revision from skill_sync y
       join skills s using (skill_id) where s.name = 'a' order by 1 desc`,
    )) as readonly { revision: string }[];
    const [third = '', second = '', first = ''] = numbers.map(({ revision }) => revision);
    const lines = [
      `${third}  TIME  database  postgres                     now  description`,
      `${second}  TIME  files     postgres skill-fleet  run 2       old/a -> new/a, body +1 -1, files +1`,
      `${first}  TIME  files     postgres skill-fleet  run 1       created`,
      `To bring one back: skill-fleet restore new/a --revision ${second}`,
    ];
    const shown = await run('log', 'new/a');
    expect([shown.stderr, linesOf(shown)]).toEqual(['', lines]);
    const byAlias = await run('log', 'old/a', '--limit', '2');
    expect(linesOf(byAlias)).toEqual(lines.filter((_, at) => at !== 2));
    expect(byAlias.stderr).toContain('note: old/a is new/a now\n');
    expect(byAlias.stderr).toContain('--limit N shows more');
    expect((await run('log', 'new/a', '--since', '2999-01-01T00:00:00+02:00')).stdout).toBe(
      'No revisions.\n',
    );

    const diffs = (await run('log', 'new/a', '--diff')).stdout.split('\n');
    expect(diffs.filter((line) => /^ {2}[-+]/.test(line)).slice(0, 10)).toEqual([
      `  --- revision ${second}/new/a/SKILL.md`,
      `  +++ revision ${third}/new/a/SKILL.md`,
      '  -description: About a.',
      '  +description: Theirs.',
      `  --- revision ${first}/old/a/SKILL.md`,
      `  +++ revision ${second}/new/a/SKILL.md`,
      '  -One.',
      '  +Two.',
      '  --- /dev/null',
      `  +++ revision ${second}/new/a/run.sh`,
    ]);
    const one = await run('log', 'new/a', '--diff', second);
    expect(one.stdout).toContain('+Two.');
    expect(one.stdout).not.toContain('Theirs.');
    const two = JSON.parse((await run('log', 'new/a', '--diff', `${third}..${first}`, '--json')).stdout);
    expect(two).toMatchObject({ path: 'new/a', skillId: expect.any(Number), exitCode: 0 });
    expect(two.revisions).toEqual([
      expect.objectContaining({
        ...{ revision: Number(first), before: Number(third), path: 'old/a', run: 1, origin: 'files' },
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        changes: {
          path: { from: 'new/a', to: 'old/a' },
          ...{ values: ['description'], form: [], body: { added: 1, removed: 1 } },
          files: { added: 0, changed: 0, removed: 1 },
        },
        summary: 'new/a -> old/a, description, body +1 -1, files -1',
        diff: expect.stringContaining('+One.'),
      }),
    ]);

    await sql(url, `update skills set deleted_at = now() where name = 'a'`);
    const [deleted, ...rest] = linesOf(await run('log', 'old/a')).map((line) =>
      line.replace('  now', '     '),
    );
    expect(deleted).toMatch(/^\d+ {2}TIME {2}database {2}postgres +deleted$/);
    expect(rest.slice(0, 3).map((line) => line.trim())).toEqual(
      lines.slice(0, 3).map((line) => line.replace('  now', '     ')),
    );
    await sql(url, `delete from skills where name = 'a'`);
    const { stderr, ...ran } = await run('log', 'new/a');
    const erased = linesOf({ stderr, ...ran });
    expect(stderr).toBe('note: new/a is deleted; a revision brings it back\n');
    expect(erased.join('\n')).not.toContain('  now  ');
    expect(erased.at(-2)).toBe(lines[2]?.replace('       created', '  created'));

    await sql(url, `update skill_revisions set pruned_at = now() where revision = ${first}`);
    const pruned = linesOf(await run('log', 'new/a', '--diff'));
    expect(pruned.at(-2)).toMatch(/ run 1 +contents given up$/);
    expect(pruned.join('\n')).toContain(`changed since revision ${first}, which cannot be read`);
    for (const [args, said] of [
      [['new/a', '--diff', second], `The contents of revision ${first} of old/a are kept no more`],
      [['new/a', '--diff', first], `The contents of revision ${first} of old/a are kept no more`],
      [['new/a', '--diff', `${second}..999`], 'has no revision 999'],
      [['b', '--diff', first], `The history of b has no revision ${first}`],
      [['no/such'], 'knows no skill "no/such"'],
    ] as const) {
      const { code, stdout, stderr } = await project.run(['log', ...args], { DATABASE_URL: url });
      expect([code, stdout, stderr], args.join(' ')).toEqual([1, '', expect.stringContaining(said)]);
    }
  });

  test('of a database without tables knows none, and wrong usage ends 64', async () => {
    const { project, url } = await makeLibrary();
    const run = (...args: readonly string[]) => project.run(['log', ...args], { DATABASE_URL: url });
    expect(await run('a')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no skill "a"'),
    });
    for (const [args, said] of [
      [['--diff'], 'write its path'],
      [['--diff', 'a'], 'N or N..M'],
      [['a', '--limit', '0'], 'whole number'],
      [['--since', '2026-02-31'], 'how long ago'],
      [['--since', 'yesterday'], 'how long ago'],
    ] as const) {
      const ran = await run(...args);
      expect([ran.code, ran.stdout, ran.stderr], args.join(' ')).toEqual([
        64,
        '',
        expect.stringContaining(said),
      ]);
    }
  });
});

// How both sides stand, as the built command line prints it.

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type PlaceKind, usualKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, type Ran, sql } from './cli.ts';

async function makeLibrary(kind: PlaceKind) {
  const project = await makeProject();
  const url = await databaseUrl(kind);
  const skills = path.join(project.folder, 'skills');
  return {
    ...{ project, url, skills },
    write: (files: { readonly [path: string]: string }) => writeFiles(skills, files),
    run: (...args: readonly string[]) => project.run(args, { DATABASE_URL: url }),
  };
}

/** The lines, but for which sides these are; times, users and machines named. */
function linesOf({ stdout }: Ran): readonly string[] {
  return stdout
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/\d+ s ago/g, 'AGO')
    .replace(/\S+@[^\s,]+/g, 'WHO')
    .split('\n')
    .slice(2, -1);
}

describe.each(usualKinds)('status on %s', (kind) => {
  test('of a database that is still to come, then of both sides in step', async () => {
    const { project, run, write } = await makeLibrary(kind);
    await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
    const absent = await run('status', '--exit-code', '--max-age', '1d');
    expect([absent.code, absent.stderr, linesOf(absent)]).toEqual([
      2,
      '',
      [
        'In sync         0 skills',
        'Ahead here      2 to export: a, b',
        'Last run        none',
        'Health          not well: no sync succeeded lately enough',
        'Next            skill-fleet sync-db --dry-run  what a sync would carry',
      ],
    ]);
    expect(await readdir(project.folder)).toEqual(['skills']);
    await run('sync-db');
    const { code, stdout } = await run('status', '--json', '--exit-code', '--max-age', '1h');
    expect(code).toBe(0);
    const run1 = expect.objectContaining({ run: 1, direction: 'sync', outcome: 'success', error: null });
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      skillsDirectory: expect.stringContaining('skills'),
      database: expect.any(String),
      ...{ synced: 2, pending: 0, failed: 0, unknown: 0, total: 2, recentFailures: 0, healthy: true },
      ...{
        faults: [],
        aheadHere: [],
        aheadThere: [],
        conflicts: [],
        held: [],
        failedPaths: [],
        unknownPaths: [],
      },
      ...{
        leftOut: {},
        uncategorized: 2,
        lastRun: run1,
        lastGoodRun: run1,
        next: [],
        problems: [],
        exitCode: 0,
      },
    });
  });
});

test('status names what is not in step, by kind, in one screen, and writes nothing', async () => {
  const { url, run, write, skills } = await makeLibrary('postgres');
  const names = [
    'both',
    'here',
    'same',
    'there',
    'held',
    'broken',
    ...'123456'.split('').map((n) => `many/m${n}`),
  ];
  await write(Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, document(path.basename(name))])));
  await run('sync-db');
  await write({
    'both/SKILL.md': document('both', 'Mine.\n'),
    'here/SKILL.md': document('here', 'Mine.\n'),
    'broken/SKILL.md': '---\nname: broken\n',
    ...Object.fromEntries(
      '123456'.split('').map((n) => [`many/m${n}/SKILL.md`, document(`m${n}`, 'Mine.\n')]),
    ),
    'new/\u202eevil/SKILL.md': document('evil'),
  });
  await rm(path.join(skills, 'held'), { recursive: true });
  await sql(
    url,
    `update skills set description = 'Theirs.' where name in ('both', 'there');
     insert into skills (skill_path, name, type, status, skill_content) values
       ('draft/one', 'one', 'technical', 'draft', ''), ('draft/two', 'two', 'technical', 'draft', ''),
       ('old', 'old', 'technical', 'archived', '');
     insert into sync_runs (direction, who, host, directory, finished_at, outcome, error)
     values ('import', 'kim', 'pc', '/x', now(), 'failed', 'lost it')`,
  );
  const before = await sql(url, 'select count(*) from sync_runs');
  const shown = await run('status');
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(linesOf(shown)).toEqual([
    'In sync         1 skill',
    'Ahead here      8 to export: here, many/m1, many/m2, many/m3, many/m4, and 3 more',
    'Ahead there     1 to import: there',
    'Conflicts       1 edited on both sides: both',
    'Held            1 deleted on one side: held',
    'Problems        1 left out: broken',
    '  broken/SKILL.md:1: the frontmatter that opens here never closes',
    'Left out        3 rows by status: 1 archived, 2 draft',
    'No category     9 skills',
    'Last run        2 import by WHO, failed, TIME, AGO',
    'Last good sync  1 sync by WHO, success, TIME, AGO',
    'Failed lately   1 of the last 10 runs',
    'Health          not well: 1 skill with a problem, 1 conflict, the last run failed',
    'Next            skill-fleet diff --conflict  what each side made of it, and how to settle it',
    '                skill-fleet sync-db --dry-run  what a sync would carry',
    '                skill-fleet sync-db --delete --dry-run  what a sync would carry, deletions too',
    '                skill-fleet import-from-db --status all --dry-run  the rows that are left out',
  ]);
  const all = linesOf(await run('status', '--verbose'));
  expect(all.slice(1, 10)).toEqual([
    'Ahead here      8 to export',
    ...['here', ...'123456'.split('').map((n) => `many/m${n}`), 'new/\\u{202e}evil'].map((one) => `  ${one}`),
  ]);
  const { code, stdout } = await run('status', '--json', '--exit-code');
  expect([code, JSON.parse(stdout)]).toEqual([
    2,
    expect.objectContaining({
      ...{ synced: 1, pending: 11, failed: 1, unknown: 0, total: 13, recentFailures: 1, healthy: false },
      ...{ leftOut: { draft: 2, archived: 1 }, conflicts: ['both'], failedPaths: ['broken'], exitCode: 2 },
      problems: [expect.objectContaining({ reason: 'frontmatter-never-closes' })],
    }),
  ]);
  expect(await sql(url, 'select count(*) from sync_runs')).toEqual(before);
});

test('status takes the age of the last good run from the flag, else from the configuration file', async () => {
  const { project, url, run, write } = await makeLibrary('postgres');
  await write({ 'a/SKILL.md': document('a') });
  await run('sync-db');
  await sql(url, `update sync_runs set finished_at = now() - interval '3 hours'`);
  await write({ 'a/SKILL.md': document('a', 'Mine.\n') });
  await writeFiles(project.folder, { 'skill-fleet.config.yaml': 'health:\n  maxAge: 1h\n' });
  const shown = await run('status', '--exit-code');
  expect([shown.code, shown.stdout]).toEqual([2, expect.stringContaining(', 3 h ago\n')]);
  expect((await run('status', '--exit-code', '--max-age', '1d')).code).toBe(0);
  // A run that finds nothing to do is a good one, too, and is not noted each time.
  await run('sync-db');
  await sql(url, `update sync_runs set finished_at = now() - interval '3 hours'`);
  expect((await run('status', '--exit-code')).code).toBe(2);
  const runs = () => sql(url, 'select count(*)::integer as runs from sync_runs');
  for (const _ of ['noted', 'not noted']) {
    expect((await run('sync-db')).stdout).toContain('Nothing changed: 1 unchanged.');
    expect(await runs()).toEqual([{ runs: 3 }]);
    expect((await run('status', '--exit-code')).code).toBe(0);
  }
  // One after which another failed, or was killed, is not the last word.
  for (const outcome of ['failed', 'running']) {
    await sql(
      url,
      `insert into sync_runs (direction, who, host, directory, outcome)
      values ('export', 'w', 'h', 'd', '${outcome}')`,
    );
    expect((await run('status', '--exit-code')).code).toBe(2);
    await run('sync-db');
    expect((await run('status', '--exit-code')).code).toBe(0);
  }
  expect((await run('status', '--max-age', 'soon')).code).toBe(64);
});

test('status says that a skills directory is a skill itself', async () => {
  const { run, write } = await makeLibrary('postgres');
  await write({ 'a/SKILL.md': document('a') });
  const { stderr } = await run('status', '--skills-dir', 'skills/a');
  expect(stderr).toMatch(/^note: SKILL\.md stands in the skills directory itself .* point --skills-dir at /);
});

test('status ends 1 where it cannot tell', async () => {
  const { project, url } = await makeLibrary('postgres');
  const ran = await project.run(['status', '--exit-code', '--json'], { DATABASE_URL: url });
  expect([ran.code, JSON.parse(ran.stdout).problems[0].reason]).toEqual([1, 'skills-directory-not-found']);
});

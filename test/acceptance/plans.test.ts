import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

const document = (name: string, body = '# Skill\n\nOne.\n\nTwo.\n\nThree.\n', description = 'About.') =>
  `---\nname: ${name}\ndescription: ${description}\n---\n${body}`;

async function begun() {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const env = { DATABASE_URL: url };
  const skills = path.join(project.folder, 'skills');
  await writeFiles(skills, { 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
  const run = (...args: readonly string[]) => project.run(args, env);
  /** Runs a command as it is printed after `skill-fleet`. */
  const printed = (text: string, pattern = /skill-fleet ((?:apply|resolve|sync-db|diff) .*)/) => {
    const [, command = ''] = pattern.exec(text) ?? [];
    return run(...command.split(' '));
  };
  const text = (skill: string) => readFile(path.join(skills, skill, 'SKILL.md'), 'utf8');
  return { ...project, url, skills, run, printed, text };
}

test('a plan is saved for its owner alone, carried out by the printed command, and then nothing is left', async () => {
  const { run, printed, folder, url, text } = await begun();
  const file = path.join(folder, 'plan.json');
  await writeFile(file, 'older', { mode: 0o644 });
  const dry = await run('sync-db', '--dry-run', '--out', 'plan.json');
  expect([dry.code, dry.stdout]).toEqual([
    0,
    expect.stringMatching(/2 to create in the database, .* Run it with: skill-fleet apply plan.json\n$/),
  ]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const saved = await readFile(file, 'utf8');
  const { password, username } = new URL(url);
  expect(saved).not.toContain(password);
  expect(saved).not.toContain(`${username}:`);
  expect(JSON.parse(saved)).toMatchObject({ format: 'skill-fleet plan', version: 1, database: { id: null } });

  const looked = await run('apply', 'plan.json', '--dry-run', '--atomic');
  expect(looked.stdout).toContain(`+${(await text('a')).split('\n')[1]}\n`);
  expect(looked.stdout).toMatch(/Run it with: skill-fleet apply plan.json --atomic\n$/);
  const applied = await printed(dry.stdout);
  expect([applied.code, applied.stdout]).toEqual([
    0,
    expect.stringMatching(/Done: 2 created in the database/),
  ]);
  const again = await run('apply', 'plan.json');
  expect([again.code, again.stdout]).toEqual([0, 'Nothing changed: 2 unchanged.\n']);
  expect((await run('sync-db', '--exit-code')).code).toBe(0);
});

test('what moved on since is named and left, or all with --atomic', async () => {
  const { run, url, skills, text } = await begun();
  await run('sync-db');
  await writeFiles(skills, {
    'a/SKILL.md': document('a', 'Mine.\n'),
    'b/SKILL.md': document('b', 'Mine.\n'),
  });
  await run('export-to-db', '--dry-run', '--out', 'plan.json');
  await sql(url, `update skills set skill_content = 'Theirs.' where skill_path = 'a'`);
  const rows = () => sql(url, 'select skill_path, skill_content from skills order by 1');
  const before = await rows();
  const whole = await run('apply', 'plan.json', '--atomic');
  expect([whole.code, whole.stderr]).toEqual([
    1,
    expect.stringMatching(
      /a: the database changed since.*\n.*\n.*1 of the plan's changes cannot be carried out/,
    ),
  ]);
  expect(await rows()).toEqual(before);
  const some = await run('apply', 'plan.json', '--json');
  expect(some.code).toBe(1);
  expect(JSON.parse(some.stdout)).toMatchObject({
    command: 'apply',
    plan: 'plan.json',
    changes: [{ path: 'b', outcome: 'success' }],
    problems: [{ reason: 'plan-stale', path: 'a', side: 'database' }],
  });
  expect(await rows()).toEqual([before[0], { skill_path: 'b', skill_content: 'Mine.\n' }]);
  expect(await text('a')).toBe(document('a', 'Mine.\n'));
});

test('what is no plan, or is not for here, changes nothing and says so', async () => {
  const { run, folder, url, skills } = await begun();
  const out = path.join(folder, 'plan.json');
  const usage = await run('sync-db', '--out', 'plan.json');
  expect([usage.code, usage.stderr]).toEqual([64, expect.stringContaining('add --dry-run')]);
  const among = await run('sync-db', '--dry-run', '--out', 'skills/a/plan.json');
  expect([among.code, among.stderr]).toEqual([1, expect.stringContaining('among the skills')]);
  await run('sync-db', '--dry-run', '--out', 'plan.json');
  const saved = await readFile(out, 'utf8');
  const tables = () =>
    sql(url, `select table_name from information_schema.tables where table_schema = 'public'`);
  for (const [text, said] of [
    [saved.replace('Three.', 'Four.'), 'plan.json:'],
    [saved.slice(0, -40), 'plan.json:'],
    [JSON.stringify(JSON.parse(saved), null, 2), 'plan.json:1: '],
    ['{}', 'plan.json:1: '],
  ] as const) {
    await writeFile(out, text);
    const refused = await run('apply', 'plan.json');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(said)]);
    expect(await tables()).toEqual([]);
  }
  await writeFile(out, saved);
  await rename(skills, path.join(folder, 'elsewhere'));
  const foreign = await run('apply', 'plan.json', '--skills-dir', 'elsewhere', '--json');
  expect(foreign.code).toBe(1);
  expect(JSON.parse(foreign.stdout)).toMatchObject({ problems: [{ reason: 'plan-foreign' }] });
  expect((await run('apply', 'nowhere.json')).stderr).toContain('Plan not found: nowhere.json');
  // A plan of a library makes none elsewhere.
  await rename(path.join(folder, 'elsewhere'), skills);
  await run('sync-db', '--skill-path', 'a');
  await run('sync-db', '--dry-run', '--out', 'plan.json');
  const empty = await databaseUrl('postgres');
  const refused = await run('apply', 'plan.json', '--database-url', empty);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('it was made for the database'),
  ]);
  expect(await sql(empty, `select from information_schema.tables where table_schema = 'public'`)).toEqual([]);
});

test('a plan that a guard refuses is not saved', async () => {
  const { run, url, folder } = await begun();
  await run('sync-db');
  await sql(url, 'update skills set deleted_at = now()');
  const refused = await run('sync-db', '--dry-run', '--delete', '--out', 'plan.json');
  expect(refused.code).toBe(1);
  await expect(stat(path.join(folder, 'plan.json'))).rejects.toThrow('ENOENT');
});

test('conflicts are shown against what both agreed on, merged, and settled by the printed commands', async () => {
  const { run, printed, url, skills, text, folder } = await begun();
  await run('sync-db');
  const edit = async (skill: string, mine: string) => {
    await writeFiles(skills, { [`${skill}/SKILL.md`]: document(skill).replace('One.', mine) });
    await sql(
      url,
      `update skills set skill_content = replace(skill_content, 'One.', 'Theirs.'),
      description = 'New.' where skill_path = '${skill}'`,
    );
  };
  await edit('a', 'One.\n\nMore.');
  await edit('b', 'Mine.');
  const merged = await run('sync-db', '--on-conflict', 'merge');
  expect(merged.code).toBe(3);
  expect(merged.stdout).toContain('SKILL.md:7\n           base     | One.\n           files    | Mine.\n');
  const diff = await run('diff', '--conflict', 'b');
  expect(diff.stdout).toMatch(/-One\.\n {2}\+Mine\.(?:.|\n)*-One\.\n {2}\+Theirs\./);
  expect(JSON.parse((await run('diff', '--conflict', 'b', '--json')).stdout)).toMatchObject({
    conflicts: [{ path: 'b', why: 'both-edited', merges: false, regions: [{ part: 'body' }] }],
    problems: [],
  });
  await writeFile(path.join(folder, 'both.md'), document('b', 'Both.\n', 'New.'));
  const dry = await run('resolve', 'b', '--with', 'both.md', '--dry-run');
  const [before] = await sql(url, `select skill_content from skills where skill_path = 'b'`);
  expect(before).toEqual({ skill_content: document('b').replace('One.', 'Theirs.').split('---\n')[2] });
  const resolved = await printed(dry.stdout);
  expect([resolved.code, resolved.stdout]).toEqual([0, expect.stringContaining('resolved as asked')]);
  expect(await text('b')).toBe(document('b', 'Both.\n', 'New.'));
  expect(await sql(url, `select skill_content from skills where skill_path = 'b'`)).toEqual([
    { skill_content: 'Both.\n' },
  ]);
  const shown = JSON.parse((await run('show', 'b', '--json')).stdout);
  expect(shown.latest).toMatchObject({ isPresent: true, isKept: false });
  const none = await run('resolve', 'b', '--with', 'local');
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('b is in no conflict')]);
  const nothing = await run('resolve', 'a', '--with', 'nowhere.md');
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('nowhere.md: ENOENT')]);

  // A folder is a whole skill.
  await edit('a', 'Mine.');
  await sql(url, `update skills set skill_content = 'Other.' where skill_path = 'a'`);
  await writeFiles(folder, { 'both/SKILL.md': document('a', 'Both.\n'), 'both/run.sh': 'run\n' });
  expect(await run('resolve', 'a', '--with', 'both')).toMatchObject({ code: 0 });
  expect(await readFile(path.join(skills, 'a/run.sh'), 'utf8')).toBe('run\n');
  expect((await run('sync-db', '--exit-code')).code).toBe(0);
  expect((await run('diff', '--conflict')).stdout).toBe('No conflicts.\n');
});

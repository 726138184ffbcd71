// `export-to-db --validate` as a user runs it: what is told of the skills that are sent, and what errors refuse.

import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

const document = (name: string, { body = 'Read the form first.\n', when = 'Use when one is given.' } = {}) =>
  `---\nname: ${name}\ndescription: Fills forms. ${when}\n---\n${body}`;

const clean = document('clean');
const warned = document('warned', { body: 'See [it](b.md).\n' });
const faulty = document('other');

async function begun(files: { readonly [path: string]: string }) {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  await writeFiles(project.folder, files);
  const run = (...args: readonly string[]) => project.run(args, { DATABASE_URL: url });
  const stored = async () =>
    (await sql(url, 'select skill_path from skills order by 1')).map((row) => row['skill_path']);
  return { ...project, run, stored };
}

const notes = (stderr: string) =>
  stderr.split('\n').filter((line) => /^note: .*(error|warning|warn)/.test(line));

const three = {
  'skills/clean/SKILL.md': clean,
  'skills/faulty/SKILL.md': faulty,
  'skills/warned/SKILL.md': warned,
};

const told = [
  `note: skills/faulty/SKILL.md:2:1 error: the name "other" is not the folder's, "faulty" (name-differs-from-folder)`,
  'note: skills/warned/SKILL.md:5:10 warn: the link "b.md" leads to no file of the skill (link-not-found)',
  'note: 1 error, 1 warning in 2 of 3 skills of this export, by the rules for skill-fleet; all of them: skill-fleet validate skills/faulty skills/warned --target skill-fleet',
];

const asError = (config = '') => ({
  ...three,
  'skill-fleet.config.yaml': `validation:\n  rules: {name-differs-from-folder: error}\n${config}`,
});

describe('export-to-db', () => {
  test('tells what validate finds in what it sends, in a dry run too, and does what it did', async () => {
    const { run, stored } = await begun(asError());
    const dry = await run('export-to-db', '--dry-run');
    expect([dry.code, notes(dry.stderr)]).toEqual([0, told]);
    const done = await run('export-to-db');
    expect([done.code, notes(done.stderr)]).toEqual([0, told]);
    expect(await stored()).toEqual(['clean', 'faulty', 'warned']);
  });

  test('tells nothing twice: what the run warns of by itself is no finding beside that', async () => {
    const { run } = await begun({ 'skills/misnamed/SKILL.md': faulty });
    const { stdout, stderr } = await run('export-to-db');
    expect(stdout + stderr).toContain('misnamed/SKILL.md:2:1 the name "other" differs from the folder');
    expect(notes(stderr)).toEqual([]);
  });

  test('says nothing of clean skills, of those that it leaves alone, with --validate off, and with --quiet', async () => {
    const { run, folder } = await begun(asError());
    expect(notes((await run('export-to-db', '--dry-run', '--skill-path', 'clean')).stderr)).toEqual([]);
    expect(notes((await run('export-to-db', '--dry-run', '--validate', 'off')).stderr)).toEqual([]);
    expect((await run('export-to-db', '--dry-run', '--quiet')).stderr).toBe('');
    await run('export-to-db');
    expect(notes((await run('export-to-db', '--validate', 'error')).stderr)).toEqual([]);
    await writeFiles(folder, { 'skills/warned/SKILL.md': `${warned}More.\n` });
    expect(notes((await run('export-to-db')).stderr)).toEqual([
      told[1],
      'note: 0 errors, 1 warning in 1 of 1 skill of this export, by the rules for skill-fleet; all of them: skill-fleet validate skills/warned --target skill-fleet',
    ]);
  });

  test('--validate error writes nothing where one has an error: neither --force nor --yes passes it', async () => {
    const { run, stored } = await begun(asError());
    const what =
      'error: 1 of 3 skills to send has errors by the rules for skill-fleet: faulty/SKILL.md:2 (name-differs-from-folder)\n  See all of them: skill-fleet validate skills/faulty --target skill-fleet. Correct them, or send them as they are with --validate warn.\n';
    for (const more of [[], ['--force', '--yes']]) {
      const refused = await run('export-to-db', '--validate', 'error', ...more);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(what);
      expect(notes(refused.stderr)).toEqual(told);
      expect(refused.stdout).toMatch(/^Nothing changed: 3 changes not made, /);
      expect(await stored()).toEqual([]);
    }
    const dry = await run('export-to-db', '--validate', 'error', '--dry-run');
    expect([dry.code, dry.stderr]).toEqual([1, expect.stringContaining(what)]);
    expect(await run('export-to-db', '--validate', 'error', '--skill-path', 'warned')).toMatchObject({
      code: 0,
    });
    expect(await run('export-to-db', '--validate', 'warn')).toMatchObject({ code: 0 });
    expect(await stored()).toEqual(['clean', 'faulty', 'warned']);
  });

  test('the configuration says which, for whom, and of which paths; the flag comes before it', async () => {
    const { run, folder } = await begun(asError('  export: error\n  target: spec\n'));
    const refused = await run('export-to-db');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('by the rules for spec')]);
    expect(await run('export-to-db', '--dry-run', '--validate', 'warn')).toMatchObject({ code: 0 });
    await writeFiles(folder, {
      'skill-fleet.config.yaml':
        "validation:\n  export: error\n  overrides:\n    - {paths: ['f*'], rules: {name-differs-from-folder: off}}\n",
    });
    expect(await run('export-to-db')).toMatchObject({ code: 0 });
  });

  test('a plan that errors refuse is not saved; one that was saved is carried out without asking again', async () => {
    const { run, stored } = await begun(asError());
    const plan = ['--dry-run', '--out', 'plan.json'];
    expect(await run('export-to-db', ...plan, '--validate', 'error')).toMatchObject({ code: 1 });
    expect((await run('apply', 'plan.json')).stderr).toContain('Plan not found');
    const saved = await run('export-to-db', ...plan);
    expect([saved.code, notes(saved.stderr)]).toEqual([0, told]);
    const applied = await run('apply', 'plan.json');
    expect([applied.code, notes(applied.stderr)]).toEqual([0, []]);
    expect(await stored()).toEqual(['clean', 'faulty', 'warned']);
  });

  test('names at most ten findings, errors first, and of more than five skills the whole library', async () => {
    const many = Object.fromEntries(
      [...'abcdefghijkl'].map((name) => [
        `skills/${name}/SKILL.md`,
        document(name, { body: '[it](b.md)\n' }),
      ]),
    );
    const { run } = await begun({ ...many, ...asError() });
    const { stderr } = await run('export-to-db', '--dry-run');
    expect(notes(stderr)).toHaveLength(11);
    expect(notes(stderr)[0]).toBe(told[0]);
    expect(notes(stderr).at(-1)).toBe(
      'note: 1 error, 13 warnings in 14 of 15 skills of this export, by the rules for skill-fleet; all of them: skill-fleet validate skills --target skill-fleet',
    );
  });

  test('the command that shows all of it does, whatever the skills are called and wherever they stand', async () => {
    const { run, folder } = await begun({ "it's/a b/SKILL.md": document('c', { body: '[it](b.md)\n' }) });
    const flags = ['--skills-dir', "it's"];
    const { stderr } = await run('export-to-db', '--dry-run', ...flags);
    const [, command = ''] = /all of them: skill-fleet (.*)\n/.exec(stderr) ?? [];
    expect(command).toBe(`validate 'it'\\''s/a b' --target skill-fleet --skills-dir 'it'\\''s'`);
    const shown = await run('validate', path.join(folder, "it's/a b"), '--target', 'skill-fleet', ...flags);
    expect(shown.stdout).toContain('link-not-found');
  });

  test('--json has all of it, also of a run that is refused', async () => {
    const { run } = await begun(asError());
    const validation = {
      target: 'skill-fleet',
      skills: 3,
      summary: { errors: 1, warnings: 1 },
      findings: [
        {
          rule: 'name-differs-from-folder',
          severity: 'error',
          skill: 'faulty',
          file: 'skills/faulty/SKILL.md',
        },
        {
          rule: 'link-not-found',
          severity: 'warn',
          skill: 'warned',
          file: 'skills/warned/SKILL.md',
          line: 5,
        },
      ],
      command: 'validate skills/faulty skills/warned --target skill-fleet',
    };
    const json = async (...args: readonly string[]) =>
      JSON.parse((await run('export-to-db', '--json', ...args)).stdout);
    for (const more of [[], ['--dry-run']]) {
      expect(await json('--validate', 'error', ...more)).toMatchObject({
        validation: { ...validation, level: 'error' },
        problems: [{ reason: 'skills-not-valid', count: 1, total: 3, target: 'skill-fleet' }],
        exitCode: 1,
      });
    }
    expect(await json()).toMatchObject({ validation: { ...validation, level: 'warn' }, exitCode: 0 });
    expect(await json()).not.toHaveProperty('validation');
    expect(await json('--force', '--validate', 'off')).not.toHaveProperty('validation');
  });

  test('knows no other level, and other commands know none', async () => {
    const { run } = await begun({});
    expect(await run('export-to-db', '--validate', 'some')).toMatchObject({ code: 64 });
    expect(await run('import-from-db', '--validate', 'warn')).toMatchObject({ code: 64 });
  });
});

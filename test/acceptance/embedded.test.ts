// The embedded database as people meet it: stopped by a signal, killed, piped, and moved to a server.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { readBlocks } from '../docs/shell-blocks.ts';
import { copyFolder, writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import {
  databaseUrl,
  makeProject,
  type Project,
  personEnvironment,
  projectRoot,
  type Ran,
  runProcess,
  sql,
} from './cli.ts';

const cli = path.join(projectRoot, 'dist/cli.js');

const skills = Object.fromEntries(
  Array.from({ length: 40 }, (_, at) => [
    [`skills/skill-${at}/SKILL.md`, document(`skill-${at}`)],
    [`skills/skill-${at}/references/long.md`, `${at}`.padEnd(20_000, '.')],
  ]).flat(),
);

/** A project with skills that no database has seen. */
async function filledProject(): Promise<Project> {
  const project = await makeProject();
  await writeFiles(project.folder, skills);
  return project;
}

/** The same, whose embedded database stands, and holds nothing yet. */
async function migratedProject(): Promise<Project> {
  const project = await filledProject();
  const database = path.join(project.folder, '.skill-fleet/db');
  await copyFolder(inject('embeddedTemplate'), database);
  return project;
}

/** A project as a fresh clone is: its database holds skills that no file has, and nobody knows of a base. */
async function clonedProject(): Promise<Project> {
  const project = await migratedProject();
  expect((await project.run(['sync-db'])).code).toBe(0);
  await rm(path.join(project.folder, 'skills'), { recursive: true });
  await rm(path.join(project.folder, '.skill-fleet/bases'), { recursive: true });
  await writeFiles(project.folder, { 'skills/.keep': '' });
  return project;
}

/** A moment of a run that can be seen from outside: a path stands, or it has said something. */
type Moment = { readonly path: string } | 'said';

/** Runs to its end, and sends signals once a moment has come and some time has passed. */
async function disturb(
  { folder }: Project,
  args: readonly string[],
  moment: Moment,
  signals: readonly NodeJS.Signals[],
): Promise<Ran & { readonly killed: boolean }> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: personEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      said[name] += text;
    });
  }
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (...how) => resolve(how));
  });
  const hasCome = () => (moment === 'said' ? said.stderr !== '' : existsSync(path.join(folder, moment.path)));
  while (child.exitCode === null && !hasCome()) await sleep(1);
  await sleep(Math.random() * 400);
  for (const signal of signals) {
    child.kill(signal);
    await sleep(5);
  }
  const [code, signal] = await ended;
  return { code, killed: signal === 'SIGKILL', ...said };
}

/** The first moments of a first run: the lock is taken, the database made, put in its place, migrated; then it syncs. */
const beginnings: readonly (readonly [string, Moment])[] = [
  ['the lock', { path: '.skill-fleet/db.lock.1' }],
  ['the creation', { path: '.skill-fleet/db.skill-fleet-new' }],
  ['the files of it', { path: '.skill-fleet/db.skill-fleet-new/PG_VERSION' }],
  ['the migration', { path: '.skill-fleet/db' }],
  ['the sync', 'said'],
];

/** Locks, journals, and what a creator works on. */
async function leftovers({ folder }: Project): Promise<readonly string[]> {
  const names = await Promise.all(['.skill-fleet', 'skills'].map((name) => readdir(path.join(folder, name))));
  return names.flat().filter((name) => /lock|skill-fleet-new|journal/.test(name));
}

/** The next run goes on from there, without a word of alarm, and ends where an undisturbed one does. */
async function expectConverges(project: Project): Promise<void> {
  const next = await project.run(['sync-db']);
  expect(next).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/error|warning|waiting/) });
  const last = await project.run(['sync-db', '--dry-run', '--exit-code']);
  expect(last).toMatchObject({ code: 0, stdout: expect.stringContaining('40 unchanged') });
  expect(await leftovers(project)).toEqual([]);
  for (const [name, content] of Object.entries(skills)) {
    expect(await readFile(path.join(project.folder, name), 'utf8'), name).toBe(content);
  }
}

describe('a signal ends a run with one sentence, and leaves no lock', () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const interrupted = /^error: Interrupted: what had not begun was not done$/gm;

  function expectEnded({ code, stdout, stderr }: Ran, signal: NodeJS.Signals): void {
    expect(code).toBe(128 + constants.signals[signal]);
    // A signal that came when all was done has nothing to say but that.
    const isDone = /^Done: 40 \w+ (in|to) the \w+, 0 unchanged/m.test(stdout);
    expect(stderr.match(interrupted)?.length ?? 0, stderr).toBe(isDone ? 0 : 1);
    expect(stderr).not.toMatch(/fault of its own|\n\s+at /);
  }

  test.each([
    ['the creation', { path: '.skill-fleet/db.skill-fleet-new' }, 'SIGINT'],
    ['the migration', { path: '.skill-fleet/db' }, 'SIGTERM'],
  ] as const)('from %s on', async (_, moment, signal) => {
    const project = await filledProject();
    expectEnded(await disturb(project, ['sync-db'], moment, [signal]), signal);
    expect(await leftovers(project)).toEqual([]);
    await expectConverges(project);
  });

  /** `STOPS=50 npx vitest run test/acceptance/embedded.test.ts -t instants` for more of them. */
  const stops = Number(process.env['STOPS'] ?? 1);

  test.each([
    ['storing', migratedProject],
    ['writing files', clonedProject],
  ])('at random instants of %s', async (what, make) => {
    let hits = 0;
    for (let stop = 0; stop < stops; stop++) {
      const project = await make();
      const signal = signals[(stop + 2) % 3] ?? 'SIGINT';
      const ran = await disturb(project, ['sync-db'], 'said', [signal]);
      if (ran.code !== 0) {
        hits++;
        expectEnded(ran, signal);
      }
      expect(await leftovers(project)).toEqual([]);
      await expectConverges(project);
    }
    process.stdout.write(`${hits} of ${stops} signals came while ${what}\n`);
  });

  test('a second one ends it at once, and the next run takes over', async () => {
    const project = await filledProject();
    const ran = await disturb(project, ['sync-db'], { path: '.skill-fleet/db.lock.1' }, ['SIGINT', 'SIGINT']);
    expect(ran.code).toBe(130);
    await expectConverges(project);
  });
});

/** `KILLS=100 npx vitest run test/acceptance/embedded.test.ts -t killed` for more of them, at each moment. */
const kills = Number(process.env['KILLS'] ?? 1);
const killedFrom = process.env['KILLS'] ? beginnings : beginnings.slice(2, 4);

test.each(killedFrom)('killed from %s on, the next run opens it and goes on', async (name, moment) => {
  let hits = 0;
  for (let kill = 0; kill < kills; kill++) {
    const project = await filledProject();
    if ((await disturb(project, ['sync-db'], moment, ['SIGKILL'])).killed) hits++;
    await expectConverges(project);
  }
  process.stdout.write(`${hits} of ${kills} first runs were killed from ${name} on\n`);
});

test('killed while it stores more, it keeps what was stored before', async () => {
  const project = await migratedProject();
  expect((await project.run(['sync-db'])).code).toBe(0);
  for (let kill = 0; kill < kills; kill++) {
    const edited = { 'skills/skill-0/SKILL.md': document('skill-0', `Edit ${kill}.\n`) };
    await writeFiles(project.folder, edited);
    await disturb(project, ['sync-db'], { path: '.skill-fleet/db.lock.1' }, ['SIGKILL']);
    const listed = JSON.parse((await project.run(['list', '--json'])).stdout) as { skills: unknown[] };
    expect(listed.skills.length).toBe(40);
    expect((await project.run(['sync-db'])).code).toBe(0);
  }
  await writeFiles(project.folder, skills);
  await expectConverges(project);
});

describe('a reader that has seen enough', () => {
  const shell = (project: Project, command: string) =>
    runProcess('bash', ['-c', `set -o pipefail; ${command.replaceAll('skill-fleet', `node ${cli}`)}`], {
      cwd: project.folder,
      env: personEnvironment(),
    });

  test('ends what only reads, quietly', async () => {
    const project = await migratedProject();
    expect((await project.run(['sync-db', '--skill-path', 'skill-1*'])).code).toBe(0);
    for (const command of [
      'skill-fleet list | head -1',
      'skill-fleet list 2>&1 | true',
      'skill-fleet sync-db --dry-run | head -1',
      'skill-fleet sync-db --dry-run 2>&1 | true',
      'skill-fleet diff 2>&1 | true',
    ]) {
      const { code, stderr } = await shell(project, command);
      expect({ command, code, stderr }).toEqual({
        command,
        code: 0,
        stderr: expect.not.stringMatching(/error|EPIPE|\n\s+at /),
      });
      expect(await leftovers(project)).toEqual([]);
    }
  });

  test.each(['| head -1', '2>&1 | true'])('does not end what writes: %s', async (reader) => {
    const project = await migratedProject();
    expect((await shell(project, `skill-fleet sync-db ${reader}`)).code).toBe(0);
    const { stdout } = await project.run(['sync-db']);
    expect(stdout).toContain('Nothing changed: 40 unchanged.');
    expect(await leftovers(project)).toEqual([]);
  });
});

describe('pglite:DIR', () => {
  test('is made at any name, its folders too, and is read from there', async () => {
    const dir = 'sp ace/dé%20#1/db';
    const project = await filledProject();
    const env = { DATABASE_URL: `pglite:${dir}` };
    expect((await project.run(['sync-db'], env)).code).toBe(0);
    expect(existsSync(path.join(project.folder, dir, 'PG_VERSION'))).toBe(true);
    const listed = await project.run(['list'], {
      DATABASE_URL: `pglite:${path.join(project.folder, dir)}`,
    });
    expect(listed.stdout).toContain('40 skills');
  });

  test.each([
    ['skills/skill-1/db', /would stand among the skills/],
    ['skills', /would stand among the skills/],
    ['skills/skill-1/SKILL.md/db', /would stand among the skills/],
    ['.', /holds other files, and no embedded database$/m],
    ['notes.txt', /a file stands there/],
    ['notes.txt/db', /a file stands there/],
  ])('cannot be %s: one sentence, and nothing is made', async (dir, sentence) => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'notes.txt': 'mine', 'skills/skill-1/SKILL.md': document('skill-1') });
    const before = await readdir(project.folder, { recursive: true });
    for (const args of [['sync-db'], ['sync-db', '--dry-run']]) {
      const ran = await project.run(args, { DATABASE_URL: `pglite:${dir}` });
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(sentence) });
      expect(ran.stderr.match(/^error: /gm)?.length).toBe(1);
    }
    const after = await readdir(project.folder, { recursive: true });
    expect(after.filter((name) => !name.startsWith('.skill-fleet'))).toEqual(before);
  });
});

test('where the system makes no folder, the run says so and ends', async () => {
  const project = await makeProject();
  await writeFiles(project.folder, { 'skills/skill-1/SKILL.md': document('skill-1') });
  expect(await project.run(['sync-db'], { DATABASE_URL: 'pglite:/proc/none/db' })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*: nothing can be made in \/proc\/none \(ENOENT\)$/m),
  });
});

// It installs two packages.
test.skipIf(!process.env['DOWNLOADS'])(
  'with DOWNLOADS=1: a dump, as the guide makes it, takes the history along',
  async () => {
    const project = await migratedProject();
    await writeFiles(project.folder, { 'skills/skill-0/run.bin': Buffer.from([0, 255, 128, 10]) });
    await project.run(['sync-db']);
    const before = document('skill-0', `Edited: it's $1 \\n \\\\ \u{1f600}\r\n\\.\n`);
    await writeFiles(project.folder, { 'skills/skill-0/SKILL.md': before });
    await project.run(['sync-db']);
    await writeFiles(project.folder, { 'skills/skill-0/SKILL.md': '\ufeffAfter.\n' });
    await project.run(['sync-db']);
    const server = await databaseUrl('postgres');
    const blocks = await readBlocks('docs/guide/embedded-database.md');
    const dump = blocks.find(({ notRun }) => notRun)?.shell ?? '';
    const lines = `set -e\n${dump.replaceAll('npx skill-fleet', `node ${cli}`)}`;
    const env = personEnvironment({ DATABASE_URL: server });
    const moved = await runProcess('bash', ['-c', lines], { cwd: project.folder, env });
    expect(moved.code, moved.stderr).toBe(0);
    expect(moved.stdout).toContain('Nothing changed: 40 unchanged.');
    const dry = await project.run(['sync-db', '--dry-run', '--exit-code'], { DATABASE_URL: server });
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('40 unchanged') });
    const [row] = await sql(server, 'select max(revision)::int as revision from skill_revisions');
    const onServer = { DATABASE_URL: server };
    const restored = await project.run(
      ['restore', 'skill-0', '--revision', String(row?.['revision'])],
      onServer,
    );
    expect(restored.code, restored.stderr).toBe(0);
    expect((await project.run(['sync-db'], onServer)).code).toBe(0);
    expect(await readFile(path.join(project.folder, 'skills/skill-0/SKILL.md'), 'utf8')).toBe(before);
  },
);

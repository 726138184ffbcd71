// The embedded database belongs to one process at a time, and outlives it.

import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { readdir, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { standsAmongSkills } from '../../src/repository/embedded.ts';
import { openForReading, openForWriting } from '../../src/repository/open.ts';
import { openConnection } from '../databases.ts';
import { copyFolder, temporaryFolder, writeFiles } from '../folders.ts';
import { bundledProgram } from '../programs.ts';

/** A migrated embedded database that nothing has open. */
async function migratedFolder(): Promise<string> {
  const directory = path.join(await temporaryFolder(), 'db');
  await copyFolder(inject('embeddedTemplate'), directory);
  return directory;
}

/** Another process that has the database open, has done these statements, and stays. */
async function otherProcess(directory: string, statements: readonly string[]): Promise<ChildProcess> {
  const program = await bundledProgram('repository/hold-database.ts');
  const child = fork(program, [directory, ...statements], { execArgv: [] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'message');
  return child;
}

function lockedBy(pid: number | undefined, directory: string): unknown {
  return {
    ok: false,
    problem: {
      reason: 'database-locked',
      database: directory,
      holder: expect.stringMatching(
        new RegExp(`^${userInfo().username}'s process ${pid} on ${hostname()}, for .* \\(since \\d{4}-`),
      ),
      files: `${directory}.lock.*`,
    },
  };
}

test('is open once in a process, and free when it is closed', async () => {
  const directory = await migratedFolder();
  const first = await openConnection({ kind: 'embedded', directory });
  for (const open of [openForReading, openForWriting]) {
    expect(await open({ kind: 'embedded', directory }, nodeDisk)).toEqual(lockedBy(process.pid, directory));
  }
  await first.close();
  const second = await openConnection({ kind: 'embedded', directory });
  expect(await second.query('select 1 as one')).toEqual([{ one: 1 }]);
});

test('is refused to a second process, and opens again after the first was killed', async () => {
  const directory = await migratedFolder();
  const skill = (name: string) =>
    `insert into skills (skill_path, name, type, skill_content) values ('${name}', '${name}', 'tool', repeat('${name} ', 100000))`;
  const child = await otherProcess(directory, [
    skill('kept'),
    'begin',
    skill('unfinished'),
    `update skills set description = 'unfinished'`,
  ]);
  expect(await openForWriting({ kind: 'embedded', directory }, nodeDisk)).toEqual(
    lockedBy(child.pid, directory),
  );

  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const connection = await openConnection({ kind: 'embedded', directory });
  expect(await connection.query('select name, description, length(skill_content) from skills')).toEqual([
    { name: 'kept', description: '', length: 500_000 },
  ]);
  await connection.query(skill('after'));
  await connection.close();

  const again = await openConnection({ kind: 'embedded', directory });
  expect(await again.query('select name from skills order by 1')).toEqual([
    { name: 'after' },
    { name: 'kept' },
  ]);
  await again.close();
  expect((await readdir(path.dirname(directory))).sort()).toEqual(['db']);
});

test.each(['', '\n'])(
  'opens again where Postgres was killed before it had written its own lock: %j',
  async (content) => {
    const directory = await migratedFolder();
    await writeFile(path.join(directory, 'postmaster.pid'), content);
    const connection = await openConnection({ kind: 'embedded', directory });
    expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }]);
  },
);

test('does not come to be by reading', async () => {
  const folder = await temporaryFolder();
  const place = { kind: 'embedded', directory: path.join(folder, 'db') } as const;
  expect(await openForReading(place, nodeDisk)).toMatchObject({ ok: true, value: { state: 'absent' } });
  expect(await readdir(folder)).toEqual([]);
});

/** What stands where a database is to be, and the problem that it is: nothing there may be touched. */
const unusable: readonly {
  readonly name: string;
  readonly make: (directory: string) => Promise<unknown>;
  readonly problem: { readonly [detail: string]: unknown };
}[] = [
  {
    name: 'a file',
    make: (directory) => writeFile(directory, 'a file stands there'),
    problem: { reason: 'embedded-folder-unusable', why: expect.stringContaining('ENOTDIR') },
  },
  {
    name: 'a folder of other files',
    make: (directory) => writeFiles(directory, { 'notes.txt': 'mine' }),
    problem: { reason: 'embedded-folder-taken' },
  },
  {
    name: 'a database of another version',
    make: async (directory) => {
      await copyFolder(inject('embeddedTemplate'), directory);
      await writeFile(path.join(directory, 'PG_VERSION'), '17\n');
    },
    problem: { reason: 'embedded-database-other-version', version: '17', known: '18' },
  },
  {
    name: 'a database that names no version',
    make: async (directory) => {
      await copyFolder(inject('embeddedTemplate'), directory);
      await writeFile(path.join(directory, 'PG_VERSION'), '');
    },
    problem: { reason: 'embedded-database-damaged' },
  },
  {
    name: 'a database without its control file',
    make: async (directory) => {
      await copyFolder(inject('embeddedTemplate'), directory);
      await rm(path.join(directory, 'global/pg_control'));
    },
    problem: { reason: 'embedded-database-damaged' },
  },
  {
    name: 'a link that leads nowhere',
    make: (directory) => symlink('nowhere', directory),
    problem: { reason: 'embedded-folder-unusable', why: 'it is a link that leads nowhere' },
  },
];

test.each(unusable)('where $name stands nothing is opened or touched, and no lock is left', async (one) => {
  const directory = path.join(await temporaryFolder(), 'db');
  await one.make(directory);
  const before = await everyFile(path.dirname(directory));
  for (const open of [openForReading, openForWriting]) {
    expect(await open({ kind: 'embedded', directory }, nodeDisk)).toMatchObject({
      ok: false,
      problem: one.problem,
    });
  }
  expect(await everyFile(path.dirname(directory))).toEqual(before);
});

/** What stands below a folder, but for what Postgres leaves of a start that failed; a link by where it leads. */
async function everyFile(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const ours = entries.filter(({ name }) => name !== 'postmaster.pid');
  const files = ours.map(async (entry) => {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) return `${file} -> ${await readlink(file)}`;
    const content = entry.isFile() ? await readFile(file) : '';
    return `${file} ${createHash('sha256').update(content).digest('hex')}`;
  });
  return (await Promise.all(files)).sort();
}

test.each([
  ['takes no more', 'writeNew', 'ENOSPC', 'the disk is full'],
  ['may not be written to', 'writeNew', 'EACCES', 'this user may not read and write'],
  ['takes no new folder', 'mkdir', 'ENOSPC', 'the disk is full'],
  ['is a mounted disk', 'rename', 'EBUSY', 'a disk is mounted there'],
] as const)(
  'a place that %s (%s: %s) is named with the cause, and left as it was',
  async (_, call, code, why) => {
    const parent = await temporaryFolder();
    const failing = { ...nodeDisk, [call]: () => Promise.reject(systemError(code)) };
    expect(
      await openForWriting({ kind: 'embedded', directory: path.join(parent, 'db') }, failing),
    ).toMatchObject({
      ok: false,
      problem: { reason: 'embedded-folder-unusable', why: expect.stringContaining(why) },
    });
    expect(await readdir(parent)).toEqual([]);
  },
);

test('a file in it that this user may not write is what is named, and no damage', async () => {
  const directory = await migratedFolder();
  const control = path.join(directory, 'global/pg_control');
  await rm(control);
  const closed: Disk = {
    ...nodeDisk,
    open: (name, flags, mode) =>
      name.endsWith('PG_VERSION') && flags === constants.O_RDWR
        ? Promise.reject(Object.assign(systemError('EACCES'), { path: name }))
        : nodeDisk.open(name, flags, mode),
  };
  expect(await openForWriting({ kind: 'embedded', directory }, closed)).toMatchObject({
    problem: {
      reason: 'embedded-folder-unusable',
      why: expect.stringMatching(/may not .*PG_VERSION \(EACCES\)/),
    },
  });
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'open' });
}

test('what a killed creator left beside it is cleared away, and other folders there are not', async () => {
  const directory = path.join(await temporaryFolder(), 'db');
  await writeFiles(`${directory}.skill-fleet-new`, { PG_VERSION: '18\n' });
  await writeFiles(`${directory}.new`, { 'notes.txt': 'mine' });
  const connection = await openConnection({ kind: 'embedded', directory });
  expect(await connection.query('show server_version_num')).toEqual([
    { server_version_num: expect.stringMatching(/^18/) },
  ]);
  await connection.close();
  expect((await readdir(path.dirname(directory))).sort()).toEqual(['db', 'db.new']);
});

test('a link to it is no second way in', async () => {
  const directory = await migratedFolder();
  const link = path.join(path.dirname(directory), 'link');
  await symlink('db', link);
  await openConnection({ kind: 'embedded', directory });
  expect(await openForWriting({ kind: 'embedded', directory: link }, nodeDisk)).toMatchObject({
    problem: { reason: 'database-locked', database: link, files: `${await realpath(directory)}.lock.*` },
  });
});

test.each([
  ['skills/a/db', true],
  ['skills', true],
  ['skills/.skill-fleet/db', false],
  ['skills-2/db', false],
  ['.skill-fleet/db', false],
  ['link/a/db', true],
])('%s stands among the skills: %s', async (directory, among) => {
  const folder = await realpath(await temporaryFolder());
  await writeFiles(folder, { 'skills/a/SKILL.md': 'A.\n' });
  await symlink('skills', path.join(folder, 'link'));
  const skills = path.join(folder, 'skills');
  expect(await standsAmongSkills(nodeDisk, path.join(folder, directory), skills)).toBe(among);
});

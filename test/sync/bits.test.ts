// Executable bits where the file system keeps none, or says something else of each file than anybody meant.

import { chmod, cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { type DatabaseKind, migratedDatabase } from '../databases.ts';
import { systemError } from '../directory/folder.ts';
import { temporaryFolder } from '../folders.ts';
import { type Clone, cloneAt, document, makeClone } from './sides.ts';
import { developer, hasGit, newest } from './team.ts';

/** A disk on which every file has this mode, whatever anybody does about it. */
function modeless(mode: bigint, chmod: () => Promise<void>): Disk {
  const like = <S extends { mode: bigint; isFile(): boolean }>(stat: S): S =>
    stat.isFile() ? Object.assign(stat, { mode: (stat.mode & ~0o777n) | mode }) : stat;
  return {
    ...nodeDisk,
    keepsModes: async () => false,
    lstat: async (place) => like(await nodeDisk.lstat(place)),
    open: async (place, flags, mode) => {
      const file = await nodeDisk.open(place, flags, mode);
      return { ...file, stat: async () => like(await file.stat()), chmod };
    },
  };
}

const disks = [
  ['0644, and nothing changes that', modeless(0o644n, async () => {})],
  ['0777, and nobody may change that', modeless(0o777n, () => Promise.reject(systemError('EPERM')))],
] as const;

const cases = disks.flatMap(([name, disk]) => [['postgres', name, disk] as const]);
const [, [, refusing]] = disks;

const script = '#!/bin/sh\n';
const tree = {
  'x/SKILL.md': document('x'),
  'x/run.sh': script,
  'x/notes.txt': 'notes',
  'y/SKILL.md': document('y'),
};

/** A clone whose disk keeps modes, with a script that it exported. */
async function exported(kind: DatabaseKind): Promise<{ connection: Connection; elsewhere: Clone }> {
  const connection = await migratedDatabase(kind);
  const elsewhere = await makeClone(connection);
  await elsewhere.write(tree);
  await setBit(elsewhere, 'x/run.sh', true);
  await elsewhere.run('export');
  return { connection, elsewhere };
}

async function setBit({ folder }: Clone, file: string, executable: boolean): Promise<void> {
  await chmod(path.join(folder, file), executable ? 0o755 : 0o644);
}

/** The files that are executable in the database. */
async function executable(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ file: string }>(
    `select s.skill_path || '/' || f.name as file
     from skills s join (
       select skill_id, relative_path as name, file_mode as mode from skill_files
       union all select skill_id, document_name, document_mode from skill_sync
     ) f using (skill_id)
     where f.mode = '100755' and s.deleted_at is null order by 1`,
  );
  return rows.map((row) => row.file);
}

/** Both directions and a sync say the same, or nothing at all. */
async function saysNothing(clone: Clone): Promise<void> {
  for (const direction of ['export', 'import', 'sync'] as const) {
    expect((await clone.run(direction)).words).toEqual([]);
  }
}

describe.each([...cases, ['embedded', ...disks[1]] as const])(
  'on %s, where every file is %s,',
  (kind, _, disk) => {
    test('a tree that was exported elsewhere is unchanged, and an edit of a script keeps its bit', async () => {
      const { connection } = await exported(kind);
      const here = await makeClone(connection, disk);
      await here.write(tree);
      expect((await here.run('sync')).plan.agreed).toHaveLength(2);
      await saysNothing(here);
      await here.write({ 'x/run.sh': `${script}echo\n`, 'y/SKILL.md': document('y', 'Edited.\n') });
      expect((await here.run('sync')).words).toEqual(['x: edited -> database', 'y: edited -> database']);
      expect(await executable(connection)).toEqual(['x/run.sh']);
      await saysNothing(here);
    });
  },
);

describe.each(cases)('on %s, where every file is %s,', (kind, _, disk) => {
  test('an import is equal after it was written, and again after the database changed', async () => {
    const { connection, elsewhere } = await exported(kind);
    const here = await makeClone(connection, disk);
    expect((await here.run('import')).words).toEqual(['x: new -> files', 'y: new -> files']);
    await saysNothing(here);
    await elsewhere.write({ 'x/run.sh': `${script}echo\n`, 'x/bin/new.sh': script });
    await setBit(elsewhere, 'x/bin/new.sh', true);
    await elsewhere.run('export');
    expect((await here.run('import')).words).toEqual(['x: edited -> files']);
    await saysNothing(here);
    expect(await executable(connection)).toEqual(['x/bin/new.sh', 'x/run.sh']);
    expect(Object.keys(await here.files())).toEqual(Object.keys(await elsewhere.files()));
  });

  test('a text that is taken back keeps the bits of now', async () => {
    const { connection, elsewhere } = await exported(kind);
    await elsewhere.write({ 'x/notes.txt': script });
    await setBit(elsewhere, 'x/notes.txt', true);
    await elsewhere.run('export');
    const here = await makeClone(connection, disk);
    await here.run('import');
    await here.write(tree);
    expect((await here.run('sync')).words).toEqual(['x: edited -> database']);
    expect(await executable(connection)).toEqual(['x/notes.txt', 'x/run.sh']);
    await saysNothing(here);
  });

  test('what is forced either way leaves the bits of the others as they are', async () => {
    const { connection, elsewhere } = await exported(kind);
    const here = await makeClone(connection, disk);
    await here.run('import');
    for (const direction of ['export', 'import'] as const) {
      await here.write({ 'x/run.sh': `here ${direction}` });
      await elsewhere.run('import');
      await elsewhere.write({ 'x/notes.txt': `elsewhere ${direction}` });
      await elsewhere.run('export');
      expect((await here.run(direction, { force: true })).words).toEqual([
        `x: forced -> ${direction === 'export' ? 'database' : 'files'}`,
      ]);
      expect(await executable(connection)).toEqual(['x/run.sh']);
      await saysNothing(here);
    }
  });

  test('a first export has no bit, and one that is set elsewhere stays', async () => {
    const connection = await migratedDatabase(kind);
    const here = await makeClone(connection, disk);
    await here.write(tree);
    expect((await here.run('export')).words).toEqual(['x: new -> database', 'y: new -> database']);
    expect(await executable(connection)).toEqual([]);
    await saysNothing(here);
    const elsewhere = await makeClone(connection);
    await elsewhere.run('import');
    for (const [file, isSet] of [
      ['x/run.sh', true],
      ['y/SKILL.md', true],
      ['x/run.sh', false],
    ] as const) {
      await setBit(elsewhere, file, isSet);
      expect((await elsewhere.run('export')).words).toHaveLength(1);
      const bits = await executable(connection);
      expect(bits.includes(file)).toBe(isSet);
      await saysNothing(here);
      expect(await executable(connection)).toEqual(bits);
    }
    await saysNothing(elsewhere);
  });

  test('a text and a bit that were changed elsewhere together come, and are no conflict', async () => {
    const { connection, elsewhere } = await exported(kind);
    const here = await makeClone(connection, disk);
    await here.run('import');
    const fresh = await makeClone(connection, disk);
    await fresh.write(tree);
    await setBit(elsewhere, 'x/run.sh', false);
    await elsewhere.run('export');
    await elsewhere.write({ 'x/notes.txt': '#!/bin/sh\n' });
    await setBit(elsewhere, 'x/notes.txt', true);
    await elsewhere.run('export');
    expect((await here.run('export')).words).toEqual(['x: ahead -> files']);
    expect((await here.run('sync')).words).toEqual(['x: edited -> files']);
    // It has no base: what it holds is in the history.
    expect((await fresh.run('sync')).words).toEqual(['x: older -> files']);
    for (const clone of [here, fresh]) {
      await saysNothing(clone);
      expect((await clone.files())['x/notes.txt']).toMatch(/#!\/bin\/sh\n$/);
    }
    expect(await executable(connection)).toEqual(['x/notes.txt']);
  });

  test.each([
    ['by a sync', (elsewhere: Clone) => rm(path.join(elsewhere.folder, 'x'), { recursive: true })],
    ['by SQL', (_: Clone, connection: Connection) => connection.query(`delete from skills where name = 'x'`)],
  ])('a skill that was deleted elsewhere %s is no edit', async (_, remove) => {
    const { connection, elsewhere } = await exported(kind);
    const here = await makeClone(connection, disk);
    const editor = await makeClone(connection, disk);
    for (const clone of [here, editor]) await clone.run('import');
    await remove(elsewhere, connection);
    await elsewhere.run('sync', { deletes: true, maxDelete: 100 });
    expect((await here.run('sync')).words).toEqual(['x: hold deletion']);
    expect((await here.run('sync', { deletes: true })).words).toEqual(['x: deleted -> files']);
    // An edit wins against a deletion, and has the bits that were.
    await editor.write({ 'x/run.sh': `${script}echo\n` });
    expect((await editor.run('sync', { onConflict: 'newest' })).words).toHaveLength(1);
    expect(await executable(connection)).toEqual(['x/run.sh']);
    await saysNothing(editor);
  });

  test('a row whose path somebody changed leaves files that nobody edited', async () => {
    const { connection } = await exported(kind);
    const here = await makeClone(connection, disk);
    await here.run('import');
    await connection.query(`update skills set skill_path = 'z' where name = 'x'`);
    expect((await here.run('sync')).plan).toMatchObject({ conflicts: [], problems: [] });
    expect(await executable(connection)).toEqual(['z/run.sh']);
  });

  test.skipIf(!hasGit)('rows of writers who know no bits say nothing against those of git', async () => {
    const connection = await migratedDatabase(kind);
    const here = await inRepository(connection, disk);
    const text = 'Body.\n';
    await here.write({ 'x/SKILL.md': document('x', text), 'x/run.sh': script });
    await here.stage('x/run.sh');
    for (const skill of ['x', 'z']) {
      await connection.query(
        `insert into skills (skill_path, name, description, type, status, skill_content)
         values ($1::text, $1::text, 'About ' || $1::text || '.', 'technical', 'active', $2)`,
        [skill, text],
      );
      await connection.query(
        `insert into skill_files (skill_id, file_type, relative_path, filename, content)
         select skill_id, 'script', 'run.sh', 'run.sh', $2 from skills where name = $1`,
        [skill, script],
      );
    }
    // Git has the bit of a file that is not there yet, and its row has none.
    await here.write({ 'z/run.sh': script });
    await here.stage('z/run.sh');
    await rm(path.join(here.folder, 'z'), { recursive: true });
    expect((await here.run('sync')).words).toEqual(['z: new -> files']);
    expect(await executable(connection)).toEqual(['x/run.sh']);
    await saysNothing(here);
  });
});

/** A clone in a git repository; `stage` adds a file to its index as executable. */
async function inRepository(
  connection: Connection,
  disk: Disk,
): Promise<Clone & { stage(file: string): Promise<string> }> {
  const { tree: top, git } = await developer(connection, null);
  await git('config', 'core.fileMode', 'false');
  const clone = await cloneAt(connection, top, 'skills', disk);
  return { ...clone, stage: (file) => git('add', '--chmod=+x', path.join('skills', file)) };
}

/** From now on git's calls are written down; gives how many of the later ones have these arguments. */
async function watchGit(): Promise<(args: string) => Promise<number>> {
  const folder = await temporaryFolder();
  const log = path.join(folder, 'log');
  const before = process.env['PATH'];
  const lines = [`echo "$*" >> '${log}'`, `PATH='${before}' exec git "$@"`];
  await writeFile(path.join(folder, 'git'), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${before}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return async (args) => {
    const calls = await readFile(log, 'utf8').catch(() => '');
    await rm(log, { force: true });
    return calls.split('\n').filter((call) => call.includes(args)).length;
  };
}

describe.skipIf(!hasGit)('with git', () => {
  test.each([...disks, ['as it is, but core.fileMode is false', nodeDisk] as const])(
    'new files have the bit that its index says, where every file is %s',
    async (_, disk) => {
      const connection = await migratedDatabase('postgres');
      const here = await inRepository(connection, disk);
      await here.write({ ...tree, 'x/other.sh': script });
      // Nobody but git's index is asked: where the mode can be read, it says something else.
      await setBit(here, 'x/other.sh', true);
      await here.stage('x/run.sh');
      await here.run('export');
      expect(await executable(connection)).toEqual(['x/run.sh']);
      await here.write({ 'x/later.sh': script, 'y/run.sh': script, 'y/other.sh': script });
      await here.stage('x/later.sh');
      await here.stage('y/run.sh');
      await here.run('sync');
      expect(await executable(connection)).toEqual(['x/later.sh', 'x/run.sh', 'y/run.sh']);
      await saysNothing(here);
    },
  );

  test('a repository with core.fileMode false takes its bits from the database', async () => {
    const { connection, elsewhere } = await exported('postgres');
    const here = await inRepository(connection, nodeDisk);
    await here.write(tree);
    await saysNothing(here);
    await setBit(here, 'x/run.sh', true);
    await setBit(here, 'x/notes.txt', true);
    await saysNothing(here);
    await elsewhere.write({ 'x/bin/new.sh': script });
    await setBit(elsewhere, 'x/bin/new.sh', true);
    await elsewhere.run('export');
    expect((await here.run('sync')).words).toEqual(['x: edited -> files']);
    // Git's setting may be wrong of this disk: what is written has its bit all the same, as git would write it.
    expect((await here.files())['x/bin/new.sh']).toBe(`*${script}`);
    expect(await executable(connection)).toEqual(['x/bin/new.sh', 'x/run.sh']);
  });

  test('a skill that comes anew where one was deleted has the bits of the index, or those that were', async () => {
    const { connection, elsewhere } = await exported('postgres');
    await elsewhere.write({ 'z/SKILL.md': document('z') });
    await elsewhere.run('export');
    for (const skill of ['x', 'y']) await rm(path.join(elsewhere.folder, skill), { recursive: true });
    await elsewhere.run('export', { deletes: true });
    const here = await inRepository(connection, refusing);
    await here.write({ ...tree, 'x/other.sh': script, 'z/SKILL.md': document('z') });
    for (const file of ['x/notes.txt', 'y/SKILL.md']) await here.stage(file);
    expect((await here.run('export')).words).toEqual(['x: new -> database', 'y: new -> database']);
    expect(await executable(connection)).toEqual(['x/notes.txt', 'x/run.sh', 'y/SKILL.md']);
    await saysNothing(here);
  });

  test('a commit that has another bit than the database is not noted as one that has the skill', async () => {
    const connection = await migratedDatabase('postgres');
    const first = await developer(connection, null);
    await first.commit({ 'x/SKILL.md': document('x'), 'x/run.sh': script, 'y/SKILL.md': document('y') });
    await setBit(first, 'x/run.sh', true);
    await first.run('export');
    await connection.query('delete from skill_commits');
    // Git sees no bit in this one, and calls all of it clean.
    const tree = path.join(first.tree, '../windows');
    await cp(first.tree, tree, { recursive: true });
    await rm(path.join(tree, '.skill-fleet'), { recursive: true });
    await first.git('-C', tree, 'config', 'core.fileMode', 'false');
    const windows = await cloneAt(connection, tree, 'skills', refusing);
    expect((await windows.run('sync', newest)).plan.agreed).toHaveLength(2);
    const notes = await connection.query(
      'select s.name, c.clean from skill_commits c join skills s using (skill_id)',
    );
    expect(notes).toEqual([{ name: 'y', clean: true }]);
  });

  test.skipIf(process.platform === 'win32')('it is asked for no more than is not known', async () => {
    const connection = await migratedDatabase('postgres');
    const ordinary = await developer(connection, null);
    await ordinary.commit({ ...tree });
    const here = await inRepository(connection, refusing);
    const calls = await watchGit();
    for (const run of [1, 2]) {
      await ordinary.run('sync');
      expect([run, await calls('config -z --local')]).toEqual([run, 1]);
      await ordinary.write({ 'x/new.sh': script });
    }
    await ordinary.run('sync');
    expect(await calls('ls-files -z --stage -- .')).toBe(0);
    await here.run('import');
    expect(await calls('')).toBeGreaterThan(0);
    await saysNothing(here);
    expect(await calls('core.fileMode')).toBe(0);
    await saysNothing(here);
    expect(await calls('ls-files')).toBe(0);
    await here.write({ 'x/newer.sh': script, 'y/newer.sh': script });
    await here.run('export');
    expect(await calls('ls-files')).toBe(1);
  });
});

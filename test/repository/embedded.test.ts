// The embedded database belongs to one process at a time, and outlives it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import { openForReading, openForWriting } from '../../src/repository/open.ts';
import { emptyDatabasePlace, openConnection } from '../databases.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';

/** A migrated embedded database that nothing has open. */
async function migratedFolder(): Promise<string> {
  const place = await emptyDatabasePlace('embedded');
  if (place.kind !== 'embedded') throw new Error(place.kind);
  await cp(inject('embeddedTemplate'), place.directory, { recursive: true });
  return place.directory;
}

/** Another process that has the database open, has done these statements, and stays. */
async function otherProcess(directory: string, statements: readonly string[]): Promise<ChildProcess> {
  const script = path.join(await temporaryFolder(), 'hold.mjs');
  const built = (name: string) => JSON.stringify(path.join(import.meta.dirname, '../../dist', name));
  await writeFile(
    script,
    `import { nodeDisk } from ${built('disk.js')};
     import { connect } from ${built('repository/open.js')};
     const opened = await connect({ kind: 'embedded', directory: ${JSON.stringify(directory)} }, nodeDisk);
     for (const statement of ${JSON.stringify(statements)}) await opened.value.query(statement);
     process.on('message', () => {});
     process.send('done');`,
  );
  const child = fork(script, { execArgv: [] });
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
      holder: expect.stringMatching(new RegExp(`^process ${pid} on ${hostname()} since \\d{4}-`)),
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

test('does not come to be by reading, and leaves no lock where it cannot be opened', async () => {
  const place = await emptyDatabasePlace('embedded');
  if (place.kind !== 'embedded') throw new Error(place.kind);
  const folder = path.dirname(place.directory);
  expect(await openForReading(place, nodeDisk)).toMatchObject({ ok: true, value: { state: 'absent' } });
  expect(await readdir(folder)).toEqual([]);

  await writeFile(place.directory, 'a file stands there');
  const unusable = {
    ok: false,
    problem: { reason: 'embedded-database-unusable', database: place.directory },
  };
  expect(await openForWriting(place, nodeDisk)).toEqual(unusable);
  await rm(place.directory);
  await writeFiles(place.directory, { PG_VERSION: '12\n' });
  expect(await openForWriting(place, nodeDisk)).toEqual(unusable);
  expect(await readdir(folder)).toEqual(['db']);
});

// Clocks that are wrong, and clocks that jump: nothing is decided by them unsaid, nothing waits for ever, nothing is lost.

import * as fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { keptDays, Trash } from '../../src/directory/trash.ts';
import { nodeDisk } from '../../src/disk.ts';
import { Database } from '../../src/repository/database.ts';
import { pruneRevisions } from '../../src/repository/prune.ts';
import { lockDirectory } from '../../src/sync/directory-lock.ts';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { migratedDatabase } from '../databases.ts';
import { makeFolder, readFolder } from '../directory/folder.ts';
import { writeFiles } from '../folders.ts';
import { document, makeClone, makeSides } from '../sync/sides.ts';
import { developer, hasGit, run } from '../sync/team.ts';

const [minute, hour, day, year] = [60_000, 3_600_000, 86_400_000, 365 * 86_400_000];

/** How far this machine's clock is from the database's; files get their times by it. */
const shifts: { readonly [name: string]: number } = {
  'in 1986': -40 * year,
  'a day behind': -day,
  'five hours behind': -5 * hour,
  'five minutes behind': -5 * minute,
  'five minutes ahead': 5 * minute,
  'five hours ahead': 5 * hour,
  'a day ahead': day,
  'in 2500': 474 * year,
};

/** Sets this machine's clock, as the program reads it; the database's goes on. */
function setClock(shiftMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + shiftMs });
}

afterEach(() => void vi.useRealTimers());

describe('of two edits the newer one wins, or nobody says which that is', () => {
  test.each(Object.entries(shifts))('where the clock is %s', async (_, shift) => {
    const connection = await migratedDatabase('postgres');
    for (const [name, file, row] of [
      ['files', -hour, -2 * hour],
      ['database', -2 * hour, -hour],
    ] as const) {
      vi.useRealTimers();
      const clone = await makeClone(connection);
      const place = path.join(clone.folder, name, 'SKILL.md');
      await clone.write({ [`${name}/SKILL.md`]: document(name, 'Old.\n') });
      await clone.run('export', { selects: (one) => one === name });
      await clone.write({ [`${name}/SKILL.md`]: document(name, 'Mine.\n') });
      const at = (Date.now() + shift + file) / 1000;
      fs.utimesSync(place, at, at);
      await connection.query('update skills set skill_content = $1 where name = $2', ['Theirs.\n', name]);
      await connection.query(
        `update skill_sync set revised_at = now() + make_interval(secs => $1)
         where skill_id = (select skill_id from skills where name = $2)`,
        [row / 1000, name],
      );
      setClock(shift);
      const ran = await clone.run('sync', { onConflict: 'newest', selects: (one) => one === name });
      const isSaid = ran.plan.conflicts.some(({ undecided }) => undecided === 'time-unknown');
      if (Math.abs(shift) < hour) {
        expect(ran.words).toEqual([`${name}: newer -> ${name === 'files' ? 'database' : 'files'}`]);
      } else {
        expect(ran.words).toEqual([`${name}: conflict both-edited`]);
        expect(isSaid).toBe(true);
        expect(fs.readFileSync(place, 'utf8')).toContain('Mine.');
      }
    }
  });

  test.skipIf(!hasGit).each(['1970-01-02T00:00:00Z', '2019-12-31T00:00:00Z', '2099-01-01T00:00:00Z'])(
    'where the commit is of %s',
    async (date) => {
      const connection = await migratedDatabase('postgres');
      const someone = await developer(connection, null);
      await someone.commit({ 'a/SKILL.md': document('a', 'Old.\n') });
      await someone.run('export');
      await someone.write({ 'a/SKILL.md': document('a', 'Mine.\n') });
      const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
      const who = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.org'];
      await run('git', ['-C', someone.tree, ...who, 'commit', '--quiet', '-am', 'work'], { env });
      await connection.query(`update skills set skill_content = 'Theirs.\n'`);
      const { words, plan } = await someone.run('sync', { onConflict: 'newest' });
      expect(words).toEqual(['a: conflict both-edited']);
      expect(plan.conflicts).toMatchObject([{ undecided: 'time-unknown' }]);
      expect(await someone.read('a')).toContain('Mine.');
    },
  );
});

test.each(Object.entries(shifts).filter(([, shift]) => Math.abs(shift) > year))(
  'a whole round of runs does the same where the clock is %s',
  async (_, shift) => {
    const { connection, ...clone } = await makeSides('postgres');
    setClock(shift);
    const at = Date.now() / 1000;
    await clone.write({ 'a/SKILL.md': document('a', 'One.\n'), 'b/SKILL.md': document('b') });
    for (const name of ['a', 'b']) fs.utimesSync(path.join(clone.folder, name, 'SKILL.md'), at, at);
    expect((await clone.run('sync')).words).toEqual(['a: new -> database', 'b: new -> database']);
    await clone.write({ 'a/SKILL.md': document('a', 'Two.\n') });
    fs.utimesSync(path.join(clone.folder, 'a/SKILL.md'), at, at);
    expect((await clone.run('sync')).words).toEqual(['a: edited -> database']);
    await connection.query(`update skills set skill_content = 'Three.\n' where name = 'a'`);
    await connection.query(`update skills set deleted_at = now() where name = 'b'`);
    expect((await clone.run('sync', { deletes: true })).words).toEqual([
      'a: edited -> files',
      'b: deleted -> files',
    ]);
    expect((await clone.undo(null, { yes: true })).words).toEqual([
      'a: undone -> files',
      'b: undone -> files',
    ]);
    await clone.run('sync', { deletes: true });
    const { files, database } = await clone.digests();
    expect(files).toEqual(database);
    // What prune gives up is told by the clock that dated it.
    const pruned = await pruneRevisions(connection, { keepLast: 0, keepDays: 1 });
    expect(pruned.revisions).toBe(0);
  },
);

describe('the trash', () => {
  const trashOf = (at: Date) => {
    vi.setSystemTime(at);
    return path.basename(new Trash(nodeDisk, '/nowhere').folder);
  };
  const now = new Date('2026-11-21T12:00:00Z');
  const past = (days: number) => new Date(+now - days * day);

  test.each<[string, removed: Date, ours: Date, theirs: Date, isKept: boolean]>([
    ['is emptied in time', past(keptDays + 1), now, now, false],
    ['stays where this clock is ahead', past(1), new Date('2500-01-01T00:00:00Z'), now, true],
    ['stays where the other clock is ahead', past(1), now, new Date('2500-01-01T00:00:00Z'), true],
    ['stays where this clock is behind', past(1), new Date(0), now, true],
    ['stays where the clock was never set', new Date(0), now, now, true],
    ['stays where it is of a time to come', new Date('2500-01-01T00:00:00Z'), now, now, true],
  ])('%s', async (_, removed, ours, theirs, isKept) => {
    const name = trashOf(removed);
    const root = makeFolder({ [`${name}/a/SKILL.md`]: 'removed' });
    const emptied = await new Trash(nodeDisk, root).empty(ours, async () => theirs);
    expect(emptied).toBe(isKept ? 0 : 1);
    expect(readFolder(root)).toEqual(isKept ? { [`${name}/a/SKILL.md`]: 'removed' } : {});
  });

  test('asks the database for its clock, which tells it whatever it holds', async () => {
    const database = new Database(await migratedDatabase('postgres'), []);
    const { now: theirs } = await database.changedAt([]);
    expect(Math.abs(+theirs - Date.now())).toBeLessThan(hour);
  });
});

test('who waits for a lock waits as long as was asked for, wherever the clock jumps meanwhile', async () => {
  for (const shift of [-year, year]) {
    vi.useRealTimers();
    const folder = makeFolder();
    const held = await lockDirectory(nodeDisk, folder, 0, () => {});
    const jump = () => setClock(shift);
    const gaveUp = await lockDirectory(nodeDisk, folder, 200, jump, AbortSignal.timeout(20_000));
    expect(gaveUp).toMatchObject({ ok: false, problem: { reason: 'directory-locked' } });
    vi.useRealTimers();
    // One that is released in time is taken, though by the day's clock a year has gone.
    const release = () => {
      setClock(shift);
      setTimeout(() => void (held.ok && held.value.release()), 100);
    };
    const taken = await lockDirectory(nodeDisk, folder, 30_000, release, AbortSignal.timeout(20_000));
    expect(taken).toMatchObject({ ok: true });
  }
});

test.each(['1970-01-01T00:00:00.000Z', '2500-01-01T00:00:00.000Z'])(
  'whether a lock is stale is told by who holds it, and not by %s',
  async (since) => {
    const folder = makeFolder();
    const held = await lockDirectory(nodeDisk, folder, 0, () => {});
    const [name = ''] = fs.readdirSync(folder);
    const place = path.join(folder, name);
    const holder = { ...JSON.parse(fs.readFileSync(place, 'utf8')), since };
    fs.writeFileSync(place, JSON.stringify(holder));
    expect(await lockDirectory(nodeDisk, folder, 0, () => {})).toMatchObject({ ok: false });
    fs.writeFileSync(place, JSON.stringify({ ...holder, started: '1' }));
    expect(await lockDirectory(nodeDisk, folder, 0, () => {})).toMatchObject({ ok: true });
    expect(held.ok).toBe(true);
  },
);

test('status --max-age and log --since go by the clock that dated the runs, and trust no time to come', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const env = { DATABASE_URL: url };
  await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a') });
  await project.run(['sync-db'], env);
  const health = async () =>
    JSON.parse((await project.run(['status', '--json', '--max-age', '1h'], env)).stdout).faults;
  const logged = async (...args: readonly string[]) =>
    JSON.parse((await project.run(['log', ...args, '--json', '--since', '1h'], env)).stdout);
  expect(await health()).toEqual([]);
  expect((await logged()).runs).toHaveLength(1);
  for (const [interval, runs] of [
    ['-2 hours', 0],
    ['400 years', 1],
  ] as const) {
    await sql(
      url,
      `update sync_runs set started_at = now() + interval '${interval}', finished_at = now() + interval '${interval}'`,
    );
    expect(await health(), interval).toEqual(['no sync succeeded lately enough']);
    expect((await logged()).runs, interval).toHaveLength(runs);
  }
});

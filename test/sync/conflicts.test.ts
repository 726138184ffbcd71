import { rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../src/repository/database.ts';
import { loggedRuns } from '../../src/repository/run-log.ts';
import { usualKinds } from '../databases.ts';
import { type Clone, document, makeClone, makeSides } from './sides.ts';

const hour = 3_600_000;

describe.each(usualKinds)('a conflict with %s', (kind) => {
  /** A skill that both sides edited: the file at a time, the row now or as `revisedAt` says in SQL. */
  async function conflicting(fileTime: Date, revisedAt = 'revised_at') {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x', 'Old.\n'), 'x/file.txt': 'file' });
    await sides.run('export');
    await sides.write({ 'x/SKILL.md': document('x', 'Mine.\n') });
    for (const file of ['SKILL.md', 'file.txt']) {
      await utimes(path.join(sides.folder, 'x', file), fileTime, fileTime);
    }
    await sides.connection.query(`update skills set skill_content = 'Theirs.\n'`);
    await sides.connection.query(`update skill_sync set revised_at = ${revisedAt}`);
    return sides;
  }

  test('is in the record of runs that leave it, once each time that there are others', async () => {
    const { connection, write, run } = await conflicting(new Date());
    const left = async () =>
      (await loggedRuns(connection, { limit: 9, since: null })).map(({ counts }) => counts.conflicts);
    const other = await makeClone(connection);
    for (const nth of [1, 2, 3]) {
      expect((await run('sync')).words).toEqual(['x: conflict both-edited']);
      // Another one without any changes nothing of that.
      expect((await other.run('sync')).words).toEqual(nth === 1 ? ['x: new -> files'] : []);
    }
    expect(await left()).toEqual([1, 0, 1, 0]);
    await write({ 'y/SKILL.md': document('y', 'Mine.\n') });
    await connection.query(
      `insert into skills (skill_path, name, type, status, skill_content)
       values ('y', 'y', 'tool', 'active', 'Theirs.')`,
    );
    for (const _ of ['noted', 'not noted']) expect((await run('sync')).plan.conflicts).toHaveLength(2);
    expect(await left()).toEqual([2, 1, 0, 1, 0]);
    await connection.query(`update sync_runs set finished_at = now() - interval '2 hours'`);
    await run('sync');
    expect(await left()).toEqual([2, 2, 1, 0, 1, 0]);
  });

  test.each([
    ['files', new Date(), `now() - interval '1 hour'`, ['x: newer -> database']],
    ['database', new Date(Date.now() - hour), 'revised_at', ['x: newer -> files']],
  ])(
    'is won by the %s that changed last, and what loses is stored first',
    async (_, time, revisedAt, words) => {
      const { connection, folder, run, files } = await conflicting(time, revisedAt);
      expect((await run('sync', { onConflict: 'newest', dryRun: true })).words).toEqual([]);
      const { results, ...outcome } = await run('sync', { onConflict: 'newest' });
      expect(outcome.words).toEqual(words);
      const won = words[0]?.endsWith('database') ? 'Mine.' : 'Theirs.';
      const lost = won === 'Mine.' ? 'Theirs.' : 'Mine.';
      const text = async () => (await files())['x/SKILL.md'];
      expect(await text()).toContain(won);
      expect(await connection.query('select skill_content from skills')).toEqual([
        { skill_content: `${won}\n` },
      ]);

      // The command that the run prints brings the other version back.
      const kept = results[0]?.ok ? results[0].kept : undefined;
      const database = new Database(connection, []);
      await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: folder });
      expect(await database.restore('x', kept ?? 0)).toMatchObject({ ok: true, value: { path: 'x' } });
      await database.endRun({}, null);
      expect(await connection.query('select skill_content from skills')).toEqual([
        { skill_content: `${lost}\n` },
      ]);
      expect((await run('sync')).words).toEqual(['x: edited -> files']);
      expect(await text()).toContain(lost);
      expect((await files())['x/file.txt']).toBe('file');
      expect((await run('sync')).plan.unchanged).toBe(1);
    },
  );

  test.each([
    ['the same time', new Date('2026-02-03T04:05:06Z'), `'2026-02-03 04:05:07+00'`, 'same-time'],
    ['a file of 1970', new Date(0), 'revised_at', 'time-unknown'],
    ['a file of 2099', new Date('2099-01-01T00:00:00Z'), 'revised_at', 'time-unknown'],
    ['a row of 1970', new Date(), `'epoch'`, 'time-unknown'],
    ['a row of the day after tomorrow', new Date(), `now() + interval '2 days'`, 'time-unknown'],
    ['a row without a time', new Date(), 'null', 'time-unknown'],
  ])('is decided by nobody where the times are senseless: %s', async (_, time, revisedAt, undecided) => {
    const { run, files } = await conflicting(time, revisedAt);
    const { words, plan } = await run('sync', { onConflict: 'newest' });
    expect(words).toEqual(['x: conflict both-edited']);
    expect(plan.conflicts).toMatchObject([{ undecided }]);
    expect((await run('sync', { onConflict: 'fail' })).plan.conflicts).not.toMatchObject([{ undecided }]);
    expect((await files())['x/SKILL.md']).toContain('Mine.');
  });

  test('is won by what was written last, whoever exported last', async () => {
    const { connection, ...early } = await makeSides(kind);
    const late = await makeClone(connection);
    const edit = async ({ folder, write }: Clone, body: string, time: number) => {
      await write({ 'x/SKILL.md': document('x', body) });
      await utimes(path.join(folder, 'x/SKILL.md'), time / 1000, time / 1000);
    };
    await edit(early, 'Old.\n', Date.now() - 3 * hour);
    await early.run('export');
    await late.run('import');
    await edit(late, 'Late.\n', Date.now() - hour);
    await edit(early, 'Early.\n', Date.now() - 2 * hour);
    await early.run('export');
    expect((await late.run('sync', { onConflict: 'newest' })).words).toEqual(['x: newer -> database']);
    expect((await early.run('sync')).words).toEqual(['x: edited -> files']);

    await edit(early, 'Later.\n', Date.now() - hour / 2);
    await edit(late, 'Too early.\n', Date.now() - hour);
    await early.run('export');
    expect((await late.run('sync', { onConflict: 'newest' })).words).toEqual(['x: newer -> files']);
    // What another writer makes of it is as new as that.
    await edit(late, 'Mine.\n', Date.now() - hour / 4);
    await connection.query(`update skills set skill_content = 'Theirs.\n'`);
    expect((await late.run('sync', { onConflict: 'newest' })).words).toEqual(['x: newer -> files']);
  });

  test('is won by the side that is preferred, at any time', async () => {
    for (const [onConflict, words] of [
      ['local', 'x: preferred -> database'],
      ['database', 'x: preferred -> files'],
    ] as const) {
      const { run } = await conflicting(new Date(0));
      expect((await run('sync', { onConflict })).words).toEqual([words]);
    }
  });

  test('is none where both sides were edited alike', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({ 'x/SKILL.md': document('x', 'Old.\n') });
    await run('export');
    await write({ 'x/SKILL.md': document('x', 'New.\n') });
    await connection.query(`update skills set skill_content = 'New.\n'`);
    const { plan, words } = await run('sync');
    expect([words, plan.agreed.length]).toEqual([[], 1]);
  });

  test('stands among nine other cases, which all end as the rules say', async () => {
    const { connection, folder, write, run, files } = await makeSides(kind);
    const names = [
      'mine',
      'theirs',
      'alike',
      'both',
      'gone-here',
      'gone-there',
      'kept',
      'revived',
      'gone',
      'same',
    ];
    await write(Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, document(name, 'Old.\n')])));
    await run('export');
    for (const name of ['gone-here', 'revived', 'gone'])
      await rm(path.join(folder, name), { recursive: true });
    await write({
      'mine/SKILL.md': document('mine', 'Mine.\n'),
      'alike/SKILL.md': document('alike', 'Alike.\n'),
      'both/SKILL.md': document('both', 'Mine.\n'),
      'kept/SKILL.md': document('kept', 'Mine.\n'),
      'new-here/SKILL.md': document('new-here'),
    });
    await connection.query(
      `update skills set skill_content = case name when 'alike' then 'Alike.\n' else 'Theirs.\n' end
       where name in ('theirs', 'alike', 'both', 'revived')`,
    );
    await connection.query(
      `update skills set deleted_at = now() where name in ('gone-there', 'kept', 'gone')`,
    );
    await connection.query(
      `insert into skills (skill_path, name, description, type, status) values ('new-there', 'new-there', 'N.', 'technical', 'active')`,
    );
    const outcome = await run('sync', { onConflict: 'edits', deletes: true });
    expect(outcome.words).toEqual([
      'gone-here: deleted -> database',
      'kept: edit-over-deletion -> database',
      'mine: edited -> database',
      'new-here: new -> database',
      'gone-there: deleted -> files',
      'new-there: new -> files',
      'revived: edit-over-deletion -> files',
      'theirs: edited -> files',
      'both: conflict both-edited',
    ]);
    expect(Object.keys(await files())).toEqual(
      ['alike', 'both', 'kept', 'mine', 'new-here', 'new-there', 'revived', 'same', 'theirs'].map(
        (name) => `${name}/SKILL.md`,
      ),
    );
    expect(await connection.query('select name from skills where deleted_at is null order by 1')).toEqual(
      ['alike', 'both', 'kept', 'mine', 'new-here', 'new-there', 'revived', 'same', 'theirs'].map((name) => ({
        name,
      })),
    );
    const again = await run('sync', { onConflict: 'edits', deletes: true });
    expect([again.words, again.plan.unchanged]).toEqual([['both: conflict both-edited'], 8]);
  });
});

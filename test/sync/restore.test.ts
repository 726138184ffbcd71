// Restore: a state that a skill had once is its present one again, whatever became of its row.

import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../src/repository/database.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { usualKinds } from '../databases.ts';
import { document, makeSides, rowsOf } from './sides.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

async function restore({ connection }: Sides, skill: string, revision: number) {
  const database = new Database(connection, compileMapping([]));
  await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
  const restored = await database.restore(skill, revision);
  await database.endRun({}, null);
  return restored;
}

/** The number of the first state that a skill had. */
async function firstRevision({ connection }: Sides): Promise<number> {
  const [row] = await connection.query<{ revision: number }>(
    'select min(revision) as revision from skill_revisions where skill_id = 1',
  );
  return row?.revision ?? 0;
}

const first = {
  'x/SKILL.md': document('x', 'One.\n', 'metadata:\n  tags: [one]\n  version: "1.2.3"\n'),
  'x/run.sh': 'one\n',
  'x/only-then': 'then\n',
};

/** A skill whose first state is history: its text, values, attached files and modes are others by now. */
async function movedOn(kind: 'postgres' | 'embedded'): Promise<Sides> {
  const sides = await makeSides(kind);
  await sides.write(first);
  await chmod(path.join(sides.folder, 'x/run.sh'), 0o755);
  await sides.run('sync');
  await sides.write({ 'x/SKILL.md': document('x', 'Two.\n'), 'x/run.sh': 'two\n', 'x/only-now': 'now\n' });
  await chmod(path.join(sides.folder, 'x/run.sh'), 0o644);
  await rm(path.join(sides.folder, 'x/only-then'));
  await sides.run('sync');
  return sides;
}

const asItWas = {
  'x/SKILL.md': first['x/SKILL.md'],
  'x/only-then': 'then\n',
  'x/run.sh': '*one\n',
};

describe.each(usualKinds)('restore with %s', (kind) => {
  test.each<[string, (sides: Sides) => Promise<unknown>]>([
    ['stands', async () => {}],
    [
      'was edited by SQL',
      ({ connection }) => connection.query(`update skills set description = 'Theirs.', version = '9.9.9'`),
    ],
    [
      'was deleted by a sync',
      async (sides) => {
        await rm(path.join(sides.folder, 'x'), { recursive: true });
        await sides.run('sync', { deletes: true, yes: true });
      },
    ],
    [
      'was deleted by its status',
      ({ connection }) => connection.query('update skills set deleted_at = now()'),
    ],
    ['was erased', ({ connection }) => connection.query('delete from skills')],
  ])('brings back text, values, attached files and modes where the row %s', async (_, happens) => {
    const sides = await movedOn(kind);
    const revision = await firstRevision(sides);
    await happens(sides);
    expect(await restore(sides, 'x', revision)).toMatchObject({ ok: true, value: { path: 'x' } });
    const { connection } = sides;
    expect(
      await connection.query(
        `select skill_content, version, status, (select array_agg(tag) from skill_tags t where t.skill_id = s.skill_id) as tags
         from skills s where deleted_at is null`,
      ),
    ).toEqual([{ skill_content: 'One.\n', version: '1.2.3', status: 'active', tags: ['one'] }]);
    await sides.run('sync', { onConflict: 'database' });
    expect(await sides.files()).toEqual(asItWas);
    expect((await sides.run('sync', { deletes: true })).words).toEqual([]);
  });
});

describe('restore', () => {
  test('loses no edit of the files that no sync has carried yet', async () => {
    const sides = await movedOn('postgres');
    await sides.write({ 'x/SKILL.md': document('x', 'Mine, unsynced.\n') });
    await restore(sides, 'x', await firstRevision(sides));
    expect((await sides.run('sync')).words).toEqual(['x: conflict both-edited']);
    expect((await sides.files())['x/SKILL.md']).toBe(document('x', 'Mine, unsynced.\n'));
    const [result] = (await sides.run('sync', { onConflict: 'database' })).results;
    expect(result).toMatchObject({ ok: true, change: { why: 'preferred', side: 'files' } });
    const kept = result?.ok ? (result.kept ?? 0) : 0;
    await restore(sides, 'x', kept);
    await sides.run('sync');
    expect((await sides.files())['x/SKILL.md']).toBe(document('x', 'Mine, unsynced.\n'));
  });

  test.each<[string, (sides: Sides) => Promise<unknown>]>([
    ['stands', async () => {}],
    [
      'was edited by SQL',
      ({ connection }) =>
        connection.query(`update skills set description = 'Theirs.', skill_content = 'Theirs.'`),
    ],
    [
      'was deleted by a sync',
      async (sides) => {
        await rm(path.join(sides.folder, 'x'), { recursive: true });
        await sides.run('sync', { deletes: true, yes: true });
      },
    ],
  ])(
    'is taken back where the row %s, and leaves the run before it to be taken back next',
    async (_, happens) => {
      const sides = await movedOn('postgres');
      await happens(sides);
      const before = await rowsOf(sides.connection);
      const { undoes: latest } = (await sides.undo(null, { dryRun: true, yes: true })).plan;
      await restore(sides, 'x', await firstRevision(sides));
      expect(await rowsOf(sides.connection)).not.toEqual(before);
      expect((await sides.undo(null, { yes: true })).words).toEqual(['x: undone -> database']);
      expect(await rowsOf(sides.connection)).toEqual(before);
      expect((await sides.undo(null, { dryRun: true, yes: true })).plan).toMatchObject({ undoes: latest });
    },
  );

  test('of what the row holds already is no run to take back', async () => {
    const sides = await movedOn('postgres');
    const first = await firstRevision(sides);
    for (const _ of 'ab') await restore(sides, 'x', first);
    expect((await sides.undo(null, { dryRun: true })).plan).toMatchObject({ undoes: 3 });
  });

  test('finds a skill by an alias that its document names', async () => {
    const sides = await movedOn('postgres');
    await sides.connection.query(`insert into skill_aliases (skill_id, alias_path) values (1, 'formerly/x')`);
    expect(await restore(sides, 'formerly/x', await firstRevision(sides))).toMatchObject({
      ok: true,
      value: { path: 'x' },
    });
  });

  test('says what it does not know', async () => {
    const sides = await movedOn('postgres');
    expect(await restore(sides, 'nobody', 1)).toMatchObject({ problem: { reason: 'skill-unknown' } });
    expect(await restore(sides, 'x', 999)).toMatchObject({ problem: { reason: 'revision-not-found' } });
  });
});

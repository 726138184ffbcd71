// Undo: each run can be taken back, and that in turn.

import { chmod, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Direction } from '../../src/replica.ts';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { runs, usualSeed } from '../runs.ts';
import { document, makeClone, makeSides, type RunOptions, rowsOf, stateOf } from './sides.ts';
import { hasGit, team } from './team.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

const all: RunOptions = { deletes: true, yes: true };

/** The number of the latest run. */
async function lastRun({ connection }: Sides): Promise<number> {
  const [row] = await connection.query<{ run_id: number }>('select max(run_id) as run_id from sync_runs');
  return row?.run_id ?? 0;
}

async function keysOf({ connection }: Sides): Promise<unknown> {
  return connection.query(
    'select skill_path, skill_id from skills where deleted_at is null order by skill_path',
  );
}

const start = {
  'a/SKILL.md': document('a'),
  'a/run.sh': 'one\n',
  'b/SKILL.md': document('b'),
  'c/SKILL.md': document('c'),
  'd/SKILL.md': document('d'),
};

async function begun(kind: DatabaseKind = 'postgres'): Promise<Sides> {
  const sides = await makeSides(kind);
  await sides.write(start);
  await sides.run('sync');
  return sides;
}

describe.each(usualKinds)('undo with %s', (kind) => {
  test('of a first export deletes what it created, restorably; and undone in turn it is back under its keys', async () => {
    const sides = await makeSides(kind);
    await sides.write(start);
    await sides.run('export');
    const [first, keys] = [await lastRun(sides), await keysOf(sides)];
    expect((await sides.undo()).words).toEqual(['refused: too-many-deletions']);
    const { words, next } = await sides.undo(null, { yes: true });
    expect(words).toEqual(['a', 'b', 'c', 'd'].map((skill) => `${skill}: undone -> database`));
    expect([await keysOf(sides), await sides.files()]).toEqual([[], start]);
    expect(next.changes.map(({ path: skill, side, why }) => `${skill}: ${why} -> ${side}`)).toEqual(
      ['a', 'b', 'c', 'd'].map((skill) => `${skill}: new -> database`),
    );
    expect((await sides.run('sync', { dryRun: true })).plan.changes).toEqual(next.changes);
    const again = await sides.undo(await lastRun(sides));
    expect(again.words).toEqual(['a', 'b', 'c', 'd'].map((skill) => `${skill}: undone -> database`));
    expect(await keysOf(sides)).toEqual(keys);
    expect((await sides.run('sync')).plan).toMatchObject({ changes: [], conflicts: [], holds: [] });
    expect(first).toBe(1);
  });

  test('of a first import moves what it wrote to the trash', async () => {
    const one = await begun(kind);
    const sides = { ...(await makeClone(one.connection)), connection: one.connection };
    await sides.run('import');
    const { words, next } = await sides.undo(null, { yes: true });
    expect(words).toEqual(['a', 'b', 'c', 'd'].map((skill) => `${skill}: undone -> files`));
    expect([await sides.files(), (await one.run('sync')).plan.unchanged]).toEqual([{}, 4]);
    expect(next.changes.map(({ side, why }) => `${why} -> ${side}`)).toEqual(Array(4).fill('new -> files'));
    await sides.undo(await lastRun(sides));
    expect(await sides.files()).toEqual(start);
  });

  test('takes back edits, deletions and renames of both sides, with modes and attached files', async () => {
    const sides = await begun(kind);
    const { connection, folder } = sides;
    await sides.write({
      'a/SKILL.md': document('a', 'Mine.\n'),
      'a/more': 'more\n',
      'e/SKILL.md': document('e'),
    });
    await chmod(path.join(folder, 'a/run.sh'), 0o755);
    await rm(path.join(folder, 'b'), { recursive: true });
    await connection.query(`update skills set description = 'Theirs.' where skill_path = 'c'`);
    await connection.query(`update skills set skill_path = 'z' where skill_path = 'd'`);
    const [before, keys] = [await stateOf(sides), await keysOf(sides)];
    const done = (await sides.run('sync', all)).words;
    expect(done).toHaveLength(5);
    const after = await stateOf(sides);
    const { words } = await sides.undo(null, all);
    expect(words).toHaveLength(5);
    expect([await stateOf(sides), await keysOf(sides)]).toEqual([before, keys]);
    const again = await sides.run('sync', { ...all, dryRun: true });
    expect(again.plan.changes.map(({ path: skill, why, side }) => `${skill} ${why} ${side}`).sort()).toEqual([
      'a edited database',
      'b deleted database',
      'c edited files',
      'e new database',
      'z renamed files',
    ]);
    await sides.undo(await lastRun(sides), all);
    expect(await stateOf(sides)).toEqual(after);
    expect((await sides.run('sync', all)).words).toEqual([]);
  });
});

describe('undo', () => {
  test('leaves what changed since, and names it; by force it is stored first', async () => {
    const sides = await begun();
    const { connection } = sides;
    await sides.write({ 'a/SKILL.md': document('a', 'Mine.\n'), 'b/SKILL.md': document('b', 'Mine.\n') });
    await connection.query(`update skills set skill_content = 'Theirs.' where skill_path in ('c', 'd')`);
    await sides.run('sync');
    const run = await lastRun(sides);
    await connection.query(`update skills set skill_content = 'Later.' where skill_path = 'a'`);
    await sides.write({ 'c/SKILL.md': document('c', 'Later.\n') });
    const { words } = await sides.undo();
    expect(words).toEqual([
      'b: undone -> database',
      'd: undone -> files',
      'a: conflict moved-on',
      'c: conflict moved-on',
    ]);
    const files = await sides.files();
    expect([files['c/SKILL.md'], files['d/SKILL.md']]).toEqual([
      document('c', 'Later.\n'),
      start['d/SKILL.md'],
    ]);
    const forced = await sides.undo(run, { force: true });
    expect(forced.words).toEqual(['a: forced -> database', 'c: forced -> files']);
    expect((await sides.files())['c/SKILL.md']).toBe(start['c/SKILL.md']);
    const kept = forced.results.flatMap((result) => (result.ok && result.kept ? [result.kept] : []));
    const texts = await connection.query<{ skill_content: string }>(
      'select skill_content from skill_revisions where revision = any ($1)',
      [kept],
    );
    expect(texts.map((row) => row.skill_content).sort()).toEqual(['Later.', 'Later.\n']);
  });

  test('without a number takes back the latest that is not taken back, one after the other', async () => {
    const sides = await begun();
    const states = [await stateOf(sides)];
    for (const word of ['One', 'Two', 'Three']) {
      await sides.write({ 'a/SKILL.md': document('a', `${word}.\n`) });
      await sides.run('export');
      states.push((await rowsOf(sides.connection)) as never);
    }
    for (const state of [states[2], states[1]]) {
      await sides.undo();
      expect(await rowsOf(sides.connection)).toEqual(state);
    }
  });

  test('from another directory takes back the database, and says what stays in the first one', async () => {
    const sides = await begun();
    await sides.write({ 'a/SKILL.md': document('a', 'Mine.\n') });
    await sides.connection.query(`update skills set skill_content = 'Theirs.' where skill_path = 'c'`);
    await sides.run('sync');
    const other = await makeClone(sides.connection);
    await other.run('import');
    const run = await lastRun(sides);
    const { words } = await other.undo(run - 1);
    expect(words).toEqual(['a: undone -> database']);
    expect((await other.run('sync')).words).toEqual(['a: edited -> files']);
  });
});

test.skipIf(!hasGit)('a deletion that only git could tell is taken back too', async () => {
  const { connection, join } = await team('postgres');
  await connection.query(`update skills set deleted_at = now() where skill_path = 'x'`);
  const second = await join();
  const before = await second.files();
  expect((await second.run('import', all)).words).toEqual(['x: deleted -> files']);
  expect((await second.undo(null, all)).words).toEqual(['x: undone -> files']);
  expect(await second.files()).toEqual(before);
});

/** What may be done before a run, on either side. */
const edit = fc.constantFrom(
  'write a',
  'write a',
  'mode',
  'file',
  'delete b',
  'add e',
  'move c',
  'sql a',
  'sql b',
  'sql delete d',
  'sql move d',
  'sql add f',
);

let texts = 0;

async function make(sides: Sides, what: string): Promise<void> {
  const { connection, folder } = sides;
  const text = `Text ${++texts}.\n`;
  const files = await sides.files();
  const at = (name: string) => path.join(folder, name);
  const has = (skill: string) => files[`${skill}/SKILL.md`] !== undefined;
  const edits: Record<string, () => Promise<unknown>> = {
    'write a': () => sides.write({ 'a/SKILL.md': document('a', text) }),
    mode: async () =>
      files['a/run.sh'] && chmod(at('a/run.sh'), files['a/run.sh'].startsWith('*') ? 0o644 : 0o755),
    file: () => sides.write({ 'a/more': text }),
    'delete b': () => rm(at('b'), { recursive: true, force: true }),
    'add e': () => sides.write({ 'e/SKILL.md': document('e', text) }),
    'move c': async () => has('c') && !has('m') && rename(at('c'), at('m')),
    'sql a': () => connection.query(`update skills set skill_content = $1 where skill_path = 'a'`, [text]),
    'sql b': () => connection.query(`update skills set description = $1 where skill_path = 'b'`, [text]),
    'sql delete d': () => connection.query(`update skills set deleted_at = now() where skill_path = 'd'`),
    'sql move d': () =>
      connection.query(
        `update skills set skill_path = 'n' where skill_path = 'd' and deleted_at is null
           and not exists (select from skills where skill_path = 'n')`,
      ),
    'sql add f': () =>
      connection.query(
        `insert into skills (skill_path, name, type, status, skill_content) values ('f', 'f', 'tool', 'active', $1)
         on conflict do nothing`,
        [text],
      ),
  };
  await edits[what]?.();
}

test('what runs did, undone in reverse order, is as it was, byte for byte; each undone in turn is as it left it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { minLength: 1, maxLength: 8 }),
      fc.array(
        fc.record({
          direction: fc.constantFrom<Direction>('export', 'import', 'sync'),
          only: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { freq: 3 }),
          force: fc.boolean(),
          onConflict: fc.constantFrom('newest', 'local', 'database'),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      async (edits, plans) => {
        const sides = await begun();
        for (const what of edits) await make(sides, what);
        const past: { readonly run: number; readonly before: readonly unknown[] }[] = [];
        for (const { direction, only, force, onConflict } of plans) {
          const before = await stateOf(sides);
          const run = await lastRun(sides);
          const selects = (skill: string) => only === null || skill === only;
          const options = { ...all, maxDelete: 100, force, onConflict, selects };
          const { results } = await sides.run(direction, options);
          // A record of conflicts alone has nothing to take back.
          if (results.length === 0) continue;
          const after = await stateOf(sides);
          await sides.undo(null, all);
          expect(await stateOf(sides)).toEqual(before);
          await sides.undo(await lastRun(sides), all);
          expect(await stateOf(sides)).toEqual(after);
          past.push({ run: run + 1, before });
        }
        for (const { run, before } of past.toReversed()) {
          expect((await sides.undo(run, all)).plan.conflicts).toEqual([]);
          expect(await stateOf(sides)).toEqual(before);
        }
        await sides.connection.close();
      },
    ),
    { numRuns: runs(10), ...usualSeed },
  );
}, 3_600_000);

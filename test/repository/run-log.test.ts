// The past as the database tells it: runs, and the states of one skill.

import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { oneByOne } from '../../src/replica.ts';
import { inView } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import { pruneRevisions } from '../../src/repository/prune.ts';
import { findSkill, type KnownSkill } from '../../src/repository/revision.ts';
import {
  type LoggedRevision,
  loadStates,
  loggedRevisions,
  loggedRuns,
} from '../../src/repository/run-log.ts';
import { lastStanding } from '../../src/repository/show.ts';
import { documentOf } from '../../src/skill/skill.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { databaseKinds } from '../databases.ts';
import { document, makeSides } from '../sync/sides.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

const all = { limit: 100, since: null };

async function skillAt({ connection }: Sides, skill: string): Promise<KnownSkill> {
  const known = await findSkill(connection, skill);
  if (!known) throw new Error(`no skill ${skill}`);
  return known;
}

async function statesOf(sides: Sides, skill: string): Promise<readonly LoggedRevision[]> {
  const { skillId } = await skillAt(sides, skill);
  return loggedRevisions(sides.connection, skillId, all);
}

/** Each state in a few words, the newest first: which run made it, what it is, and what the body says then. */
async function wordsOf(sides: Sides, skill: string): Promise<readonly string[]> {
  const { connection } = sides;
  const [known, states] = [await skillAt(sides, skill), await statesOf(sides, skill)];
  const order = states.map(({ revision }) => revision);
  const bodies = new Map<number, string>();
  await inView(connection, async () => {
    const stood = states.filter((state) => !state.isDeleted);
    const loaded = oneByOne(loadStates(connection, known, stood, compileMapping([])));
    for (const { revision } of stood) {
      const { value } = await loaded.next();
      const text = 'skill' in value ? `${documentOf(value.skill).bytes}` : value.problem.reason;
      bodies.set(revision, text.trimEnd().split('\n').at(-1) ?? '');
    }
  });
  return states.map((state) => {
    const before = state.before === null ? 'first' : `after ${order.length - order.indexOf(state.before)}`;
    const what = [
      ...(state.isPresent ? ['present'] : []),
      ...(state.isDeleted ? ['deleted'] : []),
      ...(state.isKept ? ['kept'] : []),
    ];
    const made = state.run === null ? state.origin : `${state.origin} run ${state.run}`;
    return [state.path, made, before, ...what, bodies.get(state.revision) ?? ''].join(' | ');
  });
}

describe.each(databaseKinds)('with %s', (kind) => {
  test('runs say what they did to how many, and which one took back which', async () => {
    const sides = await makeSides(kind);
    const { connection, folder } = sides;
    await sides.write({
      'a/SKILL.md': document('a', '# a\n\nLong enough to be known again in another folder.\n'),
      'b/SKILL.md': document('b'),
      'c/SKILL.md': document('c'),
    });
    await sides.run('export');
    await rename(path.join(folder, 'a'), path.join(folder, 'z'));
    await rm(path.join(folder, 'b'), { recursive: true });
    await connection.query(`update skills set skill_content = 'Theirs.' where name = 'c'`);
    await sides.run('sync', { deletes: true, yes: true });
    await sides.undo();
    await sides.undo(3);
    await connection.query(`update skills set deleted_at = now() where name = 'c'`);
    await sides.run('import', { deletes: true });
    const database = new Database(connection, compileMapping([]));
    await database.beginRun({
      direction: 'sync',
      who: 'w',
      host: 'h',
      directory: 'd',
      commit: 'c0ffee',
      branch: 'main',
    });
    const runs = await loggedRuns(connection, all);
    const none = { create: 0, update: 0, rename: 0, archive: 0, write: 0, remove: 0, failed: 0 };
    const words = runs.map(({ run, direction, outcome, counts, undoes, takenBackBy }) => ({
      ...{ run, direction, outcome, undoes, takenBackBy },
      counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    }));
    const quiet = { outcome: 'success', undoes: null, takenBackBy: null };
    expect(words).toEqual([
      { ...quiet, run: 6, direction: 'sync', outcome: 'running', counts: {} },
      { ...quiet, run: 5, direction: 'import', counts: { remove: 1 } },
      { ...quiet, run: 4, direction: 'undo', undoes: 3, counts: { rename: 1, archive: 1, write: 1 } },
      {
        ...quiet,
        run: 3,
        direction: 'undo',
        undoes: 2,
        takenBackBy: 4,
        counts: { rename: 1, create: 1, write: 1 },
      },
      { ...quiet, run: 2, direction: 'sync', counts: { rename: 1, archive: 1, write: 1 } },
      { ...quiet, run: 1, direction: 'export', counts: { create: 3 } },
    ]);
    expect(runs[0]).toMatchObject({
      ...{ who: 'w', host: 'h', directory: 'd', commit: 'c0ffee', branch: 'main' },
      ...{ finishedAt: null, error: null, counts: none, startedAt: expect.any(Date) },
    });
    expect(runs[1]).toMatchObject({ who: 'tester', commit: null, finishedAt: expect.any(Date) });
    const numbers = async (limit: number, since: Date | null) =>
      (await loggedRuns(connection, { limit, since })).map(({ run }) => run);
    expect(await numbers(2, null)).toEqual([6, 5]);
    expect(await numbers(9, runs[2]?.startedAt ?? null)).toEqual([6, 5, 4]);
    expect(await numbers(9, new Date('2999-01-01'))).toEqual([]);
  });

  test('a skill has its states in order, by runs and by others, also those that only files had', async () => {
    const sides = await makeSides(kind);
    const { connection, folder } = sides;
    await sides.write({ 'a/SKILL.md': document('a', 'One.\n'), 'o/SKILL.md': document('o') });
    await sides.run('sync');
    await sides.write({ 'a/SKILL.md': document('a', 'Two.\n') });
    await sides.run('sync');
    await connection.query(`update skills set skill_content = 'Theirs.' where name = 'a'`);
    await sides.write({ 'a/SKILL.md': document('a', 'Mine.\n') });
    await sides.run('import', { force: true, yes: true });
    await connection.query(`update skills set skill_content = 'Later.' where name = 'a'`);
    await sides.run('sync');
    const expected = [
      'a | database | after 3 | present | Later.',
      'a | files run 3 | after 3 | kept | Mine.',
      'a | database | after 2 | Theirs.',
      'a | files run 2 | after 1 | Two.',
      'a | files run 1 | first | One.',
    ];
    expect(await wordsOf(sides, 'a')).toEqual(expected);
    await rename(path.join(folder, 'a'), path.join(folder, 'z'));
    await sides.run('sync');
    await rm(path.join(folder, 'z'), { recursive: true });
    await sides.run('sync', { deletes: true, yes: true });
    const deleted = [
      'z | files run 6 | after 6 | present | deleted | ',
      'z | files run 5 | after 5 | Later.',
      ...expected.map((line) => line.replace(' | present', '')),
    ];
    // The alias leads to no deleted row; the history still does.
    expect(await wordsOf(sides, 'a')).toEqual(deleted);
    await connection.query(`update skills set deleted_at = null where name = 'a'`);
    expect(await wordsOf(sides, 'z')).toEqual([
      'z | database | after 7 | present | Later.',
      ...deleted.map((line) => line.replace(' | present', '')),
    ]);
    await connection.query(`delete from skills where name = 'a'`);
    const erased = await wordsOf(sides, 'z');
    expect(erased).toEqual([
      'z | database | after 7 | Later.',
      ...deleted.map((line) => line.replace(' | present', '')),
    ]);
    expect(await statesOf(sides, 'o')).toHaveLength(1);
  });

  test('some of the states are had by number, by time, and no more than are asked for', async () => {
    const sides = await makeSides(kind);
    const { connection } = sides;
    for (const body of ['One.\n', 'Two.\n', 'Three.\n', 'Four.\n']) {
      await sides.write({ 'a/SKILL.md': document('a', body) });
      await sides.run('sync');
    }
    const { skillId } = await skillAt(sides, 'a');
    const states = await statesOf(sides, 'a');
    const some = async (limit: number, since: Date | null, only?: readonly number[]) =>
      (await loggedRevisions(connection, skillId, { limit, since }, only)).map((state) =>
        states.findIndex((one) => JSON.stringify(one) === JSON.stringify(state)),
      );
    expect(await some(9, null)).toEqual([0, 1, 2, 3]);
    expect(await some(2, null)).toEqual([0, 1]);
    expect(await some(9, states[1]?.at ?? null)).toEqual([0, 1]);
    expect(await some(9, null, [states[3]?.revision ?? 0, states[1]?.revision ?? 0, 0])).toEqual([1, 3]);
    await connection.query('update skill_revisions set pruned_at = now() where revision = $1', [
      states[2]?.revision,
    ]);
    expect(await wordsOf(sides, 'a')).toEqual([
      'a | files run 4 | after 3 | present | Four.',
      'a | files run 3 | after 2 | Three.',
      'a | files run 2 | after 1 | revision-pruned',
      'a | files run 1 | first | One.',
    ]);
  });
});

test('files that a run kept have their time and their run also when their contents are given up', async () => {
  const sides = await makeSides('postgres');
  const { connection } = sides;
  await sides.write({ 'a/SKILL.md': document('a', 'One.\n') });
  await sides.run('sync');
  await connection.query(`update skills set skill_content = 'Theirs.'`);
  await sides.write({ 'a/SKILL.md': document('a', 'Mine.\n') });
  await sides.run('import', { force: true, yes: true });
  for (const body of ['Two.\n', 'Three.\n', 'Four.\n']) {
    await sides.write({ 'a/SKILL.md': document('a', body) });
    await sides.run('sync');
  }
  const states = await statesOf(sides, 'a');
  const { skillId } = await skillAt(sides, 'a');
  await pruneRevisions(connection, { keepLast: 0, keepDays: 0 });
  expect((await wordsOf(sides, 'a')).filter((words) => words.includes('kept'))).toEqual([
    'a | files run 2 | after 2 | kept | revision-pruned',
  ]);
  expect(await statesOf(sides, 'a')).toEqual(states);
  await connection.query('delete from skill_revisions where skill_id = $1 and revision > $2', [
    skillId,
    states.find(({ isKept }) => isKept)?.revision,
  ]);
  expect(await lastStanding(connection, skillId)).toBe(states.at(-2)?.revision);
});

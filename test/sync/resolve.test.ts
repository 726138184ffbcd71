import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../src/repository/database.ts';
import type { FilePath } from '../../src/skill/path.ts';
import type { Resolution } from '../../src/sync/resolve.ts';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { document, makeSides, rowsOf, stateOf } from './sides.ts';

async function begun(kind: DatabaseKind = 'postgres') {
  const sides = await makeSides(kind);
  await sides.write({ 'x/SKILL.md': document('x', 'Old.\n'), 'x/a': 'a\n', 'y/SKILL.md': document('y') });
  await sides.run('export');
  const query = (sql: string) => sides.connection.query(sql);
  const edit = async () => {
    await sides.write({ 'x/SKILL.md': document('x', 'Mine.\n'), 'x/mine': 'mine\n' });
    await query(`update skills set skill_content = E'Theirs.\n' where skill_path = 'x'`);
  };
  const resolve = async (resolution: Resolution, skill = 'x') => {
    const outcome = await sides.resolve(skill, resolution);
    return outcome.ok ? outcome.value.words : outcome.problem.reason;
  };
  /** What both sides hold, which must be the same, when nothing is left to do. */
  const settled = async () => {
    const [files, rows] = await stateOf(sides);
    expect(files).toEqual(rows);
    expect((await sides.run('sync', { onConflict: 'fail' })).words).toEqual([]);
    return rows as { readonly [file: string]: string };
  };
  return { ...sides, query, edit, resolve, settled };
}

const byHand = { document: Buffer.from(document('x', 'Both.\n')) };

describe.each(usualKinds)('a conflict with %s', (kind) => {
  test.each<[string, Resolution, readonly string[], { readonly [file: string]: string }]>([
    [
      'the files',
      'files',
      ['x: preferred -> database'],
      { 'x/SKILL.md': document('x', 'Mine.\n'), 'x/mine': 'mine\n' },
    ],
    ['the database', 'database', ['x: preferred -> files'], { 'x/SKILL.md': document('x', 'Theirs.\n') }],
    [
      'a document',
      byHand,
      ['x: resolved -> database', 'x: resolved -> files'],
      { 'x/SKILL.md': document('x', 'Both.\n'), 'x/mine': 'mine\n' },
    ],
  ])('is settled by %s, and what is overwritten is in the history', async (_, resolution, words, held) => {
    const sides = await begun(kind);
    await sides.edit();
    expect(await sides.resolve(resolution)).toEqual(words);
    expect(await sides.settled()).toEqual({ ...held, 'x/a': 'a\n', 'y/SKILL.md': document('y') });
    const texts = await sides.query('select skill_content from skill_revisions');
    const lost = ['Mine.\n', 'Theirs.\n'].filter((text) => !held['x/SKILL.md']?.includes(text));
    expect(texts).toEqual(expect.arrayContaining(lost.map((text) => ({ skill_content: text }))));
  });
});

describe('a conflict', () => {
  test('is settled by a folder, attached files and all', async () => {
    const sides = await begun();
    await sides.edit();
    const entries = [
      { path: 'SKILL.md' as FilePath, executable: false, bytes: byHand.document },
      { path: 'run.sh' as FilePath, executable: true, bytes: Buffer.from('run\n') },
    ];
    expect(await sides.resolve({ entries })).toEqual(['x: resolved -> database', 'x: resolved -> files']);
    expect(await sides.settled()).toEqual({
      'x/SKILL.md': document('x', 'Both.\n'),
      'x/run.sh': '*run\n',
      'y/SKILL.md': document('y'),
    });
  });

  test('whose attached files are in conflict too is not settled by a document', async () => {
    const sides = await begun();
    await sides.edit();
    await sides.write({ 'x/a': 'mine\n' });
    await sides.query(`update skill_files set content = E'theirs\n' where relative_path = 'a'`);
    const before = await stateOf(sides);
    expect(await sides.resolve(byHand)).toBe('files-not-settled');
    expect(await stateOf(sides)).toEqual(before);
  });

  test('without what both agreed on is settled by a document, and no file of either is lost', async () => {
    const sides = await begun();
    await sides.edit();
    await sides.query(`insert into skill_files (skill_id, file_type, relative_path, filename, content)
      select skill_id, 'asset', 'theirs', 'theirs', E'theirs\n' from skills where skill_path = 'x'`);
    await sides.query('delete from skill_revisions');
    await rm(path.join(sides.folder, '..', '.skill-fleet/bases'), { recursive: true });
    expect(await sides.resolve(byHand)).toEqual(['x: resolved -> database', 'x: resolved -> files']);
    expect(Object.keys(await sides.settled())).toEqual([
      'x/SKILL.md',
      'x/a',
      'x/mine',
      'x/theirs',
      'y/SKILL.md',
    ]);
  });

  test.each<[string, Resolution, readonly string[] | string, boolean]>([
    ['files', 'files', ['x: preferred -> database'], true],
    ['files', 'database', ['x: preferred -> files'], false],
    ['database', 'database', ['x: preferred -> files'], true],
    ['database', 'files', ['x: preferred -> database'], false],
    ['database', byHand, 'conflict-of-one', false],
    ['files', byHand, 'conflict-of-one', false],
  ])('of what the %s deleted and the other side edited: %j', async (deleted, resolution, words, isGone) => {
    const sides = await begun();
    await sides.edit();
    if (deleted === 'files') await rm(path.join(sides.folder, 'x'), { recursive: true });
    else await sides.query(`update skills set deleted_at = now() where skill_path = 'x'`);
    expect(await sides.resolve(resolution)).toEqual(words);
    if (typeof words === 'string') return;
    const files = await sides.settled();
    expect('x/SKILL.md' in files).toBe(!isGone);
    // What was deleted can be had again.
    if (!isGone) return;
    await sides.undo();
    const side = deleted === 'files' ? await rowsOf(sides.connection) : await sides.files();
    expect(side).toHaveProperty(
      ['x/SKILL.md'],
      expect.stringMatching(deleted === 'files' ? 'Theirs' : 'Mine'),
    );
  });

  test.each<[Resolution, readonly string[], string]>([
    ['files', ['there => here: preferred -> database'], 'here'],
    ['database', ['here => there: preferred -> files'], 'there'],
    [byHand, ['there => here: resolved -> database', 'here: resolved -> files'], 'here'],
  ])('about the place, too: %j', async (resolution, words, place) => {
    const sides = await begun();
    await rename(path.join(sides.folder, 'x'), path.join(sides.folder, 'here'));
    await sides.query(`update skills set skill_path = 'there' where skill_path = 'x'`);
    expect(await sides.resolve(resolution, 'here')).toEqual(words);
    expect(Object.keys(await sides.settled())).toEqual(
      [`${place}/SKILL.md`, `${place}/a`, 'y/SKILL.md'].sort(),
    );
  });

  test.each(['files', 'database', byHand] as const)('that is none is not settled: %j', async (resolution) => {
    const sides = await begun();
    expect(await sides.resolve(resolution)).toBe('no-conflict');
    expect(await sides.resolve(resolution, 'nowhere')).toBe('skill-path-matches-nothing');
    await sides.write({ 'x/SKILL.md': document('x', 'Mine.\n') });
    expect(await sides.resolve(resolution)).toBe('no-conflict');
    expect((await sides.run('sync')).words).toEqual(['x: edited -> database']);
  });

  test('that waits for another one is named as such', async () => {
    const sides = await begun();
    for (const [from, to] of [
      ['x', 'aside'],
      ['y', 'x'],
      ['aside', 'y'],
    ] as const) {
      await rename(path.join(sides.folder, from), path.join(sides.folder, to));
    }
    await sides.query(`update skills set skill_path = 'z' where skill_path = 'y'`);
    expect(await sides.resolve(byHand, 'y')).toBe('conflict-waits');
  });
});

test('a restored revision is what a settled conflict replaced', async () => {
  const sides = await begun();
  await sides.edit();
  const outcome = await sides.resolve(byHand);
  expect(outcome).toHaveLength(2);
  const database = new Database(sides.connection, []);
  const revisions = await sides.connection.query<{ revision: number }>(
    `select revision from skill_revisions where skill_content = E'Mine.\n'`,
  );
  await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
  expect(await database.restore('x', revisions[0]?.revision ?? 0)).toMatchObject({ ok: true });
  await database.endRun({}, null);
  expect((await sides.run('sync')).words).toEqual(['x: edited -> files']);
  expect((await sides.files())['x/mine']).toBe('mine\n');
});

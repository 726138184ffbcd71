import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../src/repository/database.ts';
import { loggedRevisions, loggedRuns } from '../../src/repository/run-log.ts';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { document, makeSides, type RunOptions, rowsOf, stateOf } from './sides.ts';

const body = '# Skill\n\nOne.\n\nTwo.\n\nThree.\n';
const merge: RunOptions = { onConflict: 'merge' };
const tagged = (tags: string) => `metadata:\n  tags: [${tags}]\n`;

/** A skill that both sides hold, and another one. */
async function begun(kind: DatabaseKind) {
  const sides = await makeSides(kind);
  await sides.write({
    'x/SKILL.md': document('x', body, tagged('a')),
    'x/run.sh': 'run\n',
    'y/SKILL.md': document('y'),
  });
  await sides.run('export');
  const query = (sql: string) => sides.connection.query(sql);
  return { ...sides, query };
}

type Sides = Awaited<ReturnType<typeof begun>>;

/** Edits of both sides that go together. */
async function editBoth({ write, query }: Sides): Promise<void> {
  await write({
    'x/SKILL.md': document('x', body.replace('One.', 'One of mine.'), tagged('a, mine')),
    'x/mine.txt': 'mine\n',
  });
  await query(`update skills set skill_content = replace(skill_content, 'Three.', 'Three of theirs.'),
    version = '2.0.0' where skill_path = 'x'`);
  await query(`insert into skill_tags select skill_id, 'theirs' from skills where skill_path = 'x'`);
  await query(`insert into skill_files (skill_id, file_type, relative_path, filename, content)
    select skill_id, 'asset', 'theirs.txt', 'theirs.txt', E'theirs\\n' from skills where skill_path = 'x'`);
}

const merged = {
  'x/SKILL.md': document(
    'x',
    '# Skill\n\nOne of mine.\n\nTwo.\n\nThree of theirs.\n',
    'metadata:\n  tags: [a, mine, theirs]\n  version: 2.0.0\n',
  ),
  'x/mine.txt': 'mine\n',
  'x/run.sh': 'run\n',
  'x/theirs.txt': 'theirs\n',
  'y/SKILL.md': document('y'),
};

describe.each(usualKinds)('a merge with %s', (kind) => {
  test('brings both sides what both edited, and nothing is left to do', async () => {
    const sides = await begun(kind);
    await editBoth(sides);
    const before = await stateOf(sides);
    const planned = await sides.run('sync', { ...merge, dryRun: true });
    expect(planned.plan.changes.map(({ side, why }) => [side, why])).toEqual([
      ['database', 'merged'],
      ['files', 'merged'],
    ]);
    expect(await stateOf(sides)).toEqual(before);
    const { words, results } = await sides.run('sync', merge);
    expect(words).toEqual(['x: merged -> database', 'x: merged -> files']);
    expect(await stateOf(sides)).toEqual([merged, merged]);
    const { plan } = await sides.run('sync', merge);
    expect([plan.changes, plan.unchanged]).toEqual([[], 2]);

    expect((await loggedRuns(sides.connection, { limit: 1, since: null }))[0]?.counts).toMatchObject({
      ...{ update: 1, write: 1, merge: 1 },
    });
    const [row] = await sides.connection.query<{ id: number }>(
      `select skill_id as id from skills where skill_path = 'x'`,
    );
    const revisions = await loggedRevisions(sides.connection, row?.id ?? 0, { limit: 9, since: null });
    expect(revisions.map(({ isPresent, isKept, isMerge }) => [isPresent, isKept, isMerge])).toContainEqual([
      ...[true, false, true],
    ]);
    expect(revisions.filter(({ isMerge }) => isMerge)).toHaveLength(1);

    // Each version that there was before is in the history, under the revision that the run names.
    const database = new Database(sides.connection, []);
    for (const [nth, said] of ['Three of theirs.', 'One of mine.'].entries()) {
      const kept = results[nth]?.ok ? results[nth].kept : undefined;
      await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
      expect(await database.restore('x', kept ?? 0)).toMatchObject({ ok: true });
      await database.endRun({}, null);
      expect((await rowsOf(sides.connection)) as object).toHaveProperty(
        ['x/SKILL.md'],
        expect.stringContaining(said),
      );
    }
  });

  test('leaves a conflict, and says where, when the edits do not go together', async () => {
    const sides = await begun(kind);
    await sides.write({ 'x/SKILL.md': document('x', body.replace('One.', 'Mine.'), tagged('a, b')) });
    await sides.query(
      `update skills set skill_content = replace(skill_content, 'One.', 'Theirs.') where skill_path = 'x'`,
    );
    const before = await stateOf(sides);
    const { words, plan } = await sides.run('sync', merge);
    expect(words).toEqual(['x: conflict both-edited']);
    expect(plan.conflicts[0]?.regions).toMatchObject([
      { part: 'body', files: { text: 'Mine.\n' }, database: { text: 'Theirs.\n' } },
    ]);
    expect(await stateOf(sides)).toEqual(before);
  });
});

test('what one side holds already changes the other one alone', async () => {
  const sides = await begun('postgres');
  await sides.query(`update skills set version = '2.0.0', description = 'New.' where skill_path = 'x'`);
  const rows = (await rowsOf(sides.connection)) as { readonly [file: string]: string };
  // The files have a part of what the row has.
  const text = rows['x/SKILL.md']?.replace('description: New.', 'description: About x.') ?? '';
  await sides.write({ 'x/SKILL.md': text });
  expect((await sides.run('sync', merge)).words).toEqual(['x: merged -> files']);
  expect(await sides.files()).toEqual(rows);
  expect((await sides.run('sync')).plan.unchanged).toBe(2);
});

describe('a merge of a renamed skill', () => {
  const moveFolder = ({ folder }: Sides) => rename(path.join(folder, 'x'), path.join(folder, 'z'));
  const ofFiles = ['x => z: merged -> database', 'z: merged -> files'];

  test.each<[string, (sides: Sides) => Promise<unknown>, readonly string[], (text: string) => string]>([
    [
      'folder',
      async (sides) => {
        await editBoth(sides);
        await moveFolder(sides);
      },
      ofFiles,
      (text) => text,
    ],
    [
      'row, its name too',
      async (sides) => {
        await editBoth(sides);
        await sides.query(`update skills set skill_path = 'z', name = 'z' where skill_path = 'x'`);
      },
      ['z: merged -> database', 'x => z: merged -> files'],
      (text) => text.replace('name: x', 'name: z'),
    ],
  ])('%s has the new place, and the edits of both', async (_, change, words, named) => {
    const sides = await begun('postgres');
    await change(sides);
    const ids = await sides.query('select skill_id from skills order by 1');
    expect((await sides.run('sync', merge)).words).toEqual(words);
    const wanted = Object.fromEntries(
      Object.entries(merged).map(([file, text]) => [file.replace(/^x/, 'z'), named(text)]),
    );
    expect(await stateOf(sides)).toEqual([wanted, wanted]);
    expect(await sides.query('select skill_id from skills order by 1')).toEqual(ids);
    expect((await sides.run('sync')).plan.unchanged).toBe(2);
  });

  test('keeps the new name of the files beside an edit of the row', async () => {
    const sides = await begun('postgres');
    await moveFolder(sides);
    await sides.write({ 'z/SKILL.md': document('x', body, tagged('a')).replace('name: x', 'name: z') });
    await sides.query(`update skills set description = 'Theirs.' where skill_path = 'x'`);
    expect((await sides.run('sync', merge)).words).toEqual(ofFiles);
    const text = (await sides.files())['z/SKILL.md'];
    expect(text).toContain('name: z\ndescription: Theirs.\n');
    expect(await rowsOf(sides.connection)).toEqual(await sides.files());
  });
});

test('a file that changed meanwhile is merged as it is then', async () => {
  const sides = await begun('postgres');
  await editBoth(sides);
  const late = (text = '') => text.replace('Two.', 'Two, late.');
  const { words } = await sides.run('sync', {
    ...merge,
    meanwhile: async () => sides.write({ 'x/SKILL.md': late((await sides.files())['x/SKILL.md']) }),
  });
  expect(words).toEqual(['x: merged -> database', 'x: merged -> files']);
  const wanted = { ...merged, 'x/SKILL.md': late(merged['x/SKILL.md']) };
  expect(await stateOf(sides)).toEqual([wanted, wanted]);
});

test('a merge that the files cannot take is not taken for what both agreed on', async () => {
  const sides = await begun('postgres');
  await editBoth(sides);
  // Where the database's file is to go stands a folder that is nobody's.
  await mkdir(path.join(sides.folder, 'x/theirs.txt'));
  await sides.write({ 'x/theirs.txt/.env': 'SECRET=1\n' });
  const first = await sides.run('sync', merge);
  expect(first.words[0]).toBe('x: merged -> database');
  expect(first.words[1]).toMatch(/^x: refused/);
  expect((await sides.files())['x/SKILL.md']).not.toContain('theirs');
  await rename(path.join(sides.folder, 'x/theirs.txt'), path.join(sides.folder, 'aside'));
  expect((await sides.run('sync', merge)).words).toEqual(['x: merged -> files']);
  expect(await rowsOf(sides.connection)).toEqual(merged);
  expect(await sides.files()).toMatchObject(merged);
});

test('a merge without what both agreed on in the history is none, and says so', async () => {
  const sides = await begun('postgres');
  await editBoth(sides);
  await sides.query('delete from skill_revisions');
  const { words, plan } = await sides.run('sync', merge);
  expect(words).toEqual(['x: conflict both-edited']);
  expect(plan.conflicts[0]?.regions).toEqual([]);
});

test('a row that refuses the merge leaves the files as they are', async () => {
  const sides = await begun('postgres');
  await editBoth(sides);
  await sides.query(`create function refuse() returns trigger language plpgsql as
    $$ begin if new.skill_content like '%mine%theirs%' then raise 'no'; end if; return new; end $$`);
  await sides.query('create trigger refuse before update on skills for each row execute function refuse()');
  const before = await stateOf(sides);
  expect((await sides.run('sync', merge)).words).toEqual(['x: refused, row-refused']);
  expect(await stateOf(sides)).toEqual(before);
});

import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { usualKinds } from '../databases.ts';
import { systemError } from '../directory/folder.ts';
import { cloneAt, document, makeClone, makeSides } from './sides.ts';

const four = {
  'a/SKILL.md': document('a', 'A.\n', 'tags: [t]\nmetadata:\n  status: deprecated\n'),
  'b/SKILL.md': document('b', 'B.\n', 'dependencies: [a]\n'),
  'c/SKILL.md': document('c'),
  'd/SKILL.md': document('d'),
};

async function rowsOf(connection: Connection): Promise<readonly unknown[]> {
  return connection.query(
    `select skill_path, status, deleted_at is not null as deleted, previous_status
     from skills join skill_sync using (skill_id) order by 1`,
  );
}

test('wait while a new folder cannot be read: the skill may have moved there', async () => {
  const sides = await makeSides('postgres');
  await sides.write({ ...four, 'a/x': 'x' });
  await sides.run('sync');
  const keys = () => sides.connection.query('select skill_id from skills order by 1');
  const before = await keys();
  await rename(path.join(sides.folder, 'a'), path.join(sides.folder, 'moved'));
  await rm(path.join(sides.folder, 'b'), { recursive: true });
  await sides.write({ 'moved/bad\\name': 'not on every system' });
  const held = await sides.run('sync', { deletes: true });
  expect(held.words).toEqual([
    'a: hold perhaps-moved',
    'b: hold perhaps-moved',
    expect.stringMatching(/^problem /),
  ]);
  await rm(path.join(sides.folder, 'moved/bad\\name'));
  expect((await sides.run('sync', { deletes: true })).words).toEqual([
    'b: deleted -> database',
    'a => moved: renamed -> database',
  ]);
  expect(await keys()).toEqual(before);
  // Where a skill is known to be, none has come.
  await sides.write({ 'c/bad\\name': 'not on every system' });
  await rm(path.join(sides.folder, 'd'), { recursive: true });
  expect((await sides.run('sync', { deletes: true })).words).toContain('d: deleted -> database');
});

test('a skill that came waits while it may be one that moved from where nothing can be read', async () => {
  const sides = await makeSides('postgres');
  await sides.write({ ...four, 'a/n/SKILL.md': document('n') });
  await sides.run('sync');
  const keys = () => sides.connection.query('select skill_id from skills order by 1');
  const before = await keys();
  await rename(path.join(sides.folder, 'a/n'), path.join(sides.folder, 'n'));
  await sides.write({ 'new/SKILL.md': document('new') });
  const readdir: Disk['readdir'] = (place) =>
    place.endsWith('/skills/a') ? Promise.reject(systemError('EIO')) : nodeDisk.readdir(place);
  const blind = await cloneAt(sides.connection, path.dirname(sides.folder), 'skills', {
    ...nodeDisk,
    readdir,
  });
  expect((await blind.run('sync', { deletes: true })).words).toEqual([
    'new: new -> database',
    'n: hold perhaps-moved',
    expect.stringMatching(/^problem /),
  ]);
  expect((await sides.run('sync', { deletes: true })).words).toEqual(['a/n => n: renamed -> database']);
  expect(await keys()).toEqual([...before, expect.anything()]);
});

test('where what both sides agreed on cannot be read, the run ends: what was deleted does not come back', async () => {
  const sides = await makeSides('postgres');
  await sides.write(four);
  await sides.run('sync');
  await rm(path.join(sides.folder, 'a'), { recursive: true });
  const open: Disk['open'] = (place, ...how) =>
    place.includes('/bases/') ? Promise.reject(systemError('EIO')) : nodeDisk.open(place, ...how);
  const blind = await cloneAt(sides.connection, path.dirname(sides.folder), 'skills', { ...nodeDisk, open });
  await expect(blind.run('sync', { deletes: true })).rejects.toThrow('EIO');
  expect((await sides.run('sync', { deletes: true })).words).toEqual(['a: deleted -> database']);
});

test('are not carried out where the skill stands again by then', async () => {
  const sides = await makeSides('postgres');
  await sides.write(four);
  await sides.run('sync');
  const gone = () =>
    Promise.all(['a', 'b'].map((name) => rm(path.join(sides.folder, name), { recursive: true })));
  const back = () => sides.write({ 'a/SKILL.md': four['a/SKILL.md'] });
  const inDatabase = async () =>
    (
      await sides.connection.query<{ name: string }>(
        'select name from skills where deleted_at is null order by 1',
      )
    )
      .map(({ name }) => name)
      .join('');
  const plan = path.join(sides.folder, '../plan.json');
  for (const atomic of [true, false]) {
    await gone();
    await sides.save(plan, 'sync', { deletes: true });
    const applied = await sides.apply(plan, { atomic, meanwhile: back });
    expect(applied.ok && applied.value.words.toSorted()).toEqual([
      'a: refused, files-changed-meanwhile',
      atomic ? 'b: refused, left-with-others' : 'b: deleted -> database',
    ]);
    expect(await inDatabase()).toBe(atomic ? 'abcd' : 'acd');
    await sides.write(four);
    await sides.run('sync');
  }
  await gone();
  const { words } = await sides.run('sync', { deletes: true, meanwhile: back });
  expect(words).toEqual(['b: deleted -> database']);
  expect(await inDatabase()).toBe('acd');
});

describe.each(usualKinds)('deletions with %s', (kind) => {
  test('in the files are held, and with --delete archived; nothing that refers to the row goes', async () => {
    const { connection, folder, write, run } = await makeSides(kind);
    await write(four);
    await run('export');
    const [before] = await connection.query<{ id: number }>(
      `select skill_id as id from skills where name = 'a'`,
    );
    await rm(path.join(folder, 'a'), { recursive: true });
    for (const direction of ['export', 'sync', 'import'] as const) {
      const said = (await run(direction)).words;
      expect(said).toEqual([direction === 'import' ? 'a: ahead -> database' : 'a: hold deletion']);
    }
    expect((await run('export', { deletes: true })).words).toEqual(['a: deleted -> database']);
    expect((await rowsOf(connection))[0]).toEqual({
      skill_path: 'a',
      status: 'archived',
      deleted: true,
      previous_status: 'deprecated',
    });
    expect(await connection.query('select count(*) from skill_dependencies')).toEqual([{ count: 1 }]);
    expect(await connection.query(`select usage_count from tag_stats where tag = 't'`)).toEqual([
      { usage_count: 0 },
    ]);
    const after = await run('sync', { deletes: true });
    expect([after.words, after.plan.unchanged]).toEqual([[], 3]);

    // Another clone, which never saw the deletion, removes its own only when asked.
    const back = 'Back.\n';
    await write({ 'a/SKILL.md': document('a', back, 'tags: [t]\n') });
    expect((await run('sync')).words).toEqual(['a: new -> database']);
    expect(
      await connection.query(
        `select skill_id as id, status, skill_content, deleted_at, previous_status
         from skills join skill_sync using (skill_id) where skill_path = 'a'`,
      ),
    ).toEqual([
      { id: before?.id, status: 'deprecated', skill_content: back, deleted_at: null, previous_status: null },
    ]);
    expect(await connection.query(`select usage_count from tag_stats where tag = 't'`)).toEqual([
      { usage_count: 1 },
    ]);
  });

  test("in the database move the own files to the trash, and leave all that is not the skill's", async () => {
    const sides = await makeSides(kind);
    const { connection, folder, write, run, files } = sides;
    await write({
      ...four,
      'a/scripts/deep/run.sh': 'true\n',
      'a/nested/SKILL.md': document('nested'),
      'e/x/SKILL.md': document('x'),
    });
    await run('export');
    await write({ 'a/.env': 'SECRET=1\n' });
    await symlink('/etc/hostname', path.join(folder, 'a/link'));
    await connection.query(`update skills set deleted_at = now() where skill_path in ('a', 'e/x')`);
    expect((await run('import')).words).toEqual(['a: hold deletion', 'e/x: hold deletion']);
    expect((await run('import', { deletes: true })).words).toEqual([
      'a: deleted -> files',
      'e/x: deleted -> files',
    ]);
    expect(Object.keys(await files())).toEqual([
      'a/.env',
      'a/link',
      'a/nested/SKILL.md',
      'b/SKILL.md',
      'c/SKILL.md',
      'd/SKILL.md',
    ]);
    expect(await readdir(folder)).not.toContain('e');
    const trash = path.join(folder, '../.skill-fleet/trash');
    const [stamp = ''] = await readdir(trash);
    expect(await readFile(path.join(trash, stamp, 'a/scripts/deep/run.sh'), 'utf8')).toBe('true\n');
    expect(await readFile(path.join(trash, stamp, 'e/x/SKILL.md'), 'utf8')).toBe(document('x'));
    expect((await run('sync', { deletes: true })).words).toEqual([]);
  });

  test('on both sides are agreed, and an edit wins over one', async () => {
    const { connection, folder, write, run, files } = await makeSides(kind);
    await write(four);
    await run('export');
    await connection.query(`update skills set deleted_at = now() where name in ('a', 'b')`);
    await connection.query(`update skills set skill_content = 'Theirs.\n' where name = 'c'`);
    for (const name of ['a', 'c']) await rm(path.join(folder, name), { recursive: true });
    await write({ 'b/SKILL.md': document('b', 'Mine.\n') });
    const policy = { onConflict: 'newest', deletes: true } as const;
    expect((await run('sync', policy)).words).toEqual([
      'b: edit-over-deletion -> database',
      'c: edit-over-deletion -> files',
    ]);
    expect((await files())['c/SKILL.md']).toContain('Theirs.');
    expect(
      await connection.query(`select name, skill_content from skills where deleted_at is null order by 1`),
    ).toEqual([
      { name: 'b', skill_content: 'Mine.\n' },
      { name: 'c', skill_content: 'Theirs.\n' },
      { name: 'd', skill_content: '# d\n' },
    ]);
    expect((await run('sync', policy)).plan.unchanged).toBe(3);
  });

  test.each([
    ['a column', `update skills set description = 'Back.' where name = 'a'`],
    ['the deletion itself', `update skills set deleted_at = null where name = 'a'`],
    [
      'a relation',
      `insert into skill_keywords (skill_id, keyword) select skill_id, 'back' from skills where name = 'a'`,
    ],
  ])('are taken back by another writer that changes %s', async (_, statement) => {
    const { connection, folder, write, run, files } = await makeSides(kind);
    await write(four);
    await run('export');
    await rm(path.join(folder, 'a'), { recursive: true });
    await run('export', { deletes: true });
    await connection.query(`update skills set performance_stats = '{}' where name = 'a'`);
    await connection.query(`delete from skills where name = 'b'`);
    expect((await rowsOf(connection))[0]).toMatchObject({ deleted: true });
    await connection.query(statement);
    expect((await rowsOf(connection))[0]).toEqual({
      skill_path: 'a',
      status: 'deprecated',
      deleted: false,
      previous_status: null,
    });
    await run('import', { statuses: ['deprecated'] });
    expect((await files())['a/SKILL.md']).toContain('status: deprecated');
  });

  test('by one clone never reach what another clone alone holds', async () => {
    const first = await makeSides(kind);
    const second = await makeClone(first.connection);
    await first.write(four);
    await first.run('export');
    await second.write({ 'mine/SKILL.md': document('mine') });
    expect((await second.run('export', { deletes: true, yes: true })).words).toEqual([
      'mine: new -> database',
      ...['a', 'b', 'c', 'd'].filter((name) => name !== 'a').map((name) => `${name}: ahead -> files`),
    ]);
    expect((await rowsOf(first.connection)).length).toBe(5);
  });

  test('of a whole side stop a run before it writes', async () => {
    const { connection, folder, write, run } = await makeSides(kind);
    await write(four);
    await run('export');
    await rm(folder, { recursive: true });
    await mkdir(folder);
    for (const direction of ['export', 'sync', 'import'] as const) {
      expect((await run(direction, { deletes: true })).words).toContain('refused: side-emptied');
    }
    expect(await connection.query('select count(*) from skills where deleted_at is null')).toEqual([
      { count: 4 },
    ]);
    await writeFile(path.join(folder, 'note.txt'), 'no skill');
    expect((await run('export', { deletes: true, yes: true })).results).toHaveLength(4);
  });

  test('are none where a new ignore rule or a filter leaves out what the database holds', async () => {
    const { connection, write, run, files } = await makeSides(kind);
    const nested = { 'tools/b/SKILL.md': document('b'), 'tools/b/deep/c/SKILL.md': document('c') };
    await write({ ...four, ...nested, 'a/notes.md': 'one', 'a/out/x.txt': 'x' });
    await run('export');
    await write({ '.skillfleetignore': 'notes.md\nout/\ntools/\n' });
    const deletes = { deletes: true } as const;
    const ignored = await run('sync', deletes);
    expect([ignored.words, ignored.plan.unchanged]).toEqual([[], 6]);
    await write({ 'a/notes.md': 'two', 'b/notes.md': 'never sent' });
    expect((await run('export', deletes)).words).toEqual(['a: edited -> database']);
    expect(await connection.query('select relative_path, content from skill_files order by 1')).toEqual([
      { relative_path: 'notes.md', content: 'two' },
      { relative_path: 'out/x.txt', content: 'x' },
    ]);
    expect((await run('sync', { ...deletes, selects: (path) => path === 'b' })).words).toEqual([]);
    expect(Object.keys(await files())).toHaveLength(10);
  });

  test('and line endings that git rewrote stop a run too', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
    const { write, run } = await makeSides(kind);
    const tree = (change: (text: string) => string, some: readonly string[] = names) =>
      Object.fromEntries(some.map((name) => [`${name}/SKILL.md`, change(document(name))]));
    const withCrLf = (text: string) => text.replaceAll('\n', '\r\n');
    await write(tree((text) => text));
    await run('export');
    await write(tree(withCrLf));
    const refused = await run('export');
    expect(refused.plan.refusal).toEqual({
      reason: 'line-endings-only',
      side: 'database',
      count: 10,
      total: 10,
    });
    await write(tree((text) => `${withCrLf(text)}more\r\n`, names.slice(0, 5)));
    expect((await run('export', { dryRun: true })).plan.refusal).toBeNull();
    await write(tree(withCrLf));
    expect((await run('export', { yes: true })).results).toHaveLength(10);
  });
});

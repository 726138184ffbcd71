import { chmod, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { databaseKinds } from '../databases.ts';
import { document, makeClone, makeSides } from './sides.ts';

/** Everything that a run could write, in one value. */
async function everything(connection: Connection): Promise<unknown> {
  const tables = [
    'skills',
    'skill_files',
    'skill_sync',
    'skill_revisions',
    'skill_blobs',
    'sync_runs',
    'sync_log',
  ];
  const rows: unknown[] = [];
  for (const table of tables) {
    rows.push(await connection.query(`select t::text as row from ${table} t order by 1`));
  }
  rows.push(await connection.query('select last_value from skill_revision_seq'));
  return rows;
}

const awkward = {
  'a/plain/SKILL.md': document('plain'),
  'a/odd/skill.md':
    '\ufeff---\r\nname:   odd \r\n# a comment\r\nunknown: [1,  2]\r\n---\r\n\r\nno newline at the end',
  'a/odd/scripts/run.sh': '#!/bin/sh\n',
  'a/odd/binary.bin': Buffer.from([0, 255, 1, 254, 10]),
  'a/odd/empty.txt': '',
  'bare/SKILL.md': '# No frontmatter\n\nFirst paragraph.\n',
  'only-body/SKILL.md': '',
};

describe.each(databaseKinds)('a sync with %s', (kind) => {
  test('gives back every byte and mode to an empty directory', async () => {
    const sides = await makeSides(kind);
    await sides.write(awkward);
    await chmod(path.join(sides.folder, 'a/odd/scripts/run.sh'), 0o755);
    await chmod(path.join(sides.folder, 'a/plain/SKILL.md'), 0o755);
    expect((await sides.run('export')).words).toEqual([
      'a/odd: new -> database',
      'a/plain: new -> database',
      'bare: new -> database',
      'only-body: new -> database',
    ]);

    const other = await makeClone(sides.connection);
    await other.run('import');
    expect(await other.files()).toEqual(await sides.files());
    expect((await other.files())['a/plain/SKILL.md']).toMatch(/^\*/);
  });

  test('that has nothing to do writes nothing, also when only a file time changed', async () => {
    const sides = await makeSides(kind);
    await sides.write(awkward);
    await sides.run('export');
    const before = await everything(sides.connection);
    await utimes(path.join(sides.folder, 'a/plain/SKILL.md'), new Date(0), new Date(0));

    expect((await sides.run('export')).words).toEqual([]);
    expect((await sides.run('import')).words).toEqual([]);
    expect((await sides.run('sync')).words).toEqual([]);
    expect(await everything(sides.connection)).toEqual(before);
  });

  test('carries an edit of a file and an edit by SQL, each its way, in one run', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x'), 'y/SKILL.md': document('y') });
    await sides.run('sync');
    await sides.write({ 'x/SKILL.md': document('x', 'Edited here.\n') });
    await sides.connection.query(
      `update skills set skill_content = E'Edited there.\n' where skill_path = 'y'`,
    );

    expect((await sides.run('sync')).words).toEqual(['x: edited -> database', 'y: edited -> files']);
    expect(await sides.files()).toEqual({
      'x/SKILL.md': document('x', 'Edited here.\n'),
      'y/SKILL.md': document('y', 'Edited there.\n'),
    });
    expect(await sides.connection.query('select skill_path, skill_content from skills order by 1')).toEqual([
      { skill_path: 'x', skill_content: 'Edited here.\n' },
      { skill_path: 'y', skill_content: 'Edited there.\n' },
    ]);
    const before = await everything(sides.connection);
    expect((await sides.run('sync')).words).toEqual([]);
    expect(await everything(sides.connection)).toEqual(before);
  });

  test('changes neither side of a conflict; force keeps one side and stores the other', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x'), 'x/notes.txt': 'first' });
    await sides.run('sync');
    await sides.write({ 'x/SKILL.md': document('x', 'Mine.\n'), 'x/notes.txt': 'mine' });
    await sides.connection.query(`update skills set skill_content = E'Theirs.\n' where skill_path = 'x'`);
    const before = await everything(sides.connection);
    const files = await sides.files();

    expect((await sides.run('sync')).words).toEqual(['x: conflict both-edited']);
    expect((await sides.run('export')).words).toEqual(['x: conflict both-edited']);
    expect((await sides.run('import')).words).toEqual(['x: conflict both-edited']);
    // The three have one record, which tells of the conflict.
    expect(
      await sides.connection.query(
        `delete from sync_runs where counts ->> 'conflicts' = '1' returning direction`,
      ),
    ).toEqual([{ direction: 'sync' }]);
    expect(await everything(sides.connection)).toEqual(before);
    expect(await sides.files()).toEqual(files);

    expect((await sides.run('import', { force: true })).words).toEqual(['x: forced -> files']);
    expect(await sides.files()).toEqual({ 'x/SKILL.md': document('x', 'Theirs.\n'), 'x/notes.txt': 'first' });
    expect(
      await sides.connection.query(
        `select r.frontmatter_source || r.skill_content as text, convert_from(b.bytes, 'UTF8') as notes
         from skill_revisions r, jsonb_to_recordset(r.files) as f (path text, sha256 text)
         join skill_blobs b using (sha256)
         where r.origin = 'files' and f.path = 'notes.txt' and r.skill_content = E'Mine.\n'`,
      ),
    ).toEqual([{ text: document('x', 'Mine.\n'), notes: 'mine' }]);
  });

  test('a forced export stores the row that it overwrites', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x') });
    await sides.run('sync');
    await sides.connection.query(`update skills set skill_content = E'Theirs.\n' where skill_path = 'x'`);

    expect((await sides.run('export')).words).toEqual(['x: ahead -> files']);
    expect((await sides.run('export', { force: true })).words).toEqual(['x: forced -> database']);
    expect(await sides.connection.query('select skill_content from skills')).toEqual([
      { skill_content: '# x\n' },
    ]);
    expect(
      await sides.connection.query('select skill_content, origin from skill_revisions order by revision'),
    ).toEqual([
      { skill_content: '# x\n', origin: 'files' },
      { skill_content: 'Theirs.\n', origin: 'database' },
    ]);
  });

  test('holds deletions on both sides', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x'), 'y/SKILL.md': document('y') });
    await sides.run('sync');
    await rm(path.join(sides.folder, 'x'), { recursive: true });
    await sides.connection.query(`delete from skills where skill_path = 'y'`);

    expect((await sides.run('sync')).words).toEqual(['x: hold deletion', 'y: hold deletion']);
    expect(Object.keys(await sides.files())).toEqual(['y/SKILL.md']);
    expect(await sides.connection.query('select skill_path from skills')).toEqual([{ skill_path: 'x' }]);
    expect((await sides.run('sync')).words).toEqual(['x: hold deletion', 'y: hold deletion']);
  });

  test('knows without a base that a file is merely older, and calls any other difference a conflict', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x'), 'y/SKILL.md': document('y') });
    await sides.run('export');
    await sides.write({ 'x/SKILL.md': document('x', 'Newer.\n') });
    await sides.run('export');

    const fresh = await makeClone(sides.connection);
    await fresh.write({ 'x/SKILL.md': document('x'), 'y/SKILL.md': document('y', 'Different.\n') });
    expect((await fresh.run('export')).words).toEqual(['y: conflict no-base', 'x: ahead -> files']);
    expect((await fresh.run('sync')).words).toEqual(['x: older -> files', 'y: conflict no-base']);
    expect((await fresh.files())['x/SKILL.md']).toBe(document('x', 'Newer.\n'));
  });

  test('gives a row without frontmatter a fresh one, once', async () => {
    const sides = await makeSides(kind);
    await sides.connection.query(
      `insert into skills (skill_path, name, description, type, skill_content, status)
       values ('made/by-api', 'by-api', 'From: the API', 'tool', E'# By API\n', 'draft')`,
    );
    expect((await sides.run('import')).words).toEqual([]);
    expect((await sides.run('import', { statuses: ['draft'] })).words).toEqual(['made/by-api: new -> files']);
    expect(await sides.files()).toEqual({
      'made/by-api/SKILL.md':
        '---\nname: by-api\ndescription: "From: the API"\nmetadata:\n  type: tool\n  status: draft\n---\n# By API\n',
    });
    expect((await sides.run('sync')).words).toEqual([]);

    await sides.write({
      'made/by-api/SKILL.md': '---\nname: by-api\ndescription: "From: the API"\n---\n# By API\n\nEdited.\n',
    });
    await sides.run('export');
    expect(await sides.connection.query('select status, type from skills')).toEqual([
      // The document no longer says a status, though it did: it is a silent one again.
      { status: 'active', type: 'technical' },
    ]);
  });

  test("a row's status stays what it is where the document never said one", async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x') });
    await sides.run('export');
    await sides.connection.query(`begin`);
    await sides.connection.query(`set local skill_fleet.syncing = 'on'`);
    await sides.connection.query(`update skills set status = 'draft'`);
    await sides.connection.query(`commit`);
    await sides.write({ 'x/SKILL.md': document('x', 'Edited.\n') });
    await sides.run('export');
    expect(await sides.connection.query('select status from skills')).toEqual([{ status: 'draft' }]);
  });

  test('indexes anew by a changed mapping, touches no document, and leaves what another writer chose', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'odd/SKILL.md': document('odd'), 'chosen/SKILL.md': document('chosen') });
    await sides.run('sync');
    await sides.connection.query(
      `insert into skill_categories (skill_id, category_id, is_primary)
       select skill_id, category_id, true from skills, taxonomy_categories
       where skill_path = 'chosen' and path = 'research'`,
    );
    const categories = () =>
      sides.connection.query(
        `select s.skill_path, c.path from skills s
         left join skill_categories sc using (skill_id) left join taxonomy_categories c using (category_id)
         order by 1`,
      );
    const files = await sides.files();
    const mapping = [{ glob: '*', category: 'data/ml' }];
    expect((await sides.run('export', { mapping })).words).toEqual(['chosen: ahead -> files']);
    expect(await categories()).toEqual([
      { skill_path: 'chosen', path: 'research' },
      { skill_path: 'odd', path: 'data/ml' },
    ]);
    expect(await sides.files()).toEqual(files);
    const before = await everything(sides.connection);
    expect((await sides.run('export', { mapping })).words).toEqual(['chosen: ahead -> files']);
    expect(await everything(sides.connection)).toEqual(before);
  });

  test('indexes anew what an older parser indexed, and touches no document', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'x/SKILL.md': document('x', '# x\n', 'metadata:\n  keywords: a, b\n') });
    await sides.run('sync');
    const files = await sides.files();
    const rows = () =>
      sides.connection.query(
        `select s.scope, y.index_version, y.revision, i.index = y.indexed as noted, i.index -> 'keywords' as keywords
         from skills s join skill_sync y using (skill_id) cross join lateral skill_fleet_index(array[s.skill_id]) i`,
      );
    const before = await rows();
    // As a parser left it that read no keywords, and a scope where there is none.
    await sides.connection.query('begin');
    await sides.connection.query(`set local skill_fleet.syncing = 'on'`);
    await sides.connection.query(`update skills set scope = 'misread'`);
    await sides.connection.query('delete from skill_keywords');
    await sides.connection.query(
      `update skill_sync y set index_version = 0, indexed = i.index
       from skills s cross join lateral skill_fleet_index(array[s.skill_id]) i where s.skill_id = y.skill_id`,
    );
    await sides.connection.query('commit');
    expect((await sides.run('import')).words).toEqual([]);
    expect(await rows()).toMatchObject([{ scope: 'misread', index_version: 0, keywords: [] }]);
    expect((await sides.run('export')).words).toEqual([]);
    expect(await rows()).toEqual(before);
    expect(await sides.files()).toEqual(files);
  });

  test('does what its filter selects, and nothing else', async () => {
    const sides = await makeSides(kind);
    await sides.write({ 'a/x/SKILL.md': document('x'), 'b/y/SKILL.md': document('y') });
    await sides.run('export', { selects: (one) => one.startsWith('a/') });
    expect(await sides.connection.query('select skill_path from skills')).toEqual([{ skill_path: 'a/x' }]);
    expect((await sides.run('sync')).words).toEqual(['b/y: new -> database']);
  });

  test('a dry run says what the run does, and writes nothing', async () => {
    const sides = await makeSides(kind);
    await sides.write(awkward);
    const before = await everything(sides.connection);
    const dry = await sides.run('sync', { dryRun: true });
    expect(await everything(sides.connection)).toEqual(before);
    const real = await sides.run('sync');
    expect(real.results.map((result) => result.change)).toEqual(dry.plan.changes);
  });
});

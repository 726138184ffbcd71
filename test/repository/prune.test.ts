// Prune: contents of old revisions go, digests stay, and nothing that a run, an undo or a base needs is missed.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import { findPrunable, type PruneLimits, pruneRevisions } from '../../src/repository/prune.ts';
import { loadRevisions, type RevisionKey } from '../../src/repository/revision.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { type DatabaseKind, databaseKinds, openConnection } from '../databases.ts';
import { runs, usualSeed } from '../runs.ts';
import { document, makeSides, type RunOptions, rowsOf, stateOf } from '../sync/sides.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

const nothing: PruneLimits = { keepLast: 0, keepDays: 0 };

const all: RunOptions = { deletes: true, yes: true };

/** All that the history holds but contents. */
function remains(connection: Connection): Promise<readonly unknown[]> {
  return connection.query(
    `select to_jsonb(r) - array['frontmatter_source', 'skill_content', 'index', 'indexed', 'targets', 'pruned_at'] as kept
     from skill_revisions r order by revision`,
  );
}

/** The texts that the history holds of a skill, from the oldest on; null where they were given up. */
async function textsOf({ connection }: Sides, skill: string): Promise<readonly (string | null)[]> {
  const rows = await connection.query<{ text: string | null }>(
    `select trim(E'.\\n' from skill_content) as text from skill_revisions where skill_path = $1 order by revision`,
    [skill],
  );
  return rows.map((row) => row.text);
}

async function lastRun({ connection }: Sides): Promise<number> {
  const [row] = await connection.query<{ run: number }>('select max(run_id) as run from sync_runs');
  return row?.run ?? 0;
}

/** What holds of a database after any prune. */
async function expectWhole(connection: Connection): Promise<void> {
  const keys = await connection.query<RevisionKey & { digest: string | null; pruned: boolean }>(
    `select skill_path as path, skill_id as "skillId", revision, digest, pruned_at is not null as pruned
     from skill_revisions order by revision`,
  );
  const given = new Map<number, string>();
  for (const key of keys) {
    for await (const [loaded] of loadRevisions(connection, [key])) {
      if (loaded && 'skill' in loaded) given.set(key.revision, digestSkill(loaded.skill));
      else given.set(key.revision, loaded?.problem.reason ?? '');
    }
  }
  for (const { revision, digest, pruned } of keys) {
    expect(given.get(revision)).toEqual(
      pruned ? 'revision-pruned' : (digest ?? expect.stringMatching(/^\w+$/)),
    );
  }
  const unnamed = await connection.query(
    `select from skill_blobs b where not exists (
       select from skill_revisions r, jsonb_to_recordset(r.files) as f (sha256 text)
       where r.pruned_at is null and f.sha256 = b.sha256)`,
  );
  expect(unnamed).toEqual([]);
}

/** Prunes, and holds that the dry run said so, and changed nothing. */
async function prune({ connection }: Sides, limits = nothing) {
  const before = [await rowsOf(connection), await remains(connection)];
  const contents = () => connection.query('select * from skill_revisions order by revision');
  const all = await contents();
  const said = await findPrunable(connection, limits);
  expect(await contents()).toEqual(all);
  const pruned = await pruneRevisions(connection, limits);
  expect(pruned).toEqual(said);
  expect([await rowsOf(connection), await remains(connection)]).toEqual(before);
  await expectWhole(connection);
  const { keptRevisions, keptBlobs } = pruned;
  const none = { revisions: 0, skills: 0, blobs: 0, bytes: 0, keptRevisions, keptBlobs };
  expect(await pruneRevisions(connection, limits)).toEqual(none);
  return pruned;
}

/** A skill `a` whose text and attached file were exported so often, the latest state in its row. */
async function exported(kind: DatabaseKind, times: number): Promise<Sides> {
  const sides = await makeSides(kind);
  for (let time = 1; time <= times; time++) {
    await sides.write({ 'a/SKILL.md': document('a', `${time}.\n`), 'a/file': `file ${time}` });
    await sides.run('sync');
  }
  return sides;
}

const edits = {
  write: (sides: Sides, text: string) => sides.write({ 'a/SKILL.md': document('a', text), 'a/file': text }),
  'write another': (sides: Sides, text: string) => sides.write({ 'b/SKILL.md': document('b', text) }),
  'write back': (sides: Sides) => sides.write({ 'a/SKILL.md': document('a', 'First.\n'), 'a/file': 'first' }),
  delete: ({ folder }: Sides) => rm(path.join(folder, 'b'), { recursive: true, force: true }),
  'change the row': ({ connection }: Sides, text: string) =>
    connection.query(`update skills set skill_content = $1 where skill_path = 'a'`, [text]),
  'change a file of the row': ({ connection }: Sides, text: string) =>
    connection.query(`update skill_files set content = $1 where relative_path = 'file'`, [text]),
  'delete the row': ({ connection }: Sides) =>
    connection.query(`update skills set deleted_at = now() where skill_path = 'b'`),
  'erase the row': ({ connection }: Sides) => connection.query(`delete from skills where skill_path = 'b'`),
};

const step = fc.record({
  edits: fc.array(fc.constantFrom(...(Object.keys(edits) as (keyof typeof edits)[])), {
    minLength: 1,
    maxLength: 4,
  }),
  direction: fc.constantFrom('export' as const, 'import' as const, 'sync' as const),
  force: fc.boolean(),
  keepLast: fc.nat(2),
});

const usualRuns: { readonly [K in DatabaseKind]: number } = { postgres: 10, embedded: 1 };

describe.each(databaseKinds)('prune with %s', (kind) => {
  test('gives up contents alone, beyond the limits, and says how much', async () => {
    const sides = await exported(kind, 6);
    expect(await prune(sides, { keepLast: 3, keepDays: 0 })).toEqual({
      revisions: 2,
      skills: 1,
      blobs: 2,
      bytes: expect.any(Number),
      keptRevisions: 3,
      keptBlobs: 3,
    });
    expect(await textsOf(sides, 'a')).toEqual([null, null, '3', '4', '5']);
  });

  test('leaves rows, digests, and what undo needs, whatever happened before', async () => {
    let texts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        const sides = await makeSides(kind);
        await sides.write({ 'a/SKILL.md': document('a', 'First.\n'), 'a/file': 'first' });
        await sides.write({ 'b/SKILL.md': document('b') });
        await sides.run('sync');
        for (const { edits: some, direction, force, keepLast } of steps) {
          for (const edit of some) await edits[edit](sides, `Text ${++texts}.\n`);
          const limits = { keepLast, keepDays: 0 };
          const [before, run] = [await stateOf(sides), await lastRun(sides)];
          await sides.run(direction, { ...all, maxDelete: 100, force, onConflict: 'newest' });
          if ((await lastRun(sides)) === run) continue;
          const after = await stateOf(sides);
          await prune(sides, limits);
          await sides.undo(null, all);
          expect(await stateOf(sides)).toEqual(before);
          await prune(sides, limits);
          await sides.undo(await lastRun(sides), all);
          expect(await stateOf(sides)).toEqual(after);
        }
      }),
      { numRuns: runs(usualRuns[kind]), ...usualSeed },
    );
  }, 3_600_000);

  test('has an undo of an older run name what was given up, and take back the rest', async () => {
    const sides = await exported(kind, 1);
    await sides.write({ 'a/SKILL.md': document('a', 'Mine.\n'), 'b/SKILL.md': document('b') });
    await sides.run('sync');
    const run = await lastRun(sides);
    for (const text of ['Once.\n', 'Again.\n', 'Mine.\n']) {
      await sides.write({ 'a/SKILL.md': document('a', text) });
      await sides.run('sync');
    }
    await prune(sides);
    const { words } = await sides.undo(run, all);
    expect(words.toSorted()).toEqual(['a: refused, revision-pruned', 'b: undone -> database']);
    const database = new Database(sides.connection, compileMapping([]));
    const restored = await database.restore('a', 1);
    expect(restored).toMatchObject({ problem: { reason: 'revision-pruned', path: 'a', revision: 1 } });
  });
});

/** A skill with three texts before its present one, of which nothing but what is said needs the older two. */
interface Need {
  readonly says: string;
  /** What makes something need an old one. */
  readonly does: (sides: Sides) => Promise<unknown>;
  readonly stays: readonly (string | null)[];
}

const query = (text: string) => (sides: Sides) => sides.connection.query(text);

const edit = (text: string) => async (sides: Sides) => {
  await sides.write({ 'a/SKILL.md': document('a', text) });
  await sides.run('sync');
};

const needs: readonly Need[] = [
  { says: 'nothing but the latest run and the base', does: async () => {}, stays: [null, null, '3'] },
  {
    says: 'a run under way that may count on any content, once each',
    does: query(
      `insert into sync_runs (direction, who, host, directory) values ('import', 'me', 'here', '/')`,
    ),
    stays: ['1', '2', '3'],
  },
  {
    says: 'no run that was killed long ago',
    does: query(
      `insert into sync_runs (direction, who, host, directory, started_at)
       values ('import', 'me', 'here', '/', now() - interval '2 days')`,
    ),
    stays: [null, null, '3'],
  },
  {
    says: 'a skill that was deleted',
    does: async (sides) => {
      await rm(path.join(sides.folder, 'a'), { recursive: true });
      await sides.run('sync', all);
      await sides.write({ 'b/SKILL.md': document('b') });
      await sides.run('sync');
    },
    stays: [null, null, null, '4'],
  },
  {
    says: 'a skill that was erased',
    does: async (sides) => {
      await sides.connection.query(`update skills set skill_content = '5'`);
      await sides.connection.query('delete from skills');
      await sides.write({ 'b/SKILL.md': document('b') });
      await sides.run('export', all);
    },
    stays: [null, null, null, '4', '5'],
  },
  {
    says: 'a base, where the row was changed often since files and database agreed',
    does: async (sides) => {
      for (const text of ['5', '6', '7']) {
        await sides.connection.query('update skills set skill_content = $1', [text]);
      }
      await sides.write({ 'b/SKILL.md': document('b') });
      await sides.run('export');
    },
    stays: [null, null, null, '4', null, null],
  },
  {
    says: 'an undo, and not the run that it took back',
    does: async (sides) => {
      await sides.undo(null, all);
      await edit('5.\n')(sides);
      await edit('6.\n')(sides);
    },
    stays: [null, null, null, null, null, '5'],
  },
];

describe('prune', () => {
  test.each(needs)('knows who needs contents: $says', async ({ does, stays }) => {
    const sides = await exported('postgres', 4);
    await does(sides);
    await prune(sides);
    expect(await textsOf(sides, 'a')).toEqual(stays);
  });

  test('keeps what was replaced in so many days', async () => {
    const sides = await exported('postgres', 5);
    await sides.connection.query(
      `update skill_revisions set replaced_at = now() - make_interval(days => (5 - rank)::integer)
       from (select revision, row_number() over (order by revision) as rank from skill_revisions) ranked
       where skill_revisions.revision = ranked.revision`,
    );
    await prune(sides, { keepLast: 0, keepDays: 5 });
    expect(await textsOf(sides, 'a')).toEqual(['1', '2', '3', '4']);
    await prune(sides, { keepLast: 0, keepDays: 3 });
    expect(await textsOf(sides, 'a')).toEqual([null, null, '3', '4']);
  });

  test('has files that are overwritten stored again, where the history gave up their contents', async () => {
    const sides = await exported('postgres', 4);
    await prune(sides);
    await sides.write({ 'a/SKILL.md': document('a', '1.\n'), 'a/file': 'file 1' });
    const before = await sides.files();
    await sides.run('import', { force: true, yes: true });
    expect(await textsOf(sides, 'a')).toEqual([null, null, '3', '1']);
    await prune(sides);
    await sides.undo(null, all);
    expect(await sides.files()).toEqual(before);
  });

  test('has an undo find contents under another revision', async () => {
    const sides = await exported('postgres', 1);
    await edit('Mine.\n')(sides);
    const run = await lastRun(sides);
    for (const text of ['1.\n', 'Mine.\n', '1.\n', 'Mine.\n']) await edit(text)(sides);
    await prune(sides, { keepLast: 1, keepDays: 0 });
    expect(await textsOf(sides, 'a')).toEqual([null, null, null, null, '1']);
    expect((await sides.undo(run)).words).toEqual(['a: undone -> database']);
  });

  test('waits for who names a content without storing it, since it is there', async () => {
    const sides = await exported('postgres', 4);
    const { connection } = sides;
    // The second text's file is what the row holds again: its content is stored, and named by old revisions.
    await sides.write({ 'a/file': 'file 1' });
    await sides.run('sync');
    await edit('5.\n')(sides);
    const url = new URL(inject('serverUrl'));
    url.pathname = connection.database.name;
    const other = await openConnection({ kind: 'postgres', url: url.href });
    await other.query('begin');
    await other.query(`update skill_files set content = 'theirs'`);
    const pruning = pruneRevisions(connection, nothing);
    const isWaiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    await expect.poll(() => other.query(isWaiting), { timeout: 10_000 }).toHaveLength(1);
    await other.query('commit');
    await pruning;
    await expectWhole(connection);
    expect(await connection.query(`select from skill_blobs where bytes = 'file 1'`)).toHaveLength(1);
  });
});

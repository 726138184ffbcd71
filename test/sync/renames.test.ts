import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Direction } from '../../src/replica.ts';
import { Database } from '../../src/repository/database.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { type Clone, document, makeClone, makeSides, type RunOptions } from './sides.ts';
import { type Developer, text as gitText, hasGit, newest, team } from './team.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

const text = (name: string, said = 'as it was') =>
  document(name, `# ${name}\n\nWhat ${name} says.\nMore of ${name}.\nAnd the end of it: ${said}.\n`);

const start = {
  'a/SKILL.md': text('a'),
  'a/run.sh': 'a\n',
  'b/SKILL.md': text('b'),
  'c/SKILL.md': text('c'),
  'p/SKILL.md': text('p'),
  'p/n/SKILL.md': text('n'),
  'x/SKILL.md': text('x'),
};

/** Moves a folder, as a user does; the folders above it come, and stay where they are empty. */
async function move({ folder }: Clone, from: string, to: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, to)), { recursive: true });
  await rename(path.join(folder, from), path.join(folder, to));
}

/** Moves a row, as any other writer does. */
async function moveRow({ connection }: Sides, from: string, to: string): Promise<void> {
  await connection.query('update skills set skill_path = $2 where skill_path = $1', [from, to]);
}

async function swapRows(sides: Sides, ...paths: readonly string[]): Promise<void> {
  const [first = ''] = paths;
  await moveRow(sides, first, 'aside');
  for (const [index, to] of paths.entries()) {
    await moveRow(sides, paths[index + 1] ?? 'aside', to);
  }
}

async function edit(clone: Clone, skill: string, name: string, said: string): Promise<void> {
  await clone.write({ [`${skill}/SKILL.md`]: text(name, said) });
}

/** Gives a skill another name, as the specification demands of one whose folder has another. */
async function named(clone: Clone, skill: string, name: string): Promise<void> {
  const file = `${skill}/SKILL.md`;
  const now = (await readFile(path.join(clone.folder, file), 'utf8')).replace(/^name: .*/m, `name: ${name}`);
  await clone.write({ [file]: now });
}

async function editRow({ connection }: Sides, skill: string, said: string): Promise<void> {
  await connection.query(
    `update skills set skill_content = replace(skill_content, 'as it was', $2) where skill_path = $1`,
    [skill, said],
  );
}

/** By name: the paths at which the database has skills, and their keys. */
async function rowsOf({ connection }: Sides): Promise<{ readonly [path: string]: number }> {
  const rows = await connection.query<{ skill_path: string; skill_id: number }>(
    'select skill_path, skill_id from skills where deleted_at is null order by skill_path',
  );
  return Object.fromEntries(rows.map((row) => [row.skill_path, row.skill_id]));
}

async function aliasesOf({ connection }: Sides): Promise<readonly string[]> {
  const rows = await connection.query<{ alias: string }>(
    `select a.alias_path || ' => ' || s.skill_path as alias
     from skill_aliases a join skills s using (skill_id) where a.reason = 'renamed' order by 1`,
  );
  return rows.map((row) => row.alias);
}

async function begun(
  kind: DatabaseKind,
): Promise<Sides & { readonly keys: { readonly [path: string]: number } }> {
  const sides = await makeSides(kind);
  await sides.write(start);
  await sides.run('sync');
  return { ...sides, keys: await rowsOf(sides) };
}

/** What a rename comes to: skills by their old path, and where they stand then. */
interface Case {
  readonly name: string;
  readonly make: (sides: Sides) => Promise<void>;
  readonly options?: RunOptions;
  readonly words: readonly string[];
  readonly moved: { readonly [from: string]: string };
  readonly aliases: readonly string[];
  /** Where other skills come to be. */
  readonly added?: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'of files is one of the row',
    make: (sides) => move(sides, 'a', 'z/a'),
    words: ['a => z/a: renamed -> database'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'of a row is one of its files',
    make: (sides) => moveRow(sides, 'a', 'z/a'),
    words: ['a => z/a: renamed -> files'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'of files changes the name too, as the specification demands',
    make: async (sides) => {
      await move(sides, 'a', 'z');
      await named(sides, 'z', 'z');
    },
    words: ['a => z: renamed -> database'],
    moved: { a: 'z' },
    aliases: ['a => z'],
  },
  {
    name: 'of files changes the name too, and meets an edit of the row',
    make: async (sides) => {
      await move(sides, 'a', 'z');
      await named(sides, 'z', 'z');
      await editRow(sides, 'a', 'theirs');
    },
    options: { onConflict: 'local' },
    words: ['a => z: preferred -> database'],
    moved: { a: 'z' },
    aliases: ['a => z'],
  },
  {
    name: 'of files comes with an edit of them',
    make: async (sides) => {
      await move(sides, 'a', 'z/a');
      await edit(sides, 'z/a', 'a', 'mine');
    },
    words: ['a => z/a: renamed -> database'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'of a row comes with an edit of it',
    make: async (sides) => {
      await moveRow(sides, 'a', 'z/a');
      await editRow(sides, 'z/a', 'theirs');
    },
    words: ['a => z/a: renamed -> files'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'of files meets an edit of the row, and both carry over',
    make: async (sides) => {
      await move(sides, 'a', 'z/a');
      await editRow(sides, 'a', 'theirs');
    },
    words: ['a => z/a: renamed -> database', 'z/a: edited -> files'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'of a row meets an edit of the files, and both carry over',
    make: async (sides) => {
      await moveRow(sides, 'a', 'z/a');
      await edit(sides, 'a', 'a', 'mine');
    },
    words: ['z/a: edited -> database', 'a => z/a: renamed -> files'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'of both to the same path is agreed',
    make: async (sides) => {
      await move(sides, 'a', 'z/a');
      await moveRow(sides, 'a', 'z/a');
    },
    words: [],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'by case alone, of files',
    make: async (sides) => {
      await move(sides, 'a', 'z/b');
      await sides.run('sync');
      await move(sides, 'z', 'Z');
    },
    words: ['z/b => Z/b: renamed -> database'],
    moved: { a: 'Z/b' },
    aliases: ['a => Z/b', 'z/b => Z/b'],
  },
  {
    name: 'by case alone, of a row',
    make: (sides) => moveRow(sides, 'a', 'A'),
    words: ['a => A: renamed -> files'],
    moved: { a: 'A' },
    aliases: ['a => A'],
  },
  {
    name: 'of a folder that holds a nested skill are two',
    make: (sides) => move(sides, 'p', 'q'),
    words: ['p => q: renamed -> database', 'p/n => q/n: renamed -> database'],
    moved: { p: 'q', 'p/n': 'q/n' },
    aliases: ['p => q', 'p/n => q/n'],
  },
  {
    name: 'of rows with a nested one are two of files',
    make: async (sides) => {
      await moveRow(sides, 'p', 'q');
      await moveRow(sides, 'p/n', 'q/n');
    },
    words: ['p => q: renamed -> files', 'p/n => q/n: renamed -> files'],
    moved: { p: 'q', 'p/n': 'q/n' },
    aliases: ['p => q', 'p/n => q/n'],
  },
  {
    name: 'of a row into the folder of another skill, and out of one',
    make: async (sides) => {
      await moveRow(sides, 'a', 'b/a');
      await moveRow(sides, 'p/n', 'n');
    },
    words: ['a => b/a: renamed -> files', 'p/n => n: renamed -> files'],
    moved: { a: 'b/a', 'p/n': 'n' },
    aliases: ['a => b/a', 'p/n => n'],
  },
  {
    name: 'of a row into its own folder',
    make: (sides) => moveRow(sides, 'a', 'a/a'),
    words: ['a => a/a: renamed -> files'],
    moved: { a: 'a/a' },
    aliases: ['a => a/a'],
  },
  {
    name: 'of files into the folder of another skill, and out of one',
    make: async (sides) => {
      await move(sides, 'a', 'b/a');
      await move(sides, 'p/n', 'n');
    },
    words: ['a => b/a: renamed -> database', 'p/n => n: renamed -> database'],
    moved: { a: 'b/a', 'p/n': 'n' },
    aliases: ['a => b/a', 'p/n => n'],
  },
  {
    name: 'of two rows that change places',
    make: (sides) => swapRows(sides, 'a', 'b'),
    words: ['b => a: renamed -> files', 'a => b: renamed -> files'],
    moved: { a: 'b', b: 'a' },
    aliases: [],
  },
  {
    name: 'of three rows in a circle',
    make: (sides) => swapRows(sides, 'a', 'b', 'c'),
    words: ['b => a: renamed -> files', 'c => b: renamed -> files', 'a => c: renamed -> files'],
    moved: { a: 'c', b: 'a', c: 'b' },
    aliases: [],
  },
  {
    name: 'of two skills in the files that change places',
    make: async (sides) => {
      await move(sides, 'a', 'aside');
      await move(sides, 'b', 'a');
      await move(sides, 'aside', 'b');
    },
    words: ['b => a: renamed -> database', 'a => b: renamed -> database'],
    moved: { a: 'b', b: 'a' },
    aliases: [],
  },
  {
    name: 'of two skills in the files that change places, each with the name of its folder',
    make: async (sides) => {
      await move(sides, 'a', 'aside');
      await move(sides, 'b', 'a');
      await move(sides, 'aside', 'b');
      for (const place of ['a', 'b']) await named(sides, place, place);
    },
    words: ['b => a: renamed -> database', 'a => b: renamed -> database'],
    moved: { a: 'b', b: 'a' },
    aliases: [],
  },
  {
    name: 'of files onto the path that others leave, each with the name of its folder',
    make: async (sides) => {
      await move(sides, 'b', 'z');
      await move(sides, 'a', 'b');
      await named(sides, 'z', 'z');
      await named(sides, 'b', 'b');
    },
    words: ['a => b: renamed -> database', 'b => z: renamed -> database'],
    moved: { a: 'b', b: 'z' },
    aliases: ['a => b'],
  },
  {
    name: 'of three skills in the files in a circle',
    make: async (sides) => {
      await move(sides, 'a', 'aside');
      await move(sides, 'b', 'a');
      await move(sides, 'c', 'b');
      await move(sides, 'aside', 'c');
    },
    words: ['b => a: renamed -> database', 'c => b: renamed -> database', 'a => c: renamed -> database'],
    moved: { a: 'c', b: 'a', c: 'b' },
    aliases: [],
  },
  {
    name: 'of a row onto the path that another row leaves',
    make: async (sides) => {
      await moveRow(sides, 'b', 'z');
      await moveRow(sides, 'a', 'b');
    },
    words: ['a => b: renamed -> files', 'b => z: renamed -> files'],
    moved: { a: 'b', b: 'z' },
    aliases: ['a => b'],
  },
  {
    name: 'of files onto the path that others leave',
    make: async (sides) => {
      await move(sides, 'b', 'z');
      await move(sides, 'a', 'b');
    },
    words: ['a => b: renamed -> database', 'b => z: renamed -> database'],
    moved: { a: 'b', b: 'z' },
    aliases: ['a => b'],
  },
  {
    name: 'of files is none where something stands at the old path: that was edited, and copied before',
    make: async (sides) => {
      await move(sides, 'a', 'z');
      await sides.write({ 'a/SKILL.md': document('another', 'Of another.\n') });
    },
    words: ['a: edited -> database', 'z: new -> database'],
    moved: {},
    aliases: [],
    added: ['z'],
  },
  {
    name: 'of a row leaves its path to another skill at once',
    make: async (sides) => {
      await moveRow(sides, 'a', 'z');
      await sides.connection.query(
        `insert into skills (skill_path, name, type, status) values ('a', 'another', 'tool', 'active')`,
      );
    },
    words: ['a: new -> files', 'a => z: renamed -> files'],
    moved: { a: 'z' },
    aliases: [],
    added: ['a'],
  },
  {
    name: 'of files onto the path of a skill that was deleted',
    make: async (sides) => {
      await rm(path.join(sides.folder, 'x'), { recursive: true });
      await sides.run('sync', { deletes: true });
      await move(sides, 'a', 'x');
    },
    words: ['a => x: renamed -> database'],
    moved: { a: 'x', x: '' },
    aliases: ['a => x'],
  },
  {
    name: 'back again takes its alias away',
    make: async (sides) => {
      await move(sides, 'a', 'z');
      await sides.run('sync');
      await move(sides, 'z', 'a');
    },
    words: ['z => a: renamed -> database'],
    moved: {},
    aliases: ['z => a'],
  },
  {
    name: 'of files wins over the deletion of the row',
    make: async (sides) => {
      await move(sides, 'a', 'z');
      await sides.connection.query(`update skills set deleted_at = now() where skill_path = 'a'`);
    },
    options: { onConflict: 'newest' },
    words: ['a => z: edit-over-deletion -> database'],
    moved: { a: 'z' },
    aliases: ['a => z'],
  },
  {
    name: 'of a row wins over the deletion of the files',
    make: async (sides) => {
      await moveRow(sides, 'a', 'z');
      await rm(path.join(sides.folder, 'a'), { recursive: true });
    },
    options: { onConflict: 'newest' },
    words: ['z: edit-over-deletion -> files'],
    moved: { a: 'z' },
    aliases: ['a => z'],
  },
  {
    name: 'takes part where a filter names its old path alone',
    make: (sides) => move(sides, 'a', 'z'),
    options: { selects: (skill) => skill === 'a' },
    words: ['a => z: renamed -> database'],
    moved: { a: 'z' },
    aliases: ['a => z'],
  },
  {
    name: 'takes part where a filter names its new path alone',
    make: (sides) => moveRow(sides, 'a', 'z'),
    options: { selects: (skill) => skill === 'z' },
    words: ['a => z: renamed -> files'],
    moved: { a: 'z' },
    aliases: ['a => z'],
  },
  {
    name: 'of both, edited otherwise by each, is decided by who is preferred',
    make: async (sides) => {
      await move(sides, 'a', 'z/a');
      await edit(sides, 'z/a', 'a', 'mine');
      await editRow(sides, 'a', 'theirs');
    },
    options: { onConflict: 'database' },
    words: ['a => z/a: renamed -> database', 'z/a: preferred -> files'],
    moved: { a: 'z/a' },
    aliases: ['a => z/a'],
  },
  {
    name: 'to different paths is decided by who is preferred',
    make: async (sides) => {
      await move(sides, 'a', 'mine');
      await moveRow(sides, 'a', 'theirs');
    },
    options: { onConflict: 'local' },
    words: ['theirs => mine: preferred -> database'],
    moved: { a: 'mine' },
    aliases: ['a => mine', 'theirs => mine'],
  },
];

describe.each(usualKinds)('a rename with %s', (kind) => {
  // What a rename does in the files is one thing whatever the database; more than one ask most of its SQL.
  const here = cases
    .filter(({ words }) => kind === 'postgres' || words.filter((word) => / database$/.test(word)).length > 1)
    .map((one) => [one.name, one] as const);

  test.each(here)('%s', async (_, { make, options, words, moved, aliases, added = [] }) => {
    const { keys, ...sides } = await begun(kind);
    await make(sides);
    const expected = Object.fromEntries(
      Object.entries(keys).flatMap(([from, key]) => {
        const to = moved[from] ?? from;
        return to === '' ? [] : [[to, key]];
      }),
    );
    expect((await sides.run('sync', options)).words).toEqual(words);
    const rows = await rowsOf(sides);
    for (const place of added) {
      expect(Object.values(keys)).not.toContain(rows[place]);
      expected[place] = rows[place] ?? 0;
    }
    expect(rows).toEqual(expected);
    expect(await aliasesOf(sides)).toEqual(aliases);
    const files = await sides.files();
    const skills = Object.keys(files).filter((file) => file.endsWith('/SKILL.md'));
    expect(skills.map((file) => path.dirname(file)).sort()).toEqual(Object.keys(expected).sort());
    // The base followed: nothing is left to do, whatever is allowed, and the sides hold the same.
    const again = await sides.run('sync', { deletes: true });
    expect([again.words, again.plan.agreed, again.plan.unchanged]).toEqual([
      [],
      [],
      Object.keys(expected).length,
    ]);
    expect([...again.base.entries].map(([place, entry]) => [place, entry.skillId]).sort()).toEqual(
      Object.entries(expected).sort(),
    );
    const there = await makeClone(sides.connection);
    await there.run('import');
    expect(await there.files()).toEqual(files);
  });

  test('leaves what refers to the row, its history and its commits, and the old path finds it', async () => {
    const { keys, ...sides } = await begun(kind);
    const { connection } = sides;
    await connection.query('create table usage_events (skill_id integer not null references skills)');
    await connection.query('insert into usage_events values ($1)', [keys['a']]);
    await sides.write({ 'b/SKILL.md': document('b', 'B.\n', 'dependencies: [a]\n') });
    await sides.run('sync');
    await move(sides, 'a', 'z');
    await edit(sides, 'z', 'a', 'mine');
    await sides.run('sync');
    expect(
      await connection.query('select skill_path from usage_events join skills using (skill_id)'),
    ).toEqual([{ skill_path: 'z' }]);
    expect(
      await connection.query(
        `select s.skill_path from skill_dependencies d join skills s on s.skill_id = d.dependency_skill_id`,
      ),
    ).toEqual([{ skill_path: 'z' }]);
    const revisions = await connection.query<{ skill_path: string; revision: number }>(
      'select skill_path, revision from skill_revisions where skill_id = $1 order by revision',
      [keys['a']],
    );
    expect(revisions.map((row) => row.skill_path)).toEqual(['a']);
    expect(
      await connection.query(
        `select operation, skill_path, skill_id from sync_log where operation = 'rename'`,
      ),
    ).toEqual([{ operation: 'rename', skill_path: 'z', skill_id: keys['a'] }]);
    const database = new Database(connection, compileMapping([]));
    await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
    const restored = await database.restore('a', revisions[0]?.revision ?? 0);
    await database.endRun({}, null);
    expect(restored).toMatchObject({ ok: true, value: { path: 'z' } });
    await sides.run('sync');
    expect((await sides.files())['z/SKILL.md']).toBe(text('a'));
  });

  test('leaves its alias to a skill that comes to the old path later', async () => {
    const { keys, ...sides } = await begun(kind);
    await move(sides, 'a', 'z');
    await sides.run('sync');
    expect(await aliasesOf(sides)).toEqual(['a => z']);
    await sides.write({ 'a/SKILL.md': document('a', 'Another.\n') });
    expect((await sides.run('sync')).words).toEqual(['a: new -> database']);
    expect(await aliasesOf(sides)).toEqual([]);
    expect((await rowsOf(sides))['z']).toBe(keys['a']);
    expect((await sides.run('sync', { deletes: true })).words).toEqual([]);
  });

  test('of a row leaves ignored files and nested skills where they are, and no empty folder', async () => {
    const { keys: _, ...sides } = await begun(kind);
    await sides.write({ 'p/.env': 'SECRET=1\n', 'deep/er/SKILL.md': text('deeper') });
    await sides.run('sync');
    await moveRow(sides, 'p', 'q');
    await moveRow(sides, 'deep/er', 'deeper');
    await sides.run('sync');
    expect(Object.keys(await sides.files()).filter((file) => !/^[abcx]\//.test(file))).toEqual([
      'deeper/SKILL.md',
      'p/.env',
      'p/n/SKILL.md',
      'q/SKILL.md',
    ]);
    expect(await readdir(sides.folder)).not.toContain('deep');
  });
});

describe('a rename', () => {
  test.each<[Direction, 'files' | 'database', readonly string[]]>([
    ['export', 'files', ['a => z: renamed -> database']],
    ['import', 'files', ['a => z: ahead -> database']],
    ['export', 'database', ['a => z: ahead -> files']],
    ['import', 'database', ['a => z: renamed -> files']],
  ])('%s carries or names one of the %s', async (direction, side, words) => {
    const { keys: _, ...sides } = await begun('postgres');
    if (side === 'files') await move(sides, 'a', 'z');
    else await moveRow(sides, 'a', 'z');
    expect((await sides.run(direction)).words).toEqual(words);
    await sides.run('sync');
    expect((await sides.run('sync')).plan.unchanged).toBe(6);
  });

  test('and an edit of the row: each direction carries its own, and names the other', async () => {
    for (const [direction, words] of [
      ['export', ['a => z: renamed -> database', 'z: ahead -> files']],
      ['import', ['z: edited -> files', 'a => z: ahead -> database']],
    ] as const) {
      const { keys: _, ...sides } = await begun('postgres');
      await move(sides, 'a', 'z');
      await editRow(sides, 'a', 'theirs');
      expect((await sides.run(direction)).words).toEqual(words);
      await sides.run('sync');
      expect((await sides.files())['z/SKILL.md']).toBe(text('a', 'theirs'));
      expect((await sides.run('sync')).plan.unchanged).toBe(6);
    }
  });

  test('onto a path that a filter keeps from being free is named, and none', async () => {
    const { keys, ...sides } = await begun('postgres');
    await move(sides, 'b', 'z');
    await move(sides, 'a', 'b');
    expect((await sides.run('sync', { selects: (skill) => skill === 'a' })).words).toEqual([
      'b: conflict waits',
    ]);
    expect(await rowsOf(sides)).toEqual(keys);
  });

  test.each<[Direction, 'files' | 'database', readonly string[]]>([
    ['import', 'files', ['z => a: forced -> files']],
    ['export', 'database', ['z => a: forced -> database']],
  ])('is taken back by a forced %s where the %s made it', async (direction, side, words) => {
    const { keys, ...sides } = await begun('postgres');
    if (side === 'files') {
      await move(sides, 'a', 'z');
      await edit(sides, 'z', 'a', 'mine');
    } else await moveRow(sides, 'a', 'z');
    expect((await sides.run(direction, { force: true })).words).toEqual(words);
    expect([await rowsOf(sides), (await sides.files())['a/SKILL.md']]).toEqual([keys, text('a')]);
    expect((await sides.run('sync')).plan.unchanged).toBe(6);
  });

  test.each<[string, (sides: Sides) => Promise<void>, string]>([
    [
      'to different paths',
      async (sides) => {
        await move(sides, 'a', 'mine');
        await moveRow(sides, 'a', 'theirs');
      },
      'mine: conflict both-renamed',
    ],
    [
      'and edited by each',
      async (sides) => {
        await move(sides, 'a', 'mine');
        await edit(sides, 'mine', 'a', 'mine');
        await editRow(sides, 'a', 'theirs');
      },
      'mine: conflict both-edited',
    ],
    [
      'here and deleted there',
      async (sides) => {
        await move(sides, 'a', 'mine');
        await sides.connection.query(`update skills set deleted_at = now() where skill_path = 'a'`);
      },
      'mine: conflict edited-and-deleted',
    ],
  ])('%s is a conflict, and changes neither side', async (_, make, conflict) => {
    const { keys: __, ...sides } = await begun('postgres');
    await make(sides);
    const before = [await rowsOf(sides), await sides.files()];
    for (const onConflict of ['fail', 'fail'] as const) {
      expect((await sides.run('sync', { onConflict })).words).toEqual([conflict]);
    }
    expect([await rowsOf(sides), await sides.files()]).toEqual(before);
  });

  test('onto the old path of a skill in conflict waits: that stays in conflict', async () => {
    const { keys: _, ...sides } = await begun('postgres');
    await move(sides, 'a', 'aside');
    await move(sides, 'b', 'a');
    await move(sides, 'aside', 'b');
    await moveRow(sides, 'b', 'z');
    const before = [await rowsOf(sides), await sides.files()];
    for (const onConflict of ['newest', 'newest'] as const) {
      const { words } = await sides.run('sync', { onConflict });
      expect(words).toEqual(['a: conflict both-renamed', 'b: conflict waits']);
    }
    expect([await rowsOf(sides), await sides.files()]).toEqual(before);
    await sides.run('sync', { onConflict: 'local' });
    expect((await sides.run('sync')).plan.unchanged).toBe(6);
  });

  test('is none onto a path where the other side holds a skill: both stay', async () => {
    const { keys: _, ...sides } = await begun('postgres');
    await moveRow(sides, 'a', 'z');
    await sides.write({ 'z/SKILL.md': text('z') });
    expect((await sides.run('sync')).words).toEqual(['z: conflict no-base', 'a: hold deletion']);
  });

  test('is taken for none where it is ambiguous', async () => {
    const { keys: _, ...sides } = await begun('postgres');
    await sides.write({ 'y/SKILL.md': text('x') });
    await sides.run('sync');
    for (const gone of ['x', 'y']) await rm(path.join(sides.folder, gone), { recursive: true });
    await sides.write({ 'z/SKILL.md': text('x') });
    expect((await sides.run('sync')).words).toEqual([
      'z: new -> database',
      'x: hold deletion',
      'y: hold deletion',
    ]);
  });

  test.each<[string, (sides: Sides) => Promise<void>, (sides: Sides) => Promise<void>, readonly string[]]>([
    [
      'the row moved on',
      (sides) => move(sides, 'a', 'z'),
      (sides) => editRow(sides, 'a', 'theirs'),
      ['b => y: renamed -> database', 'a => z: renamed -> database', 'z: edited -> files'],
    ],
    [
      'another row came to its new path',
      (sides) => move(sides, 'a', 'z'),
      async ({ connection }) => {
        await connection.query(`insert into skills (skill_path, name, type) values ('z', 'z', 'tool')`);
      },
      ['b => y: renamed -> database', 'z: conflict no-base', 'a: hold deletion'],
    ],
    [
      'the row went elsewhere',
      (sides) => move(sides, 'a', 'z'),
      (sides) => moveRow(sides, 'a', 'theirs'),
      ['b => y: renamed -> database', 'z: conflict both-renamed'],
    ],
    [
      'the files moved on',
      (sides) => moveRow(sides, 'a', 'z'),
      (sides) => edit(sides, 'a', 'a', 'mine'),
      ['b => y: renamed -> database', 'z: edited -> database', 'a => z: renamed -> files'],
    ],
    [
      'others came to its new path',
      (sides) => moveRow(sides, 'a', 'z'),
      (sides) => edit(sides, 'z', 'z', 'mine'),
      ['b => y: renamed -> database', 'z: conflict no-base', 'a: hold deletion'],
    ],
  ])('is refused alone where meanwhile %s, and planned anew', async (_, make, meanwhile, words) => {
    const { keys: __, ...sides } = await begun('postgres');
    await make(sides);
    await move(sides, 'b', 'y');
    const first = await sides.run('sync', { meanwhile: () => meanwhile(sides) });
    expect(first.words).toEqual(words);
    expect((await sides.run('sync')).words).toEqual(words.filter((word) => !word.includes('->')));
  });

  test.each([
    ['files', (sides: Sides) => move(sides, 'a', 'z')],
    ['a row', (sides: Sides) => moveRow(sides, 'a', 'z')],
    ['rows in a circle', (sides: Sides) => swapRows(sides, 'a', 'b', 'c')],
  ])('of %s is not done again where a run was killed before the base was written', async (_, make) => {
    const { keys: __, ...sides } = await begun('postgres');
    const bases = path.join(sides.folder, '../.skill-fleet/bases');
    const [name = ''] = await readdir(bases);
    const before = await readFile(path.join(bases, name));
    await make(sides);
    await sides.run('sync');
    const after = [await rowsOf(sides), await sides.files()];
    await writeFile(path.join(bases, name), before);
    const again = await sides.run('sync', { deletes: true });
    expect([again.words, await rowsOf(sides), await sides.files()]).toEqual([[], ...after]);
    expect((await sides.run('sync')).plan).toMatchObject({ unchanged: 6, agreed: [] });
  });

  test('of rows in a circle takes the edits of the files along, also where these stay at home', async () => {
    for (const direction of ['import', 'sync'] as const) {
      const { keys: _, ...sides } = await begun('postgres');
      await swapRows(sides, 'a', 'b');
      await edit(sides, 'a', 'a', 'mine');
      await edit(sides, 'b', 'b', 'mine too');
      await sides.run(direction);
      const files = await sides.files();
      expect([files['a/SKILL.md'], files['b/SKILL.md']]).toEqual([text('b', 'mine too'), text('a', 'mine')]);
      await sides.run('sync');
      expect([await sides.files(), (await sides.run('sync')).plan.unchanged]).toEqual([files, 6]);
    }
  });

  test('of a skill whose document names its old path leaves the alias to the document', async () => {
    const { keys: _, ...sides } = await begun('postgres');
    const aliases = () =>
      sides.connection.query('select alias_path, reason from skill_aliases order by alias_id');
    await move(sides, 'a', 'z');
    await sides.run('sync');
    const named = document('a', 'Short.\n', 'aliases: [a]\n');
    await sides.write({ 'z/SKILL.md': named });
    await sides.run('sync');
    expect(await aliases()).toEqual([{ alias_path: 'a', reason: null }]);
    await sides.connection.query(`update skills set scope = 'all' where skill_path = 'z'`);
    await sides.run('sync');
    expect((await sides.files())['z/SKILL.md']).toContain('aliases: [a]');
  });

  test('of what both edited brings the edit that was the last', async () => {
    const { keys, ...sides } = await begun('postgres');
    await editRow(sides, 'a', 'theirs');
    await sides.connection.query(
      `update skill_sync set revised_at = now() - interval '1 hour' where skill_id = $1`,
      [keys['a']],
    );
    await move(sides, 'a', 'z');
    await edit(sides, 'z', 'a', 'mine');
    expect((await sides.run('sync', { onConflict: 'newest' })).words).toEqual(['a => z: newer -> database']);
    expect(await sides.connection.query(`select skill_content from skills where skill_path = 'z'`)).toEqual([
      { skill_content: expect.stringContaining('mine') },
    ]);
  });

  test('of many, as of a whole library into a folder, is no deletion, and no other library', async () => {
    const sides = await makeSides('postgres');
    const names = Array.from({ length: 60 }, (_, index) => `s${index}`);
    await sides.write(Object.fromEntries(names.map((name) => [`old/${name}/SKILL.md`, text(name)])));
    await sides.run('sync');
    const keys = Object.values(await rowsOf(sides));
    await move(sides, 'old', 'new/er');
    for (const name of names.slice(0, 30)) await edit(sides, `new/er/${name}`, name, 'mine');
    const { words, plan } = await sides.run('export');
    expect([words.length, plan.refusal]).toEqual([60, null]);
    expect(words.every((word) => word.endsWith('renamed -> database'))).toBe(true);
    expect(Object.values(await rowsOf(sides)).sort()).toEqual(keys.sort());
    await sides.connection.query(`update skills set skill_path = 'back/' || name`);
    expect((await sides.run('import')).results).toHaveLength(60);
    expect((await sides.run('sync')).plan.unchanged).toBe(60);
    expect(await readdir(sides.folder)).not.toContain('new');
  });

  test('of a row is known to a clone without a base from the history of the row', async () => {
    const { keys: _, ...sides } = await begun('postgres');
    const other = await makeClone(sides.connection);
    await other.write(start);
    await move(sides, 'a', 'z/a');
    await edit(sides, 'z/a', 'a', 'mine');
    await sides.run('sync');
    expect((await other.run('sync')).words).toEqual(['a => z/a: renamed -> files']);
    expect((await other.run('sync', { deletes: true })).plan.unchanged).toBe(6);
    expect(await other.files()).toEqual(await sides.files());
  });
});

describe.skipIf(!hasGit)('a rename in git', () => {
  const gitMove = async (someone: Developer) => {
    await someone.git('mv', 'skills/x', 'skills/z');
    await someone.commit({});
    await someone.git('push', '--quiet', 'origin', 'main');
  };

  test('brings no commit to know what only the database holds', async () => {
    const { connection, first, join } = await team('postgres');
    await connection.query(`update skills set skill_content = 'Theirs.\n' where name = 'x'`);
    await gitMove(first);
    expect((await first.run('export')).words).toEqual(['x => z: renamed -> database', 'z: ahead -> files']);
    const second = await join();
    await second.run('sync', newest);
    expect(await second.read('z')).toContain('Theirs.');
    expect((await first.run('sync', newest)).words).toEqual(['z: edited -> files']);
  });

  test('goes out from a clone without a base, and comes to one of an older commit', async () => {
    const { first, join } = await team('postgres');
    const older = await join();
    const second = await join();
    await gitMove(second);
    expect((await second.run('sync', newest)).words).toEqual(['x => z: renamed -> database']);
    expect((await older.run('sync', newest)).words).toEqual(['x => z: renamed -> files']);
    await first.git('pull', '--quiet', 'origin', 'main');
    expect((await first.run('sync', newest)).words).toEqual([]);
  });

  test('and an edit in a later commit that others exported are no conflict with an earlier one', async () => {
    const { connection, first, join } = await team('postgres');
    const second = await join();
    await second.run('sync', newest);
    await gitMove(first);
    await first.commit({ 'z/SKILL.md': gitText('Two') });
    await first.run('export');
    await first.git('push', '--quiet', 'origin', 'main');
    await first.commit({ 'z/SKILL.md': gitText('Three') });
    await first.run('export');
    await second.git('pull', '--quiet', 'origin', 'main');
    expect((await second.run('sync', { onConflict: 'fail' })).words).toEqual(['z: older -> files']);
    expect(await connection.query(`select count(*) from skills`)).toEqual([{ count: 2 }]);
  });
});

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rename, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DatabaseKind, migratedDatabase, usualKinds } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { runs } from '../runs.ts';
import { cloneAt, document, makeClone, makeSides, type RunOptions, stateOf } from './sides.ts';

type Sides = Awaited<ReturnType<typeof makeSides>>;

const planFile = (sides: Pick<Sides, 'folder'>) => path.join(sides.folder, '..', 'plan.json');
const body = '# Skill\n\nOne.\n\nTwo.\n\nThree.\n';

const start = Object.fromEntries(
  ['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}/SKILL.md`, document(name, `${body}\nOf ${name}.\n`)]),
);

async function begun(kind: DatabaseKind = 'postgres') {
  const sides = await makeSides(kind);
  await sides.write({ ...start, 'a/run.sh': 'run\n' });
  await sides.run('export');
  const query = (sql: string) => sides.connection.query(sql);
  /** Something to do in each direction: new, edited, merged, deleted, renamed. */
  const change = async () => {
    await sides.write({
      'new/SKILL.md': document('new'),
      'new/data.bin': Buffer.from([0, 255, 1]),
      'a/SKILL.md': document('a', body.replace('One.', 'Mine.')),
    });
    await query(`update skills set skill_content = replace(skill_content, 'Three.', 'Theirs.')
      where skill_path in ('a', 'b')`);
    await sides.write({ 'a/SKILL.md': (start['a/SKILL.md'] ?? '').replace('One.', 'Mine.') });
    await rm(path.join(sides.folder, 'c'), { recursive: true });
    await rename(path.join(sides.folder, 'd'), path.join(sides.folder, 'z'));
    await query(`insert into skills (skill_path, name, type, status, description, skill_content)
      values ('theirs', 'theirs', 'tool', 'active', 'A tool.', E'# Theirs\n')`);
  };
  return { ...sides, query, change };
}

const all: RunOptions = { onConflict: 'merge', deletes: true };

/** A run that must not be refused as a whole. */
async function applied(sides: Pick<Sides, 'apply' | 'folder'>, options: Parameters<Sides['apply']>[1] = {}) {
  const outcome = await sides.apply(planFile(sides), options);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.problem));
  return outcome.value;
}

describe.each(usualKinds)('a saved plan with %s', (kind) => {
  test('does what the run would have done, and the second time nothing', async () => {
    const [one, other] = [await begun(kind), await begun(kind)];
    for (const sides of [one, other]) await sides.change();
    const before = await stateOf(one);
    await one.save(planFile(one), 'sync', all);
    expect(await stateOf(one)).toEqual(before);
    const { words, plan } = await applied(one);
    const run = await other.run('sync', all);
    expect(words).toEqual(run.words);
    expect(words).toHaveLength(7);
    expect(plan.problems).toEqual([]);
    expect(await stateOf(one)).toEqual(await stateOf(other));
    const again = await applied(one);
    expect([again.words, again.plan.unchanged]).toEqual([[], 7]);
    const next = await one.run('sync', all);
    expect([next.words, next.plan.unchanged]).toEqual([[], 6]);
  });

  test('of a first sync is carried out once, too', async () => {
    const sides = await makeSides(kind);
    await sides.write(start);
    await sides.save(planFile(sides), 'export');
    expect((await applied(sides)).words).toHaveLength(5);
    expect((await applied(sides)).words).toEqual([]);
    expect((await sides.run('sync')).plan.unchanged).toBe(5);
  });
});

describe('a saved plan', () => {
  test('leaves what changed since, and names it; as a whole, all', async () => {
    const sides = await begun();
    await sides.change();
    await sides.save(planFile(sides), 'sync', all);
    await sides.query(`update skills set version = '9.0.0' where skill_path in ('a', 'd')`);
    await sides.write({ 'theirs/SKILL.md': document('theirs', 'Mine, too.\n') });
    const before = await stateOf(sides);
    const whole = await applied(sides, { atomic: true });
    expect(whole.plan.refusal).toEqual({ reason: 'plan-not-whole', count: 3 });
    expect(await stateOf(sides)).toEqual(before);
    const { words, plan } = await applied(sides);
    expect(plan.problems).toEqual([
      { reason: 'plan-stale', path: 'a', side: 'database' },
      { reason: 'plan-stale', path: 'theirs', side: 'files' },
      { reason: 'plan-stale', path: 'z', side: 'database' },
    ]);
    expect(words.filter((word) => word.includes('->'))).toEqual([
      'c: deleted -> database',
      'new: new -> database',
      'a: merged -> files',
      'b: edited -> files',
    ]);
    // What one side alone got is no agreement: it is still to be decided.
    const next = await sides.run('sync', { ...all, dryRun: true });
    expect(
      next.plan.changes.flatMap(({ path: at, side, why }) => (at === 'a' ? [`${why} -> ${side}`] : [])),
    ).toEqual(['merged -> database', 'merged -> files']);
  });

  test.each([
    {
      side: 'database',
      edit: (sides: Awaited<ReturnType<typeof begun>>, word: string) =>
        sides.write({ 'a/SKILL.md': document('a', `${word}\n`) }),
    },
    {
      side: 'files',
      edit: (sides: Awaited<ReturnType<typeof begun>>, word: string) =>
        sides.query(`update skills set skill_content = '${word}' where skill_path = 'a'`),
    },
  ])('that went to the $side is what its source went on from', async ({ side, edit }) => {
    const sides = await begun();
    await edit(sides, 'One.');
    await sides.save(planFile(sides), 'sync');
    await edit(sides, 'Two.');
    expect((await applied(sides)).words).toEqual([`a: edited -> ${side}`]);
    expect((await sides.run('sync', { onConflict: 'fail' })).words).toEqual([`a: edited -> ${side}`]);
  });

  test('renames nothing to where another skill came', async () => {
    const sides = await begun();
    await sides.change();
    await sides.save(planFile(sides), 'sync', all);
    await sides.query(
      `insert into skills (skill_path, name, type, status) values ('z', 'z', 'tool', 'active')`,
    );
    const { words, plan } = await applied(sides);
    expect(plan.problems).toEqual([{ reason: 'plan-stale', path: 'z', side: 'database' }]);
    expect(words.filter((word) => word.includes('refused'))).toEqual([]);
  });

  test("of skills that took each other's places is what both agreed on", async () => {
    const sides = await begun();
    for (const [from, to] of [
      ['d', 'aside'],
      ['e', 'd'],
      ['aside', 'e'],
    ] as const) {
      await rename(path.join(sides.folder, from), path.join(sides.folder, to));
    }
    await sides.save(planFile(sides), 'sync', all);
    expect((await applied(sides)).words).toEqual([
      'e => d: renamed -> database',
      'd => e: renamed -> database',
    ]);
    const next = await sides.run('sync', all);
    expect([next.words, next.plan.agreed, next.plan.unchanged]).toEqual([[], [], 5]);
  });

  test('is one run of the log, and undo takes it back', async () => {
    const sides = await begun();
    await sides.change();
    const before = await stateOf(sides);
    await sides.save(planFile(sides), 'sync', all);
    await applied(sides);
    await sides.undo();
    expect(await stateOf(sides)).toEqual(before);
  });

  test('as a whole is nothing where the database refuses one, or the files do', async () => {
    const sides = await begun();
    await sides.change();
    await sides.save(planFile(sides), 'sync', all);
    const before = await stateOf(sides);
    await sides.query(`create function refuse() returns trigger language plpgsql as
      $$ begin if new.skill_path = 'new' then raise 'no'; end if; return new; end $$`);
    await sides.query('create trigger refuse before insert on skills for each row execute function refuse()');
    const refused = await applied(sides, { atomic: true });
    expect(refused.words.toSorted()).toEqual([
      ...['a: refused, left-with-others', 'a: refused, left-with-others', 'b: refused, left-with-others'],
      ...['c: refused, left-with-others', 'd => z: refused, left-with-others', 'new: refused, row-refused'],
      'theirs: refused, left-with-others',
    ]);
    expect(await stateOf(sides)).toEqual(before);
    // Nobody ever saw a part of it.
    expect(await sides.query(`select from sync_runs where direction = 'undo'`)).toEqual([]);
    await sides.query('drop trigger refuse on skills');
    const late = await applied(sides, {
      atomic: true,
      meanwhile: () => sides.write({ 'theirs/SKILL.md': document('theirs', 'Mine, too.\n') }),
    });
    expect(late.words.filter((word) => !word.includes('left-with-others'))).toEqual([
      'theirs: refused, files-changed-meanwhile',
    ]);
    await rm(path.join(sides.folder, 'theirs'), { recursive: true });
    expect(await stateOf(sides)).toEqual(before);
    expect((await applied(sides, { atomic: true })).words).toHaveLength(7);
  });

  test.skipIf(!hasGit())(
    'of one clone is carried out in another of the same repository, and nowhere else',
    async () => {
      const connection = await migratedDatabase('postgres');
      const [one, two, shallow, other] = await Promise.all([1, 2, 3, 4].map(() => temporaryFolder()));
      if (!one || !two || !shallow || !other) throw new Error('four folders');
      git(one, 'init', '--quiet', '--initial-branch=main');
      const clone = await cloneAt(connection, one, 'skills');
      await clone.write(start);
      git(one, 'add', '.');
      git(one, 'commit', '--quiet', '-m', 'skills');
      await clone.save(path.join(one, 'plan.json'), 'export');
      for (const [folder, ...options] of [[two], [shallow, '--depth=1']] as const) {
        git(folder, 'clone', '--quiet', ...options, `file://${one}`, 'clone');
      }
      const from = (folder: string) => cloneAt(connection, folder, 'skills');
      git(other, 'init', '--quiet');
      const foreign = { ok: false, problem: { reason: 'plan-foreign' } };
      expect(await (await from(other)).apply(path.join(one, 'plan.json'))).toMatchObject(foreign);
      const elsewhere = await makeClone(connection);
      expect(await elsewhere.apply(path.join(one, 'plan.json'))).toMatchObject(foreign);
      const elsewhereIn = await cloneAt(connection, path.join(two, 'clone'), 'other');
      expect(await elsewhereIn.apply(path.join(one, 'plan.json'))).toMatchObject(foreign);
      const wrongDatabase = await cloneAt(
        await migratedDatabase('postgres'),
        path.join(two, 'clone'),
        'skills',
      );
      expect(await wrongDatabase.apply(path.join(one, 'plan.json'))).toMatchObject(foreign);
      const dry = await (await from(path.join(shallow, 'clone'))).apply(path.join(one, 'plan.json'), {
        dryRun: true,
      });
      expect(dry).toMatchObject({ ok: true, value: { plan: { problems: [] } } });
      // A shallow clone knows its commit, by which others know it.
      await (await from(path.join(shallow, 'clone'))).save(path.join(shallow, 'plan.json'), 'export');
      const done = await (await from(path.join(two, 'clone'))).apply(path.join(shallow, 'plan.json'));
      expect(done).toMatchObject({ ok: true, value: { words: { length: 5 } } });
      expect((await clone.run('sync')).plan.agreed).toHaveLength(5);
    },
  );

  test.skipIf(!hasGit())('brings the edit of one clone to another with its time', async () => {
    const connection = await migratedDatabase('postgres');
    const [one, two] = await Promise.all([1, 2].map(() => temporaryFolder()));
    if (!one || !two) throw new Error('two folders');
    git(one, 'init', '--quiet', '--initial-branch=main');
    const clone = await cloneAt(connection, one, 'skills');
    await clone.write(start);
    git(one, 'add', '.');
    git(one, 'commit', '--quiet', '-m', 'skills');
    await clone.run('export');
    git(two, 'clone', '--quiet', `file://${one}`, 'clone');
    const other = await cloneAt(connection, path.join(two, 'clone'), 'skills');
    const editedAt = async (sides: typeof clone, word: string, secondsAgo: number) => {
      await sides.write({ 'a/SKILL.md': document('a', `${word}\n`) });
      const at = Date.now() / 1000 - secondsAgo;
      await utimes(path.join(sides.folder, 'a/SKILL.md'), at, at);
    };
    await editedAt(clone, 'One.', 200);
    await clone.save(path.join(one, 'plan.json'), 'export');
    await editedAt(other, 'Two.', 100);
    expect(await other.apply(path.join(one, 'plan.json'))).toMatchObject({
      value: { words: ['a: edited -> database'] },
    });
    // The other clone's commit has nothing to do with it.
    expect(
      await connection.query('select from skill_commits join skill_sync using (skill_id, revision)'),
    ).toHaveLength(4);
    expect((await other.run('sync', { dryRun: true, onConflict: 'fail' })).words).toEqual([
      'a: conflict both-edited',
    ]);
    expect((await other.run('sync', { onConflict: 'newest' })).words).toEqual(['a: newer -> database']);
  });
});

// ---- the model ----

interface Item {
  readonly path: string;
  readonly side: 'files' | 'database';
  readonly before: string | null;
  readonly after: string | null;
  readonly from?: string;
}

/** What both sides hold once those items are done of which what they expect still holds, and those that are left. */
function modelled(world: Awaited<ReturnType<Sides['digests']>>, items: readonly Item[]) {
  const now = { files: new Map(world.files), database: new Map(world.database) };
  const done: Item[] = [];
  const left: string[] = [];
  for (const item of items) {
    const { path: to, from = to, side, before, after } = item;
    const at = (place: string) => world[side].get(place) ?? null;
    if (at(to) === after && (from === to || at(from) === null)) continue;
    if (at(from) === before && (from === to || at(to) === null)) done.push(item);
    else left.push(`${to} ${side}`);
  }
  for (const { side, from, path: to } of done) now[side].delete(from ?? to);
  for (const { side, path: to, after } of done) if (after) now[side].set(to, after);
  return { now, left: left.sort() };
}

const skills = ['a', 'b', 'c', 'd', 'e', 'f', 'z'] as const;
const worldChanges = fc.array(
  fc.record({
    what: fc.constantFrom('edit', 'edit', 'delete', 'edit row', 'edit row', 'delete row', 'insert row'),
    skill: fc.constantFrom(...skills),
    word: fc.constantFrom('one', 'two', 'three'),
  }),
  { maxLength: 5 },
);

async function changeWorld(sides: Sides, changes: readonly WorldChange[]) {
  for (const { what, skill, word } of changes) {
    const sql = (text: string) => sides.connection.query(text, text.includes('$2') ? [skill, word] : [skill]);
    switch (what) {
      case 'edit':
        await sides.write({ [`${skill}/SKILL.md`]: document(skill, `${word}\n`) });
        break;
      case 'delete':
        await rm(path.join(sides.folder, skill), { recursive: true, force: true });
        break;
      case 'edit row':
        await sql(`update skills set skill_content = $2 where skill_path = $1 and deleted_at is null`);
        break;
      case 'delete row':
        await sql(`update skills set deleted_at = now() where skill_path = $1`);
        break;
      case 'insert row':
        await sql(`insert into skills (skill_path, name, type, status, skill_content)
          values ($1, 'n', 'tool', 'active', $2)
          on conflict do nothing`);
    }
  }
}

interface WorldChange {
  readonly what: string;
  readonly skill: string;
  readonly word: string;
}

test('whatever changed since, exactly what still holds is done, and the rest is named', async () => {
  await fc.assert(
    fc.asyncProperty(
      worldChanges,
      worldChanges,
      fc.constantFrom('sync', 'export', 'import'),
      fc.constantFrom('merge', 'local', 'fail'),
      fc.boolean(),
      async (first, since, direction, onConflict, atomic) => {
        const sides = await begun();
        await rename(path.join(sides.folder, 'e'), path.join(sides.folder, 'f'));
        await changeWorld(sides, first);
        const plan = await sides.save(planFile(sides), direction, { onConflict, deletes: true, yes: true });
        const { changes: items } = JSON.parse(readFileSync(planFile(sides), 'utf8')) as { changes: Item[] };
        expect(items).toHaveLength(plan.changes.length);
        await changeWorld(sides, since);
        const world = await sides.digests();
        const { now, left } = modelled(world, items);
        const outcome = await applied(sides, { atomic });
        const stale = outcome.plan.problems.flatMap((problem) =>
          problem.reason === 'plan-stale' ? [`${problem.path} ${problem.side}`] : [],
        );
        expect(stale.sort()).toEqual(left);
        const wanted = atomic && left.length > 0 ? world : now;
        const after = await sides.digests();
        for (const side of ['files', 'database'] as const) {
          expect(Object.fromEntries(after[side])).toEqual(Object.fromEntries(wanted[side]));
        }
        await sides.connection.close();
      },
    ),
    { numRuns: runs(8) },
  );
});

function git(cwd: string, ...args: readonly string[]) {
  const who = ['-c', 'user.name=T', '-c', 'user.email=t@example.org'];
  return execFileSync('git', [...who, ...args], { cwd, stdio: 'pipe' });
}

function hasGit(): boolean {
  try {
    execFileSync('git', ['--version']);
    return true;
  } catch {
    return false;
  }
}

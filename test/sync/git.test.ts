import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/reconcile/plan.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import { migratedDatabase, usualKinds } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { cloneAt, document, type RunOptions } from './sides.ts';
import { type Developer, developer, hasGit, newest, nextMoment, run, type Team, team, text } from './team.ts';

/** The words of a run that nobody has a say in: what a job in CI sees of the same commit. */
async function seen(someone: Developer, options: RunOptions = {}): Promise<readonly string[]> {
  return changesOf((await someone.run('sync', { ...newest, ...options, dryRun: true })).plan);
}

function changesOf({ changes }: Plan): readonly string[] {
  return changes.map(({ path: skill, side, why }) => `${skill}: ${why} -> ${side}`);
}

async function inDatabase(connection: Connection, skill = 'x'): Promise<string | undefined> {
  const [row] = await connection.query<{ skill_content: string }>(
    'select skill_content from skills where skill_path = $1 and deleted_at is null',
    [skill],
  );
  return row?.skill_content.trim();
}

/** Brings a deleted skill back, in the database alone. */
async function restore(connection: Connection, skill = 'x'): Promise<void> {
  const [row] = await connection.query<{ revision: number }>(
    'select max(revision) as revision from skill_revisions where skill_path = $1 and digest is not null',
    [skill],
  );
  const database = new Database(connection, []);
  await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
  expect(await database.restore(skill, row?.revision ?? 0)).toMatchObject({ ok: true });
  await database.endRun({}, null);
}

const carrying: RunOptions = { ...newest, deletes: true };

/** Removes a skill from the files, as no commit has it. */
const remove = (someone: Developer, skill = 'x') => rm(path.join(someone.folder, skill), { recursive: true });

/** An edit of the skill by another writer, at the next moment of the team's own clock. */
async function editByApi(connection: Connection, word: string): Promise<void> {
  await connection.query(`update skills set skill_content = $1 where name = 'x'`, [`${word}.\n`]);
  await datedNow(connection);
}

/** Commits an edit, and makes it anew on what the team did meanwhile. */
async function rebased(someone: Developer): Promise<void> {
  await someone.git('checkout', '--quiet', '-b', 'feature');
  await someone.commit({ 'x/SKILL.md': text('Three') });
  await someone.git('checkout', '--quiet', 'main');
  await someone.commit({ 'y/SKILL.md': document('y') });
  await someone.git('rebase', '--quiet', 'main', 'feature');
}

/** Lets the skill's row be changed at the next moment of the team's own clock. */
async function datedNow(connection: Connection): Promise<void> {
  await connection.query(
    `update skill_sync set revised_at = $1 where skill_id = (select skill_id from skills where name = 'x')`,
    [nextMoment()],
  );
}

// What git says does not depend on the database.
describe.skipIf(!hasGit).each(['postgres'] as const)('clones without a base, on %s', (kind) => {
  test('of the exported commit agree, and take what the database gained', async () => {
    const { connection, join } = await team(kind);
    const second = await join();
    expect((await second.run('sync', newest)).plan.agreed).toHaveLength(2);
    await connection.query(`update skills set skill_content = 'Two.\n' where name = 'x'`);
    const third = await join();
    expect((await third.run('sync', newest)).words).toEqual(['x: older -> files']);
    expect((await third.run('export', newest)).words).toEqual([]);
  });

  test('with newer commits export them, and a `git revert` goes out', async () => {
    const { connection, first, join } = await team(kind);
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.run('export');
    await first.git('push', '--quiet', 'origin', 'main');
    const second = await join();
    await second.git('revert', '--no-edit', 'HEAD');
    // Its text is in the history as an older one, and yet it is what the team wants now.
    expect((await second.run('sync', newest)).words).toEqual(['x: edited -> database']);
    expect(await inDatabase(connection)).toBe('One.');
    await second.commit({ 'x/SKILL.md': text('Three') });
    await rm(path.join(second.tree, '.skill-fleet/bases'), { recursive: true });
    expect((await second.run('sync', newest)).words).toEqual(['x: edited -> database']);
  });

  test('know for unclean what a skill owns where the one below it stands in the database alone', async () => {
    const { connection, first, join } = await team(kind);
    await connection.query(
      `insert into skills (skill_path, name, type, status) values ('x/n', 'n', 'tool', 'active')`,
    );
    await first.write({ 'x/n/file': 'mine' });
    const refused = 'x/n: refused, file-in-the-way';
    expect((await first.run('sync', newest)).words).toEqual(['x: edited -> database', refused]);
    const second = await join();
    expect((await second.run('sync', newest)).words).toEqual(['x: older -> files', refused]);
  });

  test('know for unclean what a skill owns by the deletion of the one below it', async () => {
    const { first, join } = await team(kind);
    await first.commit({ 'x/n/SKILL.md': document('n'), 'x/n/file': 'of n' });
    await first.git('push', '--quiet', 'origin', 'main');
    await first.run('export');
    await rm(path.join(first.folder, 'x/n/SKILL.md'));
    expect((await first.run('sync', newest)).words).toEqual(['x: edited -> database', 'x/n: hold deletion']);
    const second = await join();
    expect((await second.run('sync', { ...newest, dryRun: true })).words).not.toContain(
      'x: edited -> database',
    );
    expect(await seen(second)).toEqual(['x: older -> files']);
  });

  test('with a newer commit win against an older one that was exported later', async () => {
    const { connection, first, join } = await team(kind);
    const second = await join();
    await second.run('sync', newest);
    await first.commit({ 'x/SKILL.md': text('Two') });
    await second.commit({ 'x/SKILL.md': text('Three') });
    await first.run('export');
    expect((await second.run('sync', newest)).words).toEqual(['x: newer -> database']);
    expect(await inDatabase(connection)).toBe('Three.');
  });

  test('know what both sides came to hold apart, once a run at that commit found them alike', async () => {
    const { connection, first, join } = await team(kind);
    await editByApi(connection, 'Two');
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.git('push', '--quiet', 'origin', 'main');
    const job = await join();
    // No run has rendered that row before.
    expect((await job.run('export')).plan.agreed).toHaveLength(2);
    const second = await join();
    await second.commit({ 'x/SKILL.md': text('Three') });
    expect((await second.run('sync', newest)).words).toEqual(['x: edited -> database']);
    expect(await inDatabase(connection)).toBe('Three.');
  });

  test('know what the database made once a commit holds it, and take its edit for one', async () => {
    const cases: readonly (readonly [string, (someone: Developer) => Promise<void>, readonly string[]])[] = [
      ['an edit', (one) => one.commit({ 'x/SKILL.md': text('Three') }), ['x: edited -> database']],
      [
        'a revert',
        async (one) => void (await one.git('revert', '--no-edit', 'HEAD')),
        ['x: edited -> database'],
      ],
      ['a deletion', (one) => one.commit({ x: null }), ['x: hold deletion']],
      ['an edit, rebased', rebased, ['x: edited -> database']],
      [
        'nothing yet',
        async (one) => void (await one.git('reset', '-q', '--hard', 'HEAD~1')),
        ['x: older -> files'],
      ],
    ];
    for (const [name, moveOn, words] of cases) {
      const { connection, first, join } = await team(kind);
      await editByApi(connection, 'Two');
      expect((await first.run('import')).words).toEqual(['x: edited -> files']);
      await first.commit({});
      await first.git('push', '--quiet', 'origin', 'main');
      const second = await join();
      await moveOn(second);
      expect([name, (await second.run('sync', newest)).words]).toEqual([name, words]);
    }
  });

  test('know what the database made in a branch that was merged, and what it made since', async () => {
    const { connection, first, join } = await team(kind);
    await first.git('checkout', '--quiet', '-b', 'import');
    await editByApi(connection, 'Two');
    await first.run('import');
    await first.commit({});
    await first.git('checkout', '--quiet', 'main');
    await first.commit({ 'y/SKILL.md': document('y', 'Meanwhile.\n') });
    await first.git('merge', '--quiet', '--no-ff', '-m', 'merged', 'import');
    await first.git('push', '--quiet', 'origin', 'main');
    const second = await join();
    await second.commit({ 'x/SKILL.md': text('Three') });
    expect(await seen(second)).toEqual(['x: edited -> database', 'y: edited -> database']);
    const behind = await join();
    await editByApi(connection, 'Four');
    expect(await seen(behind)).toEqual(['x: older -> files', 'y: edited -> database']);
    expect(await seen(second, { onConflict: 'fail' })).toEqual(['y: edited -> database']);
  });

  test('know what was restored once a commit made after it holds it, and not by the older one', async () => {
    const { connection, first, join } = await team(kind);
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.run('export');
    await first.git('push', '--quiet', 'origin', 'main');
    const [row] = await connection.query<{ revision: number }>(
      `select min(revision)::integer as revision from skill_revisions where skill_path = 'x'`,
    );
    const database = new Database(connection, []);
    await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
    expect(await database.restore('x', row?.revision ?? 0)).toMatchObject({ ok: true });
    await database.endRun({}, null);
    await datedNow(connection);
    const second = await join();
    expect(await seen(second)).toEqual(['x: older -> files']);
    // A rebase makes commits anew, and not what they hold.
    await second.git('rebase', '--quiet', '--force-rebase', '--root');
    expect(await seen(second)).toEqual(['x: older -> files']);
    const third = await join();
    // That only some of its files came after it does not make a state.
    await third.commit({ 'x/SKILL.md': text('One'), 'x/more': 'of git' });
    await third.commit({ 'x/SKILL.md': text('Two'), 'x/more': null });
    expect(await seen(third)).toEqual(['x: older -> files']);
    await third.commit({ 'x/SKILL.md': text('One') });
    await third.commit({ 'x/SKILL.md': text('Three') });
    expect(await seen(third)).toEqual(['x: edited -> database']);
  });

  test('do not know what was forced by a later merge of what was committed before', async () => {
    const { connection, first, join } = await team(kind);
    await first.git('branch', 'feature');
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.run('export');
    const two = await first.git('rev-parse', 'HEAD');
    await first.commit({ 'x/SKILL.md': text('Three') });
    await first.run('export');
    await first.git('push', '--quiet', 'origin', 'main', 'feature');
    await first.git('checkout', '--quiet', two);
    await rm(path.join(first.tree, '.skill-fleet/bases'), { recursive: true });
    expect((await first.run('export', { force: true })).words).toEqual(['x: forced -> database']);
    await datedNow(connection);
    const second = await join();
    await second.git('checkout', '--quiet', 'feature');
    for (const commit of [two, 'origin/main'])
      await second.git('merge', '--quiet', '--no-ff', '-m', 'merged', commit);
    expect(await seen(second)).toEqual(['x: older -> files']);
  });

  test('of a commit from before never overwrite what is newer', async () => {
    const { connection, first, join } = await team(kind);
    const old = await first.git('rev-parse', 'HEAD');
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.commit({ 'x/SKILL.md': text('Three'), 'z/SKILL.md': document('z') });
    await first.run('export');
    await first.git('push', '--quiet', 'origin', 'main');
    const second = await join();
    // Nobody exported this commit, nor the text that it holds.
    await second.git('checkout', '--quiet', 'HEAD~1');
    expect((await second.run('export', newest)).words).toEqual(['x: ahead -> files', 'z: ahead -> files']);
    await second.git('checkout', '--quiet', old);
    expect((await second.run('sync', newest)).words).toEqual(['x: older -> files', 'z: new -> files']);
    expect(await inDatabase(connection)).toBe('Three.');
  });

  test('where a skill was deleted in git hold the deletion, and do not write the skill again', async () => {
    const { connection, first, join } = await team(kind);
    await first.commit({ x: null });
    await first.git('push', '--quiet', 'origin', 'main');
    const second = await join();
    expect((await second.run('sync', newest)).words).toEqual(['x: hold deletion']);
    expect(await second.read('x')).toBeUndefined();
    expect((await second.run('sync', { ...newest, deletes: true })).words).toEqual([
      'x: deleted -> database',
    ]);
    // Whoever still has the skill removes it only when asked.
    const behind = await join();
    await behind.git('reset', '--quiet', '--hard', 'HEAD~1');
    expect((await behind.run('sync', newest)).words).toEqual(['x: hold deletion']);
    expect(await inDatabase(connection)).toBeUndefined();
  });

  test('delete what a commit deletes, also where another clone exported an edit of it before', async () => {
    const { connection, first, join } = await team(kind);
    const second = await join();
    await second.run('sync', newest);
    await second.commit({ 'x/SKILL.md': text('Two') });
    await second.run('export');
    await second.git('push', '--quiet', 'origin', 'main');
    await first.git('pull', '--quiet', 'origin', 'main');
    await first.commit({ x: null });
    // The base of this clone knows neither the edit nor its export.
    expect((await first.run('sync', newest)).words).toEqual(['x: hold deletion']);
    expect((await first.run('sync', { ...newest, deletes: true })).words).toEqual(['x: deleted -> database']);
    expect(await inDatabase(connection)).toBeUndefined();
  });

  test('write a skill again that somebody restored after it was deleted in git', async () => {
    const { connection, first, join } = await team(kind);
    await first.commit({ x: null });
    await first.git('push', '--quiet', 'origin', 'main');
    await first.run('sync', { ...newest, deletes: true });
    const second = await join();
    expect((await second.run('sync', newest)).words).toEqual([]);
    await restore(connection);
    const third = await join();
    for (const someone of [first, second, third]) {
      expect((await someone.run('sync', newest)).words).toEqual(['x: new -> files']);
    }
  });

  test('know squashed, rebased and merged branches by what they hold', async () => {
    for (const way of ['squash', 'rebase', 'merge'] as const) {
      const { connection, first, join } = await team(kind);
      await first.git('checkout', '--quiet', '-b', 'feature');
      await first.commit({ 'x/SKILL.md': text('Two') });
      await first.commit({ 'x/SKILL.md': text('Three') });
      await first.run('export');
      await first.git('checkout', '--quiet', 'main');
      await first.commit({ 'other.txt': 'meanwhile' });
      if (way === 'squash') {
        await first.git('merge', '--quiet', '--squash', 'feature');
        await first.git('commit', '--quiet', '-m', 'squashed');
      } else if (way === 'rebase') await first.git('cherry-pick', 'main..feature');
      else await first.git('merge', '--quiet', '--no-ff', '-m', 'merged', 'feature');
      await first.git('branch', '--quiet', '-D', 'feature');
      await first.git('push', '--quiet', 'origin', 'main');
      const second = await join();
      await second.commit({ 'x/SKILL.md': text('Four') });
      expect([way, await seen(second)]).toEqual([way, ['x: edited -> database']]);
      await connection.query(`update skills set skill_content = 'Api.\n' where name = 'x'`);
      const third = await join();
      expect([way, await seen(third)]).toEqual([way, ['x: older -> files']]);
      expect([way, await seen(second)]).toEqual([way, ['x: newer -> files']]);
    }
  });

  test('on a detached head, and on the merge ref of a pull request, see their own edits as no drift of others', async () => {
    const { connection, first, join } = await team(kind);
    await first.git('checkout', '--quiet', '-b', 'feature');
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.git('push', '--quiet', 'origin', 'feature');
    const job = await join();
    await job.git('checkout', '--quiet', '--detach', 'origin/main');
    await job.git('merge', '--quiet', '--no-ff', '-m', 'pull request', 'origin/feature');
    expect(await seen(job)).toEqual(['x: edited -> database']);
    await connection.query(`update skills set description = 'Api.' where name = 'y'`);
    expect(await seen(job)).toEqual(['x: edited -> database', 'y: older -> files']);
  });

  test('that hold unclean or uncommitted edits keep them', async () => {
    const { connection, first, join } = await team(kind);
    // Exported before it was committed: the commit comes after the one that the note names.
    await first.write({ 'x/SKILL.md': text('Two') });
    await first.run('export');
    const second = await join();
    expect(await seen(second)).toEqual(['x: older -> files']);
    await second.write({ 'y/SKILL.md': document('y', 'Mine.\n') });
    expect(await seen(second)).toEqual(['x: older -> files', 'y: edited -> database']);
    await first.commit({});
    await first.run('sync');
    await first.git('push', '--quiet', 'origin', 'main');
    const third = await join();
    await third.commit({ 'x/SKILL.md': text('Three') });
    expect((await third.run('sync', newest)).words).toEqual(['x: edited -> database']);
    expect(await inDatabase(connection)).toBe('Three.');
  });

  test('do not take back what was forced', async () => {
    const { connection, first, join } = await team(kind);
    const old = await first.git('rev-parse', 'HEAD');
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.run('export');
    await first.git('push', '--quiet', 'origin', 'main');
    await first.git('checkout', '--quiet', old);
    await rm(path.join(first.tree, '.skill-fleet/bases'), { recursive: true });
    expect((await first.run('export', { force: true })).words).toEqual(['x: forced -> database']);
    await first.run('sync');
    const second = await join();
    expect((await second.run('sync', newest)).words).toEqual(['x: older -> files']);
    expect(await inDatabase(connection)).toBe('One.');
  });

  test('of two directories in one repository, and of two repositories, never speak for each other', async () => {
    const { connection, first, join } = await team(kind);
    const tools = await cloneAt(connection, first.tree, 'tools');
    await tools.write({ 'z/SKILL.md': document('z') });
    await first.git('add', '--all', '.');
    await first.git('commit', '--quiet', '-m', 'tools');
    await first.git('push', '--quiet', 'origin', 'main');
    expect((await tools.run('export', { ...newest, deletes: true })).words).toEqual([
      'z: new -> database',
      'x: ahead -> files',
      'y: ahead -> files',
    ]);
    const other = await developer(connection, null);
    await other.commit({ 'w/SKILL.md': document('w'), 'x/SKILL.md': text('Otherwise') });
    const words = (await other.run('export', { ...newest, deletes: true })).words;
    // Both repositories have a skill x, and nothing says whose text is newer.
    expect(words).toEqual([
      'w: new -> database',
      'x: conflict no-base',
      'y: ahead -> files',
      'z: ahead -> files',
    ]);
    const second = await join();
    expect((await second.run('sync', { ...newest, deletes: true })).words).toEqual([
      'w: new -> files',
      'z: new -> files',
    ]);
  });

  test('that git ignores, or knows nothing of, are told by the history alone', async () => {
    const { connection, first } = await team(kind);
    await first.git('rm', '--quiet', '-r', '--cached', 'skills');
    await writeFile(path.join(first.tree, '.gitignore'), 'skills/\n');
    await first.git('add', '.gitignore');
    await first.git('commit', '--quiet', '-m', 'ignored');
    await rm(path.join(first.tree, '.skill-fleet/bases'), { recursive: true });
    await connection.query(`update skills set skill_content = 'Api.\n' where name = 'x'`);
    expect((await first.run('sync', newest)).words).toEqual(['x: older -> files']);
  });

  test('in a worktree agree, and a shallow one is told by the history alone', async () => {
    const { connection, first, origin } = await team(kind);
    const beside = path.join(first.tree, '../beside');
    await first.git('worktree', 'add', '--quiet', '--detach', beside);
    const worktree = await cloneAt(connection, beside, 'skills');
    expect((await worktree.run('sync', newest)).plan.agreed).toHaveLength(2);
    const shallow = path.join(await temporaryFolder(), 'shallow');
    await run('git', ['clone', '--quiet', '--depth', '1', `file://${origin}`, shallow]);
    await connection.query(`update skills set skill_content = 'Api.\n' where name = 'x'`);
    const job = await cloneAt(connection, shallow, 'skills');
    const { words, notices } = await job.run('sync', newest);
    expect([words, notices]).toEqual([['x: older -> files'], [{ notice: 'shallow-clone' }]]);
    // Now it has a base.
    await job.write({ 'x/SKILL.md': text('Two') });
    const later = await job.run('sync', newest);
    expect([later.words, later.notices]).toEqual([['x: edited -> database'], []]);
  });

  test('that are shallow say so where git would have told who is ahead, and nowhere else', async () => {
    const edited = { 'x/SKILL.md': text('Two') };
    const cases: readonly (readonly [
      string,
      { readonly [file: string]: string | null },
      readonly string[],
    ])[] = [
      ['nothing differs', {}, []],
      ['an edit', edited, ['x: conflict no-base']],
      ['a deletion', { x: null }, ['x: new -> files']],
      ['a new skill, or a deleted one', { 'z/SKILL.md': document('z') }, ['z: new -> database']],
    ];
    const { connection, join } = await team(kind);
    // Drafts take no part.
    await connection.query(
      `insert into skills (skill_path, name, type, status) values ('draft', 'draft', 'tool', 'draft')`,
    );
    for (const [name, files, words] of cases) {
      const whole = await join();
      await whole.commit(files);
      const shallow = path.join(await temporaryFolder(), 'shallow');
      await run('git', ['clone', '--quiet', '--depth', '1', `file://${whole.tree}`, shallow]);
      const job = await cloneAt(connection, shallow, 'skills');
      const dry = await job.run('sync', { ...newest, dryRun: true });
      const notices = words.length > 0 ? [{ notice: 'shallow-clone' }] : [];
      expect([name, [...changesOf(dry.plan), ...dry.words], dry.notices]).toEqual([name, words, notices]);
      expect((await whole.run('sync', { ...newest, dryRun: true })).notices).toEqual([]);
      const first = await (await cloneAt(await migratedDatabase(kind), shallow, 'skills')).run('export');
      expect([name, first.notices]).toEqual([name, []]);
    }
  });
});

describe.skipIf(!hasGit).each(usualKinds)('a base, on %s', (kind) => {
  test('is not used at a commit that does not come after it', async () => {
    const { first } = await team(kind);
    await first.git('checkout', '--quiet', '-b', 'feature');
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.run('export');
    await first.git('checkout', '--quiet', 'main');
    const { base, words } = await first.run('sync', newest);
    expect(base.setAside).toBe('other-checkout');
    // The branch's text is in the database, and this commit comes before it.
    expect(words).toEqual(['x: older -> files']);
  });

  test('is not used where another repository stands in its place', async () => {
    const { connection, first } = await team(kind);
    const other = await developer(connection, null);
    await other.commit({ 'z/SKILL.md': document('z') });
    await rename(path.join(first.tree, '.git'), path.join(first.tree, '../old.git'));
    await cp(path.join(other.tree, '.git'), path.join(first.tree, '.git'), { recursive: true });
    expect((await first.run('sync', { ...newest, dryRun: true })).base.setAside).toBe('other-repository');
  });

  test('is not used with a database that lost what it had seen', async () => {
    const { connection, first } = await team(kind);
    // As a backup that was restored, and went on from there.
    await connection.query(
      `update skill_sync set revised_at = now() where skill_id = (select max(skill_id) from skill_sync)`,
    );
    await connection.query(`select nextval('skill_revision_seq') from generate_series(1, 100)`);
    expect((await first.run('sync', { ...newest, dryRun: true })).base.setAside).toBe('database-restored');
  });

  test('that is lost, damaged or newer loses nothing and deletes nothing', async () => {
    const { first } = await team(kind);
    const folder = path.join(first.tree, '.skill-fleet/bases');
    const [name = ''] = await readdir(folder);
    const base = await readFile(path.join(folder, name), 'utf8');
    for (const [content, setAside] of [
      [base.slice(0, -40), 'damaged'],
      ['[]', 'damaged'],
      [base.replace('"version":2', '"version":99'), 'newer-version'],
    ] as const) {
      await writeFile(path.join(folder, name), content);
      const outcome = await first.run('sync', { ...newest, deletes: true, dryRun: true });
      expect([outcome.base.setAside, outcome.plan.changes, outcome.plan.agreed.length]).toEqual([
        setAside,
        [],
        2,
      ]);
    }
    await rm(folder, { recursive: true });
    expect((await first.run('sync', { ...newest, deletes: true })).words).toEqual([]);
  });

  test('takes a skill that was restored after its deletion, which no commit has yet, was carried', async () => {
    const { connection, first } = await team(kind);
    await remove(first);
    expect((await first.run('sync', carrying)).words).toEqual(['x: deleted -> database']);
    await restore(connection);
    expect((await first.run('import', { ...newest, dryRun: true })).words).toEqual([]);
    expect((await first.run('sync', carrying)).words).toEqual(['x: new -> files']);
    // Deleted anew, it is held as ever.
    await remove(first);
    expect((await first.run('sync', newest)).words).toEqual(['x: hold deletion']);
  });
});

describe.skipIf(!hasGit)('a skill that is in the database again', () => {
  /** How it was deleted on both sides of the first clone, of which HEAD still has it or not, and came again. */
  const ways: { readonly [way: string]: (team: Team) => Promise<unknown> } = {
    'whose deletion was committed after it was carried': async ({ connection, first }) => {
      await remove(first);
      await first.run('sync', carrying);
      await first.commit({});
      await restore(connection);
    },
    'whose deletion came from a commit of another clone': async ({ connection, first, join }) => {
      const second = await join();
      await second.commit({ x: null });
      await second.run('sync', carrying);
      expect((await first.run('sync', carrying)).words).toEqual(['x: deleted -> files']);
      await restore(connection);
    },
    'that another writer deleted, and brought back': async ({ connection, first }) => {
      await connection.query(`update skills set deleted_at = now() where skill_path = 'x'`);
      expect((await first.run('sync', carrying)).words).toEqual(['x: deleted -> files']);
      await connection.query(`update skills set deleted_at = null where skill_path = 'x'`);
    },
    'that another writer brought back with another text': async ({ connection, first }) => {
      await remove(first);
      await first.run('sync', carrying);
      await connection.query(`update skills set skill_content = 'Api.\n' where skill_path = 'x'`);
    },
    'that another writer made anew': async ({ connection, first }) => {
      await remove(first);
      await first.run('sync', carrying);
      await connection.query(`delete from skills where skill_path = 'x'`);
      await connection.query(
        `insert into skills (skill_path, name, type, status) values ('x', 'x', 'tool', 'active')`,
      );
    },
    ...Object.fromEntries(
      [
        `update skills set deleted_at = now() where skill_path = 'x'`,
        `delete from skills where skill_path = 'x'`,
      ].map((deletion) => [
        `with what HEAD holds, by another clone's edits after: ${deletion}`,
        async ({ connection, first, join }: Team) => {
          const second = await join();
          await second.run('sync', newest);
          await connection.query(deletion);
          expect((await first.run('sync', carrying)).words).toEqual(['x: deleted -> files']);
          for (const word of ['Edited', 'One']) {
            await second.write({ 'x/SKILL.md': text(word) });
            await second.run('sync', { ...newest, onConflict: 'local' });
          }
        },
      ]),
    ),
    'since another clone took back the run that deleted it': async ({ first, join }) => {
      await remove(first);
      await first.run('sync', carrying);
      const second = await join();
      expect((await second.undo()).words).toEqual(['x: undone -> database']);
    },
  };

  test.each(Object.entries(ways))('%s, is written where its deletion was carried', async (_, happens) => {
    const made = await team('postgres');
    await happens(made);
    expect((await made.first.run('sync', carrying)).words).toEqual(['x: new -> files']);
    expect((await made.first.run('sync', carrying)).words).toEqual([]);
  });

  test('is written in a fresh clone of a commit that has the deletion', async () => {
    const { connection, first, join } = await team('postgres');
    await remove(first);
    await first.run('sync', carrying);
    await first.commit({});
    await first.git('push', '--quiet', 'origin', 'main');
    await restore(connection);
    const second = await join();
    expect((await second.run('sync', carrying)).words).toEqual(['x: new -> files']);
  });

  test('is what a fresh clone of a commit from before its deletion holds, and may delete', async () => {
    const { connection, first, join } = await team('postgres');
    await remove(first);
    await first.run('sync', carrying);
    await restore(connection);
    const second = await join();
    expect((await second.run('sync', newest)).words).toEqual([]);
    const third = await join();
    await remove(third);
    expect((await third.run('sync', newest)).words).toEqual(['x: hold deletion']);
  });

  test('is deleted by a later commit, also for a clone that never saw it come again', async () => {
    const { connection, first, join } = await team('postgres');
    const second = await join();
    await remove(first);
    await first.run('sync', carrying);
    await second.git('rm', '--quiet', '-r', 'skills/x');
    expect((await second.run('sync', newest)).words).toEqual([]);
    await restore(connection);
    await first.run('sync', newest);
    await first.commit({ 'x/SKILL.md': text('Two') });
    await first.run('sync', newest);
    await first.commit({ x: null });
    await first.git('push', '--quiet', 'origin', 'main');
    await second.git('pull', '--quiet', 'origin', 'main');
    expect((await second.run('sync', { ...newest, dryRun: true })).base.setAside).toBeUndefined();
    for (const someone of [first, second, await join()]) {
      expect((await someone.run('sync', newest)).words).toEqual(['x: hold deletion']);
    }
  });

  test('is not, where git brings the files back alone: that deletion is held', async () => {
    const { connection, first } = await team('postgres');
    await remove(first);
    await first.run('sync', carrying);
    await first.git('checkout', '--quiet', '--', 'skills/x');
    expect((await first.run('sync', newest)).words).toEqual(['x: hold deletion']);
    await restore(connection);
    expect((await first.run('sync', carrying)).words).toEqual([]);
  });
});

// Runs of every command that writes, each on a library in which it has something of everything to do.

import * as fs from 'node:fs';
import path from 'node:path';
import type { Problem } from '../../src/problem.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import { migrate } from '../../src/repository/migrate.ts';
import { pruneRevisions } from '../../src/repository/prune.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { type Clone, document, type RunOptions, type RunOutcome } from '../sync/sides.ts';

/** The sides of a run, one or both of which may fail. */
export interface Sides {
  readonly clone: Clone;
  readonly connection: Connection;
  /** The folder that holds the skills directory and the state. */
  readonly project: string;
}

/** What a run came to: what went wrong, or nothing. */
export type Problems = readonly Problem[];

export interface Scenario {
  readonly name: string;
  /** Whether the database has no tables yet. */
  readonly isUnmigrated?: true;
  prepare(sides: Sides): Promise<void>;
  run(sides: Sides): Promise<Problems>;
  /** What a user does next, where it is not the same again. */
  next?(sides: Sides): Promise<Problems>;
}

/** Words that tell every text from all others. */
let words = 0;
const word = () => `w${++words}w`;

/** A document whose values and body have words of their own. */
export const text = (name: string, frontmatter = '') =>
  document(name, `# ${word()}\n`, `metadata:\n  tags: [${word()}]\n${frontmatter}`).replace(
    /About .*/,
    `About ${word()}.`,
  );

/** Five skills with attached files, one of them executable, one below another. */
async function fill(clone: Clone): Promise<void> {
  for (const name of ['a', 'b', 'c', 'c/d', 'e', 'f', 'g']) {
    await clone.write({ [`${name}/SKILL.md`]: text(path.basename(name)), [`${name}/x`]: word() });
  }
  await clone.write({ 'a/y/z': word(), 'a/y/gone': word() });
  fs.chmodSync(path.join(clone.folder, 'a/x'), 0o755);
}

/** Work in both directions: edits, new skills, deletions and a move on either side, and one edit on both. */
async function editBoth({ clone, connection }: Sides): Promise<void> {
  const place = (name: string) => path.join(clone.folder, name);
  await clone.write({
    'a/SKILL.md': text('a'),
    'a/y/z': word(),
    'a/new/deep/one': word(),
    'new/SKILL.md': text('new'),
    'new/x': word(),
    'g/SKILL.md': text('g'),
  });
  fs.rmSync(place('a/y/gone'));
  fs.chmodSync(place('a/x'), 0o644);
  fs.rmSync(place('e'), { recursive: true });
  fs.renameSync(place('c/d'), place('moved'));
  await connection.query(`update skills set skill_content = $1 where skill_path in ('b', 'g')`, [
    `# ${word()}\n`,
  ]);
  await connection.query(
    `update skill_files set content = $1 where skill_id =
    (select skill_id from skills where skill_path = 'b') and relative_path = 'x'`,
    [word()],
  );
  await connection.query(
    `insert into skills (skill_path, name, type, status, description, skill_content)
     values ('made', 'made', 'technical', 'active', $1, $2)`,
    [`About ${word()}.`, `# ${word()}\n`],
  );
  await connection.query(`update skills set deleted_at = now() where skill_path = 'f'`);
}

const options: RunOptions = { deletes: true, yes: true, maxDelete: 100, onConflict: 'local' };

function problemsOf({ plan, results }: Pick<RunOutcome, 'plan' | 'results'>): Problems {
  return [
    ...(plan.refusal ? [plan.refusal] : []),
    ...results.flatMap((one) => (one.ok ? [] : [one.problem])),
    ...plan.problems,
  ];
}

const syncing = (direction: 'export' | 'import' | 'sync', more: RunOptions = {}) => ({
  run: async ({ clone }: Sides) => {
    await clone.recover();
    return problemsOf(await clone.run(direction, { ...options, ...more }));
  },
});

async function prepareEdited(sides: Sides): Promise<void> {
  await fill(sides.clone);
  await syncing('sync').run(sides);
  await editBoth(sides);
}

/** The latest run's number. */
async function latestRun(connection: Connection): Promise<number> {
  const [row] = await connection.query<{ last: number }>('select max(run_id) as last from sync_runs');
  return row?.last ?? 0;
}

const planFile = 'plan.json';

const applying = (atomic: boolean) => ({
  prepare: async (sides: Sides) => {
    await prepareEdited(sides);
    await sides.clone.save(path.join(sides.project, planFile), 'sync', options);
  },
  run: async ({ clone, project }: Sides) => {
    await clone.recover();
    const applied = await clone.apply(path.join(project, planFile), { atomic });
    if (!applied.ok) return [applied.problem];
    return problemsOf(applied.value);
  },
  // What is left of a plan that was carried out in part is stale where the world went on: a sync does the rest.
  next: syncing('sync').run,
});

async function restoring({ connection }: Sides): Promise<Problems> {
  const database = new Database(connection, compileMapping([]));
  await database.beginRun({ direction: 'restore', who: 'tester', host: 'test', directory: '' });
  const [first] = await connection.query<{ revision: number }>(
    `select min(revision) as revision from skill_revisions where skill_path = 'a' and digest is not null`,
  );
  const restored = await database.restore('a', first?.revision ?? 0);
  await database.endRun({ updated: restored.ok ? 1 : 0 }, restored.ok ? null : restored.problem.reason);
  return restored.ok ? [] : [restored.problem];
}

export const scenarios: readonly Scenario[] = [
  { name: 'sync', prepare: prepareEdited, ...syncing('sync') },
  { name: 'export', prepare: prepareEdited, ...syncing('export') },
  { name: 'import', prepare: prepareEdited, ...syncing('import') },
  { name: 'first export', prepare: ({ clone }) => fill(clone), ...syncing('export') },
  {
    name: 'first import',
    prepare: async (sides) => {
      await fill(sides.clone);
      await syncing('export').run(sides);
      for (const name of ['skills', '.skill-fleet'])
        fs.rmSync(path.join(sides.project, name), { recursive: true });
    },
    ...syncing('import'),
  },
  {
    name: 'undo',
    prepare: async (sides) => {
      await prepareEdited(sides);
      await syncing('sync').run(sides);
      fs.writeFileSync(path.join(sides.project, 'run'), `${await latestRun(sides.connection)}`);
    },
    run: async ({ clone, project }) => {
      await clone.recover();
      const run = Number(fs.readFileSync(path.join(project, 'run'), 'utf8'));
      return problemsOf(await clone.undo(run, { yes: true, maxDelete: 100 }));
    },
  },
  {
    name: 'restore',
    prepare: async (sides) => {
      await prepareEdited(sides);
      await syncing('sync').run(sides);
    },
    run: restoring,
  },
  { name: 'apply', ...applying(false) },
  { name: 'apply --atomic', ...applying(true) },
  {
    name: 'prune',
    prepare: async (sides) => {
      await prepareEdited(sides);
      await syncing('sync').run(sides);
      await sides.clone.write({ 'a/SKILL.md': text('a') });
      await syncing('sync').run(sides);
    },
    run: async ({ connection }) => {
      await pruneRevisions(connection, { keepLast: 0, keepDays: 0 });
      return [];
    },
  },
  {
    name: 'migrate',
    isUnmigrated: true,
    prepare: async () => {},
    run: async ({ connection }) => {
      const migrated = await migrate(connection);
      return migrated.ok ? [] : [migrated.problem];
    },
  },
];

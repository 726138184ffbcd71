import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { runs } from '../runs.ts';
import { document } from './sides.ts';
import { type Developer, hasGit, newest, nextMoment, type Team, team } from './team.ts';

const skills = ['x', 'y'] as const;

/** What somebody does. Versions are numbered as they are made: a later one is a newer one. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      who: fc.constantFrom('first', 'second'),
      does: fc.constantFrom('edit'),
      skill: fc.constantFrom(...skills),
    }),
    fc.record({
      who: fc.constantFrom('api'),
      does: fc.constantFrom('edit'),
      skill: fc.constantFrom(...skills),
    }),
    fc.record({
      who: fc.constantFrom('first', 'second'),
      does: fc.constantFrom('push', 'pull', 'export', 'import', 'sync', 'lose base'),
      skill: fc.constantFrom('x'),
    }),
    fc.record({
      who: fc.constantFrom('job'),
      does: fc.constantFrom('export', 'sync'),
      skill: fc.constantFrom('x'),
    }),
  ),
  { minLength: 8, maxLength: 14 },
);

type Step = { readonly who: string; readonly does: string; readonly skill: string };

const versionOf = (text: string | undefined) => Number(/Version (\d+)/.exec(text ?? '')?.[1] ?? 0);
const textOf = (skill: string, version: number) => document(skill, `Version ${version}.\n`);

async function commitAll(someone: Developer): Promise<void> {
  const status = await someone.git('status', '--porcelain', '--', 'skills');
  if (status !== '') await someone.commit({}, 'imported');
}

/** Merges what others pushed; where both changed a skill, the newer version stays, as a careful person would. */
async function pull(someone: Developer): Promise<void> {
  await commitAll(someone);
  await someone.git('fetch', '--quiet', 'origin');
  await someone.git('merge', '--quiet', '-m', 'merge', 'origin/main').catch(async () => {
    for (const skill of skills) {
      const [ours, theirs] = await Promise.all(
        [2, 3].map((stage) => someone.git('show', `:${stage}:skills/${skill}/SKILL.md`).catch(() => '')),
      );
      const version = Math.max(versionOf(ours), versionOf(theirs));
      if (version > 0) await someone.write({ [`${skill}/SKILL.md`]: textOf(skill, version) });
    }
    await someone.commit({}, 'merge');
  });
}

async function push(someone: Developer): Promise<void> {
  await pull(someone);
  await someone.git('push', '--quiet', 'origin', 'HEAD:main');
}

async function versionsIn(connection: Connection): Promise<{ readonly [skill: string]: number }> {
  const rows = await connection.query<{ skill_path: string; skill_content: string }>(
    'select skill_path, skill_content from skills order by 1',
  );
  return Object.fromEntries(rows.map((row) => [row.skill_path, versionOf(row.skill_content)]));
}

async function take(step: Step, around: Team, second: Developer, version: number): Promise<void> {
  const { connection, first, join } = around;
  if (step.who === 'api') {
    await connection.query('update skills set skill_content = $1 where skill_path = $2', [
      `Version ${version}.\n`,
      step.skill,
    ]);
    await connection.query(
      'update skill_sync set revised_at = $1 where skill_id = (select skill_id from skills where skill_path = $2)',
      [nextMoment(), step.skill],
    );
    return;
  }
  const someone = step.who === 'job' ? await join() : step.who === 'first' ? first : second;
  switch (step.does) {
    case 'edit':
      return someone.commit({ [`${step.skill}/SKILL.md`]: textOf(step.skill, version) });
    case 'push':
      return push(someone);
    case 'pull':
      return pull(someone);
    case 'lose base':
      return rm(`${someone.tree}/.skill-fleet/bases`, { recursive: true, force: true });
    default:
      await someone.run(step.does as 'export' | 'import' | 'sync', newest);
      if (step.who !== 'job') await commitAll(someone);
  }
}

describe.skipIf(!hasGit)('two developers, an API and jobs, in any order', () => {
  test('never overwrite what is newer, and converge', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const around = await team('postgres');
        const { connection, first } = around;
        const second = await around.join();
        await second.run('sync', newest);
        const latest: { [skill: string]: number } = { x: 0, y: 0 };
        let before = await versionsIn(connection);
        for (const [index, step] of taken.entries()) {
          await take(step, around, second, index + 1);
          if (step.does === 'edit') latest[step.skill] = index + 1;
          const after = await versionsIn(connection);
          for (const skill of skills) expect(after[skill]).toBeGreaterThanOrEqual(before[skill] ?? 0);
          before = after;
        }
        for (let round = 0; round < 3; round++) {
          for (const someone of [first, second]) {
            await pull(someone);
            await someone.run('sync', newest);
            await push(someone);
          }
        }
        expect(await versionsIn(connection)).toEqual(latest);
        for (const someone of [first, second]) {
          for (const skill of skills) expect(versionOf(await someone.read(skill))).toBe(latest[skill]);
          expect((await someone.run('sync', { ...newest, dryRun: true })).plan.changes).toEqual([]);
        }
      }),
      { numRuns: runs(3) },
    );
  });
});

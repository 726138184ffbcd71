import { expect, test } from 'vitest';
import type { Problem } from '../../src/problem.ts';
import { makePlan } from '../../src/reconcile/plan.ts';
import { standingOf } from '../../src/reconcile/standing.ts';
import type { Snapshot, Unreadable } from '../../src/replica.ts';
import type { Digest } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import type { Status } from '../../src/skill/status.ts';

/** Skills as `path: content`, of rows with the status after a space. */
function snapshot(
  skills: { readonly [path: string]: string },
  unreadable: readonly Unreadable[] = [],
): Snapshot {
  const states = Object.entries(skills).map(([path, text], at) => {
    const [content = '', status] = text.split(' ');
    const row = status ? { row: { skillId: at + 1, revision: 1, status: status as Status } } : {};
    return [path as SkillPath, { digest: content.padEnd(64, '0') as Digest, ...row }] as const;
  });
  return { skills: new Map(states), unreadable, notices: [] };
}

const locked: Problem = { reason: 'folder-unreadable', path: 'locked', code: 'EACCES' };
const secret: Problem = { reason: 'file-unreadable', path: 'secret', file: 'x', code: 'EACCES' };
const broken: Problem = { reason: 'document-holds-nul', path: 'broken', file: 'SKILL.md', line: 1 };

test('each skill counts once, by what it takes until both sides hold it alike', () => {
  const local = snapshot(
    { same: 'a', agreed: 'a', 'z/here': 'b', here: 'b', both: 'b', there: 'a', 'case/X': 'f' },
    [
      { path: 'locked', below: true, problem: locked },
      { path: 'secret', below: false, problem: secret },
      { path: 'broken', below: false, problem: broken },
    ],
  );
  const active = (content: string) => `${content} active`;
  const remote = snapshot({
    ...{ same: active('a'), agreed: active('a'), here: active('a'), both: active('c'), there: active('c') },
    ...{
      held: 'a draft',
      'locked/x': active('a'),
      secret: active('a'),
      broken: 'a draft',
      'case/x': active('a'),
    },
    ...{ one: 'a draft', two: 'a draft', old: 'a archived', 'new/there': active('a') },
  });
  const agreedOn = ['same', 'here', 'both', 'there', 'held', 'locked/x', 'secret', 'broken'];
  const plan = makePlan({
    direction: 'sync',
    ...{ local, remote },
    base: new Map(agreedOn.map((path) => [path as SkillPath, { digest: 'a'.padEnd(64, '0') as Digest }])),
    found: new Map(),
    renames: [],
    selects: () => true,
    statuses: null,
    policy: { force: false, onConflict: 'fail', deletes: false, maxDelete: 0, yes: true },
    ...{ times: new Map(), merges: new Map() },
  });
  const { problems, ...standing } = standingOf(plan, { local, remote });
  expect(standing).toEqual({
    synced: 2,
    aheadHere: ['here', 'z/here'],
    aheadThere: ['new/there', 'there'],
    conflicts: ['both'],
    held: ['held'],
    failed: expect.arrayContaining(['broken']),
    unknown: ['locked', 'secret'],
    leftOut: { draft: 2, archived: 1 },
  });
  expect(standing.failed.filter((path) => path !== 'broken').join()).toMatch(/^case\/[xX](,case\/[xX])?$/);
  expect(Object.values(standing.leftOut).reduce((sum, count) => sum + count, 0)).toBe(plan.leftOut);
  expect(problems).toEqual(plan.problems);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConflictPolicy,
  makePlan,
  type Plan,
  type PlanInput,
  type Side,
} from '../../src/reconcile/plan.ts';
import type { SkillState, Snapshot } from '../../src/replica.ts';
import { type Digest, parseDigest } from '../../src/skill/digest.ts';
import { mergedForm, parseSkillPath, type SkillPath } from '../../src/skill/path.ts';
import { cautious } from '../sync/sides.ts';

const digests = ['a', 'b', 'c'].map((letter) => parseDigest(letter.repeat(64)) as Digest);

/** What the two sides and the base, or the history, hold at each path; null is nothing. */
type World = readonly {
  readonly path: SkillPath;
  readonly local: Digest | null;
  readonly remote: Digest | null;
  readonly base: Digest | null;
  readonly isFound: boolean;
  readonly times: readonly [number, number] | null;
}[];

const held = fc.constantFrom(null, ...digests);
const times = fc.option(fc.tuple(fc.constantFrom(0, 10_000), fc.constantFrom(0, 10_000)));

function worldsOf(...paths: readonly string[]): fc.Arbitrary<World> {
  return fc.tuple(
    ...paths.map((text) => {
      const path = parseSkillPath(text);
      if (!path.ok) throw new Error(text);
      const isFound = fc.boolean();
      return fc.record({
        path: fc.constant(path.value),
        local: held,
        remote: held,
        base: held,
        isFound,
        times,
      });
    }),
  );
}

const worlds = worldsOf('p', 'q', 'p/r', 's/t');
const mergingWorlds = worldsOf('p/Case', 'p/case', 'P/case', 'q', 'caf\u00e9', 'cafe\u0301');
const policies = fc.record({
  onConflict: fc.constantFrom<ConflictPolicy>('newest', 'local', 'database', 'fail', 'edits'),
  deletes: fc.boolean(),
});

function snapshotOf(world: World, side: 'local' | 'remote'): Snapshot {
  const row = { skillId: 1, revision: 1, status: 'active' as const };
  const skills = world.flatMap(({ path, [side]: digest }): readonly (readonly [SkillPath, SkillState])[] =>
    digest === null ? [] : [[path, side === 'remote' ? { digest, row } : { digest }]],
  );
  return { skills: new Map(skills), unreadable: [], notices: [] };
}

function planOf(
  world: World,
  policy: Partial<PlanInput['policy']>,
  direction: PlanInput['direction'] = 'sync',
): Plan {
  return makePlan({
    direction,
    local: snapshotOf(world, 'local'),
    remote: snapshotOf(world, 'remote'),
    base: new Map(
      world.flatMap(({ path, base, isFound }) => (base && !isFound ? [[path, { digest: base }]] : [])),
    ),
    found: new Map(world.flatMap(({ path, base, isFound }) => (isFound ? [[path, base] as const] : []))),
    renames: [],
    selects: () => true,
    statuses: null,
    policy: { ...cautious, yes: true, ...policy },
    merges: new Map(),
    times: new Map(
      world.flatMap(({ path, times }) =>
        times ? [[path, { files: new Date(times[0]), database: new Date(times[1]) }] as const] : [],
      ),
    ),
  });
}

/** A plan as sets of words, which have no order and name no side but by what `named` calls it. */
function words(plan: Plan, named: (side: Side) => Side = (side) => side): readonly string[] {
  const whys: { readonly [why: string]: string } = { older: 'edited' };
  return [
    ...plan.changes.map(({ path, side, why }) => `${path}: ${whys[why] ?? why} -> ${named(side)}`),
    ...plan.conflicts.map(({ path, why }) => `${path}: conflict ${why}`),
    ...plan.holds.map(({ path, side }) => `${path}: hold -> ${named(side)}`),
    ...plan.agreed.map(({ path }) => `${path}: agreed`),
    `${plan.unchanged} unchanged`,
  ].sort();
}

const otherSide = (side: Side): Side => (side === 'files' ? 'database' : 'files');
const mirrored: { readonly [P in ConflictPolicy]: ConflictPolicy } = {
  newest: 'newest',
  local: 'database',
  database: 'local',
  merge: 'merge',
  fail: 'fail',
  edits: 'edits',
};

/** What both sides and the base hold once a plan was carried out. */
function carriedOut(world: World, plan: Plan): World {
  const changes = new Map(plan.changes.map((change) => [change.path, change.after?.digest ?? null]));
  const agreed = new Set(plan.agreed.map(({ path }) => path));
  return world.map((one) => {
    const digest = changes.get(one.path);
    if (digest !== undefined) return { ...one, local: digest, remote: digest, base: digest, isFound: false };
    return agreed.has(one.path) ? { ...one, base: one.local, isFound: false } : one;
  });
}

describe('a plan', () => {
  test('is the mirror image of that of the swapped sides, under the mirrored policy', () => {
    fc.assert(
      fc.property(worlds, policies, (world, policy) => {
        const swapped = world.map(({ local, remote, times, ...rest }) => ({
          ...rest,
          local: remote,
          remote: local,
          times: times && ([times[1], times[0]] as const),
        }));
        const mirror = { ...policy, onConflict: mirrored[policy.onConflict] };
        expect(words(planOf(swapped, mirror), otherSide)).toEqual(words(planOf(world, policy)));
      }),
      { numRuns: 2000 },
    );
  });

  test('leaves nothing for a second one to change', () => {
    fc.assert(
      fc.property(worlds, policies, (world, policy) => {
        const first = planOf(world, policy);
        const after = carriedOut(world, first);
        const second = planOf(after, policy);
        expect(second.changes).toEqual([]);
        expect(second.conflicts.map(({ path }) => path)).toEqual(first.conflicts.map(({ path }) => path));
        expect(second.holds).toEqual(first.holds);
      }),
      { numRuns: 2000 },
    );
  });

  test('decides each path alone, in whatever order they come', () => {
    fc.assert(
      fc.property(worlds, policies, fc.array(fc.nat({ max: 3 })), (world, policy, order) => {
        const shuffled = [...world].sort(
          (a, b) => order.indexOf(world.indexOf(a)) - order.indexOf(world.indexOf(b)),
        );
        expect(planOf(shuffled, policy)).toEqual(planOf(world, policy));
        const alone = world.flatMap((one) =>
          words(planOf([one], policy)).filter((word) => !word.endsWith('unchanged')),
        );
        expect(alone.sort()).toEqual(
          words(planOf(world, policy)).filter((word) => !word.endsWith('unchanged')),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('never changes a side that alone moved on, nor deletes what both sides never held together', () => {
    fc.assert(
      fc.property(worlds, policies, (world, policy) => {
        for (const { path, side, after, before } of planOf(world, policy).changes) {
          const found = world.find((one) => one.path === path);
          if (!found) throw new Error(path);
          const { local, remote, base } = found;
          const [mine, other] = side === 'files' ? [local, remote] : [remote, local];
          if (other === base) expect([path, mine]).toEqual([path, base]);
          if (after === null) expect([path, before?.digest]).toEqual([path, base]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('brings no side two paths that merge unless it held both, and names each change that would', () => {
    const forcing = fc.tuple(policies, fc.boolean()).map(([policy, force]) => ({ ...policy, force }));
    const directions = fc.constantFrom<PlanInput['direction']>('sync', 'export', 'import');
    fc.assert(
      fc.property(mergingWorlds, forcing, directions, (world, policy, direction) => {
        const { changes, problems } = planOf(world, policy, direction);
        const [named, others] = [new Set<string>(), new Set<string>()];
        for (const problem of problems) {
          if (problem.reason !== 'path-collides') throw new Error(problem.reason);
          named.add(`${problem.side} ${problem.path}`);
          others.add(`${problem.side} ${problem.other}`);
        }
        const heldAfter = new Set<string>();
        for (const side of ['database', 'files'] as const) {
          const mine = new Map(changes.filter((one) => one.side === side).map((one) => [one.path, one]));
          const isHeld = (one: World[number]) => one[side === 'files' ? 'local' : 'remote'] !== null;
          const after = world.filter((one) => {
            const change = mine.get(one.path);
            return change ? change.after !== null : isHeld(one);
          });
          for (const one of after) heldAfter.add(`${side} ${one.path}`);
          const merging = after.filter((one) =>
            after.some((other) => other !== one && mergedForm(other.path) === mergedForm(one.path)),
          );
          expect(merging.filter((one) => !isHeld(one))).toEqual([]);
        }
        expect([...others].filter((other) => !heldAfter.has(other))).toEqual([]);
        const alone = world.flatMap((one) => planOf([one], policy, direction).changes);
        expect([...changes.map(({ side, path }) => `${side} ${path}`), ...named].sort()).toEqual(
          alone.map(({ side, path }) => `${side} ${path}`).sort(),
        );
      }),
      { numRuns: 3000 },
    );
  });
});

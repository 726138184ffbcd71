// What people, programs and accidents do to a library, as data: it can be printed, and taken again.

import fc from 'fast-check';
import type { ConflictPolicy } from '../../src/reconcile/plan.ts';

const conflictPolicies = [
  'newest',
  'local',
  'database',
  'merge',
  'merge',
  'fail',
  'edits',
] as const satisfies readonly ConflictPolicy[];

/** Few enough that all meet: one within another, two side by side in a folder that is no skill. */
export const skillPaths = ['a', 'a/n', 'b', 'c/d', 'c/e'] as const;

/** What moves a skill, or two at once. */
const moves = ['move', 'move', 'move and name', 'swap', 'swap and name'] as const;

/** A file where another skill, or this one, has a folder; one that is also of the skill below `a`. */
export const fileNames = ['x', 'x/w', 'n/x', 'run.sh'] as const;

const clones = fc.constantFrom(0, 0, 0, 1, 1, 2);
const skill = fc.constantFrom(...skillPaths);
const file = fc.constantFrom(...fileNames);

const handEdits = [
  ...['body', 'body', 'body', 'value', 'value', 'file', 'file', 'remove file', 'executable'],
  ...[
    'body',
    'file',
    'value',
    'delete',
    'delete document',
    'ignore',
    'ignore within',
    'heed',
    'heed',
    'heed',
  ],
  ...['break', 'mend', 'mend'],
] as const;

const sqlEdits = [
  ...['body', 'body', 'body', 'description', 'tags', 'status', 'file', 'file', 'remove file'],
  ...['insert', 'insert', 'delete', 'erase', 'revive', 'revive', 'break', 'mend', 'mend'],
] as const;

/** What comes in the middle of a run, at a moment that is counted: a statement, or an effect on the disk. */
const accidents = [
  ...['kill', 'kill', 'kill late', 'lose', 'lose late', 'fail', 'fail for good'],
  ...['hand edit', 'hand edit', 'sql edit', 'sql edit'],
] as const;

const oneOf = <const T extends readonly string[]>(all: T) => fc.constantFrom<T[number]>(...all);

const hand = (what: fc.Arbitrary<(typeof handEdits)[number] | (typeof moves)[number]>) =>
  fc.record({ hand: what, clone: clones, skill, file });
const sql = (what: fc.Arbitrary<(typeof sqlEdits)[number] | (typeof moves)[number]>) =>
  fc.record({ sql: what, skill, file, status: oneOf(['active', 'draft', 'deprecated']) });
const git = fc.record({
  git: oneOf(['commit', 'pull ours', 'pull theirs', 'pull ours', 'revert', 'clone anew', 'check out']),
  clone: clones,
  back: fc.integer({ min: 1, max: 3 }),
});
/** A run that finds nothing to do is over after a dozen. */
const moment = fc.oneof(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 60 }));

const run = fc.record({
  run: oneOf(['export', 'import', 'sync', 'sync']),
  clone: clones,
  deletes: fc.boolean(),
  force: fc.constantFrom(false, false, false, true),
  yes: fc.boolean(),
  onConflict: oneOf(conflictPolicies),
  status: fc.constantFrom(null, null, null, null, 'all' as const, 'active' as const, 'draft' as const),
  only: fc.constantFrom(null, null, null, null, 'a', 'c'),
  around: oneOf(['nothing', 'nothing', 'again', 'dry run before']),
  accident: fc.option(fc.record({ what: oneOf(accidents), at: moment, nth: fc.nat(9) }), { freq: 2 }),
});
const undo = fc.record({
  undo: oneOf(['latest', 'latest', 'an earlier one']),
  clone: clones,
  force: fc.boolean(),
  back: fc.nat(4),
});
const base = fc.record({ base: oneOf(['lose', 'keep', 'put back']), clone: clones });
const database = fc.record({ database: oneOf(['keep', 'restore']) });

const step = (moving: boolean) =>
  fc.oneof(
    { weight: 8, arbitrary: hand(oneOf(handEdits)) },
    { weight: 6, arbitrary: sql(oneOf(sqlEdits)) },
    { weight: moving ? 2 : 0, arbitrary: hand(oneOf(moves)) },
    { weight: moving ? 2 : 0, arbitrary: sql(oneOf(moves)) },
    { weight: 4, arbitrary: git },
    { weight: 10, arbitrary: run },
    { weight: 2, arbitrary: undo },
    { weight: 1, arbitrary: base },
    { weight: 1, arbitrary: database },
  );

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;

export type HandStep = Of<ReturnType<typeof hand>>;
export type SqlStep = Of<ReturnType<typeof sql>>;
export type GitStep = Of<typeof git>;
export type RunStep = Of<typeof run>;
export type Accident = NonNullable<RunStep['accident']>;
export type UndoStep = Of<typeof undo>;
export type BaseStep = Of<typeof base>;
export type Step = Of<ReturnType<typeof step>>;

/** What belongs together: an edit, and two runs of a clone that shall carry it, whatever comes in between. */
const story = fc.tuple(clones, skill).chain(([clone, of]) =>
  fc.tuple(
    fc.oneof(
      fc.record({
        hand: oneOf(['body', 'body', 'value', 'file', 'break']),
        clone: fc.constant(clone),
        skill: fc.constant(of),
        file,
      }),
      fc.record({
        sql: oneOf(['body', 'body', 'description', 'file', 'break']),
        skill: fc.constant(of),
        file,
        status: fc.constant('active' as const),
      }),
    ),
    run.map((one) => ({ ...one, clone })),
    run.map((one) => ({ ...one, clone })),
  ),
);

const part = (moving: boolean): fc.Arbitrary<readonly Step[]> =>
  fc.oneof({ weight: 3, arbitrary: step(moving).map((one) => [one]) }, { weight: 1, arbitrary: story });

/**
 * The steps of one history: the same for the same seed. In every other one nobody moves a skill: what may happen at
 * a path is then told from that path alone.
 */
export function stepsOf(seed: number, least: number, most: number): readonly Step[] {
  const history = fc.array(part(seed % 2 === 0), { minLength: least, maxLength: most, size: 'max' });
  return (fc.sample(history, { seed, numRuns: 1 })[0] ?? []).flat();
}

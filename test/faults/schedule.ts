// Who does what at once, as data: processes of the program, writers of SQL, and hands on files.

import fc from 'fast-check';

const clone = fc.nat(2);
/** When it begins, in milliseconds. */
const at = fc.nat(900);

/** Few enough that all meet; rows that are renamed take the place of others. */
export const skillPaths = ['a', 'b', 'c', 'c/d', 'e', 'new'] as const;

const skill = fc.constantFrom(...skillPaths);

const process = fc.record({
  command: fc.constantFrom(
    ...(['sync-db', 'sync-db', 'sync-db', 'sync-db', 'export-to-db', 'import-from-db', 'apply'] as const),
    ...(['restore', 'restore', 'undo', 'undo', 'prune', 'resolve', 'migrate'] as const),
  ),
  clone,
  skill,
  onConflict: fc.constantFrom('newest', 'local', 'database', 'merge'),
  deletes: fc.boolean(),
  force: fc.constantFrom(false, false, true),
  /** For locks, in seconds. */
  patience: fc.constantFrom('0.3', '20', '20'),
  at,
});

const sql = fc.record({
  sql: fc.constantFrom(
    ...(['update', 'update', 'update file', 'update tag', 'insert', 'delete', 'mark deleted'] as const),
    ...([
      'rename',
      'delete and insert',
      'select for update',
      'serializable',
      'opposite',
      'opposite',
    ] as const),
    ...(['lock table', 'create index', 'add column', 'rewrite', 'vacuum full'] as const),
  ),
  skill,
  other: skill,
  at,
  /** How long its transaction stays open, in milliseconds. */
  holdMs: fc.constantFrom(0, 20, 300, 1200),
});

const hand = fc.record({
  hand: fc.constantFrom('write', 'write', 'write', 'write file', 'take away', 'move', 'commit'),
  clone,
  skill,
  other: skill,
  at,
});

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;

export type ProcessAct = Of<typeof process>;
export type SqlAct = Of<typeof sql>;
export type HandAct = Of<typeof hand>;

/** All that happens at once. */
export interface Schedule {
  readonly processes: readonly ProcessAct[];
  readonly sqls: readonly SqlAct[];
  readonly hands: readonly HandAct[];
}

/** The same for the same seed; what comes of it also depends on who is faster. */
export function scheduleOf(seed: number, isShort: boolean): Schedule {
  const some = <T>(of: fc.Arbitrary<T>, count: number) =>
    fc.array(of, { minLength: count, maxLength: count });
  const [least, most] = isShort ? [7, 7] : [6, 14];
  const schedules = fc.integer({ min: least, max: most }).chain((count) =>
    fc.record({
      processes: some(process, count),
      sqls: some(sql, 3 * count),
      hands: some(hand, 2 * count),
    }),
  );
  const [schedule] = fc.sample(schedules, { seed, numRuns: 1 });
  if (!schedule) throw new Error('no schedule');
  return schedule;
}

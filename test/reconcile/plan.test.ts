import { describe, expect, test } from 'vitest';
import {
  type BaseEntries,
  differingWithoutBase,
  makePlan,
  type PlanInput,
  type Policy,
} from '../../src/reconcile/plan.ts';
import type { SkillState, Snapshot, Unreadable } from '../../src/replica.ts';
import { type Digest, parseDigest } from '../../src/skill/digest.ts';
import { parseSkillPath, type SkillPath } from '../../src/skill/path.ts';
import type { Status } from '../../src/skill/status.ts';
import { cautious } from '../sync/sides.ts';

function digest(letter: string): Digest {
  const parsed = parseDigest(letter.repeat(64));
  if (parsed === undefined) throw new Error(letter);
  return parsed;
}

function skillPath(text: string): SkillPath {
  const parsed = parseSkillPath(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}

type Holdings = { readonly [path: string]: string };

function snapshot(
  holdings: Holdings,
  stateOf: (letter: string) => SkillState,
  unreadable: readonly Unreadable[] = [],
): Snapshot {
  const skills = new Map(
    Object.entries(holdings).map(([path, letter]) => [skillPath(path), stateOf(letter)]),
  );
  return { skills, unreadable, notices: [] };
}

function local(holdings: Holdings, unreadable?: readonly Unreadable[]): Snapshot {
  return snapshot(holdings, (letter) => ({ digest: digest(letter) }), unreadable);
}

function remote(holdings: Holdings, status: Status = 'active', unreadable?: readonly Unreadable[]): Snapshot {
  const row = { skillId: 1, revision: 1, status };
  return snapshot(holdings, (letter) => ({ digest: digest(letter), row }), unreadable);
}

function base(holdings: Holdings): BaseEntries {
  return new Map(
    Object.entries(holdings).map(([path, letter]) => [
      skillPath(path),
      { digest: digest(letter), skillId: 1 },
    ]),
  );
}

const forcing: Policy = { ...cautious, force: true };

function plan(input: Partial<PlanInput>) {
  return makePlan({
    direction: 'sync',
    local: local({}),
    remote: remote({}),
    base: base({}),
    found: new Map(),
    renames: [],
    selects: () => true,
    statuses: null,
    policy: cautious,
    times: new Map(),
    merges: new Map(),
    ...input,
  });
}

/** A plan in a few words: `path: what`. */
function words(input: Partial<PlanInput>): readonly string[] {
  const { changes, conflicts, holds, ahead, agreed } = plan(input);
  return [
    ...changes.map(({ path, side, why }) => `${path}: ${why} -> ${side}`),
    ...conflicts.map(({ path, why }) => `${path}: conflict ${why}`),
    ...holds.map(({ path, side, why }) => `${path}: hold ${why} -> ${side}`),
    ...ahead.map(({ path, side }) => `${path}: ahead -> ${side}`),
    ...agreed.map(({ path }) => `${path}: agreed`),
  ];
}

// One path for each way in which the sides can differ.
const sides = {
  local: local({ edited: 'b', behind: 'a', both: 'b', mine: 'a', theirs: 'a', clash: 'a', same: 'c' }),
  remote: remote({ edited: 'a', behind: 'b', both: 'c', gone: 'a', added: 'a', clash: 'b', same: 'c' }),
  base: base({ edited: 'a', behind: 'a', both: 'a', gone: 'a', theirs: 'a', same: 'c' }),
};

describe('a plan by direction', () => {
  test('sync carries both ways, holds deletions and decides no conflict', () => {
    expect(words({ ...sides })).toEqual([
      'added: new -> files',
      'behind: edited -> files',
      'edited: edited -> database',
      'mine: new -> database',
      'both: conflict both-edited',
      'clash: conflict no-base',
      'gone: hold deletion -> database',
      'theirs: hold deletion -> files',
    ]);
    expect(plan({ ...sides }).unchanged).toBe(1);
  });

  test('export changes the database only, and names where that is ahead', () => {
    expect(words({ ...sides, direction: 'export' })).toEqual([
      'edited: edited -> database',
      'mine: new -> database',
      'both: conflict both-edited',
      'clash: conflict no-base',
      'gone: hold deletion -> database',
      'added: ahead -> files',
      'behind: ahead -> files',
      'theirs: ahead -> files',
    ]);
  });

  test('import changes the files only, and names where those are ahead', () => {
    expect(words({ ...sides, direction: 'import' })).toEqual([
      'added: new -> files',
      'behind: edited -> files',
      'both: conflict both-edited',
      'clash: conflict no-base',
      'theirs: hold deletion -> files',
      'edited: ahead -> database',
      'gone: ahead -> database',
      'mine: ahead -> database',
    ]);
  });

  test('a forced export overwrites what the database gained, and removes nothing', () => {
    expect(words({ ...sides, direction: 'export', policy: forcing })).toEqual([
      'behind: forced -> database',
      'both: forced -> database',
      'clash: forced -> database',
      'edited: edited -> database',
      'mine: new -> database',
      'theirs: forced -> database',
      'gone: hold deletion -> database',
      'added: ahead -> files',
    ]);
  });

  test('a forced import overwrites what the files gained, and removes nothing', () => {
    expect(words({ ...sides, direction: 'import', policy: forcing })).toEqual([
      'added: new -> files',
      'behind: edited -> files',
      'both: forced -> files',
      'clash: forced -> files',
      'edited: forced -> files',
      'gone: forced -> files',
      'theirs: hold deletion -> files',
      'mine: ahead -> database',
    ]);
  });

  test('a forced sync gives conflicts to the files, and carries the rest as ever', () => {
    expect(words({ ...sides, policy: forcing })).toEqual([
      'added: new -> files',
      'behind: edited -> files',
      'both: forced -> database',
      'clash: forced -> database',
      'edited: edited -> database',
      'mine: new -> database',
      'gone: hold deletion -> database',
      'theirs: hold deletion -> files',
    ]);
  });
});

describe('a plan without a base', () => {
  const differing = { local: local({ x: 'a', y: 'a', z: 'a' }), remote: remote({ x: 'b', y: 'b', z: 'a' }) };

  test('asks the history of just those paths where the sides differ, also where one holds nothing', () => {
    expect(differingWithoutBase({ ...differing, base: base({ y: 'a' }) }).map(({ path }) => path)).toEqual([
      'x',
    ]);
  });

  test('a file that the history holds is merely older', () => {
    expect(words({ ...differing, found: new Map([[skillPath('x'), digest('a')]]) })).toEqual([
      'x: older -> files',
      'y: conflict no-base',
      'z: agreed',
    ]);
  });

  test('one that the history holds is never exported over the newer row', () => {
    expect(
      words({ ...differing, direction: 'export', found: new Map([[skillPath('x'), digest('a')]]) }),
    ).toContain('x: ahead -> files');
  });
});

describe('what is not known is not decided', () => {
  const problem = { reason: 'folder-unreadable', path: 'locked', code: 'EACCES' } as const;

  test('a folder that cannot be read hides every path below it, and none beside it', () => {
    const unreadable = [{ path: 'locked', below: true, problem }];
    const held = { 'locked/deep/x': 'a', locked: 'a', lockedout: 'a' };
    expect(words({ local: local({}, unreadable), remote: remote(held), base: base(held) })).toEqual([
      'lockedout: hold deletion -> database',
    ]);
  });

  test('a replica that cannot be read at all decides nothing', () => {
    const unreadable = [{ path: '', below: true, problem }];
    const held = { x: 'a', 'y/z': 'a' };
    expect(words({ local: local({}, unreadable), remote: remote(held), base: base(held) })).toEqual([]);
  });

  test('one skill that cannot be read is a problem, and the others go on', () => {
    const unreadable = [{ path: 'x', below: false, problem: { ...problem, path: 'x' } }];
    const input = {
      local: local({ y: 'b' }, unreadable),
      remote: remote({ x: 'a', y: 'a' }),
      base: base({ y: 'a' }),
    };
    expect(words(input)).toEqual(['y: edited -> database']);
    expect(plan(input).problems).toEqual([{ ...problem, path: 'x' }]);
  });

  test('what one problem keeps from many skills is said once', () => {
    const unreadable = ['x', 'y'].map((path) => ({ path, below: false, problem }));
    expect(plan({ local: local({}, unreadable) }).problems).toEqual([problem]);
  });

  test('a filter leaves out paths, and their problems', () => {
    const unreadable = [{ path: 'x', below: false, problem: { ...problem, path: 'x' } }];
    const input = {
      local: local({ y: 'b', z: 'b' }, unreadable),
      selects: (path: string) => path === 'y',
    };
    expect(words(input)).toEqual(['y: new -> database']);
    expect(plan(input).problems).toEqual([]);
  });
});

describe('paths that some file systems merge', () => {
  const both = { 'dev/Case': 'a', 'dev/case': 'a' };
  const [upper, lower] = [{ 'dev/Case': 'a' }, { 'dev/case': 'a' }];
  const deleting: Policy = { ...cautious, deletes: true };
  const broken = { reason: 'folder-unreadable', path: 'dev/Case', code: 'EACCES' } as const;
  const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];

  test.each<[string, Partial<PlanInput>, readonly string[], readonly string[]]>([
    [
      'of two new ones the first is planned',
      { local: local(both) },
      ['dev/Case: new -> database'],
      ['dev/case, dev/Case: database'],
    ],
    [
      'of three too, and of others all',
      { local: local({ ...both, 'DEV/CASE': 'a', [composed]: 'a', [decomposed]: 'a', x: 'a' }) },
      ['DEV/CASE: new -> database', `${decomposed}: new -> database`, 'x: new -> database'],
      [
        `${composed}, ${decomposed}: database`,
        'dev/Case, DEV/CASE: database',
        'dev/case, DEV/CASE: database',
      ],
    ],
    [
      'what stands keeps its place, on either side',
      { local: local(lower), remote: remote(upper) },
      [],
      ['dev/case, dev/Case: database', 'dev/Case, dev/case: files'],
    ],
    [
      'what a side holds already is left alone',
      { local: local({ 'dev/Case': 'b', 'dev/case': 'b' }), remote: remote(both), base: base(both) },
      ['dev/Case: edited -> database', 'dev/case: edited -> database'],
      [],
    ],
    [
      'a third one joins them nowhere',
      { local: local({ ...both, 'dev/CASE': 'a' }), remote: remote(both), base: base(both) },
      [],
      ['dev/CASE, dev/Case: database'],
    ],
    [
      'a rename by case waits for its removal',
      { local: local(lower), remote: remote(upper), base: base(upper) },
      ['dev/Case: hold deletion -> database'],
      ['dev/case, dev/Case: database'],
    ],
    [
      'and goes with it',
      { local: local(lower), remote: remote(upper), base: base(upper), policy: deleting },
      ['dev/Case: deleted -> database', 'dev/case: new -> database'],
      [],
    ],
    [
      'a skill that cannot be read stands there all the same',
      {
        local: local(lower),
        remote: remote({}, 'active', [{ path: 'dev/Case', below: false, problem: broken }]),
      },
      [],
      ['folder-unreadable', 'dev/case, dev/Case: database'],
    ],
    [
      'and so does a row that its status leaves out',
      { local: local(lower), remote: remote(upper, 'draft') },
      [],
      ['dev/case, dev/Case: database'],
    ],
    [
      'force brings none back',
      {
        direction: 'import',
        local: local(lower),
        remote: remote(upper),
        base: base(upper),
        policy: forcing,
      },
      ['dev/case: ahead -> database'],
      ['dev/Case, dev/case: files'],
    ],
    [
      'nor does an edit that wins over a deletion',
      {
        local: local(lower),
        remote: remote({ 'dev/Case': 'b' }),
        base: base(upper),
        policy: { ...cautious, onConflict: 'edits' },
      },
      [],
      ['dev/case, dev/Case: database', 'dev/Case, dev/case: files'],
    ],
  ])('%s', (_, input, expected, problems) => {
    expect(words(input)).toEqual(expected);
    expect(
      plan(input).problems.map((problem) =>
        problem.reason === 'path-collides'
          ? `${problem.path}, ${problem.other}: ${problem.side}`
          : problem.reason,
      ),
    ).toEqual(problems);
  });
});

describe('which rows take part', () => {
  const rows = (status: Status) => ({
    local: local({ both: 'a', edited: 'b' }),
    remote: remote({ both: 'b', edited: 'a', only: 'a' }, status),
    base: base({ both: 'a', edited: 'a' }),
  });

  test.each<[Status, readonly string[]]>([
    ['active', ['both: edited -> files', 'edited: edited -> database', 'only: new -> files']],
    ['draft', ['both: edited -> files', 'edited: edited -> database']],
    ['archived', ['both: edited -> files', 'edited: edited -> database']],
  ])('without --status, %s rows do where the files or the base hold them', (status, expected) => {
    expect(words(rows(status))).toEqual(expected);
    expect(plan(rows(status)).leftOut).toBe(3 - expected.length);
  });

  test('--status selects strictly', () => {
    expect(words({ ...rows('draft'), statuses: new Set<Status>(['draft']) })).toHaveLength(3);
    expect(words({ ...rows('draft'), statuses: new Set<Status>(['active']) })).toEqual([]);
  });

  test('an export compares with rows of any status, and names as ahead what an import would take', () => {
    const input = { ...rows('draft'), direction: 'export' } as const;
    expect(words(input)).toEqual(['edited: edited -> database', 'both: ahead -> files']);
    expect(plan(input).leftOut).toBe(0);
    expect(words({ ...rows('active'), direction: 'export' })).toContain('only: ahead -> files');
  });
});

describe('a conflict', () => {
  const conflicting = {
    local: local({ both: 'b', unbased: 'b', kept: 'b' }),
    remote: remote({ both: 'c', unbased: 'c', revived: 'b' }),
    base: base({ both: 'a', kept: 'a', revived: 'a' }),
  };
  const decided = (
    onConflict: Policy['onConflict'],
    times: readonly [files: string | null, database: string | null],
  ) =>
    words({
      ...conflicting,
      policy: { ...cautious, onConflict },
      times: new Map(
        ['both', 'unbased'].map((path) => [
          skillPath(path),
          {
            files: times[0] === null ? null : new Date(times[0]),
            database: times[1] === null ? null : new Date(times[1]),
          },
        ]),
      ),
    });
  const edits = ['kept: edit-over-deletion -> database', 'revived: edit-over-deletion -> files'];
  const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:03Z'];

  test.each<[Policy['onConflict'], Parameters<typeof decided>[1], readonly string[]]>([
    ['newest', [late, early], ['both: newer -> database', ...edits, 'unbased: conflict no-base']],
    ['newest', [early, late], ['both: newer -> files', ...edits, 'unbased: conflict no-base']],
    ['newest', [early, early], [...edits, 'both: conflict both-edited', 'unbased: conflict no-base']],
    ['newest', [null, late], [...edits, 'both: conflict both-edited', 'unbased: conflict no-base']],
    ['newest', [late, null], [...edits, 'both: conflict both-edited', 'unbased: conflict no-base']],
    ['local', [early, late], ['both: preferred -> database', ...edits, 'unbased: preferred -> database']],
    ['database', [late, early], ['both: preferred -> files', ...edits, 'unbased: preferred -> files']],
    ['edits', [late, early], [...edits, 'both: conflict both-edited', 'unbased: conflict no-base']],
    [
      'fail',
      [late, early],
      [
        'both: conflict both-edited',
        'kept: conflict edited-and-deleted',
        'revived: conflict edited-and-deleted',
        'unbased: conflict no-base',
      ],
    ],
  ])('under %s, changed at %s', (policy, times, expected) => {
    expect(decided(policy, times)).toEqual(expected);
  });

  test('that a direction does not carry is ahead on the other side', () => {
    const policy: Policy = { ...cautious, onConflict: 'edits' };
    expect(words({ ...conflicting, policy, direction: 'export' })).toContain('revived: ahead -> files');
    expect(words({ ...conflicting, policy, direction: 'import' })).toContain('kept: ahead -> database');
  });
});

describe('deletions', () => {
  const many = (count: number, letter = 'a') =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, letter]));
  const deleting: Policy = { ...cautious, deletes: true };
  const lacking = (present: number, all: number): Partial<PlanInput> => ({
    local: local(many(present)),
    remote: remote(many(all)),
    base: base(many(all)),
  });

  test('are carried out as asked, each in its direction', () => {
    expect(words({ ...sides, policy: deleting })).toEqual(
      expect.arrayContaining(['gone: deleted -> database', 'theirs: deleted -> files']),
    );
    expect(words({ ...sides, policy: deleting, direction: 'export' })).toContain('theirs: ahead -> files');
  });

  test.each<[present: number, all: number, policy: Partial<Policy>, refused: boolean]>([
    [1, 4, {}, false],
    [1, 5, {}, true],
    [12, 16, {}, false],
    [11, 16, {}, true],
    [11, 16, { maxDelete: 50 }, false],
    [11, 16, { maxDelete: 0 }, true],
    [11, 16, { yes: true }, false],
    [11, 16, { deletes: false }, false],
  ])('that leave %i of %i, under %o, are refused: %s', (present, all, more, refused) => {
    const input = { ...lacking(present, all), policy: { ...deleting, ...more } };
    const { refusal } = plan(input);
    expect(refusal).toEqual(
      refused
        ? {
            reason: 'too-many-deletions',
            side: 'database',
            count: all - present,
            total: all,
            limit: more.maxDelete ?? 25,
          }
        : null,
    );
    const swapped = { ...input, local: local(many(all)), remote: remote(many(present)) };
    expect(plan(swapped).refusal?.reason).toBe(refusal?.reason);
  });

  test.each(['sync', 'export', 'import'] as const)(
    'of everything stop a run, held or not: %s',
    (direction) => {
      const emptied = { direction, local: local({}), remote: remote(many(2)), base: base(many(2)) };
      expect(plan(emptied).refusal).toEqual({ reason: 'side-emptied', side: 'files', count: 2 });
      expect(plan({ ...emptied, policy: { ...cautious, yes: true } }).refusal).toBeNull();
      expect(plan({ ...emptied, local: local(many(2)), remote: remote({}) }).refusal).toEqual({
        reason: 'side-emptied',
        side: 'database',
        count: 2,
      });
      expect(plan({ ...emptied, base: base({}) }).refusal).toBeNull();
    },
  );

  test('of all that both sides agreed on, with others in their place, stop a run too', () => {
    const exchanged = { local: local({ other: 'a' }), remote: remote(many(2)), base: base(many(2)) };
    expect(plan(exchanged).refusal).toEqual({ reason: 'side-exchanged', side: 'files', count: 2 });
    expect(plan({ ...exchanged, policy: { ...cautious, yes: true } }).refusal).toBeNull();
    expect(plan({ ...exchanged, local: local({ other: 'a', s1: 'b' }) }).refusal).toBeNull();
    expect(plan({ ...exchanged, base: base(many(1)) }).refusal).toBeNull();
  });

  test('are never planned of what both sides did not hold together', () => {
    const input = { local: local({ mine: 'a' }), remote: remote({ theirs: 'a' }), policy: deleting };
    expect(words(input)).toEqual(['mine: new -> database', 'theirs: new -> files']);
  });

  test('an overwrite of more than half of ten is refused, and of fewer is not', () => {
    const overwriting = (count: number, total: number): Partial<PlanInput> => ({
      direction: 'export',
      local: local({ ...many(total), ...many(count, 'b') }),
      remote: remote({ ...many(total), ...many(count, 'c') }),
      base: base(many(total)),
      policy: forcing,
    });
    expect(plan(overwriting(6, 10)).refusal).toEqual({
      reason: 'too-many-overwritten',
      side: 'database',
      count: 6,
      total: 10,
    });
    expect(plan({ ...overwriting(6, 10), policy: { ...forcing, yes: true } }).refusal).toBeNull();
    expect(plan(overwriting(5, 10)).refusal).toBeNull();
    expect(plan(overwriting(9, 9)).refusal).toBeNull();
  });
});

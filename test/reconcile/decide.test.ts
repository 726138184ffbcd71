import { describe, expect, test } from 'vitest';
import { type Decision, decide, type Held, type Known } from '../../src/reconcile/decide.ts';
import { parseDigest } from '../../src/skill/digest.ts';

function digest(letter: string): NonNullable<Held> {
  const parsed = parseDigest(letter.repeat(64));
  if (parsed === undefined) throw new Error(letter);
  return parsed;
}

const [a, b, c] = ['a', 'b', 'c'].map(digest) as [Held, Held, Held];

describe('decide', () => {
  // The whole small world: every way in which three digests can be equal, different or absent.
  const table: readonly (readonly [local: Known, remote: Known, base: Held, decision: Decision])[] = [
    [null, null, null, 'unchanged'],
    [a, a, a, 'unchanged'],
    [a, a, null, 'agreed'],
    [a, a, b, 'agreed'],
    [null, null, a, 'agreed'],
    [b, a, a, 'change-database'],
    [a, null, null, 'change-database'],
    [null, a, a, 'change-database'],
    [a, b, a, 'change-files'],
    [null, a, null, 'change-files'],
    [a, null, a, 'change-files'],
    [a, b, null, 'conflict'],
    [a, b, c, 'conflict'],
    [a, null, b, 'conflict'],
    [null, a, b, 'conflict'],
  ];

  test.each(table)('local %s, remote %s, base %s: %s', (local, remote, base, decision) => {
    expect(decide(local, remote, base)).toBe(decision);
  });

  const held = [null, a, b, c];
  const everything = held.flatMap((local) =>
    held.flatMap((remote) => held.map((base) => [local, remote, base] as const)),
  );

  test('an unknown side is never decided, whatever the other side and the base hold', () => {
    for (const [other, , base] of everything) {
      expect(decide('unknown', other, base)).toBe('undecided');
      expect(decide(other, 'unknown', base)).toBe('undecided');
    }
    expect(decide('unknown', 'unknown', null)).toBe('undecided');
  });

  test('swapping the sides swaps the decision', () => {
    const swapped: Partial<Record<Decision, Decision>> = {
      'change-database': 'change-files',
      'change-files': 'change-database',
    };
    for (const [local, remote, base] of everything) {
      const decision = decide(local, remote, base);
      expect(decide(remote, local, base)).toBe(swapped[decision] ?? decision);
    }
  });

  test('a side that did not leave the base is never a conflict, and never wins', () => {
    for (const [local, remote, base] of everything) {
      if (local === base && remote !== base) expect(decide(local, remote, base)).toBe('change-files');
      if (remote === base && local !== base) expect(decide(local, remote, base)).toBe('change-database');
    }
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globMatcher } from '../../src/skill/glob.ts';

describe('a glob', () => {
  test.each<[glob: string, path: string, matches: boolean]>([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/b', 'x/a/b', false],
    ['a', 'A', false],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['a/*', 'a', false],
    ['a/*/c', 'a/b/c', true],
    ['py*', 'python', true],
    ['py*', 'py', true],
    ['*-py', 'azure-cosmos-py', true],
    ['*-py', 'py-azure', false],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'abde', false],
    ['teams/**', 'teams', true],
    ['teams/**', 'teams/a/b', true],
    ['teams/**', 'team/a', false],
    ['**', 'a/b/c', true],
    ['**/skills/*', 'skills/a', true],
    ['**/skills/*', 'plugins/x/skills/a', true],
    ['**/skills/*', 'plugins/x/skills/a/b', false],
    ['a/**/b/**/c', 'a/b/x/b/y/c', true],
    ['a/**/b/**/c', 'a/x/y/c', false],
    ['a**', 'abc', true],
    ['a**', 'a/b', false],
    ['**', '.hidden/a', true],
    ['c++/[x]/(y)/{z}', 'c++/[x]/(y)/{z}', true],
    ['[ab]', 'a', false],
  ])('%s against %s: %s', (glob, path, matches) => {
    expect(globMatcher(glob)(path)).toBe(matches);
  });

  test('takes no exponential time', () => {
    expect(globMatcher(`${'*a'.repeat(100)}*b`)('a'.repeat(500))).toBe(false);
    expect(globMatcher(`${'**/a/'.repeat(60)}b`)('a/'.repeat(250))).toBe(false);
  });

  const path = fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1, maxLength: 5 });
  const glob = fc.array(fc.oneof(fc.constant('**'), fc.stringMatching(/^[ab*]{1,4}$/)), {
    minLength: 1,
    maxLength: 5,
  });

  /** The meaning of a star spelled out: it takes nothing, or one item and stands again. */
  function means(pattern: readonly string[], items: readonly string[], star: string): boolean {
    const [first, ...rest] = pattern;
    if (first === undefined) return items.length === 0;
    if (first === star) {
      return means(rest, items, star) || (items.length > 0 && means(pattern, items.slice(1), star));
    }
    const [item, ...others] = items;
    if (item === undefined) return false;
    return (star === '*' ? first === item : means([...first], [...item], '*')) && means(rest, others, star);
  }

  test('means what its stars mean', () => {
    fc.assert(
      fc.property(glob, path, (wanted, segments) => {
        expect(globMatcher(wanted.join('/'))(segments.join('/'))).toBe(means(wanted, segments, '**'));
      }),
    );
  });
});

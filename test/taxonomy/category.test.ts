import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineage, parseCategoryPath } from '../../src/taxonomy/category.ts';

describe('a category path', () => {
  test.each<[text: string, path: string | undefined]>([
    ['development/languages/python', 'development/languages/python'],
    ['Development/Languages', 'development/languages'],
    ['Code Review', 'code-review'],
    ['code_review', 'code-review'],
    ['code -_ review', 'code-review'],
    ['_private_', 'private'],
    ['/data//ml/', 'data/ml'],
    [' data / ml ', 'data/ml'],
    ['c++/c#/.net', 'c++/c#/.net'],
    ['Ünïcode', 'ünïcode'],
    ['u\u0308', 'ü'],
    ['two\nlines', 'two-lines'],
    ['', undefined],
    ['/', undefined],
    ['-', undefined],
    ['bell\u0007', undefined],
    ['\ud800', undefined],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['x'.repeat(129), undefined],
    ['😀'.repeat(128), '😀'.repeat(128)],
    [`${'x/'.repeat(31)}x`, `${'x/'.repeat(31)}x`],
    [`${'x/'.repeat(32)}x`, undefined],
    [`${'x'.repeat(127)}/`.repeat(4), `${'x'.repeat(127)}/`.repeat(4).slice(0, -1)],
    [`${`${'x'.repeat(127)}/`.repeat(4)}yy`, undefined],
    [`a${' '.repeat(3000)}b`, undefined],
  ])('of %j is %j', (text, path) => {
    expect(parseCategoryPath(text)).toBe(path);
  });

  test('stays the same when it is parsed again', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'aB/ _-.İÅ\u0301') }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const path = parseCategoryPath(text);
        if (path !== undefined) expect(parseCategoryPath(path)).toBe(path);
      }),
      { numRuns: 1000 },
    );
  });
});

test('the lineage of a category is its ancestors and itself', () => {
  expect(lineage('data/databases/redis')).toEqual(['data', 'data/databases', 'data/databases/redis']);
  expect(lineage('data')).toEqual(['data']);
});

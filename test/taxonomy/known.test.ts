import { describe, expect, test } from 'vitest';
import { findCategory, indexCategories } from '../../src/taxonomy/known.ts';

const known = indexCategories([
  'development',
  'development/languages',
  'development/languages/python',
  'development/Code_Review',
  'development/practices/testing',
  'quality/testing',
  'operations/kubernetes',
  'operations/k8s',
  'testing/javascript',
  'web/javascript',
  'react',
  'tools/deep/react',
  '',
]);

describe('a key finds', () => {
  test.each<[key: string, path: string | undefined, why: string]>([
    ['development', 'development', 'a whole path'],
    ['development/languages/python', 'development/languages/python', 'a whole path'],
    ['python', 'development/languages/python', 'a last segment'],
    ['languages/python', 'development/languages/python', 'last segments'],
    ['languages', 'development/languages', 'the last segment of an inner category'],
    ['development/python', undefined, 'no segments that stand apart'],
    ['pyth', undefined, 'no piece of a segment'],
    ['py', 'development/languages/python', 'another name'],
    ['languages/py', 'development/languages/python', 'another name of a part'],
    ['development/languages/py', 'development/languages/python', 'another name of a whole path'],
    ['code-review', 'development/Code_Review', 'the path as it was given'],
    ['testing', undefined, 'nothing where two categories end so'],
    ['practices/testing', 'development/practices/testing', 'a part that is long enough to be the only one'],
    ['k8s', 'operations/k8s', 'a name before another name'],
    ['js', undefined, 'nothing where two categories have that other name'],
    ['react', 'react', 'a whole path before a part'],
    ['', undefined, 'nothing'],
  ])('%s: %s, %s', (key, path) => {
    expect(findCategory(key, known)).toBe(path);
  });
});

test('of categories that differ only in spelling the first in order is found, however they come', () => {
  const spellings = ['Data/ML', 'data/ml', 'DATA/ml'];
  for (const paths of [spellings, spellings.toReversed()]) {
    expect(findCategory('data/ml', indexCategories(paths))).toBe('DATA/ml');
    expect(findCategory('ml', indexCategories(paths))).toBe('DATA/ml');
  }
});

test('a part that two categories share is not another name of a third', () => {
  expect(findCategory('py', indexCategories(['one/py', 'two/py', 'languages/python']))).toBeUndefined();
});

import path from 'node:path';
import { describe, expect, test } from 'vitest';

interface Row {
  readonly measure: string;
  readonly [detail: string]: unknown;
}
interface Table {
  tableOf(rows: readonly Row[]): string;
  growthOf(rows: readonly Row[]): readonly Row[];
}
const { tableOf, growthOf }: Table = await import(path.join(import.meta.dirname, '../../bench/table.mjs'));

const row = (measure: string, more: object = {}): Row => ({
  ...{
    measure,
    skills: 1000,
    database: 'Postgres',
    floorName: 'floor',
    program: [3, 9, 2],
    floor: [1, 2, 8],
  },
  ...more,
});

/** The last cells: what it comes to, what was to be reached, whether it was. */
const verdictOf = (one: Row) =>
  tableOf([one])
    .split('\n')
    .at(-1)
    ?.split('|')
    .slice(-4, -1)
    .map((cell) => cell.trim());

describe('the table', () => {
  test.each<[string, object, readonly string[]]>([
    ['a ratio of medians that is reached', { reach: { ratio: 1.5 } }, ['1.50 ×', '1.5 ×', 'yes']],
    ['one that is not', { reach: { ratio: 1.4 } }, ['1.50 ×', '1.4 ×', 'no']],
    ['a difference', { reach: { above: 0.9 } }, ['1.00 s above', '0.9 s above', 'no']],
    ['nothing to reach', {}, ['1.50 ×', '', '']],
    ['no floor', { floor: [], reach: { ratio: 2 } }, ['', '2 ×', '']],
    ['what took too long', { over: 60, program: [], reach: { ratio: 2 } }, ['over 60 s', '2 ×', 'no']],
    ['a round that took too long', { over: 60, reach: { ratio: 2 } }, ['1.50 ×', '2 ×', 'yes']],
    ['what had no time left', { over: 0, program: [] }, ['no time left', '', '']],
  ])('says of %s', (_, more, verdict) => {
    expect(verdictOf(row('sync', more))).toEqual(verdict);
  });
});

describe('the growth', () => {
  const large = row('sync', { skills: 10_000, program: [30] });

  test('is that of a measure between the smallest library and the largest, beside linear', () => {
    const between = row('sync', { skills: 5000, program: [1] });
    expect(growthOf([row('sync'), between, large, row('list')])).toMatchObject([
      { measure: 'growth: sync, 1000 to 10000 skills', note: '1.00 × linear', isWithin: true },
    ]);
    expect(growthOf([row('sync', { program: [2] }), large])).toMatchObject([{ isWithin: false }]);
  });

  test('is told for each database', () => {
    expect(growthOf([row('sync'), { ...large, database: 'embedded' }])).toEqual([]);
  });
});

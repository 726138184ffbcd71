import { describe, expect, test } from 'vitest';
import { jsonText, ListedJson } from '../../src/report/json.ts';

describe('an object whose list is written as it comes', () => {
  const hard = { text: 'a\nb\u2028c::"]', list: [1, { a: [] }] };

  test.each<[what: string, parts: readonly (readonly object[])[]]>([
    ['nothing', []],
    ['empty parts', [[], []]],
    ['one item', [[hard]]],
    ['items one by one and together', [[hard], [], [{ b: 2 }, hard], [{ c: null }]]],
  ])('is that of jsonText: %s', (_, parts) => {
    let written = '';
    const json = new ListedJson(
      (text) => {
        written += text;
      },
      { target: 'spec' },
      'items',
    );
    for (const items of parts) json.add(items);
    const before = written.length;
    json.end({ count: 1, exitCode: 0 });
    expect(written).toBe(jsonText({ target: 'spec', items: parts.flat(), count: 1, exitCode: 0 }));
    expect(before > 0).toBe(parts.flat().length > 0);
  });
});

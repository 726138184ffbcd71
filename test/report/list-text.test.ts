import { expect, test } from 'vitest';
import { chooseColors } from '../../src/report/colors.ts';
import { cut, padded, widthOf } from '../../src/report/columns.ts';
import { listLines, listTable } from '../../src/report/list-text.ts';

const plain = chooseColors(false, {}, true);

const skill = {
  skill_path: 'a/x',
  name: 'x',
  description: 'What x\n does.',
  status: 'active',
  category: 'data',
  category_reason: 'folder "data"',
};
const orphan = { ...skill, skill_path: 'a/long', status: 'draft', category: null, category_reason: null };
const wide = { ...skill, skill_path: '工具/茶', name: '茶', description: 'お茶をいれる。毎日。🍵' };
const hostile = { ...skill, skill_path: 'a/\u202ex', name: '\u001b[2J', description: '\u001b]0;title\u0007' };

test('a list has a line a skill, and counts them', () => {
  expect(listLines([skill, orphan], 2, plain)).toBe(
    'a/x     active      data (folder)\na/long  draft       (no category)\n2 skills\n',
  );
  expect(listLines([skill, wide], 7, plain)).toBe(
    'a/x      active      data (folder)\n工具/茶  active      data (folder)\n2 of 7 skills\n',
  );
  expect(listLines([], 0, plain)).toBe('0 skills\n');
});

test('a table cuts what is wider than the terminal, but no path', () => {
  const table = (columns: number) => listTable([skill, orphan, wide, hostile], 4, columns, plain).split('\n');
  expect(table(80)).toEqual([
    'PATH         NAME       CATEGORY       STATUS  DESCRIPTION',
    'a/x          x          data (folder)  active  What x does.',
    'a/long       x          (no category)  draft   What x does.',
    '工具/茶      茶         data (folder)  active  お茶をいれる。毎日。🍵',
    'a/\\u{202e}x  \\u{1b}[2J  data (folder)  active  \\u{1b}]0;title\\u{7}',
    '4 skills',
    '',
  ]);
  expect(table(60).slice(3, 5)).toEqual([
    '工具/茶      茶         data (folder)  active  お茶をいれる…',
    'a/\\u{202e}x  \\u{1b}[2J  data (folder)  active  \\u{1b}]0;tit…',
  ]);
  expect([45, 44, 34, 33, 5].map((columns) => table(columns)[4])).toEqual([
    'a/\\u{202e}x  \\u{1b}[2J  data (folder)  active',
    'a/\\u{202e}x  data (folder)  active',
    'a/\\u{202e}x  data (folder)  active',
    'a/\\u{202e}x  active  \\u{1b}]0;ti…',
    'a/\\u{202e}x  active',
  ]);
  for (const columns of [55, 30, 20]) {
    for (const line of table(columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  }
  expect(listTable([], 3, 80, plain)).toBe('0 of 3 skills\n');
});

test.each([
  ['plain', 5, 'plain', 'pla…'],
  ['日本語', 6, '日本語', '日本…'],
  ['e\u0301te\u0301', 3, 'e\u0301te\u0301', 'e\u0301…'],
  ['👩‍👩‍👧 ok', 5, '👩‍👩‍👧 ok', '👩‍👩‍👧…'],
  ['', 0, '', ''],
])('%j is %i wide', (text, width, whole, less) => {
  expect([widthOf(text), cut(text, width), cut(text, Math.max(width - 1, 0))]).toEqual([width, whole, less]);
  expect(widthOf(padded(text, 9))).toBe(9);
});

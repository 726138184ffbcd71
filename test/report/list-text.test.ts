import { expect, test } from 'vitest';
import { chooseColors } from '../../src/report/colors.ts';
import { cut, hanging, padded, widthOf } from '../../src/report/columns.ts';
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
  expect([69, 68, 57].map((columns) => table(columns)[4])).toEqual([
    'a/\\u{202e}x  \\u{1b}[2J  data (folder)  active  \\u{1b}]0;title\\u{7}',
    'a/\\u{202e}x  data (folder)  active  \\u{1b}]0;title\\u{7}',
    'a/\\u{202e}x  active  \\u{1b}]0;title\\u{7}',
  ]);
  expect(table(33).slice(3, 5)).toEqual([
    '工具/茶      active  お茶をいれ…',
    'a/\\u{202e}x  active  \\u{1b}]0;ti…',
  ]);
  expect(table(31)[4]).toBe('a/\\u{202e}x  active');
  for (const columns of [55, 30, 24]) {
    for (const line of table(columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  }
  expect(listTable([], 3, 80, plain)).toBe('0 of 3 skills\n');
});

test('a category gives way to the description, and one long path takes nothing from the others', () => {
  const description = 'Writes the notes of a release out of what was merged since the last one.';
  const category = 'development/languages/python';
  const usual = { ...skill, skill_path: `${category}/async`, category, description };
  const long = { ...skill, skill_path: `${category}/${'web/'.repeat(14)}x`, category, description };
  expect(listTable([usual, long], 2, 80, plain).split('\n')).toEqual([
    'PATH                                      STATUS  DESCRIPTION',
    'development/languages/python/async        active  Writes the notes of a release…',
    `${long.skill_path}`,
    '                                          active  Writes the notes of a release…',
    '2 skills',
    '',
  ]);
  expect(listTable([usual], 1, 80, plain).split('\n')[1]).toBe(
    'development/languages/python/async  active  Writes the notes of a release out o…',
  );
});

const words = 'one two three four five six seven eight nine ten';

test.each([
  ['nowhere, where no terminal is', 'name  ', words, undefined, [`name  ${words}`]],
  ['nowhere, where it fits', 'name  ', words, 54, [`name  ${words}`]],
  [
    'between words, below the text',
    'name  ',
    words,
    40,
    ['name  one two three four five six seven', '      eight nine ten'],
  ],
  [
    'in the next line, where little room is left',
    '7  2026-01-31 12:00:00Z  ',
    words,
    44,
    ['7  2026-01-31 12:00:00Z', '   one two three four five six seven eight', '   nine ten'],
  ],
  [
    'in its head, where that is wider',
    `7  2026-01-31 12:00:00Z  who@some.example.com  `,
    'done',
    40,
    ['7  2026-01-31 12:00:00Z', '   who@some.example.com', '   done'],
  ],
  [
    'beside a word that is wider',
    'a  ',
    `x ${'y'.repeat(50)} z`,
    40,
    ['a  x', `   ${'y'.repeat(50)}`, '   z'],
  ],
  [
    'by places',
    'a  ',
    '日本語 日本語 日本語 日本語 日本語 日本語',
    40,
    ['a  日本語 日本語 日本語 日本語 日本語', '   日本語'],
  ],
] as const)('text is broken %s', (_, head, text, width, lines) => {
  expect(hanging(head, text, width, 3).split('\n')).toEqual(lines);
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

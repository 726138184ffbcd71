import { expect, test } from 'vitest';
import { categoryText } from '../../src/report/category-text.ts';
import { chooseColors } from '../../src/report/colors.ts';
import { counted } from '../../src/report/counted.ts';
import { diffLines } from '../../src/report/diff-text.ts';
import { listLines } from '../../src/report/list-text.ts';
import { noticeLines } from '../../src/report/notice-text.ts';
import { problemLines, warningLine } from '../../src/report/problem-text.ts';
import { printable, printableLine } from '../../src/report/terminal-text.ts';

const plain = chooseColors(false, {}, true);

test.each([
  ['tab\tand\nline', 'tab\tand\nline', 'tab\\tand\\nline'],
  ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}', '\\u{1b}[31mred\\u{7}'],
  ['carriage\rreturn', 'carriage\\u{d}return', 'carriage\\u{d}return'],
  ['right\u202eleft', 'right\\u{202e}left', 'right\\u{202e}left'],
  ['Ümlaut 😀 ok', 'Ümlaut 😀 ok', 'Ümlaut 😀 ok'],
])('%j never reaches a terminal raw', (text, many, one) => {
  expect(printable(text)).toBe(many);
  expect(printableLine(text)).toBe(one);
});

test.each<readonly [boolean | undefined, { readonly [name: string]: string }, boolean, boolean]>([
  [undefined, {}, true, true],
  [undefined, {}, false, false],
  [undefined, { TERM: 'dumb' }, true, false],
  [undefined, { NO_COLOR: '1' }, true, false],
  [undefined, { FORCE_COLOR: '1' }, false, true],
  [undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  [false, { FORCE_COLOR: '1' }, true, false],
])('--no-color %s, %j, a terminal %s: colour %s', (flag, env, isTerminal, expected) => {
  expect(chooseColors(flag, env, isTerminal).isColorSupported).toBe(expected);
});

test('a diff is coloured by line, and cannot steer the terminal', () => {
  const colors = chooseColors(undefined, { FORCE_COLOR: '1' }, false);
  expect(diffLines('--- a\n+++ b\n@@ -1 +1 @@\n-\u001b[2J\n+x\n y\n', colors)).toBe(
    [
      `  ${colors.bold('--- a')}`,
      `  ${colors.bold('+++ b')}`,
      `  ${colors.cyan('@@ -1 +1 @@')}`,
      `  ${colors.red('-\\u{1b}[2J')}`,
      `  ${colors.green('+x')}`,
      '   y',
      '',
    ].join('\n'),
  );
});

test('a problem says what is wrong, then what to do', () => {
  expect(problemLines({ reason: 'skills-directory-not-found', directory: 'a\nb' }, plain)).toBe(
    'error: Skills directory not found: a\\nb\n  Pass --skills-dir DIR, or set SKILLS_DIR.\n',
  );
});

test.each([
  ['a/Case', 'a/case', '"a/Case" and "a/case"'],
  ['caf\u00e9', 'cafe\u0301', '"caf\\u{e9}" and "cafe\\u{301}"'],
])('two names that some file systems merge are told apart', (other, path, names) => {
  expect(problemLines({ reason: 'path-collides', path, other, side: 'files' }, plain)).toContain(names);
  expect(problemLines({ reason: 'files-collide', path: 'a', file: path, other }, plain)).toContain(names);
});

test('a warning names its place', () => {
  const warning = { code: 'version-is-a-number', text: '1.0', line: 3, column: 10 } as const;
  expect(warningLine('a/x', warning, plain)).toBe(
    'warning: a/x/SKILL.md:3:10 the version 1.0 is a number to other readers: quote it\n',
  );
});

test('a notice counts, and names under --verbose', () => {
  const notice = { notice: 'links', count: 3, paths: ['a/l', 'b/l'] } as const;
  expect(noticeLines(notice, false)).toBe('note: 3 symbolic links neither followed nor synced\n');
  expect(noticeLines(notice, true)).toBe(
    'note: 3 symbolic links neither followed nor synced\n  a/l\n  b/l\n  and 1 more\n',
  );
  expect(noticeLines({ notice: 'root-document', file: 'SKILL.md', pointAt: '/up' }, false)).toContain('/up');
});

test('a list has a line a skill, and counts them', () => {
  const skill = { skill_path: 'a/x', status: 'active', category: 'data', category_reason: 'folder "data"' };
  const orphan = { skill_path: 'a/long', status: 'draft', category: null, category_reason: null };
  expect(listLines([skill, orphan], plain)).toBe(
    'a/x     active      data (folder)\na/long  draft       (no category)\n2 skills\n',
  );
  expect(listLines([], plain)).toBe('0 skills\n');
});

test.each([
  [null, null, '(no category)'],
  ['data', null, 'data'],
  ['data/ml', 'folder "data/ml"', 'data/ml (folder)'],
  ['data/ml', 'folder "ml" is part of data/ml', 'data/ml (folder "ml" is part of data/ml)'],
])('the category %j by %j', (category, reason, text) => {
  expect(categoryText(category, reason)).toBe(text);
});

test.each([
  [0, '0 files'],
  [1, '1 file'],
  [2, '2 files'],
])('%s in words', (count, words) => {
  expect(counted(count, 'file')).toBe(words);
});

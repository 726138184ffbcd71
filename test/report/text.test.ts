import { expect, test } from 'vitest';
import { categoryText } from '../../src/report/category-text.ts';
import { chooseColors } from '../../src/report/colors.ts';
import { counted } from '../../src/report/counted.ts';
import { diffLines } from '../../src/report/diff-text.ts';
import { revisionLines, runLines } from '../../src/report/log-text.ts';
import { noticeLines } from '../../src/report/notice-text.ts';
import { problemLines, warningLine } from '../../src/report/problem-text.ts';
import { printable, printableLine } from '../../src/report/terminal-text.ts';

const plain = chooseColors(false, {}, true);

test.each([
  ['tab\tand\nline', 'tab\tand\nline', 'tab\\tand\\nline'],
  ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}', '\\u{1b}[31mred\\u{7}'],
  ['carriage\rreturn', 'carriage\\u{d}return', 'carriage\\u{d}return'],
  ['right\u202eleft', 'right\\u{202e}left', 'right\\u{202e}left'],
  ['\ufeffmark\u200b', '\\u{feff}mark\\u{200b}', '\\u{feff}mark\\u{200b}'],
  ['👩\u200d🚀', '👩\u200d🚀', '👩\u200d🚀'],
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
  expect(noticeLines(notice, false)).toBe(
    'note: 3 symbolic links neither followed nor synced: a/l, and 2 more\n',
  );
  expect(noticeLines(notice, true)).toBe(
    'note: 3 symbolic links neither followed nor synced\n  a/l\n  b/l\n  and 1 more\n',
  );
  expect(noticeLines({ notice: 'root-document', file: 'SKILL.md', pointAt: '/up' }, false)).toContain('/up');
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

const run = {
  ...{ run: 9, direction: 'sync', who: 'kim', host: 'pc', commit: null, branch: null, undoes: null },
  ...{ startedAt: new Date('2026-01-31T12:00:00Z'), finishedAt: null, takenBackBy: null, error: null },
  counts: {
    create: 0,
    update: 0,
    rename: 0,
    archive: 0,
    write: 0,
    remove: 0,
    merge: 0,
    failed: 0,
    conflicts: 0,
  },
};
const after = (ms: number) => ({ outcome: 'success', finishedAt: new Date(+run.startedAt + ms) });
const at = { commit: 'c0ffee0123', branch: 'ma\nin' };

test.each([
  [{ outcome: 'running' }, 'running  nothing recorded yet'],
  [{ outcome: 'running', counts: { ...run.counts, create: 1 } }, 'running  1 created in the database'],
  [after(9940), 'success (9.9 s)  nothing changed'],
  [after(9960), 'success (10 s)  nothing changed'],
  [
    { ...after(0), counts: { ...run.counts, conflicts: 1 } },
    'success (0.0 s)  nothing changed, 1 conflict left',
  ],
  [after(99_600), 'success (2 min)  nothing changed'],
  [after(-5), 'success (0.0 s)  nothing changed'],
  [
    {
      ...after(0),
      counts: {
        create: 1,
        update: 2,
        rename: 3,
        archive: 4,
        write: 5,
        remove: 6,
        merge: 7,
        failed: 0,
        conflicts: 8,
      },
    },
    'success (0.0 s)  1 created in the database, 2 updated in the database, 3 renamed, ' +
      '4 deleted in the database, 5 written to the files, 6 removed from the files, 7 merged of both sides, 8 conflicts left',
  ],
  [
    { ...after(0), outcome: 'failed', error: '2 failed', counts: { ...run.counts, write: 1, failed: 2 } },
    'failed (0.0 s)  1 written to the files, 2 failed',
  ],
  [{ ...after(0), outcome: 'failed', error: 'lost\nit' }, 'failed (0.0 s)  nothing changed: lost\\nit'],
  [{ ...after(0), ...at, undoes: 7 }, 'success (0.0 s)  c0ffee0 ma\\nin  nothing changed (takes back run 7)'],
  [
    { ...after(0), commit: at.commit, takenBackBy: 11 },
    'success (0.0 s)  c0ffee0  nothing changed (taken back by run 11)',
  ],
])('a run %j is: %s', (more, expected) => {
  const text = runLines([{ ...run, ...more }], plain);
  expect(text).toBe(`9  2026-01-31 12:00:00Z  sync  kim@pc  ${expected}\n`);
});

test('a log is broken between words where the terminal ends, each line in its colour', () => {
  const colors = chooseColors(undefined, { FORCE_COLOR: '1' }, false);
  const failed = { ...run, ...after(0), ...at, outcome: 'failed', error: 'the connection to it was lost' };
  expect(runLines([failed], colors, 60)).toBe(
    [
      '9  2026-01-31 12:00:00Z  sync  kim@pc  failed (0.0 s)',
      '   c0ffee0 ma\\nin',
      '   nothing changed: the connection to it was lost',
    ]
      .map((line) => `${colors.red(line)}\n`)
      .join(''),
  );
});

test('columns of a log are aligned, in colour too, and those without text take no room', () => {
  const colors = chooseColors(undefined, { FORCE_COLOR: '1' }, false);
  const runs = [
    { ...run, ...after(0), run: 10, direction: 'import', ...at },
    { ...run, outcome: 'failed' },
  ];
  expect(runLines(runs, colors)).toBe(
    [
      '10  2026-01-31 12:00:00Z  import  kim@pc  success (0.0 s)  c0ffee0 ma\\nin  nothing changed\n',
      `${colors.red(' 9  2026-01-31 12:00:00Z  sync    kim@pc  failed                           nothing recorded yet')}\n`,
    ].join(''),
  );
  const revision = {
    at: null,
    origin: 'files',
    writer: null,
    run: null,
    isPresent: false,
    isKept: false,
    isMerge: false,
  };
  expect(
    revisionLines(
      [
        { ...revision, revision: 3, isPresent: true, summary: 'a\u001b -> b' },
        { ...revision, revision: 2, isKept: true, summary: 'body +1 -0', diff: '+x\n' },
      ],
      plain,
    ),
  ).toBe('3  files  now          a\\u{1b} -> b\n2  files  overwritten  body +1 -0\n  +x\n');
});

import { describe, expect, test } from 'vitest';
import type { Plan, PlannedChange } from '../../src/reconcile/plan.ts';
import { chooseColors } from '../../src/report/colors.ts';
import { foundLine } from '../../src/report/notice-text.ts';
import { changeLine, changeRow, planSummary, resultSummary } from '../../src/report/plan-text.ts';

const plain = chooseColors(false, {}, true);

const change = (more: object) =>
  ({ path: 'a', side: 'database', why: 'new', before: null, after: {}, ...more }) as PlannedChange;

describe('of two versions the reason names the side whose is taken', () => {
  test.each([
    ['database', 'newer', 'in the database: both sides were edited, the files last'],
    ['files', 'newer', 'in the files: both sides were edited, the database last'],
    ['database', 'preferred', 'in the database: in conflict, decided for the files'],
    ['files', 'preferred', 'in the files: in conflict, decided for the database'],
    ['files', 'edit-over-deletion', 'in the files: deleted there, edited in the database: the edit wins'],
  ])('in the %s, where it is %s', (side, why, text) => {
    expect(changeRow(change({ side, why })).why).toBe(text);
  });
});

test.each([
  [true, 'category: web (folder), a new one\n'],
  [false, 'category: web (folder)\n'],
])('a category says whether it is to be made: %s', (creates, text) => {
  const reading = { category: { path: 'web', reason: 'folder "web"', creates }, warnings: [] };
  expect(changeLine(change({}), reading, { colors: plain, columns: undefined })).toContain(text);
});

test('what a guard kept from being done is counted', () => {
  const refusal = { reason: 'too-many-deletions', side: 'files', count: 2, total: 5, limit: 25 } as const;
  const lists = { conflicts: [], holds: [], ahead: [], problems: [], agreed: [] };
  const plan = { ...lists, changes: [change({}), change({})], unchanged: 3, direction: 'sync', refusal };
  expect(resultSummary(plan as unknown as Plan, [], [refusal])).toBe(
    'Nothing changed: 2 changes not made, 1 problem, 3 unchanged.\n',
  );
});

test.each([
  ['old/a', false, 'note: old/a is new/a now\n'],
  ['a', true, 'note: a is new/a\n'],
  ['new/a', false, ''],
])('who asks for %s hears where it stands', (asked, isByName, text) => {
  expect(foundLine(asked, { path: 'new/a', isByName })).toBe(text);
});

describe('on a terminal of 40 columns', () => {
  const page = { colors: plain, columns: 40 };

  test('a reason is broken between words, below where it begins', () => {
    const reading = {
      category: { path: 'web', reason: 'folder "web" is part of it', creates: true },
      warnings: [],
    };
    expect(changeLine(change({ path: 'a/long-name', why: 'edited' }), reading, page)).toBe(
      [
        'create   a/long-name  in the database:',
        '         edited since both agreed',
        '         category: web (folder is part',
        '         of it), a new one',
        '',
      ].join('\n'),
    );
  });

  test('the command that comes next has a line of its own', () => {
    const lists = { conflicts: [], holds: [], ahead: [], problems: [], agreed: [] };
    const plan = { ...lists, changes: [change({})], unchanged: 3, direction: 'sync', refusal: null };
    expect(planSummary(plan as unknown as Plan, [], 'sync-db', page.columns)).toBe(
      [
        'Dry run, nothing was changed: 1 to',
        'create in the database, 3 unchanged.',
        'Run it with: skill-fleet sync-db',
        '',
      ].join('\n'),
    );
  });
});

import { expect, test } from 'vitest';
import { faultsOf } from '../../src/commands/status.ts';
import type { Standing } from '../../src/reconcile/standing.ts';
import type { RunEnd } from '../../src/repository/status.ts';

const inStep: Standing = {
  synced: 1,
  aheadHere: [],
  aheadThere: [],
  conflicts: [],
  held: [],
  failed: [],
  unknown: [],
  leftOut: {},
  problems: [],
};

const hourMs = 3_600_000;
const now = new Date('2026-01-31T12:00:00Z');

function endedBefore(hours: number): RunEnd {
  const finishedAt = new Date(+now - hours * hourMs);
  return {
    ...{ run: 1, direction: 'sync', who: 'ann', host: 'pc', startedAt: finishedAt, finishedAt },
    ...{ outcome: 'success', error: null },
  };
}

const good = endedBefore(3);
const failed: RunEnd = { ...good, outcome: 'failed' };
const running: RunEnd = { ...good, outcome: 'running', finishedAt: null };
const late = 'no sync succeeded lately enough';

test.each<
  [what: string, Partial<Standing>, RunEnd | null, RunEnd | null, number | undefined, readonly string[]]
>([
  ['no run yet', {}, null, null, undefined, []],
  ['no run yet, where one is to be', {}, null, null, 1, [late]],
  ['edits without a limit', { aheadHere: ['a'], aheadThere: ['b'], held: ['c'] }, good, good, undefined, []],
  ['a good run within the limit', { aheadHere: ['a'] }, good, good, 3, []],
  ['a good run beyond the limit', {}, good, good, 2.9, [late]],
  ['a failed run within the limit, and no good one', {}, failed, null, 3, ['the last run failed', late]],
  ['a failed run', {}, failed, good, undefined, ['the last run failed']],
  ['a run that did not end', {}, running, good, undefined, ['the last run is under way, or was killed']],
  [
    'all that is wrong with skills',
    { conflicts: ['a'], failed: ['b', 'c'], unknown: ['d'] },
    good,
    good,
    undefined,
    ['2 skills with a problem', '1 conflict', '1 place could not be read'],
  ],
])('the faults with %s', (_what, standing, lastRun, lastGoodRun, hours, faults) => {
  const maxAgeMs = hours === undefined ? undefined : hours * hourMs;
  expect(faultsOf({ ...inStep, ...standing }, { now, lastRun, lastGoodRun }, maxAgeMs)).toEqual(faults);
});

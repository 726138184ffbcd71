// What a rule left out is content once the rule is gone: a skill then holds more than it ever did, and is whole.

import { describe, expect, test } from 'vitest';
import { hasGit } from '../sync/team.ts';
import { failureOf, type Tried } from './history.ts';
import type { RunStep, Step } from './steps.ts';

const run = (does: RunStep['run'], clone: RunStep['clone'], more: Partial<RunStep> = {}): RunStep => ({
  ...{ run: does, clone, deletes: false, force: false, yes: false, onConflict: 'newest', status: null },
  ...{ only: null, around: 'nothing', accident: null, ...more },
});

const rule = (clone: RunStep['clone']): Step => ({
  hand: 'ignore within',
  clone,
  skill: 'a',
  file: 'run.sh',
});
const ignored: Step = { hand: 'file', clone: 1, skill: 'a', file: 'run.sh' };

async function livesThrough(...steps: readonly Step[]): Promise<Tried> {
  const tried: Tried = { steps: 0, runs: 0, killed: 0, lost: 0, failed: 0, meanwhile: 0 };
  expect((await failureOf(steps, tried))?.error.message).toBeUndefined();
  return tried;
}

describe.skipIf(!hasGit)('the laws hold where an ignore rule goes and a file that it left out stays', () => {
  test('by a run that the disk fails, at whatever moment, and by the recovery after it', async () => {
    let moments = 0;
    for (let failed = true; failed; moments++) {
      const accident = { what: 'fail for good', at: moments + 1, nth: 0 } as const;
      const overwriting = run('import', 1, { force: true, accident });
      const tried = await livesThrough(rule(1), ignored, overwriting, run('sync', 1));
      failed = tried.failed > 0;
    }
    expect(moments).toBeGreaterThan(5);
  });

  test('by an undo', async () => {
    await livesThrough(rule(0), run('export', 0), run('import', 1), ignored, {
      ...{ undo: 'latest', clone: 1, force: false, back: 0 },
    });
  });
});

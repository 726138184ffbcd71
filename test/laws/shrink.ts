// Makes a history that breaks a law as short as it can be told.

import type { Failure } from './history.ts';
import { Broken } from './laws.ts';
import type { Step } from './steps.ts';

interface Found {
  readonly steps: readonly Step[];
  readonly failure: Failure;
}

/** How many histories are tried at most. */
const maxTries = 120;

/** Leaves out steps, in ever smaller pieces, and what makes runs special, as long as the same law breaks. */
export async function shrink(
  steps: readonly Step[],
  failure: Failure,
  failureOf: (steps: readonly Step[]) => Promise<Failure | undefined>,
): Promise<Found> {
  let best: Found = { steps, failure };
  let tries = 0;
  const attempt = async (some: readonly Step[]): Promise<boolean> => {
    if (++tries > maxTries) return false;
    const failed = await failureOf(some);
    if (failed === undefined || lawOf(failed) !== lawOf(failure)) return false;
    best = { steps: some.slice(0, failed.at + 1), failure: failed };
    return true;
  };
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = best.steps.length - 1; end > 0; end -= size) {
      const start = Math.max(0, end - size);
      await attempt([...best.steps.slice(0, start), ...best.steps.slice(end)]);
      end = Math.min(end, best.steps.length + size - 1);
    }
  }
  for (let at = 0; at < best.steps.length; at++) {
    for (const plainer of plainerOf(best.steps[at])) {
      await attempt([...best.steps.slice(0, at), plainer, ...best.steps.slice(at + 1)]);
    }
  }
  return best;
}

function lawOf({ error }: Failure): string {
  return error instanceof Broken ? error.law : error.message;
}

function plainerOf(step: Step | undefined): readonly Step[] {
  if (step === undefined || !('run' in step)) return [];
  const plain = {
    accident: null,
    only: null,
    status: null,
    around: 'nothing',
    deletes: false,
    force: false,
    yes: false,
  } as const;
  const { accident } = step;
  const earlier = accident ? [accident.at >> 1, accident.at - 5, accident.at - 1].filter((at) => at > 0) : [];
  return [
    ...earlier.map((at) => ({ ...step, accident: accident && { ...accident, at } })),
    ...Object.entries(plain).flatMap(([key, value]) =>
      step[key as keyof typeof plain] === value ? [] : [{ ...step, [key]: value }],
    ),
  ];
}

// In any history of a team, whoever writes what where and whatever dies in the middle, the laws hold.
//
//   HISTORIES=50 npx vitest run test/laws              a long run
//   SEED=17 HISTORIES=1 npx vitest run test/laws       one history again
//   STEPS=steps.jsonl npx vitest run test/laws         these steps, one a line

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hasGit } from '../sync/team.ts';
import { failureOf, type Tried } from './history.ts';
import { Broken } from './laws.ts';
import { shrink } from './shrink.ts';
import { type Step, stepsOf } from './steps.ts';

const { HISTORIES, SEED, STEPS } = process.env;
const isLong = HISTORIES !== undefined;
const [least, most] = isLong ? [50, 150] : [12, 26];
const count = Number(HISTORIES ?? 3);

test.skipIf(!hasGit)(
  'every history ends with nothing lost, nothing mixed, and both sides as the rules say',
  async () => {
    const first = Number(SEED ?? (isLong ? Date.now() % 1_000_000_000 : 1));
    const tried: Tried = { steps: 0, runs: 0, killed: 0, lost: 0, failed: 0, meanwhile: 0 };
    try {
      for (let nth = 0; nth < (STEPS ? 1 : count); nth++) {
        const seed = first + nth;
        const steps = STEPS
          ? (readFileSync(STEPS, 'utf8')
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line)) as Step[])
          : stepsOf(seed, least, most);
        const failure = await failureOf(steps, tried);
        if (failure === undefined) continue;
        if (isLong) say(`history ${seed}: ${failure.error.message}`);
        const found = STEPS
          ? { steps, failure }
          : await shrink(steps.slice(0, failure.at + 1), failure, failureOf);
        expect.fail(wordsOf(seed, found));
      }
    } finally {
      if (isLong) say(`seeds from ${first} on: ${JSON.stringify(tried)}`);
    }
  },
  isLong ? 24 * 3_600_000 : 300_000,
);

/** Said at once: to make a long history short takes a while. */
function say(text: string): void {
  const seconds = Math.round(performance.now() / 1000);
  process.stderr.write(`after ${seconds} s, ${text}\n`);
}

function wordsOf(
  seed: number,
  { steps, failure }: { steps: readonly Step[]; failure: { error: Error } },
): string {
  const { error } = failure;
  const what = error instanceof Broken ? error.message : (error.stack ?? error.message);
  return `history ${seed} breaks a law: ${what}\n${steps.map((step) => JSON.stringify(step)).join('\n')}`;
}

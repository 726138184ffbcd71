// The built command line, killed at any instant: nothing is lost, nothing is half, and the next run does the rest.
//
//   KILLS=100 npx vitest run test/faults/killed.test.ts         so many of each command line, at effects and at instants
//   KILLS=all npx vitest run test/faults/killed.test.ts         before each effect
//   KILLS=sync:17 npx vitest run test/faults/killed.test.ts     before one effect of one command line

import { describe, expect, test } from 'vitest';
import { databaseKinds } from '../databases.ts';
import { type CommandLine, commandLines } from './command-lines.ts';
import { Tally, Trial } from './killing.ts';

const { KILLS } = process.env;
const isLong = KILLS !== undefined;
const [onlyLine, onlyAt] = KILLS?.includes(':') ? KILLS.split(':') : [];
const timeout = isLong ? 24 * 3_600_000 : 300_000;

/** How many kills of which command lines are tried where nobody asks for more. */
const few: { readonly [kind: string]: { readonly [line: string]: number } } = {
  postgres: { sync: 2, 'validate --fix': 1 },
  embedded: { sync: 1 },
};

/** How often the next run is killed in its turn. */
const again = isLong ? 3 : 1;

describe.each(databaseKinds)('on %s', (kind) => {
  const lines: readonly CommandLine[] = commandLines.filter(({ name }) =>
    isLong ? (onlyLine ?? name) === name : name in (few[kind] ?? {}),
  );
  const most = (name: string) =>
    KILLS === 'all' ? Number.POSITIVE_INFINITY : Number(KILLS ?? few[kind]?.[name]);

  /** Before which effects a run is killed: spread over all of them. */
  function pointsOf(name: string, count: number): readonly number[] {
    if (onlyAt !== undefined) return [Number(onlyAt)];
    const points = Math.min(count, most(name));
    const shift = isLong ? Math.random() : 0.5;
    return Array.from({ length: points }, (_, nth) => 1 + Math.floor(((nth + shift) * count) / points));
  }

  test.for(lines)('$name killed before an effect', { timeout }, async (line) => {
    const trial = await Trial.make(line, { kind });
    const { names } = trial.effects;
    const tally = new Tally(`${kind}, ${line.name}, ${names.length} effects`, isLong && onlyAt === undefined);
    for (const point of pointsOf(line.name, names.length)) {
      await tally.add(`${line.name}:${point}, before ${names[point - 1]}`, async (name) => {
        await trial.putBack();
        const ended = await trial.runUntil(point);
        tally.count('killed', ended.isKilled);
        await trial.expectWhole(ended, name);
        await trial.expectConverges(name);
      });
    }
    tally.expectWell();
    expect(tally.counts['killed']).toBe(tally.tried);
  });

  test.for(onlyAt === undefined ? lines.slice(0, isLong ? undefined : kind === 'postgres' ? 1 : 0) : [])(
    '$name killed at an instant, and the next runs before an effect',
    { timeout },
    async (line) => {
      const trial = await Trial.make(line, { kind });
      const { first, last, names } = trial.effects;
      const tally = new Tally(`${kind}, ${line.name}, by the clock`, isLong);
      for (let kill = 0; kill < (isLong ? Math.min(most(line.name), 100) : 1); kill++) {
        const killAfter = first + Math.random() * (last - first);
        const then = Array.from({ length: again }, () => 1 + Math.floor(Math.random() * names.length));
        await tally.add(`${line.name}, after ${killAfter} ms, then before ${then.join()}`, async (name) => {
          await trial.putBack();
          const ended = await trial.run({ killAfter });
          tally.count('killed', ended.isKilled);
          await trial.expectWhole(ended, name);
          for (const effect of then) tally.count('killed again', (await trial.nextUntil(effect)).isKilled);
          await trial.expectConverges(name);
        });
      }
      tally.expectWell();
    },
  );
});

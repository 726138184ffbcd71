// Whatever call to the disk or the server fails: nothing is lost, it is said, and one further run does the rest.
//
//   FAULTS=all npx vitest run test/faults/every-effect              each call, by turns with each fault
//   FAULTS=sync npx vitest run test/faults/every-effect             each call of one command with each fault
//   FAULTS=sync:17:EIO npx vitest run test/faults/every-effect      one of them

import { expect, test } from 'vitest';
import { problemOfSystem } from '../../src/commands/command.ts';
import { type Problem, sentenceOf } from '../../src/problem.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { Refused } from '../sync/sides.ts';
import { type Called, diskFaults, type Fault, Injector, saidOf, serverFaultNames } from './fault.ts';
import { Library, type Look } from './library.ts';
import { type Scenario, scenarios } from './scenarios.ts';

const { FAULTS } = process.env;
const [onlyScenario, onlyAt, onlyFault] = FAULTS === 'all' ? [] : (FAULTS?.split(':') ?? []);

/** How many calls of a command are tried where nobody asks for all. */
const few = 3;

/** Which calls fail, and how: a few that are spread over the run, each in turn, or each in every way. */
function pointsOf(calls: readonly Called[]): readonly (readonly [at: number, fault: Fault])[] {
  const all = calls.map((called) => (called === 'disk' ? diskFaults : serverFaultNames));
  const byTurns = (index: number, turn: number): readonly [number, Fault] => {
    const faults = all[index] ?? [];
    return [index + 1, faults[turn % faults.length] as Fault];
  };
  if (FAULTS === 'all') return calls.map((_, index) => byTurns(index, index));
  if (FAULTS === undefined)
    return Array.from({ length: few }, (_, nth) => byTurns(Math.floor((nth * calls.length) / few), nth));
  return all
    .flatMap((faults, index) => faults.map((fault) => [index + 1, fault] as const))
    .filter(([at, fault]) => (onlyAt ?? `${at}`) === `${at}` && (onlyFault ?? fault) === fault);
}

/** Runs a command, and gives what it says went wrong. Whatever else it throws is a fault of the program. */
async function outcomeOf(
  library: Library,
  run: Scenario['run'],
  injector = new Injector(null, 0),
): Promise<readonly Problem[]> {
  const connection = injector.connection(await library.connection());
  try {
    const clone = await library.clone(connection, injector.disk);
    return await run({ clone, connection, project: library.project });
  } catch (error) {
    const problem =
      error instanceof Refused
        ? error.problem
        : (problemOfDatabase(connection.database, error) ?? problemOfSystem(error));
    if (problem === undefined) throw error;
    return [problem];
  } finally {
    await library.closeAll();
  }
}

/** What both sides say, to be compared; of keys those that were given before the run. */
function saidIn({ clone, database }: Look, known: ReadonlySet<number>) {
  return {
    files: [...clone.files].map(([name, { executable, text }]) => [name, executable, text]),
    rows: [...database.skills]
      .map(([skill, files]) => [
        skill,
        [...files].map(([file, { executable, says }]) => [file, executable, says]).sort(),
      ])
      .sort(),
    statuses: database.statuses,
    ids: [...database.ids].filter(([, id]) => known.has(id)).sort(),
  };
}

/** The same, with the text that each row has for its document: the next run notes one that this run did not. */
function heldIn(look: Look, known: ReadonlySet<number>) {
  return { ...saidIn(look, known), texts: look.database.skills };
}

test.for(scenarios.filter(({ name }) => onlyScenario === undefined || onlyScenario === name))(
  '$name: nothing is lost, failures are said, and the next run ends as if there had been none',
  { timeout: 24 * 3_600_000 },
  async (scenario) => {
    const library = await Library.make({ isUnmigrated: scenario.isUnmigrated });
    await outcomeOf(library, async (sides) => {
      await scenario.prepare(sides);
      return [];
    });
    await library.keep();
    const before = scenario.isUnmigrated ? undefined : await library.look();
    const known = new Set(before?.database.ids.values());
    const next = scenario.next ?? scenario.run;

    const counting = new Injector(null, 0);
    expect(await outcomeOf(library, scenario.run, counting)).toEqual([]);
    const done = await library.look();
    expect(await outcomeOf(library, next)).toEqual([]);
    const settled = await library.look();

    const points = pointsOf(counting.calls);
    for (const [at, fault] of points) {
      await library.putBack();
      const injector = new Injector(fault, at);
      const problems = await outcomeOf(library, scenario.run, injector).catch((error: Error) => error);
      const name = `${scenario.name}:${at}:${fault}, ${injector.failed}`;
      expect.soft(problems instanceof Error ? problems.stack : undefined, name).toBeUndefined();
      if (problems instanceof Error) continue;
      const now = await library.look();
      expect.soft(injector.failed, name).not.toBe('');

      const lost = [...(before?.words ?? [])].filter((word) => done.words.has(word) && !now.words.has(word));
      expect.soft(lost, `${name}: lost`).toEqual([]);
      const said = problems.map((problem) => sentenceOf(problem).what);
      if (said.length > 0) expect.soft(said.join('\n'), name).toMatch(saidOf(fault));
      else expect.soft(saidIn(now, known), `${name}: unsaid`).toEqual(saidIn(done, known));

      expect.soft(await outcomeOf(library, next), `${name}: the next run`).toEqual([]);
      expect
        .soft(heldIn(await library.look(), known), `${name}: after the next run`)
        .toEqual(heldIn(settled, known));
    }
    if (FAULTS)
      process.stderr.write(`${scenario.name}: ${points.length} points of ${counting.calls.length} calls\n`);
    expect(points.length).toBeGreaterThan(0);
  },
);

// Lives through a history, and tells whether a law broke in it.

import { Broken, Laws } from './laws.ts';
import type { RunStep, Step } from './steps.ts';
import { World } from './world.ts';

/** What histories were made of. */
export interface Tried {
  steps: number;
  runs: number;
  killed: number;
  lost: number;
  failed: number;
  meanwhile: number;
}

export interface Failure {
  /** The number of the step at which the law broke. */
  readonly at: number;
  readonly error: Error;
}

export async function failureOf(steps: readonly Step[], tried?: Tried): Promise<Failure | undefined> {
  const world = await World.make();
  let at = 0;
  try {
    const laws = new Laws(world, await world.look());
    for (at = 0; at < steps.length; at++) {
      const step = steps[at];
      if (step) await take(world, laws, step, tried);
      if (tried) tried.steps++;
    }
    if ((await world.openTransactions()) > 0) throw new Broken('nobody is left in a transaction', '');
    return undefined;
  } catch (error) {
    return { at, error: error as Error };
  } finally {
    await world.close();
  }
}

async function take(world: World, laws: Laws, step: Step, tried: Tried | undefined): Promise<void> {
  if ('hand' in step) {
    return laws.afterPeople(step.clone, world.byHand(step));
  }
  if ('sql' in step) {
    await world.bySql(step);
    return laws.afterSql();
  }
  if ('git' in step) {
    world.byGit(step);
    return laws.afterForgetting(step.clone);
  }
  if ('undo' in step) {
    await world.recover(step.clone);
    await laws.afterRecovery(step.clone);
    await world.undo(step);
    return laws.afterUndo(step.clone);
  }
  if ('base' in step) {
    world.onBase(step);
    return laws.afterForgetting(step.clone);
  }
  if ('database' in step) {
    await world.onDatabase(step.database);
    return step.database === 'restore' ? laws.afterRestoring() : undefined;
  }
  await takeRun(world, laws, step, tried);
}

async function takeRun(world: World, laws: Laws, step: RunStep, tried: Tried | undefined): Promise<void> {
  if (step.around === 'dry run before') await laws.afterDryRun(step, await world.run(step, true, []));
  await world.recover(step.clone);
  await laws.afterRecovery(step.clone);
  const ended = await world.run(step, false, laws.differing(step.clone));
  const isSettled = await laws.afterRun(step, ended);
  if (tried) {
    tried.runs++;
    if (ended.how !== 'whole') tried[ended.how]++;
    if (ended.meanwhile) tried.meanwhile++;
  }
  const { how, outcome, meanwhile } = ended;
  const isDone =
    isSettled &&
    how === 'whole' &&
    !meanwhile &&
    !outcome?.plan.refusal &&
    outcome?.results.every((result) => result.ok) &&
    // What two edits at about the same time left undecided is decided once the files grew older.
    !outcome.plan.conflicts.some(({ why }) => step.onConflict === 'newest' && why === 'both-edited');
  if (step.around === 'again' && isDone) {
    await laws.afterRunAgain(step, await world.run({ ...step, accident: null }, false, []));
    await laws.afterDryRun(step, await world.run(step, true, []), 'nothing is left to do');
  }
}

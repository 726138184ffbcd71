// Guards: what a plan may not do unless the user says so, since it is more often an accident than a wish.

import type { Problem } from '../problem.ts';
import type { Side } from './conflict.ts';
import type { PlanInput, PlannedChange, Policy } from './plan.ts';

const sides = ['database', 'files'] as const satisfies readonly Side[];

/** This many deletions are nobody's accident worth stopping for. */
const freeDeletions = 3;

/** Below this many skills, overwriting most of them is daily work. */
const fewSkills = 10;

/** What guards look at. */
type GuardInput = Pick<PlanInput, 'local' | 'remote' | 'base' | 'renames'> & {
  readonly policy: Pick<Policy, 'maxDelete' | 'yes'>;
};

type Guard = (side: Side, input: GuardInput, changes: readonly PlannedChange[]) => Problem | null;

/** Why a plan must not be carried out, or null. Pure. */
export function guard(input: GuardInput, changes: readonly PlannedChange[]): Problem | null {
  if (input.policy.yes) return null;
  for (const why of guards) {
    for (const side of sides) {
      const problem = why(
        side,
        input,
        changes.filter((change) => change.side === side),
      );
      if (problem) return problem;
    }
  }
  return null;
}

function heldBy(side: Side, { local, remote }: GuardInput) {
  return side === 'database' ? remote : local;
}

/** A side that holds nothing, or none of several, that both held together: a wrong folder, or a wrong database. */
const whyNotEmptied: Guard = (side, input) => {
  const { skills, unreadable } = heldBy(side, input);
  const count = input.base.size;
  if (unreadable.length > 0 || count === 0) return null;
  if (skills.size === 0) return { reason: 'side-emptied', side, count };
  const moved = new Set(
    input.renames.flatMap((rename) => (skills.has(rename[side]) ? [rename.base.path] : [])),
  );
  const isExchanged =
    count > 1 && [...input.base.keys()].every((path) => !skills.has(path) && !moved.has(path));
  return isExchanged ? { reason: 'side-exchanged', side, count } : null;
};

const whyNotDeleted: Guard = (side, input, changes) => {
  const count = changes.filter((change) => change.after === null).length;
  const total = heldBy(side, input).skills.size;
  const limit = input.policy.maxDelete;
  return count > freeDeletions && count * 100 > total * limit
    ? { reason: 'too-many-deletions', side, count, total, limit }
    : null;
};

const whyNotForced: Guard = (side, input, changes) => {
  const count = changes.filter((change) => change.why === 'forced').length;
  const total = heldBy(side, input).skills.size;
  return isMost(count, total) ? { reason: 'too-many-overwritten', side, count, total } : null;
};

/** The gravest first: it explains the others. */
const guards: readonly Guard[] = [whyNotEmptied, whyNotDeleted, whyNotForced];

/** Whether so many of a side's skills are more than half of a library worth guarding. */
export function isMost(count: number, total: number): boolean {
  return total >= fewSkills && count * 2 > total;
}

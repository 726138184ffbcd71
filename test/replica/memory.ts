// A replica in memory: the shortest one that keeps the contract, and a model to compare the others with.

import { type Outcome, type Problem, refuse } from '../../src/problem.ts';
import {
  batchesOf,
  type Change,
  interrupted,
  type Load,
  type Replica,
  type Result,
  type SkillState,
  type Snapshot,
} from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import { compareBytes, type SkillPath } from '../../src/skill/path.ts';
import type { Skill } from '../../src/skill/skill.ts';

/** What replicas in memory hold. Several may hold one, as processes do one database. */
export interface Memory {
  readonly skills: Map<SkillPath, Skill>;
  readonly unreadable: Map<SkillPath, Problem>;
  /** Why it takes no skill at a path, where it does not. */
  readonly refusals: Map<SkillPath, Problem>;
}

export function emptyMemory(): Memory {
  return { skills: new Map(), unreadable: new Map(), refusals: new Map() };
}

export class MemoryReplica implements Replica {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  async snapshot(signal?: AbortSignal): Promise<Snapshot> {
    signal?.throwIfAborted();
    const { skills, unreadable } = this.#memory;
    const readable = [...skills.values()].filter(({ path }) => !unreadable.has(path));
    const inOrder = readable.sort((a, b) => compareBytes(a.path, b.path));
    return {
      skills: new Map(inOrder.map((skill) => [skill.path, stateOf(skill)])),
      unreadable: [...unreadable].map(([path, problem]) => ({ path, below: false, problem })),
      notices: [],
    };
  }

  load: Load = (paths) => this.#load(paths);

  async *#load(paths: readonly SkillPath[]) {
    const sizeOf = (path: SkillPath) =>
      this.#memory.skills.get(path)?.entries.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
    for (const batch of batchesOf(paths, sizeOf)) {
      yield batch.map((path) => {
        const { skills, unreadable } = this.#memory;
        const [skill, problem] = [skills.get(path), unreadable.get(path)];
        return skill && !problem
          ? { path, skill }
          : { path, problem: problem ?? ({ reason: 'skill-not-found', path } as const) };
      });
    }
  }

  async apply<C extends Change>(
    changes: readonly C[],
    source: Load,
    signal?: AbortSignal,
  ): Promise<readonly Result<C>[]> {
    const outcomes = new Map<SkillPath, Outcome<SkillState | null>>();
    const isOver = () => signal?.aborted === true;
    for (const change of isOver() ? [] : changes) {
      if (change.after === null) outcomes.set(change.path, this.#take(change, null));
    }
    const wanted = new Map(changes.filter(({ after }) => after).map((change) => [change.path, change]));
    for await (const batch of isOver() || wanted.size === 0 ? [] : source([...wanted.keys()])) {
      if (isOver()) break;
      for (const loaded of batch) {
        const change = wanted.get(loaded.path);
        if (change === undefined) throw new Error(`loaded unasked: ${loaded.path}`);
        const outcome = 'skill' in loaded ? this.#take(change, loaded.skill) : refuse(loaded.problem);
        outcomes.set(loaded.path, outcome);
      }
    }
    return changes.map((change): Result<C> => {
      const outcome = outcomes.get(change.path) ?? refuse(isOver() ? interrupted : overtaken(change));
      return outcome.ok ? { change, ok: true, state: outcome.value } : { change, ...outcome };
    });
  }

  #take(change: Change, skill: Skill | null): Outcome<SkillState | null> {
    const { path, before, after } = change;
    const { skills, unreadable, refusals } = this.#memory;
    const problem = unreadable.get(path) ?? refusals.get(path);
    if (problem) return refuse(problem);
    const now = skills.get(path);
    if ((now && digestSkill(now)) !== before?.digest)
      return refuse({ reason: 'files-changed-meanwhile', path });
    if (skill === null) {
      skills.delete(path);
      return { ok: true, value: null };
    }
    if (digestSkill(skill) !== after?.digest) return refuse(overtaken(change));
    skills.set(path, skill);
    return { ok: true, value: stateOf(skill) };
  }
}

/** The source does not hold, or no more, what the change was planned with. */
function overtaken({ path }: Change): Problem {
  return { reason: 'content-changed-meanwhile', path };
}

function stateOf(skill: Skill): SkillState {
  return { digest: digestSkill(skill) };
}

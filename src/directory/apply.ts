// Carries out changes of the skills directory, each one only where the world is still as the plan found it.

import { codeOf } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { Change, Load, Loaded, Result, SkillState } from '../replica.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import { compareBytes, foldersAbove, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import { mapBounded, skillsAtOnce } from './bounded.ts';
import { whyNotKeepable, whyPathsNotAllowed } from './keepable.ts';
import type { Library } from './library.ts';
import { findObstacle } from './obstacle.ts';
import { findSkill, readSkill, type Surroundings } from './read.ts';
import { removeSkill, type Trash } from './trash.ts';
import { writeSkill } from './write.ts';

/**
 * Writes the skills of `changes`, their contents read by `source`, and removes those that shall be absent; the
 * results have the changes' order. A skill that is refused, or fails, stops none of the others.
 */
export async function applyChanges<C extends Change>(
  library: Library,
  trash: Trash,
  changes: readonly C[],
  source: Load,
): Promise<readonly Result<C>[]> {
  const outcomes = new Map<string, Outcome<SkillState | null>>();
  // A folder that one skill leaves may be another's place.
  for (const removal of changes.filter((change) => change.after === null)) {
    outcomes.set(removal.path, await remove(library, trash, removal));
  }
  const writes = changes.filter((change) => change.after !== null);
  const byPath = new Map<string, C>(writes.map((change) => [change.path, change]));
  const carryOut = async (loaded: Loaded): Promise<void> => {
    const change = byPath.get(loaded.path);
    if (change === undefined) throw new Error(`loaded unasked: ${loaded.path}`);
    outcomes.set(loaded.path, await applyChange(library, change, loaded));
  };
  // A file that a skill gives up may become one of a skill below it: that one has to wait.
  const waits = ({ path }: Loaded) => foldersAbove(path).some((folder) => byPath.has(folder));
  for await (const batch of source(writes.map((change) => change.path).sort(compareBytes))) {
    const free = batch.filter((loaded) => !waits(loaded));
    await mapBounded(free, skillsAtOnce, carryOut);
    await mapBounded(batch.filter(waits), 1, carryOut);
  }
  return changes.map((change) => {
    const outcome = outcomes.get(change.path) ?? overtaken(change);
    return outcome.ok
      ? { change, ok: true, state: outcome.value }
      : { change, ok: false, problem: outcome.problem };
  });
}

/** The other side does not hold, or no more, what the change was planned with. */
function overtaken({ path }: Change): Outcome<never> {
  return refuse({ reason: 'content-changed-meanwhile', path });
}

async function applyChange(library: Library, change: Change, loaded: Loaded): Promise<Outcome<SkillState>> {
  if ('problem' in loaded) return refuse(loaded.problem);
  const wanted: Skill = { path: change.path, entries: loaded.skill.entries };
  const digest = digestSkill(wanted);
  if (digest !== change.after?.digest) return overtaken(change);
  const written = await writeOver(library, change, wanted);
  if (!written.ok) return written;
  // What the files hold now decides, and not what was intended.
  return digestOf(written.value) === digest
    ? { ok: true, value: { digest } }
    : refuse({ reason: 'files-changed-meanwhile', path: change.path });
}

/** Removes a skill where the files still are what the change expects. */
async function remove(library: Library, trash: Trash, { path, before }: Change): Promise<Outcome<null>> {
  const now = await readNow(library, path);
  if (!now.ok) return now;
  const { skill } = now.value;
  if (skill === null || digestOf(skill) !== before?.digest) {
    return refuse({ reason: 'files-changed-meanwhile', path });
  }
  const problem = await removeSkill(library, trash, skill);
  return problem ? refuse(problem) : { ok: true, value: null };
}

/** Writes a skill where the files still are what the change expects, and gives what they hold after that. */
async function writeOver(
  library: Library,
  { path, before }: Change,
  wanted: Skill,
): Promise<Outcome<Skill | null>> {
  const notAllowed = whyPathsNotAllowed(wanted);
  if (notAllowed !== undefined) return refuse(notAllowed);
  const now = await readNow(library, path);
  if (!now.ok) return now;
  if (digestOf(now.value.skill) !== before?.digest)
    return refuse({ reason: 'files-changed-meanwhile', path });
  const problem =
    (await whyNotWritable(library, now.value, wanted)) ??
    (await writeSkill(library, now.value.skill, wanted));
  if (problem !== undefined) return refuse(problem);
  const written = await readNow(library, path);
  return written.ok ? { ok: true, value: written.value.skill } : written;
}

async function whyNotWritable(library: Library, now: Current, wanted: Skill): Promise<Problem | undefined> {
  try {
    return (
      (await findObstacle(library, now.skill, wanted, now.loose)) ??
      (await whyNotKeepable(library, wanted, now.nested))
    );
  } catch (error) {
    return { reason: 'cannot-write', path: wanted.path, file: wanted.path, code: codeOf(error) };
  }
}

interface Current extends Surroundings {
  readonly skill: Skill | null;
}

/** What the files hold at a path at this moment. */
async function readNow(library: Library, path: SkillPath): Promise<Outcome<Current>> {
  const found = await findSkill(library, path);
  if (!found.ok) return found;
  const { skill, ...surroundings } = found.value;
  const read = skill === null ? ({ ok: true, value: null } as const) : await readSkill(library, skill);
  return read.ok ? { ok: true, value: { skill: read.value, ...surroundings } } : read;
}

function digestOf(skill: Skill | null): Digest | undefined {
  return skill === null ? undefined : digestSkill(skill);
}

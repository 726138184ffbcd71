// Settles one conflict as the user says: by one of its sides, or by what was made of both.

import { type Outcome, refuse } from '../problem.ts';
import { otherSide } from '../reconcile/conflict.ts';
import { mergeSkills } from '../reconcile/merge.ts';
import { type Conflict, type Plan, type PlannedChange, resolveByHand, type Side } from '../reconcile/plan.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import { documentOf, type Entry, makeSkill, type Skill } from '../skill/skill.ts';
import { loadConflicts } from './merge.ts';
import { type Prepared, prepareSync, type SyncInput } from './sync.ts';

/** The side whose version stays, or another version: a document, or all files. */
export type Resolution = Side | { readonly document: Buffer } | { readonly entries: readonly Entry[] };

/**
 * Plans what settles the conflict that `input` selects. Writes nothing. Problems: `skill-path-matches-nothing`, `no-conflict`,
 * `conflict-waits`, `conflict-of-one`, `files-not-settled`.
 */
export function prepareResolve(
  input: SyncInput,
  path: string,
  resolution: Resolution,
): Promise<Outcome<Prepared>> {
  return input.database.inView(async () => {
    const stays = typeof resolution === 'string' ? resolution : undefined;
    const onConflict = stays === 'files' ? 'local' : (stays ?? 'fail');
    const prepared = await prepareSync({ ...input, policy: { ...input.policy, force: false, onConflict } });
    const { plan } = prepared;
    const { conflicts, problems } = plan;
    const { local, remote, base } = prepared;
    const isKnown = [local.skills, remote.skills, base.entries].some((known) => known.has(path as SkillPath));
    // What cannot be read is neither in a conflict nor in none.
    const none = refuse(
      problems[0] ??
        (isKnown ? { reason: 'no-conflict', path } : { reason: 'skill-path-matches-nothing', glob: path }),
    );
    const conflict = conflicts.find((one) => one.path === path) ?? conflicts[0];
    if (conflict?.why === 'waits') return refuse({ reason: 'conflict-waits', path });
    if (typeof resolution === 'string') {
      const changes = plan.changes.map((change) => stayDeleted(change, resolution));
      return changes.some(({ why }) => why === 'preferred')
        ? { ok: true, value: { ...prepared, plan: { ...plan, changes } } }
        : none;
    }
    if (conflict === undefined) return none;
    const skill = await resolvedSkill(input, conflict, resolution);
    if (!skill.ok) return skill;
    const changes = resolveByHand(conflict, digestSkill(skill.value));
    if (changes === undefined) return refuse({ reason: 'conflict-of-one', path });
    const { entries } = skill.value;
    const settled: Plan = { ...plan, changes, conflicts: [] };
    const contents: Prepared['contents'] = async function* (digests) {
      for (const digest of digests) yield { digest, entries };
    };
    return { ok: true, value: { ...prepared, plan: settled, contents } };
  });
}

/** An edit wins over a deletion by itself; who chooses the side that deleted it means the deletion. */
function stayDeleted(change: PlannedChange, stays: Side): PlannedChange {
  const { path, side, why, after } = change;
  if (why !== 'edit-over-deletion') return change;
  if (side !== stays) return { ...change, why: 'preferred' };
  return { path, side: otherSide(side), why: 'preferred', before: after, after: null };
}

/** What the user made of both sides, with the attached files of both where that is a document alone. */
async function resolvedSkill(
  input: SyncInput,
  conflict: Conflict,
  resolution: Exclude<Resolution, Side>,
): Promise<Outcome<Skill>> {
  const { path } = conflict;
  if ('entries' in resolution) return { ok: true, value: makeSkill(path, resolution.entries) };
  for await (const { base, files, database } of loadConflicts(input, [conflict])) {
    if (!files || !database) return refuse({ reason: 'conflict-of-one', path });
    const withDocument = (skill: Skill): Skill => {
      const document = documentOf(skill);
      return {
        ...skill,
        entries: skill.entries.map((entry) =>
          entry === document ? { ...entry, bytes: resolution.document } : entry,
        ),
      };
    };
    // Where nobody has what both agreed on, only what both hold alike is settled.
    const three = [base ?? { ...files, entries: [documentOf(files)] }, files, database].map(withDocument);
    const [before, mine, theirs] = three as [Skill, Skill, Skill];
    const merged = mergeSkills({ base: before, files: mine, database: theirs }, path);
    if (merged.ok) return { ok: true, value: merged.skill };
    const unsettled = [...new Set(merged.regions.map(({ file }) => file))];
    return refuse({ reason: 'files-not-settled', path, files: unsettled });
  }
  return refuse({ reason: 'conflict-of-one', path });
}

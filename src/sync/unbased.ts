// What both sides last agreed on where no base says so: found in the database's history and in git.

import type { Pair } from '../reconcile/plan.ts';
import type { DatabaseReplica, NotedRevision } from '../replica.ts';
import type { Digest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Checkout } from './checkout.ts';

/** What both sides agreed on at each path: a digest, or null for nothing. What is not found is not there. */
export type FoundBases = Map<SkillPath, Digest | null>;

/**
 * Reconstructs the base of paths where the sides differ, each by the first rule that answers:
 *
 * 1. The file is as HEAD has it, and HEAD comes before a commit that knows a revision: the file is merely older.
 * 2. The newest revision that HEAD or a commit before it knows: by a note, or because it held those very files. Of
 *    what stands in the database again, and not in the files, that is the deletion which came later, where the files
 *    are known to have followed it: they have not deleted it anew.
 * 3. Where git says nothing, a file that is in the skill's history is merely older.
 *
 * @param hasMet whether there is a base, though not of these paths
 */
export async function reconstruct(
  database: DatabaseReplica,
  checkout: Checkout | undefined,
  pairs: readonly Pair[],
  hasMet: boolean,
): Promise<FoundBases> {
  const found = checkout
    ? await askGit(database, checkout, pairs, hasMet ? await deletionsHere(database, pairs) : new Map())
    : new Map();
  const rest = pairs.flatMap(({ path, local, remote }) =>
    !found.has(path) && local && remote?.row
      ? [{ path, skillId: remote.row.skillId, digest: local.digest }]
      : [],
  );
  if (rest.length === 0) return found;
  const past = await database.findPast(rest);
  for (const { path, digest } of rest) if (past.has(path)) found.set(path, digest);
  return found;
}

/**
 * The last deletion at each path where only the database holds a skill. Files that held one at the time, and met the
 * database since, would have it in their base, so they followed the deletion.
 */
async function deletionsHere(
  database: DatabaseReplica,
  pairs: readonly Pair[],
): Promise<ReadonlyMap<SkillPath, number>> {
  const back = pairs.flatMap(({ path, local, remote }) =>
    local === null && remote?.row ? [{ path, skillId: remote.row.skillId }] : [],
  );
  return back.length > 0 ? database.lastDeletions(back) : new Map();
}

/**
 * Rules 1 and 2, which need git.
 *
 * @param deletions those that the files followed, whatever git knows of them
 */
export async function askGit(
  database: DatabaseReplica,
  checkout: Checkout,
  pairs: readonly Pair[],
  deletions: ReadonlyMap<SkillPath, number> = new Map(),
): Promise<FoundBases> {
  const found: FoundBases = new Map();
  if (pairs.length === 0) return found;
  const isClean = await checkout.isClean();
  const asked = pairs.map(({ path, remote }) => ({ path, skillId: remote?.row?.skillId ?? null }));
  const notes = await database.notedRevisions(checkout.place, asked);
  const standings = await checkout.standings([...new Set(notes.map((note) => note.commit))]);
  const byPath = new Map<SkillPath, NotedRevision[]>();
  for (const note of notes) {
    const ofPath = byPath.get(note.path);
    if (ofPath) ofPath.push(note);
    else byPath.set(note.path, [note]);
  }
  const unknown: { path: SkillPath; skillId: number | null; after: number }[] = [];
  for (const { path, local, remote } of pairs) {
    const noted = byPath.get(path) ?? [];
    const standing = ({ commit }: NotedRevision) => standings.get(commit);
    // A deletion that was carried before it was committed stands in HEAD, if HEAD comes after and holds nothing there.
    const isCommitted = (note: NotedRevision) =>
      note.digest === null && local === null && standing(note) === 'ancestor' && isClean(path);
    const deletion = deletions.get(path);
    // HEAD still holds what these files gave up: that is no deletion of what came since, even if it is the same again.
    if (deletion !== undefined && !isClean(path)) {
      found.set(path, null);
      continue;
    }
    const known = newest([
      ...noted.filter((note) =>
        note.clean ? ['head', 'ancestor'].includes(standing(note) ?? '') : isCommitted(note),
      ),
      ...(deletion === undefined ? [] : [{ revision: deletion, digest: null }]),
    ]);
    // What was exported from an unclean file stands in some commit after the one that it was exported at.
    const isBehind = noted.some(
      (note) =>
        note.revision >= (known?.revision ?? 0) &&
        (standing(note) === 'descendant' || (!note.clean && standing(note) === 'head')),
    );
    if (isBehind && isClean(path)) found.set(path, local?.digest ?? null);
    else {
      if (known) found.set(path, known.digest);
      unknown.push({ path, skillId: remote?.row?.skillId ?? null, after: known?.revision ?? 0 });
    }
  }
  // Squashed and rebased branches leave notes of commits that nobody has; their files live on.
  const squashed = await database.newestHeld(unknown, checkout);
  for (const [path, digest] of squashed) found.set(path, digest);
  return found;
}

type Known = Pick<NotedRevision, 'revision' | 'digest'>;

function newest(notes: readonly Known[]): Known | undefined {
  return notes.reduce<Known | undefined>(
    (most, note) => (most === undefined || note.revision > most.revision ? note : most),
    undefined,
  );
}

// Notes in the database which commit knows a revision, so that any clone can tell who is ahead.

import type { PlannedChange } from '../reconcile/plan.ts';
import type { DatabaseReplica, Result } from '../replica.ts';
import type { SkillPath } from '../skill/path.ts';
import type { ReadBase } from './base.ts';
import type { Prepared } from './sync.ts';

interface Note {
  readonly path: SkillPath;
  readonly skillId: number;
  readonly revision: number;
  readonly clean: boolean;
}

/**
 * Notes HEAD for what this run stored, clean or not, and for what both sides hold alike and HEAD too, unless a
 * commit before it is noted already.
 *
 * @param entries the base as it is about to be
 * @returns the paths of which some commit is now known to hold the very revision
 */
export async function noteCommits(
  database: DatabaseReplica,
  prepared: Prepared,
  entries: ReadBase['entries'],
  results: readonly Result<PlannedChange>[],
): Promise<readonly SkillPath[]> {
  const { checkout } = prepared;
  const stored = storedRevisions(prepared, results);
  const alike = alikeRevisions(prepared, entries, results);
  if (checkout === undefined || stored.length + alike.length === 0) return [];
  const isClean = await checkout.isClean();
  const seen = alike.filter(({ path }) => isClean(path));
  const known = await knownAlready(database, prepared, seen);
  const notes: readonly Note[] = [
    ...stored.map((one) => ({ ...one, clean: isClean(one.path) })),
    ...seen.filter(({ path }) => !known.has(path)).map((one) => ({ ...one, clean: true })),
  ];
  const at = notes.length > 0 ? await checkout.headTime() : undefined;
  if (at) await database.noteCommits(checkout.place, at, notes);
  return [...known, ...(at ? notes.filter((note) => note.clean).map((note) => note.path) : [])];
}

/**
 * What this run brought from the files to the database. What was forced is no commit's, nor what a saved plan brought
 * that these files do not hold.
 */
function storedRevisions(
  { local }: Prepared,
  results: readonly Result<PlannedChange>[],
): readonly Omit<Note, 'clean'>[] {
  return results.flatMap((result) => {
    if (!result.ok || result.change.origin === 'database') return [];
    const { path, after, content } = result.change;
    const row = result.state?.row ?? result.deleted;
    const isHere = local.skills.get(content?.path ?? path)?.digest === after?.digest;
    return row && isHere ? [{ path, skillId: row.skillId, revision: row.revision }] : [];
  });
}

/** What both sides held alike when this run began, and no commit is known to hold. */
function alikeRevisions(
  { local, remote }: Prepared,
  entries: ReadBase['entries'],
  results: readonly Result<PlannedChange>[],
): readonly Omit<Note, 'clean'>[] {
  const changed = new Set(results.map(({ change }) => change.path));
  return [...entries].flatMap(([path, { digest, noted }]) => {
    const row = remote.skills.get(path)?.row;
    const isAlike = local.skills.get(path)?.digest === digest && remote.skills.get(path)?.digest === digest;
    // A row that took the file's text in this run may have another revision by now: the next run notes it.
    return row && isAlike && !noted && !changed.has(path) && !remote.textless.has(path)
      ? [{ path, skillId: row.skillId, revision: row.revision }]
      : [];
  });
}

/** Those of which HEAD, or a commit before it, is noted to hold the very revision. */
async function knownAlready(
  database: DatabaseReplica,
  { checkout }: Prepared,
  asked: readonly Omit<Note, 'clean'>[],
): Promise<ReadonlySet<SkillPath>> {
  if (checkout === undefined || asked.length === 0) return new Set();
  const revisions = new Map(asked.map(({ path, revision }) => [path, revision]));
  const notes = (await database.notedRevisions(checkout.place, asked)).filter(
    ({ path, revision, clean }) => clean && revisions.get(path) === revision,
  );
  const standings = await checkout.standings([...new Set(notes.map((note) => note.commit))]);
  return new Set(
    notes
      .filter(({ commit }) => ['head', 'ancestor'].includes(standings.get(commit) ?? ''))
      .map((note) => note.path),
  );
}

// Ignore rules do not reach what the database already holds: a new rule removes nothing from it.

import type { DatabaseReplica, FilesReplica, FilesSnapshot, Snapshot } from '../replica.ts';
import { foldersAbove, type SkillPath } from '../skill/path.ts';

/** The files' snapshot, with what the database holds of what ignore rules would leave out. */
export async function withHeldFiles(
  files: FilesReplica,
  database: DatabaseReplica,
  local: FilesSnapshot,
  remote: Snapshot,
): Promise<FilesSnapshot> {
  const asked = storedPlaces(local.dropped, remote.skills);
  const held = asked.length > 0 ? await database.storedFiles(asked) : [];
  if (held.length === 0) return local;
  files.hold(held);
  return files.snapshot();
}

/** Where the database may hold something of what was left out: within a skill, or whole skills. */
function storedPlaces(
  dropped: readonly string[],
  stored: ReadonlyMap<SkillPath, unknown>,
): readonly { readonly path: SkillPath; readonly within: string }[] {
  if (dropped.length === 0) return [];
  const below = new Map<string, SkillPath[]>(dropped.map((path) => [path, []]));
  for (const path of stored.keys()) {
    for (const folder of [...foldersAbove(path), path]) below.get(folder)?.push(path);
  }
  return dropped.flatMap((path) => {
    const whole = (below.get(path) ?? []).map((skill) => ({ path: skill, within: '' }));
    const owner = foldersAbove(path).findLast((folder) => stored.has(folder as SkillPath));
    return owner === undefined
      ? whole
      : [...whole, { path: owner as SkillPath, within: path.slice(owner.length + 1) }];
  });
}

// What the database holds: path, revision and digest of every row, digests computed where nobody knows them.

import { indexVersion } from '../document/parse.ts';
import type { DatabaseSnapshot, SkillState, Unreadable } from '../replica.ts';
import { type Digest, digestSkill, parseDigest } from '../skill/digest.ts';
import { parseSkillPath, type SkillPath } from '../skill/path.ts';
import type { Status } from '../skill/status.ts';
import { type TaxonomyMapping, taxonomyVersion } from '../taxonomy/infer.ts';
import { type Connection, inView } from './connection.ts';
import { loadRows, type RowKey } from './load.ts';

interface StateRow {
  readonly skill_id: number;
  readonly skill_path: string;
  readonly status: Status;
  readonly revision: number | null;
  readonly digest: string | null;
  /** Indexed by another version of the parser or of the taxonomy mapping. */
  readonly outdated: boolean;
  /** No sync ever stored a text for the row. */
  readonly textless: boolean;
}

/**
 * Reads all rows that are not deleted, in one consistent view.
 *
 * @param mapping by which categories are found now
 */
export async function takeSnapshot(
  connection: Connection,
  mapping: TaxonomyMapping,
  signal?: AbortSignal,
): Promise<DatabaseSnapshot> {
  return inView(connection, async () => {
    const skills = new Map<SkillPath, SkillState>();
    const unreadable: Unreadable[] = [];
    const outdated = new Set<SkillPath>();
    const textless = new Set<SkillPath>();
    const unknown = new Map<SkillPath, { readonly key: RowKey; readonly row: StateRow }>();
    for (const row of await stateRows(connection, taxonomyVersion(mapping))) {
      const path = parseSkillPath(row.skill_path);
      const digest = row.digest === null ? undefined : parseDigest(row.digest);
      if (!path.ok) unreadable.push({ path: row.skill_path, below: false, problem: path.problem });
      else if (row.revision !== null && !Number.isSafeInteger(row.revision)) {
        const why = 'skill_sync.revision is beyond all that is counted';
        const problem = { reason: 'row-not-readable', path: row.skill_path, why } as const;
        unreadable.push({ path: row.skill_path, below: false, problem });
      } else if (digest !== undefined) {
        skills.set(path.value, stateOf(row, digest));
        if (row.outdated) outdated.add(path.value);
      } else {
        unknown.set(path.value, { key: { skillId: row.skill_id, path: path.value }, row });
        if (row.textless) textless.add(path.value);
      }
    }
    const keys = [...unknown.values()].map(({ key }) => key);
    for await (const batch of loadRows(connection, keys, { mapping })) {
      signal?.throwIfAborted();
      for (const loaded of batch) {
        const row = unknown.get(loaded.path)?.row;
        if ('problem' in loaded) {
          unreadable.push({ path: loaded.path, below: false, problem: loaded.problem });
        } else if (row) {
          skills.set(loaded.path, stateOf(row, digestSkill(loaded.skill)));
        }
      }
    }
    return { skills, unreadable, notices: [], unsettled: new Set(unknown.keys()), outdated, textless };
  });
}

function stateRows(connection: Connection, taxonomy: string): Promise<readonly StateRow[]> {
  return connection.query<StateRow>(
    `select s.skill_id, coalesce(s.skill_path, '') as skill_path, s.status, y.revision,
       case when y.digest_revision = y.revision then y.digest end as digest,
       (y.index_version, y.taxonomy_version) is distinct from ($1::integer, $2::varchar) as outdated,
       y.indexed is null and s.frontmatter_source is null as textless
     from skills s left join skill_sync y using (skill_id)
     where s.deleted_at is null`,
    [indexVersion, taxonomy],
  );
}

function stateOf(row: StateRow, digest: Digest): SkillState {
  return { digest, row: { skillId: row.skill_id, revision: row.revision ?? 0, status: row.status } };
}

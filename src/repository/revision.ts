// One revision out of the history, as the skill that it was.

import { type Outcome, refuse } from '../problem.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { Connection } from './connection.ts';
import { mentionedIds, pathsOf } from './load.ts';
import { type FileRow, renderRow, type SkillRow } from './render.ts';

/** A skill as the history knows it: where it stands now, if it does. */
export interface KnownSkill {
  /** Where it stands, or stood last. */
  readonly path: SkillPath;
  readonly skillId: number;
  /** Its row's present revision; null where there is no row any more, or a deleted one. */
  readonly revision: number | null;
}

/** The skill at a path: by its row, else by an alias that leads to one, else by the history alone. */
export async function findSkill(connection: Connection, path: string): Promise<KnownSkill | undefined> {
  const [row] = await connection.query<{
    skill_id: number;
    skill_path: SkillPath;
    revision: number | null;
  }>(
    `select * from (
       select s.skill_id, s.skill_path, case when s.deleted_at is null then y.revision end as revision, 1 as rank
       from skills s left join skill_sync y using (skill_id) where s.skill_path = $1
       union all
       select s.skill_id, s.skill_path, case when s.deleted_at is null then y.revision end, 2
       from skill_fleet_resolve(array[$1]) r join skills s using (skill_id) left join skill_sync y using (skill_id)
       union all
       (select r.skill_id, r.skill_path, null, 3 from skill_revisions r
        where r.skill_path = $1 and not exists (select from skills s where s.skill_id = r.skill_id)
        order by r.revision desc limit 1)
     ) known order by rank limit 1`,
    [path],
  );
  return row && { path: row.skill_path, skillId: row.skill_id, revision: row.revision };
}

interface RevisionRow extends SkillRow {
  readonly files: readonly { readonly path: string; readonly mode: string; readonly sha256: string }[];
}

/** Reads a skill as it was at a revision: `revision-not-found`, `revision-pruned`. */
export async function loadRevision(
  connection: Connection,
  { path, skillId }: KnownSkill,
  revision: number,
): Promise<Outcome<Skill>> {
  const [row] = await connection.query<RevisionRow>(
    `select r.skill_id, '.' || r.frontmatter_source as frontmatter_source, '.' || r.skill_content as skill_content,
       r.document_name, r.document_mode, case when r.digest is null then r.index end as index,
       r.indexed is null as never_stored, coalesce(r.targets, '[]') as targets,
       skill_fleet_edited(r.index, r.indexed) as edited, r.files
     from skill_revisions r where r.skill_id = $1 and r.revision = $2`,
    [skillId, revision],
  );
  if (!row) return refuse({ reason: 'revision-not-found', path, revision });
  const contents = await contentsOf(
    connection,
    skillId,
    row.files.map((file) => file.sha256),
  );
  const files = row.files.flatMap((file): readonly FileRow[] => {
    const bytes = contents.get(file.sha256);
    return bytes
      ? [
          {
            skill_id: skillId,
            relative_path: file.path,
            content: null,
            binary_data: bytes,
            file_mode: file.mode,
          },
        ]
      : [];
  });
  if (files.length < row.files.length) return refuse({ reason: 'revision-pruned', path, revision });
  return renderRow(path, row, files, await pathsOf(connection, mentionedIds(row)), undefined);
}

/** Contents by SHA-256: what was replaced lies with the history, what stands with the row. */
async function contentsOf(
  connection: Connection,
  skillId: number,
  digests: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const rows = await connection.query<{ sha256: string; bytes: Buffer }>(
    `select sha256, bytes from skill_blobs where sha256 = any ($1)
     union all
     select encode(sha256(bytes), 'hex'), bytes
     from skill_files f, coalesce(f.binary_data, convert_to(f.content, 'UTF8')) as bytes
     where f.skill_id = $2 and encode(sha256(bytes), 'hex') = any ($1)`,
    [digests, skillId],
  );
  return new Map(rows.map((row) => [row.sha256, row.bytes]));
}

// The executable bits that rows have, and those that the history knows.

import type { DatabaseReplica, PastBits } from '../replica.ts';
import { keysOfAsked } from './commits.ts';
import type { Connection } from './connection.ts';
import { executableMode } from './render.ts';

/** See {@link DatabaseReplica.executableBits}. */
export async function executableBits(connection: Connection): Promise<ReadonlyMap<string, boolean>> {
  const rows = await connection.query<{ file: string; executable: boolean }>(
    `with present as (
       select s.skill_id, s.skill_path, coalesce(y.document_name, 'SKILL.md') as document_name,
         coalesce(y.document_mode, '100644') as document_mode,
         y.indexed is null and s.frontmatter_source is null as textless
       from skills s left join skill_sync y using (skill_id)
       where s.deleted_at is null
     ),
     files as (
       select skill_path, textless, document_name as name, document_mode as mode from present
       union all
       select p.skill_path, p.textless, f.relative_path, f.file_mode
       from present p join skill_files f using (skill_id)
     )
     select skill_path || '/' || name as file, mode = $1 as executable
     from files where mode = $1 or not textless`,
    [executableMode],
  );
  return new Map(rows.map(({ file, executable }) => [file, executable]));
}

/** See {@link DatabaseReplica.pastBits}. */
export async function pastBits(
  connection: Connection,
  asked: Parameters<DatabaseReplica['pastBits']>[0],
): Promise<readonly PastBits[]> {
  return connection.query<PastBits>(
    `with asked as (select * from unnest($1::text[], $2::integer[]) as a (path, skill_id)), ${keysOfAsked}
     select k.path, b.executable, array_agg(r.digest::text order by r.revision desc) as digests
     from known k
     join skill_revisions r using (skill_id)
     cross join lateral (
       select array(
         select r.document_name::text as path where r.document_mode = $3
         union all
         select f.path from jsonb_to_recordset(r.files) as f (path text, mode text) where f.mode = $3
         order by path
       ) as executable
     ) b
     where r.skill_path = k.path and r.digest is not null
     group by k.path, b.executable
     order by max(r.revision) desc`,
    [asked.map((one) => one.path), asked.map((one) => one.skillId), executableMode],
  );
}

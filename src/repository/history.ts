// What the database remembers of skills: the digests that they had, and contents kept before an overwrite.

import { createHash } from 'node:crypto';
import { decodeDocument, parseDocument, type SkillDocument } from '../document/parse.ts';
import type { Outcome } from '../problem.ts';
import type { Digest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';
import { type Connection, writerSql } from './connection.ts';
import { modeOf } from './render.ts';

/** The keys of the skills that stood at these paths last, and stand elsewhere now. */
export async function formerKeys(
  connection: Connection,
  paths: readonly SkillPath[],
): Promise<ReadonlyMap<SkillPath, number>> {
  const rows = await connection.query<{ skill_path: SkillPath; skill_id: number }>(
    `select last.skill_path, last.skill_id
     from (
       select distinct on (r.skill_path) r.skill_path, r.skill_id
       from skill_revisions r where r.skill_path = any ($1)
       order by r.skill_path, r.revision desc
     ) last
     join skills s using (skill_id)
     where s.deleted_at is null and s.skill_path <> last.skill_path`,
    [paths],
  );
  return new Map(rows.map((row) => [row.skill_path, row.skill_id]));
}

/** Files that are about to be overwritten, and the row that they belong to. */
export interface Overwritten {
  readonly skillId: number;
  readonly skill: Skill;
  readonly digest: Digest;
  readonly entry: Entry;
  readonly document: SkillDocument;
}

/** Readies files to be kept. Refused with the problem of a document that cannot be understood. */
export function readOverwritten(skillId: number, skill: Skill, digest: Digest): Outcome<Overwritten> {
  const entry = documentOf(skill);
  const place = { skill: skill.path, file: entry.path };
  const text = decodeDocument(entry.bytes, place);
  const document = text.ok ? parseDocument(text.value, place) : text;
  return document.ok
    ? { ok: true, value: { skillId, skill, digest, entry, document: document.value } }
    : document;
}

/**
 * Keeps files in the history before a run overwrites them: one revision a skill, unless the history holds that
 * very content already.
 *
 * @returns the revision under which each skill's files stand there
 */
export async function keepFiles(
  connection: Connection,
  overwritten: readonly Overwritten[],
  runId: number,
): Promise<ReadonlyMap<number, number>> {
  const blobs = new Map<string, Buffer>();
  const manifests = overwritten.map(({ skill, entry }) =>
    skill.entries
      .filter((attached) => attached !== entry)
      .map(({ path, executable, bytes }) => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        blobs.set(sha256, bytes);
        return { path, mode: modeOf(executable), bytes: bytes.length, sha256 };
      }),
  );
  await connection.query(
    `insert into skill_blobs (sha256, bytes) select * from unnest($1::text[], $2::bytea[])
     on conflict (sha256) do nothing`,
    [[...blobs.keys()], [...blobs.values()]],
  );
  await connection.query(
    `insert into skill_revisions (
       skill_id, revision, skill_path, document_name, document_mode, frontmatter_source, skill_content, files,
       digest, origin, writer, replaced_by_run
     )
     select k.skill_id, nextval('skill_revision_seq'), k.skill_path, k.document_name, k.document_mode,
       k.frontmatter_source, k.skill_content, k.files::jsonb, k.digest, 'files',
       ${writerSql}, $9
     from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       as k (skill_id, skill_path, document_name, document_mode, frontmatter_source, skill_content, files, digest)
     where not exists (
       select from skill_revisions r where r.skill_id = k.skill_id and r.digest = k.digest and r.pruned_at is null
     )`,
    [
      overwritten.map(({ skillId }) => skillId),
      overwritten.map(({ skill }) => skill.path),
      overwritten.map(({ entry }) => entry.path),
      overwritten.map(({ entry }) => modeOf(entry.executable)),
      overwritten.map(({ document }) => document.frontmatterSource),
      overwritten.map(({ document }) => document.body),
      manifests.map((manifest) => JSON.stringify(manifest)),
      overwritten.map(({ digest }) => digest),
      runId,
    ],
  );
  const rows = await connection.query<{ skill_id: number; revision: number }>(
    `select skill_id, max(revision) as revision
     from unnest($1::integer[], $2::text[]) as k (skill_id, digest) join skill_revisions using (skill_id, digest)
     where pruned_at is null
     group by skill_id`,
    [overwritten.map(({ skillId }) => skillId), overwritten.map(({ digest }) => digest)],
  );
  return new Map(rows.map((row) => [row.skill_id, row.revision]));
}

/**
 * A condition on revisions: files that a run overwrote, and kept first, which were never a row's state. A row that has
 * its state from files notes when it got that.
 */
export const isKeptFiles = (alias: string) => `${alias}.origin = 'files' and ${alias}.revised_at is null`;

/** When each row was last changed, by the database's clock, and what that says now. */
export async function rowsChangedAt(
  connection: Connection,
  paths: readonly SkillPath[],
): Promise<{ readonly now: Date; readonly times: ReadonlyMap<SkillPath, Date> }> {
  const rows = await connection.query<{ skill_path: SkillPath; changed_at: Date | null; now: Date }>(
    `select s.skill_path, clock.now,
       case y.origin when 'files' then coalesce(y.changed_at, y.revised_at) else y.revised_at end as changed_at
     from (select clock_timestamp() as now) clock
     left join (skills s join skill_sync y using (skill_id)) on s.skill_path = any ($1)`,
    [paths],
  );
  return {
    now: rows[0]?.now ?? new Date(0),
    times: new Map(
      rows.flatMap((row) => (row.changed_at ? [[row.skill_path, row.changed_at] as const] : [])),
    ),
  };
}

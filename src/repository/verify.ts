// What the database says of itself, proved from what it holds: digests taken anew, the index held against the
// documents, the history against its own digests.

import { isDeepStrictEqual } from 'node:util';
import { keptOtherwise } from '../document/agreement.ts';
import { sameKey } from '../document/keys.ts';
import { decodeDocument, indexVersion, parseDocument, type SkillDocument } from '../document/parse.ts';
import { type HistoryFault, oneByOne, type VerifiedHistory, type VerifiedRow } from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import { documentOf, type Skill } from '../skill/skill.ts';
import { type TaxonomyMapping, taxonomyVersion } from '../taxonomy/infer.ts';
import { type Connection, inView } from './connection.ts';
import { isIndexKey, type KeptTarget } from './edits.ts';
import { fieldsOf, type IndexRow } from './index-row.ts';
import { loadRows, type RowKey } from './load.ts';
import { loadRevisions, type RevisionKey } from './revision.ts';
import { indexIn, soundIndex, targetsIn } from './sound.ts';
import { declaredTargets } from './targets.ts';

/** What is noted of a row that, as far as the triggers know, nobody edited since a sync wrote it. */
interface NotedRow {
  readonly skill_id: number;
  readonly digest: string;
  readonly index: IndexRow;
  /** The keys of the index that are not as the sync wrote them. */
  readonly edited: readonly string[] | null;
  readonly targets: readonly KeptTarget[];
  /** Indexed by another version of the parser or of the taxonomy mapping. */
  readonly outdated: boolean;
  readonly mischecked: readonly string[];
  readonly missized: readonly string[];
}

/** Reads rows as they are, and what is noted of them, in bounded batches. */
export async function* verifyRows(
  connection: Connection,
  keys: readonly RowKey[],
  mapping: TaxonomyMapping,
): AsyncGenerator<readonly VerifiedRow[]> {
  const ids = new Map(keys.map(({ path, skillId }) => [path, skillId]));
  for await (const batch of loadRows(connection, keys, { mapping })) {
    const rows = batch.map((loaded) => ({ loaded, skillId: ids.get(loaded.path) ?? 0 }));
    const noted = await inView(connection, () =>
      notedRows(
        connection,
        rows.map((row) => row.skillId),
        mapping,
      ),
    );
    yield rows.map(({ loaded, skillId }) => {
      const row = noted.get(skillId);
      if (!row || 'problem' in loaded) {
        return { skillId, loaded, hasItsDigest: true, mischecked: [], missized: [], columns: [] };
      }
      const hasItsDigest = digestSkill(loaded.skill) === row.digest;
      const { mischecked, missized, edited } = row;
      // What the index has of another text says nothing about this one.
      const unsaid = hasItsDigest && !row.outdated ? unsaidBy(loaded.skill, row) : [];
      return {
        skillId,
        loaded,
        hasItsDigest,
        mischecked,
        missized,
        columns: [...new Set([...(edited ?? []), ...unsaid])],
      };
    });
  }
}

async function notedRows(
  connection: Connection,
  ids: readonly number[],
  mapping: TaxonomyMapping,
): Promise<ReadonlyMap<number, NotedRow>> {
  // A checksum that is no SHA-256 is another writer's, and claims nothing.
  const rows = await connection.query<NotedRow>(
    `select y.skill_id, y.digest, i.index, skill_fleet_edited(i.index, ${indexIn('y.indexed')}) as edited,
       ${targetsIn('y.targets')} as targets,
       (y.index_version, y.taxonomy_version) is distinct from ($2::integer, $3::varchar) as outdated,
       array(
         select f.relative_path::text
         from skill_files f
         where f.skill_id = y.skill_id and f.checksum ~ '^[0-9a-f]{64}$'
           and f.checksum <> encode(sha256(coalesce(f.binary_data, convert_to(f.content, 'UTF8'))), 'hex')
         order by f.relative_path collate "C"
       ) as mischecked,
       array(
         select f.relative_path::text
         from skill_files f
         where f.skill_id = y.skill_id
           and f.file_size_bytes <> octet_length(coalesce(f.binary_data, convert_to(f.content, 'UTF8')))
         order by f.relative_path collate "C"
       ) as missized
     from skill_sync y join skill_fleet_index($1) i using (skill_id)
     where y.skill_id = any ($1) and y.digest_revision = y.revision and y.digest is not null`,
    [ids, indexVersion, taxonomyVersion(mapping)],
  );
  return new Map(rows.map((row) => [row.skill_id, row]));
}

/** Where the index says otherwise than the document. */
function unsaidBy(skill: Skill, { index, targets }: NotedRow): readonly string[] {
  const document = documentIn(skill);
  if (!document) return [];
  const sound = soundIndex(index);
  if ('unsound' in sound) return ['index'];
  const named = targets.map(({ skill_id: _, ...target }) => target);
  return [
    ...keptOtherwise(fieldsOf(sound.index, new Map()), document).map((key) =>
      isIndexKey(sameKey(key)) ? sameKey(key) : 'extra',
    ),
    ...(isDeepStrictEqual(named, declaredTargets(document.fields)) ? [] : ['targets']),
  ];
}

function documentIn(skill: Skill): SkillDocument | undefined {
  const entry = documentOf(skill);
  const place = { skill: skill.path, file: entry.path };
  const text = decodeDocument(entry.bytes, place);
  const document = text.ok ? parseDocument(text.value, place) : text;
  return document.ok ? document.value : undefined;
}

/** How many blobs or revisions are asked for at once. */
const pageLength = 1000;

/** Reads the history in bounded batches: its blobs, whose digests the server takes, then its revisions. */
export async function* verifyHistory(
  connection: Connection,
  damaged: ReadonlySet<number>,
): AsyncGenerator<VerifiedHistory> {
  const spoiled: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: readonly Blob[] = await blobsAfter(connection, after);
    const faults = page.flatMap(({ sha256, is_right: isRight }) => (isRight ? [] : [sha256]));
    spoiled.push(...faults);
    yield { revisions: 0, blobs: page.length, faults: faults.map((sha256) => ({ what: 'blob', sha256 })) };
    after = page.at(-1)?.sha256;
  }
  for (let after: PlaceInHistory | undefined = { skillId: 0, revision: 0 }; after !== undefined; ) {
    const page: readonly NotedRevision[] = await revisionsAfter(connection, after, spoiled);
    yield { revisions: page.length, blobs: 0, faults: await faultsOf(connection, page, damaged) };
    after = page.at(-1);
  }
}

interface Blob {
  readonly sha256: string;
  readonly is_right: boolean;
}

function blobsAfter(connection: Connection, after: string): Promise<readonly Blob[]> {
  return inView(connection, () =>
    connection.query<Blob>(
      `select sha256, encode(sha256(bytes), 'hex') = sha256 as is_right
       from skill_blobs where sha256 > $1 order by sha256 limit $2`,
      [after, pageLength],
    ),
  );
}

type PlaceInHistory = Pick<RevisionKey, 'skillId' | 'revision'>;

interface NotedRevision extends RevisionKey {
  readonly digest: string | null;
  /** Whether its contents were given up. */
  readonly isPruned: boolean;
  /** Whether it names a blob that is not what it was. */
  readonly isSpoiled: boolean;
}

function revisionsAfter(
  connection: Connection,
  { skillId, revision }: PlaceInHistory,
  spoiled: readonly string[],
): Promise<readonly NotedRevision[]> {
  return inView(connection, () =>
    connection.query<NotedRevision>(
      `select r.skill_path as path, r.skill_id as "skillId", r.revision, r.digest,
         r.pruned_at is not null as "isPruned",
         exists (
           select from jsonb_to_recordset(r.files) as f (sha256 text) where f.sha256 = any ($4)
         ) as "isSpoiled"
       from skill_revisions r
       where (r.skill_id, r.revision) > ($1, $2) order by r.skill_id, r.revision limit $3`,
      [skillId, revision, pageLength, spoiled],
    ),
  );
}

async function faultsOf(
  connection: Connection,
  page: readonly NotedRevision[],
  damaged: ReadonlySet<number>,
): Promise<readonly HistoryFault[]> {
  const faults: HistoryFault[] = [];
  const read = page.filter(({ isPruned, isSpoiled }) => !isPruned && !isSpoiled);
  const asked = read[Symbol.iterator]();
  for await (const loaded of oneByOne(loadRevisions(connection, read))) {
    const { value: noted } = asked.next();
    if (!noted) throw new Error('more revisions than were asked for');
    const { path, revision, digest, skillId } = noted;
    if ('skill' in loaded) {
      if (digest !== null && digestSkill(loaded.skill) !== digest) {
        faults.push({ what: 'revision', path, revision, why: 'digest' });
      }
    } else if (loaded.problem.reason === 'revision-pruned') {
      // Files that did not change since lie with the row, whose damage was told of.
      if (!damaged.has(skillId)) faults.push({ what: 'revision', path, revision, why: 'contents' });
    } else if (digest !== null) {
      // A state that had a digest could be given once.
      faults.push({ what: 'revision', path, revision, why: 'digest' });
    }
  }
  return faults;
}

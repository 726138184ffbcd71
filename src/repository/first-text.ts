// The text of a row for which no sync ever stored one: the whole document that its writer put into
// skill_content, or that of a file which says nothing against the row. A library and a tree that were filled
// apart begin in sync by this.

import { type Agreement, agreementOf } from '../document/agreement.ts';
import type { Fields } from '../document/fields.ts';
import { splitDocument } from '../document/split.ts';
import type { SkillPath } from '../skill/path.ts';
import { type Entry, makeSkill, type Skill } from '../skill/skill.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import { knownCategories } from './categories.ts';
import type { Connection } from './connection.ts';
import { fieldsOf, type IndexRow } from './index-row.ts';
import { type ReadSkill, readSkill } from './read-skill.ts';

/** A row that never had a stored text. */
export interface FirstRow {
  readonly skillId: number;
  readonly path: SkillPath;
  readonly document: Entry;
  /** Whether that is a whole document, not a body alone. */
  readonly isWhole: boolean;
  readonly attached: readonly { readonly path: string; readonly bytes: Buffer }[];
  readonly index: IndexRow;
}

/** A text for such a row, and what only the row says beyond it. */
export interface FirstText {
  readonly read: ReadSkill;
  readonly beyond: Agreement['beyond'];
  /** The file that gave the text; undefined where it is the row's own. */
  readonly file: Skill | undefined;
}

interface Candidate extends Pick<FirstText, 'read' | 'file'> {
  readonly row: FirstRow;
}

/** Whether a row's `skill_content` is a whole document. */
export function isWholeDocument(content: string): boolean {
  return splitDocument(content).yaml !== null;
}

/**
 * Finds the texts of rows that never had one; the others are not among the result.
 *
 * @param files what stands in the files at the rows' paths, where that is known
 * @param paths the paths of the skills that the rows are linked with, by key
 */
export async function firstTexts(
  connection: Connection,
  rows: readonly FirstRow[],
  files: ReadonlyMap<SkillPath, Skill>,
  paths: ReadonlyMap<number, string>,
  mapping: TaxonomyMapping,
): Promise<ReadonlyMap<number, FirstText>> {
  const known = await knownCategories(connection);
  const read = (skill: Skill) => {
    const outcome = readSkill(skill, known, mapping);
    return outcome.ok ? outcome.value : undefined;
  };
  const candidates = rows.flatMap((row): readonly Candidate[] => {
    const content = row.document.bytes.toString();
    const own = row.isWhole ? read(makeSkill(row.path, [row.document])) : undefined;
    const file = files.get(row.path);
    const ofFile = file && read(file);
    const text = row.isWhole ? ofFile?.entry.bytes.toString() : ofFile?.document.body;
    if (ofFile && text !== undefined && isSameText(content, text) && hasSameFiles(row, file, ofFile.entry)) {
      return [{ row, read: ofFile, file }];
    }
    return own ? [{ row, read: own, file: undefined }] : [];
  });
  const targets = await resolveTargets(
    connection,
    candidates.map(({ read }) => read.document.fields),
  );
  return new Map(
    candidates.flatMap(({ row, read, file }) => {
      const { fields, statesStatus } = read.document;
      const said = fieldsOf(row.index, paths);
      const { beyond, against } = agreementOf(
        { ...said, category: said.category === read.category?.path ? fields.category : said.category },
        { fields: linkedFields(fields, targets, paths), statesStatus },
      );
      // In a whole document the row's writer said it all; beside another text its values must not disagree.
      return row.isWhole || against.length === 0
        ? [[row.skillId, { read, beyond: withNamesInVain(beyond, fields), file }] as const]
        : [];
    }),
  );
}

/** Where only the row links to other skills, what the document names in vain stands before them. */
function withNamesInVain(
  beyond: Agreement['beyond'],
  { dependencies, references }: Fields,
): Agreement['beyond'] {
  return {
    ...beyond,
    ...(beyond.dependencies && { dependencies: [...dependencies, ...beyond.dependencies] }),
    ...(beyond.references && { references: [...references, ...beyond.references] }),
  };
}

/** A row without any text is silent. Blank space around a text, and how its lines end, are nobody's statement. */
function isSameText(content: string, text: string): boolean {
  const bare = (one: string) => one.replaceAll('\r\n', '\n').trim();
  return bare(content) === '' || bare(content) === bare(text);
}

/** A row without attached files is silent about them, and any adopted one about executable bits. */
function hasSameFiles({ attached }: FirstRow, { entries }: Skill, document: Entry): boolean {
  if (attached.length === 0) return true;
  const bytes = new Map<string, Buffer>(attached.map((file) => [file.path, file.bytes]));
  const files = entries.filter((entry) => entry !== document);
  return files.length === bytes.size && files.every((entry) => bytes.get(entry.path)?.equals(entry.bytes));
}

async function resolveTargets(
  connection: Connection,
  documents: readonly Fields[],
): Promise<ReadonlyMap<string, number>> {
  const names = documents.flatMap(({ dependencies, references }) =>
    [...dependencies, ...references].map((link) => link.target),
  );
  if (names.length === 0) return new Map();
  const rows = await connection.query<{ target: string; skill_id: number }>(
    'select target, skill_id from skill_fleet_resolve($1) where skill_id is not null',
    [names],
  );
  return new Map(rows.map((row) => [row.target, row.skill_id]));
}

/** A document's values with other skills named by path, and without those that it names in vain. */
function linkedFields(
  fields: Fields,
  targets: ReadonlyMap<string, number>,
  paths: ReadonlyMap<number, string>,
): Fields {
  const linked = <T extends { readonly target: string }>(links: readonly T[]) =>
    links.flatMap((link) => {
      const skillId = targets.get(link.target);
      return skillId === undefined ? [] : [{ ...link, target: paths.get(skillId) ?? link.target }];
    });
  return { ...fields, dependencies: linked(fields.dependencies), references: linked(fields.references) };
}

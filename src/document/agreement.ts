// How a row that never had a document stands to one that tells of the same skill: what only the row says, and
// where the two contradict each other. A library and a tree that were filled apart begin in sync by this.

import { isDeepStrictEqual } from 'node:util';
import { type Fields, loadPriorities, silentFields, skillStyles, skillTypes, weights } from './fields.ts';
import { keysOf } from './keys.ts';
import type { SkillDocument } from './parse.ts';

/** What stands between a row and a document. */
export interface Agreement {
  /** The values that only the row says: the document is silent there. */
  readonly beyond: Partial<Fields>;
  /** The fields of which both say something, and not the same. */
  readonly against: readonly (keyof Fields)[];
}

/** What the column holds where nobody ever set a status. */
const columnStatus = 'draft';

const fieldNames: readonly (keyof Fields)[] = ['name', ...(Object.keys(silentFields) as SilentField[])];

type SilentField = keyof typeof silentFields;

/**
 * Compares a row with a document. What either side leaves at its default says nothing, and lists are compared
 * as sets. A status of which the document is silent stays with the row.
 *
 * @param row its dependencies, references and category named as the document names them
 */
export function agreementOf(
  row: Fields,
  { fields, statesStatus }: Pick<SkillDocument, 'fields' | 'statesStatus'>,
): Agreement {
  // Libraries that others filled have tags among their keywords.
  const isOwnKeyword = (keyword: string) =>
    fields.keywords.includes(keyword) || !fields.tags.includes(keyword);
  const said: Fields = { ...row, keywords: row.keywords.filter(isOwnKeyword) };
  const differing = fieldNames.filter(
    (field) =>
      (field === 'status' ? row.status !== columnStatus : isSaid(said, field)) &&
      !isSame(said[field], fields[field]),
  );
  const isContradicted = (field: keyof Fields) => (field === 'status' ? statesStatus : isSaid(fields, field));
  return {
    beyond: Object.fromEntries(
      differing
        .filter((field) => field !== 'status' && !isContradicted(field))
        .map((field) => [field, said[field]]),
    ),
    against: differing.filter(isContradicted),
  };
}

/**
 * The keys of which a row says otherwise than the document that was just stored there. In some values a row may
 * differ: a status of which the document is silent, a label that no document can say, tags among the keywords, an
 * alias that a rename left. The category, and links to other skills, are no values of the document alone.
 */
export function keptOtherwise(
  row: Fields,
  { fields, statesStatus }: Pick<SkillDocument, 'fields' | 'statesStatus'>,
): readonly string[] {
  const { category, dependencies, references } = row;
  const wanted: Fields = {
    ...fields,
    ...{ category, dependencies, references },
    type: ownLabel(row.type, fields.type, silentFields.type, skillTypes),
    weight: ownLabel(row.weight, fields.weight, silentFields.weight, weights),
    loadPriority: ownLabel(row.loadPriority, fields.loadPriority, silentFields.loadPriority, loadPriorities),
    skillStyle: ownLabel(row.skillStyle, fields.skillStyle, silentFields.skillStyle, skillStyles),
    status: statesStatus ? fields.status : row.status,
    keywords: [
      ...new Set([...fields.keywords, ...row.keywords.filter((keyword) => fields.tags.includes(keyword))]),
    ],
    aliases: fields.aliases.filter((alias) => row.aliases.includes(alias)),
    // As JSON has it: there is but one zero.
    extra: JSON.parse(JSON.stringify(fields.extra)) as Fields['extra'],
  };
  return fieldNames
    .filter((field) => !isSame(row[field], wanted[field]))
    .flatMap((field) => (field === 'extra' ? differingKeys(row.extra, wanted.extra) : keysOf(field)[0]));
}

/** A row's label where no document can say it, and this one is silent; else the document's. */
function ownLabel<L extends string | null>(row: L, said: L, silent: L, known: readonly L[]): L {
  return row !== null && !known.includes(row) && said === silent ? row : said;
}

function differingKeys(one: Fields['extra'], other: Fields['extra']): readonly string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].filter((key) => !isDeepStrictEqual(one[key], other[key])).sort();
}

function isSaid(fields: Fields, field: keyof Fields): boolean {
  return field === 'name' || !isDeepStrictEqual(fields[field], silentFields[field]);
}

function isSame(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b)
    ? a.length === b.length && isDeepStrictEqual(new Set(a), new Set(b))
    : isDeepStrictEqual(a, b);
}

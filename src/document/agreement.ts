// How a row that never had a document stands to one that tells of the same skill: what only the row says, and
// where the two contradict each other. A library and a tree that were filled apart begin in sync by this.

import { isDeepStrictEqual } from 'node:util';
import { type Fields, silentFields } from './fields.ts';
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

function isSaid(fields: Fields, field: keyof Fields): boolean {
  return field === 'name' || !isDeepStrictEqual(fields[field], silentFields[field]);
}

function isSame(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b)
    ? a.length === b.length && isDeepStrictEqual(new Set(a), new Set(b))
    : isDeepStrictEqual(a, b);
}

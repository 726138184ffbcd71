// What only a sync should have written, and anybody can have written over: looked at before it is trusted.

import { type Fields, silentFields } from '../document/fields.ts';
import { fieldNames } from './edits.ts';
import type { IndexRow } from './index-row.ts';

// A path that looks into an array sees its items one by one, and none of an empty one: these see what is odd.

/** Odd among `skill_sync.targets` and its likes: what is no link with a name, resolved or not. */
const oddTarget = `$[*] ? (
  !((@.kind == "dependency" || @.kind == "reference") && @.target.type() == "string" && @."type".type() == "string")
  || exists(@.skill_id ? (@.type() != "null" && (@.type() != "number" || @ > 2147483647 || @ < 0)))
)`;

/** Odd in `skill_revisions.files`: what is no line of a manifest. */
const oddFile = `$[*] ? (!(
  @.path.type() == "string" && @.mode.type() == "string" && @.sha256.type() == "string"
  && @.bytes.type() == "number" && @.bytes >= 0 && @.bytes < 2147483648
))`;

/** Odd as `skill_sync.indexed` and its likes: what is no index as `skill_fleet_index` gives it. */
const oddIndex = `$ ? (
  !(@.dependencies.type() == "array" && @."references".type() == "array" && @.tags.type() == "array")
  || exists(@.*.skill_id ? (@.type() != "number" || @ > 2147483647 || @ < 0))
)`;

function isSound(column: string, type: 'array' | 'object', odd: string): string {
  return `(jsonb_typeof(${column}) = '${type}' and not ${column} @? '${odd}')`;
}

/** Targets in SQL; none where the column holds something else. */
export function targetsIn(column: string): string {
  return `case when ${isSound(column, 'array', oddTarget)} then ${column} else '[]' end`;
}

/** An index in SQL; null where the column holds something else. */
export function indexIn(column: string): string {
  return `case when ${isSound(column, 'object', oddIndex)} then ${column} end`;
}

/** A manifest in SQL; where the column holds something else, one of a file whose contents nobody has. */
export function filesIn(column: string): string {
  const lost = '[{"path": "", "mode": "", "sha256": "", "bytes": 0}]';
  return `case when ${isSound(column, 'array', oddFile)} then ${column} else '${lost}' end`;
}

/** Which column of a row of `skill_sync` holds something else, in SQL; null where none does. */
export function unsoundIn(table: string): string {
  const columns = [
    ['targets', 'array', oddTarget],
    ['indexed', 'object', oddIndex],
  ] as const;
  const texts = columns.map(
    ([column, type, odd]) =>
      `case when not ${isSound(`${table}.${column}`, type, odd)} then 'skill_sync.${column} holds what no sync writes' end`,
  );
  return `coalesce(${texts.join(', ')})`;
}

type Is = (value: unknown) => boolean;

const isText: Is = (value) => typeof value === 'string';
const isNumber: Is = (value) => typeof value === 'number';
const isMap: Is = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function isMaybe(is: Is): Is {
  return (value) => value === null || is(value);
}

function isList(is: Is): Is {
  return (value) => Array.isArray(value) && value.every(is);
}

function isWith(fields: { readonly [name: string]: Is }): Is {
  return (value) =>
    isMap(value) &&
    Object.entries(fields).every(([name, is]) => is((value as { [name: string]: unknown })[name]));
}

const kinds: { readonly [K in keyof IndexRow]: Is } = {
  name: isText,
  description: isText,
  version: isText,
  type: isText,
  weight: isText,
  load_priority: isText,
  status: isText,
  skill_style: isMaybe(isText),
  scope: isMaybe(isText),
  extra: isMap,
  category: isMaybe(isText),
  keywords: isList(isText),
  tags: isList(isText),
  capabilities: isList(isWith({ name: isText, description: isText })),
  dependencies: isList(isWith({ skill_id: isNumber, type: isText, justification: isMaybe(isText) })),
  references: isList(isWith({ skill_id: isNumber, type: isText })),
  aliases: isList(isText),
  facets: isList(isWith({ key: isText, value: isText })),
  allowed_tools: isList(isText),
};

/** An index as a sync can use it: what is null says nothing. Else the first value that is of another kind, in words. */
export function soundIndex(index: unknown): { readonly index: IndexRow } | { readonly unsound: string } {
  if (!isMap(index)) return { unsound: 'its index is none' };
  const silent: Omit<Fields, 'name'> & { readonly name?: never } = silentFields;
  const said = Object.entries(kinds).map(([key, is]) => {
    const value =
      (index as { [key: string]: unknown })[key] ?? silent[fieldNames[key as keyof IndexRow]] ?? null;
    return [key, value, is(value)] as const;
  });
  const odd = said.find(([, , isSound]) => !isSound);
  return odd
    ? { unsound: `the value of ${odd[0]} is none that a document can have` }
    : { index: Object.fromEntries(said) as unknown as IndexRow };
}

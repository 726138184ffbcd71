// The frontmatter of a database row that has none: what its values say, as a person would write it.

import { isDeepStrictEqual } from 'node:util';
import { capabilitiesOfBody } from './body.ts';
import { type Capability, type Fields, type Json, silentFields } from './fields.ts';
import { formOf } from './forms.ts';
import {
  type MetadataField,
  metadataKey,
  metadataKeys,
  saysField,
  specifiedKeys,
  topLevelKeys,
} from './keys.ts';
import { pairLines } from './print.ts';
import { isSilent } from './sayings.ts';
import { valueOfJson } from './values.ts';
import { Warnings } from './warning.ts';
import type { Value } from './yaml.ts';

type Said = readonly [key: string, value: Value];

/** How deep values of `extra` that are written may nest: well below the depth at which documents are refused. */
export const maxExtraDepth = 64;

/**
 * The text to put before the body, fences included: `name`, `description`, then what differs from a silent
 * document, in a fixed order, never a null, never an empty list. `parseDocument` reads the same fields
 * back from it and that body, which stays as it is: no blank line is put between the two, since the first
 * would be the body's.
 *
 * What of `extra` would not be read back is left out: keys that say a field, values nested too deep.
 */
export function freshFrontmatter(fields: Fields, body: string): string {
  const { metadata, ...extra } = fields.extra;
  const own = metadataOf(fields, body);
  // A `metadata` that is no map stays so; the fields then stand at the top level, as in older documents.
  const isMap = metadata === undefined || isObject(metadata);
  const below = isMap ? [...own, ...extrasOf(metadata ?? {}, 'metadata')] : [];
  const tools = formOf('allowedTools', fields.allowedTools);
  const said: readonly Said[] = [
    [topLevelKeys.name, fields.name],
    [topLevelKeys.description, fields.description],
    ...specifiedFirst(extrasOf(extra, 'top')),
    ...(tools === undefined ? [] : [[topLevelKeys.allowedTools, tools] as const]),
    ...(isMap ? [] : [...own, [metadataKey, valueOfJson(metadata)] as const]),
    ...(below.length === 0 ? [] : [[metadataKey, new Map(below)] as const]),
  ];
  const lines = said.flatMap(([key, value]) => pairLines(key, value, 'plain'));
  return `---\n${lines.map((line) => `${line}\n`).join('')}---\n`;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function extrasOf(extra: { readonly [key: string]: Json }, where: 'top' | 'metadata'): readonly Said[] {
  return Object.entries(extra)
    .filter(
      ([key, value]) => value !== null && !saysField(key, where) && isNestedWithin(maxExtraDepth, value),
    )
    .map(([key, value]) => [key, valueOfJson(value)]);
}

/** Whether a value is nested no deeper than that. */
export function isNestedWithin(depth: number, value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isNestedWithin(depth - 1, inner));
}

function specifiedFirst(said: readonly Said[]): readonly Said[] {
  const isSpecified = ([key]: Said) => specifiedKeys.includes(key);
  return [
    ...specifiedKeys.flatMap((key) => said.filter((one) => one[0] === key)),
    ...said.filter((one) => !isSpecified(one)),
  ];
}

/** The values of the `metadata:` map, silent ones left out. */
function metadataOf(fields: Fields, body: string): readonly Said[] {
  const said: Fields = { ...fields, capabilities: unsaid(fields.capabilities, body) };
  const form = <F extends MetadataField>(field: F) =>
    isDeepStrictEqual(said[field], silentFields[field]) ? null : (formOf(field, said[field]) ?? null);
  return (Object.keys(metadataKeys) as MetadataField[]).flatMap((field) => {
    const value = form(field);
    return isSilent(value) ? [] : [[metadataKeys[field][0], value]];
  });
}

/**
 * The capabilities that the body's section does not say already; all where leaving those out would change
 * their order, since the frontmatter's come first.
 */
function unsaid(capabilities: readonly Capability[], body: string): readonly Capability[] {
  const said = capabilitiesOfBody(body, 1, new Warnings());
  const split = Math.max(capabilities.length - said.length, 0);
  const isSaid = capabilities.slice(split).every((capability, index) => isSame(capability, said[index]));
  return isSaid ? capabilities.slice(0, split) : capabilities;
}

function isSame(a: Capability, b: Capability | undefined): boolean {
  return a.name === b?.name && a.description === b.description;
}

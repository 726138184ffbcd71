// What a document says of a skill's relations: capabilities, dependencies, references, facets, allowed tools.

import {
  type Capability,
  type Dependency,
  dependencyTypes,
  type Facet,
  type Fields,
  limits,
  type Reference,
  silentDependencyType,
  silentReferenceType,
} from './fields.ts';
import {
  itemsOf,
  oneOf,
  type Read,
  readText,
  type Spot,
  splitAtCommas,
  textsWithin,
  textWithin,
  unique,
} from './values.ts';
import type { Value } from './yaml.ts';

type Mapping = ReadonlyMap<string, Value>;

export const targetKeys = ['path', 'skill', 'name', 'target'];
export const justificationKeys = ['justification', 'reason'];
const readTarget = textWithin(limits.target);
const readDependencyType = oneOf(dependencyTypes);
const readReferenceType = textWithin(limits.referenceType);
const readCapabilityName = textWithin(limits.capabilityName);
const readFacetKey = textWithin(limits.facetKey);
const readFacetValues = textsWithin(limits.facetValue, (text) => [text]);

/** `Name: text` as texts or as single-key maps, or maps of name and description. */
const readCapabilities: Read<readonly Capability[]> = (value, spot) =>
  unique(
    itemsOf(value, (text) => [text]).flatMap((item) => capabilitiesOf(item, spot)),
    ({ name }) => name,
  );

function capabilitiesOf(item: Value, spot: Spot): readonly Capability[] {
  if (typeof item === 'string') {
    const colon = item.indexOf(': ');
    const [name, text] = colon === -1 ? [item, ''] : [item.slice(0, colon), item.slice(colon + 1).trim()];
    return capability(name, text, spot);
  }
  if (item instanceof Map && item.has('name')) {
    return capability(item.get('name') ?? null, item.get('description') ?? null, spot);
  }
  if (item instanceof Map) return [...item].flatMap(([name, text]) => capability(name, text, spot));
  return capability(item, null, spot);
}

function capability(name: Value, description: Value, spot: Spot): readonly Capability[] {
  const named = readCapabilityName(name, spot);
  return named === undefined ? [] : [{ name: named, description: readText(description, spot) ?? '' }];
}

/** Texts; maps of a target, a type and a justification; or a map of types, each with a list of these. */
const readDependencies: Read<readonly Dependency[]> = (value, spot) =>
  unique(
    isByType(value)
      ? dependencyTypes.flatMap((type) => dependenciesOf(value.get(type) ?? null, type, spot))
      : dependenciesOf(value, silentDependencyType, spot),
    ({ target }) => target,
  );

/** Whether dependencies stand under their types. */
export function isByType(value: Value): value is Mapping {
  const types: readonly string[] = dependencyTypes;
  return value instanceof Map && value.size > 0 && [...value.keys()].every((key) => types.includes(key));
}

function dependenciesOf(value: Value, silentType: Dependency['type'], spot: Spot): readonly Dependency[] {
  return itemsOf(value, splitAtCommas).flatMap((item) => {
    const target = readTarget(targetOf(item), spot);
    if (target === undefined) return [];
    const type = ofMap(item, ['type'], readDependencyType, spot) ?? silentType;
    return { target, type, justification: ofMap(item, justificationKeys, readText, spot) ?? null };
  });
}

// Under this key real documents also name files and addresses, which are no skills.
const fileOrAddress = /:\/\/|\.[A-Za-z0-9]+$/;

/** Texts, or maps of a target and a type. */
const readReferences: Read<readonly Reference[]> = (value, spot) => {
  const { key, line, column, warnings } = spot;
  const references = itemsOf(value, splitAtCommas).flatMap((item) => {
    const target = readTarget(targetOf(item), spot);
    if (target === undefined) return [];
    if (key.endsWith('references') && fileOrAddress.test(target)) {
      warnings.add({ code: 'names-no-skill', key, text: target, line, column });
      return [];
    }
    return { target, type: ofMap(item, ['type'], readReferenceType, spot) ?? silentReferenceType };
  });
  return unique(references, ({ target, type }) => JSON.stringify([target, type]));
};

/** The target that a map names; anything else may be the target itself, and a map without one is not. */
function targetOf(item: Value): Value {
  if (!(item instanceof Map)) return item;
  const key = firstKey(item, targetKeys);
  return key === undefined ? item : (item.get(key) ?? null);
}

/** The first of some keys that a map has. */
export function firstKey(map: Mapping, keys: readonly string[]): string | undefined {
  return keys.find((key) => map.has(key));
}

function ofMap<T>(item: Value, keys: readonly string[], read: Read<T>, spot: Spot): T | undefined {
  if (!(item instanceof Map)) return undefined;
  const key = firstKey(item, keys);
  return key === undefined ? undefined : read(item.get(key) ?? null, spot);
}

/** A map of keys, each with a value or a list of values. */
export const readFacets: Read<readonly Facet[]> = (value, spot) => {
  if (value === null) return undefined;
  if (!(value instanceof Map)) {
    const { key, line, column, warnings } = spot;
    warnings.add({ code: 'wrong-type', key, wanted: 'a map', line, column });
    return undefined;
  }
  return [...value].flatMap(([name, values]) => {
    const key = readFacetKey(name, spot);
    return key === undefined
      ? []
      : (readFacetValues(values, spot) ?? []).map((text) => ({ key, value: text }));
  });
};

/** Tools between blanks and commas; within parentheses these belong to the tool: `Bash(git add:*)` is one. */
export function splitTools(text: string): readonly string[] {
  const tools: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text.charAt(at);
    if (character === '(') depth++;
    if (character === ')') depth = Math.max(0, depth - 1);
    const ends = at === text.length || (depth === 0 && /[\s,]/.test(character));
    if (!ends) continue;
    if (at > start) tools.push(text.slice(start, at));
    start = at + 1;
  }
  return tools;
}

/** The fields that are lists of items. */
export const listReaders = {
  keywords: textsWithin(limits.keyword),
  tags: textsWithin(limits.tag),
  aliases: textsWithin(limits.alias),
  allowedTools: textsWithin(limits.tool, splitTools),
  capabilities: readCapabilities,
  dependencies: readDependencies,
  references: readReferences,
} as const satisfies { readonly [F in keyof Fields]?: Read<Fields[F]> };

export type ListField = keyof typeof listReaders;

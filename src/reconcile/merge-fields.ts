// Three-way merge of what documents say: each value by itself, lists as sets.

import type { Fields, Json } from '../document/fields.ts';
import { isEqual, isSame } from '../document/patch.ts';

/** A value that both sides changed, differently; null is silence. */
export interface ValueRegion {
  /** As a document names it; of an item of a list, with the item's name. */
  readonly key: string;
  readonly base: Json;
  readonly files: Json;
  readonly database: Json;
}

/** What both sides' changes make together. Where there are regions, `fields` holds there what the files say. */
export interface MergedFields {
  readonly fields: Fields;
  readonly regions: readonly ValueRegion[];
}

/** Something as it stands at the base and on both sides. */
export interface Three<T> {
  readonly base: T;
  readonly files: T;
  readonly database: T;
}

/** By what an item of each list is known. Items without more to them are their own names. */
const itemNames = {
  keywords: String,
  tags: String,
  aliases: String,
  allowedTools: String,
  capabilities: ({ name }: Fields['capabilities'][number]) => name,
  dependencies: ({ target }: Fields['dependencies'][number]) => target,
  references: ({ target, type }: Fields['references'][number]) => `${target} (${type})`,
  facets: ({ key, value }: Fields['facets'][number]) => `${key}: ${value}`,
} as const;

type ListField = keyof typeof itemNames;

/**
 * Merges what both sides say by what they agreed on. What one side alone changed is as that side says; of lists,
 * each item is a value of its own. Of an unknown key, maps are merged key by key, and lists item by item.
 */
export function mergeFields(three: Three<Fields>): MergedFields {
  const regions: ValueRegion[] = [];
  const merged: { [field: string]: unknown } = {};
  for (const field of Object.keys(three.files) as (keyof Fields)[]) {
    merged[field] = mergeField(field, three, regions);
  }
  return { fields: merged as unknown as Fields, regions };
}

function mergeField(field: keyof Fields, three: Three<Fields>, regions: ValueRegion[]): unknown {
  const values = { base: three.base[field], files: three.files[field], database: three.database[field] };
  const is = (a: unknown, b: unknown) => isSame(field, a as Fields[typeof field], b as Fields[typeof field]);
  const plain = mergedPlainly(values, is);
  if (plain) return plain.value;
  if (field === 'extra') return mergeJson(values as Three<Json>, '', regions);
  if (field in itemNames) {
    const nameOf = itemNames[field as ListField] as (item: Json) => string;
    return mergeItems(values as Three<readonly Json[]>, field, nameOf, regions);
  }
  regions.push({ key: field, ...(values as Three<Json>) });
  return values.files;
}

/** The value that one side alone changed, or that both changed alike; undefined where they did otherwise. */
export function mergedPlainly<T>(
  { base, files, database }: Three<T>,
  is: (a: T, b: T) => boolean = Object.is,
): { readonly value: T } | undefined {
  if (is(files, database) || is(base, database)) return { value: files };
  return is(base, files) ? { value: database } : undefined;
}

function mergeItems(
  { base, files, database }: Three<readonly Json[]>,
  key: string,
  nameOf: (item: Json) => string,
  regions: ValueRegion[],
): readonly Json[] {
  const byName = (items: readonly Json[]) => new Map(items.map((item) => [nameOf(item), item]));
  const [old, here, there] = [byName(base), byName(files), byName(database)];
  return [...new Set([...here.keys(), ...there.keys()])].flatMap((name) => {
    const item = { base: old.get(name), files: here.get(name), database: there.get(name) };
    const plain = mergedPlainly<Json | undefined>(item, isEqual);
    if (plain) return plain.value === undefined ? [] : [plain.value];
    regions.push({ key: `${key}: ${name}`, ...orNull(item) });
    return item.files === undefined ? [] : [item.files];
  });
}

function orNull({ base, files, database }: Three<Json | undefined>): Three<Json> {
  return { base: base ?? null, files: files ?? null, database: database ?? null };
}

type JsonMap = { readonly [key: string]: Json };

/** Merges values of unknown keys; undefined and null say nothing. */
function mergeJson(three: Three<Json | undefined>, key: string, regions: ValueRegion[]): Json | undefined {
  const plain = mergedPlainly(three, isEqual);
  if (plain) return plain.value;
  const { base, files, database } = three;
  if (isMap(files) && isMap(database) && (base === undefined || isMap(base))) {
    const names = new Set([...Object.keys(files), ...Object.keys(database)]);
    return Object.fromEntries(
      [...names].flatMap((name) => {
        const at = (map: JsonMap = {}) => (Object.hasOwn(map, name) ? map[name] : undefined);
        const inner = { base: at(base), files: at(files), database: at(database) };
        const value = mergeJson(inner, key === '' ? name : `${key}.${name}`, regions);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }
  if (isSet(files) && isSet(database) && (base === undefined || isSet(base))) {
    return mergeItems({ base: base ?? [], files, database }, key, JSON.stringify, regions);
  }
  regions.push({ key, ...orNull(three) });
  return files;
}

function isMap(json: Json | undefined): json is JsonMap {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** Whether a value is a list that holds nothing twice. */
function isSet(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json) && new Set(json.map((item) => JSON.stringify(item))).size === json.length;
}

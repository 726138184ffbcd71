// One frontmatter value as what a column takes: text, one of several words, a list of texts, JSON.
// What a column cannot take is left out, with a warning.

import type { Json } from './fields.ts';
import type { Warnings } from './warning.ts';
import { Literal, type Place, type Value } from './yaml.ts';

/** Where a value stands, and who hears what is wrong with it. */
export interface Spot extends Place {
  /** The key as the document spells it, `metadata.` before it where it stands there. */
  readonly key: string;
  readonly warnings: Warnings;
}

/** Reads one value; undefined is silence, or what was warned of. */
export type Read<T> = (value: Value, spot: Spot) => T | undefined;

/** PostgreSQL takes no NUL and, UTF-8 having none, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Whether a text is longer than a limit in characters, which are code points. */
export function isLonger(text: string, limit: number): boolean {
  return text.length > limit && (text.length > 2 * limit || [...text].length > limit);
}

/** The first characters of a text, which are code points. */
export function shorten(text: string, limit: number): string {
  return isLonger(text, limit) ? [...text.slice(0, 2 * limit)].slice(0, limit).join('') : text;
}

/** A text as it stands; a number or boolean as it is written, with a warning. An empty one is silence. */
export const readText: Read<string> = (value, spot) => {
  const { key, line, column, warnings } = spot;
  if (value instanceof Literal) {
    warnings.add({ code: 'value-not-text', key, text: value.source, line, column });
    return value.source;
  }
  if (value === null || value === '') return undefined;
  if (typeof value !== 'string') {
    warnings.add({ code: 'wrong-type', key, wanted: 'a text', line, column });
    return undefined;
  }
  if (isStorable(value)) return value;
  warnings.add({ code: 'text-not-storable', key, line, column });
  return undefined;
};

/** A text of at most so many characters. */
export function textWithin(limit: number): Read<string> {
  return (value, spot) => {
    const text = readText(value, spot);
    if (text === undefined || !isLonger(text, limit)) return text;
    const { key, line, column, warnings } = spot;
    warnings.add({ code: 'too-long', key, limit, line, column });
    return undefined;
  };
}

/** One of the given words. */
export function oneOf<T extends string>(allowed: readonly T[]): Read<T> {
  return (value, spot) => {
    const text = readText(value, spot);
    const word = allowed.find((candidate) => candidate === text);
    const { key, line, column, warnings } = spot;
    if (text !== undefined && word === undefined) {
      warnings.add({ code: 'unknown-value', key, allowed, line, column });
    }
    return word;
  };
}

/** The items of a list, or the parts of one text. */
export function itemsOf(value: Value, split: (text: string) => readonly string[]): readonly Value[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? split(value) : [value as Value];
}

/** A list of texts, or one text that is split; each once. */
export function textsWithin(limit: number, split = splitAtCommas): Read<readonly string[]> {
  const read = textWithin(limit);
  return (value, spot) => unique(itemsOf(value, split).flatMap((item) => read(item, spot) ?? []));
}

export function splitAtCommas(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The first of those that have the same name. */
export function unique<T>(items: readonly T[], nameOf: (item: T) => unknown = (item) => item): readonly T[] {
  const named = new Map<unknown, T>();
  for (const item of items) if (!named.has(nameOf(item))) named.set(nameOf(item), item);
  return [...named.values()];
}

/** Any value as JSON that PostgreSQL can store: without the texts and numbers that it cannot. */
export const readJson: Read<Json> = (value, spot) => {
  const { key, line, column, warnings } = spot;
  if (value === null) return null;
  if (typeof value === 'string') {
    if (isStorable(value)) return value;
    warnings.add({ code: 'text-not-storable', key, line, column });
    return undefined;
  }
  if (value instanceof Literal) {
    if (typeof value.value === 'boolean') return value.value;
    // JSON text has no -0 either.
    if (Number.isFinite(value.value)) return value.value === 0 ? 0 : value.value;
    warnings.add({ code: 'number-not-storable', key, line, column });
    return undefined;
  }
  if (value instanceof Map) return jsonObject(value, spot);
  return (value as readonly Value[]).flatMap((item) => {
    const json = readJson(item, spot);
    return json === undefined ? [] : [json];
  });
};

function jsonObject(map: ReadonlyMap<string, Value>, spot: Spot): Json {
  // fromEntries defines its keys: `__proto__` is one like any other.
  return Object.fromEntries(
    [...map].flatMap(([name, value]) => {
      const key = readJson(name, spot);
      const json = key === undefined ? undefined : readJson(value, spot);
      return json === undefined ? [] : [[name, json]];
    }),
  );
}

/** JSON as a frontmatter value. */
export function valueOfJson(json: Json): Value {
  if (typeof json === 'number' || typeof json === 'boolean') return new Literal(json, String(json));
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(valueOfJson);
  return new Map(Object.entries(json).map(([key, value]) => [key, valueOfJson(value)]));
}

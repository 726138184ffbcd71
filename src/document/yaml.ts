// Strict YAML: text to a tree of values that knows where its keys stand. Nothing here dates or runs anything.

import {
  boolJsonTag,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  EVENT_ID,
  type Event,
  floatJsonTag,
  getScalarValue,
  intJsonTag,
  JSON_SCHEMA,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type ScalarTagDefinition,
  YAMLException,
} from 'js-yaml';
import type { Warning } from './warning.ts';

/** A number or boolean, with its text: `1.0` is more than the number 1 where it is a version. */
export class Literal {
  readonly value: number | boolean;
  readonly source: string;

  constructor(value: number | boolean, source: string) {
    this.value = value;
    this.source = source;
  }
}

/** A frontmatter value. Maps, not objects: a key may be `__proto__`. */
export type Value = string | null | Literal | readonly Value[] | ReadonlyMap<string, Value>;

/** A place in a text: line and column from 1, columns in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A key of a mapping, its value, and where the key stands. */
export interface Pair extends Place {
  readonly key: string;
  readonly value: Value;
  /** The value's own pairs where it is a mapping: one level, which is all that anybody asks for. */
  readonly pairs: readonly Pair[];
}

/** A mapping that was read, or why and where YAML's rules refuse the text. */
export type YamlReading =
  | { readonly ok: true; readonly pairs: readonly Pair[]; readonly warnings: readonly Warning[] }
  | ({ readonly ok: false; readonly why: string } & Place);

/** Deeper collections are refused. Aliases can still nest deeper: see `frontmatter.ts`. */
export const maxDepth = 100;

// js-yaml's JSON schema, with three changes: numbers and booleans keep their text; mappings are Maps; and an
// empty value or ~ is null as everywhere in YAML, which the JSON schema alone would read as text.
const schema = JSON_SCHEMA.withTags(
  nullCoreTag,
  [boolJsonTag, intJsonTag, floatJsonTag].map(keepingText),
  defineMappingTag<Map<string, Value>>('tag:yaml.org,2002:map', {
    create: () => new Map(),
    addPair: (map, key, value) => {
      const name = keyText(key);
      if (name === undefined) return 'a key is a list or a map';
      map.set(name, value as Value);
      return '';
    },
    has: (map, key) => map.has(keyText(key) ?? ''),
    keys: (map) => map.keys(),
    get: (map, key) => map.get(keyText(key) ?? ''),
    identify: () => false,
  }),
);

function keepingText(tag: ScalarTagDefinition<number | boolean>): ScalarTagDefinition {
  return defineScalarTag<Literal>(tag.tagName, {
    implicit: true,
    implicitFirstChars: tag.implicitFirstChars,
    resolve: (source, isExplicit, tagName) => {
      const value = tag.resolve(source, isExplicit, tagName);
      return value === NOT_RESOLVED ? NOT_RESOLVED : new Literal(value, source);
    },
    identify: () => false,
  });
}

function keyText(key: unknown): string | undefined {
  if (key === null) return '';
  if (key instanceof Literal) return key.source;
  return typeof key === 'string' ? key : undefined;
}

/**
 * Reads YAML that is one mapping, or empty. Of a key that stands more than once the last one counts, as for
 * PyYAML, Psych and JSON readers: those that take such a text at all. Any error of the parser is a refusal:
 * outside text must not be able to end a run.
 *
 * @param firstLine the line at which the text starts in its file
 */
export function readYaml(text: string, firstLine: number): YamlReading {
  try {
    const events = parseEvents(text, { maxDepth });
    const { places, warnings, complexKey } = keyPlaces(text, events, firstLine);
    if (complexKey !== undefined) return { ok: false, why: 'a key is a list or a map', ...complexKey };
    // json: duplicate keys override; keyPlaces warned of them.
    const documents = constructFromEvents(events, { source: text, schema, json: true });
    const content = documents[0] ?? new Map<string, Value>();
    if (documents.length > 1) return { ok: false, why: 'more than one document', line: firstLine, column: 1 };
    if (!(content instanceof Map)) return { ok: false, why: 'not a map', line: firstLine, column: 1 };
    return { ok: true, pairs: pairsOf(content, [], places, firstLine), warnings };
  } catch (error) {
    const isRefusal = error instanceof YAMLException;
    const place = placeFinder(text, firstLine)(isRefusal ? (error.mark?.position ?? 0) : 0);
    return { ok: false, why: isRefusal ? error.reason : String(error), ...place };
  }
}

function pairsOf(
  map: ReadonlyMap<string, Value>,
  path: readonly string[],
  places: ReadonlyMap<string, Place>,
  firstLine: number,
): Pair[] {
  return [...map].map(([key, value]) => ({
    key,
    value,
    // Keys that came by an alias stand nowhere themselves.
    ...(places.get(placeName([...path, key])) ?? { line: firstLine, column: 1 }),
    pairs: value instanceof Map && path.length === 0 ? pairsOf(value, [key], places, firstLine) : [],
  }));
}

function placeName(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** An open document or collection. Keys are null where it is no mapping. */
interface Frame {
  readonly keys: Set<string> | null;
  key: string;
  atKey: boolean;
}

/** Where the keys of the outermost mapping and of the mappings in it stand, and which keys stand twice. */
function keyPlaces(source: string, events: readonly Event[], firstLine: number) {
  const places = new Map<string, Place>();
  const warnings: Warning[] = [];
  const frames: Frame[] = [];
  const placeAt = placeFinder(source, firstLine);
  for (const event of events) {
    const parent = frames.at(-1);
    if (event.type === EVENT_ID.POP) {
      frames.pop();
      continue;
    }
    if (parent?.keys != null) {
      if (parent.atKey && event.type === EVENT_ID.SCALAR) {
        parent.key = getScalarValue(source, event);
        // A key left empty stands nowhere.
        const place = event.valueStart < 0 ? undefined : placeAt(startOf(event));
        if (parent.keys.has(parent.key)) warnings.push({ code: 'duplicate-key', key: parent.key, ...place });
        parent.keys.add(parent.key);
        // The first frame is the document.
        const path = frames.length <= 3 ? frames.slice(1).map((frame) => frame.key) : undefined;
        if (path !== undefined && place !== undefined) places.set(placeName(path), place);
      } else if (parent.atKey && event.type !== EVENT_ID.ALIAS && 'start' in event) {
        return { places, warnings, complexKey: placeAt(event.start) };
      }
      parent.atKey = !parent.atKey;
    }
    if (event.type === EVENT_ID.MAPPING) frames.push({ keys: new Set(), key: '', atKey: true });
    else if (event.type !== EVENT_ID.SCALAR && event.type !== EVENT_ID.ALIAS) {
      frames.push({ keys: null, key: '', atKey: false });
    }
  }
  return { places, warnings, complexKey: undefined };
}

/** Where a scalar starts, its quote included. */
function startOf({ style, valueStart }: ScalarEvent): number {
  const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? valueStart - 1 : valueStart;
}

/** Finds the places of offsets that do not decrease: each part of the text is looked at once. */
function placeFinder(text: string, firstLine: number): (offset: number) => Place {
  let line = firstLine;
  let lineStart = 0;
  let lineEnd = text.indexOf('\n');
  return (offset) => {
    while (lineEnd !== -1 && lineEnd < offset) {
      line++;
      lineStart = lineEnd + 1;
      lineEnd = text.indexOf('\n', lineStart);
    }
    return { line, column: offset - lineStart + 1 };
  };
}

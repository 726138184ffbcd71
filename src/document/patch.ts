// The lens: a document's text with a few values changed, and every other byte as it was.

import { isDeepStrictEqual } from 'node:util';
import { type Outcome, refuse } from '../problem.ts';
import { capabilitySection } from './body.ts';
import type { Capability, Fields, Json } from './fields.ts';
import { formOf } from './forms.ts';
import { isNestedWithin, maxExtraDepth } from './fresh.ts';
import type { DocumentPlace } from './frontmatter.ts';
import {
  isMetadataField,
  type KeyField,
  keysOf,
  metadataKey,
  metadataKeys,
  sameKey,
  saysField,
  specifiedKeys,
  topLevelKeys,
} from './keys.ts';
import { type DocumentReading, readDocument, type SkillDocument } from './parse.ts';
import { patchSection } from './patch-body.ts';
import {
  entrySplices,
  ownStart,
  placeBehind,
  removalSplices,
  runsOf,
  valueSplices,
  wholeSplice,
} from './patch-value.ts';
import { inLine, pairLines } from './print.ts';
import { listReaders } from './relations.ts';
import { isSilent, type Level, type Saying, Sayings } from './sayings.ts';
import { SourceLines } from './source-lines.ts';
import { type Entry, type MapNode, sourceTree } from './source-tree.ts';
import { type Splice, spliced } from './splice.ts';
import { valueOfJson } from './values.ts';
import { Warnings } from './warning.ts';
import type { Pair, Value } from './yaml.ts';

/**
 * The values that another writer changed: only these are patched. `extra` is the whole wanted object, of which
 * the keys that differ are patched.
 */
export type FieldChanges = Partial<Fields>;

// Each change reads the document anew.
const maxChanges = 100;

/**
 * The document's text with just these values changed. What is touched is the value of the key that says a
 * field, or an item of it, in the style in which it stands; a new key is put beside its kin, a key that has
 * nothing left to say goes, with its lines and the comment directly above and beside it. So does a `metadata:`
 * map that is left empty and without comments. Where that does not read back, the key's whole value is
 * replaced, and never more than that.
 *
 * The database keeps an order for capabilities only: a list that differs from another in its order alone is no
 * change, and items that stay keep their places.
 *
 * Problems: those of `parseDocument`; `not-patchable` where no such text reads back as the wanted values
 * with all others as they were: an alias elsewhere that repeats the value, a text that the field cannot hold,
 * more than a hundred changes. Nothing is patched then.
 */
export function patchDocument(text: string, changes: FieldChanges, place: DocumentPlace): Outcome<string> {
  const read = readDocument(text, place);
  if (!read.ok) return read;
  let [patched, reading] = [text, read.value];
  for (const [index, change] of changesOf(reading.document.fields, changes).entries()) {
    const current = standing(patched, reading);
    const next = index < maxChanges ? changed(current, change, place) : undefined;
    if (next === undefined) return refuse(notPatchable(current, change, place));
    ({ text: patched, reading } = next);
  }
  return { ok: true, value: patched };
}

/** A document and where its keys stand. */
interface Standing {
  readonly text: string;
  readonly document: SkillDocument;
  readonly yaml: DocumentReading['yaml'];
  readonly pairs: readonly Pair[];
  readonly root: MapNode | undefined;
  readonly lines: SourceLines;
}

function standing(text: string, { document, yaml, frontmatter }: DocumentReading): Standing {
  const root = yaml === null || frontmatter === null ? undefined : sourceTree(text, yaml, frontmatter);
  const pairs = frontmatter?.pairs ?? [];
  return { text, document, yaml, pairs, root, lines: new SourceLines(text) };
}

/** One value to be changed: a field's, or that of one key of `extra`. */
interface Change {
  readonly wanted: Partial<Fields>;
  /** The keys that say it, the one first that is written where none stands. */
  readonly keys: readonly [string, ...string[]];
  readonly level: Level;
  /** Texts that may say it, the one that touches least first. */
  readonly candidates: (current: Standing, place: DocumentPlace) => Iterable<string>;
}

function changesOf(fields: Fields, changes: FieldChanges): readonly Change[] {
  const ofField = <F extends KeyField>(field: F): readonly Change[] => {
    const wanted = changes[field];
    if (wanted === undefined || isSame(field, wanted, fields[field])) return [];
    const candidates = (current: Standing, place: DocumentPlace) =>
      field === 'capabilities'
        ? capabilityCandidates(current, wanted as readonly Capability[], place)
        : fieldCandidates<F>(current, field, wanted);
    const level = isMetadataField(field) ? 'metadata' : 'top';
    return [{ wanted: { [field]: wanted }, keys: keysOf(field), level, candidates }];
  };
  const { extra } = changes;
  return [
    ...(Object.keys(topLevelKeys) as KeyField[]).flatMap(ofField),
    ...(Object.keys(metadataKeys) as KeyField[]).flatMap(ofField),
    ...(extra === undefined ? [] : extraChanges(fields.extra, extra)),
  ];
}

type Extra = Fields['extra'];

/** The keys of `extra` that differ, those of the `metadata:` map each by itself; no more than are patched. */
function extraChanges(before: Extra, wanted: Extra): readonly Change[] {
  const [inner, wantedInner] = [ownValue(before, metadataKey), ownValue(wanted, metadataKey)];
  const areMaps = [inner, wantedInner].every((json) => json === undefined || isObject(json));
  const differing = (level: Level, a: Json | undefined, b: Json | undefined) => {
    const [from, to] = [isObject(a) ? a : {}, isObject(b) ? b : {}];
    return [...new Set([...Object.keys(from), ...Object.keys(to)])]
      .map((key) => ({ level, key, value: ownValue(to, key), old: ownValue(from, key) }))
      .filter(({ value, old }) => !isEqual(old, value));
  };
  const top = differing('top', before, wanted).filter(({ key }) => key !== metadataKey || !areMaps);
  const below = areMaps ? differing('metadata', inner, wantedInner) : [];
  let extra = before;
  return [...top, ...below].slice(0, maxChanges + 1).map(({ level, key, value }): Change => {
    const map = ownValue(extra, metadataKey);
    extra =
      level === 'top'
        ? withKey(extra, key, value)
        : withKey(extra, metadataKey, nonEmpty(withKey(isObject(map) ? map : {}, key, value)));
    const candidates = (current: Standing) => extraCandidates(current, level, key, value);
    return { wanted: { extra }, keys: [key], level, candidates };
  });
}

function ownValue(json: Extra, key: string): Json | undefined {
  return Object.hasOwn(json, key) ? json[key] : undefined;
}

function isObject(json: Json | undefined): json is Extra {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function nonEmpty(json: Extra): Extra | undefined {
  return Object.keys(json).length === 0 ? undefined : json;
}

/** A key without a value says nothing; `fromEntries` takes any key as it is. */
function withKey(json: Extra, key: string, value: Json | undefined): Extra {
  const others = Object.entries(json).filter(([other]) => other !== key);
  return Object.fromEntries(value === undefined || value === null ? others : [...others, [key, value]]);
}

/** Whether two values of `extra` are the same; one that nests deeper than any that is read is none of those. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  return isNestedWithin(2 * maxExtraDepth, b ?? null) && isDeepStrictEqual(a ?? null, b ?? null);
}

/** Whether two values of a field are the same to the database. */
export function isSame<F extends keyof Fields>(field: F, a: Fields[F], b: Fields[F]): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || field === 'capabilities') return isDeepStrictEqual(a, b);
  // The order of an item's own keys says nothing either.
  const textOf = (item: unknown) =>
    JSON.stringify(typeof item === 'string' ? item : Object.entries(item ?? {}).sort());
  const set = (items: readonly unknown[]) => new Set(items.map(textOf));
  return isDeepStrictEqual(set(a), set(b));
}

/** The first text that reads back as it should. */
function changed(
  current: Standing,
  change: Change,
  place: DocumentPlace,
): { readonly text: string; readonly reading: DocumentReading } | undefined {
  for (const text of change.candidates(current, place)) {
    const read = readDocument(text, place);
    if (read.ok && isAsWanted(current.document, read.value.document, change.wanted)) {
      return { text, reading: read.value };
    }
  }
  return undefined;
}

function isAsWanted(before: SkillDocument, after: SkillDocument, wanted: Partial<Fields>): boolean {
  const fields: Fields = { ...before.fields, ...wanted };
  return (
    (Object.keys(fields) as (keyof Fields)[]).every((field) =>
      isSame(field, after.fields[field], fields[field]),
    ) &&
    (after.body === before.body || 'capabilities' in wanted) &&
    (after.statesStatus === before.statesStatus || 'status' in wanted)
  );
}

function notPatchable(current: Standing, { keys, level }: Change, { skill: path, file }: DocumentPlace) {
  const isOne = ({ key }: Pair) => keys.some((name) => sameKey(name) === sameKey(key));
  const at = [level, 'top' as const].find((candidate) => pairsAt(current, candidate).some(isOne));
  const found = at === undefined ? undefined : pairsAt(current, at).findLast(isOne);
  const key = found?.key ?? keys[0];
  return {
    reason: 'not-patchable',
    path,
    file,
    ...(found === undefined ? {} : { line: found.line }),
    key: (at ?? level) === 'top' ? key : `${metadataKey}.${key}`,
  } as const;
}

// ---- where keys stand ----

function pairsAt({ pairs }: Standing, level: Level): readonly Pair[] {
  return level === 'top' ? pairs : (pairs.find(({ key }) => key === metadataKey)?.pairs ?? []);
}

function metadataEntry({ root }: Standing): Entry | undefined {
  return root?.members.findLast(({ key }) => key === metadataKey);
}

function mapAt(current: Standing, level: Level): MapNode | undefined {
  if (level === 'top') return current.root;
  const node = metadataEntry(current)?.node;
  return node?.kind === 'map' ? node : undefined;
}

// ---- fields that a key says ----

function* fieldCandidates<F extends KeyField>(
  current: Standing,
  field: F,
  wanted: Fields[F],
): Iterable<string> {
  const sayings = new Sayings(current.pairs, new Warnings()).of(field);
  const telling = sayings.filter(({ pair }) => !isSilent(pair.value));
  const saying = telling[0] ?? sayings[0];
  const [key] = keysOf(field);
  const usual = formOf(field, wanted);
  if (saying !== undefined) {
    const { pair, level } = saying;
    for (const value of [formOf(field, wanted, pair.value, pair.key), usual]) {
      if (value === undefined) yield* removals(current, telling);
      else yield* valueCandidates(current, level, pair, value);
    }
  }
  // Another key of the field may not take all values: this one takes them, and is asked first.
  if (usual !== undefined && (saying === undefined || sameKey(saying.pair.key) !== sameKey(key))) {
    yield* insertions(current, isMetadataField(field) ? 'metadata' : 'top', key, usual);
  }
}

/** Another value for a key: what differs of it, then the whole, then with what stands between it and its colon. */
function* valueCandidates(
  current: Standing,
  level: Level,
  { key, value: old }: Pair,
  value: Value,
): Iterable<string> {
  const { text, lines } = current;
  const entry = mapAt(current, level)?.members.findLast((candidate) => candidate.key === key);
  if (entry === undefined) return;
  const { node } = entry;
  yield spliced(text, valueSplices(lines, node, old, value));
  const whole = wholeSplice(lines, node, value);
  yield spliced(text, [whole]);
  yield spliced(text, [
    { start: node.place, end: whole.end, text: ` ${inLine(value, 'plain', node.inFlow)}` },
  ]);
}

/** Without the first key that says a field, then without the next one too, which says it then. */
function* removals(current: Standing, sayings: readonly Saying[]): Iterable<string> {
  for (let count = 1; count <= sayings.length; count++) {
    const going = sayings.slice(0, count);
    yield* withoutKeys(current, (key, level) =>
      going.some((saying) => saying.level === level && sameKey(saying.pair.key) === sameKey(key)),
    );
  }
}

function* withoutKeys(current: Standing, goes: (key: string, level: Level) => boolean): Iterable<string> {
  const splices: Splice[] = [];
  const emptied = metadataEntry(current);
  const below = removalsAt(current, 'metadata', goes);
  const isEmptied =
    emptied !== undefined && below !== undefined && leavesNothing(current, emptied, below, goes);
  const top = removalsAt(
    current,
    'top',
    (key, level) => goes(key, level) || (isEmptied && key === metadataKey),
  );
  if (top === undefined || below === undefined) return;
  splices.push(...top, ...(isEmptied ? [] : below));
  yield spliced(current.text, splices);
  // A text above that keeps the blank lines behind it would get those behind what goes.
  yield spliced(current.text, splices.map(withBlankLines(current.text, splices)));
}

const blankLines = /(?:[ \t]*\r?\n)*/y;

/** A removal with the blank lines behind it, up to the next one. */
function withBlankLines(text: string, splices: readonly Splice[]): (splice: Splice) => Splice {
  return (splice) => {
    blankLines.lastIndex = splice.end;
    const end = splice.end + (blankLines.exec(text)?.[0].length ?? 0);
    const next = splices.filter(({ start }) => start >= splice.end).map(({ start }) => start);
    return { ...splice, end: Math.min(end, ...next) };
  };
}

function removalsAt(
  current: Standing,
  level: Level,
  goes: (key: string, level: Level) => boolean,
): readonly Splice[] | undefined {
  const map = mapAt(current, level);
  if (map === undefined) return [];
  const runs = runsOf(map.members, ({ key }) => key !== undefined && goes(key, level));
  return removalSplices(current.lines, map, runs);
}

/** Whether removals from the `metadata:` map leave neither a key in it, nor a comment in, beside or above it. */
function leavesNothing(
  { text, lines }: Standing,
  entry: Entry,
  removed: readonly Splice[],
  goes: (key: string, level: Level) => boolean,
): boolean {
  const { node } = entry;
  if (node.kind !== 'map' || removed.length === 0) return false;
  if (node.members.some(({ key }) => key === undefined || !goes(key, 'metadata'))) return false;
  const from = ownStart(lines, entry.start);
  const within = removed.map(({ start, end }) => ({ start: start - from, end: end - from, text: '' }));
  return !/(?:^|\s)#/.test(spliced(text.slice(from, placeBehind(lines, entry)), within));
}

// ---- new keys ----

function* insertions(current: Standing, level: Level, key: string, value: Value): Iterable<string> {
  if (level === 'top') {
    yield insertedAtTop(current, key, value);
    return;
  }
  const { text, lines, root } = current;
  const pair = [key, value] as const;
  const entry = metadataEntry(current);
  if (entry?.node.kind === 'map' && entry.node.members.length > 0) {
    const { members } = entry.node;
    const kin = members.findLastIndex((member) => saysField(member.key ?? '', 'metadata'));
    yield spliced(text, entrySplices(lines, entry.node, kin === -1 ? members.length - 1 : kin, [pair]));
  } else if (entry?.node.kind === 'map' || entry?.node.kind === 'empty') {
    yield spliced(text, [wholeSplice(lines, entry.node, new Map([pair]))]);
  }
  // As in older documents.
  const kin = root?.members.findLastIndex((member) => saysField(member.key ?? '', 'metadata')) ?? -1;
  if (root !== undefined && kin !== -1 && saysField(key, 'metadata'))
    yield spliced(text, entrySplices(lines, root, kin, [pair]));
  if (entry === undefined) yield insertedAtTop(current, metadataKey, new Map([pair]));
  else if (saysField(key, 'metadata')) yield insertedAtTop(current, key, value);
}

// What a new key of the top level stands behind; all others go to the end.
const leading = [topLevelKeys.name, topLevelKeys.description, ...specifiedKeys];
const stoodBefore: ReadonlyMap<string, readonly string[]> = new Map([
  [topLevelKeys.name, []],
  [topLevelKeys.description, [topLevelKeys.name]],
  [topLevelKeys.allowedTools, leading],
  ...specifiedKeys.map((key) => [key, leading] as const),
]);

function insertedAtTop(current: Standing, key: string, value: Value): string {
  const { text, lines, root, yaml } = current;
  if (yaml === null) return withFrontmatter(current, key, value);
  if (root === undefined) {
    const at = yaml.start + yaml.text.length;
    return spliced(text, [{ start: at, end: at, text: linesOf(lines, [[key, value]]) }]);
  }
  if (root.members.length === 0) return spliced(text, [wholeSplice(lines, root, new Map([[key, value]]))]);
  const before = stoodBefore.get(key);
  const after =
    before === undefined
      ? root.members.length - 1
      : root.members.findLastIndex((member) => before.includes(member.key ?? ''));
  return spliced(text, entrySplices(lines, root, after, [[key, value]]));
}

/** A new frontmatter. With one, a first paragraph says the description no more: so a key does. */
function withFrontmatter({ document, lines }: Standing, key: string, value: Value): string {
  const { frontmatterSource, body, fields } = document;
  const said: readonly (readonly [string, Value])[] = [
    ...(key === topLevelKeys.name ? [[key, value] as const] : []),
    ...(fields.description === '' || key === topLevelKeys.description
      ? []
      : [[topLevelKeys.description, fields.description] as const]),
    ...(key === topLevelKeys.name ? [] : [[key, value] as const]),
  ];
  const fence = `---${lines.break(0)}`;
  return `${frontmatterSource}${fence}${linesOf(lines, said)}${fence}${body}`;
}

function linesOf(lines: SourceLines, pairs: readonly (readonly [string, Value])[]): string {
  const texts = pairs.flatMap(([key, value]) => pairLines(key, value, 'plain'));
  return texts.map((line) => line + lines.break(0)).join('');
}

// ---- what no field says ----

function* extraCandidates(
  current: Standing,
  level: Level,
  key: string,
  wanted: Json | undefined,
): Iterable<string> {
  const pair = pairsAt(current, level).find((candidate) => candidate.key === key);
  if (wanted === undefined || wanted === null) {
    yield* withoutKeys(current, (candidate, at) => at === level && candidate === key);
  } else if (isNestedWithin(maxExtraDepth, wanted)) {
    const value = valueOfJson(wanted);
    yield* pair === undefined
      ? insertions(current, level, key, value)
      : valueCandidates(current, level, pair, value);
  }
}

// ---- capabilities, which a key and the body's section say ----

/** Each where it stands; or all by the key, where that alone gives their order, or the body cannot hold one. */
function* capabilityCandidates(
  current: Standing,
  wanted: readonly Capability[],
  place: DocumentPlace,
): Iterable<string> {
  const sayings = new Sayings(current.pairs, new Warnings());
  const byKey = sayings.read('capabilities', listReaders.capabilities) ?? [];
  const { heading, items } = capabilitySection(current.document.body, 1, new Warnings());
  const keyed = new Set(byKey.map(({ name }) => name));
  const sectioned = new Set(items.map(({ name }) => name));
  const isOfBody = ({ name }: Capability) =>
    !keyed.has(name) && (sectioned.has(name) || (keyed.size === 0 && heading !== undefined));
  for (const ofBody of [wanted.filter(isOfBody), []]) {
    const ofKey = wanted.filter((capability) => !ofBody.includes(capability));
    const body = patchSection(current.document.body, ofBody, new Set(ofKey.map(({ name }) => name)));
    if (body === undefined) continue;
    const text = current.document.frontmatterSource + body;
    const read = readDocument(text, place);
    if (!read.ok) continue;
    if (isDeepStrictEqual(ofKey, byKey)) yield text;
    else yield* fieldCandidates(standing(text, read.value), 'capabilities', ofKey);
  }
}

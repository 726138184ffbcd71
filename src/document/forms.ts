// A field's value as a document says it: in the form in which it says it already, else in the usual one.

import { isDeepStrictEqual } from 'node:util';
import { align } from './align.ts';
import {
  type Capability,
  type Dependency,
  dependencyTypes,
  type Facet,
  type Fields,
  type Reference,
  silentDependencyType,
  silentReferenceType,
} from './fields.ts';
import { type KeyField, keysOf } from './keys.ts';
import {
  firstKey,
  isByType,
  justificationKeys,
  listReaders,
  readFacets,
  splitTools,
  targetKeys,
} from './relations.ts';
import { isSilent } from './sayings.ts';
import { cut, insert, type Stretch } from './series.ts';
import { spliced } from './splice.ts';
import { type Read, type Spot, splitAtCommas } from './values.ts';
import { Warnings } from './warning.ts';
import type { Value } from './yaml.ts';

type Mapping = ReadonlyMap<string, Value>;

/** Says a field's value, in the form of the value that its key has now; undefined where nothing is to be said. */
type Form<T> = (wanted: T, current: Value | undefined, spot: Spot) => Value | undefined;

/** How one item of a list is read and said. */
interface ItemForm<T> {
  /** What an item says: one thing; several or nothing where it is an odd one. */
  readonly read: (item: Value) => readonly T[];
  readonly nameOf: (item: T) => string;
  readonly usual: (item: T) => Value;
  /** In the form of another item. Where that one says the same, only otherwise, what else it holds stays. */
  readonly like: (item: T, other: Value, isSame: boolean) => Value;
}

const text: Form<string | null> = (wanted) => wanted ?? undefined;

const forms: { readonly [F in KeyField]: Form<Fields[F]> } = {
  name: text,
  description: text,
  version: text,
  type: text,
  weight: text,
  loadPriority: text,
  status: text,
  skillStyle: text,
  scope: text,
  category: text,
  keywords: textsForm(listReaders.keywords, { split: splitAtCommas }),
  tags: textsForm(listReaders.tags, { split: splitAtCommas }),
  aliases: textsForm(listReaders.aliases, { split: splitAtCommas }),
  allowedTools: (wanted, current, spot) => {
    // The specification's form, blanks between the tools, where it gives the same tools back.
    const line = wanted.join(' ');
    if (isSilent(current ?? null) && line !== '' && isDeepStrictEqual(splitTools(line), wanted)) return line;
    return textsForm(listReaders.allowedTools, { split: splitTools, separator: ' ' })(wanted, current, spot);
  },
  capabilities: (wanted, current, spot) =>
    current instanceof Map && !current.has('name')
      ? capabilitiesByName(wanted, current, spot)
      : listForm(wanted, current, capabilityForm(spot), { isOrdered: true }),
  dependencies: (wanted, current, spot) =>
    current !== undefined && isByType(current)
      ? dependenciesByType(wanted, current, spot)
      : listForm(wanted, current, dependencyForm(silentDependencyType, spot), { split: splitAtCommas }),
  references: (wanted, current, spot) =>
    listForm(wanted, current, referenceForm(spot), { split: splitAtCommas }),
  facets: facetsForm,
};

/**
 * A field's value to be said by a key.
 *
 * @param current what the key says now: its form is kept, and its items that stay are the same values
 * @param key the key, as its document spells it
 * @returns undefined where nothing is left to be said: the key goes
 */
export function formOf<F extends KeyField>(
  field: F,
  wanted: Fields[F],
  current?: Value,
  key: string = keysOf(field)[0],
): Value | undefined {
  return forms[field](wanted, current, { key, line: 1, column: 1, warnings: new Warnings() });
}

interface ListStyle {
  /** How one text is split into items, where it can be. */
  readonly split?: (text: string) => readonly string[];
  /** What then stands between two items where there was but one. */
  readonly separator?: string;
  /** Whether the items' order says something. */
  readonly isOrdered?: boolean;
}

function listForm<T>(
  wanted: readonly T[],
  current: Value | undefined,
  form: ItemForm<T>,
  { split, separator = ', ', isOrdered = false }: ListStyle,
): Value | undefined {
  const usual = wanted.length === 0 ? current : wanted.map(form.usual);
  if (current === undefined || isSilent(current)) return usual;
  const arrangement = isOrdered ? inWantedOrder : inCurrentOrder;
  if (typeof current === 'string' && split !== undefined) {
    const parts = split(current);
    return seriesForm(current, parts, arrangement(parts, wanted, form), separator);
  }
  const items = listOf(current);
  const arranged = arrangement(items, wanted, form);
  if (arranged.length === 0) return undefined;
  if (Array.isArray(current)) return arranged;
  // One value that says nothing of the field makes way.
  if (form.read(current).length === 0) return usual;
  return arranged.length > 1 ? arranged : arranged[0];
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? value : [value];
}

/** A text of several parts with other parts, and what is between them; a list where no text can hold these. */
function seriesForm(
  text: string,
  parts: readonly string[],
  wanted: readonly Value[],
  separator: string,
): Value | undefined {
  const texts = wanted.filter((part) => typeof part === 'string');
  if (texts.length < wanted.length) return wanted;
  if (texts.length === 0) return undefined;
  let at = 0;
  const stretches = parts.map((part): Stretch => {
    const start = text.indexOf(part, at);
    at = start + part.length;
    return { start, end: at };
  });
  const [first, second] = stretches;
  const between =
    first === undefined || second === undefined ? separator : text.slice(first.end, second.start);
  const { pairs, removed, inserted } = align(parts, texts);
  return spliced(text, [
    ...pairs.map(([i, j]) => ({ start: 0, end: 0, ...stretches[i], text: texts[j] ?? '' })),
    ...removed.map((run) => cut(stretches, run)),
    ...inserted.map(({ after, from, to }) => insert(stretches, after, texts.slice(from, to + 1), between)),
  ]);
}

/** What an item of a list becomes, and what it says that is wanted. */
interface Kept<T> {
  readonly value: Value;
  readonly says: readonly T[];
}

/**
 * An item that says something wanted stays, said otherwise where it must be; one that says nothing of the
 * field, or what another says already, stays too; for the others, which go, there is undefined.
 */
function keep<T>(
  items: readonly Value[],
  wanted: readonly T[],
  form: ItemForm<T>,
): { readonly kept: readonly (Kept<T> | undefined)[]; readonly added: readonly T[] } {
  const added = new Map(wanted.map((item) => [form.nameOf(item), item]));
  const names = new Set(added.keys());
  const kept = items.map((item): Kept<T> | undefined => {
    const said = form.read(item);
    const says = said.flatMap((one) => added.get(form.nameOf(one)) ?? []);
    const [only] = says;
    if (only === undefined) {
      return said.every((one) => names.has(form.nameOf(one))) ? { value: item, says } : undefined;
    }
    const isSame = isDeepStrictEqual(said, says);
    if (!isSame && said.length > 1) return undefined;
    for (const one of says) added.delete(form.nameOf(one));
    return { value: isSame ? item : say(only, item, form, true), says };
  });
  return { kept, added: [...added.values()] };
}

/** Says an item like another one, where it is then read back. */
function say<T>(item: T, other: Value | undefined, form: ItemForm<T>, isSame = false): Value {
  const like = other === undefined ? undefined : form.like(item, other, isSame);
  return like !== undefined && isDeepStrictEqual(form.read(like), [item]) ? like : form.usual(item);
}

/** New items take the places of those that go, then the end. */
function inCurrentOrder<T>(
  items: readonly Value[],
  wanted: readonly T[],
  form: ItemForm<T>,
): readonly Value[] {
  const { kept, added } = keep(items, wanted, form);
  let next = 0;
  const inPlace = kept.flatMap((item, index) => {
    if (item !== undefined) return [item.value];
    const replacement = added[next++];
    return replacement === undefined ? [] : [say(replacement, items[index], form)];
  });
  const neighbour = lastOf(items, form);
  return [...inPlace, ...added.slice(next).map((item) => say(item, neighbour, form))];
}

/** What says nothing that is wanted stays behind what it stood behind. */
function inWantedOrder<T>(
  items: readonly Value[],
  wanted: readonly T[],
  form: ItemForm<T>,
): readonly Value[] {
  const { kept, added } = keep(items, wanted, form);
  const behind = new Map<T | undefined, Value[]>([[undefined, []]]);
  let last: T | undefined;
  for (const { value, says } of kept.flatMap((item) => item ?? [])) {
    if (says.length > 0) {
      last = says[0];
      behind.set(last, []);
    }
    behind.get(last)?.push(value);
  }
  const neighbour = lastOf(items, form);
  const isNew = new Set(added);
  const ordered = wanted.flatMap((item) =>
    isNew.has(item) ? [say(item, neighbour, form)] : (behind.get(item) ?? []),
  );
  return [...(behind.get(undefined) ?? []), ...ordered];
}

function lastOf<T>(items: readonly Value[], form: ItemForm<T>): Value | undefined {
  return items.findLast((item) => form.read(item).length === 1);
}

function textsForm(read: Read<readonly string[]>, style: ListStyle): Form<readonly string[]> {
  return (wanted, current, spot) => {
    const form: ItemForm<string> = {
      read: (item) => read([item], spot) ?? [],
      nameOf: (item) => item,
      usual: (item) => item,
      like: (item) => item,
    };
    return listForm(wanted, current, form, style);
  };
}

function capabilityForm(spot: Spot): ItemForm<Capability> {
  return {
    read: (item) => listReaders.capabilities([item], spot) ?? [],
    nameOf: ({ name }) => name,
    usual: ({ name, description }) => withKeys(new Map(), { name, description: description || undefined }),
    like: ({ name, description }, other, isSame) => {
      if (!(other instanceof Map)) return description === '' ? name : `${name}: ${description}`;
      if (!other.has('name')) return new Map([[name, description || null]]);
      return withKeys(isSame ? other : new Map(), { name, description: description || undefined });
    },
  };
}

/** A map of names, each with its text. */
function capabilitiesByName(wanted: readonly Capability[], current: Mapping, spot: Spot): Value | undefined {
  const form = capabilityForm(spot);
  const texts = new Map(wanted.map(({ name, description }) => [name, description || null]));
  return keyedForm(current, texts.keys(), (name, value) => {
    const said = value === undefined ? [] : form.read(new Map([[name, value]]));
    if (said.length === 0 && value !== undefined) return value;
    const description = texts.get(name);
    return value !== undefined && said[0]?.description === (description ?? '') ? value : description;
  });
}

function dependencyForm(silentType: Dependency['type'], spot: Spot): ItemForm<Dependency> {
  const mapLike = ({ target, type, justification }: Dependency, other: Mapping, isSame: boolean) =>
    withKeys(isSame ? other : new Map(), {
      [firstKey(other, targetKeys) ?? 'path']: target,
      type: type === silentType && !other.has('type') ? undefined : type,
      [firstKey(other, justificationKeys) ?? 'justification']: justification ?? undefined,
    });
  const usual = (item: Dependency) =>
    item.type === silentType && item.justification === null ? item.target : mapLike(item, new Map(), false);
  return {
    read: (item) => listReaders.dependencies(new Map([[silentType, [item]]]), spot) ?? [],
    nameOf: ({ target }) => target,
    usual,
    like: (item, other, isSame) => (other instanceof Map ? mapLike(item, other, isSame) : usual(item)),
  };
}

function dependenciesByType(wanted: readonly Dependency[], current: Mapping, spot: Spot): Value | undefined {
  const types = dependencyTypes.filter((type) => wanted.some((item) => item.type === type));
  return keyedForm(current, types, (key, value) => {
    const type = dependencyTypes.find((candidate) => candidate === key) ?? silentDependencyType;
    const ofType = wanted.filter((item) => item.type === type);
    return listForm(ofType, value, dependencyForm(type, spot), { split: splitAtCommas });
  });
}

function referenceForm(spot: Spot): ItemForm<Reference> {
  const mapLike = ({ target, type }: Reference, other: Mapping, isSame: boolean) =>
    withKeys(isSame ? other : new Map(), {
      [firstKey(other, targetKeys) ?? 'path']: target,
      type: type === silentReferenceType && !other.has('type') ? undefined : type,
    });
  const usual = (item: Reference) =>
    item.type === silentReferenceType ? item.target : mapLike(item, new Map(), false);
  return {
    read: (item) => listReaders.references([item], spot) ?? [],
    nameOf: ({ target, type }) => JSON.stringify([target, type]),
    usual,
    like: (item, other, isSame) => (other instanceof Map ? mapLike(item, other, isSame) : usual(item)),
  };
}

/** A map of keys, each with a value, or a list of them where there are several. */
function facetsForm(wanted: readonly Facet[], current: Value | undefined, spot: Spot): Value | undefined {
  const values = new Map<string, string[]>(wanted.map(({ key }) => [key, []]));
  for (const { key, value } of wanted) values.get(key)?.push(value);
  const standing: Mapping = current instanceof Map ? current : new Map();
  return keyedForm(standing, values.keys(), (key, value) => {
    const form: ItemForm<string> = {
      read: (item) => (readFacets(new Map([[key, [item]]]), spot) ?? []).map((facet) => facet.value),
      nameOf: (item) => item,
      usual: (item) => item,
      like: (item) => item,
    };
    const said = listForm(values.get(key) ?? [], value, form, {});
    return value === undefined && Array.isArray(said) && said.length === 1 ? said[0] : said;
  });
}

/** A map whose keys say something each: those that say nothing more go, further ones come at the end. */
function keyedForm(
  current: Mapping,
  wanted: Iterable<string>,
  saying: (key: string, value: Value | undefined) => Value | undefined,
): Mapping | undefined {
  const said = [...new Set([...current.keys(), ...wanted])].flatMap((key): readonly [string, Value][] => {
    const value = saying(key, current.get(key));
    return value === undefined ? [] : [[key, value]];
  });
  return said.length === 0 ? undefined : new Map(said);
}

/** A map with some of its keys set, or taken out where undefined. */
function withKeys(map: Mapping, values: { readonly [key: string]: string | undefined }): Mapping {
  const result = new Map(map);
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}

// A document as a value: its two parts as they stand, and what it says as fields, leniently.

import { isUtf8 } from 'node:buffer';
import { type Outcome, refuse } from '../problem.ts';
import { folderName, type SkillPath } from '../skill/path.ts';
import { statuses } from '../skill/status.ts';
import { capabilitiesOfBody, firstParagraph } from './body.ts';
import {
  type Fields,
  type Json,
  limits,
  loadPriorities,
  silentFields,
  skillStyles,
  skillTypes,
  weights,
} from './fields.ts';
import { type DocumentPlace, type Frontmatter, readFrontmatter } from './frontmatter.ts';
import { metadataKey, saysField } from './keys.ts';
import { listReaders, readFacets } from './relations.ts';
import { Sayings, spotOf } from './sayings.ts';
import { type Split, splitDocument } from './split.ts';
import { isLonger, oneOf, type Read, readJson, readText, shorten, textWithin, unique } from './values.ts';
import { type Warning, Warnings } from './warning.ts';
import { Literal, type Pair } from './yaml.ts';

/** The version of this reading. Rows keep it: another one indexes them anew. */
export const indexVersion = 1;

/** A document that was read. */
export interface SkillDocument {
  /** All that precedes the body, as it stands; '' or a BOM where there is no frontmatter. */
  readonly frontmatterSource: string;
  readonly body: string;
  readonly fields: Fields;
  /** Whether the document says its status itself; where it does not, that of an existing row stays. */
  readonly statesStatus: boolean;
  readonly warnings: readonly Warning[];
}

/** Bytes as text, a BOM kept; `document-not-utf8` with the line of the first byte that is not. */
export function decodeDocument(bytes: Buffer, place: DocumentPlace): Outcome<string> {
  // ignoreBOM: a BOM is not taken off.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (isUtf8(bytes)) return { ok: true, value: text };
  // Decoding put U+FFFD for what is not UTF-8: there the bytes of the text part from those of the file.
  const decoded = Buffer.from(text);
  const offset = decoded.findIndex((byte, index) => byte !== bytes[index]);
  const line = bytes.subarray(0, offset).reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 1);
  return refuse({ reason: 'document-not-utf8', path: place.skill, file: place.file, line });
}

/**
 * Reads a document. What a column cannot take is left out of the fields, which then hold the default, with a
 * warning; the text stays as it is.
 *
 * Problems: `document-holds-nul`, `frontmatter-never-closes`, and those of {@link readFrontmatter}.
 */
export function parseDocument(text: string, place: DocumentPlace): Outcome<SkillDocument> {
  const reading = readDocument(text, place);
  return reading.ok ? { ok: true, value: reading.value.document } : reading;
}

/** A document that was read, and how its frontmatter was. */
export interface DocumentReading {
  readonly document: SkillDocument;
  /** The YAML between its fences, and what it says; null where there is no frontmatter. */
  readonly yaml: Split['yaml'];
  readonly frontmatter: Frontmatter | null;
}

/** As {@link parseDocument}, with what patching needs of the way there. */
export function readDocument(text: string, place: DocumentPlace): Outcome<DocumentReading> {
  const at = { path: place.skill, file: place.file };
  const nul = text.indexOf('\0');
  if (nul !== -1) {
    return refuse({ reason: 'document-holds-nul', ...at, line: text.slice(0, nul).split('\n').length });
  }
  const { frontmatterSource, body, yaml, oddity } = splitDocument(text);
  if (oddity === 'never-closes') return refuse({ reason: 'frontmatter-never-closes', ...at, line: 1 });
  const read = yaml === null ? null : readFrontmatter(yaml.text, place);
  if (read !== null && !read.ok) return read;
  const warnings = new Warnings();
  if (oddity === 'names-a-language') {
    const found = body.slice(0, body.indexOf('\n') + 1 || undefined).trim();
    warnings.add({ code: 'fence-names-a-language', found, line: 1 });
  }
  if (oddity === 'rule-above-prose') warnings.add({ code: 'rule-above-prose', line: 1 });
  const bodyLine = frontmatterSource.split('\n').length;
  const frontmatter = read?.value ?? null;
  const { status, ...fields } = fieldsOf(frontmatter, body, bodyLine, place.skill, warnings);
  if (text.trim() === '') warnings.add({ code: 'no-text' });
  else if (fields.description.trim() === '') warnings.add({ code: 'no-description' });
  const document = {
    frontmatterSource,
    body,
    fields: { ...fields, status: status ?? silentFields.status },
    statesStatus: status !== undefined,
    warnings: warnings.all(),
  };
  return { ok: true, value: { document, yaml, frontmatter } };
}

function fieldsOf(
  frontmatter: Frontmatter | null,
  body: string,
  bodyLine: number,
  path: SkillPath,
  warnings: Warnings,
): Omit<Fields, 'status'> & { readonly status: Fields['status'] | undefined } {
  for (const warning of frontmatter?.warnings ?? []) warnings.add(warning);
  const pairs = frontmatter?.pairs ?? [];
  const sayings = new Sayings(pairs, warnings);
  return {
    name: nameOf(sayings, folderName(path)),
    description:
      frontmatter === null
        ? firstParagraph(body)
        : (sayings.read('description', readText) ?? silentFields.description),
    version: sayings.read('version', readVersion) ?? silentFields.version,
    type: sayings.read('type', oneOf(skillTypes)) ?? silentFields.type,
    weight: sayings.read('weight', oneOf(weights)) ?? silentFields.weight,
    loadPriority: sayings.read('loadPriority', oneOf(loadPriorities)) ?? silentFields.loadPriority,
    status: sayings.read('status', oneOf(statuses)),
    skillStyle: sayings.read('skillStyle', oneOf(skillStyles)) ?? silentFields.skillStyle,
    scope: sayings.read('scope', readText) ?? silentFields.scope,
    category: sayings.read('category', textWithin(limits.category)) ?? silentFields.category,
    keywords: sayings.read('keywords', listReaders.keywords) ?? silentFields.keywords,
    tags: sayings.read('tags', listReaders.tags) ?? silentFields.tags,
    capabilities: unique(
      [
        ...(sayings.read('capabilities', listReaders.capabilities) ?? []),
        ...capabilitiesOfBody(body, bodyLine, warnings),
      ],
      ({ name }) => name,
    ),
    dependencies: sayings.read('dependencies', listReaders.dependencies) ?? silentFields.dependencies,
    references: sayings.read('references', listReaders.references) ?? silentFields.references,
    aliases: sayings.read('aliases', listReaders.aliases) ?? silentFields.aliases,
    facets: sayings.read('facets', readFacets) ?? silentFields.facets,
    allowedTools: sayings.read('allowedTools', listReaders.allowedTools) ?? silentFields.allowedTools,
    extra: extraOf(pairs, warnings),
  };
}

/** The specification's names; they have 64 characters at most. */
export const specifiedName = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

function nameOf(sayings: Sayings, folder: string): string {
  return sayings.read('name', readName(folder)) ?? shorten(folder, limits.name);
}

function readName(folder: string): Read<string> {
  return (value, spot) => {
    const name = readText(value, spot);
    if (name === undefined) return undefined;
    const { line, column, warnings } = spot;
    if (isLonger(name, limits.name)) {
      warnings.add({ code: 'name-too-long', limit: limits.name, line, column });
      return undefined;
    }
    if (!specifiedName.test(name)) warnings.add({ code: 'name-breaks-specification', name, line, column });
    if (name !== folder) warnings.add({ code: 'name-differs-from-folder', name, folder, line, column });
    return name;
  };
}

/** A version as it is written: `1.0` unquoted is a number to YAML, and 1.10 would become 1.1. */
const readVersion: Read<string> = (value, spot) => {
  const isNumber = value instanceof Literal && typeof value.value === 'number';
  if (isNumber) {
    const { line, column, warnings } = spot;
    warnings.add({ code: 'version-is-a-number', text: value.source, line, column });
  }
  return textWithin(limits.version)(isNumber ? value.source : value, spot);
};

/**
 * What no column holds, where a query looks for it first: keys of the top level by their own spelling
 * (`extra->>'license'`), those of the `metadata:` map below `metadata` (`extra->'metadata'->>'author'`), as
 * the document nests them, so that equal keys of the two do not meet. A key without a value says nothing.
 */
function extraOf(pairs: readonly Pair[], warnings: Warnings): Fields['extra'] {
  return jsonOf(
    pairs.flatMap((pair) => {
      if (pair.key === metadataKey) return extraMetadata(pair, warnings);
      return saysField(pair.key, 'top') ? [] : jsonPair(pair, '', warnings);
    }),
  );
}

function extraMetadata(pair: Pair, warnings: Warnings): readonly JsonPair[] {
  if (!(pair.value instanceof Map)) return jsonPair(pair, '', warnings);
  const unknown = pair.pairs
    .filter(({ key }) => !saysField(key, 'metadata'))
    .flatMap((inner) => jsonPair(inner, `${metadataKey}.`, warnings));
  return unknown.length === 0 ? [] : [[metadataKey, jsonOf(unknown)]];
}

type JsonPair = readonly [string, Json];

function jsonPair(pair: Pair, prefix: string, warnings: Warnings): readonly JsonPair[] {
  const spot = spotOf(pair, prefix, warnings);
  const key = readJson(pair.key, spot);
  const json = key === undefined ? undefined : readJson(pair.value, spot);
  return json === undefined || json === null ? [] : [[pair.key, json]];
}

// fromEntries defines its keys: `__proto__` is one like any other.
function jsonOf(pairs: readonly JsonPair[]): Fields['extra'] {
  return Object.fromEntries(pairs);
}

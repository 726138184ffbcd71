// The frontmatter of a database row that has none: what its values say, as a person would write it.

import { Document, Scalar, visit } from 'yaml';
import { capabilitiesOfBody } from './body.ts';
import {
  type Capability,
  type Dependency,
  type Facet,
  type Fields,
  type Json,
  type Reference,
  silentDependencyType,
  silentFields,
  silentReferenceType,
} from './fields.ts';
import { type MetadataField, metadataKey, metadataKeys, saysField, topLevelKeys } from './keys.ts';
import { splitTools } from './relations.ts';
import { Warnings } from './warning.ts';

type Printable = Json | ReadonlyMap<string, Printable> | readonly Printable[];
type Printed = readonly [key: string, value: Printable];

// Everything that some reader of YAML breaks at, drops or hides: control characters, line separators, BOM.
const plainText = /^[\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u;

// Well below the depth at which documents are refused.
const maxExtraDepth = 64;

// Blanks that a block of text would hide, and a first line that would set its indentation.
const blankEdges = /^\s|[ ](?:\n|$)/;

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
  const printed: readonly Printed[] = [
    [topLevelKeys.name, fields.name],
    [topLevelKeys.description, fields.description],
    ...specifiedFirst(extrasOf(extra, 'top')),
    ...(fields.allowedTools.length === 0 ? [] : [[topLevelKeys.allowedTools, toolsOf(fields)] as const]),
    ...(isMap ? [] : [...own, [metadataKey, metadata] as const]),
    ...(below.length === 0 ? [] : [[metadataKey, new Map(below)] as const]),
  ];
  return `---\n${print(new Map(printed))}---\n`;
}

function print(map: ReadonlyMap<string, Printable>): string {
  // For readers of both YAML versions: `yes` and 1:20 are text in one and not in the other.
  const document = new Document(map, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value !== 'string') return;
      if (!plainText.test(node.value) || blankEdges.test(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  // Double quotes as JSON: the printer's own folding of them does not give every text back.
  return document.toString({
    lineWidth: 0,
    blockQuote: 'literal',
    doubleQuotedAsJSON: true,
  });
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function extrasOf(extra: { readonly [key: string]: Json }, where: 'top' | 'metadata'): readonly Printed[] {
  return Object.entries(extra).filter(
    ([key, value]) => value !== null && !saysField(key, where) && isNestedWithin(maxExtraDepth, value),
  );
}

function isNestedWithin(depth: number, value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isNestedWithin(depth - 1, inner));
}

function specifiedFirst(printed: readonly Printed[]): readonly Printed[] {
  const specified = ['compatibility', 'license'];
  return printed.toSorted(([a], [b]) => specified.indexOf(b) - specified.indexOf(a));
}

function toolsOf({ allowedTools }: Fields): Printable {
  // The specification's form, blanks between the tools, where it gives the same tools back.
  const line = allowedTools.join(' ');
  const back = splitTools(line);
  return back.length === allowedTools.length && back.every((tool, index) => tool === allowedTools[index])
    ? line
    : allowedTools;
}

/** The values of the `metadata:` map, silent ones left out. */
function metadataOf(fields: Fields, body: string): readonly Printed[] {
  const printable: Readonly<Record<MetadataField, Printable>> = {
    ...fields,
    capabilities: unsaid(fields.capabilities, body).map(capabilityOf),
    dependencies: fields.dependencies.map(dependencyOf),
    references: fields.references.map(referenceOf),
    facets: facetsOf(fields.facets),
  };
  return (Object.keys(metadataKeys) as MetadataField[]).flatMap((field) => {
    const value = printable[field];
    return value === silentFields[field] || isEmpty(value) ? [] : [[metadataKeys[field][0], value]];
  });
}

function isEmpty(value: Printable): boolean {
  if (value === null || value === '') return true;
  return value instanceof Map ? value.size === 0 : Array.isArray(value) && value.length === 0;
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

function capabilityOf({ name, description }: Capability): Printable {
  return description === '' ? { name } : { name, description };
}

function dependencyOf({ target, type, justification }: Dependency): Printable {
  if (type === silentDependencyType && justification === null) return target;
  return {
    path: target,
    ...(type === silentDependencyType ? {} : { type }),
    ...(justification === null ? {} : { justification }),
  };
}

function referenceOf({ target, type }: Reference): Printable {
  return type === silentReferenceType ? target : { path: target, type };
}

function facetsOf(facets: readonly Facet[]): Printable {
  const byKey = new Map<string, string[]>(facets.map(({ key }) => [key, []]));
  for (const { key, value } of facets) byKey.get(key)?.push(value);
  return new Map([...byKey].map(([key, values]) => [key, values.length === 1 ? (values[0] ?? '') : values]));
}

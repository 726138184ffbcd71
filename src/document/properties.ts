// What an agent is told of a skill before it opens it: the specification's fields, as a document says them.
//
// As the specification's reference tool reads them, skills-ref of agentskills/agentskills: every scalar is a text.

import { type Outcome, refuse } from '../problem.ts';
import type { DocumentPlace } from './frontmatter.ts';
import { readDocument } from './parse.ts';
import { Literal, type Pair, type Value } from './yaml.ts';

/** A value all of whose scalars are texts, as they are written. */
export type Property = string | readonly Property[] | { readonly [key: string]: Property };

/** The fields that a document has, by the names that it has for them. */
export interface Properties {
  readonly name: string;
  readonly description: string;
  readonly license?: Property;
  readonly compatibility?: Property;
  readonly 'allowed-tools'?: Property;
  /** What is a list or a map in it stands here as JSON. */
  readonly metadata?: Property;
}

/**
 * Reads a document's properties.
 *
 * Problems: `properties-not-readable` where it has no frontmatter, or one that is no YAML, or no name or description;
 * and those of {@link readDocument}.
 */
export function readProperties(text: string, place: DocumentPlace): Outcome<Properties> {
  const read = readDocument(text, place);
  if (!read.ok) return read;
  const refuseAt = (line: number, why: string) =>
    refuse({ reason: 'properties-not-readable', path: place.skill, file: place.file, line, why });
  const { frontmatter } = read.value;
  if (frontmatter === null) return refuseAt(1, 'the document does not begin with frontmatter');
  for (const warning of frontmatter.warnings) {
    if (warning.code === 'yaml-read-line-by-line') {
      return refuseAt(warning.line ?? 1, `the frontmatter is no valid YAML: ${warning.why}`);
    }
  }
  const pairs = new Map(frontmatter.pairs.map((pair) => [pair.key, pair]));
  const required = { name: textOf(pairs.get('name')), description: textOf(pairs.get('description')) };
  for (const [field, value] of Object.entries(required)) {
    if (value === '')
      return refuseAt(pairs.get(field)?.line ?? 1, `the skill has no ${field} that is a text`);
  }
  const optional = (['license', 'compatibility', 'allowed-tools', 'metadata'] as const).flatMap((field) => {
    const pair = pairs.get(field);
    if (pair === undefined) return [];
    const value = field === 'metadata' ? metadataOf(pair.value) : propertyOf(pair.value);
    return value === undefined ? [] : [[field, value] as const];
  });
  return { ok: true, value: { ...required, ...Object.fromEntries(optional) } };
}

/** A text without the blanks around it; '' for what is none. */
function textOf(pair: Pair | undefined): string {
  const property = propertyOf(pair?.value ?? null);
  return typeof property === 'string' ? property.trim() : '';
}

function propertyOf(value: Value): Property {
  if (value === null) return '';
  if (value instanceof Literal) return value.source;
  if (typeof value === 'string') return value;
  if (value instanceof Map) return mapOf(value, propertyOf);
  return (value as readonly Value[]).map(propertyOf);
}

/** A map from texts to texts, where it is a map; undefined where it says nothing. */
function metadataOf(value: Value): Property | undefined {
  const property = value instanceof Map ? mapOf(value, metadataText) : propertyOf(value);
  return Object.keys(property).length === 0 ? undefined : property;
}

function metadataText(value: Value): string {
  const property = propertyOf(value);
  return typeof property === 'string' ? property : JSON.stringify(property);
}

function mapOf<T>(map: ReadonlyMap<string, Value>, of: (value: Value) => T): { readonly [key: string]: T } {
  return Object.fromEntries([...map].map(([key, value]) => [key, of(value)]));
}

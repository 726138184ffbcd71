// What a change of the database adds to a skill's relations, and takes from them.

import type { Fields } from '../document/fields.ts';
import { decodeDocument, parseDocument } from '../document/parse.ts';
import { documentOf, type Skill } from '../skill/skill.ts';

/** Names of items that come, and of those that go. */
export interface RelationChange {
  readonly relation: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** By what name an item of each relation is told. */
const relations = {
  keywords: ({ keywords }: Fields) => keywords,
  tags: ({ tags }: Fields) => tags,
  capabilities: ({ capabilities }: Fields) => capabilities.map(({ name }) => name),
  dependencies: ({ dependencies }: Fields) => dependencies.map(({ target, type }) => `${target} (${type})`),
  references: ({ references }: Fields) => references.map(({ target, type }) => `${target} (${type})`),
  aliases: ({ aliases }: Fields) => aliases,
  facets: ({ facets }: Fields) => facets.map(({ key, value }) => `${key}=${value}`),
  'allowed tools': ({ allowedTools }: Fields) => allowedTools,
} as const;

/** Compares what two states of a skill say of its relations; null is no skill. Those that stay are left out. */
export function compareRelations(before: Skill | null, after: Skill | null): readonly RelationChange[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  return Object.entries(relations).flatMap(([relation, namesOf]) => {
    const [was, is] = [new Set(old ? namesOf(old) : []), new Set(now ? namesOf(now) : [])];
    const added = [...is].filter((name) => !was.has(name));
    const removed = [...was].filter((name) => !is.has(name));
    return added.length + removed.length > 0 ? [{ relation, added, removed }] : [];
  });
}

function fieldsOf(skill: Skill | null): Fields | undefined {
  if (skill === null) return undefined;
  const { path: file, bytes } = documentOf(skill);
  const place = { skill: skill.path, file };
  const text = decodeDocument(bytes, place);
  const document = text.ok ? parseDocument(text.value, place) : text;
  return document.ok ? document.value.fields : undefined;
}

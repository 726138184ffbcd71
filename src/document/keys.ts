// Which frontmatter keys say which field, and where they stand.

import type { Fields } from './fields.ts';

/** At the top level only, as the Agent Skills specification has it. */
export const topLevelKeys = {
  name: 'name',
  description: 'description',
  allowedTools: 'allowed-tools',
} as const satisfies Partial<Record<keyof Fields, string>>;

/** In the `metadata:` map, or in older documents at the top level. Of several keys the first is written. */
export const metadataKeys = {
  version: ['version'],
  type: ['type'],
  weight: ['weight'],
  loadPriority: ['load_priority'],
  status: ['status'],
  skillStyle: ['skill_style'],
  scope: ['scope'],
  category: ['category', 'taxonomy'],
  keywords: ['keywords'],
  tags: ['tags'],
  capabilities: ['capabilities'],
  dependencies: ['dependencies'],
  references: ['see_also', 'references'],
  aliases: ['aliases'],
  facets: ['facets'],
} as const satisfies Partial<Record<keyof Fields, readonly [string, ...string[]]>>;

export type MetadataField = keyof typeof metadataKeys;

/** The fields that a key of their own says. */
export type KeyField = keyof typeof topLevelKeys | MetadataField;

export function isMetadataField(field: KeyField): field is MetadataField {
  return field in metadataKeys;
}

/** The keys that say a field; the first is written. */
export function keysOf(field: KeyField): readonly [string, ...string[]] {
  return isMetadataField(field) ? metadataKeys[field] : [topLevelKeys[field]];
}

/** The map that holds the keys of {@link metadataKeys}. */
export const metadataKey = 'metadata';

/** What else the specification has at the top level: `extra` holds these. */
export const specifiedKeys: readonly string[] = ['license', 'compatibility'];

/** Hyphen and underscore spellings are the same key; case counts. */
export function sameKey(key: string): string {
  return key.replaceAll('-', '_');
}

const inMetadata: ReadonlySet<string> = new Set(Object.values(metadataKeys).flat());
const atTopLevel: ReadonlySet<string> = new Set([
  ...inMetadata,
  ...Object.values(topLevelKeys).map(sameKey),
  metadataKey,
]);

/** Whether a key of the top level, or of the `metadata:` map, says a field; else it belongs in `extra`. */
export function saysField(key: string, where: 'top' | 'metadata'): boolean {
  return (where === 'top' ? atTopLevel : inMetadata).has(sameKey(key));
}

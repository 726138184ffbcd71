// The categories that there are, indexed once, so that a skill finds its own among them in a few lookups.

import { categoryAliases } from './aliases.ts';
import { parseCategoryPath } from './category.ts';

/** An index of categories. Keys are in the form of {@link parseCategoryPath}, values are paths as given. */
export interface KnownCategories {
  readonly byPath: ReadonlyMap<string, string>;
  /** Last segments of a path: `python`, `languages/python`. Null where several end so. */
  readonly byPart: ReadonlyMap<string, string | null>;
  /** The same with the last segment's other names. */
  readonly byAlias: ReadonlyMap<string, string | null>;
  /** Segments of the longest key. */
  readonly depth: number;
}

function note(index: Map<string, string | null>, key: string, path: string): void {
  const noted = index.get(key);
  index.set(key, noted === undefined || noted === path ? path : null);
}

/**
 * Indexes categories for `inferCategory`. A text that is no category path takes no part; of several that
 * differ only in case or between hyphen and underscore, the first in order does.
 */
export function indexCategories(paths: Iterable<string>): KnownCategories {
  const byPath = new Map<string, string>();
  for (const path of [...paths].sort()) {
    const key = parseCategoryPath(path);
    if (key !== undefined && !byPath.has(key)) byPath.set(key, path);
  }
  const byPart = new Map<string, string | null>();
  const byAlias = new Map<string, string | null>();
  let depth = 0;
  for (const [key, path] of byPath) {
    const segments = key.split('/');
    const aliases = categoryAliases[segments.at(-1) ?? ''] ?? [];
    depth = Math.max(depth, segments.length);
    for (const start of segments.keys()) {
      note(byPart, segments.slice(start).join('/'), path);
      for (const alias of aliases) note(byAlias, [...segments.slice(start, -1), alias].join('/'), path);
    }
  }
  return { byPath, byPart, byAlias, depth };
}

/** The category that a key names: by its path, else by a part of it, else by another name of it. */
export function findCategory(key: string, known: KnownCategories): string | undefined {
  const part = known.byPart.get(key);
  return known.byPath.get(key) ?? (part === undefined ? known.byAlias.get(key) : part) ?? undefined;
}

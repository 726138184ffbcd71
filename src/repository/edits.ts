// What another writer changed beside a stored document, as the changes of values that the document is to take.

import type { Dependency, Fields, Reference } from '../document/fields.ts';
import { fieldsOf, type IndexRow } from './index-row.ts';

/** What a name in a document was resolved to. */
interface Resolved {
  readonly skill_id: number | null;
}

/** One item of `skill_sync.targets`: another skill as the document names it, and which one that is. */
export type KeptTarget = Resolved &
  ((Dependency & { readonly kind: 'dependency' }) | (Reference & { readonly kind: 'reference' }));

/** What a field is called as a key of the index. */
export const fieldNames = {
  name: 'name',
  description: 'description',
  version: 'version',
  type: 'type',
  weight: 'weight',
  load_priority: 'loadPriority',
  status: 'status',
  skill_style: 'skillStyle',
  scope: 'scope',
  extra: 'extra',
  category: 'category',
  keywords: 'keywords',
  tags: 'tags',
  capabilities: 'capabilities',
  dependencies: 'dependencies',
  references: 'references',
  aliases: 'aliases',
  facets: 'facets',
  allowed_tools: 'allowedTools',
} as const satisfies { readonly [K in keyof IndexRow]: keyof Fields };

/** Whether a value of that name is one of the index. */
export function isIndexKey(key: string): key is keyof typeof fieldNames {
  return key in fieldNames;
}

/**
 * The values that the document is to take.
 *
 * @param edited the keys of the row's index that another writer changed
 * @param targets what the stored document names, in its order
 * @param paths skill paths by key
 */
export function changesOf(
  edited: readonly string[],
  row: IndexRow,
  targets: readonly KeptTarget[],
  paths: ReadonlyMap<number, string>,
): Partial<Fields> {
  const fields: Fields = {
    ...fieldsOf(row, paths),
    dependencies: namedLinks(
      targets.filter((target) => target.kind === 'dependency'),
      row.dependencies,
      paths,
    ).map(({ target, type, justification }) => ({ target, type, justification })),
    references: namedLinks(
      targets.filter((target) => target.kind === 'reference'),
      row.references,
      paths,
    ).map(({ target, type }) => ({ target, type })),
  };
  return Object.fromEntries(
    edited.filter(isIndexKey).map((key) => [fieldNames[key], fields[fieldNames[key]]]),
  );
}

type Named<L> = L & { readonly target: string };

/**
 * The row's links, named as the document names them; new ones by path. What the document names in vain stays,
 * and so does what went with its target: neither is a change of this skill.
 */
function namedLinks<
  N extends Resolved & { readonly target: string },
  L extends { readonly skill_id: number },
>(named: readonly N[], links: readonly L[], paths: ReadonlyMap<number, string>): readonly (N | Named<L>)[] {
  const byId = new Map(links.map((link) => [link.skill_id, link]));
  const known = new Set(named.map((one) => one.skill_id));
  const kept = named.flatMap((one): readonly (N | Named<L>)[] => {
    if (one.skill_id === null || !paths.has(one.skill_id)) return [one];
    const link = byId.get(one.skill_id);
    return link === undefined ? [] : [{ ...link, target: one.target }];
  });
  const added = links.flatMap((link) => {
    const target = paths.get(link.skill_id);
    return target === undefined || known.has(link.skill_id) ? [] : [{ ...link, target }];
  });
  return [...kept, ...added];
}

// What a row's columns and relations say, as the SQL function skill_fleet_index gives it, and as fields.

import type { Capability, Dependency, Facet, Fields, Json, Reference } from '../document/fields.ts';
import type { Status } from '../skill/status.ts';

/** One value of `skill_fleet_index`: relations to other skills by key, lists in the database's order. */
export interface IndexRow {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly type: Fields['type'];
  readonly weight: Fields['weight'];
  readonly load_priority: Fields['loadPriority'];
  readonly status: Status;
  readonly skill_style: Fields['skillStyle'];
  readonly scope: string | null;
  readonly extra: { readonly [key: string]: Json };
  readonly category: string | null;
  readonly keywords: readonly string[];
  readonly tags: readonly string[];
  readonly capabilities: readonly Capability[];
  readonly dependencies: readonly (Omit<Dependency, 'target'> & { readonly skill_id: number })[];
  readonly references: readonly (Omit<Reference, 'target'> & { readonly skill_id: number })[];
  readonly aliases: readonly string[];
  readonly facets: readonly Facet[];
  readonly allowed_tools: readonly string[];
}

/**
 * The row's values as a document would say them: other skills by their path.
 *
 * @param paths skill paths by key; a target that is not among them is left out
 */
export function fieldsOf(row: IndexRow, paths: ReadonlyMap<number, string>): Fields {
  const named = <T extends { skill_id: number }>(targets: readonly T[]) =>
    targets.flatMap(({ skill_id, ...rest }) => {
      const target = paths.get(skill_id);
      return target === undefined ? [] : [{ ...rest, target }];
    });
  const { load_priority: loadPriority, skill_style: skillStyle, allowed_tools: allowedTools, ...same } = row;
  return {
    ...same,
    loadPriority,
    skillStyle,
    allowedTools,
    dependencies: named(row.dependencies),
    references: named(row.references),
  };
}

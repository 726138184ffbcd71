// What a document says of its skill, as values: the shape that the parser fills and the database indexes.

import type { Status } from '../skill/status.ts';

/** A JSON value: what frontmatter can hold once read with the JSON schema. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export const skillTypes = [
  'cognitive',
  'technical',
  'domain',
  'tool',
  'mcp',
  'specialization',
  'task_focus',
  'memory',
] as const;
export const weights = ['lightweight', 'medium', 'heavyweight'] as const;
export const loadPriorities = ['always', 'task_specific', 'on_demand', 'dormant'] as const;
export const skillStyles = ['navigation_hub', 'comprehensive', 'minimal'] as const;
export const dependencyTypes = ['required', 'recommended', 'conflict'] as const;

export interface Capability {
  readonly name: string;
  readonly description: string;
}

/** Another skill that this one needs, named as the document names it: by path, alias or name. */
export interface Dependency {
  readonly target: string;
  readonly type: (typeof dependencyTypes)[number];
  readonly justification: string | null;
}

/** Another skill that this one points its reader to. */
export interface Reference {
  readonly target: string;
  readonly type: string;
}

export interface Facet {
  readonly key: string;
  readonly value: string;
}

/**
 * A document's values within the limits of the database's columns, with the defaults of a silent document
 * filled in. Lists hold no duplicates and keep the document's order.
 */
export interface Fields {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly type: (typeof skillTypes)[number];
  readonly weight: (typeof weights)[number];
  readonly loadPriority: (typeof loadPriorities)[number];
  readonly status: Status;
  readonly skillStyle: (typeof skillStyles)[number] | null;
  readonly scope: string | null;
  /** As the document names it; null where it names none. */
  readonly category: string | null;
  readonly keywords: readonly string[];
  readonly tags: readonly string[];
  readonly capabilities: readonly Capability[];
  readonly dependencies: readonly Dependency[];
  readonly references: readonly Reference[];
  readonly aliases: readonly string[];
  readonly facets: readonly Facet[];
  readonly allowedTools: readonly string[];
  /** Every frontmatter key that no column holds: license, compatibility, unknown ones. */
  readonly extra: { readonly [key: string]: Json };
}

/** The longest text that each column takes, in characters, as PostgreSQL counts them: code points. */
export const limits = {
  name: 64,
  version: 20,
  category: 512,
  keyword: 128,
  tag: 64,
  capabilityName: 128,
  target: 512,
  referenceType: 32,
  alias: 512,
  facetKey: 64,
  facetValue: 256,
  tool: 64,
} as const;

/** What a document says that says nothing. Its name is its folder's. */
export const silentFields = {
  description: '',
  version: '1.0.0',
  type: 'technical',
  weight: 'medium',
  loadPriority: 'task_specific',
  // What stands in the tree is in use.
  status: 'active',
  skillStyle: null,
  scope: null,
  category: null,
  keywords: [],
  tags: [],
  capabilities: [],
  dependencies: [],
  references: [],
  aliases: [],
  facets: [],
  allowedTools: [],
  extra: {},
} as const satisfies Omit<Fields, 'name'>;

/** What a dependency or reference is where the document does not say. */
export const silentDependencyType = 'required' satisfies Dependency['type'];
export const silentReferenceType = 'see_also';

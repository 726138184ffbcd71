// What a rule found, as a value.

import { type DetailsOf, type RuleName, rules, type Severity } from './rules.ts';

/** Where in a skill: line and column from 1, columns in UTF-16 units. */
export interface Spot {
  /** A file of the skill; none where it is about the skill as a whole. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** That a rule is broken, where, and what its sentence needs. */
export type Mark<R extends RuleName = RuleName> = {
  [K in R]: Spot & { readonly rule: K } & Readonly<DetailsOf<K>>;
}[R];

/** A mark that counts, in words. */
export interface Finding extends Spot {
  readonly rule: RuleName;
  readonly severity: Severity;
  /** The skill: its folder, relative to the skills directory. */
  readonly skill: string;
  readonly what: string;
  readonly remedy: string;
  /** Whether `--fix` mends it. */
  readonly fixable: boolean;
}

/** The mark in words, as a finding of that severity. */
export function findingOf(mark: Mark, skill: string, severity: Severity): Finding {
  const { what, remedy } = rules[mark.rule];
  const { rule, file, line, column } = mark;
  // Each rule takes just its own details, which the compiler cannot follow through the index.
  return {
    rule,
    severity,
    skill,
    file,
    line,
    column,
    what: (what as (details: Mark) => string)(mark),
    remedy,
    fixable: false,
  };
}

/** The page of a rule in the documentation. */
export function pageOf(rule: RuleName): string {
  return `docs/rules/${rule}.md`;
}

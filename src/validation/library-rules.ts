// What is asked of all skills of a library together: of each a small summary is kept, and no text.

import { Sayings } from '../document/sayings.ts';
import { Warnings } from '../document/warning.ts';
import { foldersAbove, mergedForm } from '../skill/path.ts';
import { knowsField } from './fields-of-targets.ts';
import type { Mark, Spot } from './finding.ts';
import type { RuleName, Target } from './rules.ts';
import type { Subject } from './subject.ts';

/** What the library's rules need to know of a skill. */
export interface Summary {
  readonly path: string;
  readonly file: string;
  /** As the document names it, or else the folder. */
  readonly name: string;
  /** Where the document names it; no line where it does not. */
  readonly nameAt: Spot;
  readonly aliases: readonly string[];
  readonly dependencies: readonly { readonly target: string; readonly isRequired: boolean }[];
  readonly dependenciesAt: Spot;
  readonly references: readonly string[];
  readonly referencesAt: Spot;
}

/** The rules that {@link libraryMarks} asks. */
export const libraryRules: ReadonlySet<RuleName> = new Set([
  ...(['name-duplicate', 'names-collide', 'dependency-not-found'] as const),
  ...(['reference-not-found', 'dependency-cycle'] as const),
]);

/** A copy: a part of a text keeps the whole text in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

/** A field that the target does not know, as it stands at the top level, says something else than it would here. */
export function summaryOf({ path, document }: Subject, target: Target): Summary {
  const { file, fields, frontmatter } = document;
  const sayings = new Sayings(frontmatter?.pairs ?? [], new Warnings());
  const placeOf = (field: 'name' | 'dependencies' | 'references'): Spot => {
    const [saying] = sayings.of(field);
    return { file, line: saying?.pair.line, column: saying?.pair.column };
  };
  const isKnown = (field: 'dependencies' | 'references') => {
    const [saying] = sayings.of(field);
    return saying?.level !== 'top' || knowsField(target, saying.pair.key);
  };
  return {
    ...{ path, file, name: copyOf(fields.name), aliases: fields.aliases.map(copyOf) },
    nameAt: placeOf('name'),
    dependencies: (isKnown('dependencies') ? fields.dependencies : [])
      .filter(({ type }) => type !== 'conflict')
      .map(({ target, type }) => ({ target: copyOf(target), isRequired: type === 'required' })),
    dependenciesAt: placeOf('dependencies'),
    references: (isKnown('references') ? fields.references : []).map(({ target }) => copyOf(target)),
    referencesAt: placeOf('references'),
  };
}

export interface LibraryMark {
  readonly path: string;
  readonly mark: Mark;
}

/**
 * What is wrong with skills as one library, in no order.
 *
 * @param isWhole whether these are all its skills: else one that is not among them may stand elsewhere
 */
export function libraryMarks(summaries: readonly Summary[], isWhole: boolean): readonly LibraryMark[] {
  return [
    ...duplicateNames(summaries),
    ...collidingPaths(summaries),
    ...(isWhole ? lostRelations(summaries) : []),
    ...cycles(summaries),
  ];
}

function duplicateNames(summaries: readonly Summary[]): readonly LibraryMark[] {
  const first = new Map<string, string>();
  return summaries.flatMap(({ path, name, nameAt }) => {
    if (nameAt.line === undefined) return [];
    const other = first.get(name);
    if (other === undefined) first.set(name, path);
    return other === undefined
      ? []
      : [{ path, mark: { rule: 'name-duplicate', ...nameAt, text: name, other } as const }];
  });
}

function collidingPaths(summaries: readonly Summary[]): readonly LibraryMark[] {
  const known = new Map<string, string>();
  return summaries.flatMap(({ path }) => {
    let other: string | undefined;
    for (const place of [...foldersAbove(path), path]) {
      const form = mergedForm(place);
      const first = known.get(form) ?? place;
      known.set(form, first);
      if (first !== place) other ??= first;
    }
    const text = `${JSON.stringify(path)} and ${JSON.stringify(other)} are one path where letter case does not count`;
    return other === undefined ? [] : [{ path, mark: { rule: 'names-collide', text } as const }];
  });
}

/** Finds what a document means by a path, an alias or a name, in this order, as the database does. */
function resolver(summaries: readonly Summary[]): (target: string) => readonly Summary[] {
  const byPath = new Map<string, Summary[]>();
  const byAlias = new Map<string, Summary[]>();
  const byName = new Map<string, Summary[]>();
  const add = (map: Map<string, Summary[]>, key: string, summary: Summary) => {
    const known = map.get(key);
    if (known === undefined) map.set(key, [summary]);
    else known.push(summary);
  };
  for (const summary of summaries) {
    add(byPath, summary.path, summary);
    for (const alias of summary.aliases) add(byAlias, alias, summary);
    add(byName, summary.name, summary);
  }
  return (target) => byPath.get(target) ?? byAlias.get(target) ?? byName.get(target) ?? [];
}

function lostRelations(summaries: readonly Summary[]): readonly LibraryMark[] {
  const find = resolver(summaries);
  const isLost = (target: string) => find(target).length === 0;
  return summaries.flatMap(({ path, dependencies, dependenciesAt, references, referencesAt }) => [
    ...dependencies
      .filter(({ target }) => isLost(target))
      .map(({ target }) => ({
        path,
        mark: { rule: 'dependency-not-found', ...dependenciesAt, target } as const,
      })),
    ...references
      .filter(isLost)
      .map((target) => ({ path, mark: { rule: 'reference-not-found', ...referencesAt, target } as const })),
  ]);
}

/** So many skills of a circle are named. */
const maxNamed = 10;

/** One mark for each skill at which a walk along required dependencies comes back to where it was. */
function cycles(summaries: readonly Summary[]): readonly LibraryMark[] {
  const find = resolver(summaries);
  /** Last first, since they are taken from the end. */
  const needs = (summary: Summary) =>
    summary.dependencies.toReversed().flatMap(({ target, isRequired }) => {
      const [only, ...others] = isRequired ? find(target) : [];
      return only === undefined || others.length > 0 ? [] : [only];
    });
  const marks = new Map<string, LibraryMark>();
  /** Where a skill stands on the way that is being walked; -1 once it has been walked. */
  const places = new Map<string, number>();
  for (const start of summaries) {
    if (places.has(start.path)) continue;
    const way = [{ summary: start, left: needs(start) }];
    places.set(start.path, 0);
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      const next = last.left.pop();
      if (next === undefined) {
        way.pop();
        places.set(last.summary.path, -1);
        continue;
      }
      const place = places.get(next.path);
      if (place === undefined) {
        places.set(next.path, way.length);
        way.push({ summary: next, left: needs(next) });
      } else if (place >= 0 && !marks.has(next.path)) {
        const named = way.slice(place, place + maxNamed).map(({ summary }) => summary.path);
        const cut = way.length - place > maxNamed ? ['…'] : [];
        const mark = { rule: 'dependency-cycle', ...next.dependenciesAt } as const;
        marks.set(next.path, { path: next.path, mark: { ...mark, cycle: [...named, ...cut, next.path] } });
      }
    }
  }
  return [...marks.values()];
}

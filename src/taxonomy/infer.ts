// Which category a skill belongs to, and why. The first of four places that says so decides: its document,
// the configuration's mapping, the folders above it, the words of its name, keywords and tags.

import { createHash } from 'node:crypto';
import { globMatcher } from '../skill/glob.ts';
import type { SkillPath } from '../skill/path.ts';
import { vagueWords } from './aliases.ts';
import { fitsCategory, parseCategoryPath } from './category.ts';
import { findCategory, type KnownCategories } from './known.ts';

/** What a skill tells of its category. */
export interface CategoryClues {
  readonly path: SkillPath;
  readonly name: string;
  /** As the document names it; null where it names none. */
  readonly category: string | null;
  readonly keywords: readonly string[];
  readonly tags: readonly string[];
}

/** A skill's category. */
export interface CategoryChoice {
  readonly path: string;
  /** Half a line for people: `folder "python" is part of development/languages/python`. */
  readonly reason: string;
  readonly kind: 'document' | 'mapping' | 'folders' | 'words';
  /** Whether the category is not among the known ones. */
  readonly creates: boolean;
}

/** A rule of the configuration, ready to be asked. */
export interface MappingRule {
  readonly glob: string;
  readonly category: string;
  readonly matches: (path: string) => boolean;
}

/** The configuration's rules; the first that matches a skill's path decides. */
export type TaxonomyMapping = readonly MappingRule[];

/** Readies the configuration's rules, once for all skills. */
export function compileMapping(
  rules: readonly { readonly glob: string; readonly category: string }[],
): TaxonomyMapping {
  return rules.map(({ glob, category }) => ({ glob, category, matches: globMatcher(glob) }));
}

/** Another way of inferring gets another number here, so that rows are indexed anew. */
const inferenceVersion = 2;

/** Tells one mapping, and one way of inferring, from another: rows keep it beside their category. */
export function taxonomyVersion(mapping: TaxonomyMapping): string {
  const rules = mapping.map(({ glob, category }) => [glob, category]);
  return createHash('sha256')
    .update(JSON.stringify([inferenceVersion, rules]))
    .digest('hex');
}

/**
 * Folders that people need for their tools' sake, and hidden ones, are no categories: in
 * `plugins/python-development/skills/async-patterns` only `python-development` says what the skill is about.
 */
const structuralFolders: ReadonlySet<string> = new Set([
  'skills',
  'plugins',
  'external_plugins',
  'packages',
  'src',
]);

/** No name needs more; outside data decides how many there are. */
const maxWords = 64;
const maxWordsOfPhrase = 4;

/**
 * Takes a text for a category: the longest leading part that names a known one, and the rest below that
 * (`python/web` is `development/languages/python/web`), or else the text as it stands. Only a leading part
 * counts: were `tools` in `b/tools` enough, it would fall to `a/tools` as soon as that one is created.
 */
function place(
  kind: CategoryChoice['kind'],
  subject: string,
  text: string,
  known: KnownCategories,
): CategoryChoice | null {
  const wanted = parseCategoryPath(text);
  if (wanted === undefined) return null;
  const segments = wanted.split('/');
  for (let end = Math.min(segments.length, known.depth); end > 0; end--) {
    const part = segments.slice(0, end).join('/');
    const found = findCategory(part, known);
    const path = [found, ...segments.slice(end)].join('/');
    if (found === undefined || !fitsCategory(path)) continue;
    const meaning = found === part ? '' : ` ${found.endsWith(`/${part}`) ? 'is part of' : 'means'} ${found}`;
    return { path, reason: `${subject} "${part}"${meaning}`, kind, creates: end < segments.length };
  }
  return { path: wanted, reason: `${subject} "${wanted}"`, kind, creates: true };
}

function fromDocument({ category }: CategoryClues, known: KnownCategories): CategoryChoice | null {
  return category === null ? null : place('document', "document's category", category, known);
}

function fromMapping(
  { path }: CategoryClues,
  known: KnownCategories,
  mapping: TaxonomyMapping,
): CategoryChoice | null {
  const rule = mapping.find((candidate) => candidate.matches(path));
  return rule === undefined ? null : place('mapping', `rule ${rule.glob}: category`, rule.category, known);
}

function fromFolders({ path }: CategoryClues, known: KnownCategories): CategoryChoice | null {
  const folders = path
    .split('/')
    .slice(0, -1)
    .filter((folder) => !folder.startsWith('.') && !structuralFolders.has(folder.toLowerCase()));
  return place('folders', 'folder', folders.join('/'), known);
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}+#]+/u)
    .filter(Boolean)
    .slice(0, maxWords);
}

/** The longest phrase at a place in a text that names a category, or hides the words in it. */
function phraseAt(words: readonly string[], start: number, known: KnownCategories): readonly string[] {
  for (let length = Math.min(maxWordsOfPhrase, words.length - start); length > 0; length--) {
    const phrase = words.slice(start, start + length);
    const text = phrase.join('-');
    if (vagueWords.has(text) || findCategory(text, known) !== undefined) return phrase;
  }
  return [];
}

function phrasesOf(text: string, known: KnownCategories): readonly string[] {
  const words = wordsOf(text);
  const phrases: string[] = [];
  for (let start = 0; start < words.length; ) {
    const phrase = phraseAt(words, start, known);
    phrases.push(phrase.join('-'));
    start += Math.max(1, phrase.length);
  }
  return phrases;
}

/** The deepest category that a phrase names; of equally deep ones the first phrase's. */
function deepest(phrases: readonly string[], subject: string, known: KnownCategories): CategoryChoice | null {
  const found = phrases.flatMap((phrase) => {
    const path = vagueWords.has(phrase) ? undefined : findCategory(phrase, known);
    return path === undefined ? [] : [{ path, phrase, depth: path.split('/').length }];
  });
  const [best] = found.sort((a, b) => b.depth - a.depth);
  return best === undefined
    ? null
    : { path: best.path, reason: `${subject} "${best.phrase}"`, kind: 'words', creates: false };
}

function fromWords({ name, keywords, tags }: CategoryClues, known: KnownCategories): CategoryChoice | null {
  // A keyword counts whole: one word of `api testing` would be a guess.
  const whole = (texts: readonly string[]) => texts.slice(0, maxWords).map((text) => wordsOf(text).join('-'));
  return (
    deepest(phrasesOf(name, known), 'name has', known) ??
    deepest(whole(keywords), 'keyword', known) ??
    deepest(whole(tags), 'tag', known)
  );
}

/**
 * Infers a skill's category, or null where nothing tells. The words decide only where no folder does. All
 * skills of a run should be asked with the same `known`, so that their order does not matter.
 */
export function inferCategory(
  clues: CategoryClues,
  known: KnownCategories,
  mapping: TaxonomyMapping,
): CategoryChoice | null {
  return (
    fromDocument(clues, known) ??
    fromMapping(clues, known, mapping) ??
    fromFolders(clues, known) ??
    fromWords(clues, known)
  );
}

// Every warning about a document that was read all the same: what it must say, in one table.

import { quoted } from '../problem.ts';

interface OfKey {
  /** The frontmatter key, as the document spells it; a key of the `metadata:` map is `metadata.key`. */
  readonly key: string;
}

/** What mends a text that is no YAML, by what js-yaml says of it. */
const yamlRemedies: readonly (readonly [why: RegExp, remedy: string])[] = [
  [/^tab characters/, 'Indent with spaces'],
  [/multiline key/, 'Write "key: value" in the line here or above that has no colon'],
  [/^deficient indentation/, 'Close the quote or bracket that is open, or indent what belongs to it'],
  [/^bad indentation/, 'Quote the value that stands here, or indent the line as those around it'],
];

function remedyOf(why: string): string {
  const [, remedy] = yamlRemedies.find(([cause]) => cause.test(why)) ?? [];
  return remedy ?? 'Quote the value that stands here';
}

const sentences = {
  'fence-names-a-language': (_: { found: string }): string =>
    `line 1 is ${quoted(_.found)}, which opens no frontmatter: write --- alone`,
  'rule-above-prose': (_: object): string =>
    'the text between the first two --- holds no "key: value": it was read as part of the body',
  'yaml-read-line-by-line': (_: { why: string }): string =>
    `the frontmatter is no valid YAML (${_.why}): it was read line by line. ${remedyOf(_.why)}`,
  'duplicate-key': (_: OfKey): string => `${_.key} stands more than once: the last one counts`,
  'key-stands-elsewhere': (_: OfKey & { read: string }): string =>
    `${_.key} is not read: ${_.read} says the same and goes first`,

  'no-text': (_: object): string => 'the document is empty',
  'no-description': (_: object): string => 'there is no description, by which agents choose a skill',

  'name-breaks-specification': (_: { name: string }): string =>
    `the name ${quoted(_.name)} is not made of a-z, 0-9 and single hyphens`,
  'name-differs-from-folder': (_: { name: string; folder: string }): string =>
    `the name ${quoted(_.name)} differs from the folder's, ${quoted(_.folder)}`,
  'name-too-long': (_: { limit: number }): string =>
    `the name is longer than ${_.limit} characters: the folder's stands in the index`,
  'version-is-a-number': (_: { text: string }): string =>
    `the version ${_.text} is a number to other readers: quote it`,

  'value-not-text': (_: OfKey & { text: string }): string =>
    `${_.key} holds ${_.text}, which is no text to other readers: quote it`,
  'wrong-type': (_: OfKey & { wanted: string }): string =>
    `${_.key} is not ${_.wanted}: it is left out of the index`,
  'unknown-value': (_: OfKey & { allowed: readonly string[] }): string =>
    `${_.key} is none of ${_.allowed.join(', ')}: it is left out of the index`,
  'too-long': (_: OfKey & { limit: number }): string =>
    `${_.key} holds a value longer than ${_.limit} characters: it is left out of the index`,
  'names-no-skill': (_: OfKey & { text: string }): string =>
    `${_.key} names a file or an address, ${quoted(_.text)}: only skills are indexed`,
  'text-not-storable': (_: OfKey): string =>
    `${_.key} holds a text with a NUL or half a surrogate pair: it is left out of the index`,
  'number-not-storable': (_: OfKey): string =>
    `${_.key} holds a number that JSON cannot: it is left out of the index`,

  'kept-otherwise': (_: OfKey): string =>
    `the database holds another ${_.key} than the document says: a trigger or a rule there changes it`,

  'more-warnings': (_: { count: number }): string => `${_.count} more warnings about this document`,
} satisfies Record<string, (details: never) => string>;

type Sentences = typeof sentences;

/** What can be warned about: the discriminant of {@link Warning}. */
export type WarningCode = keyof Sentences;

/**
 * What in a document was read leniently or left out of the index, as a value: its `code`, what that code's
 * sentence needs, and where it stands in the file: line and column from 1, columns in UTF-16 units.
 */
export type Warning<C extends WarningCode = WarningCode> = {
  [K in C]: { readonly code: K; readonly line?: number; readonly column?: number } & Readonly<
    Parameters<Sentences[K]>[0]
  >;
}[C];

/** The warning in words, without its place. */
export function warningSentence(warning: Warning): string {
  // Each table entry takes just its own code's details, which the compiler cannot follow through the index.
  return (sentences[warning.code] as (details: Warning) => string)(warning);
}

/** More than these, a document's warnings are only counted: who reads a hundred reads no more. */
export const maxWarnings = 100;

/** Collects warnings, up to {@link maxWarnings} and then their number. */
export class Warnings {
  readonly #kept: Warning[] = [];
  #count = 0;

  add(warning: Warning): void {
    this.#count++;
    if (this.#kept.length < maxWarnings) this.#kept.push(warning);
  }

  all(): readonly Warning[] {
    const more = this.#count - this.#kept.length;
    return more === 0 ? this.#kept : [...this.#kept, { code: 'more-warnings', count: more }];
  }
}

// Where a skill stands in its library, and where a file stands in its skill: relative POSIX paths,
// checked once, here, for both sides.

import { type Outcome, refuse } from '../problem.ts';

declare const brand: unique symbol;

/** A skill's folder, relative to the skills directory: `development/languages/python/async`. */
export type SkillPath = string & { readonly [brand]: 'SkillPath' };

/** A file's place within its skill: `scripts/run.sh`. */
export type FilePath = string & { readonly [brand]: 'FilePath' };

/** The columns `skills.skill_path` and `skill_files.relative_path` are `varchar(512)`: characters, not bytes. */
export const maxPathLength = 512;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/u;

function whyNotRelative(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.startsWith('/')) return 'it is absolute';
  if (controlCharacter.test(text)) return 'it holds a control character';
  if (!text.isWellFormed()) return 'it is not valid Unicode';
  const segments = text.split('/');
  if (segments.includes('')) return 'it holds an empty segment';
  if (segments.includes('.') || segments.includes('..')) return 'it holds a "." or ".." segment';
  if ([...text].length > maxPathLength) return `it is longer than ${maxPathLength} characters`;
  return undefined;
}

/**
 * Takes any relative POSIX path without `.`, `..`, empty segments or control characters, of at most
 * {@link maxPathLength} characters; otherwise the problem `path-not-allowed`.
 */
export function parseSkillPath(text: string): Outcome<SkillPath> {
  const why = whyNotRelative(text);
  return why === undefined
    ? { ok: true, value: text as SkillPath }
    : refuse({ reason: 'path-not-allowed', path: text, why });
}

/** As {@link parseSkillPath}, for a file of the skill at `skill`. */
export function parseFilePath(skill: SkillPath, text: string): Outcome<FilePath> {
  const why = whyNotRelative(text);
  return why === undefined
    ? { ok: true, value: text as FilePath }
    : refuse({ reason: 'file-path-not-allowed', path: skill, file: text, why });
}

/** The last segment: the folder's own name. */
export function folderName(path: SkillPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Orders paths by their UTF-8 bytes, as git and the digest do; UTF-16 order differs above U+FFFF. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The folders above a path, the topmost first: `a/b/c` has `a` and `a/b`. */
export function foldersAbove(path: string): readonly string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

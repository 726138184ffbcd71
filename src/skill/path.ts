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

/** The longest name that Linux holds, in bytes of UTF-8. Other systems count characters, never more than these. */
const maxSegmentBytes = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/u;
// Windows drops spaces before an extension, and takes the superscript digits for digits here.
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:[.:]|$)/i;

/** Why a path may not be so, and what tells that it is. */
type Rule = readonly [why: string, isBroken: (path: string, segments: readonly string[]) => boolean];

function inSegments(why: string, isBroken: (segment: string) => boolean): Rule {
  return [why, (_, segments) => segments.some(isBroken)];
}

const rules: readonly Rule[] = [
  ['it is empty', (path) => path === ''],
  ['it is absolute', (path) => path.startsWith('/')],
  ['it holds a control character', (path) => controlCharacter.test(path)],
  ['it is not valid Unicode', (path) => !path.isWellFormed()],
  ['it holds a backslash', (path) => path.includes('\\')],
  inSegments('it holds an empty segment', (segment) => segment === ''),
  inSegments('it holds a "." or ".." segment', (segment) => segment === '.' || segment === '..'),
  inSegments('it holds a segment that begins with a drive', (segment) => /^[a-z]:/i.test(segment)),
  inSegments('it holds a device name of Windows', (segment) => deviceName.test(segment)),
  inSegments('it holds a segment that ends in a dot or a space', (segment) => /[. ]$/.test(segment)),
  inSegments(
    `it holds a segment longer than ${maxSegmentBytes} bytes`,
    (segment) => Buffer.byteLength(segment) > maxSegmentBytes,
  ),
  [
    `it is longer than ${maxPathLength} characters`,
    (path) => path.length > maxPathLength && [...path].length > maxPathLength,
  ],
];

const skillRules: readonly Rule[] = [
  ...rules,
  inSegments(
    'it holds a segment SKILL.md, which is a document and no folder',
    (segment) => segment.toLowerCase() === 'skill.md',
  ),
];

function whyNot(path: string, broken: readonly Rule[]): string | undefined {
  const segments = path.split('/');
  return broken.find(([, isBroken]) => isBroken(path, segments))?.[0];
}

/**
 * Takes a relative POSIX path of at most {@link maxPathLength} characters; otherwise the problem
 * `path-not-allowed`.
 *
 * Whoever exports a path may not be who imports it, so that what some system takes for another name is refused
 * on all. For Windows that is from Microsoft's "Naming Files, Paths, and Namespaces": backslashes, drives, device
 * names with or without an extension, a dot or a space at the end. Other characters that Windows reserves, as `?`
 * and `*`, are taken, since trees of other systems have them.
 */
export function parseSkillPath(text: string): Outcome<SkillPath> {
  const why = whyNot(text, skillRules);
  return why === undefined
    ? { ok: true, value: text as SkillPath }
    : refuse({ reason: 'path-not-allowed', path: text, why });
}

/** As {@link parseSkillPath}, for a file of the skill at `skill`. */
export function parseFilePath(skill: SkillPath, text: string): Outcome<FilePath> {
  const why = whyNot(text, rules);
  return why === undefined
    ? { ok: true, value: text as FilePath }
    : refuse({ reason: 'file-path-not-allowed', path: skill, file: text, why });
}

/**
 * A form that is equal for two paths if a file system without regard to case and Unicode normalization takes
 * them for one. Lower case before upper case comes close to Unicode's full case folding, as ext4 and APFS have
 * it: either alone tells the sigmas apart, or ß from ẞ.
 */
export function mergedForm(path: string): string {
  return path.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');
}

/**
 * Two files that cannot stand side by side on a file system which merges paths of the same
 * {@link mergedForm}: they, or folders above them, would be one. The same two in whatever order the files come.
 */
export function findMerged(
  files: readonly FilePath[],
): { readonly file: FilePath; readonly other: FilePath } | undefined {
  if (files.length < 2) return undefined;
  const known = new Map<string, { readonly place: string; readonly file: FilePath }>();
  for (const file of files.toSorted()) {
    for (const place of [...foldersAbove(file), file]) {
      const form = mergedForm(place);
      const other = known.get(form);
      if (other === undefined) known.set(form, { place, file });
      else if (other.place !== place) return { file, other: other.file };
    }
  }
  return undefined;
}

/** The last segment: the folder's own name. */
export function folderName(path: SkillPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path that is printed so: `a/\u{202e}b` has a character there that a terminal never gets. No path holds a backslash. */
export function readPrinted(text: string): string {
  return text.replace(/\\u\{(10[\da-f]{4}|[\da-f]{1,5})\}/g, (_, code: string) =>
    String.fromCodePoint(parseInt(code, 16)),
  );
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

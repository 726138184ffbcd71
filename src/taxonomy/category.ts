// A category of the taxonomy: its path, how a path is written, and what a new one is called.

/** A node of the taxonomy, as `taxonomy_categories` holds it. */
export interface Category {
  /** From its root: `development/languages/python`. */
  readonly path: string;
  /** For people: `Python`. */
  readonly name: string;
}

/** The columns `taxonomy_categories.path` and `.name`: characters, not bytes. */
export const maxCategoryPathLength = 512;
export const maxCategoryNameLength = 128;

/** Segments of a path. No real taxonomy comes near, and each one costs as many closure rows as it is deep. */
export const maxCategoryDepth = 32;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/u;

/** `Code_Review ` and `code review` are one category: lower case, and a hyphen between words. */
function parseSegment(text: string): string {
  return text.replace(/[\s_-]+/gu, '-').replace(/^-|-$/gu, '');
}

/** Whether a path is within the limits of a category's path, name and depth. */
export function fitsCategory(path: string): boolean {
  const segments = path.split('/');
  return (
    segments.length <= maxCategoryDepth &&
    [...path].length <= maxCategoryPathLength &&
    segments.every((segment) => [...segment].length <= maxCategoryNameLength)
  );
}

/**
 * A category path in the form in which categories are compared and created, or undefined where the text is
 * none: empty, control characters, broken Unicode, over 512 characters, 128 a segment or 32 segments. Empty
 * segments, as in `/data/`, are dropped.
 */
export function parseCategoryPath(text: string): string | undefined {
  if (text.length > 4 * maxCategoryPathLength || !text.isWellFormed()) return undefined;
  const segments = text.toLowerCase().normalize('NFC').split('/').map(parseSegment).filter(Boolean);
  const path = segments.join('/');
  return path !== '' && !controlCharacter.test(path) && fitsCategory(path) ? path : undefined;
}

/** A category's ancestors, root first, and itself last: what must exist for it to exist. */
export function lineage(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

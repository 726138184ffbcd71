// Text in columns, as wide as a terminal shows it: some characters take two places there, and some none.

import stringWidth from 'string-width';

// Most names are plain, and need nobody who knows Unicode.
const plain = /^[\x20-\x7e]*$/;

/** How many places a terminal takes for a printable line. */
export function widthOf(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text);
}

/** The text with spaces after it, to be at least `width` places wide. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** The text, of which no more than `width` places are left: what is left out shows as `…`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let left = '';
  let places = 0;
  // No more of a long text is looked at than fits.
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    places += widthOf(segment);
    if (places > width - 1) break;
    left += segment;
  }
  return `${left.trimEnd()}…`;
}

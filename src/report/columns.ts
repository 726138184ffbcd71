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

/** Where less room is left, text begins in the next line. */
const leastRoom = 24;

/** A terminal that is narrower breaks lines as well as anyone could. */
const leastWidth = 40;

/**
 * Text after a head, broken between words into lines of no more than `width` places, where there is a width: each
 * further line begins below the text, or at `indent`, where the head leaves too little room. A word that is wider
 * stays whole.
 */
export function hanging(head: string, text: string, width: number | undefined, indent = 2): string {
  if (width === undefined || width < leastWidth || widthOf(head) + widthOf(text) <= width) {
    return (head + text).trimEnd();
  }
  const isBeside = width - widthOf(head) >= leastRoom;
  const margin = ' '.repeat(isBeside ? widthOf(head) : indent);
  const lines = isBeside ? [] : [hanging(head.slice(0, indent), head.slice(indent).trimEnd(), width, indent)];
  let line = isBeside ? head : margin;
  let isBegun = false;
  for (const word of text.split(' ')) {
    if (isBegun && widthOf(`${line} ${word}`) > width) {
      lines.push(line.trimEnd());
      line = margin;
      isBegun = false;
    }
    line += isBegun ? ` ${word}` : word;
    isBegun ||= word !== '';
  }
  return [...lines, line].join('\n').trimEnd();
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

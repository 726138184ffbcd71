// Names and contents on their way to a terminal: nothing that a skill holds may steer it.

/**
 * Control characters but tab and line feed, what ends a line elsewhere, and what takes no room: what reorders the text
 * around it, and what hides a text in another. The joiners stay that make one emoji of two and that Persian spells with,
 * and so do the two marks that choose an emoji's look.
 */
export const unprintable =
  /(?![\t\n]|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\u2028\u2029\ufff9-\ufffb\p{Default_Ignorable_Code_Point}]/gu;

/** The text with control, bidirectional and invisible characters shown as `\u{…}`. Line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** As {@link printable}, on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, (character) => (character === '\n' ? '\\n' : '\\t'));
}

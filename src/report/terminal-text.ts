// Names and contents on their way to a terminal: nothing that a skill holds may steer it.

// Control characters but tab and line feed, what reorders the text around it, and what takes no room in it. The joiner
// that makes one emoji of two stays.
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped here
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** The text with control, bidirectional and invisible characters shown as `\u{…}`. Line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** As {@link printable}, on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, (character) => (character === '\n' ? '\\n' : '\\t'));
}

// The comments of a YAML text, which no value holds.

import { Lexer } from 'yaml';

/** What the lexer puts before a scalar: `#` may begin one, as in `"#"`. */
const scalarMark = '\u001f';

/** The comments, each from its `#`, without blanks at its end; in their order. */
export function commentsOf(yaml: string): readonly string[] {
  const comments: string[] = [];
  let before = '';
  for (const token of new Lexer().lex(yaml)) {
    if (token.startsWith('#') && before !== scalarMark) comments.push(token.trimEnd());
    before = token;
  }
  return comments;
}

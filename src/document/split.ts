// Finds a document's fences: where its frontmatter ends and its body begins, byte for byte.

import { readsAsKey } from './lines.ts';
import { readYaml } from './yaml.ts';

/** A document in its two parts, which put together are its text again, always. */
export interface Split {
  /** All that precedes the body: a BOM, the opening fence, the YAML, the closing fence with its line break. */
  readonly frontmatterSource: string;
  readonly body: string;
  /** The YAML between the fences and its place in the text; null where there is no frontmatter. */
  readonly yaml: { readonly text: string; readonly start: number } | null;
  /**
   * What line 1 is, where it is no opening fence of a frontmatter but could be taken for one: a fence that
   * never closes before what reads `key:`, one that names a language (`---yaml`), or a rule above prose.
   */
  readonly oddity: 'never-closes' | 'names-a-language' | 'rule-above-prose' | null;
}

/** The line of the file at which the YAML starts: the opening fence is always line 1. */
export const yamlLine = 2;

/** In UTF-16 units; the longest of 14,900 real ones has not a tenth of it. */
export const maxFrontmatterLength = 262_144;

const byteOrderMark = '\uFEFF';

/**
 * Splits a document at its fences. A fence is a whole line of `---` and optional trailing blanks, ended by LF
 * or CRLF: the first line opens, the next such line closes, and every later one is a rule in the body.
 *
 * Nothing else is a fence, as for the agents that read these files: `...` ends a YAML document, but Claude
 * Code, gray-matter and the specification's own reader all look for `---` alone. `---js` or `---yaml` opens a
 * frontmatter for gray-matter only, which would run the first; here it is text. Nor are two rules fences when
 * what stands between them is text in which no reading finds a key.
 */
export function splitDocument(text: string): Split {
  const head = text.startsWith(byteOrderMark) ? byteOrderMark.length : 0;
  const firstLine = lineAt(text, head);
  const start = head + firstLine.length;
  if (!isFence(firstLine) || !firstLine.endsWith('\n')) {
    return withoutFrontmatter(text, head, namesLanguage(firstLine) ? 'names-a-language' : null);
  }
  for (let at = start; at < text.length; ) {
    const line = lineAt(text, at);
    const end = at + line.length;
    if (isFence(line)) {
      const yaml = { text: text.slice(start, at), start };
      if (isProse(yaml.text)) return withoutFrontmatter(text, head, 'rule-above-prose');
      return { frontmatterSource: text.slice(0, end), body: text.slice(end), yaml, oddity: null };
    }
    at = end;
  }
  return withoutFrontmatter(text, head, startsWithKey(text, start) ? 'never-closes' : null);
}

function withoutFrontmatter(text: string, head: number, oddity: Split['oddity']): Split {
  return { frontmatterSource: text.slice(0, head), body: text.slice(head), yaml: null, oddity };
}

/** The line at an offset, with its line break. Only LF ends a line; a CR before it belongs to the break. */
function lineAt(text: string, at: number): string {
  const lineFeed = text.indexOf('\n', at);
  return text.slice(at, lineFeed === -1 ? text.length : lineFeed + 1);
}

function isFence(line: string): boolean {
  return /^---[ \t]*\r?\n?$/.test(line);
}

function isProse(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const line = lineAt(text, at);
    if (readsAsKey(line.trimStart())) return false;
    at += line.length;
  }
  // A map may be written otherwise, `{a: b}`, and a comment is none either; the length bounds the reading.
  return text.length > maxFrontmatterLength || !readYaml(text, yamlLine).ok;
}

function namesLanguage(line: string): boolean {
  return /^---[ \t]*[A-Za-z]+[ \t]*\r?\n?$/.test(line);
}

function startsWithKey(text: string, start: number): boolean {
  for (let at = start; at < text.length; ) {
    const line = lineAt(text, at);
    if (line.trim() !== '') return readsAsKey(line);
    at += line.length;
  }
  return false;
}

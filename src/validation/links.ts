// The links of a markdown text that lead to files, each with its place.

import { proseLines } from '../document/body.ts';

/** A relative link, as it stands and as a path. */
export interface Link {
  readonly text: string;
  /** From the text's own folder, decoded, without what follows `#` or `?`. */
  readonly path: string;
  /** From 1, in the text. */
  readonly line: number;
  readonly column: number;
}

/** A scheme, an absolute path, or what a reader is to fill in. */
const noFile = /^(?:[a-z][a-z0-9+.-]*:|\/|\\|~)|[<>{}$*|[\]\s…]|\.\.\.|^%/i;

/** What an example has for a file: no folder and no extension. */
const isWord = (path: string) => !/[./]/.test(path);

/** The relative links of a text, outside code. */
export function linksOf(text: string): readonly Link[] {
  return proseLines(text).flatMap((line, index) =>
    // Most lines hold none.
    line.includes('](') || line.startsWith('[', line.search(/\S/)) ? linksIn(line, index + 1) : [],
  );
}

function linksIn(raw: string, lineNumber: number): readonly Link[] {
  const line = withoutCode(raw);
  const links: Link[] = [];
  const add = (from: number, text: string) => {
    const path = pathOf(text);
    if (path !== undefined) links.push({ text, path, line: lineNumber, column: from + 1 });
  };
  for (let at = line.indexOf(']('); at !== -1; at = line.indexOf('](', at + 2)) {
    const end = destinationEnd(line, at + 2);
    if (end !== undefined) add(at + 2, line.slice(at + 2, end));
  }
  const [whole, text] = /^ {0,3}\[[^\][]+\]:[ \t]*(\S+)/.exec(line) ?? [];
  if (whole !== undefined && text !== undefined) add(whole.length - text.length, text);
  return links;
}

/** Where the destination that starts at `from` ends: at a blank, or at the parenthesis that closes it. */
function destinationEnd(line: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < line.length; at++) {
    const character = line[at];
    if (character === '(') depth++;
    else if (character === ')' && depth-- === 0) return at;
    // A title may follow.
    else if (character === ' ' || character === '\t') return at;
    // Here the next link may begin: no part of the line is looked at for two of them.
    else if (character === '[' || character === ']') return undefined;
  }
  return undefined;
}

function pathOf(text: string): string | undefined {
  const [path = ''] = text.split(/[#?]/, 1);
  if (path === '' || noFile.test(path) || isWord(path)) return undefined;
  try {
    const decoded = decodeURIComponent(path);
    // No file system has such a name.
    return decoded.includes('\0') ? undefined : decoded;
  } catch {
    return path;
  }
}

/** The line with blanks for its code: a run of backticks opens it, and the next run as long closes it. */
function withoutCode(line: string): string {
  if (!line.includes('`')) return line;
  const runs = [...line.matchAll(/`+/g)].map((match) => ({ at: match.index, length: match[0].length }));
  // From the end, so that each run is looked at once.
  const next = new Map<number, number>();
  const closing = new Array<number | undefined>(runs.length);
  for (let index = runs.length - 1; index >= 0; index--) {
    const length = runs[index]?.length ?? 0;
    closing[index] = next.get(length);
    next.set(length, index);
  }
  const parts: string[] = [];
  let done = 0;
  for (let index = 0; index < runs.length; index++) {
    const [from, to] = [runs[index], runs[closing[index] ?? -1]];
    if (from === undefined || to === undefined) continue;
    parts.push(line.slice(done, from.at), ' '.repeat(to.at + to.length - from.at));
    done = to.at + to.length;
    index = closing[index] ?? index;
  }
  return parts.join('') + line.slice(done);
}

/** A link's path from the skill's folder; undefined where it leads out of it. */
export function resolveLink(file: string, path: string): string | undefined {
  const segments = file.split('/').slice(0, -1);
  for (const segment of path.split('/')) {
    if (segment === '..') {
      if (segments.pop() === undefined) return undefined;
    } else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}

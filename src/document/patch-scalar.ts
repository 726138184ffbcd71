// A text of the frontmatter made another where it stands, in the style in which it is written.

import { escaped, fitsBlock, literalLines, textInLine } from './print.ts';
import type { SourceLines } from './source-lines.ts';
import type { ScalarNode } from './source-tree.ts';
import type { Splice } from './splice.ts';

/** What stands before a value in its line as far as it sets the margin of what is below: blanks and dashes. */
const marker = /^[ \t]*(?:-[ \t]+)*/;

/**
 * Splices that make a scalar say another text: quoted, folded or literal as it was. Of a folded text the lines
 * that stay the same at its start and its end stay as they are. Undefined where the style cannot hold the text.
 */
export function scalarSplices(
  lines: SourceLines,
  node: ScalarNode,
  wanted: string,
): readonly Splice[] | undefined {
  const { start, end, style, inFlow } = node;
  if (style === 'block') return blockSplices(lines, node, wanted);
  const source = lines.text.slice(start, end);
  if (source.includes('\n')) {
    const text = refolded(source, { ...node, style }, wanted, lines.break(start));
    return text === undefined ? undefined : [{ start, end, text }];
  }
  return (
    (inFlow ? undefined : literalSplices(lines, node, wanted)) ?? [
      { start, end, text: textInLine(wanted, style, inFlow) },
    ]
  );
}

/** A text of several lines in the place of one in a line: its header there, its lines below. */
function literalSplices(
  lines: SourceLines,
  { start, end }: ScalarNode,
  wanted: string,
): Splice[] | undefined {
  const [header, ...texts] = literalLines(wanted) ?? [];
  const before = lines.before(start);
  if (header === undefined || before === undefined) return undefined;
  const at = lines.end(end);
  return [
    { start, end, text: header },
    { start: at, end: at, text: below(texts, marginBelow(before), lines.break(start)) },
  ];
}

function blockSplices(lines: SourceLines, { start, end }: ScalarNode, wanted: string): Splice[] | undefined {
  const { text } = lines;
  const before = lines.before(start);
  const [header, kind, chomping = ''] = /^([|>])([-+0-9]*)/.exec(text.slice(start, lines.end(start))) ?? [];
  if (header === undefined || before === undefined || !fitsBlock(wanted)) return undefined;
  const content = wanted.trimEnd();
  const breaks = wanted.length - content.length;
  const bodyStart = lines.end(start);
  const body = text.slice(bodyStart, end).split('\n').slice(0, -1);
  const margin = /^[ \t]*/.exec(body.find((line) => line.trim() !== '') ?? marginBelow(before))?.[0] ?? '';
  const old = body.map((line) =>
    (line.startsWith(margin) ? line.slice(margin.length) : '').replace(/\r$/, ''),
  );
  const wantedLines = kind === '>' ? refold(old, wordsOf(content)) : content.split('\n');
  const keeps = breaks > 1 || (breaks === 1 && chomping.includes('+'));
  const newHeader = `${kind}${breaks === 0 ? '-' : keeps ? '+' : ''}`;
  const blanks = Array.from({ length: Math.max(breaks - 1, 0) }, () => '');
  return [
    { start, end: start + header.length, text: newHeader },
    { start: bodyStart, end, text: below([...wantedLines, ...blanks], margin, lines.break(start)) },
  ];
}

function marginBelow(before: string): string {
  return `${(marker.exec(before)?.[0] ?? '').replaceAll('-', ' ')}  `;
}

function below(texts: readonly string[], margin: string, lineBreak: string): string {
  return texts.map((line) => `${line === '' ? '' : margin}${line}${lineBreak}`).join('');
}

const quotes = { plain: '', single: "'", double: '"' } as const;
const encodings = {
  plain: (word: string) => word,
  single: (word: string) => word.replaceAll("'", "''"),
  double: escaped,
} as const;

/** A text that goes over several lines, as another one; undefined where it cannot be without other quotes. */
function refolded(
  source: string,
  { style, inFlow }: { readonly style: keyof typeof quotes; readonly inFlow: boolean },
  wanted: string,
  lineBreak: string,
): string | undefined {
  const quote = quotes[style];
  const inOne = wanted.replaceAll('\n', ' ');
  const printed = textInLine(inOne, style, inFlow);
  if (style === 'plain' ? printed !== inOne : !printed.startsWith(quote)) return undefined;
  const inner = source.slice(quote.length, source.length - quote.length).split('\n');
  const margin =
    /^[ \t]*/.exec(inner.find((line, index) => index > 0 && line.trim() !== '') ?? '')?.[0] ?? '';
  const old = inner.map((line) => line.trim());
  const words = wordsOf(wanted).map((word) => (word === '\n' ? word : encodings[style](word)));
  const folded = refold(old, words);
  // Beside a quote an empty line is but the break beside it: the others are breaks of the text.
  const [first = '', ...others] = folded[0] === '' ? ['', ...folded] : folded;
  const lines = [first, ...others.map((line) => (line === '' ? '' : margin + line))];
  return `${quote}${[...lines, ...(folded.at(-1) === '' ? [margin] : [])].join(lineBreak)}${quote}`;
}

/** The words of a text, and its line breaks; blanks that no line may end with belong to a word. */
export function wordsOf(text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line === '' ? [] : line.split(/(?<=\S) (?=\S)/);
    return index === 0 ? words : ['\n', ...words];
  });
}

/** Folds words into lines as wide as the old ones, and keeps old lines at both ends where they say the same. */
export function refold(old: readonly string[], words: readonly string[]): readonly string[] {
  const oldWords = old.map((line) => (line === '' ? ['\n'] : wordsOf(line)));
  let [first, from] = [0, 0];
  for (; first < old.length; first++) {
    const line = oldWords[first] ?? [];
    if (!standsAt(line, words, from)) break;
    from += line.length;
  }
  // Words at the end of a text go on in its last line.
  if (first > 0 && first === old.length && from < words.length && words[from] !== '\n') {
    first--;
    from -= oldWords[first]?.length ?? 0;
  }
  let [last, to] = [old.length, words.length];
  for (; last > first; last--) {
    const line = oldWords[last - 1] ?? [];
    if (to - line.length < from || !standsAt(line, words, to - line.length)) break;
    to -= line.length;
  }
  const widest = old.reduce((width, line) => Math.max(width, line.length), 0);
  const middle = wrapped(words.slice(from, to), old.length > 1 ? widest : Number.POSITIVE_INFINITY);
  return [...old.slice(0, first), ...middle, ...old.slice(last)];
}

function standsAt(line: readonly string[], words: readonly string[], at: number): boolean {
  return line.every((word, index) => words[at + index] === word);
}

function wrapped(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  const flush = () => {
    if (line !== '') lines.push(line);
    line = '';
  };
  for (const word of words) {
    if (word === '\n' || line.length + 1 + word.length > width) flush();
    if (word === '\n') lines.push('');
    else line = line === '' ? word : `${line} ${word}`;
  }
  flush();
  return lines;
}

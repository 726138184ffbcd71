// Frontmatter that is no valid YAML, read line by line: what its writer most likely meant.

import { type Pair, readYaml, type Value } from './yaml.ts';

// A quoted key, or a word: sentences hold colons too, and `http://` is no key.
const keyLine = /^("[^"]*"|'[^']*'|[\p{L}\p{N}_$][\p{L}\p{N}_$./-]*)[ \t]*:(?:[ \t]+(.*))?$/su;
const listItem = /^-(?:[ \t]+(.*))?$/s;
const blockHeader = /^[|>](?:[+-]?[1-9]?|[1-9][+-])$/;

/** Whether a line, with or without its line break, begins with a key: `key:` or `key: value`. */
export function readsAsKey(line: string): boolean {
  return keyLine.test(line.trimEnd());
}

/** A key's line and those that continue it. */
interface Block {
  readonly key: string;
  readonly rest: string;
  /** The line in the file. */
  readonly line: number;
  readonly indent: number;
  /** The key's own line first. */
  readonly lines: string[];
}

/**
 * Reads `key: value` lines with what continues them: indented lines, `- item` lines, a block text after `|` or
 * `>`, and one level of `key: value` lines below a key. Every key is tried as YAML alone first, so that only
 * what is broken is guessed at, as text. Lines that are none of this say nothing. The last of equal keys counts.
 *
 * @param firstLine the line at which the text starts in its file
 */
export function readLines(text: string, firstLine: number): readonly Pair[] {
  return pairsOf(text.split('\n'), firstLine, 0, false);
}

function pairsOf(
  lines: readonly string[],
  firstLine: number,
  indent: number,
  nested: boolean,
): readonly Pair[] {
  const pairs = blocksOf(lines, firstLine, indent).map((block) => pairOf(block, nested));
  return [...new Map(pairs.map((pair) => [pair.key, pair])).values()];
}

function blocksOf(lines: readonly string[], firstLine: number, outerIndent: number): readonly Block[] {
  const blocks: Block[] = [];
  const indent = indentOf(lines.find((line) => keyLine.test(line.trim())) ?? '');
  let open: Block | undefined;
  for (const [index, raw] of lines.entries()) {
    const line = (raw.startsWith(indent) ? raw.slice(indent.length) : raw).trimEnd();
    const match = keyLine.exec(line);
    if (match !== null) {
      open = {
        key: unquote(match[1] ?? ''),
        rest: match[2] ?? '',
        line: firstLine + index,
        indent: outerIndent + indent.length,
        lines: [line],
      };
      blocks.push(open);
    } else if (line === '' || indentOf(line) !== '' || listItem.test(line)) open?.lines.push(line);
    // What follows prose is prose.
    else if (!line.startsWith('#')) open = undefined;
  }
  return blocks;
}

function pairOf(block: Block, nested: boolean): Pair {
  const place = { key: block.key, line: block.line, column: block.indent + 1 };
  const strict = readYaml(block.lines.join('\n'), block.line);
  const [pair] = strict.ok ? strict.pairs : [];
  if (pair !== undefined) {
    return { ...place, value: pair.value, pairs: pair.pairs.map((inner) => shifted(inner, block.indent)) };
  }
  const under = block.lines.slice(1);
  const first = under.find((line) => line !== '')?.trim() ?? '';
  if (block.rest === '' && !nested && keyLine.test(first)) {
    const pairs = pairsOf(under, block.line + 1, block.indent, true);
    return { ...place, value: new Map(pairs.map((inner) => [inner.key, inner.value])), pairs };
  }
  return { ...place, value: looseValue(block.rest, under, first), pairs: [] };
}

function shifted(pair: Pair, columns: number): Pair {
  return { ...pair, column: pair.column + columns };
}

function looseValue(rest: string, under: readonly string[], first: string): Value {
  if (blockHeader.test(rest)) return blockText(rest, dedent(under));
  if (rest === '' && listItem.test(first)) return itemsOf(under);
  return plainText([rest, ...under]);
}

function itemsOf(lines: readonly string[]): readonly Value[] {
  const items: string[][] = [];
  for (const line of lines) {
    const match = listItem.exec(line.trim());
    if (match !== null) items.push([match[1] ?? '']);
    else items.at(-1)?.push(line);
  }
  return items.map(plainText);
}

function plainText(lines: readonly string[]): string | null {
  const text = lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
  return text === '' ? null : unquote(text);
}

function blockText(header: string, lines: readonly string[]): string {
  const text = lines.join('\n').trimEnd();
  const folded = text.replace(/(?<!\n)\n(?!\n)/g, ' ').replace(/\n(\n+)/g, '$1');
  return `${header.startsWith('>') ? folded : text}${header.includes('-') || text === '' ? '' : '\n'}`;
}

/** Takes off the quotes around a text, or the one before it that never closes. */
function unquote(text: string): string {
  const quote = text.charAt(0);
  if (quote !== '"' && quote !== "'") return text;
  const closed = text.length > 1 && text.endsWith(quote);
  const inner = text.slice(1, closed ? -1 : undefined);
  const escaped = quote === '"' ? '\\"' : "''";
  // A quote within: these are not quotes around the whole.
  return inner.replaceAll(escaped, '').includes(quote) ? text : inner.replaceAll(escaped, quote);
}

function indentOf(line: string): string {
  return line.slice(0, line.length - line.trimStart().length);
}

function dedent(lines: readonly string[]): readonly string[] {
  const indents = lines.filter((line) => line !== '').map((line) => indentOf(line).length);
  const least = indents.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return lines.map((line) => line.slice(least));
}

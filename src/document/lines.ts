// Frontmatter that is no valid YAML, read line by line: what its writer most likely meant.

import { saysField, specifiedKeys } from './keys.ts';
import type { Warning } from './warning.ts';
import { type Pair, readYaml, type Value, type YamlReading } from './yaml.ts';

// A quoted key, or a word: sentences hold colons too, and `http://` is no key.
const keyLine = /^((?:"[^"]*"|'[^']*'|[\p{L}\p{N}_$][\p{L}\p{N}_$./-]*)[ \t]*:)(?:[ \t]+(.*))?$/su;
const listItem = /^-(?:[ \t]+(.*))?$/s;
const closingBracket = /^[\]}]$/;
const closings: { readonly [opening: string]: string } = { '"': '"', "'": "'", '[': ']', '{': '}' };
const blockHeader = /^[|>](?:[+-]?[1-9]?|[1-9][+-])$/;

/** Whether a line, with or without its line break, begins with a key: `key:` or `key: value`. */
export function readsAsKey(line: string): boolean {
  return keyLine.test(line.trimEnd());
}

/** How long the key at the start of a line is, its colon included. */
export function keyLength(line: string): number {
  return keyLine.exec(line)?.[1]?.length ?? 0;
}

/** A key's line and those that continue it. */
export interface Block {
  readonly key: string;
  readonly rest: string;
  /** The key's line, counted from 0 in the text. */
  readonly first: number;
  /** Where the key starts, from 1. */
  readonly column: number;
  /** How many characters its lines here are short of at their start. */
  readonly indent: number;
  /** Whether it stands below another key. */
  readonly nested: boolean;
  /** The key's own line first. */
  readonly lines: Line[];
}

interface Line {
  readonly text: string;
  readonly index: number;
}

/**
 * Reads `key: value` lines with what continues them: indented lines, `- item` lines, a block text after `|` or
 * `>`, and one level of `key: value` lines below a key. Every key is tried as YAML alone first, so that only
 * what is broken is guessed at, as text. Lines that are none of this say nothing. The last of equal keys counts.
 *
 * @param firstLine the line at which the text starts in its file
 */
export function readLines(
  text: string,
  firstLine: number,
): { readonly pairs: readonly Pair[]; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  return { pairs: pairsOf(blocksOf(text), firstLine, warnings), warnings };
}

function pairsOf(blocks: readonly Block[], firstLine: number, warnings: Warning[]): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const block of blocks) {
    const place = { key: block.key, line: firstLine + block.first, column: block.column };
    if (pairs.has(block.key)) warnings.push({ code: 'duplicate-key', ...place });
    pairs.set(block.key, { ...place, ...blockValue(block, firstLine, warnings) });
  }
  return [...pairs.values()];
}

/** The blocks of a text, each key with the lines that are its. */
export function blocksOf(text: string): readonly Block[] {
  return blocksIn(
    text.split('\n').map((line, index) => ({ text: line, index })),
    0,
    false,
  );
}

/** The last line of a block that is not blank, counted from 0 in the text. */
export function lastLine({ first, lines }: Block): number {
  return lines.findLast(({ text }) => text !== '')?.index ?? first;
}

/** The blocks below a key that is no YAML by itself; undefined where there is other text below it. */
export function blocksBelow(block: Block): readonly Block[] | undefined {
  if (block.rest !== '' || block.nested) return undefined;
  const under = block.lines.slice(1);
  const first = under.find(({ text }) => text !== '');
  return first !== undefined && readsAsKey(first.text.trim())
    ? blocksIn(under, block.indent, true)
    : undefined;
}

function blocksIn(lines: readonly Line[], outerIndent: number, nested: boolean): readonly Block[] {
  const blocks: Block[] = [];
  const indent = indentOf(lines.find(({ text }) => keyLine.test(text.trim()))?.text ?? '');
  let open: Block | undefined;
  for (const { text: raw, index } of lines) {
    const line = (raw.startsWith(indent) ? raw.slice(indent.length) : raw).trimEnd();
    const inner = open !== undefined && !nested && interrupts(line, open) ? indentOf(line).length : 0;
    const match = keyLine.exec(line.slice(inner));
    if (match !== null) {
      open = {
        key: keyOf(match[1] ?? ''),
        rest: match[2] ?? '',
        first: index,
        column: outerIndent + indent.length + inner + 1,
        indent: outerIndent + indent.length,
        nested,
        // YAML takes no tab before a key.
        lines: [{ text: ' '.repeat(inner) + line.slice(inner), index }],
      };
      blocks.push(open);
    } else if (line === '' || indentOf(line) !== '' || listItem.test(line)) {
      open?.lines.push({ text: line, index });
    } else if (open !== undefined && closingBracket.test(line) && isOpen(open.rest)) {
      // YAML takes it further in only.
      open.lines.push({ text: ` ${line}`, index });
    } else if (!line.startsWith('#')) {
      // What follows prose is prose.
      open = undefined;
    }
  }
  return blocks;
}

/** Whether an indented line is a key by itself: one that has a meaning, below a value that is whole already. */
function interrupts(line: string, { rest }: Block): boolean {
  const key = indentOf(line) === '' ? undefined : keyLine.exec(line.trimStart())?.[1];
  return (
    key !== undefined && isKnownKey(keyOf(key)) && rest !== '' && !blockHeader.test(rest) && !isOpen(rest)
  );
}

function keyOf(withColon: string): string {
  return unquote(withColon.slice(0, -1).trimEnd());
}

function isKnownKey(key: string): boolean {
  return saysField(key, 'top') || specifiedKeys.includes(key);
}

/** Whether a quote or bracket opens a value that does not close at its end. */
function isOpen(rest: string): boolean {
  const closing = closings[rest.charAt(0)];
  return closing !== undefined && (rest.length === 1 || !rest.endsWith(closing));
}

/** A block as YAML by itself. */
export function readBlock({ lines }: Block, firstLine: number): YamlReading {
  return readYaml(lines.map(({ text }) => text).join('\n'), firstLine);
}

function blockValue(block: Block, firstLine: number, warnings: Warning[]): Pick<Pair, 'value' | 'pairs'> {
  const strict = readBlock(block, firstLine + block.first);
  const [pair] = strict.ok ? strict.pairs : [];
  if (strict.ok && pair !== undefined) {
    for (const warning of strict.warnings) warnings.push({ ...warning, ...shift(warning, block.indent) });
    return {
      value: pair.value,
      pairs: pair.pairs.map((inner) => ({ ...inner, ...shift(inner, block.indent) })),
    };
  }
  const below = blocksBelow(block);
  if (below === undefined) return { value: looseValue(block), pairs: [] };
  const pairs = pairsOf(below, firstLine, warnings);
  return { value: new Map(pairs.map((inner) => [inner.key, inner.value])), pairs };
}

function shift({ column = 1 }: { readonly column?: number }, columns: number): { readonly column: number } {
  return { column: column + columns };
}

function looseValue({ rest, lines }: Block): Value {
  const under = lines.slice(1).map(({ text }) => text);
  const first = under.find((line) => line !== '')?.trim() ?? '';
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

// Values as YAML that a person would write: in one line, or in the lines of a block.

import { stringify } from 'yaml';
import { Literal, type Value } from './yaml.ts';

/** How texts are quoted, where the text allows it. */
export type Quote = 'plain' | 'single' | 'double';

// Everything else some reader of YAML breaks at, drops or hides: control characters, line separators, BOM.
const printable =
  '\\n\\x20-\\x7e\\u00a0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\u{10000}-\\u{10ffff}';
const printableText = new RegExp(`^[${printable}]*$`, 'u');
const unprintable = new RegExp(`[^${printable}]`, 'gu');

// YAML takes no longer key before a mere colon.
const maxKeyLength = 1024;

/** A text in one line, in double quotes where the wanted ones cannot hold it. */
export function textInLine(text: string, quote: Quote, inFlow: boolean): string {
  const isPrintable = printableText.test(text) && !text.includes('\n');
  if (isPrintable && quote === 'single') return `'${text.replaceAll("'", "''")}'`;
  return isPrintable && quote === 'plain' && isPlain(text, inFlow) ? text : doubleQuoted(text);
}

function isPlain(text: string, inFlow: boolean): boolean {
  if (inFlow && /[[\]{},]/.test(text)) return false;
  // For readers of both YAML versions: `yes` and 1:20 are text in one and not in the other.
  return stringify(text, { lineWidth: 0, compat: 'yaml-1.1' }) === `${text}\n`;
}

/** A text between double quotes without them, in one line. */
export function escaped(text: string): string {
  return doubleQuoted(text).slice(1, -1);
}

function doubleQuoted(text: string): string {
  const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(unprintable, code);
}

/** A value in one line, collections in brackets. */
export function inLine(value: Value, quote: Quote, inFlow: boolean): string {
  if (value === null) return 'null';
  if (value instanceof Literal) return value.source;
  if (typeof value === 'string') return textInLine(value, quote, inFlow);
  if (!(value instanceof Map))
    return `[${listOf(value)
      .map((item) => inLine(item, quote, true))
      .join(', ')}]`;
  const pairs = [...value].map(([key, item]) => pairInFlow(key, item, quote));
  return `{${pairs.join(', ')}}`;
}

/** `key: value` within braces; where texts stand in double quotes keys do too, as in JSON. */
export function pairInFlow(key: string, value: Value, quote: Quote, colon = ': '): string {
  const name = textInLine(key, quote === 'double' ? quote : 'plain', true);
  return `${name.length > maxKeyLength ? `? ${name} ` : name}${colon}${inLine(value, quote, true)}`;
}

/** `key: value` as lines of a block, not indented. */
export function pairLines(key: string, value: Value, quote: Quote): readonly string[] {
  const name = textInLine(key, 'plain', false);
  const [before, colon] = name.length > maxKeyLength ? [[`? ${name}`], ':'] : [[], `${name}:`];
  const text = typeof value === 'string' ? literalLines(value) : undefined;
  if (text !== undefined) return [...before, `${colon} ${text[0]}`, ...indented(text.slice(1))];
  return isBlock(value)
    ? [...before, colon, ...indented(blockLines(value, quote))]
    : [...before, `${colon} ${inLine(value, quote, false)}`];
}

/** `- item` as lines of a block, not indented. */
export function itemLines(item: Value, quote: Quote): readonly string[] {
  const [first = '', ...others] = blockLines(item, quote);
  return [`- ${first}`, ...indented(others)];
}

/** A value as lines: collections as blocks, everything else as one line. */
export function blockLines(value: Value, quote: Quote): readonly string[] {
  if (!isBlock(value)) return [inLine(value, quote, false)];
  return value instanceof Map
    ? [...value].flatMap(([key, item]) => pairLines(key, item, quote))
    : listOf(value).flatMap((item) => itemLines(item, quote));
}

/** A text of several lines as a literal block, its header first; undefined where a block would not hold it. */
export function literalLines(text: string): readonly [header: string, ...lines: string[]] | undefined {
  if (!text.includes('\n') || text.endsWith('\n\n') || !fitsBlock(text)) return undefined;
  return text.endsWith('\n') ? ['|', ...text.slice(0, -1).split('\n')] : ['|-', ...text.split('\n')];
}

/** Whether a block can hold a text: no blanks that it would hide, nor a first line that would set its margin. */
export function fitsBlock(text: string): boolean {
  return printableText.test(text) && text.trim() !== '' && !/^\s|[ ](?:\n|$)/.test(text);
}

/** Whether a value takes lines of its own in a block. */
export function isBlock(value: Value): value is readonly Value[] | ReadonlyMap<string, Value> {
  return value instanceof Map ? value.size > 0 : Array.isArray(value) && value.length > 0;
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? value : [];
}

/** Lines two columns further in; empty ones stay empty. */
export function indented(lines: readonly string[], by = '  '): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${by}${line}`));
}

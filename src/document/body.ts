// What a document's body says for the index: the capabilities in their section, a first paragraph.

import { type Capability, limits } from './fields.ts';
import { readText, shorten, textWithin, unique } from './values.ts';
import type { Warnings } from './warning.ts';

// The longest description that the specification allows.
const maxParagraphLength = 1024;

const heading = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const capabilitiesHeading = /^ {0,3}##[ \t]+Capabilities[ \t]*(?:#+[ \t]*)?$/;
const capabilityItem = /^[-*+][ \t]+\*\*([^*]+)\*\*(.*)$/s;
const continuation = /^[ \t]+[^ \t*+-]/;
// A line of backticks that holds more of them later is inline code.
const codeFence = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/s;
const ruleOrUnderline = /^(?:=+|-+|\*+|_+)$/;

/** The body's lines outside fenced code, without line breaks; fenced ones are empty. */
function proseLines(body: string): readonly string[] {
  let fence: string | null = null;
  return body.split('\n').map((raw) => {
    const line = raw.trimEnd();
    const match = codeFence.exec(line);
    const marker = match?.[1] ?? match?.[2];
    if (fence === null) {
      fence = marker ?? null;
      return fence === null ? line : '';
    }
    // As CommonMark closes it: the same character, no shorter, nothing after it.
    if (marker?.startsWith(fence) && line.trim() === marker) fence = null;
    return '';
  });
}

/**
 * The items `- **Name**: text` of the section `## Capabilities`, with the indented lines that continue them;
 * each name once.
 *
 * @param firstLine the line at which the body starts in its file, for the warnings
 */
export function capabilitiesOfBody(
  body: string,
  firstLine: number,
  warnings: Warnings,
): readonly Capability[] {
  if (!body.includes('Capabilities')) return [];
  const capabilities = capabilityItems(proseLines(body)).flatMap(({ name, texts, index }) => {
    const spot = { key: '## Capabilities', line: firstLine + index, column: 1, warnings };
    const named = textWithin(limits.capabilityName)(name, spot);
    return named === undefined
      ? []
      : [{ name: named, description: readText(texts.join(' ').trim(), spot) ?? '' }];
  });
  return unique(capabilities, ({ name }) => name);
}

interface Item {
  readonly name: string;
  readonly texts: string[];
}

function capabilityItems(lines: readonly string[]): readonly (Item & { readonly index: number })[] {
  const items: (Item & { readonly index: number })[] = [];
  let within = false;
  let current: Item | undefined;
  for (const [index, line] of lines.entries()) {
    const level = heading.exec(line)?.[1]?.length;
    if (level !== undefined && level <= 2) within = capabilitiesHeading.test(line);
    const item = within ? itemOf(line) : undefined;
    if (item !== undefined) items.push({ ...item, index });
    // Any other line ends the item: a blank one, a list below it.
    const continues = continuation.test(line);
    if (continues) current?.texts.push(line.trim());
    else current = item;
  }
  return items;
}

function itemOf(line: string): Item | undefined {
  const match = capabilityItem.exec(line);
  const [name, text] = [match?.[1]?.trim() ?? '', match?.[2]?.trim() ?? ''];
  // The colon stands after the bold name, or within it.
  if (name.endsWith(':') && name.length > 1) return { name: name.slice(0, -1).trim(), texts: [text] };
  return name !== '' && text.startsWith(':') ? { name, texts: [text.slice(1).trim()] } : undefined;
}

function isText(line: string): boolean {
  return line.trim() !== '' && !heading.test(line) && !ruleOrUnderline.test(line.replace(/[ \t]+/g, ''));
}

/** The first paragraph that is no heading, rule or code, as one line; '' where there is none. */
export function firstParagraph(body: string): string {
  const lines = proseLines(body);
  for (let start = 0; start < lines.length; start++) {
    if (!isText(lines[start] ?? '')) continue;
    let end = start + 1;
    while (isText(lines[end] ?? '')) end++;
    const isHeading = /^ {0,3}(?:=+|-+)[ \t]*$/.test(lines[end] ?? '');
    if (!isHeading) return oneLine(lines.slice(start, end));
    start = end;
  }
  return '';
}

function oneLine(lines: readonly string[]): string {
  return shorten(lines.join(' ').trim().replace(/\s+/g, ' '), maxParagraphLength);
}

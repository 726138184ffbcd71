// What a document's body says for the index: the capabilities in their section, a first paragraph.

import { type Capability, limits } from './fields.ts';
import { readText, shorten, textWithin, unique } from './values.ts';
import type { Warnings } from './warning.ts';

// The longest description that the specification allows.
const maxParagraphLength = 1024;

const headingLine = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const capabilitiesHeading = /^ {0,3}##[ \t]+Capabilities[ \t]*(?:#+[ \t]*)?$/;
const capabilityItem = /^[-*+][ \t]+\*\*([^*]+)\*\*(.*)$/s;
const continuation = /^[ \t]+[^ \t*+-]/;
// A line of backticks that holds more of them later is inline code.
const codeFence = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/s;
const ruleOrUnderline = /^(?:=+|-+|\*+|_+)$/;

/** The body's lines outside fenced code, without line breaks; fenced ones are empty. */
export function proseLines(body: string): readonly string[] {
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

/** A capability of the body, and the lines that say it, counted from 0 in the body. */
export interface BodyCapability extends Capability {
  readonly line: number;
  readonly lineCount: number;
}

/** The sections `## Capabilities`: the line of the first one's heading, and the items of all of them. */
export interface CapabilitySection {
  readonly heading: number | undefined;
  readonly items: readonly BodyCapability[];
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
  const { items } = capabilitySection(body, firstLine, warnings);
  return unique(items, ({ name }) => name).map(({ name, description }) => ({ name, description }));
}

/** As {@link capabilitiesOfBody}, with the places of all items. */
export function capabilitySection(body: string, firstLine: number, warnings: Warnings): CapabilitySection {
  if (!body.includes('Capabilities')) return { heading: undefined, items: [] };
  const { heading, items } = sectionOf(proseLines(body));
  const read = items.flatMap(({ name, texts, line }) => {
    const spot = { key: '## Capabilities', line: firstLine + line, column: 1, warnings };
    const named = textWithin(limits.capabilityName)(name, spot);
    if (named === undefined) return [];
    const description = readText(texts.join(' ').trim(), spot) ?? '';
    return [{ name: named, description, line, lineCount: texts.length }];
  });
  return { heading, items: read };
}

interface Item {
  readonly name: string;
  /** One of each of its lines. */
  readonly texts: string[];
}

function sectionOf(lines: readonly string[]) {
  const items: (Item & { readonly line: number })[] = [];
  let heading: number | undefined;
  let within = false;
  let current: Item | undefined;
  for (const [index, line] of lines.entries()) {
    const level = headingLine.exec(line)?.[1]?.length;
    if (level !== undefined && level <= 2) within = capabilitiesHeading.test(line);
    if (level === 2 && within) heading ??= index;
    const item = within ? itemOf(line) : undefined;
    if (item !== undefined) items.push({ ...item, line: index });
    // Any other line ends the item: a blank one, a list below it.
    const continues = continuation.test(line);
    if (continues) current?.texts.push(line.trim());
    else current = item;
  }
  return { heading, items };
}

function itemOf(line: string): Item | undefined {
  const match = capabilityItem.exec(line);
  const [name, text] = [match?.[1]?.trim() ?? '', match?.[2]?.trim() ?? ''];
  // The colon stands after the bold name, or within it.
  if (name.endsWith(':') && name.length > 1) return { name: name.slice(0, -1).trim(), texts: [text] };
  return name !== '' && text.startsWith(':') ? { name, texts: [text.slice(1).trim()] } : undefined;
}

function isText(line: string): boolean {
  return line.trim() !== '' && !headingLine.test(line) && !ruleOrUnderline.test(line.replace(/[ \t]+/g, ''));
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

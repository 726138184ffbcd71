// The capabilities in the body's section, made others where they stand, item by item.

import { align } from './align.ts';
import { type BodyCapability, capabilitySection } from './body.ts';
import type { Capability } from './fields.ts';
import { refold, wordsOf } from './patch-scalar.ts';
import { SourceLines } from './source-lines.ts';
import { type Splice, spliced } from './splice.ts';
import { unique } from './values.ts';
import { Warnings } from './warning.ts';

const itemLine = /^(?<bullet>[-*+][ \t]+\*\*[ \t]*)(?<name>[^*]+)\*\*(?<rest>.*)$/s;

/** An item and its lines, with all that is nested below it. */
interface Item extends BodyCapability {
  readonly start: number;
  readonly end: number;
}

/**
 * A body whose section `## Capabilities` names just the wanted ones, beside those in `others`, which another
 * place says. What an item had nested below it goes with the item; a heading stays, also above nothing.
 *
 * @returns undefined where capabilities are wanted and there is no section
 */
export function patchSection(
  body: string,
  wanted: readonly Capability[],
  others: ReadonlySet<string>,
): string | undefined {
  const { heading, items: all } = capabilitySection(body, 1, new Warnings());
  const lines = new SourceLines(body);
  const items = all.filter(({ name }) => !others.has(name)).map((item) => withLines(item, lines));
  if (heading === undefined) return wanted.length === 0 ? body : undefined;
  // Of equal names the first is read: the others go or stay with it.
  const first = unique(items, ({ name }) => name);
  const names = new Set(wanted.map(({ name }) => name));
  const isFirst = new Set(first);
  const repeated = items.filter((item) => !isFirst.has(item) && !names.has(item.name));
  const { pairs, removed, inserted } = align(
    first.map(({ name }) => name),
    wanted.map(({ name }) => name),
  );
  const gone = [...removed.flatMap(({ from, to }) => first.slice(from, to + 1)), ...repeated];
  return spliced(body, [
    ...pairs.flatMap(([i, j]) => {
      const [item, capability] = [first[i], wanted[j]];
      return item === undefined || capability === undefined ? [] : changeSplices(lines, item, capability);
    }),
    ...cuts(lines, items, new Set(gone)),
    ...inserted.map(({ after, from, to }) => {
      const added = wanted.slice(from, to + 1);
      return insertion(lines, heading, first, after, added);
    }),
  ]);
}

function withLines(item: BodyCapability, lines: SourceLines): Item {
  let end = item.line + item.lineCount;
  for (let line = end; lines.startOf(line) < lines.text.length; line++) {
    const text = lineAt(lines, line);
    if (text.trim() === '') continue;
    if (!/^[ \t]/.test(text)) break;
    end = line + 1;
  }
  return { ...item, start: lines.startOf(item.line), end: lines.startOf(end) };
}

function lineAt(lines: SourceLines, line: number): string {
  return lines.text.slice(lines.startOf(line), lines.startOf(line + 1));
}

/** Takes items out, with the blank lines up to the next one, or else those that would stand twice. */
function cuts(lines: SourceLines, items: readonly Item[], gone: ReadonlySet<Item>): readonly Splice[] {
  const found: Splice[] = [];
  for (const [index, item] of items.entries()) {
    if (!gone.has(item)) continue;
    const next = items[index + 1];
    const end = next !== undefined && isBlank(lines, item.end, next.start) ? next.start : item.end;
    const last = found.at(-1);
    const start = last?.end === item.start ? (found.pop()?.start ?? item.start) : item.start;
    found.push({ start: next === undefined ? startWithBlank(lines, start, end) : start, end, text: '' });
  }
  return found;
}

function startWithBlank(lines: SourceLines, start: number, end: number): number {
  const before = lines.startOf(lines.line(start) - 1);
  return isBlank(lines, before, start) && isBlank(lines, end, lines.end(end)) ? before : start;
}

/** The parts of an item's first line: where its name stands, where its text does, and where the colon is. */
function partsOf(line: string) {
  const { bullet = '', name = '', rest = '' } = itemLine.exec(line)?.groups ?? {};
  const isWithin = name.trimEnd().endsWith(':') && name.trim().length > 1;
  const own = isWithin ? name.trimEnd().slice(0, -1).trimEnd() : name.trimEnd();
  const restStart = bullet.length + name.length + 2;
  const before = (isWithin ? /^[ \t]*/ : /^[ \t]*:[ \t]*/).exec(rest)?.[0] ?? '';
  const textStart = restStart + before.length;
  return {
    bullet,
    isWithin,
    nameStart: bullet.length,
    nameEnd: bullet.length + own.length,
    before,
    textStart,
  };
}

function changeSplices(lines: SourceLines, item: Item, { name, description }: Capability): readonly Splice[] {
  const { nameStart, nameEnd, before, textStart } = partsOf(lineAt(lines, item.line));
  const splices: Splice[] = [];
  if (name !== item.name) {
    splices.push({ start: item.start + nameStart, end: item.start + nameEnd, text: name });
  }
  if (description !== item.description) {
    const ends = lines.startOf(item.line + item.lineCount);
    const start = item.start + textStart - before.length;
    const end = start + lines.text.slice(start, ends).trimEnd().length;
    splices.push({ start, end, text: descriptionText(lines, item, before, description) });
  }
  return splices;
}

/** A description behind its colon, folded as the one before it was. */
function descriptionText(lines: SourceLines, item: Item, before: string, description: string): string {
  const old = Array.from({ length: item.lineCount }, (_, index) => {
    const line = lineAt(lines, item.line + index);
    return (index === 0 ? line.slice(partsOf(line).textStart) : line).trim();
  });
  const colon = before.trimEnd();
  if (description === '') return colon;
  const folded = refold(old, wordsOf(description));
  // A line that begins like an item would be one.
  const texts = folded.slice(1).some((line) => /^[-*+]/.test(line)) ? [description] : folded;
  const margin = /^[ \t]*/.exec(lineAt(lines, item.line + 1))?.[0] ?? '';
  const joined = texts.join(`${lines.break(item.start)}${item.lineCount > 1 ? margin : '  '}`);
  return `${before === colon ? `${colon} ` : before}${joined}`;
}

/** New items, written as the one beside them, after an item or, where `after` is -1, before the first. */
function insertion(
  lines: SourceLines,
  heading: number,
  items: readonly Item[],
  after: number,
  added: readonly Capability[],
): Splice {
  const [before, first] = [items[after], items[0]];
  const neighbour = before ?? first;
  const lineBreak = lines.break(lines.startOf(neighbour?.line ?? heading));
  const texts = added.map((capability) => itemText(lines, neighbour, capability));
  if (neighbour === undefined) {
    const at = lines.startOf(heading + 1);
    const next = lineAt(lines, heading + 1);
    const behind = next === '' || next.trim() === '' ? '' : lineBreak;
    return { start: at, end: at, text: ownLines(lines, at, lineBreak, ['', ...texts]) + behind };
  }
  const isLoose = items.some(
    ({ end }, index) =>
      (items[index + 1]?.start ?? end) > end && isBlank(lines, end, items[index + 1]?.start ?? end),
  );
  if (before === undefined) {
    const spread = texts.flatMap((text) => (isLoose ? [text, ''] : [text]));
    return { start: neighbour.start, end: neighbour.start, text: ownLines(lines, 0, lineBreak, spread) };
  }
  const spread = texts.flatMap((text) => (isLoose ? ['', text] : [text]));
  return { start: before.end, end: before.end, text: ownLines(lines, before.end, lineBreak, spread) };
}

function isBlank(lines: SourceLines, start: number, end: number): boolean {
  return lines.text.slice(start, end).trim() === '';
}

/** Texts as lines to stand at a place, which may be behind a last line without a line break. */
function ownLines(lines: SourceLines, at: number, lineBreak: string, texts: readonly string[]): string {
  const isOpen = at === lines.text.length && at > 0 && !lines.text.endsWith('\n');
  return isOpen
    ? texts.map((text) => lineBreak + text).join('')
    : texts.map((text) => text + lineBreak).join('');
}

function itemText(lines: SourceLines, like: Item | undefined, { name, description }: Capability): string {
  const parts = like === undefined ? undefined : partsOf(lineAt(lines, like.line));
  const named = parts?.isWithin === true ? `${name}:**` : `${name}**:`;
  return `${parts?.bullet ?? '- **'}${named}${description === '' ? '' : ` ${description}`}`;
}

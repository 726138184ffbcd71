// One value of the frontmatter made another where it stands, by splices that touch no more than they must.

import { align, type Run } from './align.ts';
import { scalarSplices } from './patch-scalar.ts';
import {
  blockLines,
  indented,
  inLine,
  isBlock,
  itemLines,
  pairInFlow,
  pairLines,
  type Quote,
} from './print.ts';
import { cut, insert } from './series.ts';
import type { SourceLines } from './source-lines.ts';
import type { CollectionNode, Entry, ListNode, MapNode, Member, Node } from './source-tree.ts';
import type { Splice } from './splice.ts';
import { Literal, type Value } from './yaml.ts';

type Mapping = ReadonlyMap<string, Value>;

/** Splices that make `node`, which says `old`, say `wanted`: of its parts where it has such, else of the whole. */
export function valueSplices(lines: SourceLines, node: Node, old: Value, wanted: Value): readonly Splice[] {
  if (isSame(old, wanted)) return [];
  return partSplices(lines, node, old, wanted) ?? [wholeSplice(lines, node, wanted)];
}

function partSplices(
  lines: SourceLines,
  node: Node,
  old: Value,
  wanted: Value,
): readonly Splice[] | undefined {
  if (node.kind === 'scalar' && typeof wanted === 'string') return scalarSplices(lines, node, wanted);
  if (node.kind === 'list' && Array.isArray(old) && Array.isArray(wanted)) {
    return listSplices(lines, node, old, wanted);
  }
  return node.kind === 'map' && old instanceof Map && wanted instanceof Map
    ? mapSplices(lines, node, old, wanted)
    : undefined;
}

/** Whether two values are the same to a reader; the order of keys is nothing to one. */
function isSame(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a instanceof Literal) return b instanceof Literal && a.value === b.value;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index] ?? null))
    );
  }
  if (!(a instanceof Map) || !(b instanceof Map) || a.size !== b.size) return false;
  return [...a].every(([key, value]) => b.has(key) && isSame(value, b.get(key) ?? null));
}

/** What most likely tells an item from the others: a name, not what is said of it. */
function nameOf(item: Value): string {
  if (item === null) return '';
  if (item instanceof Literal) return item.source;
  if (typeof item === 'string') return item.split(': ', 1)[0] ?? '';
  if (!(item instanceof Map)) return '[]';
  const [[key, value] = ['', null]] = item;
  return item.size === 1 || (typeof value === 'object' && value !== null) ? key : nameOf(value);
}

function listSplices(
  lines: SourceLines,
  node: ListNode,
  old: readonly Value[],
  wanted: readonly Value[],
): readonly Splice[] | undefined {
  if (node.members.length !== old.length || old.length === 0 || wanted.length === 0) return undefined;
  const { pairs, removed, inserted } = align(old.map(nameOf), wanted.map(nameOf));
  const removals = removalSplices(lines, node, removed);
  if (removals === undefined) return undefined;
  return [
    ...pairs.flatMap(([i, j]) => {
      const member = node.members[i];
      return member === undefined ? [] : valueSplices(lines, member.node, old[i] ?? null, wanted[j] ?? null);
    }),
    ...removals,
    ...inserted.flatMap(({ after, from, to }) => itemSplices(lines, node, after, wanted.slice(from, to + 1))),
  ];
}

function mapSplices(
  lines: SourceLines,
  node: MapNode,
  old: Mapping,
  wanted: Mapping,
): readonly Splice[] | undefined {
  const last = new Map(node.members.map((entry) => [entry.key, entry]));
  const changed: Splice[] = [];
  for (const [key, value] of wanted) {
    if (!old.has(key)) continue;
    const entry = last.get(key);
    if (entry === undefined) return undefined;
    changed.push(...valueSplices(lines, entry.node, old.get(key) ?? null, value));
  }
  const goes = ({ key }: Entry) => key !== undefined && !wanted.has(key);
  const after = node.members.findLastIndex((entry) => !goes(entry));
  const removals = removalSplices(lines, node, runsOf(node.members, goes));
  if (after === -1 || removals === undefined) return undefined;
  const added = [...wanted].filter(([key]) => !old.has(key));
  return [...changed, ...removals, ...entrySplices(lines, node, after, added)];
}

/** The runs of members for which something holds. */
export function runsOf<M>(members: readonly M[], holds: (member: M) => boolean): readonly Run[] {
  const runs: Run[] = [];
  for (const [index, member] of members.entries()) {
    if (!holds(member)) continue;
    const last = runs.at(-1);
    if (last?.to === index - 1) runs.splice(-1, 1, { from: last.from, to: index });
    else runs.push({ from: index, to: index });
  }
  return runs;
}

/**
 * Takes members out: in a block their lines, with the comment directly above and beside; in a flow collection
 * such lines where they have them, else their text with a comma. Undefined where one shares its line with what
 * stays.
 */
export function removalSplices(
  lines: SourceLines,
  node: CollectionNode,
  runs: readonly Run[],
): readonly Splice[] | undefined {
  const { members, isFlow } = node;
  if (isFlow) return runs.flatMap((run) => cutFromFlow(lines, members, run));
  const going = runs.flatMap(({ from, to }) => members.slice(from, to + 1));
  if (going.some(({ start }) => lines.margin(start) === undefined)) return undefined;
  return going.map(({ start, end }) => ({
    start: ownStart(lines, start),
    end: ownEnd(lines, end),
    text: '',
  }));
}

function cutFromFlow(lines: SourceLines, members: readonly Member[], run: Run): readonly Splice[] {
  const [first, last] = [members[run.from], members[run.to]];
  const [before, after] = [members[run.from - 1], members[run.to + 1]];
  if (first === undefined || last === undefined || !hasOwnLines(lines, first, last))
    return [cut(members, run)];
  const own = { start: ownStart(lines, first.start), end: lines.end(last.comma ?? last.end), text: '' };
  // The last one needs no comma after it where the list does without.
  const comma = after === undefined && last.comma === undefined ? before?.comma : undefined;
  return comma === undefined ? [own] : [{ start: comma, end: comma + 1, text: '' }, own];
}

/** Whether members of a flow collection stand in lines in which nothing else does. */
function hasOwnLines(lines: SourceLines, first: Member, last: Member): boolean {
  if (lines.margin(first.start) === undefined) return false;
  const end = last.comma === undefined ? last.end : last.comma + 1;
  return /^[ \t]*(?:#.*)?\r?\n?$/.test(lines.text.slice(end, lines.end(end)));
}

/** Where a member's lines start: comments directly above it, as far in as it, are its own. */
export function ownStart(lines: SourceLines, start: number): number {
  const margin = lines.margin(start);
  let line = lines.line(start);
  const isOwn = (at: number) => margin !== undefined && lines.text.startsWith(`${margin}#`, at);
  while (line > 0 && isOwn(lines.startOf(line - 1))) line--;
  return lines.startOf(line);
}

function ownEnd(lines: SourceLines, end: number): number {
  // A block of text ends with its last line break.
  return lines.text[end - 1] === '\n' ? end : lines.end(end);
}

/** Where what comes behind a member goes: behind comments that are further in than it, which may be its. */
export function placeBehind(lines: SourceLines, { start, end }: Member): number {
  const margin = marginOf(lines, start);
  let line = lines.line(ownEnd(lines, end));
  const isDeeper = () => {
    const text = lines.text.slice(lines.startOf(line), lines.startOf(line + 1));
    return (
      text.trimStart().startsWith('#') && text.startsWith(margin) && /^\s/.test(text.slice(margin.length))
    );
  };
  while (lines.startOf(line) < lines.text.length && isDeeper()) line++;
  return lines.startOf(line);
}

/** The blanks before a member in its line, or as many as it is in where more stands there. */
function marginOf(lines: SourceLines, start: number): string {
  return lines.margin(start) ?? ' '.repeat(lines.before(start)?.length ?? 0);
}

/** Puts items after a member, or before the first where `after` is -1, written as those beside them are. */
function itemSplices(
  lines: SourceLines,
  node: ListNode,
  after: number,
  items: readonly Value[],
): readonly Splice[] {
  const neighbour = node.members[after] ?? node.members[0];
  const quote = quoteLike(lines, neighbour?.node);
  if (node.isFlow) {
    const texts = items.map((item) => inLine(item, quote, true));
    return flowInsertion(lines, node.members, after, texts);
  }
  const isFlow = neighbour?.node.kind !== 'scalar' && neighbour !== undefined && isFlowNode(neighbour.node);
  const texts = items.flatMap((item) =>
    isFlow ? [`- ${inLine(item, quote, false)}`] : itemLines(item, quote),
  );
  return blockInsertion(lines, node.members, after, texts);
}

/** Puts keys with their values after a member, or before the first where `after` is -1. */
export function entrySplices(
  lines: SourceLines,
  node: MapNode,
  after: number,
  pairs: readonly (readonly [string, Value])[],
): readonly Splice[] {
  if (pairs.length === 0) return [];
  const neighbour = node.members[after] ?? node.members[0];
  if (node.isFlow) {
    // Among quoted keys, as in JSON, everything is quoted.
    const isJson = neighbour !== undefined && lines.text[neighbour.keyStart] === '"';
    const colon = isJson && neighbour.node.place === neighbour.node.fullStart ? ':' : ': ';
    const texts = pairs.map(([key, value]) => pairInFlow(key, value, isJson ? 'double' : 'plain', colon));
    return flowInsertion(lines, node.members, after, texts);
  }
  const texts = pairs.flatMap(([key, value]) => pairLines(key, value, 'plain'));
  return blockInsertion(lines, node.members, after, texts);
}

function blockInsertion(
  lines: SourceLines,
  members: readonly Member[],
  after: number,
  texts: readonly string[],
): readonly Splice[] {
  const [first, before] = [members[0], members[after]];
  if (first === undefined) return [];
  const at = before === undefined ? ownStart(lines, first.start) : placeBehind(lines, before);
  const lineBreak = lines.break((before ?? first).start);
  const text = indented(texts, marginOf(lines, first.start)).map((line) => line + lineBreak);
  return [{ start: at, end: at, text: text.join('') }];
}

function flowInsertion(
  lines: SourceLines,
  members: readonly Member[],
  after: number,
  texts: readonly string[],
): readonly Splice[] {
  const before = members[after];
  const neighbour = before ?? members[0];
  if (neighbour === undefined || !hasOwnLines(lines, neighbour, neighbour)) {
    return [insert(members, after, texts, separatorAt(lines, members, after))];
  }
  const margin = marginOf(lines, neighbour.start);
  const lineBreak = lines.break(neighbour.start);
  const own = texts.map((text) => margin + text);
  if (before === undefined) {
    const at = ownStart(lines, neighbour.start);
    return [{ start: at, end: at, text: own.map((text) => `${text},${lineBreak}`).join('') }];
  }
  const at = lines.end(before.comma ?? before.end);
  const joined = own.join(`,${lineBreak}`);
  return before.comma === undefined
    ? [
        { start: before.end, end: before.end, text: ',' },
        { start: at, end: at, text: joined + lineBreak },
      ]
    : [{ start: at, end: at, text: `${joined},${lineBreak}` }];
}

/** What separates a member from the one before it, or else from the one behind it. */
function separatorAt(lines: SourceLines, members: readonly Member[], after: number): string {
  const [previous, next] = members[after - 1] === undefined ? [after, after + 1] : [after - 1, after];
  const between = lines.text.slice(members[previous]?.end ?? 0, members[next]?.start ?? 0);
  return /^[ \t]{0,9},[ \t]{0,9}$/.test(between) ? between : ', ';
}

function quoteLike(lines: SourceLines, node: Node | undefined): Quote {
  if (node?.kind === 'scalar' && node.style !== 'block') return node.style;
  const key = node?.kind === 'map' && node.isFlow ? node.members[0]?.keyStart : undefined;
  return key !== undefined && lines.text[key] === '"' ? 'double' : 'plain';
}

function isFlowNode(node: Node): boolean {
  return (node.kind === 'list' || node.kind === 'map') && node.isFlow;
}

/** Another value in the place of a node, with its anchor and its tag. */
export function wholeSplice(lines: SourceLines, node: Node, wanted: Value): Splice {
  const { fullStart, place, inFlow } = node;
  if (node.kind === 'empty') return emptySplice(lines, node.start, inFlow, wanted);
  const lineBreak = lines.break(fullStart);
  const end = lines.text[node.end - 1] === '\n' ? node.end - lineBreak.length : node.end;
  const before = lines.before(fullStart);
  const startsBlock = !inFlow && !isFlowNode(node) && before !== undefined && /^ *(?:- +)*$/.test(before);
  const quote = quoteLike(lines, node);
  // What is no block itself moves up behind its colon, unless past a comment.
  const gap = lines.text.slice(place, fullStart);
  if (!isBlock(wanted) && gap.includes('\n') && !gap.includes('#')) {
    return { start: place, end, text: ` ${inLine(wanted, quote, inFlow)}` };
  }
  if (!startsBlock) return { start: fullStart, end, text: inLine(wanted, quote, inFlow) };
  const [first = '', ...others] = blockLines(wanted, quote);
  const text = [first, ...indented(others, ' '.repeat(before.length))].join(lineBreak);
  return { start: fullStart, end, text };
}

/** A value behind a colon or a dash where none stands: beside it, or as a block below. */
function emptySplice(lines: SourceLines, at: number, inFlow: boolean, wanted: Value): Splice {
  const before = lines.before(at);
  if (inFlow || before === undefined || !isBlock(wanted) || before.trimStart().startsWith('-')) {
    return { start: at, end: at, text: ` ${inLine(wanted, 'plain', inFlow)}` };
  }
  const margin = `${before.slice(0, before.length - before.trimStart().length)}  `;
  const text = indented(blockLines(wanted, 'plain'), margin).map((line) => line + lines.break(at));
  return { start: lines.end(at), end: lines.end(at), text: text.join('') };
}

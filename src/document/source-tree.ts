// Where a frontmatter's keys, items and values stand in the document's text, and how they are written.

import { CST, Parser } from 'yaml';
import type { Frontmatter } from './frontmatter.ts';
import { type Block, blocksBelow, blocksOf, keyLength, lastLine, readBlock } from './lines.ts';
import { SourceLines } from './source-lines.ts';
import type { Split } from './split.ts';

interface OfNode {
  /** Offsets in the document's text, without and with the anchor and the tag before it. */
  readonly start: number;
  readonly fullStart: number;
  readonly end: number;
  /** The end of the colon or dash before it. */
  readonly place: number;
  readonly inFlow: boolean;
}

export interface ScalarNode extends OfNode {
  readonly kind: 'scalar';
  readonly style: 'plain' | 'single' | 'double' | 'block';
}

/** In a flow collection items stand between commas, in a block in lines of their own. */
export interface ListNode extends OfNode {
  readonly kind: 'list';
  readonly isFlow: boolean;
  readonly members: readonly Member[];
}

export interface MapNode extends OfNode {
  readonly kind: 'map';
  readonly isFlow: boolean;
  readonly members: readonly Entry[];
}

/** An alias, or text that is no YAML. */
export interface OtherNode extends OfNode {
  readonly kind: 'other';
}

/** No value, behind a colon or a dash. */
export interface EmptyNode extends OfNode {
  readonly kind: 'empty';
}

export type CollectionNode = ListNode | MapNode;
export type Node = ScalarNode | CollectionNode | OtherNode | EmptyNode;

/** An item of a list, with its dash, or a key with its value. */
export interface Member {
  readonly start: number;
  readonly end: number;
  /** Where the comma after it stands, in a flow collection. */
  readonly comma: number | undefined;
  readonly node: Node;
}

export interface Entry extends Member {
  /** Undefined where the key is an alias. */
  readonly key: string | undefined;
  /** Where the key itself starts, after what marks it. */
  readonly keyStart: number;
}

/** The outermost mapping as it stands in the document's text; undefined where no key stands. */
export function sourceTree(
  text: string,
  yaml: NonNullable<Split['yaml']>,
  frontmatter: Frontmatter,
): MapNode | undefined {
  const root = frontmatter.isYaml ? nodeOfYaml(yaml.text, yaml.start) : undefined;
  if (root?.kind === 'map') return root;
  const lines = new SourceLines(text);
  const firstLine = lines.line(yaml.start);
  const entries = blocksOf(yaml.text).map((block) => entryOfBlock(block, lines, firstLine));
  return entries.length === 0 ? undefined : mapOf(entries);
}

/** The value of a YAML text that starts at `offset`. */
function nodeOfYaml(yaml: string, offset: number): Node | undefined {
  for (const token of new Parser().parse(yaml)) {
    if (token.type === 'document') return nodeOf(token.value, [], { offset, place: offset, inFlow: false });
  }
  return undefined;
}

interface Around {
  /** Where the YAML starts in the document's text. */
  readonly offset: number;
  readonly place: number;
  readonly inFlow: boolean;
}

function nodeOf(
  token: CST.Token | null | undefined,
  before: readonly CST.SourceToken[],
  around: Around,
): Node {
  const { offset, place, inFlow } = around;
  const properties = before.filter(({ type }) => type === 'anchor' || type === 'tag');
  const first = properties[0];
  if (token == null) {
    const last = properties.at(-1);
    if (first === undefined || last === undefined) {
      return { kind: 'empty', start: place, fullStart: place, end: place, place, inFlow };
    }
    const end = offset + last.offset + last.source.length;
    return { kind: 'other', start: end, fullStart: offset + first.offset, end, place, inFlow };
  }
  const start = offset + token.offset;
  const node = { start, fullStart: first === undefined ? start : offset + first.offset, place, inFlow };
  switch (token.type) {
    case 'scalar':
      return { ...node, kind: 'scalar', style: 'plain', end: start + token.source.length };
    case 'single-quoted-scalar':
      return { ...node, kind: 'scalar', style: 'single', end: start + token.source.length };
    case 'double-quoted-scalar':
      return { ...node, kind: 'scalar', style: 'double', end: start + token.source.length };
    case 'block-scalar':
      return { ...node, kind: 'scalar', style: 'block', end: start + CST.stringify(token).length };
    case 'flow-collection':
      return flowCollection(token, node, offset);
    case 'block-map': {
      const members = token.items.flatMap((item) => entryOf(item, offset, false));
      return { ...node, kind: 'map', isFlow: false, members, end: members.at(-1)?.end ?? start };
    }
    case 'block-seq': {
      const members = token.items.flatMap((item) => itemOf(item, offset));
      return { ...node, kind: 'list', isFlow: false, members, end: members.at(-1)?.end ?? start };
    }
    default:
      return { ...node, kind: 'other', end: start + ('source' in token ? token.source.length : 0) };
  }
}

function flowCollection(
  token: CST.FlowCollection,
  node: Omit<OfNode, 'end'>,
  offset: number,
): CollectionNode {
  const isMap = token.start.type === 'flow-map-start';
  const end = offset + (token.end[0]?.offset ?? token.offset) + 1;
  const commas = [...token.items.slice(1), undefined].map((next) => {
    const comma = next?.start.find(({ type }) => type === 'comma');
    return comma === undefined ? undefined : offset + comma.offset;
  });
  const withComma = <M extends Member>(members: readonly M[], index: number) =>
    members.map((member) => ({ ...member, comma: commas[index] }));
  if (isMap) {
    const members = token.items.flatMap((item, index) => withComma(entryOf(item, offset, true), index));
    return { ...node, kind: 'map', isFlow: true, members, end };
  }
  const members = token.items.flatMap((item, index) => withComma(flowItemOf(item, offset), index));
  return { ...node, kind: 'list', isFlow: true, members, end };
}

function itemOf({ start, value }: CST.CollectionItem, offset: number): readonly Member[] {
  const dash = start.findIndex(({ type }) => type === 'seq-item-ind');
  const token = start[dash];
  // A comment at the end of the list is no item.
  if (token === undefined) return [];
  const at = offset + token.offset;
  const node = nodeOf(value, start.slice(dash), { offset, place: at + 1, inFlow: false });
  return [{ start: at, end: node.end, comma: undefined, node }];
}

function flowItemOf(item: CST.CollectionItem, offset: number): readonly Member[] {
  // `[a: b]`: a map without braces.
  if (item.sep !== undefined) {
    return entryOf(item, offset, true).map(({ start, end }) => {
      const node: Node = { kind: 'other', start, fullStart: start, end, place: start, inFlow: true };
      return { start, end, comma: undefined, node };
    });
  }
  if (item.value === undefined) return [];
  const place = offset + item.value.offset;
  const node = nodeOf(item.value, item.start, { offset, place, inFlow: true });
  return [{ start: node.fullStart, end: node.end, comma: undefined, node }];
}

function entryOf(
  { start, key, sep, value }: CST.CollectionItem,
  offset: number,
  inFlow: boolean,
): readonly Entry[] {
  if (key === undefined && sep === undefined) return [];
  const before = start.find(({ type }) => type === 'explicit-key-ind' || type === 'anchor' || type === 'tag');
  const colon = sep?.findIndex(({ type }) => type === 'map-value-ind') ?? -1;
  const colonToken = sep?.[colon];
  const keyToken = key ?? colonToken;
  if (keyToken === undefined) return [];
  const keyStart = offset + keyToken.offset;
  const keyEnd = nodeOf(keyToken, [], { offset, place: keyStart, inFlow }).end;
  const place = colonToken === undefined ? keyEnd : offset + colonToken.offset + 1;
  const node: Node =
    colonToken === undefined
      ? { kind: 'other', start: keyEnd, fullStart: keyEnd, end: keyEnd, place, inFlow }
      : nodeOf(value, (sep ?? []).slice(colon), { offset, place, inFlow });
  return [
    {
      key: key == null ? '' : CST.resolveAsScalar(key, false, () => undefined)?.value,
      keyStart,
      start: before === undefined ? keyStart : offset + before.offset,
      end: node.end,
      comma: undefined,
      node,
    },
  ];
}

/** The entry of a block: as YAML where it is that by itself, else as text, or as a map of such blocks. */
function entryOfBlock(block: Block, lines: SourceLines, firstLine: number): Entry {
  const from = lines.startOf(firstLine + block.first);
  const text = lines.text.slice(from, lines.startOf(firstLine + lastLine(block) + 1));
  const yaml = readBlock(block, 1).ok ? nodeOfYaml(text, from) : undefined;
  const [only, ...others] = yaml?.kind === 'map' ? yaml.members : [];
  if (only !== undefined && only.key === block.key && others.length === 0) return only;
  const start = from + text.length - text.trimStart().length;
  const place = start + keyLength(lines.text.slice(start, lines.end(start)).trimEnd());
  const below = blocksBelow(block)?.map((inner) => entryOfBlock(inner, lines, firstLine));
  const node =
    below === undefined ? textNode(lines.text, place, from + text.length) : { ...mapOf(below), place };
  return { key: block.key, keyStart: start, start, end: node.end, comma: undefined, node };
}

function mapOf(members: readonly Entry[]): MapNode {
  const [start, end] = [members[0]?.start ?? 0, members.at(-1)?.end ?? 0];
  return { kind: 'map', isFlow: false, members, start, fullStart: start, end, place: start, inFlow: false };
}

/** The text from one place to another, without the blanks around it. */
function textNode(text: string, from: number, to: number): Node {
  const within = text.slice(from, to);
  const start = from + within.length - within.trimStart().length;
  const end = from + within.trimEnd().length;
  return end <= from
    ? { kind: 'empty', start: from, fullStart: from, end: from, place: from, inFlow: false }
    : { kind: 'other', start, fullStart: start, end, place: from, inFlow: false };
}

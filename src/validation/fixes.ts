// How findings are mended: what each rule's fix changes, as edits of a skill's files. What they come to is judged in mend.ts.

import { isUtf8 } from 'node:buffer';
import { limits } from '../document/fields.ts';
import { specifiedName } from '../document/parse.ts';
import { entrySplices, valueSplices, wholeSplice } from '../document/patch-value.ts';
import { splitTools } from '../document/relations.ts';
import type { SourceLines } from '../document/source-lines.ts';
import { type Entry, type MapNode, type Node, sourceTree } from '../document/source-tree.ts';
import type { Splice } from '../document/splice.ts';
import type { Value } from '../document/yaml.ts';
import type { Finding } from './finding.ts';
import type { FixableRule } from './rules.ts';
import type { Subject } from './subject.ts';

/** What becomes of one file of a skill. */
export interface Edit {
  readonly file: string;
  /** Of its text. */
  readonly splices?: readonly Splice[];
  readonly executable?: true;
  /** What it is called from then on, in the same folder. */
  readonly name?: string;
}

/** What would mend findings of one rule; none for what only a person can. */
type Fix = (subject: Subject, findings: readonly Finding[]) => readonly Edit[];

/** In the order in which they are tried: a list of tools is to be a text, and not a block. */
export const fixes: { readonly [R in FixableRule]: Fix } = {
  'document-name': (_, findings) => findings.flatMap(({ file = '' }) => [{ file, name: 'SKILL.md' }]),
  'byte-order-mark': (_, findings) =>
    findings.flatMap(({ file = '' }) => [{ file, splices: [{ start: 0, end: 1, text: '' }] }]),
  'name-missing': nameEdits,
  'name-differs-from-folder': nameEdits,
  'field-not-quoted': quotingEdits,
  'metadata-value-not-quoted': quotingEdits,
  'allowed-tools-list': toolEdits,
  'allowed-tools-commas': toolEdits,
  'yaml-not-plain': blockEdits,
  'script-not-executable': (_, findings) => findings.map(({ file = '' }) => ({ file, executable: true })),
  'line-endings-mixed': lineEndingEdits,
  'disable-unused': commentEdits,
};

export const fixOrder = Object.keys(fixes) as readonly FixableRule[];

// ---- the frontmatter ----

/** The document's outermost map as it stands; undefined where no strict reader sees one. */
function rootOf({ document: { text, split, frontmatter } }: Subject): MapNode | undefined {
  return split.yaml === null || !frontmatter?.isYaml ? undefined : sourceTree(text, split.yaml, frontmatter);
}

function saidBy({ document }: Subject, key: string): Value {
  return document.frontmatter?.pairs.find((pair) => pair.key === key)?.value ?? null;
}

function splicing({ document }: Subject, splices: readonly Splice[]): readonly Edit[] {
  return splices.length === 0 ? [] : [{ file: document.file, splices }];
}

/** The folder's name as the skill's, where it is one that every reader takes. */
function nameEdits(subject: Subject): readonly Edit[] {
  const { folder, document } = subject;
  const { lines, split, frontmatter } = document;
  if (!specifiedName.test(folder) || folder.length > limits.name) return [];
  if (split.yaml === null || !frontmatter?.isYaml) return [];
  const root = rootOf(subject);
  const said = root?.members.findLast(({ key }) => key === 'name');
  if (said !== undefined) {
    return splicing(subject, valueSplices(lines, said.node, saidBy(subject, 'name'), folder));
  }
  if (root !== undefined) return splicing(subject, entrySplices(lines, root, -1, [['name', folder]]));
  const end = split.yaml.start + split.yaml.text.length;
  return splicing(subject, [{ start: end, end, text: `name: ${folder}${lines.break(0)}` }]);
}

/** The keys of the outermost map and of the maps in it, by where they start. */
function entriesByStart(root: MapNode | undefined): ReadonlyMap<number, Entry> {
  const members = root?.members ?? [];
  const below = members.flatMap(({ node }) => (node.kind === 'map' ? node.members : []));
  return new Map([...members, ...below].map((entry) => [entry.keyStart, entry]));
}

/** The keys at which findings are. */
function foundEntries(subject: Subject, findings: readonly Finding[]): readonly Entry[] {
  const { lines } = subject.document;
  const entries = entriesByStart(rootOf(subject));
  return findings.flatMap(
    ({ line = 1, column = 1 }) => entries.get(lines.startOf(line - 1) + column - 1) ?? [],
  );
}

/** What no reader takes for anything but itself between quotes. */
const literal = /^[\w.+-]+$/;

function quotingEdits(subject: Subject, findings: readonly Finding[]): readonly Edit[] {
  const { text } = subject.document;
  return foundEntries(subject, findings).flatMap(({ node }) => {
    const { start, end, fullStart } = node;
    const source = text.slice(start, end);
    const isBare = node.kind === 'scalar' && node.style === 'plain' && fullStart === start;
    return isBare && literal.test(source) ? splicing(subject, [{ start, end, text: `"${source}"` }]) : [];
  });
}

/** The tools as one text with spaces between them; each as it is written. */
function toolEdits(subject: Subject, findings: readonly Finding[]): readonly Edit[] {
  const { lines, text } = subject.document;
  return foundEntries(subject, findings).flatMap(({ node }) => {
    const value = saidBy(subject, 'allowed-tools');
    const items: readonly Value[] = Array.isArray(value) ? value : [];
    const tools = typeof value === 'string' ? splitTools(value) : items.map(toolOf);
    if (tools.length === 0 || tools.some((tool) => tool === undefined) || holdsComment(text, node)) return [];
    const line = tools.join(' ');
    return splicing(
      subject,
      typeof value === 'string' ? valueSplices(lines, node, value, line) : [wholeSplice(lines, node, line)],
    );
  });
}

/** A tool that stays one in a text with others. */
function toolOf(item: Value): string | undefined {
  if (typeof item !== 'string') return undefined;
  const [tool, ...others] = splitTools(item);
  return tool === item && others.length === 0 ? tool : undefined;
}

/** Whether what looks like a comment stands between a key and the end of a value that goes over lines or in brackets. */
function holdsComment(text: string, node: Node): boolean {
  return node.kind !== 'scalar' && /\s#/.test(text.slice(node.place, node.end));
}

// ---- what stands in brackets, as indented lines ----

function blockEdits(subject: Subject, findings: readonly Finding[]): readonly Edit[] {
  const { text, lines } = subject.document;
  return foundEntries(subject, findings).flatMap((entry) => {
    const splices = isForOpenClaw(entry) ? undefined : entrySplicesToBlock(text, lines, entry);
    return splices === undefined ? [] : splicing(subject, splices);
  });
}

/** Skills for OpenClaw hold what is for it alone as JSON: that is left as its readers know it. */
function isForOpenClaw({ key, node }: Entry): boolean {
  return (
    key === 'metadata' &&
    node.kind === 'map' &&
    isFlow(node) &&
    node.members.some((one) => one.node.kind === 'map')
  );
}

/** Undefined where something cannot be written so. */
function entrySplicesToBlock(text: string, lines: SourceLines, entry: Entry): readonly Splice[] | undefined {
  const { node, start } = entry;
  const margin = lines.before(start);
  if (node.inFlow || margin === undefined) return undefined;
  if (!isFlow(node)) return innerSplices(text, lines, node);
  const block = blockOf(text, node);
  if (block === undefined || holdsComment(text, node)) return undefined;
  return [
    { start: node.place, end: node.end, text: '' },
    linesBelow(lines, node.end, block, ' '.repeat(margin.length + 2)),
  ];
}

function isFlow(node: Node): boolean {
  return (node.kind === 'list' || node.kind === 'map') && node.isFlow;
}

function innerSplices(text: string, lines: SourceLines, node: Node): readonly Splice[] | undefined {
  if (node.fullStart < node.start) return undefined;
  if (node.kind !== 'list' && node.kind !== 'map') return node.kind === 'other' ? undefined : [];
  const splices: Splice[] = [];
  for (const member of node.members) {
    const own =
      'keyStart' in member
        ? entrySplicesToBlock(text, lines, member as Entry)
        : itemSplicesToBlock(text, lines, member.node);
    if (own === undefined) return undefined;
    splices.push(...own);
  }
  return splices;
}

function itemSplicesToBlock(text: string, lines: SourceLines, node: Node): readonly Splice[] | undefined {
  if (!isFlow(node)) return innerSplices(text, lines, node);
  const [first = '', ...others] = blockOf(text, node) ?? [];
  const before = lines.before(node.start);
  const isBehindDash = before !== undefined && /^ *(?:- +)+$/.test(before);
  if (first === '' || !isBehindDash || holdsComment(text, node)) return undefined;
  return [
    { start: node.start, end: node.end, text: first },
    linesBelow(lines, node.end, others, ' '.repeat(before.length)),
  ];
}

function linesBelow(lines: SourceLines, end: number, block: readonly string[], margin: string): Splice {
  const at = lines.end(end);
  return { start: at, end: at, text: block.map((line) => `${margin}${line}${lines.break(end)}`).join('') };
}

/** A list or map in brackets as lines of a block, each part as it is written. */
function blockOf(text: string, node: Node): readonly string[] | undefined {
  if ((node.kind !== 'list' && node.kind !== 'map') || node.members.length === 0) return undefined;
  if (node.fullStart < node.start) return undefined;
  const block: string[] = [];
  for (const member of node.members) {
    const inner = blockOf(text, member.node);
    const [head, isKey] = headOf(text, member);
    if (inner !== undefined && isKey) block.push(`${head}:`, ...inner.map((line) => `  ${line}`));
    else if (inner !== undefined)
      block.push(...inner.map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`)));
    else {
      const { kind, start, fullStart, end } = member.node;
      const source = text.slice(start, end);
      if (kind !== 'scalar' || fullStart < start || source.includes('\n')) return undefined;
      block.push(isKey ? `${head}: ${source}` : `- ${source}`);
    }
  }
  return block;
}

function headOf(
  text: string,
  member: MapNode['members'][number] | { readonly start: number },
): readonly [string, boolean] {
  if (!('keyStart' in member)) return ['', false];
  const { start, node } = member;
  return [text.slice(start, node.place).replace(/(?<!\s)\s*:$/, ''), true];
}

// ---- texts ----

/** Patches hold lines of other files, and a script that begins with CRLF does not run. */
function keepsLineEndings(file: string, text: string): boolean {
  return /\.(?:diff|patch)$/i.test(file) || text.startsWith('#!');
}

/** All line endings as most are; as LF where as many are either. */
function lineEndingEdits({ texts, entries }: Subject, findings: readonly Finding[]): readonly Edit[] {
  return findings.flatMap(({ file = '' }) => {
    const { text = '' } = texts.find((one) => one.file === file) ?? {};
    const bytes = entries.find(({ path }) => path === file)?.bytes;
    if (bytes === undefined || !isUtf8(bytes)) return [];
    const crlf: Splice[] = [];
    const lf: Splice[] = [];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      if (text[at - 1] === '\r') crlf.push({ start: at - 1, end: at, text: '' });
      else lf.push({ start: at, end: at, text: '\r' });
    }
    const isToCrlf = lf.length < crlf.length;
    return isToCrlf && keepsLineEndings(file, text) ? [] : [{ file, splices: isToCrlf ? lf : crlf }];
  });
}

/** Without a comment; its line goes too where nothing else stands in it, and no two texts come to stand together. */
function commentEdits(subject: Subject, findings: readonly Finding[]): readonly Edit[] {
  const { text, lines } = subject.document;
  return findings.flatMap(({ line = 1, column = 1 }) => {
    const [first, next] = [lines.startOf(line - 1), lines.startOf(line)];
    const start = first + column - 1;
    const end = text.indexOf('-->', start) + 3;
    const [before, after] = [text.slice(first, start), text.slice(end, next)];
    const isBlank = (from: number, to: number) => text.slice(from, to).trim() === '';
    if (before.trim() !== '')
      return splicing(subject, [{ start: first + before.trimEnd().length, end, text: '' }]);
    if (after.trim() !== '') {
      return splicing(subject, [{ start, end: end + after.length - after.trimStart().length, text: '' }]);
    }
    const standsBetween =
      first > subject.document.split.frontmatterSource.length &&
      !isBlank(lines.startOf(line - 2), first) &&
      !isBlank(next, lines.startOf(line + 1));
    const lineBreak = after.length - after.replace(/\r?\n$/, '').length;
    return splicing(subject, [{ start: first, end: standsBetween ? next - lineBreak : next, text: '' }]);
  });
}

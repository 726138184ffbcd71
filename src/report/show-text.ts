// One skill in lines: what there is to say of it, and nothing where there is nothing.

import { categoryText } from './category-text.ts';
import type { Colors } from './colors.ts';
import { hanging, padded, widthOf } from './columns.ts';
import { diffCommand, restoreCommand } from './command-text.ts';
import { printableLine } from './terminal-text.ts';
import { timeText } from './time-text.ts';

/** A skill at the other end of a relation. */
interface Linked {
  readonly path: string;
  readonly type: string;
  readonly justification?: string | null;
  readonly isMissing: boolean;
}

/** What the lines say of a skill's row and relations. */
interface Row {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly type: string;
  readonly weight: string;
  readonly loadPriority: string;
  readonly status: string;
  readonly style: string | null;
  readonly scope: string | null;
  readonly extra: { readonly [key: string]: unknown };
  readonly category: string | null;
  readonly categoryReason: string | null;
  readonly otherCategories: readonly string[];
  readonly keywords: readonly string[];
  readonly tags: readonly string[];
  readonly allowedTools: readonly string[];
  readonly capabilities: readonly { readonly name: string; readonly description: string | null }[];
  readonly facets: readonly { readonly key: string; readonly value: string }[];
  readonly aliases: readonly string[];
  readonly needs: readonly Linked[];
  readonly neededBy: readonly Linked[];
  readonly refersTo: readonly Linked[];
  readonly referredBy: readonly Linked[];
}

/** How a skill stands in the files: as the database has it, otherwise, not at all; or why nobody can tell. */
export type InFiles = 'same' | 'differs' | 'absent' | 'unknown';

/** All that `show` says. */
export interface Shown {
  readonly path: string;
  /** Erased is deleted, and no row any more. */
  readonly state: 'standing' | 'deleted' | 'erased';
  readonly row: Row | null;
  /** Who wrote the latest revision; null where nobody knows. */
  readonly latest: {
    readonly revision: number;
    readonly at: Date | null;
    readonly origin: string;
    readonly writer: string | null;
    readonly run: number | null;
  } | null;
  /** Of what is gone, the revision that brings it back. */
  readonly lastStanding: number | null;
  readonly inFiles: InFiles;
  /** What it holds, or held last; null where that cannot be read. */
  readonly files:
    | readonly {
        readonly path: string;
        readonly bytes: number;
        readonly executable: boolean;
      }[]
    | null;
}

const filesTexts: { readonly [F in InFiles]: (path: string) => string } = {
  same: () => 'the same',
  differs: (path) => `otherwise; to see it: ${diffCommand([path])}`,
  absent: () => 'not there',
  unknown: () => 'cannot be read',
};

/** The path, then `LABEL  WHAT IT IS`, one line each where no terminal is so many columns wide. */
export function showLines(shown: Shown, colors: Colors, columns?: number): string {
  const rows: readonly (readonly [label: string, values: readonly string[]])[] = [
    ['deleted', deletedTexts(shown)],
    ...(shown.row ? rowTexts(shown.row) : []),
    ['revision', shown.latest ? [latestText(shown.latest)] : []],
    ['in the files', [filesTexts[shown.inFiles](shown.path)]],
    ['files', shown.files === null ? ['cannot be read'] : fileTexts(shown.files)],
  ];
  const width = Math.max(...rows.map(([label, values]) => (values.length > 0 ? label.length : 0)));
  const lines = rows.flatMap(([label, values]) =>
    values.map((value, at) => {
      const head = (at === 0 ? label : '').padEnd(width);
      const text = hanging(`${head}  `, printableLine(value), columns);
      return colors.dim(head) + text.slice(head.length);
    }),
  );
  return `${[colors.bold(printableLine(shown.path)), ...lines].join('\n')}\n`;
}

function deletedTexts({ state, path, lastStanding }: Shown): readonly string[] {
  if (state === 'standing') return [];
  return [
    lastStanding === null
      ? 'and nothing of it is left'
      : `to have it again: ${restoreCommand(path, lastStanding)}`,
  ];
}

function rowTexts(row: Row): readonly (readonly [string, readonly string[]])[] {
  const joined = (items: readonly string[]) => (items.length > 0 ? [items.join(', ')] : []);
  const maybe = (text: string | null) => (text === null || text === '' ? [] : [text]);
  return [
    ['name', [row.name]],
    ['description', maybe(row.description)],
    ['status', [row.status]],
    ['version', [row.version]],
    ['type', [[row.type, row.weight, row.loadPriority, ...maybe(row.style)].join(', ')]],
    ['category', [categoryText(row.category, row.categoryReason)]],
    ['also in', joined(row.otherCategories)],
    ['scope', maybe(row.scope)],
    ['keywords', joined(row.keywords)],
    ['tags', joined(row.tags)],
    ['tools', joined(row.allowedTools)],
    ['facets', joined(row.facets.map(({ key, value }) => `${key}: ${value}`))],
    [
      'capabilities',
      row.capabilities.map(({ name, description }) => [name, ...maybe(description)].join(': ')),
    ],
    ['also says', Object.entries(row.extra).map(([key, value]) => `${key}: ${valueText(value)}`)],
    ['aliases', joined(row.aliases)],
    ['needs', row.needs.map(linkText)],
    ['needed by', row.neededBy.map(linkText)],
    ['refers to', row.refersTo.map(linkText)],
    ['referred by', row.referredBy.map(linkText)],
  ];
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `a/b (required): why`. */
function linkText({ path, type, justification, isMissing }: Linked): string {
  const why = justification ? `: ${justification}` : '';
  return `${path} (${type}${isMissing ? ', no such skill now' : ''})${why}`;
}

/** `12, 2026-01-31 12:00:00Z, by ann out of the files in run 3`. */
function latestText({ revision, at, origin, writer, run }: NonNullable<Shown['latest']>): string {
  const who = writer === null ? '' : `by ${writer} `;
  const where = origin === 'files' ? 'out of the files' : 'in the database';
  return [
    `${revision}`,
    ...(at === null ? [] : [timeText(at)]),
    `${who}${where}${run === null ? '' : ` in run ${run}`}`,
  ].join(', ');
}

/** `PATH  BYTES  executable`, aligned. */
function fileTexts(files: NonNullable<Shown['files']>): readonly string[] {
  const cells = files.map((file) => ({ ...file, path: printableLine(file.path), size: `${file.bytes} B` }));
  const widest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, widthOf(text)), 0);
  const [pathWidth, sizeWidth] = [
    widest(cells.map(({ path }) => path)),
    widest(cells.map(({ size }) => size)),
  ];
  return cells.map(
    ({ path, size, executable }) =>
      `${padded(path, pathWidth)}  ${size.padStart(sizeWidth)}${executable ? '  executable' : ''}`,
  );
}

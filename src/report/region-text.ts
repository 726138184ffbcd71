// Where both sides' versions of a skill do not go together, in lines: what each has at that place.

import type { FileRegion, Region } from '../reconcile/merge.ts';
import type { Colors } from './colors.ts';
import { printable, printableLine } from './terminal-text.ts';

/** Lines of one side that are shown of one place; the rest is counted. */
const maxLines = 10;
const maxLength = 300;

const sides = ['base', 'files', 'database'] as const;
const margin = ' '.repeat(9);
const labelWidth = 'database'.length;

/** Each place below its conflict; none where nobody has what both sides agreed on. */
export function regionLines(regions: readonly Region[], colors: Colors): string {
  if (regions.length === 0) {
    return `${margin}${colors.dim('no merge: the history does not hold what both sides agreed on')}\n`;
  }
  return regions.map((region) => `${margin}${headOf(region)}\n${rowsOf(region, colors)}`).join('');
}

function headOf(region: Region): string {
  const file = printableLine(region.file);
  switch (region.part) {
    case 'body':
      return `${file}:${region.files.line}`;
    case 'value':
      return `${file}  ${printableLine(region.key)}`;
    case 'file':
      return file;
    case 'frontmatter':
      return `${file}  no frontmatter that says both sides' values was found`;
    case 'name':
      return `${file}  cannot stand beside ${printableLine(region.other)}`;
  }
}

function rowsOf(region: Region, colors: Colors): string {
  if (region.part === 'frontmatter' || region.part === 'name') return '';
  return sides.map((side) => rowOf(side, textOf(region, side), colors)).join('');
}

function textOf(
  region: Extract<Region, { readonly part: 'body' | 'value' | 'file' }>,
  side: keyof FileRegion,
): string {
  if (region.part === 'body') return region[side].text.replace(/\n$/, '');
  if (region.part === 'value') return JSON.stringify(region[side]);
  const state = region[side];
  return state ? `${state.bytes} bytes${state.executable ? ', executable' : ''}` : 'no file';
}

function rowOf(label: (typeof sides)[number], text: string, colors: Colors): string {
  const paint = { base: colors.dim, files: colors.green, database: colors.red }[label];
  const lines = text.split('\n');
  const shown = lines
    .slice(0, maxLines)
    .map((line) => (line.length > maxLength ? `${line.slice(0, maxLength)}...` : line));
  const more = lines.length > maxLines ? [`... ${lines.length - maxLines} more lines`] : [];
  return [...shown, ...more]
    .map((line, nth) => {
      const head = `${margin}  ${(nth === 0 ? label : '').padEnd(labelWidth)} |`;
      return `${paint(`${head} ${printable(line)}`.trimEnd())}\n`;
    })
    .join('');
}

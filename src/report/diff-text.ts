// A unified diff as it is printed: coloured by line, nothing in it able to steer the terminal.

import type { Colors } from './colors.ts';
import { printable } from './terminal-text.ts';

/** Colours a unified diff's lines, and indents them below the skill that they are about. */
export function diffLines(diff: string, colors: Colors): string {
  return diff
    .split('\n')
    .slice(0, -1)
    .map((line) => `  ${paint(printable(line), colors)}\n`)
    .join('');
}

function paint(line: string, colors: Colors): string {
  if (line.startsWith('--- ') || line.startsWith('+++ ')) return colors.bold(line);
  if (line.startsWith('@@')) return colors.cyan(line);
  if (line.startsWith('+')) return colors.green(line);
  if (line.startsWith('-')) return colors.red(line);
  return line;
}

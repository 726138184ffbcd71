// What was looked at, and what was found, as lines: a group of them each for what they are about.

import type { Colors } from './colors.ts';
import { padded } from './columns.ts';
import { counted } from './counted.ts';
import { printableLine } from './terminal-text.ts';

/** The groups, in the order in which they are shown. */
export const checkGroups = ['Configuration', 'Database', 'Skills directory', 'Git'] as const;

/** One thing that was looked at. */
export interface Check {
  readonly group: (typeof checkGroups)[number];
  readonly name: string;
  /** `skip`: it could not be asked. */
  readonly outcome: 'pass' | 'warn' | 'fail' | 'skip';
  readonly found: string;
  /** What to do: a command where there is one. Only of what is not well. */
  readonly remedy?: string;
}

const words = { pass: 'ok', warn: 'warn', fail: 'fail', skip: 'skip' } as const;

/** How many checks came out how. */
export function summaryOf(checks: readonly Check[]): {
  readonly passed: number;
  readonly warnings: number;
  readonly failed: number;
  readonly skipped: number;
} {
  const count = (outcome: Check['outcome']) => checks.filter((check) => check.outcome === outcome).length;
  return { passed: count('pass'), warnings: count('warn'), failed: count('fail'), skipped: count('skip') };
}

/** `MARK  NAME  FOUND` by groups, a remedy below what is not well, then how many came out how. */
export function doctorLines(checks: readonly Check[], isQuiet: boolean, colors: Colors): string {
  const paints = { pass: colors.green, warn: colors.yellow, fail: colors.red, skip: colors.dim };
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const shown = isQuiet ? checks.filter(({ outcome }) => outcome === 'warn' || outcome === 'fail') : checks;
  const line = ({ outcome, name, found, remedy }: Check) =>
    `  ${paints[outcome](padded(words[outcome], 4))}  ${padded(name, width)}  ${printableLine(found)}\n` +
    (remedy === undefined ? '' : `        ${colors.dim(printableLine(remedy))}\n`);
  const groups = checkGroups.flatMap((group) => {
    const lines = shown.filter((check) => check.group === group).map(line);
    return lines.length === 0 ? [] : [`${colors.bold(group)}\n${lines.join('')}\n`];
  });
  return groups.join('') + summaryLine(summaryOf(checks));
}

function summaryLine({ passed, warnings, failed, skipped }: ReturnType<typeof summaryOf>): string {
  const rest = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${passed} passed, ${counted(warnings, 'warning')}, ${failed} failed${rest}\n`;
}

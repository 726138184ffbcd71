// Problems, warnings and notices as lines for people.

import { type Warning, warningSentence } from '../document/warning.ts';
import { type Problem, sentenceOf } from '../problem.ts';
import type { Colors } from './colors.ts';
import { printableLine } from './terminal-text.ts';

/** `error: what is wrong`, and what to do, on a line of its own. */
export function problemLines(problem: Problem, colors: Colors): string {
  const { what, remedy } = sentenceOf(problem);
  return `${colors.red('error:')} ${printableLine(what)}\n  ${colors.dim(printableLine(remedy))}\n`;
}

/** What is waited for, since it may pass. */
export function waitingLine(problem: Problem): string {
  return `waiting: ${printableLine(sentenceOf(problem).what)}\n`;
}

/** `warning: PATH/SKILL.md:LINE:COLUMN what was read leniently`. */
export function warningLine(path: string, warning: Warning, colors: Colors): string {
  const place = [warning.line, warning.column].filter((part) => part !== undefined).map((part) => `:${part}`);
  const where = printableLine(`${path}/SKILL.md${place.join('')}`);
  return `${colors.yellow('warning:')} ${where} ${printableLine(warningSentence(warning))}\n`;
}

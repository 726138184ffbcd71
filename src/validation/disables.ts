// Comments in a body by which a document disables rules for its skill: `<!-- skill-fleet-disable RULE: reason -->`.

import { proseLines } from '../document/body.ts';
import type { Mark } from './finding.ts';
import { isRuleName, nearestRule, type RuleName } from './rules.ts';
import type { CheckedDocument } from './subject.ts';

const opening = '<!-- skill-fleet-disable';
const closing = '-->';

/** A rule that a document disables, and where it says so. */
export interface Disable {
  readonly rule: RuleName;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The rules that a document disables, and what is wrong with the comments that do. */
export function disablesOf({ file, split, bodyLine }: CheckedDocument): {
  readonly disables: readonly Disable[];
  readonly marks: readonly Mark[];
} {
  const disables: Disable[] = [];
  const marks: Mark[] = [];
  if (!split.body.includes(opening)) return { disables, marks };
  for (const [index, line] of proseLines(split.body).entries()) {
    let start = line.indexOf(opening);
    while (start !== -1) {
      const end = line.indexOf(closing, start);
      if (end === -1) break;
      const at = { file, line: bodyLine + index, column: start + 1 };
      const [text = '', ...reason] = line.slice(start + opening.length, end).split(':');
      const rule = text.trim();
      if (isRuleName(rule)) disables.push({ rule, ...at });
      else marks.push({ rule: 'disable-unknown-rule', ...at, text: rule, nearest: nearestRule(rule) });
      if (reason.join(':').trim() === '') marks.push({ rule: 'disable-without-reason', ...at, text: rule });
      start = line.indexOf(opening, end);
    }
  }
  return { disables, marks };
}

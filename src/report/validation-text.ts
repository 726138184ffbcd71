// What validate found, as lines for people: by file, then a sentence that counts.

import { type Finding, pageOf } from '../validation/finding.ts';
import type { RuleName, Severity } from '../validation/rules.ts';
import type { Colors } from './colors.ts';
import { counted } from './counted.ts';
import type { SentFindings } from './sync-report.ts';
import { printableLine } from './terminal-text.ts';

/** A finding, and where its file is from the working directory. */
export interface PlacedFinding {
  readonly finding: Finding;
  readonly place: string;
}

/** How many findings there are of each severity, and in how many skills they were looked for. */
export interface Count {
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  /** Those of them that `--fix` mends. */
  readonly fixable: number;
  readonly skills: number;
}

const paints: Readonly<Record<Severity, 'red' | 'yellow' | 'dim'>> = {
  error: 'red',
  warn: 'yellow',
  info: 'dim',
};

/** Writes findings that come file by file. What to do is said once for each rule. */
export class FindingLines {
  readonly #colors: Colors;
  readonly #explained = new Set<RuleName>();

  constructor(colors: Colors) {
    this.#colors = colors;
  }

  /** A heading for each file, and below it `LINE:COLUMN  SEVERITY  what  rule`. */
  lines(findings: readonly PlacedFinding[]): string {
    const groups = new Map<string, Finding[]>();
    for (const { finding, place } of findings) {
      const group = groups.get(place);
      if (group === undefined) groups.set(place, [finding]);
      else group.push(finding);
    }
    return [...groups].map(([place, group]) => this.#group(place, group)).join('');
  }

  #group(place: string, findings: readonly Finding[]): string {
    const width = Math.max(...findings.map((finding) => spotOf(finding).length));
    const lines = findings.map((finding) => this.#line(finding, width));
    return `${this.#colors.bold(printableLine(place))}\n${lines.join('')}\n`;
  }

  #line(finding: Finding, width: number): string {
    const { severity, rule, what, remedy } = finding;
    const head = `  ${spotOf(finding).padEnd(width)}  ${this.#colors[paints[severity]](severity.padEnd(5))}`;
    const line = `${head}  ${printableLine(what)}  ${this.#colors.dim(rule)}\n`;
    if (this.#explained.has(rule)) return line;
    this.#explained.add(rule);
    const margin = ' '.repeat(2 + width + 2 + 5 + 2);
    return `${line}${margin}${this.#colors.dim(`${remedy} ${pageOf(rule)}`)}\n`;
  }
}

function spotOf({ line, column }: Finding): string {
  return line === undefined ? '-' : `${line}:${column ?? 1}`;
}

/** `N errors, N warnings in N skills`. */
export function countLine({ errors, warnings, infos, skills }: Count): string {
  const notes = infos === 0 ? '' : `; ${counted(infos, 'note')}`;
  return `${counted(errors, 'error')}, ${counted(warnings, 'warning')} in ${counted(skills, 'skill')}${notes}\n`;
}

/** How many `--fix` mends, where it mends any. */
export function fixableLine({ fixable }: Count): string {
  return fixable === 0 ? '' : `${fixable} of them can be mended with --fix\n`;
}

/** Findings of an export that are shown. */
const maxShown = 10;

/** What is found in the skills that an export sends, in few lines; none where that is nothing. */
export function sentFindingLines({
  target,
  skills,
  found,
  errors,
  warnings,
  findings,
  command,
}: SentFindings): string {
  if (found === 0) return '';
  const shown = findings.slice(0, maxShown).map(({ finding, place }) => {
    const { severity, what, rule, line } = finding;
    const where = line === undefined ? place : `${place}:${spotOf(finding)}`;
    return `note: ${printableLine(where)} ${severity}: ${printableLine(what)} (${rule})\n`;
  });
  const counts = `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
  const all = counted(skills, 'skill');
  return `${shown.join('')}note: ${counts} in ${found} of ${all} of this export, by the rules for ${target}; all of them: skill-fleet ${command}\n`;
}

/** A finding for programs: all of it, with its place and the page of its rule. */
export function findingJson({ finding, place }: PlacedFinding) {
  const { rule, severity, skill, line, column, what, remedy, fixable } = finding;
  return { rule, severity, skill, file: place, line, column, what, remedy, fixable, page: pageOf(rule) };
}

// What `validate --fix` mended, or would mend, for people and for programs.

import type { Problem } from '../problem.ts';
import { isDocumentName, makeSkill, type Skill } from '../skill/skill.ts';
import { counted } from './counted.ts';
import { diffLines } from './diff-text.ts';
import { problemJson } from './json.ts';
import type { Output } from './output.ts';
import { problemLines } from './problem-text.ts';
import { diffFiles, diffText, type FileDiff, type Length } from './skill-diff.ts';
import { printableLine } from './terminal-text.ts';
import { findingJson, type PlacedFinding } from './validation-text.ts';

/** A skill as it was and as it is mended, and what was found in it. */
export interface MendedSkill {
  /** Its folder, from the working directory. */
  readonly place: string;
  readonly before: Skill;
  readonly after: Skill;
  readonly fixed: readonly PlacedFinding[];
}

export interface FixReportOptions {
  readonly isDryRun: boolean;
  /** Whether it is said as it comes, in text. */
  readonly isText: boolean;
  readonly quiet: boolean;
  readonly length: Length;
}

const names = { before: 'files', after: 'fixed' };

export class FixReport {
  readonly #output: Output;
  readonly #options: FixReportOptions;
  readonly #fixed: PlacedFinding[] = [];
  readonly #diffs: { readonly skill: string; readonly diff: string }[] = [];
  readonly #problems: Problem[] = [];
  #skills = 0;
  #count = 0;

  constructor(output: Output, options: FixReportOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Whether something was not written that was to be. */
  get hasFailed(): boolean {
    return this.#problems.length > 0;
  }

  mended(skill: MendedSkill): void {
    const { isDryRun, isText, quiet, length } = this.#options;
    this.#skills++;
    this.#count += skill.fixed.length;
    if (!isText) {
      this.#fixed.push(...skill.fixed);
      if (isDryRun) this.#diffs.push({ skill: skill.after.path, diff: differenceOf(skill, 'whole') });
      return;
    }
    if (isDryRun || !quiet) this.#output.result(this.#headLine(skill));
    if (isDryRun) this.#output.result(`${diffLines(differenceOf(skill, length), this.#output.colors)}\n`);
  }

  failed(problem: Problem): void {
    // One that stops all that follow comes with each of them.
    if (this.#problems.includes(problem)) return;
    this.#problems.push(problem);
    if (this.#options.isText) this.#output.notice(problemLines(problem, this.#output.colors));
  }

  /** The last line. */
  summary(): string {
    const what = `${this.#count} in ${counted(this.#skills, 'skill')}`;
    return this.#options.isDryRun
      ? `Dry run, nothing was changed: --fix would mend ${what}\n`
      : `${what} mended\n`;
  }

  json() {
    const { isDryRun } = this.#options;
    return {
      dryRun: isDryRun,
      skills: this.#skills,
      fixed: this.#fixed.map(findingJson),
      ...(isDryRun && { diffs: this.#diffs }),
      problems: this.#problems.map(problemJson),
    };
  }

  /** `mended PLACE: rule, another (2)`. */
  #headLine({ place, fixed }: MendedSkill): string {
    const { bold, dim } = this.#output.colors;
    const counts = new Map<string, number>();
    for (const { finding } of fixed) counts.set(finding.rule, (counts.get(finding.rule) ?? 0) + 1);
    const rules = [...counts].map(([rule, count]) => (count === 1 ? rule : `${rule} (${count})`));
    const verb = this.#options.isDryRun ? 'would mend' : 'mended';
    return `${verb} ${bold(printableLine(place))}: ${dim(rules.join(', '))}\n`;
  }
}

/** The unified diff of a skill; of a document that is called otherwise what differs in its text. */
function differenceOf({ before, after }: MendedSkill, length: Length): string {
  const [was, is] = [before, after].map(({ entries }) => entries.find(({ path }) => isDocumentName(path)));
  const renamed =
    was === undefined || is === undefined || was.path === is.path || after.entries.includes(was)
      ? undefined
      : { from: was.path, to: is.path };
  const renaming =
    renamed === undefined
      ? ''
      : `rename from ${names.before}/${before.path}/${renamed.from}\nrename to ${names.after}/${after.path}/${renamed.to}\n`;
  const old = before.entries.map((entry) =>
    entry.path === renamed?.from ? { ...entry, path: renamed.to } : entry,
  );
  const diffs = diffFiles(makeSkill(before.path, old), after, names);
  return (
    renaming +
    diffText(
      diffs.map((diff) => namingFile(diff, after)),
      length,
    )
  );
}

/** A mode that alone differs is said without the file. */
function namingFile(diff: FileDiff, { path }: Skill): FileDiff {
  const isModeAlone = diff.added + diff.removed === 0 && diff.notes.join() === 'executable';
  return isModeAlone ? { ...diff, text: `mode of ${names.after}/${path}/${diff.path}: executable\n` } : diff;
}

// Validation: start reading here. Skills come one by one and go; what the library's rules need of them stays.

import type { Problem } from '../problem.ts';
import { sentenceOf } from '../problem.ts';
import { compareBytes } from '../skill/path.ts';
import { bodyMarks, linkMarks } from './body-rules.ts';
import { type Disable, disablesOf } from './disables.ts';
import { fileMarks } from './files-rules.ts';
import { type Finding, findingOf, type Mark } from './finding.ts';
import { frontmatterMarks } from './frontmatter-rules.ts';
import { libraryMarks, libraryRules, type Summary, summaryOf } from './library-rules.ts';
import { type Judged, mend, mendedOf } from './mend.ts';
import type { Policy } from './policy.ts';
import type { RuleName } from './rules.ts';
import type { Subject } from './subject.ts';

/** What is known of a skill's surroundings, beside what it holds. */
export interface Surroundings {
  /** Which of its lost link targets are there all the same. */
  readonly standing: ReadonlySet<string>;
  /** Whether the file system tells which files are executable. */
  readonly keepsModes: boolean;
}

/** One library under validation. */
export class Validation {
  readonly #policy: Policy;
  /** What comes before a skill's path for the configuration, where only a part of a library is validated. */
  readonly #below: string;
  readonly #summaries: Summary[] = [];
  /** What each skill disables of the library's rules. */
  readonly #disables = new Map<string, readonly Disable[]>();

  constructor(policy: Policy, below = '') {
    this.#policy = policy;
    this.#below = below;
  }

  /** What is wrong with a skill by itself, and what of it can be mended. */
  skill(subject: Subject, around: Surroundings): readonly Finding[] {
    const { path, document } = subject;
    const later = disablesOf(document).disables.filter(({ rule }) => libraryRules.has(rule));
    if (later.length > 0) this.#disables.set(path, later);
    this.#summaries.push(summaryOf(subject, this.#policy.target));
    const judged = { subject, findings: this.#judge(subject, around) };
    const mended = new Set(mendedOf(judged, this.#mend(judged, around)));
    return judged.findings.map((finding) => ({ ...finding, fixable: mended.has(finding) }));
  }

  /**
   * A skill with what can be mended of what is wrong with it by itself, and which findings those were. It is not noted
   * for the library's rules.
   *
   * @param takes which findings are to be mended
   */
  mended(
    subject: Subject,
    around: Surroundings,
    takes: (finding: Finding) => boolean,
  ): { readonly subject: Subject; readonly fixed: readonly Finding[] } {
    const judged = { subject, findings: this.#judge(subject, around) };
    const after = this.#mend(judged, around, takes);
    return { subject: after.subject, fixed: mendedOf(judged, after) };
  }

  /** What is no more than a note is nobody's wish to have rewritten. */
  #mend(judged: Judged, around: Surroundings, takes: (finding: Finding) => boolean = () => true): Judged {
    const isWanted = (finding: Finding) => finding.severity !== 'info' && takes(finding);
    return mend(judged, (subject) => this.#judge(subject, around), isWanted);
  }

  #judge(subject: Subject, { standing, keepsModes }: Surroundings): readonly Finding[] {
    const { disables, marks } = disablesOf(subject.document);
    const found = [
      ...frontmatterMarks(subject, this.#policy.target),
      ...bodyMarks(subject),
      ...linkMarks(subject, standing),
      ...fileMarks(subject, keepsModes),
    ];
    const now = disables.filter(({ rule }) => !libraryRules.has(rule));
    return this.#findings(subject.path, [...this.#enabled(subject.path, found, now, true), ...marks]);
  }

  /** What cannot be read, as a finding; none where its rule is off. */
  unreadable(path: string, problem: Problem): readonly Finding[] {
    const { what: text } = sentenceOf(problem);
    const { file, line, column } = problem as { file?: string; line?: number; column?: number };
    const rule = problem.reason === 'files-collide' ? 'names-collide' : 'skill-not-readable';
    return this.#findings(path, [{ rule, file, line, column, text }]);
  }

  /**
   * What is wrong with all skills together, once each has been seen.
   *
   * @param isWhole whether these are all skills of the library
   */
  library(isWhole: boolean): readonly Finding[] {
    const marks = new Map<string, Mark[]>();
    for (const path of this.#disables.keys()) marks.set(path, []);
    for (const { path, mark } of libraryMarks(this.#summaries, isWhole)) {
      const known = marks.get(path);
      if (known === undefined) marks.set(path, [mark]);
      else known.push(mark);
    }
    return [...marks]
      .sort(([a], [b]) => compareBytes(a, b))
      .flatMap(([path, found]) => {
        const disables = this.#disables.get(path) ?? [];
        return this.#findings(path, this.#enabled(path, found, disables, isWhole));
      });
  }

  /** The marks that nobody disables, and, where all rules were asked, one for each comment that disables nothing. */
  #enabled(
    path: string,
    marks: readonly Mark[],
    disables: readonly Disable[],
    asksUse: boolean,
  ): readonly Mark[] {
    if (disables.length === 0) return marks;
    const found = new Set<string>(marks.map(({ rule }) => rule));
    const disabled = new Set<string>(disables.map(({ rule }) => rule));
    const isUnused = (rule: RuleName) => !found.has(rule) && this.#settingOf(rule, path) !== 'off';
    const unused = asksUse ? disables.filter(({ rule }) => isUnused(rule)) : [];
    return [
      ...marks.filter(({ rule }) => !disabled.has(rule)),
      ...unused.map(({ rule, ...at }): Mark => ({ rule: 'disable-unused', ...at, text: rule })),
    ];
  }

  #settingOf(rule: RuleName, path: string) {
    return this.#policy.settingOf(rule, `${this.#below}${path}`);
  }

  /** By file, the document first, then by place. */
  #findings(path: string, marks: readonly Mark[]): readonly Finding[] {
    const findings = marks.flatMap((mark) => {
      const setting = this.#settingOf(mark.rule, path);
      return setting === 'off' ? [] : [findingOf(mark, path, setting)];
    });
    return findings.sort(
      (a, b) =>
        compareBytes(a.file ?? '', b.file ?? '') ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0) ||
        compareBytes(a.rule, b.rule),
    );
  }
}

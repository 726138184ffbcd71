// What a function of the library throws where nothing came of it.

import type { Problem } from './reports.ts';

/** Expected trouble that ended a call before it came to a report: a database that cannot be reached, say. */
export class SkillFleetError extends Error {
  override readonly name: string = 'SkillFleetError';
  /** What went wrong, the gravest first: at least one. */
  readonly problems: readonly Problem[];
  /** That of the first problem. */
  readonly reason: string;

  constructor(first: Problem, ...others: readonly Problem[]) {
    super(`${first.what}. ${first.remedy}`);
    this.problems = [first, ...others];
    this.reason = first.reason;
  }
}

// Every problem that can be reported: what it must say, and what to do about it, in one table.
//
// A problem is a value. Nothing throws what a caller must handle; an exception is a bug or a lost connection.

/** One problem in words: what is wrong and where, and what to do. */
export interface Sentence {
  readonly what: string;
  readonly remedy: string;
}

interface OfSkill {
  /** The skill's path as it was met, even where it is no valid skill path. */
  readonly path: string;
}

const reasons = {
  // ---- a run that cannot start ----
  'database-url-not-set': (_: { why: string }): Sentence => ({
    what: `DATABASE_URL not set: ${_.why}`,
    remedy: 'Set DATABASE_URL, pass --database-url, or name the embedded database: pglite:.skill-fleet/db.',
  }),
  'skills-directory-not-found': (_: { directory: string }): Sentence => ({
    what: `Skills directory not found: ${_.directory}`,
    remedy: 'Pass --skills-dir DIR, or set SKILLS_DIR.',
  }),

  // ---- one skill that cannot take part; the others go on ----
  'path-not-allowed': (_: OfSkill & { why: string }): Sentence => ({
    what: `${JSON.stringify(_.path)} is no skill path: ${_.why}`,
    remedy: 'Rename the folder, or correct skill_path in the database.',
  }),
  'file-path-not-allowed': (_: OfSkill & { file: string; why: string }): Sentence => ({
    what: `${JSON.stringify(_.file)} is no file path: ${_.why}`,
    remedy: 'Rename the file, or correct relative_path in the database.',
  }),
} satisfies Record<string, (details: never) => Sentence>;

type Reasons = typeof reasons;

/** What can go wrong: the discriminant of {@link Problem}. */
export type Reason = keyof Reasons;

/** Expected trouble, as a value: its `reason`, and what that reason's sentence needs. */
export type Problem<R extends Reason = Reason> = {
  [K in R]: { readonly reason: K } & Readonly<Parameters<Reasons[K]>[0]>;
}[R];

/** A value, or the problem that stands in its way. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export function refuse(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem };
}

/** The problem in words. */
export function sentenceOf(problem: Problem): Sentence {
  // Each table entry takes just its own reason's details, which the compiler cannot follow through the index.
  return (reasons[problem.reason] as (details: Problem) => Sentence)(problem);
}

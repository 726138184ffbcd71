// What a skill may measure. More is a problem of that skill, so that no folder can exhaust the memory.

/** Bounds on what is read; each breach names its key. */
export interface Limits {
  /** Bytes of a SKILL.md. */
  readonly documentBytes: number;
  /** Bytes of any one file. */
  readonly fileBytes: number;
  /** Bytes of all the files of one skill. */
  readonly skillBytes: number;
  readonly filesPerSkill: number;
  /** Folders below one another, from the skills directory down. */
  readonly depth: number;
  /** Files and folders in the whole skills directory, ignored ones and those of no skill included. */
  readonly entries: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: Limits = {
  documentBytes: 4 * MiB,
  fileBytes: 50 * MiB,
  skillBytes: 200 * MiB,
  filesPerSkill: 20_000,
  depth: 64,
  entries: 1_000_000,
};

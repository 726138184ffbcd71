// What the library's functions give: the values that the commands print with --json, as types.
//
// They are declared here by themselves, so that a program's compiler needs nothing else. A test holds them to the schema.

/** A skill's folder, relative to the skills directory, with `/` on every system. */
type SkillPath = string;

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Expected trouble: docs/troubleshooting.md has each. */
export interface Problem {
  /** What went wrong, in one word that stays the same. */
  readonly reason: string;
  /** What went wrong, for people. */
  readonly what: string;
  /** What to do, for people. */
  readonly remedy: string;
  /** What the reason tells beside: `path`, `file`, `line` and others. */
  readonly [detail: string]: unknown;
}

/** What is no problem, and worth knowing. */
export interface Notice {
  readonly notice: string;
  readonly [detail: string]: unknown;
}

/** What a rule found. */
export interface Finding {
  readonly rule: string;
  readonly severity: 'error' | 'warn' | 'info';
  readonly skill: SkillPath;
  /** As its directory was named, absolute where that was relative to another `cwd`; the folder where it is of no file. */
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  /** From 1, in UTF-16 units. */
  readonly column?: number;
  readonly what: string;
  readonly remedy: string;
  /** Whether `validate --fix` mends it. */
  readonly fixable: boolean;
  /** The rule's page in the documentation. */
  readonly page: string;
}

/** Whom skills are for. */
export type Target = 'spec' | 'skill-fleet' | 'claude-code' | 'claude-api' | 'codex' | 'copilot' | 'openclaw';

/** What `validate` gives. */
export interface ValidationReport {
  readonly version: 1;
  readonly target: Target;
  /** How many skills were looked at. */
  readonly skills: number;
  readonly findings: readonly Finding[];
  readonly summary: {
    readonly errors: number;
    readonly warnings: number;
    readonly infos: number;
    readonly fixable: number;
  };
  /** Why it ended early. */
  readonly problems?: readonly Problem[];
  /** 0 where there are no errors. */
  readonly exitCode: number;
}

/** One change of one skill on one side: what is to be done, or was. */
export interface Change {
  readonly path: SkillPath;
  /** Where it stands before, if elsewhere. */
  readonly from?: SkillPath;
  readonly side: 'files' | 'database';
  readonly operation: 'create' | 'update' | 'rename' | 'archive' | 'write' | 'remove';
  readonly why: string;
  /** The digests before and after; null is nothing. */
  readonly before: string | null;
  readonly after: string | null;
  readonly category?: { readonly path: string; readonly reason: string; readonly creates: boolean } | null;
  readonly warnings?: readonly {
    readonly code: string;
    readonly what: string;
    readonly [detail: string]: unknown;
  }[];
  /** Of a dry run: what would change beside the text. */
  readonly relations?: readonly {
    readonly relation: string;
    readonly added: readonly string[];
    readonly removed: readonly string[];
  }[];
  /** Of a dry run: a unified diff; long ones are folded. */
  readonly diff?: string;
  /** Of a real run. */
  readonly outcome?: 'success' | 'failed';
  /** The revision under which the history holds what was replaced. */
  readonly kept?: number;
}

interface Lines {
  readonly line: number;
  readonly text: string;
}

type FileFacts = { readonly bytes: number; readonly executable: boolean } | null;

/** A place where both edits do not go together. */
export type Region =
  | {
      readonly part: 'body';
      readonly file: string;
      readonly base: Lines;
      readonly files: Lines;
      readonly database: Lines;
    }
  | {
      readonly part: 'value';
      readonly file: string;
      readonly key: string;
      readonly base: Json;
      readonly files: Json;
      readonly database: Json;
    }
  | {
      readonly part: 'file';
      readonly file: string;
      readonly base: FileFacts;
      readonly files: FileFacts;
      readonly database: FileFacts;
    }
  | { readonly part: 'frontmatter'; readonly file: string }
  | { readonly part: 'name'; readonly file: string; readonly other: string };

/** Both sides left what they last agreed on, and nobody decided. */
export interface Conflict {
  readonly path: SkillPath;
  readonly renamed?: { readonly from: SkillPath; readonly files: SkillPath; readonly database: SkillPath };
  readonly why: 'both-edited' | 'edited-and-deleted' | 'both-renamed' | 'no-base' | 'waits' | 'moved-on';
  /** Why neither side won by being newer. */
  readonly undecided?: 'same-time' | 'time-unknown';
  readonly files: string | null;
  readonly database: string | null;
  readonly regions?: readonly Region[];
  readonly diff?: string;
}

/** How many skills a plan is about. */
export interface PlanCounts {
  readonly create: number;
  readonly update: number;
  readonly rename: number;
  /** Deleted in the database. */
  readonly archive: number;
  readonly write: number;
  /** Removed from the files. */
  readonly remove: number;
  readonly conflicts: number;
  readonly holds: number;
  readonly ahead: number;
  readonly unchanged: number;
  readonly problems: number;
}

/** What a sync did, or with `dryRun` would do. */
export interface SyncReport {
  readonly version: 1;
  readonly command: 'sync-db' | 'export-to-db' | 'import-from-db' | 'undo' | 'apply' | 'resolve';
  readonly dryRun: boolean;
  readonly skillsDirectory: string;
  /** Where it is; no user and no password. */
  readonly database: string;
  /** Migrations that were applied, or would be. */
  readonly migrations: readonly string[];
  readonly summary: PlanCounts & { readonly done: number };
  /** The number of the run; none where it wrote nothing. */
  readonly run?: number;
  readonly plan?: string;
  readonly undoes?: number;
  readonly next?: PlanCounts;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** What waits until it is asked for. */
  readonly holds: readonly {
    readonly path: SkillPath;
    readonly side: 'files' | 'database';
    readonly why: 'deletion' | 'perhaps-moved';
  }[];
  /** What the other side is ahead in, which a run in one direction leaves. */
  readonly ahead: readonly {
    readonly path: SkillPath;
    readonly side: 'files' | 'database';
    readonly from?: SkillPath;
  }[];
  /** What the rules find in the skills that an export sends. */
  readonly validation?: {
    readonly level: 'warn' | 'error';
    readonly target: Target;
    readonly skills: number;
    readonly summary: { readonly errors: number; readonly warnings: number };
    readonly findings: readonly Finding[];
    readonly command: string;
  };
  readonly notices: readonly Notice[];
  /** What could not be done; the rest was. */
  readonly problems: readonly Problem[];
  /** 0 done, 1 something failed, 3 conflicts left undecided. */
  readonly exitCode: number;
}

/** A past run. */
export interface RunEnd {
  readonly run: number;
  readonly direction: 'export' | 'import' | 'sync' | 'restore' | 'undo';
  readonly who: string;
  readonly host: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly outcome: 'running' | 'success' | 'failed';
  readonly error: string | null;
}

/** How both sides stand. */
export interface StatusReport {
  readonly version: 1;
  readonly skillsDirectory: string;
  /** Where it is; no user and no password. */
  readonly database: string;
  /** Skills that both sides hold alike. */
  readonly synced: number;
  /** Skills that a sync would change or leave undecided. */
  readonly pending: number;
  /** Skills that a problem of theirs keeps from taking part. */
  readonly failed: number;
  /** Places that could not be read. */
  readonly unknown: number;
  readonly total: number;
  /** Of the last ten runs. */
  readonly recentFailures: number;
  readonly healthy: boolean;
  /** Why it is not healthy. */
  readonly faults: readonly string[];
  readonly aheadHere: readonly SkillPath[];
  readonly aheadThere: readonly SkillPath[];
  readonly conflicts: readonly SkillPath[];
  readonly held: readonly SkillPath[];
  /** Rows left out by their status. */
  readonly leftOut: { readonly [status: string]: number };
  readonly failedPaths: readonly SkillPath[];
  readonly unknownPaths: readonly string[];
  readonly uncategorized: number;
  readonly lastRun: RunEnd | null;
  readonly lastGoodRun: RunEnd | null;
  /** Commands. */
  readonly next: readonly string[];
  readonly problems: readonly Problem[];
  /** 0, or 1 where something could not be read. */
  readonly exitCode: number;
}

/** A file of a skill. */
export interface SkillFile {
  /** Relative to the skill's folder. */
  readonly path: string;
  readonly executable: boolean;
  readonly bytes: Uint8Array;
}

/** A skill that was read. */
export interface StandingSkill {
  readonly path: SkillPath;
  /** That of the folder, where the document says none. */
  readonly name: string;
  /** The first paragraph, where the document has no frontmatter. */
  readonly description: string;
  /** What the frontmatter says, key by key; empty where there is none. */
  readonly frontmatter: { readonly [key: string]: Json };
  /** All that precedes the body, as it stands. Before the body it is the document's text. */
  readonly frontmatterSource: string;
  readonly body: string;
  /** All files, `SKILL.md` among them. */
  readonly files: readonly SkillFile[];
  /** SHA-256 of its files, as both sides of a sync know it. */
  readonly digest: string;
  readonly problem?: undefined;
}

/** A skill that cannot be read. */
export interface UnreadableSkill {
  readonly path: string;
  readonly problem: Problem;
}

/** What `readSkills` gives: `problem` tells them apart. */
export type ReadSkill = StandingSkill | UnreadableSkill;

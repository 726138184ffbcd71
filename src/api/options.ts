// The options of the library's functions: the flags of the commands, by their names in camel case. No default is here.

import type { Target } from './reports.ts';

/** `AbortSignal`, for programs whose compiler knows one. */
type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S : never;

/** Options of all functions. */
export interface ReadOptions {
  /** Where relative paths begin, and the project's configuration is looked for. Default: the working directory. */
  readonly cwd?: string | undefined;
  /** The configuration file. Default: the project's `skill-fleet.config.yaml`, `.yml` or `.json`. */
  readonly config?: string | undefined;
  /** Ends it early: what is under way is finished or rolled back. */
  readonly signal?: Signal | undefined;
}

/** Options of `validate`. */
export interface ValidateOptions extends ReadOptions {
  /** Default: the configuration's, else `spec`. */
  readonly target?: Target | undefined;
}

/** The two sides. */
export interface SidesOptions extends ReadOptions {
  /** `postgres://…`, or `pglite:DIR` for an embedded database. No variable and no `.env` is asked for it. */
  readonly databaseUrl: string;
  /** The folder that holds the skills. Default: the configuration's, else `skills`. */
  readonly skillsDir?: string | undefined;
  /** Seconds, as the two below. Default: 10. */
  readonly connectTimeout?: number | undefined;
  /** For other runs and writers. Default: 60. */
  readonly lockTimeout?: number | undefined;
  readonly statementTimeout?: number | undefined;
}

/** Options of the three functions that sync. */
export interface SyncOptions extends SidesOptions {
  /** Gives the plan, and changes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Globs: only skills at these paths. */
  readonly skillPath?: readonly string[] | undefined;
  /** Overwrites what the other side gained; it is stored in the history first. */
  readonly force?: boolean | undefined;
  /** Carries out deletions, which are held otherwise. */
  readonly delete?: boolean | undefined;
  /** Refuses from the fourth deletion on, above this part of a side. Percent; default: 25. */
  readonly maxDelete?: number | undefined;
  /** Goes past the guards against accidents. */
  readonly yes?: boolean | undefined;
}

/** Which rows take part. */
export type StatusFilter = 'active' | 'draft' | 'deprecated' | 'archived' | 'all';

/** Options of `exportToDb`. */
export interface ExportOptions extends SyncOptions {
  /** What becomes of skills that the rules find something in. Default: the configuration's, else `warn`. */
  readonly validate?: 'off' | 'warn' | 'error' | undefined;
}

/** Options of `importFromDb`. */
export interface ImportOptions extends SyncOptions {
  readonly status?: StatusFilter | undefined;
}

/** Options of `syncDb`. */
export interface SyncDbOptions extends ImportOptions {
  /** Who wins where both sides were edited. Default: `newest`; what loses is stored first. */
  readonly onConflict?: 'newest' | 'local' | 'database' | 'merge' | 'fail' | undefined;
}

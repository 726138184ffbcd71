// What a syncing command tells while it goes: one interface, rendered for people or for programs.

import type { Notice } from '../notice.ts';
import type { Problem } from '../problem.ts';
import type { Plan, PlannedChange, Preview } from '../reconcile/plan.ts';
import type { Result } from '../replica.ts';
import type { ExportLevel, Target } from '../validation/rules.ts';
import type { PlacedFinding } from './validation-text.ts';

/** Between what a run goes, and whether it writes. */
export interface RunFacts {
  readonly skillsDirectory: string;
  /** The database in words that hold no secret. */
  readonly database: string;
  readonly isEmbeddedByDefault: boolean;
  /** The file that names the database, where neither a flag nor the environment does. */
  readonly databaseNamedBy?: string;
  /** Where the skills directory leads out of the project, and no flag or variable said so: where to, and who does. */
  readonly outside?: { readonly directory: string; readonly project: string; readonly namedBy: string };
  readonly isDryRun: boolean;
  /** Migrations that this run applied, or that a real run would. */
  readonly migrations: readonly string[];
}

/** Listens to a run. Each method is called in the order of this list, `preview` or `result` once an item. */
export interface SyncReport {
  /** Another run, named in words, holds the skills directory; said before the start, where there is one to wait for. */
  waiting(holder: string): void;
  start(facts: RunFacts): void;
  notice(notice: Notice): void;
  /** The base was not used, for this reason. */
  baseSetAside(why: string): void;
  preview(preview: Preview): void;
  result(result: Result<PlannedChange>): void;
  /** What the rules find in the skills that the run sends, or would; said where it sends any. */
  validated(found: SentFindings): void;
  end(ended: Ended): void;
}

/** What the rules find in skills that are sent. */
export interface SentFindings {
  readonly level: ExportLevel;
  readonly target: Target;
  /** How many skills were looked at, and in how many of them something was found. */
  readonly skills: number;
  readonly found: number;
  readonly errors: number;
  readonly warnings: number;
  /** The first of them, errors before warnings. */
  readonly findings: readonly PlacedFinding[];
  /** What shows all. */
  readonly command: string;
}

/** How a run ended. */
export interface Ended {
  readonly plan: Plan;
  /** What was done of it. */
  readonly done: readonly PlannedChange[];
  /** All that went wrong. */
  readonly problems: readonly Problem[];
  readonly exitCode: number;
  /** The number of the run; none where it wrote nothing. */
  readonly run?: number;
  /** What carries out the plan of a dry run, as the command line has it. */
  readonly command: string;
  /** The file that the plan is saved as. */
  readonly savedAs?: string;
  /** What the next sync would do, where that is to be said. */
  readonly next?: Plan;
}

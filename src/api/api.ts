// skill-fleet for programs: what the commands do, without a process of its own. docs/reference/api.md tells of it.
//
// Each call does what its command does, and gives what that prints with --json. Code is loaded with the first call.

import type { GlobalFlags } from '../commands/command.ts';
import type { Direction } from '../replica.ts';
import { checkOptions } from './check-options.ts';
import { SkillFleetError } from './error.ts';
import { checkDatabaseUrl, Guest, inTurn } from './guest.ts';
import type {
  ExportOptions,
  ImportOptions,
  ReadOptions,
  SidesOptions,
  SyncDbOptions,
  SyncOptions,
  ValidateOptions,
} from './options.ts';
import type { ReadSkill, StatusReport, SyncReport, ValidationReport } from './reports.ts';

export type * from './options.ts';
export type * from './reports.ts';
export { SkillFleetError };

/**
 * Reads the skills in a directory, one after another, each whole; one that cannot be read comes with its `problem`. The
 * directory may be a skill itself.
 *
 * @throws SkillFleetError where the directory or the configuration cannot be read
 */
export async function* readSkills(
  directory: string,
  options: ReadOptions = {},
): AsyncGenerator<ReadSkill, void> {
  checkOptions('readSkills', options);
  const guest = new Guest(options);
  const { readSkillsIn } = await import('./read-skills.ts');
  yield* readSkillsIn(guest, guest.placeOf(directory), options);
}

/**
 * Holds the skills in a directory, or the one that it is, to the rules: `validate DIR --json`.
 *
 * @throws SkillFleetError where the directory or the configuration cannot be read
 */
export async function validate(directory: string, options: ValidateOptions = {}): Promise<ValidationReport> {
  checkOptions('validate', options);
  const guest = new Guest(options);
  const { runValidate } = await import('../commands/validate.ts');
  return guest.report((flags) =>
    runValidate({ ...flags, ...flagsOf(options) }, [guest.placeOf(directory)], guest.host),
  );
}

/**
 * How the files and the database stand: `status --json`. Changes nothing.
 *
 * @throws SkillFleetError where nobody can tell: the database cannot be reached, say
 */
export async function status(options: SidesOptions): Promise<StatusReport> {
  checkOptions('status', options);
  checkDatabaseUrl(options.databaseUrl);
  const guest = new Guest(options);
  const { runStatus } = await import('../commands/status.ts');
  return inTurn(guest, options.databaseUrl, () =>
    guest.report((flags) => runStatus({ ...flags, ...flagsOf(options) }, guest.host)),
  );
}

/**
 * Carries changes both ways: `sync-db --json`. What could not be done of it stands in the report's `problems`.
 *
 * @throws SkillFleetError where it did not begin: the database cannot be reached, say
 */
export function syncDb(options: SyncDbOptions): Promise<SyncReport> {
  return sync('syncDb', 'sync', options);
}

/** Carries the files' changes to the database: `export-to-db --json`. Otherwise as {@link syncDb}. */
export function exportToDb(options: ExportOptions): Promise<SyncReport> {
  return sync('exportToDb', 'export', options);
}

/** Carries the database's changes to the files: `import-from-db --json`. Otherwise as {@link syncDb}. */
export function importFromDb(options: ImportOptions): Promise<SyncReport> {
  return sync('importFromDb', 'import', options);
}

async function sync(
  name: 'syncDb' | 'exportToDb' | 'importFromDb',
  direction: Direction,
  options: SyncOptions,
): Promise<SyncReport> {
  checkOptions(name, options);
  checkDatabaseUrl(options.databaseUrl);
  const guest = new Guest(options);
  const { runSync } = await import('../commands/sync-command.ts');
  return inTurn(guest, options.databaseUrl, () =>
    guest.report((flags) => runSync(direction, { ...flags, ...flagsOf(options) }, guest.host)),
  );
}

/** The options that commands have as flags; one that is undefined is none. */
function flagsOf<O extends ReadOptions>({ cwd: _, signal: __, ...options }: O): GlobalFlags {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

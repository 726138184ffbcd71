// What the three syncing commands share: both sides opened, the work called, the report made.

import path from 'node:path';
import type { Config } from '../config/config.ts';
import type { Directory } from '../directory/directory.ts';
import { nodeDisk } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { ConflictPolicy, Plan, PlannedChange } from '../reconcile/plan.ts';
import type { DatabaseReplica, Direction } from '../replica.ts';
import { commandText, shellWord, type ToldFlags } from '../report/command-text.ts';
import { onGithub } from '../report/github.ts';
import { jsonReport } from '../report/sync-json.ts';
import type { RunFacts, SyncReport } from '../report/sync-report.ts';
import { type DiffForm, textReport } from '../report/sync-text.ts';
import type { DatabaseName } from '../repository/connection.ts';
import { standsAmongSkills } from '../repository/embedded.ts';
import type { OpenedDatabase } from '../repository/open.ts';
import { describeDatabase } from '../repository/sqlstate.ts';
import type { Status } from '../skill/status.ts';
import { isWithin } from '../state-directory.ts';
import type { SetAside } from '../sync/base.ts';
import { lockDirectory } from '../sync/directory-lock.ts';
import { previewPlan } from '../sync/preview.ts';
import { type Applied, runPlan } from '../sync/run.ts';
import type { PlanSaver } from '../sync/saved-plan.ts';
import { type Prepared, prepareSync, type SyncInput } from '../sync/sync.ts';
import type { ExportLevel } from '../validation/rules.ts';
import { programVersion } from '../version.ts';
import { type GlobalFlags, runCommand, type Surroundings } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';
import { exitCodeUnder } from './interruption.ts';
import { PathGlobs } from './path-globs.ts';
import type { SentValidation } from './sent-validation.ts';
import { openSide, openSkills, whoRuns, withDatabase } from './sides.ts';

/** Flags of the syncing commands. */
export interface SyncFlags extends GlobalFlags {
  readonly dryRun?: boolean;
  /** How much of what differs a dry run prints. */
  readonly diff?: DiffForm;
  /** Where a dry run's plan is saved. */
  readonly out?: string;
  readonly force?: boolean;
  readonly skillPath?: readonly string[];
  readonly delete?: boolean;
  /** Percent. */
  readonly maxDelete?: number;
  readonly yes?: boolean;
  readonly onConflict?: ConflictPolicy;
  readonly exitCode?: true | Pending;
  readonly status?: Status | 'all';
  readonly validate?: ExportLevel;
}

/** What counts as pending for `--exit-code`: anything, what the database is ahead in, or conflicts alone. */
type Pending = 'pending' | 'theirs' | 'conflicts';

/** Where no flag says otherwise: in percent, and in seconds. */
const defaults = { maxDelete: 25, lockTimeout: 60 };

const commandNames: { readonly [D in Direction]: string } = {
  export: 'export-to-db',
  import: 'import-from-db',
  sync: 'sync-db',
};

/** Both sides, opened, and who is told what happens between them. */
export interface Sides extends Pick<Surroundings, 'config' | 'signal' | 'output'> {
  readonly directory: Directory;
  readonly database: DatabaseReplica;
  readonly databaseName: DatabaseName;
  readonly report: SyncReport;
}

/** Runs a sync in one direction or both. Returns the exit code. */
export function runSync(direction: Direction, flags: SyncFlags, host?: Host): Promise<number> {
  const work = (sides: Sides) => syncSides(direction, flags, sides);
  return runOnSides(commandNames[direction], flags, work, undefined, host);
}

/**
 * Opens both sides and works on them, alone where it writes. Returns the exit code.
 *
 * @param whyNotAbsent what refuses a database that holds no library, before one is made there
 */
export function runOnSides(
  command: string,
  flags: SyncFlags,
  work: (sides: Sides) => Promise<Outcome<number>>,
  whyNotAbsent?: Problem,
  host?: Host,
): Promise<number> {
  const between = async (around: Surroundings): Promise<Outcome<number>> => {
    const { config, output, signal, host } = around;
    const directory = await openSkills(config);
    if (!directory.ok) return directory;
    const said = flags.json ? jsonReport(output, command) : textReport(output, flags);
    const report = onGithub(said, command, (flags.diff ?? 'full') === 'full', host.env);
    const workBetween = () => openDatabase(flags, around, directory.value, report, work, whyNotAbsent);
    if (flags.dryRun) return workBetween();
    const lock = await lockDirectory(
      nodeDisk,
      directory.value.root,
      (flags.lockTimeout ?? defaults.lockTimeout) * 1000,
      (holder) => report.waiting(holder),
      signal,
    );
    if (!lock.ok) return lock;
    try {
      return await workBetween();
    } finally {
      await lock.value.release();
    }
  };
  return runCommand(flags, flags.dryRun === true, between, host);
}

async function openDatabase(
  flags: SyncFlags,
  { config, output, signal, connecting }: Surroundings,
  directory: Directory,
  report: SyncReport,
  work: (sides: Sides) => Promise<Outcome<number>>,
  whyNotAbsent: Problem | undefined,
): Promise<Outcome<number>> {
  const open = (isDryRun: boolean) => openSide(config, connecting, directory.root, isDryRun);
  if (whyNotAbsent && !flags.dryRun) {
    const looked = await open(true);
    if (!looked.ok) return looked;
    if (looked.value.state === 'absent') return refuse(whyNotAbsent);
    await looked.value.connection.close();
  }
  const opened = await open(flags.dryRun === true);
  if (!opened.ok) return opened;
  return withDatabase(config, opened.value, async (databaseName, database) => {
    await startReport(report, config, directory, opened.value, databaseName, flags);
    if (!flags.dryRun) {
      const recovered = await directory.recover();
      if (!recovered.ok) return recovered;
      const emptied = await directory.emptyTrash(async () => (await database.changedAt([])).now);
      for (const notice of [...recovered.value, ...emptied]) report.notice(notice);
    }
    const sides = { config, output, signal, directory, database, databaseName, report };
    return flags.dryRun ? database.inView(() => work(sides)) : work(sides);
  });
}

async function startReport(
  report: SyncReport,
  config: Config,
  directory: Directory,
  opened: OpenedDatabase,
  name: DatabaseName,
  flags: SyncFlags,
): Promise<void> {
  const { database, skillsDirectory } = config;
  const outside = await whereOutside(config, directory.root);
  report.start({
    skillsDirectory,
    database: describeDatabase(name),
    isEmbeddedByDefault: database.kind === 'embedded' && database.chosen === 'default',
    ...(database.source.kind === 'env-file' && { databaseNamedBy: database.source.name }),
    ...(outside && { outside }),
    isDryRun: flags.dryRun === true,
    migrations: opened.state === 'ready' ? opened.migrated : opened.pending,
  });
}

/** Undefined where the skills stand in the project, or who runs this said themselves where they do. */
async function whereOutside(
  { projectRoot, skillsDirectory, sources: { skillsDirectory: source } }: Config,
  directory: string,
): Promise<RunFacts['outside']> {
  if (source.kind === 'flag' || source.kind === 'environment') return undefined;
  const project = await nodeDisk.realpath(projectRoot);
  if (isWithin(directory, project)) return undefined;
  return {
    directory,
    project,
    namedBy: source.kind === 'default' ? `the link ${skillsDirectory}` : source.name,
  };
}

const setAsideTexts: { readonly [why in SetAside]: string } = {
  damaged: 'what both sides last agreed on cannot be read',
  'newer-version': 'what both sides last agreed on was kept by a newer skill-fleet',
  'other-database': 'this directory was last synced with this database at another host or by another name',
  'database-restored':
    'the database has lost revisions since both sides last agreed: it was restored, or branched',
  'other-repository': 'both sides last agreed when another repository stood here',
  'other-checkout': 'both sides last agreed at a commit that does not come before this one',
};

/** What a run is made of, by the flags that the commands between the sides share. */
export function inputOf(
  direction: Direction,
  flags: SyncFlags,
  { config, directory, database, databaseName, signal, output }: Sides,
  globs: PathGlobs,
): SyncInput {
  return {
    run: { direction, ...whoRuns(), directory: directory.root },
    files: directory,
    database,
    databaseName,
    disk: nodeDisk,
    stateDirectory: config.stateDirectory,
    selects: (path) => globs.select(path),
    statuses: statusFilter(flags.status),
    policy: {
      force: flags.force === true,
      deletes: flags.delete === true,
      maxDelete: flags.maxDelete ?? defaults.maxDelete,
      yes: flags.yes === true,
      onConflict: direction === 'sync' ? (flags.onConflict ?? 'newest') : 'edits',
    },
    signal,
    ...(output.progress && { onProgress: output.progress }),
  };
}

async function syncSides(direction: Direction, flags: SyncFlags, sides: Sides): Promise<Outcome<number>> {
  const globs = new PathGlobs(flags.skillPath ?? []);
  const input = inputOf(direction, flags, sides, globs);
  const prepared = await prepareSync(input);
  const validation = direction === 'export' ? await validationOf(flags, sides, prepared) : undefined;
  const run = () => runPlan(validation ? { ...input, onSend: validation.onSend } : input, prepared);
  const command = commandNames[direction];
  return {
    ok: true,
    value: await carryOut({
      flags,
      sides,
      input,
      prepared,
      globs,
      command,
      run,
      ...(validation && { validation }),
    }),
  };
}

/** What looks at the skills that an export sends, where it sends any; what that takes is loaded here. */
async function validationOf(
  flags: SyncFlags,
  { config, directory }: Sides,
  { plan }: Prepared,
): Promise<SentValidation | undefined> {
  const level = flags.validate ?? config.validation.export ?? 'warn';
  if (level === 'off' || plan.changes.length === 0) return undefined;
  const { SentValidation } = await import('./sent-validation.ts');
  return new SentValidation(level, config, flags, directory.root);
}

/** A plan, and what showing it or carrying it out takes. */
export interface Work {
  readonly flags: SyncFlags;
  readonly sides: Sides;
  readonly input: SyncInput;
  readonly prepared: Prepared;
  readonly globs: PathGlobs;
  /** The command, without its flags. */
  readonly command: string;
  /** Carries it out. */
  readonly run: () => Promise<Applied>;
  /** What the next sync would do, where that is to be said. */
  readonly planNext?: () => Promise<Plan>;
  /** Where the plan was read from, if it was saved. */
  readonly planFile?: string;
  /** Looks at what is sent. */
  readonly validation?: SentValidation;
}

/** Shows a plan or carries it out, and says what became of it. Returns the exit code. */
export async function carryOut({
  flags,
  sides: { database, directory, report, signal },
  input,
  prepared,
  globs,
  command,
  run,
  planNext,
  planFile,
  validation,
}: Work): Promise<number> {
  let { plan } = prepared;
  for (const notice of prepared.notices) report.notice(notice);
  const { setAside } = prepared.base;
  if (setAside) report.baseSetAside(`${setAsideTexts[setAside]}; the history is asked instead`);
  const failed: Problem[] = [];
  const done: PlannedChange[] = [];
  let number: number | undefined;
  let savedAs = planFile;
  if (!flags.dryRun && !plan.refusal) {
    const refusal = await validation?.guard(plan, input.files.load, signal);
    if (refusal) plan = { ...plan, refusal };
  }
  if (flags.dryRun) {
    // A plan that must not be carried out is not kept to be carried out later.
    const saving =
      flags.out !== undefined && !plan.refusal ? await beginSaving(flags.out, input, prepared) : undefined;
    if (saving && !saving.ok) failed.push(saving.problem);
    const saver = saving?.ok ? saving.value : undefined;
    try {
      const total = plan.changes.length + plan.conflicts.length;
      let shown = 0;
      for await (const preview of previewPlan(input, prepared)) {
        signal.throwIfAborted();
        input.onProgress?.('show', ++shown, total);
        report.preview(preview);
        await validation?.look(preview);
        const problem = await saver?.add(preview);
        if (problem) failed.push(problem);
      }
      const refusal = plan.refusal ?? validation?.refusal();
      if (refusal) plan = { ...plan, refusal };
      const saved = refusal ? undefined : await saver?.finish();
      if (saved?.ok) savedAs = flags.out;
      else if (saved) failed.push(saved.problem);
    } finally {
      await saver?.discard();
    }
  } else if (!plan.refusal) {
    const applied = await run();
    plan = applied.plan;
    number = applied.run;
    for (const result of applied.results) {
      report.result(result);
      if (result.ok) done.push(result.change);
      else failed.push(result.problem);
    }
    for (const notice of done.length > 0 ? await database.unresolved() : []) report.notice(notice);
    const count = done.filter(({ side, after }) => side === 'files' && after === null).length;
    if (count > 0 && number !== undefined)
      report.notice({ notice: 'trash', count, folder: directory.trash, run: number });
  }
  const found = validation?.found();
  if (found && found.skills > 0) report.validated(found);
  const next = done.length > 0 && !signal.aborted ? await planNext?.() : undefined;
  // What one problem keeps many skills from is said once.
  const problems = [
    ...new Set([...plan.problems, ...globs.unmatched(), ...(plan.refusal ? [plan.refusal] : []), ...failed]),
  ];
  const exitCode = exitCodeUnder(signal, exitCodeOf(plan, done, problems, flags));
  report.end({
    ...{ plan, done, problems, exitCode },
    command:
      savedAs === undefined
        ? commandText(command, flags)
        : commandText(`apply ${shellWord(savedAs)}`, planFile === undefined ? between(flags) : flags),
    ...(number && { run: number }),
    ...(next && { next }),
    ...(savedAs !== undefined && { savedAs }),
  });
  return exitCode;
}

/** The flags that name the two sides. */
function between({ skillsDir, config, envFile, databaseUrl }: SyncFlags): ToldFlags {
  return {
    ...(skillsDir !== undefined && { skillsDir }),
    ...(config !== undefined && { config }),
    ...(envFile !== undefined && { envFile }),
    ...(databaseUrl !== undefined && { databaseUrl }),
  };
}

/** Begins to save a plan as a file; what that takes is loaded here, since few runs do. */
async function beginSaving(file: string, input: SyncInput, prepared: Prepared): Promise<Outcome<PlanSaver>> {
  const [{ PlanWriter }, { headerOf, PlanSaver }] = await Promise.all([
    import('../sync/plan-file.ts'),
    import('../sync/saved-plan.ts'),
  ]);
  if (await standsAmongSkills(nodeDisk, path.resolve(file), input.run.directory)) {
    return refuse({ reason: 'plan-among-skills', file, skillsDirectory: input.run.directory });
  }
  const header = await headerOf(input, prepared, programVersion());
  const writer = await PlanWriter.create(nodeDisk, file, header);
  return writer.ok ? { ok: true, value: await PlanSaver.begin(input, prepared, writer.value) } : writer;
}

function statusFilter(status: SyncFlags['status']): SyncInput['statuses'] {
  // All are all: a library may know statuses of its own.
  return status === undefined || status === 'all' ? (status ?? null) : new Set([status]);
}

/** What went wrong weighs most, then what nobody decided, then what is still to be done. */
function exitCodeOf(
  plan: Plan,
  done: readonly PlannedChange[],
  problems: readonly Problem[],
  { exitCode }: SyncFlags,
): number {
  if (problems.length > 0) return exitCodes.failed;
  if (plan.conflicts.length > 0) return exitCodes.conflicts;
  if (exitCode === undefined || exitCode === 'conflicts') return exitCodes.done;
  const placeOf = ({ side, path }: PlannedChange) => `${side} ${path}`;
  const carriedOut = new Set(done.map(placeOf));
  const left = [
    ...plan.changes.filter((change) => !carriedOut.has(placeOf(change))),
    ...plan.holds,
    ...plan.ahead,
  ];
  // What would change the files is what the database is ahead in.
  const isPending = exitCode === 'theirs' ? left.some(({ side }) => side === 'files') : left.length > 0;
  return isPending ? exitCodes.pending : exitCodes.done;
}

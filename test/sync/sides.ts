// Both sides of a sync for a test: a folder and a database of its own, and runs between them.

import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Notice } from '../../src/notice.ts';
import type { Outcome, Problem } from '../../src/problem.ts';
import type { Plan, PlannedChange, Policy, Side } from '../../src/reconcile/plan.ts';
import { type Direction, oneByOne, type Result, type Snapshot } from '../../src/replica.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import type { Status } from '../../src/skill/status.ts';
import { makeStateDirectory } from '../../src/state-directory.ts';
import type { ReadBase } from '../../src/sync/base.ts';
import { openPlan, PlanWriter } from '../../src/sync/plan-file.ts';
import { previewPlan } from '../../src/sync/preview.ts';
import { prepareResolve, type Resolution } from '../../src/sync/resolve.ts';
import { runAsPlanned, runPlan } from '../../src/sync/run.ts';
import { headerOf, PlanSaver, prepareApply, runApply } from '../../src/sync/saved-plan.ts';
import { prepareSync, type SyncInput } from '../../src/sync/sync.ts';
import { planNext, prepareUndo, runUndo } from '../../src/sync/undo.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { type DatabaseKind, migratedDatabase } from '../databases.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';

export interface RunOptions extends Partial<Policy> {
  readonly statuses?: readonly Status[];
  readonly selects?: (path: string) => boolean;
  readonly dryRun?: boolean;
  /** What happens once the plan is made, and before it is carried out. */
  readonly meanwhile?: () => Promise<unknown>;
  /** The configuration's rules for categories. */
  readonly mapping?: readonly { readonly glob: string; readonly category: string }[];
}

export interface RunOutcome {
  readonly plan: Plan;
  readonly results: readonly Result<PlannedChange>[];
  /** The run in a few words: `path: what`. */
  readonly words: readonly string[];
  readonly base: ReadBase;
  readonly notices: readonly Notice[];
}

export interface ApplyOptions extends Pick<RunOptions, 'dryRun' | 'meanwhile'> {
  readonly atomic?: boolean;
}

export interface UndoOutcome extends Omit<RunOutcome, 'base' | 'notices'> {
  /** What the next sync would do with the skills that it concerned. */
  readonly next: Plan;
}

/** A skills directory with its own state, as one clone has it. */
export interface Clone {
  readonly folder: string;
  write(files: { readonly [path: string]: string | Buffer }): Promise<void>;
  /** What every command does first that writes: goes on with what a killed one had begun. */
  recover(): Promise<void>;
  run(direction: Direction, options?: RunOptions): Promise<RunOutcome>;
  /** Takes back a run, or the latest; a refusal fails the test. */
  undo(run?: number | null, options?: RunOptions): Promise<UndoOutcome>;
  /** Saves the plan of a dry run as a file, with problems of what could not be saved. */
  save(file: string, direction: Direction, options?: RunOptions): Promise<Plan>;
  /** Carries out a saved plan. A plan of others, or one that cannot be read, is its problem. */
  apply(file: string, options?: ApplyOptions): Promise<Outcome<Omit<RunOutcome, 'base' | 'notices'>>>;
  /** Settles a conflict; a refusal is its problem. */
  resolve(skill: string, resolution: Resolution): Promise<Outcome<Omit<RunOutcome, 'base' | 'notices'>>>;
  /** What each side holds, by digest. */
  digests(): Promise<{ readonly [S in Side]: ReadonlyMap<string, string> }>;
  /** Every file below the folder: its text, `*` before it where it is executable. */
  files(): Promise<{ readonly [path: string]: string }>;
}

/** A run that was refused before it began. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(JSON.stringify(problem));
    this.problem = problem;
  }
}

function allowed<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Refused(outcome.problem);
  return outcome.value;
}

/** What a run may do where a test does not say: decide nothing, delete nothing. */
export const cautious: Policy = {
  force: false,
  onConflict: 'fail',
  deletes: false,
  maxDelete: 25,
  yes: false,
};

/** A clone of its own that syncs with the database behind `connection`. */
export async function makeClone(connection: Connection, disk?: Disk): Promise<Clone> {
  return cloneAt(connection, await temporaryFolder(), 'skills', disk);
}

/** The clone whose skills stand in a folder of `project`. */
export async function cloneAt(
  connection: Connection,
  project: string,
  directory: string,
  disk: Disk = nodeDisk,
): Promise<Clone> {
  const folder = path.join(project, directory);
  const stateDirectory = path.join(project, '.skill-fleet');
  await writeFiles(folder, { '.keep': '' });
  await makeStateDirectory(nodeDisk, stateDirectory);
  const openFiles = async () =>
    allowed(
      await openDirectory({
        root: folder,
        disk,
        ignore: [],
        limits: defaultLimits,
        trash: path.join(stateDirectory, 'trash'),
        cache: path.join(stateDirectory, 'scans', 'skills'),
      }),
    );
  const inputOf = async (direction: Direction, options: RunOptions): Promise<SyncInput> => {
    const { statuses, selects = () => true, dryRun, mapping = [], meanwhile: _, ...policy } = options;
    const files = await openFiles();
    if (!dryRun) allowed(await files.recover());
    return {
      run: { direction, who: 'tester', host: 'test', directory: files.root },
      files,
      database: new Database(connection, compileMapping(mapping)),
      databaseName: connection.database,
      disk,
      stateDirectory,
      selects,
      statuses: statuses ? new Set(statuses) : null,
      policy: { ...cautious, ...policy },
    };
  };
  return {
    folder,
    write: (files) => writeFiles(folder, files),
    recover: async () => {
      allowed(await (await openFiles()).recover());
    },
    run: async (direction, options = {}) => {
      const input = await inputOf(direction, options);
      const prepared = await prepareSync(input);
      await options.meanwhile?.();
      const { plan, results } =
        options.dryRun || prepared.plan.refusal
          ? { plan: prepared.plan, results: [] }
          : await runPlan(input, prepared);
      return { plan, results, words: wordsOf(plan, results), base: prepared.base, notices: prepared.notices };
    },
    undo: async (run = null, options = {}) => {
      const input = await inputOf('sync', options);
      const undo = allowed(await prepareUndo(input, run));
      await options.meanwhile?.();
      const { plan, results } =
        options.dryRun || undo.plan.refusal ? { plan: undo.plan, results: [] } : await runUndo(input, undo);
      return { plan, results, words: wordsOf(plan, results), next: await planNext(input, undo) };
    },
    save: async (file, direction, options = {}) => {
      const input = await inputOf(direction, { ...options, dryRun: true });
      return input.database.inView(async () => {
        const prepared = await prepareSync(input);
        const writer = await PlanWriter.create(nodeDisk, file, await headerOf(input, prepared, '0.0.0'));
        if (!writer.ok) throw new Error(JSON.stringify(writer.problem));
        const saver = await PlanSaver.begin(input, prepared, writer.value);
        for await (const preview of previewPlan(input, prepared)) {
          const problem = await saver.add(preview);
          if (problem) throw new Error(JSON.stringify(problem));
        }
        const finished = await saver.finish();
        if (!finished.ok) throw new Error(JSON.stringify(finished.problem));
        return prepared.plan;
      });
    },
    apply: async (file, { atomic = false, ...options } = {}) => {
      const saved = await openPlan(nodeDisk, file);
      if (!saved.ok) return saved;
      const input = await inputOf(saved.value.header.direction, {});
      try {
        const prepared = await prepareApply(input, saved.value, file, atomic);
        if (!prepared.ok) return prepared;
        await options.meanwhile?.();
        const { plan, results } =
          options.dryRun || prepared.value.plan.refusal
            ? { plan: prepared.value.plan, results: [] }
            : await runApply(input, prepared.value);
        return { ok: true, value: { plan, results, words: wordsOf(plan, results) } };
      } finally {
        await saved.value.close();
      }
    },
    resolve: async (skill, resolution) => {
      const input = await inputOf('sync', { selects: (one) => one === skill });
      const prepared = await prepareResolve(input, skill, resolution);
      if (!prepared.ok) return prepared;
      const { plan, results } = await runAsPlanned(input, prepared.value);
      return { ok: true, value: { plan, results, words: wordsOf(plan, results) } };
    },
    digests: async () => {
      const { files, database } = await inputOf('sync', {});
      const of = ({ skills }: Snapshot) => new Map([...skills].map(([skill, { digest }]) => [skill, digest]));
      return { files: of(await files.snapshot()), database: of(await database.snapshot()) };
    },
    files: async () => {
      const names = await readdir(folder, { recursive: true });
      const found: { [path: string]: string } = {};
      for (const name of names.filter((one) => one !== '.keep').sort()) {
        const file = path.join(folder, name);
        const kind = await stat(file);
        if (kind.isFile()) {
          found[name] = (kind.mode & 0o100 ? '*' : '') + (await readFile(file, 'utf8'));
        }
      }
      return found;
    },
  };
}

/** One clone and a database of its own. */
export async function makeSides(kind: DatabaseKind): Promise<Clone & { readonly connection: Connection }> {
  const connection = await migratedDatabase(kind);
  return { ...(await makeClone(connection)), connection };
}

/** All that both sides hold: files with their modes, and what the database renders to. */
export async function stateOf({
  files,
  connection,
}: Pick<Clone, 'files'> & { readonly connection: Connection }): Promise<readonly unknown[]> {
  return [await files(), await rowsOf(connection)];
}

/** What the database renders to, as {@link Clone.files}. */
export async function rowsOf(connection: Connection): Promise<unknown> {
  const database = new Database(connection, compileMapping([]));
  const { skills } = await database.snapshot();
  const found: { [file: string]: string } = {};
  for await (const loaded of oneByOne(database.load([...skills.keys()].sort()))) {
    if (!('skill' in loaded)) throw new Error(JSON.stringify(loaded.problem));
    for (const { path: file, executable, bytes } of loaded.skill.entries)
      found[`${loaded.path}/${file}`] = (executable ? '*' : '') + bytes;
  }
  return found;
}

function wordsOf(plan: Plan, results: readonly Result<PlannedChange>[]): readonly string[] {
  return [
    ...results.map((result) =>
      result.ok
        ? `${placeOf(result.change)}: ${result.change.why} -> ${result.change.side}`
        : `${placeOf(result.change)}: refused, ${result.problem.reason}`,
    ),
    ...plan.conflicts.map(({ path: skill, why }) => `${skill}: conflict ${why}`),
    ...plan.holds.map(({ path: skill, why }) => `${skill}: hold ${why}`),
    ...plan.ahead.map((ahead) => `${placeOf(ahead)}: ahead -> ${ahead.side}`),
    ...plan.problems.map((problem) => `problem ${problem.reason}`),
    ...(plan.refusal ? [`refused: ${plan.refusal.reason}`] : []),
  ];
}

/** A skill's path, and the one that it leaves. */
function placeOf({ path: skill, from }: { readonly path: string; readonly from?: string }): string {
  return from === undefined ? skill : `${from} => ${skill}`;
}

/** A document in few words. */
export function document(name: string, body = `# ${name}\n`, frontmatter = ''): string {
  return `---\nname: ${name}\ndescription: About ${name}.\n${frontmatter}---\n${body}`;
}

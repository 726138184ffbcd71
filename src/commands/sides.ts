// Both sides of a command that compares them: the skills directory, and the database that was chosen.

import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { type Directory, openDirectory } from '../directory/directory.ts';
import { defaultLimits } from '../directory/limits.ts';
import { nodeDisk } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { DatabaseReplica, RunStart } from '../replica.ts';
import type { DatabaseName } from '../repository/connection.ts';
import { Database } from '../repository/database.ts';
import { standsAmongSkills } from '../repository/embedded.ts';
import { emptyDatabase } from '../repository/empty.ts';
import { type OpenedDatabase, openForReading, openForWriting } from '../repository/open.ts';
import type { ConnectOptions } from '../repository/server.ts';
import { makeStateDirectory, trashOf } from '../state-directory.ts';
import { lastDatabase } from '../sync/base.ts';
import type { SyncInput } from '../sync/sync.ts';
import { compileMapping } from '../taxonomy/infer.ts';
import { userName } from '../user.ts';
import { type Surroundings, withConnection } from './command.ts';

/** Opens the skills directory. */
export async function openSkills({
  skillsDirectory,
  stateDirectory,
  ignore,
  limits,
}: Config): Promise<Outcome<Directory>> {
  return openDirectory({
    root: skillsDirectory,
    disk: nodeDisk,
    ignore,
    limits: { ...defaultLimits, ...limits },
    trash: await trashOf(nodeDisk, stateDirectory, skillsDirectory),
  });
}

/** Opens the chosen database: for a dry run, only to read what is there. */
export async function openSide(
  config: Config,
  connecting: ConnectOptions,
  directory: string,
  isDryRun: boolean,
): Promise<Outcome<OpenedDatabase>> {
  const { database, stateDirectory } = config;
  const why = await whyNotSide(config, directory);
  if (why !== undefined) return refuse(why);
  if (isDryRun) return openForReading(database, nodeDisk, connecting);
  await makeStateDirectory(nodeDisk, stateDirectory);
  return openForWriting(database, nodeDisk, connecting);
}

/** Why the chosen database is not the one for a skills directory, which is its real path: nobody meant it, or where it stands. */
export async function whyNotSide(
  { database, stateDirectory }: Pick<Config, 'database' | 'stateDirectory'>,
  directory: string,
): Promise<Problem | undefined> {
  if (database.kind === 'embedded' && database.chosen === 'default') {
    const last = await lastDatabase(nodeDisk, stateDirectory, directory);
    if (last !== undefined && last.kind !== 'embedded') {
      const why = `this directory was last synced with ${last.name} at ${last.host}`;
      return { reason: 'database-url-not-set', why };
    }
  }
  if (database.kind === 'embedded' && (await standsAmongSkills(nodeDisk, database.directory, directory))) {
    return {
      reason: 'embedded-folder-among-skills',
      directory: database.directory,
      skillsDirectory: directory,
    };
  }
  return undefined;
}

/** The same for a command that asks the database alone: whether the skills directory is there is nothing to it. */
export async function openAlone(
  config: Config,
  connecting: ConnectOptions,
  isReading: boolean,
): Promise<Outcome<OpenedDatabase>> {
  const { skillsDirectory } = config;
  const directory = await nodeDisk.realpath(skillsDirectory).catch(() => skillsDirectory);
  return openSide(config, connecting, directory, isReading);
}

/** Works on an opened database, and closes it; one that is still to come is an empty one. */
export function withDatabase(
  { taxonomy }: Config,
  opened: OpenedDatabase,
  work: (name: DatabaseName, database: DatabaseReplica) => Promise<Outcome<number>>,
): Promise<Outcome<number>> {
  const mapping = compileMapping(taxonomy.mapping);
  if (opened.state === 'absent') return work(opened.name, emptyDatabase(mapping));
  const { connection } = opened;
  return withConnection(connection, () => work(connection.database, new Database(connection, mapping)));
}

/** What a command works on that compares the two sides, and lets nobody win: all of both, where it names no part. */
export function readingInput(
  { stateDirectory }: Config,
  files: Directory,
  [databaseName, database]: readonly [DatabaseName, DatabaseReplica],
  {
    around: { signal, output },
    selects = () => true,
    statuses = null,
  }: Partial<Pick<SyncInput, 'selects' | 'statuses'>> & {
    readonly around: Pick<Surroundings, 'signal' | 'output'>;
  },
): SyncInput {
  return {
    run: { direction: 'sync', ...whoRuns(), directory: files.root },
    ...{ files, database, databaseName, disk: nodeDisk, stateDirectory, selects, statuses },
    policy: { force: false, onConflict: 'fail', deletes: false, maxDelete: 0, yes: true },
    signal,
    ...(output.progress && { onProgress: output.progress }),
  };
}

/** Who runs this, and where. */
export function whoRuns(): Pick<RunStart, 'who' | 'host'> {
  return { who: userName(), host: hostname() };
}

// Both sides of a command that compares them: the skills directory, and the database that was chosen.

import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { type Directory, openDirectory } from '../directory/directory.ts';
import { defaultLimits } from '../directory/limits.ts';
import { nodeDisk } from '../disk.ts';
import { type Outcome, refuse } from '../problem.ts';
import type { DatabaseReplica, RunStart } from '../replica.ts';
import { embeddedText } from '../report/sync-text.ts';
import type { DatabaseName } from '../repository/connection.ts';
import { Database } from '../repository/database.ts';
import { embeddedExists, standsAmongSkills } from '../repository/embedded.ts';
import { emptyDatabase } from '../repository/empty.ts';
import { type OpenedDatabase, openForReading, openForWriting } from '../repository/open.ts';
import type { ConnectOptions } from '../repository/server.ts';
import { linkInState, makeStateDirectory, scanCacheOf, trashOf } from '../state-directory.ts';
import { type BaseIdentity, lastDatabase } from '../sync/base.ts';
import type { SyncInput } from '../sync/sync.ts';
import { compileMapping } from '../taxonomy/infer.ts';
import { userName } from '../user.ts';
import { type GlobalFlags, type Surroundings, withConnection } from './command.ts';

/**
 * Opens the skills directory.
 *
 * @param readsAll whether each file is read, also where the system says the same of it as it did when it was read last
 */
export async function openSkills(
  { skillsDirectory, stateDirectory, ignore, limits }: Config,
  readsAll = false,
): Promise<Outcome<Directory>> {
  return openDirectory({
    root: skillsDirectory,
    disk: nodeDisk,
    ignore,
    limits: { ...defaultLimits, ...limits },
    trash: await trashOf(nodeDisk, stateDirectory, skillsDirectory),
    ...(!readsAll && { cache: await scanCacheOf(nodeDisk, stateDirectory, skillsDirectory) }),
  });
}

/**
 * The database that was chosen for a skills directory. Refused where the embedded one, which nobody chose, would stand
 * in for the one that the directory was last synced with, where it would stand among the skills, and where the state
 * directory is a link.
 */
export async function chosenDatabase(
  { database, stateDirectory }: Pick<Config, 'database' | 'stateDirectory'>,
  directory: string,
): Promise<Outcome<Config['database']>> {
  const link = await linkInState(nodeDisk, stateDirectory);
  if (link !== undefined) return refuse({ reason: 'state-directory-is-a-link', link });
  if (database.kind === 'embedded' && database.chosen === 'default') {
    const last = await lastDatabase(nodeDisk, stateDirectory, directory);
    if (last !== undefined && (await isAnother(last, database.directory))) {
      const why = `this directory was last synced with ${last.kind === 'embedded' ? last.name : `${last.name} at ${last.host}`}`;
      return refuse({ reason: 'database-url-not-set', why });
    }
  }
  if (database.kind === 'embedded' && (await standsAmongSkills(nodeDisk, database.directory, directory))) {
    return refuse({
      reason: 'embedded-folder-among-skills',
      directory: database.directory,
      skillsDirectory: directory,
    });
  }
  return { ok: true, value: database };
}

/** Whether a database is another one than the embedded one in a folder, which may have moved with its project. */
async function isAnother({ kind, name }: BaseIdentity['database'], directory: string): Promise<boolean> {
  if (kind !== 'embedded') return true;
  const [there, here] = await Promise.all([name, directory].map(realPath));
  const isOfMoved = name.endsWith('/.skill-fleet/db') && !(await embeddedExists(nodeDisk, name));
  return there !== here && !isOfMoved;
}

/** A path without links; itself where nothing stands there. */
function realPath(place: string): Promise<string> {
  return nodeDisk.realpath(place).catch(() => place);
}

/** Opens the chosen database: for a dry run, only to read what is there. */
export async function openSide(
  config: Config,
  connecting: ConnectOptions,
  directory: string,
  isDryRun: boolean,
): Promise<Outcome<OpenedDatabase>> {
  const chosen = await chosenDatabase(config, directory);
  if (!chosen.ok) return chosen;
  const { value: database } = chosen;
  if (isDryRun) return openForReading(database, nodeDisk, connecting);
  await makeStateDirectory(nodeDisk, config.stateDirectory);
  return openForWriting(database, nodeDisk, connecting);
}

/** Opens it for a command whose output does not name it, and says so where the embedded one serves since none was chosen. */
export async function openUnnamed(
  { config, output, connecting }: Surroundings,
  { json, quiet }: GlobalFlags,
  directory: string,
  isReading: boolean,
): Promise<Outcome<OpenedDatabase>> {
  const opened = await openSide(config, connecting, directory, isReading);
  const { database } = config;
  const isDefault = database.kind === 'embedded' && database.chosen === 'default';
  if (opened.ok && isDefault && !json && !quiet) {
    output.notice(`note: with ${embeddedText(database.directory)}\n`);
  }
  return opened;
}

/** The same for a command that asks the database alone: whether the skills directory is there is nothing to it. */
export async function openAlone(
  around: Surroundings,
  flags: GlobalFlags,
  isReading: boolean,
): Promise<Outcome<OpenedDatabase>> {
  return openUnnamed(around, flags, await realPath(around.config.skillsDirectory), isReading);
}

/** {@link chosenDatabase}, for a command that asks the database alone. */
export async function chosenAlone(config: Config): Promise<Outcome<Config['database']>> {
  return chosenDatabase(config, await realPath(config.skillsDirectory));
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

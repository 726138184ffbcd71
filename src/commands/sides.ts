// Both sides of a command that compares them: the skills directory, and the database that was chosen.

import type { Config } from '../config/config.ts';
import { type Directory, openDirectory } from '../directory/directory.ts';
import { defaultLimits } from '../directory/limits.ts';
import { nodeDisk } from '../disk.ts';
import { type Outcome, refuse } from '../problem.ts';
import { type OpenedDatabase, openForReading, openForWriting } from '../repository/open.ts';
import { makeStateDirectory, trashOf } from '../state-directory.ts';
import { lastDatabase } from '../sync/base.ts';

/** Opens the skills directory. */
export function openSkills({
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
    trash: trashOf(stateDirectory),
  });
}

/** Opens the chosen database: for a dry run, only to read what is there. */
export async function openSide(
  { database, stateDirectory }: Config,
  directory: string,
  isDryRun: boolean,
): Promise<Outcome<OpenedDatabase>> {
  if (database.kind === 'embedded' && database.chosen === 'default') {
    const last = await lastDatabase(nodeDisk, stateDirectory, directory);
    if (last !== undefined && last.kind !== 'embedded') {
      const why = `this directory was last synced with ${last.name} at ${last.host}`;
      return refuse({ reason: 'database-url-not-set', why });
    }
  }
  if (isDryRun) return openForReading(database, nodeDisk);
  await makeStateDirectory(nodeDisk, stateDirectory);
  return openForWriting(database, nodeDisk);
}

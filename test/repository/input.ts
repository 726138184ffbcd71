// What a run works on, for tests that take its steps themselves.

import path from 'node:path';
import { openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { nodeDisk } from '../../src/disk.ts';
import type { Direction } from '../../src/replica.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import type { SyncInput } from '../../src/sync/sync.ts';
import { temporaryFolder } from '../folders.ts';
import { cautious } from '../sync/sides.ts';

/** A run between the skills directory `root` and a database, with no base. */
export async function syncInput(
  connection: Connection,
  root: string,
  direction: Direction,
): Promise<SyncInput> {
  const stateDirectory = await temporaryFolder();
  const files = await openDirectory({
    root,
    disk: nodeDisk,
    ignore: [],
    limits: defaultLimits,
    trash: path.join(stateDirectory, 'trash'),
  });
  if (!files.ok) throw new Error(files.problem.reason);
  return {
    run: { direction, who: 'tester', host: 'test', directory: files.value.root },
    files: files.value,
    database: new Database(connection, []),
    databaseName: connection.database,
    disk: nodeDisk,
    stateDirectory,
    selects: () => true,
    statuses: null,
    policy: cautious,
  };
}

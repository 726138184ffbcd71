// The embedded database: Postgres in this process, in a folder of the project, for who has no server.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Disk } from '../disk.ts';
import { describeHolder, takeLock } from '../lock.ts';
import { type Outcome, refuse } from '../problem.ts';
import { type Connection, connectEmbedded, type Patience } from './connection.ts';

/** Whether an embedded database stands there: reading commands create none. */
export async function embeddedExists(disk: Disk, directory: string): Promise<boolean> {
  try {
    await disk.lstat(path.join(directory, 'PG_VERSION'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens the embedded database in `directory`, creating it where it does not stand yet. Two processes that
 * open one such database corrupt it, so an exclusive lock beside it guards it until the connection is closed.
 * Problems: `database-locked`, `embedded-database-unusable`.
 */
export async function connectToEmbedded(
  disk: Disk,
  directory: string,
  patience: Patience,
): Promise<Outcome<Connection>> {
  await mkdir(path.dirname(directory), { recursive: true });
  const taken = await takeLock(disk, `${directory}.lock`);
  if ('holder' in taken) {
    const holder = describeHolder(taken.holder);
    return refuse({ reason: 'database-locked', database: directory, holder });
  }
  const release = () => taken.lock.release();
  try {
    const [{ PGlite }, { createPgConfig }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('@electric-sql/pglite/node-postgres'),
    ]);
    // What PGlite throws here names no cause.
    const database = await PGlite.create(directory).catch(() => undefined);
    if (database === undefined) {
      await release();
      return refuse({ reason: 'embedded-database-unusable', database: directory });
    }
    const value = await connectEmbedded(directory, createPgConfig(database), patience, async () => {
      await database.close();
      await release();
    });
    return { ok: true, value };
  } catch (error) {
    await release();
    throw error;
  }
}

// `export-to-db`: the files' changes go to the database.

import { runSync, type SyncFlags } from './sync-command.ts';

export const run = (flags: SyncFlags): Promise<number> => runSync('export', flags);

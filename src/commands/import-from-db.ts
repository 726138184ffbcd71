// `import-from-db`: the database's changes go to the files.

import { runSync, type SyncFlags } from './sync-command.ts';

export const run = (flags: SyncFlags): Promise<number> => runSync('import', flags);

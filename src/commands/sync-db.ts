// `sync-db`: each side's changes go to the other, in one plan.

import { runSync, type SyncFlags } from './sync-command.ts';

export const run = (flags: SyncFlags): Promise<number> => runSync('sync', flags);

// Asks for a lock when it is told to, and says who has it then: `fork('ask-for-lock.mjs', [FILE])`.

import { nodeDisk } from '../src/disk.ts';
import { type LockHolder, takeLock } from '../src/lock.ts';

process.on('message', async () => {
  const taken = await takeLock(nodeDisk, process.argv[2] ?? '');
  process.send?.('lock' in taken ? process.pid : (taken.holder as LockHolder).pid);
});
process.send?.('ready');

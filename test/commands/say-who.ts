// Says who runs this, as a user without a name: `node say-who.mjs UID`.

import { whoRuns } from '../../src/commands/sides.ts';

process.setuid?.(Number(process.argv[2]));
process.stdout.write(JSON.stringify(whoRuns()));

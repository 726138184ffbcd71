// Rewrites files as fast as it can, each in a way of its own, and says when it begins: `node rewrite-for-ever.mjs ROOT`.

import * as fs from 'node:fs';
import path from 'node:path';
import { restlessFiles, wholeLines } from './restless.ts';

const root = process.argv[2] ?? '';
process.stdout.write('begun');
for (let turn = 1; ; turn++) {
  for (const [name, manner] of Object.entries(restlessFiles)) {
    const place = path.join(root, name);
    const bytes = Buffer.from(`w${`${turn}`.padStart(9, '0')}w\n`.repeat(wholeLines));
    if (manner === 'renamed') {
      fs.writeFileSync(`${place}~`, bytes);
      fs.renameSync(`${place}~`, place);
    } else if (manner === 'emptied') fs.writeFileSync(place, bytes);
    else {
      const file = fs.openSync(place, 'r+');
      fs.writeSync(file, bytes);
      fs.closeSync(file);
    }
  }
}

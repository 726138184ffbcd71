import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

test.skipIf(process.getuid?.() !== 0)('a user without a name, as containers have them, runs it too', () => {
  const built = path.join(import.meta.dirname, '../../dist/commands/sides.js');
  const script = `
    const { whoRuns } = await import(${JSON.stringify(built)});
    process.setuid(54321);
    console.log(JSON.stringify(whoRuns()));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(said)).toEqual({ who: expect.stringContaining('54321'), host: hostname() });
});

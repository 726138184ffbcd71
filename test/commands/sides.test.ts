import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { bundledProgram } from '../programs.ts';

test.skipIf(process.getuid?.() !== 0)(
  'a user without a name, as containers have them, runs it too',
  async () => {
    const program = await bundledProgram('commands/say-who.ts');
    const said = execFileSync(process.execPath, [program, '54321'], { encoding: 'utf8' });
    expect(JSON.parse(said)).toEqual({ who: expect.stringContaining('54321'), host: hostname() });
  },
);

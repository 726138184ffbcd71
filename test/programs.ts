// Programs of tests that run in a process of their own: TypeScript, bundled with what it imports of the sources.

import path from 'node:path';
import { build } from 'rolldown';
import { temporaryFolder } from './folders.ts';

/** Bundles a program of `test/`. Returns the file for Node to run. */
export async function bundledProgram(name: string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'program.mjs');
  await build({
    input: path.join(import.meta.dirname, name),
    platform: 'node',
    external: [/^@electric-sql\/pglite/, 'pg-native'],
    output: { file, format: 'esm', codeSplitting: false },
    logLevel: 'silent',
  });
  return file;
}

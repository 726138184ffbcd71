// Programs of tests that run in a process of their own: TypeScript, bundled with what it imports of the sources.

import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'rolldown';
import { temporaryFolder } from './folders.ts';

/** Bundles a program of `test/`. Returns the file for Node to run. */
export async function bundledProgram(name: string): Promise<string> {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'program.mjs');
  await build({
    input: path.join(import.meta.dirname, name),
    platform: 'node',
    external: [/^@electric-sql\/pglite/, 'pg-native'],
    output: { file, format: 'esm', codeSplitting: false },
    logLevel: 'silent',
  });
  // For what is not bundled.
  await symlink(path.join(import.meta.dirname, '../node_modules'), path.join(folder, 'node_modules'));
  return file;
}

// Modules of the sources, for a bench that measures less than a command.

import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'rolldown';

/** Imports a module of `src/`. */
export async function bundled(name) {
  // Where the packages are found that are not bundled.
  const folder = await mkdtemp(path.join(import.meta.dirname, '../node_modules/.skill-fleet-'));
  const file = path.join(folder, 'module.mjs');
  await build({
    input: path.join(import.meta.dirname, '../src', name),
    platform: 'node',
    external: [/^@electric-sql\/pglite/, 'pg-native'],
    output: { file, codeSplitting: false },
    logLevel: 'silent',
  });
  return import(file);
}

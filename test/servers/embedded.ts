// An embedded database with every migration, made once: a test that needs one copies it, which is quicker.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { nodeDisk } from '../../src/disk.ts';
import { openForWriting } from '../../src/repository/open.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of a migrated embedded database that nothing has open. */
    readonly embeddedTemplate: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-embedded-'));
  const directory = path.join(folder, 'db');
  const opened = await openForWriting({ kind: 'embedded', directory }, nodeDisk);
  if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
  await opened.value.connection.close();
  project.provide('embeddedTemplate', directory);
  return () => rm(folder, { recursive: true, force: true });
}

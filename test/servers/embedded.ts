// Embedded databases, made once: a test that needs one copies it, which is quicker.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { nodeDisk } from '../../src/disk.ts';
import { connect, openForWriting } from '../../src/repository/open.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of an embedded database without a table, that nothing has open. */
    readonly embeddedEmpty: string;
    /** The folder of one with every migration. */
    readonly embeddedTemplate: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-embedded-'));
  const [directory, empty] = [path.join(folder, 'db'), path.join(folder, 'empty')];
  const created = await connect({ kind: 'embedded', directory: empty }, nodeDisk);
  if (!created.ok) throw new Error(JSON.stringify(created));
  await created.value.close();
  await cp(empty, directory, { recursive: true });
  const opened = await openForWriting({ kind: 'embedded', directory }, nodeDisk);
  if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
  await opened.value.connection.close();
  project.provide('embeddedEmpty', empty);
  project.provide('embeddedTemplate', directory);
  return () => rm(folder, { recursive: true, force: true });
}

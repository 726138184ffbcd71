// A real Postgres for the whole test run: the one that TEST_DATABASE_URL names, or one started here.

import type { TestProject } from 'vitest/node';
import { startPostgres } from './start-postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A URL whose user may create databases. */
    readonly serverUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) {
    project.provide('serverUrl', given);
    return async () => {};
  }
  const server = await startPostgres();
  project.provide('serverUrl', server.url);
  return server.remove;
}

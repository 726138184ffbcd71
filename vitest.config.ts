import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: [
      'test/servers/build.ts',
      'test/servers/postgres.ts',
      'test/servers/pgbouncer.ts',
      'test/servers/embedded.ts',
    ],
    // Databases and processes are started by tests, on machines that may be busy.
    // They wait for those more than they compute: one worker for each core would leave the machine idle.
    maxWorkers: 3,
    // No test changes what another loads: what is loaded once serves all files of a worker.
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/servers/build.ts', 'test/servers/postgres.ts', 'test/servers/embedded.ts'],
    // Databases and processes are started by tests, on machines that may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

// docs/security.md promises nothing that no test holds.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';

const text = await readFile(path.join(projectRoot, 'docs/security.md'), 'utf8');

/** Rows below the tables' heads. */
const rows = [...text.matchAll(/^\| (?!promise \||-)(.*?) \| (.*) \|$/gm)].map(([, promise, tests = '']) => ({
  promise,
  tests: tests.split(', ').map((one) => one.replaceAll('`', '')),
}));

test('each promise names tests that are there', () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const { promise, tests } of rows) {
    expect(
      tests.filter((file) => !/^test\/.*\.test\.ts$/.test(file)),
      promise,
    ).toEqual([]);
    expect(
      tests.filter((file) => !existsSync(path.join(projectRoot, file))),
      promise,
    ).toEqual([]);
  }
  expect(new Set(rows.map(({ promise }) => promise)).size).toBe(rows.length);
});

// docs/security.md promises nothing that no test holds.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
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

test('each test of hostile input holds a promise', async () => {
  const folder = path.join(projectRoot, 'test/hostile');
  const files = await readdir(folder);
  const named = rows.flatMap(({ tests }) => tests);
  const tests = files.filter((name) => name.endsWith('.test.ts')).map((name) => `test/hostile/${name}`);
  expect(tests.filter((file) => !named.includes(file))).toEqual([]);
});

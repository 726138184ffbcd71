import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configurationNames, findProjectRoot } from '../../src/config/project-root.ts';

let top: string;
let cwd: string;

beforeEach(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'skill-fleet-root-')));
  cwd = join(top, 'a', 'b', 'c');
  await mkdir(cwd, { recursive: true });
});
afterEach(() => rm(top, { recursive: true }));

describe('the project root', () => {
  test.each(['.git', ...configurationNames])('is the folder above with the file %s', async (name) => {
    await writeFile(join(top, 'a', name), '');
    expect(await findProjectRoot(cwd)).toBe(join(top, 'a'));
  });

  test('is the folder above with a folder .git', async () => {
    await mkdir(join(top, 'a', '.git'));
    expect(await findProjectRoot(cwd)).toBe(join(top, 'a'));
  });

  test('is the nearest of several, the working directory included', async () => {
    await writeFile(join(top, 'skill-fleet.config.json'), '{}');
    await mkdir(join(top, 'a', 'b', '.git'));
    expect(await findProjectRoot(cwd)).toBe(join(top, 'a', 'b'));
    await writeFile(join(cwd, 'skill-fleet.config.yaml'), '');
    expect(await findProjectRoot(cwd)).toBe(cwd);
  });

  test('is the working directory where no folder above is one', async () => {
    await writeFile(join(top, '.env'), '');
    expect(await findProjectRoot(cwd)).toBe(cwd);
  });
});

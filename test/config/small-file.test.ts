import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxSmallFileBytes, readSmallFile } from '../../src/config/small-file.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skill-fleet-file-'));
  file = join(folder, 'file');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a small file', () => {
  test.each<[what: string, bytes: Buffer, text: string]>([
    ['empty', Buffer.alloc(0), ''],
    ['with a BOM', Buffer.from('\ufeffä: 1\r\n'), 'ä: 1\r\n'],
    ['as long as may be', Buffer.alloc(maxSmallFileBytes, 'x'), 'x'.repeat(maxSmallFileBytes)],
  ])('%s is read', async (_what, bytes, text) => {
    await writeFile(file, bytes);
    expect(await readSmallFile(file)).toEqual({ ok: true, value: text });
  });

  test.each<[what: string, bytes: Buffer, why: string]>([
    ['too long', Buffer.alloc(maxSmallFileBytes + 1), `it is longer than ${maxSmallFileBytes} bytes`],
    ['not UTF-8', Buffer.from([0x61, 0xff]), 'it is not UTF-8'],
  ])('%s is a problem', async (_what, bytes, why) => {
    await writeFile(file, bytes);
    expect(await readSmallFile(file)).toEqual({
      ok: false,
      problem: { reason: 'configuration-unreadable', file, why },
    });
  });

  test('that is a folder is a problem', async () => {
    expect(await readSmallFile(folder)).toMatchObject({ ok: false, problem: { why: 'EISDIR' } });
  });

  test('without an end is a problem', async () => {
    expect(await readSmallFile('/dev/zero')).toMatchObject({ ok: false });
  });

  test('that is missing is none', async () => {
    expect(await readSmallFile(file)).toEqual({ ok: true, value: undefined });
  });

  test('can be a pipe', async () => {
    execFileSync('mkfifo', [file]);
    const [read] = await Promise.all([readSmallFile(file), writeFile(file, 'A=1')]);
    expect(read).toEqual({ ok: true, value: 'A=1' });
  });
});

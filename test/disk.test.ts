// What the seam over the file system says by itself.

import { expect, test } from 'vitest';
import { kindKeepsModes, nodeDisk } from '../src/disk.ts';
import { temporaryFolder } from './folders.ts';

test.each<[string, NodeJS.Platform, number | undefined, boolean]>([
  ['any on Windows', 'win32', 0xef53, false],
  ['FAT', 'linux', 0x4d44, false],
  ['exFAT', 'linux', 0x2011bab0, false],
  ['ext4', 'linux', 0xef53, true],
  ['tmpfs', 'linux', 0x01021994, true],
  ['overlayfs', 'linux', 0x794c7630, true],
  ['NFS', 'linux', 0x6969, true],
  ['NTFS, whose driver keeps modes', 'linux', 0x7366746e, true],
  ['9p, which can', 'linux', 0x01021997, true],
  ['FUSE, which can', 'linux', 0x65735546, true],
  ['APFS', 'darwin', 26, true],
  ['one that does not answer', 'linux', undefined, true],
])('of file systems, %s', (_, platform, type, keeps) => {
  expect(kindKeepsModes(platform, type)).toBe(keeps);
});

test.skipIf(process.platform === 'win32')('the file system of temporary files keeps modes', async () => {
  const folder = await temporaryFolder();
  expect(await nodeDisk.keepsModes(folder)).toBe(true);
  expect(await nodeDisk.keepsModes(`${folder}/nowhere`)).toBe(true);
});

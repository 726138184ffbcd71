// Nothing outside the skills directory is written, whatever stands in it, and whatever comes while a run writes.

import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import { bundledProgram } from '../programs.ts';
import { makeFolder, open, readFolder, skillOf, sourceOf, writeFolder } from './folder.ts';

const skills = [
  skillOf('a/edited', { 'SKILL.md': 'new', 'x/y': 'new', 'v/w': 'new' }),
  skillOf('a/new', { 'SKILL.md': 'new', 'x/y': 'new' }),
];

const before = {
  'a/edited/SKILL.md': 'old',
  'a/edited/x/y': 'old',
  'a/removed/SKILL.md': 'old',
  'a/removed/x/y': 'old',
};

/** What each folder that is swapped leads to: the very files, so that nothing but the place tells them apart. */
const outside = { 'SKILL.md': 'old', 'x/y': 'old', 'edited/x/y': 'old', 'removed/SKILL.md': 'old', y: 'old' };

/** Each instant everywhere, or every other one. */
const isThorough = process.env['EVERY_EFFECT'] !== undefined;

/** Carries out changes on a disk, where before the effect number `at` a folder is swapped for a link out of here. */
async function runSwapping(outer: string, folder: string, at: number): Promise<boolean> {
  const root = path.join(outer, 'skills');
  let count = 0;
  const directory = await open(root, { disk: onEffect(() => ++count === at && swap()) });
  const swap = () => {
    const place = path.join(root, folder);
    if (!fs.existsSync(place)) return;
    fs.renameSync(place, path.join(root, '.moved'));
    fs.symlinkSync(path.join(outer, 'outside'), place);
  };
  const { skills: now } = await directory.snapshot();
  const changes = [
    ...skills.map((skill) => ({
      path: skill.path,
      before: now.get(skill.path) ?? null,
      after: { digest: digestSkill(skill) },
    })),
    ...[...now]
      .filter(([skill]) => skill === 'a/removed')
      .map(([skill, state]) => ({ path: skill, before: state, after: null })),
  ];
  await directory.apply(changes, sourceOf(skills));
  await (await open(root)).recover();
  return count >= at;
}

/** The real disk, and a word before each of its effects. */
function onEffect(tell: () => unknown): Disk {
  const told = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A) => {
      tell();
      return call(...args);
    };
  };
  const { open, openFolder, mkdir, rename, renameOver, unlink, unlinkAs, rmdir, ...rest } = nodeDisk;
  return {
    ...rest,
    open: told(open),
    openFolder: told(openFolder),
    mkdir: told(mkdir),
    rename: told(rename),
    renameOver: told(renameOver),
    unlink: told(unlink),
    unlinkAs: told(unlinkAs),
    rmdir: told(rmdir),
  };
}

// Elsewhere Node knows no way to a file but its path.
test
  .skipIf(process.platform !== 'linux')
  .each(['a', 'a/edited', 'a/edited/x', 'a/removed', 'a/removed/x', 'a/new'])(
  'a link that takes the place of the folder %s, at any instant, leads nothing out',
  async (folder) => {
    for (let at = 1; ; at += isThorough ? 1 : 2) {
      const outer = makeFolder();
      writeFolder(path.join(outer, 'skills'), before);
      writeFolder(path.join(outer, 'outside'), outside);
      const isSwapped = await runSwapping(outer, folder, at);
      expect(readFolder(path.join(outer, 'outside')), `swapped before ${at}`).toEqual(outside);
      fs.rmSync(outer, { recursive: true });
      if (!isSwapped) break;
    }
  },
);

const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;

/** Runs a program, and gives the path of each file that it opened for writing, made, renamed or removed. */
function pathsWritten(program: string, root: string): readonly string[] {
  const log = path.join(makeFolder(), 'log');
  const calls =
    'trace=open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,chmod,chown';
  execFileSync('strace', ['-f', '-y', '-e', calls, '-s', '9999', '-o', log, process.execPath, program, root]);
  const lines = fs.readFileSync(log, 'utf8').split('\n');
  return lines
    .filter((line) => !/open(at)?\(/.test(line) || /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/.test(line))
    .flatMap((line) => [...line.matchAll(/"(\/[^"]*)"/g)].map((match) => match[1] ?? ''));
}

test.skipIf(!hasStrace)(
  'the system sees no other file opened for writing, made, moved or removed',
  async () => {
    const root = makeFolder({ ...before, 'a/link': { link: '/etc' } });
    const program = await bundledProgram('directory/write-outside.ts');
    const written = pathsWritten(program, root);
    const own = [`${root}/`, `${root}-trash`];
    // Anchored: names in folders that the process holds open, each of which was looked at when it was opened.
    const isOwn = (place: string) =>
      own.some((one) => place.startsWith(one)) || /^\/proc\/self\/fd\/\d+\//.test(place);
    expect(written.filter((place) => !isOwn(place) && !place.startsWith('/dev/'))).toEqual([]);
    expect(written.length).toBeGreaterThan(10);
    fs.rmSync(`${root}-trash`, { recursive: true });
  },
);

// What did not change since it was read is not read again, and whatever changed is.

import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { runs } from '../runs.ts';
import { makeFolder, open, writeFolder } from './folder.ts';

const document = (name: string, body = 'x\n') =>
  `---\nname: ${name}\ndescription: About ${name}.\n---\n${body}`;

const two = {
  'skills/a/SKILL.md': document('a'),
  'skills/a/x.txt': 'one',
  'skills/b/SKILL.md': document('b'),
};

/** Longer than the system's clock takes for a tick. */
const tickMs = 15;

/** A project whose skills are older than a tick. */
async function makeProject() {
  const root = makeFolder(two);
  const cache = path.join(root, 'scans/skills');
  const place = (file: string) => path.join(root, 'skills', file);
  /** The digests, and the files that were read for them, as a run that writes would read them. */
  const look = async ({ writes = true, disk = nodeDisk, trusts = true } = {}) => {
    const read: string[] = [];
    const watching: Disk = {
      ...disk,
      open: (file, ...rest) => {
        if (file.startsWith(path.join(root, 'skills')))
          read.push(path.relative(path.join(root, 'skills'), file));
        return disk.open(file, ...rest);
      },
    };
    const directory = await open(path.join(root, 'skills'), { disk: watching, ...(trusts && { cache }) });
    if (writes) await directory.recover();
    const { skills, unreadable } = await directory.snapshot();
    return {
      digests: Object.fromEntries([...skills].map(([skill, { digest }]) => [skill, digest])),
      read: read.sort(),
      unreadable: unreadable.map((one) => one.problem.reason),
    };
  };
  // Whole seconds are set back to the nanosecond.
  for (const file of all) fs.utimesSync(place(file), 1_000_000_000, 1_000_000_000);
  await aTick();
  return { root, cache, place, look, truth: () => look({ writes: false, trusts: false }) };
}

const aTick = () => new Promise((resolve) => setTimeout(resolve, tickMs));

const all = ['a/SKILL.md', 'a/x.txt', 'b/SKILL.md'];

test('what did not change is not read again', async () => {
  const { look } = await makeProject();
  const first = await look();
  expect(first.read).toEqual(all);
  expect(await look()).toEqual({ ...first, read: [] });
});

test('that holds of many, too', async () => {
  const { root, look } = await makeProject();
  const skills = Array.from({ length: 700 }, (_, nth) => `n${nth}`);
  writeFolder(
    path.join(root, 'skills'),
    Object.fromEntries(skills.map((name) => [`${name}/SKILL.md`, document(name)])),
  );
  await aTick();
  expect((await look()).read.length).toBe(all.length + skills.length);
  expect((await look()).read).toEqual([]);
});

test('of what changed, just the skill is read', async () => {
  const { look, place, truth } = await makeProject();
  await look();
  fs.writeFileSync(place('a/x.txt'), 'two');
  expect(await look()).toEqual({ ...(await truth()), read: ['a/SKILL.md', 'a/x.txt'] });
});

test('who only looks keeps nothing', async () => {
  const { root, look } = await makeProject();
  await look({ writes: false });
  expect(fs.readdirSync(root)).toEqual(['skills']);
});

test('whoever reads all trusts nothing', async () => {
  const { look } = await makeProject();
  await look();
  expect((await look({ trusts: false })).read).toEqual(all);
});

/** The real disk, on a file system whose clock ticks once in a minute. */
function slowDisk(): Disk {
  const minute = 60_000_000_000n;
  const slow = (stat: fs.BigIntStats) =>
    Object.assign(Object.create(stat), {
      mtimeNs: stat.mtimeNs - (stat.mtimeNs % minute),
      ctimeNs: stat.ctimeNs - (stat.ctimeNs % minute),
    });
  return {
    ...nodeDisk,
    lstat: async (file) => slow(await nodeDisk.lstat(file)),
    open: async (...given) => {
      const file = await nodeDisk.open(...given);
      return { ...file, stat: async () => slow(await file.stat()) };
    },
  };
}

test('what may be written again within the tick in which it was read is read again', async () => {
  const { look, place, truth } = await makeProject();
  const disk = slowDisk();
  for (const text of ['two', 'ten', 'six']) {
    fs.writeFileSync(place('a/x.txt'), text);
    expect((await look({ disk })).digests).toEqual((await truth()).digests);
  }
});

type Change = (place: (file: string) => string) => void;

const changes: { readonly [what: string]: Change } = {
  'a file is written anew with as many bytes': (place) => fs.writeFileSync(place('a/x.txt'), 'two'),
  'a file is written anew, and its time set back': (place) => {
    const { atime, mtime } = fs.statSync(place('a/x.txt'));
    fs.writeFileSync(place('a/x.txt'), 'two');
    fs.utimesSync(place('a/x.txt'), atime, mtime);
  },
  'a file is replaced by one of its size and time': (place) => {
    const { atime, mtime } = fs.statSync(place('a/x.txt'));
    fs.writeFileSync(place('new'), 'two');
    fs.utimesSync(place('new'), atime, mtime);
    fs.renameSync(place('new'), place('a/x.txt'));
  },
  'a file becomes executable': (place) => fs.chmodSync(place('a/x.txt'), 0o755),
  'a file goes': (place) => fs.rmSync(place('a/x.txt')),
  'a file comes': (place) => fs.writeFileSync(place('a/y.txt'), ''),
  'a file is renamed': (place) => fs.renameSync(place('a/x.txt'), place('a/y.txt')),
  'a file goes from one skill to another': (place) => fs.renameSync(place('a/x.txt'), place('b/x.txt')),
  'two documents change places': (place) => {
    fs.renameSync(place('a/SKILL.md'), place('new'));
    fs.renameSync(place('b/SKILL.md'), place('a/SKILL.md'));
    fs.renameSync(place('new'), place('b/SKILL.md'));
  },
  'a skill goes': (place) => fs.rmSync(place('b'), { recursive: true }),
  'a skill is renamed': (place) => fs.renameSync(place('b'), place('c')),
  'a skill comes within another': (place) => writeFolder(place('a'), { 'n/SKILL.md': document('n') }),
  'a rule leaves a file out': (place) => fs.writeFileSync(place('.skillfleetignore'), 'x.txt\n'),
  'a document cannot be understood any more': (place) =>
    fs.writeFileSync(place('b/SKILL.md'), '---\n: [\n---\n'),
  'a file becomes a link': (place) => {
    fs.rmSync(place('a/x.txt'));
    fs.symlinkSync('SKILL.md', place('a/x.txt'));
  },
};

describe('where', () => {
  test.each(Object.entries(changes))('%s, that is seen', async (_, change) => {
    const { look, place, truth } = await makeProject();
    const before = await look();
    change(place);
    const { digests, unreadable } = await truth();
    expect({ digests, unreadable }).not.toEqual({ digests: before.digests, unreadable: [] });
    expect(await look()).toMatchObject({ digests, unreadable });
    expect(await look()).toMatchObject({ digests, unreadable });
  });
});

test('whatever changes in whatever order, what is found is what stands there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(changes)), fc.boolean()), { maxLength: 8 }),
      async (steps) => {
        const { look, place, truth } = await makeProject();
        for (const [name, waits] of steps) {
          try {
            changes[name]?.(place);
          } catch {
            // What it changes is gone by now.
          }
          if (waits) await aTick();
          const { digests, unreadable } = await truth();
          expect(await look()).toMatchObject({ digests, unreadable });
        }
      },
    ),
    { numRuns: runs(15) },
  );
});

describe('a cache that', () => {
  const damages: { readonly [what: string]: (cache: string) => void } = {
    'is cut off': (cache) => fs.truncateSync(cache, fs.statSync(cache).size - 10),
    'is empty': (cache) => fs.truncateSync(cache),
    'says something else': (cache) =>
      fs.writeFileSync(cache, fs.readFileSync(cache, 'utf8').replace(/[0-9a-f]{8} a$/m, '00000000 a')),
    'is of another version': (cache) =>
      fs.writeFileSync(cache, fs.readFileSync(cache, 'utf8').replace('scan 1 ', 'scan 1 9')),
    'is a folder': (cache) => {
      fs.rmSync(cache);
      fs.mkdirSync(cache);
    },
    'is a link': (cache) => {
      fs.renameSync(cache, `${cache}-elsewhere`);
      fs.symlinkSync(`${cache}-elsewhere`, cache);
    },
    'stands where nothing can be written': (cache) => {
      fs.rmSync(path.dirname(cache), { recursive: true });
      fs.writeFileSync(path.dirname(cache), '');
    },
  };

  test.each(Object.entries(damages))(
    '%s says nothing, and is written anew where that can be',
    async (_, damage) => {
      const { cache, look, truth } = await makeProject();
      await look();
      damage(cache);
      expect(await look()).toMatchObject({ digests: (await truth()).digests, read: all });
    },
  );

  test.each(['mkdir', 'rmdir', 'unlink', 'writeNew', 'rename', 'lstat'] as const)(
    'cannot be written since %s fails is none',
    async (call) => {
      const { cache, look, truth } = await makeProject();
      const failing = (file: string, ...rest: readonly unknown[]) =>
        file.startsWith(cache)
          ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: call }))
          : (nodeDisk[call] as (...given: readonly unknown[]) => unknown)(file, ...rest);
      const disk = { ...nodeDisk, [call]: failing } as Disk;
      const { digests } = await truth();
      expect(await look({ disk })).toMatchObject({ digests, read: all });
      expect((await look()).digests).toEqual(digests);
      expect((await look()).read).toEqual([]);
    },
  );
});

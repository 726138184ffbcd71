// Writing skills into the skills directory: what lands, what is refused, and what stays untouched.

import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Result } from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { Skill } from '../../src/skill/skill.ts';
import { watchedDisk } from './effects.ts';
import {
  type Folder,
  makeFolder,
  open,
  readFolder,
  skillOf,
  sourceOf,
  systemError,
  writeFolder,
} from './folder.ts';

/** Plans the writing of `skills` over what a directory holds now. */
async function planned(directory: Directory, skills: readonly Skill[]) {
  const { skills: now } = await directory.snapshot();
  return skills.map((skill) => ({
    path: skill.path,
    before: now.get(skill.path) ?? null,
    after: { digest: digestSkill(skill) },
  }));
}

async function apply(directory: Directory, skills: readonly Skill[]): Promise<readonly Result[]> {
  return directory.apply(await planned(directory, skills), sourceOf(skills));
}

function reasonsOf(results: readonly Result[]): readonly string[] {
  return results.map((result) => (result.ok ? 'ok' : result.problem.reason));
}

type Files = Readonly<Record<string, string | { run: string }>>;

/** Before, the files that the skill `a` shall have, and after. */
const written: readonly (readonly [string, Folder, Files, Folder])[] = [
  ['a new skill', {}, { 'SKILL.md': 'a', 'x/y': 'b' }, { 'a/SKILL.md': 'a', 'a/x/y': 'b' }],
  [
    'a changed file',
    { 'a/SKILL.md': 'a', 'a/x': '1' },
    { 'SKILL.md': 'a', x: '2' },
    { 'a/SKILL.md': 'a', 'a/x': '2' },
  ],
  [
    'the executable bit, set and cleared',
    { 'a/SKILL.md': 'a', 'a/x': '1', 'a/y': { run: '2' } },
    { 'SKILL.md': 'a', x: { run: '1' }, y: '2' },
    { 'a/SKILL.md': 'a', 'a/x': { run: '1' }, 'a/y': '2' },
  ],
  [
    'files that are gone, with the folders that are then empty',
    { 'a/SKILL.md': 'a', 'a/x/y/z': '1', 'a/v/w': '1', 'a/v/u': '2' },
    { 'SKILL.md': 'a', 'v/u': '2' },
    { 'a/SKILL.md': 'a', 'a/v/u': '2' },
  ],
  [
    'what is ignored, linked or nested stays, and so does its folder',
    {
      'a/SKILL.md': 'a',
      'a/x/y': '1',
      'a/x/.env': '2',
      'a/v/w': '3',
      'a/v/link': { link: 'w' },
      'a/b/SKILL.md': 'b',
      'a/b/y': '4',
      'a/c/gone': '5',
      'a/c/d/SKILL.md': 'd',
      loose: '6',
    },
    { 'SKILL.md': 'a2' },
    {
      'a/SKILL.md': 'a2',
      'a/x/.env': '2',
      'a/v/link': { link: 'w' },
      'a/b/SKILL.md': 'b',
      'a/b/y': '4',
      'a/c/d/SKILL.md': 'd',
      loose: '6',
    },
  ],
  [
    'a file that becomes a folder',
    { 'a/SKILL.md': 'a', 'a/x': '1' },
    { 'SKILL.md': 'a', 'x/y/z': '2' },
    { 'a/SKILL.md': 'a', 'a/x/y/z': '2' },
  ],
  [
    'a folder that becomes a file, though empty ones are left in it',
    { 'a/SKILL.md': 'a', 'a/x/y/z': '1', 'a/x/w': 'FOLDER', 'a/x/v/u': 'FOLDER' },
    { 'SKILL.md': 'a', x: '2' },
    { 'a/SKILL.md': 'a', 'a/x': '2' },
  ],
  ['a document in another case', { 'a/skill.md': 'a' }, { 'SKILL.md': 'a' }, { 'a/SKILL.md': 'a' }],
  [
    'a deleted document, whose other files still stand',
    { 'a/x': '1', 'a/y.pyc': '2' },
    { 'SKILL.md': 'a', x: { run: '1' } },
    { 'a/SKILL.md': 'a', 'a/x': { run: '1' }, 'a/y.pyc': '2' },
  ],
  [
    'rules of its own',
    { 'a/SKILL.md': 'a', 'a/x.log': '1', 'a/.skillfleetignore': '' },
    { 'SKILL.md': 'a', '.skillfleetignore': '*.txt' },
    { 'a/SKILL.md': 'a', 'a/.skillfleetignore': '*.txt' },
  ],
];

test.each(written)('writes %s', async (_, before, files, after) => {
  const root = makeFolder(before);
  const directory = await open(root);
  const skill = skillOf('a', files);
  const [result] = await apply(directory, [skill]);
  expect(result).toMatchObject({ ok: true, state: { digest: digestSkill(skill) } });
  expect(readFolder(root)).toEqual(after);
  expect((await directory.snapshot()).skills.get(skill.path)).toEqual({ digest: digestSkill(skill) });
});

/** Before, the files that the skill `a` shall have, the reason why not, and the file that it names. */
const refused: readonly (readonly [string, Folder, Files, string, string])[] = [
  [
    'a link to a folder in the way',
    { 'x/y': '', a: { link: 'x' } },
    { 'SKILL.md': '' },
    'link-in-the-way',
    'a',
  ],
  ['a link to nothing', { a: { link: 'x' } }, { 'SKILL.md': '' }, 'link-in-the-way', 'a'],
  [
    'a link below',
    { 'a/SKILL.md': '', x: 'FOLDER', 'a/b': { link: '../x' } },
    { 'SKILL.md': '', 'b/c': '' },
    'link-in-the-way',
    'a/b',
  ],
  [
    'a link as the file',
    { 'a/SKILL.md': '', 'a/b': { link: '../x' } },
    { 'SKILL.md': '', b: '' },
    'link-in-the-way',
    'a/b',
  ],
  [
    'a link as the document',
    { x: '', 'a/SKILL.md': { link: '../x' } },
    { 'SKILL.md': '' },
    'link-in-the-way',
    'a/SKILL.md',
  ],
  [
    'a link at its first, nothing looked at behind it',
    { 'x/b': { link: 'y' }, a: { link: 'x' } },
    { 'SKILL.md': '', 'b/c': '' },
    'link-in-the-way',
    'a',
  ],
  ['a pipe', { 'a/SKILL.md': '', 'a/b': 'FIFO' }, { 'SKILL.md': '', b: '' }, 'file-in-the-way', 'a/b'],
  ['a file where its folder goes', { a: '' }, { 'SKILL.md': '' }, 'file-in-the-way', 'a'],
  ['a loose file with other bytes', { 'a/b': '1' }, { 'SKILL.md': '', b: '2' }, 'file-in-the-way', 'a/b'],
  [
    "a loose file that would become the skill's",
    { 'a/b': '1', 'a/c/d': '2' },
    { 'SKILL.md': '', b: '1' },
    'file-in-the-way',
    'a/c/d',
  ],
  [
    'an ignored file where a folder goes',
    { 'a/SKILL.md': '', 'a/x.swp': '' },
    { 'SKILL.md': '', 'x.swp/b': '' },
    'file-in-the-way',
    'a/x.swp',
  ],
  [
    'an ignored file in a folder that becomes a file',
    { 'a/SKILL.md': '', 'a/b/c': '', 'a/b/.env': '' },
    { 'SKILL.md': '', b: '' },
    'file-in-the-way',
    'a/b/.env',
  ],
  [
    'a skill in a folder that becomes a file',
    { 'a/SKILL.md': '', 'a/b/SKILL.md': '' },
    { 'SKILL.md': '', b: '' },
    'file-in-the-way',
    'a/b/SKILL.md',
  ],
  [
    'a file below a nested skill',
    { 'a/SKILL.md': '', 'a/b/SKILL.md': '' },
    { 'SKILL.md': '', 'b/c': '' },
    'file-not-keepable',
    'b/c',
  ],
  ['a second document', {}, { 'SKILL.md': '', 'b/skill.md': '' }, 'file-not-keepable', 'b/skill.md'],
  ['a file below a file', {}, { 'SKILL.md': '', b: '', 'b/c': '' }, 'file-not-keepable', 'b/c'],
  ['two documents, told apart by case', {}, { 'SKILL.md': '', 'skill.md': '' }, 'files-collide', 'skill.md'],
  ['two files, told apart by case', {}, { 'SKILL.md': '', B: '', b: '' }, 'files-collide', 'b'],
  ['a file and a folder', {}, { 'SKILL.md': '', b: '', 'B/c': '' }, 'files-collide', 'b'],
  ['a device name', {}, { 'SKILL.md': '', 'b/nul.md': '' }, 'file-path-not-allowed', 'b/nul.md'],
  ['an ignored file', {}, { 'SKILL.md': '', 'x.pyc': '' }, 'file-not-keepable', 'x.pyc'],
  ['a file in .git', {}, { 'SKILL.md': '', '.git/config': '' }, 'file-not-keepable', '.git/config'],
  [
    'a file that its own rules ignore',
    {},
    { 'SKILL.md': '', 'b/.skillfleetignore': 'c', 'b/c': '' },
    'file-not-keepable',
    'b/c',
  ],
  [
    'a path that is ignored here',
    { '.skillfleetignore': 'a/' },
    { 'SKILL.md': '' },
    'file-not-keepable',
    'SKILL.md',
  ],
  ['a path out of the skill', {}, { 'SKILL.md': '', '../b': '' }, 'file-path-not-allowed', '../b'],
  ['a document that cannot be read', {}, { 'SKILL.md': 'a\0' }, 'document-holds-nul', 'SKILL.md'],
];

test.each(refused)('refuses %s', async (_, before, files, reason, file) => {
  const root = makeFolder(before);
  const directory = await open(root);
  const [result, other] = await apply(directory, [skillOf('a', files), skillOf('z', { 'SKILL.md': 'z' })]);
  expect(result).toMatchObject({ ok: false, problem: { reason, path: 'a', file } });
  expect(other).toMatchObject({ ok: true });
  expect(readFolder(root)).toEqual({ ...before, 'z/SKILL.md': 'z' });
});

test('nothing is written out of the skills directory, whatever a skill is called', async () => {
  const outer = makeFolder({ 'skills/a/SKILL.md': '' });
  const directory = await open(path.join(outer, 'skills'));
  const results = await apply(directory, [
    skillOf('../b', { 'SKILL.md': '' }),
    skillOf('/b', { 'SKILL.md': '' }),
  ]);
  expect(reasonsOf(results)).toEqual(['path-not-allowed', 'path-not-allowed']);
  expect(readFolder(outer)).toEqual({ 'skills/a/SKILL.md': '' });
});

test.each([
  ['documentBytes', { 'SKILL.md': 'xxxxx', b: 'x' }],
  ['fileBytes', { 'SKILL.md': 'x', b: 'xxxxxx' }],
  ['skillBytes', { 'SKILL.md': 'x', b: 'xxxxx', c: 'xxxxx' }],
  ['filesPerSkill', { 'SKILL.md': 'x', b: 'x', c: 'x', d: 'x' }],
] as const)(
  'what could not be read back for its size is neither written nor read: %s',
  async (limit, files) => {
    const limits = {
      documentBytes: 4,
      fileBytes: 5,
      skillBytes: 10,
      filesPerSkill: 3,
      depth: 9,
      entries: 99,
    };
    const root = makeFolder();
    const [result] = await apply(await open(root, { limits }), [skillOf('a', files)]);
    expect(result).toMatchObject({ ok: false, problem: { reason: 'limit-exceeded', path: 'a', limit } });
    expect(readFolder(root)).toEqual({});
    expect(await apply(await open(root), [skillOf('a', files)])).toMatchObject([{ ok: true }]);
    const { unreadable } = await (await open(root, { limits })).snapshot();
    expect(unreadable).toMatchObject([
      { path: 'a', below: false, problem: { reason: 'limit-exceeded', limit } },
    ]);
  },
);

describe('a change that the world overtook is refused, and nothing is touched', () => {
  const skill = skillOf('a', { 'SKILL.md': 'new' });

  test.each<[string, Folder, (root: string) => void]>([
    ['edited', { 'a/SKILL.md': 'a' }, (root) => fs.writeFileSync(path.join(root, 'a/SKILL.md'), 'b')],
    ['made executable', { 'a/SKILL.md': 'a' }, (root) => fs.chmodSync(path.join(root, 'a/SKILL.md'), 0o755)],
    ['a file added', { 'a/SKILL.md': 'a' }, (root) => fs.writeFileSync(path.join(root, 'a/x'), 'b')],
    ['removed', { 'a/SKILL.md': 'a' }, (root) => fs.rmSync(path.join(root, 'a'), { recursive: true })],
    ['created', {}, (root) => writeFolder(root, { 'a/SKILL.md': 'a' })],
  ])('%s', async (_, before, overtake) => {
    const root = makeFolder(before);
    const directory = await open(root);
    const changes = await planned(directory, [skill]);
    overtake(root);
    const then = readFolder(root);
    expect(reasonsOf(await directory.apply(changes, sourceOf([skill])))).toEqual(['files-changed-meanwhile']);
    expect(readFolder(root)).toEqual(then);
  });

  test('the content changed, or is gone', async () => {
    const root = makeFolder({ 'b/SKILL.md': 'b' });
    const directory = await open(root);
    const changes = await planned(directory, [skill, skillOf('b', { 'SKILL.md': 'b2' })]);
    const source = sourceOf([skillOf('a', { 'SKILL.md': 'newer' })]);
    const results = await directory.apply(changes, source);
    expect(reasonsOf(results)).toEqual(['content-changed-meanwhile', 'content-changed-meanwhile']);
    expect(readFolder(root)).toEqual({ 'b/SKILL.md': 'b' });
  });
});

test('a file moves into a skill that is made below its own', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a', 'a/b/x': '1' });
  const skills = [skillOf('a/b', { 'SKILL.md': 'b', x: '2' }), skillOf('a', { 'SKILL.md': 'a' })];
  expect(reasonsOf(await apply(await open(root), skills))).toEqual(['ok', 'ok']);
  expect(readFolder(root)).toEqual({ 'a/SKILL.md': 'a', 'a/b/SKILL.md': 'b', 'a/b/x': '2' });
});

test('no skill takes the files of the one above it, unless that one gives them up', async () => {
  const before = { 'a/SKILL.md': 'a', 'a/b/x': '1' };
  const root = makeFolder(before);
  const results = await apply(await open(root), [skillOf('a/b', { 'SKILL.md': 'b' })]);
  expect(results).toMatchObject([{ problem: { reason: 'file-in-the-way', path: 'a/b', file: 'a/b/x' } }]);
  expect(readFolder(root)).toEqual(before);
});

test.each([
  [0o640, false, 0o640],
  [0o640, true, 0o750],
  [0o777, false, 0o666],
  [0o600, true, 0o700],
])('the mode %o of a file whose executable bit becomes %s is then %o', async (mode, executable, after) => {
  const root = makeFolder({ 'a/SKILL.md': 'a', 'a/x': '1' });
  fs.chmodSync(path.join(root, 'a/x'), mode);
  const skill = skillOf('a', { 'SKILL.md': 'a', x: executable ? { run: '2' } : '2' });
  expect(reasonsOf(await apply(await open(root), [skill]))).toEqual(['ok']);
  expect(fs.statSync(path.join(root, 'a/x')).mode & 0o777).toBe(after);
});

test.skipIf(process.getuid?.() !== 0)('a file that is replaced keeps its owner and group', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a' });
  fs.chownSync(path.join(root, 'a/SKILL.md'), 12_345, 23_456);
  expect(reasonsOf(await apply(await open(root), [skillOf('a', { 'SKILL.md': 'b' })]))).toEqual(['ok']);
  expect(fs.statSync(path.join(root, 'a/SKILL.md'))).toMatchObject({ uid: 12_345, gid: 23_456 });
});

describe('a call that fails', () => {
  const before: Folder = { 'a/SKILL.md': 'a', 'a/x': '1', 'b/SKILL.md': 'b' };
  const skills = [skillOf('a', { 'SKILL.md': 'a2', 'new/y': '2' }), skillOf('b', { 'SKILL.md': 'b2' })];

  /** A disk on which one call fails, wherever its path ends so. */
  function failing(call: string, ending: string): Disk {
    return watchedDisk((effect) => {
      if (effect.call === call && effect.path.endsWith(ending)) throw systemError('EIO');
    });
  }

  test.each([
    ['making a folder', failing('mkdir', 'a/new'), 'a/new'],
    ['the first rename', failing('rename', 'a/new/y'), 'a/new/y'],
  ])('%s: nothing has changed, and nothing is left behind', async (_, disk, file) => {
    const root = makeFolder(before);
    const results = await apply(await open(root, { disk }), skills);
    expect(results).toMatchObject([
      { ok: false, problem: { reason: 'cannot-write', path: 'a', file, code: 'EIO' } },
      { ok: true },
    ]);
    expect(readFolder(root)).toEqual({ ...before, 'b/SKILL.md': 'b2' });
  });

  test('the last rename: the next run goes on with it, and until then nobody decides about the skill', async () => {
    const root = makeFolder(before);
    const directory = await open(root, { disk: failing('rename', 'a/SKILL.md') });
    const results = await apply(directory, skills);
    expect(results).toMatchObject([
      { ok: false, problem: { reason: 'cannot-write', path: 'a', file: 'a/SKILL.md', code: 'EIO' } },
      { ok: true },
    ]);
    expect(readFolder(root)).toMatchObject({ ...before, 'a/new/y': '2', 'b/SKILL.md': 'b2' });
    const now = await (await open(root)).snapshot();
    expect([...now.skills.keys()]).toEqual(['b']);
    expect(now.unreadable).toMatchObject([{ path: 'a', problem: { reason: 'write-interrupted' } }]);

    const next = await open(root);
    expect(await next.recover()).toEqual({
      ok: true,
      value: [{ notice: 'finished', count: 1, paths: ['a'] }],
    });
    const after = { 'a/SKILL.md': 'a2', 'a/new/y': '2', 'b/SKILL.md': 'b2' };
    expect(readFolder(root)).toEqual(after);
    expect((await next.snapshot()).unreadable).toEqual([]);
  });

  test('no room: nothing has changed, and nothing is left behind', async () => {
    const root = makeFolder(before);
    const full: Disk = {
      ...nodeDisk,
      open: async (place, flags, mode) => {
        const file = await nodeDisk.open(place, flags, mode);
        return {
          ...file,
          write: async (bytes) => {
            if (bytes.toString() === 'a2') throw systemError('ENOSPC');
            await file.write(bytes);
          },
        };
      },
    };
    const results = await apply(await open(root, { disk: full }), skills);
    expect(results).toMatchObject([{ problem: { reason: 'cannot-write', code: 'ENOSPC' } }, { ok: true }]);
    expect(readFolder(root)).toEqual({ ...before, 'b/SKILL.md': 'b2' });
  });
});

test('a full disk is said once for all that was not written, and nothing more is tried', async () => {
  const root = makeFolder();
  const skills = Array.from({ length: 450 }, (_, at) => skillOf(`s${at + 1000}`, { 'SKILL.md': `${at}` }));
  let tried = 0;
  const disk = watchedDisk(({ call }) => {
    if (call === 'write' && ++tried > 250) throw systemError('ENOSPC');
  });
  const results = await apply(await open(root, { disk }), skills);
  const problems = results.flatMap((result) => (result.ok ? [] : [result.problem]));
  expect(new Set(problems).size).toBe(2);
  expect(problems.filter(({ reason }) => reason === 'cannot-write')).toHaveLength(1);
  expect(problems.at(-1)).toEqual({ reason: 'disk-full', directory: root, code: 'ENOSPC' });
  expect(results.filter(({ ok }) => ok)).toHaveLength(250);
  expect(Object.keys(readFolder(root))).toHaveLength(250);
});

test('a file goes before its name in another case comes: where case does not count, they are one', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a', 'a/x': '1' });
  const calls: string[] = [];
  const disk = watchedDisk(({ call, path: file }) => {
    if (['x', 'X'].includes(path.basename(file))) calls.push(`${call} ${path.basename(file)}`);
  });
  expect(
    reasonsOf(await apply(await open(root, { disk }), [skillOf('a', { 'SKILL.md': 'a', X: '1' })])),
  ).toEqual(['ok']);
  expect(calls).toEqual(['unlink x', 'rename X']);
});

test('what a killed run left is no content', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a' });
  const directory = await open(root);
  const clean = await directory.snapshot();
  writeFolder(root, { 'a/.skill-fleet-5a0c': 'half' });
  expect(await directory.snapshot()).toEqual(clean);
});

// The skills directory as a replica: snapshots, loading, and laws over generated and real trees.

import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Directory, openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Loaded } from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { runs } from '../runs.ts';
import { type Folder, makeFolder, open, readFolder, skillOf, writeFolder } from './folder.ts';

async function loadAll(directory: Directory, paths: readonly string[]): Promise<readonly Loaded[]> {
  const loaded: Loaded[] = [];
  for await (const batch of directory.load(paths as readonly SkillPath[])) loaded.push(...batch);
  return loaded;
}

/** Flushing takes most of the time where much is written, and shows only when the power is lost. */
const unflushed: Disk = {
  ...nodeDisk,
  open: async (place, flags, mode) => ({
    ...(await nodeDisk.open(place, flags, mode)),
    sync: async () => {},
  }),
};

/** Carries everything that a directory holds into an empty one. */
async function copy(from: Directory, to: Directory): Promise<void> {
  const { skills } = await from.snapshot();
  const changes = [...skills].map(([path, after]) => ({ path, before: null, after }));
  const results = await to.apply(changes, (paths) => from.load(paths));
  expect(results.filter((result) => !result.ok)).toEqual([]);
}

describe('a skills directory that cannot be opened', () => {
  test.each([
    ['nowhere', 'skills-directory-not-found'],
    ['file', 'skills-directory-is-a-file'],
    ['file/skills', 'skills-directory-not-found'],
    ['loop', 'skills-directory-unreadable'],
  ])('%s', async (name, reason) => {
    const root = path.join(makeFolder({ file: '', loop: { link: 'loop' } }), name);
    const opened = await openDirectory({
      root,
      disk: nodeDisk,
      ignore: [],
      limits: defaultLimits,
      trash: '',
    });
    expect(opened).toMatchObject({ ok: false, problem: { reason, directory: root } });
  });

  test('for the rules that are configured', async () => {
    const ignore = ['**/**/**/**'];
    const opened = await openDirectory({
      root: makeFolder(),
      disk: nodeDisk,
      ignore,
      limits: defaultLimits,
      trash: '',
    });
    expect(opened).toMatchObject({ ok: false, problem: { reason: 'ignore-rule-not-allowed' } });
  });
});

test('a skills directory may be named by a link, and configured rules hold in it', async () => {
  const outer = makeFolder({ 'real/a/SKILL.md': 'a', 'real/a/x.log': '', skills: { link: 'real' } });
  const directory = await open(path.join(outer, 'skills'), { ignore: ['*.log'] });
  const { skills, notices } = await directory.snapshot();
  expect([...skills]).toEqual([['a', { digest: digestSkill(skillOf('a', { 'SKILL.md': 'a' })) }]]);
  expect(notices).toEqual([{ notice: 'ignored', count: 1 }]);
});

test('a snapshot has digests of content, and says what it cannot read', async () => {
  const root = makeFolder({
    'a/SKILL.md': '---\nname: a\n---\n',
    'a/x': { run: '1' },
    'bad/SKILL.md': Buffer.from([0xff]),
    'never/SKILL.md': '---\nname: never\n',
  });
  const { skills, unreadable } = await (await open(root)).snapshot();
  const a = skillOf('a', { 'SKILL.md': '---\nname: a\n---\n', x: { run: '1' } });
  expect([...skills]).toEqual([['a', { digest: digestSkill(a) }]]);
  expect(unreadable).toMatchObject([
    { path: 'bad', below: false, problem: { reason: 'document-not-utf8' } },
    { path: 'never', below: false, problem: { reason: 'frontmatter-never-closes' } },
  ]);
});

test('files that are held elsewhere are content, though a rule names them', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a', 'a/.env': '1', 'a/x.pyc': '2', 'a/y.pyc': '3' });
  const directory = await open(root);
  expect((await directory.snapshot()).dropped).toEqual(['a/.env', 'a/x.pyc', 'a/y.pyc']);
  directory.hold(['a/.env', 'a/x.pyc']);
  const { skills, notices } = await directory.snapshot();
  const a = skillOf('a', { 'SKILL.md': 'a', '.env': '1', 'x.pyc': '2' });
  expect([...skills.values()]).toEqual([{ digest: digestSkill(a) }]);
  expect(notices).toEqual([
    { notice: 'held-secrets', count: 1, paths: ['a/.env'] },
    { notice: 'ignored', count: 1 },
  ]);
});

test('loading keeps the order, and says of each skill why not', async () => {
  const root = makeFolder({
    'a/SKILL.md': 'a',
    'b/SKILL.md': '\0',
    'c/d/SKILL.md': 'd',
    'c/d/e/SKILL.md': 'e',
  });
  const loaded = await loadAll(await open(root), ['c/d', 'gone', 'b', 'a']);
  expect(loaded).toEqual([
    { path: 'c/d', skill: skillOf('c/d', { 'SKILL.md': 'd' }) },
    { path: 'gone', problem: { reason: 'skill-not-found', path: 'gone' } },
    { path: 'b', problem: { reason: 'document-holds-nul', path: 'b', file: 'SKILL.md', line: 1 } },
    { path: 'a', skill: skillOf('a', { 'SKILL.md': 'a' }) },
  ]);
});

test('loading reads the folders of the skills that are asked for, and the ignore files above them', async () => {
  const root = makeFolder({ 'a/.skillfleetignore': 'x', 'a/b/SKILL.md': '', 'a/b/x': '', 'c/SKILL.md': '' });
  const read: string[] = [];
  const disk: Disk = {
    ...nodeDisk,
    readdir: (place) => {
      read.push(path.relative(root, place));
      return nodeDisk.readdir(place);
    },
  };
  const loaded = await loadAll(await open(root, { disk }), ['a/b']);
  expect(loaded).toEqual([{ path: 'a/b', skill: skillOf('a/b', { 'SKILL.md': '' }) }]);
  expect(read).toEqual(['a/b']);
});

test('batches are bounded by bytes', async () => {
  const root = makeFolder({
    'a/SKILL.md': Buffer.alloc(3_000_000, 'a'),
    'b/SKILL.md': Buffer.alloc(3_000_000, 'b'),
    'c/SKILL.md': 'c',
    'c/x': Buffer.alloc(9_000_000),
    'd/SKILL.md': 'd',
  });
  const sizes: number[] = [];
  const paths = ['a', 'b', 'c', 'd'] as unknown as readonly SkillPath[];
  for await (const batch of (await open(root)).load(paths)) sizes.push(batch.length);
  expect(sizes).toEqual([2, 1, 1]);
});

describe('a file that changes while it is read', () => {
  /** A disk on which somebody writes to the file `x` after each of its first reads. */
  function busy(root: string, writes: readonly string[]): Disk {
    const left = [...writes];
    return {
      ...nodeDisk,
      open: async (place, flags, mode) => {
        const file = await nodeDisk.open(place, flags, mode);
        const read: typeof file.read = async (target, offset) => {
          const length = await file.read(target, offset);
          const text = place === path.join(root, 'a/x') ? left.shift() : undefined;
          if (text !== undefined) fs.writeFileSync(place, text);
          return length;
        };
        return { ...file, read };
      },
    };
  }

  /** Its file is old, so that a write within the clock's resolution shows too. */
  function makeOldFolder(): string {
    const root = makeFolder({ 'a/SKILL.md': '', 'a/x': '1' });
    fs.utimesSync(path.join(root, 'a/x'), 1, 1);
    return root;
  }

  test.each(['2', '1more', ''])('is read once more: %j', async (text) => {
    const root = makeOldFolder();
    const loaded = await loadAll(await open(root, { disk: busy(root, [text]) }), ['a']);
    expect(loaded).toEqual([{ path: 'a', skill: skillOf('a', { 'SKILL.md': '', x: text }) }]);
  });

  test('and is a problem when it changes again', async () => {
    const root = makeOldFolder();
    const { unreadable } = await (await open(root, { disk: busy(root, ['2', '33']) })).snapshot();
    expect(unreadable).toMatchObject([{ path: 'a', problem: { reason: 'file-changes', file: 'x' } }]);
  });

  test.each<[string, (place: string) => void, object]>([
    ['a link', (place) => fs.symlinkSync('/etc/passwd', place), { reason: 'file-unreadable', code: 'ELOOP' }],
    ['a folder', (place) => fs.mkdirSync(place), { reason: 'file-unreadable', code: 'EISDIR' }],
    ['nothing', () => {}, { reason: 'file-unreadable', code: 'ENOENT' }],
  ])('is a problem when it becomes %s', async (_, become, problem) => {
    const root = makeFolder({ 'a/SKILL.md': '', 'a/x': '1' });
    const lstat: Disk['lstat'] = async (place) => {
      const stat = await nodeDisk.lstat(place);
      if (place === path.join(root, 'a/x')) {
        fs.rmSync(place);
        become(place);
      }
      return stat;
    };
    const { skills, unreadable } = await (await open(root, { disk: { ...nodeDisk, lstat } })).snapshot();
    expect([...skills]).toEqual([]);
    expect(unreadable).toMatchObject([{ path: 'a', problem: { path: 'a', file: 'x', ...problem } }]);
  });
});

test.each([
  ['a folder', 'a', [{ path: 'a', below: true, problem: { reason: 'folder-unreadable', code: 'EACCES' } }]],
  [
    'a file',
    'a/SKILL.md',
    [{ path: 'a', below: false, problem: { reason: 'file-unreadable', code: 'EACCES' } }],
  ],
])('%s that this user may not read is unknown', async (_, file, unreadable) => {
  const root = makeFolder({ 'a/SKILL.md': '', 'b/SKILL.md': '' });
  fs.chmodSync(path.join(root, file), 0);
  const directory = await open(root);
  const snapshot = await asNobody(() => directory.snapshot());
  expect([...snapshot.skills.keys()]).toEqual(['b']);
  expect(snapshot.unreadable).toMatchObject(unreadable);
});

test('a skill that this user may not write is named, and nothing of it has changed', async () => {
  const root = makeFolder({ 'a/SKILL.md': 'a' });
  fs.chmodSync(path.join(root, 'a'), 0o555);
  const directory = await open(root);
  const skill = skillOf('a', { 'SKILL.md': 'b' });
  const before = (await directory.snapshot()).skills.get(skill.path) ?? null;
  const changes = [{ path: skill.path, before, after: { digest: digestSkill(skill) } }];
  const results = await asNobody(() =>
    directory.apply(changes, async function* () {
      yield [{ path: skill.path, skill }];
    }),
  );
  expect(results).toMatchObject([
    { ok: false, problem: { reason: 'cannot-write', path: 'a', code: 'EACCES' } },
  ]);
  expect(readFolder(root)).toEqual({ 'a/SKILL.md': 'a' });
});

/** Runs as a user without privileges; to the superuser nothing is forbidden. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const nobody = 65_534;
  const user = process.geteuid?.();
  if (user !== 0) return work();
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(user);
  }
}

const name = fc.constantFrom('a', 'b', 'ü', 'x y', '[*]', '!a', '%2F', '\u2028', '.hidden', 'A.md');
const folder = fc.array(name, { maxLength: 3 });
const content = fc.oneof(
  fc.string(),
  fc.string().map((run) => ({ run })),
);

/** A few skills, one within another at times, with some files. */
const library = fc
  .tuple(
    fc.array(folder, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(folder, name, content), { maxLength: 12 }),
  )
  .map(([skills, files]): Folder => {
    const documents = skills.map((segments) => [...['s', ...segments, 'SKILL.md']].join('/'));
    const others = files.map(([segments, name, content]) => [
      ['s', ...segments, `${name}.f`].join('/'),
      content,
    ]);
    return Object.fromEntries([
      ['s/SKILL.md', 'text'],
      ...documents.map((document) => [document, 'text']),
      ...others,
    ]);
  });

test('any skills, snapshot, loaded and applied into an empty directory, are the same there', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(library, async (tree) => {
      const outer = makeFolder({ from: 'FOLDER', to: 'FOLDER' });
      writeFolder(path.join(outer, 'from'), tree);
      const from = await open(path.join(outer, 'from'));
      const to = await open(path.join(outer, 'to'), { disk: unflushed });
      await copy(from, to);
      expect(await to.snapshot()).toEqual(await from.snapshot());
      expect(readFolder(path.join(outer, 'to'))).toEqual(readFolder(path.join(outer, 'from')));
      fs.rmSync(outer, { recursive: true });
    }),
    { numRuns: runs(25) },
  );
});

test('from any skill to any other, the files become those of the other', { timeout: 60_000 }, async () => {
  const files = fc
    .dictionary(
      fc
        .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
        .map((segments) => segments.join('/')),
      content,
      { maxKeys: 6 },
    )
    .map((files) => withoutFilesBelowFiles(files));
  await fc.assert(
    fc.asyncProperty(files, files, async (before, after) => {
      const root = makeFolder();
      const directory = await open(root, { disk: unflushed });
      for (const files of [before, after]) {
        const skill = skillOf('s', { 'SKILL.md': 'text', ...files });
        const now = (await directory.snapshot()).skills.get(skill.path) ?? null;
        const changes = [{ path: skill.path, before: now, after: { digest: digestSkill(skill) } }];
        const results = await directory.apply(changes, async function* () {
          yield [{ path: skill.path, skill }];
        });
        expect(results).toMatchObject([{ ok: true }]);
        const expected = Object.entries({ 'SKILL.md': 'text', ...files }).map(([file, content]) => [
          `s/${file}`,
          content,
        ]);
        expect(readFolder(root)).toEqual(Object.fromEntries(expected));
      }
      fs.rmSync(root, { recursive: true });
    }),
    { numRuns: runs(25) },
  );
});

type Files = Readonly<Record<string, string | { run: string }>>;

function withoutFilesBelowFiles(files: Files): Files {
  const names = Object.keys(files);
  const isBelowFile = (file: string) => names.some((other) => file.startsWith(`${other}/`));
  return Object.fromEntries(Object.entries(files).filter(([file]) => !isBelowFile(file)));
}

const corpus = path.join(import.meta.dirname, '../../../shared/corpus');

describe.skipIf(!fs.existsSync(corpus))('real skills', () => {
  test('are all found, and the same each time, and the same in an empty directory', {
    timeout: 120_000,
  }, async () => {
    const from = await open(corpus);
    const snapshot = await from.snapshot();
    expect([...snapshot.skills.keys(), ...snapshot.unreadable.map(({ path }) => path)].sort()).toEqual(
      documentsBelow(corpus)
        .map((file) => path.relative(corpus, path.dirname(file)))
        .sort(),
    );
    expect(await from.snapshot()).toEqual(snapshot);
    const root = makeFolder();
    const to = await open(root, { disk: unflushed });
    await copy(from, to);
    expect((await to.snapshot()).skills).toEqual(snapshot.skills);
    const copied = filesBelow(root);
    const differing = copied.filter(
      (file) => !isSameFile(file, path.join(corpus, path.relative(root, file))),
    );
    expect(differing).toEqual([]);
    expect(copied.length).toBeGreaterThan(snapshot.skills.size);
  });
});

function filesBelow(root: string): readonly string[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function documentsBelow(root: string): readonly string[] {
  return filesBelow(root).filter((file) => path.basename(file).toLowerCase() === 'skill.md');
}

function isSameFile(a: string, b: string): boolean {
  const [bitA, bitB] = [a, b].map((file) => fs.statSync(file).mode & 0o100);
  return bitA === bitB && fs.readFileSync(a).equals(fs.readFileSync(b));
}

// Which folders are skills and which files are theirs, on real folders with all that real folders hold.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Above } from '../../src/directory/above.ts';
import { baseRules } from '../../src/directory/ignore.ts';
import type { Library } from '../../src/directory/library.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { scanSkill, scanTree } from '../../src/directory/scan.ts';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Notice } from '../../src/notice.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { type Folder, makeFolder, systemError } from './folder.ts';

function libraryOf(root: string, changes: Partial<Library> = {}): Library {
  const rules = baseRules([], () => false);
  if (!rules.ok) throw new Error('no rules at all are allowed');
  return { root, disk: nodeDisk, limits: defaultLimits, rules: rules.value, ...changes };
}

interface Found {
  readonly skills?: Readonly<Record<string, readonly string[]>>;
  /** Path and reason; `below` is a slash at the path's end. */
  readonly unreadable?: readonly string[];
  readonly notices?: readonly Notice[];
}

async function scan(library: Library): Promise<Found> {
  const tree = await scanTree(library);
  return {
    skills: Object.fromEntries([...tree.skills].map(([skill, files]) => [skill, [...files].sort()])),
    unreadable: tree.unreadable.map(
      ({ path, below, problem }) => `${path}${below ? '/' : ''} ${problem.reason}`,
    ),
    notices: tree.notices,
  };
}

const named = (...paths: readonly string[]) => ({ count: paths.length, paths });

const rows: readonly (readonly [string, Folder, Found])[] = [
  ['nothing', {}, {}],
  [
    'a skill with files',
    { 'a/b/SKILL.md': '', 'a/b/x/y.md': '' },
    { skills: { 'a/b': ['SKILL.md', 'x/y.md'] } },
  ],
  [
    'a skill in a skill, which owns its own files',
    { 'a/SKILL.md': '', 'a/x.md': '', 'a/b/c/SKILL.md': '', 'a/b/c/d/y.md': '', 'a/b/z.md': '' },
    { skills: { a: ['SKILL.md', 'b/z.md', 'x.md'], 'a/b/c': ['SKILL.md', 'd/y.md'] } },
  ],
  [
    'a document in another case',
    { 'a/skill.md': '', 'b/Skill.MD': '' },
    { skills: { a: ['skill.md'], b: ['Skill.MD'] } },
  ],
  [
    'what is no document',
    { 'a/SKILL.md/x': '', 'b/SKILL.md': 'FIFO', 'c/SKILL.md': { link: '../d/SKILL.md' }, 'd/SKILL.md': '' },
    { skills: { d: ['SKILL.md'] }, notices: [{ notice: 'links', ...named('c/SKILL.md') }] },
  ],
  ['loose files', { 'README.md': '', 'docs/x.md': '', '.env': '', pipe: 'FIFO' }, {}],
  [
    'links, to files, folders, nothing and themselves',
    {
      'a/SKILL.md': '',
      'a/file': { link: 'SKILL.md' },
      'a/up': { link: '..' },
      'a/gone': { link: 'nowhere' },
      b: { link: 'a' },
      out: { link: '/etc' },
    },
    {
      skills: { a: ['SKILL.md'] },
      notices: [{ notice: 'links', ...named('a/file', 'a/gone', 'a/up', 'b', 'out') }],
    },
  ],
  [
    'ignore files, negations, and an ignored document',
    {
      '.skillfleetignore': '*.log\nvendor/\n',
      'a/SKILL.md': '',
      'a/x.log': '',
      'a/keep/.skillfleetignore': '!*.log\n',
      'a/keep/y.log': '',
      'vendor/b/SKILL.md': '',
      'a/__pycache__/SKILL.md': '',
    },
    {
      skills: { a: ['SKILL.md', 'keep/.skillfleetignore', 'keep/y.log'] },
      notices: [{ notice: 'ignored', count: 3 }],
    },
  ],
  [
    'ignore files that are none',
    {
      'a/SKILL.md': '',
      'a/x': '',
      'a/.skillfleetignore': { link: 'y' },
      'b/SKILL.md': '',
      'b/.skillfleetignore/x': '',
    },
    {
      skills: { a: ['SKILL.md', 'x'], b: ['.skillfleetignore/x', 'SKILL.md'] },
      notices: [{ notice: 'links', ...named('a/.skillfleetignore') }],
    },
  ],
  [
    'an ignore file that cannot be used',
    { 'a/SKILL.md': '', 'a/b/.skillfleetignore': '**/**/**/**', 'c/SKILL.md': '' },
    {
      skills: { c: ['SKILL.md'] },
      unreadable: ['a ignore-rule-not-allowed', 'a/b/ ignore-rule-not-allowed'],
    },
  ],
  [
    'secrets, pipes, and files of ours',
    { 'a/SKILL.md': '', 'a/.env': '', 'a/.env.example': '', 'a/pipe': 'FIFO', 'a/.skill-fleet-x': '' },
    {
      skills: { a: ['.env.example', 'SKILL.md'] },
      notices: [
        { notice: 'secrets', ...named('a/.env') },
        { notice: 'special-files', ...named('a/pipe') },
      ],
    },
  ],
  [
    'odd names',
    Object.fromEntries(
      ['a b', 'ü', '%41', '%', '*', '[x]', 'x', '!x', '{a,b}', '+(x)', '\u2028', '\uFFFD', 'constructor']
        .flatMap((name) => [`${name}/SKILL.md`, `${name}/${name}`])
        .map((file) => [file, '']),
    ),
    {
      skills: Object.fromEntries(
        [
          'a b',
          'ü',
          '%41',
          '%',
          '*',
          '[x]',
          'x',
          '!x',
          '{a,b}',
          '+(x)',
          '\u2028',
          '\uFFFD',
          'constructor',
        ].map((name) => [name, ['SKILL.md', name].sort()]),
      ),
    },
  ],
  [
    'names that cannot be stored',
    {
      'a/SKILL.md': '',
      'a/x\ny': '',
      'b\n/SKILL.md': '',
      'c/SKILL.md': '',
      'd/SKILL.md': '',
      'd/x\\y': '',
      '.\\c/SKILL.md': '',
      'CON/SKILL.md': '',
      'e/SKILL.md': '',
      'e/aux.md/x': '',
      'f/SKILL.md/SKILL.md': '',
      'g./h/SKILL.md': '',
    },
    {
      skills: { c: ['SKILL.md'] },
      unreadable: [
        '.\\c path-not-allowed',
        'CON path-not-allowed',
        'a file-path-not-allowed',
        'b\n path-not-allowed',
        'd file-path-not-allowed',
        'e file-path-not-allowed',
        'f/SKILL.md path-not-allowed',
        'g./h path-not-allowed',
      ],
    },
  ],
  [
    "such names where they are nobody's, or left out",
    {
      'a/SKILL.md': '',
      'loose\r': '',
      'x\\y': '',
      'docs /aux': '',
      'Docs/a': '',
      'docs/A': '',
      'a/node_modules/con/x.': '',
      'a/Thumbs.db': '',
      'a/thumbs.db': '',
    },
    { skills: { a: ['SKILL.md'] }, notices: [{ notice: 'ignored', count: 3 }] },
  ],
  [
    'names that other file systems merge',
    {
      'a/SKILL.md': '',
      'a/README.md': '',
      'a/readme.md': '',
      'b/skill.md': '',
      'b/SKILL.md': '',
      'c/SKILL.md': '',
      'c/caf\u00e9': '',
      'c/cafe\u0301': '',
      'd/SKILL.md': '',
      'd/x': '',
      'd/X/y': '',
      'e/SKILL.md': '',
      'e/x': '',
      'f/SKILL.md': '',
      'f/X': '',
    },
    {
      skills: { e: ['SKILL.md', 'x'], f: ['SKILL.md', 'X'] },
      unreadable: ['a', 'b', 'c', 'd'].map((skill) => `${skill} files-collide`),
    },
  ],
];

test.each(rows)('%s', async (_, folder, found) => {
  const library = libraryOf(makeFolder(folder));
  expect(await scan(library)).toEqual({ skills: {}, unreadable: [], notices: [], ...found });
});

const scanOne = (library: Library, skill: SkillPath) => scanSkill(library, skill, new Above(library));

test.each(rows)('each skill alone is what it is among the others: %s', async (_, folder, found) => {
  const library = libraryOf(makeFolder(folder));
  for (const [skill, files] of Object.entries(found.skills ?? {})) {
    const scanned = await scanOne(library, skill as SkillPath);
    expect(scanned.ok && [...(scanned.value.files ?? [])].sort()).toEqual(files);
  }
});

test.each(['b', 'c', 'a/x', 'a/nowhere', 'link', 'link/x', 'vendor/d', 'a/SKILL.md', 'a/SKILL.md/x'])(
  'no skill is at %s',
  async (skill) => {
    const root = makeFolder({
      'a/SKILL.md': '',
      'a/x/SKILL.txt': '',
      'b/x/SKILL.md': '',
      link: { link: 'b' },
      '.skillfleetignore': 'vendor',
      'vendor/d/SKILL.md': '',
    });
    const scanned = await scanOne(libraryOf(root), skill as SkillPath);
    expect(scanned.ok && scanned.value.files).toBe(null);
  },
);

test('a skill alone names the skills below it', async () => {
  const root = makeFolder({
    'a/SKILL.md': '',
    'a/b/SKILL.md': '',
    'a/b/c/SKILL.md': '',
    'a/d/e/SKILL.md': '',
  });
  const scanned = await scanOne(libraryOf(root), 'a' as SkillPath);
  expect(scanned.ok && [...scanned.value.nested].sort()).toEqual(['a/b', 'a/d/e']);
});

test('a document in the skills directory itself says where to point instead', async () => {
  const root = makeFolder({ 'skill.md': '', 'a/SKILL.md': '', 'x.md': '' });
  expect(await scan(libraryOf(root))).toEqual({
    skills: { a: ['SKILL.md'] },
    unreadable: [],
    notices: [{ notice: 'root-document', file: 'skill.md', pointAt: path.dirname(root) }],
  });
});

test('names that are not UTF-8', async () => {
  const root = makeFolder({ 'a/SKILL.md': '', 'b/SKILL.md': '', 'c/SKILL.md': '', 'loose/x': '' });
  const odd = (folder: string) =>
    Buffer.concat([Buffer.from(`${root}/${folder}/`), Buffer.from([0x78, 0xff])]);
  writeFileSync(odd('a'), '');
  writeFileSync(odd('loose'), '');
  writeFileSync(Buffer.concat([odd('c'), Buffer.from('.pyc')]), '');
  expect(await scan(libraryOf(root))).toEqual({
    skills: { b: ['SKILL.md'], c: ['SKILL.md'] },
    unreadable: ['a file-name-not-utf8'],
    notices: [{ notice: 'ignored', count: 1 }],
  });
});

describe('a folder that cannot be read is unknown with all below it, and never absent', () => {
  const folder = { 'a/SKILL.md': '', 'a/x/y': '', 'b/c/SKILL.md': '', 'd/SKILL.md': '' };

  test.each([
    ['a', ['a/ folder-unreadable'], ['b/c', 'd']],
    ['a/x', ['a folder-unreadable', 'a/x/ folder-unreadable'], ['b/c', 'd']],
    ['b', ['b/ folder-unreadable'], ['a', 'd']],
    ['', ['/ folder-unreadable'], []],
  ])('%s', async (failing, unreadable, skills) => {
    const root = makeFolder(folder);
    const readdir: Disk['readdir'] = async (place) => {
      if (place === path.join(root, failing)) throw systemError('EIO');
      return nodeDisk.readdir(place);
    };
    const found = await scan(libraryOf(root, { disk: { ...nodeDisk, readdir } }));
    expect(found.unreadable).toEqual(unreadable);
    expect(Object.keys(found.skills ?? {})).toEqual(skills);
  });
});

test.each([
  ['filesPerSkill', 2, ['big']],
  ['depth', 2, ['big', 'big/x/y/']],
  ['entries', 8, ['/']],
] as const)('the limit %s', async (limit, most, unreadable) => {
  const root = makeFolder({
    'big/SKILL.md': '',
    'big/1': '',
    'big/x/y/2': '',
    'ok/SKILL.md': '',
    'ok/1': '',
  });
  const limits = { ...defaultLimits, [limit]: most };
  const found = await scan(libraryOf(root, { limits }));
  expect(found.unreadable).toEqual(unreadable.map((path) => `${path} limit-exceeded`));
  expect(Object.keys(found.skills ?? {})).toEqual(unreadable[0] === '/' ? [] : ['ok']);
  const enough = await scan(libraryOf(root, { limits: { ...defaultLimits, [limit]: most + 2 } }));
  expect(enough.unreadable).toEqual([]);
});

test('no rules are read behind a link on the way to a skill', async () => {
  const root = makeFolder({
    'a/.skillfleetignore': '!'.repeat(600),
    'a/b/SKILL.md': '',
    link: { link: 'a' },
  });
  const scanned = await scanOne(libraryOf(root), 'link/b' as SkillPath);
  expect(scanned).toEqual({ ok: true, value: { files: null, loose: [], nested: [] } });
});

test('a signal ends it with its reason, however many folders wait to be listed', async () => {
  const root = makeFolder(
    Object.fromEntries(Array.from({ length: 2000 }, (_, number) => [`${number}`, 'FOLDER'])),
  );
  const controller = new AbortController();
  const reason = new Error('enough');
  const readdir: Disk['readdir'] = async (place) => {
    const items = await nodeDisk.readdir(place);
    if (place !== root) controller.abort(reason);
    return items;
  };
  const library = libraryOf(root, { disk: { ...nodeDisk, readdir } });
  await expect(scanTree(library, controller.signal)).rejects.toBe(reason);
});

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', 'src');

/**
 * The rooms of the house, and the rooms that each may import besides itself. A room is a folder of src/, or a
 * file that stands alone there.
 */
const mayImport: { readonly [room: string]: readonly string[] } = {
  cli: ['commands', 'version'],
  api: ['commands', 'document', 'problem', 'replica', 'report', 'skill'],
  commands: [
    'config',
    'directory',
    'disk',
    'document',
    'git',
    'problem',
    'reconcile',
    'replica',
    'report',
    'repository',
    'skill',
    'state-directory',
    'sync',
    'taxonomy',
    'user',
    'validation',
    'version',
  ],
  sync: ['disk', 'git', 'lock', 'notice', 'problem', 'reconcile', 'replica', 'skill'],
  git: [],
  reconcile: ['document', 'problem', 'replica', 'skill'],
  replica: ['document', 'notice', 'problem', 'skill'],
  directory: ['disk', 'document', 'notice', 'problem', 'replica', 'skill', 'version'],
  repository: [
    'disk',
    'document',
    'lock',
    'notice',
    'package-root',
    'problem',
    'replica',
    'skill',
    'taxonomy',
    'user',
  ],
  document: ['problem', 'skill'],
  taxonomy: ['skill'],
  validation: ['document', 'problem', 'skill'],
  skill: ['problem'],
  report: ['document', 'notice', 'problem', 'reconcile', 'replica', 'skill', 'validation'],
  config: ['problem', 'validation'],
  lock: ['disk', 'user'],
  notice: ['skill'],
  disk: [],
  problem: [],
  'state-directory': ['disk'],
  user: [],
  version: ['package-root'],
  'package-root': [],
};

/** Rooms without I/O, clock, environment or randomness. */
const pure = ['reconcile', 'document', 'taxonomy', 'validation', 'skill', 'problem', 'replica', 'notice'];

/** What of Node a pure room may use: functions from values to values. */
const pureModules = ['node:buffer', 'node:crypto', 'node:util'];

const impureNames =
  /\b(process\.|Date\.now|new Date\(\)|Math\.random|randomUUID|randomBytes|performance\.|fetch\()/;

async function sources(): Promise<readonly string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => name.endsWith('.ts'));
}

function roomOf(file: string): string {
  const [first = ''] = file.split(path.sep);
  return first.replace(/\.ts$/, '');
}

function importsOf(source: string): readonly string[] {
  return [...source.matchAll(/(?:\bfrom\s+|\bimport\(\s*|^import\s+)'([^']+)'/gm)].map(
    (match) => match[1] ?? '',
  );
}

describe('the rooms of src/', async () => {
  const files = await Promise.all(
    (await sources()).map(async (file) => ({ file, source: await readFile(path.join(root, file), 'utf8') })),
  );

  test('are those of the table', () => {
    expect([...new Set(files.map(({ file }) => roomOf(file)))].sort()).toEqual(Object.keys(mayImport).sort());
  });

  test('import what the table allows, and every line of the table is used', () => {
    const used: { [room: string]: Set<string> } = {};
    for (const room of Object.keys(mayImport)) used[room] = new Set();
    for (const { file, source } of files) {
      for (const imported of importsOf(source).filter((name) => name.startsWith('.'))) {
        const target = roomOf(path.join(path.dirname(file), imported));
        if (target !== roomOf(file)) used[roomOf(file)]?.add(target);
      }
    }
    const found = Object.fromEntries(
      Object.entries(used).map(([room, targets]) => [room, [...targets].sort()]),
    );
    expect(found).toEqual(mayImport);
  });

  test.each(pure)('%s is pure', (room) => {
    for (const { file, source } of files.filter((one) => roomOf(one.file) === room)) {
      const modules = importsOf(source).filter((name) => name.startsWith('node:'));
      expect({ file, modules: modules.filter((name) => !pureModules.includes(name)) }).toEqual({
        file,
        modules: [],
      });
      expect({ file, impure: impureNames.exec(source)?.[0] }).toEqual({ file, impure: undefined });
    }
  });

  test('have no drawer for odds and ends, and no file that only passes on', () => {
    for (const { file, source } of files) {
      expect(path.basename(file)).not.toMatch(/^(utils?|helpers?|common|misc|types|index)\.ts$/);
      expect({ file, passesOn: /^export (\*|\{[^}]*\}) from /m.test(source) }).toEqual({
        file,
        passesOn: false,
      });
    }
  });

  test('each say first what they are for', () => {
    for (const { file, source } of files) {
      expect({ file, first: source.replace(/^#!.*\n/, '').slice(0, 3) }).toEqual({ file, first: '// ' });
    }
  });
});

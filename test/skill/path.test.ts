import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compareBytes,
  type FilePath,
  findMerged,
  folderName,
  foldersAbove,
  mergedForm,
  parseFilePath,
  parseSkillPath,
} from '../../src/skill/path.ts';

/** A path of so many characters in segments of 100. */
function longPath(characters: number, character = 'x'): string {
  return Array.from({ length: characters }, (_, index) => (index % 100 === 99 ? '/' : character)).join('');
}

test.each([
  'a',
  'development/languages/python/async',
  'With Spaces/Ümlaut/😀',
  '.hidden/..dots/a..b/...x',
  'percent%20/star*/[brackets]',
  'console/nul-and-void/com10/lpt/aux2.md/con-text.md/common',
  'a 1:2/12:30.md',
  'x'.repeat(255),
  'é'.repeat(127),
  longPath(512),
  longPath(512, 'é'),
])('%j is a path', (text) => {
  expect(parseSkillPath(text)).toEqual({ ok: true, value: text });
});

test.each([
  ['', 'it is empty'],
  ['/etc/passwd', 'it is absolute'],
  ['a//b', 'it holds an empty segment'],
  ['a/', 'it holds an empty segment'],
  ['.', 'it holds a "." or ".." segment'],
  ['../up', 'it holds a "." or ".." segment'],
  ['a/../../b', 'it holds a "." or ".." segment'],
  ['a/./b', 'it holds a "." or ".." segment'],
  ['line\nbreak', 'it holds a control character'],
  ['nul\0', 'it holds a control character'],
  ['delete\u007f', 'it holds a control character'],
  ['half\ud800', 'it is not valid Unicode'],
  ['a\\b', 'it holds a backslash'],
  ['a\\..\\b', 'it holds a backslash'],
  ...['C:', 'c:x', 'a/z:/b'].map((path) => [path, 'it holds a segment that begins with a drive']),
  ...[
    'CON',
    'a/Prn/b',
    'aux',
    'nul.tar.gz',
    'com0',
    'COM9.md',
    'a/LPT1',
    'com²',
    'conin$',
    'nul .txt',
    'prn:x',
  ].map((path) => [path, 'it holds a device name of Windows']),
  ...['a.', 'a ', 'a./b', 'a /b', 'a/...', ' '].map((path) => [
    path,
    'it holds a segment that ends in a dot or a space',
  ]),
  ['x'.repeat(256), 'it holds a segment longer than 255 bytes'],
  [`a/${'é'.repeat(128)}`, 'it holds a segment longer than 255 bytes'],
  [longPath(513), 'it is longer than 512 characters'],
])('%j is none: %s', (text, why) => {
  expect(parseSkillPath(text)).toEqual({
    ok: false,
    problem: { reason: 'path-not-allowed', path: text, why },
  });
  const skill = parseSkillPath('skill');
  expect(skill.ok && parseFilePath(skill.value, text)).toEqual({
    ok: false,
    problem: { reason: 'file-path-not-allowed', path: 'skill', file: text, why },
  });
});

test.each(['SKILL.md', 'SKILL.md/x', 'a/skill.MD/b'])('%s is a file path, and no skill path', (text) => {
  const why = 'it holds a segment SKILL.md, which is a document and no folder';
  expect(parseSkillPath(text)).toEqual({
    ok: false,
    problem: { reason: 'path-not-allowed', path: text, why },
  });
  const skill = parseSkillPath('a');
  expect(skill.ok && parseFilePath(skill.value, text)).toEqual({ ok: true, value: text });
});

const composed = 'caf\u00e9';
const decomposed = 'cafe\u0301';

test.each([
  ['README.md', 'readme.md'],
  ['dev/Case', 'DEV/case'],
  [composed, decomposed],
  [composed, decomposed.toUpperCase()],
  ['straße', 'STRASSE'],
  ['ΟΔΟΣ/οδος', 'οδοσ/ΟΔΟς'],
  ['\u1e9e', 'ß'],
  ['\u212bngström', 'a\u030angström'],
  ['\u1fb4', '\u03b1\u0345\u0301'],
])('%j and %j are merged', (one, other) => {
  expect(mergedForm(one)).toBe(mergedForm(other));
});

test.each([
  ['a', 'b'],
  ['a/b', 'a-b'],
  ['e', 'é'],
  ['1', '１'],
  ['fi', 'f'],
])('%j and %j are not merged', (one, other) => {
  expect(mergedForm(one)).not.toBe(mergedForm(other));
});

test('the form of a folder is the folder of the form, and its own form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (folder, name) => {
      expect(mergedForm(`${folder}/${name}`)).toBe(`${mergedForm(folder)}/${mergedForm(name)}`);
      expect(mergedForm(mergedForm(folder))).toBe(mergedForm(folder));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['files', ['x', 'README.md', 'readme.md'], ['README.md', 'readme.md']],
  ['a file and a folder', ['a', 'b', 'A/b'], ['A/b', 'a']],
  ['folders', ['Docs/a', 'docs/b'], ['Docs/a', 'docs/b']],
  ['forms of Unicode', [composed, decomposed], [decomposed, composed]],
  ['the same name in two folders', ['a/x', 'b/X', 'X'], undefined],
  ['one folder', ['a/x', 'a/y', 'a/b/x'], undefined],
  ['a file alone', ['a'], undefined],
])('of %s those are found that are merged', (_, files, found) => {
  const [other, file] = found ?? [];
  for (const some of [files, files.toReversed()]) {
    expect(findMerged(some as FilePath[])).toEqual(found && { file, other });
  }
});

test('files are found that are merged just where a file system would hold fewer', () => {
  const segment = fc.constantFrom('a', 'A', 'b', 'é', 'e\u0301');
  const files = fc.uniqueArray(
    fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/')),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(files, (some) => {
      const places = new Set(some.flatMap((file) => [...foldersAbove(file), file]));
      const merged = new Set([...places].map(mergedForm));
      expect(findMerged(some as FilePath[]) !== undefined).toBe(merged.size < places.size);
    }),
    { numRuns: 1000 },
  );
});

test('whatever is taken stays below the folder that it is joined to', () => {
  const segments = fc.constantFrom('..', '.', '', 'a', 'b..', '\\..', '/');
  fc.assert(
    fc.property(fc.array(segments, { maxLength: 6 }), (parts) => {
      const parsed = parseSkillPath(parts.join('/'));
      if (!parsed.ok) return;
      const url = new URL(encodeURI(parsed.value), 'file:///root/skills/');
      expect(url.pathname.startsWith('/root/skills/')).toBe(true);
    }),
  );
});

test('paths are ordered by their bytes', () => {
  // In UTF-16, U+1F600 comes before U+FF5E; in UTF-8, after it.
  expect(['\uff5e', '😀', 'a/b', 'a', 'a b'].sort(compareBytes)).toEqual(['a', 'a b', 'a/b', '\uff5e', '😀']);
});

test.each([
  ['a', 'a'],
  ['a/b/c', 'c'],
])('the folder of %s is %s', (text, folder) => {
  const parsed = parseSkillPath(text);
  expect(parsed.ok && folderName(parsed.value)).toBe(folder);
});

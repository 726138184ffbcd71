import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, folderName, parseFilePath, parseSkillPath } from '../../src/skill/path.ts';

test.each([
  'a',
  'development/languages/python/async',
  'With Spaces/Ümlaut/😀',
  '.hidden/..dots/a..b/...',
  'percent%20/star*/[brackets]/back\\slash',
  'x'.repeat(512),
  '😀'.repeat(512),
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
  ['x'.repeat(513), 'it is longer than 512 characters'],
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

test('whatever is taken stays below the folder that it is joined to', () => {
  const segments = fc.constantFrom('..', '.', '', 'a', 'b..', '\\..', '/');
  fc.assert(
    fc.property(fc.array(segments, { maxLength: 6 }), (parts) => {
      const parsed = parseSkillPath(parts.join('/'));
      if (!parsed.ok) return;
      const url = new URL(encodeURI(parsed.value).replaceAll('\\', '%5C'), 'file:///root/skills/');
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

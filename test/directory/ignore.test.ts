// Which files are content: the rules built in, configured, and in the tree, as git understands them.

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseRules, type Held, type IgnoreRules, linesOf, type Verdict } from '../../src/directory/ignore.ts';
import { makeFolder } from './folder.ts';

function rulesOf(files: Readonly<Record<string, string>>, held: Held = () => false): IgnoreRules {
  const base = baseRules([], held);
  return Object.entries(files).reduce(
    (rules, [folder, text]) => {
      const next = rules.with(folder, linesOf(Buffer.from(text)), 'a file');
      if (!next.ok) throw new Error(JSON.stringify(next.problem));
      return next.value;
    },
    base.ok ? base.value : unreachable(),
  );
}

function unreachable(): never {
  throw new Error('no rules at all are allowed');
}

describe('what is built in', () => {
  test.each<[string, Verdict]>([
    ['a/SKILL.md', 'content'],
    ['a/.skillfleetignore', 'content'],
    ['a/.gitignore', 'content'],
    ['a/.git/hooks/pre-commit', 'never'],
    ['a/.GIT/hooks/pre-commit', 'never'],
    ['a/.skill-fleet/db', 'never'],
    ['a/.skill-fleet-0b2f', 'never'],
    ['a/node_modules/x/index.js', 'ignored'],
    ['a/x.pyc', 'ignored'],
    ['.ds_store', 'ignored'],
    ['a/Icon\r', 'ignored'],
    ['a/Icons', 'content'],
    ['a/#x#', 'ignored'],
    ['a/x.md~', 'ignored'],
    ['a/.env', 'secret'],
    ['a/.ENV', 'secret'],
    ['a/.env.production', 'secret'],
    ['a/.env.example', 'content'],
    ['a/.env.local.sample', 'content'],
    ['a/id_ed25519', 'secret'],
    ['a/id_ed25519.pub', 'content'],
    ['a/server.key', 'secret'],
    ['a/privkey.pem', 'secret'],
    ['a/cacert.pem', 'content'],
    ['a/.env/bin/python', 'ignored'],
    ['constructor', 'content'],
    ['__proto__', 'content'],
    ['..x', 'content'],
    ['a/\\', 'content'],
  ])('%j is %s', (file, verdict) => {
    expect(rulesOf({}).verdict(file, false)).toBe(verdict);
  });

  test('a rule of the tree brings back a secret, but never .git', () => {
    const rules = rulesOf({ '': '!server.key\n!.git' });
    expect(rules.verdict('a/server.key', false)).toBe('content');
    expect(rules.verdict('a/.git', true)).toBe('never');
  });

  test('what is held elsewhere is content, whatever the rules say', () => {
    const held = new Set(['a/x.pyc', 'a/.env', 'a/.git/config']);
    const rules = rulesOf({}, (file) => held.has(file));
    expect([...held, 'a/y.pyc'].map((file) => rules.verdict(file, false))).toEqual([
      'content',
      'held-secret',
      'never',
      'ignored',
    ]);
  });
});

const hasGit = spawnSync('git', ['--version']).status === 0;

describe.skipIf(!hasGit)('ignore files say what they say to git', () => {
  const files = ['a/b/c.f', 'a/b/d.f', 'a/[x]/c.f', 'a/c.f', 'b/c.f', 'c d/#e', 'c d/!e', 'a/ b', 'build/x'];
  test.each<[string, Record<string, string>]>([
    ['a name', { '': 'c.f' }],
    ['a name in another case', { '': 'C.F\nBuild/' }],
    ['a name, anchored', { '': '/c.f\n/b/c.f' }],
    ['a name in a folder', { a: 'c.f' }],
    ['anchored in a folder', { a: '/c.f' }],
    ['a path in a folder', { a: 'b/c.f' }],
    ['a folder only', { '': 'b/', a: 'c.f/' }],
    ['a folder with everything in it but one', { '': 'a/b/*\n!a/b/c.f' }],
    ['nothing comes back from an ignored folder', { '': 'a/b/\n!a/b/c.f' }],
    ['nor by the rules in it', { '': 'a/b/', 'a/b': '!c.f' }],
    ['a deeper file decides', { '': '*.f', a: '!c.f', 'a/b': 'c.f' }],
    ['a folder that a deeper file brings back', { '': 'b', a: '!b/' }],
    ['a folder whose name is a pattern', { 'a/[x]': '*', a: '[x]/d.f' }],
    ['any depth', { '': '**/b/*.f', a: '**/c.f' }],
    ['everything below', { a: 'b/**' }],
    ['comments, escapes and blanks', { 'c d': '#e\n\\!e\n\n!\n/\n' }],
    ['an escaped hash', { 'c d': '\\#e\r\n' }],
    ['trailing blanks', { '': 'build   \n', a: '\\ b\n' }],
    ['a BOM', { '': '\uFEFFbuild\n' }],
    ['everything but one', { '': '*\n!build/\n!build/x' }],
  ])('%s', (_, ignoreFiles) => {
    const root = makeFolder(Object.fromEntries(files.map((file) => [file, ''])));
    const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' });
    git('init', '--quiet');
    git('config', 'core.ignorecase', 'false');
    const gitignores = Object.entries(ignoreFiles).map(([folder, text]) => [
      path.join(folder, '.gitignore'),
      text,
    ]);
    const others = ['ls-files', '-z', '--others', '--exclude-per-directory=.gitignore'];
    for (const [file = '', text = ''] of gitignores) writeFileSync(path.join(root, file), text);
    const kept = git(...others)
      .split('\0')
      .filter((file) => files.includes(file));
    expect(files.filter((file) => isKept(ignoreFiles, file)).sort()).toEqual(kept.sort());
  });
});

/** Whether a walk from the top, which reads the ignore file of each folder that it enters, comes to a file. */
function isKept(ignoreFiles: Readonly<Record<string, string>>, file: string): boolean {
  const segments = file.split('/');
  return segments.every((_, index) => {
    const at = segments.slice(0, index + 1).join('/');
    const above = Object.entries(ignoreFiles).filter(
      ([folder]) => folder === '' || at.startsWith(`${folder}/`),
    );
    return rulesOf(Object.fromEntries(above)).verdict(at, index < segments.length - 1) === 'content';
  });
}

test.each([
  ['too many lines', 'x\n'.repeat(1001), 'more than 1000 lines'],
  ['a line too long', `ok\n${'x'.repeat(513)}`, 'line 2 is longer than 512 characters'],
  ['a line whose matching could take forever', '**/a/**/b/**/c/**', 'line 1 has "**" more than 3 times'],
])('refused: %s', (_, text, why) => {
  const base = rulesOf({});
  const outcome = base.with('a', linesOf(Buffer.from(text)), 'a/.skillfleetignore');
  expect(outcome).toEqual({
    ok: false,
    problem: { reason: 'ignore-rule-not-allowed', path: 'a/.skillfleetignore', why },
  });
});

// Commands as they are printed, taken back by the shells that they are pasted into.

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { chooseColors } from '../../src/report/colors.ts';
import { diffCommand, restoreCommand, shellWord } from '../../src/report/command-text.ts';
import { adviceLines, keptLine } from '../../src/report/plan-text.ts';
import { showLines } from '../../src/report/show-text.ts';
import { readPrinted } from '../../src/skill/path.ts';

const plain = chooseColors(false, {}, true);

/** How a path is printed in a command, and where else. */
const words = [
  ['development/languages/c++', 'development/languages/c++', 'development/languages/c++'],
  ['a b', "'a b'", 'a b'],
  ["b/quote'name", "'b/quote'\\''name'", "b/quote'name"],
  ['a/$(rm x)`;*', "'a/$(rm x)`;*'", 'a/$(rm x)`;*'],
  ['a/bidi\u202ename', "$'a/bidi\\xe2\\x80\\xaename'", 'a/bidi\\u{202e}name'],
  ["\u202e'\\x", "$'\\xe2\\x80\\xae\\'\\\\x'", undefined],
  ['\u001b1\n', "$'\\x1b1\\x0a'", undefined],
  ['茶', "'茶'", '茶'],
] as const;

describe.each(words)('%j', (path, word, printed) => {
  test('is one printable word to a shell', () => {
    expect(shellWord(path)).toBe(word);
    expect(execFileSync('bash', ['-c', `printf %s ${word}`]).toString()).toBe(path);
  });

  test.runIf(printed !== undefined)('is understood as it is printed', () => {
    expect(readPrinted(printed ?? '')).toBe(path);
  });

  test('is such a word in each command that is printed', () => {
    expect(restoreCommand(path, 7)).toBe(`skill-fleet restore ${word} --revision 7`);
    expect(diffCommand([path, 'b'])).toBe(`skill-fleet diff ${word} b`);
    const change = { path, side: 'database', why: 'forced', before: null, after: null };
    expect(keptLine(change as never, 7, plain)).toContain(` skill-fleet restore ${word} --revision 7\n`);
    const left = { direction: 'export', conflicts: [], ahead: [{ path }] };
    expect(adviceLines(left as never)).toContain(`  skill-fleet diff ${word}\n`);
    const shown = { path, row: null, latest: null, lastStanding: 7, files: null, state: 'deleted' } as const;
    const lines = showLines({ ...shown, inFiles: 'differs' }, plain);
    expect(lines).toContain(`: skill-fleet restore ${word} --revision 7\n`);
    expect(lines).toContain(`: skill-fleet diff ${word}\n`);
  });
});

test('what is printed as no character at all is left as it is', () => {
  for (const text of ['a/\\u{110000}', 'a/\\u{}', 'a/u{41}', '\\n']) expect(readPrinted(text)).toBe(text);
});

test('a command about many paths names none, and is about all', () => {
  const paths = ['a', 'b', 'c', 'd', 'e'];
  expect(diffCommand(paths)).toBe('skill-fleet diff a b c d e');
  expect(diffCommand([...paths, 'f'])).toBe('skill-fleet diff');
});

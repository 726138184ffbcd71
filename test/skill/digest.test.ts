import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestSkill, parseDigest } from '../../src/skill/digest.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { documentName, documentOf, type Entry, makeSkill, type Skill } from '../../src/skill/skill.ts';

function entry(path: string, text: string, executable = false): Entry {
  return { path: path as FilePath, bytes: Buffer.from(text), executable };
}

function skill(...entries: readonly Entry[]): Skill {
  return makeSkill('a/b' as SkillPath, entries);
}

test('the digest is that of the framed records, in byte order of paths', () => {
  const framed = Buffer.concat([
    Buffer.from('skill-fleet skill 1\0'),
    Buffer.from([0, 0, 0, 8]),
    Buffer.from('SKILL.md'),
    Buffer.from([0]),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 4]),
    Buffer.from('text'),
    Buffer.from([0, 0, 0, 4]),
    Buffer.from('a.sh'),
    Buffer.from([1]),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  expect(digestSkill(skill(entry('a.sh', '', true), entry('SKILL.md', 'text')))).toBe(
    createHash('sha256').update(framed).digest('hex'),
  );
});

test('the skill path is not part of it', () => {
  const moved = { ...skill(entry('SKILL.md', 'x')), path: 'elsewhere' as SkillPath };
  expect(digestSkill(moved)).toBe(digestSkill(skill(entry('SKILL.md', 'x'))));
});

const files = fc.uniqueArray(
  fc.record({
    path: fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '/', '\u0000') }),
    text: fc.string({ maxLength: 3, unit: fc.constantFrom('a', '\u0000', '\u0001') }),
    executable: fc.boolean(),
  }),
  { selector: (file) => file.path, minLength: 1, maxLength: 3 },
);

test('two skills have the same digest only where they hold the same', () => {
  fc.assert(
    fc.property(files, files, (one, other) => {
      const [a, b] = [one, other].map((list) =>
        skill(...list.map((f) => entry(f.path, f.text, f.executable))),
      );
      if (a === undefined || b === undefined) throw new Error('two skills make two skills');
      const same = JSON.stringify(a.entries) === JSON.stringify(b.entries);
      expect(digestSkill(a) === digestSkill(b)).toBe(same);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['a'.repeat(64), true],
  ['A'.repeat(64), false],
  ['a'.repeat(63), false],
  [`${'a'.repeat(64)}\n`, false],
  ['g'.repeat(64), false],
])('%j as a digest: %s', (text, taken) => {
  expect(parseDigest(text)).toBe(taken ? text : undefined);
});

test.each([
  [['SKILL.md', 'a.md'], 'SKILL.md'],
  [['skill.md'], 'skill.md'],
  [['skill.md', 'SKILL.md', 'Skill.md'], 'SKILL.md'],
  [['skill.md', 'Skill.MD'], 'Skill.MD'],
  [['README.md', 'SKILL.md.bak'], undefined],
])('the document among %j is %j', (names, name) => {
  expect(documentName(names)).toBe(name);
});

test('a skill without a document is a bug', () => {
  expect(() => documentOf(skill(entry('notes.md', '')))).toThrow('skill without a document');
});

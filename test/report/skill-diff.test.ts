import { describe, expect, test } from 'vitest';
import { diffSkills } from '../../src/report/skill-diff.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';

function skill(
  files: { readonly [path: string]: string | Buffer },
  executable: readonly string[] = [],
): Skill {
  return makeSkill(
    'a/x' as SkillPath,
    Object.entries(files).map(([path, content]) => ({
      path: path as FilePath,
      bytes: Buffer.from(content),
      executable: executable.includes(path),
    })),
  );
}

const names = { before: 'database', after: 'files' };

describe('the difference between two states of a skill', () => {
  const table: readonly (readonly [what: string, before: Skill | null, after: Skill | null, diff: string])[] =
    [
      ['nothing', skill({ 'SKILL.md': 'a\n' }), skill({ 'SKILL.md': 'a\n' }), ''],
      [
        'a line',
        skill({ 'SKILL.md': 'a\nb\n' }),
        skill({ 'SKILL.md': 'a\nc\n' }),
        '--- database/a/x/SKILL.md\n+++ files/a/x/SKILL.md\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n',
      ],
      [
        'the line break at the end',
        skill({ 'SKILL.md': 'a\n' }),
        skill({ 'SKILL.md': 'a' }),
        '--- database/a/x/SKILL.md\n+++ files/a/x/SKILL.md\n@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file\n',
      ],
      [
        'a new skill',
        null,
        skill({ 'SKILL.md': 'a\n', 'run.sh': '' }, ['run.sh']),
        '--- /dev/null\n+++ files/a/x/SKILL.md\n@@ -0,0 +1,1 @@\n+a\n' +
          'mode of files/a/x/run.sh: executable\n--- /dev/null\n+++ files/a/x/run.sh\n(empty)\n',
      ],
      [
        'a file that went, and an executable bit',
        skill({ 'SKILL.md': 'a\n', 'b.txt': 'b\n', 'c.sh': 'c\n' }, ['c.sh']),
        skill({ 'SKILL.md': 'a\n', 'c.sh': 'c\n' }),
        '--- database/a/x/b.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-b\n' +
          'mode of files/a/x/c.sh: not executable\n',
      ],
      [
        'bytes that are no text',
        skill({ 'SKILL.md': 'a\n', 'b.bin': Buffer.from([0, 1]) }),
        skill({ 'SKILL.md': 'a\n', 'b.bin': Buffer.from([0xff]) }),
        '--- database/a/x/b.bin\n+++ files/a/x/b.bin\n(binary: 2 -> 1 bytes)\n',
      ],
    ];

  test.each(table)('%s', (_, before, after, diff) => {
    expect(diffSkills(before, after, names)).toBe(diff);
  });

  test('a long one is folded, and says how long it is', () => {
    const lines = Array.from({ length: 500 }, (_, line) => `line ${line}\n`).join('');
    const diff = diffSkills(null, skill({ 'SKILL.md': lines }), names);
    expect(diff.split('\n')).toHaveLength(62);
    expect(diff).toMatch(/\n\.\.\. 443 more lines\n$/);
  });

  test('texts that have nothing in common are not searched for it without end', () => {
    const text = (seed: number) =>
      Array.from({ length: 20_000 }, (_, line) => `${(line * seed) % 99_991}\n`).join('');
    const diff = diffSkills(skill({ 'SKILL.md': text(7919) }), skill({ 'SKILL.md': text(104_729) }), names);
    expect(diff).toMatch(/^--- .*\n\+\+\+ .*\n\(too different to compare: \d+ -> \d+ characters\)\n$/);
  });
});

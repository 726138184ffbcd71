import { expect, test } from 'vitest';
import { changesText, compareRevisions } from '../../src/report/revision-changes.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';

type Files = { readonly [path: string]: string | Buffer };

/** A skill of these files; one whose name ends with `*` is executable. */
function skillOf(files: Files, path = 'a'): Skill {
  return makeSkill(
    path as SkillPath,
    Object.entries(files).map(([name, bytes]) => ({
      path: name.replace('*', '') as FilePath,
      executable: name.endsWith('*'),
      bytes: Buffer.from(bytes),
    })),
  );
}

const text =
  '---\nname: a\ndescription: One.\nmetadata:\n  version: 1.0.0\n  tags: [x, y]\n---\nOne.\nTwo.\n';
const files: Files = { 'SKILL.md': text, 'run.sh': 'one\n', 'data.bin': Buffer.from([0, 255]) };

const edited = (from: string, to: string): Files => ({ ...files, 'SKILL.md': text.replace(from, to) });

test.each<readonly [string, Files, Files]>([
  ['same content', files, files],
  ['description', files, edited('One.', 'Other.')],
  ['metadata.version', files, edited('1.0.0', '1.1.0')],
  ['metadata.tags', files, edited('[x, y]', '[x, "y z"]')],
  ['license', files, edited('metadata', 'license: MIT\nmetadata')],
  ['license', edited('metadata', 'license: MIT\nmetadata'), files],
  ['frontmatter layout', files, edited('description: One.', 'description: "One."  # why')],
  ['frontmatter layout', files, edited('---\n', '---\r\n')],
  ['body +2 -1', files, edited('Two.\n', 'Three.\nFour.\n')],
  ['body +0 -2', files, edited('One.\nTwo.\n', '')],
  ['name, body +1 -0', files, { ...files, 'SKILL.md': `${text.replace('name: a', 'name: b')}More.` }],
  [
    'name, description, metadata.version, metadata.tags, body +1 -0',
    { ...files, 'SKILL.md': 'One.\nTwo.\n' },
    { ...files, 'SKILL.md': `${text}More.\n` },
  ],
  ['files +1 ~1 -1', files, { 'SKILL.md': text, 'run.sh': 'two\n', 'more.md': 'x\n' }],
  ['files ~1', files, { 'SKILL.md': text, 'run.sh*': 'one\n', 'data.bin': Buffer.from([0, 255]) }],
  ['mode of the document', { 'SKILL.md': text }, { 'SKILL.md*': text }],
  ['name of the document', { 'SKILL.md': text }, { 'skill.md': text }],
])('%s', (expected, before, after) => {
  expect(changesText(compareRevisions(skillOf(before), skillOf(after)))).toBe(expected);
});

test('where it stands comes first', () => {
  const changes = compareRevisions(skillOf(files, 'old/a'), skillOf(edited('Two.', '2.'), 'new/a'));
  expect(changesText(changes)).toBe('old/a -> new/a, body +1 -1');
});

test('texts too different to compare line by line count in full', () => {
  const body = (word: string) => ({
    'SKILL.md': `${Array.from({ length: 3000 }, (_, at) => `${word} ${at}`).join('\n')}\n`,
  });
  expect(changesText(compareRevisions(skillOf(body('a')), skillOf(body('b'))))).toBe('body +3000 -3000');
});

// Applies changes of which most lead out of the directory: `node write-outside.mjs ROOT`.

import { digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { open, skillOf, sourceOf } from './folder.ts';

const directory = await open(process.argv[2] ?? '');
const places = [
  ['a/edited', 'x/z'],
  ['../out', 'x'],
  ['/etc/out', 'x'],
  ['a/link', 'x'],
  ['a/link/b', 'x'],
  ['a/b', '../../../out'],
  ['a/c', '/etc/out'],
] as const;
const skills = places.map(([skill, file]) => skillOf(skill, { 'SKILL.md': 'new', [file]: 'new' }));
const { skills: now } = await directory.snapshot();
const gone = 'a/removed' as SkillPath;
const results = await directory.apply(
  [
    ...skills.map((one) => ({
      path: one.path,
      before: now.get(one.path) ?? null,
      after: { digest: digestSkill(one) },
    })),
    { path: gone, before: now.get(gone) ?? null, after: null },
  ],
  sourceOf(skills),
);
if (results.filter((result) => result.ok).length !== 2) throw new Error(JSON.stringify(results));

// One library in two versions, which a process writes over each other.

import type { Skill } from '../../src/skill/skill.ts';
import { skillOf } from './folder.ts';

export const versions = ['one', 'two'] as const;

export function skillsOf(version: (typeof versions)[number]): readonly Skill[] {
  return Array.from({ length: 60 }, (_, number) =>
    skillOf(`group-${number % 7}/skill-${number}`, {
      'SKILL.md': version,
      'references/long.md': `${version}\n`.repeat(5000),
      'scripts/run': { run: version },
      [`only-${version}/x`]: version,
    }),
  );
}

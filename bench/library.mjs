// Generated libraries for measurements.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Skills depend on one another within groups of this size. */
const groupSize = 8;

function documentOf(number) {
  const first = number - (number % groupSize);
  const others = number === first ? [] : [pathOf(first), pathOf(number - 1)];
  return `---
name: skill-${number}
description: What skill ${number} is for, and when an agent should take it rather than another one.
license: MIT
metadata:
  version: 1.2.0
  category: development/languages/python
  keywords: [python, number-${number}, testing]
  tags: [generated, group-${first}]
  dependencies: [${others.slice(0, 1).join(', ')}]
  see_also: [${others.slice(1).join(', ')}]
  aliases: [old/skill-${number}]
  facets: {level: basic, audience: everyone}
allowed-tools: Read Write
---
# Skill ${number}

## Capabilities

- **Reads**: What there is to read about ${number}.
- **Writes**: What there is to write.

${`A paragraph of skill ${number}, as documents have them, of some length and with little in it. `.repeat(10)}
`;
}

function pathOf(number) {
  return `group-${number - (number % groupSize)}/skill-${number}`;
}

/** Writes so many skills, every other one with an attached file. */
export async function writeLibrary(folder, skills) {
  for (let number = 0; number < skills; number += 1) {
    const skill = path.join(folder, pathOf(number));
    await mkdir(skill, { recursive: true });
    await writeFile(path.join(skill, 'SKILL.md'), documentOf(number));
    if (number % 2 === 0)
      await writeFile(path.join(skill, 'reference.md'), `# Reference ${number}\n`.repeat(40));
  }
}

// Writes one version over the other again and again, and says when it begins: `node write-for-ever.mjs ROOT`.

import { digestSkill } from '../../src/skill/digest.ts';
import { open, sourceOf } from './folder.ts';
import { skillsOf, versions } from './versions.ts';

const directory = await open(process.argv[2] ?? '');
await directory.recover();
process.stdout.write('begun');
for (let turn = 1; ; turn++) {
  const skills = skillsOf(versions[turn % 2] ?? 'one');
  const { skills: now } = await directory.snapshot();
  const changes = skills.map((skill) => ({
    path: skill.path,
    before: now.get(skill.path) ?? null,
    after: { digest: digestSkill(skill) },
  }));
  await directory.apply(changes, sourceOf(skills));
}

// A process that is killed for good, at random instants while it writes.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { digestSkill } from '../../src/skill/digest.ts';
import type { Skill } from '../../src/skill/skill.ts';
import { makeFolder, open, readFolder, skillOf } from './folder.ts';

/** `KILLS=100 npx vitest run test/directory/killed.test.ts` for more of them. */
const kills = Number(process.env['KILLS'] ?? 12);

const count = 60;
const versions = ['one', 'two'] as const;

function skillsOf(version: string): readonly Skill[] {
  return Array.from({ length: count }, (_, number) =>
    skillOf(`group-${number % 7}/skill-${number}`, {
      'SKILL.md': version,
      'references/long.md': `${version}\n`.repeat(5000),
      'scripts/run': { run: version },
      [`only-${version}/x`]: version,
    }),
  );
}

/** Writes one version over the other again and again, and says when it begins. */
const script = `
  import { openDirectory } from '${path.resolve('dist/directory/directory.js')}';
  import { nodeDisk } from '${path.resolve('dist/disk.js')}';
  import { defaultLimits } from '${path.resolve('dist/directory/limits.js')}';
  import { digestSkill } from '${path.resolve('dist/skill/digest.js')}';
  const root = process.argv[1];
  const skillsOf = (version) => Array.from({ length: ${count} }, (_, number) => ({
    path: 'group-' + (number % 7) + '/skill-' + number,
    entries: [
      ['SKILL.md', version], ['only-' + version + '/x', version],
      ['references/long.md', (version + '\\n').repeat(5000)], ['scripts/run', version],
    ].map(([path, text]) => ({ path, executable: path === 'scripts/run', bytes: Buffer.from(text) })),
  }));
  const { value: directory } = await openDirectory({
    root, disk: nodeDisk, ignore: [], limits: defaultLimits, trash: root + '-trash',
  });
  await directory.recover();
  process.stdout.write('begun');
  for (let turn = 0; ; turn++) {
    const skills = skillsOf(['two', 'one'][turn % 2]);
    const { skills: now } = await directory.snapshot();
    const changes = skills.map((skill) => ({
      path: skill.path, before: now.get(skill.path) ?? null, after: { digest: digestSkill(skill) },
    }));
    await directory.apply(changes, async function* (paths) {
      yield skills.map((skill) => ({ path: skill.path, skill }));
    });
  }
`;

async function writeUntilKilled(root: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs));
  await new Promise((done) => child.once('close', done));
}

test('leaves each file whole at that moment, and each skill as one version once the next run has begun', async () => {
  const root = makeFolder();
  const digests = new Map(
    versions.flatMap((version) => skillsOf(version).map((skill) => [digestSkill(skill), version])),
  );
  let interrupted = 0;
  for (let kill = 0; kill < kills; kill++) {
    await writeUntilKilled(root, Math.random() * 400);
    for (const [name, content] of Object.entries(readFolder(root))) {
      if (name.includes('.skill-fleet-') || content === 'FOLDER') continue;
      const text = typeof content === 'object' && 'run' in content ? content.run : String(content);
      expect(new Set(text.trim().split('\n')).size, name).toBe(1);
      if (name.endsWith('long.md')) expect(text.trim().split('\n')).toHaveLength(5000);
    }
    const seen = await (await open(root)).snapshot();
    interrupted += seen.unreadable.length > 0 ? 1 : 0;
    for (const [skill, { digest }] of seen.skills) expect(digests.has(digest), skill).toBe(true);
    const next = await open(root);
    expect(await next.recover()).toMatchObject({ ok: true });
    const { skills, unreadable } = await next.snapshot();
    expect(unreadable).toEqual([]);
    for (const [skill, { digest }] of skills) expect(digests.has(digest), skill).toBe(true);
    expect(Object.keys(readFolder(root)).filter((name) => name.includes('.skill-fleet-'))).toEqual([]);
  }
  // Or the instants were never while anything was written. Few may all miss.
  if (kills >= 100) expect(interrupted).toBeGreaterThan(0);
  fs.rmSync(`${root}-trash`, { recursive: true, force: true });
});

// A process that is killed for good, at random instants while it writes.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { digestSkill } from '../../src/skill/digest.ts';
import { bundledProgram } from '../programs.ts';
import { makeFolder, open, readFolder } from './folder.ts';
import { skillsOf, versions } from './versions.ts';

/** `KILLS=100 npx vitest run test/directory/killed.test.ts` for more of them. */
const kills = Number(process.env['KILLS'] ?? 12);

async function writeUntilKilled(program: string, root: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs));
  await new Promise((done) => child.once('close', done));
}

test('leaves each file whole at that moment, and each skill as one version once the next run has begun', async () => {
  const program = await bundledProgram('directory/write-for-ever.ts');
  const root = makeFolder();
  const digests = new Map(
    versions.flatMap((version) => skillsOf(version).map((skill) => [digestSkill(skill), version])),
  );
  let interrupted = 0;
  for (let kill = 0; kill < kills; kill++) {
    await writeUntilKilled(program, root, Math.random() * 400);
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

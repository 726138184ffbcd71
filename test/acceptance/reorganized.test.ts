import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeSides } from '../sync/sides.ts';
import { projectRoot } from './cli.ts';

const corpus = path.join(projectRoot, '../shared/corpus');
const skillCount = 500;

/** The name that a frontmatter says. */
const nameLine = /^(---\n(?:.*\n)*?)name:.*\n/;

/** The folders of real skills, of which none lies in another, and no two of which are the same but for their names. */
async function realSkills(): Promise<readonly string[]> {
  const documents = (await readdir(corpus, { recursive: true }))
    .filter((name) => name.endsWith('/SKILL.md'))
    .sort();
  const folders = documents.map((name) => path.dirname(name));
  const seen = new Set<string>();
  const chosen: string[] = [];
  for (const folder of folders) {
    const text = (await readFile(path.join(corpus, folder, 'SKILL.md'), 'utf8')).replace(nameLine, '$1');
    const content = createHash('sha256').update(text).digest('hex');
    const isAlone = !folders.some(
      (other) => folder.startsWith(`${other}/`) || other.startsWith(`${folder}/`),
    );
    if (isAlone && !seen.has(content)) chosen.push(folder);
    seen.add(content);
  }
  return chosen.slice(0, skillCount);
}

describe.skipIf(!existsSync(corpus))('five hundred real skills in other folders, under other names', () => {
  test('are those that they were: one sync, nothing deleted, nothing new, the same keys', async () => {
    const { connection, folder, run } = await makeSides('postgres');
    const skills = await realSkills();
    expect(skills).toHaveLength(skillCount);
    for (const skill of skills)
      await cp(path.join(corpus, skill), path.join(folder, 'old', skill), { recursive: true });
    await run('sync');
    const keysByPath = async () => {
      const rows = await connection.query<{ skill_path: string; skill_id: number }>(
        'select skill_path, skill_id from skills',
      );
      return new Map(rows.map((row) => [row.skill_path, row.skill_id]));
    };
    const before = await keysByPath();

    const moved = new Map(
      skills.map((skill, index) => [
        `old/${skill}`,
        `new/group-${index % 25}/s${index}-${path.basename(skill)}`,
      ]),
    );
    for (const [from, to] of moved) {
      await mkdir(path.join(folder, path.dirname(to)), { recursive: true });
      await rename(path.join(folder, from), path.join(folder, to));
      const document = path.join(folder, to, 'SKILL.md');
      const text = await readFile(document, 'utf8');
      await writeFile(document, text.replace(nameLine, `$1name: ${path.basename(to)}\n`));
    }
    const { words, plan } = await run('sync', { deletes: true });
    expect([plan.refusal, words.filter((word) => !word.endsWith('renamed -> database'))]).toEqual([null, []]);
    expect(await keysByPath()).toEqual(
      new Map([...before].map(([from, key]) => [moved.get(from) ?? from, key])),
    );
    expect((await run('sync')).plan).toMatchObject({ changes: [], holds: [], unchanged: before.size });
  });
});

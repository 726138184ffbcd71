import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

describe('diff', () => {
  test('shows what the sides hold differently, all of it or at some paths, and changes nothing', async () => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl('postgres') };
    await writeFiles(project.folder, {
      'skills/a/SKILL.md': document('a', 'One.\n'),
      'skills/b/SKILL.md': document('b'),
      'skills/c/SKILL.md': document('c'),
    });
    expect((await project.run(['diff', 'a'], env)).stdout).toContain('+++ files/a/SKILL.md');
    await project.run(['sync-db'], env);
    expect(await project.run(['diff'], env)).toEqual({ code: 0, stdout: '', stderr: '' });
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'Mine.\n') });
    await sql(env.DATABASE_URL, `update skills set skill_content = 'Theirs.\n' where name = 'b'`);
    const all = await project.run(['diff'], env);
    expect([all.code, all.stderr]).toEqual([0, '']);
    expect(all.stdout.split('\n').filter((line) => /^\S|^ {2}[-+]/.test(line))).toEqual([
      'a',
      '  --- database/a/SKILL.md',
      '  +++ files/a/SKILL.md',
      '  -One.',
      '  +Mine.',
      'b',
      '  --- database/b/SKILL.md',
      '  +++ files/b/SKILL.md',
      '  -Theirs.',
      '  +# b',
    ]);
    const some = JSON.parse((await project.run(['diff', 'b', 'c', '--json'], env)).stdout);
    expect(some.skills).toEqual([{ path: 'b', diff: expect.stringContaining('-Theirs.') }]);
    const wrong = await project.run(['diff', 'nothing/*'], env);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('nothing/* matches no skill')]);
    expect((await project.run(['sync-db', '--dry-run', '--exit-code'], env)).code).toBe(2);
  });
});

import { rename } from 'node:fs/promises';
import path from 'node:path';
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
      'a  (- in the database, + in the files)',
      '  --- database/a/SKILL.md',
      '  +++ files/a/SKILL.md',
      '  -One.',
      '  +Mine.',
      'b  (- in the database, + in the files)',
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

  test('shows a skill that was moved as one, whole, however long', async () => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl('postgres') };
    const lines = Array.from({ length: 100 }, (_, at) => `Line ${at}.\n`);
    await writeFiles(project.folder, {
      'skills/a/x/SKILL.md': document('x', lines.join('')),
      'skills/a/y/SKILL.md': document('y', 'Stays.\n'),
    });
    await project.run(['sync-db'], env);
    await rename(path.join(project.folder, 'skills/a/x'), path.join(project.folder, 'skills/x'));
    await rename(path.join(project.folder, 'skills/a/y'), path.join(project.folder, 'skills/y'));
    const edited = lines.map((line, at) => (at < 80 ? line : `More of ${line}`)).join('');
    await writeFiles(project.folder, {
      'skills/x/SKILL.md': document('x', edited),
      'skills/z/SKILL.md': document('z'),
    });
    const { stdout } = await project.run(['diff'], env);
    expect(stdout.split('\n').filter((line) => /^\S|^ {2}(---|\+\+\+)/.test(line))).toEqual([
      'x  (- in the database, at a/x, + in the files)',
      '  --- database/a/x/SKILL.md',
      '  +++ files/x/SKILL.md',
      'y  (- in the database, at a/y, + in the files)',
      'z  (only in the files)',
      '  --- /dev/null',
      '  +++ files/z/SKILL.md',
    ]);
    expect(stdout.match(/^ {2}\+More of /gm)).toHaveLength(20);
    expect((await project.run(['diff', 'a/x'], env)).stdout).toBe(
      (await project.run(['diff', 'x'], env)).stdout,
    );
    expect(JSON.parse((await project.run(['diff', 'y', '--json'], env)).stdout).skills).toEqual([
      { path: 'y', from: 'a/y', diff: '' },
    ]);

    await project.run(['sync-db'], env);
    await writeFiles(project.folder, {
      'skills/x/SKILL.md': document('x', edited.replaceAll('Line', 'Row')),
    });
    const cut = '  ... ';
    expect((await project.run(['diff'], env)).stdout).not.toContain(cut);
    expect((await project.run(['sync-db', '--dry-run'], env)).stdout).toContain(cut);
    expect((await project.run(['sync-db', '--dry-run', '--verbose'], env)).stdout).not.toContain(cut);
    await project.run(['sync-db'], env);
    expect((await project.run(['log', 'x', '--diff'], env)).stdout).toContain(cut);
    expect((await project.run(['log', 'x', '--diff', '--verbose'], env)).stdout).not.toContain(cut);
  });
});

import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { usualKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

describe('verify', () => {
  test.each(usualKinds)('on %s says how much it read where both sides are equal', async (kind) => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl(kind) };
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'é\n'), 'skills/a/b.txt': 'B.\n' });
    expect(await project.run(['verify'], env)).toMatchObject({
      code: 2,
      stdout: 'a: missing in the database\n',
    });
    await project.run(['sync-db'], env);
    await writeFiles(project.folder, { 'skills/a/b.txt': 'C.\n' });
    expect(await project.run(['verify'], env)).toMatchObject({
      code: 2,
      stdout: 'a: b.txt differs (edited here)\n',
    });
    await project.run(['sync-db'], env);
    const bytes = Buffer.byteLength(document('a', 'é\n')) + 3;
    expect(await project.run(['verify'], env)).toMatchObject({
      code: 0,
      stdout: `Equal: read 1 skill, 2 files, ${bytes} bytes, 1 past revision, 1 blob.\n`,
    });
    const { stdout } = await project.run(['verify', '--json'], env);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      skills: 1,
      files: 2,
      bytes,
      revisions: 1,
      blobs: 1,
      differences: [],
      problems: [],
      exitCode: 0,
    });
  });

  test('names what is not equal, a line each, and for programs', async () => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl('postgres') };
    const skills = ['bits', 'column', 'digest', 'edited', 'gone', 'old'];
    await writeFiles(
      project.folder,
      Object.fromEntries(skills.map((name) => [`skills/${name}/SKILL.md`, document(name)])),
    );
    await writeFiles(project.folder, { 'skills/edited/\u202eb': 'B.\n', 'skills/old/b.txt': 'B.\n' });
    await project.run(['sync-db'], env);
    await writeFiles(project.folder, { 'skills/old/SKILL.md': document('old', 'New.\n') });
    await writeFiles(project.folder, { 'skills/old/b.txt': 'C.\n' });
    await project.run(['sync-db'], env);
    expect((await project.run(['verify'], env)).code).toBe(0);
    await sql(
      env.DATABASE_URL,
      `update skills set skill_content = 'Theirs.' where name = 'edited';
       set session_replication_role = replica;
       update skills set description = 'Else.' where name = 'column';
       update skill_sync set digest = repeat('0', 64)
       where skill_id = (select skill_id from skills where name = 'digest');
       delete from skills where name = 'gone';
       update skill_revisions set skill_content = 'New.' where skill_path = 'old';
       update skill_blobs set bytes = 'D'`,
    );
    await writeFiles(project.folder, { 'skills/edited/\u202eb': 'C.\n' });
    await chmod(path.join(project.folder, 'skills/bits/SKILL.md'), 0o755);
    const ran = await project.run(['verify'], env);
    expect([ran.code, ran.stdout.replace(/[0-9a-f]{64}/, 'SHA').split('\n')]).toEqual([
      2,
      [
        'bits: the executable bit of SKILL.md differs (edited here)',
        'column: description in the database is not what the document says',
        'digest: the noted digest of the skill is not that of what the database holds',
        'edited: SKILL.md differs (edited here, edited there)',
        'edited: \\u{202e}b differs (edited here, edited there)',
        'gone: missing in the database',
        'blob SHA: its bytes are not those of its SHA-256',
        '',
      ],
    ]);
    await writeFiles(project.folder, { 'skills/bits/SKILL.md': '---\nnever: closes\n' });
    const json = await project.run(['verify', '--json'], env);
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
      1,
      {
        differences: [
          { what: 'column', path: 'column', column: 'description' },
          { what: 'digest', path: 'digest' },
          { what: 'document', path: 'edited', file: 'SKILL.md', edited: ['files', 'database'] },
          { what: 'file', path: 'edited', file: '\u202eb', edited: ['files', 'database'] },
          { what: 'skill', path: 'gone', missing: 'database' },
          { what: 'blob' },
        ],
        problems: [{ reason: 'frontmatter-never-closes', path: 'bits' }],
        exitCode: 1,
      },
    ]);
  });
});

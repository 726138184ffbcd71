// The history is pruned with the built CLI: what it says is what went.

import { expect, test } from 'vitest';
import { usualKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, nobodyThere } from './cli.ts';

test.each(usualKinds)('prune says what it would give up, gives that up, and no more: %s', async (kind) => {
  const project = await makeProject();
  const env = { DATABASE_URL: await databaseUrl(kind) };
  for (const text of ['1', '2', '3', '4']) {
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', text), 'skills/a/file': text });
    expect(await project.run(['sync-db'], env)).toMatchObject({ code: 0 });
  }
  const unasked = await project.run(['prune'], env);
  expect([unasked.code, unasked.stdout]).toEqual([
    0,
    'Gave up the contents of 0 revisions of 0 skills, and 0 attached files: 0 bytes. Digests stay.\n3 revisions and 3 attached files keep theirs.\n',
  ]);
  const prune = ['prune', '--keep-last', '0', '--keep-days', '0'];
  const dry = await project.run([...prune, '--dry-run'], env);
  expect([dry.code, dry.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^Would give up the contents of 2 revisions of 1 skill, and 2 attached files: \d+ bytes\. Digests stay\.\n1 revision and 1 attached file would keep theirs\.\n$/,
    ),
  ]);
  const json = await project.run([...prune, '--json'], env);
  const bytes = Number(/(\d+) bytes/.exec(dry.stdout)?.[1]);
  const counts = { revisions: 2, skills: 1, blobs: 2, bytes, keptRevisions: 1, keptBlobs: 1 };
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([0, { dryRun: false, ...counts }]);
  const restored = await project.run(['restore', 'a', '--revision', '1'], env);
  expect([restored.code, restored.stderr]).toEqual([
    1,
    expect.stringContaining('The contents of revision 1 of a are kept no more\n  Choose a newer revision.'),
  ]);
  expect(await project.run(['undo', '--yes'], env)).toMatchObject({ code: 0 });
});

test('prune takes whole numbers alone, and says so before it looks for a database', async () => {
  const project = await makeProject();
  const env = { DATABASE_URL: nobodyThere };
  for (const flag of ['--keep-last', '--keep-days']) {
    for (const wrong of ['-1', '1.5', 'many', '', '9999999999']) {
      const ran = await project.run(['prune', flag, wrong], env);
      expect([ran.code, ran.stderr], `${flag} ${wrong}`).toEqual([
        64,
        expect.stringContaining('whole number'),
      ]);
    }
  }
  const { stdout } = await project.run(['prune', '--help']);
  const words = stdout.replace(/\s+/g, ' ');
  expect(words).toMatch(/--keep-last <number> [^<]*\(default: 10\) --keep-days <days> [^<]*\(default: 90\)/);
});

test('a dry run of prune makes no database', async () => {
  const project = await makeProject();
  const dry = await project.run(['prune', '--dry-run', '--json']);
  expect([dry.code, JSON.parse(dry.stdout)]).toMatchObject([0, { dryRun: true, revisions: 0 }]);
  expect((await project.run(['list', '--json'])).stdout).toContain('[]');
});

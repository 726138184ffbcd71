// What the database holds becomes files: past edits, full disks, folders without rights, and kills.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import {
  databaseUrl,
  makeProject,
  type Project,
  personEnvironment,
  projectRoot,
  runProcess,
  sql,
} from './cli.ts';

const cli = path.join(projectRoot, 'dist/cli.js');

/** Files below a folder, hidden ones too: their bytes and executable bits. */
function readTree(folder: string): ReadonlyMap<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.sort().flatMap((name) => {
      const file = path.join(folder, name);
      const stat = fs.statSync(file);
      return stat.isFile()
        ? [[name, `${stat.mode & 0o100} ${fs.readFileSync(file, 'latin1')}`] as const]
        : [];
    }),
  );
}

/** A database that holds so many skills, each with two files of some size, and the folder that they came from. */
async function filledDatabase(
  count: number,
  bytes: number,
): Promise<{ url: string; tree: ReadonlyMap<string, string> }> {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  for (let at = 0; at < count; at++) {
    await writeFiles(project.folder, {
      [`skills/group-${at % 5}/skill-${at}/SKILL.md`]: document(`skill-${at}`),
      [`skills/group-${at % 5}/skill-${at}/references/long.md`]: `${at}`.padEnd(bytes, '.'),
    });
  }
  expect((await project.run(['export-to-db'], { DATABASE_URL: url })).code).toBe(0);
  return { url, tree: readTree(path.join(project.folder, 'skills')) };
}

function importTo(project: Project, url: string) {
  return project.run(['import-from-db'], { DATABASE_URL: url });
}

test('what a local edit is ahead in is not overwritten unasked, is named with `diff`, and comes back', async () => {
  const project = await makeProject();
  const env = { DATABASE_URL: await databaseUrl('postgres') };
  await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'One.\n') });
  await project.run(['sync-db'], env);
  await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'Mine.\n') });
  const unasked = await project.run(['import-from-db'], env);
  expect(unasked.code).toBe(0);
  expect(unasked.stdout).toContain('skip     a  the files are ahead');
  expect(unasked.stdout).toContain('  skill-fleet diff a\n');
  expect((await project.run(['diff', 'a'], env)).stdout).toContain('+Mine.');

  const forced = await project.run(['import-from-db', '--force'], env);
  const file = path.join(project.folder, 'skills/a/SKILL.md');
  expect(fs.readFileSync(file, 'utf8')).toBe(document('a', 'One.\n'));
  const [, revision = ''] = /skill-fleet restore a --revision (\d+)/.exec(forced.stdout) ?? [];
  expect((await project.run(['restore', 'a', '--revision', revision], env)).code).toBe(0);
  expect((await project.run(['import-from-db'], env)).code).toBe(0);
  expect(fs.readFileSync(file, 'utf8')).toBe(document('a', 'Mine.\n'));
});

test('removed skills are found in the folder that the run names', async () => {
  const project = await makeProject();
  const env = { DATABASE_URL: await databaseUrl('postgres') };
  await writeFiles(project.folder, {
    'skills/a/SKILL.md': document('a'),
    'skills/b/SKILL.md': document('b'),
  });
  await project.run(['sync-db'], env);
  await sql(env.DATABASE_URL, `delete from skills where name = 'a'`);
  const { stderr } = await project.run(['import-from-db', '--delete'], env);
  const [, trash = ''] = /to be found in (\S+)/.exec(stderr) ?? [];
  expect(fs.readFileSync(path.join(trash, 'a/SKILL.md'), 'utf8')).toBe(document('a'));
  expect(await readdir(path.join(project.folder, 'skills'))).toEqual(['b']);
});

/** Whether this user may mount a small disk. */
const mayMount = (() => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'skill-fleet-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder]).status === 0;
  if (mounted) spawnSync('umount', [folder]);
  fs.rmSync(folder, { recursive: true });
  return mounted;
})();

describe.skipIf(!mayMount)('on a full disk', () => {
  test.each([
    ['no room', 'size=600k', 'size=64m'],
    ['no inodes', 'size=64m,nr_inodes=120', 'size=64m,nr_inodes=9999'],
  ])(
    '%s: a run stops, says so once, leaves nothing half, and the next one ends it',
    async (_, small, large) => {
      const disk = await temporaryFolder();
      execFileSync('mount', ['-t', 'tmpfs', '-o', small, 'none', disk]);
      onTestFinished(() => void spawnSync('umount', [disk]));
      if (disk === undefined) return;
      const { url, tree } = await filledDatabase(250, 8000);
      const project = await makeProject();
      fs.symlinkSync(disk, path.join(project.folder, 'skills'));
      const stopped = await importTo(project, url);
      expect(stopped.code).toBe(1);
      expect(stopped.stderr.match(/^error: .*/gm)).toEqual([
        expect.stringContaining('ENOSPC'),
        expect.stringContaining('takes no more (ENOSPC): the rest was not written'),
      ]);
      for (const [name, content] of readTree(disk)) expect(tree.get(name), name).toBe(content);
      execFileSync('mount', ['-o', `remount,${large}`, disk]);
      const ended = await importTo(project, url);
      expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining('error')]);
      expect(readTree(disk)).toEqual(tree);
    },
  );
});

test.skipIf(process.getuid?.() !== 0)(
  'as another user: a folder without rights is named, the others go on, and a read-only file stays one',
  async () => {
    const uid = 65_534;
    const { url, tree } = await filledDatabase(6, 10);
    const project = await makeProject();
    const skills = path.join(project.folder, 'skills');
    await mkdir(path.join(skills, 'group-1/skill-1'), { recursive: true });
    const own = async () => {
      for (const name of ['', ...(await readdir(project.folder, { recursive: true }))]) {
        await chown(path.join(project.folder, name), uid, uid);
      }
    };
    await own();
    const run = () =>
      runProcess(process.execPath, [cli, 'import-from-db'], {
        cwd: project.folder,
        env: personEnvironment({ DATABASE_URL: url, HOME: project.folder }),
        uid,
      });
    await chmod(path.join(skills, 'group-1/skill-1'), 0o555);
    const first = await run();
    expect(first.code).toBe(1);
    expect(first.stderr.match(/^error: .*/gm)).toEqual([
      expect.stringMatching(/^error: group-1\/skill-1 is not written: .*EACCES/),
    ]);
    expect([...readTree(skills).keys()].filter((name) => name.includes('skill-1/'))).toEqual([]);
    expect(readTree(skills).size).toBe(tree.size - 2);
    await chmod(path.join(skills, 'group-1/skill-1'), 0o755);
    const file = path.join(skills, 'group-2/skill-2/SKILL.md');
    await chmod(file, 0o444);
    await sql(url, `update skills set skill_content = 'Theirs.\n' where name = 'skill-2'`);
    expect((await run()).code).toBe(0);
    expect(readTree(skills).size).toBe(tree.size);
    expect(fs.readFileSync(file, 'utf8')).toContain('Theirs.');
    expect(fs.statSync(file).mode & 0o777).toBe(0o444);
  },
);

/** `KILLS=100 npx vitest run test/acceptance/writes.test.ts -t killed` for more of them. */
const kills = Number(process.env['KILLS'] ?? 3);

test('killed at any instant, each file is whole, and the next import ends as an undisturbed one', async () => {
  const { url, tree } = await filledDatabase(300, 3000);
  const project = await makeProject();
  const skills = path.join(project.folder, 'skills');
  await mkdir(skills);
  let before: ReadonlyMap<string, string> = new Map();
  let after = tree;
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [cli, 'import-from-db'], {
      cwd: project.folder,
      env: personEnvironment({ DATABASE_URL: url }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // From the line on that says between which sides it runs.
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * 700));
    await new Promise((done) => child.once('close', done));
    for (const [name, content] of readTree(skills)) {
      if (!name.includes('.skill-fleet-'))
        expect([before.get(name), after.get(name)], name).toContain(content);
    }
    const { code, stderr } = await importTo(project, url);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(readTree(skills)).toEqual(after);
    const next = await project.run(['sync-db', '--dry-run', '--exit-code'], { DATABASE_URL: url });
    expect([next.code, next.stdout]).toEqual([0, expect.stringContaining('300 unchanged')]);
    before = after;
    await sql(url, `update skills set skill_content = 'Version ${kill}.\n'`);
    after = new Map(
      [...before].map(([name, content]) => [
        name,
        name.endsWith('SKILL.md')
          ? `${content.slice(0, content.lastIndexOf('---'))}---
Version ${kill}.
`
          : content,
      ]),
    );
  }
});

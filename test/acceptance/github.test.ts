import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, nobodyThere } from './cli.ts';

/** A repository with skills of all sorts below `lib/`, and a step that works on them. */
async function begun() {
  const project = await makeProject();
  const summaryFile = path.join(project.folder, 'summary.md');
  const env = {
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: path.join(project.folder, 'link') },
    ...{ GITHUB_STEP_SUMMARY: summaryFile, DATABASE_URL: await databaseUrl('postgres') },
  };
  // As where the runner's work folder is a link to another disk.
  await symlink('.', path.join(project.folder, 'link'));
  await writeFiles(path.join(project.folder, 'lib'), {
    'a/SKILL.md': document('a', '\n::add-mask::a\n##[set-output name=b]c\n'),
    'b/SKILL.md': document('b', 'One.\n', 'version: 1.0\n'),
    'broken/SKILL.md': '---\nname: broken\n',
  });
  const run = (args: readonly string[], more = {}) =>
    project.run([...args, '--skills-dir', 'lib'], { ...env, ...more });
  return { folder: project.folder, run, summary: () => readFile(summaryFile, 'utf8') };
}

/** What the runner would take for a command, as it looks for one. */
function commandsIn(text: string): readonly string[] {
  return text.split('\n').filter((line) => /^\s*::\S.*::/.test(line) || line.includes('##['));
}

test('a step has annotations at their lines and a summary, whatever form it prints in', async () => {
  const { run, summary } = await begun();
  const dry = await run(['sync-db', '--dry-run']);
  expect(dry.code).toBe(1);
  const annotations = [
    '::error file=lib/broken/SKILL.md,line=1,title=Problem::broken/SKILL.md:1: the frontmatter that opens here never closes%0AWrite a line of --- alone where it ends.',
    '::warning file=lib/b/SKILL.md,line=4,col=1,title=Read leniently::b: the version 1.0 is a number to other readers: quote it',
  ];
  expect(commandsIn(dry.stderr)).toEqual(annotations);
  const page = await summary();
  expect(page).toMatch(
    /^## skill-fleet sync-db \(dry run\)\n\nDry run, nothing was changed: 2 to create in the database, 1 problem/,
  );
  expect(page).toContain('<tr><td><code>a</code></td><td>create</td><td>in the database: new</td></tr>');
  expect(page).toContain('\n+description: About b.\n');

  const json = await run(['sync-db', '--json', '--quiet']);
  expect(JSON.parse(json.stdout)).toMatchObject({ command: 'sync-db', summary: { done: 2 } });
  expect(commandsIn(json.stderr)).toEqual(annotations);
  const both = await summary();
  expect(both.startsWith(page)).toBe(true);
  expect(both.slice(page.length)).toMatch(/^\n\n## skill-fleet sync-db\n\nDone: 2 created in the database/);
});

test('nothing that a skill holds is a command to the runner', async () => {
  const { run, folder } = await begun();
  await run(['sync-db']);
  const text = await readFile(path.join(folder, 'lib/a/SKILL.md'), 'utf8');
  await writeFiles(folder, { 'lib/a/SKILL.md': `${text}More.\n` });
  for (const args of [['sync-db', '--dry-run'], ['diff']]) {
    const { stdout } = await run(args);
    expect(commandsIn(stdout)).toEqual([]);
    expect(stdout).toContain('   \\u003a:add-mask::a\n   #\\u0023[set-output name=b]c\n');
  }
  const json = await run(['sync-db', '--dry-run', '--json']);
  expect(commandsIn(json.stdout)).toEqual([]);
  const { changes } = JSON.parse(json.stdout);
  expect(changes[0].diff).toContain('\n ::add-mask::a\n ##[set-output name=b]c\n');
});

test('what ends a command is annotated, and a summary that cannot be written is no failure', async () => {
  const { run, folder } = await begun();
  const lost = await run(['sync-db'], { DATABASE_URL: nobodyThere });
  expect([lost.code, commandsIn(lost.stderr)]).toEqual([
    1,
    [expect.stringMatching(/^::error title=Problem::Cannot reach the database/)],
  ]);
  await mkdir(path.join(folder, 'place'));
  const places = ['place', 'none/summary.md', '/dev/full'];
  for (const file of places) {
    const ran = await run(['export-to-db', '--skill-path', 'b'], { GITHUB_STEP_SUMMARY: file });
    expect([file, ran.code, ran.stderr]).toEqual([file, 0, expect.stringContaining('note: no job summary')]);
  }
  const elsewhere = await run(['export-to-db', '--skill-path', 'b'], { GITHUB_ACTIONS: 'false' });
  expect(elsewhere.stderr).not.toContain('::');
});

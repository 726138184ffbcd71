// `validate` as a user runs it: what it prints, by what it exits, and what it needs.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { makeProject, personEnvironment, projectRoot, type Ran, runProcess } from './cli.ts';

const document = (name: string, more = '', body = 'Read the form first.\n') =>
  `---\nname: ${name}\ndescription: Fills forms. Use when one is given.\n${more}---\n${body}`;

/** What of SARIF these tests look at. */
interface Log {
  readonly runs: readonly [
    {
      readonly results: readonly {
        readonly message: { readonly text: string };
        readonly locations: readonly [
          { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } },
        ];
      }[];
    },
  ];
}

async function projectWith(files: { readonly [path: string]: string }) {
  const project = await makeProject();
  await writeFiles(project.folder, files);
  return project;
}

describe('validate', () => {
  test('finds nothing in the skills that ship with the project', async () => {
    const { run } = await makeProject();
    const ran = await run(['validate', path.join(projectRoot, 'skills'), '--max-warnings', '0']);
    expect(ran).toEqual({ code: 0, stdout: '0 errors, 0 warnings in 13 skills\n', stderr: '' });
  });

  test('prints findings by file, what to do once for each rule, and exits 1', async () => {
    const { run } = await projectWith({
      'skills/a/forms/SKILL.md': document('tables', 'author: ann\n', `See [it](b.md).\n`),
      'skills/b/SKILL.md': document('b', 'author: ann\n'),
      'skills/c/SKILL.md': document('c'),
    });
    const { code, stdout } = await run(['validate']);
    expect(stdout).toBe(`skills/a/forms/SKILL.md
  2:1   error  the name "tables" is not the folder's, "forms"  name-differs-from-folder
               Rename the folder, or write its name. docs/rules/name-differs-from-folder.md
  4:1   error  the specification has no field "author"  unknown-field
               Move it below metadata, or choose the target that the skill is for. docs/rules/unknown-field.md
  6:10  warn   the link "b.md" leads to no file of the skill  link-not-found
               Correct the link, or add the file. docs/rules/link-not-found.md

skills/b/SKILL.md
  4:1  error  the specification has no field "author"  unknown-field

3 errors, 1 warning in 3 skills
1 of them can be mended with --fix
`);
    expect(code).toBe(1);
  });

  test.each<[args: readonly string[], code: number]>([
    [[], 0],
    [['--max-warnings', '1'], 0],
    [['--max-warnings', '0'], 1],
    [['--target', 'openclaw', '--max-warnings', '0'], 1],
    [['--target', 'nobody'], 64],
    [['--max-warnings', 'some'], 64],
    [['--sarif', '--max-warnings', '0'], 1],
    [['--sarif'], 0],
    [['--sarif', '--json'], 64],
  ])('with %j exits %d over one warning', async (args, code) => {
    const { run } = await projectWith({ 'skills/a/SKILL.md': document('a', '', '[b](b.md)\n') });
    expect((await run(['validate', ...args])).code).toBe(code);
  });

  test('takes several directories, a skill, its document, and the skills below it', async () => {
    const { run } = await projectWith({
      'skills/a/SKILL.md': document('x', '', 'See [b](b/SKILL.md).\n'),
      'skills/a/b/SKILL.md': document('y'),
      'more/c/SKILL.md': document('z'),
    });
    const namesIn = async (...args: readonly string[]) =>
      JSON.parse((await run(['validate', ...args, '--json'])).stdout).findings.map(
        ({ file, skill, what }: { [key: string]: string }) => [file, skill, /"(.)"/.exec(what ?? '')?.[1]],
      );
    const [a, b, c] = [
      ['skills/a/SKILL.md', 'a', 'x'],
      ['skills/a/b/SKILL.md', 'b', 'y'],
      ['more/c/SKILL.md', 'c', 'z'],
    ];
    expect(await namesIn('skills/a')).toEqual([a, b]);
    expect(await namesIn('skills/a/SKILL.md')).toEqual([a, b]);
    expect(await namesIn('skills/a/b', 'more')).toEqual([b, c]);
  });

  test('goes by the configuration, below the skills directory too, and the flag before it', async () => {
    const { run } = await projectWith({
      'skill-fleet.config.yaml': `validation:
  target: skill-fleet
  rules: {link-not-found: error}
  overrides:
    - {paths: ['a/*'], rules: {link-not-found: off}}
`,
      'skills/a/x/SKILL.md': document('x', 'version: "1.0"\n', '[b](b.md)\n'),
      'skills/b/x/SKILL.md': document('x', 'version: "1.0"\n', '[b](b.md)\n'),
    });
    const counts = async (...args: readonly string[]) =>
      JSON.parse((await run(['validate', ...args, '--json'])).stdout).summary;
    expect(await counts()).toEqual({ errors: 1, warnings: 1, infos: 0, fixable: 0 });
    expect(await counts('skills/a')).toEqual({ errors: 0, warnings: 0, infos: 0, fixable: 0 });
    expect(await counts('skills/b/x')).toEqual({ errors: 1, warnings: 0, infos: 0, fixable: 0 });
    expect(await counts('--target', 'spec')).toEqual({ errors: 3, warnings: 1, infos: 0, fixable: 0 });
  });

  test('needs no database, and makes no state', async () => {
    const { run } = await projectWith({ 'skills/a/SKILL.md': document('a') });
    for (const env of [
      { CI: 'true' },
      { DATABASE_URL: 'nonsense' },
      { DATABASE_URL: 'postgres://127.0.0.1:1/a' },
    ]) {
      expect(await run(['validate'], env)).toMatchObject({ code: 0 });
    }
    expect((await run(['validate', '.skill-fleet'])).stderr).toContain('not found');
  });

  test('names what cannot be read, and goes on', async () => {
    const { run } = await projectWith({
      'skills/a/SKILL.md': '---\nname: a\n',
      'skills/b/SKILL.md': document('b'),
      'skills/b/Notes.md': 'a',
      'skills/b/notes.md': 'b',
      'skills/c/SKILL.md': document('c', 'author: ann\n'),
    });
    const { stdout } = await run(['validate', '--quiet']);
    expect(stdout.match(/(?<= {2})[a-z-]+$/gm)).toEqual([
      'names-collide',
      'skill-not-readable',
      'unknown-field',
    ]);
    expect(stdout).toContain('in 3 skills');
  });

  test('follows no link, and tells which scripts can run', async () => {
    const { folder, run } = await projectWith({
      'skills/a/SKILL.md': document('a', '', 'Run scripts/one.sh, then scripts/two.sh.\n'),
      'skills/a/scripts/one.sh': '#!/bin/sh\n',
      'skills/a/scripts/two.sh': '#!/bin/sh\n',
    });
    await chmod(path.join(folder, 'skills/a/scripts/two.sh'), 0o755);
    await symlink('/', path.join(folder, 'skills/a/root'));
    const { stdout, stderr } = await run(['validate']);
    expect(stdout).toContain('skills/a/scripts/one.sh\n  1:1  warn ');
    expect(stdout).toContain('0 errors, 1 warning in 1 skill\n');
    expect(stderr).toBe('note: 1 symbolic link neither followed nor synced: a/root\n');
  });

  test('annotates lines on GitHub Actions', async () => {
    const { folder, run } = await projectWith({ 'skills/a/SKILL.md': document('a', 'author: ann\n') });
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder };
    expect((await run(['validate'], env)).stderr).toBe(
      '::error file=skills/a/SKILL.md,line=4,col=1,title=unknown-field::the specification has no field "author"%0AMove it below metadata, or choose the target that the skill is for.\n',
    );
  });

  test('annotates beside any output, and puts nothing of it into that', async () => {
    const { folder, run } = await projectWith({ 'skills/a/SKILL.md': document('a', '"::x::##[y]": ann\n') });
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder };
    for (const [flag, findingsOf] of [
      ['--sarif', (log: Log) => log.runs[0].results.map(({ message }) => message.text)],
      [
        '--json',
        ({ findings }: { findings: readonly { what: string }[] }) => findings.map(({ what }) => what),
      ],
    ] as const) {
      const { stdout, stderr } = await run(['validate', flag], env);
      expect(findingsOf(JSON.parse(stdout))).toEqual([expect.stringContaining('no field "::x::##[y]"')]);
      expect(stdout).not.toMatch(/^\s*::|##\[/m);
      expect(stderr.match(/^::(error|warning|notice) /gm)).toEqual(['::error ']);
    }
  });

  test('prints SARIF with paths from the root of the repository, wherever it runs', async () => {
    const { folder, run } = await projectWith({
      'lib/my skills/a/SKILL.md': document('a', 'author: ann\n', '[b](b.md)\n'),
    });
    const urisOf = ({ stdout }: Ran) =>
      (JSON.parse(stdout) as Log).runs[0].results.map(
        ({ locations: [{ physicalLocation }] }) => physicalLocation.artifactLocation.uri,
      );
    const inFolder = (cwd: string, ...args: readonly string[]) =>
      runProcess(process.execPath, [path.join(projectRoot, 'dist/cli.js'), 'validate', ...args, '--sarif'], {
        cwd,
      });
    // Without a repository, from the working directory.
    expect(urisOf(await inFolder(path.join(folder, 'lib'), 'my skills'))).toEqual(
      Array(2).fill('my%20skills/a/SKILL.md'),
    );
    await promisify(execFile)('git', ['init', '-q', folder]);
    const ran = await run(['validate', 'lib/my skills', '--sarif']);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(urisOf(ran)).toEqual(Array(2).fill('lib/my%20skills/a/SKILL.md'));
    expect(await inFolder(path.join(folder, 'lib/my skills'), '.')).toEqual(ran);
    // The file of a run that fails is empty, and taken for no result.
    expect(await run(['validate', 'nowhere', '--sarif'])).toMatchObject({ code: 1, stdout: '' });
  });

  test('prints one whole object where it is interrupted', async () => {
    const fields = Array.from({ length: 20 }, (_, at) => `field-${at}: a\n`).join('');
    const names = Array.from({ length: 500 }, (_, at) => `s${at}`);
    const { folder } = await projectWith(
      Object.fromEntries(names.map((name) => [`skills/${name}/SKILL.md`, document(name, fields)])),
    );
    const child = spawn(process.execPath, [path.join(projectRoot, 'dist/cli.js'), 'validate', '--json'], {
      cwd: folder,
      env: personEnvironment(),
    });
    // Until it is read, a pipe takes a part only of what is written.
    await once(child.stdout, 'readable');
    child.kill('SIGINT');
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    expect(await once(child, 'close')).toEqual([130, null]);
    const { skills, findings, problems, exitCode } = JSON.parse(stdout);
    expect({ problems, exitCode }).toMatchObject({ problems: [{ reason: 'interrupted' }], exitCode: 130 });
    expect(skills).toBeLessThan(500);
    expect(findings).toHaveLength(20 * skills);
  });
});

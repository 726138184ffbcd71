// `validate --fix` as a user runs it: what it writes, what it says, and what it leaves alone.

import { chmod, mkdir, readdir, readFile, stat, symlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { makeProject } from './cli.ts';

const document = (name: string, more = '', body = 'Read the form first.\n') =>
  `---\nname: ${name}\ndescription: Fills forms. Use when one is given.\n${more}---\n${body}`;

async function projectWith(files: { readonly [path: string]: string }) {
  const project = await makeProject();
  await writeFiles(project.folder, files);
  const read = (file: string) => readFile(path.join(project.folder, file), 'utf8');
  return { ...project, read };
}

const sick = {
  'skills/a/forms/SKILL.md': `\uFEFF${document('Forms', 'metadata:\n  version: 1.10\nauthor: ann\n')}`,
  'skills/b/SKILL.md': document('b', '', 'Run run.sh.\n'),
  'skills/b/run.sh': '#!/bin/sh\n',
  'skills/c/SKILL.md': document('c'),
};

describe('validate --fix', () => {
  test('mends what needs no person, says what, and tells what is left', async () => {
    const { run, read, folder } = await projectWith(sick);
    expect(await run(['validate', '--fix'])).toEqual({
      code: 1,
      stdout: `mended skills/a/forms: byte-order-mark, name-differs-from-folder, name-format, metadata-value-not-quoted
mended skills/b: script-not-executable
skills/a/forms/SKILL.md
  6:1  error  the specification has no field "author"  unknown-field
              Move it below metadata, or choose the target that the skill is for. docs/rules/unknown-field.md

1 error, 0 warnings in 3 skills
5 in 2 skills mended
`,
      stderr: '',
    });
    expect(await read('skills/a/forms/SKILL.md')).toBe(
      document('forms', 'metadata:\n  version: "1.10"\nauthor: ann\n'),
    );
    expect((await stat(path.join(folder, 'skills/b/run.sh'))).mode & 0o111).not.toBe(0);
    expect(await readdir(path.join(folder, 'skills'))).toEqual(['a', 'b', 'c']);
    expect((await run(['validate', '--fix'])).stdout).toContain('\n0 in 0 skills mended\n');
    expect((await run(['validate'])).stdout).not.toContain('can be mended');
  });

  test('exits 0 where nothing is left, by its dry run too', async () => {
    const { run, read } = await projectWith({ 'skills/forms/SKILL.md': document('x') });
    expect((await run(['validate'])).code).toBe(1);
    expect((await run(['validate', '--fix', '--dry-run'])).code).toBe(0);
    expect(await read('skills/forms/SKILL.md')).toBe(document('x'));
    expect((await run(['validate', '--fix'])).code).toBe(0);
    expect((await run(['validate'])).code).toBe(0);
  });

  test('shows in a dry run what it would change, and changes nothing', async () => {
    const { run, read, folder } = await projectWith({ ...sick, 'skills/d/skill.md': document('e') });
    const { code, stdout } = await run(['validate', '--fix', '--dry-run']);
    expect(
      stdout,
    ).toBe(`would mend skills/a/forms: byte-order-mark, name-differs-from-folder, name-format, metadata-value-not-quoted
  --- files/a/forms/SKILL.md
  +++ fixed/a/forms/SKILL.md
  @@ -1,8 +1,8 @@
  -\\u{feff}---
  -name: Forms
  +---
  +name: forms
   description: Fills forms. Use when one is given.
   metadata:
  -  version: 1.10
  +  version: "1.10"
   author: ann
   ---
   Read the form first.

would mend skills/b: script-not-executable
  mode of fixed/b/run.sh: executable

would mend skills/d: document-name, name-differs-from-folder
  rename from files/d/skill.md
  rename to fixed/d/SKILL.md
  --- files/d/SKILL.md
  +++ fixed/d/SKILL.md
  @@ -1,5 +1,5 @@
   ---
  -name: e
  +name: d
   description: Fills forms. Use when one is given.
   ---
   Read the form first.

skills/a/forms/SKILL.md
  6:1  error  the specification has no field "author"  unknown-field
              Move it below metadata, or choose the target that the skill is for. docs/rules/unknown-field.md

1 error, 0 warnings in 4 skills
Dry run, nothing was changed: --fix would mend 7 in 3 skills
`);
    expect(code).toBe(1);
    for (const [file, text] of Object.entries(sick)) expect(await read(file)).toBe(text);
    expect(await readdir(path.join(folder, 'skills/d'))).toEqual(['skill.md']);
    const { fix } = JSON.parse((await run(['validate', '--fix', '--dry-run', '--json'])).stdout);
    expect(fix).toMatchObject({ dryRun: true, skills: 3, problems: [] });
    expect(fix.fixed.map(({ rule }: { rule: string }) => rule)).toHaveLength(7);
    expect(fix.diffs[1]).toEqual({ skill: 'b', diff: 'mode of fixed/b/run.sh: executable\n' });
  });

  test('renames a document, and keeps the modes of files', async () => {
    const { run, folder, read } = await projectWith({
      'skills/d/skill.md': document('e'),
      'skills/d/n': 'a\n\r\n',
    });
    await chmod(path.join(folder, 'skills/d/n'), 0o640);
    expect((await run(['validate', '--fix'])).code).toBe(0);
    expect(await readdir(path.join(folder, 'skills/d'))).toEqual(['SKILL.md', 'n']);
    expect(await read('skills/d/SKILL.md')).toBe(document('d'));
    expect(await read('skills/d/n')).toBe('a\n\n');
    expect((await stat(path.join(folder, 'skills/d/n'))).mode & 0o777).toBe(0o640);
  });

  test('touches no file of which it mends nothing, and none through a link', async () => {
    const { run, folder, read } = await projectWith({
      'skills/a/SKILL.md': document('x'),
      'skills/a/note.md': 'a\n',
      'elsewhere.md': 'a\n\r\n',
    });
    const note = path.join(folder, 'skills/a/note.md');
    await utimes(note, 1000, 1000);
    await symlink(path.join(folder, 'elsewhere.md'), path.join(folder, 'skills/a/link.md'));
    await run(['validate', '--fix']);
    expect(await read('skills/a/SKILL.md')).toBe(document('a'));
    expect((await stat(note)).mtimeMs).toBe(1_000_000);
    expect(await read('elsewhere.md')).toBe('a\n\r\n');
  });

  test('mends no more than it shows', async () => {
    const settings = `validation:
  rules: {name-differs-from-folder: off}
  overrides:
    - {paths: ['b/*'], rules: {name-differs-from-folder: warn}}
`;
    const { run, read } = await projectWith({
      'skill-fleet.config.yaml': settings,
      'skills/a/x/SKILL.md': document('y'),
      'skills/b/x/SKILL.md': document('z'),
      'skills/b/w/SKILL.md': document(
        'z',
        '',
        '<!-- skill-fleet-disable name-differs-from-folder: ours -->\nRead.\n',
      ),
    });
    await run(['validate', '--fix', '--quiet']);
    expect(await read('skills/b/x/SKILL.md')).toBe(document('z'));
    expect((await run(['validate', '--fix', 'skills/b'])).stdout).toContain('1 in 1 skill mended');
    expect(await read('skills/a/x/SKILL.md')).toBe(document('y'));
    expect(await read('skills/b/x/SKILL.md')).toBe(document('x'));
    expect(await read('skills/b/w/SKILL.md')).toContain('name: z');
  });

  test('takes several directories, a skill, and the skills below it, also where folders above ignore files', async () => {
    const { run, read, folder } = await projectWith({
      '.gitignore': '*.tmp\n',
      'skills/.skillfleetignore': '*.log\n',
      'skills/a/SKILL.md': document('x'),
      'skills/a/n.log': 'a',
      'skills/a/b/SKILL.md': document('y'),
      'more/c/SKILL.md': document('z'),
      'more/c/d/SKILL.md': document('z'),
    });
    expect((await run(['validate', '--fix', 'skills/a', 'more/c', 'more/c/d/SKILL.md'])).code).toBe(0);
    for (const one of ['skills/a', 'skills/a/b', 'more/c', 'more/c/d']) {
      expect(await read(`${one}/SKILL.md`)).toBe(document(path.basename(one)));
    }
    expect(await readdir(path.join(folder, 'more'))).toEqual(['c']);
    expect(await readdir(path.join(folder, 'skills'))).toEqual(['.skillfleetignore', 'a']);
  });

  test('leaves a file that nobody may write to, says so, and goes on', async () => {
    const { run, read, folder } = await projectWith({
      'skills/a/SKILL.md': document('x'),
      'skills/b/SKILL.md': document('x'),
    });
    await chmod(path.join(folder, 'skills/a/SKILL.md'), 0o444);
    const { code, stdout, stderr } = await run(['validate', '--fix', '--target', 'claude-code']);
    expect(stderr).toContain('error: a is not written: SKILL.md: EACCES\n');
    expect(stdout).toContain('the name "x" is not the folder');
    expect(stdout).toContain('\n1 in 1 skill mended\n');
    expect(code).toBe(1);
    expect(await read('skills/a/SKILL.md')).toBe(document('x'));
    expect(await read('skills/b/SKILL.md')).toBe(document('b'));
  });

  test('waits for who works in the skills directory, of which one skill is asked for', async () => {
    const { run, folder, read } = await projectWith({ 'skills/a/b/SKILL.md': document('x') });
    const holder = { pid: process.pid, host: 'elsewhere', since: new Date().toISOString(), started: '' };
    await writeFiles(folder, { 'skills/.skill-fleet-lock.1': JSON.stringify(holder) });
    const { code, stderr } = await run(['validate', '--fix', 'skills/a/b', '--lock-timeout', '0.1']);
    expect(stderr).toContain('is in use by process');
    expect(code).toBe(1);
    expect(await read('skills/a/b/SKILL.md')).toBe(document('x'));
    expect((await run(['validate', '--fix', '--dry-run', 'skills/a/b'])).code).toBe(0);
  });

  test('is not carried out as a dry run of nothing', async () => {
    const { run, folder } = await makeProject();
    await mkdir(path.join(folder, 'skills'), { recursive: true });
    const { code, stderr } = await run(['validate', '--dry-run']);
    expect(code).toBe(64);
    expect(stderr).toContain('--dry-run goes with --fix');
  });
});

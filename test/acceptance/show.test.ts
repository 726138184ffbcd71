// One skill, as the built command line prints it.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

const rich = `---
name: rich
description: "Has all\\tthere is. 茶"
license: MIT
metadata:
  category: house/own
  keywords: [one, two]
  tags: [red]
  capabilities: [{name: Does, description: This.}]
  dependencies: [{skill: plain, justification: It is plain}, to/come]
  see_also: [plain]
  aliases: [old/rich]
  facets: {level: high}
allowed-tools: Read
---
# Rich
`;

async function makeLibrary(kind: DatabaseKind) {
  const project = await makeProject();
  const url = await databaseUrl(kind);
  const skills = path.join(project.folder, 'skills');
  return {
    url,
    skills,
    write: (files: { readonly [path: string]: string | Buffer }) => writeFiles(skills, files),
    run: (...args: readonly string[]) => project.run(args, { DATABASE_URL: url }),
  };
}

/** The lines, with what differs from test to test named. */
function linesOf(stdout: string): readonly string[] {
  return stdout
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/^(revision +)\d+/m, '$1N')
    .replace(/--revision \d+/, '--revision N')
    .split('\n');
}

describe.each(usualKinds)('show on %s', (kind) => {
  test('says all there is of a skill, by its path, an alias and where it stood', async () => {
    const { run, write, skills } = await makeLibrary(kind);
    expect(await run('show', 'rich')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('knows no skill "rich"'),
    });
    await write({
      'a/rich/SKILL.md': rich,
      'a/rich/\u202erun.sh': 'x\n',
      'plain/SKILL.md': document('plain'),
    });
    await run('sync-db');
    const lines = [
      'a/rich',
      'name          rich',
      'description   Has all\\tthere is. 茶',
      'status        active',
      'version       1.0.0',
      'type          technical, medium, task_specific',
      "category      house/own (document's category)",
      'keywords      one, two',
      'tags          red',
      'tools         Read',
      'facets        level: high',
      'capabilities  Does: This.',
      'also says     license: MIT',
      'aliases       old/rich',
      'needs         plain (required): It is plain',
      '              to/come (required, no such skill now)',
      'refers to     plain (see_also)',
      'revision      N, TIME, by WRITER out of the files in run 1',
      'in the files  the same',
      `files         SKILL.md        ${Buffer.byteLength(rich)} B`,
      '              \\u{202e}run.sh    2 B',
      '',
    ];
    const shown = await run('show', 'a/rich');
    const anyWriter = (text: string) => text.replace(/by .* out of/, 'by WRITER out of');
    expect([shown.code, shown.stderr, linesOf(anyWriter(shown.stdout))]).toEqual([0, '', lines]);
    const byAlias = await run('show', 'old/rich');
    expect([byAlias.stdout, byAlias.stderr]).toEqual([shown.stdout, 'note: old/rich is a/rich now\n']);

    expect((await run('show', 'rich')).stderr).toBe('note: rich is a/rich\n');

    await write({ 'plain/SKILL.md': document('plain', 'Edited.\n') });
    const plain = (await run('show', 'plain')).stdout;
    expect(plain).toContain(
      'needed by     a/rich (required): It is plain\nreferred by   a/rich (see_also)\n',
    );
    expect(plain).toContain('in the files  otherwise; to see it: skill-fleet diff plain\n');
    await rm(path.join(skills, 'plain'), { recursive: true });
    expect((await run('show', 'plain')).stdout).toContain('in the files  not there\n');

    const unknown = await run('show', 'x/RICH', '--json');
    expect([unknown.code, JSON.parse(unknown.stdout).problems]).toEqual([
      1,
      [
        expect.objectContaining({
          reason: 'skill-unknown',
          nearest: ['a/rich'],
          remedy: 'Perhaps you mean a/rich.',
        }),
      ],
    ]);
    expect((await run('show', 'x/')).stderr).toContain('as list shows it');
  });
});

test('show prints the document to the byte, and tells programs all of it', async () => {
  const { run, write } = await makeLibrary('postgres');
  const text = '\ufeff---\r\nname: odd\r\ndescription: \u001b[2J 茶\r\n---\r\nNo line feed at the end';
  await write({ 'odd/SKILL.md': text, 'odd/a.bin': Buffer.from([0, 255]) });
  await run('sync-db');
  expect(await run('show', 'odd', '--raw')).toEqual({ code: 0, stdout: text, stderr: '' });
  expect((await run('show', 'odd')).stdout).not.toContain('\u001b');
  const { fields, ...rest } = JSON.parse((await run('show', 'odd', '--json')).stdout);
  expect(rest).toEqual({
    ...{ version: 1, path: 'odd', skillId: expect.any(Number), state: 'standing', inFiles: 'same' },
    latest: expect.objectContaining({ origin: 'files', run: 1, isPresent: true }),
    lastStanding: null,
    files: [
      { path: 'SKILL.md', bytes: Buffer.byteLength(text), executable: false },
      { path: 'a.bin', bytes: 2, executable: false },
    ],
    exitCode: 0,
  });
  expect(fields).toMatchObject({ name: 'odd', status: 'active', deletedAt: null, needs: [], extra: {} });
  expect((await run('show', 'odd', '--raw', '--json')).code).toBe(64);
  // The files need not even be there.
  expect((await run('show', 'odd', '--raw', '--skills-dir', 'no-such')).stdout).toBe(text);
  expect((await run('show', 'odd', '--skills-dir', 'no-such')).stdout).toContain('cannot be read\n');
});

test('what is deleted or erased is said, with what it was and what brings it back', async () => {
  const { run, write, url, skills } = await makeLibrary('postgres');
  for (const body of ['Before.\n', 'One.\n']) {
    await write({ 'a/gone/SKILL.md': document('gone', body) });
    await run('sync-db');
  }
  await rm(path.join(skills, 'a'), { recursive: true });
  await write({ 'b/SKILL.md': document('b') });
  await run('sync-db', '--delete');
  const deleted = linesOf((await run('show', 'a/gone')).stdout);
  expect(deleted.slice(0, 3)).toEqual([
    'a/gone',
    'deleted       to have it again: skill-fleet restore a/gone --revision N',
    'name          gone',
  ]);
  expect(deleted).toContain('in the files  not there');
  const raw = await run('show', 'a/gone', '--raw');
  expect(raw).toEqual({
    code: 0,
    stdout: document('gone', 'One.\n'),
    stderr: 'note: a/gone is deleted; this is what it was\n',
  });
  await sql(url, `delete from skills where name = 'gone'`);
  expect((await run('show', 'a/gone', '--raw')).stdout).toBe(document('gone', 'One.\n'));
  expect(linesOf((await run('show', 'a/gone')).stdout).filter((line) => !/^revision/.test(line))).toEqual([
    'a/gone',
    'deleted       to have it again: skill-fleet restore a/gone --revision N',
    'in the files  not there',
    `files         SKILL.md  ${document('gone', 'One.\n').length} B`,
    '',
  ]);
  expect(JSON.parse((await run('show', 'a/gone', '--json')).stdout)).toMatchObject({
    ...{ state: 'erased', fields: null, lastStanding: expect.any(Number) },
  });
  // A deleted skill is no proposal for a mistyped path.
  expect((await run('show', 'x/gone')).stderr).toContain('as list shows it');
  await sql(url, 'update skill_revisions set pruned_at = now(), skill_content = null');
  expect((await run('show', 'a/gone')).stdout).toContain('files         cannot be read\n');
  expect((await run('show', 'a/gone', '--raw')).code).toBe(1);
});

test('a path is understood as it is printed, in one spelling everywhere, and in the commands that are', async () => {
  const { run, write, url } = await makeLibrary('postgres');
  const [real, printed] = ['a/bidi\u202ename', 'a/bidi\\u{202e}name'];
  await write({ [`${real}/SKILL.md`]: document('bidi') });
  await run('sync-db');
  await write({ [`${real}/SKILL.md`]: document('bidi', 'Mine.\n'), 'esc\u001bape/SKILL.md': document('x') });
  await sql(url, `update skills set skill_content = 'Theirs.' where name = 'bidi'`);
  expect((await run('list')).stdout).toContain(`${printed}  `);
  for (const path of [printed, real]) {
    expect((await run('show', path)).stdout).toMatch(/^a\/bidi\\u\{202e\}name\n/);
    expect((await run('diff', path)).stdout).toContain('+Mine.');
    const log = (await run('log', path)).stdout;
    expect(log).toMatch(/: skill-fleet restore \$'a\/bidi\\xe2\\x80\\xaename' --revision \d+\n$/);
    const [, first = ''] = /--revision (\d+)/.exec(log) ?? [];
    expect((await run('restore', path, '--revision', first, '--dry-run')).code).toBe(0);
    expect((await run('resolve', path, '--with', 'local', '--dry-run')).stdout).toContain('1 to update');
    expect((await run('sync-db', '--skill-path', path, '--dry-run')).stdout).toContain(
      '+++ files/a/bidi\\u{202e}name/',
    );
  }
  const status = (await run('status')).stdout;
  expect(status.match(/esc\S*ape/g)).toEqual(['esc\\u{1b}ape', 'esc\\u{1b}ape']);
});

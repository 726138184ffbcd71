// Rows and files whose paths cannot stand everywhere: each is a named problem of its skill, and the others go on.

import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Problem, quoted, sentenceOf } from '../../src/problem.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { migratedDatabase, usualKinds } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { cloneAt, document, makeClone, makeSides, type RunOutcome } from './sides.ts';

/** Adds a row as an API does, with attached files by `relative_path`. What `filename` says counts nowhere. */
async function addRow(connection: Connection, skill: string, files: readonly string[] = []): Promise<void> {
  const [row] = await connection.query<{ id: number }>(
    `insert into skills (skill_path, name, description, type, status, skill_content)
     values ($1, 'n', 'About n.', 'technical', 'active', '') returning skill_id as id`,
    [skill],
  );
  await connection.query(
    `insert into skill_files (skill_id, file_type, relative_path, filename, content)
     select $1, 'asset', relative_path, '../../../filename', '' from unnest($2::text[]) as relative_path`,
    [row?.id, files],
  );
}

/** Everything below a folder but our own state. */
async function listing(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !name.startsWith('.skill-fleet')).sort();
}

/** What was said of each path, in `reason: what` words. */
function problemsOf({ plan, results }: RunOutcome): ReadonlyMap<string, string> {
  const problems: Problem[] = [
    ...plan.problems,
    ...results.flatMap((result) => (result.ok ? [] : [result.problem])),
  ];
  return new Map(
    problems.map((problem) => [
      'path' in problem ? problem.path : '',
      `${problem.reason}: ${sentenceOf(problem).what}`,
    ]),
  );
}

const long = 'x'.repeat(300);
const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
const [fileNotAllowed, collide] = ['file-path-not-allowed', 'files-collide'];

/** Paths that no skill may have, of those that the database takes. */
const skillPaths = [
  ...['a\\..\\b', '..\\up', '\\\\host\\share', 'C:x', 'dev/c:', 'C:\\x', 'CON', 'dev/Nul.md', 'lpt1/x'],
  ...['tail.', 'tail ', 'dev/tail./x', '... ', 'SKILL.md', 'SKILL.md/x', 'dev/skill.MD', `dev/${long}`],
];

/** Attached files, why their skill is refused, and the one that is named. */
const attached: readonly (readonly [files: readonly string[], reason: string, named: string])[] = [
  ...['../x', '../../x', '../../../x', 'a/../../x', '..', '.', 'a/./b', '/etc/x', '/', '', 'a//b', 'a/'].map(
    (file) => [[file], fileNotAllowed, file] as const,
  ),
  ...['a\\..\\b', '..\\..\\x', 'C:x', 'C:\\x', 'a/C:', 'CON', 'a/aux.md', 'COM1', 'tail.', 'tail ', ' '].map(
    (file) => [['fine', file], fileNotAllowed, file] as const,
  ),
  ...['line\nbreak', 'return\r', 'escape\u001b[2J', 'next\u0085line', `a/${long}`].map(
    (file) => [[file], fileNotAllowed, file] as const,
  ),
  [['SKILL.md'], 'file-is-document', 'SKILL.md'],
  [['skill.md'], collide, 'skill.md'],
  [['SKILL.md/x'], 'file-not-keepable', 'SKILL.md/x'],
  [['skill.md/x'], collide, 'skill.md/x'],
  [['a/SKILL.md'], 'file-not-keepable', 'a/SKILL.md'],
  [['.git/config'], 'file-not-keepable', '.git/config'],
  [['.skill-fleet-x'], 'file-not-keepable', '.skill-fleet-x'],
  [['a', 'a/b'], 'file-not-keepable', 'a/b'],
  [['a', 'A/b'], collide, 'A/b'],
  [['README.md', 'readme.md'], collide, 'readme.md'],
  [['Docs/a', 'docs/b'], collide, 'docs/b'],
  [[composed, decomposed], collide, 'caf\\u{e9}'],
];

const goodFiles = ['docs/real.md', 'é'.repeat(127), 'a*?"<>|b', 'con-text/..c/.d'];

describe.each(usualKinds)('paths that cannot stand everywhere, with %s', (kind) => {
  test('in rows are named, whoever imports them, and nothing of theirs is written anywhere', async () => {
    const connection = await migratedDatabase(kind);
    const project = await temporaryFolder();
    const { run, files } = await cloneAt(connection, project, 'outer/skills');
    // How each sentence begins, and what it names.
    const expected = new Map<string, readonly [string, string]>();
    for (const skill of skillPaths) {
      await addRow(connection, skill);
      expected.set(skill, [`path-not-allowed: ${quoted(skill)} `, '']);
    }
    for (const [index, [names, reason, named]] of attached.entries()) {
      const skill = `attached/${index}`;
      await addRow(connection, skill, names);
      expected.set(skill, [`${reason}: ${skill}`, reason === fileNotAllowed ? quoted(named) : named]);
    }
    await addRow(connection, `good${project}/x`, [`${project}/x`]);
    expected.set(`good${project}/x`, [`${fileNotAllowed}: good${project}/x`, `"${project}/x"`]);
    for (const skill of ['dev/Case', 'dev/case', composed, decomposed]) await addRow(connection, skill);
    expected.set('dev/case', ['path-collides: "dev/case" ', '"dev/Case" and "dev/case"']);
    expected.set(composed, [`path-collides: "${composed}" `, '"cafe\\u{301}" and "caf\\u{e9}"']);
    await addRow(connection, 'x', ['sub']);
    await addRow(connection, 'x/sub');
    expected.set('x/sub', ['file-in-the-way: x/sub ', 'x/sub stands in the way']);
    await addRow(connection, 'good', goodFiles);

    const before = await listing(project);
    const outcome = await run('import');
    const said = problemsOf(outcome);
    expect([...said.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [skill, [beginning, named]] of expected) {
      expect(said.get(skill)?.slice(0, beginning.length)).toBe(beginning);
      expect(said.get(skill)).toContain(named);
    }
    const written = [
      'dev/Case/SKILL.md',
      `${decomposed}/SKILL.md`,
      'x/SKILL.md',
      'x/sub',
      ...['SKILL.md', ...goodFiles].map((file) => `good/${file}`),
    ].sort();
    expect(Object.keys(await files()).sort()).toEqual(written);
    const after = await listing(project);
    const folders = (file: string) => file.split('/').map((_, end, all) => all.slice(0, end + 1).join('/'));
    const places = written.flatMap((file) => folders(file)).map((file) => `outer/skills/${file}`);
    expect(after).toEqual([...new Set([...before, ...places])].sort());

    for (const direction of ['import', 'sync', 'export'] as const) {
      const again = await run(direction);
      expect(again.results.filter((result) => result.ok)).toEqual([]);
      // An export writes no files: what only an import refuses is ahead.
      if (direction !== 'export') expect(problemsOf(again)).toEqual(said);
    }
    expect(await listing(project)).toEqual(after);
  });

  test('in files are named, and nothing of their skills is stored', async () => {
    const { connection, run, write } = await makeSides(kind);
    const broken = ['a\\b', 'C:x', 'CON', 'dev/nul.md', 'tail.', 'tail ', 'line\nbreak', 'deep/SKILL.md'];
    const names = ['a\\b', 'C:x', 'sub/CON', 'aux.txt', 'tail.', 'tail ', 'line\nbreak'];
    const pairs = [
      ['README.md', 'readme.md'],
      ['skill.md', 'b'],
      ['a', 'A/b'],
      ['Docs/a', 'docs/b'],
      [composed, decomposed],
    ];
    const holding = [...names.map((name) => [name]), ...pairs];
    await write({
      'good/SKILL.md': document('good'),
      'good/a*?"<>|b': '',
      'dev/Case/SKILL.md': document('upper'),
      'dev/case/SKILL.md': document('lower'),
      'CON/loose': '',
      'README.md': 'loose',
      'readme.md': 'loose',
      ...Object.fromEntries(broken.map((skill) => [`${skill}/SKILL.md`, document('broken')])),
      ...Object.fromEntries(
        holding.flatMap((files, index) =>
          ['SKILL.md', ...files].map((file) => [`holding/${index}/${file}`, document('holding')]),
        ),
      ),
    });
    const expected = new Map([
      ...broken.map((skill) => [skill, 'path-not-allowed'] as const),
      ...names.map((_, index) => [`holding/${index}`, fileNotAllowed] as const),
      ...pairs.map((_, index) => [`holding/${names.length + index}`, collide] as const),
      ['dev/case', 'path-collides'] as const,
    ]);
    const first = await run('export');
    expect(new Map([...problemsOf(first)].map(([skill, words]) => [skill, words.split(':')[0]]))).toEqual(
      expected,
    );
    for (const again of [await run('export'), await run('sync')]) {
      expect(again.results).toEqual([]);
      expect(problemsOf(again)).toEqual(problemsOf(first));
    }
    expect(await connection.query('select skill_path from skills order by skill_path collate "C"')).toEqual([
      { skill_path: 'dev/Case' },
      { skill_path: 'good' },
    ]);
    expect(await connection.query('select relative_path, filename from skill_files')).toEqual([
      { relative_path: 'a*?"<>|b', filename: 'a*?"<>|b' },
    ]);
  });

  test('in a row that both sides held before make it unknown: nothing is deleted, and it comes back', async () => {
    const { connection, run, write, files } = await makeSides(kind);
    await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
    await run('export');
    const before = await files();
    await connection.query(
      `insert into skill_files (skill_id, file_type, relative_path, filename, content)
       select skill_id, 'asset', '../b/SKILL.md', 'x', 'theirs' from skills where name = 'a'`,
    );
    for (const direction of ['import', 'sync', 'export'] as const) {
      const outcome = await run(direction, { deletes: true, force: true, yes: true });
      expect(outcome.words).toEqual(['problem file-path-not-allowed']);
    }
    expect(await files()).toEqual(before);
    await connection.query('delete from skill_files');
    expect((await run('sync', { deletes: true })).words).toEqual([]);
    expect(await files()).toEqual(before);
  });

  test('a file whose place is the folder of another skill takes nothing from it', async () => {
    const { connection, run, files } = await makeSides(kind);
    await addRow(connection, 'x/sub', ['kept']);
    expect((await run('import')).words).toEqual(['x/sub: new -> files']);
    const before = await files();
    await addRow(connection, 'x', ['sub']);
    for (const direction of ['import', 'sync'] as const) {
      const outcome = await run(direction);
      expect(outcome.words).toEqual(['x: refused, file-in-the-way']);
      expect(problemsOf(outcome).get('x')).toContain('x/sub');
      expect(await files()).toEqual(before);
    }
  });

  test('that are renamed by case alone are renamed on the other side, in any clone', async () => {
    const { connection, folder, run, write, files } = await makeSides(kind);
    await write({ 'dev/Case/SKILL.md': document('case'), 'b/SKILL.md': document('b') });
    await run('export');
    const other = await makeClone(connection);
    await other.run('import');
    await rename(path.join(folder, 'dev/Case'), path.join(folder, 'dev/case'));
    expect((await run('export')).words).toEqual(['dev/Case => dev/case: renamed -> database']);
    expect((await other.run('import')).words).toEqual(['dev/Case => dev/case: renamed -> files']);
    expect(await other.files()).toEqual(await files());
    expect((await other.run('sync')).words).toEqual([]);
  });

  test('in a base are nothing that both sides agreed on, and the rest of it holds', async () => {
    const { folder, run, write } = await makeSides(kind);
    await write({ 'a/SKILL.md': document('a') });
    await run('export');
    const bases = path.join(folder, '../.skill-fleet/bases');
    const [name = ''] = await readdir(bases);
    const base = await readFile(path.join(bases, name), 'utf8');
    await writeFile(path.join(bases, name), base.replace(/"a":(\[[^\]]*\])/, '"a":$1,"CON":$1,"a\\\\b":$1'));
    const outcome = await run('sync', { deletes: true });
    expect([outcome.words, [...outcome.base.entries.keys()]]).toEqual([[], ['a']]);
  });
});

// Rows that other programs wrote, whatever they hold: each skill is carried or named, and the others go on.

import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { chooseColors } from '../../src/report/colors.ts';
import { jsonText } from '../../src/report/json.ts';
import { listLines, listTable } from '../../src/report/list-text.ts';
import { showLines } from '../../src/report/show-text.ts';
import { unprintable } from '../../src/report/terminal-text.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { listSkills } from '../../src/repository/list.ts';
import { findSkill } from '../../src/repository/revision.ts';
import { loggedRevisions } from '../../src/repository/run-log.ts';
import { readShown } from '../../src/repository/show.ts';
import { databaseKinds, migratedDatabase } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { cloneAt, document, makeClone, type RunOutcome } from '../sync/sides.ts';
import { type Fate, hostileRows } from './hostile-rows.ts';

const colors = chooseColors(false, {}, false);

/** What an owner may have changed of the tables, so that all these rows can stand. */
const loosened = [
  ...['name', 'description', 'version', 'type', 'weight', 'load_priority', 'extra'].map(
    (column) => `alter table skills alter column ${column} drop not null`,
  ),
  ...Object.entries({
    skill_type: 'alien',
    skill_weight: 'feather',
    load_priority: 'never',
    skill_style: 'baroque',
  })
    .concat([['file_type', 'virus']])
    .map(([type, value]) => `alter type ${type}_enum add value '${value}'`),
];

/** Puts each hostile row into a skill of its own below `folder`. What the database refuses fails the test. */
async function makeHostile(connection: Connection, folder: string): Promise<void> {
  for (const [index, { columns = {}, also = [] }] of hostileRows.entries()) {
    const skill = `${folder}/${index}`;
    const [row] = await connection.query<{ id: number }>(
      `insert into skills (skill_path, name, description, type, status, skill_content)
       values ($1, 'n', 'About n.', 'technical', 'active', E'# n\\n')
       on conflict (skill_path) do update set skill_path = excluded.skill_path returning skill_id as id`,
      [skill],
    );
    const sets = Object.entries(columns).map(([column, value]) => `${column} = ${value}`);
    const statements = [
      ...(sets.length > 0 ? [`update skills set ${sets.join(', ')} where skill_id = :id`] : []),
      ...also,
    ];
    await connection.query(statements.join(';\n').replaceAll(':id', String(row?.id)));
  }
}

/** What became of each skill that a run named. */
function fatesOf({ plan, results }: RunOutcome): ReadonlyMap<string, Fate> {
  const problems = [...plan.problems, ...results.flatMap((result) => (result.ok ? [] : [result.problem]))];
  return new Map([
    ...results.flatMap(({ ok, change }) => (ok ? [[change.path, 'carried'] as const] : [])),
    ...problems.map((problem) => ['path' in problem ? problem.path : '', problem.reason] as const),
  ]);
}

function fates(folder: string, of: 'fresh' | 'stored'): readonly (readonly [string, Fate])[] {
  return hostileRows.map((row, index) => [`${folder}/${index}`, row[of]]);
}

test.each(databaseKinds)(
  `${hostileRows.length} hostile rows in %s are each carried or named`,
  async (kind) => {
    expect(hostileRows.length).toBeGreaterThan(120);
    const connection = await migratedDatabase(kind);
    const project = await temporaryFolder();
    const clone = await cloneAt(connection, project, 'outer/skills');
    await clone.write({ 'ok/SKILL.md': document('ok'), 'ok/a.txt': 'a' });
    await clone.write(
      Object.fromEntries(
        hostileRows.map((_, index) => [
          `stored/${index}/SKILL.md`,
          document('n', '# n\n', 'license: MIT\nmetadata: {version: 2.0.0, tags: t}\n'),
        ]),
      ),
    );
    await clone.run('export');
    for (const statement of loosened) await connection.query(statement);
    await makeHostile(connection, 'fresh');
    await makeHostile(connection, 'stored');

    const outside = async () =>
      (await readdir(project, { recursive: true })).filter(
        (one) => !/^(outer\/skills|\.skill-fleet)\//.test(one),
      );
    const before = await outside();
    const first = fatesOf(await clone.run('import'));
    const named = (one: string) => hostileRows[Number(one.split('/')[1])]?.name;
    const expected = new Map([...fates('fresh', 'fresh'), ...fates('stored', 'stored')]);
    const wrong = [...expected].flatMap(([skill, fate]) => {
      const was = first.get(skill) ?? 'carried';
      return was === fate ? [] : [[skill, named(skill), fate, was]];
    });
    expect(wrong).toEqual([]);
    expect(await outside()).toEqual(before);

    // What was carried is the same on both sides, and stays so; what was named stays named.
    const refused = [...expected].filter(([, fate]) => fate !== 'carried').sort();
    for (const direction of ['sync', 'import', 'export'] as const) {
      const again = await clone.run(direction, { onConflict: 'newest' });
      expect(again.results.filter((result) => result.ok)).toEqual([]);
      expect(again.plan.conflicts).toEqual([]);
      // An export writes no files: what only an import refuses is ahead.
      if (direction !== 'export') expect([...fatesOf(again)].sort()).toEqual(refused);
    }
    const { files, database } = await clone.digests();
    const carried = [...expected].flatMap(([skill, fate]) => (fate === 'carried' ? [skill] : []));
    expect(carried.filter((skill) => files.get(skill) !== database.get(skill))).toEqual([]);
    const other = await makeClone(connection);
    await other.run('import');
    expect((await other.digests()).files.size).toBe(carried.length + 1);

    // Those beside them go both ways.
    await clone.write({ 'ok/a.txt': 'b', 'new/SKILL.md': document('new') });
    await connection.query(`update skills set description = 'Theirs.' where skill_path = 'fresh/0'`);
    const { results } = await clone.run('sync');
    expect(
      results.flatMap(({ ok, change }) => (ok ? [`${change.side}: ${change.path}`] : [])).sort(),
    ).toEqual(['database: new', 'database: ok', 'files: fresh/0']);
    await checkPrinted(connection);
  },
);

/** Holds what is printed of the rows to lines that steer nothing. */
async function checkPrinted(connection: Connection): Promise<void> {
  const { skills, total } = await listSkills(connection, {}, {});
  const printed = [listLines(skills, total, colors), listTable(skills, total, 120, colors)];
  for (const { skill_path: skill } of skills.filter((one) => one.skill_path.startsWith('fresh/'))) {
    const known = await findSkill(connection, skill);
    if (!known) throw new Error(skill);
    const row = (await readShown(connection, known.skillId)) ?? null;
    const [latest = null] = await loggedRevisions(connection, known.skillId, { limit: 1, since: null });
    printed.push(
      showLines(
        { ...known, state: 'standing', row, latest, lastStanding: null, inFiles: 'same', files: [] },
        colors,
      ),
    );
  }
  printed.push(jsonText({ skills }));
  expect(printed.join('')).not.toMatch(unprintable);
  expect(printed.join('')).toContain('\\u{1b}[2J');
}

// Several processes of the program, writers of SQL and hands on files at once: nobody's word is lost, nobody waits for
// ever, nothing stays open, and in the end one more run of each clone makes all alike.
//
//   ROUNDS=50 npx vitest run test/faults/together.test.ts             a long run
//   SEED=17 ROUNDS=1 npx vitest run test/faults/together.test.ts      one schedule again

import { describe, expect, test } from 'vitest';
import { noPooler, type PlaceKind } from '../databases.ts';
import { isSame } from '../laws/look.ts';
import { openSessions } from '../replica/subjects.ts';
import { hasGit } from '../sync/team.ts';
import { scheduleOf } from './schedule.ts';
import { type Counts, Team } from './team.ts';

const { ROUNDS, SEED } = process.env;
const isLong = ROUNDS !== undefined;
const first = Number(SEED ?? (isLong ? Date.now() % 1_000_000_000 : 1));

/** Each skill's revisions one after the other, none twice, the row's own the last. */
const disorder = `
  select skill_id, y.revision as present, max(r.revision) as past
  from skill_sync y join skill_revisions r using (skill_id)
  where r.index is not null group by skill_id, y.revision having max(r.revision) >= y.revision
  union all
  select 0, revision, count(*) from (
    select revision from skill_sync union all select revision from skill_revisions
  ) all_revisions group by revision having count(*) > 1`;

const converging = ['sync-db', '--on-conflict', 'local', '--delete', '--yes', '--max-delete', '100'];

async function round(kind: PlaceKind, seed: number): Promise<Counts> {
  const team = await Team.make(kind);
  expect((await team.run(0, ['export-to-db'])).code).toBe(0);
  const counts = await team.live(scheduleOf(seed, !isLong));

  const name = `seed ${seed}`;
  for (const { act, code, stdout, stderr } of team.ran) {
    const said = `${name}: ${JSON.stringify(act)}\n${stdout}${stderr}`;
    expect([0, 1, 3], said).toContain(code);
    expect(stderr, said).not.toMatch(/fault of its own|\n\s+at /);
    if (code === 1) expect(stdout + stderr, said).toMatch(/error|fail/);
  }
  await expect.poll(() => team.query(openSessions), { timeout: 20_000 }).toEqual([]);
  expect(await team.query(disorder), name).toEqual([]);
  expect(await team.query(`select * from sync_runs where outcome = 'running'`), name).toEqual([]);
  const lost = async () => {
    const { words } = await team.look();
    return team.written.filter((word) => !words.has(word));
  };
  expect(await lost(), `${name}: lost`).toEqual([]);

  // What the last clone gives, the first ones get.
  let told = name;
  for (const clone of [0, 1, 2, 0, 1]) {
    const { code, stdout, stderr } = await team.run(clone, converging);
    told += `\nclone ${clone}: ${code}\n${stdout}${stderr}`;
    expect(code, told).toBe(0);
  }
  const verified = await Promise.all([0, 1, 2].map((clone) => team.run(clone, ['verify'])));
  expect(
    verified.map(({ code, stdout, stderr }) => (code === 0 ? '' : stdout + stderr)),
    told,
  ).toEqual(['', '', '']);
  const { clones, database } = await team.look();
  for (const { skills, leftovers } of clones) {
    expect([...skills.keys()].sort(), name).toEqual([...database.skills.keys()].sort());
    for (const [skill, files] of skills) {
      const row = database.skills.get(skill);
      const differing = [...new Set([...files.keys(), ...(row?.keys() ?? [])])].filter(
        (file) => !isSame(files.get(file), row?.get(file)),
      );
      expect(differing, `${name}: ${skill}`).toEqual([]);
    }
    expect(leftovers, name).toEqual([]);
  }
  expect(await lost(), `${name}: lost by the next runs`).toEqual([]);
  return counts;
}

describe.skipIf(!hasGit)('all at once', () => {
  test.each([
    ['on a server', 'postgres', false],
    [`through a pooler${noPooler}`, 'pooler', noPooler !== ''],
  ] as const)(
    '%s lose no word, leave nothing open, and end alike',
    async (_, kind, isSkipped) => {
      if (isSkipped) return;
      const total: { [count in keyof Counts]?: number } = {};
      const rounds = Number(ROUNDS ?? 1);
      let nth = 0;
      try {
        for (; nth < rounds; nth++) {
          const counts = Object.entries(await round(kind, first + nth)) as [keyof Counts, number][];
          for (const [count, of] of counts) total[count] = (total[count] ?? 0) + of;
        }
      } finally {
        if (isLong) {
          process.stderr.write(`${nth} rounds (${kind}, seeds from ${first} on): ${JSON.stringify(total)}\n`);
        }
      }
    },
    isLong ? 24 * 3_600_000 : 120_000,
  );
});

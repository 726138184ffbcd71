// Whatever another writer commits, or waits with, between two statements of a run: neither's word is lost, what is said
// is true, nobody waits for ever, and one further run of each makes all alike.
//
//   BETWEEN=200 npx vitest run test/faults/together-between             so many of all, of each command
//   BETWEEN=sync:17:update npx vitest run test/faults/together-between  one of them

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import type { Problem } from '../../src/problem.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { isVictim, problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { lookAtClone, wordsOf } from '../laws/look.ts';
import { openSessions } from '../replica/subjects.ts';
import { cloneAt, Refused } from '../sync/sides.ts';
import { Library } from './library.ts';
import { type Scenario, type Sides, scenarios } from './scenarios.ts';

const { BETWEEN } = process.env;
const isLong = BETWEEN !== undefined;
const [onlyCommand, onlyAt, onlyWriter] = BETWEEN?.includes(':') ? BETWEEN.split(':') : [];

/** How many are tried of each command where nobody asks for more; of the others none. */
const few: { readonly [command: string]: number } = { sync: 4, restore: 1, undo: 1, prune: 1 };

type Write = (sql: (text: string) => Promise<unknown>, word: () => string) => Promise<unknown>;

const inOne =
  (write: Write): Write =>
  async (sql, word) => {
    await sql('begin');
    await write(sql, word);
    await sql('commit');
  };

const update = (skill: string, word: string) =>
  `update skills set skill_content = '# ${word}' || chr(10) where skill_path = '${skill}'`;
const insert = (skill: string, word: string) =>
  `insert into skills (skill_path, name, type, status, description, skill_content)
   values ('${skill}', '${skill}', 'technical', 'active', 'Made.', '# ${word}' || chr(10))`;
const idOf = (skill: string) => `(select skill_id from skills where skill_path = '${skill}')`;

/** What others write at skills that the commands are about: edited, moved and new ones. */
const writers: { readonly [name: string]: Write } = {
  update: (sql, word) => sql(update('a', word())),
  'update of what is edited there': (sql, word) => sql(update('b', word())),
  'insert where a file is new': (sql, word) => sql(insert('new', word())),
  'insert elsewhere': (sql, word) => sql(insert('phantom', word())),
  'delete and insert': inOne(async (sql, word) => {
    await sql(`delete from skills where skill_path = 'a'`);
    await sql(insert('a', word()));
  }),
  'rename onto the path of a move': (sql) =>
    sql(`update skills set skill_path = 'moved' where skill_path = 'c'`),
  rename: (sql) => sql(`update skills set skill_path = 'away' where skill_path = 'a'`),
  'delete of all files': (sql) => sql('delete from skill_files'),
  'file and tag': inOne(async (sql, word) => {
    await sql(`update skill_files set content = '${word()}' where skill_id = ${idOf('a')}`);
    await sql(`insert into skill_tags (skill_id, tag) select ${idOf('b')}, '${word()}'`);
  }),
  'opposite order': inOne(async (sql, word) => {
    await sql(update('g', word()));
    await sql(update('b', word()));
    await sql(update('a', word()));
  }),
  'repeatable read': async (sql, word) => {
    await sql('begin isolation level repeatable read');
    await sql('select skill_content from skills');
    await sql(update('a', word()));
    await sql('commit');
  },
  'rewritten tables': inOne(async (sql) => {
    await sql('alter table skill_files add column made uuid default gen_random_uuid()');
    await sql('alter table skills add column made uuid default gen_random_uuid()');
  }),
};

function scenario(name: string): Scenario {
  const found = scenarios.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
}

/** What other runs do at the same moment, on a clone of their own. */
const runs: { readonly [name: string]: Scenario['run'] } = {
  'sync of another clone': scenario('sync').run,
  undo: async ({ clone }) => {
    await clone.undo(null, { yes: true, maxDelete: 100 });
    return [];
  },
  prune: scenario('prune').run,
  restore: scenario('restore').run,
};

const others = [...Object.keys(writers), ...Object.keys(runs)];

/** Runs a command, and gives what it says went wrong. Whatever else it throws is a fault of the program. */
async function problemsOf(sides: Sides, run: Scenario['run']): Promise<readonly Problem[]> {
  try {
    return await run(sides);
  } catch (error) {
    const problem =
      error instanceof Refused ? error.problem : problemOfDatabase(sides.connection.database, error);
    if (problem === undefined) throw error;
    return [problem];
  }
}

/** Calls `before` with the number of each statement, from 1. */
function told(connection: Connection, before: (nth: number) => Promise<void>): Connection {
  let nth = 0;
  return {
    ...connection,
    query: async <Row>(text: string, values?: readonly unknown[]) => {
      await before(++nth);
      return connection.query<Row>(text, values);
    },
  };
}

const commands = scenarios.filter(
  ({ name, isUnmigrated }) =>
    !isUnmigrated && (onlyCommand ? onlyCommand === name : isLong || few[name] !== undefined),
);

test.for(commands)(
  '$name: whoever writes between two statements loses nothing, nor does the run',
  { timeout: 24 * 3_600_000 },
  async (command) => {
    const library = await Library.make();
    const second = `${library.project}/second`;
    const sidesAt = async (project: string, connection?: Connection): Promise<Sides> => {
      const on = connection ?? (await library.connection());
      return { clone: await cloneAt(on, project, 'skills'), connection: on, project };
    };
    await command.prepare(await sidesAt(library.project));
    await problemsOf(await sidesAt(second), scenario('import').run);
    await library.keep();
    const words = async () => {
      const { clone, database } = await library.look();
      return wordsOf({ clones: [clone, lookAtClone(second)], database });
    };
    const before = await words();

    let statements = 0;
    await problemsOf(
      await sidesAt(
        library.project,
        told(await library.connection(), async (nth) => {
          statements = nth;
        }),
      ),
      command.run,
    );
    const done = await words();

    const points = pointsOf(command.name, statements);
    const counts = { points: 0, done: 0, waited: 0, refused: 0, problems: 0 };
    for (const [at, other] of points) {
      await library.putBack();
      const observer = await library.connection();
      const client = new pg.Client(library.url);
      client.on('error', () => {});
      await client.connect();
      const written: string[] = [];
      const act = async () => {
        const run = runs[other];
        if (run) return void (await problemsOf(await sidesAt(second), run));
        try {
          await writers[other]?.(
            (text) => client.query(text),
            () => {
              written.push(`w${1_000_000 + written.length}w`);
              return written.at(-1) ?? '';
            },
          );
        } catch (error) {
          written.length = 0;
          await client.query('rollback');
          counts.refused++;
          const { code } = error as { code?: string };
          if (!isVictim(error) && code !== '23505') throw error;
        }
      };
      let acting: Promise<void> | undefined;
      const hook = async (nth: number) => {
        if (nth !== at) return;
        let isDone = false;
        acting = act().finally(() => {
          isDone = true;
        });
        acting.catch(() => {});
        while (!isDone) {
          const [waiting] = await observer.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          if (waiting) {
            counts.waited++;
            return;
          }
          await sleep(2);
        }
        counts.done++;
      };
      const name = `${command.name}:${at}:${other}`;
      const problems = await problemsOf(
        await sidesAt(library.project, told(await library.connection(), hook)),
        command.run,
      );
      await acting;
      await client.end();
      counts.points++;
      if (problems.length > 0) counts.problems++;
      expect(await observer.query(openSessions), name).toEqual([]);
      const now = await words();
      const isPruned = command.name === 'prune' || other === 'prune';
      const lost = [...before, ...written].filter(
        (word) => !now.has(word) && (!isPruned || (done.has(word) && !before.has(word))),
      );
      expect(lost, `${name}: lost`).toEqual([]);

      const settled: string[] = [];
      for (const project of [library.project, second, library.project, second]) {
        const sides = await sidesAt(project);
        expect(await problemsOf(sides, scenario('sync').run), `${name}: the next run`).toEqual([]);
        const { files, database } = await sides.clone.digests();
        expect(sorted(files), `${name}: after the next run`).toEqual(sorted(database));
        settled.push(JSON.stringify(sorted(database)));
        await library.closeAll();
      }
      expect(new Set(settled.slice(1)).size, `${name}: settled`).toBe(1);
      const after = await words();
      expect(
        [...now].filter((word) => !after.has(word)),
        `${name}: lost by the next runs`,
      ).toEqual([]);
    }
    if (isLong) {
      process.stderr.write(`${command.name}: ${statements} statements, ${JSON.stringify(counts)}\n`);
    }
    expect(counts.points).toBeGreaterThan(0);
  },
);

function sorted(digests: ReadonlyMap<string, string>) {
  return [...digests].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Before which statement who writes: so many, spread over the run and over those who write. */
function pointsOf(command: string, statements: number): readonly (readonly [at: number, other: string])[] {
  if (onlyCommand !== undefined) return [[Number(onlyAt), onlyWriter ?? '']];
  const all = statements * others.length;
  const count = Math.min(all, isLong ? Number(BETWEEN) : (few[command] ?? 0));
  return Array.from({ length: count }, (_, nth) => {
    // A prime goes through all before it comes to one again.
    const place = (nth * 7919 + Math.floor(all * 0.7)) % all;
    return [1 + (place % statements), others[Math.floor(place / statements)] ?? ''];
  });
}

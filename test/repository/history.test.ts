import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { databaseKinds } from '../databases.ts';
import {
  exportedLibrary,
  keptStates,
  type Library,
  nested,
  nextSnapshot,
  presentStates,
  type State,
  trees,
  writerName,
} from './kept.ts';
import { columnEdits, type Edit, idleEdits, leavingEdits, relations, rowEdits } from './outside-edits.ts';

const byHand = new RegExp(`^\\S+ ${writerName}$`);

type States = ReadonlyMap<number, State>;

/** What a transaction of another writer leaves behind. */
interface Trace {
  /** The history. */
  readonly kept: readonly State[];
  /** The skills that have another revision than before. */
  readonly revised: readonly number[];
  /** The skills that the next snapshot has to look at. */
  readonly unsettled: readonly number[];
  /** Whose doing it says that was. */
  readonly blamed: readonly string[];
}

/** The trace of statements, and the one that they should leave where they change just the skills `changes`. */
async function traces(
  connection: Connection,
  before: States,
  statements: readonly string[],
  changes: readonly number[],
): Promise<{ readonly found: Trace; readonly expected: Trace }> {
  await connection.query('begin');
  try {
    for (const statement of statements) {
      await connection.query(statement).catch((cause: unknown) => {
        throw new Error(`refused: ${statement}`, { cause });
      });
    }
    const now = [...(await presentStates(connection)).values()];
    const revised = now.filter(({ skillId, revision }) => before.get(skillId)?.revision !== revision);
    const rows = await connection.query<{ skill_id: number; skill_path: string; deleted: boolean }>(
      'select skill_id, skill_path, deleted_at is not null as deleted from skills order by skill_id',
    );
    const unsettled = new Set((await nextSnapshot(nested(connection))).unsettled);
    const changed = rows.filter((row) => changes.includes(row.skill_id));
    return {
      found: {
        kept: await keptStates(connection),
        revised: revised.map(({ skillId }) => skillId),
        unsettled: rows.filter((row) => unsettled.has(row.skill_path)).map((row) => row.skill_id),
        blamed: revised.map(({ origin, writer }) => `${origin}: ${writer?.replace(byHand, writerName)}`),
      },
      expected: {
        kept: [...before.values()].filter(({ skillId }) => changes.includes(skillId)),
        revised: changed.map((row) => row.skill_id),
        unsettled: changed.filter((row) => !row.deleted).map((row) => row.skill_id),
        blamed: changed.map(() => `database: ${writerName}`),
      },
    };
  } finally {
    await connection.query('rollback');
  }
}

/** A transaction of another writer, and the skills that it changes. */
interface Script {
  readonly says: string;
  readonly statements: readonly string[];
  readonly changes: readonly number[];
  /** The first major version of Postgres that takes it. */
  readonly since?: number;
}

const made = 2_000_000;

function scriptsOf(ids: Library['ids']): readonly Script[] {
  const { x, y, linked, free, bare } = ids;
  const all = Object.values(ids);
  const ofX = { skill: x, free, nth: 1 };
  const ofY = { skill: y, free, nth: 2 };
  const staying = ({ covers }: Edit) => covers !== 'delete from skills' && !covers.includes('taxonomy');
  const inPlace = ({ changes }: Edit) => !changes.includes(free);
  const sql = (edits: readonly Edit[]) => edits.map((edit) => edit.sql);
  return [
    {
      says: 'every column of two skills, one after the other',
      statements: sql([...columnEdits(ofX), ...columnEdits(ofY).filter(inPlace)]),
      changes: [x, y, free],
    },
    {
      says: 'rows of every relation that come and go',
      statements: sql([...rowEdits(ofX), ...rowEdits(ofY)].filter(staying)),
      changes: [x, y, 1_000_001, 1_000_002],
    },
    {
      says: 'every relation emptied and all skills changed at once',
      statements: [
        ...Object.keys(relations).map((table) => `delete from ${table}`),
        `update skills set description = 'All.', scope = 'all'`,
      ],
      changes: all,
    },
    {
      says: 'one statement over some of the skills',
      statements: [`update skills set version = '9.9.9' where skill_path in ('x', 'free', 'nowhere')`],
      changes: [x, free],
    },
    {
      says: 'what savepoints leave',
      statements: [
        'savepoint one',
        ...sql(columnEdits(ofY).filter(inPlace)),
        'savepoint two',
        ...sql(columnEdits(ofX)),
        'rollback to two',
        `update skills set scope = 'undone' where skill_id = ${bare}`,
        'rollback to one',
        `update skills set scope = 'stays' where skill_id = ${x}`,
        'savepoint three',
        ...sql(rowEdits(ofX).filter(staying)),
        `delete from skills where skill_id = ${free}`,
        'rollback to three',
        `delete from skill_files where skill_id = ${x}`,
        'release three',
      ],
      changes: [x],
    },
    {
      says: 'what a block that failed leaves',
      statements: [
        `do $$ begin
          begin
            update skills set scope = 'undone';
            delete from skill_files;
            raise exception 'no';
          exception when others then null;
          end;
          update skills set scope = 'stays' where skill_id = ${y};
        end $$`,
      ],
      changes: [y],
    },
    {
      says: 'skills inserted or else updated',
      statements: [
        `insert into skills (skill_id, skill_path, name, type, description)
         select skill_id, skill_path, name, type, case skill_path when 'x' then 'Changed.' else description end
         from skills
         union all select ${made}, 'made', 'made', 'tool', 'Made.'
         on conflict (skill_path) do update set description = excluded.description`,
      ],
      changes: [x, made],
    },
    {
      says: 'relations inserted or else updated',
      statements: [
        `insert into capabilities (skill_id, name, description, sort_order) values
           (${x}, 'Fly', 'Up.', 0), (${y}, 'Fly', 'Down.', 0), (${free}, 'Fly', 'Up.', 0)
         on conflict (skill_id, name) do update set description = excluded.description`,
      ],
      changes: [y, free],
    },
    {
      says: 'skills merged',
      since: 15,
      statements: [
        `merge into skills s
         using (values (${made}, 'made', 'Made.'), (${x}, 'x', 'Changed.'), (${y}, 'y', null), (${bare}, 'bare', 'Going.'))
           as given (skill_id, path, description)
         on s.skill_id = given.skill_id
         when matched and given.description is null then do nothing
         when matched and given.description = 'Going.' then delete
         when matched then update set description = given.description
         when not matched then insert (skill_id, skill_path, name, type) values (given.skill_id, path, path, 'tool')`,
      ],
      changes: [x, bare, made],
    },
    {
      says: 'relations merged',
      since: 15,
      statements: [
        `merge into skill_keywords k
         using (values (${x}, 'one', ''), (${y}, 'two', 'deux'), (${free}, 'three', 'three')) as given (skill_id, keyword, now)
         on k.skill_id = given.skill_id and k.keyword = given.keyword
         when matched and now = '' then delete
         when matched then update set keyword = now
         when not matched then insert (skill_id, keyword) values (given.skill_id, given.keyword)`,
      ],
      changes: [x, y, free],
    },
    {
      says: 'rows taken from one relation to another in one statement',
      statements: [
        `with taken as (delete from skill_keywords where skill_id = ${x} returning keyword)
         insert into skill_tags (skill_id, tag) select ${free}, keyword from taken`,
      ],
      changes: [x, free],
    },
    {
      says: 'what is joined to it',
      statements: [
        `update skills s set scope = k.keyword from skill_keywords k where k.skill_id = s.skill_id and s.name = 'y'`,
        `delete from skill_files f using skills s where s.skill_id = f.skill_id and s.name = 'free'`,
      ],
      changes: [y, free],
    },
    {
      says: 'a skill that others are linked to',
      statements: [`delete from skills where skill_id = ${linked}`],
      changes: [x, y, linked],
    },
    { says: 'all skills', statements: ['delete from skills'], changes: all },
    {
      says: 'a skill that is made again under its key and path',
      statements: [
        `delete from skills where skill_id = ${x}`,
        `insert into skills (skill_id, skill_path, name, type) values (${x}, 'x', 'x', 'tool')`,
        `insert into skill_keywords (skill_id, keyword) values (${x}, 'again')`,
      ],
      changes: [x],
    },
    {
      says: 'a skill that came and went',
      statements: [
        `insert into skills (skill_id, skill_path, name, type) values (${made}, 'made', 'made', 'tool')`,
        `insert into skill_keywords (skill_id, keyword) values (${made}, 'made')`,
        `update skills set description = 'Made.' where skill_id = ${made}`,
        `delete from skills where skill_id = ${made}`,
      ],
      changes: [],
    },
    {
      says: 'paths that two skills swap',
      statements: [
        `update skills set skill_path = 'between' where skill_id = ${x}`,
        `update skills set skill_path = 'x' where skill_id = ${y}`,
        `update skills set skill_path = 'y' where skill_id = ${x}`,
      ],
      changes: [x, y],
    },
    {
      says: 'a change that is taken back',
      statements: [
        `update skills set scope = 'all' where skill_id = ${x}`,
        `update skills set scope = null where skill_id = ${x}`,
      ],
      changes: [x],
    },
    {
      says: 'categories that are renamed with those below them',
      statements: [
        `update taxonomy_categories set path = 'facts' || substr(path, 5) where path ~ '^data(/|$)'`,
      ],
      changes: [x, y],
    },
    {
      says: 'a category that goes with those below it',
      statements: [`delete from taxonomy_categories where path = 'data'`],
      changes: [x, y],
    },
    {
      says: 'a view of the skills',
      statements: [
        'create view documents as select skill_id, skill_content from skills',
        `update documents set skill_content = 'Changed.' where skill_id in (${x}, ${bare})`,
      ],
      changes: [x, bare],
    },
    {
      says: 'a statement that was prepared',
      statements: [
        'prepare scope (text, integer) as update skills set scope = $1 where skill_id = $2',
        ...[...all, ...all].map((id) => `execute scope (${id % 2 ? `'odd'` : 'null'}, ${id})`),
        'deallocate scope',
      ],
      changes: all.filter((id) => id % 2),
    },
    {
      says: `what the library's own triggers do`,
      statements: [
        `create function count_tags() returns trigger language plpgsql as
         $$ begin update skills set scope = 'tagged' where skill_id = new.skill_id; return null; end $$`,
        'create trigger count_tags after insert on skill_tags for each row execute function count_tags()',
        `insert into skill_tags (skill_id, tag) values (${y}, 'more'), (${free}, 'more')`,
      ],
      changes: [y, free],
    },
    {
      says: 'a session that names its schema',
      statements: [
        `set local search_path = ''`,
        `update public.skills set scope = 'all' where skill_id = ${x}`,
        `delete from public.skill_files where skill_id = ${free}`,
        'set local search_path = public',
      ],
      changes: [x, free],
    },
  ];
}

describe.each(databaseKinds)('the history on %s', (kind) => {
  test('begins with the bytes that were exported', async () => {
    const { connection } = await exportedLibrary(kind);
    const present = [...(await presentStates(connection)).values()];
    expect(Object.fromEntries(present.map((state) => [state.path, state.tree]))).toEqual(trees);
    expect(await keptStates(connection)).toEqual([]);
  });

  test('keeps each skill that an edit changes as it was before, and no other', async () => {
    const { connection, ids } = await exportedLibrary(kind);
    const before = await presentStates(connection);
    for (const skill of [ids.x, ids.y]) {
      const skills = { skill, free: ids.free, nth: 1 };
      for (const { sql, changes } of [...columnEdits(skills), ...rowEdits(skills)]) {
        const { found, expected } = await traces(connection, before, [sql], changes);
        expect({ sql, ...found }).toEqual({ sql, ...expected });
      }
    }
  });

  test('holds nothing where nothing that is synced changes', async () => {
    const { connection, ids } = await exportedLibrary(kind);
    const before = await presentStates(connection);
    for (const sql of idleEdits({ skill: ids.x, free: ids.free, nth: 1 })) {
      const { found, expected } = await traces(connection, before, [sql], []);
      expect({ sql, ...found }).toEqual({ sql, ...expected });
    }
  });

  test('holds nothing where an insert leaves what stands already as it stands', async () => {
    const { connection } = await exportedLibrary(kind);
    const before = await presentStates(connection);
    for (const sql of leavingEdits) {
      const { found, expected } = await traces(connection, before, [sql], []);
      expect({ sql, ...found }).toEqual({ sql, ...expected });
    }
  });

  test('keeps each skill once as it was before a transaction, whatever happens within it', async () => {
    const { connection, ids } = await exportedLibrary(kind);
    const before = await presentStates(connection);
    const [server] = await connection.query<{ version: string }>(
      `select current_setting('server_version_num') as version`,
    );
    const major = Math.floor(Number(server?.version) / 10_000);
    for (const { says, statements, changes, since = 0 } of scriptsOf(ids)) {
      if (major < since) continue;
      const { found, expected } = await traces(connection, before, statements, changes);
      expect({ says, ...found }).toEqual({ says, ...expected });
    }
  });

  test.each(['a_tidy', 'zz_tidy'])("keeps what the library's trigger %s changes besides", async (name) => {
    const { connection, ids } = await exportedLibrary(kind);
    await connection.query(
      `create function tidy() returns trigger language plpgsql as
       $$ begin new.scope := 'tidied'; return new; end $$`,
    );
    await connection.query(
      `create trigger ${name} before update on skills for each row execute function tidy()`,
    );
    const before = await presentStates(connection);
    const unsynced = [`update skills set performance_stats = '{}' where skill_id = ${ids.x}`];
    const { found, expected } = await traces(connection, before, unsynced, [ids.x]);
    expect(found).toEqual(expected);
  });

  test('keeps what truncate takes', async () => {
    const { connection } = await exportedLibrary(kind);
    const before = await presentStates(connection);
    const holders = { ...relations, skills: 'skill_id', taxonomy_categories: null };
    for (const [table, key] of Object.entries(holders)) {
      const rows = await connection.query<{ id: number }>(
        `select distinct ${key ?? 'skill_id'} as id from ${key === null ? 'skill_categories' : table}`,
      );
      const changes = rows.map((row) => row.id);
      expect(changes).not.toEqual([]);
      const { found, expected } = await traces(connection, before, [`truncate ${table} cascade`], changes);
      expect({ table, ...found }).toEqual({ table, ...expected });
    }
  });
});

import { describe, expect, inject, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { openConnection } from '../databases.ts';
import { exportedLibrary, keptStates, type Library, presentStates, type State } from './kept.ts';

/** Two writers of the library, each in a transaction: the second writes while that of the first is open. */
interface Meeting {
  readonly says: string;
  /** What follows `begin` of the second. */
  readonly mode?: string;
  readonly first: (ids: Library['ids']) => string;
  readonly second: (ids: Library['ids']) => string;
  /** What the first goes on with while the second waits for it. */
  readonly goesOn?: (ids: Library['ids']) => string;
  /** The SQLSTATE that the second gets. */
  readonly refused?: string;
}

const describes =
  (text: string) =>
  ({ x }: Library['ids']) =>
    `update skills set description = '${text}' where skill_id = ${x}`;
const styles = ({ x }: Library['ids']) => `update skills set skill_style = 'minimal' where skill_id = ${x}`;
const addsTag = ({ x }: Library['ids']) => `insert into skill_tags (skill_id, tag) values (${x}, 'more')`;
const dropsFiles = ({ x }: Library['ids']) => `delete from skill_files where skill_id = ${x}`;
const deletes = ({ x }: Library['ids']) => `delete from skills where skill_id = ${x}`;

const meetings: readonly Meeting[] = [
  { says: 'two change one column', first: describes('First.'), second: describes('Second.') },
  { says: 'two change two columns', first: describes('First.'), second: styles },
  { says: 'a column and a relation', first: describes('First.'), second: addsTag },
  { says: 'a relation and a column', first: addsTag, second: describes('Second.') },
  { says: 'two relations', first: dropsFiles, second: addsTag },
  { says: 'two add one row', first: addsTag, second: addsTag, refused: '23505' },
  { says: 'one deletes what the other changes', first: deletes, second: addsTag, refused: '23503' },
  { says: 'one changes what the other deletes', first: dropsFiles, second: deletes },
  {
    says: 'the second has a view of its own',
    mode: 'isolation level repeatable read',
    first: describes('First.'),
    second: addsTag,
    refused: '40001',
  },
  { says: 'a column, then a relation', first: describes('First.'), second: styles, goesOn: addsTag },
  { says: 'a relation, then a column', first: addsTag, second: styles, goesOn: describes('First.') },
];

async function isWaiting(connection: Connection, pid: number): Promise<boolean> {
  const [row] = await connection.query<{ waits: boolean }>(
    'select cardinality(pg_blocking_pids($1)) > 0 as waits',
    [pid],
  );
  return row?.waits ?? false;
}

/** The second connection of a library, in a transaction. */
async function openSecond(
  { connection }: Library,
  mode: string,
): Promise<{ second: Connection; pid: number }> {
  const url = new URL(inject('serverUrl'));
  url.pathname = connection.database.name;
  const second = await openConnection({ kind: 'postgres', url: url.href });
  await second.query(`begin ${mode}`);
  const [row] = await second.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { second, pid: row?.pid ?? 0 };
}

/** What the line of a skill says, without what only its time and writer tell. */
const said = ({ path, tree, index }: State) => ({ path, tree, index });

describe('two writers of one skill at once', () => {
  test.each(meetings)('leave a state for each: $says', async (meeting) => {
    const { mode = '', first, second: follows, goesOn, refused } = meeting;
    const library = await exportedLibrary('postgres');
    const { connection, ids } = library;
    const states = async () => (await presentStates(connection)).get(ids.x);
    const line = [await states()];
    const { second, pid } = await openSecond(library, mode);
    // A view of its own begins with the first statement.
    await second.query('select from skills');

    await connection.query('begin');
    await connection.query(first(ids));
    let answered = false;
    const answer = second.query(follows(ids)).then(
      () => undefined,
      (error: { readonly code?: string }) => error.code,
    );
    void answer.finally(() => {
      answered = true;
    });
    while (!answered && !(await isWaiting(connection, pid)));
    if (goesOn) await connection.query(goesOn(ids));
    line.push(await states());
    await connection.query('commit');
    expect(await answer).toBe(refused);
    await second.query(refused === undefined ? 'commit' : 'rollback');

    if (refused === undefined) line.push(await states());
    const expected = line.filter((state) => state !== undefined).map(said);
    const present = await states();
    const kept = (await keptStates(connection)).filter(({ skillId }) => skillId === ids.x);
    expect([...kept, ...(present ? [present] : [])].map(said)).toEqual(expected);
  });
});

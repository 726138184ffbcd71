// Rows that go to another path. What refers to a row goes with it, and its old path becomes an alias.

import type { Change } from '../replica.ts';
import { maxPathLength, type SkillPath } from '../skill/path.ts';
import { type Connection, inHalves } from './connection.ts';
import { archive, type LockedRow, stillBefore } from './store.ts';

/** A change that moves a row. */
export type Rename<C extends Change = Change> = C & { readonly from: SkillPath };

/** Whether a change moves the row of a skill; one that is deleted may have none any more. */
export function isRename<C extends Change>(
  change: C,
  rows: ReadonlyMap<string, LockedRow>,
): change is Rename<C> {
  return change.from !== undefined && (change.before !== null || rows.has(change.from));
}

/**
 * Those renames whose row is what they expect, and whose new path is free: nothing stands there, or a deleted row,
 * or one that moves too.
 */
export function movable<R extends Rename>(
  renames: readonly R[],
  rows: ReadonlyMap<string, LockedRow>,
): readonly R[] {
  const leaving = new Set<string>(renames.map(({ from }) => from));
  const can = renames.filter(({ path, from, before }) => {
    const inTheWay = rows.get(path);
    const isFree = inTheWay === undefined || inTheWay.deleted || leaving.has(path);
    return isFree && stillBefore(before, rows.get(from));
  });
  return can.length === renames.length ? can : movable(can, rows);
}

/** A row, and where it is to stand. */
export interface Move {
  readonly skillId: number;
  readonly path: SkillPath;
}

/**
 * Moves rows, which may take each other's places. A deleted row gives up its path to them.
 *
 * @param refused told of each row that the database lets nobody move
 */
export async function moveRows(
  connection: Connection,
  moves: readonly Move[],
  refused: (move: Move, error: unknown) => void,
): Promise<void> {
  if (moves.length === 0) return;
  await inHalves(
    connection,
    moves,
    async (some) => {
      await moveAll(connection, some);
      return [];
    },
    refused,
  );
}

async function moveAll(connection: Connection, moves: readonly Move[]): Promise<void> {
  const ids = moves.map((move) => move.skillId);
  const paths = moves.map((move) => move.path);
  const deleted = await connection.query<{ skill_id: number }>(
    `select skill_id from skills
     where skill_path = any ($1) and deleted_at is not null and skill_id <> all ($2) order by skill_id`,
    [paths, ids],
  );
  if (deleted.length > 0) {
    const gone = deleted.map((row) => row.skill_id);
    await archive(connection, gone, null);
    await connection.query(
      `update skills set skill_path = left(skill_path, $2 - length(suffix)) || suffix
       from (select skill_id, '.deleted-' || skill_id as suffix from unnest($1::integer[]) as gone (skill_id)) named
       where skills.skill_id = named.skill_id`,
      [gone, maxPathLength],
    );
  }
  // Paths are unique at every moment: what stands where another row goes steps aside first.
  await connection.query(
    `update skills set skill_path = '.moving-' || skill_id where skill_id = any ($1) and skill_path = any ($2)`,
    [ids, paths],
  );
  await connection.query(
    `update skills s set skill_path = m.skill_path
     from unnest($1::integer[], $2::text[]) as m (skill_id, skill_path)
     where s.skill_id = m.skill_id and s.skill_path <> m.skill_path`,
    [ids, paths],
  );
}

/** A skill that came to a path, and where else it stood. */
export interface Arrival {
  readonly skillId: number;
  readonly path: SkillPath;
  readonly former: readonly SkillPath[];
}

/** The aliases that renames leave: what stood elsewhere has them, and what comes to such a path takes it away. */
export async function followRenames(connection: Connection, arrivals: readonly Arrival[]): Promise<void> {
  if (arrivals.length === 0) return;
  const aliases = arrivals.flatMap(({ skillId, path, former }) =>
    [...new Set(former)].filter((old) => old !== path).map((old) => ({ skillId, old })),
  );
  await connection.query(
    `insert into skill_aliases (skill_id, alias_path, reason)
     select w.skill_id, w.alias_path, 'renamed' from unnest($1::integer[], $2::text[]) as w (skill_id, alias_path)
     where not exists (
       select from skill_aliases a where a.skill_id = w.skill_id and a.alias_path = w.alias_path
     )`,
    [aliases.map((alias) => alias.skillId), aliases.map((alias) => alias.old)],
  );
  await connection.query(`delete from skill_aliases where reason = 'renamed' and alias_path = any ($1)`, [
    arrivals.map((arrival) => arrival.path),
  ]);
}

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import {
  asked,
  backendPid,
  clockFacts,
  librariesElsewhere,
  mayCreate,
  meddling,
  missingParts,
  missingRights,
  serverFacts,
  stuckSessions,
  syncLockHolders,
  unendedRuns,
} from '../../src/repository/doctor.ts';
import { advisoryLockKey } from '../../src/repository/migrate.ts';
import { beginRun, endRun } from '../../src/repository/runs.ts';
import { databaseKinds, emptyDatabasePlace, migratedDatabase, openConnection } from '../databases.ts';

/** Asks as the doctor does: in a transaction that only reads. */
async function answerOf<T>(connection: Connection, ask: (connection: Connection) => Promise<T>): Promise<T> {
  const answer = await asked(connection, ask);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problem));
  return answer.value;
}

/** Another session at the same database. */
async function another(connection: Connection): Promise<Connection> {
  const url = Object.assign(new URL(inject('serverUrl')), { pathname: connection.database.name });
  return openConnection({ kind: 'postgres', url: url.href });
}

const run = { direction: 'sync', who: 'ana', host: 'here', directory: '/skills' } as const;

describe.each(databaseKinds)('on %s', (kind) => {
  test('a database that is well has nothing to say', async () => {
    const connection = await migratedDatabase(kind);
    expect(await answerOf(connection, serverFacts)).toMatchObject({
      version: expect.stringMatching(/^\d+/),
      encoding: 'UTF8',
      schema: 'public',
      role: expect.any(String),
    });
    expect(await answerOf(connection, missingRights)).toEqual([]);
    expect(await answerOf(connection, missingParts)).toEqual([]);
    expect(await answerOf(connection, mayCreate)).toBe(true);
    expect(await answerOf(connection, librariesElsewhere)).toEqual([]);
    expect(await answerOf(connection, meddling)).toEqual({
      policed: [],
      triggers: [],
      rules: [],
      disabled: [],
    });
    expect(await answerOf(connection, syncLockHolders)).toEqual([]);
    expect(await answerOf(connection, (one) => stuckSessions(one, 0))).toEqual([]);
    expect(await answerOf(connection, unendedRuns)).toEqual({ count: 0, last: null });
    expect(await answerOf(connection, backendPid)).toEqual(expect.any(Number));
    const { before, theirs, after } = await answerOf(connection, clockFacts);
    expect(after).toBeGreaterThanOrEqual(before);
    expect(Number.isFinite(theirs)).toBe(true);
  });

  test('triggers and rules of others are named, and ours that are turned off', async () => {
    const connection = await migratedDatabase(kind);
    await connection.query(
      `create function stamp() returns trigger language plpgsql as $$ begin return new; end $$;
       create trigger theirs before insert on skill_tags for each row execute function stamp();
       create table apart (id integer);
       create trigger elsewhere before insert on apart for each row execute function stamp();
       create rule quiet as on delete to skill_files do instead nothing;
       alter table skills disable trigger skill_fleet_inserted`,
    );
    expect(await answerOf(connection, meddling)).toEqual({
      policed: [],
      triggers: ['skill_tags.theirs'],
      rules: ['skill_files.quiet'],
      disabled: ['skills.skill_fleet_inserted'],
    });
  });

  test('a run that never ended is told, as the last one or an earlier one', async () => {
    const connection = await migratedDatabase(kind);
    const killed = await beginRun(connection, run);
    expect(await answerOf(connection, unendedRuns)).toEqual({
      count: 1,
      last: { run: killed, direction: 'sync', who: 'ana', host: 'here', startedAt: expect.any(Date) },
    });
    await endRun(connection, await beginRun(connection, run), { counts: {}, error: null });
    expect(await answerOf(connection, unendedRuns)).toEqual({ count: 1, last: null });
  });

  test('a library in another schema is found', async () => {
    const connection = await openConnection(await emptyDatabasePlace(kind));
    expect(await answerOf(connection, librariesElsewhere)).toEqual([]);
    await connection.query('create schema team; create table team.skill_sync (id integer)');
    expect(await answerOf(connection, librariesElsewhere)).toEqual([{ schema: 'team', isOpen: true }]);
  });

  test('nothing can be written while it asks', async () => {
    const connection = await migratedDatabase(kind);
    expect(await asked(connection, () => connection.query('delete from skill_tags'))).toMatchObject({
      ok: false,
      problem: { reason: 'database-read-only' },
    });
  });
});

describe('the rights of a role', () => {
  /** A role that has what the guide grants to the one that syncs, or to the one that reads. */
  async function guided(name: 'skill_fleet_sync' | 'skill_fleet_read') {
    const owner = await migratedDatabase('postgres');
    const role = `role_${randomUUID().replaceAll('-', '')}`;
    const guide = await readFile(path.join(import.meta.dirname, '../../docs/guide/roles.md'), 'utf8');
    const blocks = [...guide.matchAll(/^```sql\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
    const grant = blocks.find((block) => block.includes('begin;') && block.includes(name)) ?? '';
    await owner.query(`create role ${role}`);
    onTestFinished(() => owner.query(`drop owned by ${role}; drop role ${role}`).then(() => {}));
    await owner.query(grant.replaceAll(name, role));
    const missing = async () => {
      await owner.query(`set role ${role}`);
      try {
        return await answerOf(owner, missingRights);
      } finally {
        await owner.query('reset role');
      }
    };
    return { owner, role, missing };
  }

  test('are whole with those of the guide, which grants none that is not asked for', async () => {
    const { owner, role, missing } = await guided('skill_fleet_sync');
    expect(await missing()).toEqual([]);
    const [granted] = await owner.query<{ count: number }>(
      `select count(*) + (
         select count(*) from pg_class c, aclexplode(c.relacl) a
         where c.relkind = 'S' and a.grantee = '${role}'::regrole
       ) + (select count(*) from pg_proc p, aclexplode(p.proacl) a where a.grantee = '${role}'::regrole) as count
       from pg_class c, aclexplode(c.relacl) a where c.relkind = 'r' and a.grantee = '${role}'::regrole`,
    );
    await owner.query(
      `revoke all on all tables in schema public from ${role};
       revoke all on all sequences in schema public from ${role};
       revoke all on all functions in schema public from ${role}, public`,
    );
    const all = await missing();
    expect(all).toHaveLength(granted?.count ?? 0);
    for (const { right } of all) await owner.query(`grant ${right} to ${role}`);
    expect(await missing()).toEqual([]);
  });

  test('of one that reads lack nothing for reading', async () => {
    const { missing } = await guided('skill_fleet_read');
    const rights = await missing();
    expect(rights.map(({ right }) => right)).toContain('insert on skills');
    expect(rights.filter(({ isForReading }) => isForReading)).toEqual([]);
  });

  test('are told apart one by one, and row-level security with them', async () => {
    const { owner, role, missing } = await guided('skill_fleet_sync');
    await owner.query(
      `revoke select on skill_revisions from ${role}; revoke delete on skill_tags from ${role}`,
    );
    expect(await missing()).toEqual([
      { right: 'select on skill_revisions', isForReading: true },
      { right: 'delete on skill_tags', isForReading: false },
    ]);
    await owner.query('alter table skills enable row level security');
    expect(await answerOf(owner, meddling)).toMatchObject({ policed: [] });
    await owner.query(`set role ${role}`);
    expect(await answerOf(owner, meddling)).toMatchObject({ policed: ['skills'] });
    expect(await answerOf(owner, mayCreate)).toBe(false);
    await owner.query('reset role');
  });
});

test('who holds the lock of syncs is named, and who waits for it', async () => {
  const connection = await migratedDatabase('postgres');
  const [holder, waiter] = [await another(connection), await another(connection)];
  await holder.query('begin');
  await holder.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
  const waiting = waiter.query('select pg_advisory_lock($1)', [advisoryLockKey]);
  await expect
    .poll(() => answerOf(connection, syncLockHolders))
    .toEqual([
      expect.objectContaining({ waits: false, role: expect.any(String), program: 'skill-fleet' }),
      expect.objectContaining({ waits: true }),
    ]);
  await holder.query('rollback');
  await waiting;
});

test('sessions that are idle in a transaction on our tables, or wait there, are named once they last', async () => {
  const connection = await migratedDatabase('postgres');
  const [idle, waiter, apart] = [
    await another(connection),
    await another(connection),
    await another(connection),
  ];
  await idle.query('begin');
  await idle.query('lock table skills in row exclusive mode');
  await apart.query('create table apart (id integer); begin; lock table apart');
  const waiting = waiter.query('begin; lock table skills; commit');
  const [idlePid] = await idle.query<{ pid: number }>('select pg_backend_pid() as pid');
  await expect
    .poll(async () =>
      (await answerOf(connection, (one) => stuckSessions(one, 0)))
        .map(({ pid, waits }) => ({ isIdle: pid === idlePid?.pid, waits }))
        .sort((a, b) => Number(a.waits) - Number(b.waits)),
    )
    .toEqual([
      { isIdle: true, waits: false },
      { isIdle: false, waits: true },
    ]);
  expect(await answerOf(connection, (one) => stuckSessions(one, 3600))).toEqual([]);
  await idle.query('rollback');
  await waiting;
});

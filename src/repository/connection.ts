// One connection to Postgres, a server's or the embedded one, behind the few calls that the repository makes.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientConfig } from 'pg';
import { Measured, NotPostgres } from './measured.ts';
import { codeOf, isRefusal, isVictim } from './sqlstate.ts';

/** Which database a connection leads to, in words that hold no secret. */
export interface DatabaseName {
  readonly kind: 'postgres' | 'embedded';
  readonly host: string;
  readonly name: string;
}

/** The thin seam over a database: everything that is read or written passes here. */
export interface Connection {
  readonly database: DatabaseName;
  /** Why it takes no writes; null where it does. */
  readonly readOnly: string | null;
  /** What follows `begin` in each transaction; it ends with the transaction. */
  readonly settings: string;
  /** Whether a transaction is under way. */
  readonly session: { inTransaction: boolean };
  /** Runs one statement and gives its rows. Throws what the server answered, with its SQLSTATE in `code`. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** How long this waits for a database. */
export interface Patience {
  /** For another's lock: in milliseconds; where nobody says, {@link defaultLockMs} unless the server has a limit. */
  readonly lockTimeoutMs?: number;
  /** For one statement: in milliseconds; where nobody says, what the server has. */
  readonly statementTimeoutMs?: number;
  /** Ends all waiting. */
  readonly signal?: AbortSignal;
}

const defaultLockMs = 60_000;

/** How long a transaction may wait for us, as while files are read: bounded, and not as short as servers may have it. */
const idleMs = 600_000;

/** How soon a server is to notice that we have gone. */
const checkMs = 2000;

/** How long an interrupted statement may go on before the connection is given up, and rolled back so. */
const graceMs = 2000;

/** How long a server may take over one statement where nobody says: even the longest is done by then. */
const longestMs = 3_600_000;

/** Who writes, in SQL, as the triggers note it of others. */
export const writerSql = `concat_ws(' ', session_user, nullif(current_setting('application_name'), ''))`;

const [int8Oid, timestamptzOid] = [20, 1184];

/** The first and the last moment of a Date, in milliseconds. */
const mostTime = 8.64e15;

/** A time as a Date, also one that no Date can hold: infinity, or the year 294276. */
function timeOf(text: string, read: (text: string) => unknown): Date {
  const time = Number(read(text));
  const isPast = text.startsWith('-') || text.endsWith('BC');
  return new Date(
    Number.isNaN(time) ? (isPast ? -mostTime : mostTime) : Math.max(-mostTime, Math.min(time, mostTime)),
  );
}

/** Makes a client of pg. Revisions and counts are int8: exact as numbers up to 2^53. */
export async function makeClient(config: ClientConfig): Promise<Client> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    ...config,
    types: {
      getTypeParser: ((oid: number, format: 'text') => {
        const read = pg.types.getTypeParser(oid, format);
        if (oid === timestamptzOid) return (text: string) => timeOf(text, read);
        return oid === int8Oid ? Number : read;
      }) as typeof pg.types.getTypeParser,
    },
  });
  guardParser(client);
  return client;
}

/** What pg's connection has and its types do not: how a parser comes to hear a stream. */
interface Listening {
  attachListeners(stream: { on(event: string, listener: (...given: never[]) => void): unknown }): void;
}

/** What no server says makes pg's parser throw where nobody can catch it, or never end: here it ends the connection. */
function guardParser(client: Client): void {
  const connection = client.connection as unknown as Listening;
  const { attachListeners } = connection;
  connection.attachListeners = (stream) => {
    const measured = new Measured();
    attachListeners.call(connection, {
      on: (event, listener) =>
        stream.on(event, (...given) => {
          try {
            if (event === 'data') measured.take(given[0] as unknown as Buffer);
            listener(...given);
          } catch (error) {
            client.connection.stream.destroy(asTold(error as Error));
          }
        }),
    });
  };
}

/** What pg's parser, and what stands before it, throw: as errors of the connection. */
function asTold(error: Error): Error {
  if (error instanceof NotPostgres) return error;
  const isLogin = error.message.startsWith('Unknown authenticationOk message type');
  return isLogin ? Object.assign(new Error(error.message), { code: 'LOGIN_UNKNOWN' }) : new NotPostgres();
}

/**
 * Connects to an embedded database.
 *
 * @param config what PGlite's `createPgConfig` gave
 * @param release what to do once the connection is closed
 */
export async function connectEmbedded(
  directory: string,
  config: ClientConfig,
  patience: Patience,
  release: () => Promise<void>,
): Promise<Connection> {
  // Named, or pg would take them from variables that speak of a server.
  const named = { user: 'postgres', database: 'postgres', password: 'none', host: 'localhost', port: 5432 };
  const client = await makeClient({ ...config, ...named, ssl: false, options: ' ' });
  await client.connect();
  const database: DatabaseName = { kind: 'embedded', host: 'embedded', name: directory };
  return connectionOf(client, { database, readOnly: null }, patience, release);
}

/**
 * The connection of a client that is connected.
 *
 * @param release what to do once it is closed
 */
export function connectionOf(
  client: Client,
  facts: Pick<Connection, 'database' | 'readOnly'>,
  patience: Patience,
  release: () => Promise<void>,
): Connection {
  let lost: Error | undefined;
  // A connection may be lost between two statements: the next one says why, as one under way does.
  client.on('error', (error) => {
    lost ??= codeOf(error) ? error : new NotPostgres();
  });
  const { signal, statementTimeoutMs } = patience;
  // The server ends it before, where it still can.
  const answerMs = statementTimeoutMs ? statementTimeoutMs + graceMs : longestMs;
  return {
    ...facts,
    settings: settingsSql(facts.database, patience),
    session: { inTransaction: false },
    query: async (text, values = []) => {
      const giveUp = afterInterruption(signal, () => client.connection.stream.destroy());
      try {
        return await answerOf(client, answerMs, text, values);
      } catch (error) {
        throw lost ?? error;
      } finally {
        giveUp.dispose();
      }
    },
    close: async () => {
      await endClient(client);
      await release();
    },
  };
}

/** Runs one statement, and gives the connection up where the server says nothing for so long. Of several, no rows. */
export async function answerOf<Row>(
  client: Client,
  answerMs: number,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const silent = setTimeout(() => client.connection.stream.destroy(new Error('timeout expired')), answerMs);
  try {
    // Without values it may be several statements, as pg has it then.
    const result = await (values.length > 0 ? client.query(text, [...values]) : client.query(text));
    return result.rows ?? [];
  } catch (error) {
    // Values that are not what the server says that they are.
    const isOdd = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
    throw isOdd ? new NotPostgres(undefined, { cause: error }) : error;
  } finally {
    clearTimeout(silent);
  }
}

/** Takes leave of the server, which may be deaf to it. */
export async function endClient(client: Client): Promise<void> {
  const deaf = setTimeout(() => client.connection.stream.destroy(), graceMs);
  try {
    await client.end();
  } finally {
    clearTimeout(deaf);
  }
}

/** Does `action` once the signal was aborted for {@link graceMs}, unless disposed of before. */
function afterInterruption(signal: AbortSignal | undefined, action: () => void): { dispose(): void } {
  if (signal === undefined) return { dispose: () => {} };
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(action, graceMs);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    dispose: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/**
 * Settings of each transaction, none of the session: behind a pooler the next transaction may be another's. What
 * a role or a database has set must not change what our statements mean.
 */
function settingsSql({ kind }: DatabaseName, { lockTimeoutMs, statementTimeoutMs }: Patience): string {
  const lock =
    lockTimeoutMs === undefined
      ? `coalesce(nullif(current_setting('lock_timeout'), '0'), '${defaultLockMs}')`
      : // To Postgres, 0 is for ever.
        `'${Math.max(1, Math.round(lockTimeoutMs))}'`;
  const settings = [
    `set_config('datestyle', 'ISO', true)`,
    `set_config('array_nulls', 'on', true)`,
    `set_config('quote_all_identifiers', 'off', true)`,
    `set_config('idle_in_transaction_session_timeout', '${idleMs}', true)`,
    `set_config('lock_timeout', ${lock}, true)`,
  ];
  if (kind === 'postgres') {
    // A server that waits for a lock looks whether we are still there. Not every system can.
    const check = `case when version() ~ '-linux-' then '${checkMs}' else '0' end`;
    settings.push(`set_config('client_connection_check_interval', ${check}, true)`);
  }
  if (statementTimeoutMs !== undefined) {
    // Only who asks for 0 gets no limit.
    const limit = statementTimeoutMs > 0 ? Math.max(1, Math.round(statementTimeoutMs)) : 0;
    settings.push(`set_config('statement_timeout', '${limit}', true)`);
  }
  return `select ${settings.join(', ')}`;
}

/**
 * Runs `work` in a transaction: committed when it is done, rolled back when it throws. Within another one it is
 * part of that.
 *
 * @param mode what follows `begin`: `read only`, `isolation level repeatable read`
 * @param first what is run before `work`, with the beginning
 */
export async function inTransaction<T>(
  connection: Connection,
  mode: string,
  work: () => Promise<T>,
  first = '',
): Promise<T> {
  const { session } = connection;
  if (session.inTransaction) return work();
  session.inTransaction = true;
  try {
    await connection.query(`begin ${mode}; ${connection.settings}${first}`);
    const value = await work();
    await connection.query('commit');
    return value;
  } catch (error) {
    // Where the connection is lost there is nothing to roll back, and the first error says more.
    await connection.query('rollback').catch(() => {});
    throw error;
  } finally {
    session.inTransaction = false;
  }
}

const viewMode = 'isolation level repeatable read read only';

/** Runs `work` in a transaction that only reads, all of one moment. */
export function inView<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  return inTransaction(connection, viewMode, work);
}

/** How often a transaction is done again for others' sake, and how long it waits before: in milliseconds. */
const again = { most: 5, waitMs: 50 };

/** Runs `work`, which writes, in a transaction, and anew where the database gave it up for another's sake. */
export async function inWriting<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await inTransaction(connection, 'isolation level read committed read write', work);
    } catch (error) {
      if (tries > again.most || !isVictim(error)) throw error;
    }
    await sleep(again.waitMs * 2 ** tries * Math.random());
  }
}

/**
 * Like {@link inView}, where no table among `tables` is empty that only seems so: a table that somebody writes anew, as
 * some `alter table` do, has no rows for a moment from before. Nobody does once it is locked; who did since the moment
 * was taken makes the view begin anew.
 *
 * https://www.postgresql.org/docs/current/mvcc-caveats.html
 */
export async function inWholeView<T>(
  connection: Connection,
  tables: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  // The embedded database serves one alone.
  if (connection.database.kind === 'embedded') return inView(connection, work);
  const first = `; lock table ${tables.join(', ')} in access share mode;
    do $$ begin
      if exists (
        select from pg_class
        where oid = any ('{${tables.join(', ')}}'::regclass[]) and relfilenode <> pg_relation_filenode(oid)
      ) then
        raise exception 'a table was written anew' using errcode = 'serialization_failure';
      end if;
    end $$`;
  for (let tries = 1; ; tries++) {
    let isBegun = false;
    const begun = () => {
      isBegun = true;
      return work();
    };
    try {
      return await inTransaction(connection, viewMode, begun, first);
    } catch (error) {
      if (isBegun || tries > again.most || !isVictim(error)) throw error;
    }
  }
}

/** Runs `work` under a savepoint: what it did is undone where it throws, and the transaction goes on. */
export async function inSavepoint<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query('savepoint work');
  try {
    const value = await work();
    await connection.query('release savepoint work');
    return value;
  } catch (error) {
    try {
      await connection.query('rollback to savepoint work');
      await connection.query('release savepoint work');
    } catch {
      // Where the connection is lost, the first error says more.
    }
    throw error;
  }
}

/**
 * Runs `work` over `items` under a savepoint; where the database refuses something in them, over each half, so
 * that one item fails alone. `refused` says what becomes of it.
 */
export async function inHalves<T, R>(
  connection: Connection,
  items: readonly T[],
  work: (items: readonly T[]) => Promise<readonly R[]>,
  refused: (item: T, error: unknown) => R,
): Promise<readonly R[]> {
  try {
    return await inSavepoint(connection, () => work(items));
  } catch (error) {
    const [first, ...others] = items;
    if (!isRefusal(error) || first === undefined) throw error;
    if (others.length === 0) return [refused(first, error)];
    const half = Math.ceil(items.length / 2);
    return [
      ...(await inHalves(connection, items.slice(0, half), work, refused)),
      ...(await inHalves(connection, items.slice(half), work, refused)),
    ];
  }
}

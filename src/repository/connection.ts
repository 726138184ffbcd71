// One connection to Postgres, a server's or the embedded one, behind the few calls that the repository makes.

import type { Client, ClientConfig } from 'pg';
import { type Outcome, refuse } from '../problem.ts';
import { codeOf, isRefusal, problemOfConnecting } from './sqlstate.ts';

/** Which database a connection leads to, in words that hold no secret. */
export interface DatabaseName {
  readonly kind: 'postgres' | 'embedded';
  readonly host: string;
  readonly name: string;
}

/** The thin seam over a database: everything that is read or written passes here. */
export interface Connection {
  readonly database: DatabaseName;
  /** Runs one statement and gives its rows. Throws what the server answered, with its SQLSTATE in `code`. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** Who writes, in SQL, as the triggers note it of others. */
export const writerSql = `concat_ws(' ', session_user, nullif(current_setting('application_name'), ''))`;

/** How long a server may take to answer a connection. */
const connectTimeoutMs = 10_000;

const int8Oid = 20;

async function makeClient(config: ClientConfig): Promise<Client> {
  const { default: pg } = await import('pg');
  return new pg.Client({
    ...config,
    application_name: 'skill-fleet',
    connectionTimeoutMillis: connectTimeoutMs,
    types: {
      // Revisions and counts are int8: exact as numbers up to 2^53.
      getTypeParser: ((oid: number, format: 'text') =>
        oid === int8Oid ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
}

/** Connects to the server that a `postgres://` URL names. */
export async function connectServer(url: string): Promise<Outcome<Connection>> {
  let client: Client;
  try {
    client = await makeClient({ connectionString: url });
  } catch {
    // The parser's own words would repeat the URL, and its password with it.
    return refuse({ reason: 'database-url-invalid' });
  }
  const database: DatabaseName = {
    kind: 'postgres',
    host: `${client.host}:${client.port}`,
    name: client.database ?? '',
  };
  return connect(database, client, async () => {});
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
  release: () => Promise<void>,
): Promise<Outcome<Connection>> {
  const database: DatabaseName = { kind: 'embedded', host: 'embedded', name: directory };
  return connect(database, await makeClient(config), release);
}

async function connect(
  database: DatabaseName,
  client: Client,
  release: () => Promise<void>,
): Promise<Outcome<Connection>> {
  let lost: Error | undefined;
  // A connection may be lost between two statements: the next one says why, as one under way does.
  client.on('error', (error) => {
    lost ??= codeOf(error) ? error : Object.assign(error, { code: 'ECONNRESET' });
  });
  const query = async (text: string, values: readonly unknown[] = []) => {
    try {
      return (await client.query(text, [...values])).rows;
    } catch (error) {
      throw lost ?? error;
    }
  };
  try {
    await client.connect();
  } catch (error) {
    await release();
    return refuse(problemOfConnecting(database, error));
  }
  return {
    ok: true,
    value: {
      database,
      query,
      close: async () => {
        await client.end();
        await release();
      },
    },
  };
}

/**
 * Runs `work` in a transaction: committed when it is done, rolled back when it throws.
 *
 * @param mode what follows `begin`: `read only`, `isolation level repeatable read`
 */
export async function inTransaction<T>(
  connection: Connection,
  mode: string,
  work: () => Promise<T>,
): Promise<T> {
  await connection.query(`begin ${mode}`);
  try {
    const value = await work();
    await connection.query('commit');
    return value;
  } catch (error) {
    // Where the connection is lost there is nothing to roll back, and the first error says more.
    await connection.query('rollback').catch(() => {});
    throw error;
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

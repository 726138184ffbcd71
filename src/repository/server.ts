// From a postgres:// URL to a connection: TLS as it is asked for, patience with a server that sleeps, and a look
// at what the server is.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import type { Client } from 'pg';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { userName } from '../user.ts';
import { ChannelBinding, ChannelBindingMissing } from './channel-binding.ts';
import {
  answerOf,
  type Connection,
  connectionOf,
  type DatabaseName,
  endClient,
  makeClient,
  type Patience,
} from './connection.ts';
import { NotPostgres } from './measured.ts';
import { PasswordMissing, passwordOf } from './password.ts';
import { readServerAddress, type ServerAddress, type Variables } from './server-address.ts';
import { describeDatabase, isAboutTls, isPassing, problemOfConnecting } from './sqlstate.ts';
import { type TlsAttempt, tlsAttempts } from './tls.ts';

/** How long a connection is waited for, and what is done meanwhile. */
export interface ConnectOptions extends Patience {
  /** In milliseconds; where nobody says, that of the URL or of PGCONNECT_TIMEOUT, else {@link defaultConnectMs}. */
  readonly connectTimeoutMs?: number;
  /** Told once why it is waited. */
  readonly onWait?: (problem: Problem) => void;
  /** Told how a server was reached. */
  readonly onConnect?: (link: Link) => void;
  /** Where the URL is silent, these speak: the process's own, but for a test. */
  readonly env?: Variables;
  /** Whether the process is somebody else's: then nothing of it is set. */
  readonly isGuest?: boolean;
}

/** A connection to a server, as it came to be. */
export interface Link {
  /** Who answered: an IP address and a port, or the folder of a Unix socket. */
  readonly peer: string;
  /** Whether nobody but this machine sees what passes. */
  readonly isLocal: boolean;
  readonly user: string;
  /** Null where nothing is encrypted. */
  readonly tls: { readonly protocol: string; readonly checked: 'nothing' | 'authority' | 'host' } | null;
  /** The process that the server says it serves us by: a pooler names one of its own. */
  readonly announcedPid: number | null;
}

export const defaultConnectMs = 10_000;

/** One try has at least this long, however little time is left, in milliseconds. */
const shortestTryMs = 1000;

/** Between two tries, in milliseconds: doubled each time, up to the longest. */
const waits = { first: 100, longest: 2000 };

/** A quiet connection is asked whether it is still there, after so long: routers forget those that say nothing. */
const keepAliveMs = 30_000;

/**
 * Connects to the server that a `postgres://` URL names, and refuses one that cannot hold a library. Problems are
 * those of TLS, of the login, and `database-unreachable`, `database-too-old`, `database-encoding`, `schema-missing`.
 */
export async function connectServer(url: string, options: ConnectOptions = {}): Promise<Outcome<Connection>> {
  const address = readServerAddress(url, options.env ?? process.env, userName());
  if (!address.ok) return address;
  const attempts = await tlsAttempts(address.value);
  if (!attempts.ok) return attempts;
  const { host, port, database: name } = address.value;
  const database: DatabaseName = { kind: 'postgres', host: `${host}:${port}`, name };
  const connectMs = options.connectTimeoutMs ?? address.value.connectTimeoutMs ?? defaultConnectMs;
  const connected = await connectPatiently(address.value, attempts.value, database, connectMs, options);
  if (!connected.ok) return connected;
  options.onConnect?.(linkOf(address.value, connected.value));
  return inspected(database, connected.value.client, Math.max(connectMs, shortestTryMs), options);
}

function linkOf({ host, port, user }: ServerAddress, { client, ssl }: Connected): Link {
  const stream = client.connection.stream as Socket;
  const { processID } = client as unknown as { readonly processID: number | null };
  const isSocket = host.startsWith('/');
  const address = isSocket ? host : (stream.remoteAddress ?? host);
  return {
    peer: isSocket ? host : `${address}:${port}`,
    isLocal: isSocket || /^(127\.|::1$|::ffff:127\.)/.test(address),
    user,
    tls:
      stream instanceof TLSSocket
        ? { protocol: stream.getProtocol() ?? 'TLS', checked: checkedBy(ssl) }
        : null,
    announcedPid: processID,
  };
}

/** What a connection by this attempt would have been refused for. */
function checkedBy(ssl: TlsAttempt): 'nothing' | 'authority' | 'host' {
  if (ssl === false || ssl.rejectUnauthorized === false) return 'nothing';
  return ssl.checkServerIdentity === undefined ? 'host' : 'authority';
}

async function connectPatiently(
  address: ServerAddress,
  attempts: readonly TlsAttempt[],
  database: DatabaseName,
  connectMs: number,
  { onWait, signal }: ConnectOptions,
): Promise<Outcome<Connected>> {
  // By a clock that nobody sets: the day's may jump while this waits.
  const deadline = performance.now() + connectMs;
  for (let wait = waits.first, isFirst = true; ; wait = Math.min(wait * 2, waits.longest), isFirst = false) {
    signal?.throwIfAborted();
    const leftMs = Math.max(deadline - performance.now(), shortestTryMs);
    const tried = await tryAll(address, attempts, leftMs);
    if ('client' in tried) return { ok: true, value: tried };
    const problem = problemOf(database, tried.error);
    if (!isPassing(tried.error) || performance.now() >= deadline) return refuse(problem);
    if (isFirst) onWait?.(problem);
    // Several that wait do not come back together.
    const waitMs = Math.min(wait * (0.5 + Math.random()), Math.max(deadline - performance.now(), 0));
    await sleep(waitMs, undefined, signal && { signal });
  }
}

interface Connected {
  readonly client: Client;
  /** How TLS was tried. */
  readonly ssl: TlsAttempt;
}

type Tried = Connected | { readonly error: unknown };

/** Tries with TLS and without, as far as `attempts` go: the next one only where the last failed for that. */
async function tryAll(
  address: ServerAddress,
  attempts: readonly TlsAttempt[],
  timeoutMs: number,
): Promise<Tried> {
  let tried: Tried = { error: undefined };
  for (const ssl of attempts) {
    tried = await tryOnce(address, ssl, timeoutMs);
    if ('client' in tried || !isAboutTls(tried.error)) return tried;
  }
  return tried;
}

async function tryOnce(address: ServerAddress, ssl: TlsAttempt, timeoutMs: number): Promise<Tried> {
  const { host, port, user, database, options, applicationName, tls, channelBinding } = address;
  const binding = new ChannelBinding(channelBinding === 'require');
  const client = await makeClient({
    host,
    port,
    user,
    database,
    ssl,
    // A function, so that no environment and no file is asked but by it, and only once the server asks.
    password: async () => {
      binding.requireNow();
      return passwordOf(address);
    },
    // Empty is not unset: PGOPTIONS is in the address already.
    options: options ?? '',
    application_name: applicationName,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    enableChannelBinding: ssl !== false && channelBinding !== 'disable',
    ...(ssl !== false && tls.isDirect && { sslnegotiation: 'direct' }),
  });
  binding.watch(client.connection);
  // A connection that fails may fail more than once.
  client.on('error', () => {});
  try {
    await client.connect();
    binding.requireDone();
    return { client, ssl };
  } catch (error) {
    // There is nobody to take leave of.
    client.connection.stream.destroy();
    return { error };
  }
}

function problemOf(database: DatabaseName, error: unknown): Problem {
  const place = describeDatabase(database);
  if (error instanceof ChannelBindingMissing) return { reason: 'channel-binding-missing', database: place };
  if (error instanceof PasswordMissing) return { reason: 'password-missing', database: place };
  return problemOfConnecting(database, error);
}

const oldestServer = 140_000;

/** Looks at the server, and hands out a connection where it will do. */
async function inspected(
  database: DatabaseName,
  client: Client,
  patienceMs: number,
  options: ConnectOptions,
): Promise<Outcome<Connection>> {
  const place = describeDatabase(database);
  try {
    const [server] = await answerOf<Server>(
      client,
      patienceMs,
      `select current_setting('server_version_num')::integer as "versionNumber",
         current_setting('server_version') as version, current_setting('server_encoding') as encoding,
         pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') = 'on' as "isReadOnly",
         current_schema() as schema`,
    );
    if (typeof server?.versionNumber !== 'number' || typeof server.encoding !== 'string')
      throw new NotPostgres();
    const problem = whyNot(place, server);
    if (!problem) {
      const readOnly = server.isStandby
        ? 'it is a standby'
        : server.isReadOnly
          ? 'its transactions are read-only by default'
          : null;
      return { ok: true, value: connectionOf(client, { database, readOnly }, options, async () => {}) };
    }
    await endClient(client);
    return refuse(problem);
  } catch (error) {
    client.connection.stream.destroy();
    return refuse(problemOfConnecting(database, error));
  }
}

interface Server {
  readonly versionNumber: number;
  readonly version: string;
  readonly encoding: string;
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
  /** Where tables would be made; null where the search path leads nowhere. */
  readonly schema: string | null;
}

function whyNot(database: string, { versionNumber, version, encoding, schema }: Server): Problem | undefined {
  if (versionNumber < oldestServer) return { reason: 'database-too-old', database, version };
  if (encoding !== 'UTF8') return { reason: 'database-encoding', database, encoding };
  return schema === null ? { reason: 'schema-missing', database } : undefined;
}

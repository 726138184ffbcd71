// What a server's or a socket's error means to a user: the one place that maps SQLSTATE to a problem.
//
// https://www.postgresql.org/docs/current/errcodes-appendix.html

import type { Problem } from '../problem.ts';
import type { DatabaseName } from './connection.ts';

interface CodedError {
  readonly code: string;
  readonly message: string;
}

/** The longest text of a server that is passed on, in characters. */
const mostText = 1000;

/** Something of ours that others took away, or keep from us. */
export class Reshaped extends Error {
  readonly code = 'RESHAPED';
}

/** What pg says in words alone, as codes. A server chooses words and codes: none of them is a key of every object. */
const wordsOfPg: ReadonlyMap<string, string> = byName({
  'timeout expired': 'ETIMEDOUT',
  'Connection terminated': 'ECONNRESET',
  'Connection terminated unexpectedly': 'ECONNRESET',
  'Client has encountered a connection error and is not queryable': 'ECONNRESET',
  'Client was closed and is not queryable': 'ECONNRESET',
  'The server does not support SSL connections': 'NO_TLS',
  'There was an error establishing an SSL connection': 'NO_TLS',
});

function byName<T>(table: { readonly [name: string]: T }): ReadonlyMap<string, T> {
  return new Map(Object.entries(table));
}

/** The error's SQLSTATE or system code; undefined where it is neither a server's nor a socket's. */
export function codeOf(error: unknown): CodedError | undefined {
  if (!(error instanceof Error)) return undefined;
  // Node tries each address of a host, and wraps what each of them answered.
  const inner: Error = error instanceof AggregateError ? error.errors[0] : error;
  const { code, severity, syscall } = inner as Partial<Record<'code' | 'severity' | 'syscall', unknown>>;
  const message = inner.message.length > mostText ? `${inner.message.slice(0, mostText)}…` : inner.message;
  // What a server answers always has a severity, though it may say none.
  if (typeof severity === 'string' || (inner.name === 'error' && 'severity' in inner)) {
    const isState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
    return { code: isState ? (ofPooler(code, message) ?? code) : 'NOT_POSTGRES', message };
  }
  if (code === undefined) {
    const told = inner.message.startsWith('SASL: ') ? 'LOGIN_FAILED' : wordsOfPg.get(inner.message);
    return told === undefined ? undefined : { code: told, message };
  }
  if (typeof code !== 'string') return undefined;
  // EPERM and its like have the shape of a SQLSTATE, and are no server's.
  const isOfFile = ['ENOENT', 'EACCES'].includes(code) && syscall !== 'connect';
  return (meanings.has(code) && !isOfFile) || isOfTls(code) ? { code, message } : undefined;
}

/** What PgBouncer means where it says `protocol_violation` of all that it refuses. */
function ofPooler(code: string, message: string): string | undefined {
  if (code !== '08P01') return undefined;
  if (/authentication failed|no such user/.test(message)) return '28P01';
  return /^no such database|^database .* does not exist/.test(message) ? '3D000' : undefined;
}

const notPostgres = 'what answers there does not speak as PostgreSQL does';

type Meaning = (database: string, message: string) => Problem;

const unreachable =
  (why?: string): Meaning =>
  (database, message) => ({ reason: 'database-unreachable', database, why: why ?? message });

const lost: Meaning = (database, why) => ({ reason: 'database-lost', database, why });
const busy: Meaning = (database, why) => ({ reason: 'database-busy', database, why });
const noRoom: Meaning = (database, why) => ({ reason: 'database-out-of-room', database, why });
const reshaped: Meaning = (database, why) => ({ reason: 'database-reshaped', database, why });
const readOnly: Meaning = (database, why) => ({ reason: 'database-read-only', database, why });
const loginRefused: Meaning = (database, why) => ({ reason: 'database-login-refused', database, why });

/** What each code means, or each class of codes: their first two characters. */
const meanings: ReadonlyMap<string, Meaning> = byName<Meaning>({
  // ---- sockets ----
  ECONNREFUSED: unreachable('nothing answers there'),
  ENOENT: unreachable('there is no such socket'),
  EACCES: unreachable('this user may not open its socket'),
  ENOTFOUND: unreachable('no such host is known'),
  EAI_AGAIN: unreachable('the name cannot be looked up now'),
  EHOSTUNREACH: unreachable('no way leads to that host'),
  ENETUNREACH: unreachable('no way leads to that network'),
  ETIMEDOUT: lost,
  ECONNRESET: lost,
  EPIPE: lost,
  NOT_POSTGRES: unreachable(notPostgres),
  ANSWER_TOO_LARGE: (database) => lost(database, 'it answered without end, and was not heard out'),
  LOGIN_UNKNOWN: (database) => loginRefused(database, 'it asks for a way to log in that is not known here'),
  LOGIN_FAILED: loginRefused,
  NO_TLS: (database) => ({ reason: 'tls-missing', database }),
  RESHAPED: reshaped,
  // ---- servers ----
  '08': lost,
  '25006': readOnly,
  '25P03': lost,
  '25P04': lost,
  '28': loginRefused,
  '28P01': (database) => loginRefused(database, 'the password is wrong, or the user unknown'),
  '3D': (database) => ({ reason: 'database-not-found', database }),
  '3F': (database) => ({ reason: 'schema-missing', database }),
  '40001': busy,
  '40P01': busy,
  '42501': (database, why) => ({ reason: 'right-missing', database, why }),
  '42P01': reshaped,
  '42703': reshaped,
  '42704': reshaped,
  '42803': reshaped,
  '42809': reshaped,
  '42883': reshaped,
  '42P10': reshaped,
  '53': noRoom,
  '53300': unreachable('it takes no more connections'),
  '55P03': busy,
  '57014': (database, why) => ({ reason: 'statement-canceled', database, why }),
  '57P': lost,
  '57P03': unreachable('it is starting or shutting down'),
  '58': noRoom,
});

/** The codes after which a server may be there in a moment: it sleeps, starts, or has too many guests. */
const passing: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EAI_AGAIN',
  '57P01',
  '57P03',
  '08001',
  '08006',
  '53300',
]);

/** Whether a connection that failed so may be had by asking again. */
export function isPassing(error: unknown): boolean {
  return passing.has(codeOf(error)?.code ?? '');
}

/** Whether the database gave this transaction up for another's sake: done again, it may succeed. */
export function isVictim(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error)?.code ?? '');
}

/** Whether TLS, or its absence, is why the connection failed: with another `sslmode` it may be had. */
export function isAboutTls(error: unknown): boolean {
  const code = codeOf(error)?.code ?? '';
  return code === 'NO_TLS' || code === '28000' || isOfTls(code);
}

function isOfTls(code: string): boolean {
  return /^(ERR_SSL_|ERR_TLS_|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$)/.test(
    code,
  );
}

/** What Node says of a certificate, in words. */
const certificateTexts: ReadonlyMap<string, string> = byName({
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet, by the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'no known authority signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no known authority signed it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no known authority signed it',
});

export function describeDatabase(database: DatabaseName): string {
  return database.kind === 'embedded' ? database.name : `${database.name} at ${database.host}`;
}

/**
 * What a database's error means. Never holds a password: only known parts of the URL are named. Undefined where
 * the error is none of a database.
 */
export function problemOfDatabase(name: DatabaseName, error: unknown): Problem | undefined {
  const known = codeOf(error);
  if (known === undefined) return undefined;
  const { code, message } = known;
  const database = describeDatabase(name);
  if (isOfTls(code)) {
    return { reason: 'certificate-refused', database, why: certificateTexts.get(code) ?? message };
  }
  const meaning = meanings.get(code) ?? meanings.get(code.slice(0, 3)) ?? meanings.get(code.slice(0, 2));
  return (
    meaning?.(database, message) ?? { reason: 'database-failed', database, sqlstate: code, why: message }
  );
}

/** Why a connection could not be had. */
export function problemOfConnecting(name: DatabaseName, error: unknown): Problem {
  const problem = problemOfDatabase(name, error);
  const database = describeDatabase(name);
  // What was never there cannot be lost.
  if (problem?.reason === 'database-lost') {
    const isSilent = codeOf(error)?.code === 'ETIMEDOUT';
    const isReset = codeOf(error)?.code === 'ECONNRESET';
    const why = isSilent ? 'it did not answer in time' : isReset ? 'it closed the connection' : problem.why;
    return { reason: 'database-unreachable', database, why };
  }
  // What pg cannot make sense of.
  const isOdd = (error instanceof TypeError || error instanceof RangeError) && !('code' in error);
  const why = isOdd ? notPostgres : (error as Error).message;
  return problem ?? { reason: 'database-unreachable', database, why };
}

/** SQLSTATE classes by which a database refuses one row, rather than fails as a whole. */
const refusals = /^(22|23|42501|44|54|P0001)/;

/** Whether the database refused what a statement held, so that it may take the rest without it. */
export function isRefusal(error: unknown): boolean {
  const known = codeOf(error);
  // Row-level security refuses one row; a right that is missing on a table is missing for each.
  const isOfTable = (error as { routine?: unknown }).routine === 'aclcheck_error';
  return known !== undefined && refusals.test(known.code) && !isOfTable;
}

/** Why the database refused one skill. */
export function problemOfRefusal(path: string, error: unknown): Problem {
  const known = codeOf(error);
  if (known?.code === '54000') return { reason: 'text-not-indexable', path };
  return { reason: 'row-refused', path, sqlstate: known?.code ?? '', why: known?.message ?? String(error) };
}

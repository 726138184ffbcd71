// What a server's or a socket's error means to a user: the one place that maps SQLSTATE to a problem.

import type { Problem } from '../problem.ts';
import type { DatabaseName } from './connection.ts';

interface CodedError {
  readonly code: string;
  readonly message: string;
}

/** The error's SQLSTATE or system code; undefined where it is neither a server's nor a socket's. */
export function codeOf(error: unknown): CodedError | undefined {
  if (!(error instanceof Error)) return undefined;
  // Node tries each address of a host, and wraps what each of them answered.
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const code = (inner as { code?: unknown }).code;
  return typeof code === 'string' ? { code, message: inner.message } : undefined;
}

/** What each code that a connection can meet means. */
const connecting: { readonly [code: string]: (database: string) => Problem } = {
  '28P01': (database) => ({ reason: 'database-login-refused', database }),
  '28000': (database) => ({ reason: 'database-login-refused', database }),
  '3D000': (database) => ({ reason: 'database-not-found', database }),
  ECONNREFUSED: (database) => ({ reason: 'database-unreachable', database, why: 'nothing answers there' }),
  ENOTFOUND: (database) => ({ reason: 'database-unreachable', database, why: 'no such host is known' }),
  EAI_AGAIN: (database) => ({
    reason: 'database-unreachable',
    database,
    why: 'the name cannot be looked up now',
  }),
  ETIMEDOUT: (database) => ({ reason: 'database-unreachable', database, why: 'it did not answer in time' }),
  ECONNRESET: (database) => ({ reason: 'database-unreachable', database, why: 'it closed the connection' }),
  '53300': (database) => ({ reason: 'database-unreachable', database, why: 'it takes no more connections' }),
  '57P03': (database) => ({
    reason: 'database-unreachable',
    database,
    why: 'it is starting or shutting down',
  }),
};

export function describeDatabase(database: DatabaseName): string {
  return database.kind === 'embedded' ? database.name : `${database.name} at ${database.host}`;
}

/** Why a connection could not be had. Never holds a password: only known parts of the URL are named. */
export function problemOfConnecting(database: DatabaseName, error: unknown): Problem {
  const known = codeOf(error);
  const place = describeDatabase(database);
  const mapped = known && connecting[known.code]?.(place);
  if (mapped) return mapped;
  return { reason: 'database-unreachable', database: place, why: (error as Error).message };
}

/** SQLSTATE classes by which a database refuses one row, rather than fails as a whole. */
const refusals = /^(22|23|42501|44|54|P0001)/;

/** Whether the database refused what a statement held, so that it may take the rest without it. */
export function isRefusal(error: unknown): boolean {
  const known = codeOf(error);
  return known !== undefined && refusals.test(known.code);
}

/** Why the database refused one skill. */
export function problemOfRefusal(path: string, error: unknown): Problem {
  const known = codeOf(error);
  if (known?.code === '54000') return { reason: 'text-not-indexable', path };
  return { reason: 'row-refused', path, sqlstate: known?.code ?? '', why: known?.message ?? String(error) };
}

/** What a database that failed in the middle of a run means; undefined where the error is none of a database. */
export function problemOfRun(database: DatabaseName, error: unknown): Problem | undefined {
  const known = codeOf(error);
  if (known === undefined) return undefined;
  const place = describeDatabase(database);
  if (/^(08|57P|ECONN|EPIPE|ETIMEDOUT)/.test(known.code)) {
    return { reason: 'database-lost', database: place, why: known.message };
  }
  return /^[0-9A-Z]{5}$/.test(known.code)
    ? { reason: 'database-failed', database: place, sqlstate: known.code, why: known.message }
    : undefined;
}

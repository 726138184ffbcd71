import { describe, expect, test } from 'vitest';
import { sentenceOf } from '../../src/problem.ts';
import type { DatabaseName } from '../../src/repository/connection.ts';
import {
  isPassing,
  isRefusal,
  isVictim,
  problemOfConnecting,
  problemOfDatabase,
} from '../../src/repository/sqlstate.ts';

const name: DatabaseName = { kind: 'postgres', host: 'db.example:5432', name: 'skills' };

/** What pg throws for a server's answer. */
function fromServer(code: string, message = 'the words of the server'): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' });
}

function fromSystem(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

const table: readonly (readonly [error: Error, inRun: string | undefined, connecting: string])[] = [
  [fromServer('08006'), 'database-lost', 'database-unreachable'],
  [fromServer('08P01', 'SASL authentication failed'), 'database-login-refused', 'database-login-refused'],
  [fromServer('08P01', 'no such database: x'), 'database-not-found', 'database-not-found'],
  [fromServer('08P01'), 'database-lost', 'database-unreachable'],
  [fromServer('0A000'), 'database-failed', 'database-failed'],
  [fromServer('25006'), 'database-read-only', 'database-read-only'],
  [fromServer('25P03'), 'database-lost', 'database-unreachable'],
  [fromServer('28000'), 'database-login-refused', 'database-login-refused'],
  [fromServer('28P01'), 'database-login-refused', 'database-login-refused'],
  [fromServer('3D000'), 'database-not-found', 'database-not-found'],
  [fromServer('3F000'), 'schema-missing', 'schema-missing'],
  [fromServer('40001'), 'database-busy', 'database-busy'],
  [fromServer('40P01'), 'database-busy', 'database-busy'],
  [fromServer('42501'), 'right-missing', 'right-missing'],
  [fromServer('42P01'), 'database-reshaped', 'database-reshaped'],
  [fromServer('42883'), 'database-reshaped', 'database-reshaped'],
  [fromServer('53100'), 'database-out-of-room', 'database-out-of-room'],
  [fromServer('53300'), 'database-unreachable', 'database-unreachable'],
  [fromServer('55P03'), 'database-busy', 'database-busy'],
  [fromServer('57014'), 'statement-canceled', 'statement-canceled'],
  [fromServer('57P01'), 'database-lost', 'database-unreachable'],
  [fromServer('57P03'), 'database-unreachable', 'database-unreachable'],
  [fromServer('58030'), 'database-out-of-room', 'database-out-of-room'],
  [fromServer('XX000'), 'database-failed', 'database-failed'],
  [fromServer('23505'), 'database-failed', 'database-failed'],
  [fromSystem('ECONNREFUSED'), 'database-unreachable', 'database-unreachable'],
  [fromSystem('ECONNRESET'), 'database-lost', 'database-unreachable'],
  [fromSystem('EPIPE'), 'database-lost', 'database-unreachable'],
  [fromSystem('ETIMEDOUT'), 'database-lost', 'database-unreachable'],
  [fromSystem('ENOTFOUND'), 'database-unreachable', 'database-unreachable'],
  [fromSystem('CERT_HAS_EXPIRED'), 'certificate-refused', 'certificate-refused'],
  [fromSystem('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate-refused', 'certificate-refused'],
  [new Error('timeout expired'), 'database-lost', 'database-unreachable'],
  [new Error('Connection terminated unexpectedly'), 'database-lost', 'database-unreachable'],
  [new Error('The server does not support SSL connections'), 'tls-missing', 'tls-missing'],
  [new AggregateError([fromSystem('ECONNREFUSED')]), 'database-unreachable', 'database-unreachable'],
  // Of the file system, though some look like a SQLSTATE; and a fault of our own.
  [fromSystem('EPERM'), undefined, 'database-unreachable'],
  [fromSystem('EROFS'), undefined, 'database-unreachable'],
  [fromSystem('ENOENT'), undefined, 'database-unreachable'],
  [
    Object.assign(fromSystem('ENOENT'), { syscall: 'connect' }),
    'database-unreachable',
    'database-unreachable',
  ],
  [new Error('no run has begun'), undefined, 'database-unreachable'],
];

test.each(table)('%s is in a run %s, and while connecting %s', (error, inRun, connecting) => {
  const problem = problemOfDatabase(name, error);
  expect(problem?.reason).toBe(inRun);
  expect(problemOfConnecting(name, error).reason).toBe(connecting);
  for (const one of [problem, problemOfConnecting(name, error)]) {
    if (one) expect(sentenceOf(one).remedy).toMatch(/^[A-Z].*\.$/s);
  }
});

describe('of the codes', () => {
  const codes = table.flatMap(([error]) => ('code' in error ? [String(error.code)] : []));
  const those = (is: (error: unknown) => boolean) =>
    [
      ...new Set(table.filter(([error]) => is(error)).map(([error]) => (error as { code?: string }).code)),
    ].sort();

  test('these pass, where a server sleeps or starts', () => {
    expect(codes.length).toBeGreaterThan(30);
    expect(those(isPassing)).toEqual([
      '08006',
      '53300',
      '57P01',
      '57P03',
      'ECONNREFUSED',
      'ECONNRESET',
      'ETIMEDOUT',
      undefined,
    ]);
  });

  test('these are another transaction’s right of way', () => {
    expect(those(isVictim)).toEqual(['40001', '40P01']);
  });

  test('these refuse one row; a right that lacks on a whole table refuses all', () => {
    expect(those(isRefusal)).toEqual(['23505', '42501']);
    expect(isRefusal(Object.assign(fromServer('42501'), { routine: 'aclcheck_error' }))).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { parseDatabaseUrl, type Source } from '../../src/config/database-url.ts';
import { sentenceOf } from '../../src/problem.ts';

const source: Source = { kind: 'env-file', name: '/project/.env' };

describe('a database URL', () => {
  test.each([
    'postgres://user:secret@host:5432/db?sslmode=require',
    'postgresql://host/db',
    'postgresql:///db?host=/run/postgresql',
    'postgres://one:1,two:2/db',
    'POSTGRES://host/db',
  ])('%s is a server', (url) => {
    expect(parseDatabaseUrl(url, '/project', source)).toEqual({
      ok: true,
      value: { kind: 'postgres', url, source },
    });
  });

  test.each([
    ['pglite:.skill-fleet/db', '/project/.skill-fleet/db'],
    ['pglite:../db', '/db'],
    ['pglite:/var/db', '/var/db'],
    ['PGlite:db', '/project/db'],
  ])('%s is the embedded database in %s', (url, directory) => {
    expect(parseDatabaseUrl(url, '/project', source)).toEqual({
      ok: true,
      value: { kind: 'embedded', directory, chosen: 'url', source },
    });
  });

  test.each([
    ['mysql://user:secret@host/db', 'begins with "mysql://", which is no database that skill-fleet knows'],
    ['pglite:', 'names no folder after "pglite:"'],
    ['pglite://secret', 'has slashes after "pglite:"'],
    ['postgres:secret', 'does not begin with "postgres://", "postgresql://" or "pglite:"'],
    ['user:secret@host/db', 'does not begin with "postgres://", "postgresql://" or "pglite:"'],
    ['secret', 'does not begin with "postgres://", "postgresql://" or "pglite:"'],
    [' postgres://user:secret@host', 'does not begin with "postgres://", "postgresql://" or "pglite:"'],
  ])('%s is a problem, told without the URL', (url, why) => {
    const parsed = parseDatabaseUrl(url, '/project', source);
    if (parsed.ok) throw new Error(`accepted: ${url}`);
    expect(parsed.problem).toEqual({ reason: 'database-url-not-understood', source: '/project/.env', why });
    expect(JSON.stringify([parsed.problem, sentenceOf(parsed.problem)])).not.toContain('secret');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readServerAddress, type ServerAddress } from '../../src/repository/server-address.ts';

function read(url: string, env: { readonly [name: string]: string } = {}): ServerAddress {
  const address = readServerAddress(url, env, 'me');
  if (!address.ok) throw new Error(JSON.stringify(address.problem));
  return address.value;
}

describe('a URL says, and what it leaves out the PG variables say', () => {
  const table: readonly (readonly [
    url: string,
    env: { readonly [name: string]: string },
    expected: Partial<ServerAddress>,
  ])[] = [
    ['postgres://', {}, { host: 'localhost', port: 5432, user: 'me', database: 'me', password: undefined }],
    ['postgres:///library', {}, { host: 'localhost', user: 'me', database: 'library' }],
    [
      'postgresql://ana:word@db.example:6543/library',
      {},
      { host: 'db.example', port: 6543, user: 'ana', password: 'word', database: 'library' },
    ],
    ['postgres://ana@/library', {}, { host: 'localhost', user: 'ana', database: 'library' }],
    ['postgres://ana@db', {}, { host: 'db', database: 'ana' }],
    ['postgres://[::1]:5433/x', {}, { host: '::1', port: 5433 }],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/x', {}, { host: '/var/run/postgresql', database: 'x' }],
    ['postgres:///x?host=/var/run/postgresql&port=5433', {}, { host: '/var/run/postgresql', port: 5433 }],
    [
      'postgres://u:p@h/d?user=other&password=word&dbname=e',
      {},
      { user: 'other', password: 'word', database: 'e' },
    ],
    ['postgres://u:a%40b%3A%2F%25%23c@h/d', {}, { password: 'a@b:/%#c', host: 'h' }],
    ['postgres://u:a@b:c#d@h/d', {}, { password: 'a@b:c#d', host: 'h', database: 'd' }],
    ['postgres://u:@h/d', { PGPASSWORD: 'word' }, { password: 'word' }],
    ['postgres://h/a%2Fb%40c', {}, { database: 'a/b@c' }],
    ['postgres://h/d?options=-csearch_path%3Dlibrary', {}, { options: '-csearch_path=library' }],
    // A plus stands for itself, as libpq has it.
    ['postgres://h/d?application_name=a+b', {}, { applicationName: 'a+b' }],
    ['postgres://h/d', {}, { applicationName: 'skill-fleet' }],
    [
      'postgres://',
      {
        PGHOST: 'there',
        PGPORT: '7',
        PGUSER: 'ana',
        PGPASSWORD: '%41@:/#',
        PGDATABASE: 'library',
        PGOPTIONS: '-c x=y',
        PGAPPNAME: 'ci',
        PGCONNECT_TIMEOUT: '3',
        PGCHANNELBINDING: 'require',
      },
      {
        host: 'there',
        port: 7,
        user: 'ana',
        password: '%41@:/#',
        database: 'library',
        options: '-c x=y',
        applicationName: 'ci',
        connectTimeoutMs: 3000,
        channelBinding: 'require',
      },
    ],
    [
      'postgres://u:p@h:1/d',
      { PGHOST: 'x', PGPORT: '2', PGUSER: 'x', PGPASSWORD: 'x', PGDATABASE: 'x' },
      {
        host: 'h',
        port: 1,
        user: 'u',
        password: 'p',
        database: 'd',
      },
    ],
    ['postgres://h/d?connect_timeout=0', { PGCONNECT_TIMEOUT: '3' }, { connectTimeoutMs: undefined }],
    ['postgres://h/d?pgbouncer=true&connection_limit=1&keepalives=1', {}, { host: 'h', database: 'd' }],
    ['postgres://h/d?channel_binding=disable', {}, { channelBinding: 'disable' }],
  ];

  test.each(table)('%s', (url, env, expected) => {
    expect(read(url, env)).toMatchObject(expected);
  });

  test.each([
    ['', {}, undefined],
    ['?sslmode=require', {}, 'require'],
    ['?sslmode=verify-full', { PGSSLMODE: 'disable' }, 'verify-full'],
    ['', { PGSSLMODE: 'verify-ca' }, 'verify-ca'],
    ['?sslmode=', { PGSSLMODE: 'allow' }, 'allow'],
    ['?ssl=true', {}, 'require'],
    ['?ssl=false', {}, 'disable'],
    ['?sslmode=no-verify', {}, 'require'],
  ])('sslmode of %s with %o is %s', (query, env, mode) => {
    expect(read(`postgres://h/d${query}`, env as never).tls.mode).toBe(mode);
  });
});

describe('what cannot be meant is refused, without a word of it', () => {
  test.each([
    ['postgres://u:secret/word@h/d', /%2F/],
    ['postgres://u:12/secret@h/d', /%2F/],
    ['postgres://u:secret?word@h/d', /%3F/],
    ['postgres://u:12?secret@h/d', /%3F/],
    ['postgres://u:12/x?secret@h=1', /%3F/],
    ['postgres://u:100%secret@h/d', /in its password.*%25/],
    ['postgres://h:secret/d', /its port is no number/],
    ['postgres://h:70000/d', /its port is no number/],
    ['postgres://h/d?sslmode=secret', /its sslmode is none of disable/],
    ['postgres://h/d?sslmode=Require', /its sslmode is none of/],
    ['postgres://h/d?channel_binding=secret', /its channel_binding is none of/],
    ['postgres://h/d?connect_timeout=secret', /its connect_timeout is no number/],
    ['postgres://h1,h2/d', /several hosts/],
    ['postgres://h1:1,h2:2/d', /several hosts/],
    ['postgres://h/d?host=h1,h2', /several hosts/],
    ['postgres://h/d?schema=secret', /options=-csearch_path%3DSCHEMA/],
    ['postgres://h/d?hostaddr=1.2.3.4', /the parameter hostaddr/],
    ['postgres://h/d?s3cr3t-w0rd', /a parameter that skill-fleet does not know/],
  ])('%s', (url, sentence) => {
    const address = readServerAddress(url, {}, 'me');
    expect(address).toMatchObject({ ok: false, problem: { reason: 'database-url-invalid' } });
    const said = JSON.stringify(address);
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/secret|s3cr3t/);
  });

  test('a service or an address alone, which psql would follow elsewhere', () => {
    for (const name of ['PGSERVICE', 'PGHOSTADDR']) {
      expect(readServerAddress('postgres:///d', { [name]: 'x' }, 'me')).toMatchObject({ ok: false });
      expect(readServerAddress('postgres://h/d', { [name]: 'x' }, 'me')).toMatchObject({ ok: true });
    }
  });
});

test('any user, password and database come through, percent-encoded', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((one) => one.isWellFormed());
  fc.assert(
    fc.property(text, text, text, (user, password, database) => {
      const [u, p, d] = [user, password, database].map(encodeURIComponent);
      expect(read(`postgres://${u}:${p}@h/${d}`)).toMatchObject({ user, password, database });
      expect(read(`postgres://h?user=${u}&password=${p}&dbname=${d}`)).toMatchObject({
        user,
        password,
        database,
      });
    }),
  );
});

test('no URL of any shape is slow or throws, or is repeated in a problem', () => {
  const piece = fc.constantFrom(
    'postgres://',
    '@',
    ':',
    '/',
    '?',
    '#',
    '%',
    '%4',
    '&',
    '=',
    '[',
    ']',
    ',',
    'qzx',
    '1',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const address = readServerAddress(`postgres://${pieces.join('')}`, {}, 'me');
      // What stands where a parameter's name does is named.
      const said = JSON.stringify(address).replace(/the parameter \w+/, '');
      if (!address.ok) expect(said).not.toContain('qzxqzx');
    }),
    { numRuns: 2000 },
  );
});

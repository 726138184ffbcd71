import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { connectServer, type Link } from '../../src/repository/server.ts';
import { temporaryFolder } from '../folders.ts';
import { type Certificate, hasOpenssl, makeAuthority, makeCertificate } from '../servers/certificates.ts';
import { type Server, startPostgres } from '../servers/start-postgres.ts';

const isPossible = (await hasOpenssl()) && !process.env['TEST_DATABASE_URL'];

/** In a file, since what stands on the command line cannot be changed while the server runs. */
const settings = `
ssl = on
ssl_cert_file = 'good.crt'
ssl_key_file = 'good.key'
ssl_ca_file = 'ours.crt'
`;

/** Who may come how: one user for each way. */
const rules = `
hostssl all certified all cert
hostssl all clear all password
hostnossl all tlsonly all reject
hostssl all tlsonly all scram-sha-256
hostssl all plainonly all reject
hostnossl all plainonly all scram-sha-256
host all trusted all trust
host all all all scram-sha-256
`;

describe.skipIf(!isPossible)(
  'a server with an authority of its own (with openssl, on its own Postgres)',
  () => {
    let server: Server;
    let folder: string;
    let made: { readonly [name: string]: Certificate };
    let shown = '';

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-tls-'));
      const [ours, theirs] = [await makeAuthority(folder, 'ours'), await makeAuthority(folder, 'theirs')];
      const local = 'DNS:localhost,IP:127.0.0.1';
      made = {
        ours,
        theirs,
        good: await makeCertificate(folder, 'good', ours, local, 30),
        elsewhere: await makeCertificate(folder, 'elsewhere', ours, 'DNS:elsewhere.example', 30),
        expired: await makeCertificate(folder, 'expired', ours, local, -1),
        certified: await makeCertificate(folder, 'certified', ours, 'DNS:client', 30),
      };
      await writeFile(path.join(folder, 'garbage.crt'), 'no certificate');
      server = await startPostgres({
        authMethod: 'scram-sha-256',
        prepare: async (data, { uid, gid }) => {
          for (const name of ['ours', 'good', 'elsewhere', 'expired'] as const) {
            for (const file of Object.values(made[name] ?? {})) {
              const copy = path.join(data, path.basename(file));
              await copyFile(file, copy);
              await chown(copy, uid, gid);
              await chmod(copy, 0o600);
            }
          }
          await writeFile(path.join(data, 'pg_hba.conf'), rules);
          await writeFile(path.join(data, 'postgresql.auto.conf'), settings);
        },
      });
      for (const user of ['certified', 'clear', 'tlsonly', 'plainonly', 'trusted']) {
        await asSuperuser((client) => client.query(`create role ${user} login password 'word'`));
      }
    });

    afterAll(async () => {
      await server?.remove();
      await rm(folder, { recursive: true, force: true });
    });

    async function asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
      const client = new pg.Client({ connectionString: server.url, ssl: false });
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    }

    /** Has the server show another certificate. */
    async function show(name: string): Promise<void> {
      if (shown === name) return;
      await asSuperuser(async (client) => {
        await client.query(`alter system set ssl_cert_file = '${name}.crt'`);
        await client.query(`alter system set ssl_key_file = '${name}.key'`);
        await client.query('select pg_reload_conf()');
      });
      const shows = () => asSuperuser((client) => client.query('show ssl_cert_file'));
      await vi.waitFor(async () => expect((await shows()).rows[0].ssl_cert_file).toBe(`${name}.crt`), 10_000);
      shown = name;
    }

    /** `tls` or `plain` where a connection came to be; else why it did not. */
    async function connect(query: string, user = 'postgres', host = 'localhost'): Promise<string> {
      const url = `postgres://${user}:${user === 'postgres' ? 'password' : 'word'}@${host}:${server.port}/postgres`;
      const files = query.replaceAll('DIR', folder);
      const connection = await connectServer(`${url}?${files}`, { env: {}, connectTimeoutMs: 5000 });
      if (!connection.ok) {
        const { problem } = connection;
        return 'why' in problem ? `${problem.reason}: ${problem.why}` : problem.reason;
      }
      const [row] = await connection.value.query<{ ssl: boolean }>(
        'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
      );
      await connection.value.close();
      return row?.ssl ? 'tls' : 'plain';
    }

    const ca = 'sslrootcert=DIR/ours.crt';
    const other = 'sslrootcert=DIR/theirs.crt';
    const unknown = 'certificate-refused: no known authority signed it';
    const expired = 'certificate-refused: it has expired';

    test.each([
      ['sslmode=disable', null],
      ['sslmode=require', 'nothing'],
      [`sslmode=verify-ca&${ca}`, 'authority'],
      [`sslmode=verify-full&${ca}`, 'host'],
    ])('with %s it is told how it was reached, and what was checked: %s', async (query, checked) => {
      await show('good');
      const links: Link[] = [];
      const connection = await connectServer(
        `postgres://postgres:password@localhost:${server.port}/postgres?${query.replaceAll('DIR', folder)}`,
        { env: {}, connectTimeoutMs: 5000, onConnect: (link) => links.push(link) },
      );
      if (connection.ok) await connection.value.close();
      expect(links).toEqual([
        expect.objectContaining({
          isLocal: true,
          tls: checked && { protocol: expect.stringMatching(/^TLSv1/), checked },
        }),
      ]);
    });

    test.each([
      ['good', '', 'tls'],
      ['good', 'sslmode=disable', 'plain'],
      ['good', 'sslmode=allow', 'plain'],
      ['good', 'sslmode=prefer', 'tls'],
      ['good', 'sslmode=require', 'tls'],
      ['good', `sslmode=require&${ca}`, 'tls'],
      ['good', `sslmode=require&${other}`, unknown],
      ['good', 'sslmode=verify-ca', unknown],
      ['good', `sslmode=verify-ca&${ca}`, 'tls'],
      ['good', `sslmode=verify-ca&${other}`, unknown],
      ['good', 'sslmode=verify-full', unknown],
      ['good', `sslmode=verify-full&${ca}`, 'tls'],
      ['good', `sslmode=verify-full&${other}`, unknown],
      ['good', 'sslrootcert=system', unknown],
      [
        'good',
        'sslrootcert=system&sslmode=require',
        'tls-not-possible: sslrootcert=system asks for sslmode=verify-full',
      ],
      ['good', 'sslmode=verify-full&sslrootcert=DIR/none.crt', 'tls-file-unusable: there is no such file'],
      [
        'good',
        'sslmode=verify-full&sslrootcert=DIR/garbage.crt',
        expect.stringMatching(/^tls-file-unusable: /),
      ],
      ['good', 'sslmode=require&sslnegotiation=direct', 'tls'],
      ['good', 'sslmode=require&ssl_min_protocol_version=TLSv1.3', 'tls'],
      [
        'good',
        'sslmode=require&ssl_min_protocol_version=TLSv9',
        expect.stringMatching(/^tls-not-possible: /),
      ],
      ['elsewhere', '', 'tls'],
      ['elsewhere', 'sslmode=require', 'tls'],
      ['elsewhere', `sslmode=verify-ca&${ca}`, 'tls'],
      ['elsewhere', `sslmode=verify-full&${ca}`, 'certificate-refused: it is for another host'],
      ['expired', '', 'tls'],
      ['expired', 'sslmode=require', 'tls'],
      ['expired', `sslmode=require&${ca}`, expired],
      ['expired', `sslmode=verify-ca&${ca}`, expired],
      ['expired', `sslmode=verify-full&${ca}`, expired],
    ])('its certificate %s, asked with %s: %s', async (name, query, outcome) => {
      await show(name);
      expect(await connect(query)).toEqual(outcome);
    });

    test('by its address, which the certificate names, and by one that it does not', async () => {
      await show('good');
      expect(await connect(`sslmode=verify-full&${ca}`, 'postgres', '127.0.0.1')).toBe('tls');
      await show('elsewhere');
      expect(await connect(`sslmode=verify-full&${ca}`, 'postgres', '127.0.0.1')).toMatch(/another host/);
    });

    const noTls = /^login-refused|^database-login-refused: .*(no encryption|SSL encryption)/;

    test.each([
      ['tlsonly', 'sslmode=disable', expect.stringMatching(noTls)],
      ['tlsonly', 'sslmode=allow', 'tls'],
      ['tlsonly', 'sslmode=prefer', 'tls'],
      ['plainonly', 'sslmode=require', expect.stringMatching(noTls)],
      ['plainonly', 'sslmode=prefer', 'plain'],
      ['plainonly', 'sslmode=allow', 'plain'],
      ['certified', 'sslmode=require', expect.stringMatching(/^database-login-refused: .*certificate/)],
      ['certified', 'sslmode=require&sslcert=DIR/certified.crt&sslkey=DIR/certified.key', 'tls'],
      [
        'certified',
        'sslmode=require&sslcert=DIR/certified.crt&sslkey=DIR/none.key',
        'tls-file-unusable: there is no such file',
      ],
      ['postgres', 'sslmode=require&channel_binding=require', 'tls'],
      ['postgres', 'sslmode=disable&channel_binding=require', 'channel-binding-missing'],
      ['clear', 'sslmode=require&channel_binding=require', 'channel-binding-missing'],
      ['clear', 'sslmode=require', 'tls'],
      ['trusted', 'sslmode=require&channel_binding=require', 'channel-binding-missing'],
      ['trusted', 'sslmode=require', 'tls'],
    ])('for %s, with %s: %s', async (user, query, outcome) => {
      await show('good');
      expect(await connect(query, user)).toEqual(outcome);
    });

    const asksInTheClear = Buffer.from('R\x00\x00\x00\x08\x00\x00\x00\x03', 'latin1');
    const offersBinding = Buffer.concat([
      Buffer.from('R\x00\x00\x00\x1c\x00\x00\x00\x0a', 'latin1'),
      Buffer.from('SCRAM-SHA-256-PLUS\0\0'),
    ]);

    test.each([
      ['asks for the password in the clear', [asksInTheClear]],
      ['offers to bind, and then asks for it in the clear', [offersBinding, asksInTheClear]],
    ])('a login that must be bound tells no password to who %s', async (_, requests) => {
      const { certificate = '', key = '' } = made['good'] ?? {};
      const [cert, secret] = [await readFile(certificate), await readFile(key)];
      const heard: Buffer[] = [];
      const fake = createServer((client) => {
        client.on('error', () => {});
        client.once('data', () => {
          client.write('S');
          const inside = new TLSSocket(client, { isServer: true, cert, key: secret });
          inside.on('error', () => {}).on('data', (bytes) => heard.push(bytes));
          inside.once('data', async () => {
            for (const request of requests) {
              inside.write(request);
              await sleep(100);
            }
            inside.end();
          });
        });
      });
      await new Promise<void>((resolve) => {
        fake.listen(0, '127.0.0.1', resolve);
      });
      onTestFinished(() => void fake.close());
      const { port } = fake.address() as AddressInfo;
      const url = `postgres://ana:secret-word@127.0.0.1:${port}/x?sslmode=require`;
      const ask = async (query: string) => {
        heard.length = 0;
        expect((await connectServer(url + query, { env: {}, connectTimeoutMs: 0 })).ok).toBe(false);
        expect(heard.length).toBeGreaterThan(0);
        return Buffer.concat(heard).toString('latin1');
      };
      expect(await ask('&channel_binding=require')).not.toContain('secret-word');
      // Who does not ask for that tells it.
      expect(await ask('&channel_binding=prefer')).toContain('secret-word');
    });

    test('what stands in ~/.postgresql is found', async () => {
      await show('good');
      const home = await temporaryFolder();
      await mkdir(path.join(home, '.postgresql'));
      vi.stubEnv('HOME', home);
      try {
        expect(await connect('sslmode=verify-full')).toBe(unknown);
        await copyFile(made['theirs']?.certificate ?? '', path.join(home, '.postgresql/root.crt'));
        // As for libpq: where there are root certificates, require asks who is there.
        expect(await connect('sslmode=require')).toBe(unknown);
        await writeFile(
          path.join(home, '.postgresql/root.crt'),
          await readFile(made['ours']?.certificate ?? ''),
        );
        expect(await connect('sslmode=verify-full')).toBe('tls');
        await copyFile(made['certified']?.certificate ?? '', path.join(home, '.postgresql/postgresql.crt'));
        await copyFile(made['certified']?.key ?? '', path.join(home, '.postgresql/postgresql.key'));
        expect(await connect('sslmode=verify-full', 'certified')).toBe('tls');
      } finally {
        vi.unstubAllEnvs();
      }
    });
  },
);

describe.skipIf(Boolean(process.env['TEST_DATABASE_URL']))('a server without TLS', () => {
  test.each([
    ['', true],
    ['sslmode=disable', true],
    ['sslmode=allow', true],
    ['sslmode=prefer', true],
    ['sslmode=require', 'tls-missing'],
    ['sslmode=verify-ca', 'tls-missing'],
    ['sslmode=verify-full', 'tls-missing'],
    ['channel_binding=require', 'channel-binding-missing'],
  ])('asked with %s: %s', async (query, outcome) => {
    const connection = await connectServer(`${inject('serverUrl')}?${query}`, { env: {} });
    expect(connection.ok || connection.problem.reason).toBe(outcome);
    if (connection.ok) await connection.value.close();
  });
});

import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { openGate } from '../servers/gate.ts';
import { document } from '../sync/sides.ts';
import { databaseUrl, makeProject, sql } from './cli.ts';

const secret = 's3cr3t-W0rd';

/** Every form in which it might be seen. */
const shapes = new RegExp(
  [secret, encodeURIComponent(`${secret}@:/%#`), Buffer.from(secret).toString('base64')].join('|'),
);

const commands = [
  ['sync-db'],
  ['sync-db', '--dry-run'],
  ['list'],
  ['migrate'],
  ['doctor'],
  ['migrate', '--status'],
];

const verbosities = [[], ['--verbose'], ['--json'], ['--quiet'], ['--json', '--verbose']];

describe('a password is in no output, whatever the URL, whatever fails', () => {
  test.each(
    [
      `postgres://ana:${secret}@127.0.0.1:1/x`,
      `postgres://ana:${secret}@no-such-host.invalid/x`,
      `postgres://ana:${secret}/1@127.0.0.1/x`,
      `postgres://ana:12/${secret}@127.0.0.1/x`,
      `postgres://ana:12?${secret}@127.0.0.1/x`,
      `postgres://ana:${secret}%@127.0.0.1/x`,
      `postgres://ana:${secret}#1@127.0.0.1:1/x`,
      `postgres://:${secret}@127.0.0.1:1/x`,
      `postgres://127.0.0.1:1/x?password=${secret}`,
      `postgres://127.0.0.1:1/x?sslpassword=${secret}&sslmode=require`,
      `postgres://127.0.0.1:1/x?pasword=${secret}`,
      `postgres://127.0.0.1:1/x?${secret}`,
      `postgres://ana:${secret}@127.0.0.1:port/x`,
      `postgres://ana:${secret}@h1,h2/x`,
      `postgres//ana:${secret}@127.0.0.1/x`,
      `postgres:ana:${secret}@127.0.0.1/x`,
      `mysql://ana:${secret}@127.0.0.1/x`,
      `ana:${secret}@127.0.0.1/x`,
      `pglite://ana:${secret}@127.0.0.1/x`,
    ].map((url, place) => ({ url, place })),
  )('$url', async ({ url, place }) => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': document('x') });
    for (const turn of [place, place + 2]) {
      const command = commands[turn % commands.length] ?? [];
      const verbosity = verbosities[(turn + place) % verbosities.length] ?? [];
      const given = turn % 2 ? ['--database-url', url] : [];
      const ran = await project.run([...command, ...verbosity, ...given, '--connect-timeout', '0'], {
        DATABASE_URL: url,
      });
      expect(ran.code).toBe(1);
      expect(ran.stdout + ran.stderr).not.toMatch(shapes);
      expect(ran.stdout + ran.stderr).not.toMatch(/\n\s+at |fault of its own/);
    }
  });

  test('nor where the server itself repeats it, or the connection is lost in the middle', async () => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/x/SKILL.md': document('x') });
    const server = new URL(await databaseUrl('postgres'));
    const gate = await openGate(server.href, (client) => ({
      with: 'pass',
      messages: 4 + client * 3,
      end: 'cut',
    }));
    for (const more of verbosities) {
      const ran = await project.run(['sync-db', ...more], { DATABASE_URL: gate.url });
      expect(ran.code).toBe(1);
      expect(ran.stdout + ran.stderr).not.toContain(decodeURIComponent(server.password).repeat(2));
      expect(ran.stdout + ran.stderr).toMatch(/was lost|Cannot reach/);
      expect(ran.stdout + ran.stderr).not.toMatch(/:\/\/|fault of its own/);
    }
  });
});

describe('a password that somebody puts where no URL belongs is not printed', () => {
  const url = `postgres://ana:${secret}@127.0.0.1:1/x?sslpassword=${secret}`;
  test.each([
    [url],
    ['sync-db', url],
    ['sync-db', `--databse-url=${url}`],
    ['sync-db', '--connect-timeout', url],
    ['sync-db', '--skills-dir', url],
    ['validate', '--config', url],
    ['apply', url],
    ['show', url],
  ])('%s %s', async (...args) => {
    const project = await makeProject();
    for (const more of [[], ['--json']]) {
      const ran = await project.run([...args, ...more]);
      expect(ran.code).toBeGreaterThan(0);
      expect(ran.stdout + ran.stderr).not.toMatch(shapes);
    }
  });
});

test('a password is in no file and no table that a run leaves', async () => {
  const project = await makeProject();
  const url = new URL(await databaseUrl('postgres'));
  const role = `secretive_${Date.now().toString(36)}`;
  await sql(url.href, `create role ${role} login superuser password '${secret}'`);
  const given = Object.assign(new URL(url), { username: role, password: secret }).href;
  try {
    await writeFiles(project.folder, { 'skills/x/SKILL.md': document('x') });
    expect((await project.run(['sync-db'], { DATABASE_URL: given })).code).toBe(0);
    await sql(url.href, `update skills set description = 'Theirs.'`);
    const ran = await project.run(['sync-db', '--verbose', '--json'], { DATABASE_URL: given });
    expect(ran.code).toBe(0);
    expect(ran.stdout + ran.stderr).not.toMatch(shapes);
    for (const name of await readdir(project.folder, { recursive: true })) {
      const file = path.join(project.folder, name);
      if ((await stat(file)).isFile()) expect(await readFile(file, 'latin1'), name).not.toMatch(shapes);
    }
    const tables = await sql(
      url.href,
      `select format('%I', tablename) as name from pg_tables where schemaname = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      expect(JSON.stringify(await sql(url.href, `select * from ${name}`)), String(name)).not.toMatch(shapes);
    }
    const running = await sql(url.href, 'select application_name, query from pg_stat_activity');
    expect(JSON.stringify(running.filter(({ query }) => !String(query).includes('create role')))).not.toMatch(
      shapes,
    );
  } finally {
    await sql(
      url.href,
      `reassign owned by ${role} to current_user; drop owned by ${role}; drop role ${role}`,
    );
  }
});

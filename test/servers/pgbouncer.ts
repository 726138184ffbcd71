// PgBouncer in transaction mode before the test run's Postgres, as hosted databases have it. Nothing is asked of
// it but its defaults: a client that needs more would fail out there.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TestProject } from 'vitest/node';
import { freePort } from './start-postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** As `serverUrl`, through the pooler; its user is the pooler's admin. Null where none is installed. */
    readonly poolerUrl: string | null;
  }
}

/** Where Debian and its kin install it, outside the path of a user, and Homebrew. */
const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find((file) =>
  existsSync(file),
);

/** It refuses to run as root: there it runs as the user `nobody`. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Waits for what it says once it listens; false where it ends before. */
async function saysItIsUp(stderr: Readable): Promise<boolean> {
  for await (const line of createInterface({ input: stderr })) {
    if (line.includes('process up')) return true;
  }
  return false;
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (program === undefined) {
    project.provide('poolerUrl', null);
    return async () => {};
  }
  const url = new URL(project.getProvidedContext().serverUrl);
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const port = await freePort();
  const folder = await mkdtemp(path.join(tmpdir(), 'skill-fleet-pgbouncer-'));
  const users = path.join(folder, 'users.txt');
  const settings = path.join(folder, 'pgbouncer.ini');
  await writeFile(users, `${quoted(user)} ${quoted(password)}\n`);
  await writeFile(
    settings,
    // Few sessions, so that each client meets what another one left behind.
    `[databases]
* = host=${url.hostname} port=${url.port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
admin_users = ${user}
pool_mode = transaction
default_pool_size = 2
`,
  );
  for (const file of [folder, users, settings]) {
    await chmod(file, file === folder ? 0o700 : 0o600);
    if (nobody) await chown(file, nobody.uid, nobody.gid);
  }
  const pooler = spawn(program, [settings], { ...nobody, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(pooler, 'close');
  if (!(await saysItIsUp(pooler.stderr))) throw new Error(`${program} did not start`);
  // What it says later is read and dropped: it would wait for a full pipe.
  pooler.stderr.resume();
  url.hostname = '127.0.0.1';
  url.port = String(port);
  url.search = '';
  project.provide('poolerUrl', url.href);
  return async () => {
    pooler.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
}

// Meets the hostile servers and tells what came of each, a line of JSON a server, then what it took. A loop without
// end is ended from within: `meet-servers.mjs SECONDS [NAME]`.

import { Worker } from 'node:worker_threads';
import { nodeDisk } from '../../src/disk.ts';
import { sentenceOf } from '../../src/problem.ts';
import { openForReading } from '../../src/repository/open.ts';
import { startFake } from './fake-server.ts';
import { type HostileServer, hostileServers } from './hostile-servers.ts';

/** What came of a server. */
export interface Met extends Pick<HostileServer, 'name' | 'hears'> {
  readonly reason: string;
  readonly what: string;
}

const [, , seconds, part = ''] = process.argv;
const password = 'secret-word';
/** Together, since most of them only wait. */
const together = 24;

new Worker(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Number(seconds) * 1000})`, {
  eval: true,
}).unref();

async function meet(server: HostileServer): Promise<Met> {
  const fake = await startFake(server);
  const url = `postgres://user:${password}@127.0.0.1:${fake.port}/db?${server.query}`;
  const place = { kind: 'postgres', url } as const;
  const patience = { connectTimeoutMs: 0, statementTimeoutMs: 1, env: {} };
  let reason: string;
  let what = '';
  try {
    const opened = await openForReading(place, nodeDisk, patience);
    reason = opened.ok ? opened.value.state : opened.problem.reason;
    if (!opened.ok) what = sentenceOf(opened.problem).what;
    else if (opened.value.state === 'ready') await opened.value.connection.close();
  } catch (error) {
    reason = String(error);
  }
  const heard = fake.heard();
  await fake.close();
  const hears = heard.includes(password)
    ? 'the password'
    : heard.includes('user')
      ? 'no password'
      : 'nothing';
  return { name: server.name, reason, what, hears };
}

const left = hostileServers.filter(({ name }) => name.includes(part));
await Promise.all(
  Array.from({ length: together }, async () => {
    for (let server = left.shift(); server; server = left.shift()) {
      process.stdout.write(`${JSON.stringify(await meet(server))}\n`);
    }
  }),
);
process.stdout.write(`${JSON.stringify({ maxRSS: process.resourceUsage().maxRSS })}\n`);

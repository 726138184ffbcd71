// Servers that are none, or worse: each is named, in bounded time and memory, and hears no password that it should not.

import path from 'node:path';
import { expect, test } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import { printableLine } from '../../src/report/terminal-text.ts';
import { connect } from '../../src/repository/open.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { runProcess } from '../acceptance/cli.ts';
import { emptyDatabaseUrl, openMigrated } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { bundledProgram } from '../programs.ts';
import { openGate } from '../servers/gate.ts';
import { cloneAt, document, makeClone } from '../sync/sides.ts';
import { hostileServers } from './hostile-servers.ts';
import type { Met } from './meet-servers.ts';

/** What the process that meets them may take, however much they say: MiB of heap and in all. */
const bounds = { heap: 128, all: 400 };

/** Meets servers in a process of its own, which a loop without end would not leave. */
async function meet(flags: readonly string[], ...only: readonly string[]): Promise<readonly string[]> {
  const program = await bundledProgram('hostile/meet-servers.ts');
  const cwd = await temporaryFolder();
  const { code, stdout, stderr } = await runProcess(process.execPath, [...flags, program, ...only], { cwd });
  expect([code, stderr.slice(-2000)]).toEqual([0, '']);
  return stdout.trim().split('\n');
}

test(`${hostileServers.length} hostile servers are named, in bounded time and memory`, async () => {
  expect(hostileServers.length).toBeGreaterThan(150);
  const lines = await meet([`--max-old-space-size=${bounds.heap}`], '60');
  const met = lines.slice(0, -1).map((line): Met => JSON.parse(line));
  const byName = new Map(met.map((one) => [one.name, one]));
  expect(byName.size).toBe(hostileServers.length);
  expect(hostileServers.map(({ name }) => [name, byName.get(name)?.reason, byName.get(name)?.hears])).toEqual(
    hostileServers.map(({ name, reason, hears }) => [name, reason, hears]),
  );
  for (const { name, what } of met) {
    expect(what.length, name).toBeLessThan(1500);
    expect(printableLine(what), name).not.toMatch(/secret-word|\p{Cc}|undefined|TypeError/u);
  }
  expect(JSON.parse(lines.at(-1) ?? '').maxRSS / 1024).toBeLessThan(bounds.all);
});

test('an answer to a commit that never comes costs the next run nothing, and nothing is done twice', async () => {
  const url = await emptyDatabaseUrl();
  const connection = await openMigrated({ kind: 'postgres', url });
  const clone = await makeClone(connection);
  await clone.write({ 'ours/SKILL.md': document('ours'), 'theirs/SKILL.md': document('theirs') });
  await clone.run('export');
  const counts = async () =>
    (
      await connection.query<{ revisions: number }>(
        'select (select count(*) from skill_revisions) + (select count(*) from skill_sync) as revisions',
      )
    )[0]?.revisions ?? 0;
  for (let nth = 1, isWhole = false; !isWhole; nth++) {
    const before = await counts();
    await clone.write({ 'ours/SKILL.md': document('ours', `Ours ${nth}.\n`) });
    await connection.query(`update skills set skill_content = $1 where name = 'theirs'`, [
      `Theirs ${nth}.\n`,
    ]);
    const gate = await openGate(url, () => ({ with: 'pass', unanswered: /commit\0/, nth }));
    const opened = await connect({ kind: 'postgres', url: gate.url }, nodeDisk);
    if (!opened.ok) throw new Error(opened.problem.reason);
    const there = await cloneAt(opened.value, path.dirname(clone.folder), 'skills');
    const outcome = await there.run('sync').then(
      ({ words }) => words,
      (error: unknown) => problemOfDatabase(connection.database, error)?.reason,
    );
    await opened.value.close();
    isWhole = Array.isArray(outcome);
    if (!isWhole) expect(outcome, `${nth}`).toBe('database-lost');
    else expect(nth).toBeGreaterThan(3);
    expect((await clone.run('sync')).plan.conflicts, `${nth}`).toEqual([]);
    expect((await clone.run('sync')).words, `${nth}`).toEqual([]);
    expect(await clone.files(), `${nth}`).toEqual({
      'ours/SKILL.md': document('ours', `Ours ${nth}.\n`),
      'theirs/SKILL.md': document('theirs', `Theirs ${nth}.\n`),
    });
    // One for the edit of each side.
    expect((await counts()) - before, `${nth}`).toBe(2);
  }
});

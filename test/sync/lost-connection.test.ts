import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import { type Connection, inWriting } from '../../src/repository/connection.ts';
import { openForWriting } from '../../src/repository/open.ts';
import { problemOfDatabase } from '../../src/repository/sqlstate.ts';
import { emptyDatabaseUrl, openMigrated } from '../databases.ts';
import { type Gate, openGate } from '../servers/gate.ts';
import { cloneAt, document, makeClone } from '../sync/sides.ts';

/** How many messages there are between two that are tried; EVERY_MESSAGE=1 tries each. */
const step = process.env['EVERY_MESSAGE'] ? 1 : 9;

/** What a run came to: what went wrong, or its words. */
async function outcomeOf(url: string, run: (connection: Connection) => Promise<unknown>): Promise<unknown> {
  const opened = await openForWriting({ kind: 'postgres', url }, nodeDisk, { connectTimeoutMs: 0 });
  if (!opened.ok) return opened.problem.reason;
  if (opened.value.state !== 'ready') throw new Error('not migrated');
  const { connection } = opened.value;
  try {
    return await run(connection);
  } catch (error) {
    const problem = problemOfDatabase(connection.database, error);
    if (!problem) throw error;
    return problem.reason;
  } finally {
    await connection.close().catch(() => {});
  }
}

describe('a connection that is cut after any message', () => {
  test('leaves nothing half, is said, and one further run does the rest', async () => {
    const url = await emptyDatabaseUrl();
    const connection = await openMigrated({ kind: 'postgres', url });
    const clone = await makeClone(connection);
    const texts = async () =>
      (
        await connection.query<{ text: string }>(
          'select skill_content as text from skills order by skill_path',
        )
      ).map(({ text }) => text.trim());
    /** Both sides go on to a round of their own: skills a to c here, d there, e deleted here. */
    const edit = async (round: number) => {
      const names = ['a', 'b', 'c', ...(round % 2 ? ['e'] : [])];
      await clone.write(
        Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, document(name, `Round ${round}.\n`)])),
      );
      await connection.query(`update skills set skill_content = $1 where skill_path = 'd'`, [
        `Round ${round}.`,
      ]);
    };
    await clone.write({ 'd/SKILL.md': document('d', 'Round 0.\n') });
    await edit(0);
    await clone.run('sync');

    let tried = 0;
    for (let messages = 1, isWhole = false; !isWhole; messages += step) {
      const round = messages + 1;
      await edit(round);
      const gate: Gate = await openGate(url, () => ({ with: 'pass', messages, end: 'cut' }));
      const outcome = await outcomeOf(gate.url, async (through) => {
        const there = await cloneAt(through, path.dirname(clone.folder), 'skills');
        return (await there.run('sync', { onConflict: 'local' })).words;
      });
      isWhole = Array.isArray(outcome);
      if (!isWhole) expect(['database-lost', 'database-unreachable']).toContain(outcome);
      // All of what the run brought to the database, or nothing.
      const brought = new Set((await texts()).slice(0, 3));
      expect(brought.size, `cut after ${messages}: ${[...brought].join()}`).toBe(1);
      await clone.run('sync', { onConflict: 'local' });
      expect(new Set((await texts()).slice(0, 4))).toEqual(new Set([`Round ${round}.`]));
      expect((await clone.files())['d/SKILL.md']).toContain(`Round ${round}.`);
      expect((await clone.run('sync')).words).toEqual([]);
      tried++;
    }
    expect(tried).toBeGreaterThan(5);
    // Whoever was cut off holds nothing.
    expect(
      await connection.query(
        `select state from pg_stat_activity
         where datname = current_database() and state like 'idle in%' and pid <> pg_backend_pid()`,
      ),
    ).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')(
    'waits for no lock any more, though the server cannot know',
    async () => {
      const place = { kind: 'postgres', url: await emptyDatabaseUrl() } as const;
      const [holder, waiter] = [await openMigrated(place), await openMigrated(place)];
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await inWriting(holder, async () => {
        await holder.query('lock table skills in access exclusive mode');
        const waits = inWriting(waiter, () => waiter.query('select from skills')).catch(() => {});
        await vi.waitFor(async () => expect(await holder.query(waiting)).toHaveLength(1), 10_000);
        await waiter.close();
        await waits;
        await vi.waitFor(async () => expect(await holder.query(waiting)).toEqual([]), 30_000);
      });
    },
  );

  test('is given up where the server says nothing any more and somebody interrupts', async () => {
    const url = await emptyDatabaseUrl();
    const controller = new AbortController();
    const gate = await openGate(url, () => ({ with: 'pass', messages: 30, end: 'silent' }));
    setTimeout(() => controller.abort(), 1000);
    const opened = await openForWriting({ kind: 'postgres', url: gate.url }, nodeDisk, {
      signal: controller.signal,
    });
    expect(opened).toMatchObject({ ok: false, problem: { reason: 'database-lost' } });
  });
});

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { document, makeSides } from './sides.ts';

async function handedOver(): Promise<Awaited<ReturnType<typeof makeSides>>> {
  const sides = await makeSides('postgres');
  await sides.write({ 'a/SKILL.md': document('a'), 'a/n/SKILL.md': document('n'), 'a/n/x': 'x' });
  await sides.run('export');
  await rm(path.join(sides.folder, 'a/n/SKILL.md'));
  expect((await sides.run('sync')).words).toEqual(['a: edited -> database', 'a/n: hold deletion']);
  await sides.connection.query(`update skills set description = 'New.' where name = 'n'`);
  return sides;
}

test('a skill that comes back where the one above it took its files has them again, on both sides at once', async () => {
  const { run } = await handedOver();
  expect(await run('sync', { onConflict: 'edits' })).toMatchObject({
    words: ['a/n: edit-over-deletion -> files', 'a: edited -> database'],
    plan: { unchanged: 0 },
  });
  expect((await run('sync', { onConflict: 'edits', dryRun: true })).plan).toMatchObject({
    changes: [],
    unchanged: 2,
  });
});

test('what a skill gives up to one that an import brings is named, and the next export carries it', async () => {
  const { run } = await handedOver();
  expect((await run('import', { onConflict: 'edits' })).words).toEqual([
    'a/n: edit-over-deletion -> files',
    'a: ahead -> database',
  ]);
  expect((await run('export')).words).toEqual(['a: edited -> database']);
});

test('what a filter leaves out gives up its files unsaid', async () => {
  const { run } = await handedOver();
  const { words } = await run('sync', { onConflict: 'edits', selects: (skill) => skill === 'a/n' });
  expect(words).toEqual(['a/n: edit-over-deletion -> files']);
});

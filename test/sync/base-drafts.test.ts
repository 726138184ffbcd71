import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { migratedDatabase } from '../databases.ts';
import { Killed, watchedDisk } from '../directory/effects.ts';
import { temporaryFolder } from '../folders.ts';
import { cloneAt, document } from './sides.ts';

test('a run that dies before its base is in place leaves a draft that the next one clears away', async () => {
  const connection = await migratedDatabase('postgres');
  const project = await temporaryFolder();
  const dying = watchedDisk(({ call, path: file }) => {
    if (call === 'rename' && file.includes('bases')) throw new Killed('killed');
  });
  const killed = await cloneAt(connection, project, 'skills', dying);
  await killed.write({ 'x/SKILL.md': document('x') });
  await expect(killed.run('export')).rejects.toThrow(Killed);
  const next = await cloneAt(connection, project, 'skills');
  await next.run('export');
  const bases = await readdir(path.join(project, '.skill-fleet/bases'));
  expect(bases).toEqual([expect.stringMatching(/\.json$/)]);
});

// Prune: contents of old revisions go, digests stay, and nothing that a run or an undo needs is missed.

import { describe, expect, test } from 'vitest';
import { findPrunable, pruneRevisions } from '../../src/repository/prune.ts';
import { databaseKinds } from '../databases.ts';
import { document, makeSides } from '../sync/sides.ts';

const none = { keepLast: 0, keepDays: 0 };

describe.each(databaseKinds)('prune with %s', (kind) => {
  test('smoke', async () => {
    const sides = await makeSides(kind);
    for (let i = 0; i < 5; i++) {
      await sides.write({ 'a/SKILL.md': document('a', `${i}\n`), 'a/x': `${i}` });
      await sides.run('sync');
    }
    const seen = await findPrunable(sides.connection, none);
    console.log(seen);
    expect(await pruneRevisions(sides.connection, none)).toEqual(seen);
    console.log(await sides.connection.query('select revision, digest, pruned_at, skill_content from skill_revisions order by 1'));
  });
});

// What a run finds when it plans anew what the world overtook.

import { describe, expect, test } from 'vitest';
import { runPlan } from '../../src/sync/run.ts';
import { prepareSync } from '../../src/sync/sync.ts';
import { migratedDatabase, usualKinds } from '../databases.ts';
import { syncInput } from '../repository/input.ts';
import { document, makeClone } from './sides.ts';

describe.each(usualKinds)('what is planned anew with %s', (kind) => {
  test('and cannot be read any more is named', async () => {
    const connection = await migratedDatabase(kind);
    const { folder, write } = await makeClone(connection);
    await write({ 'a/SKILL.md': document('a') });
    const input = await syncInput(connection, folder, 'export');
    const prepared = await prepareSync(input);
    await connection.query(`insert into skills (skill_path, name, type) values ('a', 'a', 'tool')`);
    await connection.query(
      `insert into skill_files (skill_id, file_type, relative_path, filename, content)
       select skill_id, 'asset', '../x', 'x', '' from skills`,
    );
    const { plan, results } = await runPlan(input, prepared);
    const refused = results.flatMap((result) => (result.ok ? [] : [result.problem]));
    expect([...plan.problems, ...refused]).toMatchObject([{ reason: 'file-path-not-allowed', path: 'a' }]);
  });
});

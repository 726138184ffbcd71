// A writer who inserts a skill and what belongs to it in one statement.

import { expect, test } from 'vitest';
import { databaseKinds, migratedDatabase } from '../databases.ts';

test.each(databaseKinds)('a skill may come with its files in one statement, on %s', async (kind) => {
  const connection = await migratedDatabase(kind);
  await connection.query(
    `with s as (
       insert into skills (skill_path, name, description, type) values ('x', 'x', 'About x.', 'technical')
       returning skill_id
     )
     insert into skill_files (skill_id, file_type, relative_path, filename, content)
     select skill_id, 'script', 'run.sh', 'run.sh', 'text' from s`,
  );
  expect(
    await connection.query(
      `select s.name, f.relative_path as file, y.origin, y.revised_at is not null as dated,
         (select count(*)::integer from skill_revisions) as archived
       from skills s join skill_sync y using (skill_id) join skill_files f using (skill_id)`,
    ),
  ).toEqual([{ name: 'x', file: 'run.sh', origin: 'database', dated: true, archived: 0 }]);
});

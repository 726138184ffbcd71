import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';
import { migratedDatabase } from '../databases.ts';
import { schemaReference } from './schema.ts';

const file = path.join(projectRoot, 'docs/reference/schema.md');

test('docs/reference/schema.md says what each column is', async () => {
  const { page, faults } = await schemaReference(await migratedDatabase('postgres'));
  expect(faults).toEqual([]);
  // To write it anew: WRITE_REFERENCE=1 npx vitest run test/docs
  if (process.env['WRITE_REFERENCE']) await writeFile(file, page);
  expect(await readFile(file, 'utf8')).toBe(page);
});

test('each statement that it shows runs', async () => {
  const connection = await migratedDatabase('postgres');
  const statements = [...(await readFile(file, 'utf8')).matchAll(/^```sql\n(.*?)^```/gms)].flatMap(
    ([, block = '']) => block.split(/;\n/).filter(Boolean),
  );
  expect(statements.length).toBeGreaterThan(6);
  for (const statement of statements) await connection.query(statement);
  // What they wrote is noted.
  expect(await connection.query('select count(*)::integer as n from skill_revisions')).toEqual([{ n: 1 }]);
});

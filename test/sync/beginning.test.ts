import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { type DatabaseKind, migratedDatabase, usualKinds } from '../databases.ts';
import { type Clone, makeClone } from './sides.ts';

const text = `---
# told by hand
name: x
description: 'About x.'
license: MIT
---

# X

Does it.
`;

/** A library that an API filled, row by row as the values say, and a clone whose tree somebody else did. */
async function filledApart(
  kind: DatabaseKind,
  row: { readonly [column: string]: string | null },
  files: Parameters<Clone['write']>[0] = { 'x/SKILL.md': text },
  more: readonly string[] = [],
): Promise<Clone & { readonly connection: Connection }> {
  const connection = await migratedDatabase(kind);
  const columns = { skill_path: 'x', name: 'x', description: 'About x.', type: 'technical', ...row };
  await connection.query(
    `insert into skills (${Object.keys(columns).join(', ')})
     values (${Object.keys(columns)
       .map((_, place) => `$${place + 1}`)
       .join(', ')})`,
    Object.values(columns),
  );
  for (const statement of more) await connection.query(statement);
  const clone = await makeClone(connection);
  await clone.write(files);
  return { ...clone, connection };
}

async function rowOf(connection: Connection): Promise<{ readonly [column: string]: unknown }> {
  const [row] = await connection.query<{ row: { readonly [column: string]: unknown } }>(
    `select jsonb_build_object(
       'source', frontmatter_source, 'content', skill_content, 'type', type, 'status', status,
       'description', description, 'extra', extra,
       'keywords', (select coalesce(jsonb_agg(keyword order by keyword), '[]') from skill_keywords where skill_id = s.skill_id),
       'revisions', (select count(*) from skill_revisions where skill_id = s.skill_id)
     ) as row from skills s where skill_path = 'x'`,
  );
  return row?.row ?? {};
}

const source = text.slice(0, text.indexOf('\n\n# X') + 1);
const body = text.slice(source.length);
const idOfX = `(select skill_id from skills where skill_path = 'x')`;

describe.each(usualKinds)('a tree and a library on %s that were filled apart', (kind) => {
  test.each(['export', 'import', 'sync'] as const)(
    'agree where a document repeats its row: %s',
    async (direction) => {
      const { connection, run, files } = await filledApart(kind, { skill_content: body });
      const dry = await run(direction, { dryRun: true });
      expect([dry.plan.changes, dry.plan.conflicts, dry.plan.ahead, dry.plan.holds]).toEqual([
        [],
        [],
        [],
        [],
      ]);
      expect((await run(direction)).words).toEqual([]);
      expect(await files()).toEqual({ 'x/SKILL.md': text });
      expect(await rowOf(connection)).toMatchObject({
        source,
        content: body,
        status: 'draft',
        extra: { license: 'MIT' },
      });
      const again = await run('sync');
      expect([again.words, again.plan.unchanged]).toEqual([[], 1]);
    },
  );

  test.each([
    ['blank space around the body', { skill_content: body.trim() }],
    ['line ends', { skill_content: body.replaceAll('\n', '\r\n') }],
    ['a body that nobody stored', { skill_content: null }],
  ])('agree but for %s, and the history keeps what the row held', async (_, row) => {
    const { connection, run } = await filledApart(kind, row);
    expect((await run('sync')).words).toEqual([]);
    expect(await rowOf(connection)).toMatchObject({ source, content: body, revisions: 1 });
    const [revision] = await connection.query(
      'select frontmatter_source, skill_content from skill_revisions',
    );
    expect(revision).toEqual({ frontmatter_source: null, ...row });
  });

  test('differ in what only the row says: that goes into the file, and no other byte changes', async () => {
    const { connection, run, files } = await filledApart(
      kind,
      { skill_content: body, type: 'domain' },
      undefined,
      [`insert into skill_keywords (skill_id, keyword) values (${idOfX}, 'k')`],
    );
    expect((await run('export')).words).toEqual(['x: ahead -> files']);
    expect((await run('sync')).words).toEqual(['x: older -> files']);
    const more = 'metadata:\n  type: domain\n  keywords:\n    - k\n';
    expect(await files()).toEqual({ 'x/SKILL.md': text.replace('license: MIT\n', `license: MIT\n${more}`) });
    expect(await rowOf(connection)).toMatchObject({ type: 'domain', keywords: ['k'], content: body });
    expect((await run('sync')).plan.unchanged).toBe(1);
  });

  test.each([
    ['descriptions', { skill_content: body, description: 'Else.' }],
    ['bodies', { skill_content: '# X\n\nDoes not.\n' }],
    ['names', { skill_content: body, name: 'y' }],
  ])('are in conflict where both say something of %s, and nothing changes', async (_, row) => {
    const { connection, run, files } = await filledApart(kind, row);
    expect((await run('sync')).words).toEqual(['x: conflict no-base']);
    expect(await files()).toEqual({ 'x/SKILL.md': text });
    expect(await rowOf(connection)).toMatchObject({ source: null, content: row.skill_content });
  });

  test('agree where the library never got the attached files; other files are a conflict', async () => {
    const script = { 'x/SKILL.md': text, 'x/run.sh': 'true\n' };
    const without = await filledApart(kind, { skill_content: body }, script);
    expect((await without.run('sync')).words).toEqual([]);
    expect(await without.connection.query('select relative_path, content from skill_files')).toEqual([
      { relative_path: 'run.sh', content: 'true\n' },
    ]);
    const other = await filledApart(kind, { skill_content: body }, script, [
      `insert into skill_files (skill_id, relative_path, filename, file_type, content)
       values (${idOfX}, 'run.sh', 'run.sh', 'script', 'false')`,
    ]);
    expect((await other.run('sync')).words).toEqual(['x: conflict no-base']);
  });

  test('name one skill by its path, the other by its name', async () => {
    const naming = text.replace('license: MIT\n', 'license: MIT\nmetadata:\n  see_also: [other, not-here]\n');
    const { connection, run } = await filledApart(kind, { skill_content: body }, { 'x/SKILL.md': naming }, [
      `insert into skills (skill_path, name, description, type, status) values ('far/other', 'other', 'O.', 'tool', 'draft')`,
      `insert into skill_references (source_skill_id, target_skill_id)
       select ${idOfX}, skill_id from skills where name = 'other'`,
    ]);
    expect((await run('sync', { selects: (path) => path === 'x' })).words).toEqual([]);
    expect(await rowOf(connection)).toMatchObject({ source: naming.slice(0, naming.indexOf('\n\n# X') + 1) });
  });

  test('are two whole documents: the row keeps its shape, whoever edits it', async () => {
    const { connection, run, write, files } = await filledApart(kind, {
      skill_content: text,
      description: 'Told otherwise.',
      status: 'active',
    });
    expect((await run('sync')).words).toEqual([]);
    expect(await rowOf(connection)).toMatchObject({
      source: null,
      content: text,
      description: 'About x.',
      revisions: 1,
    });

    const edited = text.replace('Does it.', 'Does it well.');
    await write({ 'x/SKILL.md': edited });
    expect((await run('export')).words).toEqual(['x: edited -> database']);
    expect(await rowOf(connection)).toMatchObject({ source: null, content: edited });

    await connection.query(`update skills set description = 'Now so.'`);
    expect((await run('import')).words).toEqual(['x: edited -> files']);
    const described = edited.replace('About x.', 'Now so.');
    expect(await files()).toEqual({ 'x/SKILL.md': described });
    expect(await rowOf(connection)).toMatchObject({ source: null, content: described });

    const retold = described.replace('name: x\n', 'name: x\nversion: 3.0.0\n');
    await connection.query('update skills set skill_content = $1', [retold]);
    expect((await run('sync')).words).toEqual(['x: edited -> files']);
    expect(await files()).toEqual({ 'x/SKILL.md': retold });
    expect((await run('sync')).plan.unchanged).toBe(1);
  });

  test('and a whole document that no file repeats comes with what only its row says', async () => {
    const { connection, run, files } = await filledApart(
      kind,
      { skill_content: text, type: 'domain', status: 'active' },
      {},
    );
    expect((await run('import')).words).toEqual(['x: new -> files']);
    const imported = text.replace('license: MIT\n', 'license: MIT\nmetadata:\n  type: domain\n');
    expect(await files()).toEqual({ 'x/SKILL.md': imported });
    expect(await rowOf(connection)).toMatchObject({ source: null, content: imported, type: 'domain' });
    expect((await run('sync')).plan.unchanged).toBe(1);
  });
});

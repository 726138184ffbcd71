import { createHash } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { databaseKinds } from '../databases.ts';
import { document, makeSides } from '../sync/sides.ts';

const richPath = 'development/languages/python/rich';
const richBody = '# Rich\n\n## Capabilities\n\n- **Body**: said in the body\n- **Key**: said again\n';
const rich = document(
  'rich',
  richBody,
  `license: MIT
metadata:
  version: "2.1.0"
  type: tool
  weight: heavyweight
  load_priority: always
  status: deprecated
  skill_style: minimal
  scope: all of it
  keywords: two, one
  tags: [red, green]
  capabilities: ["Key: said in the key"]
  author: someone
`,
);

const text = '\ufeffUnix\nWindows\r\n\u00e9';
const binary = Buffer.from([0xff, 0x00, 0x5c, 0x78]);

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Every dependency and reference, as `from -> to (type, justification)`. */
async function links(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ link: string }>(
    `select source.skill_path || ' -> ' || target.skill_path || ' (' || concat_ws(', ', links.type, justification) || ')' as link
     from (
       select dependent_id as source_id, dependency_skill_id as target_id, dependency_type::text as type, justification
       from skill_dependencies
       union all
       select source_skill_id, target_skill_id, reference_type, null from skill_references
     ) links
     join skills source on source.skill_id = source_id
     join skills target on target.skill_id = target_id
     order by 1`,
  );
  return rows.map((row) => row.link);
}

/** The targets of a skill that are linked to nothing, as its row keeps them. */
async function unlinked(connection: Connection, skillPath: string): Promise<readonly string[]> {
  const rows = await connection.query<{ target: string }>(
    `select item ->> 'target' as target
     from skill_sync join skills using (skill_id), jsonb_array_elements(targets) as item
     where skill_path = $1 and item ->> 'skill_id' is null order by 1`,
    [skillPath],
  );
  return rows.map((row) => row.target);
}

/** A skill's categories: paths, `*` before the primary one. */
async function categoriesOf(connection: Connection, skillPath: string): Promise<readonly string[]> {
  const rows = await connection.query<{ category: string }>(
    `select case when is_primary then '*' else '' end || c.path as category
     from skill_categories join skills using (skill_id) join taxonomy_categories c using (category_id)
     where skill_path = $1 order by c.path`,
    [skillPath],
  );
  return rows.map((row) => row.category);
}

/** Every row that is about a skill, by a name for it, and which version of the row stands where. */
async function versions(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.query<{ row: string; version: string }>(
    `select concat_ws(' ', s.name, t.row) as row, concat_ws(' ', t.ctid, t.xmin) as version
     from (
       select skill_id, null as row, ctid, xmin from skills
       union all select skill_id, 'bookkeeping', ctid, xmin from skill_sync
       union all select skill_id, 'keyword ' || keyword, ctid, xmin from skill_keywords
       union all select skill_id, 'tag ' || tag, ctid, xmin from skill_tags
       union all select skill_id, 'capability ' || name, ctid, xmin from capabilities
       union all select skill_id, 'category ' || category_id, ctid, xmin from skill_categories
       union all select skill_id, 'file ' || relative_path, ctid, xmin from skill_files
       union all select dependent_id, 'needs ' || skill_path, d.ctid, d.xmin
         from skill_dependencies d join skills on skill_id = dependency_skill_id
       union all select source_skill_id, 'refers to ' || skill_path, r.ctid, r.xmin
         from skill_references r join skills on skill_id = target_skill_id
     ) t join skills s using (skill_id)
     order by 1`,
  );
  return new Map(rows.map(({ row, version }) => [row, version]));
}

describe.each(databaseKinds)('an export to %s', (kind) => {
  test('leaves a document in columns and relations', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({ [`${richPath}/SKILL.md`]: rich });
    await run('export');

    expect(
      await connection.query(
        `select skill_path, name, description, version, type, weight, load_priority, status, skill_style, scope,
           extra, frontmatter_source, skill_content, deleted_at, last_modified = created_at as unmodified,
           search_vector @@ 'rich' as found
         from skills`,
      ),
    ).toEqual([
      {
        skill_path: richPath,
        name: 'rich',
        description: 'About rich.',
        version: '2.1.0',
        type: 'tool',
        weight: 'heavyweight',
        load_priority: 'always',
        status: 'deprecated',
        skill_style: 'minimal',
        scope: 'all of it',
        extra: { license: 'MIT', metadata: { author: 'someone' } },
        frontmatter_source: rich.slice(0, -richBody.length),
        skill_content: richBody,
        deleted_at: null,
        unmodified: true,
        found: true,
      },
    ]);
    expect(await connection.query('select keyword, weight from skill_keywords order by 1')).toEqual([
      { keyword: 'one', weight: 1 },
      { keyword: 'two', weight: 1 },
    ]);
    expect(await connection.query('select tag from skill_tags order by 1')).toEqual([
      { tag: 'green' },
      { tag: 'red' },
    ]);
    expect(
      await connection.query('select name, description, sort_order from capabilities order by sort_order'),
    ).toEqual([
      { name: 'Key', description: 'said in the key', sort_order: 0 },
      { name: 'Body', description: 'said in the body', sort_order: 1 },
    ]);
  });

  test('leaves each file whole, with what tells it', async () => {
    const { connection, folder, write, run } = await makeSides(kind);
    await write({
      'x/SKILL.md': document('x'),
      'x/references/text.md': text,
      'x/scripts/run.sh': '#!/bin/sh\n',
      'x/assets/logo.bin': binary,
      'x/nil.txt': 'a\0b',
      'x/empty': '',
    });
    await chmod(path.join(folder, 'x/scripts/run.sh'), 0o755);
    await run('export');

    const row = (relative: string, type: string, content: string | Buffer, mode = '100644') => ({
      relative_path: relative,
      filename: path.basename(relative),
      file_type: type,
      content: typeof content === 'string' ? `.${content}` : null,
      binary_data: typeof content === 'string' ? null : content,
      file_mode: mode,
      file_size_bytes: Buffer.byteLength(content),
      checksum: sha256(content),
    });
    // A point before the text: the embedded database hands over none that begins with a BOM.
    expect(
      await connection.query(
        `select relative_path, filename, file_type, '.' || content as content, binary_data, file_mode,
           file_size_bytes, checksum
         from skill_files order by relative_path collate "C"`,
      ),
    ).toEqual([
      row('assets/logo.bin', 'asset', binary),
      row('empty', 'asset', ''),
      row('nil.txt', 'reference', Buffer.from('a\0b')),
      row('references/text.md', 'reference', text),
      row('scripts/run.sh', 'script', '#!/bin/sh\n', '100755'),
    ]);
  });

  test('again writes what changed, removes what went, and keeps keys', async () => {
    const { connection, folder, write, run } = await makeSides(kind);
    const linked = 'scope: none\ndependencies: [other, third]\nsee_also: [other, third]\n';
    const before = document(
      'rich',
      richBody,
      `${linked}keywords: one, two\ntags: red, green\ncapabilities: [Gone]\nversion: 2.1.0\nlicense: MIT\n`,
    );
    await write({
      [`${richPath}/SKILL.md`]: before,
      [`${richPath}/stays.md`]: 'stays',
      [`${richPath}/changes.md`]: 'first',
      [`${richPath}/turns.sh`]: 'same',
      [`${richPath}/goes.md`]: 'goes',
      'other/SKILL.md': before.replaceAll('rich', 'other'),
      'other/file.md': 'other',
      'third/SKILL.md': document('third'),
    });
    await run('export');
    const keys = `select skill_id, (select capability_id from capabilities c where c.skill_id = s.skill_id and name = 'Body'),
        (select file_id from skill_files f where f.skill_id = s.skill_id and relative_path = 'changes.md'),
        (select dependency_id from skill_dependencies join skills t on t.skill_id = dependency_skill_id
         where dependent_id = s.skill_id and t.name = 'third')
      from skills s where name = 'rich'`;
    const keysBefore = await connection.query(keys);
    const versionsBefore = await versions(connection);

    await write({
      [`${richPath}/SKILL.md`]: document(
        'rich',
        '## Capabilities\n\n- **Body**: said otherwise\n- **Key**: said again\n- **New**: came\n',
        'keywords: one, three\ntags: green, blue\ndependencies: [{path: third, type: conflict}]\nsee_also: [third]\n',
      ),
      [`${richPath}/changes.md`]: binary,
      [`${richPath}/comes.md`]: 'comes',
    });
    await chmod(path.join(folder, richPath, 'turns.sh'), 0o755);
    await rm(path.join(folder, richPath, 'goes.md'));
    await run('export');

    const versionsAfter = await versions(connection);
    const written = [...versionsAfter].filter(([row, version]) => versionsBefore.get(row) !== version);
    expect(written.map(([row]) => row).sort()).toEqual([
      'rich',
      'rich bookkeeping',
      'rich capability Body',
      'rich capability Key',
      'rich capability New',
      'rich file changes.md',
      'rich file comes.md',
      'rich file turns.sh',
      'rich keyword three',
      'rich needs third',
      'rich tag blue',
    ]);
    expect([...versionsBefore.keys()].filter((row) => !versionsAfter.has(row)).sort()).toEqual([
      'rich capability Gone',
      'rich file goes.md',
      'rich keyword two',
      'rich needs other',
      'rich refers to other',
      'rich tag red',
    ]);
    expect(await connection.query(keys)).toEqual(keysBefore);
    expect(
      await connection.query(`select version, scope, extra, skill_content from skills where name = 'rich'`),
    ).toEqual([{ version: '1.0.0', scope: null, extra: {}, skill_content: expect.stringContaining('came') }]);
    expect(
      await connection.query(
        `select c.name, c.description, sort_order from capabilities c join skills s using (skill_id)
         where s.name = 'rich' order by sort_order`,
      ),
    ).toEqual([
      { name: 'Body', description: 'said otherwise', sort_order: 0 },
      { name: 'Key', description: 'said again', sort_order: 1 },
      { name: 'New', description: 'came', sort_order: 2 },
    ]);
    expect(
      await connection.query(
        `select relative_path, content, binary_data, file_mode, file_size_bytes, checksum
         from skill_files f join skills s using (skill_id) where s.name = 'rich' and relative_path <> 'stays.md'
         order by 1`,
      ),
    ).toEqual(
      [
        { relative_path: 'changes.md', content: null, binary_data: binary, file_mode: '100644' },
        { relative_path: 'comes.md', content: 'comes', binary_data: null, file_mode: '100644' },
        { relative_path: 'turns.sh', content: 'same', binary_data: null, file_mode: '100755' },
      ].map((row) => {
        const bytes = row.binary_data ?? Buffer.from(row.content ?? '');
        return { ...row, file_size_bytes: bytes.length, checksum: sha256(bytes) };
      }),
    );
    expect(await links(connection)).toEqual(
      expect.arrayContaining([`${richPath} -> third (conflict)`, `${richPath} -> third (see_also)`]),
    );
  });

  test('finds the skills that a document names by path, then alias, then unique name', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({
      'path/SKILL.md': document('other-name'),
      'a/aliased/SKILL.md': document('path'),
      'a/named/SKILL.md': document('named'),
      'a/twice/SKILL.md': document('twice'),
      'b/twice/SKILL.md': document('twice'),
    });
    await run('export');
    await connection.query(
      `insert into skill_aliases (skill_id, alias_path)
       select skill_id, alias from skills, unnest(array['old/place', 'named']) as alias where skill_path = 'a/aliased'`,
    );
    await write({
      'from/SKILL.md': document(
        'from',
        '',
        `dependencies:
  - {path: path, type: recommended, justification: by path before name}
  - {path: old/place, type: conflict, justification: by alias}
  - {path: b/twice, justification: by path, where the name is not unique}
  - {path: twice}
  - {path: nowhere}
  - {path: from, justification: itself}
see_also: [other-name, path, named, {path: a/named, type: extends}, nowhere]
`.replaceAll(', where', ' where'),
      ),
    });
    await run('export');
    expect(await links(connection)).toEqual([
      'from -> a/aliased (conflict, by alias)',
      // By alias before name.
      'from -> a/aliased (see_also)',
      'from -> a/named (extends)',
      'from -> b/twice (required, by path where the name is not unique)',
      'from -> path (recommended, by path before name)',
      // Named twice, by name and by path: once.
      'from -> path (see_also)',
    ]);
    expect(await unlinked(connection, 'from')).toEqual(['nowhere', 'nowhere', 'twice']);
  });

  test('links what waited for a skill as soon as it arrives', async () => {
    const { connection, folder, write, run } = await makeSides(kind);
    await write({
      'from/SKILL.md': document('from', '', 'dependencies: [late, twice]\n'),
      'a/twice/SKILL.md': document('twice'),
      'b/twice/SKILL.md': document('twice'),
    });
    await run('export');
    expect(await links(connection)).toEqual([]);

    await write({ 'a/late/SKILL.md': document('late'), 'b/twice/SKILL.md': document('renamed') });
    expect((await run('export')).words).toEqual(['a/late: new -> database', 'b/twice: edited -> database']);
    expect(await links(connection)).toEqual(['from -> a/late (required)', 'from -> a/twice (required)']);
    expect((await run('sync')).words).toEqual([]);

    // Another writer deletes the target: that does not make its dependents edited.
    await connection.query(`delete from skills where skill_path = 'a/late'`);
    const { plan, words } = await run('sync');
    expect(words).toEqual(['a/late: hold deletion']);
    expect(plan.unchanged).toBe(3);
    expect(await links(connection)).toEqual(['from -> a/twice (required)']);
    expect(await unlinked(connection, 'from')).toEqual(['late']);

    await rm(path.join(folder, 'a/late'), { recursive: true });
    await write({ 'c/late/SKILL.md': document('late') });
    await run('export', { onConflict: 'edits' });
    expect(await links(connection)).toEqual(['from -> a/twice (required)', 'from -> c/late (required)']);
  });

  test('a link that is found later takes no edit of another writer for its own', async () => {
    const { connection, write, run, files } = await makeSides(kind);
    await write({
      'from/SKILL.md': document('from', '', 'dependencies: [late]\n'),
      'other/SKILL.md': document('other'),
    });
    await run('export');
    await connection.query(`update skills set description = 'Edited.' where name = 'from'`);
    await connection.query(
      `insert into skill_dependencies (dependent_id, dependency_skill_id)
       select f.skill_id, o.skill_id from skills f, skills o where f.name = 'from' and o.name = 'other'`,
    );
    await write({ 'late/SKILL.md': document('late') });
    await run('export');

    expect((await run('sync')).words).toEqual(['from: edited -> files']);
    expect((await files())['from/SKILL.md']).toBe(
      '---\nname: from\ndescription: Edited.\ndependencies: [late, other]\n---\n',
    );
    expect(await links(connection)).toEqual(['from -> late (required)', 'from -> other (required)']);
    expect((await run('sync')).words).toEqual([]);
  });

  test('puts each skill into one primary category, and says why', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({
      [`${richPath}/SKILL.md`]: rich,
      'stated/SKILL.md': document('stated', '', 'category: Python/Web_Apps/Flask\n'),
      'new-root/below/stands/SKILL.md': document('stands'),
      'kubernetes-pods/SKILL.md': document('kubernetes-pods'),
      'zzz/SKILL.md': document('zzz'),
    });
    await run('export');
    const chosen = await connection.query(
      `select s.name, c.path, y.category_reason as reason
       from skills s join skill_sync y using (skill_id)
       left join skill_categories sc on sc.skill_id = s.skill_id and sc.is_primary
       left join taxonomy_categories c using (category_id) order by s.name`,
    );
    expect(chosen).toEqual([
      {
        name: 'kubernetes-pods',
        path: 'operations/deployment/kubernetes',
        reason: 'name has "kubernetes"',
      },
      {
        name: 'rich',
        path: 'development/languages/python',
        reason: 'folder "development/languages/python"',
      },
      { name: 'stands', path: 'new-root/below', reason: 'folder "new-root/below"' },
      {
        name: 'stated',
        path: 'development/languages/python/web-apps/flask',
        reason: 'document\'s category "python" is part of development/languages/python',
      },
      { name: 'zzz', path: null, reason: null },
    ]);
    expect(
      await connection.query(
        `select c.path, c.name, c.level, p.path as parent,
           (select string_agg(a.path || ' ' || t.depth, ', ' order by t.depth) from taxonomy_closure t
            join taxonomy_categories a on a.category_id = t.ancestor_id where t.descendant_id = c.category_id) as above
         from taxonomy_categories c left join taxonomy_categories p on p.category_id = c.parent_id
         where c.path like 'new-root%' or c.path like '%/web-apps%' order by 1`,
      ),
    ).toEqual([
      {
        path: 'development/languages/python/web-apps',
        name: 'Web apps',
        level: 3,
        parent: 'development/languages/python',
        above:
          'development/languages/python/web-apps 0, development/languages/python 1, development/languages 2, development 3',
      },
      {
        path: 'development/languages/python/web-apps/flask',
        name: 'Flask',
        level: 4,
        parent: 'development/languages/python/web-apps',
        above:
          'development/languages/python/web-apps/flask 0, development/languages/python/web-apps 1, development/languages/python 2, development/languages 3, development 4',
      },
      { path: 'new-root', name: 'New root', level: 0, parent: null, above: 'new-root 0' },
      {
        path: 'new-root/below',
        name: 'Below',
        level: 1,
        parent: 'new-root',
        above: 'new-root/below 0, new-root 1',
      },
    ]);
  });

  test('moves a skill to another category, and leaves those that someone else gave it', async () => {
    const { connection, write, run } = await makeSides(kind);
    await write({ 'x/SKILL.md': document('x', '', 'category: data/ml\n') });
    await run('export');
    await connection.query(
      `insert into skill_categories (skill_id, category_id)
       select skill_id, category_id from skills, taxonomy_categories where path in ('data/analytics', 'research')`,
    );
    const moves: readonly (readonly [frontmatter: string, categories: readonly string[]])[] = [
      ['category: communication\n', ['*communication', 'data/analytics', 'research']],
      ['category: data/analytics\n', ['*data/analytics', 'research']],
      ['', ['research']],
    ];
    for (const [frontmatter, categories] of moves) {
      await write({ 'x/SKILL.md': document('x', '', frontmatter) });
      expect((await run('export')).words).toEqual(['x: edited -> database']);
      expect(await categoriesOf(connection, 'x')).toEqual(categories);
    }
  });

  test('fills the closure of categories that another program made', async () => {
    const { connection, write, run } = await makeSides(kind);
    await connection.query(
      `with root as (insert into taxonomy_categories (path, name) values ('theirs', 'Theirs') returning category_id)
       insert into taxonomy_categories (path, name, parent_id, level) select 'theirs/below', 'Below', category_id, 1 from root`,
    );
    await write({ 'theirs/below/newer/x/SKILL.md': document('x') });
    await run('export');
    expect(
      await connection.query(
        `select d.path as below, a.path as above, depth from taxonomy_closure t
         join taxonomy_categories d on d.category_id = t.descendant_id
         join taxonomy_categories a on a.category_id = t.ancestor_id
         where d.path like 'theirs%' order by 1, 3`,
      ),
    ).toEqual([
      { below: 'theirs', above: 'theirs', depth: 0 },
      { below: 'theirs/below', above: 'theirs/below', depth: 0 },
      { below: 'theirs/below', above: 'theirs', depth: 1 },
      { below: 'theirs/below/newer', above: 'theirs/below/newer', depth: 0 },
      { below: 'theirs/below/newer', above: 'theirs/below', depth: 1 },
      { below: 'theirs/below/newer', above: 'theirs', depth: 2 },
    ]);
  });
});

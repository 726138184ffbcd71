// Verify: whatever single thing is not as it should be is named, alone; where nothing is wrong nothing is said.

import { chmod, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { nodeDisk } from '../../src/disk.ts';
import type { Difference } from '../../src/replica.ts';
import { type Connection, inTransaction } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import { pruneRevisions } from '../../src/repository/prune.ts';
import { type Verified, verifySides } from '../../src/sync/verify.ts';
import { compileMapping } from '../../src/taxonomy/infer.ts';
import { adopt, everyStatus, teamLibrary } from '../adoption/adopted.ts';
import { usualKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { runs } from '../runs.ts';
import { type Clone, document, makeClone, makeSides } from './sides.ts';

type Sides = Pick<Clone, 'folder'> & { readonly connection: Connection };

interface Found extends Verified {
  readonly differences: readonly Difference[];
}

async function verify({ folder, connection }: Sides): Promise<Found> {
  const stateDirectory = path.join(path.dirname(folder), '.skill-fleet');
  const files = await openDirectory({
    root: folder,
    disk: nodeDisk,
    ignore: [],
    limits: defaultLimits,
    trash: path.join(stateDirectory, 'trash'),
  });
  if (!files.ok) throw new Error(files.problem.reason);
  const differences: Difference[] = [];
  const verified = await verifySides(
    {
      run: { direction: 'sync', who: 'tester', host: 'test', directory: files.value.root },
      files: files.value,
      database: new Database(connection, compileMapping([])),
      databaseName: connection.database,
      disk: nodeDisk,
      stateDirectory,
      selects: () => true,
      statuses: null,
      policy: { force: false, onConflict: 'fail', deletes: false, maxDelete: 0, yes: true },
    },
    (difference) => differences.push(difference),
  );
  return { ...verified, differences };
}

/** Each difference in a few words. */
async function wordsOf(sides: Sides): Promise<readonly string[]> {
  const { differences, problems } = await verify(sides);
  return [...differences.map(inWords), ...problems.map(({ reason }) => `problem ${reason}`)];
}

function inWords(difference: Difference): string {
  if (difference.what === 'blob') return 'blob';
  if ('of' in difference) return `${difference.what} ${difference.of}`;
  if (difference.what === 'deleted') return `${difference.path}: deleted`;
  const { what, path: skill, ...rest } = difference;
  return [`${skill}:`, what, ...Object.values(rest).flat()].join(' ');
}

/** What verify says of a database where `sql` was run behind the triggers' back; it is as before then. */
async function wordsAfter(sides: Sides, sql: string): Promise<readonly string[]> {
  return (await foundAfter(sides, sql, () => wordsOf(sides))) ?? [];
}

async function foundAfter<T>({ connection }: Sides, sql: string, look: () => Promise<T>): Promise<T> {
  const enough = new Error('enough');
  let found: { readonly value: T } | undefined;
  await inTransaction(connection, 'read write', async () => {
    await connection.query(`set local session_replication_role = replica; ${sql}`);
    found = { value: await look() };
    throw enough;
  }).catch((error) => {
    if (error !== enough) throw error;
  });
  if (!found) throw new Error('nothing was looked at');
  return found.value;
}

const rich = (body: string) => `---
name: rich
description: Has all there is.
license: MIT
allowed-tools: Read
metadata:
  version: 2.0.0
  category: house/own
  keywords: [one, two]
  tags: [red]
  capabilities: [{name: Does, description: This.}]
  dependencies: [plain]
  see_also: [other]
  aliases: [old/rich]
  facets: {level: high}
---
${body}`;

/** A library with all that a row can have, and a history. */
async function makeLibrary(sides: Clone): Promise<void> {
  await sides.write({
    'rich/SKILL.md': rich('# One\n'),
    'rich/notes.txt': 'Notes.\n',
    'rich/kept.txt': 'Kept.\n',
    'rich/data.bin': Buffer.from([0, 255, 10]),
    'plain/SKILL.md': document('plain', '# plain\r\n'),
    'other/SKILL.md': 'No frontmatter here.\n',
  });
  await sides.run('sync');
  await sides.write({
    'rich/SKILL.md': rich('# Two\n'),
    'rich/notes.txt': 'More.\n',
    'rich/data.bin': Buffer.from([0, 254]),
  });
  await sides.run('sync');
}

const id = `(select skill_id from skills where skill_path = 'rich')`;
const ofRich = `where skill_id = ${id}`;
const file = (name: string) => `${ofRich} and relative_path = '${name}'`;

/** What is done behind the triggers' back, and what verify says. */
const flips: readonly (readonly [sql: string, ...words: string[]])[] = [
  [
    `update skills set skill_content = overlay(skill_content placing 'x' from 3) ${ofRich}`,
    'rich: document SKILL.md',
  ],
  [`update skills set skill_content = skill_content || ' ' ${ofRich}`, 'rich: document SKILL.md'],
  [
    `update skills set frontmatter_source = replace(frontmatter_source, 'all there', 'All there') ${ofRich}`,
    'rich: document SKILL.md',
  ],
  [`update skill_sync set document_mode = '100755' ${ofRich}`, 'rich: executable SKILL.md'],
  [`update skill_files set content = 'more.' || chr(10) ${file('notes.txt')}`, 'rich: file notes.txt'],
  [`update skill_files set content = 'kept.' || chr(10) ${file('kept.txt')}`, 'rich: file kept.txt'],
  [`update skill_files set binary_data = '\\x00ff' ${file('data.bin')}`, 'rich: file data.bin'],
  [`update skill_files set file_mode = '100755' ${file('data.bin')}`, 'rich: executable data.bin'],
  [`delete from skill_files ${file('notes.txt')}`, 'rich: file notes.txt database'],
  [
    `insert into skill_files (skill_id, relative_path, filename, file_type, content) values (${id}, 'b', 'b', 'asset', '')`,
    'rich: file b files',
  ],
  [`update skill_files set checksum = repeat('0', 64) ${file('notes.txt')}`, 'rich: digest notes.txt'],
  [`update skill_sync set digest = repeat('0', 64) ${ofRich}`, 'rich: digest'],
  [`delete from skills where skill_path = 'plain'`, 'plain: skill database', 'rich: column dependencies'],
  [
    `update skills set skill_path = 'there' where skill_path = 'plain'`,
    'plain: skill database',
    'there: skill files',
  ],
  ...(
    [
      ['name', `'poor'`],
      ['description', `'Has.'`],
      ['version', `'2.0.1'`],
      ['type', `'domain'`],
      ['weight', `'heavyweight'`],
      ['load_priority', `'always'`],
      ['status', `'draft'`],
      ['skill_style', `'minimal'`],
      ['scope', `'ours'`],
      ['extra', `'{"license": "BSD"}'`],
    ] as const
  ).map(
    ([column, value]) =>
      [`update skills set ${column} = ${value} ${ofRich}`, `rich: column ${column}`] as const,
  ),
  [`update skill_categories set is_primary = false ${ofRich}`, 'rich: column category'],
  [`update taxonomy_categories set path = 'house/other' where path = 'house/own'`, 'rich: column category'],
  [`delete from skill_keywords ${ofRich} and keyword = 'one'`, 'rich: column keywords'],
  [`update skill_tags set tag = 'blue' ${ofRich}`, 'rich: column tags'],
  [`update capabilities set description = 'That.' ${ofRich}`, 'rich: column capabilities'],
  [
    `update skill_dependencies set dependency_type = 'conflict' where dependent_id = ${id}`,
    'rich: column dependencies',
  ],
  [`delete from skill_references where source_skill_id = ${id}`, 'rich: column references'],
  [`delete from skill_aliases ${ofRich}`, 'rich: column aliases'],
  [`update skill_facets set facet_value = 'low' ${ofRich}`, 'rich: column facets'],
  [
    `insert into skill_allowed_tools (skill_id, tool_name) values (${id}, 'Write')`,
    'rich: column allowed_tools',
  ],
  // What was noted of the index is changed with it: the document alone tells.
  [
    `update skills set description = 'Has.' ${ofRich};
     update skill_sync set indexed = jsonb_set(indexed, '{description}', '"Has."') ${ofRich}`,
    'rich: column description',
  ],
  [`update skill_sync set indexed = jsonb_set(indexed, '{scope}', '"ours"') ${ofRich}`, 'rich: column scope'],
  [`update skill_sync set targets = '[]' ${ofRich}`, 'rich: column targets'],
  [`update skill_blobs set bytes = 'x' where bytes = 'Notes.\n'`, 'blob'],
  [`delete from skill_blobs where bytes = 'Notes.\n'`, 'rich: revision contents'],
  [`update skill_revisions set skill_content = '# one' ${ofRich}`, 'rich: revision digest'],
  [`update skill_revisions set document_mode = '100755' ${ofRich}`, 'rich: revision digest'],
  [`update skill_revisions set digest = repeat('0', 64) ${ofRich}`, 'rich: revision digest'],
  [
    `update skill_revisions set files = replace(files::text, 'notes.txt', 'Notes.txt')::jsonb ${ofRich}`,
    'rich: revision digest',
  ],
];

const ofGone = `where skill_path = 'gone'`;
const gone = `(select skill_id from skills ${ofGone})`;
const way = (from: string, to: string) =>
  `(ancestor_id, descendant_id) = (select a.skill_id, d.skill_id from skills a, skills d
   where (a.skill_path, d.skill_path) = ('${from}', '${to}'))`;

/** The same of what follows from other tables, and of a deleted skill. */
const derivedFlips: typeof flips = [
  [`update skill_files set file_size_bytes = 6 ${file('kept.txt')}`],
  [`update skill_files set file_size_bytes = 5 ${file('kept.txt')}`, 'rich: size kept.txt'],
  [`update tag_stats set usage_count = 3 where tag = 'red'`, 'tag_stats red'],
  [`delete from tag_stats where tag = 'red'`, 'tag_stats red'],
  [`delete from dependency_closure where ${way('top', 'rich')}`, 'dependency_closure top'],
  [`delete from dependency_closure where ${way('top', 'plain')}`, 'dependency_closure top'],
  [`update dependency_closure set min_depth = 1 where ${way('top', 'plain')}`, 'dependency_closure top'],
  [`update dependency_closure set min_depth = 3 where ${way('top', 'plain')}`, 'dependency_closure top'],
  [
    `update dependency_closure set dependency_types = '{conflict,required}' where ${way('top', 'plain')}`,
    'dependency_closure top',
  ],
  [
    `insert into dependency_closure (ancestor_id, descendant_id, min_depth, dependency_types)
     select a.skill_id, d.skill_id, 1, '{required}' from skills a, skills d
     where a.skill_path = 'plain' and d.skill_path = 'other'`,
    'dependency_closure plain',
  ],
  [
    `delete from taxonomy_closure where depth = 1
     and descendant_id = (select category_id from taxonomy_categories where path = 'house/own')`,
    'taxonomy_closure house/own',
  ],
  [`update taxonomy_categories set parent_id = null where path = 'house/own'`, 'taxonomy_closure house/own'],
  [`update skills set skill_content = '# one' ${ofGone}`, 'gone: deleted'],
  [`update skill_sync set document_mode = '100755' where skill_id = ${gone}`, 'gone: deleted'],
  [`update skill_files set content = 'x' where skill_id = ${gone}`, 'gone: deleted'],
  [`update skill_files set file_mode = '100755' where skill_id = ${gone}`, 'gone: deleted'],
  [`update skills set deleted_at = null ${ofGone}`, 'gone: deleted'],
  [`update skills set performance_stats = '{}' ${ofGone}`],
];

/** Revisions are told by numbers that depend on the run. */
function withoutNumbers(words: readonly string[]): readonly string[] {
  return words.map((word) => word.replace(/revision \d+ /, 'revision '));
}

describe.each(usualKinds)('verify on %s', (kind) => {
  test('names what was changed behind the triggers, that alone, and nothing before and after', async () => {
    const sides = await makeSides(kind);
    await makeLibrary(sides);
    expect(await verify(sides)).toEqual({
      differences: [],
      problems: [],
      skills: 3,
      files: 6,
      bytes: Buffer.byteLength(
        `${rich('# Two\n')}More.\nKept.\n..${document('plain', '# plain\r\n')}No frontmatter here.\n`,
      ),
      revisions: 1,
      blobs: 2,
    });
    const found: (readonly string[])[] = [];
    for (const [sql] of flips) found.push([sql, ...withoutNumbers(await wordsAfter(sides, sql))]);
    expect(found).toEqual(flips);
    expect(await wordsOf(sides)).toEqual([]);
  });

  test('names what does not follow from other tables, and a deleted skill that is not what it was', async () => {
    const sides = await makeSides(kind);
    await makeLibrary(sides);
    await sides.write({
      'top/SKILL.md': document('top', '', 'dependencies: [rich]\ntags: [red]\n'),
      'gone/SKILL.md': document('gone', '', 'tags: [red]\ndependencies: [top]\n'),
      'gone/b.txt': 'B.\n',
    });
    await sides.run('sync');
    await rm(path.join(sides.folder, 'gone'), { recursive: true });
    await sides.run('sync', { deletes: true });
    expect(await wordsOf(sides)).toEqual([]);
    const found: (readonly string[])[] = [];
    for (const [sql] of derivedFlips) found.push([sql, ...withoutNumbers(await wordsAfter(sides, sql))]);
    expect(found).toEqual(derivedFlips);
  });

  test("leaves to the next sync what follows from others' edits", async () => {
    const sides = await makeSides(kind);
    const { connection } = sides;
    await makeLibrary(sides);
    await sides.write({ 'top/SKILL.md': document('top', '', 'dependencies: [rich]\ntags: [red]\n') });
    await sides.run('sync');
    await connection.query(`insert into skill_tags (skill_id, tag) values (${id}, 'blue')`);
    await connection.query(`delete from skill_tags where skill_id = ${id} and tag = 'red'`);
    await connection.query(
      `insert into skill_dependencies (dependent_id, dependency_skill_id)
       select p.skill_id, o.skill_id from skills p, skills o where (p.skill_path, o.skill_path) = ('plain', 'other')`,
    );
    await connection.query(
      `with new_category as (insert into taxonomy_categories (path, name) values ('new', 'New') returning category_id)
       update skill_categories set category_id = (select category_id from new_category) where skill_id = ${id}`,
    );
    expect(await wordsOf(sides)).toEqual([
      'plain: document SKILL.md database',
      'rich: document SKILL.md database',
    ]);
    await sides.run('sync');
    expect(await wordsOf(sides)).toEqual([]);
  });

  test('says nothing where nothing is wrong', async () => {
    const sides = await makeSides(kind);
    const { connection } = sides;
    await makeLibrary(sides);
    await sides.write({
      'plain/nested/SKILL.md': document('nested', '# nested\n', 'status: draft\nunknown: [1.0, -0, 1e3]\n'),
      'plain/.skillfleetignore': 'out/\n',
      'plain/out/built.txt': 'Built.\n',
      'plain/.env': 'SECRET=1\n',
      'gone/SKILL.md': document('gone', '# gone\n', 'tags: red\n'),
      'before/SKILL.md': document('before', `# before\n${'Long. '.repeat(20)}\n`),
      'silent/SKILL.md': `---\ndescription: Its name is the folder's.\n---\n${'Words. '.repeat(20)}\n`,
      'long/SKILL.md': document(
        'n'.repeat(80),
        '# long\n',
        `tags: [${'t'.repeat(80)}]\nsee_also: [nobody, gone]\n`,
      ),
      'bom/SKILL.md': `\ufeff${document('bom').replaceAll('\n', '\r\n')}`,
    });
    await sides.run('sync');
    await connection.query(
      `insert into skills (skill_path, name, description, type) values ('kept/there', 'there', 'Draft.', 'technical')`,
    );
    await connection.query(`update skills set description = 'Theirs.' where skill_path = 'rich'`);
    await connection.query(`insert into skill_keywords (skill_id, keyword) values (${id}, 'three')`);
    await connection.query(`update skill_files set content = 'Theirs.' where relative_path = 'notes.txt'`);
    await sides.run('sync');
    await connection.query(`update skills set skill_path = 'plain/after' where skill_path = 'before'`);
    await rm(path.join(sides.folder, 'gone'), { recursive: true });
    await sides.write({ 'loud/SKILL.md': await readFile(path.join(sides.folder, 'silent/SKILL.md')) });
    await rm(path.join(sides.folder, 'silent'), { recursive: true });
    await sides.run('sync', { deletes: true, yes: true });
    expect((await sides.run('sync')).words).toEqual([]);
    expect(await wordsOf(sides)).toEqual([]);
    await pruneRevisions(connection, { keepLast: 0, keepDays: 0 });
    expect(await wordsOf(sides)).toEqual([]);
    // A row that no sync takes part in is read all the same.
    await connection.query(`update skills set status = 'active' where name = 'there'`);
    expect(await wordsOf(sides)).toEqual(['kept/there: skill files']);
  });

  test('says nothing of an adopted library that was synced', async () => {
    const { connection } = await teamLibrary(kind);
    await adopt(connection);
    const clone = await makeClone(connection);
    await clone.run('import', everyStatus);
    await clone.run('sync', everyStatus);
    const found = await verify({ folder: clone.folder, connection });
    expect([found.differences, found.problems, found.skills]).toEqual([[], [], 7]);
  });
});

describe('verify', () => {
  const edits: readonly (readonly [
    what: string,
    edit: (folder: string) => Promise<unknown>,
    word: string,
  ])[] = [
    ['a byte', (to) => writeFiles(to, { 'rich/kept.txt': 'kept.\n' }), 'rich: file kept.txt files'],
    [
      'a byte of a document',
      (to) => writeFiles(to, { 'other/SKILL.md': 'No frontmatter there.\n' }),
      'other: document SKILL.md files',
    ],
    ['a bit', (to) => chmod(path.join(to, 'rich/data.bin'), 0o755), 'rich: executable data.bin files'],
    ['a file more', (to) => writeFiles(to, { 'rich/more.txt': '' }), 'rich: file more.txt database files'],
    ['a file less', (to) => rm(path.join(to, 'rich/kept.txt')), 'rich: file kept.txt files files'],
    ['a skill more', (to) => writeFiles(to, { 'a/SKILL.md': document('a') }), 'a: skill database'],
    ['a skill less', (to) => rm(path.join(to, 'plain'), { recursive: true }), 'plain: skill files'],
    [
      'what cannot be read',
      (to) => writeFiles(to, { 'plain/SKILL.md': '---\nname: never closes\n' }),
      'problem frontmatter-never-closes',
    ],
  ];
  test.each(edits)('names what was changed in the files: %s', async (_, edit, word) => {
    const sides = await makeSides('postgres');
    await makeLibrary(sides);
    await edit(sides.folder);
    expect(await wordsOf(sides)).toEqual([word]);
  });

  test('tells which sides were edited since both agreed', async () => {
    const sides = await makeSides('postgres');
    await makeLibrary(sides);
    await sides.connection.query(
      `update skills set skill_content = 'Theirs.' where skill_path in ('rich', 'plain')`,
    );
    await sides.write({ 'rich/SKILL.md': rich('# Mine\n'), 'other/SKILL.md': 'Mine.\n' });
    expect(await wordsOf(sides)).toEqual([
      'other: document SKILL.md files',
      'plain: document SKILL.md database',
      'rich: document SKILL.md files database',
    ]);
  });

  test('takes a row that never had a stored text for what it is', async () => {
    const { connection } = await teamLibrary('postgres');
    await adopt(connection);
    const clone = await makeClone(connection);
    await clone.run('import', everyStatus);
    const other = await makeClone(connection);
    await other.run('import', everyStatus);
    await connection.query('update skill_sync set digest_revision = null');
    expect(await wordsOf({ folder: other.folder, connection })).toEqual([]);
  });

  test('finds one byte among 2,000 skills, of which it never reads more than a batch at once', async () => {
    const sides = await makeSides('postgres');
    const large = Buffer.alloc(1 << 20, 'x');
    await sides.write(
      Object.fromEntries(
        Array.from({ length: 2000 }, (_, number) => [`s${number}/SKILL.md`, document(`s${number}`)]).concat(
          Array.from({ length: 24 }, (_, number) => [`s${1000 + number}/large.txt`, `${large}`]),
        ),
      ),
    );
    await sides.run('sync');
    const answers: { readonly rows: number; readonly bytes: number }[] = [];
    const connection: Connection = {
      ...sides.connection,
      query: async <Row>(text: string, values?: readonly unknown[]) => {
        const rows = await sides.connection.query<Row>(text, values);
        // What opens and ends a transaction answers nothing.
        const bytes = (rows ?? [])
          .flatMap((row) => Object.values(row as object))
          .reduce((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
        if (text.includes('skill_content') || text.includes('binary_data')) {
          answers.push({ rows: rows.length, bytes });
        }
        return rows;
      },
    };
    expect(await verify({ ...sides, connection })).toMatchObject({
      differences: [],
      skills: 2000,
      files: 2024,
    });
    expect(answers.length).toBeGreaterThan(20);
    expect(Math.max(...answers.map(({ bytes }) => bytes))).toBeLessThanOrEqual(8.5 * (1 << 20));
    const flip = `update skill_files set content = overlay(content placing 'y' from 777777 for 1)
      where skill_id = (select skill_id from skills where skill_path = 's1012')`;
    expect(await wordsAfter(sides, flip)).toEqual(['s1012: file large.txt']);
  });

  test('names any character or byte that is not what it was', async () => {
    const place = fc.nat();
    await fc.assert(
      fc.asyncProperty(
        generatedSkills,
        fc.array(fc.tuple(place, place, place), { minLength: 12, maxLength: 12 }),
        async (skills, flipped) => {
          const sides = await makeSides('postgres');
          await sides.write(filesOf(skills, 'One'));
          await sides.run('sync');
          await sides.write(filesOf(skills, 'Two'));
          await sides.run('sync');
          expect(await wordsOf(sides)).toEqual([]);
          for (const [which, row, at] of flipped) {
            const found = await foundOfFlip(sides, which, row, at);
            if (found) expect(found.words).toEqual([found.expected]);
          }
          await flipFile(sides, flipped[0] ?? [0, 0, 0]);
        },
      ),
      { numRuns: runs(4) },
    );
  });
});

interface GeneratedSkill {
  readonly body: string;
  readonly text: string;
  readonly binary: Uint8Array;
}

const generatedSkills = fc.array(
  fc.record({
    body: fc.string({ unit: 'grapheme', maxLength: 20 }),
    text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    binary: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function filesOf(
  skills: readonly GeneratedSkill[],
  version: string,
): { readonly [file: string]: string | Buffer } {
  return Object.fromEntries(
    skills.flatMap(({ body, text, binary }, place) => [
      [
        `s${place}/SKILL.md`,
        document(`s${place}`, `${version} ${body}`, `keywords: [one, two]\nversion: 1.2.3\n`),
      ],
      [`s${place}/text.txt`, `${version} ${text}`],
      // No text begins like this.
      [
        `s${place}/data.bin`,
        Buffer.concat([Buffer.from([255, version.length]), binary, Buffer.from(version)]),
      ],
    ]),
  );
}

/** What verify says of a flip in each column, of the skill at a path. */
const columns: readonly (readonly [table: string, column: string, word: (skill: string) => string])[] = [
  ['skills', 'skill_content', (skill) => `${skill}: document SKILL.md`],
  ['skills', 'frontmatter_source', (skill) => `${skill}: document SKILL.md`],
  ['skills', 'name', (skill) => `${skill}: column name`],
  ['skills', 'description', (skill) => `${skill}: column description`],
  ['skills', 'version', (skill) => `${skill}: column version`],
  ['skill_keywords', 'keyword', (skill) => `${skill}: column keywords`],
  ['skill_sync', 'digest', (skill) => `${skill}: digest`],
  ['skill_files', 'content', (skill) => `${skill}: file text.txt`],
  ['skill_files', 'binary_data', (skill) => `${skill}: file data.bin`],
  ['skill_revisions', 'skill_content', (skill) => `${skill}: revision digest`],
  ['skill_revisions', 'frontmatter_source', (skill) => `${skill}: revision digest`],
  ['skill_revisions', 'digest', (skill) => `${skill}: revision digest`],
  ['skill_blobs', 'bytes', () => 'blob'],
];

/** Flips a character, or a bit, of one value behind the triggers' back. Undefined where there is no such value. */
async function foundOfFlip(sides: Sides, which: number, row: number, at: number) {
  const { connection } = sides;
  const [table, column, word] = columns[which % columns.length] ?? columns[0] ?? [];
  if (!table || !column || !word) throw new Error('no columns');
  const isOfSkill = table !== 'skill_blobs';
  const values = await connection.query<{ place: string; length: number; skill: string }>(
    `select t.ctid::text as place, length(t.${column}) as length, ${isOfSkill ? 's.skill_path' : `''`} as skill
     from ${table} t ${isOfSkill ? 'join skills s using (skill_id)' : ''} where length(t.${column}) > 0 order by t.ctid`,
  );
  const value = values[row % values.length];
  if (!value) return undefined;
  const from = at % value.length;
  const isBytes = ['binary_data', 'bytes'].includes(column);
  const flipped = isBytes
    ? `set_byte(${column}, ${from}, get_byte(${column}, ${from}) # 1)`
    : `overlay(${column} placing case substr(${column}, ${from + 1}, 1) when '0' then '1' else '0' end from ${from + 1} for 1)`;
  const words = await wordsAfter(
    sides,
    `update ${table} set ${column} = ${flipped} where ctid = '${value.place}'`,
  );
  return { words: withoutNumbers(words), expected: word(value.skill) };
}

/** Flips a bit of any file: it is named, as what differs or as what cannot be read any more. */
async function flipFile(
  sides: Clone & Sides,
  [which, at, bit]: readonly [number, number, number],
): Promise<void> {
  const names = Object.keys(await sides.files()).filter((name) => !name.startsWith('.'));
  const name = names[which % names.length] ?? '';
  const bytes = await readFile(path.join(sides.folder, name));
  const flipped = Buffer.from(bytes);
  flipped[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << (bit % 8));
  await sides.write({ [name]: flipped });
  const { differences, problems } = await verify(sides);
  const [skill, file] = name.split('/');
  expect([...differences, ...problems]).toEqual([
    expect.objectContaining(problems.length > 0 ? { path: skill } : { path: skill, file, edited: ['files'] }),
  ]);
}

// What triggers, rules and row-level security of others make of what a run writes.

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { statuses } from '../../src/skill/status.ts';
import { type DatabaseKind, usualKinds } from '../databases.ts';
import { type Clone, document, makeClone, makeSides, type RunOutcome } from '../sync/sides.ts';

/** A trigger of someone else. Its function is a body; what fires it goes before `on TABLE`. */
function trigger(when: string, table: string, body: string, suffix = ''): string {
  const kind = suffix === '' ? 'trigger' : 'constraint trigger';
  return `create function theirs() returns trigger language plpgsql as $$ begin ${body} end $$;
    create ${kind} theirs ${when} on ${table} ${suffix} for each row execute function theirs()`;
}

type Sides = Clone & { readonly connection: Connection };

/** Skills a and b, with attached files, and d; then a and b edited, c new, d gone. */
async function edited(kind: DatabaseKind): Promise<Sides> {
  const sides = await makeSides(kind);
  await sides.write({
    'a/SKILL.md': document('a'),
    'a/notes.txt': 'Notes.\n',
    'a/old.txt': 'Old.\n',
    'b/SKILL.md': document('b'),
    'd/SKILL.md': document('d'),
  });
  await sides.run('export');
  await sides.write({
    'a/SKILL.md': document('a', 'Edited.\n', 'license: MIT\n'),
    'a/notes.txt': 'Edited.\n',
    'b/SKILL.md': document('b', 'Edited.\n'),
    'c/SKILL.md': document('c', 'New.\n', 'license: MIT\n'),
    'c/tool.sh': 'New.\n',
  });
  await rm(path.join(sides.folder, 'a/old.txt'));
  await rm(path.join(sides.folder, 'd'), { recursive: true });
  return sides;
}

/** What the database holds of each skill, by path. */
async function held(connection: Connection): Promise<ReadonlyMap<string, unknown>> {
  const rows = await connection.query<{ skill_path: string }>(
    `select s.skill_path, s.frontmatter_source, s.skill_content, s.description, s.deleted_at is null as stands,
       y.revision, y.digest, y.digest_revision,
       (select jsonb_agg(jsonb_build_array(f.relative_path, f.file_mode, f.content) order by f.relative_path)
        from skill_files f where f.skill_id = s.skill_id) as files
     from skills s left join skill_sync y using (skill_id)`,
  );
  return new Map(rows.map((row) => [row.skill_path, row]));
}

/** The skills that the run says the database did not keep, and what of them. */
function unkept({ results }: RunOutcome): unknown {
  return Object.fromEntries(
    results.flatMap((result) =>
      result.ok
        ? []
        : [
            [
              result.change.path,
              result.problem.reason === 'not-kept' ? result.problem.differs : result.problem.reason,
            ],
          ],
    ),
  );
}

const edits = { force: true, deletes: true, yes: true } as const;
const theirs = 'drop function theirs cascade';

/** What others have put into the database, and what a run then says of each skill that it did not keep. */
const refusing: readonly (readonly [what: string, sql: string, said: { readonly [path: string]: string }])[] =
  [
    [
      'a trigger that drops new rows',
      trigger('before insert', 'skills', `if new.name = 'c' then return null; end if; return new;`),
      { c: 'the row itself' },
    ],
    [
      'a trigger that drops updates',
      trigger('before update', 'skills', `if new.name = 'a' then return null; end if; return new;`),
      { a: 'the document' },
    ],
    [
      'a trigger that changes bodies',
      trigger(
        'before insert or update',
        'skills',
        `if new.name <> 'b' then new.skill_content := rtrim(new.skill_content, E'\\n'); end if; return new;`,
      ),
      { a: 'the document', c: 'the document' },
    ],
    [
      'a trigger that changes frontmatters',
      trigger(
        'before insert',
        'skills',
        `new.frontmatter_source := replace(new.frontmatter_source, 'MIT', 'none'); return new;`,
      ),
      { a: 'the document', c: 'the document' },
    ],
    [
      'a trigger that changes a row afterwards',
      trigger(
        'after update',
        'skills',
        `if pg_trigger_depth() = 1 and new.name = 'a' then
           update skills set skill_content = 'Theirs.' where skill_id = new.skill_id;
         end if; return null;`,
      ),
      { a: 'the document' },
    ],
    [
      'a deferred trigger',
      trigger(
        'after insert',
        'skills',
        `update skills set skill_content = 'Theirs.' where skill_id = new.skill_id; return null;`,
        'initially deferred',
      ),
      { c: 'the document' },
    ],
    [
      'a trigger that moves rows',
      trigger(
        'before insert',
        'skills',
        `if new.name = 'c' then new.skill_path := 'moved/c'; end if; return new;`,
      ),
      { c: 'the row itself' },
    ],
    [
      'a trigger that deletes what is written',
      trigger(
        'before update',
        'skills',
        `if new.name = 'a' then new.deleted_at := now(); end if; return new;`,
      ),
      { a: 'the row itself' },
    ],
    [
      'a trigger that drops files',
      trigger('before insert', 'skill_files', `return null;`),
      { a: 'attached files', c: 'attached files' },
    ],
    [
      'a trigger that changes files',
      trigger('before update', 'skill_files', `new.content := 'Theirs.'; return new;`),
      { a: 'attached files' },
    ],
    [
      'a trigger that changes modes',
      trigger('before insert', 'skill_files', `new.file_mode := '100755'; return new;`),
      { a: 'attached files', c: 'attached files' },
    ],
    [
      'a trigger that keeps files',
      trigger('before delete', 'skill_files', 'return null;'),
      { a: 'attached files' },
    ],
    [
      'a trigger that adds files',
      trigger(
        'after insert',
        'skill_files',
        `if pg_trigger_depth() = 1 and new.relative_path = 'tool.sh' then
           insert into skill_files (skill_id, relative_path, filename, file_type, content)
           values (new.skill_id, 'theirs.txt', 'theirs.txt', 'asset', 'Theirs.');
         end if; return null;`,
      ),
      { c: 'attached files' },
    ],
    [
      'a trigger that keeps what is deleted',
      trigger(
        'before update',
        'skills',
        'if new.deleted_at is not null then return null; end if; return new;',
      ),
      { d: 'the deletion' },
    ],
  ];

async function checkRefused(
  sides: Sides,
  said: { readonly [path: string]: string },
  undo: () => Promise<unknown>,
): Promise<void> {
  const { connection } = sides;
  const before = await held(connection);
  const outcome = await sides.run('export', edits);
  expect(unkept(outcome)).toEqual(said);
  expect(outcome.results.map(({ change }) => change.path).sort()).toEqual(['a', 'b', 'c', 'd']);
  const after = await held(connection);
  for (const one of ['a', 'b', 'c', 'd']) {
    if (one in said) expect(after.get(one), one).toEqual(before.get(one));
    else expect(after.get(one), one).not.toEqual(before.get(one));
  }
  expect([...after.keys()].filter((one) => !/^[abcd]$/.test(one))).toEqual([]);
  // It is as it was: found anew, and said anew.
  expect(unkept(await sides.run('export', edits))).toEqual(said);
  await undo();
  const { words } = await sides.run('export', edits);
  expect(words.map((line) => line.slice(0, line.indexOf(':'))).sort()).toEqual(Object.keys(said).sort());
  const other = await makeClone(connection);
  await other.run('import');
  expect(await other.files()).toEqual(await sides.files());
}

describe('what the database does not keep is refused by name, the rest is stored:', () => {
  test.each(refusing)('%s', async (_, sql, said) => {
    const sides = await edited('postgres');
    await sides.connection.query(sql);
    await checkRefused(sides, said, () => sides.connection.query(theirs));
  });

  test.each(refusing.slice(0, 3))('embedded, %s', async (_, sql, said) => {
    const sides = await edited('embedded');
    await sides.connection.query(sql);
    await checkRefused(sides, said, () => sides.connection.query(theirs));
  });
});

/** Runs `work` as a role of its own that owns nothing: to others row-level security does not apply. */
async function asTenant(connection: Connection, policies: string, work: () => Promise<void>): Promise<void> {
  const role = `tenant_${randomUUID().replaceAll('-', '')}`;
  await connection.query(`create role ${role}`);
  onTestFinished(async () => {
    await connection.query('reset role');
    await connection.query(`drop owned by ${role}`);
    await connection.query(`drop role ${role}`);
  });
  await connection.query(`grant all on all tables in schema public to ${role}`);
  await connection.query(`grant all on all sequences in schema public to ${role}`);
  await connection.query(policies);
  await connection.query(`set role ${role}`);
  await work();
}

/** Row-level security of others, and what a run then says. */
const securing: typeof refusing = [
  [
    'a policy by which nobody changes a row',
    `alter table skills enable row level security;
     create policy see on skills for select using (true);
     create policy make on skills for insert with check (true);
     create policy change on skills for update using (name not in ('a', 'd'))`,
    { a: 'the row itself', d: 'the deletion' },
  ],
  [
    'a policy by which nobody makes a row',
    `alter table skills enable row level security;
     create policy see on skills using (true) with check (true);
     create policy make on skills as restrictive for insert with check (name <> 'c')`,
    { c: 'row-refused' },
  ],
  [
    'a policy by which nobody deletes a file',
    `alter table skill_files enable row level security;
     create policy see on skill_files for select using (true);
     create policy make on skill_files for insert with check (true);
     create policy change on skill_files for update using (true)`,
    { a: 'attached files' },
  ],
];

describe.each(usualKinds)('row-level security, on %s,', (kind) => {
  test.each(kind === 'postgres' ? securing : securing.slice(0, 1))('%s', async (_, policies, said) => {
    const sides = await edited(kind);
    await asTenant(sides.connection, policies, () =>
      checkRefused(sides, said, () => sides.connection.query('reset role')),
    );
  });
});

describe('a rule', () => {
  test('that keeps what is deleted is noticed', async () => {
    const { connection, run } = await edited('postgres');
    await run('export', { force: true });
    await connection.query(
      'create rule theirs as on update to skills where new.deleted_at is not null do instead nothing',
    );
    expect(unkept(await run('export', edits))).toEqual({ d: 'the deletion' });
    await connection.query('drop rule theirs on skills');
    expect((await run('export', edits)).words).toEqual(['d: deleted -> database']);
  });

  test('beside which nothing can be stored fails the run as a whole', async () => {
    const { connection, run } = await edited('postgres');
    await connection.query(`create rule theirs as on insert to skills do also notify skills`);
    const before = await held(connection);
    await expect(run('export', edits)).rejects.toMatchObject({ code: '0A000' });
    expect(await held(connection)).toEqual(before);
  });
});

const rich = document(
  'a',
  '# a\n',
  `license: MIT
metadata:
  version: 2.0.0
  type: tool
  status: deprecated
  scope: Wide.
  keywords: one, two
  tags: red
  capabilities: ["Does: this"]
  dependencies: [{path: b, reason: why not}]
  see_also: b
  aliases: old/a
  facets: {level: high}
allowed-tools: Read
`,
);

/** What others' triggers make of values, and the keys that are warned about. */
const changing: readonly (readonly [sql: string, keys: readonly string[]])[] = [
  [
    trigger(
      'before insert or update',
      'skills',
      `new.description := 'Theirs.'; new.version := '9.9.9'; new.type := 'memory'; new.status := 'draft';
       new.scope := null; new.extra := new.extra || '{"license": "none", "more": 1}'; return new;`,
    ),
    ['description', 'version', 'type', 'status', 'scope', 'license', 'more'],
  ],
  [trigger('before insert', 'skill_tags', 'return null;'), ['tags']],
  [
    trigger('before insert', 'skill_keywords', 'new.keyword := upper(new.keyword); return new;'),
    ['keywords'],
  ],
  [trigger('before insert', 'capabilities', `new.description := 'Theirs.'; return new;`), ['capabilities']],
  [trigger('before insert', 'skill_aliases', `new.alias_path := 'theirs'; return new;`), ['aliases']],
  [trigger('before insert', 'skill_facets', 'return null;'), ['facets']],
  [trigger('before insert', 'skill_allowed_tools', 'return null;'), ['allowed-tools']],
  [trigger('before insert', 'skill_dependencies', 'return null;'), ['dependencies']],
  [
    trigger('before insert', 'skill_dependencies', `new.justification := 'Theirs.'; return new;`),
    ['dependencies'],
  ],
  [trigger('before insert', 'skill_references', `new.reference_type := 'theirs'; return new;`), ['see_also']],
];

describe('what the database derives otherwise from a document that it keeps', () => {
  test('is stored, and warned about by key', async () => {
    const sides = await makeSides('postgres');
    await sides.write({ 'b/SKILL.md': document('b') });
    for (const [sql, keys] of [['select', []] as const, ...changing]) {
      await sides.connection.query('delete from skills');
      const clone = await makeClone(sides.connection);
      await clone.write({ 'b/SKILL.md': document('b') });
      await clone.run('export');
      await sides.connection.query(sql);
      await clone.write({ 'a/SKILL.md': rich });
      const { results } = await clone.run('export');
      expect(
        results.map((result) => result.ok && [result.change.path, result.reading?.warnings]),
        sql,
      ).toEqual([['a', keys.map((key) => ({ code: 'kept-otherwise', key }))]]);
      if (sql !== 'select') await sides.connection.query(theirs);
      expect((await clone.run('sync')).words, sql).toEqual([]);
      const other = await makeClone(sides.connection);
      await other.run('import', { statuses });
      expect(await other.files(), sql).toEqual(await clone.files());
    }
  });
});

describe.each(usualKinds)(
  "what a trigger changes of another skill within a sync's own transaction, on %s,",
  (kind) => {
    test('is noted as of any writer, and goes to the files', async () => {
      const { connection, write, run, files } = await makeSides(kind);
      await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b'), 'b/notes.txt': 'Notes.\n' });
      await run('export');
      await connection.query(
        trigger(
          'after insert',
          'skill_tags',
          `update skills set description = 'Counted.' where name = 'b';
         delete from skill_files where relative_path = 'notes.txt'; return null;`,
        ),
      );
      const past = `select r.skill_path, r.files <> '[]' as filed, r.digest is not null as digested, r.origin
      from skill_revisions r order by r.revision`;
      await write({ 'a/SKILL.md': document('a', '# a\n', 'tags: red\n') });
      expect((await run('export')).words).toEqual(['a: edited -> database']);
      expect(await connection.query(past)).toEqual([
        { skill_path: 'a', filed: false, digested: true, origin: 'files' },
        { skill_path: 'b', filed: true, digested: true, origin: 'files' },
      ]);
      expect((await run('sync')).words).toEqual(['b: edited -> files']);
      expect(await files()).toEqual({
        'a/SKILL.md': document('a', '# a\n', 'tags: red\n'),
        'b/SKILL.md': document('b').replace('About b', 'Counted'),
      });
    });

    test('leaves no state in between in the history of a new skill', async () => {
      const { connection, write, run } = await makeSides(kind);
      await connection.query(
        trigger(
          'after insert',
          'skill_tags',
          `insert into skill_facets values (new.skill_id, 'theirs', new.tag);
         update skills set scope = 'Theirs.' where skill_id = new.skill_id; return null;`,
        ),
      );
      await write({ 'a/SKILL.md': document('a', '# a\n', 'tags: red\n') });
      const { words, results } = await run('export');
      expect(words).toEqual(['a: new -> database']);
      expect(
        results[0]?.ok && results[0].reading?.warnings.map((warning) => 'key' in warning && warning.key),
      ).toEqual(['scope']);
      expect(await connection.query('select from skill_revisions')).toEqual([]);
      expect((await run('sync')).words).toEqual([]);
    });
  },
);

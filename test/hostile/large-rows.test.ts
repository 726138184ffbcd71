// Rows larger than any skill may be: each is named, in bounded memory, and those beside them are carried.

import { expect, test } from 'vitest';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';

/** MORE_ROWS=1 makes what takes a server long to make: a million of each, and texts beyond what Node holds. */
const [many, huge] = process.env['MORE_ROWS'] ? [1_000_000, 600_000_000] : [50_000, 100];

/** MiB of heap: above what two of the largest files take, and far below what these rows do. */
const heap = 256;

function file(skill: string, content: string, more = ''): string {
  return `insert into skill_files (skill_id, file_type, relative_path, filename, content)
    select skill_id, 'asset', ${more || `'large'`}, 'x', ${content} from skills ${more ? ', generate_series(1, 20001) g' : ''}
    where skill_path = '${skill}'`;
}

function each(skill: string, table: string, columns: string): string {
  return `insert into ${table} select skill_id, ${columns} from skills, generate_series(1, ${many}) g
    where skill_path = '${skill}'`;
}

/** What makes each skill large, and what is said of it. */
const large: { readonly [skill: string]: readonly [reason: string, ...sql: readonly string[]] } = {
  text: [
    'limit-exceeded',
    `update skills set skill_content = repeat('a ', 3000000) where skill_path = 'text'`,
  ],
  file: ['limit-exceeded', file('file', `repeat('x', 53 * 1024 * 1024)`)],
  files: ['limit-exceeded', file('files', `'x'`, `'f' || g`)],
  // Stands for all that is larger than what can be read: no search indexes a scope, so that it is made in no time.
  scope: ['limit-exceeded', `update skills set scope = repeat('b', 140000000) where skill_path = 'scope'`],
  description: [
    'frontmatter-too-large',
    `update skills set description = repeat('b ', 2000000) where skill_path = 'description'`,
  ],
  extra: [
    'frontmatter-too-large',
    `update skills set extra = jsonb_build_object('k', repeat('x', 3000000)) where skill_path = 'extra'`,
  ],
  tags: ['frontmatter-too-large', each('tags', 'skill_tags', `'t' || g`)],
  keywords: ['frontmatter-too-large', each('keywords', 'skill_keywords', `'k' || g`)],
  facets: ['frontmatter-too-large', each('facets', 'skill_facets', `'f', 'v' || g`)],
  ...(process.env['MORE_ROWS'] && { huge: ['limit-exceeded', file('huge', `repeat('x', ${huge})`)] }),
};

test(`${Object.keys(large).length} rows that are too large are named, in bounded memory`, async () => {
  const url = await databaseUrl('postgres');
  const project = await makeProject();
  await writeFiles(project.folder, { 'skills/ok/SKILL.md': document('ok') });
  const env = { DATABASE_URL: url, NODE_OPTIONS: `--max-old-space-size=${heap}` };
  expect((await project.run(['export-to-db'], env)).code).toBe(0);
  for (const [skill, [, ...statements]] of Object.entries(large)) {
    await sql(
      url,
      `insert into skills (skill_path, name, type, status) values ('${skill}', 'n', 'tool', 'active');
       ${statements.join(';')}`,
    );
  }
  await sql(url, `update skills set description = 'Theirs.' where skill_path = 'ok'`);
  await writeFiles(project.folder, { 'skills/new/SKILL.md': document('new') });
  const { code, stdout, stderr } = await project.run(['sync-db', '--json'], env);
  expect([code, stderr.slice(0, 2000)]).toEqual([1, '']);
  const said = JSON.parse(stdout);
  const done = said.changes.filter((change: { outcome: string }) => change.outcome === 'success');
  expect(done.map((change: { path: string }) => change.path).sort()).toEqual(['new', 'ok']);
  expect(
    Object.fromEntries(said.problems.map((one: { path: string; reason: string }) => [one.path, one.reason])),
  ).toEqual(Object.fromEntries(Object.entries(large).map(([skill, [reason]]) => [skill, reason])));
});

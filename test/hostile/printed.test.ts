// What the commands print of a library in which everybody may write: nothing steers a terminal, or a runner of CI.

import { expect, test } from 'vitest';
import { unprintable } from '../../src/report/terminal-text.ts';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';

const steering = "E'\\x1b[2J\\x1b]0;owned\\x07\\u009b31m\\u202e\\r\\n::error::owned'";
/** For columns that take no more. */
const [twelve, thirty] = [12, 30].map((length) => `left(${steering}, ${length})`);

/** Everything that can hold such a text holds it: of skills, their relations, and the bookkeeping. */
const filled = `
  alter table sync_runs drop constraint sync_runs_direction_check, drop constraint sync_runs_outcome_check;
  alter table skill_sync drop constraint skill_sync_origin_check;
  insert into skills (skill_path, name, description, scope, version, type, status, skill_content, extra)
    values ('h/x', ${steering}, ${steering}, ${steering}, ${twelve}, 'tool', 'active', ${steering},
      jsonb_build_object(${steering}, ${steering}));
  insert into skills (skill_path, name, type, status, skill_content)
    select 'h/bidi' || chr(8238) || n, 'n', 'tool', 'active', ${steering} from generate_series(1, 3) n;
  update skills set description = ${steering}, skill_content = ${steering} where skill_path = 'a';
  insert into skill_tags select skill_id, ${steering} from skills;
  insert into skill_keywords select skill_id, ${steering} from skills;
  insert into skill_allowed_tools (skill_id, tool_name) select skill_id, ${steering} from skills;
  insert into skill_aliases (skill_id, alias_path) select skill_id, ${steering} from skills;
  insert into skill_facets select skill_id, ${steering}, ${steering} from skills;
  insert into capabilities (skill_id, name, description) select skill_id, ${steering}, ${steering} from skills;
  insert into skill_references select a.skill_id, b.skill_id, ${thirty} from skills a, skills b;
  insert into skill_files (skill_id, file_type, relative_path, filename, content)
    select skill_id, 'asset', ${steering}, ${steering}, 'x' from skills where skill_path = 'b';
  insert into taxonomy_categories (path, name) values (${steering}, ${steering});
  insert into skill_categories select skill_id, category_id, true from skills, taxonomy_categories
    where path = ${steering};
  update skill_sync set writer = ${steering}, category_reason = ${steering}, origin = ${steering};
  update skill_revisions set writer = ${steering}, origin = ${steering}, skill_content = ${steering};
  update sync_runs set direction = ${steering}, who = ${steering}, host = ${steering}, directory = ${steering},
    outcome = ${steering}, error = ${steering}, git_commit = ${steering}, git_branch = ${steering},
    counts = '{"conflicts": "x"}';
  update sync_log set error = ${steering}, why = ${steering}, former_path = ${steering};
  create function theirs() returns trigger language plpgsql as
    $$ begin raise exception using message = ${steering}, hint = ${steering}; end $$;
  create trigger theirs before insert on skills for each row execute function theirs();
`;

const commands: readonly (readonly string[])[] = [
  ['list'],
  ['list', '--json'],
  ['show', 'h/x'],
  ['show', 'h/x', '--json'],
  ['show', 'a'],
  ['diff'],
  ['status'],
  ['log'],
  ['log', '--json'],
  ['log', 'a', '--diff'],
  ['import-from-db', '--dry-run'],
  ['sync-db', '--verbose', '--on-conflict', 'database'],
  ['verify'],
  ['doctor'],
];

test('all commands print what others wrote in words that steer nothing', async () => {
  const url = await databaseUrl('postgres');
  const project = await makeProject();
  await writeFiles(project.folder, {
    'skills/a/SKILL.md': document('a'),
    'skills/b/SKILL.md': document('b'),
  });
  await project.run(['export-to-db'], { DATABASE_URL: url });
  await sql(url, filled);
  await writeFiles(project.folder, { 'skills/new/SKILL.md': document('new') });
  for (const args of commands) {
    const { code, stdout, stderr } = await project.run(args, { DATABASE_URL: url, GITHUB_ACTIONS: 'true' });
    const said = stdout + stderr;
    const name = args.join(' ');
    expect(said.match(unprintable), name).toBe(null);
    expect(said, name).not.toMatch(/^::error::owned|fault of its own|^\s+at .*\.js:/m);
    expect([0, 1, 2], `${name}: ${said}`).toContain(code);
    if (args.includes('--json')) JSON.parse(stdout);
    else if (/^(show|log|diff)/.test(name)) expect(said, name).toContain('\\u{1b}[2J');
  }
});

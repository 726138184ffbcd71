import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { databaseUrl, makeProject, personEnvironment, projectRoot, runProcess, sql } from './cli.ts';

const cli = path.join(projectRoot, 'dist/cli.js');
/** Runs a command on a terminal of its own, and passes on what it shows. */
const script = '/usr/bin/script';

/** A library that a database takes long to store: each batch waits. */
async function slowly() {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  await project.run(['migrate'], { DATABASE_URL: url });
  await sql(
    url,
    `create function wait() returns trigger language plpgsql as
    $$ begin perform pg_sleep(1.2); return null; end $$`,
  );
  await sql(url, 'create trigger wait before insert on skills for each statement execute function wait()');
  const names = Array.from({ length: 401 }, (_, nth) => `s${nth}`);
  await writeFiles(
    path.join(project.folder, 'skills'),
    Object.fromEntries(names.map((name) => [`${name}/SKILL.md`, `---\nname: ${name}\n---\nText.\n`])),
  );
  return { ...project, url };
}

test.skipIf(!existsSync(script))(
  'what takes long says on a terminal how far it is, and nowhere else',
  async () => {
    const { folder, url, run } = await slowly();
    const env = personEnvironment({ DATABASE_URL: url, TERM: 'xterm' });
    const onTerminal = async (flags: string, more = {}) => {
      const command = `${process.execPath} ${cli} export-to-db --force ${flags}`;
      const { stdout } = await runProcess(script, ['-qec', command, '/dev/null'], {
        cwd: folder,
        env: { ...env, ...more },
      });
      await sql(url, 'delete from skills');
      return stdout;
    };
    const shown = /storing in the database: 200 of 401 skills, \d+ a second/;
    expect(await onTerminal('')).toMatch(shown);
    expect(await onTerminal('--no-progress')).not.toMatch(shown);
    expect(await onTerminal('--quiet')).not.toMatch(shown);
    expect(await onTerminal('', { TERM: 'dumb' })).not.toMatch(shown);
    expect((await run(['export-to-db'], { DATABASE_URL: url })).stderr).not.toMatch(shown);
  },
);

test('--statement-timeout ends a statement that takes longer, and nothing of the run stays', async () => {
  const { url, run } = await slowly();
  const ended = await run(['export-to-db', '--statement-timeout', '0.5'], { DATABASE_URL: url });
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('ended a statement')]);
  expect(await sql(url, 'select from skills')).toEqual([]);
});

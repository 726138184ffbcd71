// What a measure is held against: what other programs take for the same files and the same rows.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundled } from './bundled.mjs';
import { withClient } from './server.mjs';

/** Whether a program is there. */
export function isThere(program) {
  return new Promise((resolve) => {
    spawn(program, ['--version'], { stdio: 'ignore' })
      .once('error', () => resolve(false))
      .once('close', (code) => resolve(code === 0));
  });
}

/** Makes a git repository of `folder`, in which `skills` stand committed below `skills/`, and its index warm. */
export async function commitLibrary(folder, skills, git) {
  await git('init', '--quiet');
  const child = spawn('git', ['-c', 'core.compression=0', 'fast-import', '--quiet', '--depth=0'], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  const say = async (...parts) => {
    let isReady = true;
    for (const part of parts) isReady = child.stdin.write(part);
    if (!isReady) await once(child.stdin, 'drain');
  };
  await say('commit refs/heads/main\ncommitter Bench <bench@example.com> 1767225600 +0000\ndata 0\n');
  for (const skill of skills) {
    for (const { path: name, bytes, executable } of skill.files) {
      const mode = executable ? '100755' : '100644';
      await say(`M ${mode} inline skills/${skill.path}/${name}\ndata ${bytes.length}\n`, bytes, '\n');
    }
  }
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  await git('symbolic-ref', 'HEAD', 'refs/heads/main');
  await git('reset', '--quiet');
}

/** One digest over all files below a folder, with their paths and executable bits; and how many they are. */
export async function digestOf(folder) {
  const hash = createHash('sha256');
  let files = 0;
  const walk = async (at) => {
    const names = (await readdir(path.join(folder, at))).filter((name) => !name.startsWith('.skill-fleet'));
    for (const name of names.sort()) {
      const file = path.join(at, name);
      const status = await lstat(path.join(folder, file));
      if (status.isDirectory()) {
        await walk(file);
        continue;
      }
      const bytes = await readFile(path.join(folder, file));
      hash.update(`${JSON.stringify([file, (status.mode & 0o100) !== 0, bytes.length])}\n`).update(bytes);
      files += 1;
    }
  };
  await walk('');
  return { files, digest: hash.digest('hex') };
}

/** The tables that a first export fills, with the columns that can be written. */
async function filledTables(url) {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      `select table_name as name, string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
       from information_schema.columns join information_schema.tables using (table_schema, table_name)
       where table_schema = 'public' and table_type = 'BASE TABLE' and is_generated = 'NEVER'
         and table_name <> 'schema_migrations'
       group by table_name order by table_name`,
    );
    return rows;
  });
}

/** Writes the rows of a database, and the psql program that puts them into another one of the same schema. */
export async function dumpRows(url, folder, psql) {
  await mkdir(folder, { recursive: true });
  const tables = await filledTables(url);
  const copies = tables.map(({ name, columns }) => ({ name, columns, file: path.join(folder, name) }));
  const dump = path.join(folder, 'dump.sql');
  await writeFile(
    dump,
    copies
      .map(({ name, columns, file }) => `\\copy (select ${columns} from ${name}) to '${file}'\n`)
      .join(''),
  );
  await psql(url, '--file', dump);
  const load = path.join(folder, 'load.sql');
  await writeFile(
    load,
    `set session_replication_role = replica;\n${copies
      .map(({ name, columns, file }) => `\\copy ${name} (${columns}) from '${file}'\n`)
      .join('')}`,
  );
  return load;
}

/** Makes the tables of a migrated database empty, what the migrations put there included. */
export async function emptyTables(url) {
  const tables = await filledTables(url);
  const names = tables.map(({ name }) => name).join(', ');
  await withClient(url, (client) => client.query(`truncate ${names}`));
}

/** The statement of `list --filter TEXT`, with its values in it. */
export async function listStatement(text) {
  const { listSkills } = await bundled('repository/list.ts');
  let statement = '';
  const query = async (sql, values) => {
    const literals = values.map((value) =>
      value === null
        ? 'null'
        : typeof value === 'number'
          ? String(value)
          : `'${value.replaceAll("'", "''")}'`,
    );
    statement = sql.replace(/\$(\d)/g, (_, number) => literals[number - 1]);
    return [];
  };
  await listSkills({ session: { inTransaction: true }, query }, { text });
  return statement;
}

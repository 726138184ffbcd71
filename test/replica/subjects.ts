// The replicas that the contract is about, each with the hands of somebody else on what it holds.

import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, readdir, readFile, readlink, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';
import type { Replica } from '../../src/replica.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';
import { migratedDatabase, noPooler, openConnection, type PlaceKind } from '../databases.ts';
import { open as openDirectory } from '../directory/folder.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { emptyMemory, MemoryReplica } from './memory.ts';

/** The files of a skill: bytes as Latin-1, `*` before the path of one that is executable. */
export type Files = { readonly [file: string]: string };

/** A replica under test. All of it but `open` passes by the replica. */
export interface Subject {
  /** One more replica over the same place, as another process has it, ready to apply. */
  open(): Promise<Replica>;
  put(skills: readonly Skill[]): Promise<void>;
  /** Ways to change a skill that stands, each to another content. */
  readonly edits: readonly ((path: string) => Promise<void>)[];
  readonly removals: readonly ((path: string) => Promise<void>)[];
  /** Makes a skill one that cannot be read. */
  spoil(path: string): Promise<void>;
  /** Lets the place refuse to take a skill at a path where none stands. */
  refuse(path: string): Promise<void>;
  empty(): Promise<void>;
  /** What is there, by skill path. */
  look(): Promise<{ readonly [path: string]: Files }>;
  /** What a replica left open that it should have closed. */
  leftOpen(): Promise<readonly unknown[]>;
}

export function skillOf(skill: string, files: Files): Skill {
  return makeSkill(
    skill as SkillPath,
    Object.entries(files).map(([name, text]) => ({
      path: name.replace(/^\*/, '') as FilePath,
      executable: name.startsWith('*'),
      bytes: Buffer.from(text, 'latin1'),
    })),
  );
}

export function filesOf({ entries }: Skill): Files {
  return Object.fromEntries(
    entries.map(({ path: file, executable, bytes }) => [
      (executable ? '*' : '') + file,
      bytes.toString('latin1'),
    ]),
  );
}

/** A file as it was found in one place or another. */
interface Found {
  readonly skill: string;
  readonly file: string;
  readonly executable: boolean;
  readonly bytes: Buffer;
}

function bySkill(found: readonly Found[]): { readonly [path: string]: Files } {
  const skills: { [path: string]: { [file: string]: string } } = {};
  for (const { skill, file, executable, bytes } of found) {
    skills[skill] = { ...skills[skill], [(executable ? '*' : '') + file]: bytes.toString('latin1') };
  }
  return skills;
}

export async function memorySubject(): Promise<Subject> {
  const memory = emptyMemory();
  const edit = (files: (before: Files) => Files) => async (skill: string) => {
    const before = memory.skills.get(skill as SkillPath);
    if (before) memory.skills.set(before.path, skillOf(skill, files(filesOf(before))));
  };
  const problem = (skill: string) => ({ reason: 'folder-unreadable', path: skill, code: 'TEST' }) as const;
  return {
    open: async () => new MemoryReplica(memory),
    put: async (skills) => {
      for (const skill of skills) memory.skills.set(skill.path, skill);
    },
    edits: [edit((before) => ({ ...before, 'theirs.txt': 'Theirs.' }))],
    removals: [async (skill) => void memory.skills.delete(skill as SkillPath)],
    spoil: async (skill) => void memory.unreadable.set(skill as SkillPath, problem(skill)),
    refuse: async (skill) => void memory.refusals.set(skill as SkillPath, problem(skill)),
    empty: async () => {
      for (const one of Object.values(memory)) one.clear();
    },
    look: async () => Object.fromEntries([...memory.skills].map(([name, skill]) => [name, filesOf(skill)])),
    leftOpen: async () => [],
  };
}

async function directorySubject(): Promise<Subject> {
  const root = path.join(await temporaryFolder(), 'skills');
  await mkdir(root);
  /** The files of each skill: those that no skill below it owns. */
  const look = async () => {
    const names = (await readdir(root, { recursive: true })).filter((name) => !name.includes('.skill-fleet'));
    const skills = names.filter((name) => path.basename(name) === 'SKILL.md').map(path.dirname);
    const found: Found[] = [];
    for (const name of names.sort()) {
      const file = path.join(root, name);
      const owner = skills
        .filter((skill) => name.startsWith(`${skill}/`))
        .sort((a, b) => b.length - a.length)[0];
      const kind = await stat(file).catch(() => undefined);
      if (owner === undefined || !kind?.isFile()) continue;
      const executable = (kind.mode & 0o100) !== 0;
      found.push({
        skill: owner,
        file: name.slice(owner.length + 1),
        executable,
        bytes: await readFile(file),
      });
    }
    return bySkill(found);
  };
  const document = (skill: string) => path.join(root, skill, 'SKILL.md');
  return {
    open: () => openDirectory(root),
    put: async (skills) => {
      for (const { path: skill, entries } of skills) {
        for (const { path: file, bytes, executable } of entries) {
          await writeFiles(root, { [`${skill}/${file}`]: bytes });
          if (executable) await chmod(path.join(root, skill, file), 0o755);
        }
      }
    },
    edits: [
      (skill) => appendFile(document(skill), 'Theirs.\n'),
      (skill) => writeFiles(root, { [`${skill}/theirs/new.txt`]: 'Theirs.' }),
      async (skill) => chmod(document(skill), (await stat(document(skill))).mode ^ 0o111),
    ],
    removals: [
      async (skill) => {
        for (const file of Object.keys((await look())[skill] ?? {})) {
          await rm(path.join(root, skill, file.replace(/^\*/, '')));
        }
      },
      (skill) => rm(document(skill)),
    ],
    spoil: (skill) => appendFile(document(skill), Buffer.from([0xff])),
    refuse: (skill) => symlink('nowhere', path.join(root, skill)),
    empty: async () => {
      await rm(root, { recursive: true });
      await mkdir(root);
    },
    look,
    leftOpen: async () => {
      const open = existsSync('/proc/self/fd') ? await readdir('/proc/self/fd') : [];
      const links = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return links.filter((link) => link.startsWith(root));
    },
  };
}

async function databaseSubject(kind: PlaceKind): Promise<Subject> {
  const first = await migratedDatabase(kind);
  const another = async (through: 'serverUrl' | 'poolerUrl') => {
    // The embedded database has one connection.
    if (kind === 'embedded') return first;
    const url = new URL(inject(through) ?? '');
    url.pathname = first.database.name;
    return openConnection({ kind: 'postgres', url: url.href });
  };
  const outside = await another('serverUrl');
  const on = (text: string) => async (skill: string) => void (await outside.query(text, [skill]));
  const idOf = '(select skill_id from skills where skill_path = $1)';
  const addFile = (name: string) =>
    on(`insert into skill_files (skill_id, file_type, relative_path, filename, content)
      values (${idOf}, 'asset', '${name}', 'new', 'Theirs.')`);
  return {
    open: async () => {
      const database = new Database(await another(kind === 'pooler' ? 'poolerUrl' : 'serverUrl'), []);
      await database.beginRun({ direction: 'export', who: 'tester', host: 'test', directory: '/' });
      return database;
    },
    put: (skills) => insertRows(outside, skills),
    edits: [
      on(`update skills set skill_content = skill_content || 'Theirs.' where skill_path = $1`),
      on(
        `insert into skill_keywords (skill_id, keyword) select skill_id, 'theirs' from skills where skill_path = $1`,
      ),
      addFile('theirs/new.txt'),
    ],
    removals: [
      on('delete from skills where skill_path = $1'),
      on(`update skills set deleted_at = now(), status = 'archived' where skill_path = $1`),
      on(`update skills set skill_path = 'moved/' || skill_path where skill_path = $1`),
    ],
    spoil: addFile('../outside.txt'),
    refuse: async (skill) => {
      await outside.query(`create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'not this one'; end $$`);
      await outside.query(`create trigger refuse before insert on skills for each row
        when (new.skill_path = '${skill}') execute function refuse()`);
    },
    empty: async () => void (await outside.query('truncate skills cascade')),
    look: () => lookAtRows(outside),
    leftOpen: async () => {
      if (kind !== 'embedded') return outside.query(openSessions);
      const inTransaction = await first.query('savepoint none').then(
        () => true,
        (error: { code?: string }) => error.code !== '25P01',
      );
      return inTransaction ? ['a transaction'] : [];
    },
  };
}

/** Adds rows as an API does that keeps whole documents. */
async function insertRows(connection: Connection, skills: readonly Skill[]): Promise<void> {
  const files = skills.flatMap(({ path: skill, entries }) => entries.map((entry) => ({ skill, ...entry })));
  const documents = files.filter((file) => file.path === 'SKILL.md');
  await connection.query(
    `insert into skills (skill_path, name, description, type, status, skill_content)
     select skill_path, substring(text from 'name: ([a-z0-9]+)'), substring(text from 'description: ([^\\r\\n]+)'),
       'technical', 'active', text
     from unnest($1::text[], $2::text[]) as added (skill_path, text)`,
    [documents.map(({ skill }) => skill), documents.map(({ bytes }) => bytes.toString())],
  );
  const attached = files.filter((file) => file.path !== 'SKILL.md');
  await connection.query(
    `insert into skill_files (skill_id, file_type, relative_path, filename, binary_data, file_mode)
     select skill_id, 'asset', relative_path, relative_path, binary_data, file_mode
     from unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
       as added (skill_path, relative_path, binary_data, file_mode)
     join skills using (skill_path)`,
    [
      attached.map(({ skill }) => skill),
      attached.map(({ path: file }) => file),
      attached.map(({ bytes }) => bytes),
      attached.map(({ executable }) => (executable ? '100755' : '100644')),
    ],
  );
}

async function lookAtRows(connection: Connection): Promise<{ readonly [path: string]: Files }> {
  const rows = await connection.query<Found>(
    `select skill_path as skill, file, bytes, mode = '100755' as executable
     from skills s left join skill_sync y using (skill_id) cross join lateral (
       select coalesce(y.document_name, 'SKILL.md') as file, coalesce(y.document_mode, '100644') as mode,
         convert_to(concat(s.frontmatter_source, s.skill_content), 'UTF8') as bytes
       union all
       select relative_path, file_mode, coalesce(binary_data, convert_to(content, 'UTF8'))
       from skill_files f where f.skill_id = s.skill_id
     ) files
     where s.deleted_at is null`,
  );
  return bySkill(rows);
}

/** Sessions of a database that are in a transaction or hold a lock, but for the one that asks. */
export const openSessions = `select state, query, array(select mode from pg_locks l where l.pid = a.pid) as locks
  from pg_stat_activity a
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    and (xact_start is not null or exists (select from pg_locks l where l.pid = a.pid))`;

/** Each replica by its name, and how to set one up. */
export const subjects: readonly (readonly [
  name: string,
  { readonly isSkipped: boolean; readonly setUp: () => Promise<Subject> },
])[] = [
  ['in memory', { isSkipped: false, setUp: memorySubject }],
  ['the skills directory', { isSkipped: false, setUp: directorySubject }],
  ['the database on Postgres', { isSkipped: false, setUp: () => databaseSubject('postgres') }],
  [
    `the database behind a pooler${noPooler}`,
    { isSkipped: noPooler !== '', setUp: () => databaseSubject('pooler') },
  ],
  ['the database on PGlite', { isSkipped: false, setUp: () => databaseSubject('embedded') }],
];

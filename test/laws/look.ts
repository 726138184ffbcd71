// What each side holds, looked at without the program: files as the system has them, rows as SQL gives them.

import * as fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Connection } from '../../src/repository/connection.ts';

/** One file of a skill. */
export interface Held {
  readonly executable: boolean;
  /** Its text; null where a row has none of its own. */
  readonly text: string | null;
  /** What a document says, values and body, or the text of any other file. */
  readonly says: string;
}

/** A skill's files by their paths within it. */
export type SkillState = ReadonlyMap<string, Held>;

export type Skills = ReadonlyMap<string, SkillState>;

export interface CloneView {
  /** Every file of the skills directory, with what changes when somebody touches it. */
  readonly files: ReadonlyMap<
    string,
    { readonly executable: boolean; readonly text: string; readonly stamp: string }
  >;
  readonly skills: Skills;
  readonly unreadable: ReadonlySet<string>;
  /** Names that ignore rules name: a path with one of them may be content, or not. */
  readonly ignored: ReadonlySet<string>;
  /** Names of the program's own files among the skills. */
  readonly leftovers: readonly string[];
  readonly bases: readonly string[];
  readonly trash: readonly string[];
}

export interface DatabaseView {
  readonly skills: Skills;
  readonly unreadable: ReadonlySet<string>;
  readonly statuses: ReadonlyMap<string, string>;
  readonly ids: ReadonlyMap<string, number>;
  /** Where each row stands, deleted ones too, by its key. */
  readonly places: ReadonlyMap<number, string>;
  /** Differs where anything was written. */
  readonly print: string;
  /** All texts that it holds or held. */
  readonly texts: string;
}

export interface View {
  readonly clones: readonly CloneView[];
  readonly database: DatabaseView;
}

/** A name that is no file of a skill on any system: the skill that has it cannot be read. */
export const brokenName = 'bad\\name';
export const documentFile = 'SKILL.md';
export const ignoreFile = '.skillfleetignore';

/** Every text that somebody writes has a word of its own, which tells it from all others. */
export const wordsIn = (text: string): readonly string[] => text.match(/\bw\d+w\b/g) ?? [];

const said = (name: unknown, description: unknown, status: unknown, tags: readonly unknown[], body: string) =>
  JSON.stringify([name, description, status, [...tags].sort(), body]);

/** What a document says; its text where that is no document. */
export function saysOf(text: string): string {
  const [, frontmatter, body = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  if (frontmatter === undefined) return text;
  try {
    const { name, description, metadata = {} } = parse(frontmatter);
    return said(name, description, metadata.status ?? 'active', metadata.tags ?? [], body);
  } catch {
    return text;
  }
}

export function held(file: string, text: string, executable: boolean): Held {
  return { executable, text, says: file === documentFile ? saysOf(text) : text };
}

function filesBelow(folder: string): readonly string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

const ownName = /(^|\/)\.skill-fleet-/;

export function lookAtClone(tree: string): CloneView {
  const folder = path.join(tree, 'skills');
  const files = new Map(
    filesBelow(folder)
      .filter((name) => name !== '.keep')
      .map((name) => {
        const place = path.join(folder, name);
        const { mode, ino, mtimeNs } = fs.statSync(place, { bigint: true });
        const executable = (mode & 0o100n) !== 0n;
        return [
          name,
          { executable, text: fs.readFileSync(place, 'utf8'), stamp: `${ino} ${mtimeNs} ${mode}` },
        ] as const;
      }),
  );
  const skills = new Map<string, Map<string, Held>>();
  const isSkill = (at: string) => files.has(`${at}/${documentFile}`);
  const unreadable = new Set<string>();
  const ignored = new Set(
    [...files].flatMap(([name, { text }]) =>
      path.basename(name) === ignoreFile ? text.trim().split('\n') : [],
    ),
  );
  for (const [name, { executable, text }] of files) {
    let owner = path.dirname(name);
    while (owner !== '.' && !isSkill(owner)) owner = path.dirname(owner);
    if (owner === '.' || ownName.test(name)) continue;
    // What a rule drops is in nobody's way.
    const isDropped = name.split('/').some((segment) => ignored.has(segment));
    if (path.basename(name) === brokenName && !isDropped) unreadable.add(owner);
    const inSkill = path.relative(owner, name);
    skills.set(owner, (skills.get(owner) ?? new Map()).set(inSkill, held(inSkill, text, executable)));
  }
  const state = path.join(tree, '.skill-fleet');
  const bases = filesBelow(path.join(state, 'bases'));
  return {
    files,
    skills,
    unreadable,
    ignored,
    leftovers: [...files.keys()].filter((name) => ownName.test(name)),
    bases: bases
      .filter((name) => name.endsWith('.json'))
      .map((name) => fs.readFileSync(path.join(state, 'bases', name), 'utf8')),
    trash: filesBelow(path.join(state, 'trash')).map((name) =>
      fs.readFileSync(path.join(state, 'trash', name), 'utf8'),
    ),
  };
}

interface Row {
  readonly skill_id: number;
  readonly skill_path: string;
  readonly name: string;
  readonly description: string;
  readonly status: string;
  readonly source: string | null;
  readonly body: string;
  readonly document_mode: string;
  readonly tags: readonly string[];
  readonly files: { readonly [file: string]: readonly [mode: string, text: string] };
}

const fileText = `coalesce(content, convert_from(binary_data, 'UTF8'))`;

export async function lookAtDatabase(connection: Connection): Promise<DatabaseView> {
  const rows = await connection.query<Row>(
    `select s.skill_id, s.skill_path, s.name, s.description, s.status, s.frontmatter_source as source,
       coalesce(s.skill_content, '') as body, coalesce(y.document_mode, '100644') as document_mode,
       array(select tag from skill_tags t where t.skill_id = s.skill_id) as tags,
       (select coalesce(jsonb_object_agg(relative_path, jsonb_build_array(file_mode, ${fileText})), '{}')
        from skill_files f where f.skill_id = s.skill_id) as files
     from skills s left join skill_sync y using (skill_id) where s.deleted_at is null`,
  );
  const standing = await connection.query<Pick<Row, 'skill_id' | 'skill_path'>>(
    'select skill_id, skill_path from skills',
  );
  const [whole] = await connection.query<{ print: string; texts: string }>(
    `select concat_ws(' ', (select string_agg(concat(skill_id, ':', xmin), ',' order by skill_id) from skills),
       (select string_agg(concat(skill_id, ':', xmin), ',' order by skill_id) from skill_sync),
       (select string_agg(concat(file_id, ':', xmin), ',' order by file_id) from skill_files),
       (select count(*) from skill_revisions), (select count(*) from sync_runs), (select count(*) from sync_log)) as print,
     concat_ws(' ', (select string_agg(concat(frontmatter_source, description, skill_content), ' ') from skills),
       (select string_agg(tag, ' ') from skill_tags), (select string_agg(${fileText}, ' ') from skill_files),
       (select string_agg(concat(frontmatter_source, skill_content, index), ' ') from skill_revisions),
       (select string_agg(convert_from(bytes, 'UTF8'), ' ') from skill_blobs)) as texts`,
  );
  return {
    skills: new Map(rows.map((row) => [row.skill_path, stateOf(row)])),
    unreadable: new Set(rows.filter((row) => brokenName in row.files).map((row) => row.skill_path)),
    statuses: new Map(rows.map((row) => [row.skill_path, row.status])),
    ids: new Map(rows.map((row) => [row.skill_path, row.skill_id])),
    places: new Map(standing.map((row) => [row.skill_id, row.skill_path])),
    print: whole?.print ?? '',
    texts: whole?.texts ?? '',
  };
}

function stateOf(row: Row): SkillState {
  const says = said(row.name, row.description, row.status, row.tags, row.body);
  const text = row.source === null ? null : row.source + row.body;
  // Where another writer changed a value, the text is still to be patched.
  const isAsStored = text !== null && saysOf(text) === says;
  const document = { executable: row.document_mode === '100755', text: isAsStored ? text : null, says };
  const files = Object.entries(row.files).map(
    ([file, [mode, content]]) => [file, held(file, content, mode === '100755')] as const,
  );
  return new Map([[documentFile, document], ...files]);
}

/** All words that the world holds, but for git's. */
export function wordsOf({ clones, database }: View): ReadonlySet<string> {
  const texts = clones.flatMap((clone) => [
    ...[...clone.files.values()].map((file) => file.text),
    ...clone.trash,
  ]);
  return new Set(wordsIn([...texts, database.texts].join(' ')));
}

/** Whether a file is the same on two sides: byte for byte, where both have bytes. */
export function isSame(a: Held | undefined, b: Held | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.executable !== b.executable) return false;
  return a.text !== null && b.text !== null ? a.text === b.text : a.says === b.says;
}

// A library that tests let other writers loose on, and the skills that its history renders.

import { chmod } from 'node:fs/promises';
import path from 'node:path';
import type { Connection } from '../../src/repository/connection.ts';
import { Database } from '../../src/repository/database.ts';
import type { DatabaseKind } from '../databases.ts';
import { type Clone, document, makeSides } from '../sync/sides.ts';

/** A skill's files by path: mode, and each byte as one character, which a failing test can show. */
export interface Tree {
  readonly [path: string]: readonly [mode: string, bytes: string];
}

function full(name: string, category: string): string {
  return `---
# ${name}, with a row or two in each relation
name:   ${name}
description: "About ${name}. "
license: MIT
metadata:
  version: '1.2'
  category: ${category}
  keywords: one, two
  tags: [red, blue]
  dependencies: {recommended: [{path: linked, reason: why not}, {path: linked/too}]}
  see_also: [linked, linked/too]
  aliases: [old/${name}, older/${name}]
  facets: {level: high, depth: low}
allowed-tools: Read Write
---
# ${name}

## Capabilities

- **Fly**: Up.
- **Swim**: Down.  
`;
}

const shown = (bytes: Buffer) => bytes.toString('latin1');

const file = (value: string | Buffer, mode = '100644') => [mode, shown(Buffer.from(value))] as const;

/** What the skills directory holds: `x` and `y` are alike, and odd in their bytes in different ways. */
export const trees: { readonly [skill: string]: Tree } = {
  x: {
    'SKILL.md': file(full('x', 'data/ml')),
    'a.txt': file('\uFEFFa\r\nb'),
    'bin/run.sh': file('#!/bin/sh\n', '100755'),
    'data.bin': file(Buffer.from([0, 1, 254, 255])),
    'empty.txt': file(''),
  },
  y: {
    'SKILL.md': file(`\uFEFF${full('y', 'data/databases').replaceAll('\n', '\r\n')}no end`, '100755'),
    'a.txt': file('the same in two skills'),
    'b.txt': file('the same in two skills'),
  },
  linked: { 'SKILL.md': file(document('linked')) },
  'linked/too': { 'SKILL.md': file(document('too')) },
  free: { 'SKILL.md': file(document('free')), 'own.txt': file('the same in two skills') },
  bare: { 'SKILL.md': file('No frontmatter.') },
};

export type Library = Clone & {
  readonly connection: Connection;
  /** The keys of the skills above. */
  readonly ids: { readonly [skill in 'x' | 'y' | 'linked' | 'free' | 'bare']: number };
};

/** What another writer's rows of the history say of it. */
export const writerName = 'by hand';

/** The skills above in a database of the test's own, just exported. */
export async function exportedLibrary(kind: DatabaseKind): Promise<Library> {
  const sides = await makeSides(kind);
  const files = Object.entries(trees).flatMap(([skill, tree]) =>
    Object.entries(tree).map(([file, [mode, content]]) => ({ name: path.join(skill, file), mode, content })),
  );
  await sides.write(Object.fromEntries(files.map((one) => [one.name, Buffer.from(one.content, 'latin1')])));
  for (const { name, mode } of files) {
    await chmod(path.join(sides.folder, name), mode === '100755' ? 0o755 : 0o644);
  }
  await sides.run('export');
  await sides.connection.query(`set application_name = '${writerName}'`);
  const rows = await sides.connection.query<{ skill_path: string; skill_id: number }>(
    'select skill_path, skill_id from skills',
  );
  const ids = Object.fromEntries(rows.map((row) => [row.skill_path, row.skill_id])) as Library['ids'];
  return { ...sides, ids };
}

/** One state of a skill, as the database holds or held it. */
export interface State {
  readonly skillId: number;
  readonly revision: number;
  readonly path: string;
  /** Its files, the text of the document as it was stored. */
  readonly tree: Tree;
  /** What columns and relations said; null for files that a forced import overwrote. */
  readonly index: unknown;
  /** Null where nobody knew it. */
  readonly digest: string | null;
  readonly origin: string;
  readonly writer: string | null;
}

interface StateRow {
  readonly skill_id: number;
  readonly revision: number;
  readonly skill_path: string;
  readonly document_name: string;
  readonly document_mode: string;
  readonly document: Buffer;
  readonly index: unknown;
  readonly digest: string | null;
  readonly origin: string;
  readonly writer: string | null;
}

function stateOf(row: StateRow, files: Tree): State {
  return {
    skillId: row.skill_id,
    revision: row.revision,
    path: row.skill_path,
    tree: { [row.document_name]: [row.document_mode, shown(row.document)], ...files },
    index: row.index,
    digest: row.digest,
    origin: row.origin,
    writer: row.writer,
  };
}

/** The bytes of a file in either column, and those of a document. The embedded database drops a BOM of a text. */
const fileBytes = `coalesce(f.binary_data, convert_to(f.content, 'UTF8'))`;
const documentBytes = `convert_to(coalesce(frontmatter_source, '') || coalesce(skill_content, ''), 'UTF8')`;

/** What the database holds of each skill, by key. */
export async function presentStates(connection: Connection): Promise<ReadonlyMap<number, State>> {
  const rows = await connection.query<StateRow>(
    `select s.skill_id, y.revision, s.skill_path, y.document_name, y.document_mode, ${documentBytes} as document,
       i.index, case when y.digest_revision = y.revision then y.digest end as digest, y.origin, y.writer
     from skills s join skill_sync y using (skill_id)
     join skill_fleet_index((select array_agg(skill_id) from skills)) i using (skill_id)
     order by s.skill_id`,
  );
  const files = await connection.query<{ skill_id: number; path: string; mode: string; bytes: Buffer }>(
    `select f.skill_id, f.relative_path as path, f.file_mode as mode, ${fileBytes} as bytes
     from skill_files f order by f.relative_path collate "C"`,
  );
  const states = rows.map((row) => {
    const own = files.filter((file) => file.skill_id === row.skill_id);
    return stateOf(row, Object.fromEntries(own.map((one) => [one.path, [one.mode, shown(one.bytes)]])));
  });
  return new Map(states.map((state) => [state.skillId, state]));
}

/** Every state that the history holds, rendered from it alone and from contents that nobody replaced. */
export async function keptStates(connection: Connection): Promise<readonly State[]> {
  const rows = await connection.query<
    StateRow & { files: readonly { path: string; mode: string; bytes: number; sha256: string }[] }
  >(
    `select skill_id, revision, skill_path, document_name, document_mode, ${documentBytes} as document,
       index, digest, origin, writer, files
     from skill_revisions order by skill_id, revision`,
  );
  const contents = await connection.query<{ sha256: string; bytes: Buffer }>(
    `select sha256, bytes from skill_blobs
     union all select encode(sha256(${fileBytes}), 'hex'), ${fileBytes} from skill_files f`,
  );
  const bySha256 = new Map(contents.map((content) => [content.sha256, content.bytes]));
  return rows.map((row) => {
    const files = row.files.map((file): readonly [string, Tree[string]] => {
      const found = bySha256.get(file.sha256);
      if (found?.length !== file.bytes) throw new Error(`${row.skill_path}/${file.path} was not kept`);
      return [file.path, [file.mode, shown(found)]];
    });
    return stateOf(row, Object.fromEntries(files));
  });
}

/** The digest of each skill that the next snapshot holds, and the skills that a sync would look at closer. */
export async function nextSnapshot(connection: Connection): Promise<{
  readonly digests: { readonly [path: string]: string };
  readonly unsettled: readonly string[];
}> {
  const snapshot = await new Database(connection, []).snapshot();
  return {
    digests: Object.fromEntries([...snapshot.skills].map(([skill, { digest }]) => [skill, digest])),
    unsettled: [...snapshot.unsettled].sort(),
  };
}

/** The connection within a transaction that is under way: those of the program itself become savepoints. */
export function nested(connection: Connection): Connection {
  return {
    ...connection,
    query: (statement, values) => {
      if (statement.startsWith('begin')) return connection.query('savepoint program');
      if (statement === 'commit') return connection.query('release program');
      if (statement === 'rollback') return connection.query('rollback to program');
      return connection.query(statement, values);
    },
  };
}

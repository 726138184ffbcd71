import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { databaseKinds } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { databaseUrl, makeProject, projectRoot, sql } from './cli.ts';

const corpus = path.join(projectRoot, '../shared/corpus');

interface FoundFile {
  readonly bytes: Buffer;
  readonly executable: boolean;
}

/** Every file below a folder by its path, read plainly. */
async function filesBelow(root: string): Promise<ReadonlyMap<string, FoundFile>> {
  const found = new Map<string, FoundFile>();
  for (const name of await readdir(root, { recursive: true })) {
    const stat = await lstat(path.join(root, name));
    if (!stat.isFile()) continue;
    found.set(name, { bytes: await readFile(path.join(root, name)), executable: (stat.mode & 0o100) !== 0 });
  }
  return found;
}

/** The folders that hold a SKILL.md. */
function skillFolders(files: Iterable<string>): ReadonlySet<string> {
  return new Set(
    [...files].filter((file) => /(^|\/)skill\.md$/i.test(file)).map((file) => path.dirname(file)),
  );
}

/** The folder of the skill that owns a file: the nearest one above it. */
function ownerOf(file: string, skills: ReadonlySet<string>): string | undefined {
  for (let folder = path.dirname(file); folder !== '.'; folder = path.dirname(folder)) {
    if (skills.has(folder)) return folder;
  }
  return undefined;
}

/** The files that are not the same on the other side. */
function differing(
  files: readonly (readonly [string, FoundFile])[],
  others: ReadonlyMap<string, FoundFile>,
): readonly string[] {
  return files.flatMap(([file, { bytes, executable }]) => {
    const other = others.get(file);
    return other?.bytes.equals(bytes) && other.executable === executable ? [] : [file];
  });
}

describe.skipIf(!existsSync(corpus))('the corpus of real skills', () => {
  test('is stored byte for byte, or named, in a real database', async () => {
    const files = await filesBelow(corpus);
    const skills = skillFolders(files.keys());
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    const ran = await project.run(['export-to-db', '--skills-dir', corpus, '--json'], { DATABASE_URL: url });
    const report = JSON.parse(ran.stdout) as { problems: { path: string }[] };
    const named = new Set(report.problems.map((problem) => problem.path));

    const documents = await sql(
      url,
      `select skill_path, document_name, document_mode,
         encode(convert_to(frontmatter_source || skill_content, 'UTF8'), 'base64') as text
       from skills join skill_sync using (skill_id)`,
    );
    const attached = await sql(
      url,
      `select skill_path || '/' || relative_path as file, file_mode, checksum, file_size_bytes,
         encode(coalesce(binary_data, convert_to(content, 'UTF8')), 'base64') as bytes
       from skill_files join skills using (skill_id)`,
    );
    expect(new Set([...documents.map((row) => row['skill_path']), ...named])).toEqual(skills);

    const stored = new Map<string, FoundFile>();
    const add = (file: unknown, base64: unknown, mode: unknown) =>
      stored.set(String(file), {
        bytes: Buffer.from(String(base64), 'base64'),
        executable: mode === '100755',
      });
    for (const row of documents) {
      add(`${row['skill_path']}/${row['document_name']}`, row['text'], row['document_mode']);
    }
    for (const row of attached) {
      add(row['file'], row['bytes'], row['file_mode']);
      const found = files.get(String(row['file']))?.bytes ?? Buffer.alloc(0);
      expect(row['checksum']).toBe(createHash('sha256').update(found).digest('hex'));
      expect(row['file_size_bytes']).toBe(found.length);
    }
    const owned = [...files].filter(([file]) => {
      const owner = ownerOf(file, skills);
      return owner !== undefined && !named.has(owner);
    });
    expect(stored.size).toBe(owned.length);
    expect(differing(owned, stored)).toEqual([]);
  });

  test.each(databaseKinds)('comes back from %s, and a second export writes nothing', async (kind) => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl(kind) };
    expect((await project.run(['export-to-db', '--skills-dir', corpus, '--quiet'], env)).code).toBe(0);
    expect((await project.run(['export-to-db', '--skills-dir', corpus], env)).stdout).toMatch(
      /^Nothing changed: 539 unchanged\.\n$/,
    );
    const folder = await temporaryFolder();
    expect((await project.run(['import-from-db', '--skills-dir', folder, '--quiet'], env)).code).toBe(0);
    const [came, files] = [await filesBelow(folder), await filesBelow(corpus)];
    const skills = skillFolders(files.keys());
    const owned = [...files].filter(([file]) => ownerOf(file, skills) !== undefined);
    expect([...came.keys()].sort()).toEqual(owned.map(([file]) => file).sort());
    expect(differing(owned, came)).toEqual([]);
  });
});

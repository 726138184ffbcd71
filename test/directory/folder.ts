// Real folders for tests: written from a table, and read back as one.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type Directory, type DirectoryOptions, openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { nodeDisk } from '../../src/disk.ts';
import type { Loaded } from '../../src/replica.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';

/** What stands at a path: a file's text or bytes, an executable file, a link, a pipe, or an empty folder. */
export type Content = string | Buffer | { run: string } | { link: string } | 'FIFO' | 'FOLDER';

/** Paths and what stands at them; the folders above come by themselves. */
export type Folder = Readonly<Record<string, Content>>;

/** A folder that is gone after the test. */
export function makeFolder(folder: Folder = {}): string {
  const root = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'skill-fleet-'));
  fs.chmodSync(root, 0o755);
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  writeFolder(root, folder);
  return root;
}

export function writeFolder(root: string, folder: Folder): void {
  for (const [file, node] of Object.entries(folder)) {
    const place = path.join(root, file);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    if (node === 'FOLDER') fs.mkdirSync(place);
    else if (node === 'FIFO') execFileSync('mkfifo', [place]);
    else if (typeof node === 'string' || Buffer.isBuffer(node))
      fs.writeFileSync(place, node, { mode: 0o644 });
    else if ('link' in node) fs.symlinkSync(node.link, place);
    else fs.writeFileSync(place, node.run, { mode: 0o755 });
  }
}

/** Everything below a folder, in the shape that it was written from; empty folders are `FOLDER`. */
export function readFolder(root: string, below = ''): Folder {
  const entries = fs.readdirSync(path.join(root, below), { withFileTypes: true });
  if (entries.length === 0 && below !== '') return { [below]: 'FOLDER' };
  return Object.assign({}, ...entries.map((entry) => readNode(root, path.join(below, entry.name))));
}

function readNode(root: string, file: string): Folder {
  const place = path.join(root, file);
  const stat = fs.lstatSync(place);
  if (stat.isDirectory()) return readFolder(root, file);
  if (stat.isSymbolicLink()) return { [file]: { link: fs.readlinkSync(place) } };
  if (!stat.isFile()) return { [file]: 'FIFO' };
  const text = fs.readFileSync(place, 'utf8');
  return { [file]: (stat.mode & 0o100) === 0 ? text : { run: text } };
}

/** Opens a folder as a skills directory; a refusal fails the test. */
export async function open(root: string, options: Partial<DirectoryOptions> = {}): Promise<Directory> {
  const trash = `${root}-trash`;
  const opened = await openDirectory({
    root,
    disk: nodeDisk,
    ignore: [],
    limits: defaultLimits,
    trash,
    ...options,
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.problem));
  return opened.value;
}

/** A skill of a table of files. */
export function skillOf(skill: string, files: Readonly<Record<string, string | { run: string }>>): Skill {
  const entries = Object.entries(files).map(([file, node]) => ({
    path: file as FilePath,
    executable: typeof node !== 'string',
    bytes: Buffer.from(typeof node === 'string' ? node : node.run),
  }));
  return makeSkill(skill as SkillPath, entries);
}

/** The other side of an `apply`, which holds just these skills, and gives them at once. */
export function sourceOf(skills: readonly Skill[]) {
  return async function* (paths: readonly SkillPath[]): AsyncGenerator<readonly Loaded[]> {
    yield paths.flatMap((path) =>
      skills.filter((skill) => skill.path === path).map((skill) => ({ path, skill })),
    );
  };
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'test' });
}

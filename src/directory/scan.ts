// Finds the skills of the skills directory, and the files that each one owns.

import path from 'node:path';
import glob from 'fast-glob';
import { codeOf } from '../disk.ts';
import { NamedPaths, type Notice } from '../notice.ts';
import type { Outcome, Problem } from '../problem.ts';
import type { Unreadable } from '../replica.ts';
import { compareBytes, type FilePath, parseFilePath, parseSkillPath, type SkillPath } from '../skill/path.ts';
import { documentName } from '../skill/skill.ts';
import { type IgnoreRules, ignoreFileName, linesOf, type Verdict } from './ignore.ts';
import { isBelow, join, type Library, parentOf, placeOf } from './library.ts';
import type { Limits } from './limits.ts';
import { findInFolder, type Item, listFolder } from './list.ts';
import { readFile } from './read-file.ts';

/** What a scan found. */
export interface Tree {
  /** Each skill's files, its document among them, in no order. */
  readonly skills: ReadonlyMap<SkillPath, readonly FilePath[]>;
  readonly unreadable: readonly Unreadable[];
  readonly notices: readonly Notice[];
}

/** One skill as a scan of its folder found it. */
export interface ScannedSkill {
  /** Null where the folder is no skill, or is not there. */
  readonly files: readonly FilePath[] | null;
  /** Where it is none: the files that would be its own if a document stood there too. */
  readonly loose: readonly FilePath[];
  /** The folders below that are skills of their own, relative to the skills directory. */
  readonly nested: readonly string[];
}

/** How many folders are listed at once. */
const listedAtOnce = 16;

/** Lists the whole skills directory, once. What cannot be read is in `unreadable`, never an exception. */
export async function scanTree(library: Library): Promise<Tree> {
  const scan = new Scan(library, undefined);
  return scan.treeOf(await listFiles(scan));
}

/** Lists one skill's folder, by the same rules, without the rest of the skills directory. */
export async function scanSkill(library: Library, skill: SkillPath): Promise<Outcome<ScannedSkill>> {
  const scan = new Scan(library, skill);
  const tree = scan.treeOf(await listFiles(scan));
  const [unreadable] = tree.unreadable;
  if (unreadable !== undefined) return { ok: false, problem: unreadable.problem };
  const { nested, hasDocument } = scan;
  const files = tree.skills.get(skill) ?? [];
  return {
    ok: true,
    value: { files: hasDocument ? files : null, loose: hasDocument ? [] : files, nested },
  };
}

/**
 * Walks the folders with fast-glob. It sees the tree through `scan` alone: as a file system that begins at `/`
 * and holds nothing but content. Names are percent-encoded for it, because its patterns match no line
 * separator in a name, and it takes `.\x` and `x` for one.
 */
async function listFiles(scan: Scan): Promise<readonly string[]> {
  const files = await glob('**', {
    cwd: '/',
    dot: true,
    followSymbolicLinks: false,
    concurrency: listedAtOnce,
    fs: {
      readdir: (folder: string, ...rest: readonly unknown[]) => {
        const done = rest.at(-1) as (error: unknown, entries: readonly unknown[]) => void;
        scan.list(decodeURIComponent(folder.slice(1))).then(
          (items) => done(null, items.map(encodedEntry)),
          (error) => done(error, []),
        );
      },
    },
  });
  return files.map(decodeURIComponent);
}

const no = (): boolean => false;

function encodedEntry({ name, kind }: Item) {
  return {
    name: encodeURIComponent(name),
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'folder',
    isSymbolicLink: no,
  };
}

/** What is known of a folder once it is listed. */
interface Folder {
  /** The folder of the skill that the files in it belong to. */
  readonly owner: string | undefined;
  readonly rules: IgnoreRules;
}

interface Judged extends Item {
  /** Relative to the skills directory. */
  readonly path: string;
  readonly verdict: Verdict;
}

/** One listing under way: decides of each folder, parents first, what in it is content, and notes the rest. */
class Scan {
  /** Of the one skill that is looked for. */
  readonly nested: string[] = [];
  hasDocument = false;
  readonly #library: Library;
  /** The one skill that is looked for; undefined is all of them. */
  readonly #only: SkillPath | undefined;
  readonly #folders = new Map<string, Folder>();
  readonly #fileCounts = new Map<string, number>();
  readonly #broken = new Map<string, Problem>();
  readonly #unreadable: Unreadable[] = [];
  readonly #links = new NamedPaths();
  readonly #secrets = new NamedPaths();
  readonly #heldSecrets = new NamedPaths();
  readonly #specialFiles = new NamedPaths();
  readonly #others: Notice[] = [];
  #ignored = 0;
  #entries = 0;

  constructor(library: Library, only: SkillPath | undefined) {
    this.#library = library;
    this.#only = only;
  }

  /** The content of a folder: the files of skills, and the folders to go on with. */
  async list(folder: string): Promise<readonly Item[]> {
    const { limits, rules } = this.#library;
    const above = this.#folders.get(parentOf(folder)) ?? { owner: undefined, rules };
    if (depthOf(folder) > limits.depth)
      return this.#giveUp(folder, above.owner, this.#breach(folder, 'depth'));
    let items: readonly Item[];
    try {
      items = await this.#itemsOf(folder);
    } catch (error) {
      const problem: Problem = { reason: 'folder-unreadable', path: folder || '.', code: codeOf(error) };
      return this.#giveUp(folder, above.owner, problem);
    }
    this.#entries += items.length;
    if (this.#entries > limits.entries) return [];
    const own = items.some(({ name, kind }) => name === ignoreFileName && kind === 'file')
      ? await rulesOf(this.#library, folder, above.rules)
      : ({ ok: true, value: above.rules } as const);
    if (!own.ok) return this.#giveUp(folder, above.owner, own.problem);
    const judged = items.map((item) => {
      const path = join(folder, item.name);
      return { ...item, path, verdict: own.value.verdict(path, item.kind === 'folder') };
    });
    const document = documentName(judged.filter(isContentFile).map(({ name }) => name));
    if (document !== undefined && this.#isNested(folder)) {
      this.nested.push(folder);
      return [];
    }
    const owner = this.#ownerOf(folder, document, above.owner);
    this.#folders.set(folder, { owner, rules: own.value });
    return judged.filter((item) => this.#keeps(item, owner));
  }

  /** Gives each listed file to its skill. */
  treeOf(files: readonly string[]): Tree {
    if (this.#entries > this.#library.limits.entries) return this.#tooLarge();
    const skills = new Map<SkillPath, FilePath[]>();
    for (const [owner, paths] of this.#filesByOwner(files)) {
      const skill = parseSkillPath(owner);
      if (!skill.ok) {
        this.#broken.set(owner, skill.problem);
        continue;
      }
      const parsed = paths.map((file) => parseFilePath(skill.value, file));
      const refused = parsed.find((outcome) => !outcome.ok);
      if (refused !== undefined) this.#break(owner, refused.problem);
      skills.set(
        skill.value,
        parsed.flatMap((outcome) => (outcome.ok ? [outcome.value] : [])),
      );
    }
    const broken = [...this.#broken].map(([path, problem]) => ({ path, below: false, problem }));
    return {
      skills: new Map([...skills].filter(([skill]) => !this.#broken.has(skill)).sort(byPath)),
      unreadable: [...broken, ...this.#unreadable].sort((a, b) => compareBytes(a.path, b.path)),
      notices: this.#notices(),
    };
  }

  #filesByOwner(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
    const byOwner = new Map<string, string[]>();
    for (const file of files) {
      const owner = this.#folders.get(parentOf(file))?.owner;
      if (owner === undefined) throw new Error(`file of no skill: ${file}`);
      const files = byOwner.get(owner);
      if (files === undefined) byOwner.set(owner, [file.slice(owner.length + 1)]);
      else files.push(file.slice(owner.length + 1));
    }
    return byOwner;
  }

  /** Above the one skill that is looked for, only the way to it counts. */
  #itemsOf(folder: string): Promise<readonly Item[]> {
    const { disk } = this.#library;
    const place = placeOf(this.#library, folder);
    if (this.#only === undefined || !isBelow(this.#only, folder)) return listFolder(disk, place);
    const [next = ''] = this.#only.slice(folder === '' ? 0 : folder.length + 1).split('/');
    return findInFolder(disk, place, [ignoreFileName, next]);
  }

  #isNested(folder: string): boolean {
    return this.#only !== undefined && isBelow(folder, this.#only);
  }

  #ownerOf(folder: string, document: string | undefined, above: string | undefined): string | undefined {
    if (folder === this.#only) {
      this.hasDocument = document !== undefined;
      return folder;
    }
    if (document === undefined) return above;
    if (folder !== '') return folder;
    const pointAt = path.dirname(this.#library.root);
    this.#others.push({ notice: 'root-document', file: document, pointAt });
    return undefined;
  }

  /** Whether an item is content; what is not is noted. Loose files are nobody's, and noted nowhere. */
  #keeps(item: Judged, owner: string | undefined): boolean {
    if (item.verdict === 'never') return false;
    if (item.verdict === 'ignored') {
      this.#ignored++;
      return false;
    }
    if (item.kind === 'link') {
      this.#links.add(item.path);
      return false;
    }
    if (!item.utf8 && item.kind === 'folder') {
      this.#giveUp(item.path, owner, { reason: 'file-name-not-utf8', path: owner ?? '.', file: item.path });
      return false;
    }
    if (item.kind === 'folder') return true;
    if (owner === undefined || (this.#only !== undefined && owner !== this.#only)) return false;
    return this.#keepsFile(item, owner);
  }

  #keepsFile(item: Judged, owner: string): boolean {
    if (item.verdict === 'secret' || item.kind === 'special') {
      (item.verdict === 'secret' ? this.#secrets : this.#specialFiles).add(item.path);
      return false;
    }
    if (item.verdict === 'held-secret') this.#heldSecrets.add(item.path);
    if (!item.utf8) {
      const file = item.path.slice(owner.length + 1);
      return this.#break(owner, { reason: 'file-name-not-utf8', path: owner, file });
    }
    const count = (this.#fileCounts.get(owner) ?? 0) + 1;
    this.#fileCounts.set(owner, count);
    return (
      count <= this.#library.limits.filesPerSkill || this.#break(owner, this.#breach(owner, 'filesPerSkill'))
    );
  }

  /** Makes a skill one about which nothing can be said. Its first problem stays. */
  #break(owner: string, problem: Problem): false {
    if (!this.#broken.has(owner)) this.#broken.set(owner, problem);
    return false;
  }

  /** Nothing can be said of a folder and all below it, so neither of the skill that would own files in it. */
  #giveUp(folder: string, owner: string | undefined, problem: Problem): readonly Item[] {
    this.#unreadable.push({ path: folder, below: true, problem });
    if (owner !== undefined) this.#break(owner, problem);
    return [];
  }

  #breach(path: string, limit: keyof Limits): Problem {
    return { reason: 'limit-exceeded', path, limit, most: this.#library.limits[limit] };
  }

  #tooLarge(): Tree {
    const problem = this.#breach(this.#library.root, 'entries');
    return { skills: new Map(), unreadable: [{ path: '', below: true, problem }], notices: [] };
  }

  #notices(): readonly Notice[] {
    return [
      ...this.#others,
      ...this.#links.as('links'),
      ...this.#secrets.as('secrets'),
      ...this.#heldSecrets.as('held-secrets'),
      ...this.#specialFiles.as('special-files'),
      ...(this.#ignored > 0 ? [{ notice: 'ignored', count: this.#ignored } as const] : []),
    ];
  }
}

/** The rules above a folder, and those of the ignore file in it. */
export async function rulesOf(
  library: Library,
  folder: string,
  above: IgnoreRules,
): Promise<Outcome<IgnoreRules>> {
  const read = await readFile(library, folder, ignoreFileName, 'fileBytes');
  return read.ok ? above.with(folder, linesOf(read.value.bytes), join(folder, ignoreFileName)) : read;
}

function depthOf(folder: string): number {
  return folder === '' ? 0 : folder.split('/').length;
}

function isContentFile({ kind, utf8, verdict }: Judged): boolean {
  return kind === 'file' && utf8 && (verdict === 'content' || verdict === 'held-secret');
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return compareBytes(a, b);
}

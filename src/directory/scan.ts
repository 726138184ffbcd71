// Finds the skills of the skills directory, and the files that each one owns.

import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import glob from 'fast-glob';
import { codeOf } from '../disk.ts';
import type { Notice } from '../notice.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { Unreadable } from '../replica.ts';
import {
  compareBytes,
  type FilePath,
  findMerged,
  parseFilePath,
  parseSkillPath,
  type SkillPath,
} from '../skill/path.ts';
import { documentName } from '../skill/skill.ts';
import { type Above, rulesOf } from './above.ts';
import { Findings } from './findings.ts';
import { type IgnoreRules, ignoreFileName, type Verdict } from './ignore.ts';
import { isBelow, join, type Library, parentOf, placeOf } from './library.ts';
import type { Limits } from './limits.ts';
import { type Item, kindAt, listFolder } from './list.ts';

/** What a scan found. */
export interface Tree {
  /** Each skill's files, its document among them, in no order. */
  readonly skills: ReadonlyMap<SkillPath, readonly FilePath[]>;
  readonly unreadable: readonly Unreadable[];
  readonly notices: readonly Notice[];
  /** What ignore rules leave out: files, and folders with all below them. */
  readonly dropped: readonly string[];
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

/** After so many folders all else in this process has its turn: signals, and what tells how far this is. */
const listedInTurn = 64;

/**
 * Lists the whole skills directory, once. What cannot be read is in `unreadable`, never an exception. Rejects with
 * the signal's reason once it is aborted.
 */
export async function scanTree(library: Library, signal?: AbortSignal): Promise<Tree> {
  const scan = new Scan(library);
  return scan.treeOf(await listFiles(scan, '', signal));
}

/** Lists one skill's folder, by the same rules, without the rest of the skills directory. */
export async function scanSkill(
  library: Library,
  skill: SkillPath,
  above: Above,
): Promise<Outcome<ScannedSkill>> {
  const nothing: ScannedSkill = { files: null, loose: [], nested: [] };
  const rules = await rulesAround(library, skill, above);
  if (!rules.ok) return rules;
  if (rules.value === undefined) return { ok: true, value: nothing };
  const scan = new Scan(library, { skill, rules: rules.value });
  const tree = scan.treeOf(await listFiles(scan, skill));
  const [unreadable] = tree.unreadable;
  if (unreadable !== undefined) return { ok: false, problem: unreadable.problem };
  const { nested, hasDocument } = scan;
  const files = tree.skills.get(skill) ?? [];
  return {
    ok: true,
    value: { files: hasDocument ? files : null, loose: hasDocument ? [] : files, nested },
  };
}

/** The rules around a skill's folder; undefined where there is no such folder. */
async function rulesAround(
  library: Library,
  skill: SkillPath,
  above: Above,
): Promise<Outcome<IgnoreRules | undefined>> {
  try {
    const rules = await above.rulesAround(skill);
    if (!rules.ok || rules.value === undefined) return rules;
    const isFolder = (await kindAt(library.disk, placeOf(library, skill))) === 'folder';
    return isFolder ? rules : { ok: true, value: undefined };
  } catch (error) {
    return refuse({ reason: 'folder-unreadable', path: skill, code: codeOf(error) });
  }
}

/**
 * Walks the folders from `top` on with fast-glob. It sees the tree through `scan` alone: as a file system that begins at `/`
 * and holds nothing but content. Names are percent-encoded for it, because its patterns match no line
 * separator in a name, and it takes `.\x` and `x` for one.
 */
async function listFiles(scan: Scan, top: string, signal?: AbortSignal): Promise<readonly string[]> {
  let listed = 0;
  const list = async (folder: string) => {
    if (++listed % listedInTurn === 0) await nextTurn();
    return scan.list(folder === '' ? top : join(top, folder));
  };
  const files = await glob('**', {
    cwd: '/',
    dot: true,
    followSymbolicLinks: false,
    fs: {
      readdir: (folder: string, ...rest: readonly unknown[]) => {
        const done = rest.at(-1) as (error: unknown, entries: readonly unknown[]) => void;
        if (signal?.aborted) {
          // Each answer asks for the next folder: thousands of them within one another would overflow the stack.
          setImmediate(done, signal.reason, []);
          return;
        }
        list(decodeURIComponent(folder.slice(1))).then(
          (items) => done(null, items.map(encodedEntry)),
          (error) => done(error, []),
        );
      },
    },
  });
  return files.map((file) => join(top, decodeURIComponent(file)));
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
  readonly #findings = new Findings();
  #entries = 0;

  /** @param only the one skill that is looked for, and the rules around it */
  constructor(library: Library, only?: { readonly skill: SkillPath; readonly rules: IgnoreRules }) {
    this.#library = library;
    this.#only = only?.skill;
    if (only) this.#folders.set(parentOf(only.skill), { owner: undefined, rules: only.rules });
  }

  /** The content of a folder: the files of skills, and the folders to go on with. */
  async list(folder: string): Promise<readonly Item[]> {
    const above = this.#folders.get(parentOf(folder)) ?? { owner: undefined, rules: this.#library.rules };
    const read = await this.#read(folder, above.rules);
    if (!read.ok) {
      this.#findings.giveUp(folder, above.owner, read.problem);
      return [];
    }
    const { items, rules } = read.value;
    const judged = items.map((item) => {
      const path = join(folder, item.name);
      return { ...item, path, verdict: rules.verdict(path, item.kind === 'folder') };
    });
    const document = documentName(judged.filter(isContentFile).map(({ name }) => name));
    if (document !== undefined && this.#only !== undefined && isBelow(folder, this.#only)) {
      this.nested.push(folder);
      return [];
    }
    const owner = this.#ownerOf(folder, document, above.owner);
    this.#folders.set(folder, { owner, rules });
    return judged.filter((item) => this.#keeps(item, owner));
  }

  /** Gives each listed file to its skill. */
  treeOf(files: readonly string[]): Tree {
    if (this.#entries > this.#library.limits.entries) return this.#tooLarge();
    const skills: (readonly [SkillPath, readonly FilePath[]])[] = [];
    for (const [owner, paths] of this.#filesByOwner(files)) {
      const skill = skillOf(owner, paths);
      if (!skill.ok) this.#findings.breakSkill(owner, skill.problem);
      else if (!this.#findings.isBroken(owner)) skills.push(skill.value);
    }
    return {
      skills: new Map(skills.sort(([a], [b]) => compareBytes(a, b))),
      unreadable: this.#findings.unreadable(),
      notices: this.#findings.notices(),
      dropped: this.#findings.dropped,
    };
  }

  /** What stands in a folder, and the rules that hold there. */
  async #read(
    folder: string,
    above: IgnoreRules,
  ): Promise<Outcome<{ items: readonly Item[]; rules: IgnoreRules }>> {
    const { limits } = this.#library;
    if (depthOf(folder) > limits.depth) return refuse(this.#breach(folder, 'depth'));
    let items: readonly Item[];
    try {
      items = await listFolder(this.#library.disk, placeOf(this.#library, folder));
    } catch (error) {
      return refuse({ reason: 'folder-unreadable', path: folder || '.', code: codeOf(error) });
    }
    this.#entries += items.length;
    if (this.#entries > limits.entries) return refuse(this.#breach(folder, 'entries'));
    const hasRules = items.some(({ name, kind }) => name === ignoreFileName && kind === 'file');
    if (!hasRules) return { ok: true, value: { items, rules: above } };
    const rules = await rulesOf(this.#library, folder, above);
    return rules.ok ? { ok: true, value: { items, rules: rules.value } } : rules;
  }

  #ownerOf(folder: string, document: string | undefined, above: string | undefined): string | undefined {
    if (folder === this.#only) {
      this.hasDocument = document !== undefined;
      return folder;
    }
    if (document === undefined) return above;
    if (folder !== '') return folder;
    const pointAt = path.dirname(this.#library.root);
    this.#findings.rootDocument = { notice: 'root-document', file: document, pointAt };
    return undefined;
  }

  /** Whether an item is content; what is not is noted. Loose files are nobody's, and noted nowhere. */
  #keeps(item: Judged, owner: string | undefined): boolean {
    if (item.verdict === 'never') return false;
    if (item.verdict === 'ignored' || item.verdict === 'secret') this.#findings.dropped.push(item.path);
    if (item.verdict === 'ignored') {
      this.#findings.ignored++;
      return false;
    }
    if (item.kind === 'link') {
      this.#findings.links.add(item.path);
      return false;
    }
    if (item.kind === 'folder') return this.#keepsFolder(item, owner);
    const isWanted = owner !== undefined && (this.#only === undefined || owner === this.#only);
    return isWanted && this.#keepsFile(item, owner);
  }

  #keepsFolder({ path, utf8 }: Judged, owner: string | undefined): boolean {
    const problem: Problem = { reason: 'file-name-not-utf8', path: owner ?? '.', file: path };
    if (!utf8) this.#findings.giveUp(path, owner, problem);
    return utf8;
  }

  #keepsFile({ path, kind, utf8, verdict }: Judged, owner: string): boolean {
    if (verdict === 'secret' || kind === 'special') {
      this.#findings[verdict === 'secret' ? 'secrets' : 'specialFiles'].add(path);
      return false;
    }
    if (verdict === 'held-secret') this.#findings.heldSecrets.add(path);
    const count = (this.#fileCounts.get(owner) ?? 0) + 1;
    this.#fileCounts.set(owner, count);
    const file = path.slice(owner.length + 1);
    const isTooMany = count > this.#library.limits.filesPerSkill;
    if (!utf8) this.#findings.breakSkill(owner, { reason: 'file-name-not-utf8', path: owner, file });
    if (isTooMany) this.#findings.breakSkill(owner, this.#breach(owner, 'filesPerSkill'));
    return utf8 && !isTooMany;
  }

  #filesByOwner(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
    const byOwner = new Map<string, string[]>();
    for (const file of files) {
      const owner = this.#folders.get(parentOf(file))?.owner;
      if (owner === undefined) throw new Error(`file of no skill: ${file}`);
      const own = byOwner.get(owner) ?? [];
      own.push(file.slice(owner.length + 1));
      byOwner.set(owner, own);
    }
    return byOwner;
  }

  #breach(path: string, limit: keyof Limits): Problem {
    return { reason: 'limit-exceeded', path, limit, most: this.#library.limits[limit] };
  }

  #tooLarge(): Tree {
    const problem = this.#breach(this.#library.root, 'entries');
    return { skills: new Map(), unreadable: [{ path: '', below: true, problem }], notices: [], dropped: [] };
  }
}

/** A skill's path and those of its files, where they can stand on every file system. */
function skillOf(
  owner: string,
  paths: readonly string[],
): Outcome<readonly [SkillPath, readonly FilePath[]]> {
  const skill = parseSkillPath(owner);
  if (!skill.ok) return skill;
  const files: FilePath[] = [];
  for (const path of paths) {
    const file = parseFilePath(skill.value, path);
    if (!file.ok) return file;
    files.push(file.value);
  }
  const merged = findMerged(files);
  return merged
    ? refuse({ reason: 'files-collide', path: owner, ...merged })
    : { ok: true, value: [skill.value, files] };
}

function depthOf(folder: string): number {
  return folder === '' ? 0 : folder.split('/').length;
}

function isContentFile({ kind, utf8, verdict }: Judged): boolean {
  return kind === 'file' && utf8 && (verdict === 'content' || verdict === 'held-secret');
}

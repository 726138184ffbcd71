// What git knows of the skills directory, asked when it is needed and no more than once a run.

import { commitTimes } from '../git/commit-times.ts';
import { standingOf } from '../git/condition.ts';
import { headTime } from '../git/head-time.ts';
import { blobIdOf, heldBlob, heldBlobs } from '../git/held-blobs.ts';
import { authorTime, filesAt } from '../git/one-commit.ts';
import { findRepository, type GitRepository } from '../git/repository.ts';
import { type Standing, standings } from '../git/standings.ts';
import { uncleanPaths } from '../git/unclean.ts';
import type { CommitPlace, Held, Holder } from '../replica.ts';
import { foldersAbove, type SkillPath } from '../skill/path.ts';
import { documentOf, isDocumentName, type Skill } from '../skill/skill.ts';

/** Tells which skills are as HEAD has them. */
export type IsClean = (path: SkillPath) => boolean;

/** What a skills directory holds, as git must know it to tell whose each file is. */
export interface SkillTree {
  /** Whether a skill stands at a path: a file belongs to the nearest one above it. */
  readonly isSkill: (path: string) => boolean;
  /** What ignore rules leave out of skills, and git need not hold. */
  readonly dropped: readonly string[];
  /** Where git compares no executable bits: the files of which another one is known than its index has. */
  readonly otherBits?: () => Promise<readonly string[]>;
}

/** Of the commits that brought a skill's files so many are looked at, those of its document first. */
const maxBringers = 10;

/** Whether git would know the skills directory, were its clone not shallow. */
export async function isInShallowClone(directory: string): Promise<boolean> {
  const standing = await standingOf(directory);
  return standing.state === 'found' && standing.isShallow && !standing.isIgnored;
}

/** A skills directory in a git repository. */
export class Checkout implements Holder {
  readonly #repository: GitRepository;
  readonly #tree: SkillTree;
  #isClean: Promise<IsClean> | undefined;
  #held: ReturnType<typeof heldBlobs> | undefined;

  private constructor(repository: GitRepository, tree: SkillTree) {
    this.#repository = repository;
    this.#tree = tree;
  }

  /** Undefined where git does not answer: no git, no repository, a shallow clone, an ignored directory. */
  static async find(directory: string, tree: SkillTree): Promise<Checkout | undefined> {
    const repository = await findRepository(directory);
    return repository && new Checkout(repository, tree);
  }

  /** By what the history tells this directory, at HEAD. */
  get place(): CommitPlace {
    const { root, directory, head } = this.#repository;
    return { repository: root, directory, commit: head };
  }

  /** HEAD, and its branch unless it is detached. */
  get commitAndBranch(): { readonly commit: string; readonly branch?: string } {
    const { head, branch } = this.#repository;
    return { commit: head, ...(branch !== null && { branch }) };
  }

  /** The repository and the directory in it, in one text. */
  get repositoryName(): string {
    return `${this.#repository.root}:${this.#repository.directory}`;
  }

  /** Whether HEAD is a commit, or comes after it; true also where git cannot say. */
  async isAtOrAfter(commit: string): Promise<boolean> {
    if (commit === this.#repository.head) return true;
    const known = await standings(this.#repository, [commit]);
    return known === undefined || known.get(commit) === 'ancestor';
  }

  /** Where commits stand to HEAD; those that are unknown here are nobody's ancestors. */
  async standings(commits: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
    return (await standings(this.#repository, commits)) ?? new Map();
  }

  /** Which skills are as HEAD has them; none where git cannot say. */
  isClean(): Promise<IsClean> {
    this.#isClean ??= this.#cleanliness();
    return this.#isClean;
  }

  async #cleanliness(): Promise<IsClean> {
    const unclean = await uncleanPaths(this.#repository);
    if (unclean === undefined) return () => false;
    const left = new Set(this.#tree.dropped);
    const dirty = new Set<string>();
    const folders: string[] = [];
    const otherBits = (await this.#tree.otherBits?.()) ?? [];
    for (const path of [...unclean.map((one) => one.path), ...otherBits]) {
      const isFolder = path.endsWith('/');
      const bare = isFolder ? path.slice(0, -1) : path;
      const above = [bare, ...foldersAbove(bare).toReversed()];
      if (above.some((one) => left.has(one))) continue;
      const owner = above.find((one) => this.#tree.isSkill(one));
      if (owner !== undefined) dirty.add(owner);
      // A document makes a folder a skill, or not: whose the files around it are at HEAD is another question then.
      if (isDocumentName(bare.slice(bare.lastIndexOf('/') + 1))) for (const one of above) dirty.add(one);
      if (isFolder) {
        dirty.add(bare);
        folders.push(path);
      }
    }
    return (path) => !dirty.has(path) && !folders.some((folder) => path.startsWith(folder));
  }

  /** When HEAD's history last changed those of the skills that are as HEAD has them. */
  async commitTimes(paths: readonly SkillPath[]): Promise<ReadonlyMap<string, Date>> {
    const clean = paths.filter(await this.isClean());
    return (await commitTimes(this.#repository, clean)) ?? new Map();
  }

  /** When HEAD was committed. */
  headTime(): Promise<Date | undefined> {
    return headTime(this.#repository);
  }

  /** Those of the paths where a commit up to HEAD held a skill, and one after the time named, if any, changed it. */
  async everHeld<T extends Held>(asked: readonly T[]): Promise<readonly T[]> {
    const latest = new Map(asked.map(({ path }) => [path as string, 0]));
    const skills = new Set<string>();
    for (const [held, commit] of (await this.#heldBlobs()) ?? []) {
      const path = held.slice(held.indexOf(' ', 2) + 1);
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (isDocumentName(name)) skills.add(path.slice(0, -name.length - 1));
      for (const folder of commit ? foldersAbove(path) : []) {
        const time = latest.get(folder);
        if (time !== undefined && commit) latest.set(folder, Math.max(time, commit.seconds * 1000));
      }
    }
    return asked.filter(
      ({ path, since }) => skills.has(path) && (since === null || (latest.get(path) ?? 0) >= since.getTime()),
    );
  }

  /**
   * Whether a commit up to HEAD held each of the skill's files, at its path. With a time: whether one that was made
   * after it brought the skill to just these files.
   */
  async holds(skill: Skill, since: Date | null): Promise<boolean> {
    const held = await this.#heldBlobs();
    if (held === undefined) return false;
    const { objectFormat } = this.#repository;
    const nameOf = ({ path, executable, bytes }: Skill['entries'][number]) =>
      heldBlob(`${skill.path}/${path}`, executable, blobIdOf(objectFormat, bytes));
    const document = documentOf(skill);
    const isHeld = (entry: Skill['entries'][number]) => held.has(nameOf(entry));
    // The document is what changes most: where it was never held, no other file needs a look.
    if (!isHeld(document) || !skill.entries.every(isHeld)) return false;
    if (since === null) return true;
    const names = skill.entries.map(nameOf);
    const bringers = new Set([nameOf(document), ...names].map((name) => held.get(name)));
    const later = [...bringers].filter((commit) => commit && commit.seconds * 1000 >= since.getTime());
    for (const commit of later.slice(0, maxBringers)) {
      if (commit && (await this.#hasJust(commit.id, skill.path, names, since))) return true;
    }
    return false;
  }

  /** Whether a commit that was first made after `since`, and not only since rebased, has just these files of a skill. */
  async #hasJust(commit: string, skill: SkillPath, names: readonly string[], since: Date): Promise<boolean> {
    const made = await authorTime(this.#repository, commit);
    if (made === undefined || made < since) return false;
    const files = (await filesAt(this.#repository, commit, skill)) ?? new Map<string, string>();
    const nested = [...files.keys()].flatMap((file) => {
      const folder = file.slice(0, file.lastIndexOf('/'));
      return folder !== skill && isDocumentName(file.slice(folder.length + 1)) ? [`${folder}/`] : [];
    });
    const own = [...files].filter(([file]) => !nested.some((folder) => file.startsWith(folder)));
    return own.length === names.length && own.every(([, name]) => names.includes(name));
  }

  #heldBlobs(): ReturnType<typeof heldBlobs> {
    this.#held ??= heldBlobs(this.#repository);
    return this.#held;
  }
}

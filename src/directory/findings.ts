// What a scan finds beside content: what cannot be read, and what is left out.

import { NamedPaths, type Notice } from '../notice.ts';
import type { Problem } from '../problem.ts';
import type { Unreadable } from '../replica.ts';
import { compareBytes } from '../skill/path.ts';

/** Gathers the findings of one scan. */
export class Findings {
  readonly links = new NamedPaths();
  readonly secrets = new NamedPaths();
  readonly heldSecrets = new NamedPaths();
  readonly specialFiles = new NamedPaths();
  /** What rules leave out: files, and folders with all below them. */
  readonly dropped: string[] = [];
  ignored = 0;
  rootDocument: Extract<Notice, { notice: 'root-document' }> | undefined;
  readonly #broken = new Map<string, Problem>();
  readonly #unreadable: Unreadable[] = [];

  /** Makes a skill one of which nothing can be said. Its first problem stays. */
  breakSkill(skill: string, problem: Problem): void {
    if (!this.#broken.has(skill)) this.#broken.set(skill, problem);
  }

  isBroken(skill: string): boolean {
    return this.#broken.has(skill);
  }

  /** Nothing can be said of a folder and all below it, so neither of the skill that would own files in it. */
  giveUp(folder: string, owner: string | undefined, problem: Problem): void {
    this.#unreadable.push({ path: folder, below: true, problem });
    if (owner !== undefined) this.breakSkill(owner, problem);
  }

  unreadable(): readonly Unreadable[] {
    const broken = [...this.#broken].map(([path, problem]) => ({ path, below: false, problem }));
    return [...broken, ...this.#unreadable].sort((a, b) => compareBytes(a.path, b.path));
  }

  notices(): readonly Notice[] {
    return [
      ...(this.rootDocument === undefined ? [] : [this.rootDocument]),
      ...this.links.as('links'),
      ...this.secrets.as('secrets'),
      ...this.heldSecrets.as('held-secrets'),
      ...this.specialFiles.as('special-files'),
      ...(this.ignored === 0 ? [] : [{ notice: 'ignored', count: this.ignored } as const]),
    ];
  }
}

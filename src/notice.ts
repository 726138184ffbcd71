// What the skills directory holds that no sync touches: said once a run, and no problem.

import { compareBytes } from './skill/path.ts';

/** Paths relative to the skills directory, in byte order: how many, and at most {@link maxNamed} by name. */
export interface Named {
  readonly count: number;
  readonly paths: readonly string[];
}

/** A run, by what tells it from others. */
export interface NamedRun {
  readonly id: number;
  readonly direction: string;
  readonly who: string;
  readonly host: string;
  /** The skills directory, absolute; empty where the run concerned none. */
  readonly directory: string;
  readonly startedAt: Date;
}

export type Notice =
  /** Symbolic links: neither followed, nor stored, nor removed. */
  | ({ readonly notice: 'links' } & Named)
  /** Files of skills that look like secrets: never sent, never removed. */
  | ({ readonly notice: 'secrets' } & Named)
  /** Files that look like secrets, and that the base or the database already holds: synced as others are. */
  | ({ readonly notice: 'held-secrets' } & Named)
  /** Pipes, sockets and devices in skills. */
  | ({ readonly notice: 'special-files' } & Named)
  /** Files and folders that the ignore rules drop; an ignored folder counts once. */
  | { readonly notice: 'ignored'; readonly count: number }
  /** Dependencies and references that name no skill, as `PATH names TARGET`: linked once it arrives. */
  | ({ readonly notice: 'unresolved' } & Named)
  /** Skills whose files an earlier run had begun to write, and that this one brought to an end. */
  | ({ readonly notice: 'finished' } & Named)
  /** Skills that a run removed from the files, and the folder where they are. */
  | { readonly notice: 'trash'; readonly count: number; readonly folder: string; readonly run: number }
  /** What was removed by so many runs, longer than so many days ago, and is now deleted from the trash. */
  | { readonly notice: 'trash-emptied'; readonly count: number; readonly days: number }
  /** The run that this one takes back, or would. */
  | { readonly notice: 'undoes'; readonly run: NamedRun }
  /** Changes of files that cannot be taken back here: the run made them in another skills directory. */
  | { readonly notice: 'undo-elsewhere'; readonly count: number; readonly run: NamedRun }
  /** Git knows this clone's latest commits alone, and what both sides last agreed on was needed from it. */
  | { readonly notice: 'shallow-clone' }
  /** The skills directory is itself a skill's folder. It belongs into `pointAt`. */
  | { readonly notice: 'root-document'; readonly file: string; readonly pointAt: string };

export const maxNamed = 1000;

/** Collects the paths of one notice. */
export class NamedPaths {
  readonly #paths: string[] = [];
  #count = 0;

  add(path: string): void {
    this.#count++;
    if (this.#paths.length < maxNamed) this.#paths.push(path);
  }

  /** The notice of that kind, or none where nothing was added. */
  as(notice: Extract<Notice, Named>['notice']): readonly Notice[] {
    return this.#count === 0
      ? []
      : [{ notice, count: this.#count, paths: this.#paths.toSorted(compareBytes) }];
  }
}

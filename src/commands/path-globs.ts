// Which skills a command is about, by globs of their paths.

import type { Problem } from '../problem.ts';
import { globMatcher } from '../skill/glob.ts';
import { readPrinted } from '../skill/path.ts';

/** The globs of a command: without any, all paths are selected. */
export class PathGlobs {
  readonly #globs: readonly { readonly glob: string; readonly matches: (path: string) => boolean }[];
  readonly #matched = new Set<string>();

  constructor(globs: readonly string[]) {
    this.#globs = globs.map((glob) => ({ glob, matches: globMatcher(readPrinted(glob)) }));
  }

  select(path: string): boolean {
    let selected = this.#globs.length === 0;
    for (const { glob, matches } of this.#globs) {
      if (!matches(path)) continue;
      this.#matched.add(glob);
      selected = true;
    }
    return selected;
  }

  /** A problem for each glob that took no path: it is misspelt more often than not. */
  unmatched(): readonly Problem[] {
    return this.#globs
      .filter(({ glob }) => !this.#matched.has(glob))
      .map(({ glob }) => ({ reason: 'skill-path-matches-nothing', glob }));
  }
}

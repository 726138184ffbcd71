// A command in a program of others: it prints nothing, hears no signal of the process, and takes nothing from it unasked.

import path from 'node:path';
import type { GlobalFlags } from '../commands/command.ts';
import type { Host } from '../commands/host.ts';
import type { Problem } from '../problem.ts';
import { chooseColors } from '../report/colors.ts';
import { problemJson } from '../report/json.ts';
import { SkillFleetError } from './error.ts';
import type { ReadOptions } from './options.ts';

/** A command under way for a program. */
export class Guest {
  readonly host: Host;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly #printed: (string | Uint8Array)[] = [];
  #problem: Problem | undefined;

  constructor({ cwd = '', signal = new AbortController().signal }: ReadOptions) {
    this.cwd = path.resolve(cwd);
    this.signal = signal;
    this.host = {
      env: {},
      cwd: () => this.cwd,
      readsEnvFile: false,
      isGuest: true,
      output: () => ({
        result: (text) => this.#printed.push(text),
        notice: () => {},
        colors: chooseColors(false, {}, false),
        columns: undefined,
      }),
      listen: () => ({ signal, dispose: () => {} }),
      fail: (problem) => {
        this.#problem = problem;
      },
    };
  }

  /** A folder as the command is to name it: as it was named, unless it is relative to another place than the process. */
  placeOf(folder: string): string {
    return this.cwd === process.cwd() ? folder : path.resolve(this.cwd, folder);
  }

  /** Runs a command. Gives what it prints with `--json`, or throws why it came to none. */
  async report<T>(run: (flags: GlobalFlags & { json: true }) => Promise<unknown>): Promise<T> {
    await run({ json: true });
    if (this.#problem) throw this.error(this.#problem);
    return JSON.parse(this.#printed.join(''));
  }

  /** What is thrown for a problem: where the program ended the call itself, its own reason. */
  error(problem: Problem): unknown {
    return problem.reason === 'interrupted' && this.signal.aborted
      ? this.signal.reason
      : new SkillFleetError(problemJson(problem));
  }
}

/** Refuses what would be another database than the one that was meant. */
export function checkDatabaseUrl(url: string | undefined): void {
  if (url?.trim()) return;
  const why = 'the option databaseUrl is empty';
  throw new SkillFleetError(problemJson({ reason: 'database-url-not-set', why }));
}

/** The last call on each embedded database that is open in this process, by its folder. */
const turns = new Map<string, Promise<unknown>>();

/** Waits for the calls before on an embedded database, which takes one at a time. A server takes as many as it likes. */
export async function inTurn<T>({ cwd }: Guest, url: string, call: () => Promise<T>): Promise<T> {
  const folder = /^pglite:(.+)$/i.exec(url.trim())?.[1];
  if (folder === undefined) return call();
  const place = path.resolve(cwd, folder);
  const before = turns.get(place);
  const turn = (async () => {
    await before?.catch(() => {});
    return call();
  })();
  turns.set(place, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(place) === turn) turns.delete(place);
  }
}

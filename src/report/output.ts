// Where a command's words go: results to stdout; progress, notices and problems to stderr.

import type { OnProgress } from '../replica.ts';
import { type Colors, chooseColors } from './colors.ts';
import { progressLine } from './progress-line.ts';
import { isOnGithub, withoutCommands } from './workflow-command.ts';

/** Output of one command. */
export interface Output {
  /** Results: what a reader, or a pipe, asked for. */
  readonly result: (text: string | Uint8Array) => void;
  /** Everything else. */
  readonly notice: (text: string) => void;
  readonly colors: Colors;
  /** Hears how far a run has come; absent where nobody watches. */
  readonly progress?: OnProgress;
  /** How wide the terminal is that results go to; undefined where they go elsewhere. */
  readonly columns: number | undefined;
}

/** What the flags say of the output. */
export interface OutputFlags {
  readonly quiet?: boolean;
  /** False under `--no-color`. */
  readonly color?: boolean;
  /** False under `--no-progress`. */
  readonly progress?: boolean;
}

/** The output of this process. */
export function processOutput({ color, quiet, progress }: OutputFlags): Output {
  const { stdout, stderr, env } = process;
  const isWatched = stderr.isTTY && env['TERM'] !== 'dumb' && !env['CI'] && !quiet && progress !== false;
  const line = isWatched
    ? progressLine({
        write: (text) => stderr.write(text),
        columns: () => stderr.columns || 80,
        now: () => performance.now(),
      })
    : undefined;
  // On GitHub Actions a line of a skill's could be taken for a command to the runner.
  const shown = isOnGithub(env) ? withoutCommands : (text: string) => text;
  return {
    result: (text) => {
      line?.clear();
      // Bytes are a skill's own, and stay so.
      stdout.write(typeof text === 'string' ? shown(text) : text);
    },
    notice: (text) => {
      line?.clear();
      stderr.write(shown(text));
    },
    colors: chooseColors(color, env, Boolean(stdout.isTTY)),
    ...(line && { progress: line.update }),
    // Some terminals say that they are 0 wide.
    columns: stdout.isTTY ? stdout.columns || 80 : undefined,
  };
}

/** What lines are written for: with which colours, and how wide a terminal is, where there is one. */
export type Page = Pick<Output, 'colors' | 'columns'>;

// Where a command's words go: results to stdout; progress, notices and problems to stderr.

import { type Colors, chooseColors } from './colors.ts';

/** Output of one command. */
export interface Output {
  /** Results: what a reader, or a pipe, asked for. */
  readonly result: (text: string) => void;
  /** Everything else. */
  readonly notice: (text: string) => void;
  readonly colors: Colors;
}

/** The output of this process. */
export function processOutput(colorFlag: boolean | undefined): Output {
  return {
    result: (text) => process.stdout.write(text),
    notice: (text) => process.stderr.write(text),
    colors: chooseColors(colorFlag, process.env, Boolean(process.stdout.isTTY)),
  };
}

// What a command runs in: a process of its own, or a program that calls it as a library.

import type { Problem } from '../problem.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { type Output, type OutputFlags, processOutput } from '../report/output.ts';
import { problemLines } from '../report/problem-text.ts';
import { failureLine, isOnGithub } from '../report/workflow-command.ts';
import { type Interruption, listenForInterruption } from './interruption.ts';

/** What a command takes from its surroundings, and tells them. */
export interface Host {
  /** What it is told by, where no flag tells it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  readonly cwd: () => string;
  /** Whether a `.env` of the project counts. */
  readonly readsEnvFile: boolean;
  /** Whether the process is somebody else's, of which nothing may be set. */
  readonly isGuest: boolean;
  readonly output: (flags: OutputFlags) => Output;
  /** @param onlyReads whether nothing is lost where the command ends early */
  readonly listen: (onlyReads: boolean) => Interruption;
  /** Hears what ended a command before it came to a report. */
  readonly fail: (problem: Problem, exitCode: number, output: Output, flags: { json?: boolean }) => void;
}

/** The process of the command line. */
export const thisProcess: Host = {
  env: process.env,
  cwd: () => process.cwd(),
  readsEnvFile: true,
  isGuest: false,
  output: processOutput,
  listen: listenForInterruption,
  fail: (problem, exitCode, output, { json }) => {
    if (json) output.result(jsonText({ problems: [problemJson(problem)], exitCode }));
    else output.notice(problemLines(problem, output.colors));
    // Past the output, in which nothing is a command to the runner.
    if (isOnGithub(process.env)) process.stderr.write(failureLine(problem));
  },
};

// What every command shares: its global flags, its exit codes, and how a problem ends it.

import { type Config, loadConfig } from '../config/config.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { type Output, processOutput } from '../report/output.ts';
import { problemLines } from '../report/problem-text.ts';
import type { Connection } from '../repository/connection.ts';
import { problemOfRun } from '../repository/sqlstate.ts';

/** Flags that any command takes. */
export interface GlobalFlags {
  readonly skillsDir?: string;
  readonly databaseUrl?: string;
  readonly envFile?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False under `--no-color`. */
  readonly color?: boolean;
}

/** What a process ends with. */
export const exitCodes = { done: 0, failed: 1, pending: 2, conflicts: 3 } as const;

/** A command's surroundings: where its words go, and its configuration. */
export interface Surroundings {
  readonly output: Output;
  readonly config: Config;
}

/** Reads the configuration and runs a command. What stops it is said in the form that the flags ask for. */
export async function runCommand(
  flags: GlobalFlags,
  command: (around: Surroundings) => Promise<Outcome<number>>,
): Promise<number> {
  const output = processOutput(flags.color);
  const config = await loadConfig({ flags, env: process.env, cwd: process.cwd() });
  const code = config.ok ? await command({ output, config: config.value }) : config;
  if (code.ok) return code.value;
  reportFailure(output, flags, code.problem);
  return exitCodes.failed;
}

function reportFailure(output: Output, flags: GlobalFlags, problem: Problem): void {
  if (flags.json) {
    output.result(jsonText({ problems: [problemJson(problem)], exitCode: exitCodes.failed }));
  } else output.notice(problemLines(problem, output.colors));
}

/** Works on a connection, then closes it. A database that fails in the middle is a problem like any other. */
export async function withConnection(
  connection: Connection,
  work: () => Promise<Outcome<number>>,
): Promise<Outcome<number>> {
  try {
    return await work();
  } catch (error) {
    const problem = problemOfRun(connection.database, error);
    if (problem === undefined) throw error;
    return refuse(problem);
  } finally {
    // Where the connection was lost, the first error says more than what closing it meets.
    await connection.close().catch(() => {});
  }
}

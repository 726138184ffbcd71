// What every command shares: its global flags, its exit codes, and how a problem ends it.

import { type Config, type ConfigStart, loadConfig } from '../config/config.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { interrupted } from '../replica.ts';
import type { Output } from '../report/output.ts';
import { waitingLine } from '../report/problem-text.ts';
import type { Connection } from '../repository/connection.ts';
import { withProblems } from '../repository/open.ts';
import type { ConnectOptions } from '../repository/server.ts';
import { exitCodes } from './exit-codes.ts';
import { type Host, thisProcess } from './host.ts';
import { exitCodeUnder, isUnheard } from './interruption.ts';

/** Flags that any command takes. */
export interface GlobalFlags {
  readonly skillsDir?: string;
  readonly databaseUrl?: string;
  readonly envFile?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** Seconds, as the two below. */
  readonly connectTimeout?: number;
  readonly lockTimeout?: number;
  readonly statementTimeout?: number;
  /** False under `--no-color`, and `--no-progress`. */
  readonly color?: boolean;
  readonly progress?: boolean;
}

/** A command's surroundings: where its words go, and its configuration. */
export interface Surroundings {
  readonly output: Output;
  readonly config: Config;
  /** Aborted where the command is to end before its time. */
  readonly signal: AbortSignal;
  /** How to connect to a database. */
  readonly connecting: ConnectOptions;
  readonly host: Host;
}

/**
 * Reads the configuration and runs a command. What stops it is said in the form that the flags ask for.
 *
 * @param onlyReads whether nothing is lost where the command ends early
 */
export function runCommand(
  flags: GlobalFlags,
  onlyReads: boolean,
  command: (around: Surroundings) => Promise<Outcome<number>>,
  host: Host = thisProcess,
): Promise<number> {
  const configured = async (around: Omit<Surroundings, 'config'>) => {
    const config = await loadConfig(configStart(flags, host));
    return config.ok ? command({ ...around, config: config.value }) : config;
  };
  return runUnconfigured(flags, onlyReads, configured, host);
}

/** The same, of a command that reads the configuration itself. */
export async function runUnconfigured(
  flags: GlobalFlags,
  onlyReads: boolean,
  command: (around: Omit<Surroundings, 'config'>) => Promise<Outcome<number>>,
  host: Host = thisProcess,
): Promise<number> {
  const output = host.output(flags);
  const interruption = host.listen(onlyReads);
  const { signal } = interruption;
  try {
    const connecting = { ...connectOptions(flags, output, signal), isGuest: host.isGuest };
    const code = await untilInterrupted(signal, () => command({ output, signal, connecting, host }));
    const exitCode = exitCodeUnder(signal, code.ok ? code.value : exitCodes.failed);
    if (!code.ok && !isUnheard(signal)) host.fail(code.problem, exitCode, output, flags);
    return exitCode;
  } finally {
    interruption.dispose();
  }
}

/** What the configuration of a command is read by. */
export function configStart(flags: GlobalFlags, { env, cwd, readsEnvFile }: Host): ConfigStart {
  return { flags, env, cwd: cwd(), readsEnvFile };
}

function connectOptions(flags: GlobalFlags, output: Output, signal: AbortSignal): ConnectOptions {
  const ms = (seconds: number) => seconds * 1000;
  return {
    signal,
    ...(flags.connectTimeout !== undefined && { connectTimeoutMs: ms(flags.connectTimeout) }),
    ...(flags.lockTimeout !== undefined && { lockTimeoutMs: ms(flags.lockTimeout) }),
    ...(flags.statementTimeout !== undefined && { statementTimeoutMs: ms(flags.statementTimeout) }),
    onWait: (problem) => {
      if (!flags.quiet) output.notice(waitingLine(problem));
    },
  };
}

/** What fails after it was interrupted fails because of that. */
async function untilInterrupted(
  signal: AbortSignal,
  work: () => Promise<Outcome<number>>,
): Promise<Outcome<number>> {
  try {
    const code = await work();
    return !code.ok && signal.aborted ? refuse(interrupted) : code;
  } catch (error) {
    const problem = signal.aborted ? interrupted : problemOfSystem(error);
    if (problem === undefined) throw error;
    return refuse(problem);
  }
}

/** A call of the system that failed where no skill is to be named: of state, locks, journals. */
export function problemOfSystem(error: unknown): Problem | undefined {
  const { syscall, code, path } = error as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return undefined;
  return { reason: 'system-call-failed', call: syscall, file: path, code };
}

/** Works on a connection, then closes it. A database that fails in the middle is a problem like any other. */
export async function withConnection(
  connection: Connection,
  work: () => Promise<Outcome<number>>,
): Promise<Outcome<number>> {
  try {
    return await withProblems(connection, work);
  } finally {
    // Where the connection was lost, the first error says more than what closing it meets.
    await connection.close().catch(() => {});
  }
}

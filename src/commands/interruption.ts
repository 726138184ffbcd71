// What ends a command before its time: a signal, or a reader of its output that has gone.

import { constants } from 'node:os';
import { exitCodes } from './exit-codes.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What ends a command before its time. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Hears no more. */
  dispose(): void;
}

/** Why a signal was aborted: what the process is to end with. */
class ProcessInterrupted extends Error {
  readonly exitCode: number;
  readonly isUnheard: boolean;

  constructor(exitCode: number, isUnheard: boolean) {
    super('interrupted');
    this.exitCode = exitCode;
    this.isUnheard = isUnheard;
  }
}

/** Whether what ended a command is that nobody hears it: then there is nothing to say. */
export function isUnheard({ reason }: AbortSignal): boolean {
  return reason instanceof ProcessInterrupted && reason.isUnheard;
}

/**
 * Lets a process whose output could not be written say so as it ends, and fail by that: also where a command ends
 * at once, as for help. A reader that has gone is no fault.
 */
export function failUnwritten(): void {
  const outputs = [process.stdout, process.stderr];
  const errors: (NodeJS.ErrnoException | null)[] = [];
  for (const output of outputs) output.on('error', (error) => errors.push(error));
  process.on('exit', () => {
    // What was written last may have failed, and nobody have heard of it yet.
    const error = [...errors, ...outputs.map(({ errored }) => errored)].find(isFault);
    if (!error) return;
    process.stderr.write(`error: The output cannot be written: ${error.message}\n`);
    process.exitCode = exitCodes.failed;
  });
}

function isFault(error: NodeJS.ErrnoException | null): boolean {
  return error !== null && error.code !== 'EPIPE';
}

/** What a command ends with: its own code, or that of what interrupted it. */
export function exitCodeUnder(signal: AbortSignal, code: number): number {
  return signal.reason instanceof ProcessInterrupted ? signal.reason.exitCode : code;
}

/**
 * Listens until `dispose`. The first signal lets what is under way come to an end, or be rolled back; the second
 * ends the process at once. A reader that has seen enough, and an output that takes no more, end a command that only
 * reads, and no other: what was asked for is done whether or not anybody watches.
 */
export function listenForInterruption(onlyReads: boolean): Interruption {
  const controller = new AbortController();
  const abort = (exitCode: number, isUnheard: boolean) =>
    controller.abort(new ProcessInterrupted(exitCode, isUnheard));
  const onSignal = (name: (typeof signals)[number]) => {
    const exitCode = 128 + constants.signals[name];
    if (controller.signal.aborted) process.exit(exitCode);
    abort(exitCode, false);
  };
  const onOutputError = ({ code }: NodeJS.ErrnoException) => {
    if (onlyReads) abort(code === 'EPIPE' ? exitCodes.done : exitCodes.failed, true);
  };
  const outputs = [process.stdout, process.stderr];
  for (const name of signals) process.on(name, onSignal);
  for (const output of outputs) output.on('error', onOutputError);
  return {
    signal: controller.signal,
    // Outputs are heard to the end: what is written last may be what fails.
    dispose: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}

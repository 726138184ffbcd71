// What ends a command before its time: a signal, or a reader of its output that has gone.

import { constants } from 'node:os';
import { exitCodes } from './exit-codes.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Why a signal was aborted: what the process is to end with. */
class Interruption extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** What a command ends with: its own code, or that of what interrupted it. */
export function exitCodeUnder(signal: AbortSignal, code: number): number {
  return signal.reason instanceof Interruption ? signal.reason.exitCode : code;
}

/**
 * Listens until `dispose`. The first signal lets what is under way come to an end, or be rolled back; the second
 * ends the process at once. A reader that has seen enough ends a command that only reads, and no other: what
 * was asked for is done whether or not anybody watches.
 */
export function listenForInterruption(onlyReads: boolean): {
  readonly signal: AbortSignal;
  /** Hears no more. */
  dispose(): void;
} {
  const controller = new AbortController();
  const abort = (exitCode: number) => controller.abort(new Interruption(exitCode));
  const onSignal = (name: (typeof signals)[number]) => {
    const exitCode = 128 + constants.signals[name];
    if (controller.signal.aborted) process.exit(exitCode);
    abort(exitCode);
  };
  const onOutputError = ({ code: why }: NodeJS.ErrnoException) => {
    if (why !== 'EPIPE') abort(exitCodes.failed);
    else if (onlyReads) abort(exitCodes.done);
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

// What was called in a wrong way, said in the form that the flags ask for.

import type { Problem } from '../problem.ts';
import { jsonText, problemJson } from '../report/json.ts';
import { processOutput } from '../report/output.ts';
import { problemLines } from '../report/problem-text.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * Says why a command line cannot be run. Returns the exit code.
 *
 * @param args the command line
 * @param message what commander says of it
 * @param command the command that was called, as it was called
 * @param others commands that may be meant where that one is unknown
 */
export function run(
  args: readonly string[],
  message: string,
  command: string,
  others: readonly string[],
): number {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ');
  const meant =
    others.length > 0 && !text.includes('Did you mean') ? ` (Did you mean ${others.join(' or ')}?)` : '';
  const problem: Problem = { reason: 'wrong-usage', why: `${text}${meant}`, command };
  const output = processOutput({ color: !args.includes('--no-color') });
  const exitCode = exitCodes.wrongUsage;
  if (args.includes('--json')) output.result(jsonText({ problems: [problemJson(problem)], exitCode }));
  else output.notice(problemLines(problem, output.colors));
  return exitCode;
}

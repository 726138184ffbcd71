// Output for programs: one documented object, problems included.

import { type Problem, sentenceOf } from '../problem.ts';

/** The version of every `--json` object; a reader of version 1 can read all that say so. */
const jsonVersion = 1;

/** An object as text, its version first. */
export function jsonText(value: { readonly [key: string]: unknown }): string {
  return `${JSON.stringify({ version: jsonVersion, ...value }, null, 2)}\n`;
}

/** A problem's values, and its sentences. */
export function problemJson(problem: Problem): Problem & { readonly what: string; readonly remedy: string } {
  return { ...problem, ...sentenceOf(problem) };
}

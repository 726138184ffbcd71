// Lines that the runner of GitHub Actions takes for commands: the annotations that a run makes, and none else.

import { type Problem, sentenceOf } from '../problem.ts';
import { printableLine } from './terminal-text.ts';

/** How many annotations of one kind GitHub shows of a step. */
export const maxAnnotations = 10;

/** Bytes of a message as it is written; the runner cuts what is longer. */
const maxMessageBytes = 4096;

export type AnnotationKind = 'error' | 'warning' | 'notice';

/** Whether this runs in a step of GitHub Actions. */
export function isOnGithub(env: { readonly [name: string]: string | undefined }): boolean {
  return env['GITHUB_ACTIONS'] === 'true';
}

/** What is shown beside a line of the changed files, or in the run's list. */
export interface Annotation {
  readonly title: string;
  /** Its lines; whatever they hold. */
  readonly message: readonly string[];
  /** Relative to the repository. Line and column count from 1, and say nothing without a file. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** Annotates what ended a command before it came to a report. */
export function failureLine(problem: Problem): string {
  const { what, remedy } = sentenceOf(problem);
  return annotationLine('error', { title: 'Problem', message: [what, remedy] });
}

/** An annotation as the runner reads it; escaped as `@actions/core` does. */
export function annotationLine(
  kind: AnnotationKind,
  { title, message, file, line, column }: Annotation,
): string {
  const place = file === undefined ? {} : { file, line, col: line === undefined ? undefined : column };
  const properties = Object.entries({ ...place, title })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(printableLine(String(value)))}`);
  return `::${kind} ${properties.join(',')}::${escapeMessage(message.map(printableLine).join('\n'))}\n`;
}

function escapeCharacters(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeCharacters(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function escapeMessage(text: string): string {
  const whole = escapeCharacters(text);
  if (Buffer.byteLength(whole) <= maxMessageBytes) return whole;
  const end = '...';
  let cut = '';
  let bytes = end.length;
  for (const character of text) {
    const escaped = escapeCharacters(character);
    bytes += Buffer.byteLength(escaped);
    if (bytes > maxMessageBytes) break;
    cut += escaped;
  }
  return cut + end;
}

/**
 * The text with nothing in it that the runner would take for a command: `::name::` where a line begins, and
 * `##[name]` anywhere, which is how it reads them (`ActionCommand` of actions/runner). JSON stays the same value.
 */
export function withoutCommands(text: string): string {
  return text.replace(/:(?<=(?:^|[\n\r])[^\S\n\r]*:)(?=:)/g, '\\u003a').replaceAll('##[', '#\\u0023[');
}

// Output for programs: one documented object, problems included.

import { type Problem, sentenceOf, withoutPasswords } from '../problem.ts';
import { unprintable } from './terminal-text.ts';

/** The version of every `--json` object; a reader of version 1 can read all that say so. */
const jsonVersion = 1;

/** A value as JSON that cannot steer a terminal, and hides nothing on one: the same value to a program. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(unprintable, (character) =>
    Array.from({ length: character.length }, (_, at) => unitText(character.charCodeAt(at))).join(''),
  );
}

function unitText(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** An object as text, its version first. */
export function jsonText(value: { readonly [key: string]: unknown }): string {
  return `${printableJson({ version: jsonVersion, ...value })}\n`;
}

/** A problem's values, and its sentences. */
export function problemJson(problem: Problem): Problem & { readonly what: string; readonly remedy: string } {
  const details = Object.entries(problem).map(([name, value]) => [
    name,
    typeof value === 'string' ? withoutPasswords(value) : value,
  ]);
  return { ...(Object.fromEntries(details) as Problem), ...sentenceOf(problem) };
}

/** An object with one list that is written as it comes: as {@link jsonText} writes it, in the order of the calls. */
export class ListedJson {
  readonly #write: (text: string) => void;
  readonly #opening: string;
  #state: 'silent' | 'empty' | 'filled' = 'silent';

  /** @param head what stands before the list, which is called `name` */
  constructor(write: (text: string) => void, head: { readonly [key: string]: unknown }, name: string) {
    this.#write = write;
    this.#opening = `${jsonText(head).slice(0, -'\n}\n'.length)},\n  ${printableJson(name)}: [`;
  }

  add(items: readonly object[]): void {
    if (items.length === 0) return;
    const lines = printableJson(items).slice('['.length, -'\n]'.length).replaceAll('\n', '\n  ');
    this.#write(`${this.#begin()}${this.#state === 'filled' ? ',' : ''}${lines}`);
    this.#state = 'filled';
  }

  /** Writes what stands after the list. */
  end(tail: { readonly [key: string]: unknown }): void {
    const rest = printableJson(tail).slice('{'.length);
    this.#write(`${this.#begin()}${this.#state === 'filled' ? '\n  ' : ''}],${rest}\n`);
  }

  #begin(): string {
    if (this.#state !== 'silent') return '';
    this.#state = 'empty';
    return this.#opening;
  }
}

// `to-prompt`: the block of a prompt that tells an agent which skills there are. No database is asked.

import path from 'node:path';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { interrupted } from '../replica.ts';
import { ListedJson, problemJson } from '../report/json.ts';
import type { Output } from '../report/output.ts';
import { problemLines } from '../report/problem-text.ts';
import { type AvailableSkill, promptFoot, promptHead, promptLines } from '../report/prompt-text.ts';
import { printable } from '../report/terminal-text.ts';
import { propertiesOf } from './available-skills.ts';
import { type GlobalFlags, runUnconfigured } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { exitCodeUnder } from './interruption.ts';
import { configOf, type Library, openLibrary } from './validate.ts';

/** Prints the skills of each directory, each a library or one skill. Creates and changes nothing. Returns the exit code. */
export function run(flags: GlobalFlags, ...directories: readonly string[]): Promise<number> {
  return runUnconfigured(flags, true, async ({ output, signal, host }) => {
    const config = await configOf(flags, host);
    if (!config.ok) return config;
    const named =
      directories.length > 0 ? directories : [path.relative('', config.value.skillsDirectory) || '.'];
    const libraries: Library[] = [];
    for (const shown of named) {
      const opened = await openLibrary(shown, config.value, signal);
      if (!opened.ok) return opened;
      libraries.push(opened.value);
    }
    const report = flags.json ? new JsonReport(output) : new PromptReport(output);
    try {
      for await (const skill of skillsOf(libraries)) {
        signal.throwIfAborted();
        if (skill.ok) report.add(skill.value);
        else report.fail(skill.problem);
      }
    } catch (error) {
      // What is no object is as good as it is; an object is made whole.
      if (!signal.aborted || !flags.json) throw error;
      report.fail(interrupted);
    }
    return { ok: true, value: report.end(signal) };
  });
}

/** Of each library its own skill, where it is one, then those below it, in byte order of their paths. */
async function* skillsOf(libraries: readonly Library[]): AsyncGenerator<Outcome<AvailableSkill>> {
  for (const { own, directory, listing } of libraries) {
    for (const { problem } of listing.unreadable) yield refuse(problem);
    const parts = [
      ...(own === undefined ? [] : [[own.directory, [own.path]] as const]),
      [directory, listing.paths] as const,
    ];
    for (const [where, paths] of parts) {
      for await (const found of propertiesOf(where, paths)) {
        if (!found.ok) yield found;
        else {
          const { location, properties } = found.value;
          yield { ok: true, value: { name: properties.name, description: properties.description, location } };
        }
      }
    }
  }
}

/** Prints the block as its skills come; problems go to stderr. */
class PromptReport {
  readonly #output: Output;
  #hasFailed = false;

  constructor(output: Output) {
    this.#output = output;
    this.#print(promptHead);
  }

  /** Nothing that a skill holds may steer a terminal; elsewhere its words stay as they are. */
  #print(text: string): void {
    this.#output.result(this.#output.columns === undefined ? Buffer.from(text) : printable(text));
  }

  add(skill: AvailableSkill): void {
    this.#print(promptLines(skill));
  }

  fail(problem: Problem): void {
    this.#hasFailed = true;
    this.#output.notice(problemLines(problem, this.#output.colors));
  }

  end(): number {
    this.#print(promptFoot);
    return this.#hasFailed ? exitCodes.failed : exitCodes.done;
  }
}

/** Prints one object, its skills as they come. */
class JsonReport {
  readonly #json: ListedJson;
  readonly #problems: Problem[] = [];

  constructor(output: Output) {
    this.#json = new ListedJson(output.result, {}, 'skills');
  }

  add(skill: AvailableSkill): void {
    this.#json.add([skill]);
  }

  fail(problem: Problem): void {
    this.#problems.push(problem);
  }

  end(signal: AbortSignal): number {
    const code = this.#problems.length > 0 ? exitCodes.failed : exitCodes.done;
    this.#json.end({ problems: this.#problems.map(problemJson), exitCode: exitCodeUnder(signal, code) });
    return code;
  }
}

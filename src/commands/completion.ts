// `completion`: prints a completion script for a shell, made of the commands and options that the program has.

import type { Command } from 'commander';
import {
  completionScript,
  type OptionDescription,
  type Place,
  type ProgramDescription,
  type Shell,
  type ValueDescription,
} from '../report/completion-text.ts';
import { exitCodes } from './exit-codes.ts';

/** Prints the script of a shell. It reads nothing, neither a file nor a database. */
export async function run(program: Command, shell: Shell): Promise<number> {
  process.stdout.write(completionScript(shell, describe(program)));
  return exitCodes.done;
}

/** What a value is can be told by the name that help gives it. */
const placesByName: { readonly [name: string]: Place } = {
  file: 'files',
  dir: 'folders',
  dirs: 'folders',
  path: 'skills',
  paths: 'skills',
  glob: 'skills',
};

function describe(program: Command): ProgramDescription {
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const names = commands.map((command) => command.name());
  const optionsOf = (command: Command): readonly OptionDescription[] =>
    help.visibleOptions(command).map(({ short, long, flags, description, argChoices, variadic }) => {
      const [, opening, name] = /([<[])([^<>[\]]+?)(?:\.\.\.)?[>\]]$/.exec(flags) ?? [];
      return {
        flags: [short, long].filter((flag) => flag !== undefined),
        description,
        value: name === undefined ? undefined : value(name, opening === '[', variadic, argChoices),
      };
    });
  const value = (
    name: string,
    isOptional: boolean,
    isVariadic: boolean,
    choices: readonly string[] | undefined,
  ): ValueDescription => {
    const parts = name.split('|');
    const isPlace = (part: string) => Object.hasOwn(placesByName, part);
    // `local|file` is a word, and what a word is not.
    const literal =
      name === 'command' ? names : parts.length > 1 ? parts.filter((part) => !isPlace(part)) : [];
    return {
      isOptional,
      isVariadic,
      words: choices ?? literal,
      places: parts.flatMap((part) => placesByName[part] ?? []),
    };
  };
  return {
    name: program.name(),
    options: optionsOf(program),
    commands: commands.map((command) => ({
      name: command.name(),
      summary: command.summary() || command.description(),
      options: optionsOf(command),
      arguments: command.registeredArguments.map((argument) =>
        value(argument.name(), !argument.required, argument.variadic, argument.argChoices),
      ),
    })),
  };
}

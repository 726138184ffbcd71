// A command line to be copied: the command, and the flags by which it would do the same again.

import { printableLine } from './terminal-text.ts';

/** Flags by their names in code. Of those that decide what a run does, none may be left out. */
const flagNames = {
  skillsDir: '--skills-dir',
  config: '--config',
  envFile: '--env-file',
  skillPath: '--skill-path',
  status: '--status',
  onConflict: '--on-conflict',
  with: '--with',
  force: '--force',
  delete: '--delete',
  maxDelete: '--max-delete',
  yes: '--yes',
  atomic: '--atomic',
  validate: '--validate',
} as const;

export type ToldFlags = {
  readonly [F in keyof typeof flagNames]?: boolean | string | number | readonly string[];
} & { readonly databaseUrl?: string };

/** `sync-db --on-conflict merge`. A URL may hold a password, and is left to be filled in. */
export function commandText(command: string, flags: ToldFlags): string {
  const told = Object.entries(flagNames).flatMap(([flag, name]) => {
    const value = flags[flag as keyof typeof flagNames];
    if (value === undefined || value === false) return [];
    return value === true ? [name] : [name, ...[value].flat().map((one) => shellWord(String(one)))];
  });
  return [command, ...told, ...(flags.databaseUrl === undefined ? [] : ['--database-url URL'])].join(' ');
}

/** What brings a revision back. */
export function restoreCommand(path: string, revision: number): string {
  return `skill-fleet restore ${skillWord(path)} --revision ${revision}`;
}

/** Paths beyond these are not named in a command: without any it is about all. */
const maxPaths = 5;

/** What shows how the sides differ at these paths. */
export function diffCommand(paths: readonly string[]): string {
  return ['skill-fleet diff', ...(paths.length > maxPaths ? [] : paths.map(skillWord))].join(' ');
}

/** A skill's path as a word of a command: where it begins as an option does, as {@link readPrinted} reads it. */
export function skillWord(path: string): string {
  return shellWord(path.replace(/^-/, '\\u{2d}'));
}

/** A name as a shell takes it for one word, printable: bytes that are not are written as bash and zsh read them. */
export function shellWord(name: string): string {
  if (/^[\w./:@%+=-]+$/.test(name)) return name;
  if (printableLine(name) === name) return `'${name.replaceAll("'", "'\\''")}'`;
  return `$'${Array.from(name, quotedCharacter).join('')}'`;
}

function quotedCharacter(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (printableLine(character) === character) return character;
  return Array.from(Buffer.from(character), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

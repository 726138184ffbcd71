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

/** A name as a shell takes it for one word. */
export function shellWord(name: string): string {
  const line = printableLine(name);
  return /^[\w./:@%+=-]+$/.test(line) ? line : `'${line.replaceAll("'", "'\\''")}'`;
}

// A team around a git repository and a database: developers with clones, each with skills of its own to sync.

import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { type DatabaseKind, migratedDatabase } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { type Clone, cloneAt, document, type RunOptions } from './sides.ts';

export const run = promisify(execFile);

/** Each commit a minute after the one before: git keeps whole seconds. */
let minute = Date.now() - 30 * 24 * 3_600_000;

/** The next moment of the team's own clock. */
export function nextMoment(): Date {
  minute += 60_000;
  return new Date(minute);
}

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const date = nextMoment().toISOString();
  const settings = [
    '-c',
    'user.name=Tester',
    '-c',
    'user.email=tester@example.org',
    '-c',
    'commit.gpgsign=false',
  ];
  const { stdout } = await run('git', ['-C', folder, ...settings, ...args], {
    env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date, GIT_CONFIG_GLOBAL: '/dev/null' },
  });
  return stdout.trim();
}

export const hasGit = await run('git', ['--version']).then(
  () => true,
  () => false,
);

export interface Developer extends Clone {
  /** The work tree. */
  readonly tree: string;
  git(...args: readonly string[]): Promise<string>;
  commit(files: { readonly [path: string]: string | null }, message?: string): Promise<void>;
  read(skill: string): Promise<string | undefined>;
}

/** A clone of a repository, whose skills stand in `skills/`. */
export async function developer(
  connection: Connection,
  origin: string | null,
  directory = 'skills',
): Promise<Developer> {
  const tree = path.join(await temporaryFolder(), 'tree');
  if (origin === null) {
    await mkdir(tree, { recursive: true });
    await git(tree, 'init', '--quiet', '--initial-branch=main');
  } else await run('git', ['clone', '--quiet', origin, tree]);
  const clone = await cloneAt(connection, tree, directory);
  const self: Developer = {
    ...clone,
    tree,
    git: (...args) => git(tree, ...args),
    commit: async (files, message = 'work') => {
      for (const [name, text] of Object.entries(files)) {
        if (text === null) await rm(path.join(clone.folder, name), { recursive: true });
        else await clone.write({ [name]: text });
      }
      await git(tree, 'add', '--all', '.');
      await git(tree, 'commit', '--quiet', '--allow-empty', '-m', message);
    },
    read: async (skill) => (await clone.files())[`${skill}/SKILL.md`],
  };
  return self;
}

export interface Team {
  readonly connection: Connection;
  readonly origin: string;
  join(): Promise<Developer>;
  readonly first: Developer;
}

/** A repository with a skill that its first developer exported. */
export async function team(kind: DatabaseKind): Promise<Team> {
  const connection = await migratedDatabase(kind);
  const origin = path.join(await temporaryFolder(), 'origin.git');
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', origin]);
  const first = await developer(connection, null);
  await first.git('remote', 'add', 'origin', origin);
  await first.commit({ 'x/SKILL.md': text('One'), 'y/SKILL.md': document('y') });
  await first.git('push', '--quiet', 'origin', 'main');
  expect((await first.run('export')).words).toEqual(['x: new -> database', 'y: new -> database']);
  return { connection, origin, first, join: () => developer(connection, origin) };
}

export const text = (word: string) => document('x', `${word}.\n`);
export const newest: RunOptions = { onConflict: 'newest' };

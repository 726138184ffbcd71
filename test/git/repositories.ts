// Real git repositories for tests, made by the git of this machine.

import { execFileSync } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { devNull } from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import { findRepository, type GitRepository } from '../../src/git/repository.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';

const settings = [
  'user.name=Ada',
  'user.email=ada@example.com',
  'init.defaultBranch=main',
  'commit.gpgSign=false',
  'protocol.file.allow=always',
  'gc.auto=0',
].flatMap((setting) => ['-c', setting]);

const environment = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };

/** Runs git in a folder; its output without the last line break. Commits are made at `seconds` since 1970. */
export function gitAt(seconds: number, folder: string, args: readonly string[], input = ''): string {
  const date = `@${seconds} +0000`;
  const output = execFileSync('git', [...settings, ...args], {
    cwd: folder,
    input,
    env: { ...environment, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
  return output.toString().replace(/\n$/, '');
}

let clock = 1_700_000_000;

/** As {@link gitAt}, each run a minute after the one before. */
export function git(folder: string, ...args: readonly string[]): string {
  clock += 60;
  return gitAt(clock, folder, args);
}

function gitIsThere(): boolean {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Skipped on a machine without git. */
export const describeWithGit = describe.skipIf(!gitIsThere());

/** An empty folder with links resolved, as callers of `findRepository` have it. */
export async function emptyFolder(): Promise<string> {
  return realpath(await temporaryFolder());
}

/** Commits all that stands in a work tree, and returns the commit. */
export function commitAll(repository: string): string {
  git(repository, 'add', '--all');
  git(repository, 'commit', '--quiet', '--allow-empty', '--message', 'Work');
  return git(repository, 'rev-parse', 'HEAD');
}

/** Writes files and commits them; returns the commit. */
export async function commitFiles(
  repository: string,
  files: { readonly [path: string]: string | Buffer },
): Promise<string> {
  await writeFiles(repository, files);
  return commitAll(repository);
}

/** A repository whose only commit holds these files. */
export async function makeRepository(
  files: { readonly [path: string]: string | Buffer } = { 'skills/a/SKILL.md': 'a\n' },
  options: readonly string[] = [],
): Promise<string> {
  const repository = await emptyFolder();
  git(repository, 'init', '--quiet', ...options);
  await commitFiles(repository, files);
  return repository;
}

/** A clone by way of a transport, as of another machine, in a folder of its own. */
export async function cloneOf(repository: string, options: readonly string[] = []): Promise<string> {
  const folder = path.join(await emptyFolder(), 'clone');
  git(repository, 'clone', '--quiet', ...options, `file://${repository}`, folder);
  return folder;
}

/** The repository of a folder, made where it is not there; fails the test where git has no answers. */
export async function repositoryOf(folder: string, directory = 'skills'): Promise<GitRepository> {
  const place = path.join(folder, directory);
  await mkdir(place, { recursive: true });
  const repository = await findRepository(place);
  if (!repository) throw new Error(`no repository at ${place}`);
  return repository;
}

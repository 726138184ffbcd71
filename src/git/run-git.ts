// The one place that starts git: no shell, nothing that a repository's configuration names, nothing written,
// nothing fetched, nothing thrown.

import { type ChildProcess, spawn } from 'node:child_process';
import { devNull } from 'node:os';
import path from 'node:path';

/** One run of git, whose output is records that each end with `separator`. */
export interface GitCall {
  /** The folder that git starts in, absolute. */
  readonly directory: string;
  readonly args: readonly string[];
  /** What git reads on its standard input. */
  readonly input?: string;
  readonly separator: '\n' | '\0';
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 30_000;

/** Longer than any path that git can hold. */
const maxRecordBytes = 1 << 20;

/**
 * More than this of anything is no answer: it would fill the memory of a small machine, and a history of so many
 * commits takes git longer than it is given.
 */
export const maxRecords = 1_000_000;

/** What git is told for every call; `-c` stands above all configuration files. */
const configuration = [
  // Empty, not `false`: before git 2.36 the value was only ever the name of a program.
  'core.fsmonitor=',
  `core.hooksPath=${devNull}`,
  // A repository may hold, as files like any others, a folder that is itself a repository, with a configuration.
  'safe.bareRepository=explicit',
  // A branch named HEAD must not hide the branch that HEAD stands for.
  'core.warnAmbiguousRefs=false',
];

/** Variables of git that a user sets for all repositories; others tell of one repository, or run or write something. */
const keptVariables = new Set([
  'GIT_CEILING_DIRECTORIES',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_NOSYSTEM',
  'GIT_CONFIG_SYSTEM',
  'GIT_DISCOVERY_ACROSS_FILESYSTEM',
  'GIT_EXEC_PATH',
]);

/**
 * The environment that git runs in. Within a hook, `GIT_DIR`, `GIT_INDEX_FILE` and others (all that
 * `git rev-parse --local-env-vars` names) tell of the repository whose hook it is, which need not be ours.
 */
export function gitEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => !name.toUpperCase().startsWith('GIT_') || keptVariables.has(name.toUpperCase()),
  );
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    // A partial clone lacks objects, and git fetches them when asked for one. The first says not to, and is not
    // known to git before 2024; the second, that no transport is allowed, stops any.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: '',
    // Both change what history is, on one machine alone.
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: devNull,
  };
}

function start({ directory, args }: GitCall): ChildProcess | undefined {
  const options = configuration.flatMap((setting) => ['-c', setting]);
  try {
    return spawn('git', ['--no-pager', ...options, '-C', directory, ...args], {
      // Where PATH has an empty entry, a `git` that lies in the working directory would be run.
      cwd: path.parse(directory).root,
      env: gitEnvironment(process.env),
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
  } catch {
    return undefined;
  }
}

/**
 * Runs git, and hands each record of its output to `take` as it comes, until `take` says false: then git is
 * stopped. Bytes that are not UTF-8 become U+FFFD, as in the names that Node reads from folders.
 *
 * @returns git's exit code, 0 where `take` had enough; undefined where git is not there, was killed, took longer
 *   than `timeoutMs` (30 seconds), or wrote what is no list of records.
 */
export function streamGit(call: GitCall, take: (record: string) => boolean): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = start(call);
    if (!child?.stdin || !child.stdout) {
      resolve(undefined);
      return;
    }
    const { stdin, stdout } = child;
    const end = (code: number | undefined): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      stdin.destroy();
      stdout.destroy();
      resolve(code);
    };
    const timer = setTimeout(end, call.timeoutMs ?? defaultTimeoutMs, undefined);
    let rest: Buffer = Buffer.alloc(0);
    stdout.on('data', (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = bytes.lastIndexOf(call.separator) + 1;
      rest = bytes.subarray(whole);
      if (rest.length > maxRecordBytes) {
        end(undefined);
        return;
      }
      // No UTF-8 sequence holds the separator's byte, so that decoding first splits the same.
      const records = bytes.toString('utf8', 0, whole).split(call.separator);
      records.pop();
      if (!records.every(take)) end(0);
    });
    child.on('error', () => end(undefined));
    child.on('close', (code) => end(code === null || rest.length > 0 ? undefined : code));
    // git may exit before it has read everything; its exit code tells what became of it.
    stdin.on('error', () => undefined);
    stdout.on('error', () => end(undefined));
    stdin.end(call.input ?? '');
  });
}

/** All records of a run of git that succeeded; undefined for any other, and for more than {@link maxRecords}. */
export async function gitRecords(call: GitCall): Promise<readonly string[] | undefined> {
  const records: string[] = [];
  const exit = await streamGit(call, (record) => records.push(record) <= maxRecords);
  return exit === 0 && records.length <= maxRecords ? records : undefined;
}

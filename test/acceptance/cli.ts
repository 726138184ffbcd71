// Runs the built command line as a user does: a process, a folder, an environment.

import { spawn } from 'node:child_process';
import path from 'node:path';
import pg from 'pg';
import { emptyDatabasePlace, type PlaceKind } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';

export const projectRoot = path.join(import.meta.dirname, '../..');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Variables = { readonly [name: string]: string };

/** What CI, npm and other databases put into the environment of the tests, and no person has. */
const notOfAPerson = /^(CI|GITHUB_ACTIONS|DATABASE_URL|SKILLS_DIR|FORCE_COLOR|INIT_CWD|npm_.*|PG.*)$/;

/** The environment of a person: that of the tests, less what only tests have. */
export function personEnvironment(more: Variables = {}): NodeJS.ProcessEnv {
  const person = Object.entries(process.env).filter(([name]) => !notOfAPerson.test(name));
  // Who tests does not wait ten seconds for a server that is not there.
  return { ...Object.fromEntries(person), NO_COLOR: '1', PGCONNECT_TIMEOUT: '1', ...more };
}

/** Runs a program to its end. `uid` runs it as another user. */
export function runProcess(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly uid?: number },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const { cwd, env = personEnvironment(), uid } = options;
    const child = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A project of the test's own, where `skill-fleet` can be run. */
export interface Project {
  readonly folder: string;
  run(args: readonly string[], env?: Variables): Promise<Ran>;
}

export async function makeProject(): Promise<Project> {
  const folder = await temporaryFolder();
  const cli = path.join(projectRoot, 'dist/cli.js');
  return {
    folder,
    run: (args, env = {}) =>
      runProcess(process.execPath, [cli, ...args], { cwd: folder, env: personEnvironment(env) }),
  };
}

/** The URL of an empty database of the test's own. */
export async function databaseUrl(kind: PlaceKind): Promise<string> {
  const place = await emptyDatabasePlace(kind);
  return place.kind === 'postgres' ? place.url : `pglite:${place.directory}`;
}

/** Runs SQL as another writer would, on a server. */
export async function sql(url: string, text: string): Promise<readonly { [column: string]: unknown }[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** A server that is not there: a port that was free a moment ago. */
export const nobodyThere = 'postgres://nobody:secret-password@127.0.0.1:1/none';

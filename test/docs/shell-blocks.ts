// A page's shell blocks as one story: in order, in one bash session, by the built program, in a project of its own.

import { chmod, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { databaseUrl, personEnvironment, projectRoot, runProcess } from '../acceptance/cli.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { git } from '../git/repositories.ts';

/** A block that a reader runs, or a comment `<!-- test: … -->` that only the test runs. */
export interface Block {
  /** Where its shell begins, from 1. */
  readonly line: number;
  readonly shell: string;
  /** The reason of a comment `<!-- not run: … -->` right before it. */
  readonly notRun?: string;
  /** The `text` block right after it: all that it prints. A line `…` stands for any lines, `…` in a line for any text. */
  readonly prints?: string;
}

const form =
  /^<!-- test:\s(?<preparation>.*?)\s-->$|(?:^<!-- not run: (?<reason>[^\n]*) -->\n+)?^```sh\n(?<shell>.*?)^```$(?:\n\n```text\n(?<prints>.*?)^```$)?/gms;

export async function readBlocks(page: string): Promise<readonly Block[]> {
  const text = await readFile(path.join(projectRoot, page), 'utf8');
  return [...text.matchAll(form)].map(({ 0: whole, index, groups = {} }) => {
    const { preparation, reason, shell = preparation ?? '', prints } = groups;
    return {
      line: text.slice(0, index + whole.indexOf(shell)).split('\n').length,
      shell,
      ...(reason !== undefined && { notRun: reason }),
      ...(prints !== undefined && { prints }),
    };
  });
}

/** Lines that a reader types, and what does it here. */
const standIns: readonly (readonly [RegExp, string])[] = [
  // The packages are here already, and the tests are running.
  [/^npm (?:ci|test|pack .*|install --save-dev .*)$/gm, 'true'],
];

/** What a URL may ask of TLS; servers with certificates have tests of their own. */
const ofTls = ['sslmode', 'sslrootcert', 'channel_binding'];

const placeholderUrl = /postgres(?:ql)?:\/\/[^\s'"/]+\/(\w+)(\?[^\s'"]*)?/g;

/** Each database that the page names, on the test's server. */
async function databasesOf(blocks: readonly Block[]): Promise<ReadonlyMap<string, URL>> {
  const names = blocks.flatMap(({ shell }) =>
    [...shell.matchAll(placeholderUrl)].map(([, name = '']) => name),
  );
  const databases = new Map<string, URL>();
  for (const name of new Set(names)) databases.set(name, new URL(await databaseUrl('postgres')));
  return databases;
}

function onTestServer(shell: string, databases: ReadonlyMap<string, URL>): string {
  const withUrls = shell.replaceAll(placeholderUrl, (_, name: string, search = '') => {
    const url = new URL(databases.get(name) ?? '');
    for (const [key, value] of new URLSearchParams(search)) {
      if (!ofTls.includes(key)) url.searchParams.set(key, value);
    }
    return url.href.replaceAll('+', '%20');
  });
  return standIns.reduce((text, [line, instead]) => text.replaceAll(line, instead), withUrls);
}

/** What differs from run to run, and what the pages show in its place. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '2026-01-31 09:30:00Z'],
  [/\b\d{8}T\d{6}Z-[0-9a-f]+\b/g, '20260131T093000Z-c0ffee12'],
  [/\b\d+ (?:s|min|h) ago/g, '5 min ago'],
  [/\(\d+(?:\.\d+)? (?:s|min)\)/g, '(0.1 s)'],
  // Words that could be a commit are leveled alike on both sides.
  [/\b[0-9a-f]{7,40}\b/g, 'c0ffee1'],
];

/** An output as pages show it. */
function leveled(text: string): string {
  return varying.reduce((level, [pattern, shown]) => level.replaceAll(pattern, shown), text);
}

/** The width of a column hangs on names that vary, and blank ends are not seen. */
function comparable(text: string): string {
  return `${leveled(text).replaceAll(/ +$/gm, '').replaceAll(/ {2,}/g, '  ').trimEnd()}\n`;
}

/** Whether a page shows what was printed. */
export function isShown(prints: string, printed: string): boolean {
  const pattern = comparable(prints)
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/^…\n/gm, '(?:.*\n)*?')
    .replaceAll('…', '.*');
  return new RegExp(`^${pattern}$`).test(comparable(printed));
}

/** Shows in a page what its blocks printed, from the last to the first, so that lines above stay where they are. */
export async function writePrints(
  page: string,
  printed: readonly { readonly line: number; readonly text: string }[],
): Promise<void> {
  const file = path.join(projectRoot, page);
  const lines = (await readFile(file, 'utf8')).split('\n');
  for (const { line, text } of printed.toReversed()) {
    const start = lines.indexOf('```text', line) + 1;
    lines.splice(
      start,
      lines.indexOf('```', start) - start,
      ...text.replaceAll(/ +$/gm, '').trimEnd().split('\n'),
    );
  }
  await writeFile(file, lines.join('\n'));
}

export interface Session {
  readonly code: number | null;
  /** What each block printed, on both streams, as pages show it; none where it was not reached. */
  readonly printed: readonly (string | undefined)[];
}

/** A folder with a `npx` that runs the built program: the real one takes longer than most commands. */
async function quickNpx(): Promise<string> {
  const folder = await temporaryFolder();
  const cli = path.join(projectRoot, 'dist/cli.js');
  await writeFiles(folder, {
    npx: `#!/bin/sh\n[ "$1" = skill-fleet ] && shift && exec node '${cli}' "$@"\n`,
  });
  await chmod(path.join(folder, 'npx'), 0o755);
  return folder;
}

/** Runs blocks in a new git repository. */
export async function runBlocks(blocks: readonly Block[]): Promise<Session> {
  const databases = await databasesOf(blocks);
  const home = await realpath(await temporaryFolder());
  const [project, said] = [path.join(home, 'library'), path.join(home, 'said')];
  for (const folder of [project, said]) await mkdir(folder);
  git(project, 'init', '-q');
  const script = blocks.map(
    ({ shell }, at) => `exec >'${said}/${at}' 2>&1\n${onTestServer(shell.trimEnd(), databases)}\n`,
  );
  await writeFiles(home, {
    'page.sh': `set -e\n${script.join('')}`,
    '.gitconfig': '[user]\nname = Ada\nemail = ada@example.com\n[init]\ndefaultBranch = main\n',
  });
  const env = personEnvironment({
    // Where the preparations of a page find what the tests have.
    SKILL_FLEET: projectRoot,
    GIT_CONFIG_GLOBAL: path.join(home, '.gitconfig'),
    PATH: `${await quickNpx()}:${process.env['PATH']}`,
  });
  const { code } = await runProcess('bash', [path.join(home, 'page.sh')], { cwd: project, env });
  const asOnThePage = (text: string) => {
    const named = [...databases].reduce(
      (shown, [name, { host, pathname, username }]) =>
        shown
          .replaceAll(pathname.slice(1), name)
          .replaceAll(host, 'localhost:5432')
          .replaceAll(new RegExp(`\\b${username}\\b(?!:)`, 'g'), 'ada'),
      text
        .replaceAll(project, '/home/ada/library')
        .replaceAll(home, '/home/ada')
        .replaceAll(`${userInfo().username}@${hostname()}`, 'ada@laptop')
        .replaceAll(`${userInfo().username} on ${hostname()}`, 'ada on laptop'),
    );
    return leveled(named);
  };
  const printed = await Promise.all(
    blocks.map((_, at) => readFile(`${said}/${at}`, 'utf8').then(asOnThePage, () => undefined)),
  );
  return { code, printed };
}

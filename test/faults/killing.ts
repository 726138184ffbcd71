// The built command line on a library: what it comes to undisturbed, and what is to be true of any run that is disturbed.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { personEnvironment, projectRoot, type Ran } from '../acceptance/cli.ts';
import { temporaryFolder } from '../folders.ts';
import { bundledProgram } from '../programs.ts';
import { type CommandLine, saysDone } from './command-lines.ts';
import type { Effects } from './kill-before.ts';
import { Library, type Look, type Where } from './library.ts';

const cli = path.join(projectRoot, 'dist/cli.js');

export interface Ended extends Ran {
  readonly isKilled: boolean;
}

interface RunOptions {
  readonly env?: { readonly [name: string]: string };
  /** What Node loads first. */
  readonly load?: string;
  /** When it is killed, in milliseconds after it began. */
  readonly killAfter?: number;
}

/** Runs a command line in a library's project. */
function runIn(
  { project, url }: Library,
  words: readonly string[],
  { env = {}, load, killAfter }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const loading = load === undefined ? [] : ['--import', load];
    const child = spawn(process.execPath, [...loading, cli, ...words], {
      cwd: project,
      env: personEnvironment({ DATABASE_URL: url, ...env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text) => {
        said[name] += text;
      });
    }
    const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
    child.on('error', reject).on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, isKilled: signal === 'SIGKILL', ...said });
    });
  });
}

const ownName = /(^|\/)\.skill-fleet-/;

/** Of a clone's files, those that are not the program's own. */
function filesIn({ clone }: Look) {
  return [...clone.files].flatMap(([name, { executable, text }]) =>
    ownName.test(name) ? [] : [[name, executable, text] as const],
  );
}

/** What rows say: of a document its values and body, and, where that is asked for, the text that is stored for it. */
function rowsIn({ database }: Look, withTexts = false) {
  return [...database.skills]
    .map(([skill, files]) => [
      skill,
      database.statuses.get(skill),
      [...files]
        .map(([file, { executable, says, text }]) => [file, executable, says, ...(withTexts ? [text] : [])])
        .sort(),
    ])
    .sort();
}

/** The keys of those rows that were there before: a new one may have another after a run that failed. */
function idsIn({ database }: Look, before: Look) {
  return [...database.ids].filter(([skill]) => before.database.ids.has(skill)).sort();
}

/**
 * Names of all files of a project, but for the trash's, which are new in each run, the embedded database's, and what is
 * known of files that were read: a run that was killed has left files to the next one.
 */
function namesIn({ project }: Library): readonly string[] {
  return fs
    .readdirSync(project, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^\.skill-fleet\/((trash|db)\/|scans(\/|$))/.test(name))
    .sort();
}

/** A lock that is not written to its end may be under way: what is older than that is cleared away. */
function makeOld({ project }: Library): void {
  for (const folder of ['skills', '.skill-fleet'].map((name) => path.join(project, name))) {
    if (!fs.existsSync(folder)) continue;
    for (const name of fs.readdirSync(folder).filter((one) => /lock\.[0-9a-f-]{36}$/.test(one)))
      fs.utimesSync(path.join(folder, name), 0, 0);
  }
}

/** A moment of an undisturbed run: how the last command ended, and what stands then. */
interface Moment extends Look {
  readonly ended: Ended;
}

interface Control {
  readonly words: readonly string[];
  readonly next: readonly string[];
  readonly before: Look;
  readonly done: Moment;
  /** After the next run. */
  readonly settled: Moment;
  readonly names: readonly string[];
  readonly verified: Ended;
  readonly effects: Effects;
}

/** Counts what is tried. */
export class Tally {
  readonly counts: { [what: string]: number } = {};
  tried = 0;
  readonly #broken: string[] = [];
  readonly #what: string;
  readonly #isLong: boolean;

  /** @param isLong whether what is found and counted is printed, and one that breaks a law ends nothing */
  constructor(what: string, isLong: boolean) {
    this.#what = what;
    this.#isLong = isLong;
  }

  count(what: string, isSo = true): void {
    this.counts[what] = (this.counts[what] ?? 0) + Number(isSo);
  }

  async add(name: string, attempt: (name: string) => Promise<void>): Promise<void> {
    this.tried++;
    try {
      await attempt(name);
    } catch (error) {
      this.#broken.push(name);
      this.#say(`${name}: ${error instanceof Error ? error.message : error}`);
      if (!this.#isLong) throw error;
    }
  }

  /** Says what was counted. */
  expectWell(): void {
    this.#say(`${this.tried} tried, ${JSON.stringify(this.counts)}, ${this.#broken.length} broken`);
    expect(this.#broken).toEqual([]);
    expect(this.tried).toBeGreaterThan(0);
  }

  #say(text: string): void {
    const seconds = Math.round(performance.now() / 1000);
    if (this.#isLong) process.stderr.write(`after ${seconds} s, ${this.#what}: ${text}\n`);
  }
}

/** A command line on a library of its own, which it meets again and again. */
export class Trial {
  readonly #library: Library;
  readonly #load: string;
  readonly #control: Control;

  private constructor(library: Library, load: string, control: Control) {
    this.#library = library;
    this.#load = load;
    this.#control = control;
  }

  /** Runs it undisturbed, and what comes next. */
  static async make(line: CommandLine, where: Where): Promise<Trial> {
    const library = await Library.make({ ...where, isUnmigrated: line.isUnmigrated });
    const connection = await library.connection();
    const clone = await library.clone(connection);
    await line.prepare({ clone, connection, project: library.project });
    await library.closeAll();
    if (line.first) expect(await runIn(library, line.first)).toMatchObject({ code: 0 });
    await library.keep();
    const before = await library.look();
    const words = await line.words(library);
    const next = line.next ?? words;

    const load = await bundledProgram('faults/kill-before.ts');
    const counted = path.join(await temporaryFolder(), 'effects.json');
    const momentAfter = async (ended: Ended): Promise<Moment> => {
      expect(ended.stderr, line.name).not.toMatch(/^error/m);
      return { ended, ...(await library.look()) };
    };
    const done = await momentAfter(await runIn(library, words, { load, env: { EFFECTS: counted } }));
    expect(done.ended.stdout, line.name).toMatch(saysDone);
    const settled = await momentAfter(await runIn(library, next));
    const names = namesIn(library);
    const verified = await runIn(library, ['verify']);
    const effects = JSON.parse(fs.readFileSync(counted, 'utf8')) as Effects;
    return new Trial(library, load, { words, next, before, done, settled, names, verified, effects });
  }

  /** What an undisturbed run does, in order. */
  get effects(): Effects {
    return this.#control.effects;
  }

  get library(): Library {
    return this.#library;
  }

  putBack(): Promise<void> {
    return this.#library.putBack();
  }

  run(options?: RunOptions): Promise<Ended> {
    return runIn(this.#library, this.#control.words, options);
  }

  /** Runs it until its n-th effect, from 1, which never comes. */
  runUntil(effect: number): Promise<Ended> {
    return this.run({ load: this.#load, env: { KILL_BEFORE: String(effect) } });
  }

  /** What comes next, killed in its turn. */
  nextUntil(effect: number): Promise<Ended> {
    return runIn(this.#library, this.#control.next, {
      load: this.#load,
      env: { KILL_BEFORE: String(effect) },
    });
  }

  /** Nothing is lost, nothing is half, and what was said is so. */
  async expectWhole({ stdout }: Ended, name: string): Promise<void> {
    const { before, done } = this.#control;
    const now = await this.#library.look();
    this.#expectNothingLost(now, done, name);
    const [were, are] = [before.clone.files, done.clone.files];
    for (const [file, executable, text] of filesIn(now)) {
      const whole = [were.get(file), are.get(file)].map((one) => one && [one.text, one.executable]);
      expect(whole, `${name}: ${file} is half`).toContainEqual([text, executable]);
    }
    const gone = [...were.keys()].filter((file) => are.has(file) && !now.clone.files.has(file));
    expect(gone, `${name}: gone`).toEqual([]);
    expect([rowsIn(before), rowsIn(done)], `${name}: rows are half`).toContainEqual(rowsIn(now));

    if (!saysDone.test(stdout)) return;
    expect([filesIn(now), rowsIn(now)], `${name}: said to be done`).toEqual([filesIn(done), rowsIn(done)]);
  }

  /** One further run ends as if nothing had happened. */
  async expectConverges(name: string): Promise<void> {
    const { before, settled, names, verified } = this.#control;
    const { project } = this.#library;
    const isUnfinished = fs.existsSync(path.join(project, 'skills/.skill-fleet-journal'));
    makeOld(this.#library);
    const next = await runIn(this.#library, this.#control.next);
    expect(next.code, `${name}: the next run says ${next.stderr}`).toBe(settled.ended.code);
    expect(next.stderr, `${name}: the next run`).not.toMatch(/^error|waiting/m);
    if (isUnfinished) expect(next.stderr, name).toMatch(/written to the end: an earlier run was interrupted/);
    const now = await this.#library.look();
    this.#expectNothingLost(now, settled, `${name}: after the next run`);
    const allOf = (look: Look) => [filesIn(look), rowsIn(look, true), idsIn(look, before)];
    expect(allOf(now), `${name}: after the next run`).toEqual(allOf(settled));
    expect(namesIn(this.#library), `${name}: left over`).toEqual(names);
    const { code, stdout, stderr } = await runIn(this.#library, ['verify']);
    expect(code, `${name}: verify says ${stdout}${stderr}`).toBe(verified.code);
  }

  /** Whatever was held before, and is held where nothing happens, is held still: by a side, the history or the trash. */
  #expectNothingLost(now: Look, undisturbed: Look, name: string): void {
    const { words } = this.#control.before;
    const lost = [...words].filter((word) => undisturbed.words.has(word) && !now.words.has(word));
    expect(lost, `${name}: lost`).toEqual([]);
  }
}

// Files that change while they are read: nothing torn is stored, nothing that only was away for a moment is deleted, and
// the next run brings both sides together.
//
//   CHANGING=all npx vitest run test/faults/changing-files                 each change, before each call that reads
//   CHANGING='grows:a/x:17' npx vitest run test/faults/changing-files      one of them

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Disk, nodeDisk, type OpenFile } from '../../src/disk.ts';
import { type Problem, sentenceOf } from '../../src/problem.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { migratedDatabase } from '../databases.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { isSame, lookAtClone, lookAtDatabase, type Skills, wordsIn } from '../laws/look.ts';
import { bundledProgram } from '../programs.ts';
import { cloneAt, document, Refused, type RunOutcome } from '../sync/sides.ts';
import { restlessFiles, wholeLines } from './restless.ts';

const { CHANGING } = process.env;
const isLong = CHANGING !== undefined;
const [onlyChange, onlyFile, onlyAt] = CHANGING === 'all' ? [] : (CHANGING?.split(':') ?? []);

/** How many bytes a read gives at most: each file here takes several. */
const fewBytes = 100;

/** The real disk, which tells of each call that reads, before it, and reads a few bytes at a time. */
function readingDisk(before: (call: string) => void): Disk {
  const told =
    <A extends readonly unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      before(`${name} ${args[0]}`);
      return call(...args);
    };
  const inPieces = (place: string, file: OpenFile): OpenFile => ({
    ...file,
    stat: () => told('stat', (_: string) => file.stat())(place),
    read: async (target, offset, position) => {
      before(`read ${place}`);
      return file.read(target.subarray(0, Math.min(target.length, offset + fewBytes)), offset, position);
    },
  });
  return {
    ...nodeDisk,
    lstat: told('lstat', nodeDisk.lstat),
    readdir: told('readdir', nodeDisk.readdir),
    open: async (place, flags, mode) => {
      before(`open ${place}`);
      return inPieces(place, await nodeDisk.open(place, flags, mode));
    },
  };
}

/** Words that tell every text from all others, all of one length. */
let words = 10_000;
const textOf = (file: string, size = 25) => {
  const body = `w${++words}w\n`.repeat(size);
  return path.basename(file) === 'SKILL.md' ? document(path.basename(path.dirname(file)), body) : body;
};

/** A file of a library, as somebody changes it. */
interface Target {
  readonly file: string;
  readonly place: string;
  /** A new whole text of it, which is noted. */
  text(size?: number): string;
  /** Somewhere outside of the library. */
  readonly outside: string;
}

function keepingTime(place: string, work: () => void): void {
  const { atimeNs, mtimeNs } = fs.statSync(place, { bigint: true });
  work();
  setTimes(place, atimeNs, mtimeNs);
}

/** Node sets times by numbers that have no room for nanoseconds: whole microseconds are near enough to be looked for. */
function setTimes(place: string, atimeNs: bigint, mtimeNs: bigint): void {
  fs.utimesSync(place, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
}

const away = (place: string, outside: string) => {
  fs.renameSync(place, outside);
  return () => fs.renameSync(outside, place);
};

/** What somebody does to a file. A function that this gives is what they do a few calls later. */
const changes: { readonly [name: string]: (target: Target) => unknown } = {
  'is rewritten': ({ place, text }) => fs.writeFileSync(place, text()),
  'is rewritten, and its time set back': ({ place, text }) =>
    keepingTime(place, () => fs.writeFileSync(place, text())),
  'is replaced by one of the same size and time': ({ place, text, outside }) => {
    const { atimeNs, mtimeNs } = fs.statSync(place, { bigint: true });
    fs.writeFileSync(outside, text());
    setTimes(outside, atimeNs, mtimeNs);
    fs.renameSync(outside, place);
  },
  grows: ({ place, text }) => fs.writeFileSync(place, text(60)),
  shrinks: ({ place, text }) => fs.writeFileSync(place, text(3)),
  'is empty for a moment': ({ place, text }) => {
    const whole = text();
    fs.truncateSync(place);
    return () => fs.writeFileSync(place, whole);
  },
  vanishes: ({ place }) => fs.rmSync(place),
  'vanishes for a moment': ({ place, outside }) => away(place, outside),
  'vanishes with its folder': ({ place }) => fs.rmSync(path.dirname(place), { recursive: true }),
  'vanishes for a moment with its folder': ({ place, outside }) => away(path.dirname(place), outside),
  'becomes a folder': ({ place, text }) => {
    fs.rmSync(place);
    fs.mkdirSync(place);
    fs.writeFileSync(path.join(place, 'within'), text());
  },
  'becomes a link': ({ place, outside, text }) => {
    fs.rmSync(place);
    fs.writeFileSync(outside, text());
    fs.symlinkSync(outside, place);
  },
  'is renamed': ({ place }) => fs.renameSync(place, `${place}-renamed`),
  'is renamed with its folder': ({ place }) =>
    fs.renameSync(path.dirname(place), `${path.dirname(place)}-renamed`),
  'becomes executable': ({ place }) => fs.chmodSync(place, 0o755),
};

/** Of files that never rest: what is done before each call. */
const restless = 'never rests';

const targets = ['a/SKILL.md', 'a/x', 'new/SKILL.md', 'new/x'];

/** What both sides hold before a run. */
const held = ['a/SKILL.md', 'a/x', 'b/SKILL.md', 'b/x', 'c/SKILL.md'];

/** A library that both sides hold, and edits of it: what a run has to read. */
class World {
  readonly connection: Connection;
  readonly project: string;
  /** Every whole text that any file or row ever had. */
  readonly wholes = new Set<string>(['']);
  #seen = 0;

  private constructor(connection: Connection, project: string) {
    this.connection = connection;
    this.project = project;
  }

  static async make(): Promise<World> {
    return new World(await migratedDatabase('postgres'), await temporaryFolder());
  }

  place(file: string): string {
    return path.join(this.project, 'skills', file);
  }

  text(file: string, size?: number): string {
    const text = textOf(file, size);
    this.wholes.add(text);
    return text;
  }

  async #write(...files: readonly string[]): Promise<void> {
    await writeFiles(
      path.join(this.project, 'skills'),
      Object.fromEntries(files.map((file) => [file, this.text(file)])),
    );
  }

  /** Both sides alike; then edits on both. */
  async prepare(): Promise<void> {
    fs.rmSync(path.join(this.project, 'skills'), { recursive: true, force: true });
    await this.#write(...held);
    const settled = await this.run(nodeDisk, 'local');
    expect(settled.problems).toEqual([]);
    await this.#write('a/SKILL.md', 'new/SKILL.md', 'new/x');
    const [row] = await this.connection.query<{ text: string }>(
      `update skills set skill_content = $1 where skill_path = 'b'
       returning frontmatter_source || skill_content as text`,
      [`# w${++words}w\n`],
    );
    this.wholes.add(row?.text ?? '');
  }

  async run(disk: Disk, onConflict: 'local' | 'fail' = 'fail'): Promise<{ problems: readonly Problem[] }> {
    const clone = await cloneAt(this.connection, this.project, 'skills', disk);
    try {
      return problemsOf(await clone.run('sync', { deletes: true, yes: true, maxDelete: 100, onConflict }));
    } catch (error) {
      if (error instanceof Refused) return { problems: [error.problem] };
      throw error;
    }
  }

  /** Texts that rows, their files and the history hold and that no file ever had, since the last look. */
  async torn(): Promise<readonly string[]> {
    const rows = await this.connection.query<{ text: string; revision: number }>(
      `select coalesce(frontmatter_source, '') || coalesce(skill_content, '') as text, 0 as revision from skills
       union all select coalesce(content, convert_from(binary_data, 'UTF8')), 0 from skill_files
       union all select convert_from(bytes, 'UTF8'), 0 from skill_blobs
       union all select coalesce(frontmatter_source, '') || coalesce(skill_content, ''), revision
         from skill_revisions where revision > $1`,
      [this.#seen],
    );
    this.#seen = Math.max(this.#seen, ...rows.map((row) => row.revision));
    return rows.map(({ text }) => text).filter((text) => !this.wholes.has(text));
  }

  /** All words that the files hold, and what was put outside. */
  fileWords(outside: string): ReadonlySet<string> {
    const { files } = lookAtClone(this.project);
    const away = fs.statSync(outside, { throwIfNoEntry: false });
    const names = !away?.isDirectory()
      ? ['']
      : fs.readdirSync(outside, { recursive: true, encoding: 'utf8' });
    const texts = names
      .map((name) => path.join(outside, name))
      .filter((place) => fs.statSync(place, { throwIfNoEntry: false })?.isFile())
      .map((place) => fs.readFileSync(place, 'utf8'));
    return new Set(wordsIn([...[...files.values()].map(({ text }) => text), ...texts].join(' ')));
  }

  /** The rows, and all words that the files, the trash and the database hold. */
  async look(): Promise<{
    readonly files: Skills;
    readonly rows: Skills;
    readonly words: ReadonlySet<string>;
  }> {
    const { files, skills, trash } = lookAtClone(this.project);
    const { texts, skills: rows } = await lookAtDatabase(this.connection);
    const all = [...[...files.values()].map(({ text }) => text), ...trash, texts];
    return { files: skills, rows, words: new Set(wordsIn(all.join(' '))) };
  }
}

function problemsOf({ plan, results }: RunOutcome): { problems: readonly Problem[] } {
  return {
    problems: [
      ...(plan.refusal ? [plan.refusal] : []),
      ...results.flatMap((one) => (one.ok ? [] : [one.problem])),
      ...plan.problems,
    ],
  };
}

/** What differs between both sides, in words. */
function differing(files: Skills, rows: Skills): readonly string[] {
  const places = (skills: Skills) =>
    [...skills].flatMap(([skill, of]) => [...of.keys()].map((file) => [skill, file] as const));
  const found = [...places(files), ...places(rows)]
    .filter(([skill, file]) => !isSame(files.get(skill)?.get(file), rows.get(skill)?.get(file)))
    .map((place) => place.join('/'));
  return [...new Set(found)];
}

/** Reasons of which one is said where a file was not the same for long enough to be read. */
const expected: readonly Problem['reason'][] = [
  'file-changes',
  'file-unreadable',
  'folder-unreadable',
  'files-changed-meanwhile',
  'content-changed-meanwhile',
  'skill-not-found',
];

async function tryOne(world: World, name: string, file: string, at: number): Promise<boolean> {
  await world.prepare();
  let calls = 0;
  let seen = '';
  let later: { at: number; work: () => void } | undefined;
  const words = new Set(world.fileWords(''));
  const target: Target = {
    file,
    place: world.place(file),
    text: (size) => world.text(file, size),
    outside: path.join(world.project, `outside-${++turns}`),
  };
  const disk = readingDisk((call) => {
    calls++;
    if (later && calls >= later.at) {
      later.work();
      later = undefined;
    }
    if (name === restless ? calls < at : calls !== at) return;
    if (seen === '') seen = call;
    if (name === restless) fs.writeFileSync(target.place, target.text(20 + (calls % 9)));
    else {
      const work = changes[name]?.(target);
      if (typeof work === 'function') later = { at: calls + moment, work: () => void work() };
    }
    // What somebody overwrites or removes themselves is theirs to lose.
    const left = world.fileWords(target.outside);
    for (const word of words) if (!left.has(word)) words.delete(word);
  });
  const { problems } = await world.run(disk);
  later?.work();
  const what = `${name}:${file}:${at}, before ${seen}`;
  if (seen === '') return false;

  expect(await world.torn(), `${what}: torn`).toEqual([]);
  expect(
    problems.filter(({ reason }) => !expected.includes(reason)).map((problem) => sentenceOf(problem).what),
    `${what}: said`,
  ).toEqual([]);
  if (name === restless) fs.writeFileSync(target.place, target.text());
  const now = await world.look();
  const deleted = held.filter((one) => !now.rows.get(path.dirname(one))?.has(path.basename(one)));
  const stands = (one: string) => now.files.get(path.dirname(one))?.has(path.basename(one));
  expect(deleted.filter(stands), `${what}: deleted`).toEqual([]);
  expect(
    [...words].filter((word) => !now.words.has(word)),
    `${what}: lost`,
  ).toEqual([]);

  const next = await world.run(nodeDisk);
  expect(next.problems, `${what}: the next run`).toEqual([]);
  const { files, rows } = await world.look();
  expect(differing(files, rows), `${what}: after it`).toEqual([]);
  expect(await world.torn(), `${what}: torn by the next run`).toEqual([]);
  return true;
}

let turns = 0;

/** For how many calls a file is away that vanishes for a moment. */
const moment = 2;

const names = [...Object.keys(changes), restless];

/** Where one change is tried: the first ones between two reads of a file, and the others spread over the run. */
function pointOf(world: World, calls: readonly string[], share: number): readonly [file: string, at: number] {
  const file = targets[Math.floor(share * 100) % targets.length] ?? '';
  if (share > 0.4) return [file, 1 + Math.floor(share * calls.length)];
  const reads = calls.flatMap((call, index) => (call === `read ${world.place('a/x')}` ? [index + 1] : []));
  // It takes two reads.
  const between = reads.filter((_, index) => index % 2 === 1);
  return ['a/x', between[Math.floor((share / 0.41) * between.length)] ?? 1];
}

test.for(isLong ? names.map((name) => [name]) : [names])(
  'whatever a file becomes while it is read, what is stored is whole and the next run converges',
  { timeout: 24 * 3_600_000 },
  async (some) => {
    const asked = some.filter((name) => !onlyChange || name === onlyChange);
    if (asked.length === 0) return;
    const world = await World.make();
    await world.prepare();
    const calls: string[] = [];
    await world.run(readingDisk((call) => calls.push(call)));
    let tried = 0;
    for (const [nth, name] of asked.entries()) {
      const each = (file: string) => calls.map((_, index) => [file, index + 1] as const);
      for (const [file, at] of isLong ? targets.flatMap(each) : [pointOf(world, calls, nth / some.length)]) {
        if ((onlyFile && onlyFile !== file) || (onlyAt && Number(onlyAt) !== at)) continue;
        if (await tryOne(world, name, file, at)) tried++;
      }
    }
    if (isLong) process.stderr.write(`${asked}: ${tried} times, before each of ${calls.length} calls\n`);
    expect(tried).toBeGreaterThan(0);
  },
);

test('a skill that is moved to a folder that was listed already is the same skill', async () => {
  const world = await World.make();
  await world.prepare();
  await writeFiles(path.join(world.project, 'skills'), {
    'a-group/d/SKILL.md': document('d'),
    'z-group/e/SKILL.md': document('e'),
  });
  await world.run(nodeDisk);
  const ids = () => world.connection.query(`select skill_id, deleted_at from skills where name = 'e'`);
  const before = await ids();
  const [from, group] = [world.place('z-group'), world.place('a-group')];
  let isMoved = false;
  let listed = () => {};
  const isListed = new Promise<void>((resolve) => {
    listed = resolve;
  });
  const disk: Disk = {
    ...nodeDisk,
    readdir: async (place) => {
      if (place === from && !isMoved) {
        await isListed;
        isMoved = true;
        fs.renameSync(path.join(from, 'e'), path.join(group, 'e'));
      }
      const entries = await nodeDisk.readdir(place);
      if (place === group) listed();
      return entries;
    },
  };
  expect(await world.run(disk)).toEqual({ problems: [] });
  expect([before.length, await ids()]).toEqual([1, before]);
  expect(isMoved).toBe(true);
});

test(
  'what a process rewrites as fast as it can is never stored in halves, and nothing else waits for it',
  async () => {
    const project = await makeProject();
    const env = { DATABASE_URL: await databaseUrl('postgres') };
    const skills = path.join(project.folder, 'skills');
    const whole = `w${'0'.repeat(9)}w\n`.repeat(wholeLines);
    await writeFiles(skills, {
      ...Object.fromEntries(Object.keys(restlessFiles).map((file) => [file, whole])),
      'restless/SKILL.md': document('restless'),
      'alone/SKILL.md': document('alone'),
    });
    await project.run(['export-to-db'], env);
    const program = await bundledProgram('faults/rewrite-for-ever.ts');
    const writer = spawn(process.execPath, [program, skills], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void writer.kill('SIGKILL'));
    await new Promise((begun) => writer.stdout.once('data', begun));
    const turns = isLong ? 100 : 2;
    const counts = { stored: 0, refused: 0 };
    for (let turn = 1; turn <= turns; turn++) {
      await writeFiles(skills, { 'quiet/SKILL.md': document('quiet', `Turn ${turn}.\n`) });
      const { code, stderr } = await project.run(['export-to-db', '--quiet'], env);
      counts[code === 0 ? 'stored' : 'refused']++;
      for (const line of stderr.match(/^error: .*/gm) ?? []) {
        expect(line).toMatch(/restless|alone/);
        expect(line).toMatch(/chang|no longer there|could not be read|cannot be read/);
      }
      expect(code === 0).toBe(stderr === '');
      const quiet = await sql(env.DATABASE_URL, `select skill_content from skills where name = 'quiet'`);
      expect(quiet).toEqual([{ skill_content: `Turn ${turn}.\n` }]);
      const held = await sql(
        env.DATABASE_URL,
        `select relative_path as file, content as text from skill_files
       union all select sha256, convert_from(bytes, 'UTF8') from skill_blobs`,
      );
      for (const { file, text } of held) {
        const lines = String(text).split('\n');
        // One that is emptied first is shorter at times, and a file that is seen then is whole as it is.
        const versions = new Set(lines.filter((line) => line.length === 11));
        expect(versions.size, String(file)).toBeLessThanOrEqual(1);
        if (file === 'over' || file === 'renamed') expect(lines.length, String(file)).toBe(wholeLines + 1);
      }
    }
    const ended = new Promise((done) => writer.once('close', done));
    writer.kill('SIGKILL');
    await ended;
    if (isLong) process.stderr.write(`a restless process: ${JSON.stringify(counts)}\n`);
    expect(await project.run(['export-to-db', '--quiet'], env)).toMatchObject({ code: 0, stderr: '' });
    expect(await project.run(['verify', '--quiet'], env)).toMatchObject({ code: 0 });
  },
  24 * 3_600_000,
);

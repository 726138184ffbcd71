// A team as it is: clones of one repository, one database, runs between them, and what goes wrong in the middle.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { openForWriting } from '../../src/repository/open.ts';
import { asCopyOf, onServer } from '../databases.ts';
import { Killed, watchedDisk } from '../directory/effects.ts';
import { systemError } from '../directory/folder.ts';
import { watched } from '../repository/seam.ts';
import { cloneAt, document, type RunOptions, type RunOutcome } from '../sync/sides.ts';
import { nextMoment } from '../sync/team.ts';
import {
  brokenName,
  documentFile,
  ignoreFile,
  lookAtClone,
  lookAtDatabase,
  type Skills,
  type View,
} from './look.ts';
import {
  type Accident,
  type BaseStep,
  type GitStep,
  type HandStep,
  type RunStep,
  type SqlStep,
  skillPaths,
  type UndoStep,
} from './steps.ts';

function urlOf(database: string): string {
  const url = new URL(inject('serverUrl'));
  url.pathname = database;
  return url.href;
}

const databaseName = () => `skill_fleet_law_${randomUUID().replaceAll('-', '')}`;

async function connectTo(database: string): Promise<Connection> {
  const opened = await openForWriting({ kind: 'postgres', url: urlOf(database) }, nodeDisk);
  if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
  return opened.value.connection;
}

const cloneCount = 3;

/** How a run ended, and what came in between. */
export interface Ended {
  readonly how: 'whole' | 'killed' | 'lost' | 'failed';
  readonly outcome: RunOutcome | null;
  /** What somebody wrote while it went on. */
  readonly meanwhile: {
    readonly who: 'hand' | 'sql';
    readonly path: string;
    readonly word: string;
    /** What the same writer overwrote by it, before any run had to see it. */
    readonly replaced: string;
  } | null;
}

/** A skill's path, and the one that somebody moved it to. */
export type Move = readonly [from: string, to: string];

/** What the harness throws: everything else that a run throws is a fault of the program. */
class Lost extends Error {
  readonly code = 'ECONNRESET';
}

export class World {
  readonly #root = fs.mkdtempSync(path.join(tmpdir(), 'skill-fleet-law-'));
  readonly #database = databaseName();
  readonly #keptDatabase = databaseName();
  #hasKept = false;
  #words = 0;
  #connection!: Connection;
  /** Another writer's, who waits for nobody. */
  #other!: Connection;
  /** What each commit holds. */
  readonly commits = new Map<string, Skills>();

  static async make(): Promise<World> {
    const world = new World();
    await onServer(`create database ${world.#database} ${asCopyOf(inject('serverTemplate'))}`);
    await world.#connect();
    world.#git(world.#root, 'init', '--quiet', '--bare', '--initial-branch=main', 'origin.git');
    const [first] = world.trees;
    if (first === undefined) throw new Error('no clone');
    world.#git(world.#root, 'clone', '--quiet', 'origin.git', first);
    for (const skill of ['a', 'b', 'c/d'] as const)
      world.#write(first, `${skill}/${documentFile}`, world.#newDocument(skill));
    world.#write(first, 'a/x', world.#word());
    world.#commit(first);
    world.#git(first, 'push', '--quiet', 'origin', 'HEAD:main');
    for (const tree of world.trees.slice(1)) world.#git(world.#root, 'clone', '--quiet', 'origin.git', tree);
    await (await cloneAt(world.#connection, first, 'skills')).run('export');
    return world;
  }

  get trees(): readonly string[] {
    return Array.from({ length: cloneCount }, (_, number) => path.join(this.#root, `clone-${number}`));
  }

  look(): Promise<View> {
    return this.lookAgain({ clones: this.trees.map(lookAtClone) }, {});
  }

  /** What is now, where only a clone, or no clone, may have changed. */
  async lookAgain(
    { clones, database }: Pick<View, 'clones'> & Partial<View>,
    at: { readonly clone?: number },
  ): Promise<View> {
    const isOnlyClone = at.clone !== undefined && database !== undefined;
    return {
      clones: clones.map((view, number) => (number === at.clone ? lookAtClone(this.#tree(number)) : view)),
      database: isOnlyClone ? database : await lookAtDatabase(this.#other),
    };
  }

  get isInTransaction(): boolean {
    return this.#connection.session.inTransaction;
  }

  async close(): Promise<void> {
    await this.#disconnect();
    await onServer(`drop database ${this.#database} with (force)`);
    await onServer(`drop database if exists ${this.#keptDatabase} with (force)`);
    fs.rmSync(this.#root, { recursive: true, force: true });
  }

  /** Sessions that a run which died left in a transaction. */
  async openTransactions(): Promise<number> {
    const rows = await this.#other.query(
      `select from pg_stat_activity
       where datname = current_database() and state like 'idle in%' and pid <> pg_backend_pid()`,
    );
    return rows.length;
  }

  /** The texts of all objects in every repository. */
  textsInGit(): string {
    return [path.join(this.#root, 'origin.git'), ...this.trees]
      .map((tree) => this.#git(tree, 'cat-file', '--batch-all-objects', '--batch', '--buffer', '--unordered'))
      .join(' ');
  }

  headOf(clone: number): string {
    return this.#git(this.#tree(clone), 'rev-parse', 'HEAD');
  }

  historyOf(clone: number): readonly string[] {
    return this.#git(this.#tree(clone), 'rev-list', 'HEAD').split('\n');
  }

  // What people do.

  /** @returns what moved by it */
  byHand({ hand, clone, skill, file }: HandStep): readonly Move[] {
    let moved: readonly Move[] = [];
    const tree = this.#tree(clone);
    const place = (name: string) => path.join(tree, 'skills', name);
    const at = `${skill}/${documentFile}`;
    const isThere = fs.existsSync(place(at));
    const text = isThere ? fs.readFileSync(place(at), 'utf8') : this.#newDocument(skill);
    const remove = (name: string) => {
      if (fs.existsSync(place(name))) fs.rmSync(place(name), { recursive: true });
    };
    const edits: Record<HandStep['hand'], () => void> = {
      body: () => this.#write(tree, at, this.#withBody(text)),
      value: () =>
        this.#write(tree, at, text.replace(/^description: .*$/m, `description: About ${this.#word()}.`)),
      file: () => this.#write(tree, `${skill}/${file}`, this.#word()),
      'remove file': () => remove(`${skill}/${file}`),
      executable: () => {
        const name = [`${skill}/${file}`, at].map(place).find((one) => fs.existsSync(one));
        if (name !== undefined && fs.statSync(name).isFile()) {
          fs.chmodSync(name, fs.statSync(name).mode ^ 0o111);
        }
      },
      delete: () => remove(skill),
      'delete document': () => remove(at),
      ignore: () => this.#write(tree, ignoreFile, `${file === 'x' ? 'x' : path.basename(skill)}\n`),
      'ignore within': () => this.#write(tree, `${skill}/${ignoreFile}`, `${path.basename(file)}\n`),
      heed: () => {
        for (const name of [ignoreFile, `${skill}/${ignoreFile}`]) remove(name);
      },
      break: () => this.#write(tree, `${skill}/${brokenName}`, this.#word()),
      mend: () => {
        for (const one of skillPaths) remove(`${one}/${brokenName}`);
      },
      move: () => {
        moved = this.#moveByHand(tree, skill, false, false);
      },
      'move and name': () => {
        moved = this.#moveByHand(tree, skill, false, true);
      },
      swap: () => {
        moved = this.#moveByHand(tree, skill, true, false);
      },
      'swap and name': () => {
        moved = this.#moveByHand(tree, skill, true, true);
      },
    };
    edits[hand]();
    return moved;
  }

  /** Moves a folder to where no skill is, or lets two change places, as people do: what is nested goes along. */
  #moveByHand(tree: string, skill: string, isSwap: boolean, isNamed: boolean): readonly Move[] {
    const place = (name: string) => path.join(tree, 'skills', name);
    const isThere = (name: string) => fs.existsSync(place(`${name}/${documentFile}`));
    const other = skillPaths.find(
      (one) =>
        one !== skill &&
        !one.startsWith(`${skill}/`) &&
        !skill.startsWith(`${one}/`) &&
        (isSwap ? isThere(one) : !fs.existsSync(place(one))),
    );
    if (other === undefined || !isThere(skill)) return [];
    const skills = [...lookAtClone(tree).skills.keys()];
    fs.renameSync(place(skill), place('aside'));
    if (isSwap) fs.renameSync(place(other), place(skill));
    fs.mkdirSync(path.dirname(place(other)), { recursive: true });
    fs.renameSync(place('aside'), place(other));
    for (const one of isNamed ? [skill, other] : []) {
      if (!isThere(one)) continue;
      const document = fs.readFileSync(place(`${one}/${documentFile}`), 'utf8');
      const named = document.replace(/^name: .*$/m, `name: ${path.basename(one)}`);
      if (named !== document) this.#write(tree, `${one}/${documentFile}`, named);
    }
    const below = (from: string, to: string) =>
      skills.flatMap((one): readonly Move[] =>
        isSelected(from, one) ? [[one, to + one.slice(from.length)]] : [],
      );
    return [...below(skill, other), ...(isSwap ? below(other, skill) : [])];
  }

  /** Moves a row, or lets two change places, under the names of their folders or their own. */
  async #moveBySql(skill: string, isSwap: boolean, isNamed: boolean): Promise<void> {
    const rows = await this.#other.query<{ skill_path: string; skill_id: number }>(
      'select skill_path, skill_id from skills',
    );
    const ids = new Map(rows.map((row) => [row.skill_path, row.skill_id]));
    const other = skillPaths.find((one) => one !== skill && ids.has(one) === isSwap);
    if (other === undefined || !ids.has(skill)) return;
    const put = async (id: number | undefined, to: string) => {
      await this.#other.query('update skills set skill_path = $2 where skill_id = $1', [id, to]);
      if (isNamed)
        await this.#other.query('update skills set name = $2 where skill_id = $1', [id, path.basename(to)]);
    };
    await put(ids.get(skill), 'aside');
    if (isSwap) await put(ids.get(other), skill);
    await put(ids.get(skill), other);
  }

  async bySql({ sql, skill, file, status }: SqlStep): Promise<void> {
    const word = this.#word();
    const [{ last } = { last: 0 }] = await this.#other.query<{ last: number }>(
      'select max(revision) as last from skill_sync',
    );
    const query = (text: string, ...values: readonly unknown[]) =>
      this.#other.query(text, [skill, ...values]);
    const id = '(select skill_id from skills where skill_path = $1)';
    const put = (name: string) =>
      query(
        `insert into skill_files (skill_id, file_type, relative_path, filename, content)
         select skill_id, 'asset', $2, $2, $3 from skills where skill_path = $1
         on conflict (skill_id, relative_path) do update set content = excluded.content, binary_data = null`,
        name,
        word,
      );
    switch (sql) {
      case 'body':
        await query('update skills set skill_content = $2 where skill_path = $1', `# ${word}\n`);
        break;
      case 'description':
        await query('update skills set description = $2 where skill_path = $1', `About ${word}.`);
        break;
      case 'tags':
        await query(`delete from skill_tags where skill_id = ${id}`);
        await query(
          'insert into skill_tags (skill_id, tag) select skill_id, $2 from skills where skill_path = $1',
          word,
        );
        break;
      case 'status':
        await query('update skills set status = $2::skill_status_enum where skill_path = $1', status);
        break;
      case 'file':
        await put(file);
        break;
      case 'remove file':
        await query(`delete from skill_files where skill_id = ${id} and relative_path = $2`, file);
        break;
      case 'insert':
        await query(
          `insert into skills (skill_path, name, type, status, description, skill_content)
           values ($1, $2, 'technical', $3::skill_status_enum, $4, $5) on conflict do nothing`,
          path.basename(skill),
          status,
          `About ${word}.`,
          `# ${word}\n`,
        );
        break;
      case 'delete':
        await query('update skills set deleted_at = now() where skill_path = $1');
        break;
      case 'erase':
        await query('delete from skills where skill_path = $1');
        break;
      case 'revive':
        await query('update skills set deleted_at = null where skill_path = $1');
        break;
      case 'break':
        await put(brokenName);
        break;
      case 'mend':
        await this.#other.query('delete from skill_files where relative_path = $1', [brokenName]);
        break;
      case 'move':
      case 'move and name':
      case 'swap':
      case 'swap and name':
        await this.#moveBySql(skill, sql.startsWith('swap'), sql.endsWith('name'));
    }
    await this.#other.query('update skill_sync set revised_at = $1 where revision > $2', [
      nextMoment(),
      last ?? 0,
    ]);
  }

  byGit({ git, clone, back }: GitStep): void {
    const tree = this.#tree(clone);
    if (git === 'clone anew') {
      fs.rmSync(tree, { recursive: true });
      this.#git(this.#root, 'clone', '--quiet', 'origin.git', tree);
      return;
    }
    this.#commit(tree);
    if (git === 'revert') this.#tryGit(tree, ['revert', '--no-edit', 'HEAD'], ['reset', '--hard', '--quiet']);
    if (git === 'check out') this.#tryGit(tree, ['checkout', '--quiet', `HEAD~${back}`], ['status']);
    if (git === 'pull ours' || git === 'pull theirs') {
      this.#git(tree, 'fetch', '--quiet', 'origin');
      const strategy = git === 'pull ours' ? 'ours' : 'theirs';
      try {
        this.#git(tree, 'merge', '--quiet', '-X', strategy, '-m', 'merge', 'origin/main');
      } catch {
        // What one deleted and another edited stays.
        this.#git(tree, 'add', '--all', '.');
        this.#git(tree, 'commit', '--quiet', '--allow-empty', '-m', 'merge');
      }
      this.#note(tree);
      this.#git(tree, 'push', '--quiet', 'origin', 'HEAD:main');
    }
    this.#note(tree);
  }

  onBase({ base, clone }: BaseStep): void {
    const [bases, kept] = ['bases', 'bases-kept'].map((name) =>
      path.join(this.#tree(clone), '.skill-fleet', name),
    ) as [string, string];
    if (base === 'keep') {
      if (fs.existsSync(bases)) fs.cpSync(bases, kept, { recursive: true });
    } else {
      fs.rmSync(bases, { recursive: true, force: true });
      if (base === 'put back' && fs.existsSync(kept)) fs.cpSync(kept, bases, { recursive: true });
    }
  }

  /** Keeps a copy of the database, or goes on with the one that was kept. */
  async onDatabase(does: 'keep' | 'restore'): Promise<void> {
    if (does === 'restore' && !this.#hasKept) return;
    const [from, to] =
      does === 'keep' ? [this.#database, this.#keptDatabase] : [this.#keptDatabase, this.#database];
    this.#hasKept = true;
    await this.#disconnect();
    await onServer(`drop database if exists ${to} with (force)`);
    await onServer(`create database ${to} ${asCopyOf(from)}`);
    await this.#connect();
  }

  // Runs.

  /** What the next writing run does first. */
  async recover(clone: number): Promise<void> {
    const folder = path.join(this.#tree(clone), 'skills');
    // A commit may hold no skill any more, and git keeps no empty folder.
    fs.mkdirSync(folder, { recursive: true });
    await (await cloneAt(this.#connection, this.#tree(clone), 'skills')).recover();
  }

  /** Takes back a run: the latest that is not taken back, or one of before, of whatever clone. */
  async undo({ undo, clone, force, back }: UndoStep): Promise<void> {
    const tree = this.#tree(clone);
    const [run] = await this.#other.query<{ run_id: number }>(
      `select run_id from sync_runs r where exists (select from sync_log l where l.run_id = r.run_id)
       order by run_id desc offset $1 limit 1`,
      [back],
    );
    if (run === undefined) return;
    const directory = await cloneAt(this.#connection, tree, 'skills');
    try {
      await directory.undo(undo === 'latest' ? null : run.run_id, { force, yes: true });
    } catch (error) {
      // All may be taken back already.
      if (!(error as Error).message.includes('run-not-found')) throw error;
    }
    this.#age(tree);
  }

  /** @param paths where a meanwhile edit would meet the run */
  async run(step: RunStep, dryRun: boolean, paths: readonly string[]): Promise<Ended> {
    const tree = this.#tree(step.clone);
    const accident = dryRun ? null : step.accident;
    const middle = new Middle(accident, {
      close: () => this.#connection.close(),
      hand: () => this.#meanwhileByHand(tree, paths, accident?.nth ?? 0),
      sql: () => this.#meanwhileBySql(paths, accident?.nth ?? 0),
    });
    const disk: Disk = watchedDisk(() => middle.effect());
    const connection = middle.connection(this.#connection);
    const clone = await cloneAt(connection, tree, 'skills', disk);
    let outcome: RunOutcome | null = null;
    try {
      outcome = await clone.run(step.run, { ...optionsOf(step), dryRun });
    } catch (error) {
      if (!middle.threw(error)) throw error;
    } finally {
      if (middle.isConnectionGone) {
        await this.#disconnect();
        await this.#connect();
      }
      if (!dryRun) this.#age(tree);
    }
    return { how: middle.ended(outcome !== null), outcome, meanwhile: middle.meanwhile };
  }

  #meanwhileByHand(tree: string, paths: readonly string[], nth: number): Ended['meanwhile'] {
    const skill = paths[nth % paths.length] ?? 'a';
    const at = path.join(tree, 'skills', skill, documentFile);
    if (!fs.existsSync(at)) return null;
    const word = this.#word();
    const replaced = fs.readFileSync(at, 'utf8');
    const text = this.#withBody(replaced, word);
    fs.writeFileSync(at, text);
    return { who: 'hand', path: skill, word, replaced };
  }

  async #meanwhileBySql(paths: readonly string[], nth: number): Promise<Ended['meanwhile']> {
    const skill = paths[nth % paths.length] ?? 'a';
    const word = this.#word();
    // A row that the run has locked is edited by nobody before it is done.
    const edited = await this.#other
      .query(
        'update skills set skill_content = $2 where skill_path = $1 and deleted_at is null returning 1',
        [skill, `# ${word}\n`],
      )
      .catch(() => []);
    return edited.length > 0 ? { who: 'sql', path: skill, word, replaced: '' } : null;
  }

  async #connect(): Promise<void> {
    this.#connection = await connectTo(this.#database);
    this.#other = await connectTo(this.#database);
    await this.#other.query(`set application_name = 'by hand'; set lock_timeout = 50`);
  }

  async #disconnect(): Promise<void> {
    for (const one of [this.#connection, this.#other]) await one.close().catch(() => {});
  }

  #tree(clone: number): string {
    const tree = this.trees[clone];
    if (tree === undefined) throw new Error(`no clone ${clone}`);
    return tree;
  }

  #word(): string {
    return `w${++this.#words}w`;
  }

  #newDocument(skill: string): string {
    const metadata = `metadata:\n  status: active\n  tags: [${this.#word()}]\n`;
    return this.#withBody(
      document(path.basename(skill), '', metadata).replace(/About .*/, `About ${this.#word()}.`),
    );
  }

  #withBody(text: string, word = this.#word()): string {
    const head = /^---\n[\s\S]*?\n---\n/.exec(text)?.[0] ?? '';
    return `${head}# ${word}\n`;
  }

  /** Writes a file as a person does who puts it where it shall be, whatever is in the way. */
  #write(tree: string, name: string, text: string): void {
    const folder = path.join(tree, 'skills');
    for (let above = path.dirname(name); above !== '.'; above = path.dirname(above)) {
      const place = path.join(folder, above);
      if (fs.existsSync(place) && !fs.statSync(place).isDirectory()) fs.rmSync(place);
    }
    const place = path.join(folder, name);
    if (fs.existsSync(place) && fs.statSync(place).isDirectory()) fs.rmSync(place, { recursive: true });
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(place, text);
    const at = nextMoment();
    fs.utimesSync(place, at, at);
  }

  #commit(tree: string): void {
    this.#git(tree, 'add', '--all', '.');
    if (this.#git(tree, 'status', '--porcelain') === '') return;
    this.#git(tree, 'commit', '--quiet', '-m', 'work');
    this.#note(tree);
  }

  #note(tree: string): void {
    this.commits.set(this.#git(tree, 'rev-parse', 'HEAD'), lookAtClone(tree).skills);
  }

  /** What a run wrote was written at the team's own time. */
  #age(tree: string): void {
    const now = nextMoment();
    for (const name of lookAtClone(tree).files.keys()) {
      const place = path.join(tree, 'skills', name);
      if (fs.statSync(place).mtime > now) fs.utimesSync(place, now, now);
    }
  }

  #tryGit(tree: string, args: readonly string[], otherwise: readonly string[]): void {
    try {
      this.#git(tree, ...args);
    } catch {
      this.#git(tree, ...otherwise);
    }
  }

  #git(folder: string, ...args: readonly string[]): string {
    const date = nextMoment().toISOString();
    const person = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.org', '-c', 'gc.auto=0'];
    return execFileSync('git', ['-C', folder, ...person, ...args], {
      env: {
        ...process.env,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
        GIT_CONFIG_GLOBAL: '/dev/null',
      },
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 1 << 30,
    }).trim();
  }
}

/** The flags of a run as the commands have them. */
export function optionsOf({ run, deletes, force, yes, onConflict, status, only }: RunStep): RunOptions {
  return {
    deletes,
    force,
    yes,
    maxDelete: 100,
    onConflict: run === 'sync' ? onConflict : 'edits',
    ...(status !== null && {
      statuses: status === 'all' ? ['active', 'draft', 'deprecated', 'archived'] : [status],
    }),
    ...(only !== null && { selects: (skill: string) => isSelected(only, skill) }),
  };
}

export function isSelected(only: string | null, skill: string): boolean {
  return only === null || skill === only || skill.startsWith(`${only}/`);
}

interface Actions {
  readonly close: () => Promise<void>;
  readonly hand: () => Ended['meanwhile'];
  readonly sql: () => Promise<Ended['meanwhile']>;
}

/** Counts a run's statements and effects, and lets the accident happen at its moment. */
class Middle {
  meanwhile: Ended['meanwhile'] = null;
  isConnectionGone = false;
  readonly #accident: Accident | null;
  readonly #actions: Actions;
  #count = 0;
  #thrown: Error | undefined;

  constructor(accident: Accident | null, actions: Actions) {
    this.#accident = accident;
    this.#actions = actions;
  }

  /** Before an effect on the disk. */
  effect(): void {
    const { what, at } = this.#accident ?? { what: 'none', at: 0 };
    if (what === 'lose' || what === 'lose late' || what === 'none') return;
    this.#count++;
    if (this.#count < at) return;
    if (what === 'kill' || what === 'kill late') {
      this.isConnectionGone = true;
      throw this.#throws(new Killed('killed'));
    }
    if (what === 'fail' ? this.#count === at : what === 'fail for good')
      throw this.#throws(systemError('ENOSPC'));
    if (what === 'hand edit' && this.#meets()) this.meanwhile = this.#actions.hand();
  }

  connection(connection: Connection): Connection {
    const { what, at } = this.#accident ?? { what: 'none', at: 0 };
    const isKilled = what === 'kill' || what === 'kill late';
    const isLost = what === 'lose' || what === 'lose late';
    const die = async () => {
      if (!this.isConnectionGone && isLost) await this.#actions.close();
      this.isConnectionGone = true;
      throw this.#throws(isKilled ? new Killed('killed') : new Lost('the connection is lost'));
    };
    const counted = watched(connection, async () => {
      if (this.isConnectionGone) await die();
      if (what === 'none' || what.startsWith('fail')) return;
      this.#count++;
      if (this.#count < at) return;
      if (what === 'kill' || what === 'lose') await die();
      if (what === 'hand edit' && this.#meets()) this.meanwhile = this.#actions.hand();
      if (what === 'sql edit' && this.#meets()) this.meanwhile = await this.#actions.sql();
    });
    if (!what.endsWith('late')) return counted;
    return {
      ...counted,
      // What the server was told is done; who asked for it never hears of it.
      query: async <Row>(text: string, values?: readonly unknown[]) => {
        const rows = await counted.query<Row>(text, values);
        return this.#count >= at ? die() : rows;
      },
    };
  }

  threw(error: unknown): boolean {
    return (
      this.#thrown !== undefined &&
      (error === this.#thrown ||
        error instanceof Killed ||
        error instanceof Lost ||
        (error as { syscall?: string }).syscall === 'test')
    );
  }

  ended(isWhole: boolean): Ended['how'] {
    if (this.#thrown instanceof Killed) return 'killed';
    if (this.#thrown instanceof Lost) return 'lost';
    return this.#thrown === undefined && isWhole ? 'whole' : 'failed';
  }

  /** Only once: the next moment is nobody's. */
  #meets(): boolean {
    return this.meanwhile === null && this.#count < (this.#accident?.at ?? 0) + 5;
  }

  #throws(error: Error): Error {
    this.#thrown ??= error;
    return error;
  }
}

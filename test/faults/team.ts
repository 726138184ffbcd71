// Three clones of one repository and a database, on which processes, writers of SQL and hands work at once.

import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject } from 'vitest';
import { personEnvironment, projectRoot, type Ran, runProcess } from '../acceptance/cli.ts';
import { migratedDatabase, openConnection, type PlaceKind } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import {
  type CloneView,
  type DatabaseView,
  lookAtClone,
  lookAtDatabase,
  wordsIn,
  wordsOf,
} from '../laws/look.ts';
import { document } from '../sync/sides.ts';
import { type HandAct, type ProcessAct, type Schedule, type SqlAct, skillPaths } from './schedule.ts';

const git = (tree: string, ...args: readonly string[]) =>
  promisify(execFile)(
    'git',
    ['-C', tree, '-c', 'user.name=Tester', '-c', 'user.email=tester@example.org', ...args],
    { env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' } },
  );

/** What a prune gives up is meant to go: it is put aside, so that all else that goes is seen. */
const asideSql = `
  create table given_up (text text);
  create function keep_revision() returns trigger language plpgsql as $$ begin
    insert into given_up values (concat(old.frontmatter_source, old.skill_content, old.index));
    return new;
  end $$;
  create function keep_blob() returns trigger language plpgsql as $$ begin
    insert into given_up values (convert_from(old.bytes, 'UTF8'));
    return old;
  end $$;
  create trigger keep before update on skill_revisions for each row
    when (new.pruned_at is not null and old.pruned_at is null) execute function keep_revision();
  create trigger keep before delete on skill_blobs for each row execute function keep_blob()`;

/** What a server says to a writer who is in the way of another: the transaction is not done. */
const refusals = new Set(['40001', '40P01', '55P03', '23505', '23503', '42701']);

/** What a round was made of. */
export interface Counts {
  processes: number;
  /** Transactions of others that were committed. */
  writes: number;
  /** Of others that the server gave up for somebody's sake. */
  refusals: number;
  hands: number;
  /** Runs that said for whom they waited, or had to. */
  waits: number;
  /** Runs that gave up, or were refused, and said so. */
  failures: number;
  /** Runs that left conflicts. */
  conflicts: number;
}

/** What all hold at one moment. */
export interface TeamLook {
  readonly clones: readonly CloneView[];
  readonly database: DatabaseView;
  readonly words: ReadonlySet<string>;
}

export interface Ended extends Ran {
  readonly act: ProcessAct;
}

export class Team {
  /** As the program is given it. */
  readonly url: string;
  /** As other writers have it. */
  readonly directUrl: string;
  readonly trees: readonly string[];
  /** Words that somebody wrote and saw stand. */
  readonly written: string[] = [];
  readonly ran: Ended[] = [];
  readonly #bin: string;
  #words = 0;
  #columns = 0;

  private constructor(url: string, directUrl: string, folder: string) {
    this.url = url;
    this.directUrl = directUrl;
    this.trees = [0, 1, 2].map((nth) => path.join(folder, `clone-${nth}`));
    this.#bin = path.join(folder, 'bin');
  }

  /** All three clones hold the same skills, which the first has exported. */
  static async make(kind: PlaceKind): Promise<Team> {
    const connection = await migratedDatabase(kind);
    await connection.query(asideSql);
    const place = new URL(inject('serverUrl'));
    place.pathname = connection.database.name;
    const through = new URL((kind === 'pooler' && inject('poolerUrl')) || place.href);
    through.pathname = place.pathname;
    await connection.close();
    const folder = fs.realpathSync(await temporaryFolder());
    const team = new Team(through.href, place.href, folder);
    const [first = '', ...others] = team.trees;
    fs.mkdirSync(team.#bin);
    fs.mkdirSync(first);
    for (const skill of skillPaths.slice(0, 5)) {
      const name = path.basename(skill);
      const at = path.join(first, 'skills', skill);
      fs.mkdirSync(at, { recursive: true });
      fs.writeFileSync(path.join(at, 'SKILL.md'), document(name, `${team.#word()}\n`));
      fs.writeFileSync(path.join(at, 'x'), `${team.#word()}\n`);
    }
    await git(first, 'init', '--quiet', '--initial-branch=main');
    await git(first, 'add', 'skills');
    await git(first, 'commit', '--quiet', '-m', 'skills');
    for (const tree of others) await git(folder, 'clone', '--quiet', first, tree);
    team.written.push(...Array.from({ length: team.#words }, (_, nth) => `w${nth + 1}w`));
    return team;
  }

  run(clone: number, args: readonly string[]): Promise<Ran> {
    return runProcess(process.execPath, [path.join(projectRoot, 'dist/cli.js'), ...args], {
      cwd: this.trees[clone] ?? '',
      env: personEnvironment({ DATABASE_URL: this.url }),
    });
  }

  /** Lets all of it happen, and waits until the last has ended. */
  async live({ processes, sqls, hands }: Schedule): Promise<Counts> {
    const counts = { processes: 0, writes: 0, refusals: 0, hands: 0, waits: 0, failures: 0, conflicts: 0 };
    const wait = async (atMs: number) => void (await sleep(atMs));
    await Promise.all([
      ...processes.map(async (act) => {
        await wait(act.at);
        const ran = await this.#process(act);
        if (!ran) return;
        counts.processes++;
        if (ran.stderr.includes('waiting')) counts.waits++;
        if (ran.code === 1) counts.failures++;
        if (ran.code === 3) counts.conflicts++;
        this.ran.push({ ...ran, act });
      }),
      ...sqls.map(async (act) => {
        await wait(act.at);
        counts[await this.#sql(act)]++;
      }),
      // One hand for each clone.
      ...this.trees.map(async (_, clone) => {
        let now = 0;
        for (const act of hands.filter((one) => one.clone === clone).sort((a, b) => a.at - b.at)) {
          await wait(act.at - now);
          now = act.at;
          if (await this.#hand(act)) counts.hands++;
        }
      }),
    ]);
    return counts;
  }

  async #process(act: ProcessAct): Promise<Ran | undefined> {
    const { command, clone, skill, onConflict, deletes, force, patience } = act;
    const waiting = ['--lock-timeout', patience];
    const deleting = deletes ? ['--delete', '--yes', '--max-delete', '100'] : [];
    const forcing = force ? ['--force'] : [];
    switch (command) {
      case 'sync-db':
        return this.run(clone, [command, '--on-conflict', onConflict, ...deleting, ...waiting]);
      case 'export-to-db':
      case 'import-from-db':
        return this.run(clone, [command, ...deleting, ...forcing, ...waiting]);
      case 'apply': {
        const plan = `plan-${act.at}.json`;
        const planned = await this.run(clone, ['sync-db', '--dry-run', '--out', plan, '--diff', 'none']);
        const isSaved = fs.existsSync(path.join(this.trees[clone] ?? '', plan));
        return isSaved ? this.run(clone, [command, plan, ...waiting]) : planned;
      }
      case 'undo':
        return this.run(clone, [command, '--yes', '--max-delete', '100', ...forcing, ...waiting]);
      case 'restore': {
        const [past] = await this.#query<{ path: string; revision: string }>(
          'select skill_path as path, revision from skill_revisions order by pruned_at is null desc, random() limit 1',
        );
        if (past === undefined) return undefined;
        return this.run(clone, [command, past.path, '--revision', `${past.revision}`, ...waiting]);
      }
      case 'prune':
        return this.run(clone, [command, '--keep-last', '0', '--keep-days', '0', ...waiting]);
      case 'resolve':
        return this.run(clone, [command, skill, '--with', deletes ? 'local' : 'database', ...waiting]);
      case 'migrate':
        return this.run(clone, [command, ...waiting]);
    }
  }

  /** One transaction of another writer, who does not try again where it is refused. */
  async #sql({ sql, skill, other, holdMs }: SqlAct): Promise<'writes' | 'refusals'> {
    const client = new pg.Client(this.directUrl);
    client.on('error', () => {});
    await client.connect();
    const words: string[] = [];
    const word = () => {
      words.push(this.#word());
      return words.at(-1);
    };
    const edit = (at: string) =>
      client.query(
        `update skills set skill_content = concat(skill_content, $2::text, chr(10)) where skill_path = $1 and deleted_at is null returning 1`,
        [at, word()],
      );
    const insert = () =>
      client.query(
        `insert into skills (skill_path, name, type, status, description, skill_content)
         values ($1, $2, 'technical', 'active', 'Made.', $3)`,
        [skill, path.basename(skill), `${word()}\n`],
      );
    try {
      if (sql === 'vacuum full') {
        for (const table of ['skills', 'skill_files', 'skill_sync'])
          await client.query(`vacuum full ${table}`);
        return 'writes';
      }
      await client.query(sql === 'serializable' ? 'begin isolation level serializable' : 'begin');
      let isWritten = true;
      const does = async (done: Promise<pg.QueryResult>) => {
        isWritten = ((await done).rowCount ?? 0) > 0;
      };
      switch (sql) {
        case 'update':
          await does(edit(skill));
          break;
        case 'serializable':
          await client.query('select sum(length(skill_content)) from skills');
          await sleep(holdMs);
          await does(edit(skill));
          break;
        case 'select for update':
          await client.query('select from skills where skill_path = any ($1) for update', [[skill, other]]);
          await sleep(holdMs);
          await does(edit(skill));
          break;
        case 'opposite': {
          // A run takes its rows in the order of their keys.
          await does(edit('e'));
          await sleep(holdMs);
          const isFirst = isWritten;
          await does(edit('a'));
          if (!isFirst) words.shift();
          if (!isWritten) words.pop();
          isWritten = words.length > 0;
          break;
        }
        case 'update file':
          await does(
            client.query(
              `update skill_files f set content = concat(f.content, $2::text, chr(10))
               from skills s where s.skill_id = f.skill_id and s.skill_path = $1 and s.deleted_at is null returning 1`,
              [skill, word()],
            ),
          );
          break;
        case 'update tag':
          await does(
            client.query(
              `insert into skill_tags (skill_id, tag)
               select skill_id, $2 from skills where skill_path = $1 and deleted_at is null returning 1`,
              [skill, word()],
            ),
          );
          break;
        case 'insert':
          await insert();
          break;
        case 'delete':
          await client.query('delete from skills where skill_path = $1', [skill]);
          break;
        case 'delete and insert':
          await client.query('delete from skills where skill_path = $1', [skill]);
          await insert();
          break;
        case 'mark deleted':
          await client.query('update skills set deleted_at = now() where skill_path = $1', [skill]);
          break;
        case 'rename':
          await client.query('update skills set skill_path = $2 where skill_path = $1', [skill, other]);
          break;
        case 'lock table':
          await client.query(`lock table ${holdMs > 100 ? 'skills' : 'skill_files'} in exclusive mode`);
          break;
        case 'create index':
          await client.query('create index on skills (description)');
          break;
        case 'add column':
          await client.query(`alter table skills add column extra_${++this.#columns} text`);
          break;
        case 'rewrite':
          await client.query(
            `alter table ${holdMs > 100 ? 'skills' : 'skill_files'} add column made_${++this.#columns} uuid default gen_random_uuid()`,
          );
          break;
      }
      await sleep(holdMs);
      await client.query('commit');
      if (isWritten) this.written.push(...words);
      return 'writes';
    } catch (error) {
      if (!refusals.has((error as { code?: string }).code ?? '')) throw error;
      return 'refusals';
    } finally {
      await client.end();
    }
  }

  /** A file appears whole, as editors save it. Whether there was something to do. */
  async #hand({ hand, clone, skill, other }: HandAct): Promise<boolean> {
    const tree = this.trees[clone] ?? '';
    const folder = path.join(tree, 'skills', skill);
    const aside = path.join(this.#bin, `${clone}-${this.#words++}`);
    try {
      switch (hand) {
        case 'write':
        case 'write file': {
          const file = path.join(folder, hand === 'write' ? 'SKILL.md' : 'x');
          const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
          const word = this.#word();
          fs.writeFileSync(
            aside,
            text === '' && hand === 'write'
              ? document(path.basename(skill), `${word}\n`)
              : `${text}${word}\n`,
          );
          if (hand === 'write') fs.mkdirSync(folder, { recursive: true });
          fs.renameSync(aside, file);
          this.written.push(word);
          return true;
        }
        case 'take away':
          fs.renameSync(folder, aside);
          return true;
        case 'move':
          fs.renameSync(folder, path.join(tree, 'skills', other));
          return true;
        case 'commit':
          await git(tree, 'add', '--all', 'skills');
          await git(tree, 'commit', '--quiet', '--allow-empty', '-m', 'work');
          return true;
      }
    } catch {
      // Nothing is there to be moved, something is in the way, or git met a file that went away.
      return false;
    }
  }

  async look(): Promise<TeamLook> {
    const clones = this.trees.map(lookAtClone);
    const connection = await openConnection({ kind: 'postgres', url: this.directUrl });
    const database = await lookAtDatabase(connection);
    await connection.close();
    const given = await this.#query<{ text: string }>('select text from given_up');
    const taken = fs
      .readdirSync(this.#bin, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
    const words = wordsIn([...given.map(({ text }) => text), ...taken].join(' '));
    return { clones, database, words: new Set([...wordsOf({ clones, database }), ...words]) };
  }

  query<Row>(text: string): Promise<readonly Row[]> {
    return this.#query(text);
  }

  async #query<Row>(text: string): Promise<readonly Row[]> {
    const client = new pg.Client(this.directUrl);
    await client.connect();
    try {
      return (await client.query(text)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  #word(): string {
    return `w${++this.#words}w`;
  }
}

// A clone and its database that stand at one moment, and can be put back to it: each fault meets the same library.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { connect, openForWriting } from '../../src/repository/open.ts';
import { asCopyOf, type DatabaseKind } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { type CloneView, type DatabaseView, lookAtClone, lookAtDatabase, wordsOf } from '../laws/look.ts';
import { type Clone, cloneAt } from '../sync/sides.ts';

async function onServer(server: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** What both sides hold, and all words that are held anywhere. */
export interface Look {
  readonly clone: CloneView;
  readonly database: DatabaseView;
  readonly words: ReadonlySet<string>;
}

const noTables: DatabaseView = {
  skills: new Map(),
  unreadable: new Set(),
  statuses: new Map(),
  ids: new Map(),
  places: new Map(),
  print: 'no tables',
  texts: '',
};

/** Where a library's database stands: on the tests' server where nothing is said. */
export interface Where {
  readonly kind?: DatabaseKind;
  /** The URL of another server. */
  readonly server?: string;
  /** Whether the database has no tables. */
  readonly isUnmigrated?: boolean | undefined;
}

/** A program copies folders in a tenth of the time that Node's `cp` takes. */
function copyAsIs(from: string, to: string): void {
  execFileSync('cp', ['-Rp', from, to]);
}

/** One project with its database. Its folder and the database's name never change: the base knows both by them. */
export class Library {
  readonly project: string;
  readonly kind: DatabaseKind;
  readonly #server: string;
  /** What a server does that may be killed: a sequence in a copied database goes back then, before a checkpoint. */
  readonly #lasting: readonly string[];
  readonly #kept: string;
  readonly #name: string;
  readonly #open = new Set<Connection>();

  private constructor(folder: string, { kind = 'postgres', server }: Where) {
    this.project = path.join(folder, 'project');
    this.kind = kind;
    this.#server = server ?? inject('serverUrl');
    this.#lasting = server === undefined ? [] : ['checkpoint'];
    this.#kept = path.join(folder, 'kept');
    this.#name = `skill_fleet_fault_${randomUUID().replaceAll('-', '')}`;
  }

  static async make(where: Where = {}): Promise<Library> {
    const folder = fs.realpathSync(await temporaryFolder());
    const library = new Library(folder, where);
    fs.mkdirSync(library.project);
    onTestFinished(() => library.closeAll());
    await (library.kind === 'embedded' ? library.#makeEmbedded(where) : library.#makeOnServer(where));
    return library;
  }

  async #makeEmbedded({ isUnmigrated }: Where): Promise<void> {
    if (isUnmigrated) return;
    fs.mkdirSync(path.dirname(this.#directory));
    copyAsIs(inject('embeddedTemplate'), this.#directory);
    const connection = await this.connection();
    await connection.query('update sync_databases set database_id = gen_random_uuid()');
    await this.closeAll();
  }

  async #makeOnServer({ server, isUnmigrated }: Where): Promise<void> {
    const name = this.#name;
    const isCopied = !isUnmigrated && server === undefined;
    await onServer(
      this.#server,
      `create database ${name}${isCopied ? ` ${asCopyOf(inject('serverTemplate'))}` : ''}`,
    );
    onTestFinished(async () => {
      await this.closeAll();
      await onServer(
        this.#server,
        `drop database if exists ${name} with (force)`,
        `drop database if exists ${name}_kept with (force)`,
      );
    });
    if (isUnmigrated || isCopied) return;
    const opened = await openForWriting({ kind: 'postgres', url: this.url }, nodeDisk);
    if (!opened.ok || opened.value.state !== 'ready') throw new Error(JSON.stringify(opened));
    await opened.value.connection.close();
  }

  get #directory(): string {
    return path.join(this.project, '.skill-fleet/db');
  }

  /** The database, as the program is told of it. */
  get url(): string {
    if (this.kind === 'embedded') return `pglite:${this.#directory}`;
    const url = new URL(this.#server);
    url.pathname = this.#name;
    return url.href;
  }

  /** A connection that is closed when the library is put back. */
  connection(): Promise<Connection> {
    return this.#connect(this.#directory);
  }

  async #connect(directory: string): Promise<Connection> {
    const { kind, url } = this;
    const opened = await connect(kind === 'embedded' ? { kind, directory } : { kind, url }, nodeDisk);
    if (!opened.ok) throw new Error(JSON.stringify(opened.problem));
    this.#open.add(opened.value);
    return opened.value;
  }

  async clone(connection: Connection, disk?: Disk): Promise<Clone> {
    return cloneAt(connection, this.project, 'skills', disk);
  }

  /** Another clone, in a folder below the project: it is put back with it. */
  async cloneAt(project: string): Promise<Clone> {
    return cloneAt(await this.connection(), project, 'skills');
  }

  /** Keeps this moment. */
  async keep(): Promise<void> {
    await this.closeAll();
    copyAsIs(this.project, this.#kept);
    if (this.kind === 'postgres') {
      await onServer(this.#server, `create database ${this.#name}_kept template ${this.#name}`);
    }
  }

  /** Goes back to the moment that was kept. */
  async putBack(): Promise<void> {
    await this.closeAll();
    fs.rmSync(this.project, { recursive: true });
    copyAsIs(this.#kept, this.project);
    if (this.kind === 'embedded') return;
    await onServer(
      this.#server,
      `drop database ${this.#name} with (force)`,
      `create database ${this.#name} template ${this.#name}_kept`,
      ...this.#lasting,
    );
  }

  /** Looks, and touches nothing: at a copy of an embedded database, which opening one changes. */
  async look(): Promise<Look> {
    const clone = lookAtClone(this.project);
    const database = await this.#lookAtDatabase();
    return { clone, database, words: wordsOf({ clones: [clone], database }) };
  }

  async #lookAtDatabase(): Promise<DatabaseView> {
    const looked = `${this.#kept}-looked`;
    if (this.kind === 'embedded') {
      if (!fs.existsSync(this.#directory)) return noTables;
      copyAsIs(this.#directory, looked);
    }
    try {
      const connection = await this.#connect(looked);
      const [table] = await connection.query<{ there: boolean }>(
        `select to_regclass('sync_log') is not null as there`,
      );
      return table?.there ? await lookAtDatabase(connection) : noTables;
    } finally {
      await this.closeAll();
      fs.rmSync(looked, { recursive: true, force: true });
    }
  }

  async closeAll(): Promise<void> {
    for (const connection of this.#open) await connection.close().catch(() => {});
    this.#open.clear();
  }
}

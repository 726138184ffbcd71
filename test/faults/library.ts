// A clone and its database that stand at one moment, and can be put back to it: each fault meets the same library.

import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { connect } from '../../src/repository/open.ts';
import { asCopyOf, onServer } from '../databases.ts';
import { temporaryFolder } from '../folders.ts';
import { type CloneView, type DatabaseView, lookAtClone, lookAtDatabase, wordsOf } from '../laws/look.ts';
import { type Clone, cloneAt } from '../sync/sides.ts';

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

/** One project with its database. Its folder and the database's name never change: the base knows both by them. */
export class Library {
  readonly project: string;
  readonly #kept: string;
  readonly #name: string;
  readonly #open = new Set<Connection>();

  private constructor(project: string, kept: string, name: string) {
    this.project = project;
    this.#kept = kept;
    this.#name = name;
  }

  /** @param isUnmigrated whether the database has no tables */
  static async make(isUnmigrated = false): Promise<Library> {
    const name = `skill_fleet_fault_${randomUUID().replaceAll('-', '')}`;
    const folder = fs.realpathSync(await temporaryFolder());
    const library = new Library(path.join(folder, 'project'), path.join(folder, 'kept'), name);
    fs.mkdirSync(library.project);
    await onServer(
      `create database ${name} ${asCopyOf(isUnmigrated ? 'template1' : inject('serverTemplate'))}`,
    );
    onTestFinished(async () => {
      await library.closeAll();
      await onServer(`drop database if exists ${name} with (force)`);
      await onServer(`drop database if exists ${name}_kept with (force)`);
    });
    return library;
  }

  get url(): string {
    const url = new URL(inject('serverUrl'));
    url.pathname = this.#name;
    return url.href;
  }

  /** A connection that is closed when the library is put back. */
  async connection(): Promise<Connection> {
    const opened = await connect({ kind: 'postgres', url: this.url }, nodeDisk);
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
    fs.cpSync(this.project, this.#kept, { recursive: true, preserveTimestamps: true });
    await onServer(`create database ${this.#name}_kept ${asCopyOf(this.#name)}`);
  }

  /** Goes back to the moment that was kept. */
  async putBack(): Promise<void> {
    await this.closeAll();
    fs.rmSync(this.project, { recursive: true });
    fs.cpSync(this.#kept, this.project, { recursive: true, preserveTimestamps: true });
    await onServer(`drop database ${this.#name} with (force)`);
    await onServer(`create database ${this.#name} ${asCopyOf(`${this.#name}_kept`)}`);
  }

  async look(): Promise<Look> {
    const clone = lookAtClone(this.project);
    const connection = await this.connection();
    const [table] = await connection.query<{ there: boolean }>(
      `select to_regclass('sync_log') is not null as there`,
    );
    const database = table?.there ? await lookAtDatabase(connection) : noTables;
    await this.closeAll();
    return { clone, database, words: wordsOf({ clones: [clone], database }) };
  }

  async closeAll(): Promise<void> {
    for (const connection of this.#open) await connection.close().catch(() => {});
    this.#open.clear();
  }
}

// One fault at one moment: the disk or the server fails at the n-th call that a run makes of them.

import type { Disk, OpenFile, OpenFolder } from '../../src/disk.ts';
import { nodeDisk } from '../../src/disk.ts';
import type { Connection } from '../../src/repository/connection.ts';
import { systemError } from '../directory/folder.ts';

/** How the disk fails. */
export const diskFaults = ['ENOSPC', 'EIO', 'EACCES', 'EMFILE'] as const;

type DiskFault = (typeof diskFaults)[number];

interface ServerFault {
  /** What the server answers; null where the connection is lost. */
  readonly sqlstate: string | null;
  /** Whether the statement is done all the same. */
  readonly isDone?: true;
  /** What is said where the run does not do it again by itself. */
  readonly said: RegExp;
}

/** How the server fails. */
const serverFaults = {
  'reset before': { sqlstate: null, said: /was lost/ },
  'reset after': { sqlstate: null, isDone: true, said: /was lost/ },
  'serialization failure': { sqlstate: '40001', said: /Others are at work/ },
  deadlock: { sqlstate: '40P01', said: /Others are at work/ },
  'statement timeout': { sqlstate: '57014', said: /ended a statement/ },
  'disk full': { sqlstate: '53100', said: /lacks room/ },
  'server restart': { sqlstate: '57P01', said: /was lost/ },
} as const satisfies { readonly [name: string]: ServerFault };

type ServerFaultName = keyof typeof serverFaults;

export const serverFaultNames = Object.keys(serverFaults) as readonly ServerFaultName[];

export type Fault = DiskFault | ServerFaultName;

function isDiskFault(fault: Fault): fault is DiskFault {
  return diskFaults.some((one) => one === fault);
}

/** What a problem says that comes of a fault. */
export function saidOf(fault: Fault): RegExp {
  return isDiskFault(fault) ? new RegExp(fault) : serverFaults[fault].said;
}

/** What a run calls: the disk, or the server. */
export type Called = 'disk' | 'server';

/** Counts the calls of a run, from 1, and lets one of them fail. */
export class Injector {
  /** Which of the two each call went to, in order. */
  readonly calls: Called[] = [];
  /** The call that failed, in words; empty before. */
  failed = '';
  readonly #fault: Fault | null;
  readonly #at: number;
  #isLost = false;

  /** @param at the call that fails; where that is of the other kind, the next one that is of the fault's */
  constructor(fault: Fault | null, at: number) {
    this.#fault = fault;
    this.#at = at;
  }

  readonly disk: Disk = this.#watched(nodeDisk);

  connection(connection: Connection): Connection {
    return {
      ...connection,
      query: async <Row>(text: string, values?: readonly unknown[]) => {
        if (this.#isLost) throw lost();
        const fault = this.#faultAt('server', text);
        if (fault === undefined || isDiskFault(fault)) return connection.query<Row>(text, values);
        const { sqlstate, isDone }: ServerFault = serverFaults[fault];
        if (isDone) await connection.query(text, values);
        if (sqlstate === null) {
          this.#isLost = true;
          await connection.close();
          throw lost();
        }
        // What the server says itself also ends the transaction, or the session.
        await connection.query(
          sqlstate === '57P01'
            ? 'select pg_terminate_backend(pg_backend_pid())'
            : `do $$ begin raise exception 'injected' using errcode = '${sqlstate}'; end $$`,
        );
        throw new Error('the server did not fail');
      },
    };
  }

  #faultAt(called: Called, call: string): Fault | undefined {
    this.calls.push(called);
    const fault = this.#fault;
    if (fault === null || isDiskFault(fault) !== (called === 'disk')) return undefined;
    if (this.failed !== '' || this.calls.length < this.#at) return undefined;
    this.failed = call;
    return fault;
  }

  /** The same object, each of whose calls is counted; what it opens is watched too. */
  #watched<T extends object>(of: T): T {
    return new Proxy(of, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function' || name === 'close') return member;
        return async (...given: readonly unknown[]) => {
          const names = given.filter((one) => typeof one === 'string');
          const fault = this.#faultAt('disk', [name, ...names].map(String).join(' '));
          if (fault !== undefined) throw systemError(fault);
          const answer: unknown = await member.apply(target, given);
          return name === 'open' || name === 'openFolder'
            ? this.#watched(answer as OpenFile | OpenFolder)
            : answer;
        };
      },
    });
  }
}

function lost(): Error {
  return Object.assign(new Error('the connection is lost'), { code: 'ECONNRESET' });
}

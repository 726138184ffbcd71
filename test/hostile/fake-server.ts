// A server that is none: what it answers is written down, turn by turn.

import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What comes after the last answer, and without an end: `flood` is sent over and over. */
export type Ending = 'close' | 'silence' | 'reset' | { readonly flood: Buffer };

/** One answer for each time that the client speaks, then the ending. */
export interface Script {
  readonly answers: readonly (Buffer | ((said: Buffer) => Buffer))[];
  readonly ending: Ending;
  /** Whether it speaks before it is spoken to: nothing of the client's is waited for. */
  readonly speaksFirst?: boolean;
}

export interface FakeServer {
  readonly port: number;
  /** All that clients said. */
  heard(): Buffer;
  close(): Promise<void>;
}

/** Starts one on a port of its own. Each client gets the whole script. It never hangs up by itself. */
export async function startFake({ answers, ending, speaksFirst = false }: Script): Promise<FakeServer> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    sockets.add(client);
    client.on('error', () => {}).on('close', () => sockets.delete(client));
    let turn = 0;
    const speak = (said: Buffer) => {
      const answer = answers[turn++];
      if (answer) client.write(typeof answer === 'function' ? answer(said) : answer);
      if (turn === Math.max(answers.length, 1)) endWith(client, ending);
    };
    if (speaksFirst) speak(Buffer.alloc(0));
    client.on('data', (said) => {
      heard.push(said);
      if (!speaksFirst) speak(said);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => Buffer.concat(heard),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function endWith(client: Socket, ending: Ending): void {
  if (ending === 'close') client.end();
  else if (ending === 'reset') client.resetAndDestroy();
  else if (ending !== 'silence') {
    const pour = () => {
      while (client.writable && client.write(ending.flood));
    };
    client.on('drain', pour);
    pour();
  }
}

// ---- messages, as https://www.postgresql.org/docs/current/protocol-message-formats.html has them ----

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

/** A message, as long as it says. */
export function message(type: string, ...body: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(body);
  return lying(type, bytes.length + 4, bytes);
}

/** A message that says that it has another length. */
export function lying(type: string, length: number, ...body: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(length), ...body]);
}

/** An error or a notice, by its fields: `{ S: 'FATAL', C: '28P01', M: 'no' }`. */
export function report(type: 'E' | 'N', fields: { readonly [field: string]: string }): Buffer {
  return message(
    type,
    ...Object.entries(fields).map(([field, value]) => text(field + value)),
    Buffer.alloc(1),
  );
}

/** What asks for a login in the way of this number. */
export function login(way: number, ...more: readonly Buffer[]): Buffer {
  return message('R', int32(way), ...more);
}

export const ready = message('Z', Buffer.from('I'));

/** What a server says that lets everybody in. */
export const welcome = Buffer.concat([
  login(0),
  message('S', text('server_version'), text('16.1')),
  message('K', int32(7), int32(7)),
  ready,
]);

/** How many fields, then each: its length, and what stands there. */
export function row(...values: readonly (string | null)[]): Buffer {
  const fields = values.flatMap((value) =>
    value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)],
  );
  return message('D', int16(values.length), ...fields);
}

/** Names and types of columns. */
export function columns(types: { readonly [name: string]: number }): Buffer {
  const fields = Object.entries(types).flatMap(([name, oid]) => [
    text(name),
    ...[int32(0), int16(0), int32(oid), int16(-1), int32(-1), int16(0)],
  ]);
  return message('T', int16(Object.keys(types).length), ...fields);
}

export const done = message('C', text('SELECT 1'));

/** A whole answer to one statement. */
export function answer(
  types: { readonly [name: string]: number },
  ...rows: readonly (readonly (string | null)[])[]
): Buffer {
  return Buffer.concat([columns(types), ...rows.map((values) => row(...values)), done, ready]);
}

/** What is asked first once a client is let in: a server of this kind, where nothing else is said. */
export function introduction(
  said: {
    readonly number?: string | null;
    readonly version?: string | null;
    readonly encoding?: string | null;
    readonly schema?: string | null;
  } = {},
): Buffer {
  const { number = '160001', version = '16.1', encoding = 'UTF8', schema = 'public' } = said;
  return answer({ versionNumber: 23, version: 25, encoding: 25, isStandby: 16, isReadOnly: 16, schema: 19 }, [
    number,
    version,
    encoding,
    'f',
    'f',
    schema,
  ]);
}

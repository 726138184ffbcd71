// A door before a server: a test says who gets in, and when it shuts.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What happens to one client. */
export type Answer =
  | { readonly with: 'pass' }
  /** Lets so many messages of the client pass, then cuts the connection; `silent` goes on without a word. */
  | { readonly with: 'pass'; readonly messages: number; readonly end: 'cut' | 'silent' }
  /** Lets all pass but the server's answer to the n-th message, from 1, that holds this: then it cuts. */
  | { readonly with: 'pass'; readonly unanswered: RegExp; readonly nth: number }
  | { readonly with: 'reset' }
  | { readonly with: 'silence' }
  | { readonly with: 'bytes'; readonly bytes: Buffer }
  | { readonly with: 'error'; readonly sqlstate: string; readonly message: string };

/** A door on a port of its own. */
export interface Gate {
  /** The server's URL with this port, and no TLS, which the gate could not read. */
  readonly url: string;
  /** Clients so far. */
  clients(): number;
  /** Messages that clients have sent so far. */
  messages(): number;
}

/** Opens a door before the server at `url`: `answer` says what becomes of the n-th client, from 0. */
export async function openGate(url: string, answer: (client: number) => Answer): Promise<Gate> {
  const { hostname, port } = new URL(url);
  let clients = 0;
  let messages = 0;
  const sockets = new Set<Socket>();
  const gate: Server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {}).on('close', () => sockets.delete(client));
    const how = answer(clients++);
    if (how.with === 'reset') client.resetAndDestroy();
    if (how.with === 'bytes') client.end(how.bytes);
    if (how.with === 'error') client.once('data', () => client.end(errorResponse(how.sqlstate, how.message)));
    if (how.with !== 'pass') return;
    const server = connect(Number(port), hostname);
    sockets.add(server);
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    let passed = 0;
    let isSilent = false;
    let isUnanswered = false;
    client.on('data', (bytes) => {
      messages++;
      if ('unanswered' in how && how.unanswered.test(bytes.toString('latin1'))) {
        isUnanswered = ++passed === how.nth;
      }
      if ('messages' in how && passed++ >= how.messages) {
        if (how.end === 'cut') client.destroy();
        else isSilent = true;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (isUnanswered) client.destroy();
      else if (!isSilent && !client.destroyed) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => {
    gate.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    gate.close();
  });
  const address = gate.address();
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  const through = new URL(url);
  through.port = String(address.port);
  through.searchParams.set('sslmode', 'disable');
  return { url: through.href, clients: () => clients, messages: () => messages };
}

/** What a server answers that ends a connection. https://www.postgresql.org/docs/current/protocol-error-fields.html */
function errorResponse(sqlstate: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlstate}\0M${message}\0\0`);
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

// Loaded into the built command line before anything else: counts what that does to the disk and tells the server, and
// kills it before one of those. What is written in one call counts twice: a kill may come half-way.
//
//   KILL_BEFORE=17 node --import …    the effect that never comes
//   EFFECTS=FILE node --import …      all of them, as JSON, once the process has ended by itself

import fs from 'node:fs';
import fsp from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

/** The effects of a run. */
export interface Effects {
  readonly names: readonly string[];
  /** When the first and the last of them came, in milliseconds after the process began. */
  readonly first: number;
  readonly last: number;
}

type Call = (this: unknown, ...given: never[]) => unknown;

const { KILL_BEFORE, EFFECTS } = process.env;
const names: string[] = [];
const writeSync = fs.writeSync;
let first = 0;
let last = 0;

function effect(name: string, half?: () => void): void {
  last = performance.now();
  first ||= last;
  names.push(name);
  if (names.length === Number(KILL_BEFORE)) process.kill(process.pid, 'SIGKILL');
  if (half === undefined) return;
  names.push(`${name}, half`);
  if (names.length !== Number(KILL_BEFORE)) return;
  half();
  process.kill(process.pid, 'SIGKILL');
}

/** What Node knows of a function beside its name goes over to the one that takes its place. */
function replace(of: object, name: string, before: (given: readonly unknown[], self: unknown) => void): void {
  const original = Reflect.get(of, name) as Call;
  const counted = function (this: unknown, ...given: never[]) {
    before(given, this);
    return original.apply(this, given);
  };
  Object.defineProperties(counted, Object.getOwnPropertyDescriptors(original));
  Object.defineProperty(of, name, { value: counted, writable: true, configurable: true });
}

const changing = [
  ...['rename', 'unlink', 'mkdir', 'rmdir', 'rm', 'link', 'symlink', 'copyFile', 'cp', 'truncate', 'utimes'],
  ...['chmod', 'chown', 'lchown', 'writeFile', 'appendFile', 'mkdtemp'],
];
const changingOpen = ['fsync', 'fdatasync', 'fchmod', 'fchown', 'ftruncate', 'futimes', 'writev'];

const place = (given: readonly unknown[]) => given.filter((one) => typeof one === 'string').join(' ');

for (const name of changing) {
  for (const [of, one] of [[fs, name] as const, [fs, `${name}Sync`] as const, [fsp, name] as const])
    replace(of, one, (given) => effect(`${name} ${place(given)}`));
}
for (const name of changingOpen) {
  for (const one of [name, `${name}Sync`]) replace(fs, one, () => effect(name));
}

const { O_CREAT, O_TRUNC } = fs.constants;
const makes = (flags: unknown) =>
  typeof flags === 'number' ? (flags & (O_CREAT | O_TRUNC)) !== 0 : /^[wa]/.test(String(flags));
for (const [of, name] of [[fs, 'open'] as const, [fs, 'openSync'] as const, [fsp, 'open'] as const])
  replace(of, name, (given) => makes(given[1]) && effect(`open ${place(given)}`));

for (const name of ['write', 'writeSync']) {
  replace(fs, name, ([fd, bytes, offset, length, position]) => {
    // What is said is no effect.
    if (fd === 1 || fd === 2) return;
    if (!(bytes instanceof Uint8Array)) return effect('write');
    const start = typeof offset === 'number' ? offset : 0;
    const size = typeof length === 'number' ? length : bytes.byteLength - start;
    const at = typeof position === 'number' ? position : null;
    effect(`write ${size} bytes`, () => writeSync(fd as number, bytes, start, size >> 1, at));
  });
}

const handle = await fsp.open(fileURLToPath(import.meta.url));
const handles = Object.getPrototypeOf(handle) as object;
await handle.close();
for (const name of [
  'write',
  'writev',
  'writeFile',
  'appendFile',
  'sync',
  'datasync',
  'chmod',
  'chown',
  'truncate',
])
  replace(handles, name, () => effect(name));

const send = net.Socket.prototype.write as Call;
replace(net.Socket.prototype, 'write', ([bytes], self) => {
  // A pipe to whoever reads what is said has no address.
  if (!(self instanceof net.Socket) || self.remoteAddress === undefined) return;
  const half = () =>
    void send.apply(self, [(bytes as Buffer).subarray(0, (bytes as Buffer).length >> 1) as never]);
  effect('message', Buffer.isBuffer(bytes) ? half : undefined);
});

syncBuiltinESMExports();

if (EFFECTS !== undefined) {
  process.on('exit', () => {
    const effects: Effects = { names: [...names], first, last };
    fs.writeFileSync(EFFECTS, JSON.stringify(effects));
  });
}

// TLS as libpq means it: `sslmode` and its companions as what Node's TLS is to do.
//
// https://www.postgresql.org/docs/current/libpq-ssl.html

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type Outcome, refuse } from '../problem.ts';
import type { ServerAddress } from './server-address.ts';

/** What one try to connect does: TLS in this way, or none. */
export type TlsAttempt = ConnectionOptions | false;

/** Where libpq looks, below the home folder, for what nobody names. */
const defaults = {
  rootCertificates: '.postgresql/root.crt',
  certificate: '.postgresql/postgresql.crt',
  key: '.postgresql/postgresql.key',
};

const versions: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[];

/**
 * What is tried, in this order, until one connects: `prefer` and `allow` take what the server has. Problems:
 * `tls-file-unusable`, `tls-not-possible`.
 */
export async function tlsAttempts({ host, tls }: ServerAddress): Promise<Outcome<readonly TlsAttempt[]>> {
  const isSystem = tls.rootCertificates === 'system';
  const mode = tls.mode ?? (isSystem ? 'verify-full' : 'prefer');
  // As for libpq, a Unix socket needs no TLS and has none.
  if (host.startsWith('/') || mode === 'disable') return { ok: true, value: [false] };
  if (isSystem && mode !== 'verify-full') {
    return refuse({ reason: 'tls-not-possible', why: 'sslrootcert=system asks for sslmode=verify-full' });
  }
  const versionsUnknown = [tls.minVersion, tls.maxVersion].some((one) => one && !versions.includes(one));
  if (versionsUnknown) {
    const why = `ssl_min_protocol_version and ssl_max_protocol_version take ${versions.join(', ')}`;
    return refuse({ reason: 'tls-not-possible', why });
  }
  const files = await readFiles(tls, isSystem);
  if (!files.ok) return files;
  const { ca, ...own } = files.value;
  const anyServer: ConnectionOptions = { ...own, rejectUnauthorized: false };
  const anyName = { ...files.value, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'allow':
      return { ok: true, value: [false, anyServer] };
    case 'prefer':
      return { ok: true, value: [anyServer, false] };
    case 'require':
      // Where there are root certificates, it has always meant verify-ca.
      return { ok: true, value: [ca ? anyName : anyServer] };
    case 'verify-ca':
      return { ok: true, value: [anyName] };
    case 'verify-full':
      return { ok: true, value: [files.value] };
  }
}

/** A file of certificates or keys that cannot be used. */
class Unusable extends Error {
  readonly file: string;

  constructor(file: string, error: unknown) {
    const { code } = error as { code?: unknown };
    super(code === 'ENOENT' ? 'there is no such file' : typeof code === 'string' ? code : 'it is damaged');
    this.file = file;
  }
}

/** Reads the files that are named, or stand where libpq looks; without root certificates Node's own serve. */
async function readFiles(tls: ServerAddress['tls'], isSystem: boolean): Promise<Outcome<ConnectionOptions>> {
  try {
    const ca = isSystem
      ? null
      : await readOne(tls.rootCertificates, defaults.rootCertificates, asCertificate);
    const cert = await readOne(tls.certificate, defaults.certificate, asCertificate);
    // A certificate of one's own is nothing without its key.
    const key = cert && (await readOne(tls.key ?? below(defaults.key), defaults.key, asKey(tls.keyPassword)));
    return {
      ok: true,
      value: {
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
        ...(tls.keyPassword !== undefined && { passphrase: tls.keyPassword }),
        ...(tls.minVersion && { minVersion: tls.minVersion as SecureVersion }),
        ...(tls.maxVersion && { maxVersion: tls.maxVersion as SecureVersion }),
      },
    };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return refuse({ reason: 'tls-file-unusable', file: error.file, why: error.message });
  }
}

function below(name: string): string {
  return path.join(homedir(), name);
}

/** Null where nobody names the file and it is not there. */
async function readOne(
  named: string | undefined,
  byDefault: string,
  check: (bytes: Buffer) => unknown,
): Promise<Buffer | null> {
  const file = named ?? below(byDefault);
  try {
    const bytes = await readFile(file);
    check(bytes);
    return bytes;
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Unusable(file, error);
  }
}

function asCertificate(bytes: Buffer): void {
  new X509Certificate(bytes);
}

function asKey(passphrase: string | undefined): (bytes: Buffer) => void {
  return (key) => createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
}

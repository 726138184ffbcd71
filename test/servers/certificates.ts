// Certificates for tests, made by openssl: an authority, and what it signed.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether this machine can make certificates. */
export async function hasOpenssl(): Promise<boolean> {
  return run('openssl', ['version']).then(
    () => true,
    () => false,
  );
}

/** The files of one certificate. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority that signs itself. */
export async function makeAuthority(folder: string, name: string): Promise<Certificate> {
  const made = filesOf(folder, name);
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', `/CN=${name}`],
    ...['-keyout', made.key, '-out', made.certificate],
  ]);
  return made;
}

/**
 * Has an authority sign a certificate.
 *
 * @param names what it is for, as `DNS:localhost,IP:127.0.0.1`
 * @param days from today on that it is valid; a negative number has passed
 */
export async function makeCertificate(
  folder: string,
  name: string,
  authority: Certificate,
  names: string,
  days: number,
): Promise<Certificate> {
  const made = filesOf(folder, name);
  const [request, extensions] = [path.join(folder, `${name}.csr`), path.join(folder, `${name}.ext`)];
  await writeFile(extensions, `subjectAltName=${names}\n`);
  await run('openssl', [
    ...['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`],
    ...['-keyout', made.key, '-out', request],
  ]);
  await run('openssl', [
    ...['x509', '-req', '-in', request, '-CA', authority.certificate, '-CAkey', authority.key],
    ...['-CAcreateserial', '-days', String(days), '-extfile', extensions, '-out', made.certificate],
  ]);
  return made;
}

function filesOf(folder: string, name: string): Certificate {
  return { certificate: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
}

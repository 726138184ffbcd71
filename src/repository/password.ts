// The password of a server: what the address has, or the line of ~/.pgpass that fits.

import type { ServerAddress } from './server-address.ts';

/** The server asks for a password, and nobody has one. */
export class PasswordMissing extends Error {}

/** Gives the password, from the file only where it is asked for. Throws {@link PasswordMissing}. */
export async function passwordOf({ host, port, user, database, password }: ServerAddress): Promise<string> {
  if (password !== undefined) return password;
  const { default: pgpass } = await import('pgpass');
  const found = await new Promise<string | undefined>((resolve) => {
    pgpass({ host, port, user, database }, resolve);
  });
  if (found === undefined) throw new PasswordMissing();
  return found;
}

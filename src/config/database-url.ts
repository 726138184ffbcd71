// Which database a URL means. No sentence here repeats the URL: it may hold a password.

import { resolve } from 'node:path';
import { type Outcome, refuse } from '../problem.ts';

/** Where a value came from. */
export interface Source {
  readonly kind: 'flag' | 'environment' | 'env-file' | 'configuration' | 'default';
  /** For people: `--database-url`, `DATABASE_URL`, or the file's absolute path. */
  readonly name: string;
}

/** The database to sync with, and who says so: a URL that came with a repository should not go unnoticed. */
export type DatabaseChoice =
  | { readonly kind: 'postgres'; readonly url: string; readonly source: Source }
  | {
      readonly kind: 'embedded';
      /** Absolute. */
      readonly directory: string;
      readonly chosen: 'default' | 'url';
      readonly source: Source;
    };

function whyNotUnderstood(url: string): string {
  if (/^pglite:\/\//i.test(url)) return 'has slashes after "pglite:"';
  if (/^pglite:/i.test(url)) return 'names no folder after "pglite:"';
  const scheme = /^([a-z][a-z0-9+.-]{0,19}):\/\//i.exec(url)?.[1];
  return scheme === undefined
    ? 'does not begin with "postgres://", "postgresql://" or "pglite:"'
    : `begins with "${scheme}://", which is no database that skill-fleet knows`;
}

/**
 * Reads a database URL: `postgres://…`, `postgresql://…`, or `pglite:DIR` with DIR relative to `folder`. What
 * follows the scheme of a server's URL is for the connection to judge. Otherwise the problem
 * `database-url-not-understood`.
 */
export function parseDatabaseUrl(url: string, folder: string, source: Source): Outcome<DatabaseChoice> {
  if (/^postgres(?:ql)?:\/\//i.test(url)) return { ok: true, value: { kind: 'postgres', url, source } };
  const directory = /^pglite:(?!\/\/)(.+)$/i.exec(url)?.[1];
  return directory === undefined
    ? refuse({ reason: 'database-url-not-understood', source: source.name, why: whyNotUnderstood(url) })
    : {
        ok: true,
        value: { kind: 'embedded', directory: resolve(folder, directory), chosen: 'url', source },
      };
}

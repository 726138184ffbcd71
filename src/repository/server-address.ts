// A postgres:// URL and the PG* variables as one address, by the rules of libpq: what psql takes, this takes.
//
// https://www.postgresql.org/docs/current/libpq-connect.html

import { type Outcome, refuse } from '../problem.ts';

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** How much a connection trusts, as libpq's `sslmode` says it. */
export type SslMode = (typeof sslModes)[number];

const channelBindings = ['disable', 'prefer', 'require'] as const;

/** Where a server is, who asks, and what its connection must be. */
export interface ServerAddress {
  /** A name, an IP address, or the folder of a Unix socket, which begins with a slash. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Undefined where neither the URL nor PGPASSWORD has one. */
  readonly password: string | undefined;
  readonly applicationName: string;
  /** Settings for the session, as `-csearch_path=library`. */
  readonly options: string | undefined;
  /** Undefined where nobody limits it. */
  readonly connectTimeoutMs: number | undefined;
  readonly tls: {
    /** Undefined where nobody says it. */
    readonly mode: SslMode | undefined;
    /** A file of certificates, or `system`. */
    readonly rootCertificates: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
    readonly keyPassword: string | undefined;
    /** Whether TLS begins at once, and is not asked for first. */
    readonly isDirect: boolean;
    readonly minVersion: string | undefined;
    readonly maxVersion: string | undefined;
  };
  readonly channelBinding: (typeof channelBindings)[number];
}

/** Parameters of a URL, each with the variable that stands in for it. */
const variables = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslpassword: undefined,
  sslnegotiation: 'PGSSLNEGOTIATION',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  channel_binding: 'PGCHANNELBINDING',
} as const;

type Parameter = keyof typeof variables;

/** What others write into such URLs, and what changes nothing here: pools, keepalives, what is always so. */
const withoutEffect: ReadonlySet<string> = new Set([
  'client_encoding',
  'connection_limit',
  'fallback_application_name',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'pgbouncer',
  'pool_timeout',
  'prepareThreshold',
  'sslcompression',
  'sslsni',
  'statement_cache_size',
  'uselibpqcompat',
]);

/** `ssl=true`, as JDBC and others have it, is libpq's `sslmode=require`; so is what pg calls `no-verify`. */
const otherSslModes: { readonly [text: string]: SslMode } = {
  true: 'require',
  '1': 'require',
  'no-verify': 'require',
  false: 'disable',
  '0': 'disable',
};

const severalHosts = 'it names several hosts: name one';

/** Why a URL cannot be used. Never holds a part of it but a parameter's name, since any part may be a secret. */
class NotUnderstood extends Error {}

/**
 * Reads a URL; what it leaves out is taken from `env`, then from libpq's defaults, except that no host is
 * localhost. Problem `database-url-invalid`.
 *
 * @param osUser who is asked for where nothing names a user
 */
export function readServerAddress(url: string, env: Variables, osUser: string): Outcome<ServerAddress> {
  try {
    return { ok: true, value: addressOf(parseUrl(url), env, osUser) };
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return refuse({ reason: 'database-url-invalid', why: error.message });
  }
}

function addressOf(given: ReadonlyMap<Parameter, string>, env: Variables, osUser: string): ServerAddress {
  const get = (parameter: Parameter): string | undefined => {
    const variable = variables[parameter];
    // Empty is not set, as libpq has it.
    return given.get(parameter) || (variable && env[variable]) || undefined;
  };
  const host = get('host');
  if (host?.includes(',')) throw new NotUnderstood(severalHosts);
  for (const elsewhere of ['PGHOSTADDR', 'PGSERVICE']) {
    if (host === undefined && env[elsewhere]) {
      throw new NotUnderstood(
        `it names no host, and ${elsewhere} is not read: write the host, or set PGHOST`,
      );
    }
  }
  const user = get('user') ?? osUser;
  const seconds = numberOf('connect_timeout', get('connect_timeout'), 1e6);
  return {
    host: host ?? 'localhost',
    port: numberOf('port', get('port'), 65_535) || 5432,
    user,
    database: get('dbname') ?? user,
    password: get('password'),
    applicationName: get('application_name') ?? 'skill-fleet',
    options: get('options'),
    // As for libpq, nothing and 0 are no limit.
    connectTimeoutMs: seconds ? seconds * 1000 : undefined,
    tls: {
      mode: oneOf('sslmode', sslModes, otherSslModes[get('sslmode') ?? ''] ?? get('sslmode')),
      rootCertificates: get('sslrootcert'),
      certificate: get('sslcert'),
      key: get('sslkey'),
      keyPassword: get('sslpassword'),
      isDirect: oneOf('sslnegotiation', ['postgres', 'direct'] as const, get('sslnegotiation')) === 'direct',
      minVersion: get('ssl_min_protocol_version'),
      maxVersion: get('ssl_max_protocol_version'),
    },
    channelBinding: oneOf('channel_binding', channelBindings, get('channel_binding')) ?? 'prefer',
  };
}

function numberOf(name: Parameter, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,7}$/.test(text) || Number(text) > most) {
    throw new NotUnderstood(`its ${name} is no number from 0 to ${most}`);
  }
  return Number(text);
}

function oneOf<T extends string>(
  name: Parameter,
  known: readonly T[],
  text: string | undefined,
): T | undefined {
  const found = known.find((one) => one === text);
  if (found === undefined && text !== undefined) {
    throw new NotUnderstood(`its ${name} is none of ${known.join(', ')}`);
  }
  return found;
}

/** Not the platform's URL: that takes no password with # or ?, no user without a host, and no Unix socket. */
const shape =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?]*)(?::(?<password>[^/?]*))?@)?(?<host>\[[^\]]*\]|[^:/?]*)(?::(?<port>[^/?]*))?(?:\/(?<dbname>[^?]*))?(?:\?(?<query>.*))?$/is;

function parseUrl(url: string): ReadonlyMap<Parameter, string> {
  const parts = shape.exec(url)?.groups;
  const { query, ...named } = parts ?? {};
  // Where an @ comes so late, a password began before it, and no part may be printed as a name.
  const isCutShort = [named['port'], named['dbname'], query].some((text) => text?.includes('@'));
  if (parts === undefined || isCutShort) {
    throw new NotUnderstood('a / or ? in its password is written %2F or %3F, and an @ elsewhere %40');
  }
  if (named['port']?.includes(',')) throw new NotUnderstood(severalHosts);
  const given = new Map<Parameter, string>();
  for (const [name, text] of Object.entries(named)) {
    if (text) given.set(name as Parameter, decode(name, text.replace(/^\[(.*)\]$/s, '$1')));
  }
  for (const pair of query?.split('&') ?? []) {
    const [name = '', ...rest] = pair.split('=');
    if (name === '' || withoutEffect.has(name)) continue;
    if (name !== 'ssl' && !isParameter(name)) throw new NotUnderstood(whyUnknown(name));
    const value = decode(name, rest.join('='));
    if (name === 'ssl') given.set('sslmode', otherSslModes[value] ?? value);
    else given.set(name, value);
  }
  return given;
}

function isParameter(name: string): name is Parameter {
  return Object.hasOwn(variables, name);
}

function whyUnknown(name: string): string {
  if (name === 'schema' || name === 'search_path') {
    return `it names a schema by ${name}: write options=-csearch_path%3DSCHEMA instead`;
  }
  return /^[a-z_]{1,32}$/i.test(name)
    ? `it has the parameter ${name}, which skill-fleet does not know`
    : 'it has a parameter that skill-fleet does not know';
}

function decode(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new NotUnderstood(`in its ${name}, a % that stands for itself is written %25`);
  }
}

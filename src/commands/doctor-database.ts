// What the doctor says of the database: how it is reached, what it is, who may what, and who is at work in it.

import type { ExaminedConfig } from '../config/config.ts';
import type { DatabaseChoice } from '../config/database-url.ts';
import { answer, nodeDisk } from '../disk.ts';
import type { Outcome, Problem } from '../problem.ts';
import { counted } from '../report/counted.ts';
import type { Check } from '../report/doctor-text.ts';
import { timeText } from '../report/time-text.ts';
import type { Connection } from '../repository/connection.ts';
import {
  asked,
  backendPid,
  type ClockFacts,
  clockFacts,
  librariesElsewhere,
  type Meddling,
  type MissingRight,
  mayCreate,
  meddling,
  missingParts,
  missingRights,
  type ServerFacts,
  type Session,
  serverFacts,
  stuckSessions,
  syncLockHolders,
  type UnendedRuns,
  unendedRuns,
} from '../repository/doctor.ts';
import { embeddedExists, lookBeside } from '../repository/embedded.ts';
import { inspectSchema, type Schema } from '../repository/migrate.ts';
import { connect, withProblems } from '../repository/open.ts';
import type { ConnectOptions, Link } from '../repository/server.ts';
import { findMisfits } from '../repository/shape.ts';
import { describeDatabase } from '../repository/sqlstate.ts';
import { failure, skipped } from './doctor-configuration.ts';
import { chosenDatabase } from './sides.ts';

type Found = Omit<Check, 'group' | 'name'>;

/** What is asked once there is a connection, in this order. */
const askedOfConnections = [
  'TLS',
  'pooler',
  'server',
  'migrations',
  'privileges',
  'row-level security',
  'triggers and rules',
  'sync lock',
  'sessions',
  'runs',
  'clock',
] as const;

type Asked = (typeof askedOfConnections)[number];

/** More of a difference than this is warned of, in milliseconds. */
const maxClockMs = 5000;

/** A session that has waited for so long is worth a look, in seconds. */
const longSeconds = 60;

/** So many names are told. */
const maxNamed = 5;

/** What each check needs beside the facts: how a command is written so that it is about the same database. */
export interface Words {
  /** `skill-fleet migrate --config …`. */
  readonly command: (text: string) => string;
}

/** All about the chosen database. `directory` is the skills directory's real path, where it stands. */
export async function databaseChecks(
  examined: ExaminedConfig,
  directory: string | undefined,
  connecting: ConnectOptions,
  words: Words,
): Promise<readonly Check[]> {
  const choice = examined.database?.value;
  if (!choice?.ok) return withoutConnection(skipped('which database is not known'));
  const { stateDirectory } = examined;
  const chosen = directory && (await chosenDatabase({ database: choice.value, stateDirectory }, directory));
  if (chosen && !chosen.ok) return withoutConnection(failure(chosen.problem));
  const beside = await embeddedChecks(choice.value);
  const isHeld = beside.some(({ outcome, name }) => name === 'embedded lock' && outcome === 'warn');
  if (isHeld) return [...beside, ...withoutConnection(skipped('the embedded database is in use'))];
  if (choice.value.kind === 'embedded' && !(await embeddedExists(nodeDisk, choice.value.directory))) {
    const found = `no embedded database yet: the first sync makes it in ${choice.value.directory}`;
    return [...beside, ...withoutConnection({ outcome: 'pass', found }, 'there is no database yet')];
  }
  return [...beside, ...(await connectedChecks(choice.value, connecting, words))];
}

function withoutConnection(connection: Found, why = 'there is no connection'): readonly Check[] {
  return [
    { group: 'Database', name: 'connection', ...connection },
    ...askedOfConnections.map((name) => ({ group: 'Database', name, ...skipped(why) }) as const),
  ];
}

async function embeddedChecks(choice: DatabaseChoice): Promise<readonly Check[]> {
  if (choice.kind !== 'embedded') return [];
  const looked = await answer(lookBeside(nodeDisk, choice.directory));
  // Where nothing can be listed, connecting says why.
  const beside = looked.ok ? looked.value : { holder: undefined, left: [] };
  const files = beside.left.length;
  return [
    {
      group: 'Database',
      name: 'embedded lock',
      ...(beside.holder === undefined
        ? { outcome: 'pass', found: 'nobody has it open' }
        : {
            outcome: 'warn',
            found: `in use by ${beside.holder}`,
            remedy: `Wait until it is done. If that process is gone, delete ${choice.directory}.lock.*`,
          }),
    },
    {
      group: 'Database',
      name: 'embedded leftovers',
      outcome: 'pass',
      found:
        files === 0
          ? 'none'
          : `${counted(files, 'file or folder', 'files and folders')} of killed processes, which the next command clears away`,
    },
  ];
}

/** Which check says why there is no connection. */
function checkOf({ reason }: Problem): 'TLS' | 'server' | 'connection' {
  if (['tls-missing', 'tls-not-possible', 'tls-file-unusable', 'certificate-refused'].includes(reason))
    return 'TLS';
  if (reason === 'channel-binding-missing') return 'TLS';
  return ['database-too-old', 'database-encoding', 'schema-missing'].includes(reason)
    ? 'server'
    : 'connection';
}

async function connectedChecks(
  choice: DatabaseChoice,
  connecting: ConnectOptions,
  words: Words,
): Promise<readonly Check[]> {
  let link: Link | undefined;
  const began = performance.now();
  const connection = await connect(choice, nodeDisk, {
    ...connecting,
    onConnect: (how) => {
      link = how;
    },
  });
  const tookMs = Math.round(performance.now() - began);
  if (!connection.ok) {
    const { problem } = connection;
    const at = checkOf(problem);
    return withoutConnection(at === 'connection' ? failure(problem) : skipped(`see ${at}`)).map((check) =>
      check.name === at ? { ...check, ...failure(problem) } : check,
    );
  }
  try {
    const database = describeDatabase(connection.value.database);
    const found = `${database}, ${link ? `reached at ${link.peer}` : 'opened'} in ${tookMs} ms`;
    const results = await askAll(connection.value, link, choice.kind === 'embedded', words);
    return [
      { group: 'Database', name: 'connection', outcome: 'pass', found },
      ...askedOfConnections.map((name) => ({ group: 'Database', name, ...results[name] }) as const),
    ];
  } finally {
    await connection.value.close().catch(() => {});
  }
}

async function askAll(
  connection: Connection,
  link: Link | undefined,
  isEmbedded: boolean,
  words: Words,
): Promise<{ readonly [A in Asked]: Found }> {
  const ask = <T>(question: (connection: Connection) => Promise<T>) => asked(connection, question);
  const server = await ask(serverFacts);
  const pids = [await ask(backendPid), await ask(backendPid)].flatMap((pid) => (pid.ok ? [pid.value] : []));
  const schema = await withProblems(connection, inspectSchema);
  const isThere = schema.ok && schema.value.state !== 'absent';
  const role = server.ok ? server.value.role : 'this role';
  const ofTables = async <T>(question: (connection: Connection) => Promise<T>, say: (facts: T) => Found) =>
    isThere
      ? said(await ask(question), say)
      : skipped(schema.ok ? 'there are no tables yet' : 'see migrations');
  return {
    TLS: link ? tlsFound(link) : { outcome: 'pass', found: 'not needed: the database runs in this process' },
    pooler: poolerFound(link, pids, connection.database.host),
    server: said(server, (facts) => serverFound(facts, connection)),
    migrations: schema.ok
      ? await migrationsFound(connection, schema.value, isEmbedded, words)
      : failure(schema.problem),
    privileges: isThere
      ? said(await ask(missingRights), (missing) => rightsFound(missing, role))
      : schema.ok
        ? said(await ask(mayCreate), (may) => creationFound(may, server, role))
        : skipped('see migrations'),
    'row-level security': await ofTables(meddling, policiesFound),
    'triggers and rules': await ofTables(meddling, meddlingFound),
    'sync lock': said(await ask(syncLockHolders), syncLockFound),
    sessions: said(await ask((one) => stuckSessions(one, longSeconds)), sessionsFound),
    runs:
      schema.ok && schema.value.state === 'current'
        ? said(await ask(unendedRuns), (runs) => runsFound(runs, words))
        : skipped('see migrations'),
    clock: said(await ask(clockFacts), clockFound),
  };
}

function said<T>(answer: Outcome<T>, say: (facts: T) => Found): Found {
  return answer.ok ? say(answer.value) : failure(answer.problem);
}

/** What passes over the network, and whom it was proved to come from. */
export function tlsFound({ tls, isLocal, peer }: Pick<Link, 'tls' | 'isLocal' | 'peer'>): Found {
  if (tls === null) {
    return isLocal
      ? { outcome: 'pass', found: `off: ${peer} is this machine` }
      : {
          outcome: 'warn',
          found: `off: skills, and the login, pass unencrypted to ${peer}`,
          remedy: 'Add sslmode=verify-full to the parameters in DATABASE_URL: docs/guide/connections.md',
        };
  }
  const checks = {
    nothing: 'the certificate was not checked (sslmode=verify-full would)',
    authority: 'the authority of the certificate was checked, not its host',
    host: 'the certificate was checked, and is for this host',
  };
  return { outcome: 'pass', found: `${tls.protocol}, ${checks[tls.checked]}` };
}

/** The signs of a pooler. A pooler does no harm. */
export function poolerFound(
  link: Pick<Link, 'announcedPid'> | undefined,
  pids: readonly number[],
  host: string,
): Found {
  if (link === undefined) return { outcome: 'pass', found: 'none: the database runs in this process' };
  const [first] = pids;
  const signs = [
    ...(new Set(pids).size > 1 ? ['two transactions were served by two processes'] : []),
    ...(first !== undefined && link.announcedPid !== null && link.announcedPid !== first
      ? ['another process served than was announced']
      : []),
    ...(/(^|[.-])pooler\./.test(host) ? ["the host's name says so"] : []),
  ];
  return {
    outcome: 'pass',
    found:
      signs.length === 0
        ? 'no sign of one'
        : `one stands between: ${signs.join(', ')}. Nothing here rests on a session`,
  };
}

function serverFound(
  { version, encoding, hasLz4, schema, role }: ServerFacts,
  connection: Connection,
): Found {
  const found = `PostgreSQL ${version}, ${encoding}, ${hasLz4 ? 'with' : 'without'} lz4, role ${role}, schema ${schema}`;
  if (connection.readOnly === null) return { outcome: 'pass', found };
  const problem = failure(
    {
      reason: 'database-read-only',
      database: describeDatabase(connection.database),
      why: connection.readOnly,
    },
    'warn',
  );
  return { ...problem, found: `${found}. ${problem.found}` };
}

async function migrationsFound(
  connection: Connection,
  { state, migrations }: Schema,
  isEmbedded: boolean,
  { command }: Words,
): Promise<Found> {
  const pending = migrations.filter(({ appliedAt }) => appliedAt === null).length;
  const remedy = `${command('migrate --status')} shows them, ${command('migrate')} applies them`;
  if (state === 'current') {
    const database = describeDatabase(connection.database);
    return said(await asked(connection, missingParts), (missing) =>
      missing.length > 0
        ? failure({
            reason: 'database-reshaped',
            database,
            why: `all migrations are applied, and it lacks ${named(missing)}`,
          })
        : { outcome: 'pass', found: `all ${migrations.length} applied` },
    );
  }
  if (state === 'behind') {
    const more = isEmbedded ? ': the next sync applies them' : '';
    return { outcome: 'warn', found: `${pending} of ${migrations.length} pending${more}`, remedy };
  }
  if (state === 'absent') return said(await asked(connection, librariesElsewhere), elsewhereFound);
  return said(await asked(connection, findMisfits), (misfits) =>
    misfits.length > 0
      ? failure({
          reason: 'database-not-adoptable',
          database: describeDatabase(connection.database),
          misfits,
        })
      : { outcome: 'warn', found: `a library that skill-fleet never touched: ${pending} pending`, remedy },
  );
}

function elsewhereFound([other]: Awaited<ReturnType<typeof librariesElsewhere>>): Found {
  if (other === undefined) return { outcome: 'pass', found: 'no tables yet: the first sync makes them' };
  const { schema, isOpen } = other;
  return {
    outcome: 'warn',
    found: `no tables where the search path leads, but in the schema ${schema}${isOpen ? '' : ', where this role may not go'}`,
    remedy: isOpen
      ? `Add options=-csearch_path%3D${encodeURIComponent(schema)} to the parameters in DATABASE_URL`
      : 'Grant usage on that schema: docs/guide/roles.md has the statements',
  };
}

/** Statements that grant a few rights, or where all are written. */
function grants(rights: readonly string[], role: string): string {
  return rights.length <= maxNamed
    ? `As the owner of the tables: ${rights.map((right) => `grant ${right} to ${role};`).join(' ')}`
    : 'As the owner of the tables, grant what docs/guide/roles.md has';
}

export function rightsFound(missing: readonly MissingRight[], role: string): Found {
  const rights = missing.map(({ right }) => right);
  if (rights.length === 0) return { outcome: 'pass', found: 'all that a sync needs' };
  const reading = missing.filter(({ isForReading }) => isForReading).map(({ right }) => right);
  return reading.length > 0
    ? { outcome: 'fail', found: `cannot read: lacks ${named(reading)}`, remedy: grants(rights, role) }
    : {
        outcome: 'warn',
        found: `this role can read only: it lacks ${named(rights)}`,
        remedy: grants(rights, role),
      };
}

function creationFound(may: boolean, server: Outcome<ServerFacts>, role: string): Found {
  const schema = server.ok ? server.value.schema : 'the schema';
  return may
    ? { outcome: 'pass', found: `may make the tables in ${schema}` }
    : {
        outcome: 'warn',
        found: `may make no tables in ${schema}`,
        remedy: `As its owner: grant create on schema ${schema} to ${role}`,
      };
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, maxNamed).join(', ');
  return names.length > maxNamed ? `${shown}, and ${names.length - maxNamed} more` : shown;
}

export function policiesFound({ policed }: Pick<Meddling, 'policed'>): Found {
  return policed.length === 0
    ? { outcome: 'pass', found: 'none that holds for this role' }
    : {
        outcome: 'warn',
        found: `holds for this role on ${named(policed)}: a row that a policy hides is not there`,
        remedy: 'Let the policies pass this role, or sync with one that has bypassrls',
      };
}

export function meddlingFound({ triggers, rules, disabled }: Omit<Meddling, 'policed'>): Found {
  if (disabled.length > 0) {
    const tables = [...new Set(disabled.map((name) => name.split('.')[0] ?? ''))];
    return {
      outcome: 'warn',
      found: `turned off: ${named(disabled)}. What others write there leaves no history, and no sync sees it`,
      remedy: `As the owner: ${tables.map((table) => `alter table ${table} enable trigger all;`).join(' ')} then skill-fleet verify`,
    };
  }
  const others = [...triggers, ...rules];
  return others.length === 0
    ? { outcome: 'pass', found: "none but skill-fleet's own" }
    : {
        outcome: 'warn',
        found: `others have ${named(others)}`,
        remedy:
          'Nothing to do where they leave alone what is written: a skill that is not kept as sent is named by the sync',
      };
}

function sessionText({ pid, role, program, seconds }: Session): string {
  const who = [role, program].filter((part) => part !== null).join(', ');
  const since = seconds === null ? '' : `, for ${Math.round(seconds)} s`;
  return `process ${pid}${who === '' ? '' : ` (${who})`}${since}`;
}

export function syncLockFound(holders: readonly (Session & { readonly waits: boolean })[]): Found {
  const [holder] = holders;
  const waiting = holders.filter(({ waits }) => waits).length;
  return holder === undefined
    ? { outcome: 'pass', found: 'free' }
    : {
        outcome: 'warn',
        found: `held by ${sessionText(holder)}${waiting > 0 ? `; ${waiting} waiting` : ''}`,
        remedy: `Wait until it is done. If it never is: select pg_terminate_backend(${holder.pid})`,
      };
}

export function sessionsFound(stuck: readonly (Session & { readonly waits: boolean })[]): Found {
  const [first] = stuck;
  const idle = stuck.find(({ waits }) => !waits) ?? first;
  return idle === undefined
    ? { outcome: 'pass', found: 'none idle in a transaction, or waiting, on our tables' }
    : {
        outcome: 'warn',
        found: stuck
          .map((one) => `${sessionText(one)}, ${one.waits ? 'waits' : 'idle in a transaction'}`)
          .slice(0, maxNamed)
          .join('; '),
        remedy: `A sync waits for them. To end one: select pg_terminate_backend(${idle.pid})`,
      };
}

export function runsFound({ count, last }: UnendedRuns, { command }: Words): Found {
  if (last !== null) {
    const { run, direction, who, host, startedAt } = last;
    return {
      outcome: 'warn',
      found: `run ${run} (${direction} by ${who} on ${host}, ${timeText(startedAt)}) never ended: it is under way, or was killed`,
      remedy: `Where it was killed, the next run goes on: ${command('sync-db')}`,
    };
  }
  return {
    outcome: 'pass',
    found:
      count === 0 ? 'each has ended' : `${counted(count, 'earlier run')} never ended, and later ones went on`,
  };
}

/** Half the way there and back is what nobody can tell from a difference. */
export function clockFound({ before, theirs, after }: ClockFacts): Found {
  const differenceMs = theirs - (before + after) / 2;
  const isSure = Math.abs(differenceMs) - (after - before) / 2 > maxClockMs;
  const seconds = (Math.abs(differenceMs) / 1000).toFixed(1);
  if (!isSure) return { outcome: 'pass', found: `${seconds} s from this machine's` };
  return {
    outcome: 'warn',
    found:
      `the database's is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} this machine's. --on-conflict newest ` +
      'allows for it, except for times of commits and files that other machines made',
    remedy: 'Let both machines follow a time server: timedatectl set-ntp true',
  };
}

// The base: what both sides held when they last agreed, kept as a file per skills directory and database.

import { createHash } from 'node:crypto';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { answer, type Disk, readWhole } from '../disk.ts';
import type { RevisionMark } from '../replica.ts';
import { type Digest, parseDigest } from '../skill/digest.ts';
import { parseSkillPath, type SkillPath } from '../skill/path.ts';

/** Between whom a base stands. */
export interface BaseIdentity {
  /** The skills directory, absolute, links resolved. */
  readonly directory: string;
  readonly databaseId: string;
  readonly database: { readonly kind: string; readonly host: string; readonly name: string };
}

/** When a base was written, by what can be looked up again: if it cannot be found, the base is of another time. */
export interface BaseMoment {
  /** The repository by its root commit, and the commit that HEAD was; null where git does not answer. */
  readonly repository: string | null;
  readonly head: string | null;
  /** The latest revision that the database held. */
  readonly latest: RevisionMark | null;
}

/** What both sides held at a path. */
export interface BaseEntry {
  readonly digest: Digest;
  readonly skillId: number;
  /** Whether the database's history knows a commit that holds it. */
  readonly noted: boolean;
}

/** Why an existing base is not used. */
export type SetAside =
  | 'damaged'
  | 'newer-version'
  | 'other-database'
  | 'database-restored'
  | 'other-repository'
  | 'other-checkout';

/** A base as it was read. No base is an empty one: losing it loses nothing. */
export interface ReadBase {
  readonly entries: ReadonlyMap<SkillPath, BaseEntry>;
  readonly moment: BaseMoment | null;
  readonly setAside?: SetAside;
}

const formatVersion = 2;

/** A hundred thousand skills take 12 MB; what is larger is not ours. */
const maxBytes = 256 * 1024 * 1024;

interface BaseFile extends BaseIdentity, BaseMoment {
  readonly version: number;
  readonly skills: { readonly [path: string]: readonly [digest: string, skillId: number, noted: boolean] };
}

/** The folder of the bases in the state directory. */
function basesFolder(stateDirectory: string): string {
  return path.join(stateDirectory, 'bases');
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}

/** Bases of one directory with one database, whatever that is called: a branch of a database has its id. */
function familyOf({ directory, databaseId }: BaseIdentity): string {
  return hash(directory, databaseId);
}

function fileName(identity: BaseIdentity): string {
  const { kind, host, name } = identity.database;
  return `${familyOf(identity)}-${hash(kind, host, name)}.json`;
}

function without(setAside: SetAside): ReadBase {
  return { entries: new Map(), moment: null, setAside };
}

/** What the system says of a base that is not there, or of something else in its place. */
const noBase = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EFBIG'];

/**
 * Reads the base between a directory and a database. Whether it is of now is for {@link setAsideUnless} to say. Rejects
 * with the system's error where it cannot be read: without it, what was deleted would come back.
 */
export async function readBase(
  disk: Disk,
  stateDirectory: string,
  identity: BaseIdentity,
): Promise<ReadBase> {
  const folder = basesFolder(stateDirectory);
  const place = path.join(folder, fileName(identity));
  const stat = await answer(disk.lstat(place));
  if (stat.ok && stat.value.size > maxBytes) return without('damaged');
  const bytes = await answer(readWhole(disk, place, maxBytes), ...noBase);
  if (!bytes.ok) {
    const listed = await answer(disk.readdir(folder));
    const isKnown = listed.ok && listed.value.some(({ name }) => name.startsWith(`${familyOf(identity)}-`));
    return isKnown ? without('other-database') : { entries: new Map(), moment: null };
  }
  const file = parseBase(bytes.value);
  if (file === undefined) return without('damaged');
  if (file === 'newer') return without('newer-version');
  const entries = new Map<SkillPath, BaseEntry>();
  for (const [text, [digestText, skillId, noted]] of Object.entries(file.skills)) {
    const skillPath = parseSkillPath(text);
    const digest = parseDigest(digestText);
    if (digest === undefined) return without('damaged');
    // What an older version took for a path, and no side holds any more, is nothing to agree on.
    if (skillPath.ok) entries.set(skillPath.value, { digest, skillId, noted });
  }
  const { repository, head, latest } = file;
  return { entries, moment: { repository, head, latest } };
}

/** Sets a base aside that is of another time or place than now. */
export async function setAsideUnless(
  base: ReadBase,
  tests: { readonly [why in SetAside]?: (moment: BaseMoment) => Promise<boolean> | boolean },
): Promise<ReadBase> {
  if (base.moment === null) return base;
  for (const [why, isGood] of Object.entries(tests)) {
    if (!(await isGood(base.moment))) return without(why as SetAside);
  }
  return base;
}

function parseBase(bytes: Buffer): BaseFile | 'newer' | undefined {
  try {
    const file = JSON.parse(bytes.toString()) as Partial<BaseFile>;
    if (typeof file.version !== 'number') return undefined;
    if (file.version > formatVersion) return 'newer';
    const whole =
      file.version === formatVersion &&
      [file.repository, file.head].every((value) => value === null || typeof value === 'string') &&
      typeof file.latest === 'object' &&
      typeof file.skills === 'object' &&
      file.skills !== null &&
      Object.values(file.skills).every(
        (entry) => Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number',
      );
    return whole ? (file as BaseFile) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the base, in one step: a reader sees the old one or the new one. */
export async function writeBase(
  disk: Disk,
  stateDirectory: string,
  identity: BaseIdentity,
  moment: BaseMoment,
  entries: ReadBase['entries'],
): Promise<void> {
  const file: BaseFile = {
    version: formatVersion,
    ...identity,
    ...moment,
    skills: Object.fromEntries(
      [...entries].map(([skillPath, { digest, skillId, noted }]) => [
        skillPath,
        [digest, skillId, noted] as const,
      ]),
    ),
  };
  const target = path.join(basesFolder(stateDirectory), fileName(identity));
  // One name, so that what a killed run left is cleared away. Only where nobody can lock the skills directory may two
  // runs meet here: then one of them goes without a base, and the next run finds the digests equal.
  const draft = `${target}.draft`;
  await answer(disk.mkdir(basesFolder(stateDirectory)), 'EEXIST');
  await answer(disk.unlink(draft), 'ENOENT');
  const written = await answer(disk.writeNew(draft, Buffer.from(`${JSON.stringify(file)}\n`)), 'EEXIST');
  if (written.ok) await answer(disk.rename(draft, target), 'ENOENT');
}

/** The database that this directory was last synced with, in words; undefined where it never was. */
export async function lastDatabase(
  disk: Disk,
  stateDirectory: string,
  directory: string,
): Promise<BaseIdentity['database'] | undefined> {
  const folder = await answer(disk.readdir(basesFolder(stateDirectory)));
  if (!folder.ok) return undefined;
  let last: { readonly at: bigint; readonly database: BaseIdentity['database'] } | undefined;
  for (const { name } of folder.value) {
    const file = path.join(basesFolder(stateDirectory), name);
    const stat = await answer(disk.lstat(file));
    const bytes = await answer(readWhole(disk, file, maxBytes));
    const base = bytes.ok ? parseBase(bytes.value) : undefined;
    if (!stat.ok || base === undefined || base === 'newer' || base.directory !== directory) continue;
    if (!last || stat.value.mtimeNs > last.at) last = { at: stat.value.mtimeNs, database: base.database };
  }
  return last?.database;
}

/** Whether no other database than this one was the last that its directory was synced with. */
export async function isLastDatabase(
  disk: Disk,
  stateDirectory: string,
  { directory, database }: BaseIdentity,
): Promise<boolean> {
  const folder = await answer(disk.readdir(basesFolder(stateDirectory)));
  // One base is its own.
  if (!folder.ok || folder.value.length < 2) return true;
  const last = await lastDatabase(disk, stateDirectory, directory);
  return last === undefined || isDeepStrictEqual(last, database);
}

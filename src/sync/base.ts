// The base: what both sides held when they last agreed, kept as a file per skills directory and database.

import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { answer, type Disk, readWhole } from '../disk.ts';
import type { BaseEntries } from '../reconcile/plan.ts';
import { type Digest, parseDigest } from '../skill/digest.ts';
import { parseSkillPath, type SkillPath } from '../skill/path.ts';

/** Between whom a base stands. */
export interface BaseIdentity {
  /** The skills directory, absolute, links resolved. */
  readonly directory: string;
  readonly databaseId: string;
  readonly database: { readonly kind: string; readonly host: string; readonly name: string };
}

/** A base as it was read. `setAside` says why an existing one is not used. */
export interface ReadBase {
  readonly entries: BaseEntries;
  readonly setAside?: 'damaged' | 'newer-version' | 'database-restored';
}

const formatVersion = 1;
const noEntries: BaseEntries = new Map();

interface BaseFile extends BaseIdentity {
  readonly version: number;
  /** The database's highest revision when the base was written: a lower one now is a restored backup. */
  readonly highestRevision: number;
  readonly skills: { readonly [path: string]: readonly [digest: string, skillId: number] };
}

/** The folder of the bases in the state directory. */
function basesFolder(stateDirectory: string): string {
  return path.join(stateDirectory, 'bases');
}

function baseFile(stateDirectory: string, { directory, databaseId }: BaseIdentity): string {
  const key = createHash('sha256').update(`${directory}\0${databaseId}`).digest('hex').slice(0, 16);
  return path.join(basesFolder(stateDirectory), `${key}.json`);
}

/** Reads the base between a directory and a database. No base is an empty one: losing it loses nothing. */
export async function readBase(
  disk: Disk,
  stateDirectory: string,
  identity: BaseIdentity,
  highestRevision: number,
): Promise<ReadBase> {
  const bytes = await answer(readWhole(disk, baseFile(stateDirectory, identity)));
  if (!bytes.ok) return { entries: noEntries };
  const file = parseBase(bytes.value);
  if (file === undefined) return { entries: noEntries, setAside: 'damaged' };
  if (file.version > formatVersion) return { entries: noEntries, setAside: 'newer-version' };
  if (file.highestRevision > highestRevision) return { entries: noEntries, setAside: 'database-restored' };
  const entries = new Map<SkillPath, { readonly digest: Digest; readonly skillId: number }>();
  for (const [text, [digestText, skillId]] of Object.entries(file.skills)) {
    const skillPath = parseSkillPath(text);
    const digest = parseDigest(digestText);
    if (!skillPath.ok || digest === undefined) return { entries: noEntries, setAside: 'damaged' };
    entries.set(skillPath.value, { digest, skillId });
  }
  return { entries };
}

function parseBase(bytes: Buffer): BaseFile | undefined {
  try {
    const file = JSON.parse(bytes.toString()) as Partial<BaseFile>;
    const whole =
      typeof file.version === 'number' &&
      typeof file.highestRevision === 'number' &&
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
  highestRevision: number,
  entries: BaseEntries,
): Promise<void> {
  const file: BaseFile = {
    version: formatVersion,
    ...identity,
    highestRevision,
    skills: Object.fromEntries(
      [...entries].map(([skillPath, { digest, skillId }]) => [skillPath, [digest, skillId] as const]),
    ),
  };
  const target = baseFile(stateDirectory, identity);
  const draft = `${target}.${randomUUID()}`;
  await answer(disk.mkdir(basesFolder(stateDirectory)));
  await disk.writeNew(draft, Buffer.from(`${JSON.stringify(file)}\n`));
  await disk.rename(draft, target);
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
    const bytes = await answer(readWhole(disk, file));
    const base = bytes.ok ? parseBase(bytes.value) : undefined;
    if (stat.ok && base?.directory === directory && (!last || stat.value.mtimeNs > last.at)) {
      last = { at: stat.value.mtimeNs, database: base.database };
    }
  }
  return last?.database;
}

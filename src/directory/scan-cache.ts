// What skills held when they were last read, by what the system says of their files: where it still says the same,
// nothing is read again. Losing it costs time alone.
//
// It takes what git's index takes, and guards against the same race: a file that is written again within the tick of
// the clock in which it was read looks as it did. So what is kept changed before the reading began, by the clock of
// the file system itself. https://git-scm.com/docs/racy-git

import { createHash } from 'node:crypto';
import path from 'node:path';
import { answer, type Disk, readWhole } from '../disk.ts';
import { type Digest, parseDigest } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import { programVersion } from '../version.ts';
import type { FileStats } from './read.ts';

/** A hundred thousand skills take 15 MB; what is larger is not ours. */
const maxBytes = 256 * 1024 * 1024;

/** Of what is read by another version nothing is known: it may find problems that this one does not. */
const formatOf = (version: string) => `skill-fleet scan 1 ${version}`;

const fingerprintLength = 43;
const digestLength = 64;

interface Known {
  readonly fingerprint: string;
  readonly digest: Digest;
}

export class ScanCache {
  readonly #disk: Disk;
  readonly #file: string;
  readonly #known: ReadonlyMap<string, Known>;
  readonly #kept = new Map<string, Known>();
  /** The file system and its time before anything was read. */
  #begun: Promise<{ readonly device: bigint; readonly time: bigint } | undefined> | undefined;

  private constructor(disk: Disk, file: string, known: ReadonlyMap<string, Known>) {
    this.#disk = disk;
    this.#file = file;
    this.#known = known;
  }

  /** Opens the cache in `file`, which need not stand yet. One that is damaged, or another version's, is an empty one. */
  static async open(disk: Disk, file: string): Promise<ScanCache> {
    const bytes = await answer(readWhole(disk, file, maxBytes));
    return new ScanCache(disk, file, bytes.ok ? parse(bytes.value) : new Map());
  }

  /** What a skill of such files holds, if that is known. */
  digestOf(skill: SkillPath, files: FileStats): Digest | undefined {
    const known = this.#known.get(skill);
    if (!known || known.fingerprint !== fingerprintOf(files)) return undefined;
    this.#kept.set(skill, known);
    return known.digest;
  }

  /** To be waited for before what shall be kept is read. */
  async begin(): Promise<void> {
    this.#begun ??= this.#now();
    await this.#begun;
  }

  /** Keeps what was read of a skill, unless it may be written again without looking otherwise. */
  async keep(skill: SkillPath, files: FileStats, digest: Digest): Promise<void> {
    const begun = await this.#begun;
    if (begun === undefined) return;
    for (const { stat } of files) if (stat.dev !== begun.device || stat.ctimeNs >= begun.time) return;
    this.#kept.set(skill, { fingerprint: fingerprintOf(files), digest });
  }

  /** Writes what is known now in place of what was, where that differs. Where it cannot, nothing is lost. */
  async save(): Promise<void> {
    const isKnown = [...this.#kept].every(([skill, kept]) => this.#known.get(skill) === kept);
    if (isKnown && this.#kept.size === this.#known.size) return;
    const draft = `${this.#file}.draft`;
    await answer(this.#disk.mkdir(path.dirname(this.#file)));
    await answer(this.#disk.unlink(draft));
    const written = await answer(this.#disk.writeNew(draft, print(this.#kept)));
    const isInPlace = written.ok && (await answer(this.#disk.rename(draft, this.#file))).ok;
    if (!isInPlace) await answer(this.#disk.unlink(draft));
  }

  /** A folder that is made for this tells the time; where none can be made, nothing is kept. */
  async #now(): Promise<{ readonly device: bigint; readonly time: bigint } | undefined> {
    const probe = `${this.#file}.now`;
    await answer(this.#disk.mkdir(path.dirname(this.#file)));
    await answer(this.#disk.rmdir(probe));
    const made = await answer(this.#disk.mkdir(probe));
    const stat = made.ok ? await answer(this.#disk.lstat(probe)) : made;
    if (made.ok) await answer(this.#disk.rmdir(probe));
    return stat.ok && stat.value ? { device: stat.value.dev, time: stat.value.ctimeNs } : undefined;
  }
}

/** All that tells a file from what stood there before: what is written gets another time of change, which nobody can set. */
function fingerprintOf(files: FileStats): string {
  const said = files.map(
    ({ path, stat }) => `${path}\0${stat.ino} ${stat.size} ${stat.mode} ${stat.mtimeNs} ${stat.ctimeNs}`,
  );
  return createHash('sha256').update(said.sort().join('\0')).digest('base64url');
}

/** A line for each skill under one that vouches for them all. */
function print(skills: ReadonlyMap<string, Known>): Buffer {
  const lines = [...skills].map(([skill, { fingerprint, digest }]) => `${fingerprint} ${digest} ${skill}\n`);
  const body = Buffer.from(lines.join(''));
  return Buffer.concat([Buffer.from(`${formatOf(programVersion())} ${checksumOf(body)}\n`), body]);
}

function parse(bytes: Buffer): ReadonlyMap<string, Known> {
  const head = bytes.indexOf('\n') + 1;
  const body = bytes.subarray(head);
  if (bytes.toString('utf8', 0, head) !== `${formatOf(programVersion())} ${checksumOf(body)}\n`)
    return new Map();
  const known = new Map<string, Known>();
  for (const line of body.toString().split('\n')) {
    const [digestAt, skillAt] = [fingerprintLength + 1, fingerprintLength + 1 + digestLength + 1];
    const digest = parseDigest(line.slice(digestAt, skillAt - 1));
    if (digest) known.set(line.slice(skillAt), { fingerprint: line.slice(0, fingerprintLength), digest });
  }
  return known;
}

function checksumOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

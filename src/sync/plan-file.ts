// A saved plan as a file: written and read in bounded memory, however much its skills hold.
//
// The file is one JSON document, laid out in lines: one for each content and each change. It is written in one way
// only, so that whatever is not exactly as it was saved can be told, and is refused.

import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { answer, codeOf, type Disk, type OpenFile, openNew, openReadThrough, readBytes } from '../disk.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import { type Digest, digestSkill, parseDigest } from '../skill/digest.ts';
import { compareBytes, findMerged, foldersAbove, type SkillPath } from '../skill/path.ts';
import { documentName, type Entry, type Skill } from '../skill/skill.ts';
import {
  changeText,
  contentPieces,
  contentStart,
  formatName,
  formatVersion,
  headerText,
  type LineOutcome,
  maxLineLength,
  type PlanHeader,
  readChange,
  readContent,
  readHeader,
  type SavedChange,
} from './plan-format.ts';
import type { ContentsOf, LoadedContent } from './sync.ts';

/** Bytes of a plan. What is larger is neither written nor read. */
const maxPlanBytes = 1024 * 1024 * 1024;

/** Contents, and changes: more than both sides may hold, and so few that any memory holds their places. */
const maxItems = 2_000_000;

/** Bytes of a skill of which a plan can surely hold every file in Base64. */
const maxSkillBytes = Math.floor(maxLineLength / 2);

const startOfContents = '"contents":[';
const startOfChanges = '"changes":[';
const endOfList = '],';

function checksumLine(checksum: string): string {
  return `"checksum":"${checksum}"}`;
}

/** The last line, which the checksum is not about. */
const lastLineBytes = `${checksumLine('0'.repeat(64))}\n`.length;

/** Why nothing can be saved as `file`, if that is known beforehand. What leads to no file may be a device. */
async function whyNoPlace(disk: Disk, file: string): Promise<string | undefined> {
  try {
    const stat = await disk.lstat(file);
    if (stat.isFile()) return undefined;
    if (!stat.isSymbolicLink()) return stat.isDirectory() ? 'it is a folder' : 'it is no file';
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? undefined : code;
  }
  const behind = await answer(disk.open(file, openReadThrough));
  if (!behind.ok) return undefined;
  try {
    return (await behind.value.stat()).isFile() ? undefined : 'it is a link to what is no file';
  } finally {
    await behind.value.close();
  }
}

/** How the name of a plan begins until it is whole. */
export const draftPrefix = '.skill-fleet-plan.';

/** Writes a plan beside its place, and puts it there once it is whole. To be used one call after the other. */
export class PlanWriter {
  readonly #disk: Disk;
  readonly #file: string;
  readonly #limit: number;
  readonly #draft: string;
  readonly #open: OpenFile;
  readonly #checksum = createHash('sha256');
  readonly #contents = new Set<Digest>();
  /** Each as its line. */
  readonly #changes: string[] = [];
  #size = 0;
  #isOpen = true;
  #problem: Problem | undefined;

  private constructor(disk: Disk, file: string, limit: number, draft: string, open: OpenFile) {
    this.#disk = disk;
    this.#file = file;
    this.#limit = limit;
    this.#draft = draft;
    this.#open = open;
  }

  /**
   * Begins a plan, which only its owner may read. Problem `plan-not-written` where nothing can be saved as `file`.
   * What stands there is replaced by {@link finish}, a link too; a folder or a device never is.
   *
   * @param limit bytes that the plan may take
   */
  static async create(
    disk: Disk,
    file: string,
    header: PlanHeader,
    limit = maxPlanBytes,
  ): Promise<Outcome<PlanWriter>> {
    const first = `${headerText(header)},\n${startOfContents}`;
    const why = await whyNoPlace(disk, file);
    if (why !== undefined) return refuse({ reason: 'plan-not-written', file, why });
    const draft = path.join(path.dirname(file), `${draftPrefix}${randomUUID()}`);
    let open: OpenFile;
    try {
      open = await disk.open(draft, openNew, 0o600);
    } catch (error) {
      return refuse({ reason: 'plan-not-written', file, why: codeOf(error) });
    }
    // A umask may take rights from the owner too. Some file systems have no rights to give.
    await answer(open.chmod(0o600));
    const writer = new PlanWriter(disk, file, limit, draft, open);
    await writer.#write(Buffer.from(first));
    return { ok: true, value: writer };
  }

  /**
   * Adds a change, and what it brings: null where it brings nothing, or what a change before it brought. What goes
   * wrong is told by {@link finish}; a skill of another digest is a bug of the caller, and throws: then it is for the
   * caller to {@link discard} the plan.
   */
  async add(change: SavedChange, skill: Skill | null): Promise<void> {
    const { after } = change;
    if (skill !== null && digestSkill(skill) !== after) throw new Error(`not the skill of ${change.path}`);
    if (skill === null && after !== null && !this.#contents.has(after)) {
      throw new Error(`no content for ${change.path}`);
    }
    this.#changes.push(changeText(change));
    if (skill === null || after === null || this.#contents.has(after)) return;
    await this.#writeContent(after, skill);
    this.#contents.add(after);
  }

  async #writeContent(digest: Digest, { entries }: Skill): Promise<void> {
    const tooLong: Problem = { reason: 'plan-too-large', file: this.#file, limit: maxSkillBytes };
    if (entries.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxSkillBytes) await this.#fail(tooLong);
    let length = 0;
    await this.#write(Buffer.from(this.#contents.size === 0 ? '\n' : ',\n'));
    for (const piece of contentPieces(digest, entries)) {
      length += piece.length;
      if (length > maxLineLength) await this.#fail(tooLong);
      if (this.#problem) return;
      await this.#write(piece);
    }
  }

  /** Puts the plan in its place. Problems `plan-too-large` and `plan-not-written`: then nothing is left of it. */
  async finish(): Promise<Outcome<void>> {
    await this.#write(Buffer.from(`\n${endOfList}\n${startOfChanges}`));
    for (const [index, change] of this.#changes.entries()) {
      await this.#write(Buffer.from(`${index === 0 ? '\n' : ',\n'}${change}`));
    }
    await this.#write(Buffer.from(`\n${endOfList}\n`));
    await this.#write(Buffer.from(`${checksumLine(this.#checksum.copy().digest('hex'))}\n`));
    await this.#try(() => this.#open.sync());
    await this.#try(() => this.#close());
    await this.#try(() => this.#disk.rename(this.#draft, this.#file));
    return this.#problem ? refuse(this.#problem) : { ok: true, value: undefined };
  }

  /** Gives up what is not finished: nothing is left of it. */
  async discard(): Promise<void> {
    await answer(this.#close());
    await answer(this.#disk.unlink(this.#draft));
  }

  async #write(bytes: Buffer): Promise<void> {
    // Another file may have got the number of one that is closed.
    if (!this.#isOpen && !this.#problem) throw new Error('the plan was given up, or is finished');
    this.#size += bytes.length;
    if (this.#size > this.#limit) {
      await this.#fail({ reason: 'plan-too-large', file: this.#file, limit: this.#limit });
    }
    this.#checksum.update(bytes);
    await this.#try(() => this.#open.write(bytes));
  }

  async #try(effect: () => Promise<void>): Promise<void> {
    if (this.#problem) return;
    try {
      await effect();
    } catch (error) {
      await this.#fail({ reason: 'plan-not-written', file: this.#file, why: codeOf(error) });
    }
  }

  /** Only the first problem counts: what follows comes of it. */
  async #fail(problem: Problem): Promise<void> {
    if (this.#problem) return;
    this.#problem = problem;
    await this.discard();
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#open.close();
  }
}

/** A plan as it was read. Its file stays open until `close`. */
export interface SavedPlan {
  readonly header: PlanHeader;
  readonly changes: readonly SavedChange[];
  /**
   * Reads contents that the changes bring, one at a time, in the order asked for. Each is checked against its digest:
   * problems `plan-damaged` and `plan-not-readable`.
   */
  readonly load: ContentsOf;
  close(): Promise<void>;
}

/** Where a content stands in the file. */
interface Place {
  readonly line: number;
  readonly start: number;
  readonly length: number;
}

/** What is wrong in a plan, on its way to whoever opens it. */
class Damage extends Error {
  readonly line: number;

  constructor(line: number, why: string) {
    super(why);
    this.line = line;
  }
}

function problemOf(error: unknown, file: string): Problem {
  return error instanceof Damage
    ? { reason: 'plan-damaged', file, line: error.line, why: error.message }
    : { reason: 'plan-not-readable', file, why: codeOf(error) };
}

/**
 * Opens a plan and checks the whole of it, but for what its contents hold: that is checked when they are loaded.
 * Problems `plan-not-found`, `plan-not-readable`, `plan-too-large`, `plan-newer`, `plan-damaged`.
 *
 * @param limit bytes that the plan may have
 */
export async function openPlan(disk: Disk, file: string, limit = maxPlanBytes): Promise<Outcome<SavedPlan>> {
  let open: OpenFile;
  try {
    open = await disk.open(file, openReadThrough);
  } catch (error) {
    const code = codeOf(error);
    const isGone = code === 'ENOENT' || code === 'ENOTDIR';
    return refuse(isGone ? { reason: 'plan-not-found', file } : problemOf(error, file));
  }
  let plan: Outcome<SavedPlan> | undefined;
  try {
    plan = await readPlan(open, file, limit);
    return plan;
  } catch (error) {
    return refuse(problemOf(error, file));
  } finally {
    if (!plan?.ok) await open.close();
  }
}

async function readPlan(open: OpenFile, file: string, limit: number): Promise<Outcome<SavedPlan>> {
  const stat = await open.stat();
  if (!stat.isFile()) return refuse({ reason: 'plan-not-readable', file, why: 'it is no file' });
  if (stat.size > limit) return refuse({ reason: 'plan-too-large', file, limit });
  const version = await versionOf(open);
  if (version > formatVersion) return refuse({ reason: 'plan-newer', file, version });
  const { header, changes, places } = await readLayout(open, Number(stat.size));
  return {
    ok: true,
    value: {
      header,
      changes,
      async *load(digests) {
        for (const digest of digests) yield await loadContent(open, file, digest, places);
      },
      close: () => open.close(),
    },
  };
}

/** Another version may be laid out in another way after this. */
async function versionOf(open: OpenFile): Promise<number> {
  const start = `{"format":"${formatName}","version":`;
  const text = (await readBytes(open, start.length + 10, 0)).toString('latin1');
  const version = /^([1-9]\d{0,8})[,}]/.exec(text.slice(start.length));
  if (!text.startsWith(start) || version === null) throw new Damage(1, 'it does not begin as a plan does');
  return Number(version[1]);
}

/** A line of the file, without its line break. */
interface Line extends Place {
  /** Its first bytes, {@link maxHeadBytes} at most. */
  readonly head: Buffer;
  readonly last: number | undefined;
}

/** Bytes of a line that are looked at in passing. More than any line has that is no content. */
const maxHeadBytes = 1024 * 1024;
const chunkBytes = 256 * 1024;
const lineBreak = 0x0a;
const comma = 0x2c;

/** The lines of the first `size` bytes; what follows the last line break is none. */
async function* linesOf(
  open: OpenFile,
  size: number,
  seen: (bytes: Buffer, at: number) => void,
): AsyncGenerator<Line> {
  const chunk = Buffer.allocUnsafeSlow(chunkBytes);
  let line = 1;
  let start = 0;
  let heads: Buffer[] = [];
  let headBytes = 0;
  let last: number | undefined;
  for (let at = 0; at < size; ) {
    const bytes = chunk.subarray(0, Math.min(await open.read(chunk, 0, at), size - at));
    if (bytes.length === 0) return;
    seen(bytes, at);
    for (let from = 0; from < bytes.length; ) {
      const found = bytes.indexOf(lineBreak, from);
      const to = found < 0 ? bytes.length : found;
      const more = Buffer.from(bytes.subarray(from, Math.min(to, from + maxHeadBytes - headBytes)));
      heads.push(more);
      headBytes += more.length;
      if (to > from) last = bytes[to - 1];
      if (found >= 0) {
        yield { line, start, length: at + to - start, head: Buffer.concat(heads), last };
        line++;
        start = at + to + 1;
        heads = [];
        headBytes = 0;
        last = undefined;
      }
      from = to + 1;
    }
    at += bytes.length;
  }
}

/** Reads a plan's lines in their order. Throws {@link Damage} at the first that is not as it was written. */
async function readLayout(
  open: OpenFile,
  size: number,
): Promise<Pick<SavedPlan, 'header' | 'changes'> & { readonly places: ReadonlyMap<Digest, Place> }> {
  const checksum = createHash('sha256');
  const checkedBytes = size - lastLineBytes;
  const lines = linesOf(open, size, (bytes, at) =>
    checksum.update(bytes.subarray(0, Math.max(0, checkedBytes - at))),
  );
  let current = 0;
  const next = async (): Promise<Line> => {
    const { done, value } = await lines.next();
    current++;
    if (done) throw new Damage(current, 'it ends too early');
    return value;
  };
  const expect = async (text: string): Promise<void> => {
    if (!(await next()).head.equals(Buffer.from(text))) throw new Damage(current, `it is not ${text}`);
  };
  const list = async (start: string, take: (line: Line) => void): Promise<void> => {
    await expect(start);
    const firstLine = current;
    for (let hasMore: boolean | undefined; ; ) {
      const line = await next();
      if (current - firstLine > maxItems)
        throw new Damage(current, `there are more than ${maxItems} before it`);
      const isEnd = line.head.equals(Buffer.from(endOfList));
      if (isEnd === hasMore) throw new Damage(current, 'the comma before it is wrong');
      if (isEnd) return;
      take(line);
      hasMore = line.last === comma;
    }
  };

  const first = await next();
  if (first.last !== comma) throw new Damage(current, 'it has no comma at its end');
  const header = saidBy(first, readHeader);
  const places = new Map<Digest, Place>();
  await list(startOfContents, (line) => {
    const digest = digestAt(line);
    if (places.has(digest)) throw new Damage(current, 'the same content is there twice');
    const { start, length, last } = line;
    places.set(digest, { line: line.line, start, length: last === comma ? length - 1 : length });
  });
  const changes: SavedChange[] = [];
  const taken = new Set<string>();
  const needed = new Set<Digest>();
  await list(startOfChanges, (line) => {
    const change = saidBy(line, readChange);
    const { path: skill, side, after } = change;
    if (after !== null && !places.has(after)) throw new Damage(current, 'what it brings is missing');
    if (taken.has(`${side} ${skill}`)) throw new Damage(current, 'another change is of the same skill');
    taken.add(`${side} ${skill}`);
    if (after !== null) needed.add(after);
    changes.push(change);
  });
  for (const [digest, { line }] of places) {
    if (!needed.has(digest)) throw new Damage(line, 'no change brings this content');
  }
  const { head } = await next();
  // Where more follows, the bytes that were hashed are others.
  const isWhole = head.equals(Buffer.from(checksumLine(checksum.digest('hex'))));
  if (!isWhole) throw new Damage(current, 'the checksum is another');
  return { header, changes, places };
}

function saidBy<T>({ line, length, head, last }: Line, read: (text: Buffer) => LineOutcome<T>): T {
  if (length > head.length) throw new Damage(line, 'it is too long');
  const outcome = read(last === comma ? head.subarray(0, -1) : head);
  if (!outcome.ok) throw new Damage(line, outcome.why);
  return outcome.value;
}

const digestPlace = contentStart('' as Digest).indexOf('""') + 1;

function digestAt({ line, length, head }: Line): Digest {
  const digest = parseDigest(head.toString('latin1', digestPlace, digestPlace + 64));
  if (digest === undefined || !head.toString('latin1', 0, 128).startsWith(contentStart(digest))) {
    throw new Damage(line, 'it is no content');
  }
  if (length > maxLineLength) throw new Damage(line, 'it is too long');
  return digest;
}

async function loadContent(
  open: OpenFile,
  file: string,
  digest: Digest,
  places: ReadonlyMap<Digest, Place>,
): Promise<LoadedContent> {
  const place = places.get(digest);
  if (place === undefined) throw new Error(`the plan holds no content ${digest}`);
  try {
    const entries = entriesOf(await readBytes(open, place.length, place.start), digest, place.line);
    return { digest, entries };
  } catch (error) {
    return { digest, problem: problemOf(error, file) };
  }
}

function entriesOf(text: Buffer, digest: Digest, line: number): readonly Entry[] {
  const content = readContent(text);
  const why = content.ok ? whyNoContent(content.value, digest) : content.why;
  if (!content.ok || why !== undefined) throw new Damage(line, why ?? '');
  return content.value;
}

function whyNoContent(entries: readonly Entry[], digest: Digest): string | undefined {
  const paths = entries.map((entry) => entry.path);
  const files = new Set<string>(paths);
  const rules: readonly (readonly [why: string, isBroken: () => boolean])[] = [
    ['it has no SKILL.md', () => documentName(paths) === undefined],
    [
      'its files are not in order, or one is there twice',
      () => paths.some((file, index) => index > 0 && compareBytes(paths[index - 1] ?? '', file) >= 0),
    ],
    [
      'one of its files stands below another',
      () => paths.some((file) => foldersAbove(file).some((one) => files.has(one))),
    ],
    ['two of its files are one where case does not count', () => findMerged(paths) !== undefined],
    ['it has another digest', () => digestSkill({ path: '' as SkillPath, entries }) !== digest],
  ];
  return rules.find(([, isBroken]) => isBroken())?.[0];
}

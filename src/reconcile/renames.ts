// Renames: the same skill at another path. The database knows it by its key, the files by its content alone.

import { createHash } from 'node:crypto';
import { decodeDocument, parseDocument } from '../document/parse.ts';
import type { Snapshot } from '../replica.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import { folderName, type SkillPath } from '../skill/path.ts';
import { documentOf, type Skill } from '../skill/skill.ts';
import { unreadableIn } from './unreadable.ts';

/** A skill that a side holds at another path than when both last agreed. */
export interface Rename {
  /** Where both sides held it, and what, when they last agreed. */
  readonly base: { readonly path: SkillPath; readonly digest: Digest };
  /** Where each side holds it now, or `base.path` where it holds it no more. */
  readonly files: SkillPath;
  readonly database: SkillPath;
}

/** What renames are found in. */
export interface RenameInput {
  readonly local: Snapshot;
  readonly remote: Snapshot;
  readonly base: ReadonlyMap<SkillPath, { readonly digest: Digest; readonly skillId: number }>;
}

/**
 * Skills that may be renamed in the files, as far as digests do not tell: their contents have to be compared. One at
 * whose path another content stands may have gone, and that may have come.
 */
export interface Candidates {
  /** What the files held when both sides last agreed, and where the database holds that still, if it does. */
  readonly gone: readonly {
    readonly path: SkillPath;
    readonly digest: Digest;
    readonly skillId: number;
    readonly stored: SkillPath | null;
  }[];
  /** Paths at which the files hold what was not there. */
  readonly come: readonly SkillPath[];
}

/** A skill's content in so few words that those of all candidates can be kept. */
export interface Sketch {
  /** Of all its files, the document without its name. */
  readonly nameless: Digest;
  readonly name: string;
  /** The document's lines without its name: each a hash and its length in one number, sorted. */
  readonly lines: Float64Array;
}

/** What was read of candidates, by their paths; of what could not be read there is nothing. */
export interface Sketches {
  readonly gone: ReadonlyMap<SkillPath, Sketch>;
  readonly come: ReadonlyMap<SkillPath, Sketch>;
}

/** From a path to the one where the same skill stands now. */
type Moves = ReadonlyMap<SkillPath, SkillPath>;

/** Documents are the same skill's from this share of their text on. */
const leastAlike = 0.6;

/** Of more that have one name, or stand in folders of one name, nobody can say which is which. */
const maxOfOneName = 20;

/** Of more that were edited, none is compared with the others: who edits a library has not renamed it. */
const maxEdited = 200;

/** Finds what may be renamed in the files, and has to be read to tell. Pure. */
export function findCandidates(input: RenameInput): Candidates {
  const { local, remote, base } = input;
  const known = movesByDigest(input);
  const arrived = new Set(known.values());
  const isUnknown = unreadableIn(local);
  const stored = new Map(
    [...remote.skills].map(([path, { row, digest }]) => [row?.skillId, { path, digest }]),
  );
  const gone: Candidates['gone'][number][] = [];
  const edited: Candidates['gone'][number][] = [];
  for (const [path, { digest, skillId }] of base) {
    const now = local.skills.get(path)?.digest;
    if (now === digest || isUnknown(path) || known.has(path)) continue;
    const row = stored.get(skillId);
    const one = { path, digest, skillId, stored: row?.digest === digest ? row.path : null };
    if (now === undefined) gone.push(one);
    else if (!arrived.has(path)) edited.push(one);
  }
  const come = [...local.skills.keys()].filter((path) => !base.has(path) && !arrived.has(path));
  // Skills take each other's places in a circle, or one after the other from one that went to one that came.
  const isChain = gone.length > 0 && come.length > 0;
  const between = edited.length > maxEdited || (!isChain && edited.length < 2) ? [] : edited;
  return {
    gone: [...(isChain ? gone : []), ...between],
    come: [...(isChain ? come : []), ...between.map(({ path }) => path)],
  };
}

/**
 * Finds the renames of both sides, in no order. What is ambiguous is none, nor is one onto a path where the other
 * side holds something that does not go itself. Pure.
 */
export function findRenames(input: RenameInput, sketches: Sketches): readonly Rename[] {
  const rows = movedRows(input);
  const files = closed(input, new Map([...movesByDigest(input), ...movesByContent(input, sketches)]));
  const found = [...input.base].flatMap(([path, { digest, skillId }]): readonly Rename[] => {
    const rename = {
      base: { path, digest },
      files: files.get(path) ?? path,
      database: rows.get(path) ?? path,
    };
    const row = input.remote.skills.get(rename.database)?.row;
    const isAnother = row !== undefined && row.skillId !== skillId;
    return isAnother || (rename.files === path && rename.database === path) ? [] : [rename];
  });
  return untilStable(found, (renames) => renames.filter(isFree(input, renames)));
}

/** Where rows of the base stand now. A key that the base has twice tells nothing. */
function movedRows({ remote, base }: RenameInput): Moves {
  const agreed = new Map<number, SkillPath>();
  const twice = new Set<number>();
  for (const [path, { skillId }] of base) {
    if (agreed.has(skillId)) twice.add(skillId);
    agreed.set(skillId, path);
  }
  const moves = new Map<SkillPath, SkillPath>();
  for (const [path, { row }] of remote.skills) {
    const old = row && !twice.has(row.skillId) ? agreed.get(row.skillId) : undefined;
    if (old !== undefined && old !== path) moves.set(old, path);
  }
  return moves;
}

/** Skills that the files hold elsewhere byte for byte: what was at a path that does not hold it any more. */
function movesByDigest(input: RenameInput): Moves {
  const { local, base } = input;
  const isUnknown = unreadableIn(local);
  const gone = [...base].filter(
    ([path, { digest }]) => local.skills.get(path)?.digest !== digest && !isUnknown(path),
  );
  if (gone.length === 0) return new Map();
  const come = [...local.skills].filter(([path, { digest }]) => base.get(path)?.digest !== digest);
  return closed(
    input,
    pairSame(
      input,
      gone.map(([path, { digest }]) => [path, digest]),
      come.map(([path, { digest }]) => [path, digest]),
    ),
  );
}

/** Skills that are the same but for their names, or else alike enough. */
function movesByContent(input: RenameInput, { gone, come }: Sketches): Moves {
  const { local, base } = input;
  const same = pairSame(
    input,
    [...gone].map(([path, { nameless }]) => [path, nameless]),
    [...come].map(([path, { nameless }]) => [path, nameless]),
  );
  const taken = new Set(same.values());
  const alike = pairAlike(
    new Map([...gone].filter(([path]) => !same.has(path) && !local.skills.has(path))),
    new Map([...come].filter(([path]) => !taken.has(path) && !base.has(path))),
  );
  return new Map([...same, ...alike].filter(([from, to]) => from !== to));
}

/**
 * Those moves that leave no skill behind and push none aside: a path that still holds a skill has it from another,
 * and one that held a skill has lost it to another.
 */
function closed({ local, base }: RenameInput, moves: Moves): Moves {
  return new Map(
    untilStable([...moves], (some) => {
      const left = new Set(some.map(([from]) => from));
      const taken = new Set(some.map(([, to]) => to));
      return some.filter(
        ([from, to]) => (!local.skills.has(from) || taken.has(from)) && (!base.has(to) || left.has(to)),
      );
    }),
  );
}

/** Pairs what is gone with what is new, then what is left of both with what stands where another content did. */
function pairSame(
  { local, base }: RenameInput,
  gone: readonly (readonly [SkillPath, Digest])[],
  come: readonly (readonly [SkillPath, Digest])[],
): Moves {
  const first = pairUnique(
    gone.filter(([path]) => !local.skills.has(path)),
    come.filter(([path]) => !base.has(path)),
  );
  const taken = new Set(first.values());
  const then = pairUnique(
    gone.filter(([path]) => !first.has(path)),
    come.filter(([path]) => !taken.has(path)),
  );
  return new Map([...first, ...then]);
}

/**
 * Pairs those that alone on their side have a digest that one alone on the other side has. Of more that have it, those
 * that alone stand in a folder of one name.
 */
function pairUnique(
  gone: readonly (readonly [SkillPath, Digest])[],
  come: readonly (readonly [SkillPath, Digest])[],
): Moves {
  const moves = new Map<SkillPath, SkillPath>();
  const keys = [
    ([, digest]: readonly [SkillPath, Digest]) => digest,
    ([path, digest]: readonly [SkillPath, Digest]) => `${digest} ${folderName(path)}`,
  ];
  for (const keyOf of keys) {
    const taken = new Set(moves.values());
    const from = groupBy(
      gone.filter(([path]) => !moves.has(path)),
      keyOf,
    );
    const to = groupBy(
      come.filter(([path]) => !taken.has(path)),
      keyOf,
    );
    for (const [key, [old, ...others]] of from) {
      const [now, ...more] = to.get(key) ?? [];
      if (old && now && others.length + more.length === 0) moves.set(old[0], now[0]);
    }
  }
  return moves;
}

/** Pairs those that are each other's best match among those with the same name, or folder name, and no other as good. */
function pairAlike(gone: Sketches['gone'], come: Sketches['come']): Moves {
  const best = { gone: new Map<SkillPath, Match>(), come: new Map<SkillPath, Match>() };
  for (const [from, to] of pairsOfOneName(gone, come)) {
    const [old, now] = [gone.get(from), come.get(to)];
    const share = old && now ? shareOf(old.lines, now.lines) : 0;
    if (share < leastAlike) continue;
    better(best.gone, from, { path: to, share });
    better(best.come, to, { path: from, share });
  }
  return new Map(
    [...best.gone].flatMap(([from, { path: to }]) =>
      to !== null && best.come.get(to)?.path === from ? [[from, to] as const] : [],
    ),
  );
}

/** The best that was found so far; null where two are as good. */
interface Match {
  readonly path: SkillPath | null;
  readonly share: number;
}

function better(best: Map<SkillPath, Match>, of: SkillPath, match: Match): void {
  const known = best.get(of);
  if (known === undefined || match.share > known.share) best.set(of, match);
  else if (match.share === known.share) best.set(of, { ...known, path: null });
}

/** Each pair once, of all that could be one skill by their names. */
function pairsOfOneName(
  gone: Sketches['gone'],
  come: Sketches['come'],
): readonly (readonly [SkillPath, SkillPath])[] {
  const pairs = new Map<string, readonly [SkillPath, SkillPath]>();
  for (const nameOf of [(path: SkillPath) => folderName(path), (_: SkillPath, { name }: Sketch) => name]) {
    const from = groupBy([...gone], ([path, sketch]) => nameOf(path, sketch));
    const to = groupBy([...come], ([path, sketch]) => nameOf(path, sketch));
    for (const [name, olds] of from) {
      const nows = to.get(name) ?? [];
      if (olds.length > maxOfOneName || nows.length > maxOfOneName) continue;
      for (const [old] of olds) for (const [now] of nows) pairs.set(`${old}\0${now}`, [old, now]);
    }
  }
  return [...pairs.values()];
}

/** Whether both ends of a rename are free: nothing stands where a side is to bring it, or what stands there goes. */
function isFree({ local, remote }: RenameInput, renames: readonly Rename[]): (rename: Rename) => boolean {
  const leaving = { files: new Set<SkillPath>(), database: new Set<SkillPath>() };
  for (const { base, files, database } of renames) {
    if (files === base.path) leaving.files.add(files);
    if (database === base.path) leaving.database.add(database);
  }
  return ({ base, files, database }) => {
    if (files === database) return true;
    const isClear =
      (database === base.path || !local.skills.has(database) || leaving.files.has(database)) &&
      (files === base.path || !remote.skills.has(files) || leaving.database.has(files));
    return isClear;
  };
}

/** Reads what tells a skill from others, whatever its name. Undefined where its document cannot be read. */
export function sketchOf(skill: Skill): Sketch | undefined {
  const entry = documentOf(skill);
  const place = { skill: skill.path, file: entry.path };
  const text = decodeDocument(entry.bytes, place);
  const document = text.ok ? parseDocument(text.value, place) : text;
  if (!document.ok) return undefined;
  const { frontmatterSource, body, fields } = document.value;
  const rest = frontmatterSource.replace(/^name[ \t]*:.*$/m, '') + body;
  const others = skill.entries.map((one) => (one === entry ? { ...one, bytes: Buffer.from(rest) } : one));
  return { nameless: digestSkill({ ...skill, entries: others }), name: fields.name, lines: linesOf(rest) };
}

/** A line's length has room for this many characters beside its hash, in a number's 53 bits. */
const lengthRoom = 2 ** 21;

function linesOf(text: string): Float64Array {
  const lines = text.split('\n').map((line) => {
    const hash = createHash('md5').update(line).digest().readUInt32LE();
    return hash * lengthRoom + Math.min(line.length + 1, lengthRoom - 1);
  });
  return Float64Array.from(lines).sort();
}

/** How much of the longer text both have, line by line, in whatever order. */
function shareOf(a: Float64Array, b: Float64Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0];
    if (x === y) common += x % lengthRoom;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return common / Math.max(lengthOf(a), lengthOf(b), 1);
}

function lengthOf(lines: Float64Array): number {
  return lines.reduce((sum, line) => sum + (line % lengthRoom), 0);
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** Drops what depends on what was dropped. */
function untilStable<T>(items: readonly T[], keep: (items: readonly T[]) => readonly T[]): readonly T[] {
  const kept = keep(items);
  return kept.length === items.length ? items : untilStable(kept, keep);
}

// Verify: both sides read anew and compared byte by byte, and the database held against what it says of itself.

import type { Problem } from '../problem.ts';
import { unreadableIn } from '../reconcile/unreadable.ts';
import { type Difference, oneByOne, type SkillState, type VerifiedRow } from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import { compareBytes, type SkillPath } from '../skill/path.ts';
import { documentOf, type Skill } from '../skill/skill.ts';
import { type Prepared, prepareSync, type SyncInput } from './sync.ts';

/** How much was read, and what could not be. */
export interface Verified {
  /** Rows of skills; their files, documents among them; the bytes of these. */
  readonly skills: number;
  readonly files: number;
  readonly bytes: number;
  readonly revisions: number;
  readonly blobs: number;
  readonly problems: readonly Problem[];
}

/** Told of each difference as it is found: skills in byte order of their paths, what follows from them, the history. */
export type OnDifference = (difference: Difference) => void;

/** Compares both sides, all of the database as of one moment, within bounded memory. Writes nothing. */
export function verifySides(input: SyncInput, onDifference: OnDifference): Promise<Verified> {
  return input.database.inView(async () => {
    const { database, signal } = input;
    const prepared = await prepareSync(input);
    const { local, remote } = prepared;
    const problems = new Set([...local.unreadable, ...remote.unreadable].map(({ problem }) => problem));
    const count = { skills: 0, files: 0, bytes: 0, revisions: 0, blobs: 0 };
    const damaged = new Set<number>();
    const told = new Set<number>();
    const missing = missingSkills(prepared)[Symbol.iterator]();
    let next = missing.next().value;
    const tellMissing = (upTo?: SkillPath) => {
      for (
        ;
        next && (upTo === undefined || compareBytes(next.path, upTo) <= 0);
        next = missing.next().value
      ) {
        onDifference(next);
      }
    };
    for await (const batch of database.verifyRows([...remote.skills.keys()].sort(compareBytes))) {
      signal?.throwIfAborted();
      for (const { loaded, hasItsDigest, columns, skillId } of batch) {
        if (!hasItsDigest) damaged.add(skillId);
        if (!hasItsDigest || columns.length > 0) told.add(skillId);
        if ('problem' in loaded) problems.add(loaded.problem);
        else {
          count.skills++;
          count.files += loaded.skill.entries.length;
          for (const { bytes } of loaded.skill.entries) count.bytes += bytes.length;
        }
      }
      const contents = await differingContents(input, prepared, batch, problems);
      for (const row of batch) {
        tellMissing(row.loaded.path);
        for (const difference of differencesOf(row, contents)) onDifference(difference);
      }
    }
    tellMissing();
    for await (const fault of database.verifyDerived(told)) {
      signal?.throwIfAborted();
      if (fault.what === 'deleted') damaged.add(fault.skillId);
      onDifference(fault);
    }
    for await (const { revisions, blobs, faults } of database.verifyHistory(damaged)) {
      signal?.throwIfAborted();
      count.revisions += revisions;
      count.blobs += blobs;
      for (const fault of faults) onDifference(fault);
    }
    return { ...count, problems: [...problems] };
  });
}

/**
 * The skills that one side lacks, in byte order of their paths. A row that neither files nor base hold is missing
 * from the files where it takes part in a sync: by its status, or since the plan has something to do with it.
 */
function missingSkills({ local, remote, base, plan }: Prepared): readonly MissingSkill[] {
  const isUnknown = { files: unreadableIn(local), database: unreadableIn(remote) };
  const planned = new Set([
    ...plan.changes.flatMap(({ path, from }) => [path, from]),
    ...plan.conflicts.flatMap(({ path, renamed }) => [path, renamed?.database]),
    ...plan.holds.map(({ path }) => path),
  ]);
  const takesPart = (path: SkillPath, row: SkillState['row']) =>
    row?.status === 'active' || base.entries.has(path) || planned.has(path);
  return [
    ...[...local.skills.keys()]
      .filter((path) => !remote.skills.has(path) && !isUnknown.database(path))
      .map((path): MissingSkill => ({ what: 'skill', path, missing: 'database' })),
    ...[...remote.skills]
      .filter(([path, { row }]) => !local.skills.has(path) && !isUnknown.files(path) && takesPart(path, row))
      .map(([path]): MissingSkill => ({ what: 'skill', path, missing: 'files' })),
  ].sort((a, b) => compareBytes(a.path, b.path));
}

type MissingSkill = Extract<Difference, { readonly what: 'skill' }>;

type Contents = ReadonlyMap<SkillPath, readonly Difference[]>;

/** What the files hold otherwise than rows that were just read. Files that cannot be read are problems. */
async function differingContents(
  { files }: SyncInput,
  prepared: Prepared,
  batch: readonly VerifiedRow[],
  problems: Set<Problem>,
): Promise<Contents> {
  const { local } = prepared;
  const rows = new Map<SkillPath, Skill>();
  for (const { loaded } of batch) {
    const here = local.skills.get(loaded.path);
    // The files' digests are of bytes that were read a moment ago.
    if ('skill' in loaded && here && here.digest !== digestSkill(loaded.skill)) {
      rows.set(loaded.path, loaded.skill);
    }
  }
  const differing = new Map<SkillPath, readonly Difference[]>();
  if (rows.size === 0) return differing;
  for await (const loaded of oneByOne(files.load([...rows.keys()]))) {
    const { path } = loaded;
    const row = rows.get(path);
    const found = row && 'skill' in loaded ? compare(loaded.skill, row, editedSides(prepared, path)) : [];
    differing.set(path, found);
    if ('problem' in loaded) problems.add(loaded.problem);
    else if (found.length === 0) problems.add({ reason: 'files-changed-meanwhile', path });
  }
  return differing;
}

/** The sides that left what both last agreed on, as far as the database noted it. */
function editedSides({ local, remote, base }: Prepared, path: SkillPath): readonly ('files' | 'database')[] {
  const agreed = base.entries.get(path)?.digest;
  if (agreed === undefined) return [];
  return [
    ...(local.skills.get(path)?.digest === agreed ? [] : (['files'] as const)),
    ...(remote.skills.get(path)?.digest === agreed ? [] : (['database'] as const)),
  ];
}

/** In what two versions of a skill differ, file by file: the document first, the others in byte order. */
function compare(
  files: Skill,
  database: Skill,
  edited: readonly ('files' | 'database')[],
): readonly Difference[] {
  const { path } = files;
  const documents = new Set<string>([documentOf(files).path, documentOf(database).path]);
  const [here, there] = [files, database].map(
    ({ entries }) => new Map(entries.map((entry) => [entry.path as string, entry])),
  );
  const names = [...new Set([...(here?.keys() ?? []), ...(there?.keys() ?? [])])].sort(
    (a, b) => Number(documents.has(b)) - Number(documents.has(a)) || compareBytes(a, b),
  );
  return names.flatMap((file): readonly Difference[] => {
    const [mine, theirs] = [here?.get(file), there?.get(file)];
    const what = documents.has(file) ? 'document' : 'file';
    if (!mine || !theirs) return [{ what, path, file, missing: mine ? 'database' : 'files', edited }];
    return [
      ...(mine.bytes.equals(theirs.bytes) ? [] : [{ what, path, file, edited } as const]),
      ...(mine.executable === theirs.executable ? [] : [{ what: 'executable', path, file, edited } as const]),
    ];
  });
}

/** All that is wrong with a row, each cause once. */
function differencesOf(
  { loaded: { path }, hasItsDigest, mischecked, missized, columns }: VerifiedRow,
  contents: Contents,
): readonly Difference[] {
  const found = contents.get(path) ?? [];
  const differences: Difference[] = [...found];
  // A digest that follows from bytes which were just told of says nothing more.
  if (found.length === 0) {
    if (!hasItsDigest) differences.push({ what: 'digest', path });
    else {
      for (const file of mischecked) differences.push({ what: 'digest', path, file });
      for (const file of missized) differences.push({ what: 'size', path, file });
    }
  }
  for (const column of columns) differences.push({ what: 'column', path, column });
  return differences;
}

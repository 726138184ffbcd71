// What a run changes in the database, in its one transaction: stored, linked, read back, each refusal alone.

import type { Warning } from '../document/warning.ts';
import { type Problem, refuse } from '../problem.ts';
import { batchesOf, type Change, type Load, type Reading, type Result, type SkillState } from '../replica.ts';
import { digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import type { KnownCategories } from '../taxonomy/known.ts';
import { type Connection, inHalves } from './connection.ts';
import { type Arrival, followRenames, isRename, movable, moveRows, type Rename } from './moves.ts';
import { indexedOtherwise, linkedOtherwise, notKept, type Sent, sentOf } from './read-back.ts';
import { readingOf, readSkill } from './read-skill.ts';
import { problemOfRefusal } from './sqlstate.ts';
import {
  archive,
  deleteRows,
  type Incoming,
  lockRows,
  noteIndexed,
  requireKey,
  type Stored,
  seeRows,
  stillBefore,
  storeBatch,
} from './store.ts';
import { linkTargets } from './targets.ts';

/** What a run's changes are carried out with. */
export interface Applying {
  /** In the transaction of a sync. */
  readonly connection: Connection;
  readonly mapping: TaxonomyMapping;
  /** The version of that mapping. */
  readonly taxonomy: string;
  readonly known: KnownCategories;
  readonly runId: number;
  /** Whether the row at a path takes its first text from the files. */
  readonly takesText: (path: SkillPath) => boolean;
}

/** What became of a change, and what was sent of it, to be read back. */
interface Answer<C extends Change> {
  readonly result: Result<C>;
  readonly sent?: Sent;
  /** Whether a part of a change that is refused was done: all is undone then. */
  readonly isHalfDone?: true;
}

/**
 * Stores the changes, links what they name, and reads back what came of it. A skill whose links the database
 * refuses, or which it does not keep as it was sent, fails whole: all is undone, and done again without it. A
 * change whose content does not come has no result.
 */
export async function applyChanges<C extends Change>(
  applying: Applying,
  changes: readonly C[],
  source: Load,
): Promise<readonly Result<C>[]> {
  const failed = new Map<C, Result<C>>();
  await applying.connection.query('savepoint nothing_stored');
  for (;;) {
    const left = changes.filter((change) => !failed.has(change));
    const answers = await storeAll(applying, left, source);
    for (const result of await linkAndReadBack(applying, answers)) failed.set(result.change, result);
    if (left.every((change) => !failed.has(change))) {
      return [...failed.values(), ...(await withLinkWarnings(applying, answers))];
    }
    await applying.connection.query('rollback to savepoint nothing_stored');
  }
}

/** Links what was stored. Returns what failed by that, or is not kept as it was sent. */
async function linkAndReadBack<C extends Change>(
  applying: Applying,
  answers: readonly Answer<C>[],
): Promise<readonly Result<C>[]> {
  const results = answers.map((answer) => answer.result);
  const sent = answers.flatMap((answer) => answer.sent ?? []);
  const deleted = results.flatMap((result) => (result.ok ? (result.deleted?.skillId ?? []) : []));
  const refused = await link(applying, idsOf(sent));
  const differing = await notKept(applying.connection, sent, deleted);
  return answers.flatMap(({ result, isHalfDone }): readonly Result<C>[] => {
    const { change } = result;
    // What stands elsewhere than it was sent to is found by nobody.
    if (!result.ok) return isHalfDone || result.problem.reason === 'not-kept' ? [result] : [];
    const skillId = (result.deleted ?? result.state?.row)?.skillId;
    if (skillId === undefined) return [];
    const differs = differing.get(skillId);
    if (refused.has(skillId)) {
      return [{ change, ...refuse(problemOfRefusal(change.path, refused.get(skillId))) }];
    }
    return differs ? [{ change, ...refuse({ reason: 'not-kept', path: change.path, differs }) }] : [];
  });
}

async function withLinkWarnings<C extends Change>(
  { connection }: Applying,
  answers: readonly Answer<C>[],
): Promise<readonly Result<C>[]> {
  const links = await linkedOtherwise(connection, idsOf(answers.flatMap((answer) => answer.sent ?? [])));
  return answers.map(({ result }) =>
    result.ok && result.state?.row && result.reading
      ? { ...result, reading: warned(result.reading, links.get(result.state.row.skillId)) }
      : result,
  );
}

function idsOf(sent: readonly Sent[]): readonly number[] {
  return sent.map((one) => one.skillId);
}

/**
 * Has the database keep all that it could of rows which the files equal. What it refuses of that, or does not keep,
 * stays as it is: the next run finds it unsettled again.
 */
export async function settleRows(
  applying: Applying,
  changes: readonly Change[],
  source: Load,
): Promise<void> {
  const { connection } = applying;
  const failed = new Set<SkillPath>();
  await connection.query('savepoint nothing_stored');
  for (;;) {
    const left = changes.filter((change) => !failed.has(change.path));
    const sent: Sent[] = [];
    for await (const batch of incomingBatches(applying, left, source, [])) {
      const settled = await inHalves(
        connection,
        batch,
        (some) => settleBatch(applying, some),
        () => undefined,
      );
      sent.push(...settled.filter((one) => one !== undefined));
    }
    const former = new Map(left.map(({ path, formerly }) => [path, formerly ? [formerly] : []]));
    await followRenames(
      connection,
      sent.map(({ skillId, path }) => ({ skillId, path, former: former.get(path) ?? [] })),
    );
    await link(applying, idsOf(sent));
    const differing = await notKept(connection, sent, []);
    if (differing.size === 0) return;
    for (const { skillId, path } of sent) if (differing.has(skillId)) failed.add(path);
    await connection.query('rollback to savepoint nothing_stored');
  }
}

async function settleBatch(applying: Applying, batch: readonly Incoming[]): Promise<readonly Sent[]> {
  const { connection, runId, taxonomy, takesText } = applying;
  const rows = await lockRows(connection, pathsOf(batch));
  const still = batch.filter(({ change }) => stillBefore(change.before, rows.get(change.path)));
  // What never had a stored text may lose words of its own to the one that it gets.
  const anew = still.flatMap(({ change: { path } }) => {
    const row = rows.get(path);
    return row?.isTextless && (row.isWhole || takesText(path)) ? [row.skillId] : [];
  });
  if (anew.length > 0) await archive(connection, anew, runId);
  const stored = await storeBatch(connection, still, rows, {
    settling: true,
    anew,
    taxonomy,
  });
  return stored.map(sentOf);
}

async function storeAll<C extends Change>(
  applying: Applying,
  changes: readonly C[],
  source: Load,
): Promise<readonly Answer<C>[]> {
  const { connection } = applying;
  const answers: Answer<C>[] = [];
  const refused: Result<C>[] = [];
  const refuseAlone = (change: C, error: unknown): Answer<C> => ({
    result: { change, ...refuse(problemOfRefusal(change.path, error)) },
  });
  const removals = changes.filter((change) => change.after === null);
  for (const batch of batchesOf(removals, () => 0)) {
    answers.push(
      ...(await inHalves(connection, batch, (some) => removeChanges(applying, some), refuseAlone)),
    );
  }
  const additions = changes.filter((change) => change.after !== null);
  const renames = additions.filter(({ from }) => from !== undefined);
  const rows = await lockRows(
    connection,
    renames.flatMap(({ path, from = path }) => [path, from]),
  );
  const moving = renames.filter((change) => isRename(change, rows));
  const store = async (some: readonly C[], standingAt?: (change: C) => SkillPath) => {
    const stored: Answer<C>[] = [];
    for await (const batch of incomingBatches(applying, some, source, refused, standingAt)) {
      stored.push(
        ...(await inHalves(
          connection,
          batch,
          (some) => storeChanges(applying, some),
          ({ change }, error) => refuseAlone(change, error),
        )),
      );
    }
    return stored;
  };
  // What comes new may come to where a row goes away.
  const moved = await renameChanges(applying, moving, rows, store);
  const movers = new Set<C>(moving);
  const added = await store(additions.filter((change) => !movers.has(change)));
  const all = [...refused.map((result) => ({ result })), ...answers, ...moved, ...added];
  await followRenames(connection, all.flatMap(arrivalOf));
  return all;
}

/** Stores renamed skills where their rows stand, then moves these. */
async function renameChanges<C extends Change>(
  { connection }: Applying,
  renames: readonly Rename<C>[],
  rows: Awaited<ReturnType<typeof lockRows>>,
  store: (changes: readonly C[], standingAt: (change: C) => SkillPath) => Promise<readonly Answer<C>[]>,
): Promise<readonly Answer<C>[]> {
  const overtaken = (change: C): Problem => ({ reason: 'row-changed-meanwhile', path: change.path });
  const can = movable(renames, rows);
  const answers = await store(can, ({ path, from = path }) => from);
  const stored = new Map(
    answers.flatMap(({ result }) => (result.ok ? [[result.change, result] as const] : [])),
  );
  const going = movable(
    can.filter((change) => stored.has(change)),
    rows,
  );
  const problems = new Map<SkillPath, Problem>();
  await moveRows(
    connection,
    going.flatMap((change) => {
      const skillId = stored.get(change)?.state?.row?.skillId;
      return skillId === undefined ? [] : [{ skillId, path: change.path }];
    }),
    ({ path }, error) => problems.set(path, problemOfRefusal(path, error)),
  );
  const [able, gone] = [new Set<C>(can), new Set<C>(going)];
  return [
    ...renames
      .filter((change) => !able.has(change))
      .map((change) => ({ result: { change, ...refuse(overtaken(change)) } })),
    ...answers.map((answer): Answer<C> => {
      const { change, ok } = answer.result;
      const problem = problems.get(change.path) ?? (gone.has(change) ? undefined : overtaken(change));
      return ok && problem ? { result: { change, ...refuse(problem) }, isHalfDone: true } : answer;
    }),
  ];
}

/** A skill that came to where it did not stand. */
function arrivalOf({ result }: Answer<Change>): readonly Arrival[] {
  const skillId = result.ok ? result.state?.row?.skillId : undefined;
  const { path, from, formerly, before } = result.change;
  if (skillId === undefined || (before !== null && from === undefined && formerly === undefined)) return [];
  return [{ skillId, path, former: [from ?? [], formerly ?? []].flat() }];
}

async function removeChanges<C extends Change>(
  applying: Applying,
  changes: readonly C[],
): Promise<readonly Answer<C>[]> {
  const { connection, runId } = applying;
  const rows = await lockRows(
    connection,
    changes.map((change) => change.path),
  );
  const still = changes.flatMap(({ path, before }) => {
    const row = rows.get(path);
    return row && stillBefore(before, row) ? [[path, row.skillId] as const] : [];
  });
  const ids = still.map(([, skillId]) => skillId);
  await archive(connection, ids, runId);
  const revisions = await deleteRows(connection, ids);
  const removed = new Map(still);
  const gone = await whyNot(
    applying,
    changes.filter((change) => !removed.has(change.path)),
  );
  const done = changes.flatMap((change): readonly Answer<C>[] => {
    const skillId = removed.get(change.path);
    if (skillId === undefined) return [];
    const deleted = { skillId, revision: requireKey(revisions, skillId) };
    return [{ result: { change, ok: true, state: null, deleted, ...keptAs(change) } }];
  });
  return [...done, ...gone];
}

/** Why changes met no row to be carried out on: someone was faster, or the database lets nobody at it. */
async function whyNot<C extends Change>(
  { connection }: Applying,
  changes: readonly C[],
): Promise<readonly Answer<C>[]> {
  if (changes.length === 0) return [];
  const placeOf = ({ path, from = path, before }: C) => (before === null ? path : from);
  const rows = await seeRows(connection, changes.map(placeOf));
  return changes.map((change) => {
    const { path, before, after } = change;
    const differs = after === null ? 'the deletion' : 'the row itself';
    const problem: Problem = stillBefore(before, rows.get(placeOf(change)))
      ? { reason: 'not-kept', path, differs }
      : { reason: 'row-changed-meanwhile', path };
    return { result: { change, ...refuse(problem) } };
  });
}

async function storeChanges<C extends Change>(
  applying: Applying,
  batch: readonly Incoming<C>[],
): Promise<readonly Answer<C>[]> {
  const { connection, runId, taxonomy } = applying;
  const rows = await lockRows(connection, pathsOf(batch));
  const still = batch.filter(({ change, skill }) => stillBefore(change.before, rows.get(skill.path)));
  await archive(
    connection,
    still.flatMap(({ skill }) => rows.get(skill.path)?.skillId ?? []),
    runId,
  );
  const stored = await storeBatch(connection, still, rows, {
    settling: false,
    anew: [],
    taxonomy,
  });
  const paths = new Set(stored.map((row) => row.change.path));
  const unstored = batch.map(({ change }) => change).filter((change) => !paths.has(change.path));
  const otherwise = await indexedOtherwise(connection, stored);
  const done = stored.map((row): Answer<C> => {
    const { change } = row;
    const result = {
      change,
      ok: true,
      state: stateOf(row),
      reading: warned(readingOf(row), otherwise.get(row.skillId)),
      ...keptAs(change),
    } as const;
    return { result, sent: sentOf(row) };
  });
  return [...done, ...(await whyNot(applying, unstored))];
}

/** Links what these skills name, and what waited for them. Returns what the database refused of whom. */
async function link({ connection }: Applying, ids: readonly number[]): Promise<ReadonlyMap<number, unknown>> {
  if (ids.length === 0) return new Map();
  const { linked, refused } = await linkTargets(connection, ids);
  await noteIndexed(connection, [...new Set([...ids, ...linked])]);
  return refused;
}

/** What stood in the row before was archived under its own revision. */
function keptAs({ before }: Change): { readonly kept?: number } {
  return before?.row ? { kept: before.row.revision } : {};
}

function warned(reading: Reading, warnings: readonly Warning[] = []): Reading {
  return { ...reading, warnings: [...reading.warnings, ...warnings] };
}

function stateOf({ digest, skillId, revision, document }: Stored): SkillState {
  return { digest, row: { skillId, revision, status: document.fields.status } };
}

function pathsOf(batch: readonly Incoming[]): readonly SkillPath[] {
  return batch.map(({ skill }) => skill.path);
}

/**
 * Reads what changes bring, batch by batch, ready to be stored, where their rows stand. What cannot be goes to
 * `refused`.
 */
async function* incomingBatches<C extends Change>(
  { known, mapping }: Applying,
  changes: readonly C[],
  source: Load,
  refused: Result<C>[],
  standingAt: (change: C) => SkillPath = ({ path }) => path,
): AsyncIterable<readonly Incoming<C>[]> {
  const byPath = new Map(changes.map((change) => [change.path, change]));
  for await (const batch of source([...byPath.keys()])) {
    const incoming: Incoming<C>[] = [];
    for (const loaded of batch) {
      const change = byPath.get(loaded.path);
      if (change === undefined) continue;
      const no = (problem: Problem) => refused.push({ change, ...refuse(problem) });
      if ('problem' in loaded) {
        no(loaded.problem);
        continue;
      }
      const digest = digestSkill(loaded.skill);
      if (digest !== change.after?.digest) {
        no({ reason: 'content-changed-meanwhile', path: loaded.path });
        continue;
      }
      const { entries } = loaded.skill;
      const read = readSkill({ path: change.path, entries }, known, mapping);
      const skill = { path: standingAt(change), entries };
      if (read.ok) incoming.push({ ...read.value, change, skill, digest });
      else no(read.problem);
    }
    yield incoming;
  }
}

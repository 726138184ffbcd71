// What holds of the history after any edits by anyone in any order: an unbroken line of states.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/repository/connection.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill } from '../../src/skill/skill.ts';
import { type DatabaseKind, databaseKinds } from '../databases.ts';
import { runs } from '../runs.ts';
import {
  exportedLibrary,
  keptStates,
  type Library,
  nextSnapshot,
  presentStates,
  type State,
} from './kept.ts';
import { columnEdits, rowEdits } from './outside-edits.ts';

const usualRuns: { readonly [K in DatabaseKind]: number } = { postgres: 10, embedded: 2 };

const editsOf = (skill: number, free: number, nth: number) => {
  const skills = { skill, free, nth };
  return [...columnEdits(skills), ...rowEdits(skills)];
};

const anEdit = fc.record({
  of: fc.constantFrom('x' as const, 'y' as const, 'linked' as const),
  edit: fc.nat(editsOf(0, 0, 0).length - 1),
  undone: fc.boolean(),
});

const aStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      edits: fc.array(anEdit, { minLength: 1, maxLength: 6 }),
      end: fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      run: fc.constantFrom('export' as const, 'import' as const, 'sync' as const),
      force: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ write: fc.constantFrom('x' as const, 'y' as const, 'free' as const) }),
  },
);

type Step = typeof aStep extends fc.Arbitrary<infer S> ? S : never;

/** Takes a step. An edit that the database refuses is undone alone, as an application does it. */
async function take(step: Step, { connection, ids, run, write }: Library, nth: number): Promise<void> {
  if ('run' in step) {
    await run(step.run, { force: step.force });
    return;
  }
  if ('write' in step) {
    await write({ [`${step.write}/note.txt`]: `${nth}` });
    return;
  }
  await connection.query('begin');
  for (const [place, { of, edit, undone }] of step.edits.entries()) {
    const sql = editsOf(ids[of], ids.free, nth * 10 + place)[edit]?.sql ?? '';
    await connection.query('savepoint edit');
    const refused = await connection.query(sql).then(
      () => false,
      () => true,
    );
    await connection.query(undone || refused ? 'rollback to edit' : 'release edit');
  }
  await connection.query(step.end);
}

/** A state that was seen, and the digest that a sync would have taken it for; none where it was no skill. */
interface Seen {
  readonly state: State;
  readonly digest: string | undefined;
}

type Line = Map<string, Seen>;

const nameOf = ({ skillId, revision }: State) => `${skillId} at ${revision}`;

/** What a revision is, however often a sync writes down anew what it knows of it. */
const lasting = ({ skillId, revision, path, origin, writer }: State) => ({
  skillId,
  revision,
  path,
  origin,
  writer,
});

/** Adds what the database now holds to the line. One revision is one state. */
async function see(connection: Connection, line: Line, bySync: boolean): Promise<void> {
  const { digests } = await nextSnapshot(connection);
  for (const state of (await presentStates(connection)).values()) {
    const name = nameOf(state);
    const seen = line.get(name);
    const now: Seen = { state, digest: digests[state.path] };
    if (seen) {
      // A sync may settle what it found equal: another text of the same bytes.
      const of = bySync ? lasting : (whole: State) => ({ ...whole, digest: null });
      expect({ name, ...of(now.state), rendered: now.digest }).toEqual({
        name,
        ...of(seen.state),
        rendered: seen.digest,
      });
    }
    line.set(name, now);
  }
}

function digestOf({ path, tree }: State): string {
  const entries = Object.entries(tree).map(([file, [mode, bytes]]) => ({
    path: file as FilePath,
    executable: mode === '100755',
    bytes: Buffer.from(bytes, 'latin1'),
  }));
  return digestSkill(makeSkill(path as SkillPath, entries));
}

async function expectUnbroken(connection: Connection, line: Line): Promise<void> {
  const present = await presentStates(connection);
  const kept = await keptStates(connection);
  const past = [...line.values()].filter(
    ({ state }) => present.get(state.skillId)?.revision !== state.revision,
  );
  const inOrder = [...past].sort(
    (a, b) => a.state.skillId - b.state.skillId || a.state.revision - b.state.revision,
  );
  const withDigest = (state: State, digest: string | null | undefined) => ({ ...state, digest });
  // Files that a forced import overwrote were no state of the database.
  expect(kept.filter((state) => state.index !== null).map((state) => withDigest(state, null))).toEqual(
    inOrder.map(({ state }) => withDigest(state, null)),
  );
  for (const state of kept) {
    if (state.digest === null) continue;
    expect(digestOf(state)).toBe(state.digest);
    if (state.index !== null) expect(line.get(nameOf(state))?.digest ?? state.digest).toBe(state.digest);
  }
}

describe.each(databaseKinds)('the history on %s', (kind) => {
  test('holds every state that was ever committed and is no more, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 12 }), async (steps) => {
        const library = await exportedLibrary(kind);
        const line: Line = new Map();
        await see(library.connection, line, false);
        for (const [place, step] of steps.entries()) {
          await take(step, library, place + 1);
          await see(library.connection, line, 'run' in step);
        }
        await expectUnbroken(library.connection, line);
        await library.connection.close();
      }),
      { numRuns: runs(usualRuns[kind]) },
    );
  });
});

// In generated worlds, where changes meet edits by others, each replica does as the one in memory does.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Change, interrupted, type Loaded, type Replica, type Result } from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { lawTimeout, runs, usualSeed } from '../runs.ts';
import { document } from '../sync/sides.ts';
import { type Files, filesOf, memorySubject, type Subject, skillOf, subjects } from './subjects.ts';

const usualRuns = (name: string) => (name.includes('database') ? 10 : 50);

const paths = ['a', 'a/b', 'c', 'd/e'] as const;

function filesWith(documents: readonly string[]): fc.Arbitrary<Files> {
  return fc
    .record({
      name: fc.constantFrom(...documents),
      body: fc.constantFrom('One.\n', 'Two.', '\r\n'),
      attached: fc.tuple(
        fc.constantFrom('x', '*x'),
        fc.constantFrom('y/z', '*y/z'),
        fc.constant('deep/er/v'),
      ),
      count: fc.nat(3),
      bytes: fc.constantFrom('', 'text', '\xff\0'),
    })
    .map(({ name, body, attached, count, bytes }) => ({
      [name]: document('n', body),
      ...Object.fromEntries(attached.slice(0, count).map((file) => [file, bytes])),
    }));
}

/** What happens at one path. Whoever puts rows into a database by hand has no bit for the document. */
const fate = fc.record({
  standing: fc.option(filesWith(['SKILL.md'])),
  wanted: fc.oneof(fc.constant('kept' as const), fc.constant(null), filesWith(['SKILL.md', '*SKILL.md'])),
  meanwhile: fc.constantFrom('nothing', 'nothing', 'edit', 'remove'),
  nth: fc.nat(11),
  source: fc.constantFrom('has it', 'has it', 'has it', 'has another', 'has a problem', 'has nothing'),
});

const world = fc.record({
  fates: fc.tuple(fate, fate, fate, fate),
  batch: fc.integer({ min: 1, max: 3 }),
  abortAt: fc.option(fc.nat(5)),
});

type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

interface Lived {
  readonly results: readonly Result[];
  readonly before: { readonly [path: string]: Files };
  readonly after: { readonly [path: string]: Files };
}

/** Lets a world happen to a replica, and looks at what is there before and after the changes. */
async function live(subject: Subject, replica: Replica, { fates, batch, abortAt }: World): Promise<Lived> {
  const places = fates.map((one, index) => ({ ...one, path: paths[index] as SkillPath }));
  await subject.empty();
  await subject.put(places.flatMap(({ path, standing }) => (standing ? [skillOf(path, standing)] : [])));
  const { skills } = await replica.snapshot();
  const changes = places.flatMap(({ path, standing, wanted }): readonly Change[] => {
    if (wanted === 'kept' || (wanted === null && standing === null)) return [];
    const after = wanted && { digest: digestSkill(skillOf(path, wanted)) };
    return [{ path, before: skills.get(path) ?? null, after }];
  });
  for (const { path, standing, meanwhile, nth } of places) {
    const ways = meanwhile === 'edit' ? subject.edits : meanwhile === 'remove' ? subject.removals : [];
    if (standing) await ways[nth % ways.length]?.(path);
  }
  const held = places.flatMap(({ path, wanted, source }): readonly Loaded[] => {
    if (wanted === 'kept' || wanted === null || source === 'has nothing') return [];
    if (source === 'has a problem') {
      return [{ path, problem: { reason: 'folder-unreadable', path, code: 'EACCES' } }];
    }
    return [{ path, skill: skillOf(path, source === 'has it' ? wanted : { ...wanted, other: '' }) }];
  });
  const before = await subject.look();
  const controller = new AbortController();
  if (abortAt === 0) controller.abort();
  const results = await replica.apply(
    changes,
    async function* (asked) {
      const wanted = asked.flatMap((path) => held.filter((one) => one.path === path));
      for (let at = 0; at < wanted.length; at += batch) {
        if (abortAt !== null && abortAt <= at + 1) controller.abort();
        yield wanted.slice(at, at + batch);
      }
    },
    controller.signal,
  );
  return { results, before, after: await subject.look() };
}

describe.each(subjects)('%s', (name, { isSkipped, setUp }) => {
  test.skipIf(isSkipped)(
    'does what was answered and no more, as the replica in memory does',
    async () => {
      const [subject, model] = [await setUp(), await memorySubject()];
      const [replica, modelReplica] = [await subject.open(), await model.open()];
      const newcomer = await subject.open();
      await fc.assert(
        fc.asyncProperty(world, async (happening) => {
          const { results, before, after } = await live(subject, replica, happening);
          const { skills } = await newcomer.snapshot();
          for (const [index, path] of paths.entries()) {
            const result = results.find(({ change }) => change.path === path);
            const wanted = happening.fates[index]?.wanted;
            const isDone = result?.ok && wanted !== undefined && wanted !== 'kept';
            expect({ path, files: after[path] }).toEqual({
              path,
              files: isDone ? (wanted ? filesOf(skillOf(path, wanted)) : undefined) : before[path],
            });
            if (result?.ok) expect(result.state).toEqual(skills.get(path as SkillPath) ?? null);
          }
          expect(await subject.leftOpen()).toEqual([]);
          if (happening.abortAt !== null) return;
          expect(results.some((result) => !result.ok && result.problem === interrupted)).toBe(false);
          const asModel = await live(model, modelReplica, happening);
          // What a deleted document leaves is in the way in files alone: no other replica holds what no skill owns.
          const isInTheWay = new Set(
            results.flatMap((result) =>
              !result.ok && result.problem.reason === 'file-in-the-way' ? [result.change.path] : [],
            ),
          );
          const answers = (lived: Lived) =>
            lived.results.flatMap(({ change, ok }) =>
              isInTheWay.has(change.path) ? [] : [[change.path, ok]],
            );
          expect(answers({ results, before, after })).toEqual(answers(asModel));
        }),
        { numRuns: runs(usualRuns(name)), ...usualSeed },
      );
    },
    lawTimeout,
  );
});

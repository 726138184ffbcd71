// What every side of a sync keeps to. Each law is asked of each replica; what one keeps alone stands in its own tests.

import { describe, expect, test } from 'vitest';
import { sentenceOf } from '../../src/problem.ts';
import {
  type Change,
  interrupted,
  type Load,
  type Loaded,
  type Replica,
  type Result,
  type Snapshot,
} from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import type { Skill } from '../../src/skill/skill.ts';
import { document } from '../sync/sides.ts';
import { type Files, filesOf, type Subject, skillOf, subjects } from './subjects.ts';

/** Skills as they are met: nested, with files of any bytes, documents that no writer of ours would make. */
const standing = [
  skillOf('a', {
    'SKILL.md': document('a'),
    'references/note.md': 'Note.\r\n',
    'image.bin': '\xff\0\xfe',
    '*bin/run': '#!/bin/sh\n',
    'empty.txt': '',
  }),
  skillOf('a/nested', { 'SKILL.md': document('nested'), 'note.md': 'Nested.' }),
  skillOf('b', {
    'SKILL.md':
      '\xef\xbb\xbf---\r\nname: b   # why\r\ndescription: About b.\r\nunknown: [1,  2]\r\n---\r\n\r\nNo end',
  }),
  skillOf('c/d/e', { 'SKILL.md': document('e', '') }),
  skillOf('f', { 'SKILL.md': document('f') }),
];

const [a, nested, b, e, f] = standing as [Skill, Skill, Skill, Skill, Skill];

function small(name: string, more: Files = {}): Skill {
  return skillOf(name, { 'SKILL.md': document(name.replaceAll('/', '')), ...more });
}

/** Skills as a test reads them. */
function lookOf(skills: readonly Skill[]): { readonly [path: string]: Files } {
  return Object.fromEntries(skills.map((skill) => [skill.path, filesOf(skill)]));
}

function digestsOf({ skills }: Snapshot): { readonly [path: string]: string } {
  return Object.fromEntries([...skills].map(([path, { digest }]) => [path, digest]));
}

function pathsOf(skills: readonly Skill[]): readonly SkillPath[] {
  return skills.map(({ path }) => path);
}

async function batchesLoaded(replica: Replica, paths: readonly SkillPath[]) {
  const batches: (readonly Loaded[])[] = [];
  for await (const batch of replica.load(paths)) batches.push(batch);
  return batches;
}

/** Another side that holds just these skills, or cannot read them, and gives them in batches of so many. */
function sourceOf(held: readonly Loaded[], size = 2): Load {
  return async function* (paths) {
    const wanted = paths.flatMap((path) => held.filter((one) => one.path === path));
    for (let at = 0; at < wanted.length; at += size) yield wanted.slice(at, at + size);
  };
}

function held(...skills: readonly Skill[]): readonly Loaded[] {
  return skills.map((skill) => ({ path: skill.path, skill }));
}

/** Changes from what a snapshot shows to these skills; a path alone shall be absent. */
function changesTo(before: Snapshot, wanted: readonly (Skill | SkillPath)[]): readonly Change[] {
  return wanted.map((one) => {
    const path = typeof one === 'string' ? one : one.path;
    const after = typeof one === 'string' ? null : { digest: digestSkill(one) };
    return { path, before: before.skills.get(path) ?? null, after };
  });
}

function words(results: readonly Result[]): readonly string[] {
  return results.map(
    ({ change, ...result }) => `${change.path} ${result.ok ? 'done' : result.problem.reason}`,
  );
}

describe.each(subjects)('%s', (_, { isSkipped, setUp }) => {
  const law = isSkipped ? test.skip : test;

  /** The replica with skills in it, and its snapshot. */
  async function filled(skills: readonly Skill[] = standing) {
    const subject = await setUp();
    await subject.put(skills);
    const replica = await subject.open();
    return { subject, replica, snapshot: await replica.snapshot() };
  }

  /** What one who just came finds. Nothing is left open, and each result says what is there. */
  async function expectAsAnswered(subject: Subject, results: readonly Result[]): Promise<Snapshot> {
    const now = await (await subject.open()).snapshot();
    for (const result of results) {
      if (result.ok) expect(result.state).toEqual(now.skills.get(result.change.path) ?? null);
      else expect(sentenceOf(result.problem)).toMatchObject({ what: expect.any(String) });
    }
    expect(await subject.leftOpen()).toEqual([]);
    return now;
  }

  describe('a snapshot', () => {
    law('has each skill with the digest of its bytes, and nothing else', async () => {
      const { subject, replica, snapshot } = await filled();
      expect(digestsOf(snapshot)).toEqual(
        Object.fromEntries(standing.map((skill) => [skill.path, digestSkill(skill)])),
      );
      expect(snapshot.unreadable).toEqual([]);
      expect(await replica.snapshot()).toEqual(snapshot);
      expect(digestsOf(await (await subject.open()).snapshot())).toEqual(digestsOf(snapshot));
      expect(await subject.look()).toEqual(lookOf(standing));
    });

    law('of nothing is empty', async () => {
      const { snapshot } = await filled([]);
      expect([snapshot.skills.size, snapshot.unreadable]).toEqual([0, []]);
    });

    law('names what it cannot read, and has the others', async () => {
      const { subject, replica } = await filled();
      for (const path of ['a', 'f']) await subject.spoil(path);
      const snapshot = await replica.snapshot();
      expect([...snapshot.skills.keys()].sort()).toEqual(['a/nested', 'b', 'c/d/e']);
      expect(snapshot.unreadable.map(({ path, below }) => [path, below]).sort()).toEqual([
        ['a', false],
        ['f', false],
      ]);
      for (const { path, problem } of snapshot.unreadable) expect(problem).toMatchObject({ path });
      expect(await replica.snapshot()).toEqual(snapshot);
    });

    law('sees each way to change a skill, and to remove it', async () => {
      const { subject, replica } = await filled();
      for (const edit of subject.edits) {
        const before = digestsOf(await replica.snapshot());
        await edit('a');
        const { a: now, ...others } = digestsOf(await replica.snapshot());
        expect(now).not.toBe(before['a']);
        expect({ ...others, a: before['a'] }).toEqual(before);
      }
      for (const [nth, remove] of subject.removals.entries()) {
        await subject.put([small(`gone${nth}`)]);
        expect((await replica.snapshot()).skills.has(`gone${nth}` as SkillPath)).toBe(true);
        await remove(`gone${nth}`);
        expect((await replica.snapshot()).skills.has(`gone${nth}` as SkillPath)).toBe(false);
      }
    });

    law('that was interrupted rejects with the reason of that, and the replica works on', async () => {
      const { subject, replica, snapshot } = await filled();
      const reason = new Error('enough');
      await expect(replica.snapshot(AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const late = replica.snapshot(controller.signal).then(digestsOf, (error: unknown) => error);
      controller.abort(reason);
      expect([reason, digestsOf(snapshot)]).toContainEqual(await late);
      expect(await subject.leftOpen()).toEqual([]);
      expect(await replica.snapshot()).toEqual(snapshot);
    });
  });

  describe('a load', () => {
    law('gives what was asked for in that order, byte for byte', async () => {
      const { replica } = await filled();
      const asked = [f, a, e, nested, b];
      const loaded = (await batchesLoaded(replica, pathsOf(asked))).flat();
      expect(loaded.map(({ path }) => path)).toEqual(pathsOf(asked));
      expect(lookOf(loaded.flatMap((one) => ('skill' in one ? one.skill : [])))).toEqual(lookOf(asked));
      expect(await batchesLoaded(replica, [])).toEqual([]);
    });

    law('says what it cannot give, and gives the others', async () => {
      const { subject, replica } = await filled();
      const gone = subject.removals.map((remove, nth) => ({ remove, skill: small(`gone${nth}`) }));
      await subject.put(gone.map(({ skill }) => skill));
      await replica.snapshot();
      for (const { remove, skill } of gone) await remove(skill.path);
      await subject.spoil('f');
      const asked = [
        a.path,
        ...pathsOf(gone.map(({ skill }) => skill)),
        f.path,
        'never' as SkillPath,
        b.path,
      ];
      const loaded = (await batchesLoaded(replica, asked)).flat();
      expect(loaded.map((one) => [one.path, 'skill' in one])).toEqual(
        asked.map((path) => [path, path === 'a' || path === 'b']),
      );
      for (const one of loaded) if ('problem' in one) expect(one.problem).toMatchObject({ path: one.path });
    });

    law('comes in batches of at most 200 skills, and 8 MiB unless one skill alone has more', async () => {
      const many = Array.from({ length: 450 }, (_, nth) => small(`many/s${nth}`));
      const MiB = 1024 * 1024;
      const large = [3, 3, 3, 9, 1, 1].map((size, nth) =>
        small(`large/s${nth}`, { 'large.bin': '\xff'.repeat(size * MiB) }),
      );
      const { replica } = await filled([...many, ...large]);
      const sizes = (await batchesLoaded(replica, pathsOf(many))).map((batch) => batch.length);
      expect([Math.max(...sizes), sizes.reduce((sum, size) => sum + size)]).toEqual([200, 450]);
      const batches = await batchesLoaded(replica, pathsOf(large));
      expect(batches.flat().map(({ path }) => path)).toEqual(pathsOf(large));
      for (const batch of batches) {
        const files = batch.flatMap((one) => ('skill' in one ? one.skill.entries : []));
        const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
        expect(batch.length === 1 || bytes <= 8 * MiB).toBe(true);
      }
    });

    law('that nobody reads to its end leaves nothing open, and the replica works on', async () => {
      const { subject, replica } = await filled(Array.from({ length: 450 }, (_, nth) => small(`s${nth}`)));
      const { skills } = await replica.snapshot();
      for await (const batch of replica.load([...skills.keys()])) {
        expect(batch.length).toBe(200);
        break;
      }
      replica.load([...skills.keys()])[Symbol.asyncIterator]();
      expect(await subject.leftOpen()).toEqual([]);
      expect((await batchesLoaded(replica, [...skills.keys()])).flat()).toHaveLength(450);
    });
  });

  describe('changes', () => {
    /** One of each kind: created, replaced, taken away, nested and not. */
    const wanted = [
      f.path,
      skillOf('new', { '*SKILL.md': document('new') }),
      a.path,
      skillOf('b', { ...filesOf(b), '*run.sh': 'run' }),
      skillOf('a/nested', { 'SKILL.md': document('nested', 'Other.'), '*note.md': 'Nested.' }),
      small('c/d/e/below', { 'x/y/z': '\0' }),
      skillOf('c/d/e', { 'SKILL.md': document('e', ''), 'deep/one.md': 'One', 'deep/two.md': 'Two' }),
    ];
    const brought = wanted.filter((one) => typeof one !== 'string');

    law('create, replace and remove, with one answer each, in their order', async () => {
      const { subject, replica, snapshot } = await filled();
      const changes = changesTo(snapshot, wanted);
      const results = await replica.apply(changes, sourceOf(held(...brought)));
      expect(results.map(({ change }) => change)).toEqual(changes);
      expect(words(results)).toEqual(changes.map(({ path }) => `${path} done`));
      await expectAsAnswered(subject, results);
      expect(await subject.look()).toEqual(lookOf(brought));
      const loaded = (await batchesLoaded(replica, pathsOf(brought))).flat();
      expect(loaded).toEqual(held(...brought));
    });

    law('that were carried out before change nothing more', async () => {
      const { subject, replica, snapshot } = await filled();
      const changes = changesTo(snapshot, wanted);
      await replica.apply(changes, sourceOf(held(...brought)));
      const now = await subject.look();
      const results = await replica.apply(changes, sourceOf(held(...brought)));
      expect(results.map(({ ok }) => ok)).toEqual(changes.map(() => false));
      expect(await subject.look()).toEqual(now);
    });

    law('of nothing are none', async () => {
      const { subject, replica } = await filled();
      expect(await replica.apply([], sourceOf([]))).toEqual([]);
      expect(await subject.look()).toEqual(lookOf(standing));
      expect(await subject.leftOpen()).toEqual([]);
    });

    law('that the world overtook are refused alone, and what others wrote stands', async () => {
      const subject = await setUp();
      const overtakings = [
        ...[...subject.edits, ...subject.removals].map((act) => ({ act, stands: true })),
        { act: (path: string) => subject.put([small(path, { 'theirs.txt': 'Theirs.' })]), stands: false },
      ].flatMap(({ act, stands }, nth) => [
        { act, stands, skill: small(`o${nth}x`), after: small(`o${nth}x`, { 'mine.txt': 'Mine.' }) },
        ...(stands ? [{ act, stands, skill: small(`o${nth}y`), after: `o${nth}y` as SkillPath }] : []),
      ]);
      await subject.put([
        ...standing,
        ...overtakings.flatMap(({ skill, stands }) => (stands ? [skill] : [])),
      ]);
      const replica = await subject.open();
      const all = [...overtakings.map(({ after }) => after), ...wanted];
      const changes = changesTo(await replica.snapshot(), all);
      for (const { act, skill } of overtakings) await act(skill.path);
      const before = await subject.look();
      const digests = digestsOf(await (await subject.open()).snapshot());
      const results = await replica.apply(
        changes,
        sourceOf(held(...all.filter((one) => typeof one !== 'string'))),
      );
      expect(results.filter(({ ok }) => ok).map(({ change }) => change)).toEqual(
        changes.slice(overtakings.length),
      );
      expect(results).toHaveLength(changes.length);
      const now = await expectAsAnswered(subject, results);
      const theirs = Object.entries(before).filter(([path]) => /^(moved\/)?o\d/.test(path));
      expect(await subject.look()).toEqual({ ...lookOf(brought), ...Object.fromEntries(theirs) });
      for (const [path] of theirs) expect(now.skills.get(path as SkillPath)?.digest).toBe(digests[path]);
    });

    law(
      'without their content are refused, each with an answer, and the others are carried out',
      async () => {
        const { subject, replica, snapshot } = await filled();
        const [other, unreadable, missing, there] = ['a', 'b', 'new', 'f'].map((path) =>
          small(path, { 'mine.txt': 'Mine.' }),
        ) as [Skill, Skill, Skill, Skill];
        const changes = changesTo(snapshot, [other, unreadable, missing, there]);
        const problem = { reason: 'file-unreadable', path: 'b', file: 'x', code: 'EACCES' } as const;
        const results = await replica.apply(
          changes,
          sourceOf([...held(small('a'), there), { path: unreadable.path, problem }]),
        );
        expect(words(results)).toEqual([
          'a content-changed-meanwhile',
          'b file-unreadable',
          'new content-changed-meanwhile',
          'f done',
        ]);
        await expectAsAnswered(subject, results);
        expect(await subject.look()).toEqual({ ...lookOf(standing), ...lookOf([there]) });
      },
    );

    law('that cannot be taken, or meet what cannot be read, fail alone', async () => {
      const { subject, replica, snapshot } = await filled();
      const all = [small('refused'), ...wanted];
      const changes = changesTo(snapshot, all);
      await subject.refuse('refused');
      await subject.spoil('f');
      const spoilt = (await subject.look())['f'];
      const results = await replica.apply(changes, sourceOf(held(small('refused'), ...brought), 9));
      expect(results.map(({ change, ok }) => [change.path, ok])).toEqual(
        changes.map(({ path }) => [path, path !== 'refused' && path !== 'f']),
      );
      await expectAsAnswered(subject, results);
      expect(await subject.look()).toEqual({ ...lookOf(brought), f: spoilt });
    });
  });

  describe('changes that are interrupted', () => {
    const wanted = [
      f.path,
      ...['a', 'b', 'n1', 'n2', 'n3'].map((path) => small(path, { 'mine.txt': 'Mine.' })),
    ];
    const brought = wanted.filter((one) => typeof one !== 'string');
    const done = lookOf([nested, e, ...brought]);

    law('before they begin change nothing', async () => {
      const { subject, replica, snapshot } = await filled();
      const changes = changesTo(snapshot, wanted);
      const results = await replica.apply(changes, sourceOf(held(...brought)), AbortSignal.abort());
      expect(results).toEqual(changes.map((change) => ({ change, ok: false, problem: interrupted })));
      expect(await subject.look()).toEqual(lookOf(standing));
      await expectAsAnswered(subject, results);
    });

    law('at any time are whole or not begun, and go on from there', async () => {
      const subject = await setUp();
      const replica = await subject.open();
      for (let at = 0; at < 2 * brought.length; at++) {
        await subject.empty();
        await subject.put(standing);
        const controller = new AbortController();
        let steps = 0;
        const step = () => {
          if (steps++ === at) controller.abort();
        };
        const changes = changesTo(await replica.snapshot(), wanted);
        const results = await replica.apply(
          changes,
          async function* (paths) {
            for await (const batch of sourceOf(held(...brought), 1)(paths)) {
              step();
              yield batch;
              step();
            }
          },
          controller.signal,
        );
        expect(controller.signal.aborted).toBe(true);
        expect(results.map(({ change }) => change)).toEqual(changes);
        const left = results.flatMap((result) => (result.ok ? [] : [result]));
        if (at < 2 * brought.length - 1) expect(left).not.toEqual([]);
        // One problem for all, so that it is said once.
        expect(left.filter(({ problem }) => problem !== interrupted)).toEqual([]);
        const now = await expectAsAnswered(subject, results);
        const untouched = new Set(left.map(({ change }) => change.path));
        const before: { readonly [path: string]: Files } = lookOf(standing);
        const look: { [path: string]: Files } = { ...done };
        for (const path of untouched) {
          const was = before[path];
          if (was) look[path] = was;
          else delete look[path];
        }
        expect(await subject.look()).toEqual(look);
        const again = changesTo(
          now,
          wanted.filter((one) => untouched.has(typeof one === 'string' ? one : one.path)),
        );
        await replica.snapshot();
        const rest = await replica.apply(again, sourceOf(held(...brought)));
        expect(words(rest)).toEqual(again.map(({ path }) => `${path} done`));
        expect(await subject.look()).toEqual(done);
      }
    });
  });
});

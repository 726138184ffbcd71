// A run that is killed, or whose disk fails, before each of its effects in turn: nothing half, and the next one ends it.

import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Disk } from '../../src/disk.ts';
import { nodeDisk } from '../../src/disk.ts';
import type { Change, Result } from '../../src/replica.ts';
import { digestSkill } from '../../src/skill/digest.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import type { Skill } from '../../src/skill/skill.ts';
import { dyingDisk, failingDisk, Killed, watchedDisk } from './effects.ts';
import {
  type Folder,
  makeFolder,
  open,
  readFolder,
  skillOf,
  sourceOf,
  systemError,
  writeFolder,
} from './folder.ts';

/** What the directory holds before. */
const before: Folder = {
  'edited/SKILL.md': 'old',
  'edited/a': 'old',
  'edited/b/c': 'old',
  'edited/b/gone': 'old',
  'edited/run': { run: 'same' },
  'edited/.env': 'secret',
  'swapped/SKILL.md': 'same',
  'swapped/x': 'old',
  'swapped/y/z': 'old',
  'renamed/skill.md': 'same',
  'removed/SKILL.md': 'old',
  'removed/a/b': 'old',
  'removed/c': 'old',
  'kept/removed/SKILL.md': 'old',
  'kept/removed/.env': 'secret',
  'upper/SKILL.md': 'same',
  'upper/lower/x': 'old',
  'same/SKILL.md': 'same',
};

/** What its skills shall be; null where they go. */
const wanted: Readonly<Record<string, Skill | null>> = {
  edited: skillOf('edited', { 'SKILL.md': 'new', a: 'new', 'b/c': 'new', 'd/e/f': 'new', run: 'same' }),
  swapped: skillOf('swapped', { 'SKILL.md': 'same', 'x/w': 'new', y: 'new' }),
  renamed: skillOf('renamed', { 'SKILL.md': 'same' }),
  removed: null,
  'kept/removed': null,
  upper: skillOf('upper', { 'SKILL.md': 'same' }),
  'upper/lower': skillOf('upper/lower', { 'SKILL.md': 'new', x: 'new' }),
  'new/skill': skillOf('new/skill', { 'SKILL.md': 'new', run: { run: 'new' }, 'a/b/c': 'new' }),
};

const after: Folder = {
  'edited/SKILL.md': 'new',
  'edited/a': 'new',
  'edited/b/c': 'new',
  'edited/d/e/f': 'new',
  'edited/run': 'same',
  'edited/.env': 'secret',
  'swapped/SKILL.md': 'same',
  'swapped/x/w': 'new',
  'swapped/y': 'new',
  'renamed/SKILL.md': 'same',
  'kept/removed/.env': 'secret',
  'upper/SKILL.md': 'same',
  'upper/lower/SKILL.md': 'new',
  'upper/lower/x': 'new',
  'new/skill/SKILL.md': 'new',
  'new/skill/run': { run: 'new' },
  'new/skill/a/b/c': 'new',
  'same/SKILL.md': 'same',
};

const paths = Object.keys(wanted) as SkillPath[];
const source = sourceOf(Object.values(wanted).flatMap((skill) => skill ?? []));
const afterOf = (skill: SkillPath) => {
  const it = wanted[skill];
  return it ? digestSkill(it) : undefined;
};

/** One run as a sync has it: goes on with what was begun, plans, and carries that out. */
async function run(root: string, disk: Disk = nodeDisk): Promise<readonly Result[]> {
  const directory = await open(root, { disk });
  await directory.recover();
  const { skills, unreadable } = await directory.snapshot();
  const changes = paths.flatMap((skill): readonly Change[] => {
    const [now, then] = [skills.get(skill) ?? null, afterOf(skill)];
    const isKnown = unreadable.every(({ path: unknown }) => unknown !== skill);
    return isKnown && now?.digest !== then
      ? [{ path: skill, before: now, after: then === undefined ? null : { digest: then } }]
      : [];
  });
  return directory.apply(changes, source);
}

/** A file that one skill gives up before another gets it. */
const handedOver = 'upper/lower/x';

/** What each skill was before: a plan made of anything else would take half a run for an edit. */
const initial = await (async () => {
  const root = fs.mkdtempSync('/tmp/skill-fleet-initial-');
  writeFolder(root, before);
  const { skills } = await (await open(root)).snapshot();
  fs.rmSync(root, { recursive: true });
  return skills;
})();

/** Everything but our own files. */
function contentOf(root: string): Folder {
  const own = (name: string) => /(^|\/)\.skill-fleet-/.test(name);
  return Object.fromEntries(Object.entries(readFolder(root)).filter(([name]) => !own(name)));
}

/** Each file is whole, the old one or the new one, and nobody would take a mixture for an edit. */
async function expectNothingHalf(root: string): Promise<void> {
  const now = contentOf(root);
  for (const [name, content] of Object.entries(now)) {
    if (content !== 'FOLDER') expect([before[name], after[name]], name).toContainEqual(content);
  }
  for (const name of Object.keys(before)) {
    if (name in after && name !== handedOver) expect(now).toHaveProperty([name]);
  }
  const { skills, unreadable } = await (await open(root)).snapshot();
  const unknown = new Set(unreadable.map((one) => one.path));
  for (const skill of paths) {
    if (unknown.has(skill)) continue;
    expect([initial.get(skill)?.digest, afterOf(skill)], skill).toContain(skills.get(skill)?.digest);
  }
  const problems = new Set(unreadable.map(({ problem }) => problem));
  expect([...problems].map(({ reason }) => reason)).toEqual(problems.size > 0 ? ['write-interrupted'] : []);
}

function trashed(root: string): readonly unknown[] {
  return Object.values(readFolder(`${root}-trash`)).filter((content) => content !== 'FOLDER');
}

/** Each effect everywhere, or only where nothing else would tell. */
const isThorough = process.env['EVERY_EFFECT'] !== undefined;

/** Makes the folder, and gives it to `work` for as many effects as a run has. */
async function atEachEffect(
  work: (root: string, at: number) => Promise<boolean>,
  every = 1,
): Promise<number> {
  for (let at = 1; ; at += isThorough ? 1 : every) {
    const root = makeFolder(before);
    if (!(await work(root, at))) return at - 1;
    fs.rmSync(root, { recursive: true });
    fs.rmSync(`${root}-trash`, { recursive: true, force: true });
  }
}

async function runUntilKilled(root: string, at: number): Promise<boolean> {
  const disk = dyingDisk(at);
  await run(root, disk).catch((error) => {
    if (!(error instanceof Killed)) throw error;
  });
  return disk.hasDied();
}

test('a run that nobody disturbs ends as it shall', async () => {
  const root = makeFolder(before);
  const results = await run(root);
  expect(results.filter((result) => !result.ok)).toEqual([]);
  expect(readFolder(root)).toEqual(after);
  expect(trashed(root)).toEqual(['old', 'old', 'old', 'old']);
});

test('killed before each effect, nothing is half, and the next run ends as an undisturbed one', async () => {
  const effects = await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    await expectNothingHalf(root);
    expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
    expect(readFolder(root), `killed before ${at}`).toEqual(after);
    expect(trashed(root)).toEqual(['old', 'old', 'old', 'old']);
    return died;
  }, 2);
  expect(effects).toBeGreaterThan(100);
});

test('killed again while it is brought to an end, the one after that ends it', async () => {
  await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    await runUntilKilled(root, 1 + ((at * 7) % 23));
    await expectNothingHalf(root);
    expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
    expect(readFolder(root), `killed before ${at}`).toEqual(after);
    return died;
  }, 5);
});

test('killed, and its folders moved by somebody, what was staged in them goes all the same', async () => {
  let moved = 0;
  await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    const [from, to] = [path.join(root, 'edited'), path.join(root, 'same/edited')];
    fs.renameSync(from, to);
    if (/\.skill-fleet-/.test(Object.keys(readFolder(to)).join())) moved++;
    await (await open(root)).recover();
    expect(Object.keys(readFolder(root)).filter((name) => /(^|\/)\.skill-fleet-/.test(name))).toEqual([]);
    return died;
  }, 3);
  expect(moved).toBeGreaterThan(3);
});

/** What a user does to the files once the run was killed. */
const edits: readonly (readonly [string, string | null])[] = [
  ['edited/SKILL.md', 'mine'],
  ['edited/b/c', null],
  ['edited/b/gone', 'mine'],
  ['removed/SKILL.md', 'mine'],
  ['removed/c', 'mine'],
  ['swapped/x', null],
  ['new/skill/SKILL.md', 'mine'],
];

test.each(edits)('what a user makes of %s since the kill stays: %s', async (file, content) => {
  await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    const place = path.join(root, file);
    const stood = fs.existsSync(place) && fs.statSync(place).isFile();
    const isPossible = fs.existsSync(path.dirname(place)) && (content !== null || stood);
    if (isPossible) {
      if (content === null) fs.rmSync(place);
      else fs.writeFileSync(place, content);
    }
    const directory = await open(root);
    expect(await directory.recover()).toMatchObject({ ok: true });
    if (isPossible) {
      const now = fs.existsSync(place) && fs.statSync(place).isFile() ? fs.readFileSync(place, 'utf8') : null;
      expect(now, `killed before ${at}`).toBe(content);
    }
    const leftovers = Object.keys(readFolder(root)).filter((name) => name.includes('.skill-fleet-'));
    expect(leftovers).toEqual([]);
    return died;
  }, 11);
});

test('a skill that somebody makes again since its removal was interrupted keeps what is left of it', async () => {
  let remade = 0;
  await atEachEffect(async (root, at) => {
    const died = await runUntilKilled(root, at);
    const place = (file: string) => path.join(root, 'removed', file);
    const left = ['a/b', 'c'].filter((file) => fs.existsSync(place(file)));
    if (fs.existsSync(place('SKILL.md')) || left.length === 0) return died;
    remade++;
    fs.writeFileSync(place('SKILL.md'), 'mine');
    expect(await (await open(root)).recover()).toMatchObject({ ok: true });
    for (const file of ['SKILL.md', ...left])
      expect(fs.existsSync(place(file)), `killed before ${at}`).toBe(true);
    return died;
  });
  expect(remade).toBeGreaterThan(0);
});

test.each(['', '{"version": 1, "repl'])('half a draft of a journal, %j, is cleared away', async (text) => {
  const root = makeFolder(before);
  const draft = path.join(root, '.skill-fleet-journal.draft');
  fs.writeFileSync(draft, text);
  expect(await (await open(root)).recover()).toEqual({ ok: true, value: [] });
  expect(readFolder(root)).toEqual(before);
});

test('of what could not be staged nothing is carried out, not even by the next run', async () => {
  await atEachEffect(async (root, at) => {
    let count = 0;
    const disk = watchedDisk(({ call, path: file }) => {
      if (++count >= at) throw new Killed('killed');
      // The document comes last: the other files of that skill are staged by then.
      if (call === 'write' && isStagedDocument(root, file)) throw systemError('ENOSPC');
    });
    await run(root, disk).catch((error) => {
      if (!(error instanceof Killed)) throw error;
    });
    expect(await (await open(root)).recover()).toMatchObject({ ok: true });
    const now = readFolder(root);
    for (const [name, content] of Object.entries(before)) {
      if (name.startsWith('edited/')) expect(now[name], `killed before ${at}: ${name}`).toEqual(content);
    }
    return count >= at;
  }, 4);
});

test('what failed half-way waits for the next run, also where this one is killed later', async () => {
  await atEachEffect(async (root, at) => {
    let count = 0;
    const disk = watchedDisk(({ call, path: file }) => {
      if (++count >= at) throw new Killed('killed');
      if (call === 'rename' && file === path.join(root, 'edited/SKILL.md')) throw systemError('EIO');
    });
    await run(root, disk).catch((error) => {
      if (!(error instanceof Killed)) throw error;
    });
    const next = await open(root);
    expect(await next.recover()).toMatchObject({ ok: true });
    const { skills } = await next.snapshot();
    const whole = [initial.get('edited' as SkillPath)?.digest, afterOf('edited' as SkillPath)];
    expect(whole, `killed before ${at}`).toContain(skills.get('edited' as SkillPath)?.digest);
    return count >= at;
  }, 4);
});

/** Whether a staged file is to become the document of the skill `edited`, as the journal's draft says. */
function isStagedDocument(root: string, file: string): boolean {
  const draft = JSON.parse(fs.readFileSync(path.join(root, '.skill-fleet-journal.draft'), 'utf8'));
  return draft.replacements.some(
    (one: { path: string; steps: readonly { file: string; staged: string | null }[] }) =>
      one.path === 'edited' &&
      one.steps.some(
        (step) => step.file === 'SKILL.md' && step.staged !== null && path.join(root, step.staged) === file,
      ),
  );
}

test.each([
  ['ENOSPC', true],
  ['EIO', false],
])('where an effect fails with %s, nothing is half, and the next run ends it', async (code, forGood) => {
  await atEachEffect(async (root, at) => {
    const disk = failingDisk(at, code, forGood);
    const results = await run(root, disk);
    if (disk.hasFailed() && forGood && at > 1) expect(results.some((result) => !result.ok)).toBe(true);
    for (const result of results) {
      if (result.ok || (result.problem.reason === 'file-in-the-way' && result.problem.file === handedOver))
        continue;
      expect(['cannot-write', 'disk-full']).toContain(result.problem.reason);
      expect(result.problem).toMatchObject({ code });
    }
    await expectNothingHalf(root);
    expect((await run(root)).filter((result) => !result.ok)).toEqual([]);
    const left = Object.keys(readFolder(root)).filter((name) => /\.skill-fleet-[0-9a-f]{8}-/.test(name));
    // What could not be cleared away where nothing could be written any more is no content, and in nobody's way.
    if (!forGood) expect(left).toEqual([]);
    expect(contentOf(root), `failed at ${at}`).toEqual(after);
    return disk.hasFailed();
  }, 5);
});

import { constants } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import type { Outcome, Problem } from '../../src/problem.ts';
import { type Digest, digestSkill } from '../../src/skill/digest.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { type Entry, makeSkill, type Skill } from '../../src/skill/skill.ts';
import { openPlan, PlanWriter, type SavedPlan } from '../../src/sync/plan-file.ts';
import { type PlanHeader, planDocument, type SavedChange } from '../../src/sync/plan-format.ts';
import { systemError } from '../directory/folder.ts';
import { temporaryFolder } from '../folders.ts';
import { schemaValidator } from '../schema-validator.ts';

const header: PlanHeader = {
  made: { at: '2026-01-02T03:04:05.678Z', by: 'ada', host: 'laptop', version: '0.1.0' },
  files: {
    host: 'laptop',
    directory: '/home/ada/skills',
    git: { repository: 'a'.repeat(40), directory: 'skills', commit: 'b'.repeat(40) },
  },
  database: { id: null, kind: 'postgres', host: 'db.example.org', name: 'skills' },
  direction: 'sync',
};

type Files = { readonly [file: string]: string | Buffer };

function skillOf(at: string, files: Files, executable: readonly string[] = []): Skill {
  const entries = Object.entries(files).map(([file, content]) => ({
    path: file as FilePath,
    executable: executable.includes(file),
    bytes: Buffer.isBuffer(content) ? content : Buffer.from(content),
  }));
  return makeSkill(at as SkillPath, entries);
}

function bringing(skill: Skill, more: Partial<SavedChange> = {}): SavedChange {
  return { path: skill.path, side: 'database', why: 'new', before: null, after: digestSkill(skill), ...more };
}

const removal: SavedChange = {
  path: 'c' as SkillPath,
  side: 'files',
  why: 'deleted',
  before: 'c'.repeat(64) as Digest,
  after: null,
  skillId: 7,
};

const small = skillOf('a/b', { 'SKILL.md': '# ä\r\n', 'run.sh': '', 'x.bin': Buffer.from([0xff, 0]) }, [
  'run.sh',
]);
const other = skillOf('b', { 'SKILL.md': 'other' });

async function save(
  file: string,
  adds: readonly (readonly [SavedChange, Skill | null])[],
  { disk = nodeDisk, limit }: { readonly disk?: Disk; readonly limit?: number } = {},
): Promise<Outcome<void>> {
  const writer = await PlanWriter.create(disk, file, header, limit);
  if (!writer.ok) return writer;
  for (const [change, skill] of adds) await writer.value.add(change, skill);
  return writer.value.finish();
}

/** The bytes of a plan with two contents and three changes. */
async function savedBytes(): Promise<Buffer> {
  const file = path.join(await temporaryFolder(), 'plan');
  const saved = await save(file, [
    [bringing(small), small],
    [bringing(other), other],
    [removal, null],
  ]);
  expect(saved.ok).toBe(true);
  return readFile(file);
}

async function opened(file: string): Promise<SavedPlan> {
  const plan = await openPlan(nodeDisk, file);
  if (!plan.ok) throw new Error(JSON.stringify(plan.problem));
  onTestFinished(() => plan.value.close());
  return plan.value;
}

async function problemOf(file: string, limit?: number): Promise<Problem | undefined> {
  const plan = await openPlan(nodeDisk, file, limit);
  if (plan.ok) await plan.value.close();
  return plan.ok ? undefined : plan.problem;
}

/** Gives a plan the checksum of what it holds, as whoever tampers with it would. */
function withChecksum(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  const body = bytes.subarray(0, bytes.indexOf('\n"checksum":') + 1);
  const checksum = createHash('sha256').update(body).digest('hex');
  return Buffer.concat([body, Buffer.from(`"checksum":"${checksum}"}\n`)]);
}

const names = fc.constantFrom('a', 'B', 'ä', 'x.txt', 'd/e', 'd/f.sh', '日本', '🙂');
const bytes = fc.oneof(
  fc
    .constantFrom('', '\ufeff# BOM\r\n', '\u0000\u0001\u007f', '\u2028"\\/', 'line\r\nline', '\ufffd')
    .map((one) => Buffer.from(one)),
  fc.uint8Array({ maxLength: 40 }).map((one) => Buffer.from(one)),
  fc.string({ unit: 'binary' }).map((one) => Buffer.from(one)),
  fc.constantFrom('eda080', 'efbbbf', 'c080', 'f4908080', 'e282').map((one) => Buffer.from(one, 'hex')),
);
const skills = fc
  .uniqueArray(fc.record({ path: names, executable: fc.boolean(), bytes }), { selector: (one) => one.path })
  .chain((files) =>
    fc
      .record({ executable: fc.boolean(), bytes })
      .map((document) =>
        makeSkill('s' as SkillPath, [
          { path: 'SKILL.md' as FilePath, ...document },
          ...files.map((file) => ({ ...file, path: file.path as FilePath })),
        ]),
      ),
  );

describe('a saved plan', () => {
  test('gives back every change and every byte', async () => {
    const folder = await temporaryFolder();
    await fc.assert(
      fc.asyncProperty(fc.array(skills, { maxLength: 5 }), async (contents) => {
        const file = path.join(folder, 'plan');
        const adds = contents.map((skill, index): [SavedChange, Skill] => [
          bringing(skill, { path: `p${index}` as SkillPath }),
          skill,
        ]);
        expect(await save(file, adds)).toEqual({ ok: true, value: undefined });
        const plan = await openPlan(nodeDisk, file);
        if (!plan.ok) throw new Error(JSON.stringify(plan.problem));
        const { header: read, changes, load, close } = plan.value;
        expect(read).toEqual(header);
        expect(changes).toEqual(adds.map(([change]) => change));
        const loaded: unknown[] = [];
        for await (const content of load(adds.map(([, skill]) => digestSkill(skill)))) loaded.push(content);
        await close();
        expect(loaded).toEqual(
          contents.map((skill) => ({ digest: digestSkill(skill), entries: skill.entries })),
        );
        const whole = JSON.parse(await readFile(file, 'utf8'));
        expect(whole.contents).toHaveLength(new Set(contents.map(digestSkill)).size);
      }),
      { numRuns: 200 },
    );
  });

  test('gives back all that a change may say', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    const change: SavedChange = {
      path: 'a/b' as SkillPath,
      side: 'database',
      why: 'renamed',
      before: digestSkill(other),
      after: digestSkill(small),
      from: 'old' as SkillPath,
      formerly: 'older' as SkillPath,
      skillId: 1,
      origin: 'database',
      changedAt: '2026-01-01T00:00:00.000Z',
      content: { side: 'files', path: 'b' as SkillPath },
    };
    // In whatever order the keys come.
    const turned = Object.fromEntries(Object.entries(change).reverse()) as unknown as SavedChange;
    expect(
      await save(file, [
        [turned, small],
        [{ ...bringing(small), side: 'files' }, null],
      ]),
    ).toMatchObject({ ok: true });
    expect((await opened(file)).changes[0]).toEqual(change);
  });

  test('writes text as text, and all else as Base64', async () => {
    const plan = JSON.parse((await savedBytes()).toString());
    expect(plan.contents[0].entries).toEqual([
      { path: 'SKILL.md', executable: false, text: '# ä\r\n' },
      { path: 'run.sh', executable: true, text: '' },
      { path: 'x.bin', executable: false, base64: '/wA=' },
    ]);
  });

  test('is what the published schema says', async () => {
    // WRITE_SCHEMA=1 writes it anew; biome formats it.
    const file = path.join(import.meta.dirname, '../../docs/reference/plan.schema.json');
    const schema = z.toJSONSchema(planDocument);
    if (process.env['WRITE_SCHEMA']) await writeFile(file, `${JSON.stringify(schema, null, 2)}\n`);
    const published = JSON.parse(await readFile(file, 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(schema)));
    const validate = schemaValidator().compile(published);
    const plan = JSON.parse((await savedBytes()).toString());
    validate(plan);
    expect(validate.errors).toBeNull();
    expect(validate({ ...plan, more: 1 })).toBe(false);
  });

  test('takes a skill of the digest that its change says, and no other', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    const writer = await PlanWriter.create(nodeDisk, file, header);
    if (!writer.ok) throw new Error(writer.problem.reason);
    await expect(writer.value.add(bringing(small), other)).rejects.toThrow('not the skill of a/b');
    await expect(writer.value.add(bringing(small), null)).rejects.toThrow('no content for a/b');
    await expect(writer.value.add(removal, small)).rejects.toThrow('not the skill of c');
    await writer.value.discard();
    await expect(writer.value.finish()).rejects.toThrow('given up');
    expect(await readdir(path.dirname(file))).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('the file of a plan', () => {
  test.each<[string, number, (file: string) => Promise<unknown>]>([
    ['where nothing stands', 0o000, async () => {}],
    ['under a umask that takes all from its owner', 0o777, async () => {}],
    [
      'over a file that all may read',
      0o000,
      async (file) => {
        await writeFile(file, 'old');
        await chmod(file, 0o644);
      },
    ],
    [
      'over a link, which is not followed',
      0o022,
      async (file) => {
        await writeFile(`${file}.target`, 'old');
        await symlink(`${file}.target`, file);
      },
    ],
    ['over a link that leads nowhere', 0o022, (file) => symlink('nowhere', file)],
  ])("is its owner's alone, from its first byte: %s", async (_, umask, before) => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'plan');
    await before(file);
    const others = await readdir(folder);
    const foreign: number[] = [];
    const modes: number[] = [];
    const disk: Disk = {
      ...nodeDisk,
      open: async (...args) => {
        const open = await nodeDisk.open(...args);
        const modeNow = async () => Number((await open.stat()).mode) & 0o777;
        if (args[2] !== undefined) foreign.push((await modeNow()) & 0o077);
        const write: typeof open.write = async (written) => {
          modes.push(await modeNow());
          await open.write(written);
        };
        return { ...open, write };
      },
    };
    const umaskBefore = process.umask(umask);
    try {
      expect(await save(file, [[bringing(small), small]], { disk })).toMatchObject({ ok: true });
    } finally {
      process.umask(umaskBefore);
    }
    expect(foreign).toEqual([0]);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual([...new Set([...others, 'plan'])].sort());
    if (others.includes('plan.target')) expect(await readFile(`${file}.target`, 'utf8')).toBe('old');
    await opened(file);
  });

  test.each<[string, string, (folder: string) => Promise<unknown>]>([
    ['a folder', 'it is a folder', (folder) => mkdir(`${folder}/plan`)],
    ['in a folder that is missing', 'ENOENT', (folder) => rm(folder, { recursive: true })],
    [
      'below a file',
      'ENOTDIR',
      async (folder) => {
        await rm(folder, { recursive: true });
        await writeFile(folder, '');
      },
    ],
    ['a pipe', 'it is no file', async (folder) => execFileSync('mkfifo', [`${folder}/plan`])],
    [
      'a link to a device',
      'it is a link to what is no file',
      (folder) => symlink('/dev/null', `${folder}/plan`),
    ],
  ])('is not written where it is %s', async (_, why, before) => {
    const folder = await temporaryFolder();
    await before(folder);
    const file = `${folder}/plan`;
    expect(await save(file, [])).toEqual({ ok: false, problem: { reason: 'plan-not-written', file, why } });
  });

  test.each(['write', 'sync', 'rename'] as const)(
    'leaves nothing behind where the %s fails',
    async (call) => {
      const folder = await temporaryFolder();
      const file = path.join(folder, 'plan');
      await writeFile(file, 'old');
      const fail = async () => {
        throw systemError('ENOSPC');
      };
      const disk: Disk = {
        ...nodeDisk,
        open: async (...args) => ({
          ...(await nodeDisk.open(...args)),
          ...(call !== 'rename' && { [call]: fail }),
        }),
        ...(call === 'rename' && { rename: fail }),
      };
      expect(await save(file, [[bringing(small), small]], { disk })).toEqual({
        ok: false,
        problem: { reason: 'plan-not-written', file, why: 'ENOSPC' },
      });
      expect(await readdir(folder)).toEqual(['plan']);
      expect(await readFile(file, 'utf8')).toBe('old');
    },
  );

  test('is neither written nor read beyond the limit', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'plan');
    const adds = [[bringing(small), small]] as const;
    await save(file, adds);
    const { size } = await stat(file);
    const tooLarge = { reason: 'plan-too-large', file, limit: size - 1 };
    expect(await problemOf(file, size)).toBeUndefined();
    expect(await problemOf(file, size - 1)).toEqual(tooLarge);
    expect(await save(file, adds, { limit: size })).toMatchObject({ ok: true });
    await rm(file);
    for (let limit = 0; limit < size; limit += 10) {
      expect(await save(file, adds, { limit })).toEqual({ ok: false, problem: { ...tooLarge, limit } });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test('holds no skill that could not be read again', async () => {
    const folder = await temporaryFolder();
    const huge = skillOf('huge', {
      'SKILL.md': '',
      'zeros.bin': Buffer.alloc(constants.MAX_STRING_LENGTH / 2 + 1),
    });
    expect(await save(path.join(folder, 'plan'), [[bringing(huge), huge]])).toMatchObject({
      ok: false,
      problem: { reason: 'plan-too-large' },
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each<[string, Partial<Problem>, (file: string) => unknown]>([
    ['nowhere', { reason: 'plan-not-found' }, () => {}],
    ['a folder', { reason: 'plan-not-readable', why: 'it is no file' }, (file) => mkdir(file)],
    [
      'a pipe',
      { reason: 'plan-not-readable', why: 'it is no file' },
      (file) => execFileSync('mkfifo', [file]),
    ],
    ['a device', { reason: 'plan-not-readable', why: 'it is no file' }, (file) => symlink('/dev/zero', file)],
    ['a circle of links', { reason: 'plan-not-readable', why: 'ELOOP' }, (file) => symlink(file, file)],
  ])('is refused where it is %s, and nobody waits', async (_, problem, before) => {
    const file = path.join(await temporaryFolder(), 'plan');
    await before(file);
    expect(await problemOf(file)).toEqual({ file, ...problem });
  });

  test('is read through a link', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    await writeFile(`${file}.target`, await savedBytes());
    await symlink('plan.target', file);
    await opened(file);
  });
});

describe('a plan is refused', () => {
  test('with any byte of it changed', async () => {
    const good = await savedBytes();
    const file = path.join(await temporaryFolder(), 'plan');
    for (let at = 0; at < good.length; at++) {
      for (const mask of [0x01, 0x20, 0x80]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ mask;
        await writeFile(file, bad);
        expect({ at, reason: (await problemOf(file))?.reason }).toEqual({
          at,
          reason: expect.stringMatching(/^plan-(damaged|newer)$/),
        });
      }
    }
  });

  test('cut off at any length, and with anything after its end', async () => {
    const good = await savedBytes();
    const file = path.join(await temporaryFolder(), 'plan');
    for (let length = 0; length < good.length; length++) {
      await writeFile(file, good.subarray(0, length));
      expect({ length, reason: (await problemOf(file))?.reason }).toEqual({ length, reason: 'plan-damaged' });
    }
    for (const more of [' ', '\n', '{}\n', good]) {
      await writeFile(file, Buffer.concat([good, Buffer.from(more)]));
      expect((await problemOf(file))?.reason).toBe('plan-damaged');
    }
  });

  // Of the small plan's lines, 3 and 4 are contents, 7 to 9 are changes.
  const change = JSON.stringify(bringing(small));
  const a = digestSkill(small);
  test.each<[string, number, (good: string) => string]>([
    ['reformatted', 1, (good) => JSON.stringify(JSON.parse(good), null, 2)],
    ['on one line', 1, (good) => JSON.stringify(JSON.parse(good))],
    ['with line breaks of Windows', 1, (good) => good.replaceAll('\n', '\r\n')],
    ['with a BOM', 1, (good) => `\ufeff${good}`],
    [
      'with a key twice in its header',
      1,
      (good) => good.replace('"direction":', '"direction":"import","direction":'),
    ],
    [
      'with another key in its header',
      1,
      (good) => good.replace('"direction":', '"force":true,"direction":'),
    ],
    [
      'with __proto__ in its header',
      1,
      (good) => good.replace('"direction":', '"__proto__":{"id":1},"direction":'),
    ],
    ['with a commit that is an option', 1, (good) => good.replace('b'.repeat(40), '--output=x')],
    [
      'with its keys in another order',
      1,
      (good) =>
        good.replace('"format":"skill-fleet plan","version":1', '"version":1,"format":"skill-fleet plan"'),
    ],
    ['of version 0', 1, (good) => good.replace('"version":1', '"version":0')],
    [
      'with 10 MB of nesting in its header',
      1,
      (good) => good.replace('"made":{', `"made":${'['.repeat(5e6)}${']'.repeat(5e6)},"x":{`),
    ],
    ['without its contents', 2, (good) => good.replace('"contents":[', '"content":[')],
    ['with a content twice', 4, (good) => good.replace(/(\{"digest":.*,)\n/, '$1\n$1\n')],
    ['with a content that has no entries', 3, (good) => good.replace('"entries":[', '"entry":[')],
    ['with something else among its contents', 3, (good) => good.replace('{"digest":', '{"digests":')],
    [
      'with a digest that is none',
      3,
      (good) => good.replace(`{"digest":"${a}`, `{"digest":"${a.toUpperCase()}`),
    ],
    ['without a content that is needed', 7, (good) => good.replace(/,\n\{"digest":.*\n\],/, '\n],')],
    [
      'with a content that nobody needs',
      4,
      (good) => good.replace(`${JSON.stringify(bringing(other))},\n`, ''),
    ],
    ['with a comma too many', 10, (good) => good.replace('"skillId":7}', '"skillId":7},')],
    ['with a comma too few', 8, (good) => good.replace(`${change},\n`, `${change}\n`)],
    ['with a path that leads out', 7, (good) => good.replace(change, change.replace('a/b', '../x'))],
    ['with a number for a path', 7, (good) => good.replace(change, change.replace('"a/b"', '1'))],
    [
      'with a change that has __proto__',
      7,
      (good) => good.replace(change, change.replace('{', '{"__proto__":{},')),
    ],
    [
      'with a change that has a key twice',
      7,
      (good) => good.replace(change, change.replace('{', '{"path":"x",')),
    ],
    [
      'with a change that has another key',
      7,
      (good) => good.replace(change, change.replace('{', '{"sql":"x",')),
    ],
    [
      'with a path spelled with escapes',
      7,
      (good) => good.replace(change, change.replace('a/b', '\\u0061/b')),
    ],
    ['with a long key', 7, (good) => good.replace(change, change.replace('{', `{"${'x'.repeat(1e5)}":1,`))],
    ['with a why that there is not', 7, (good) => good.replace(change, change.replace('"new"', '"because"'))],
    ['with a row that cannot be', 9, (good) => good.replace('"skillId":7', '"skillId":7e99')],
    [
      'with 10 MB of nesting in a change',
      7,
      (good) => good.replace(change, `${'['.repeat(5e6)}${']'.repeat(5e6)}`),
    ],
    [
      'with half a MB of nesting in a change',
      7,
      (good) => good.replace(change, `{"path":${'['.repeat(25e4)}${']'.repeat(25e4)}}`),
    ],
    [
      'with two changes of one side at one path',
      8,
      (good) => good.replace('"path":"b","side":"database"', '"path":"a/b","side":"database"'),
    ],
    ['with a change that is no JSON', 7, (good) => good.replace(change, 'null and void')],
  ])('%s, although the checksum is right', async (_, line, tamper) => {
    const good = (await savedBytes()).toString();
    const bad = tamper(good);
    expect(bad).not.toBe(good);
    const file = path.join(await temporaryFolder(), 'plan');
    await writeFile(file, bad.includes('\n"checksum":') ? withChecksum(bad) : bad);
    const problem = await problemOf(file);
    expect(problem).toMatchObject({ reason: 'plan-damaged', file, line });
    expect(JSON.stringify(problem).length).toBeLessThan(500);
  });

  test('with a line longer than any that is no content', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    const good = (await savedBytes()).toString();
    await writeFile(file, withChecksum(good.replace('"skillId":7', `"skillId":${'7'.repeat(2 ** 20)}`)));
    expect(await problemOf(file)).toEqual({ reason: 'plan-damaged', file, line: 9, why: 'it is too long' });
  });

  test('of a newer version, whatever follows', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    await writeFile(file, '{"format":"skill-fleet plan","version":12,"layout":"other"}');
    expect(await problemOf(file)).toEqual({ reason: 'plan-newer', file, version: 12 });
  });
});

describe('a content is refused', () => {
  const long = 'x'.repeat(600);
  const text = (at: string, content = '') =>
    `{"path":${JSON.stringify(at)},"executable":false,"text":"${content}"}`;
  const doc = text('SKILL.md', 'other');
  test.each<[string, string]>([
    ['that is another', text('SKILL.md', 'Other')],
    ['with another executable bit', doc.replace('false', 'true')],
    ['without files', ''],
    ['without a document', text('a')],
    ['with a file twice', `${doc},${doc}`],
    ['with its files in another order', `${text('a')},${doc}`],
    ['with a file below another', `${doc},${text('a')},${text('a/b')}`],
    ['with files that collide', `${text('A')},${doc},${text('a')}`],
    ['with a path that leads out', `${text('../SKILL.md')}`],
    ['with an absolute path', `${doc},${text('\\etc')}`],
    ['with a path that is too long', `${doc},${text(long)}`],
    ['with its keys in another order', '{"executable":false,"path":"SKILL.md","text":"other"}'],
    ['with a space at its end', `${doc}]} `],
    ['with a key twice', doc.replace('"text"', '"text":"x","text"')],
    ['with another key', doc.replace('"text"', '"mode":1,"text"')],
    ['with both forms', doc.replace('"text"', '"base64":"","text"')],
    ['with text as Base64', '{"path":"SKILL.md","executable":false,"base64":"b3RoZXI="}'],
    ['with Base64 that is none', '{"path":"SKILL.md","executable":false,"base64":"/*"}'],
    ['with escapes', text('SKILL.md', '\\u006fther')],
    ['with half a character', text('SKILL.md', '\\ud800')],
    ['with spaces', doc.replace(':', ': ')],
    ['that is no JSON', doc.slice(1)],
    ['that goes on', `${doc}]},{"digest":"","entries":[`],
    ['that is nested deeply', '['.repeat(1e6)],
  ])('%s', async (_, entries) => {
    const good = (await savedBytes()).toString();
    const file = path.join(await temporaryFolder(), 'plan');
    const wanted = digestSkill(other);
    const rest = entries.endsWith(' ') ? entries : `${entries}]}`;
    const bad = good.replace(new RegExp(`(${wanted}","entries":\\[).*`), `$1${rest}`);
    expect(bad).not.toBe(good);
    await writeFile(file, withChecksum(bad));
    const loaded: unknown[] = [];
    const { load } = await opened(file);
    for await (const content of load([wanted, digestSkill(small)])) loaded.push(content);
    expect(loaded).toEqual([
      { digest: wanted, problem: expect.objectContaining({ reason: 'plan-damaged', file, line: 4 }) },
      { digest: digestSkill(small), entries: small.entries },
    ]);
  });

  test.each<[string, readonly string[]]>([
    ['it has no SKILL.md', ['a']],
    ['its files are not in order, or one is there twice', ['SKILL.md', 'a', 'a']],
    ['its files are not in order, or one is there twice', ['a', 'SKILL.md']],
    ['one of its files stands below another', ['SKILL.md', 'a', 'a/b']],
    ['two of its files are one where case does not count', ['A', 'SKILL.md', 'a']],
    ['two of its files are one where case does not count', ['A/x', 'SKILL.md', 'a/y']],
  ])('although its digest is right: %s', async (why, files) => {
    const file = path.join(await temporaryFolder(), 'plan');
    const entries = files.map((one) => ({
      path: one as FilePath,
      executable: false,
      bytes: Buffer.from(''),
    }));
    const skill: Skill = { path: 's' as SkillPath, entries };
    await save(file, [[bringing(skill), skill]]);
    const digest = digestSkill(skill);
    for await (const content of (await opened(file)).load([digest])) {
      expect(content).toEqual({ digest, problem: { reason: 'plan-damaged', file, line: 3, why } });
    }
  });

  test('that was cut off after the plan was opened', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    await writeFile(file, await savedBytes());
    const { load } = await opened(file);
    await writeFile(file, '');
    for await (const content of load([digestSkill(small)])) {
      expect(content).toMatchObject({ problem: { reason: 'plan-damaged', line: 3 } });
    }
  });

  test('of no other file: one that takes its place later is not read', async () => {
    const file = path.join(await temporaryFolder(), 'plan');
    await writeFile(file, await savedBytes());
    const { load } = await opened(file);
    await writeFile(`${file}.new`, 'new');
    await rename(`${file}.new`, file);
    for await (const content of load([digestSkill(small)])) expect(content).toHaveProperty('entries');
  });
});

test('of 300 skills of 1 MiB, one at a time is in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const file = path.join(await temporaryFolder(), 'plan');
  const seen: WeakRef<Buffer>[] = [];
  const living = async () => {
    await new Promise((done) => setImmediate(done));
    collect();
    return seen.filter((one) => one.deref()).length;
  };
  const note = ({ entries }: { readonly entries: readonly Entry[] }) =>
    void seen.push(...entries.map((entry) => new WeakRef(entry.bytes)));
  const alive: number[] = [];
  let largestRead = 0;
  const disk: Disk = {
    ...nodeDisk,
    open: async (...args) => {
      const open = await nodeDisk.open(...args);
      const read: typeof open.read = (target, ...rest) => {
        largestRead = Math.max(largestRead, target.length);
        return open.read(target, ...rest);
      };
      return { ...open, read };
    },
  };

  const writer = await PlanWriter.create(disk, file, header);
  if (!writer.ok) throw new Error(writer.problem.reason);
  const addOne = async (index: number) => {
    const skill = skillOf(`s${index}`, { 'SKILL.md': Buffer.alloc(1024 * 1024, `${index} `) });
    note(skill);
    await writer.value.add(bringing(skill), skill);
  };
  for (let index = 0; index < 300; index++) {
    await addOne(index);
    if (index % 50 === 49) alive.push(await living());
  }
  expect(await writer.value.finish()).toMatchObject({ ok: true });
  expect(Math.max(...alive)).toBeLessThanOrEqual(2);

  seen.length = 0;
  alive.length = 0;
  const plan = await openPlan(disk, file);
  if (!plan.ok) throw new Error(plan.problem.reason);
  expect(largestRead).toBeLessThan(1024 * 1024);
  let count = 0;
  for await (const content of plan.value.load(plan.value.changes.flatMap(({ after }) => after ?? []))) {
    if ('entries' in content) note(content);
    count++;
    if (count % 50 === 0) alive.push(await living());
  }
  await plan.value.close();
  expect(seen).toHaveLength(300);
  expect(Math.max(...alive)).toBeLessThanOrEqual(2);
});

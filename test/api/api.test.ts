import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  exportToDb,
  importFromDb,
  type ReadSkill,
  readSkills,
  SkillFleetError,
  status,
  syncDb,
  validate,
} from '../../src/api/api.ts';
import { openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { nodeDisk } from '../../src/disk.ts';
import { databaseUrl, makeProject, nobodyThere, type Project, projectRoot, sql } from '../acceptance/cli.ts';
import { databaseKinds } from '../databases.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { schemaValidator } from '../schema-validator.ts';
import { document } from '../sync/sides.ts';

const schema = JSON.parse(
  await readFile(path.join(projectRoot, 'docs/reference/output.schema.json'), 'utf8'),
);
const ajv = schemaValidator().addSchema(schema, 'output');

/** The report, which the published schema knows. */
function known<T>(kind: 'run' | 'status' | 'validated', report: T): T {
  const isKnown = ajv.getSchema(`output#/$defs/${kind}`);
  isKnown?.(report);
  expect(isKnown?.errors).toBeNull();
  return report;
}

/** A project with two skills, of which a rule has something to say. */
async function projectOfTwo(): Promise<Project> {
  const project = await makeProject();
  await writeFiles(path.join(project.folder, 'skills'), {
    'a/SKILL.md': document('a', 'One.\n'),
    'b/SKILL.md': document('b', 'Two.\n'),
  });
  return project;
}

const print = async (project: Project, command: string, env?: { readonly [name: string]: string }) =>
  JSON.parse((await project.run([...command.split(' '), '--json'], env)).stdout);

function thrown(call: () => Promise<unknown>): Promise<unknown> {
  return call().then(
    () => expect.fail('nothing was thrown'),
    (error) => error,
  );
}

async function all(skills: AsyncIterable<ReadSkill>): Promise<readonly ReadSkill[]> {
  const read: ReadSkill[] = [];
  for await (const skill of skills) read.push(skill);
  return read;
}

describe.each(databaseKinds)('on %s a program', (kind) => {
  test('syncs, and is given what the command prints', async () => {
    const project = await projectOfTwo();
    const given = { databaseUrl: await databaseUrl(kind), cwd: project.folder };
    const plan = known('run', await exportToDb({ ...given, dryRun: true }));
    expect(plan.changes.map(({ path, operation, outcome }) => [path, operation, outcome])).toEqual([
      ['a', 'create', undefined],
      ['b', 'create', undefined],
    ]);
    expect(plan.database).not.toMatch(/:\/\//);
    expect(existsSync(path.join(project.folder, '.skill-fleet'))).toBe(false);
    const exported = known('run', await exportToDb(given));
    expect(exported).toMatchObject({ command: 'export-to-db', run: 1, summary: { done: 2 }, exitCode: 0 });
    expect(exported.validation?.findings.map(({ rule }) => rule)).toContain('description-without-when');
    await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a', 'One and a half.\n') });
    // At the same time, and an embedded database takes one at a time.
    const stand = { aheadHere: ['a'], synced: 1, total: 2 };
    for (const report of await Promise.all([status(given), status(given)])) {
      expect(known('status', report)).toMatchObject(stand);
    }
  });
});

describe('a program', () => {
  test('takes what the database gained, both ways, and from one call to the next', async () => {
    const project = await projectOfTwo();
    const given = { databaseUrl: await databaseUrl('postgres'), cwd: project.folder, skillsDir: 'skills' };
    const [one, two] = await Promise.all([syncDb(given), syncDb(given)]);
    expect(one.summary.done + two.summary.done).toBe(2);
    await sql(given.databaseUrl, `update skills set skill_content = 'Theirs.' where skill_path = 'a'`);
    const imported = await importFromDb({ ...given, skillPath: ['a', 'nothing'] });
    expect(imported.changes).toMatchObject([{ path: 'a', side: 'files', outcome: 'success' }]);
    expect(imported).toMatchObject({ problems: [{ reason: expect.any(String) }], exitCode: 1 });
    expect(await readFile(path.join(project.folder, 'skills/a/SKILL.md'), 'utf8')).toMatch(/Theirs\.$/);
    expect(await status(given)).toMatchObject({ synced: 2, pending: 0, lastRun: { run: 2 } });
    // The very values that the commands print.
    await writeFiles(project.folder, { 'skills/c/SKILL.md': document('c', 'Three.\n') });
    const env = { DATABASE_URL: given.databaseUrl };
    const plan = await syncDb({ ...given, skillsDir: undefined, dryRun: true });
    expect(plan).toEqual(await print(project, 'sync-db --dry-run', env));
    const { next, ...stands } = await status({ ...given, skillsDir: undefined });
    const { next: printed, ...rest } = await print(project, 'status', env);
    expect(stands).toEqual(rest);
    expect(next.map((command) => command.replace(' --database-url URL', ''))).toEqual(printed);
  });

  test('is told of one skill that cannot be read, and the rest is done', async () => {
    const project = await projectOfTwo();
    await writeFiles(project.folder, { 'skills/bad/SKILL.md': Buffer.from([0xff]) });
    const report = await syncDb({ databaseUrl: await databaseUrl('postgres'), cwd: project.folder });
    expect(report).toMatchObject({
      summary: { done: 2 },
      problems: [{ reason: 'document-not-utf8', path: 'bad', what: expect.any(String) }],
      exitCode: 1,
    });
  });

  test('catches one error where nothing came of it, without the password', async () => {
    const project = await projectOfTwo();
    const reasons: unknown[] = [];
    for (const call of [
      () => syncDb({ databaseUrl: nobodyThere, cwd: project.folder, connectTimeout: 0 }),
      () => status({ databaseUrl: 'mysql://ana:secret-password@host/x', cwd: project.folder }),
      () => status({ databaseUrl: ' ', cwd: project.folder }),
      () => exportToDb({ databaseUrl: nobodyThere, cwd: project.folder, skillsDir: 'nowhere' }),
      () => validate('nowhere', { cwd: project.folder }),
      () => validate('skills', { cwd: project.folder, config: 'nowhere.yaml' }),
      () => all(readSkills('nowhere', { cwd: project.folder })),
    ]) {
      const error = await thrown(call);
      if (!(error instanceof SkillFleetError)) throw error;
      reasons.push(error.reason);
      expect(error.problems).toMatchObject([{ reason: error.reason, what: expect.any(String) }]);
      expect(error.message).toMatch(/^\S.* \S.*\.$/);
      expect(`${error.stack}${JSON.stringify(error.problems)}`).not.toContain('secret-password');
    }
    expect(reasons).toEqual([
      'database-unreachable',
      'database-url-not-understood',
      'database-url-not-set',
      'skills-directory-not-found',
      'skills-directory-not-found',
      'configuration-unreadable',
      'skills-directory-not-found',
    ]);
  });

  test('is refused options that are not understood, before anything is done', async () => {
    const databaseUrl = nobodyThere;
    const calls: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => syncDb({ databaseUrl, dryrun: true } as never), 'syncDb has no option dryrun'],
      [() => syncDb({ databaseUrl, constructor: 1 } as never), 'syncDb has no option constructor'],
      [() => exportToDb({ databaseUrl, onConflict: 'fail' } as never), 'exportToDb has no option onConflict'],
      [() => syncDb({ databaseUrl, dryRun: 'yes' } as never), 'dryRun of syncDb is to be true or false'],
      [
        () => syncDb({ databaseUrl, onConflict: 'mine' } as never),
        'onConflict of syncDb is to be one of newest',
      ],
      [
        () => importFromDb({ databaseUrl, maxDelete: 101 }),
        'maxDelete of importFromDb is to be a number from 0',
      ],
      [
        () => importFromDb({ databaseUrl, maxDelete: Number.NaN }),
        'maxDelete of importFromDb is to be a number',
      ],
      [() => status({ databaseUrl, signal: {} } as never), 'signal of status is to be an AbortSignal'],
      [() => status({ databaseUrl: 1 } as never), 'databaseUrl of status is to be a text'],
      [() => validate('skills', { target: 'all' } as never), 'target of validate is to be one of spec'],
      [() => all(readSkills('skills', { cwd: '' })), 'cwd of readSkills is to be a text'],
    ];
    for (const [call, message] of calls) {
      const error = await thrown(call);
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toContain(message);
    }
  });

  test('ends a call by a signal of its own, and its reason is what is thrown', async () => {
    const project = await projectOfTwo();
    const given = { databaseUrl: await databaseUrl('postgres'), cwd: project.folder };
    const reason = new Error('the server shuts down');
    const signal = AbortSignal.abort(reason);
    for (const call of [
      () => syncDb({ ...given, signal }),
      () => status({ ...given, signal }),
      () => all(readSkills('skills', { cwd: project.folder, signal })),
    ]) {
      expect(await thrown(call)).toBe(reason);
    }
    expect(await status(given)).toMatchObject({ synced: 0, lastRun: null });
  });

  test('keeps its process to itself', async () => {
    const project = await projectOfTwo();
    const summary = path.join(project.folder, 'summary.md');
    await writeFiles(project.folder, {
      '.env': `DATABASE_URL=${nobodyThere}\nSKILLS_DIR=elsewhere\n`,
      'elsewhere/x/SKILL.md': document('x', 'Text.\n'),
    });
    vi.stubEnv('DATABASE_URL', nobodyThere);
    vi.stubEnv('SKILLS_DIR', 'elsewhere');
    vi.stubEnv('CI', 'true');
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    const writes = [process.stdout, process.stderr].map((output) => vi.spyOn(output, 'write'));
    const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const before = [listeners(), process.exitCode, process.cwd()];
    try {
      const given = { databaseUrl: await databaseUrl('postgres'), cwd: project.folder };
      expect(await syncDb(given)).toMatchObject({ summary: { create: 2 }, exitCode: 0 });
      expect(await validate('skills', { cwd: project.folder })).toMatchObject({ skills: 2 });
      await thrown(() => status({ ...given, databaseUrl: nobodyThere, connectTimeout: 0 }));
      expect([listeners(), process.exitCode, process.cwd()]).toEqual(before);
      for (const write of writes) expect(write).not.toHaveBeenCalled();
      expect(existsSync(summary)).toBe(false);
    } finally {
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
    }
  });

  test('reads skills, whole and one by one, and hears which cannot be read', async () => {
    const folder = await temporaryFolder();
    const text = `---\nname: one\ndescription: About.\n__proto__: 1\nmetadata:\n  tags: [x, 2]\n---\n# One\n`;
    await writeFiles(folder, {
      'one/SKILL.md': text,
      'one/bytes.bin': Buffer.from([0, 0xff]),
      'plain/SKILL.md': 'A first paragraph.\n',
      'bad/SKILL.md': Buffer.from([0xff]),
      'ignored/SKILL.md': 'x',
      '.skillfleetignore': 'ignored\n',
    });
    const [bad, one, plain, ...more] = await all(readSkills(folder));
    expect(more).toEqual([]);
    expect(bad).toEqual({
      path: 'bad',
      problem: expect.objectContaining({ reason: 'document-not-utf8', remedy: expect.any(String) }),
    });
    if (one?.problem !== undefined || plain?.problem !== undefined || !one || !plain) throw new Error();
    expect(one).toMatchObject({ path: 'one', name: 'one', description: 'About.', body: '# One\n' });
    expect(Object.entries(one.frontmatter)).toEqual([
      ['name', 'one'],
      ['description', 'About.'],
      ['__proto__', 1],
      ['metadata', { tags: ['x', 2] }],
    ]);
    expect(one.frontmatterSource + one.body).toBe(text);
    expect(one.files.map(({ path, executable }) => [path, executable])).toEqual([
      ['SKILL.md', false],
      ['bytes.bin', false],
    ]);
    expect([...(one.files[1]?.bytes ?? [])]).toEqual([0, 0xff]);
    expect(plain).toMatchObject({ name: 'plain', description: 'A first paragraph.', frontmatter: {} });
    const side = await openDirectory({
      ...{ root: folder, disk: nodeDisk, ignore: [], limits: defaultLimits, trash: '' },
    });
    if (!side.ok) throw new Error(side.problem.reason);
    const { skills } = await side.value.snapshot();
    expect([...skills].map(([path, { digest }]) => [path, digest])).toEqual([
      ['one', one.digest],
      ['plain', plain.digest],
    ]);
    expect(await all(readSkills(path.join(folder, 'one')))).toEqual([one]);
    for await (const skill of readSkills(folder)) {
      expect(skill.path).toBe('bad');
      break;
    }
  });

  test('is given what validate prints, by the configuration of its project', async () => {
    const project = await projectOfTwo();
    await writeFile(
      path.join(project.folder, 'skill-fleet.config.yaml'),
      'validation:\n  rules:\n    description-without-when: error\n',
    );
    const folder = path.join(project.folder, 'skills');
    const found = known('validated', await validate(folder, { cwd: project.folder, target: 'codex' }));
    expect(found).toEqual(await print(project, `validate ${folder} --target codex`));
    expect(found).toMatchObject({ summary: { errors: 1 }, exitCode: 1, target: 'codex' });
    expect((await validate('skills', { cwd: project.folder })).findings).toMatchObject([
      { rule: 'description-without-when', file: path.join(folder, 'a/SKILL.md') },
    ]);
  });
});

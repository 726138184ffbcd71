// What comes with somebody else's repository: variables, configuration, state, plans, git's own settings. None of it
// runs code, writes outside, or sends a library anywhere without a word.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { nodeDisk } from '../../src/disk.ts';
import { findRepository } from '../../src/git/repository.ts';
import { uncleanPaths } from '../../src/git/unclean.ts';
import { takeLock } from '../../src/lock.ts';
import { connect } from '../../src/repository/open.ts';
import {
  databaseUrl,
  makeProject,
  nobodyThere,
  personEnvironment,
  projectRoot,
  runProcess,
} from '../acceptance/cli.ts';
import { makeFolder, open, readFolder } from '../directory/folder.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { commitAll, describeWithGit, emptyFolder, git, makeRepository } from '../git/repositories.ts';
import { document, makeSides } from '../sync/sides.ts';

/** What an `.env` may say to programs, and has no say here. */
const variables = [
  ...[
    'PGHOST',
    'PGHOSTADDR',
    'PGPORT',
    'PGUSER',
    'PGPASSWORD',
    'PGDATABASE',
    'PGSSLMODE',
    'PGOPTIONS',
    'PGSERVICE',
  ],
  ...[
    'PGSERVICEFILE',
    'PGPASSFILE',
    'PGSSLROOTCERT',
    'PGSSLCERT',
    'PGSSLKEY',
    'PGAPPNAME',
    'PGCHANNELBINDING',
  ],
  ...['NODE_OPTIONS', 'NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_V8_COVERAGE'],
  ...[
    'LD_PRELOAD',
    'PATH',
    'HOME',
    'TMPDIR',
    'XDG_STATE_HOME',
    'GIT_DIR',
    'GIT_SSH_COMMAND',
    'GIT_EXTERNAL_DIFF',
  ],
  ...[
    'GIT_CONFIG_GLOBAL',
    'GIT_EXEC_PATH',
    'HTTPS_PROXY',
    'SSLKEYLOGFILE',
    'CI',
    'GITHUB_ACTIONS',
    'GITHUB_STEP_SUMMARY',
  ],
  ...['SKILL_FLEET_CONFIG', 'FORCE_COLOR', '__proto__', 'constructor'],
];

describe("somebody else's variables", () => {
  test.each(variables)('%s of an .env counts nowhere', async (name) => {
    const cwd = await temporaryFolder();
    await writeFiles(cwd, { '.git/HEAD': '' });
    const load = () => loadConfig({ flags: {}, env: {}, cwd });
    const [before, environment] = [await load(), JSON.stringify(process.env)];
    await writeFiles(cwd, { '.env': `${name}=/evil\nexport ${name}="/evil"\n` });
    expect(await load()).toEqual(before);
    expect(JSON.stringify(process.env)).toBe(environment);
  });

  test('of a file that --env-file names do not start a program, nor reach the connection', async () => {
    const folder = await temporaryFolder();
    const mark = path.join(folder, 'mark');
    await writeFiles(folder, {
      'evil.cjs': `require('fs').writeFileSync(${JSON.stringify(mark)}, '')`,
      'their.env': `NODE_OPTIONS=--require=${folder}/evil.cjs\nDATABASE_URL=postgres:///x\nPGHOST=evil.invalid\nPGPORT=1\n`,
      'skills/a/SKILL.md': document('a'),
    });
    const cli = path.join(projectRoot, 'dist/cli.js');
    const run = (...args: readonly string[]) =>
      runProcess(cli, args, { cwd: folder, env: personEnvironment() });
    for (const named of [['--env-file', 'their.env'], ['--env-file=their.env']]) {
      const { stderr } = await run('export-to-db', '--dry-run', '--connect-timeout', '0', ...named);
      expect(stderr).toContain('localhost:5432');
      expect(stderr).not.toContain('evil');
    }
    expect(fs.existsSync(mark)).toBe(false);
    expect((await run('status', '--env-file', 'none.env')).stderr).toContain('there is no such file');
  });

  test('that name another database are named with it, before anything is sent', async () => {
    const [url, project] = [await databaseUrl('postgres'), await makeProject()];
    const env = path.join(project.folder, '.env');
    await writeFiles(project.folder, { '.env': `DATABASE_URL=${url}\n`, 'skills/a/SKILL.md': document('a') });
    const [first = ''] = (await project.run(['export-to-db'])).stderr.split('\n');
    expect(first).toMatch(new RegExp(`^${project.folder}/skills with .*:\\d+, as ${env} says$`));
    const own = await project.run(['export-to-db'], { DATABASE_URL: url });
    expect(own.stderr.split('\n')[0]).not.toContain(' says');
    await writeFiles(project.folder, { '.env': `DATABASE_URL=${nobodyThere}\n` });
    expect((await project.run(['list'])).stderr).toContain('127.0.0.1:1');
  });

  test.each<[what: string, files: { readonly [file: string]: string }, why: string]>([
    ['other files', { 'notes.txt': 'mine' }, 'embedded-folder-taken'],
    ['a repository', { '.git/HEAD': 'ref: x', README: 'mine' }, 'embedded-folder-taken'],
    [
      'a database of another version',
      { PG_VERSION: '17\n', 'base/1/1': 'x' },
      'embedded-database-other-version',
    ],
    ['a database that is none', { PG_VERSION: '$(id)\n' }, 'embedded-database-damaged'],
    ['a version that never ends', { PG_VERSION: '1'.repeat(100_000) }, 'embedded-folder-unusable'],
    [
      'a server that runs',
      { PG_VERSION: '18\n', 'postmaster.pid': `${process.pid}\n/data\n` },
      'embedded-folder-unusable',
    ],
    [
      'a server that was killed',
      { PG_VERSION: '18\n', 'postmaster.pid': '4194304\n/data\n' },
      'embedded-folder-unusable',
    ],
  ])('that name a folder of %s for a database touch nothing in it', async (_, files, reason) => {
    const folder = makeFolder(files);
    const opened = await connect({ kind: 'embedded', directory: folder }, nodeDisk);
    expect(opened).toMatchObject({ ok: false, problem: { reason } });
    expect(readFolder(folder)).toEqual(files);
  });
});

const deep = (text: string) => text.repeat(50_000);

describe("somebody else's configuration", () => {
  test.each<[what: string, text: string]>([
    ...[
      'database',
      'databaseUrl',
      'DATABASE_URL',
      'url',
      'stateDirectory',
      'trash',
      'env',
      'envFile',
      'extends',
      'plugins',
      'hooks',
    ].map((key): [string, string] => [`the key ${key}`, `${key}: pglite:/evil\n`]),
    ...[
      'require',
      'import',
      'preset',
      'script',
      'command',
      'editor',
      'pager',
      'taxonomyFile',
      'constructor',
      'toString',
    ].map((key): [string, string] => [`the key ${key}`, `${key}: ./evil.js\n`]),
    ['a taxonomy in a file', 'taxonomy: /etc/passwd\n'],
    ['a taxonomy by a key', 'taxonomy: {file: ../../etc/passwd}\n'],
    ['a function', `skillsDirectory: !!js/function "() => process.exit(7)"\n`],
    ['an object of Python', 'ignore: !!python/object/apply:os.system [touch x]\n'],
    ['an alias', 'ignore: &a [x]\nlimits: *a\n'],
    ['a bomb', `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`],
    ['a merge', 'limits: {<<: {depth: 1}}\n'],
    ['a depth without end', `ignore: ${deep('[')}\n`],
    ['maps without end', `limits: ${deep('{a: ')}\n`],
    ['two documents', 'ignore: []\n---\nignore: []\n'],
    ['a megabyte', `# ${'x'.repeat(1_000_000)}\n`],
    ['a NUL', 'skillsDirectory: "a\\0b"\nlimits: {fileBytes: 0}\n'],
    ['no UTF-8', '\ud800'],
    ['a limit of nothing', 'limits: {fileBytes: 0}\n'],
    ['a limit below nothing', 'limits: {skillBytes: -1}\n'],
    ['a limit beyond all', 'limits: {fileBytes: 1e400}\n'],
    ['a limit that is a text', 'limits: {filesPerSkill: "9999999999999"}\n'],
    ['a glob that climbs into an expression', 'taxonomy: {mapping: [{glob: "(a+)+b", category: x}]}\n'],
    ['a glob with a set', 'taxonomy: {mapping: [{glob: "[a-z]{1,99999}", category: x}]}\n'],
    ['a category that controls', 'taxonomy: {mapping: [{glob: a, category: "a\\e[2J"}]}\n'],
    ['2,000 rules', `ignore: [${'a, '.repeat(2000)}]\n`],
    ['a rule of the wrong type', 'validation: {rules: {__proto__: off}, export: run}\n'],
    ['JSON in place of a map', '[1, 2, 3]\n'],
  ])('%s is a mistake by its line, and nothing else', async (_, text) => {
    const cwd = await temporaryFolder();
    await writeFiles(cwd, {
      'skill-fleet.config.yaml': text === '\ud800' ? Buffer.from([0xed, 0xa0, 0x80]) : text,
    });
    const loaded = await loadConfig({ flags: {}, env: {}, cwd });
    expect(loaded).toMatchObject({
      ok: false,
      problem: { reason: expect.stringMatching(/^configuration-(not-valid|unreadable)$/) },
    });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each(['js', 'cjs', 'mjs', 'ts', 'mts', 'json5', 'toml', 'sh'])(
    'a file of code is none: skill-fleet.config.%s',
    async (extension) => {
      const cwd = await temporaryFolder();
      const mark = path.join(cwd, 'mark');
      const code = `require('fs').writeFileSync(${JSON.stringify(mark)}, '')`;
      await writeFiles(cwd, {
        [`skill-fleet.config.${extension}`]: code,
        [`.skill-fleetrc.${extension}`]: code,
        'package.json': '{"skill-fleet": {"skillsDirectory": "/"}}',
      });
      const loaded = await loadConfig({ flags: {}, env: {}, cwd });
      expect(loaded).toMatchObject({ value: { skillsDirectory: path.join(cwd, 'skills') } });
      expect(fs.existsSync(mark)).toBe(false);
    },
  );

  test('that leads out of the project is named with where it leads, whatever leads there', async () => {
    const url = await databaseUrl('postgres');
    const project = await makeProject();
    const elsewhere = makeFolder({ 'a/SKILL.md': document('a') });
    const run = (folder: string, env = {}) =>
      runProcess(process.execPath, [path.join(projectRoot, 'dist/cli.js'), 'export-to-db', '--dry-run'], {
        cwd: folder,
        env: personEnvironment({ DATABASE_URL: url, ...env }),
      });
    const ways: readonly (readonly [name: string, file: string, text: string])[] = [
      ['configuration', 'skill-fleet.config.yaml', `skillsDirectory: ${elsewhere}\n`],
      ['climbing', 'skill-fleet.config.yaml', `skillsDirectory: ../../../../../../../..${elsewhere}\n`],
      ['variables', '.env', `SKILLS_DIR=${elsewhere}\n`],
      ['linked', 'skills', ''],
      ['linked-above', 'skill-fleet.config.yaml', 'skillsDirectory: link/below\n'],
    ];
    for (const [name, file, text] of ways) {
      const folder = path.join(project.folder, name);
      await writeFiles(folder, { '.git/HEAD': '', ...(text && { [file]: text }) });
      if (name === 'linked') fs.symlinkSync(elsewhere, path.join(folder, 'skills'));
      if (name === 'linked-above') {
        fs.symlinkSync(path.dirname(elsewhere), path.join(folder, 'link'));
        fs.writeFileSync(path.join(folder, file), `skillsDirectory: link/${path.basename(elsewhere)}\n`);
      }
      const said = (await run(folder)).stderr;
      expect(said).toContain(`note: these skills stand in ${elsewhere}, out of ${folder}: `);
      expect(said).toContain(path.join(folder, file));
    }
    const meant = await run(path.join(project.folder, 'linked'), { SKILLS_DIR: 'skills' });
    expect(meant.stderr).not.toContain('out of');
  });
});

describe("somebody else's state", () => {
  test.each(['', '/bases', '/db', '/scans', '/trash'].map((folder) => `.skill-fleet${folder}`))(
    '%s that is a link is named, and nothing is written through it',
    async (link) => {
      const project = await makeProject();
      const outside = makeFolder({ 'mine.txt': 'mine' });
      await writeFiles(project.folder, { 'skills/a/SKILL.md': document('a') });
      fs.mkdirSync(path.dirname(path.join(project.folder, link)), { recursive: true });
      fs.symlinkSync(outside, path.join(project.folder, link));
      for (const args of [['export-to-db'], ['sync-db', '--dry-run'], ['migrate'], ['list']]) {
        const ran = await project.run(args, { DATABASE_URL: '' });
        expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(`${link} is a link`)]);
      }
      expect(readFolder(outside)).toEqual({ 'mine.txt': 'mine' });
    },
  );

  const big = ' '.repeat(70 * 1024);
  const holder = (more: object) => JSON.stringify({ pid: 1, host: 'x', since: 'now', started: '', ...more });
  test.each<[what: string, name: string, content: string | Buffer]>([
    ['no JSON', '1', '{'],
    ['nothing', '1', ''],
    ['the null', '1', 'null'],
    ['a list', '1', '[]'],
    ['a depth without end', '1', deep('[')],
    ['more than any lock', '1', big],
    [
      'a process that lives, and more than any lock',
      '1',
      holder({ pid: process.pid, host: hostname() }) + big,
    ],
    ['a process that is none', '1', holder({ pid: -1, host: 'x' })],
    ['every process', '1', holder({ pid: 0 })],
    ['a process by a text', '1', holder({ pid: '1; kill 1' })],
    ['a prototype', '1', '{"__proto__": {"pid": 1, "host": "x"}}'],
    ['the last number', '999999999999999', '{}'],
    ['the last number but one', '999999999999998', '{}'],
    ['a number beyond all', '9'.repeat(40), '{}'],
    ['a number with zeros', '000000000000007', '{}'],
  ])('a lock that says %s is nobody, and the next one is alone', async (_, name, content) => {
    const folder = makeFolder({ [`lock.${name}`]: content });
    const lock = path.join(folder, 'lock');
    const first = await takeLock(nodeDisk, lock);
    expect(first).toHaveProperty('lock');
    expect(await takeLock(nodeDisk, lock)).toHaveProperty('holder');
    expect(await takeLock(nodeDisk, lock)).toHaveProperty('holder');
    if ('lock' in first) await first.lock.release();
    const again = await takeLock(nodeDisk, lock);
    expect(again).toHaveProperty('lock');
  });

  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  const staged = `.skill-fleet-${uuid}`;
  const step = (more: object = {}) => ({ file: 'SKILL.md', before: null, staged, ...more });
  const journal = (replacement: object, version = 2) =>
    JSON.stringify({ version, replacements: [replacement] });
  const hash = createHash('sha256').update('mine').digest('hex');
  test.each<[what: string, text: string | Buffer]>([
    ['leads up', journal({ path: '../outside', removed: false, steps: [step()] })],
    [
      'leads up in a file',
      journal({ path: 'a', removed: false, steps: [step({ file: '../../outside/x' })] }),
    ],
    ['leads to the root', journal({ path: '/etc', removed: true, steps: [step({ staged: null })] })],
    [
      'stages what stands outside',
      journal({ path: 'a', removed: false, steps: [step({ staged: `../outside/${staged}` })] }),
    ],
    ['stages any name', journal({ path: 'a', removed: false, steps: [step({ staged: 'b/SKILL.md' })] })],
    [
      'stages a name that climbs',
      journal({ path: 'a', removed: false, steps: [step({ staged: `.skill-fleet-../${uuid}` })] }),
    ],
    [
      'leaves what stands outside',
      journal({
        path: 'a',
        removed: false,
        steps: [],
        leaves: { path: '../outside', steps: [step({ staged: null })] },
      }),
    ],
    [
      'removes through a link',
      journal({
        path: 'link',
        removed: true,
        steps: [step({ file: 'mine.txt', before: hash, staged: null })],
      }),
    ],
    [
      'writes through a link',
      journal({ path: 'link', removed: false, steps: [step({ file: 'mine.txt', before: hash })] }),
    ],
    ['writes beyond a link', journal({ path: 'link/below', removed: false, steps: [step()] })],
    [
      'stages behind a link',
      journal({ path: 'a', removed: false, steps: [step({ staged: `link/${staged}` })] }),
    ],
    [
      'removes a secret',
      journal({
        path: 'a',
        removed: true,
        steps: [step({ file: '.env', before: '0'.repeat(64), staged: null })],
      }),
    ],
    [
      'writes into .git',
      journal({ path: '.git/hooks', removed: false, steps: [step({ file: 'post-checkout' })] }),
    ],
    ['has a prototype', '{"version": 2, "replacements": [{"__proto__": {"path": "a"}}]}'],
    ['is of the future', journal({ path: 'a', removed: true, steps: [] }, 99)],
    ['has no end', deep('[')],
    ['is no UTF-8', Buffer.from([0xff, 0xfe])],
    ['is empty', ''],
    ['is null', 'null'],
    ['has steps that are none', journal({ path: 'a', removed: true, steps: [null] })],
    ['has steps of numbers', journal({ path: 'a', removed: true, steps: [1, 'x', []] })],
  ])('a journal that %s moves nothing of others', async (_, text) => {
    const outer = makeFolder({
      'outside/mine.txt': 'mine',
      'outside/SKILL.md': 'mine',
      'skills/a/SKILL.md': document('a'),
      'skills/a/.env': 'mine',
      'skills/.git/hooks/keep': 'mine',
      [`skills/${staged}`]: 'evil',
      'skills/.skill-fleet-journal': text,
    });
    fs.symlinkSync('../outside', path.join(outer, 'skills/link'));
    const before = readFolder(outer);
    const directory = await open(path.join(outer, 'skills'));
    await directory.snapshot();
    await directory.recover();
    const [then, now] = [before, readFolder(outer)].map((folder) =>
      Object.entries(folder).filter(([file]) => !file.startsWith('skills/.skill-fleet-')),
    );
    expect(now).toEqual(then);
  });

  test.each<[what: string, tamper: (base: string) => string | Buffer]>([
    ['of another shape', () => '{"version": 2}'],
    ['without an end', () => deep('[')],
    ['of bytes', () => Buffer.alloc(100_000, 0xff)],
    ['with a prototype', (base) => base.replace('"skills":{', '"skills":{"__proto__":["x",1,true],')],
    ['with paths that climb', (base) => base.replace(/"a":(\[[^\]]*\])/, '"a":$1,"../b":$1,"/etc":$1')],
    ['with a digest that is none', (base) => base.replace(/"a":\["\w+"/, '"a":["x"')],
    ['of the future', (base) => base.replace('"version":2', '"version":99')],
  ])('a base %s is none, or holds for what it may, and deletes nothing', async (_, tamper) => {
    const { folder, run, write, digests } = await makeSides('postgres');
    await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
    await run('export');
    const bases = path.join(folder, '../.skill-fleet/bases');
    const [name = ''] = fs.readdirSync(bases);
    fs.writeFileSync(path.join(bases, name), tamper(fs.readFileSync(path.join(bases, name), 'utf8')));
    expect((await run('sync', { deletes: true })).words).toEqual([]);
    expect((await digests()).files.size).toBe(2);
    expect((await digests()).database.size).toBe(2);
  });
});

describe("somebody else's plan", () => {
  const tampers: readonly (readonly [what: string, tamper: (plan: string) => string, reason: string])[] = [
    ...['../up', '/etc', 'a/../../b', 'a\\\\b', 'C:x', 'CON', 'tail.', '', 'a//b', 'line\\nbreak'].map(
      (skill) =>
        [
          `writes to ${skill}`,
          (plan: string) => plan.replace(/("path":)"a"(,"side")/, `$1"${skill}"$2`),
          'plan-damaged',
        ] as const,
    ),
    ...['../up', '/etc/x', 'a/../../../b', '..', ''].map(
      (file) =>
        [
          `holds the file ${file}`,
          (plan: string) => plan.replaceAll('"SKILL.md"', `"${file}"`),
          'plan-damaged',
        ] as const,
    ),
    ['leaves a place outside', (plan) => plan.replace('"side":', '"from":"../x","side":'), 'plan-damaged'],
    [
      'has a key that nobody knows',
      (plan) => plan.replace('"side":', '"run":"touch x","side":'),
      'plan-damaged',
    ],
    [
      'has a prototype',
      (plan) => plan.replace('"side":', '"__proto__":{"side":"files"},"side":'),
      'plan-damaged',
    ],
    [
      'is for another database',
      (plan) => plan.replace(/"id":"[^"]*"/, '"id":"11111111-1111-4111-8111-111111111111"'),
      'plan-foreign',
    ],
    [
      'is for another folder',
      (plan) => plan.replace(/"directory":"[^"]*"/, '"directory":"/elsewhere"'),
      'plan-foreign',
    ],
    ['is of another kind', (plan) => plan.replace('skill-fleet plan', 'terraform'), 'plan-damaged'],
    ['is of the future', (plan) => plan.replace('"version":1', '"version":999'), 'plan-newer'],
    ['is cut short', (plan) => plan.slice(0, plan.length / 2), 'plan-damaged'],
    ['is empty', () => '', 'plan-damaged'],
    ['has no end', () => deep('{"a":'), 'plan-damaged'],
    ['is a line of zeros', () => '\0'.repeat(1_000_000), 'plan-damaged'],
  ];

  test('is refused where it is not as it was saved, and changes neither side', async () => {
    const { folder, run, write, save, apply, files, digests } = await makeSides('postgres');
    await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b') });
    await run('export');
    await write({ 'a/SKILL.md': document('a', 'New.\n') });
    const file = path.join(await temporaryFolder(), 'plan.json');
    await save(file, 'export');
    const plan = fs.readFileSync(file, 'utf8');
    const before = [await files(), await digests(), fs.readdirSync(path.dirname(folder))];
    for (const [what, tamper, reason] of tampers) {
      const bad = tamper(plan);
      expect([what, bad === plan]).toEqual([what, false]);
      fs.writeFileSync(file, withChecksum(bad));
      const applied = await apply(file);
      // What a content holds is looked at once it is needed.
      const said = applied.ok ? applied.value.words : [`a: refused, ${applied.problem.reason}`];
      expect([what, said]).toEqual([what, [`a: refused, ${reason}`]]);
    }
    expect([await files(), await digests(), fs.readdirSync(path.dirname(folder))]).toEqual(before);
    fs.writeFileSync(file, plan);
    expect(await apply(file)).toMatchObject({ ok: true, value: { words: ['a: edited -> database'] } });
  });

  /** As whoever tampers with a plan would give it the checksum of what it holds. */
  function withChecksum(plan: string): string {
    const end = plan.indexOf('\n"checksum":') + 1;
    if (end === 0) return plan;
    return `${plan.slice(0, end)}"checksum":"${createHash('sha256').update(plan.slice(0, end)).digest('hex')}"}\n`;
  }
});

describeWithGit("somebody else's repository", () => {
  /** A program that says that it ran. */
  async function bait(): Promise<{ readonly program: string; readonly hasRun: () => boolean }> {
    const folder = await emptyFolder();
    const program = path.join(folder, 'program');
    fs.writeFileSync(program, `#!/bin/sh\n: > '${folder}/mark'\ncat\n`, { mode: 0o755 });
    return { program, hasRun: () => fs.existsSync(path.join(folder, 'mark')) };
  }

  const filter = (name: Buffer, program: string) =>
    Buffer.concat([Buffer.from('[filter "'), name, Buffer.from(`"]\n\tclean = ${program}\n`)]);
  test.each<[what: string, name: Buffer]>([
    ['plain', Buffer.from('bait')],
    ['no name', Buffer.from('')],
    ['a name that is no UTF-8', Buffer.from([0xff, 0x62])],
    ['a name of a replacement', Buffer.from('\ufffd')],
    ['a name with a dot', Buffer.from('a.b.clean')],
    ['a name with capitals', Buffer.from('BAIT')],
    ['a name that other configurations have', Buffer.from('lfs')],
    ['a name with a sign that ends a key', Buffer.from('a=b')],
  ])('has its filter not run: %s', async (_, name) => {
    const folder = await makeRepository();
    const { program, hasRun } = await bait();
    fs.writeFileSync(
      path.join(folder, '.git/info/attributes'),
      Buffer.concat([Buffer.from('* filter='), name, Buffer.from('\n')]),
    );
    fs.appendFileSync(path.join(folder, '.git/config'), filter(name, program));
    const touch = () => fs.utimesSync(path.join(folder, 'skills/a/SKILL.md'), 1, 1);
    touch();
    const repository = await findRepository(path.join(folder, 'skills'));
    if (repository) await uncleanPaths(repository);
    expect(hasRun()).toBe(false);
    touch();
    git(folder, 'status');
    expect(hasRun()).toBe(true);
  });

  test('that lies among the files of another is not asked', async () => {
    const folder = await makeRepository();
    const { program, hasRun } = await bait();
    const inner = path.join(folder, 'skills');
    const bare = path.join(await emptyFolder(), 'bare');
    git(folder, 'clone', '--quiet', '--bare', `file://${folder}`, bare);
    for (const name of fs.readdirSync(bare))
      fs.cpSync(path.join(bare, name), path.join(inner, name), { recursive: true });
    fs.writeFileSync(
      path.join(inner, 'config'),
      `[core]\n\trepositoryFormatVersion = 0\n\tbare = false\n\tworktree = ${inner}\n\tfsmonitor = ${program}\n`,
    );
    commitAll(folder);
    const repository = await findRepository(inner);
    expect(repository).toBeUndefined();
    expect(hasRun()).toBe(false);
    try {
      git(inner, 'status');
    } catch {
      // What it finds there may be no repository to it.
    }
    expect(hasRun()).toBe(true);
  });
});

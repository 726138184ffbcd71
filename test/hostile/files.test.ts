// Files that are made to do harm: each is read as what it is, or is a named problem of its skill alone, in bounded
// memory and time.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/disk.ts';
import { oneByOne } from '../../src/replica.ts';
import { personEnvironment, projectRoot, type Ran, runProcess } from '../acceptance/cli.ts';
import { makeFolder, open, readFolder } from '../directory/folder.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { document, makeClone, makeSides } from '../sync/sides.ts';

const fronted = (more: string, body = 'Read.\n') => `---\nname: n\ndescription: d\n${more}\n---\n${body}`;
const many = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');
const nested = (start: string, end: string, depth: number) =>
  `x: ${start.repeat(depth)}1${end.repeat(depth)}`;
const bytes = (...parts: readonly (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const mark = '/tmp/skill-fleet-owned-by-a-document';
const [bomb, large, notUtf8] = ['yaml-alias-bomb', 'frontmatter-too-large', 'document-not-utf8'];
const bombs = (first: string, next: (at: number) => string) =>
  `a0: &a0 ${first}\n${many(30, (at) => `a${at + 1}: &a${at + 1} ${next(at)}`)}`;

/** Documents, and why their skill is refused; null where it is not. */
const documents: readonly (readonly [what: string, text: string | Buffer, reason: string | null])[] = [
  // ---- aliases ----
  ['a bomb of lists', fronted(bombs('[x, x, x, x]', (at) => `[${`*a${at}, `.repeat(9)}]`)), bomb],
  [
    'a bomb of maps',
    fronted(bombs('{k: x}', (at) => `{${many(9, (key) => `k${key}: *a${at},`).replaceAll('\n', ' ')}}`)),
    bomb,
  ],
  [
    'a bomb in the metadata',
    fronted(`metadata: {${bombs('[x]', (at) => `[${`*a${at}, `.repeat(9)}]`).replaceAll('\n', ', ')}}`),
    bomb,
  ],
  ['a bomb of long texts', fronted(`a: &a ${'y'.repeat(100_000)}\nb: [${'*a, '.repeat(40_000)}]`), bomb],
  ['a bomb of merges', fronted(bombs('{k: x}', (at) => `{<<: *a${at}, k${at}: *a${at}}`)), bomb],
  ['an alias that holds itself', fronted('a: &a [*a]'), bomb],
  ['a map that holds itself', fronted('a: &a {b: *a}'), bomb],
  ['an alias of itself', '---\nname: &n *n\n---\n', null],
  ['an alias of nothing', fronted('a: *nobody'), null],
  ['a merge of a name', fronted('<<: {name: owned}'), null],
  ['50,000 anchors of one node', fronted(`a: ${'&a '.repeat(50_000)}x`), null],
  // ---- depth and number ----
  ['50,000 lists in one another', fronted(nested('[', ']', 50_000)), null],
  ['50,000 lists that never end', fronted(`x: ${'['.repeat(50_000)}`), null],
  ['20,000 maps in one another', fronted(nested('{a: ', '}', 20_000)), null],
  ['60 maps in the metadata', fronted(`metadata: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`), null],
  ['50,000 items in one another', fronted(`x:\n${'- '.repeat(50_000)}x`), null],
  ['650 keys in one another', fronted(many(650, (at) => `${' '.repeat(at)}a:`)), null],
  ['20,000 keys that ask', fronted(`${'? '.repeat(20_000)}a`), null],
  ['50,000 tags of one node', fronted(`x: ${'!a '.repeat(50_000)}x`), null],
  ['100,000 keys', fronted(many(100_000, (at) => `k${at}: 1`)), large],
  ['19,000 keys', fronted(many(19_000, (at) => `k${at}: 1`)), null],
  ['one key 5,000 times', fronted(many(5000, () => 'k: 1')), null],
  ['100,000 tags', fronted(`tags: [${many(100_000, (at) => `t${at},`)}]`), large],
  ['5,000 tags', fronted(`tags: [${many(5000, (at) => `t${at},`)}]`), null],
  ['250,000 commas', fronted(`tags: "${','.repeat(250_000)}"`), null],
  ['5,000 dependencies', fronted(`dependencies: [${many(5000, (at) => `d${at},`)}]`), null],
  ['20,000 capabilities', fronted('', `## Capabilities\n${'- **x**: y\n'.repeat(20_000)}`), null],
  // ---- keys that objects have ----
  ['a key __proto__', fronted('__proto__: {polluted: 1}'), null],
  ['a key constructor', fronted('constructor: {prototype: {polluted: 1}}'), null],
  [
    'such keys in the metadata',
    fronted('metadata:\n  __proto__: {polluted: 1}\n  constructor: x\n  toString: y\n  valueOf: z'),
    null,
  ],
  [
    'such words everywhere',
    '---\nname: __proto__\ndescription: constructor\ntags: [__proto__, toString]\ncategory: __proto__/constructor\naliases: [__proto__]\nfacets: {__proto__: x, constructor: y}\ndependencies: [__proto__]\nstatus: constructor\ntype: toString\n---\n',
    null,
  ],
  // ---- what others would run ----
  [
    'a function',
    fronted(`a: !!js/function "function () { require('fs').writeFileSync('${mark}', '') }"`),
    null,
  ],
  ['an expression', fronted('a: !!js/regexp /x/g\nb: !!js/undefined ""'), null],
  ['a function by its whole tag', fronted(`a: !<tag:yaml.org,2002:js/function> "() => { throw 1 }"`), null],
  ['an object of Python', fronted(`a: !!python/object/apply:os.system ["touch ${mark}"]`), null],
  ['an object of Ruby', fronted('a: !ruby/object:Gem::Installer {i: x}'), null],
  [
    'an object of Java',
    fronted('a: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]'),
    null,
  ],
  [
    'bytes, a set, a time',
    fronted('a: !!binary aGk=\nb: !!set {a, b}\nc: !!timestamp 2020-01-01\nd: !!omap [a: 1]'),
    null,
  ],
  [
    'frontmatter in JavaScript',
    `---js\n{ name: require('fs').writeFileSync('${mark}', '') }\n---\nRead.\n`,
    null,
  ],
  [
    'frontmatter in javascript',
    `---javascript\nmodule.exports = require('child_process').execSync('touch ${mark}')\n---\n`,
    null,
  ],
  ['frontmatter in CoffeeScript', `---coffee\nname: require('fs').writeFileSync '${mark}', ''\n---\n`, null],
  ['frontmatter in CSON', '---cson\nname: "x"\n---\n', null],
  ['frontmatter in JSON', '--- json\n{"name": "x", "__proto__": {"polluted": 1}}\n---\n', null],
  ['frontmatter in JSON without a blank', '---json\n{"name": "x"}\n---\n', null],
  ['frontmatter in TOML', '+++\nname = "x"\n+++\n', null],
  ['other fences', ';;;\n{"name": "x"}\n;;;\n', null],
  ['an option of gray-matter', fronted('excerpt_separator: "Read"\nengines: {yaml: x}\nlanguage: js'), null],
  ['a directive', '---\n%YAML 1.2\n%TAG ! tag:evil.example,2000:\n---\nname: x\n---\n', null],
  ['two documents', '---\nname: x\n...\n---\nname: y\n---\n', null],
  // ---- lines ----
  ['a line of three megabytes', fronted('', `${'x'.repeat(3_000_000)}\n`), null],
  ['a value of a megabyte', fronted(`x: ${'y'.repeat(1_000_000)}`), large],
  ['a document of five megabytes', fronted('', 'z'.repeat(5_000_000)), 'limit-exceeded'],
  ['30,000 fences', '---\n'.repeat(30_000), null],
  ['frontmatter that never closes', `---\n${'a: b\n'.repeat(100_000)}`, 'frontmatter-never-closes'],
  ['half a megabyte of line breaks', `---\n${'\n'.repeat(500_000)}---\n`, null],
  ['100,000 comments', fronted('# c\n'.repeat(50_000)), null],
  ['100,000 blanks before a value', fronted(`x: ${' '.repeat(100_000)}y`), null],
  ['100,000 colons', fronted(`x: ${'b: '.repeat(80_000)}`), null],
  ['a quote that never ends', fronted(`x: "${'\\"'.repeat(100_000)}`), null],
  ['100,000 folded lines', fronted(`x: >\n${'  y\n'.repeat(60_000)}`), null],
  ['300,000 marks of a heading', fronted('', '#'.repeat(300_000)), null],
  ['300,000 backticks', fronted('', `${'`'.repeat(240_000)}\n${'```\n'.repeat(20_000)}`), null],
  ['200,000 stars', fronted('', `## Capabilities\n- **${'*'.repeat(200_000)}`), null],
  ['200,000 brackets', fronted('', '['.repeat(200_000)), null],
  ['lines that end otherwise', '---\rname: x\r---\rRead.\r', null],
  ['separators for line breaks', '---\u2028name: x\u2028---\u2028Read.', null],
  // ---- bytes ----
  ['nothing at all', '', null],
  ['bytes that are no UTF-8', bytes('---\nname: ', [0xff, 0xfe], '\n---\n'), notUtf8],
  ['a slash in two bytes', bytes('---\nname: x\n---\n', [0xc0, 0xaf]), notUtf8],
  ['a NUL in two bytes', bytes('---\nname: x\n---\n', [0xc0, 0x80]), notUtf8],
  ['a surrogate alone', bytes('---\nname: x\n---\n', [0xed, 0xa0, 0x80]), notUtf8],
  [
    'surrogates as CESU-8 has them',
    bytes('---\nname: x\n---\n', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
    notUtf8,
  ],
  ['a character beyond all', bytes('---\nname: x\n---\n', [0xf4, 0x90, 0x80, 0x80]), notUtf8],
  ['a character cut short', bytes('---\nname: x\n---\n', [0xe2, 0x82]), notUtf8],
  ['UTF-16', Buffer.from(`\ufeff${fronted('')}`, 'utf16le'), notUtf8],
  ['UTF-32', bytes([0xff, 0xfe, 0, 0, 0x2d, 0, 0, 0]), notUtf8],
  ['two marks of byte order', `\ufeff\ufeff${fronted('')}`, null],
  ['a NUL', fronted('', 'a\0b\n'), 'document-holds-nul'],
  ['a NUL in the frontmatter', fronted('x: "a\0b"'), 'document-holds-nul'],
  ['a NUL by its escape', fronted('x: "a\\0b"\ntags: ["\\x00"]\nscope: "\\0"\nalias\\0: y'), null],
  ['a surrogate by its escape', fronted('x: "\\ud800"\ntags: ["\\udfff"]\nscope: "\\ud83d"'), null],
  ['a name that is a NUL', '---\nname: "\\0"\ndescription: "\\ud800"\n---\n', null],
  ['an image', bytes([0x89], 'PNG\r\n', [0x1a], '\n', [0, 0, 0, 13]), notUtf8],
  // ---- values ----
  [
    'numbers without bounds',
    `---\nname: 1e999999999\ndescription: .inf\nversion: 0x${'f'.repeat(10_000)}\nweight: -.nan\n---\n`,
    null,
  ],
  ['dates', '---\nname: 2020-01-01\ndescription: 12:30:45\nversion: 1_000\n---\n', null],
  ['a list for a key', '---\n? [a, b]\n: c\nname: x\n---\n', null],
  ['a map for a name', '---\nname: {a: b}\ndescription: [c]\ntags: {d: e}\n---\n', null],
  ['a category that climbs', fronted('category: ../../etc/passwd'), null],
  ['a category of 5,000 levels', fronted(`category: ${'a/'.repeat(5000)}b`), null],
  ['a dependency that climbs', fronted('dependencies: [../../../etc/passwd, /etc/passwd, "C:\\\\x"]'), null],
  [
    'SQL everywhere',
    fronted(
      `tags: ["'); drop table skills; --"]\nscope: "$1"\nkeywords: ["\\\\'; delete from skills"]\naliases: ["' or 1=1"]`,
    ),
    null,
  ],
];

const good = document('good');

describe('a document that is hostile', () => {
  test('is read as what it is, or refused by its reason, alone and for good', async () => {
    const { connection, run, write, files } = await makeSides('postgres');
    await write({
      'good/SKILL.md': good,
      ...Object.fromEntries(documents.map(([, text], index) => [`h/${index}/SKILL.md`, text])),
    });
    const outcome = await run('export');
    expect(outcome.results.filter(({ ok }) => !ok)).toEqual([]);
    const said = new Map(
      outcome.plan.problems.map((problem) => ['path' in problem ? problem.path : '', problem.reason]),
    );
    const reasons = documents.map(([what], index) => [what, said.get(`h/${index}`) ?? null]);
    expect(reasons).toEqual(documents.map(([what, , reason]) => [what, reason]));
    expect(said.size).toBe(documents.filter(([, , reason]) => reason !== null).length);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(fs.existsSync(mark)).toBe(false);
    const other = await makeClone(connection);
    await other.run('import');
    const refused = (file: string) => said.has(path.dirname(file));
    expect(await other.files()).toEqual(
      Object.fromEntries(Object.entries(await files()).filter(([file]) => !refused(file))),
    );
    expect((await run('export')).results).toEqual([]);
  });

  test('costs no more memory than 200 MB of objects, and ends', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'skills/good/SKILL.md': good,
      ...Object.fromEntries(documents.map(([, text], index) => [`skills/h/${index}/SKILL.md`, text])),
    });
    const ran = await runBounded(folder, ['export-to-db', '--dry-run', '--diff', 'none']);
    expect([ran.code, ran.stderr.includes('heap')]).toEqual([1, false]);
    expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/\n {4}at |Error:|RangeError/);
    expect(ran.mostBytes).toBeLessThan(600e6);
    expect(fs.existsSync(mark)).toBe(false);
  });
});

/** Runs the program with little memory, and tells how much it had in use at most. */
async function runBounded(
  folder: string,
  args: readonly string[],
  heap = 200,
): Promise<Ran & { readonly mostBytes: number }> {
  const report = path.join(await temporaryFolder(), 'most');
  const tell = path.join(await temporaryFolder(), 'tell.cjs');
  fs.writeFileSync(
    tell,
    `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS)));`,
  );
  const options = [
    `--max-old-space-size=${heap}`,
    '--require',
    tell,
    '--',
    path.join(projectRoot, 'dist/cli.js'),
  ];
  const ran = await runProcess(process.execPath, [...options, ...args], {
    cwd: folder,
    env: personEnvironment(),
  });
  return { ...ran, mostBytes: Number(fs.readFileSync(report, 'utf8')) * 1024 };
}

/** Whether the user may make devices. */
const isSuperuser = process.getuid?.() === 0;
const isThorough = process.env['EVERY_EFFECT'] !== undefined;

describe('what is no file', () => {
  test('is neither read nor waited for: pipes, sockets, devices, links and their loops', async () => {
    const { run, folder, write } = await makeSides('postgres');
    const outside = makeFolder({ 'secret/SKILL.md': document('secret'), key: 'secret' });
    const at = (name: string) => path.join(folder, name);
    await write({ 'good/SKILL.md': good, 'host/SKILL.md': good, 'host/kept': 'kept', 'loop/SKILL.md': good });
    execFileSync('mkfifo', [at('host/pipe')]);
    fs.mkdirSync(at('piped'));
    execFileSync('mkfifo', [at('piped/SKILL.md')]);
    const server = createServer().listen(at('host/socket'));
    onTestFinished(() => void server.close());
    if (isSuperuser)
      for (const [name, minor] of [
        ['zero', '5'],
        ['full', '7'],
        ['random', '8'],
      ])
        execFileSync('mknod', [at(`host/${name}`), 'c', '1', String(minor)]);
    const links: readonly (readonly [to: string, name: string])[] = [
      ['.', 'loop/itself'],
      ['..', 'loop/above'],
      ['here', 'loop/here'],
      ['two', 'loop/one'],
      ['one', 'loop/two'],
      ['nowhere', 'host/dangling'],
      ['/dev/zero', 'host/endless'],
      ['/', 'host/root'],
      ['/proc/self', 'host/process'],
      [path.join(outside, 'key'), 'host/key'],
      [path.join(outside, 'secret'), 'host/folder'],
      [path.join(outside, 'secret'), 'linked'],
      ['good', 'twice'],
      ['../good/SKILL.md', 'loop/SKILL.md.bak'],
      [`${'../'.repeat(40)}etc/passwd`, 'host/passwd'],
      ['x'.repeat(4000), 'host/long'],
    ];
    for (const [to, name] of links) fs.symlinkSync(to, at(name));
    fs.mkdirSync(at('other'));
    fs.symlinkSync(path.join(outside, 'secret/SKILL.md'), at('other/SKILL.md'));
    fs.mkdirSync(at('folder/SKILL.md'), { recursive: true });
    fs.mkdirSync(at(`deep${'/d'.repeat(200)}`), { recursive: true });
    fs.writeFileSync(at(`deep${'/d'.repeat(200)}/SKILL.md`), good);
    const outcome = await run('export');
    expect(outcome.words.toSorted()).toEqual([
      ...['good', 'host', 'loop'].map((skill) => `${skill}: new -> database`),
      'problem limit-exceeded',
    ]);
    expect(outcome.notices).toContainEqual(
      expect.objectContaining({ notice: 'links', count: links.length + 1 }),
    );
    expect(outcome.notices).toContainEqual(
      expect.objectContaining({ notice: 'special-files', count: isSuperuser ? 5 : 2 }),
    );
    const before = readFolder(folder);
    expect((await run('sync', { deletes: true })).words).toEqual(['problem limit-exceeded']);
    expect(readFolder(folder)).toEqual(before);
  });

  test('is bounded in number and size: folders without end, a file of 60 MB, a folder of 30,000 files', async () => {
    const folder = makeFolder({
      'skills/good/SKILL.md': good,
      'skills/huge/SKILL.md': good,
      'skills/many/SKILL.md': good,
    });
    for (let at = 0; at < (isThorough ? 1_000_001 : 20_000); at++) {
      if (at % 1000 === 0) fs.mkdirSync(path.join(folder, `skills/empty/${at / 1000}`), { recursive: true });
      fs.mkdirSync(path.join(folder, `skills/empty/${Math.floor(at / 1000)}/${at}`));
    }
    fs.writeFileSync(path.join(folder, 'skills/huge/data'), '');
    fs.truncateSync(path.join(folder, 'skills/huge/data'), 60 * 1024 * 1024);
    fs.mkdirSync(path.join(folder, 'skills/many/x'));
    for (let at = 0; at < 20_001; at++) fs.writeFileSync(path.join(folder, `skills/many/x/${at}`), '');
    const ran = await runBounded(folder, ['export-to-db', '--dry-run']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('huge/data exceeds the limit fileBytes');
    expect(ran.stderr).toContain('filesPerSkill');
    expect(ran.stdout).toContain('create   good');
    expect(ran.mostBytes).toBeLessThan(400e6);
  });
});

/** The real disk, and a word before each look at it. */
function onLook(tell: () => void): Disk {
  const told = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A) => {
      tell();
      return call(...args);
    };
  };
  const { lstat, readdir, open: openFile, ...rest } = nodeDisk;
  return { ...rest, lstat: told(lstat), readdir: told(readdir), open: told(openFile) };
}

// Elsewhere Node knows no way to a file but its path.
describe.skipIf(process.platform !== 'linux')('a link that comes in while skills are read', () => {
  test.each([
    ['for the folder of skills', 'a'],
    ['for a skill', 'a/x'],
    ['for a folder of a skill', 'a/x/docs'],
    ['for a file', 'a/x/docs/key'],
    ['for the document', 'a/x/SKILL.md'],
  ])('%s is not followed, at whatever instant it comes', async (_, place) => {
    for (let at = 1, isPast = false; !isPast; at++) {
      const outer = makeFolder({
        'skills/a/x/SKILL.md': good,
        'skills/a/x/docs/key': 'of ours',
        'outside/a/x/SKILL.md': good.replace('good', 'evil'),
        'outside/a/x/docs/key': 'secret.',
      });
      let count = 0;
      const swap = () => {
        fs.renameSync(path.join(outer, 'skills', place), path.join(outer, 'moved'));
        fs.symlinkSync(path.join(outer, 'outside', place), path.join(outer, 'skills', place));
      };
      const directory = await open(path.join(outer, 'skills'), {
        disk: onLook(() => ++count === at && swap()),
      });
      const { skills } = await directory.snapshot();
      for await (const loaded of oneByOne(directory.load([...skills.keys()]))) {
        const read =
          'skill' in loaded ? loaded.skill.entries.map((entry) => entry.bytes.toString()).join() : '';
        expect(read).not.toMatch(/evil|secret/);
      }
      isPast = count < at;
      fs.rmSync(outer, { recursive: true });
    }
  });
});

// What is large: many skills, many files, many bytes. What is over a limit is named with it, and the rest goes on.
//
//   SIZES=100000 npx vitest run test/faults/sizes      the full sizes, and libraries of 1,000 skills to so many

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  databaseUrl,
  makeProject,
  type Project,
  personEnvironment,
  projectRoot,
  type Ran,
  runProcess,
  sql,
} from '../acceptance/cli.ts';
import { writeFiles } from '../folders.ts';
import { document } from '../sync/sides.ts';

const { SIZES } = process.env;
const isLong = SIZES !== undefined;
const [MB, GB] = [1_000_000, 1_000_000_000];

interface Measured extends Ran {
  /** The most memory that the process had. */
  readonly bytes: number;
}

const telling = `process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write('used ' + maxRSS + ' ' + (userCPUTime + systemCPUTime) + '\\n');
});`;

/** Runs the built program, and measures it. */
async function measured(project: Project, url: string, ...args: readonly string[]): Promise<Measured> {
  const cli = path.join(projectRoot, 'dist/cli.js');
  const begun = performance.now();
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(telling)}`];
  const ran = await runProcess(process.execPath, [...flags, cli, ...args], {
    cwd: project.folder,
    env: personEnvironment({ DATABASE_URL: url }),
  });
  const seconds = (performance.now() - begun) / 1000;
  const [line = '', kilobytes, microseconds] = /used (\d+) (\d+)\n/.exec(ran.stderr) ?? [];
  const bytes = Number(kilobytes) * 1024;
  if (isLong) {
    const used = [`${seconds.toFixed(1)} s`, `${(Number(microseconds) / 1e6).toFixed(1)} s of a processor`];
    process.stderr.write(`${[...used, `${Math.round(bytes / MB)} MB`, args.join(' ')].join(', ')}\n`);
  }
  return { ...ran, stderr: ran.stderr.replace(line, ''), bytes };
}

/** Every file below a folder: what tells its bytes and its mode from others. */
function printsIn(folder: string): ReadonlyMap<string, string> {
  const prints = new Map<string, string>();
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const print = createHash('sha256').update(fs.readFileSync(file)).digest('base64');
    prints.set(path.relative(folder, file), `${fs.statSync(file).mode & 0o100} ${print}`);
  }
  return prints;
}

function skillsOf(project: Project): string {
  return path.join(project.folder, 'skills');
}

const nothingToDo = ['export-to-db', 'import-from-db', 'sync-db'];

/** Exports a project, imports it elsewhere, and proves both equal to each other and to the database. */
async function thereAndBack(from: Project, url: string, config = ''): Promise<readonly Measured[]> {
  const to = await makeProject();
  await writeFiles(to.folder, { 'skills/.keep': '', ...(config && { 'skill-fleet.config.yaml': config }) });
  const commands: readonly (readonly [Project, ...string[]])[] = [
    [from, 'export-to-db', '--quiet'],
    [from, 'status', '--json'],
    [to, 'import-from-db', '--quiet'],
    [to, 'verify', '--quiet'],
    ...(isLong ? nothingToDo.map((command) => [to, command, '--quiet'] as const) : []),
  ];
  const all: Measured[] = [];
  for (const [project, ...args] of commands) {
    const one = await measured(project, url, ...args);
    expect(one, args.join(' ')).toMatchObject({ code: 0, stderr: '' });
    all.push(one);
  }
  fs.rmSync(path.join(skillsOf(to), '.keep'));
  const [there, back] = [printsIn(skillsOf(from)), printsIn(skillsOf(to))];
  expect([...there].filter(([file, print]) => back.get(file) !== print)).toEqual([]);
  expect(back.size).toBe(there.size);
  return all;
}

test('what is over a limit is named, with the limit and its key, and the rest goes on', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const deep = Array.from({ length: 65 }, (_, index) => `d${index}`).join('/');
  const many = Array.from({ length: 7 }, (_, index) => [`skills/many/${index}`, ''] as const);
  await writeFiles(project.folder, {
    'skill-fleet.config.yaml':
      'limits: { documentBytes: 1000, fileBytes: 2000, skillBytes: 5000, filesPerSkill: 7 }\n',
    'skills/document/SKILL.md': document('document', 'x'.repeat(1000)),
    'skills/file/SKILL.md': document('file'),
    'skills/file/large': 'x'.repeat(2001),
    'skills/skill/SKILL.md': document('skill'),
    ...Object.fromEntries([1, 2, 3].map((nth) => [`skills/skill/${nth}`, 'x'.repeat(1999)])),
    'skills/many/SKILL.md': document('many'),
    ...Object.fromEntries(many),
    [`skills/deep/${deep}/SKILL.md`]: document('deep'),
    'skills/fine/SKILL.md': document('fine'),
    'skills/fine/x': 'x'.repeat(2000),
  });
  const exported = await project.run(['export-to-db'], { DATABASE_URL: url });
  expect(exported.code).toBe(1);
  const said = exported.stdout + exported.stderr;
  for (const [place, limit, most] of [
    ['document/SKILL.md', 'documentBytes', 1000],
    ['file/large', 'fileBytes', 2000],
    ['skill', 'skillBytes', 5000],
    ['many', 'filesPerSkill', 7],
  ] as const) {
    expect(said).toContain(`${place} exceeds the limit ${limit} of ${most}`);
    expect(said).toMatch(new RegExp(`raise limits\\.${limit} in the configuration`));
  }
  expect(said).toMatch(/d63 exceeds the limit depth of 64/);
  expect(await sql(url, 'select skill_path from skills')).toEqual([{ skill_path: 'fine' }]);

  // With room for them they go on as if nothing had been.
  fs.rmSync(path.join(skillsOf(project), 'deep'), { recursive: true });
  fs.rmSync(path.join(project.folder, 'skill-fleet.config.yaml'));
  expect(await project.run(['export-to-db'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
  expect(await project.run(['verify'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
  expect(await sql(url, 'select count(*)::integer as count from skills')).toEqual([{ count: 5 }]);

  // What was once stored is no deletion where a limit leaves it out, whatever may be deleted.
  fs.writeFileSync(path.join(project.folder, 'skill-fleet.config.yaml'), 'limits: { filesPerSkill: 7 }\n');
  const limited = await project.run(['sync-db', '--delete', '--yes'], { DATABASE_URL: url });
  expect(limited.code).toBe(1);
  expect(await sql(url, 'select count(*)::integer as count from skills where deleted_at is null')).toEqual([
    { count: 5 },
  ]);
});

test('many files and many bytes of one skill arrive whole, and a file over the limit is in nobody’s way', async () => {
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const [files, bytes] = isLong ? [12_000, 100 * MB] : [200, 9 * MB];
  const config = `limits: { fileBytes: ${101 * MB} }\n`;
  const part = (nth: number, length: number) => Buffer.alloc(length, `${nth} is the part's number.\n`);
  await writeFiles(project.folder, {
    'skills/many/SKILL.md': document('many'),
    ...Object.fromEntries(
      Array.from({ length: files }, (_, nth) => [`skills/many/${nth % 100}/${nth}`, `${nth}`]),
    ),
    'skills/heavy/SKILL.md': document('heavy'),
    'skills/heavy/text.md': part(1, bytes),
    'skills/parts/SKILL.md': document('parts'),
    ...Object.fromEntries(
      Array.from({ length: 50 }, (_, nth) => [`skills/parts/${nth}.md`, part(nth, bytes / 50)]),
    ),
    'skills/binary/SKILL.md': document('binary'),
    'skills/binary/bits': createHash('sha256').update('bits').digest(),
  });
  // 53 MB are over the limit as it is where nobody says more; the file is all hole.
  const over = path.join(skillsOf(project), 'binary/bits');
  fs.truncateSync(over, 60 * MB);
  const refused = await measured(project, url, 'export-to-db', '--skill-path', 'binary');
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toMatch(/binary\/bits exceeds the limit fileBytes of 52428800/);
  await writeFiles(project.folder, { 'skill-fleet.config.yaml': config });
  const all = await thereAndBack(project, url, config);
  expect(Math.max(...all.map((one) => one.bytes))).toBeLessThan(isLong ? 2 * GB : GB);
});

/** Writes a library of so many skills, every other one with an attached file. */
function writeLibrary(folder: string, count: number): void {
  for (let nth = 0; nth < count; nth++) {
    const place = path.join(folder, `group-${Math.floor(nth / 100)}/skill-${nth}`);
    const group = `group-${Math.floor(nth / 100)}`;
    fs.mkdirSync(place, { recursive: true });
    const metadata = `metadata:\n  tags: [${group}, odd-${nth % 7}]\n  keywords: [number-${nth}]\n  see_also: [${group}/skill-${nth - (nth % 100)}]\n`;
    const body = `# Skill ${nth}\n\n${`A paragraph of skill ${nth}, of some length and with little in it. `.repeat(20)}\n`;
    fs.writeFileSync(path.join(place, 'SKILL.md'), document(`skill-${nth}`, body, metadata));
    if (nth % 2 === 0) fs.writeFileSync(path.join(place, 'reference.md'), `# Reference ${nth}\n`.repeat(40));
  }
}

test.skipIf(!isLong).each([1000, 10_000, 100_000].filter((count) => count <= Number(SIZES)))(
  'a library of %i skills goes there and back, in bounded memory',
  { timeout: 24 * 3_600_000 },
  async (count) => {
    process.stderr.write(`${count} skills\n`);
    const project = await makeProject();
    const url = await databaseUrl('postgres');
    writeLibrary(skillsOf(project), count);
    const all = await thereAndBack(project, url);
    expect(JSON.parse(all[1]?.stdout ?? '')).toMatchObject({ synced: count, total: count, healthy: true });
    expect(await sql(url, 'select count(*)::integer as count from skills where deleted_at is null')).toEqual([
      { count },
    ]);
    for (let nth = 0; nth < count; nth += 100) {
      const file = path.join(skillsOf(project), `group-${nth / 100}/skill-${nth}/SKILL.md`);
      fs.appendFileSync(file, 'One line more.\n');
    }
    const edited = await measured(project, url, 'sync-db', '--quiet');
    expect(edited).toMatchObject({ code: 0, stderr: '' });
    expect(edited.stdout).toContain(`${count / 100} updated`);
    expect(Math.max(edited.bytes, ...all.map((one) => one.bytes))).toBeLessThan(2 * GB);
  },
);

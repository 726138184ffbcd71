// What the command line takes for libraries of 1,000 to 100,000 skills, each measure beside a floor of the same run.
// Run it as bench/README.md says.

import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { commitLibrary, digestOf, dumpRows, emptyTables, isThere, listStatement } from './floors.mjs';
import { Library, writeLibrary } from './generate.mjs';
import { bareSkillFleet, measured, OverLimit, skillFleet } from './measured.mjs';
import { median, print, urlOf, withClient, withServer } from './server.mjs';
import { growthOf, isReached, tableOf } from './table.mjs';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    'embedded-sizes': { type: 'string' },
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    relations: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    json: { type: 'string' },
  },
});

const numbers = (text) => text.split(',').filter(Boolean).map(Number);
const sizes = numbers(flags.sizes ?? (flags.quick ? '1000' : '1000,10000,100000'));
const embeddedSizes = numbers(flags['embedded-sizes'] ?? (flags.quick ? '300' : '1000'));
const only = flags.only && new Set(flags.only);
const isWanted = (measure) => !only || only.has(measure.replaceAll(' ', '-'));

/** All that is measured ends by then. */
const endsAt = performance.now() + Number(flags.minutes ?? (flags.quick ? 3 : 30)) * 60_000;

const secondsLeft = () => Math.floor((endsAt - performance.now()) / 1000);

/** How often what is short is measured, and what is long; and the limit of one run, in seconds. */
function budgetOf(skills) {
  if (flags.quick) return { short: 3, long: 1, limit: 60 };
  if (skills <= 1000) return { short: 7, long: 3, limit: 60 };
  return skills <= 10_000 ? { short: 5, long: 1, limit: 400 } : { short: 2, long: 1, limit: 900 };
}

/** One of so many skills is edited where some are. */
const editedOneIn = 100;

const run = promisify(execFile);

const rows = [];
const program = { psql: await isThere('psql'), git: await isThere('git'), tar: await isThere('tar') };

function check(holds, what) {
  if (!holds) throw new Error(`A run did not do its work: ${what}`);
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const counted = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

const git =
  (folder) =>
  (...args) =>
    run('git', ['-C', folder, '-c', 'user.name=Bench', '-c', 'user.email=bench@example.com', ...args]);
const psql = (url, ...args) => [
  'psql',
  '--no-psqlrc',
  '--quiet',
  '--set=ON_ERROR_STOP=1',
  `--dbname=${url}`,
  ...args,
];

/** A library on one database: all measures of it, one after another. */
class Turn {
  constructor({ database, skills, folder, server }) {
    Object.assign(this, { database, skills, folder, server, ...budgetOf(skills) });
    this.project = path.join(folder, 'project');
    this.tree = path.join(this.project, 'skills');
    this.library = new Library({ seed: Number(flags.seed), relations: flags.relations });
    this.databases = 0;
    /** Whether a run was killed that may have left the two sides unequal. */
    this.isCut = false;
  }

  get isServer() {
    return this.database === 'Postgres';
  }

  documents() {
    return Array.from({ length: this.skills }, (_, number) =>
      path.join(this.tree, this.library.pathOf(number), 'SKILL.md'),
    );
  }

  /** Runs a command within its limit and what is left of the bench's time. */
  measure(command, options = {}) {
    const left = secondsLeft();
    if (left <= 0) throw new OverLimit('the bench', 0);
    return measured(command, { cwd: this.project, limit: Math.min(this.limit, left), ...options });
  }

  cli(...args) {
    return this.measure(skillFleet(...args), { env: { DATABASE_URL: this.url } });
  }

  /** Notes a measure. What a limit cuts off is noted as that, and the turn goes on with the next one. */
  async note(measure, details, rounds, round) {
    const row = { measure, database: this.database, skills: this.skills, ...details };
    Object.assign(row, { program: [], processor: [], floor: [], floorProcessor: [], peak: 0 });
    // What the embedded database takes is told, and held against nothing.
    if (!this.isServer) delete row.reach;
    try {
      for (let number = 0; number < rounds; number += 1) {
        const { run: ran, floor = [] } = await round(number);
        row.program.push(ran.seconds);
        row.processor.push(ran.processor);
        row.peak = Math.max(row.peak, ran.peak);
        if (floor.length === 0) continue;
        row.floor.push(sum(floor.map(({ seconds }) => seconds)));
        row.floorProcessor.push(sum(floor.map(({ processor }) => processor)));
      }
    } catch (error) {
      if (!(error instanceof OverLimit)) throw error;
      row.over = error.limit;
      if (error.limit > 0) this.isCut = true;
    }
    rows.push(row);
    process.stderr.write(
      `${this.database}, ${this.skills} skills: ${measure}: ${row.program.map((time) => time.toFixed(2)).join(' ')} s\n`,
    );
    return row;
  }

  async newDatabase() {
    this.databases += 1;
    if (!this.isServer) return `pglite:${path.join(this.folder, `database-${this.databases}`)}`;
    const name = `skill_fleet_bench_${process.pid}_${this.databases}`;
    await withClient(this.server, (client) => client.query(`create database ${name}`));
    return urlOf(this.server, name);
  }

  async dropDatabase(url) {
    if (!this.isServer) return rm(url.slice('pglite:'.length), { recursive: true, force: true });
    const name = new URL(url).pathname.slice(1);
    return withClient(this.server, (client) => client.query(`drop database if exists ${name} with (force)`));
  }

  /** That the database holds as many skills, files and bytes as were written. */
  async checkRows() {
    if (!this.isServer) return;
    const {
      rows: [found],
    } = await withClient(this.url, (client) =>
      client.query(`select (select count(*)::integer from skills where deleted_at is null) as skills,
        (select count(*)::integer from skill_files) as files`),
    );
    const { skills, files } = this.total;
    check(found.skills === skills, `${found.skills} of ${skills} skills are in the database`);
    check(found.files === files - skills, `${found.files} of ${files - skills} attached files are there`);
  }

  async runAll() {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.project, { recursive: true });
    const skills = () => this.library.skills(this.skills);
    this.total = writeLibrary(this.tree, skills());
    if (program.git) await commitLibrary(this.project, skills(), git(this.project));
    const exported = await this.firstExport();
    if (exported.program.length > 0) {
      const steps = {
        'nothing to do': () => this.nothingToDo(),
        'one edited': () => this.oneEdited(),
        'dry run': () => this.someEdited(),
        'first import': () => this.firstImport(),
        list: () => this.list(),
      };
      for (const [measure, step] of Object.entries(steps))
        if (isWanted(measure)) await this.withinLimit(measure, step);
      await this.verify();
      if (isWanted('all changed')) {
        await this.withinLimit('all changed', () => this.allChanged(exported));
      }
    }
    await this.dropDatabase(this.url);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Goes on where a limit cuts off what a measure begins with. */
  async withinLimit(measure, step) {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof OverLimit)) throw error;
      rows.push({ measure, database: this.database, skills: this.skills, over: error.limit });
      if (error.limit > 0) this.isCut = true;
    }
  }

  async firstExport() {
    let load;
    const copied = async () => {
      try {
        load ??= await dumpRows(this.url, path.join(this.folder, 'rows'), (...asked) =>
          this.measure(psql(...asked)),
        );
        return await this.hashAndCopy(load);
      } catch (error) {
        // Without a floor, the export was done all the same.
        if (error instanceof OverLimit) return [];
        throw error;
      }
    };
    return this.note(
      'first export',
      { floorName: 'sha256sum, psql copy', reach: { ratio: 1.5 } },
      this.long,
      async () => {
        if (this.url) await this.dropDatabase(this.url);
        await rm(path.join(this.project, '.skill-fleet'), { recursive: true, force: true });
        this.url = await this.newDatabase();
        const ran = await this.cli('export-to-db');
        check(ran.output.includes(`${this.skills} created in the database`), ran.output.slice(-200));
        await this.checkRows();
        return { run: ran, floor: this.isServer && program.psql ? await copied() : [] };
      },
    );
  }

  /** What the same files and rows take without skill-fleet: read and hashed, and copied into the same tables. */
  async hashAndCopy(load) {
    const url = await this.newDatabase();
    try {
      await this.measure(bareSkillFleet('migrate'), { env: { DATABASE_URL: url } });
      await emptyTables(url);
      const hashed = 'find skills -type f -print0 | xargs -0 sha256sum > /dev/null';
      const hashing = await this.measure(['bash', '-c', hashed]);
      return [hashing, await this.measure(psql(url, '--file', load))];
    } finally {
      await this.dropDatabase(url);
    }
  }

  /** A sync that finds nothing to do. */
  async idleSync() {
    const ran = await this.cli('sync-db');
    check(ran.output.includes(`Nothing changed: ${this.skills} unchanged`), ran.output.slice(-200));
    return ran;
  }

  async nothingToDo() {
    await rm(path.join(this.folder, 'rows'), { recursive: true, force: true });
    // What was written a moment ago cannot be told from what is written now: once more, and it can.
    await this.idleSync();
    if (program.git) await this.measure(['git', 'status', '--porcelain']);
    const nodes = [];
    const reach = this.skills >= 100_000 ? { ratio: 2 } : undefined;
    const details = { floorName: 'git status', reach };
    const row = await this.note('nothing to do', details, this.short, async () => {
      nodes.push(await this.measure([process.execPath, '-e', '0']));
      const ran = await this.idleSync();
      if (!program.git) return { run: ran };
      const status = await this.measure(['git', 'status', '--porcelain']);
      check(status.output === '', status.output);
      return { run: ran, floor: [status] };
    });
    if (!this.isServer || this.skills > 1000) return;
    rows.push({
      ...row,
      measure: 'nothing to do, a small library',
      floorName: 'node -e 0',
      floor: nodes.map(({ seconds }) => seconds),
      floorProcessor: nodes.map(({ processor }) => processor),
      reach: { above: 0.2 },
    });
  }

  async edit(file, line) {
    await appendFile(file, `\n${line}\n`);
  }

  async oneEdited() {
    const documents = this.documents();
    await this.note(
      'one edited',
      { floorName: 'nothing to do', reach: { ratio: 1.2 } },
      this.short,
      async (round) => {
        await this.edit(
          documents[Math.floor((documents.length * (round + 1)) / (this.short + 1))],
          'Edited.',
        );
        const ran = await this.cli('sync-db');
        check(ran.output.includes('1 updated in the database'), ran.output.slice(-200));
        return { run: ran, floor: [await this.idleSync()] };
      },
    );
  }

  async someEdited() {
    const documents = this.documents().filter((_, number) => number % editedOneIn === 0);
    await this.note(
      'dry run',
      { floorName: 'nothing to do', reach: { ratio: 1.5 } },
      this.long,
      async (round) => {
        for (const document of documents) await this.edit(document, `Edited ${round}.`);
        const ran = await this.cli('sync-db', '--dry-run');
        check(ran.output.includes(`${documents.length} to update in the database`), ran.output.slice(-200));
        const synced = await this.cli('sync-db');
        check(
          synced.output.includes(`${documents.length} updated in the database`),
          synced.output.slice(-200),
        );
        return { run: ran, floor: [await this.idleSync()] };
      },
    );
  }

  async firstImport() {
    const archive = path.join(this.folder, 'skills.tar');
    await run('tar', ['-C', this.project, '-cf', archive, 'skills']);
    const wanted = await digestOf(this.tree);
    check(wanted.files === this.total.files, `${wanted.files} of ${this.total.files} files are there`);
    const inEmptyFolder = async (work) => {
      const folder = path.join(this.folder, 'empty');
      await rm(folder, { recursive: true, force: true });
      await mkdir(path.join(folder, 'skills'), { recursive: true });
      await run('sync');
      const result = await work(folder);
      const { digest } = await digestOf(path.join(folder, 'skills'));
      check(digest === wanted.digest, 'the files are others than those of the library');
      await rm(folder, { recursive: true, force: true });
      return result;
    };
    const details = { floorName: 'tar, sync', reach: { ratio: 2.5 } };
    await this.note('first import', details, this.long, async () => {
      const ran = await inEmptyFolder((cwd) =>
        this.measure(skillFleet('import-from-db'), { cwd, env: { DATABASE_URL: this.url } }),
      );
      check(ran.output.includes(`${this.skills} written to the files`), ran.output.slice(-200));
      const unpack = ['bash', '-c', 'tar -xf "$0" && sync', archive];
      const floor = await inEmptyFolder((cwd) => this.measure(unpack, { cwd }));
      return { run: ran, floor: [floor] };
    });
    await rm(archive);
  }

  async list() {
    const text = this.library.texts.words[2000];
    const file = path.join(this.folder, 'list.sql');
    await writeFile(file, await listStatement(text));
    const details = { floorName: 'the same by psql', reach: { above: 0.2 } };
    await this.note('list', details, this.short, async () => {
      const ran = await this.cli('list', '--filter', text);
      const [, found] = /(\d+) skills?\n$/.exec(ran.output) ?? [];
      check(Number(found) > 0, ran.output.slice(-200));
      if (!(this.isServer && program.psql)) return { run: ran };
      const asked = await this.measure(psql(this.url, '--no-align', '--tuples-only', '--file', file));
      check(asked.output.includes(`${found}|`), `psql did not find ${found}`);
      return { run: ran, floor: [asked] };
    });
  }

  async allChanged(exported) {
    // Where there is no time for it and to verify it, what came before is verified.
    if (secondsLeft() < 1.5 * median(exported.program)) throw new OverLimit('the bench', 0);
    const details = { floorName: 'first export', reach: { ratio: 1.2 } };
    const row = await this.note('all changed', details, this.long, async (round) => {
      for (const document of this.documents()) {
        await writeFile(document, withKey(await readFile(document), `checked_${round}: true`));
      }
      const ran = await this.cli('export-to-db');
      check(ran.output.includes(`${this.skills} updated in the database`), ran.output.slice(-200));
      return {
        run: ran,
        floor: [{ seconds: median(exported.program), processor: median(exported.processor) }],
      };
    });
    if (row.over === undefined) await this.checkEqual();
  }

  async verify() {
    if (this.isCut) {
      const note = 'not asked: a run was cut off';
      rows.push({ measure: 'verify', database: this.database, skills: this.skills, note });
      return;
    }
    await this.note('verify', {}, 1, async () => ({ run: await this.checkEqual() }));
  }

  /** That both sides hold the same, byte for byte, and all of it. */
  async checkEqual() {
    const ran = await this.cli('verify');
    const { skills, files } = this.total;
    const all = `Equal: read ${counted(skills, 'skill')}, ${counted(files, 'file')},`;
    check(ran.output.includes(all), ran.output);
    return ran;
  }
}

/** A document with one more key, before its others. */
function withKey(document, key) {
  const text = document.toString('latin1');
  const fence = /^(?:\xef\xbb\xbf)?---(\r?\n)/.exec(text);
  if (!fence) return Buffer.from(`---\n${key}\n---\n${text}`, 'latin1');
  return Buffer.from(`${fence[0]}${key}${fence[1]}${text.slice(fence[0].length)}`, 'latin1');
}

async function versionRow() {
  const [nodes, runs] = [[], []];
  for (let round = 0; round < 15; round += 1) {
    nodes.push(await measured([process.execPath, '-e', '0']));
    const ran = await measured(bareSkillFleet('--version'));
    check(/^\d+\.\d+\.\d+/.test(ran.output), ran.output);
    runs.push(ran);
  }
  return {
    ...{ measure: 'version', floorName: 'node -e 0', reach: { ratio: 1.5 } },
    program: runs.map(({ seconds }) => seconds),
    processor: runs.map(({ processor }) => processor),
    floor: nodes.map(({ seconds }) => seconds),
    floorProcessor: nodes.map(({ processor }) => processor),
  };
}

/** The most memory that any command took, for each library, and how much more it is than for the smallest. */
function memoryRows() {
  const most = new Map();
  for (const row of rows.filter(({ peak }) => peak > 0)) {
    const key = `${row.database}, ${row.skills}`;
    if (!(most.get(key)?.peak >= row.peak)) most.set(key, row);
  }
  return [...most.values()].map(({ database, skills, peak, measure }) => {
    const least = [...most.values()].find((row) => row.database === database)?.peak ?? peak;
    const times = peak / least;
    const note = `${measure}: ${times.toFixed(2)} × of the smallest library`;
    const isWithin = database === 'Postgres' ? peak < 400 && times <= 2 : undefined;
    return { measure: 'peak memory', database, skills, peak, note, isWithin };
  });
}

async function said(command, ...args) {
  try {
    return (await run(command, args)).stdout.trim().split('\n')[0];
  } catch {
    return 'not there';
  }
}

async function printMachine(folder, server) {
  const root = path.join(import.meta.dirname, '..');
  const commit = await said('git', '-C', root, 'describe', '--always', '--dirty');
  const postgres = await withClient(
    server,
    async (client) => (await client.query('show server_version')).rows[0],
  );
  const memory = Math.round(os.totalmem() / 2 ** 30);
  print(
    `- machine: ${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, ${memory} GiB, ${os.type()} ${os.release()}, ${await said('stat', '--file-system', '--format=%T', folder)}`,
  );
  print(
    `- load at the start: ${os
      .loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  );
  print(
    `- skill-fleet ${commit}, Node ${process.version}, Postgres ${postgres.server_version}, ${await said('psql', '--version')}, ${await said('git', '--version')}`,
  );
  print(
    `- seed ${flags.seed}${flags.relations ? ', every document with relations' : ''}; medians by the clock`,
  );
  for (const name of Object.keys(program)) {
    if (!program[name]) print(`- ${name} is not there: what it is the floor of has none`);
  }
  print('');
}

async function runTurns(server, folder) {
  if (isWanted('version')) rows.push(await versionRow());
  for (const skills of [...new Set([...sizes, ...embeddedSizes])].sort((a, b) => a - b)) {
    for (const [database, its] of [
      ['Postgres', sizes],
      ['embedded', embeddedSizes],
    ]) {
      if (!its.includes(skills)) continue;
      await new Turn({ database, skills, server, folder: path.join(folder, 'turn') }).runAll();
    }
  }
}

await withServer(async (server, folder) => {
  await printMachine(folder, server);
  try {
    await runTurns(server, folder);
  } finally {
    // Where a run did not do its work, what was measured before is told too.
    rows.push(...memoryRows(), ...growthOf(rows));
    print(tableOf(rows));
    if (flags.json) {
      const told = rows.map((row) => ({ ...row, reached: isReached(row) }));
      await writeFile(flags.json, `${JSON.stringify(told, null, 2)}\n`);
    }
  }
});

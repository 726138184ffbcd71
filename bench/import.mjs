// What a first import takes, beside `tar -x` of the same tree and `sync`. Run it as bench/README.md says.

import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Library, writeLibrary } from './generate.mjs';
import { cells, median, ms, print, runCli, timed, urlOf, withClient, withServer } from './server.mjs';

const run = promisify(execFile);
const skills = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 5);
const library = `skill_fleet_bench_${process.pid}`;

/** Times `work` in an empty folder, with nothing left to flush from before. */
async function inEmptyFolder(folder, work) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'skills'), { recursive: true });
  await run('sync');
  return timed(work);
}

await withServer(async (server, folder) => {
  const url = urlOf(server, library);
  await withClient(server, (client) => client.query(`create database ${library}`));
  writeLibrary(path.join(folder, 'skills'), new Library().skills(skills));
  await runCli(folder, url, 'export-to-db', '--quiet');
  const archive = path.join(folder, 'skills.tar');
  await run('tar', ['-C', folder, '-cf', archive, 'skills']);
  print(`${skills} skills, ${rounds} rounds`);
  print('');
  cells('round', '`tar -x` and `sync`', 'import-from-db', 'ratio');
  cells('---', '---:', '---:', '---:');
  const times = [];
  for (let round = 1; round <= rounds; round += 1) {
    const unpacked = path.join(folder, 'unpacked');
    const floor = await inEmptyFolder(unpacked, async () => {
      await run('tar', ['-C', unpacked, '-xf', archive]);
      await run('sync');
    });
    const imported = path.join(folder, 'imported');
    const time = await inEmptyFolder(imported, () => runCli(imported, url, 'import-from-db', '--quiet'));
    times.push([floor, time]);
    cells(round, ms(floor), ms(time), (time / floor).toFixed(1));
  }
  const [floor, time] = [0, 1].map((column) => median(times.map((row) => row[column])));
  cells('median', ms(floor), ms(time), (time / floor).toFixed(1));
  await withClient(server, (client) => client.query(`drop database ${library} with (force)`));
});

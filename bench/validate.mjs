// What validate takes for libraries, and what it finds in them. Run it as bench/README.md says.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { cells, print } from './server.mjs';

const cli = path.join(import.meta.dirname, '../dist/cli.js');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { target: { type: 'string', default: 'spec' } },
});

/** Run before the command line: at its end it tells what the process took, on a channel of its own. */
const telling = `import { writeSync } from 'node:fs';
process.on('exit', () => writeSync(3, JSON.stringify(process.resourceUsage())));`;

async function validate(directory) {
  const arguments_ = ['--import', `data:text/javascript,${encodeURIComponent(telling)}`, cli];
  arguments_.push('validate', directory, '--json', '--target', values.target);
  const start = performance.now();
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  const [output, usage] = await Promise.all([text(child.stdout), text(child.stdio[3])]);
  const seconds = (performance.now() - start) / 1000;
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(usage);
  const found = JSON.parse(output);
  if (found.findings === undefined) throw new Error(output);
  return { ...found, seconds, processor: (userCPUTime + systemCPUTime) / 1e6, peak: maxRSS };
}

const rules = new Map();
const total = { skills: 0, seconds: 0, processor: 0, errors: 0, warnings: 0, infos: 0 };
const row = (name, { skills, seconds, processor, errors, warnings, infos }, peak) =>
  cells(name, skills, seconds.toFixed(1), processor.toFixed(1), errors, warnings, infos, peak);

cells('library', 'skills', 'seconds', 'of a processor', 'errors', 'warnings', 'notes', 'peak MiB');
cells('---', ...Array(7).fill('---:'));
let peakOfAll = 0;
for (const directory of positionals) {
  const { skills, findings, summary, seconds, processor, peak } = await validate(directory);
  const counts = { skills, seconds, processor, ...summary };
  row(path.basename(directory), counts, Math.round(peak / 1024));
  for (const key of Object.keys(total)) total[key] += counts[key];
  peakOfAll = Math.max(peakOfAll, peak);
  for (const { rule, severity } of findings) {
    const known = rules.get(rule) ?? { severity, findings: 0, libraries: new Set() };
    known.findings += 1;
    known.libraries.add(directory);
    rules.set(rule, known);
  }
}
row('all', total, Math.round(peakOfAll / 1024));
print('');
cells('rule', 'severity', 'findings', 'libraries');
cells('---', '---', '---:', '---:');
const byCount = [...rules].sort(([, a], [, b]) => b.findings - a.findings);
for (const [rule, { severity, findings, libraries }] of byCount) {
  cells(rule, severity, findings, libraries.size);
}

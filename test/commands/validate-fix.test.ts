// Mending skills in their files, where others write to them meanwhile.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Fixing } from '../../src/commands/validate-fix.ts';
import { openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { nodeDisk } from '../../src/disk.ts';
import { processOutput } from '../../src/report/output.ts';
import { FixReport } from '../../src/report/validation-fixes.ts';
import type { Finding } from '../../src/validation/finding.ts';
import { Policy } from '../../src/validation/policy.ts';
import { Validation } from '../../src/validation/validation.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { document } from '../validation/skills.ts';

const misnamed = document().replace('pdf-forms', 'Forms');

/** Mends a library, and says what was not written and what then stands in each skill. */
async function mended(
  files: { readonly [path: string]: string },
  { meanwhile }: { readonly meanwhile?: (root: string) => Promise<void> } = {},
) {
  const root = path.join(await temporaryFolder(), 'skills');
  await writeFiles(root, files);
  const open = (at: string) =>
    openDirectory({
      root: at,
      disk: nodeDisk,
      ignore: [],
      limits: defaultLimits,
      trash: path.join(root, '../trash'),
    });
  const output = { ...processOutput({ color: false }), result: () => {}, notice: () => {} };
  const report = new FixReport(output, { isDryRun: false, isText: false, quiet: false, length: 'whole' });
  const fixing = new Fixing({
    ...{ disk: nodeDisk, isDryRun: false, lockTimeoutMs: 1000, report, open },
    signal: new AbortController().signal,
    takes: () => true,
    onWait: () => {},
    onNotices: () => {},
  });
  const directory = await open(root);
  if (!directory.ok) throw new Error(directory.problem.reason);
  const home = { root: directory.value.root, prefix: '' };
  expect(await fixing.begin(home, true)).toMatchObject({ ok: true });
  const site = {
    home,
    validation: new Validation(new Policy('spec')),
    around: async () => {
      await meanwhile?.(root);
      return { keepsModes: true, standing: new Set<string>() };
    },
    placed: (finding: Finding) => ({ finding, place: '' }),
    placeOf: () => '',
  };
  const { paths } = await directory.value.list();
  for await (const _ of fixing.mending(directory.value.load(paths), site)) {
    // Each batch is written before it comes.
  }
  await fixing.end();
  return {
    root,
    problems: report.json().problems.map(({ reason }) => reason),
  };
}

const textOf = (root: string, file: string) => readFile(path.join(root, file), 'utf8');

test('what somebody writes meanwhile is not overwritten, and the others are mended', async () => {
  const theirs = `${misnamed}\nMore.\n`;
  const { root, problems } = await mended(
    { 'pdf-forms/SKILL.md': misnamed, 'a/pdf-forms/SKILL.md': misnamed },
    { meanwhile: (at) => writeFile(path.join(at, 'pdf-forms/SKILL.md'), theirs) },
  );
  expect(problems).toEqual(['files-changed-meanwhile']);
  expect(await textOf(root, 'pdf-forms/SKILL.md')).toBe(theirs);
  expect(await textOf(root, 'a/pdf-forms/SKILL.md')).toBe(document());
});

test('a document is not renamed over another file', async () => {
  const files = { 'pdf-forms/skill.md': document() };
  const { root, problems } = await mended(files, {
    meanwhile: (at) => writeFile(path.join(at, 'pdf-forms/SKILL.md'), 'theirs'),
  });
  expect(problems).toHaveLength(1);
  expect(await textOf(root, 'pdf-forms/skill.md')).toBe(document());
  expect(await textOf(root, 'pdf-forms/SKILL.md')).toBe('theirs');
});

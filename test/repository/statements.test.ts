// How many statements a run sends grows with its batches, not with its skills.

import { expect, test } from 'vitest';
import { previewPlan } from '../../src/sync/preview.ts';
import { prepareSync } from '../../src/sync/sync.ts';
import { type DatabaseKind, migratedDatabase, usualKinds } from '../databases.ts';
import { makeClone } from '../sync/sides.ts';
import { syncInput } from './input.ts';
import { watched } from './seam.ts';

/** Small skills that name each other, and others that are not there; a few of them with an attached file. */
function library(count: number): { readonly [path: string]: string } {
  const files: { [path: string]: string } = {};
  for (let n = 0; n < count; n++) {
    const folder = `area-${n % 7}/skill-${n}`;
    files[`${folder}/SKILL.md`] =
      `---\nname: skill-${n}\ndescription: Number ${n}.\nkeywords: k${n}, shared\ntags: t${n % 9}\n` +
      `capabilities: [Counts]\ndependencies: [skill-${n - 1}, missing-${n}]\nsee_also: skill-${n - 1}\n---\n# ${n}\n`;
    if (n % 10 === 0) files[`${folder}/notes.txt`] = `${n}`;
  }
  return files;
}

const runs = [
  'dry run',
  'export',
  'second export',
  'edited',
  'dry run of a conflict',
  'forced',
  'import',
] as const;

/** Statements by run. */
type Counts = { readonly [R in (typeof runs)[number]]: number };

async function count(kind: DatabaseKind, skills: number): Promise<Counts> {
  let statements = 0;
  const connection = watched(await migratedDatabase(kind), () => {
    statements++;
  });
  const clone = await makeClone(connection);
  const other = await makeClone(connection);
  const files = library(skills);
  await clone.write(files);
  const edit = async (text: string) => {
    await clone.write(Object.fromEntries(Object.entries(files).map(([name, old]) => [name, old + text])));
  };
  const dryRun = async () => {
    const input = await syncInput(connection, clone.folder, 'export');
    const { plan } = await prepareSync(input);
    let shown = 0;
    for await (const _ of previewPlan(input, { plan })) shown++;
    expect(shown).toBe(skills);
  };
  const steps: { readonly [R in keyof Counts]: () => Promise<unknown> } = {
    'dry run': dryRun,
    export: () => clone.run('export'),
    'second export': () => clone.run('export'),
    edited: async () => {
      await edit('More.\n');
      expect((await clone.run('export')).results.filter((result) => result.ok).length).toBe(skills);
    },
    'dry run of a conflict': async () => {
      await edit('Other.\n');
      await dryRun();
    },
    forced: async () => {
      expect(
        (await clone.run('import', { force: true, yes: true })).results.filter((result) => result.ok).length,
      ).toBe(skills);
    },
    import: async () => {
      expect((await other.run('import')).results.filter((result) => result.ok).length).toBe(skills);
    },
  };
  const counts: { [run: string]: number } = {};
  for (const run of runs) {
    statements = 0;
    await steps[run]();
    counts[run] = statements;
  }
  return counts as Counts;
}

test.each(usualKinds)('on %s, 20 and 150 skills take the same: one batch each', async (kind) => {
  const few = await count(kind, 20);
  for (const run of runs) expect(few[run], run).toBeGreaterThan(0);
  expect(await count(kind, 150)).toEqual(few);
});

// On a server alone: the embedded database is sent the same, and is slower.
test('401 skills, three batches, take at most three times as many as one batch', async () => {
  const few = await count('postgres', 20);
  const many = await count('postgres', 401);
  for (const run of runs) expect(many[run], run).toBeLessThanOrEqual(3 * few[run]);
  // What has nothing to do reads once, however much there is.
  expect(many['second export']).toBe(few['second export']);
});

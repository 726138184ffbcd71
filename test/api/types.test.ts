// What programs see of the library: types that are those of the schema, and that a compiler takes with nothing beside.

import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { ExportOptions, StatusFilter, SyncDbOptions } from '../../src/api/options.ts';
import type { StatusReport, SyncReport, Target, ValidationReport } from '../../src/api/reports.ts';
import type { ConflictPolicy } from '../../src/reconcile/plan.ts';
import type { ExportLevel, Target as KnownTarget } from '../../src/validation/rules.ts';
import { projectRoot, runProcess } from '../acceptance/cli.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';
import type { outputs } from '../report/output-schema.ts';

/** A type without what tells only zod's from ours: `readonly`, and that what is optional may be said to be undefined. */
type Plain<T> = T extends readonly (infer I)[]
  ? readonly Plain<I>[]
  : T extends object
    ? { readonly [K in keyof T]: Plain<Exclude<T[K], undefined>> }
    : T;

type Printed<K extends keyof typeof outputs> = Plain<z.infer<(typeof outputs)[K]>>;

test('reports are of the types that the schema has', () => {
  // The compiler says it: npm run types.
  expectTypeOf<Printed<'run'>>().toExtend<Plain<SyncReport>>();
  expectTypeOf<Plain<SyncReport>>().toExtend<Printed<'run'>>();
  expectTypeOf<Printed<'status'>>().toExtend<Plain<StatusReport>>();
  expectTypeOf<Plain<StatusReport>>().toExtend<Printed<'status'>>();
  expectTypeOf<Omit<Plain<ValidationReport>, 'fix'>>().toExtend<Omit<Printed<'validated'>, 'fix'>>();
  expectTypeOf<Printed<'validated'>>().toExtend<Plain<ValidationReport>>();
  expectTypeOf<keyof SyncReport>().toEqualTypeOf<keyof Printed<'run'>>();
  expectTypeOf<keyof StatusReport>().toEqualTypeOf<keyof Printed<'status'>>();
  expectTypeOf<keyof SyncReport['changes'][number]>().toEqualTypeOf<
    keyof Printed<'run'>['changes'][number]
  >();
  expectTypeOf<keyof SyncReport['conflicts'][number]>().toEqualTypeOf<
    keyof Printed<'run'>['conflicts'][number]
  >();
});

test('options take the words that the commands know', () => {
  expectTypeOf<Target>().toEqualTypeOf<KnownTarget>();
  expectTypeOf<NonNullable<ExportOptions['validate']>>().toEqualTypeOf<ExportLevel>();
  expectTypeOf<NonNullable<SyncDbOptions['onConflict']>>().toEqualTypeOf<Exclude<ConflictPolicy, 'edits'>>();
  expectTypeOf<StatusFilter>().toEqualTypeOf<'active' | 'draft' | 'deprecated' | 'archived' | 'all'>();
});

const program = `
import { exportToDb, importFromDb, type Problem, readSkills, SkillFleetError, status, syncDb, validate } from 'skill-fleet';

export async function use(): Promise<readonly Problem[]> {
  for await (const skill of readSkills('skills')) {
    if (skill.problem) {
      const reason: string = skill.problem.reason;
      void reason;
      continue;
    }
    const text: string = skill.frontmatterSource + skill.body;
    const bytes: Uint8Array | undefined = skill.files[0]?.bytes;
    void [text, bytes, skill.frontmatter['name']];
  }
  const databaseUrl = 'pglite:db';
  try {
    const plan = await syncDb({ databaseUrl, dryRun: true, onConflict: 'merge', skillPath: ['a/**'] });
    const first = plan.changes[0];
    if (first) void [first.path.length, first.diff?.length, plan.summary.create + 1];
    await exportToDb({ databaseUrl, validate: 'error' });
    await importFromDb({ databaseUrl, status: 'all', maxDelete: undefined });
    const healthy: boolean = (await status({ databaseUrl })).healthy;
    void healthy;
    return (await validate('skills', { target: 'spec' })).problems ?? [];
  } catch (error) {
    if (error instanceof SkillFleetError) return error.problems;
    throw error;
  }
}

// @ts-expect-error a database is named
void syncDb({ dryRun: true });
// @ts-expect-error a slip is no real run
void syncDb({ databaseUrl: 'pglite:db', dryrun: true });
// @ts-expect-error an import decides nothing
void importFromDb({ databaseUrl: 'pglite:db', onConflict: 'newest' });
`;

const withSignal = `
import { syncDb } from 'skill-fleet';
void syncDb({ databaseUrl: 'pglite:db', signal: new AbortController().signal });
`;

/** How programs are compiled: which compilers' libraries they have, and how these find the types. */
const compilers = [
  { module: 'node16', moduleResolution: 'node16', lib: ['es2023'] },
  { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2023', 'dom'] },
  { module: 'esnext', moduleResolution: 'bundler', lib: ['es2020'] },
  { module: 'preserve', moduleResolution: 'bundler', lib: ['es2023', 'dom'] },
] as const;

test.each(compilers)('a program is compiled with $moduleResolution and $lib', async (options) => {
  const folder = await temporaryFolder();
  const hasSignals = options.lib.some((lib) => lib === 'dom');
  await writeFiles(folder, {
    'package.json': '{ "type": "module" }',
    'program.ts': program,
    ...(hasSignals && { 'with-signal.ts': withSignal }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...options,
        target: 'es2022',
        ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
        // Of the declarations too, and with the types of no other package.
        ...{ skipLibCheck: false, types: [], noEmit: true },
      },
    }),
  });
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(projectRoot, path.join(folder, 'node_modules/skill-fleet'));
  const compiler = path.join(projectRoot, 'node_modules/typescript/bin/tsc');
  const { code, stdout } = await runProcess(process.execPath, [compiler, '-p', folder], { cwd: folder });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});

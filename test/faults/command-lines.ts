// Every command that writes as a command line, each on a library in which it has something of everything to do.

import * as fs from 'node:fs';
import path from 'node:path';
import type { Library } from './library.ts';
import { type Scenario, type Sides, scenarios, text } from './scenarios.ts';

export interface CommandLine extends Pick<Scenario, 'name' | 'isUnmigrated' | 'prepare'> {
  readonly words: (library: Library) => Promise<readonly string[]> | readonly string[];
  /** What a user did before. */
  readonly first?: readonly string[];
  /** What a user does next, where it is not the same again. */
  readonly next?: readonly string[];
}

const deleting = ['--delete', '--yes', '--max-delete', '100'];
const planning = ['sync-db', ...deleting, '--on-conflict', 'local', '--dry-run', '--out', 'plan.json'];
const sync = ['sync-db', ...deleting, '--on-conflict', 'local'];

/** What it says once all is done, and not before. */
export const saysDone = /^(Done|Nothing changed|Restored|Gave up|applied \S+)\b|^\d+ in \d+ skills? mended$/m;

async function firstRevision(library: Library): Promise<string> {
  const connection = await library.connection();
  const [first] = await connection.query<{ revision: number }>(
    `select min(revision) as revision from skill_revisions where skill_path = 'a' and digest is not null`,
  );
  await library.closeAll();
  return String(first?.revision);
}

/** Skills with what `validate` mends by itself: names, line endings, a mark at the beginning, a script's bit. */
async function prepareFaulty(sides: Sides): Promise<void> {
  await prepared('sync').prepare(sides);
  const faulty = Object.fromEntries(
    ['h', 'i', 'j'].flatMap((name) => [
      [`${name}/SKILL.md`, `\ufeff${text('other').replace('\n#', '\r\n#')}`],
      [`${name}/scripts/run.sh`, '#!/bin/sh\n'],
    ]),
  );
  await sides.clone.write(faulty);
}

function prepared(name: string): Pick<Scenario, 'isUnmigrated' | 'prepare'> {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const { isUnmigrated, prepare } = scenario;
  return { prepare, ...(isUnmigrated && { isUnmigrated }) };
}

export const commandLines: readonly CommandLine[] = [
  { name: 'sync', ...prepared('sync'), words: () => sync },
  { name: 'export', ...prepared('export'), words: () => ['export-to-db', ...deleting, '--force'] },
  { name: 'import', ...prepared('import'), words: () => ['import-from-db', ...deleting, '--force'] },
  { name: 'first export', ...prepared('first export'), words: () => ['export-to-db'] },
  {
    name: 'first import',
    prepare: async (sides) => {
      await prepared('first export').prepare(sides);
      await sides.clone.run('export');
      // The embedded database stands beside the bases.
      for (const name of ['skills', '.skill-fleet/bases'])
        fs.rmSync(path.join(sides.project, name), { recursive: true });
      fs.mkdirSync(path.join(sides.project, 'skills'));
    },
    words: () => ['import-from-db'],
  },
  {
    name: 'undo',
    ...prepared('undo'),
    words: ({ project }) => [
      'undo',
      fs.readFileSync(path.join(project, 'run'), 'utf8'),
      '--yes',
      '--max-delete',
      '100',
    ],
  },
  {
    name: 'restore',
    ...prepared('restore'),
    words: async (library) => ['restore', 'a', '--revision', await firstRevision(library)],
  },
  { name: 'apply', ...prepared('sync'), first: planning, words: () => ['apply', 'plan.json'], next: sync },
  {
    name: 'apply --atomic',
    ...prepared('sync'),
    first: planning,
    words: () => ['apply', 'plan.json', '--atomic'],
    next: sync,
  },
  { name: 'prune', ...prepared('prune'), words: () => ['prune', '--keep-last', '0', '--keep-days', '0'] },
  { name: 'migrate', ...prepared('migrate'), words: () => ['migrate'] },
  { name: 'resolve', ...prepared('sync'), words: () => ['resolve', 'g', '--with', 'local'], next: sync },
  { name: 'validate --fix', prepare: prepareFaulty, words: () => ['validate', '--fix'] },
];

// What the doctor says of the skills directory: who is at work in it, and what killed runs left there and beside it.

import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ExaminedConfig } from '../config/config.ts';
import type { Directory } from '../directory/directory.ts';
import { answer, nodeDisk } from '../disk.ts';
import type { Outcome } from '../problem.ts';
import { shellWord } from '../report/command-text.ts';
import { counted } from '../report/counted.ts';
import type { Check } from '../report/doctor-text.ts';
import { lookAtDirectory } from '../sync/directory-lock.ts';
import { draftPrefix } from '../sync/plan-file.ts';
import { failure, skipped } from './doctor-configuration.ts';
import type { Words } from './doctor-database.ts';

type Found = Omit<Check, 'group' | 'name'>;

/** So many files are named in a command. */
const maxNamed = 20;

/** All about the skills directory; `directory` is undefined where the configuration does not tell which. */
export async function directoryChecks(
  examined: ExaminedConfig,
  directory: Outcome<Directory> | undefined,
  words: Words,
): Promise<readonly Check[]> {
  const check = (name: string, found: Found): Check => ({ group: 'Skills directory', name, ...found });
  const plans = check('plan drafts', await planDrafts(examined.projectRoot));
  if (!directory?.ok) {
    const found = directory ? failure(directory.problem) : skipped('which one is not known');
    const rest = ['lock', 'interrupted writes', 'temporary files'];
    return [
      check('folder', found),
      ...rest.map((name) => check(name, skipped('there is no skills directory to look at'))),
      plans,
    ];
  }
  const { root } = directory.value;
  const lock = await answer(lookAtDirectory(nodeDisk, root));
  const left = await directory.value.leftovers();
  const atWork = lock.ok && lock.value.holder !== undefined;
  return [
    check('folder', await folderFound(root)),
    check('lock', lock.ok ? lockFound(lock.value, root) : skipped('its files cannot be read')),
    check(
      'interrupted writes',
      !left.ok
        ? failure(left.problem)
        : atWork
          ? skipped('a run is at work')
          : unfinishedFound(left.value, words),
    ),
    check(
      'temporary files',
      !left.ok
        ? skipped('see interrupted writes')
        : atWork
          ? skipped('a run is at work')
          : strayFound(left.value.stray, root),
    ),
    plans,
  ];
}

async function folderFound(root: string): Promise<Found> {
  const mayWrite = await access(root, constants.W_OK).then(
    () => true,
    () => false,
  );
  return mayWrite
    ? { outcome: 'pass', found: root }
    : {
        outcome: 'warn',
        found: `${root}, where this user may not write: only exports work`,
        remedy: `chmod u+w ${shellWord(root)}`,
      };
}

function lockFound({ holder, left }: Awaited<ReturnType<typeof lookAtDirectory>>, root: string): Found {
  if (holder !== undefined) {
    return {
      outcome: 'warn',
      found: `held by ${holder}`,
      remedy: `Wait until it is done. If that process is gone: rm ${shellWord(root)}/.skill-fleet-lock.*`,
    };
  }
  const killed =
    left.length === 0
      ? ''
      : `; ${counted(left.length, 'file')} of killed runs, which the next one takes over`;
  return { outcome: 'pass', found: `free${killed}` };
}

function unfinishedFound(
  { unfinished, staged }: { readonly unfinished: readonly string[]; readonly staged: readonly string[] },
  { command }: Words,
): Found {
  if (unfinished.length === 0 && staged.length === 0) return { outcome: 'pass', found: 'none' };
  const found =
    unfinished.length > 0
      ? `${counted(unfinished.length, 'skill')} half written by a run that was killed`
      : `${counted(staged.length, 'file')} staged by a run that was killed, and not yet in place`;
  return { outcome: 'warn', found, remedy: `It is brought to an end by: ${command('sync-db')}` };
}

function strayFound(stray: readonly string[], folder: string): Found {
  if (stray.length === 0) return { outcome: 'pass', found: 'none' };
  const files = stray.slice(0, maxNamed).map((file) => shellWord(path.join(folder, file)));
  return {
    outcome: 'warn',
    found: `${counted(stray.length, 'file')} of a run that was killed, and that no other run clears away`,
    remedy: `rm ${files.join(' ')}`,
  };
}

/** Plans stand anywhere: looked for where they are most often saved. */
async function planDrafts(projectRoot: string): Promise<Found> {
  const folders = [...new Set([projectRoot, process.cwd()])];
  const drafts: string[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    drafts.push(
      ...names.filter((name) => name.startsWith(draftPrefix)).map((name) => path.join(folder, name)),
    );
  }
  return strayFound(drafts, '');
}

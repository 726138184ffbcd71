// `resolve`: settles one conflict.

import path from 'node:path';
import type { Config } from '../config/config.ts';
import { defaultLimits } from '../directory/limits.ts';
import { codeOf, nodeDisk, readWhole } from '../disk.ts';
import { type Outcome, refuse } from '../problem.ts';
import { oneByOne } from '../replica.ts';
import { skillWord } from '../report/command-text.ts';
import { parseSkillPath, readPrinted } from '../skill/path.ts';
import { prepareResolve, type Resolution } from '../sync/resolve.ts';
import { runAsPlanned } from '../sync/run.ts';
import { PathGlobs } from './path-globs.ts';
import { openSkills } from './sides.ts';
import { carryOut, inputOf, runOnSides, type SyncFlags } from './sync-command.ts';

/** Flags of `resolve`. */
export interface ResolveFlags extends SyncFlags {
  /** `local`, `database`, or a file. */
  readonly with: string;
}

/** Settles the conflict of the skill at `skill`. Returns the exit code. */
export function run(flags: ResolveFlags, place: string): Promise<number> {
  const skill = readPrinted(place.replace(/(?<!\/)\/+$/, ''));
  return runOnSides('resolve', flags, async (sides) => {
    const resolution = await readResolution(flags.with, sides.config);
    if (!resolution.ok) return resolution;
    const globs = new PathGlobs([]);
    const input = { ...inputOf('sync', flags, sides, globs), selects: (one: string) => one === skill };
    const prepared = await prepareResolve(input, skill, resolution.value);
    if (!prepared.ok) return prepared;
    const exitCode = await carryOut({
      ...{ flags, sides, input, prepared: prepared.value, globs, command: `resolve ${skillWord(skill)}` },
      run: () => runAsPlanned(input, prepared.value),
    });
    return { ok: true, value: exitCode };
  });
}

async function readResolution(name: string, config: Config): Promise<Outcome<Resolution>> {
  if (name === 'local') return { ok: true, value: 'files' };
  if (name === 'database') return { ok: true, value: 'database' };
  const unreadable = (why: string) => refuse({ reason: 'resolution-not-readable', file: name, why });
  try {
    const place = await nodeDisk.realpath(path.resolve(name));
    const stat = await nodeDisk.lstat(place);
    if (stat.isDirectory()) return await readFolder(place, config);
    if (!stat.isFile()) return unreadable('it is no file');
    const { documentBytes } = { ...defaultLimits, ...config.limits };
    return { ok: true, value: { document: await readWhole(nodeDisk, place, documentBytes) } };
  } catch (error) {
    return unreadable(codeOf(error));
  }
}

/** Reads a folder as a skill, as if it stood in a skills directory of its own. */
async function readFolder(folder: string, config: Config): Promise<Outcome<Resolution>> {
  const skill = parseSkillPath(path.basename(folder));
  if (!skill.ok) return skill;
  const directory = await openSkills({ ...config, skillsDirectory: path.dirname(folder) });
  if (!directory.ok) return directory;
  for await (const loaded of oneByOne(directory.value.load([skill.value]))) {
    return 'skill' in loaded
      ? { ok: true, value: { entries: loaded.skill.entries } }
      : refuse(loaded.problem);
  }
  return refuse({ reason: 'resolution-not-readable', file: folder, why: 'it holds no SKILL.md' });
}

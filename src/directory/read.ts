// Reads one skill: first what its files measure, then their bytes.

import type { BigIntStats } from 'node:fs';
import { codeOf } from '../disk.ts';
import { decodeDocument, parseDocument } from '../document/parse.ts';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import type { FilePath, SkillPath } from '../skill/path.ts';
import { documentName, documentOf, type Entry, makeSkill, type Skill } from '../skill/skill.ts';
import type { Above } from './above.ts';
import { type Library, placeOf } from './library.ts';
import type { Limits } from './limits.ts';
import { readFile } from './read-file.ts';
import { scanSkill } from './scan.ts';

/** What the system says of each file of a skill. */
export type FileStats = readonly { readonly path: FilePath; readonly stat: BigIntStats }[];

/** A skill whose files are found and measured, but not read. */
export interface MeasuredSkill {
  readonly path: SkillPath;
  readonly files: FileStats;
  /** All its files' bytes together. */
  readonly bytes: number;
}

/** What stands at a skill's path, beside its files. */
export interface Surroundings {
  /** Where the folder is no skill: the files that would be its own if a document stood there too. */
  readonly loose: readonly FilePath[];
  /** The folders below that are skills of their own, relative to the skills directory. */
  readonly nested: readonly string[];
}

/** A skill, or null where the folder is none or is not there. */
export interface FoundSkill extends Surroundings {
  readonly skill: MeasuredSkill | null;
}

/** Finds a skill and measures it, without looking at the rest of the skills directory. */
export async function findSkill(
  library: Library,
  path: SkillPath,
  above: Above,
): Promise<Outcome<FoundSkill>> {
  const scanned = await scanSkill(library, path, above);
  if (!scanned.ok) return scanned;
  const { files, ...surroundings } = scanned.value;
  if (files === null) return { ok: true, value: { skill: null, ...surroundings } };
  const skill = await measureSkill(library, path, files);
  return skill.ok ? { ok: true, value: { skill: skill.value, ...surroundings } } : skill;
}

/** When a skill's files were last written. Folders do not count: editors come and go in them. */
export function lastChange({ files }: MeasuredSkill): Date {
  const latest = files.reduce((most, { stat }) => (stat.mtimeNs > most ? stat.mtimeNs : most), 0n);
  return new Date(Number(latest / 1_000_000n));
}

/** Measures a skill's files. Refuses with `file-unreadable` or `limit-exceeded`. */
export async function measureSkill(
  library: Library,
  path: SkillPath,
  files: readonly FilePath[],
): Promise<Outcome<MeasuredSkill>> {
  const measured: { path: FilePath; stat: BigIntStats }[] = [];
  for (const file of files) {
    try {
      measured.push({ path: file, stat: await library.disk.lstat(placeOf(library, `${path}/${file}`)) });
    } catch (error) {
      return refuse({ reason: 'file-unreadable', path, file, code: codeOf(error) });
    }
  }
  const sizes = measured.map((file) => ({ path: file.path, bytes: Number(file.stat.size) }));
  const problem = breachOf(library.limits, path, sizes);
  if (problem !== undefined) return refuse(problem);
  const bytes = sizes.reduce((sum, file) => sum + file.bytes, 0);
  return { ok: true, value: { path, files: measured, bytes } };
}

/** Which limit a skill with such files breaches, if any. */
export function breachOf(
  limits: Limits,
  path: SkillPath,
  files: readonly { readonly path: FilePath; readonly bytes: number }[],
): Problem | undefined {
  const limitOf = limitFor(files.map((file) => file.path));
  for (const file of files) {
    const limit = limitOf(file.path);
    if (file.bytes > limits[limit]) {
      return { reason: 'limit-exceeded', path, file: file.path, limit, most: limits[limit] };
    }
  }
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const totals = [
    ['skillBytes', total],
    ['filesPerSkill', files.length],
  ] as const;
  const [limit] = totals.find(([limit, actual]) => actual > limits[limit]) ?? [];
  return limit && { reason: 'limit-exceeded', path, limit, most: limits[limit] };
}

/** A skill that was read, and what the system said of each of its files then. */
export interface StandingSkill {
  readonly skill: Skill;
  readonly stats: ReadonlyMap<FilePath, BigIntStats>;
}

/** Reads a skill and checks that its document can be understood; refused with the first problem. */
export async function readSkill(library: Library, skill: MeasuredSkill): Promise<Outcome<StandingSkill>> {
  const limitOf = limitFor(skill.files.map((file) => file.path));
  const entries: Entry[] = [];
  const stats = new Map<FilePath, BigIntStats>();
  for (const { path, stat } of skill.files) {
    const read = await readFile(library, skill.path, path, limitOf(path), stat);
    if (!read.ok) return read;
    const known = await library.bits?.isExecutable(`${skill.path}/${path}`);
    entries.push({ path, bytes: read.value.bytes, executable: known ?? read.value.executable });
    stats.set(path, read.value.stat);
  }
  const made = makeSkill(skill.path, entries);
  const problem = documentProblem(made);
  return problem === undefined ? { ok: true, value: { skill: made, stats } } : refuse(problem);
}

/** Why a skill's document cannot be understood, if so. */
export function documentProblem(skill: Skill): Problem | undefined {
  const document = documentOf(skill);
  const place = { skill: skill.path, file: document.path };
  const text = decodeDocument(document.bytes, place);
  if (!text.ok) return text.problem;
  const parsed = parseDocument(text.value, place);
  return parsed.ok ? undefined : parsed.problem;
}

function limitFor(files: readonly FilePath[]): (file: FilePath) => 'documentBytes' | 'fileBytes' {
  const document = documentName(files);
  return (file) => (file === document ? 'documentBytes' : 'fileBytes');
}

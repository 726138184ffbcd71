// Whether a skill from elsewhere, once written, would be read back as the same skill.

import type { Outcome, Problem } from '../problem.ts';
import { type FilePath, findMerged, foldersAbove, parseFilePath, parseSkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { Above } from './above.ts';
import { type IgnoreRules, ignoreFileName, linesOf } from './ignore.ts';
import { isBelow, type Library, parentOf } from './library.ts';
import { breachOf, documentProblem } from './read.ts';

/**
 * Why a skill's paths must not be joined with the skills directory's, if so. Its types say that they were
 * checked; a row is not to leave the skills directory even where somebody forgot to.
 */
export function whyPathsNotAllowed({ path, entries }: Skill): Problem | undefined {
  const outcomes = [parseSkillPath(path), ...entries.map((entry) => parseFilePath(path, entry.path))];
  const refused = outcomes.find((outcome) => !outcome.ok);
  return refused?.problem;
}

/**
 * Why a skill cannot be kept at its path, if so: `file-not-keepable`, `files-collide`, a breached limit, or what
 * its document lacks. `nested` are the skills that stand below it, `above` what stands above it. Throws the
 * system's error.
 */
export async function whyNotKeepable(
  library: Library,
  skill: Skill,
  nested: readonly string[],
  above: Above,
): Promise<Problem | undefined> {
  const sizes = skill.entries.map((entry) => ({ path: entry.path, bytes: entry.bytes.length }));
  const breach = breachOf(library.limits, skill.path, sizes);
  if (breach !== undefined) return breach;
  const rules = rulesWithin(await above.rulesIn(parentOf(skill.path)), skill);
  if (!rules.ok) return rules.problem;
  const files = new Set(skill.entries.map((entry) => entry.path));
  for (const file of files) {
    const why =
      (files.size < skill.entries.length ? 'or another one is there twice' : undefined) ??
      whyNotFile(file, files) ??
      whyNotThere(library, `${skill.path}/${file}`, rules.value, nested);
    if (why !== undefined) return { reason: 'file-not-keepable', path: skill.path, file, why };
  }
  const merged = findMerged([...files]);
  return merged ? { reason: 'files-collide', path: skill.path, ...merged } : documentProblem(skill);
}

function whyNotFile(file: FilePath, files: ReadonlySet<string>): string | undefined {
  const above = foldersAbove(file).find((folder) => files.has(folder));
  if (above !== undefined) return `stands below ${above}, which is a file`;
  return file.toLowerCase().endsWith('/skill.md') ? 'would make a skill of its own' : undefined;
}

function whyNotThere(
  library: Library,
  path: string,
  rules: IgnoreRules,
  nested: readonly string[],
): string | undefined {
  const { depth } = library.limits;
  if (foldersAbove(path).length > depth) return `stands below more than ${depth} folders`;
  const other = nested.find((folder) => isBelow(path, folder));
  if (other !== undefined) return `would belong to the skill ${other}`;
  const verdict = rules.verdict(path, false);
  return verdict === 'content' || verdict === 'held-secret' ? undefined : 'is left out by the ignore rules';
}

/** The rules that hold in the skill's folder once it is written: those above it, and its own new ones. */
function rulesWithin(above: Outcome<IgnoreRules>, skill: Skill): Outcome<IgnoreRules> {
  let rules = above;
  const own = skill.entries.filter(
    ({ path }) => path === ignoreFileName || path.endsWith(`/${ignoreFileName}`),
  );
  for (const { path, bytes } of own.sort(
    (a, b) => foldersAbove(a.path).length - foldersAbove(b.path).length,
  )) {
    const file = `${skill.path}/${path}`;
    if (rules.ok) rules = rules.value.with(parentOf(file), linesOf(bytes), file);
  }
  return rules;
}

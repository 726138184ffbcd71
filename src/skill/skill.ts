// A skill's content: its files, as bytes.

import { compareBytes, type FilePath, type SkillPath } from './path.ts';

/** One file of a skill. */
export interface Entry {
  readonly path: FilePath;
  readonly executable: boolean;
  readonly bytes: Buffer;
}

/** A skill with all its files, the document among them, in byte order of their paths. */
export interface Skill {
  readonly path: SkillPath;
  readonly entries: readonly Entry[];
}

/** Makes a skill of files in any order. */
export function makeSkill(path: SkillPath, entries: readonly Entry[]): Skill {
  return { path, entries: entries.toSorted((a, b) => compareBytes(a.path, b.path)) };
}

/** Whether a file of this name makes its folder a skill: letter case does not count. */
export function isDocumentName(name: string): boolean {
  return name.toLowerCase() === 'skill.md';
}

/**
 * Which of a folder's file names is its document: `SKILL.md`, else the first in byte order that is it in
 * another case, which keeps its name. Undefined where the folder is no skill.
 */
export function documentName(names: Iterable<string>): string | undefined {
  const candidates = [...names].filter(isDocumentName);
  return candidates.includes('SKILL.md') ? 'SKILL.md' : candidates.sort(compareBytes)[0];
}

/** The skill's document. A skill without one is a bug of whoever made it. */
export function documentOf(skill: Skill): Entry {
  const name = documentName(skill.entries.map((entry) => entry.path));
  const entry = skill.entries.find((candidate) => candidate.path === name);
  if (entry === undefined) throw new Error(`skill without a document: ${skill.path}`);
  return entry;
}

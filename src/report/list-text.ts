// The listed skills as lines: one a skill, columns aligned.

import { categoryText } from './category-text.ts';
import type { Colors } from './colors.ts';
import { counted } from './counted.ts';
import { printableLine } from './terminal-text.ts';

/** What a line says of a skill. */
export interface ListedSkill {
  readonly skill_path: string;
  readonly status: string;
  readonly category: string | null;
  /** Why it is in that category; null where another writer put it there. */
  readonly category_reason: string | null;
}

/** `PATH  STATUS  CATEGORY (reason)`, then how many there are. */
export function listLines(skills: readonly ListedSkill[], colors: Colors): string {
  const rows = skills.map((skill) => ({
    path: printableLine(skill.skill_path),
    status: skill.status,
    category: categoryText(skill.category, skill.category_reason),
  }));
  const width = Math.max(0, ...rows.map((row) => row.path.length));
  const lines = rows.map(
    ({ path, status, category }) => `${path.padEnd(width)}  ${colors.dim(status.padEnd(10))}  ${category}\n`,
  );
  return `${lines.join('')}${counted(skills.length, 'skill')}\n`;
}

// The listed skills as lines: one a skill, columns aligned.

import { categoryText } from './category-text.ts';
import type { Colors } from './colors.ts';
import { cut, padded, widthOf } from './columns.ts';
import { counted } from './counted.ts';
import { printableLine } from './terminal-text.ts';

/** What a line says of a skill. */
export interface ListedSkill {
  readonly skill_path: string;
  readonly name: string;
  readonly description: string;
  readonly status: string;
  readonly category: string | null;
  /** Why it is in that category; null where another writer put it there. */
  readonly category_reason: string | null;
}

/** `PATH  STATUS  CATEGORY (reason)`, then how many there are: the same from version to version, for pipes. */
export function listLines(skills: readonly ListedSkill[], total: number, colors: Colors): string {
  const rows = skills.map((skill) => ({
    path: printableLine(skill.skill_path),
    status: printableLine(skill.status),
    category: categoryText(skill.category, skill.category_reason),
  }));
  const width = widest(rows.map((row) => row.path));
  const lines = rows.map(
    ({ path, status, category }) =>
      `${padded(path, width)}  ${colors.dim(padded(status, 10))}  ${category}\n`,
  );
  return lines.join('') + countLine(skills.length, total);
}

/** How wide columns may become, in places. */
const most = { name: 28, category: 44 };

/** A longer path is never cut, since it is there to be copied: what else is said of it stands in the next line. */
const mostOfPath = 0.5;

/** A description with less room says nothing; one with so much is worth more than a column that says the same. */
const leastDescription = 12;
const goodDescription = 24;

/** Columns that a narrow terminal does without, this one first: most names and categories are parts of the path. */
const spare = [1, 2];

/** The same for people, with as much of names, categories and descriptions as the terminal is wide enough for. */
export function listTable(
  skills: readonly ListedSkill[],
  total: number,
  columns: number,
  colors: Colors,
): string {
  if (skills.length === 0) return countLine(0, total);
  const rows = [
    ['PATH', 'NAME', 'CATEGORY', 'STATUS', 'DESCRIPTION'] as const,
    ...skills.map(
      (skill) =>
        [
          printableLine(skill.skill_path),
          cut(printableLine(skill.name), most.name),
          cut(categoryText(skill.category, skill.category_reason), most.category),
          printableLine(skill.status),
          printableLine(skill.description.replace(/\s+/gu, ' ').trim()),
        ] as const,
    ),
  ];
  const [pathWidth = 0, ...others] = ([0, 1, 2, 3, 4] as const).map((at) =>
    widest(rows.map((row) => row[at])),
  );
  const widths = [Math.min(pathWidth, Math.floor(columns * mostOfPath)), ...others];
  const shown = new Set([0, 1, 2, 3]);
  const wanted = Math.min(goodDescription, widths[4] ?? 0);
  const roomLeft = () => [...shown].reduce((room, at) => room - (widths[at] ?? 0) - 2, columns);
  for (const at of spare) if (roomLeft() < wanted) shown.delete(at);
  const room = roomLeft();
  const lines = rows.map((row, at) => {
    const cells = [...shown].map((column) => padded(row[column] ?? '', widths[column] ?? 0));
    const [path = '', ...more] = [...cells, room < leastDescription ? '' : cut(row[4], room)];
    const isLong = widthOf(path) > (widths[0] ?? 0);
    const head = isLong ? `${path}\n${' '.repeat(widths[0] ?? 0)}` : path;
    const line = [head, ...more].join('  ').trimEnd();
    return `${at === 0 ? colors.bold(line) : line}\n`;
  });
  return lines.join('') + countLine(skills.length, total);
}

function widest(cells: readonly string[]): number {
  return cells.reduce((most, cell) => Math.max(most, widthOf(cell)), 0);
}

function countLine(shown: number, total: number): string {
  return shown === total ? `${counted(total, 'skill')}\n` : `${shown} of ${counted(total, 'skill')}\n`;
}

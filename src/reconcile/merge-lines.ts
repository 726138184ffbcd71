// The three-way merge of texts by lines: what only one side changed, or both alike, is merged, and nothing else.

/** Successive lines of a text. */
export interface Lines {
  /** The number of the first one, from 1; where there is none, of the line that they would stand before. */
  readonly line: number;
  /** Them with their line breaks. */
  readonly text: string;
}

/** A place that both sides changed, differently. */
export interface LineRegion {
  readonly base: Lines;
  readonly files: Lines;
  readonly database: Lines;
}

/** A text that holds both sides' changes, or why there is none. */
export type MergedLines =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly regions: readonly LineRegion[] };

/**
 * Merges what both sides made of a text. Changes with no unchanged line between them conflict, as in git; it is
 * clean only where `git merge-file` is, and then with the same text. A line ends with its LF, or with the text, and
 * differs from one with another line break. Pure.
 */
export function mergeLines(base: string, files: string, database: string): MergedLines {
  if (files === database || database === base) return { ok: true, text: files };
  if (files === base) return { ok: true, text: database };
  const [inBase, inFiles, inDatabase] = [linesOf(base), linesOf(files), linesOf(database)];
  const firmInFiles = firmLines(inBase, inFiles);
  const firmInDatabase = firmLines(inBase, inDatabase);
  const regions: LineRegion[] = [];
  let text = '';
  let from = { base: 0, files: 0, database: 0 };
  for (let line = 0; line <= inBase.length; line++) {
    const isEnd = line === inBase.length;
    const filesLine = isEnd ? inFiles.length : firmInFiles[line];
    const databaseLine = isEnd ? inDatabase.length : firmInDatabase[line];
    if (filesLine === undefined || databaseLine === undefined) continue;
    const region = {
      base: between(inBase, from.base, line),
      files: between(inFiles, from.files, filesLine),
      database: between(inDatabase, from.database, databaseLine),
    };
    const merged = mergedText(region);
    if (merged === null) regions.push(narrowed(region));
    else text += merged;
    text += inBase[line] ?? '';
    from = { base: line + 1, files: filesLine + 1, database: databaseLine + 1 };
  }
  return regions.length === 0 ? { ok: true, text } : { ok: false, regions };
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

function between(lines: readonly string[], from: number, to: number): Lines {
  return { line: from + 1, text: lines.slice(from, to).join('') };
}

function mergedText({ base, files, database }: LineRegion): string | null {
  if (database.text === base.text) return files.text;
  if (files.text === base.text) return database.text;
  // Where lines of it stayed, git may align the same change differently on the two sides, and find a conflict.
  const before = new Set(linesOf(base.text));
  const isAlike = files.text === database.text && !linesOf(files.text).some((line) => before.has(line));
  return isAlike ? files.text : null;
}

/** Without the lines that all three have at its ends: they are shown for nothing. */
function narrowed({ base, files, database }: LineRegion): LineRegion {
  const parts = [base, files, database].map(({ text }) => linesOf(text));
  const [first = []] = parts;
  const shortest = Math.min(...parts.map((lines) => lines.length));
  let head = 0;
  while (head < shortest && parts.every((lines) => lines[head] === first[head])) head++;
  let tail = 0;
  while (tail < shortest - head && parts.every((lines) => lines.at(-1 - tail) === first.at(-1 - tail)))
    tail++;
  const inner = ({ line, text }: Lines): Lines => {
    const lines = linesOf(text);
    return { line: line + head, text: lines.slice(head, lines.length - tail).join('') };
  };
  return { base: inner(base), files: inner(files), database: inner(database) };
}

/** For a line of the base, the line that it surely is in a side's text; undefined where a diff may choose. */
type FirmLines = (number | undefined)[];

/**
 * The lines that every diff which git may make keeps as the same ones: of the lines that git compares, those that
 * all shortest edits keep so. No conflict of git's can then span a line that is firm on both sides.
 */
function firmLines(base: readonly string[], side: readonly string[]): FirmLines {
  const inBase = countsOf(base);
  const inSide = countsOf(side);
  const shortest = Math.min(base.length, side.length);
  let head = 0;
  while (head < shortest && base[head] === side[head]) head++;
  let tail = 0;
  while (tail < shortest - head && base.at(-1 - tail) === side.at(-1 - tail)) tail++;
  const ofBase = comparedLines(base, inSide, head, base.length - tail);
  const ofSide = comparedLines(side, inBase, head, side.length - tail);
  const firm: FirmLines = Array(base.length).fill(undefined);
  for (const [from, to] of alwaysKept(ofBase, ofSide)) firm[from] = to;
  // Changes slide over lines that repeat, where a passed line is one that was left out too.
  let from = { base: 0, side: 0 };
  for (let line = 0; line <= base.length; line++) {
    const text = base[line] ?? '';
    const isEnd = line === base.length;
    const to = isEnd ? side.length : firm[line];
    if (to === undefined || (!isEnd && (inBase.get(text) !== 1 || inSide.get(text) !== 1))) continue;
    const isLeftOut =
      ofBase.leftOut.subarray(from.base, line).includes(1) ||
      ofSide.leftOut.subarray(from.side, to).includes(1);
    if (isLeftOut) firm.fill(undefined, from.base, line);
    from = { base: line + 1, side: to + 1 };
  }
  return firm;
}

function countsOf(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/**
 * The lines that git compares (xdl_cleanup_records): not those that the other text lacks, nor, left out with them,
 * those of many matches that stand scattered among them. What both texts begin and end with is compared.
 */
function comparedLines(
  lines: readonly string[],
  inOther: ReadonlyMap<string, number>,
  from: number,
  to: number,
) {
  // Half the bits of the number of lines, rounded up, make git's square root.
  const many = Math.min(1024, 2 ** Math.ceil((32 - Math.clz32(lines.length)) / 2));
  const matches = lines.map((line) => inOther.get(line) ?? 0);
  const isScattered = (line: number) => {
    let [none, often] = [0, 0];
    for (const step of [-1, 1]) {
      const before = none;
      for (let at = line; at >= from && at < to && Math.abs(at - line) <= 100; at += step) {
        const count = matches[at] ?? 0;
        if (count > 0 && count < many) break;
        if (count === 0) none++;
        else often++;
      }
      if (none === before) return false;
    }
    return 3 * often < none;
  };
  const leftOut = Uint8Array.from(matches, (count, line) =>
    Number(line >= from && line < to && count >= many && isScattered(line)),
  );
  const numbers = [...lines.keys()].filter((line) => matches[line] !== 0 && leftOut[line] === 0);
  return {
    leftOut,
    texts: numbers.map((line) => lines[line] ?? ''),
    /** Where the n-th of them stands; where the text ends for the one after the last. */
    numberOf: (nth: number) => numbers[nth] ?? lines.length,
  };
}

type ComparedLines = ReturnType<typeof comparedLines>;

/** Up to here git's diff is the shortest, with a wide margin, and the table of {@link distances} is small. */
const maxDistance = 200;
const maxCells = 2 ** 26;

/** The lines that every shortest edit (of insertions and deletions) keeps as one and the same; none if it is long. */
function alwaysKept(inBase: ComparedLines, inSide: ComparedLines): readonly (readonly [number, number])[] {
  const [a, b] = [inBase.texts, inSide.texts];
  for (const band of [8, 40, maxDistance]) {
    if (Math.abs(a.length - b.length) > band || (a.length + 1) * (2 * band + 1) > maxCells) continue;
    const before = distances(a, b, band);
    const distance = before(a.length, b.length);
    if (distance > band) continue;
    const after = distances(a.toReversed(), b.toReversed(), band);
    const matches = a.map((text, i) => {
      const matching: number[] = [];
      let isKept = true;
      for (let j = Math.max(0, i - band); j <= Math.min(b.length, i + band); j++) {
        const here = before(i, j);
        if (here + 1 + after(a.length - i - 1, b.length - j) === distance) isKept = false;
        if (text === b[j] && here + after(a.length - i - 1, b.length - j - 1) === distance) matching.push(j);
      }
      return { matching, isKept };
    });
    // Where one insertion or deletion may only slide, it stands as low as it can, in git.
    const kept: [number, number][] = [];
    let [i, j, line, other] = [0, 0, 0, 0];
    for (let toI = 0; toI <= a.length; toI++) {
      const { matching, isKept } = matches[toI] ?? { matching: [b.length], isKept: true };
      const [toJ = 0] = matching;
      if (!isKept || matching.length !== 1) continue;
      const [toLine, toOther] = [inBase.numberOf(toI), inSide.numberOf(toJ)];
      const shifts = [other - line, toOther - toLine];
      const grown = toOther - other - (toLine - line);
      const edits =
        before(toI, toJ) - before(i, j) + (toLine - line - (toI - i)) + (toOther - other - (toJ - j));
      const mayOnlySlide =
        edits === Math.abs(grown) &&
        matches
          .slice(i, toI)
          .every((row, nth) =>
            row.matching.every((match) => shifts.includes(inSide.numberOf(match) - inBase.numberOf(i + nth))),
          );
      for (; mayOnlySlide && line < toLine && other < toOther; line++, other++) kept.push([line, other]);
      if (toI < a.length) kept.push([toLine, toOther]);
      [i, j, line, other] = [toI + 1, toJ + 1, toLine + 1, toOther + 1];
    }
    return kept;
  }
  return [];
}

/** How far the beginnings of two texts are apart, by their lengths; over the width of the band it is more. */
function distances(a: readonly string[], b: readonly string[], band: number) {
  const width = 2 * band + 1;
  const cells = new Uint8ClampedArray((a.length + 1) * width).fill(255);
  const place = (i: number, j: number) => i * width + j - i + band;
  const at = (i: number, j: number) => (Math.abs(j - i) > band ? 255 : (cells[place(i, j)] ?? 255));
  cells[place(0, 0)] = 0;
  for (let i = 0; i <= a.length; i++) {
    for (let j = Math.max(0, i - band); j <= Math.min(b.length, i + band); j++) {
      if (i === 0 && j === 0) continue;
      const edited = Math.min(at(i, j - 1), i > 0 ? at(i - 1, j) : 255) + 1;
      const kept = i > 0 && j > 0 && a[i - 1] === b[j - 1] ? at(i - 1, j - 1) : 255;
      cells[place(i, j)] = Math.min(edited, kept);
    }
  }
  return at;
}

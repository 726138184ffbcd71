// Merging texts by lines: by example, by law, and beside git, which may find no conflict in what is merged here.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mergeLines } from '../../src/reconcile/merge-lines.ts';
import { describeWithGit } from '../git/repositories.ts';
import { lawTimeout, runs } from '../runs.ts';

const corpus = '../shared/corpus';

const twoParagraphs = 'one\n\ntwo\n';
const fenced = 'a\n\n```\nx\n```\n\n```\ny\n```\n';
const rules = '---\nname: a\n---\n\n---\n\nend\n';

describe('clean is', () => {
  test.each([
    [
      'a paragraph each, with a blank line between',
      twoParagraphs,
      'ONE\n\ntwo\n',
      'one\n\nTWO\n',
      'ONE\n\nTWO\n',
    ],
    [
      'a paragraph after one that changed',
      twoParagraphs,
      'ONE\n\ntwo\n',
      'one\n\nnew\n\ntwo\n',
      'ONE\n\nnew\n\ntwo\n',
    ],
    [
      'a paragraph gone, and the next but one changed',
      'a\n\nb\n\nc\n\nd\n',
      'a\n\nc\n\nd\n',
      'a\n\nb\n\nc\n\nD\n',
      'a\n\nc\n\nD\n',
    ],
    ['the same change', 'a\nb\n', 'a\nB\n', 'a\nB\n', 'a\nB\n'],
    [
      'the same change beside others',
      'a\nb\nc\nd\ne\n',
      'A\nb\nC\nd\ne\n',
      'a\nb\nC\nd\nE\n',
      'A\nb\nC\nd\nE\n',
    ],
    ['the same text from none', '', 'a\n', 'a\n', 'a\n'],
    ['one side from none', '', '', 'a\n', 'a\n'],
    ['one side gone', 'a\n', '', 'a\n', ''],
    ['both ends of a text', 'a\nb\nc\n', '0\na\nb\nc\n', 'a\nb\nc\nd\n', '0\na\nb\nc\nd\n'],
    ['CRLF kept', 'a\r\n\r\nb\r\n', 'A\r\n\r\nb\r\n', 'a\r\n\r\nB\r\n', 'A\r\n\r\nB\r\n'],
    ['line ends of one side alone', 'a\nb\nc\n', 'a\r\nb\nc\n', 'a\nb\nC\n', 'a\r\nb\nC\n'],
    ['a last line that loses its break', 'a\nb\nc\n', 'A\nb\nc\n', 'a\nb\nc', 'A\nb\nc'],
    ['a last line that gains its break', 'a\nb\nc', 'A\nb\nc', 'a\nb\nc\n', 'A\nb\nc\n'],
    ['a lone CR within its line', 'a\rb\nc\nd\n', 'a\rB\nc\nd\n', 'a\rb\nc\nD\n', 'a\rB\nc\nD\n'],
    [
      'each of two code blocks',
      fenced,
      fenced.replace('x', 'X'),
      fenced.replace('y', 'Y'),
      fenced.replace('x', 'X').replace('y', 'Y'),
    ],
    [
      'text on both sides of a rule',
      rules,
      rules.replace('name: a', 'name: b'),
      rules.replace('end', 'END'),
      '---\nname: b\n---\n\n---\n\nEND\n',
    ],
    [
      'a block moved, and a line far from it changed',
      'a\nb\nc\nd\ne\nf\n',
      'c\na\nb\nd\ne\nf\n',
      'a\nb\nc\nd\ne\nF\n',
      'c\na\nb\nd\ne\nF\n',
    ],
  ])('%s', (_, base, files, database, text) => {
    expect(mergeLines(base, files, database)).toEqual({ ok: true, text });
    expect(mergeLines(base, database, files)).toEqual({ ok: true, text });
  });
});

describe('a conflict is', () => {
  test.each([
    [
      'one line, changed differently',
      'a\nb\nc\n',
      'a\nX\nc\n',
      'a\nY\nc\n',
      [
        [2, 'b\n'],
        [2, 'X\n'],
        [2, 'Y\n'],
      ],
    ],
    [
      'two adjacent lines',
      'a\nb\nc\nd\n',
      'a\nX\nc\nd\n',
      'a\nb\nY\nd\n',
      [
        [2, 'b\nc\n'],
        [2, 'X\nc\n'],
        [2, 'b\nY\n'],
      ],
    ],
    [
      'what both append',
      'a\n',
      'a\nx\n',
      'a\ny\n',
      [
        [2, ''],
        [2, 'x\n'],
        [2, 'y\n'],
      ],
    ],
    [
      'two texts from none',
      '',
      'x\n',
      'y\n',
      [
        [1, ''],
        [1, 'x\n'],
        [1, 'y\n'],
      ],
    ],
    [
      'two texts that begin alike, from none',
      '',
      'a\nx\n',
      'a\ny\n',
      [
        [1, ''],
        [1, 'a\nx\n'],
        [1, 'a\ny\n'],
      ],
    ],
    [
      'an edit of what is gone',
      'a\nb\nc\n',
      'a\nc\n',
      'a\nB\nc\n',
      [
        [2, 'b\n'],
        [2, ''],
        [2, 'B\n'],
      ],
    ],
    [
      'line ends against an edit',
      'a\nb\n',
      'a\r\nb\n',
      'A\nb\n',
      [
        [1, 'a\n'],
        [1, 'a\r\n'],
        [1, 'A\n'],
      ],
    ],
    [
      'a last line and its break',
      'a\nb\n',
      'a\nb',
      'a\nB\n',
      [
        [2, 'b\n'],
        [2, 'b'],
        [2, 'B\n'],
      ],
    ],
    [
      'blank lines, more of them and fewer',
      'a\n\n\n\nb\n',
      'a\n\n\n\n\nb\n',
      'a\n\n\nb\n',
      [
        [4, '\n'],
        [4, '\n\n'],
        [4, ''],
      ],
    ],
    [
      'a block that moves, and is edited',
      'a\nb\nc\nd\n',
      'c\na\nb\nd\n',
      'a\nb\nC\nd\n',
      [
        [3, 'c\n'],
        [4, ''],
        [3, 'C\n'],
      ],
    ],
  ] as const)('%s', (_, base, files, database, [inBase, inFiles, inDatabase]) => {
    const lines = ([line, text]: readonly [number, string]) => ({ line, text });
    const [b, f, d] = [lines(inBase), lines(inFiles), lines(inDatabase)];
    expect(mergeLines(base, files, database)).toMatchObject({
      regions: [{ base: b, files: f, database: d }],
    });
    expect(mergeLines(base, database, files)).toMatchObject({
      regions: [{ base: b, files: d, database: f }],
    });
  });

  // Git does not compare such lines; a shortest edit would keep them, and with them an insertion between.
  test('a rewritten stretch, whatever frequent lines in the midst of it stayed', () => {
    const stretch = (word: string, middle: string) =>
      [0, 1, 2, 3, 4].map((n) => `${word}${n}\n`).join('') + middle + `${word}\n`.repeat(5);
    const [base, files, database] = [
      stretch('x', '}\n}\n'),
      stretch('y', '}\n}\n'),
      stretch('x', '}\nnew\n}\n'),
    ];
    const end = 'end\n}\n}\n';
    expect(mergeLines(base + end, files + end, database + end)).toEqual({
      ok: false,
      regions: [
        {
          base: { line: 1, text: base },
          files: { line: 1, text: files },
          database: { line: 1, text: database },
        },
      ],
    });
  });

  test('told apart from the next, and numbered as each text has it', () => {
    const merged = mergeLines('a\nb\nc\nd\ne\n', '0\na\nX\nc\nd\nV\n', 'a\nY\nc\nd\nW\n');
    expect(merged).toEqual({
      ok: false,
      regions: [
        {
          base: { line: 2, text: 'b\n' },
          files: { line: 3, text: 'X\n' },
          database: { line: 2, text: 'Y\n' },
        },
        {
          base: { line: 5, text: 'e\n' },
          files: { line: 6, text: 'V\n' },
          database: { line: 5, text: 'W\n' },
        },
      ],
    });
  });
});

describe('a text of 20,000 lines', () => {
  const lines = Array.from({ length: 20_000 }, (_, line) => (line % 3 === 0 ? '\n' : `line ${line}\n`));
  const base = lines.join('');
  const files = lines.toSpliced(100, 1, 'x\n').toSpliced(9000, 3).join('');

  test('is merged where little changed', () => {
    const both = lines.toSpliced(15_001, 1, 'y\n').toSpliced(100, 1, 'x\n').toSpliced(9000, 3).join('');
    const database = lines.toSpliced(15_001, 1, 'y\n').join('');
    expect(mergeLines(base, files, database)).toEqual({ ok: true, text: both });
  });

  test.each([
    ['rewritten', lines.map((_, line) => `new ${line}\n`)],
    ['turned round', lines.toReversed()],
  ])('is one conflict where it is %s', (_, other) => {
    const merged = mergeLines(base, files, other.join(''));
    expect(merged.ok ? [] : merged.regions).toHaveLength(1);
  });
});

/** An edit of a text, as its author would make it; places count from any number, modulo the lines there are. */
interface Edit {
  readonly how: (typeof hows)[number];
  readonly at: number;
  readonly to: number;
  readonly count: number;
  readonly many: number;
  readonly fresh: readonly string[];
}

const hows = ['replace', 'insert', 'delete', 'move', 'duplicate', 'rewrite', 'ends', 'last'] as const;

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, edit) => withEdit(linesOf(before), edit).join(''), text);
}

function withEdit(lines: readonly string[], { how, at, to, count, many, fresh }: Edit): readonly string[] {
  const [from, target] = [at % (lines.length + 1), to % (lines.length + 1)];
  const whole = lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`));
  const stretch = whole.slice(from, from + count);
  switch (how) {
    case 'replace':
      return whole.toSpliced(from, count, ...fresh);
    case 'insert':
      return whole.toSpliced(from, 0, ...fresh);
    case 'delete':
      return whole.toSpliced(from, count);
    case 'move':
      return whole.toSpliced(from, count).toSpliced(target, 0, ...stretch);
    case 'duplicate':
      return whole.toSpliced(target, 0, ...stretch);
    // Frequent lines among many that are new: those that git leaves out of its comparison.
    case 'rewrite': {
      const isNew = (nth: number) => (to >> (nth % 16)) % 4 !== 0;
      const lineAt = (_: unknown, nth: number) =>
        isNew(nth) ? `new ${at} ${nth}\n` : (fresh[nth % fresh.length] ?? '');
      return whole.toSpliced(from, many, ...Array.from({ length: many }, lineAt));
    }
    case 'ends':
      return lines.map((line, nth) =>
        nth < from || nth >= from + 3 * count
          ? line
          : line.replace(/\r?\n$/, (end) => (end === '\n' ? '\r\n' : '\n')),
      );
    case 'last':
      return lines.map((line, nth) =>
        nth < lines.length - 1 ? line : line.endsWith('\n') ? line.replace(/\r?\n$/, '') : `${line}\n`,
      );
  }
}

function editsWith(line: fc.Arbitrary<string>, most: number) {
  const edit = fc.record({
    how: fc.constantFrom(...hows),
    at: fc.nat(1 << 20),
    to: fc.nat(1 << 20),
    count: fc.integer({ min: 1, max: 5 }),
    many: fc.integer({ min: 8, max: 40 }),
    fresh: fc.array(line, { minLength: 1, maxLength: 4 }),
  });
  return fc.array(edit, { minLength: 1, maxLength: most });
}

/** What two authors made of a text, at times after the same edits by both. */
function triples(text: fc.Arbitrary<string>, line: fc.Arbitrary<string>) {
  const alike = fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: editsWith(line, 2) },
  );
  return fc
    .tuple(text, alike, editsWith(line, 3), editsWith(line, 3))
    .map(([base, both, files, database]) => ({
      base,
      files: edited(edited(base, both), files),
      database: edited(edited(base, both), database),
    }));
}

const joined = (lines: readonly string[]) => lines.join('');
const fewLines = fc.constantFrom('\n', '\n', '\n', '\n', 'a\n', 'b\n', 'c\n', '}\n', '---\n');
const numberedLines = fc.nat(60).map((number) => `line ${number}\n`);
const fewTexts = fc
  .oneof(
    fc.array(fewLines, { maxLength: 12 }),
    fc.array(fewLines, { maxLength: 60 }),
    fc.array(fc.oneof({ weight: 2, arbitrary: fewLines }, { weight: 3, arbitrary: numberedLines }), {
      maxLength: 80,
    }),
  )
  .map(joined);

const words = fc.constantFrom(
  'use',
  'the',
  'skill',
  'when',
  'tests',
  'run',
  'files',
  'and',
  'merge',
  'a',
  'both',
);
const proseLines = fc.array(words, { minLength: 1, maxLength: 6 }).map((found) => `${found.join(' ')}\n`);
const proseOr = (...others: readonly string[]) =>
  fc.oneof({ weight: 3, arbitrary: proseLines }, { weight: 1, arbitrary: fc.constantFrom(...others) });
const blocks = fc.oneof(
  fc.array(proseLines, { minLength: 1, maxLength: 4 }).map(joined),
  proseLines.map((line) => `## ${line}`),
  fc
    .array(proseLines, { minLength: 1, maxLength: 5 })
    .map((lines) => lines.map((line) => `- ${line}`).join('')),
  fc.array(proseOr('\n'), { maxLength: 8 }).map((lines) => ['```bash\n', ...lines, '```\n'].join('')),
  fc.constant('---\n'),
);
const documents = fc
  .array(blocks, { minLength: 1, maxLength: 25 })
  .map((all) => ['---\nname: x\ndescription: y\n---\n', ...all].join('\n'));
const documentLines = proseOr('\n', '```\n', '---\n');
const realDocuments = existsSync(corpus)
  ? readdirSync(corpus, { recursive: true, encoding: 'utf8' })
      .filter((file) => path.basename(file) === 'SKILL.md')
      .sort()
      .map((file) => readFileSync(path.join(corpus, file), 'utf8'))
  : [];

const generated = [
  ['of few lines, many of them blank', triples(fewTexts, fewLines)],
  ['of markdown', triples(documents, documentLines)],
] as const;

describe.each(generated)('texts %s', (_, texts) => {
  test('are merged with one that did not change, or changed alike, as they are', () => {
    fc.assert(
      fc.property(texts, ({ base, files }) => {
        const merged = { ok: true, text: files };
        expect(mergeLines(base, base, files)).toEqual(merged);
        expect(mergeLines(base, files, base)).toEqual(merged);
        expect(mergeLines(base, files, files)).toEqual(merged);
      }),
    );
  });

  test('are merged the same from either side, and else lie in the regions named', () => {
    fc.assert(
      fc.property(texts, ({ base, files, database }) => {
        const merged = mergeLines(base, files, database);
        const turned = mergeLines(base, database, files);
        if (merged.ok || turned.ok) {
          expect(turned).toEqual(merged);
          return;
        }
        expect(turned.regions).toEqual(
          merged.regions.map((region) => ({ ...region, files: region.database, database: region.files })),
        );
        const sides = { base, files, database };
        for (const region of merged.regions) {
          for (const side of ['base', 'files', 'database'] as const) {
            const { line, text } = region[side];
            const from = line - 1;
            expect(
              linesOf(sides[side])
                .slice(from, from + linesOf(text).length)
                .join(''),
            ).toBe(text);
          }
        }
      }),
    );
  });
});

describeWithGit('beside git', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'skill-fleet-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What git makes of it; null for a conflict. */
  function mergedByGit(texts: { base: string; files: string; database: string }): string | null {
    for (const [side, text] of Object.entries(texts)) writeFileSync(path.join(folder, side), text);
    const { status, stdout } = spawnSync('git', ['merge-file', '-p', '-q', 'files', 'base', 'database'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' },
    });
    // The number of conflicts, at most 127; more is an error.
    if (status === null || status > 127) throw new Error(`git merge-file: ${status}`);
    return status === 0 ? stdout : null;
  }

  function expectAsGit(texts: (typeof generated)[number][1]): void {
    let [byGit, alike] = [0, 0];
    fc.assert(
      fc.property(texts, (triple) => {
        const merged = mergeLines(triple.base, triple.files, triple.database);
        const expected = mergedByGit(triple);
        if (expected !== null) byGit++;
        if (!merged.ok) return;
        expect(merged.text).toBe(expected);
        alike++;
      }),
      { numRuns: runs(80) },
    );
    // What git may align in another way is left as a conflict, which is seldom.
    expect(alike).toBeGreaterThan(byGit * 0.7);
  }

  test.each(generated)(
    'texts %s are merged as git does it, or not at all',
    (_, texts) => expectAsGit(texts),
    lawTimeout,
  );

  test.skipIf(realDocuments.length === 0)(
    'documents of the corpus are merged as git does it, or not at all',
    () => expectAsGit(triples(fc.constantFrom(...realDocuments), documentLines)),
    lawTimeout,
  );
});

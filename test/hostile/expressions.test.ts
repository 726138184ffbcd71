// Whatever is searched, matched or compared takes time that grows with the text, and no faster.
//
// No clock decides: a text sixteen times as long takes sixteen times as long in linear time, and 256 times in
// quadratic. The limit lies between, and both are measured side by side.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { linesOf as rulesOf } from '../../src/directory/ignore.ts';
import { capabilitiesOfBody, firstParagraph } from '../../src/document/body.ts';
import { parseDocument } from '../../src/document/parse.ts';
import { patchDocument } from '../../src/document/patch.ts';
import { textInLine } from '../../src/document/print.ts';
import { splitTools } from '../../src/document/relations.ts';
import { splitDocument } from '../../src/document/split.ts';
import { mergeLines } from '../../src/reconcile/merge-lines.ts';
import { shellWord } from '../../src/report/command-text.ts';
import { jsonText } from '../../src/report/json.ts';
import { printable, printableLine } from '../../src/report/terminal-text.ts';
import { withoutCommands } from '../../src/report/workflow-command.ts';
import { readServerAddress } from '../../src/repository/server-address.ts';
import { globMatcher } from '../../src/skill/glob.ts';
import { parseSkillPath, readPrinted, type SkillPath } from '../../src/skill/path.ts';
import { parseCategoryPath } from '../../src/taxonomy/category.ts';
import { linksOf } from '../../src/validation/links.ts';
import { privatePaths, secretsOf } from '../../src/validation/private-text.ts';

const root = path.join(import.meta.dirname, '../../src');

interface Found {
  /** The file, and the expression as it is written there. */
  readonly name: string;
  readonly expression: RegExp;
}

/** Every expression that stands in a source file, and where others are put together. */
function expressionsIn(file: string): {
  readonly written: readonly Found[];
  readonly built: readonly string[];
} {
  const written: Found[] = [];
  const built: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { regex, type, callee } = node as {
      readonly regex?: { readonly pattern: string; readonly flags: string };
      readonly type?: string;
      readonly callee?: { readonly name?: string };
    };
    if (regex) {
      const { pattern, flags } = regex;
      written.push({ name: `${file} /${pattern}/${flags}`, expression: new RegExp(pattern, flags) });
    } else {
      if (callee?.name === 'RegExp') built.push(`${file} ${type}`);
      Object.values(node).forEach(visit);
    }
  };
  visit(parseAst(readFileSync(path.join(root, file), 'utf8'), { lang: 'ts' }));
  return { written, built };
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const found = sources.sort().map(expressionsIn);

const most = 96;
/** What takes less than this is not looked at again, in milliseconds: no clock is that fine. */
const leastMs = 2;

/** How long it takes at best, in milliseconds. */
function bestOf(tries: number, work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let index = 0; index < tries; index++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** How many times as long it takes for `16 * length` as for `length`. */
function growth(work: (length: number) => () => unknown, length: number): number {
  return bestOf(3, work(16 * length)) / bestOf(5, work(length));
}

/** From the first, on which also exponential time is bounded, to that on which quadratic time shows. */
const lengths = [20, 80, 640, 8192];

/** What of a text to search grows, if anything, and how many times too fast. */
function slowest(expression: RegExp): string | undefined {
  const words = [...expression.source.matchAll(/[\w ./:"'`*#<@=-]{1,12}/g)].map(([word]) => word);
  const pumps = [
    ...new Set([
      ...[...'a1 \t\n\r\u2028-/.:"\'`*#[](){}<>\\|!?=_~%,é'],
      ...words,
      'a.',
      'a ',
      ' \n',
      '\\"',
      '[<[',
    ]),
  ];
  const texts = [
    ...pumps.flatMap((pump) => ['', '\0', '\n!'].map((end) => ['', pump, end] as const)),
    ...words.flatMap((word) => [...' \ta-.`*/1'].map((pump) => [word, pump, '\0'] as const)),
  ];
  for (const [start, pump, end] of texts) {
    const work = (length: number) => {
      const text = start + pump.repeat(Math.ceil(length / pump.length)) + end;
      return () => {
        expression.lastIndex = 0;
        return expression.test(text);
      };
    };
    for (const length of lengths) {
      if (bestOf(1, work(length)) < leastMs) continue;
      if (length <= 80) {
        // On so short a text anything but a mishap is exponential.
        if (bestOf(3, work(length)) >= leastMs) return JSON.stringify([start, pump, end]);
        continue;
      }
      if (growth(work, length / 16) > most && growth(work, length / 16) > most) {
        return JSON.stringify([start, pump, end]);
      }
    }
  }
  return undefined;
}

describe('the regular expressions of the program', () => {
  const written = found.flatMap((one) => one.written);

  test('are told from those that take quadratic or exponential time', () => {
    const slow = [/\s*:$/, /\/+$/, /^([^\S\n]*):(?=:)/gm, /"(?:[^"\\]|\\.)*"/, /(a+)+b/, /^(a|a)*$/];
    for (const expression of slow) expect([expression, slowest(expression)]).not.toContain(undefined);
  });

  test('take linear time, each of them', () => {
    expect(written.length).toBeGreaterThan(150);
    expect(written.filter(({ expression }) => slowest(expression) !== undefined)).toEqual([]);
  });

  test('are all written as they are, but for those that are measured below', () => {
    expect(found.flatMap((one) => one.built)).toEqual([
      'document/print.ts NewExpression',
      'document/print.ts NewExpression',
      'validation/private-text.ts NewExpression',
    ]);
  });
});

const place = { skill: 'a' as SkillPath, file: 'SKILL.md' };
const fronted = (front: string) => `---\nname: a\ndescription: b\n${front}\n---\n`;
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

describe('what is done with a text of any length takes linear time', () => {
  test.each<[what: string, length: number, work: (length: number) => () => unknown]>([
    ...['[', '{a: ', '- ', '? ', '&a ', '!a ', '*', 'a: ', '"', "'", '|\n', '#', '\t', '{<<: '].map(
      (part): [string, number, (length: number) => () => unknown] => [
        `a frontmatter of ${JSON.stringify(part)} is read`,
        4000,
        (length) => {
          const text = fronted(`x: ${part.repeat(length / 4)}`);
          return () => parseDocument(text, place);
        },
      ],
    ),
    [
      'a frontmatter of many keys is read',
      250,
      (length) => () => parseDocument(fronted(lines(length, (at) => `k${at}: 1`)), place),
    ],
    [
      'one key, many times, is read',
      400,
      (length) => () => parseDocument(fronted(lines(length, () => 'k: 1')), place),
    ],
    [
      'many anchors are read',
      150,
      (length) => () =>
        parseDocument(fronted(lines(length, (at) => `k${at}: &a${at} 1\nl${at}: *a${at}`)), place),
    ],
    [
      'what never closes is split',
      4000,
      (length) => () => splitDocument('---\n'.concat('a\n--- \n'.repeat(length))),
    ],
    ['rules are split', 4000, (length) => () => splitDocument('---\n'.repeat(length))],
    [
      'a list of tags is read',
      1000,
      (length) => () => parseDocument(fronted(`tags: "${'a,'.repeat(length)}"`), place),
    ],
    ['a list of tools is split', 4000, (length) => () => splitTools('Bash('.repeat(length))],
    [
      'capabilities are read',
      500,
      (length) => () =>
        capabilitiesOfBody(`## Capabilities\n${'- **a**: b\n'.repeat(length)}`, 1, {
          push: () => 0,
        } as never),
    ],
    ['a paragraph is read', 4000, (length) => () => firstParagraph('a \t'.repeat(length))],
    [
      'a frontmatter is patched',
      150,
      (length) => () =>
        patchDocument(
          fronted(`x: ${'[a, '.repeat(20)}${']'.repeat(20)}\n${lines(length, (at) => `k${at}: 1`)}`),
          { description: 'c' },
          place,
        ),
    ],
    [
      'a text is printed as YAML',
      4000,
      (length) => () => textInLine('\u0007"\\'.repeat(length), 'double', false),
    ],
    ['links are found', 2000, (length) => () => linksOf('[a]('.repeat(length))],
    ['code is left out', 2000, (length) => () => linksOf(`${'`` ` '.repeat(length)}](`)],
    ['tokens are looked for', 2000, (length) => () => secretsOf('sk-ant-ghp_'.repeat(length))],
    [
      'private keys are looked for',
      1000,
      (length) => () => secretsOf('-----BEGIN PRIVATE KEY-----\n'.repeat(length)),
    ],
    ['private paths are looked for', 2000, (length) => () => privatePaths('/home/a'.repeat(length))],
    [
      'three texts are merged',
      500,
      (length) => {
        const [base = '', files = '', database = ''] = ['a', 'b', 'c'].map((letter) =>
          lines(length, (at) => (at % 2 ? 'x' : `${letter}${at}`)),
        );
        return () => mergeLines(base, files, database);
      },
    ],
    ['controls are shown', 4000, (length) => () => printable('\u001b\u202e'.repeat(length))],
    ['a name is shown', 4000, (length) => () => printableLine('\n\t'.repeat(length))],
    ['a name is quoted', 500, (length) => () => shellWord("\u001b'".repeat(length))],
    ['a name is read back', 4000, (length) => () => readPrinted('\\u{'.repeat(length))],
    ['JSON is written', 2000, (length) => () => jsonText({ text: '\u009b\u2028'.repeat(length) })],
    [
      'commands to a runner are looked for',
      4000,
      (length) => () => withoutCommands('\u2028\r :'.repeat(length)),
    ],
    ['a glob is compared', 4000, (length) => () => globMatcher('*a*a*b/**')('a'.repeat(length))],
    ['a path is read', 2000, (length) => () => parseSkillPath('con./'.repeat(length))],
    ['a category is read', 2000, (length) => () => parseCategoryPath('a _-'.repeat(length))],
    ['rules of an ignore file are read', 4000, (length) => () => rulesOf(Buffer.from('\r'.repeat(length)))],
    [
      'a URL is read',
      2000,
      (length) => () => readServerAddress(`postgres://${':@/?'.repeat(length)}`, {}, 'a'),
    ],
    [
      'a URL with many parameters is read',
      1000,
      (length) => () => readServerAddress(`postgres://a/b?${'sslmode=a&'.repeat(length)}`, {}, 'a'),
    ],
  ])('%s', (_, length, work) => {
    const grows = () => growth(work, length);
    // Once is a mishap of the machine.
    expect(Math.min(grows(), grows())).toBeLessThan(most);
  });
});

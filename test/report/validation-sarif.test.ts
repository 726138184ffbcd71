// What --sarif prints, by the standard and by what GitHub asks beside.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { beforeAll, describe, expect, test } from 'vitest';
import { FindingsSarif, maxOwnBytes, maxResults } from '../../src/report/validation-sarif.ts';
import type { PlacedFinding } from '../../src/report/validation-text.ts';
import type { Finding } from '../../src/validation/finding.ts';
import { defaultSetting, ruleNames, type rules, type Target, targets } from '../../src/validation/rules.ts';
import { projectRoot } from '../acceptance/cli.ts';
import { temporaryFolder, writeFiles } from '../folders.ts';

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
      readonly region: { readonly startLine: number; readonly startColumn?: number };
    };
  }[];
  readonly partialFingerprints: { readonly [name: string]: string };
}

interface Rule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly fullDescription: { readonly text: string };
  readonly help: { readonly text: string; readonly markdown: string };
  readonly helpUri?: string;
  readonly defaultConfiguration: { readonly enabled?: boolean; readonly level?: string };
  readonly properties: { readonly tags: readonly string[] };
}

interface Run {
  readonly tool: {
    readonly driver: {
      readonly name: string;
      readonly semanticVersion: string;
      readonly rules: readonly Rule[];
    };
  };
  readonly invocations: readonly {
    readonly exitCode: number;
    readonly toolExecutionNotifications?: readonly { readonly message: { readonly text: string } }[];
  }[];
  readonly columnKind: string;
  readonly results: readonly Result[];
}

function textOf(
  found: readonly PlacedFinding[],
  more: { root?: string; target?: Target; home?: string } = {},
) {
  const sarif = new FindingsSarif();
  for (const one of found) sarif.add([one]);
  const { root = '/repository', target = 'spec', home } = more;
  return sarif.text({ version: '1.2.3', home, target, root, exitCode: 1 });
}

function runOf(...given: Parameters<typeof textOf>): Run {
  const { runs } = JSON.parse(textOf(...given)) as { readonly runs: readonly [Run] };
  return runs[0];
}

function finding(more: Partial<Finding> = {}, place = '/repository/skills/a/SKILL.md'): PlacedFinding {
  return {
    finding: {
      ...{ rule: 'link-not-found', severity: 'warn', skill: 'a', file: 'SKILL.md', line: 3, column: 7 },
      ...{ what: 'the link "b.md" leads to no file', remedy: 'Correct the link.', fixable: false },
      ...more,
    },
    place,
  };
}

const fingerprintsOf = (found: readonly PlacedFinding[]) =>
  runOf(found).results.map(({ partialFingerprints }) => partialFingerprints['skillFleetFinding/v1']);

// Of the package @microsoft/jest-sarif.
const schemaFile = path.join(
  projectRoot,
  'node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
);

describe.skipIf(!existsSync(schemaFile))("the standard's schema takes", () => {
  function compiled(): ValidateFunction {
    // Draft-04 is unknown to this Ajv by its name, and what is used of it is not.
    const { id, $schema, ...schema } = JSON.parse(readFileSync(schemaFile, 'utf8'));
    const ajv = new Ajv({ strict: false, unicodeRegExp: false });
    formats.default(ajv);
    return ajv.compile(schema);
  }
  let validate: ValidateFunction;
  beforeAll(() => {
    validate = compiled();
  });

  test.each<[what: string, text: () => string]>([
    ['nothing', () => textOf([])],
    ['a finding', () => textOf([finding()])],
    ['a whole skill, outside', () => textOf([finding({ file: undefined, line: undefined }, '/else')])],
    ['a program with a home', () => textOf([finding()], { home: 'https://example.org/skill-fleet' })],
    ['more than GitHub takes', () => textOf(Array.from({ length: maxResults + 1 }, () => finding()))],
  ])('the log of %s', (_, text) => {
    validate(JSON.parse(text()));
    expect(validate.errors).toBe(null);
  });

  test('not any log', () => {
    expect(validate({ version: '2.1.0' })).toBe(false);
  });
});

describe('a result', () => {
  test('says what, where, and what to do', () => {
    const { results, columnKind, tool } = runOf([finding()]);
    expect(results).toEqual([
      {
        ruleId: 'link-not-found',
        ruleIndex: ruleNames.indexOf('link-not-found'),
        level: 'warning',
        message: { text: 'the link "b.md" leads to no file. Correct the link.' },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'skills/a/SKILL.md', uriBaseId: '%SRCROOT%' },
              region: { startLine: 3, startColumn: 7 },
            },
          },
        ],
        partialFingerprints: { 'skillFleetFinding/v1': expect.stringMatching(/^[0-9a-f]{32}:1$/) },
      },
    ]);
    expect(columnKind).toBe('utf16CodeUnits');
    expect(tool.driver).toMatchObject({ name: 'skill-fleet', semanticVersion: '1.2.3' });
  });

  test('stands in order of severity, and else as it came', () => {
    const { results } = runOf([
      finding({ severity: 'info', line: 1 }),
      finding({ severity: 'error', line: 2 }),
      finding({ severity: 'warn', line: 3 }),
      finding({ severity: 'error', line: 4 }),
    ]);
    expect(
      results.map(({ level, locations }) => [level, locations[0]?.physicalLocation.region.startLine]),
    ).toEqual([
      ['error', 2],
      ['error', 4],
      ['warning', 3],
      ['note', 1],
    ]);
  });

  test.each<[place: string, uri: string, isBelowRoot: boolean]>([
    ['/repository/a b/ü#?%/SKILL.md', 'a%20b/%C3%BC%23%3F%25/SKILL.md', true],
    ['/repository/a:b/SKILL.md', 'a%3Ab/SKILL.md', true],
    ['/repository/..a/SKILL.md', '..a/SKILL.md', true],
    ['/repository-b/a b/SKILL.md', 'file:///repository-b/a%20b/SKILL.md', false],
  ])('at %s names %s', (place, uri, isBelowRoot) => {
    const [result] = runOf([finding({}, place)]).results;
    expect(result?.locations[0]?.physicalLocation.artifactLocation).toEqual(
      isBelowRoot ? { uri, uriBaseId: '%SRCROOT%' } : { uri },
    );
  });

  test('of a skill as a whole stands at its document; no path leads through a link', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { 'skills/a/Skill.md': '', 'skills/a/notes.md': '' });
    await mkdir(path.join(root, 'empty'));
    await symlink('skills', path.join(root, 'link'));
    const whole = { file: undefined, line: undefined, column: undefined };
    const { results } = runOf(
      ['skills/a', 'link/a', 'empty', 'gone'].map((place) => finding(whole, path.join(root, place))),
      { root },
    );
    expect(results.map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri)).toEqual([
      ...['skills/a/Skill.md', 'skills/a/Skill.md', 'empty', 'gone'],
    ]);
    expect(results[0]?.locations[0]?.physicalLocation.region).toEqual({ startLine: 1 });
  });

  test.each<[what: string, text: string]>([
    ['it is {0} and {…}', 'it is {{0}} and {{…}}. Correct the link.'],
    ['["a"] stays', '["a"] stays. Correct the link.'],
    ['[a](1) \\', '\\[a\\](1) \\\\. Correct the link.'],
    ['a\u001b[0m\u202e\nb', 'a\\u{{1b}}[0m\\u{{202e}}\\nb. Correct the link.'],
    ['😀'.repeat(1001), `${'😀'.repeat(1000)}… Correct the link.`],
  ])('of %j has it as a plain message', (what, text) => {
    expect(runOf([finding({ what })]).results[0]?.message.text).toBe(text);
  });
});

describe('a fingerprint', () => {
  const [first] = fingerprintsOf([finding()]);

  test.each<[what: string, one: PlacedFinding, isSame: boolean]>([
    ['moves with its line', finding({ line: 90, column: 2 }), true],
    ['stays when its severity changes', finding({ severity: 'error' }), true],
    ['is another for another rule', finding({ rule: 'machine-path' }), false],
    ['is another for another file', finding({}, '/repository/skills/b/SKILL.md'), false],
    ['is another for another finding', finding({ what: 'the link "c.md" leads to no file' }), false],
  ])('%s', (_, one, isSame) => {
    expect(fingerprintsOf([one])[0] === first).toBe(isSame);
  });

  test('counts what is found more than once, and is the same in each run', () => {
    const prints = fingerprintsOf([finding(), finding({ line: 5 }), finding({ line: 9 })]);
    expect(prints).toEqual([1, 2, 3].map((nth) => first?.replace(/1$/, `${nth}`)));
  });

  test.each<[one: string, other: string, isSame: boolean]>([
    ['the body has 501 lines, more than 500', 'the body has 612 lines, more than 500', true],
    ['the link "b1.md" leads to no file', 'the link "b2.md" leads to no file', false],
    ['the name "a\\"1" is 3 long', 'the name "a\\"2" is 3 long', false],
  ])('of %j and %j', (one, other, isSame) => {
    const [a, b] = [one, other].flatMap((what) => fingerprintsOf([finding({ what })]));
    expect(a === b).toBe(isSame);
  });
});

describe('a log', () => {
  test('holds what GitHub takes, the gravest, and counts the rest', () => {
    const found = [
      ...Array.from({ length: maxResults - 1 }, (_, at) => finding({ line: at + 1 })),
      ...Array.from({ length: 3 }, () => finding({ severity: 'info' })),
      ...Array.from({ length: 2 }, () => finding({ severity: 'error' })),
    ];
    const { results, invocations } = runOf(found);
    expect(results).toHaveLength(maxResults);
    expect(results.filter(({ level }) => level === 'error')).toHaveLength(2);
    expect(results.filter(({ level }) => level === 'note')).toHaveLength(0);
    expect(results.at(-1)?.locations[0]?.physicalLocation.region.startLine).toBe(maxResults - 2);
    expect(invocations[0]?.toolExecutionNotifications?.map(({ message }) => message.text)).toEqual([
      '4 results left out, the least grave ones: GitHub takes 25000 of a run, and 10 MB.',
    ]);
    expect(runOf(found.slice(0, 5)).invocations).toEqual([{ executionSuccessful: true, exitCode: 1 }]);
  });

  test('is no larger than GitHub takes, whatever is found', () => {
    let seed = 1;
    const noise = () => {
      let text = '';
      while (text.length < 900) {
        seed = (seed * 48_271) % 2_147_483_647;
        text += seed.toString(36);
      }
      return text;
    };
    const found = Array.from({ length: 12_000 }, () => finding({ what: `"${noise()}"` }));
    expect(12_000 * 900).toBeGreaterThan(maxOwnBytes);
    const text = textOf(found);
    expect(JSON.parse(text).runs[0].results.length).toBeGreaterThan(8000);
    expect(gzipSync(text).length).toBeLessThan(10_000_000);
  });
});

describe('the rules of a log', () => {
  const { rules: described } = runOf([]).tool.driver;

  test('are all rules, by their index', () => {
    expect(described.map(({ id }) => id)).toEqual(ruleNames);
  });

  test.each(targets)('have their level under the target %s', (target) => {
    const levels = { error: 'error', warn: 'warning', info: 'note' } as const;
    for (const { id, defaultConfiguration } of runOf([], { target }).tool.driver.rules) {
      const setting = defaultSetting(id as keyof typeof rules, target);
      const expected = setting === 'off' ? { enabled: false } : { level: levels[setting] };
      expect({ id, defaultConfiguration }).toEqual({ id, defaultConfiguration: expected });
    }
  });

  test.each(described.map((rule) => [rule.id, rule] as const))('tell of %s within the limits', (id, rule) => {
    const { shortDescription, fullDescription, help, properties } = rule;
    expect(shortDescription.text.length).toBeLessThan(1024);
    expect(fullDescription.text.length).toBeLessThan(1024);
    expect(help.text).toContain(`docs/rules/${id}.md`);
    expect(help.markdown).not.toMatch(/(?<!\\)[<>]/);
    expect(properties.tags.length).toBeGreaterThan(0);
    expect(properties.tags.length).toBeLessThanOrEqual(10);
    expect(new Set(properties.tags).size).toBe(properties.tags.length);
  });

  test('name their pages where the program has a home', () => {
    const home = 'https://example.org/skill-fleet';
    const { driver } = runOf([], { home }).tool;
    expect(driver).toMatchObject({ informationUri: home });
    expect(driver.rules[0]).toMatchObject({
      helpUri: `${home}/docs/rules/${ruleNames[0]}.md`,
      help: { text: expect.stringContaining(`${home}/docs/rules/`) },
    });
    expect(described[0]).not.toHaveProperty('helpUri');
  });
});

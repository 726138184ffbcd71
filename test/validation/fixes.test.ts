// What --fix makes of each finding, byte for byte, and what it leaves.

import { describe, expect, test } from 'vitest';
import { fixOrder } from '../../src/validation/fixes.ts';
import { isFixableRule, type RuleName, ruleNames, type Target } from '../../src/validation/rules.ts';
import { document, type Files, findingsOf, mendedIn } from './skills.ts';

type Case = readonly [what: string, before: Files | string, after: Files | string | null, target?: Target];

/** A document of which only the frontmatter's lines below the description are of interest. */
const fields = document;
const unnamed = (first: string) =>
  `---\n${first}description: Fills forms. Use when one is given.\n---\nRead.\n`;

const cases: { readonly [R in RuleName]?: readonly Case[] } = {
  'document-name': [
    ['renames it', { 'skill.md': document() }, { 'SKILL.md': document() }],
    ['leaves it where something links to it', { 'skill.md': document('', '[Top](skill.md)\n') }, null],
  ],
  'byte-order-mark': [['removes it', `\uFEFF${document()}`, document()]],
  'name-missing': [
    ['writes it first', unnamed(''), unnamed('name: pdf-forms\n')],
    [
      'writes it below the comment of another',
      unnamed('# What for\n'),
      unnamed('name: pdf-forms\n# What for\n'),
    ],
    ['writes it behind its key', unnamed('name: # soon\n'), unnamed('name: pdf-forms # soon\n')],
    ['writes it between its quotes', unnamed("name: '  '\n"), unnamed("name: 'pdf-forms'\n")],
    [
      'writes it with CRLF',
      unnamed('').replaceAll('\n', '\r\n'),
      unnamed('name: pdf-forms\n').replaceAll('\n', '\r\n'),
    ],
    ['writes it into an empty frontmatter', '---\n---\nRead.\n', '---\nname: pdf-forms\n---\nRead.\n'],
  ],
  'name-differs-from-folder': [
    [
      'writes it in the style of the other',
      unnamed('name: "PDF Forms" # ours\n'),
      unnamed('name: "pdf-forms" # ours\n'),
    ],
    [
      'writes it over several lines',
      unnamed('name: >\n  PDF\n  Forms\n'),
      unnamed('name: >-\n  pdf-forms\n'),
    ],
    ['leaves one that another value repeats', '---\nname: &n x\ndescription: *n\n---\nRead.\n', null],
    ['writes it for a number', unnamed('name: 123\n'), unnamed('name: pdf-forms\n')],
  ],
  'field-not-quoted': [
    [
      'quotes a number as it is written',
      fields('license: 1.10 # ours\n'),
      fields('license: "1.10" # ours\n'),
    ],
    ['quotes true', fields('compatibility: true\n'), fields('compatibility: "true"\n')],
    ['leaves what a tag makes a number', fields('license: !!int 2\n'), null],
  ],
  'metadata-value-not-quoted': [
    [
      'quotes all as they are written',
      fields('metadata:\n  version: 1.10\n  a: true\n  b: -1.50e3 # c\n'),
      fields('metadata:\n  version: "1.10"\n  a: "true"\n  b: "-1.50e3" # c\n'),
    ],
    [
      'leaves what an alias says, and quotes the others',
      fields('license: &l 2\nmetadata:\n  a: *l\n  b: 3\n'),
      fields('license: &l 2\nmetadata:\n  a: *l\n  b: "3"\n'),
    ],
  ],
  'allowed-tools-list': [
    [
      'writes a text, tools as they are',
      fields('allowed-tools:\n  - Read\n  - Bash(git add *)\nlicense: MIT\n'),
      fields('allowed-tools: Read Bash(git add *)\nlicense: MIT\n'),
    ],
    [
      'writes one for brackets',
      fields('allowed-tools: [\'Read\', "Grep"] # few\n'),
      fields('allowed-tools: Read Grep # few\n'),
    ],
    [
      'quotes where it must',
      fields('allowed-tools: ["Bash(a: b)", Read]\n'),
      fields('allowed-tools: "Bash(a: b) Read"\n'),
    ],
    ['leaves a list with comments', fields('allowed-tools:\n  - Read # always\n  - Grep\n'), null],
    ['leaves a tool with a space', fields('allowed-tools:\n  - Web Search\n'), null],
    ['leaves an empty list', fields('allowed-tools: []\n'), null],
    ['leaves a list of other things', fields('allowed-tools:\n  - Read\n  - a: b\n'), null],
  ],
  'allowed-tools-commas': [
    [
      'writes spaces, but within parentheses',
      fields('allowed-tools: Read,Grep ,  Bash(git add, git mv)\n'),
      fields('allowed-tools: Read Grep Bash(git add, git mv)\n'),
    ],
    ['keeps the quotes', fields("allowed-tools: 'Read, Grep'\n"), fields("allowed-tools: 'Read Grep'\n")],
    [
      'keeps the folding',
      fields('allowed-tools: >-\n  Read,\n  Grep\n'),
      fields('allowed-tools: >-\n  Read\n  Grep\n'),
    ],
  ],
  'yaml-not-plain': [
    [
      'writes a list as lines',
      fields('metadata:\n  tags: [a, "b c", 1.10] # three\n  x: y\n'),
      fields('metadata:\n  tags: # three\n    - a\n    - "b c"\n    - 1.10\n  x: y\n'),
      'skill-fleet',
    ],
    [
      'writes a map as lines',
      fields('metadata: {"a": b, c: "d"}\n'),
      fields('metadata:\n  "a": b\n  c: "d"\n'),
    ],
    [
      'writes maps in lists as lines',
      fields('metadata:\n  dependencies:\n    - {path: a, type: required} # b\n    - [x, [y, z]]\n'),
      fields(
        'metadata:\n  dependencies:\n    - path: a # b\n      type: required\n    - - x\n      - - y\n        - z\n',
      ),
      'codex',
    ],
    [
      'writes what goes over lines, with CRLF',
      fields('metadata:\n  tags:\n    [\n      a,\n      b,\n    ]\n').replaceAll('\n', '\r\n'),
      fields('metadata:\n  tags:\n    - a\n    - b\n').replaceAll('\n', '\r\n'),
      'skill-fleet',
    ],
    ['leaves a comment where it is', fields('metadata:\n  tags: [a, # b\n    c]\n'), null, 'skill-fleet'],
    ['leaves what is empty', fields('metadata: {}\n'), null],
    ['leaves what is for OpenClaw as JSON', fields('metadata: {"openclaw": {"emoji": "a"}}\n'), null],
    [
      'leaves anchors, aliases and tags',
      fields('license: &l MIT\ncompatibility: *l\nmetadata: !!map {a: b}\n'),
      null,
    ],
  ],
  'script-not-executable': [
    [
      'sets the bit',
      { 'SKILL.md': document('', 'Run run.sh.\n'), 'run.sh': '#!/bin/sh\n' },
      { 'SKILL.md': document('', 'Run run.sh.\n'), 'run.sh': ['#!/bin/sh\n'] },
    ],
  ],
  'line-endings-mixed': [
    ['takes those of most lines', `${document()}\r\n`, `${document()}\n`],
    [
      'takes CRLF where most are',
      `${document().replaceAll('\n', '\r\n')}a\n`,
      `${document()}a\n`.replaceAll('\n', '\r\n'),
    ],
    ...(
      [
        ['takes LF where as many are either', 'a\nb\r\n', 'a\nb\n'],
        ['keeps bytes that are no line ending', '\uFEFFa\r b\n\r\nc\n', '\uFEFFa\r b\n\nc\n'],
        ['leaves a CR before CRLF', 'a\n\n\r\r\n', null],
        ['leaves what is not UTF-8', Buffer.from('\xff\n\n\r\n', 'latin1'), null],
      ] as const
    ).map(([what, before, after]): Case => {
      const filesOf = (text: string | Buffer): Files => ({
        'SKILL.md': document('', 'Read a.txt.\n'),
        'a.txt': text,
      });
      return [what, filesOf(before), after === null ? null : filesOf(after)];
    }),
    [
      'leaves scripts and patches that would take CRLF',
      {
        'SKILL.md': document('', 'Read a.patch and run.sh.\n'),
        'a.patch': 'a\n\r\n\r\n',
        'run.sh': ['#!/bin/sh\necho\r\necho\r\n'],
      },
      null,
    ],
  ],
  'disable-unused': [
    [
      'removes the line',
      document('', 'Read.\n\n<!-- skill-fleet-disable body-empty: a -->\n'),
      document('', 'Read.\n\n'),
    ],
    [
      'keeps texts apart',
      document('', 'Read.\n<!-- skill-fleet-disable body-empty: a -->\n---\n'),
      document('', 'Read.\n\n---\n'),
    ],
    [
      'removes the comment beside a text',
      document(
        '',
        'Read. <!-- skill-fleet-disable body-empty: a -->\n<!-- skill-fleet-disable body-empty: a --> it.\n',
      ),
      document('', 'Read.\nit.\n'),
    ],
    [
      'removes two of a line',
      document(
        '',
        'Read.\n\n<!-- skill-fleet-disable body-empty: a --> <!-- skill-fleet-disable name-format: a -->\n',
      ),
      document('', 'Read.\n\n'),
    ],
    [
      'leaves one that is a part of what a capability is',
      document('', '## Capabilities\n\n- **See**: sees\n  <!-- skill-fleet-disable body-empty: a -->\n'),
      null,
    ],
    [
      'leaves one without which nothing stands there',
      document('', '<!-- skill-fleet-disable name-format: a -->\n'),
      null,
    ],
  ],
};

const filesOf = (files: Files | string): Files => (typeof files === 'string' ? { 'SKILL.md': files } : files);

test('each rule with a fix is tried, and has cases', () => {
  const fixable = ruleNames.filter(isFixableRule);
  expect(fixOrder.toSorted()).toEqual(fixable.toSorted());
  expect(Object.keys(cases).sort()).toEqual(fixable.toSorted());
});

describe.each(fixOrder)('the fix of %s', (rule) => {
  const table = (cases[rule] ?? []).map(([what, before, after, target]) => ({ what, before, after, target }));
  test.each(table)('$what', ({ before, after, target }) => {
    // A note is mended where somebody makes more of it.
    const around = { target, settings: { rules: { [rule]: 'warn' }, overrides: [] } } as const;
    const { files, fixed } = mendedIn(filesOf(before), around);
    expect(files).toEqual(filesOf(after ?? before));
    const found = (all: Files) => findingsOf(all, around).filter((one) => one.rule === rule);
    expect(found(filesOf(before)).length).toBeGreaterThan(0);
    expect(fixed.some((one) => one.rule === rule)).toBe(after !== null);
    expect(found(filesOf(before)).some(({ fixable }) => fixable)).toBe(after !== null);
    expect(findingsOf(files, around).filter(({ fixable }) => fixable)).toEqual([]);
  });
});

describe('what is not mended', () => {
  test('what is no more than a note', () => {
    const files = { 'SKILL.md': document().replace('---\n', '---\nmetadata: {author: ann}\n') };
    const found = findingsOf(files).filter(({ rule }) => rule === 'yaml-not-plain');
    expect(found).toMatchObject([{ severity: 'info', fixable: false }]);
    expect(mendedIn(files)).toEqual({ files, fixed: [] });
  });

  const misnamed = document().replace('pdf-forms', 'PDF');

  test.each(['PDF', 'a_b', 'ä', 'a'.repeat(65), '-a'])('a name in a folder %j, which has none', (folder) => {
    expect(mendedIn({ 'SKILL.md': misnamed.replace('PDF', 'other') }, { path: `x/${folder}` }).fixed).toEqual(
      [],
    );
  });

  test('a name where the folder has a word that is reserved', () => {
    const around = { path: 'claude-forms', target: 'claude-api' } as const;
    expect(mendedIn({ 'SKILL.md': misnamed }, around).fixed).toEqual([]);
    expect(mendedIn({ 'SKILL.md': misnamed }, { ...around, target: 'spec' }).fixed).toHaveLength(2);
  });

  test('what is disabled, off, or not asked for', () => {
    const mended = (
      body: string,
      ...more: [Parameters<typeof mendedIn>[1]?, Parameters<typeof mendedIn>[2]?]
    ) =>
      mendedIn({ 'SKILL.md': misnamed.replace('Read the form first.', body) }, ...more).fixed.map(
        ({ rule }) => rule,
      );
    expect(mended('Read.')).toEqual(['name-differs-from-folder', 'name-format']);
    expect(mended('<!-- skill-fleet-disable name-differs-from-folder: ours -->\nRead.')).toEqual([]);
    const rules = { 'name-differs-from-folder': 'off' } as const;
    expect(mended('Read.', { settings: { rules, overrides: [] } })).toEqual([]);
    expect(mended('Read.', { settings: { rules: {}, overrides: [{ paths: ['a/*'], rules }] } })).toEqual([]);
    expect(mended('Read.', {}, ({ severity }) => severity !== 'error')).toEqual([]);
  });
});

test('a comment about what was mended goes too', () => {
  const comment = '<!-- skill-fleet-disable name-format: ours -->\n';
  const { files, fixed } = mendedIn({
    'SKILL.md': document('', `Read.\n\n${comment}`).replace('pdf-forms', 'PDF'),
  });
  expect(files).toEqual({ 'SKILL.md': document('', 'Read.\n\n') });
  expect(fixed.map(({ rule }) => rule)).toEqual(['name-differs-from-folder']);
});

// What each rule finds, and where.

import { describe, expect, test } from 'vitest';
import {
  defaultSetting,
  nearestRule,
  type RuleName,
  ruleNames,
  rules,
  sources,
  type Target,
  targets,
} from '../../src/validation/rules.ts';
import { document, type Files, findingsOf, libraryFindings, marked } from './skills.ts';

type Case = readonly [what: string, files: Files | string, findings: readonly string[], target?: Target];

const lines = (count: number, line = 'Text.') => `${line}\n`.repeat(count);
const named = (name: string) =>
  `---\nname: ${name}\ndescription: Fills forms. Use when one is given.\n---\nRead.\n`;
const described = (text: string) => `---\nname: pdf-forms\ndescription: ${text}\n---\nRead.\n`;
const filesAnd = (more: Files, body = 'Read references/fields.md and run scripts/fill.sh.\n'): Files => ({
  'SKILL.md': document('', body),
  ...more,
});
const token = `ghp_${'aB3xE5qH7jR9mZ1pK3sD5vW7yC9bT1gL3fG5'}`;

const cases: { readonly [group: string]: readonly Case[] } = {
  'of a document': [
    ['nothing where all is well', document(), []],
    [
      'that it is not UTF-8',
      { 'SKILL.md': Buffer.from('---\nname: \xff\n---\n', 'latin1') },
      ['skill-not-readable 2:-'],
    ],
    ['a frontmatter that never closes', '---\nname: pdf-forms\n', ['skill-not-readable 1:-']],
    ['a name in another case', { 'Skill.md': document() }, ['document-name Skill.md 1:1']],
    ['a byte order mark', `\uFEFF${document()}`, ['byte-order-mark 1:1']],
    ['no frontmatter', '# Forms\n\nRead.\n', ['frontmatter-missing 1:1']],
    ['a fence with a language', `---yaml\nname: a\n---\nRead.\n`, ['frontmatter-missing 1:1']],
    ['a rule above prose', '---\nOnly prose here.\n---\nRead.\n', ['frontmatter-missing 1:1']],
    [
      'no YAML, and judges its fields no further',
      '---\nname: X\ndescription: a: b\n---\nRead.\n',
      ['frontmatter-not-yaml 3:15'],
    ],
    [
      'a tab that indents',
      '---\nname: pdf-forms\nmetadata:\n\ta: b\n---\nRead.\n',
      ['frontmatter-not-yaml 4:1'],
    ],
    ['a key twice', document('license: MIT\nlicense: MIT\n'), ['duplicate-key 5:1']],
    ['a key twice in metadata', document('metadata:\n  a: b\n  a: c\n'), ['duplicate-key 6:3']],
    ['brackets', document('metadata: {a: b}\n'), ['yaml-not-plain 4:1']],
    [
      'an anchor and its alias',
      document('license: &l MIT\ncompatibility: *l\n'),
      ['yaml-not-plain 4:1', 'yaml-not-plain 5:1'],
    ],
    ['a tag', document('license: !!str MIT\n'), ['yaml-not-plain 4:1']],
    ['--- in a comment', document('# --- more ---\n'), ['dashes-in-frontmatter 4:3']],
    [
      'CRLF, with the right columns',
      document('metadata:\n  a: 1\n').replaceAll('\n', '\r\n'),
      ['metadata-value-not-quoted 5:3'],
    ],
  ],
  'of a name': [
    ['none', '---\ndescription: Fills forms. Use when one is given.\n---\nRead.\n', ['name-missing 1:1']],
    ['an empty one', named(''), ['name-missing 2:1']],
    ['blanks', named('"  "'), ['name-missing 2:1']],
    ['capital letters', named('PDF-Forms'), ['name-differs-from-folder 2:1', 'name-format 2:1']],
    ['an underscore', named('pdf_forms'), ['name-differs-from-folder 2:1', 'name-format 2:1']],
    ['a hyphen at its end', named('pdf-forms-'), ['name-differs-from-folder 2:1', 'name-format 2:1']],
    ['two hyphens', named('pdf--forms'), ['name-differs-from-folder 2:1', 'name-format 2:1']],
    ['another script', named('формы'), ['name-differs-from-folder 2:1', 'name-not-ascii 2:1']],
    ['65 characters', named('a'.repeat(65)), ['name-differs-from-folder 2:1', 'name-too-long 2:1']],
    ['64 characters', named('a'.repeat(64)), ['name-differs-from-folder 2:1']],
    ['a number', named('123'), ['field-not-quoted 2:1', 'name-differs-from-folder 2:1']],
    ['a list', named('[a]'), ['field-not-text 2:1', 'yaml-not-plain 2:1']],
    [
      'a reserved word',
      named('claude-forms'),
      ['name-reserved 2:1', 'name-differs-from-folder 2:1'].sort(),
      'claude-api',
    ],
    ['no reserved word elsewhere', named('claude-forms'), ['name-differs-from-folder 2:1']],
    ['quotes, which are none of it', named('"pdf-forms"'), []],
  ],
  'of a description': [
    ['none', '---\nname: pdf-forms\n---\nRead.\n', ['description-missing 1:1']],
    ['an empty one', described('""'), ['description-missing 3:1']],
    ['1,024 characters outside the BMP', described(`Use when ${'😀'.repeat(1015)}`), []],
    ['1,025 characters', described(`Use when ${'😀'.repeat(1016)}`), ['description-too-long 3:1']],
    ['a list', described('\n  - a'), ['field-not-text 3:1']],
    ['angle brackets', described('Use when <b> is asked.'), ['description-holds-tags 3:1'], 'claude-api'],
    ['no occasion', described('Fills the fields of PDF forms.'), ['description-without-when 3:1']],
    ['an occasion as a list', described('Handles forms. Use for PDF, paper.'), []],
    ['an occasion as a symptom', described('Mends a form. Use on a broken one.'), []],
    ['an occasion that it is best for', described('Handles forms of PDF. Ideal for offices.'), []],
    ['words that lead to it', described('"Fills the fields of forms. Keywords: pdf, form."'), []],
    ['another language', described('Füllt Formulare aus, sobald sie vorliegen.'), []],
    ['another one, with words of English', described('Responde a preguntas de la oficina in PDF.'), []],
    ['another script, with names of programs', described('用 GitHub Actions 检查 PDF for Adobe.'), []],
    [
      'an occasion of its own field',
      `---\nname: pdf-forms\ndescription: Fills the forms.\nwhen_to_use: asked\n---\nRead.\n`,
      [],
      'claude-code',
    ],
  ],
  'of other fields': [
    ['an empty compatibility', document('compatibility: ""\n'), ['compatibility-length 4:1']],
    ['a compatibility of 500', document(`compatibility: ${'x'.repeat(500)}\n`), []],
    ['a compatibility of 501', document(`compatibility: ${'x'.repeat(501)}\n`), ['compatibility-length 4:1']],
    ['a license that is a map', document('license:\n  name: MIT\n'), ['field-not-text 4:1']],
    ['a license that is a number', document('license: 2\n'), ['field-not-quoted 4:1']],
    ['a metadata that is a list', document('metadata:\n  - a\n'), ['metadata-not-a-map 4:1']],
    ['a list in metadata', document('metadata:\n  tags:\n    - a\n'), ['metadata-value-nested 5:3']],
    ['the same, which skill-fleet reads', document('metadata:\n  tags:\n    - a\n'), [], 'skill-fleet'],
    ['a number in metadata', document('metadata:\n  version: 1.0\n'), ['metadata-value-not-quoted 5:3']],
    ['a list of tools', document('allowed-tools:\n  - Read\n'), ['allowed-tools-list 4:1']],
    ['the same, which Claude Code reads', document('allowed-tools:\n  - Read\n'), [], 'claude-code'],
    ['commas between tools', document('allowed-tools: Read, Grep\n'), ['allowed-tools-commas 4:1']],
    ['commas in a tool', document('allowed-tools: Bash(git add, git mv) Read\n'), []],
    ['a field of nobody', document('author: ann\n'), ['unknown-field 4:1']],
    ['a field of Claude Code', document('user-invocable: true\n'), ['unknown-field 4:1']],
    ['the same, for Claude Code', document('user-invocable: true\n'), [], 'claude-code'],
    ['the same, for OpenClaw', document('user-invocable: true\n'), [], 'openclaw'],
    ['a field of skill-fleet', document('load-priority: always\n'), [], 'skill-fleet'],
    [
      'an unknown word',
      document('metadata:\n  weight: heavy\n'),
      ['field-read-leniently 5:3'],
      'skill-fleet',
    ],
  ],
  'of a body': [
    ['nothing in it', document('', ' \n'), ['body-empty 5:1']],
    ['500 lines', document('', lines(499)), []],
    ['501 lines', document('', lines(500)), ['body-too-many-lines 505:1']],
    ['5,000 tokens', document('', 'x'.repeat(20_000)), []],
    ['more', document('', 'x'.repeat(20_008)), ['body-too-many-tokens 5:1']],
    ['more in another script', document('', '字'.repeat(5_002)), ['body-too-many-tokens 5:1']],
    ['a lost link', document('', 'See [it](a.md).\n'), ['link-not-found 6:10']],
    [
      'several in a line',
      document('', '[a](a.md) ![b](<b.png>) [c](c/d.md "title")\n'),
      ['link-not-found 6:5', 'link-not-found 6:29'],
    ],
    ['a definition of a link', document('', '[a]: a.md\n'), ['link-not-found 6:6']],
    ['a link out of the skill', document('', 'See [it](../b/SKILL.md).\n'), ['link-leads-outside 6:10']],
    ['a link in code', document('', '`[a](a.md)` ``b ` [c](c.md)`` \n\n```md\n[d](d.md)\n```\n'), []],
    ['a link behind half a code span', document('', 'a ` b [c](c.md)\n'), ['link-not-found 6:11']],
    [
      'addresses, anchors and what is to be filled in',
      document(
        '',
        '[a](https://a.b/c.md) [b](#c) [c](mailto:a@b.c) [d](url) [e](<path>/f.md) [g]({{g}}.md) [h](/i.md)\n',
      ),
      [],
    ],
    ['an encoded link', { 'SKILL.md': document('', '[a](my%20file.md)\n'), 'my file.md': 'Text.\n' }, []],
    [
      'a link with an anchor and a folder',
      filesAnd({ 'references/fields.md': 'Text.\n' }, '[a](references/fields.md#b) [c](./references/) run\n'),
      [],
    ],
    [
      "a link from a file's own folder, and from the skill's",
      {
        'SKILL.md': document('', 'See references/a.md.\n'),
        'references/a.md': '[b](b.md) [c](references/b.md) [d](../SKILL.md) [e](e.md)\n',
        'references/b.md': 'b\n',
      },
      ['link-not-found references/a.md 1:53'],
    ],
    ['a link with NUL', document('', '[a](a%00.md)\n'), []],
  ],
  'of files': [
    [
      'a script that cannot run',
      filesAnd({ 'scripts/fill.sh': '#!/bin/sh\n' }),
      ['script-not-executable scripts/fill.sh 1:1'],
    ],
    [
      'none that its program runs',
      filesAnd(
        { 'scripts/fill.sh': '#!/bin/bash\n', 'scripts/more.py': '#!/usr/bin/env python3\n' },
        'Read references/fields.md. Run `bash -e "$SKILL/scripts/fill.sh"`, or `uv run --quiet scripts/more.py a`.\n',
      ),
      [],
    ],
    [
      'one that a sentence names',
      filesAnd({ 'scripts/fill.sh': '#!/bin/sh\n' }, 'In bash, scripts/fill.sh reads references.\n'),
      ['script-not-executable scripts/fill.sh 1:1'],
    ],
    ['a script that can', filesAnd({ 'scripts/fill.sh': ['#!/bin/sh\n'] }), []],
    [
      'a script without #!',
      filesAnd({ 'scripts/fill.sh': ['echo a\n'] }),
      ['script-without-shebang scripts/fill.sh 1:1'],
    ],
    ['a module of Rust', filesAnd({ 'scripts/fill.sh': '#![no_std]\n' }), []],
    ['a program', filesAnd({ 'scripts/fill.sh': ['\x7fELF\0'] }), []],
    ['a file of no use', filesAnd({ 'assets/logo.svg': '<svg/>' }), ['file-not-mentioned assets/logo.svg']],
    [
      'one that only speaks of itself',
      filesAnd({ 'assets/logo.svg': 'logo.svg' }),
      ['file-not-mentioned assets/logo.svg'],
    ],
    ['one of a folder that is mentioned', filesAnd({ 'references/more/a.md': 'A.\n' }), []],
    [
      'one that another one imports',
      filesAnd({
        'scripts/fill.sh': ['#!/usr/bin/env python3\nfrom lib.forms import x\n'],
        'tools/forms.py': 'x = 1\n',
      }),
      [],
    ],
    [
      'those known by name',
      filesAnd({ LICENSE: 'MIT', 'README.md': 'a', '.gitignore': 'a', 'evals/a.json': '{}' }),
      [],
    ],
    [
      'a name of several words',
      { 'SKILL.md': document('', 'Open "my file.txt".\n'), 'my file.txt': 'a\n', 'your file.txt': 'b\n' },
      ['file-not-mentioned your file.txt'],
    ],
    ['a token', document('', `Text.\nSet TOKEN=${token}.\n`), ['secret-likely 7:11']],
    [
      'a token in an attached file',
      filesAnd({ 'scripts/fill.sh': [`#!/bin/sh\nT=${token}\n`] }),
      ['secret-likely scripts/fill.sh 2:3'],
    ],
    [
      'no token in an example',
      document(
        '',
        `${token.replace('xE5', 'EXAMPLE').slice(0, 40)} ghp_${'x'.repeat(36)} AKIAIOSFODNN7EXAMPLE\n`,
      ),
      [],
    ],
    [
      'no token that runs through the alphabet',
      document(
        '',
        `AKIA2J4K7LMNPQ6RSTUV AIzaSy${'A1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q'} ghp_16C7e42F292c6912E7710c838347Ae178B4a\n`,
      ),
      [],
    ],
    ['no token within a word', document('', `a${token}\n`), []],
    [
      'a path of one user',
      document('', 'In `/Users/annabel/a.sh`, and /Users/annabel/b.\n'),
      ['machine-path 6:5'],
    ],
    ['a path of Windows', document('', 'In C:\\Users\\annabel\\a.txt\n'), ['machine-path 6:4']],
    [
      'a path of any user',
      document(
        '',
        '/home/deno/a /home/john.doe/a /Users/jsmith/a /home/your_user/a /home/user/a /Users/you/b /Users/x/b /home/runner/work /home/$USER/c https://a.b/home/ann/d ~/home/ann/e\n',
      ),
      [],
    ],
    [
      'both line endings',
      filesAnd({ 'references/fields.md': 'a\r\nb\nc\nd\r\ne\n' }),
      ['line-endings-mixed references/fields.md 1:3'],
    ],
    [
      'none in what is no text',
      filesAnd({ 'references/fields.md': Buffer.from('%PDF-1.7\r\n%\xb5\xed\nstream\r\n', 'latin1') }),
      [],
    ],
    [
      'more than can be uploaded',
      filesAnd({ 'references/fields.md': Buffer.alloc(30 * 1024 * 1024 + 1) }),
      ['skill-too-large'],
      'claude-api',
    ],
  ],
  'of comments that disable rules': [
    [
      'a rule that is disabled for a reason',
      document('author: ann\n', '<!-- skill-fleet-disable unknown-field: needed -->\nRead.\n'),
      [],
    ],
    [
      'no reason',
      document('author: ann\n', 'Read. <!-- skill-fleet-disable unknown-field -->\n'),
      ['disable-without-reason 7:7'],
    ],
    [
      'an unknown rule',
      document('', '<!-- skill-fleet-disable unknwon-field: a -->\n'),
      ['disable-unknown-rule 6:1'],
    ],
    [
      'one that finds nothing',
      document('', '<!-- skill-fleet-disable unknown-field: a -->\n'),
      ['disable-unused 6:1'],
    ],
    ['one that the target does not ask', document('', '<!-- skill-fleet-disable name-reserved: a -->\n'), []],
    [
      'one in code',
      document('author: ann\n', '```\n<!-- skill-fleet-disable unknown-field: a -->\n```\n'),
      ['unknown-field 4:1'],
    ],
    ['one that never closes', document('', 'Read. <!-- skill-fleet-disable unknown-field: a\n'), []],
    [
      'two in a line',
      document(
        'author: ann\n',
        '<!-- skill-fleet-disable unknown-field: a --> <!-- skill-fleet-disable body-empty: b -->\n',
      ),
      ['disable-unused 7:47'],
    ],
  ],
};

for (const [group, those] of Object.entries(cases)) {
  describe(`${group} the rules tell`, () => {
    for (const [what, content, findings, target] of those) {
      test(what, () => {
        const files = typeof content === 'string' ? { 'SKILL.md': content } : content;
        expect(findingsOf(files, { target }).map(marked)).toEqual(findings);
      });
    }
  });
}

describe('the table of rules', () => {
  test('names a source that it uses, and no other', () => {
    const used = new Set(ruleNames.flatMap((rule) => rules[rule].sources));
    expect([...used].sort()).toEqual(Object.keys(sources).sort());
  });

  test('has each rule on under some target', () => {
    const off = ruleNames.filter((rule) => targets.every((target) => defaultSetting(rule, target) === 'off'));
    expect(off).toEqual([]);
  });

  test.each<[text: string, nearest: RuleName | undefined]>([
    ['name-formt', 'name-format'],
    ['nameformat', 'name-format'],
    ['link-notfound', 'link-not-found'],
    ['no-such-thing-at-all', undefined],
    ['', undefined],
    ['toString', undefined],
  ])('has %j near to %s', (text, nearest) => {
    expect(nearestRule(text)).toBe(nearest);
  });
});

describe('surroundings', () => {
  test('with no executable bits are asked for none', () => {
    const files = filesAnd({ 'scripts/fill.sh': '#!/bin/sh\n' });
    expect(findingsOf(files, { keepsModes: false })).toEqual([]);
  });

  test('where a link leads to what is no file of the skill are looked at', () => {
    const files = { 'SKILL.md': document('', '[a](nested/SKILL.md) [b](b.md)\n') };
    expect(findingsOf(files, { standing: ['nested/SKILL.md'] }).map(marked)).toEqual(['link-not-found 6:26']);
  });
});

describe('settings', () => {
  const files = { 'SKILL.md': document('author: ann\n') };
  const settings = {
    rules: { 'unknown-field': 'info' },
    overrides: [
      { paths: ['a/**'], rules: { 'unknown-field': 'off' } },
      { paths: ['b/*', 'a/pdf-forms'], rules: { 'unknown-field': 'warn', 'body-empty': 'off' } },
    ],
  } as const;

  test.each<[path: string, severity: string | undefined]>([
    ['c/pdf-forms', 'info'],
    ['a/x/pdf-forms', undefined],
    ['a/pdf-forms', 'warn'],
    ['b/pdf-forms', 'warn'],
  ])('make the finding in %s: %s', (path, severity) => {
    expect(findingsOf(files, { path, settings })[0]?.severity).toBe(severity);
  });
});

describe('of a library the rules tell', () => {
  const with_ = (name: string, more = '') =>
    `---\nname: ${name}\ndescription: Use when asked.\n${more}---\nRead.\n`;
  const needs = (...targets: readonly string[]) => `metadata:\n  dependencies: ${targets.join(', ')}\n`;
  const told = (documents: { readonly [path: string]: string }, isWhole = true) =>
    libraryFindings(documents, { isWhole }).map((finding) => `${finding.skill}: ${marked(finding)}`);

  test.each<[what: string, documents: { readonly [path: string]: string }, told: readonly string[]]>([
    ['nothing where all is well', { a: with_('a', needs('b/c')), 'b/c': with_('c') }, []],
    ['a name that is there already', { 'a/x': with_('x'), 'b/x': with_('x') }, ['b/x: name-duplicate 2:1']],
    ['nothing of names that nobody gave', { 'a/x': 'Read.\n', 'b/x': 'Read.\n' }, []],
    ['paths that collide', { 'A/x': with_('x'), 'a/y': with_('y') }, ['a/y: names-collide']],
    [
      'a dependency on nothing',
      { a: with_('a', needs('b', 'c')), c: with_('c') },
      ['a: dependency-not-found 5:3'],
    ],
    [
      'a reference to nothing',
      { a: with_('a', 'metadata:\n  see_also: [b]\n') },
      ['a: reference-not-found 5:3'],
    ],
    [
      'nothing of a field that the target does not know',
      { a: with_('a', 'dependencies: [a, torch]\nreferences: [b]\n') },
      [],
    ],
    [
      'nothing of a conflict with nothing',
      { a: with_('a', 'metadata:\n  dependencies: {conflict: [b]}\n') },
      [],
    ],
    ['an alias', { a: with_('a', needs('old/b')), b: with_('b', 'aliases: [old/b]\n') }, []],
    ['a circle of one', { a: with_('a', needs('a')) }, ['a: dependency-cycle 5:3']],
    [
      'a circle, once',
      {
        a: with_('a', needs('b')),
        b: with_('b', needs('c')),
        c: with_('c', needs('a')),
        d: with_('d', needs('a')),
      },
      ['a: dependency-cycle 5:3'],
    ],
    [
      'no circle of recommendations',
      { a: with_('a', 'metadata:\n  dependencies: {recommended: [a]}\n') },
      [],
    ],
    [
      'what a document disables',
      { a: `${with_('a', needs('b'))}<!-- skill-fleet-disable dependency-not-found: elsewhere -->\n` },
      [],
    ],
    [
      'what it disables in vain',
      { a: `${with_('a')}<!-- skill-fleet-disable dependency-not-found: elsewhere -->\n` },
      ['a: disable-unused 6:1'],
    ],
  ])('%s', (_what, documents, expected) => {
    expect(told(documents)).toEqual(expected);
  });

  test('no more of a part than what the part holds', () => {
    const disabled = '<!-- skill-fleet-disable dependency-not-found: elsewhere -->\n';
    expect(told({ a: with_('a', needs('b')), b2: with_('a') + disabled }, false)).toEqual([
      'b2: name-duplicate 2:1',
    ]);
  });

  test('what a field at the top says, where the target knows it', () => {
    const documents = { a: with_('a', 'dependencies: [b]\nreferences: [c]\n') };
    expect(libraryFindings(documents, { target: 'skill-fleet' }).map(marked)).toEqual([
      'dependency-not-found 4:1',
      'reference-not-found 5:1',
    ]);
  });

  test('a long circle, shortened', () => {
    const documents = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [
        `s${index}`,
        with_(`s${index}`, needs(`s${(index + 1) % 2000}`)),
      ]),
    );
    const [finding] = libraryFindings(documents);
    expect(finding?.what).toMatch(/^it depends on itself: s0 → s1 .* → s9 → … → s0$/);
  });
});

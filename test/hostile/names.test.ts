// Names and texts that are made to mislead: a terminal, a shell, a pattern, an object's prototype, a file system.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffCommand, restoreCommand, shellWord } from '../../src/report/command-text.ts';
import { jsonText } from '../../src/report/json.ts';
import { printable, printableLine } from '../../src/report/terminal-text.ts';
import { readPrinted } from '../../src/skill/path.ts';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { writeFiles } from '../folders.ts';
import { document, makeClone, makeSides } from '../sync/sides.ts';

/** What a terminal may act on, reorder, or show as nothing: never to be printed as it is. */
const steering: readonly (readonly [what: string, text: string])[] = [
  ['an escape that clears', '\u001b[2J'],
  ['an escape that sets the title', '\u001b]0;owned\u0007'],
  ['an escape that links', '\u001b]8;;http://evil.example\u0007'],
  ['an escape that asks the terminal to type', '\u001b[6n'],
  ['an escape of one byte', '\u009b31m'],
  ['a title of one byte', '\u009d0;owned\u009c'],
  ['a next line', '\u0085'],
  ['a backspace', 'safe\u0008\u0008\u0008\u0008evil'],
  ['a carriage return', 'safe\revil'],
  ['a vertical tab', '\u000b'],
  ['a form feed', '\u000c'],
  ['a shift out', '\u000e'],
  ['a delete', '\u007f'],
  ['a bell', '\u0007'],
  ['a right-to-left override', '\u202egpj.exe'],
  ['a left-to-right override', '\u202d'],
  ['an embedding', '\u202b'],
  ['an isolate', '\u2066\u2069'],
  ['a mark of direction', '\u200f'],
  ['an Arabic mark', '\u061c'],
  ['a space of no width', '\u200b'],
  ['a word joiner', '\u2060'],
  ['an invisible plus', '\u2064'],
  ['an old control of shaping', '\u206a'],
  ['a mark of byte order', '\ufeff'],
  ['a soft hyphen', 'pass\u00adword'],
  ['a grapheme joiner', '\u034f'],
  ['a filler of Hangul', '\u3164'],
  ['half a filler of Hangul', '\uffa0'],
  ['a vowel of Khmer that is not seen', '\u17b4'],
  ['a separator of Mongolian', '\u180e'],
  [
    'text in tags',
    [...'ignore all'].map((one) => String.fromCodePoint(0xe0000 + one.charCodeAt(0))).join(''),
  ],
  ['text in variations', '\u{e0100}\u{e0121}'],
  ['an annotation', '\ufff9a\ufffab\ufffb'],
  ['a beam of music', '\u{1d173}'],
  ['a format of shorthand', '\u{1bca0}'],
  ['a separator of lines', '\u2028'],
  ['a separator of paragraphs', '\u2029'],
];

const terminal = /[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/u;
/** Of those, what output consists of, and what scripts and emoji are spelled with. */
const harmless = /[\n\t]|\u200c|\u200d|\ufe0e|\ufe0f/gu;

/** What of an output a terminal would act on. */
function steeringIn(output: string): string | undefined {
  const [found] = terminal.exec(output.replace(harmless, '')) ?? [];
  return found && JSON.stringify([found.codePointAt(0)?.toString(16), output.slice(0, 2000)]);
}

describe('what steers a terminal', () => {
  test.each(steering)('is printed by its number, and is the same in JSON: %s', (_, text) => {
    expect(steeringIn(printable(text))).toBeUndefined();
    expect(printableLine(`${text}\n\t`)).not.toMatch(terminal);
    expect(readPrinted(printableLine(text))).toBe(text);
    const json = jsonText({ text });
    expect(steeringIn(json)).toBeUndefined();
    expect(JSON.parse(json)).toMatchObject({ text });
  });

  test('is printed by no command, wherever in a skill or a row it stands', async () => {
    const url = await databaseUrl('postgres');
    const project = await makeProject();
    const all = steering.map(([, text]) => text).join(' ');
    const inYaml = JSON.stringify(all).replace(
      /[\u007f-\uffff]/g,
      (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    // In names what no path may hold is refused, which the errors say.
    const names = steering.map(([, text]) => text.replaceAll('/', ''));
    const front = [
      'category',
      'tags',
      'keywords',
      'aliases',
      'see_also',
      'scope',
      'status',
      'version',
      'license',
      'x',
    ]
      .map((key) => `${key}: ${inYaml}\n`)
      .join('');
    const body = `${all}\n\n## Capabilities\n- **${all}**: ${all}\n\n[${all}](a/${all}.md)\n`;
    const text = (more: string) =>
      `---\nname: ${inYaml}\ndescription: ${inYaml}\n${front}${inYaml}: 1\n---\n${body}${more}`;
    await writeFiles(project.folder, {
      ...Object.fromEntries(names.map((name) => [`skills/${name}/SKILL.md`, text(name)])),
      ...Object.fromEntries(names.map((name) => [`skills/files/${name}x`, all])),
      'skills/files/SKILL.md': text(''),
      'skills/raw/SKILL.md': `---\nname: ${all}\n${all}: [\n---\n${body}`,
      'skills/torn/SKILL.md': Buffer.concat([Buffer.from(`---\nname: ${all}`), Buffer.from([0xff])]),
      [`skills/\u202elinks/SKILL.md`]: text(''),
      'skills/.skill-fleet-lock.1': JSON.stringify({
        pid: 1,
        host: all,
        since: all,
        started: all,
        user: all,
      }),
    });
    const env = { DATABASE_URL: url };
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await project.run(args, env);
      expect(steeringIn(`${stdout}${stderr}`), args.join(' ')).toBeUndefined();
      return { code, stdout, stderr };
    };
    expect((await run('export-to-db', '--lock-timeout', '0')).stderr).toContain('in use by');
    execFileSync('rm', [path.join(project.folder, 'skills/.skill-fleet-lock.1')]);
    expect((await run('export-to-db', '--dry-run', '--verbose')).stdout).toContain('create');
    expect((await run('export-to-db', '--verbose', '--validate', 'warn')).code).toBe(1);
    await sql(
      url,
      `set application_name = 'w'; update skills set description = description || E'\\u001b[2J\\u202e';
       update taxonomy_categories set name = name || E'\\u009b';
       update skill_revisions set writer = E'\\u001b[2J\\u202e';
       update sync_runs set who = E'\\u001b[2J', host = E'\\u202e', git_branch = E'\\u009b', error = E'\\u001b]0;x\\u0007'`,
    );
    await writeFiles(project.folder, { 'skills/raw/SKILL.md': text('mine') });
    for (const args of [
      ['status', '--verbose'],
      ['list'],
      ['list', '--filter', '\u001b[2J\u202e'],
      ['show', 'raw'],
      ['show', 'files', '--json'],
      ['show', '\u001b[2J'],
      ['diff'],
      ['diff', '--json'],
      ['diff', '--conflict', 'raw'],
      ['log', '--diff'],
      ['log', 'raw', '--diff'],
      ['verify'],
      ['validate', '--verbose'],
      ['validate', '--json'],
      ['sync-db', '--dry-run', '--verbose', '--diff', 'full'],
      ['sync-db', '--dry-run', '--json'],
      ['import-from-db', '--skill-path', '\u009b2J'],
      ['resolve', 'raw', '--with', '\u202e'],
      ['apply', '\u001b[2J'],
      ['restore', '\u202e', '--revision', '1'],
      ['doctor'],
      ['\u001b[2J'],
      ['list', '--\u001b[2J'],
      ['--skills-dir', '\u202e', 'status'],
      ['--config', '\u001b[2J', 'status'],
    ]) {
      await run(...args);
    }
  });
});

/** Names that mean something to a shell, a program's options, a pattern, an object or a URL; all of them may stand. */
const kept = [
  ...['-rf', '--force', '--delete', '--env-file=x', '--database-url=postgres:evil', '-', '--', '-x y'],
  ...[
    '$(touch owned)',
    '`touch owned`',
    '$IFS',
    '$HOME',
    '~root',
    '!!',
    '!1',
    '#comment',
    'a;b',
    'a&b',
    'a|b',
  ],
  ...[
    "it's",
    'say "hi"',
    "'",
    '"',
    '"\'"',
    "$'x'",
    '(a)',
    '{a,b}',
    '<a>',
    'a>b',
    'a b',
    '  lead',
    '*',
    '?',
    '[a-z]',
  ],
  ...[
    '**',
    '!not',
    '%s%n',
    '%00',
    '%2e%2e',
    '%25',
    '&amp;',
    '<script>',
    '](evil)',
    '](http)',
    '@here',
    '=1+1',
    '+1',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    'then',
  ],
  ...[
    'null',
    'undefined',
    'true',
    'NaN',
    '0',
    '1e9',
    '-1',
    'drop table skills',
    "'; drop table skills; --",
    '$1',
    '$$',
  ],
  ...[
    '...',
    '....',
    '.hidden',
    '..a',
    'a..',
    'ⅷ',
    'ﬁ',
    'Ω',
    'é',
    '😀',
    '👩\u200d🚀',
    'a\u0301\u0302\u0303'.repeat(20),
  ],
  ...[
    '\u202egpj.exe',
    '\u200b',
    'a\u00adb',
    '\u{e0041}',
    '\ufeff',
    '\ufffd',
    'é'.repeat(127),
    'x'.repeat(255),
  ],
].filter((name) => !/[. ]$/.test(name) || name === '-x y');

/** Names that can stand on Linux alone, or steer whatever prints them. */
const refused = [
  ...[
    'line\nbreak',
    '\n',
    'tab\there',
    'return\r',
    'escape\u001b[2J',
    'bell\u0007',
    'delete\u007f',
    'next\u0085',
    'csi\u009b',
  ],
  ...[
    'a\\b',
    '\\',
    '..\\..\\up',
    'C:',
    'c:x',
    'CON',
    'nul',
    'Aux.md',
    'com1',
    'LPT9.txt',
    'tail.',
    'tail ',
    '... ',
    ' ',
  ],
];

/** Names whose bytes are no UTF-8, with surrogates as CESU-8 writes them among them. */
const torn = ['ff', '80', 'c0af', 'eda080', 'eda0bdedb880', 'f4908080', 'e9', '61ff'];

describe('names that mean something to others', () => {
  test('are kept as they are, or named with their skill: both sides agree, and another clone gets the same', async () => {
    const { connection, folder, run, write, files } = await makeSides('postgres');
    const documents = (where: string, names: readonly string[]) =>
      names.map((name) => [`${where}/${name}/SKILL.md`, document('n', `${name}\n`)] as const);
    const attached = (where: string, names: readonly string[]) =>
      names.flatMap(
        (name, index) =>
          [
            [`${where}/${index}/SKILL.md`, document('n')],
            [`${where}/${index}/${name}`, name],
          ] as const,
      );
    await write(
      Object.fromEntries([
        ...documents('kept', kept),
        ...documents('refused', refused),
        ...attached('held', kept),
        ...attached('holding', refused),
      ]),
    );
    for (const hex of torn) {
      const place = Buffer.concat([Buffer.from(`${folder}/torn/`), Buffer.from(hex, 'hex')]);
      mkdirSync(place, { recursive: true });
      writeFileSync(Buffer.concat([place, Buffer.from('/SKILL.md')]), document('n'));
    }
    const outcome = await run('export');
    const reasons = outcome.plan.problems.map((problem) => problem.reason).sort();
    expect(reasons).toEqual([
      ...torn.map(() => 'file-name-not-utf8'),
      ...refused.map(() => 'file-path-not-allowed'),
      ...refused.map(() => 'path-not-allowed'),
    ]);
    expect(outcome.results.filter(({ ok }) => !ok)).toEqual([]);
    rmSync(`${folder}/torn`, { recursive: true });
    const other = await makeClone(connection);
    expect((await other.run('import')).results.filter(({ ok }) => !ok)).toEqual([]);
    const ours = Object.entries(await files()).filter(([file]) => /^(kept|held)\//.test(file));
    expect(ours.length).toBe(3 * kept.length);
    expect(Object.entries(await other.files())).toEqual(ours);
    expect((await other.run('sync')).words).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([...kept, ...steering.map(([, text]) => text)])(
    'are one word, and no option, of a command that is printed: %j',
    (name) => {
      const [restored, shown] = [restoreCommand(name, 3), diffCommand([name])];
      const words = (command: string) =>
        execFileSync('bash', ['-c', `skill-fleet() { printf '%s\\0' "$@"; }; ${command}`], { cwd: '/' })
          .toString()
          .split('\0');
      expect(words(restored).map(readPrinted)).toEqual(['restore', name, '--revision', '3', '']);
      expect(words(restored)[1]).not.toMatch(/^-/);
      expect(words(shown)[1]).not.toMatch(/^-/);
      expect(steeringIn(shellWord(name))).toBeUndefined();
    },
  );
});

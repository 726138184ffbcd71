// docs/troubleshooting.md has an entry for each sentence that the program can print, and none for what is gone.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Warning, type WarningCode, warningSentence } from '../../src/document/warning.ts';
import type { Notice } from '../../src/notice.ts';
import { type Problem, type Reason, sentenceOf } from '../../src/problem.ts';
import type { Conflict } from '../../src/reconcile/conflict.ts';
import { noticeLines } from '../../src/report/notice-text.ts';
import { conflictRow } from '../../src/report/plan-text.ts';
import { parseSkillPath } from '../../src/skill/path.ts';
import type { SetAside } from '../../src/sync/base.ts';
import { projectRoot } from '../acceptance/cli.ts';

/** Numbers that no sentence has of its own: the page has capitals in their places. */
const [n, line, column] = [7105, 7201, 7301] as const;
const capitals: readonly (readonly [RegExp, string])[] = [
  // A sentence may count one less.
  [/710[45]/g, 'N'],
  [/7201/g, 'LINE'],
  [/7301/g, 'COLUMN'],
  [/1970-01-01 00:00:00Z/g, 'TIME'],
];

function withCapitals(text: string): string {
  return capitals.reduce((said, [value, name]) => said.replaceAll(value, name), text);
}

const sides = ['files', 'database'] as const;
const document = { path: 'PATH', file: 'SKILL.md', line };
const file = { path: 'PATH', file: 'FILE' };
const database = 'DATABASE';
const why = 'WHY';

/** Values of each problem: one for every sentence that it can have. */
const problems: { readonly [R in Reason]: readonly Omit<Problem<R>, 'reason'>[] } = {
  'wrong-usage': [{ why, command: 'skill-fleet COMMAND' }],
  'database-url-not-set': [{ why }],
  'skills-directory-not-found': [{ directory: 'DIR' }],
  'side-emptied': sides.map((side) => ({ side, count: n })),
  'side-exchanged': sides.map((side) => ({ side, count: n })),
  'too-many-deletions': sides.map((side) => ({ side, count: n, total: n, limit: n })),
  'too-many-overwritten': sides.map((side) => ({ side, count: n, total: n })),
  'line-endings-only': sides.map((side) => ({ side, count: n, total: n })),
  'skills-not-valid': [
    { count: n, total: n, target: 'TARGET', first: ['FILE (RULE)'], command: 'skill-fleet validate' },
    { count: 1, total: n, target: 'TARGET', first: ['FILE (RULE)'], command: 'skill-fleet validate' },
  ],
  interrupted: [{}],
  'path-not-allowed': [{ path: 'PATH', why }],
  'file-path-not-allowed': [{ ...file, why }],
  'files-collide': [{ ...file, other: 'OTHER' }],
  'path-collides': sides.map((side) => ({ path: 'PATH', other: 'OTHER', side })),
  'path-taken': sides.map((side) => ({ path: 'PATH', side })),
  'run-not-found': [{ run: n }, { run: null }],
  'run-not-recorded': [{ run: n }],
  'no-conflict': [{ path: 'PATH' }],
  'conflict-waits': [{ path: 'PATH' }],
  'conflict-of-one': [{ path: 'PATH' }],
  'files-not-settled': [{ path: 'PATH', files: ['FILES'] }],
  'resolution-not-readable': [{ file: 'FILE', why }],
  'plan-not-found': [{ file: 'FILE' }],
  'plan-not-readable': [{ file: 'FILE', why }],
  'plan-damaged': [{ file: 'FILE', line, why }],
  'plan-newer': [{ file: 'FILE', version: n }],
  'plan-too-large': [{ file: 'FILE', limit: n }],
  'plan-not-written': [{ file: 'FILE', why }],
  'plan-foreign': [{ file: 'FILE', why }],
  'plan-among-skills': [{ file: 'FILE', skillsDirectory: 'DIR' }],
  'plan-stale': sides.map((side) => ({ path: 'PATH', side })),
  'plan-not-whole': [{ count: n }],
  'left-with-others': [{}],
  'plan-half-done': [{ run: n }],
  'skills-directory-is-a-file': [{ directory: 'DIR' }],
  'skills-directory-unreadable': [{ directory: 'DIR', code: 'CODE' }],
  'directory-locked': [{ directory: 'DIR', holder: 'HOLDER' }],
  'ignore-rule-not-allowed': [{ path: 'PATH', why }],
  'folder-unreadable': [{ path: 'PATH', code: 'CODE' }],
  'file-unreadable': [{ ...file, code: 'CODE' }],
  'file-name-not-utf8': [file],
  'file-changes': [file],
  'limit-exceeded': [
    { ...file, limit: 'LIMIT', most: n },
    { path: 'PATH', limit: 'LIMIT', most: n },
  ],
  'skill-not-found': [{ path: 'PATH' }],
  'system-call-failed': [
    { call: 'CALL', file: 'FILE', code: 'CODE' },
    { call: 'CALL', file: undefined, code: 'CODE' },
  ],
  'disk-full': [{ directory: 'DIR', code: 'CODE' }],
  'write-interrupted': [
    { path: 'PATH', count: 1 },
    { path: 'PATH', count: n },
  ],
  'journal-unreadable': [{ file: 'FILE' }],
  'files-changed-meanwhile': [{ path: 'PATH' }],
  'content-changed-meanwhile': [{ path: 'PATH' }],
  'link-in-the-way': [file],
  'file-in-the-way': [file],
  'file-not-keepable': [{ ...file, why }],
  'cannot-write': [{ ...file, code: 'CODE' }],
  'document-not-utf8': [document],
  'document-holds-nul': [document],
  'frontmatter-never-closes': [document],
  'frontmatter-too-large': [{ ...document, length: n, limit: n }],
  'yaml-alias-bomb': [{ ...document, column, key: 'KEY' }],
  'properties-not-readable': [{ ...document, why }],
  'no-skill-there': [{ directory: 'DIR' }],
  'not-patchable': [
    { ...file, key: 'KEY' },
    { ...file, line, key: 'KEY' },
  ],
  'option-empty': [{ option: 'OPTION' }],
  'database-url-not-understood': [{ source: 'SOURCE', why }],
  'configuration-unreadable': [{ file: 'FILE', why }],
  'configuration-ambiguous': [{ files: ['FILES'] }],
  'configuration-not-valid': ['', 'KEY'].map((key) => ({ file: 'FILE', mistakes: [{ line, key, why }] })),
  'skill-path-matches-nothing': [{ glob: 'GLOB' }],
  'database-url-invalid': [{ why }],
  'database-unreachable': [{ database, why }],
  'database-login-refused': [{ database, why }],
  'password-missing': [{ database }],
  'tls-missing': [{ database }],
  'tls-not-possible': [{ why }],
  'tls-file-unusable': [{ file: 'FILE', why }],
  'certificate-refused': [{ database, why }],
  'channel-binding-missing': [{ database }],
  'database-too-old': [{ database, version: 'VERSION' }],
  'database-encoding': [{ database, encoding: 'ENCODING' }],
  'database-read-only': [{ database, why }],
  'schema-missing': [{ database }],
  'right-missing': [{ database, why }],
  'database-busy': [{ database, why }],
  'statement-canceled': [{ database, why }],
  'database-out-of-room': [{ database, why }],
  'database-reshaped': [{ database, why }],
  'database-not-found': [{ database }],
  'database-lost': [{ database, why }],
  'database-failed': [{ database, sqlstate: 'CODE', why }],
  'database-locked': [{ database, holder: 'HOLDER', files: 'FILES' }],
  'embedded-folder-unusable': [{ directory: 'DIR', why }],
  'embedded-folder-taken': [{ directory: 'DIR' }],
  'state-directory-is-a-link': [{ link: 'LINK' }],
  'embedded-folder-among-skills': [{ directory: 'DIR', skillsDirectory: 'DIR' }],
  'embedded-database-other-version': [{ database, version: 'VERSION', known: 'VERSION' }],
  'embedded-database-damaged': [{ database }],
  'database-needs-migrate': [{ database, pending: n }],
  'database-not-adoptable': [{ database, misfits: ['MISFITS'] }],
  'database-newer': [{ database, migration: 'NAME' }],
  'migration-edited': [{ migration: 'NAME' }],
  'migration-failed': [{ migration: 'NAME', why }],
  'file-is-document': [file],
  'row-changed-meanwhile': [{ path: 'PATH' }],
  'revision-not-found': [{ path: 'PATH', revision: n }],
  'revision-pruned': [{ path: 'PATH', revision: n }],
  'skill-unknown': [{ path: 'PATH' }],
  'row-not-readable': [{ path: 'PATH', why }],
  'row-refused': [{ path: 'PATH', sqlstate: 'CODE', why }],
  'text-not-indexable': [{ path: 'PATH' }],
  // One entry serves all that can differ.
  'not-kept': [{ path: 'PATH', differs: 'WHAT' as 'the document' }],
};

const warnings: { readonly [C in WarningCode]: Omit<Warning<C>, 'code'> } = {
  'no-text': {},
  'no-description': {},
  'fence-names-a-language': { found: 'FOUND' },
  'rule-above-prose': {},
  'yaml-read-line-by-line': { why },
  'duplicate-key': { key: 'KEY' },
  'key-stands-elsewhere': { key: 'KEY', read: 'OTHER' },
  'name-breaks-specification': { name: 'NAME' },
  'name-differs-from-folder': { name: 'NAME', folder: 'FOLDER' },
  'name-too-long': { limit: n },
  'version-is-a-number': { text: 'TEXT' },
  'value-not-text': { key: 'KEY', text: 'TEXT' },
  'wrong-type': { key: 'KEY', wanted: 'WANTED' },
  'unknown-value': { key: 'KEY', allowed: ['VALUES'] },
  'too-long': { key: 'KEY', limit: n },
  'names-no-skill': { key: 'KEY', text: 'TEXT' },
  'text-not-storable': { key: 'KEY' },
  'number-not-storable': { key: 'KEY' },
  'kept-otherwise': { key: 'KEY' },
  'more-warnings': { count: n },
};

const named = { count: n, paths: [] };
const run = {
  id: n,
  direction: 'DIRECTION',
  who: 'WHO',
  host: 'HOST',
  directory: 'DIR',
  startedAt: new Date(0),
};

const notices: {
  readonly [K in Notice['notice']]: Omit<Extract<Notice, { readonly notice: K }>, 'notice'>;
} = {
  links: named,
  secrets: named,
  'held-secrets': named,
  'special-files': named,
  ignored: { count: n },
  unresolved: named,
  finished: named,
  trash: { count: n, folder: 'DIR', run: n },
  'trash-emptied': { count: n, days: n },
  undoes: { run },
  'undo-elsewhere': { count: n, run },
  'shallow-clone': {},
  'root-document': { file: 'FILE', pointAt: 'DIR' },
};

/** Why what both sides last agreed on is not believed, as the page says it. */
const setAside: { readonly [W in SetAside]: string } = {
  damaged: 'what both sides last agreed on cannot be read',
  'newer-version': 'what both sides last agreed on was kept by a newer skill-fleet',
  'other-database': 'this directory was last synced with this database at another host or by another name',
  'database-restored':
    'the database has lost revisions since both sides last agreed: it was restored, or branched',
  'other-repository': 'both sides last agreed when another repository stood here',
  'other-checkout': 'both sides last agreed at a commit that does not come before this one',
};

const conflicts: { readonly [W in Conflict['why']]: true } = {
  'both-edited': true,
  'edited-and-deleted': true,
  'both-renamed': true,
  'no-base': true,
  waits: true,
  'moved-on': true,
};

/** What Node.js says before the program begins. */
const ofNode = ['node: FILE: not found', 'node: FILE: invalid format'];

const page = await readFile(path.join(projectRoot, 'docs/troubleshooting.md'), 'utf8');

/** A sentence that the page explains, with what programs know it by. */
interface Stated {
  readonly sentence: string;
  /** As `reason: database-locked`; undefined where programs do not see it. */
  readonly key: string | undefined;
}

const stated: readonly Stated[] = [
  ...page.matchAll(/^(?:### |- )`(.+)`(?: \(`(\w+: [\w-]+)`\))?$(?:\n\n`(\w+: [\w-]+)`$)?/gm),
].map(([, sentence = '', beside, below]) => ({ sentence, key: beside ?? below }));

/** What the tables of the page have in their first column, as the program says it. */
const rows = [...page.matchAll(/^\| `(.+?)` \|/gm)].map(([, cell = '']) => cell);

/** The program's own text. */
async function source(): Promise<string> {
  const folder = path.join(projectRoot, 'src');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  return (await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))).join('\n');
}

/** What of a sentence is the same in each case. */
function fixedParts(sentence: string): readonly string[] {
  const parts = sentence.replace(/^(note|error): /, '').split(/\b(?:[A-Z]{2,}|N)\b/);
  return parts.map((part) => part.trim()).filter((part) => part.length > 2);
}

test('the troubleshooting page has each sentence that programs know by a name, and no other', () => {
  const ofProblems = (Object.keys(problems) as Reason[]).flatMap((reason) =>
    problems[reason].map((values) => ({
      key: `reason: ${reason}`,
      sentence: sentenceOf({ reason, ...values } as Problem).what,
    })),
  );
  const ofWarnings = (Object.keys(warnings) as WarningCode[]).map((code) => ({
    key: `code: ${code}`,
    sentence: warningSentence({ code, ...warnings[code] } as Warning),
  }));
  const ofNotices = (Object.keys(notices) as Notice['notice'][]).map((notice) => ({
    key: `notice: ${notice}`,
    sentence: noticeLines({ notice, ...notices[notice] } as Notice, true).split('\n')[0] ?? '',
  }));
  const ofBase = { key: 'notice: base-set-aside', sentence: 'note: WHY; the history is asked instead' };
  const made = [...ofProblems, ...ofWarnings, ...ofNotices, ofBase];
  const textOf = ({ key, sentence }: Stated) => `${key}: ${withCapitals(sentence)}`;
  expect(
    stated
      .filter(({ key }) => key !== undefined)
      .map(textOf)
      .sort(),
  ).toEqual(made.map(textOf).sort());
});

test('what else the troubleshooting page quotes is said by the program, commander or Node.js', async () => {
  const commander = await readFile(path.join(projectRoot, 'node_modules/commander/lib/command.js'), 'utf8');
  const said = `${await source()}${commander}${ofNode.join()}`;
  const others = stated.filter(({ key }) => key === undefined).map(({ sentence }) => sentence);
  const isSaid = (sentence: string) => fixedParts(sentence).every((part) => said.includes(part));
  expect(others.length).toBeGreaterThan(ofNode.length);
  expect([...others, ...rows].filter((sentence) => !isSaid(sentence))).toEqual([]);
});

test('the troubleshooting page has each note and error that stands in the source as it is printed', async () => {
  const printed = [...(await source()).matchAll(/[`'](?:note|error): ((?:\$\{[^}]*\}|[^`'])*)/g)];
  const longestParts = printed.map(([, text = '']) => {
    const parts = text.split(/\$\{[^}]*\}|\\n/).map((part) => part.trim());
    return parts.reduce((longest, part) => (part.length > longest.length ? part : longest));
  });
  expect(printed.length).toBeGreaterThan(10);
  // What is shorter is made of parts that stand elsewhere.
  expect(longestParts.filter((part) => part.length > 3 && !page.includes(part))).toEqual([]);
});

test('the troubleshooting page has each reason of a conflict and of a note about the base', () => {
  const skill = parseSkillPath('PATH');
  if (!skill.ok) throw new Error('no path');
  const reasons = (Object.keys(conflicts) as Conflict['why'][]).map(
    (why) => conflictRow({ path: skill.value, local: null, remote: null, why, base: null }).why,
  );
  expect(rows).toEqual(expect.arrayContaining([...reasons, ...Object.values(setAside)]));
});

test('links of the troubleshooting page lead somewhere', () => {
  const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(
    ([, heading = '']) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')}`,
  );
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
  const isThere = (target: string) =>
    target.startsWith('https://') ||
    (target.startsWith('#')
      ? anchors.includes(target)
      : existsSync(path.join(projectRoot, 'docs', target.replace(/#.*/, ''))));
  expect(links.filter((target) => !isThere(target))).toEqual([]);
});

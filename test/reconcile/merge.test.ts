// Three-way merge of skills. How bodies are merged by lines has tests of its own.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/document/fields.ts';
import { decodeDocument, parseDocument } from '../../src/document/parse.ts';
import { patchDocument } from '../../src/document/patch.ts';
import { type Merged, mergeSkills, type Region } from '../../src/reconcile/merge.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { documentOf, makeSkill, type Skill } from '../../src/skill/skill.ts';
import { nastyDocuments, tidyDocuments } from '../document/generated-documents.ts';
import { plausibleEdits } from '../document/plausible-edits.ts';
import { runs } from '../runs.ts';

const corpus = '../shared/corpus';
const path = 'dev/my-skill' as SkillPath;
const place = { skill: path, file: 'SKILL.md' };

/** Files by name; `*` before one's text makes it executable. */
type Files = { readonly [file: string]: string };

function skill(files: Files, at = path): Skill {
  return makeSkill(
    at,
    Object.entries(files).map(([name, text]) => ({
      path: name as FilePath,
      executable: text.startsWith('*'),
      bytes: Buffer.from(text.replace(/^\*/, '')),
    })),
  );
}

function filesOf(merged: Merged): Files | readonly Region[] {
  if (!merged.ok) return merged.regions;
  return Object.fromEntries(
    merged.skill.entries.map((entry) => [
      entry.path,
      `${entry.executable ? '*' : ''}${entry.bytes.toString()}`,
    ]),
  );
}

const mergeFiles = (base: Files, files: Files, database: Files) =>
  filesOf(mergeSkills({ base: skill(base), files: skill(files), database: skill(database) }, path));

const mergeTexts = (base: string, files: string, database: string) => {
  const merged = mergeFiles({ 'SKILL.md': base }, { 'SKILL.md': files }, { 'SKILL.md': database });
  return Array.isArray(merged) ? merged : (merged as Files)['SKILL.md'];
};

const text = (frontmatter: string, body = '# Body\n\nOne.\n\nTwo.\n\nThree.\n') =>
  `---\nname: my-skill\n${frontmatter}---\n${body}`;

describe('a document that both sides edited', () => {
  test.each<[string, string, string, string, string]>([
    [
      'gets a value of each',
      text('description: old\nlicense: MIT\n'),
      text('description: new\nlicense: MIT\n'),
      text('description: old\nlicense: ISC\n'),
      text('description: new\nlicense: ISC\n'),
    ],
    [
      'gets what each added to a list on one line, and loses what each removed',
      text('metadata:\n  tags: [a, b, c]\n'),
      text('metadata:\n  tags: [a, c, mine]\n'),
      text('metadata:\n  tags: [b, c, theirs]\n'),
      text('metadata:\n  tags: [theirs, c, mine]\n'),
    ],
    [
      'gets what each added to a list of lines',
      text('metadata:\n  keywords:\n    - a\n'),
      text('metadata:\n  keywords:\n    - a\n    - mine\n'),
      text('metadata:\n  keywords:\n    - a\n    - theirs\n'),
      text('metadata:\n  keywords:\n    - a\n    - mine\n    - theirs\n'),
    ],
    [
      'gets unknown keys of each, and their inner ones',
      text('other:\n  a: 1\n  list: [x]\n'),
      text('other:\n  a: 2\n  list: [x, mine]\n  mine: 1\n'),
      text('other:\n  a: 1\n  list: [x, theirs]\n  theirs: 1\n'),
      text('other:\n  a: 2\n  list: [x, mine, theirs]\n  mine: 1\n  theirs: 1\n'),
    ],
    [
      'gets paragraphs of each, and a value',
      text('license: MIT\n'),
      text('license: ISC\n', '# Body\n\nOne of mine.\n\nTwo.\n\nThree.\n'),
      text('license: MIT\n', '# Body\n\nOne.\n\nTwo.\n\nThree of theirs.\n'),
      text('license: ISC\n', '# Body\n\nOne of mine.\n\nTwo.\n\nThree of theirs.\n'),
    ],
    [
      'gets its first frontmatter of one side, and the body of the other',
      '# Body\n\nOne.\n\nTwo.\n',
      '---\nname: my-skill\n---\n# Body\n\nOne.\n\nTwo.\n',
      '# Body\n\nOne.\n\nTwo of theirs.\n',
      '---\nname: my-skill\n---\n# Body\n\nOne.\n\nTwo of theirs.\n',
    ],
    [
      'keeps a comment that one side wrote beside what the other changed',
      text('description: old\nlicense: MIT # mine\n'),
      text('description: new # because\nlicense: MIT # mine\n'),
      text('description: old\nlicense: ISC # mine\n'),
      text('description: new # because\nlicense: ISC # mine\n'),
    ],
    [
      'keeps a comment that the database alone has where a value is patched',
      text('metadata:\n  tags: [a]\n'),
      text('metadata:\n  tags: [a, mine]\n'),
      text('metadata:\n  tags: [a, theirs] # why\n'),
      text('metadata:\n  tags: [a, theirs, mine] # why\n'),
    ],
    [
      'is merged by value where its lines together would say something else',
      text('metadata:\n  tags:\n    - a\n'),
      text('metadata:\n  keywords:\n    - a\n'),
      text('metadata:\n  tags:\n    - a\n    - b\n'),
      text('metadata:\n  keywords:\n    - a\n  tags:\n    - b\n'),
    ],
    [
      'has a key that both added in two places once',
      text('description: d\nlicense: MIT\n'),
      text('version: 2.0.0\ndescription: d\nlicense: MIT\n'),
      text('description: d\nlicense: MIT\nversion: 2.0.0\n'),
      text('version: 2.0.0\ndescription: d\nlicense: MIT\n'),
    ],
    [
      'gets what both did alike once',
      text('description: old\nmetadata:\n  tags: [a]\n'),
      text('description: new\nmetadata:\n  tags: [a, b]\n'),
      text("description: 'new'\nmetadata:\n  tags: [a, b, c]\n"),
      text('description: new\nmetadata:\n  tags: [a, b, c]\n'),
    ],
  ])('%s', (_, base, files, database, merged) => {
    expect(mergeTexts(base, files, database)).toBe(merged);
  });

  test.each<[string, string, string, string, readonly object[]]>([
    [
      'one value otherwise',
      text('description: old\n'),
      text('description: mine\n'),
      text('description: theirs\n'),
      [{ part: 'value', key: 'description', base: 'old', files: 'mine', database: 'theirs' }],
    ],
    [
      'one item of a list, the other having removed it',
      text('metadata:\n  dependencies:\n    - path: a\n    - path: b\n'),
      text('metadata:\n  dependencies:\n    - path: a\n      type: conflict\n    - path: b\n'),
      text('metadata:\n  dependencies:\n    - path: b\n'),
      [{ part: 'value', key: 'dependencies: a', database: null }],
    ],
    [
      'one line of the body otherwise',
      text('license: MIT\n'),
      text('license: ISC\nversion: 2.0.0\n', '# Body\n\nOne of mine.\n\nTwo.\n\nThree.\n'),
      text('license: MIT\n', '# Body\n\nOne of theirs.\n\nTwo.\n\nThree.\n'),
      [
        {
          part: 'body',
          base: { line: 7, text: 'One.\n' },
          files: { line: 8, text: 'One of mine.\n' },
          database: { line: 7, text: 'One of theirs.\n' },
        },
      ],
    ],
    [
      'an unknown key otherwise',
      text('other: { a: 1 }\n'),
      text('other: { a: 2 }\n'),
      text('other: { a: 3 }\n'),
      [{ part: 'value', key: 'other.a', base: 1, files: 2, database: 3 }],
    ],
    [
      'a comment, beside values of which no text says both',
      text('metadata:\n  tags: [a]\n'),
      text('metadata:\n  tags: [a, mine] # why\n'),
      text('metadata:\n  tags: [a, theirs] # because\n'),
      [{ part: 'frontmatter' }],
    ],
  ])('is in conflict where each changed %s', (_, base, files, database, regions) => {
    const found = mergeTexts(base, files, database);
    expect(found).toHaveLength(regions.length);
    expect(found).toMatchObject(regions.map((region) => ({ file: 'SKILL.md', ...region })));
  });
});

describe('attached files', () => {
  const document = { 'SKILL.md': text('') };
  test.each<[string, Files, Files, Files, Files | readonly object[]]>([
    ['of each side come', {}, { a: '1' }, { b: '2' }, { a: '1', b: '2' }],
    ['that one edited and one made executable are both', { a: '1' }, { a: '*1' }, { a: '2' }, { a: '*2' }],
    ['that one side removed go', { a: '1', b: '1' }, { b: '1' }, { a: '1', b: '2' }, { b: '2' }],
    ['that both removed go', { a: '1', b: '1' }, {}, {}, {}],
    [
      'that each edited otherwise are in conflict',
      { a: '1' },
      { a: '22' },
      { a: '*3' },
      [
        {
          file: 'a',
          part: 'file',
          base: { bytes: 1, executable: false },
          files: { bytes: 2, executable: false },
          database: { bytes: 1, executable: true },
        },
      ],
    ],
    [
      'that one edited and one removed are in conflict',
      { a: '1' },
      { a: '2' },
      {},
      [{ file: 'a', part: 'file', database: null }],
    ],
    ['that each brought otherwise are in conflict', {}, { a: '1' }, { a: '2' }, [{ file: 'a', base: null }]],
    ['of one name but for case are in conflict', {}, { 'A.md': '1' }, { 'a.md': '2' }, [{ part: 'name' }]],
    [
      'one of which would be in the other are in conflict',
      {},
      { a: '1' },
      { 'a/b': '2' },
      [{ file: 'a/b', part: 'name', other: 'a' }],
    ],
  ])('%s', (_, base, files, database, wanted) => {
    const merged = mergeFiles(
      { ...document, ...base },
      { ...document, ...files },
      { ...document, ...database },
    );
    if (Array.isArray(wanted)) expect(merged).toMatchObject(wanted);
    else expect(merged).toEqual({ ...document, ...wanted });
  });
});

test('the document of one side is moved and made executable, while the other edits it', () => {
  const merged = mergeFiles(
    { 'skill.md': text('') },
    { 'SKILL.md': `*${text('')}` },
    { 'skill.md': text('a: 1\n') },
  );
  expect(merged).toEqual({ 'SKILL.md': `*${text('a: 1\n')}` });
});

test('a document without a name has that of the folder to which one side moved it', () => {
  const at = (folder: string, frontmatter: string) =>
    skill({ 'SKILL.md': `---\n${frontmatter}---\nText.\n` }, folder as SkillPath);
  const merged = mergeSkills(
    { base: at('old', ''), files: at('new', 'license: MIT\n'), database: at('old', 'description: There.\n') },
    'new' as SkillPath,
  );
  expect(merged.ok).toBe(true);
});

// ---- laws ----

type Lists = { readonly [field: string]: readonly unknown[] };

function read(document: string, at = place): { readonly fields: Fields; readonly body: string } {
  const parsed = parseDocument(document, at);
  if (!parsed.ok) throw new Error(parsed.problem.reason);
  return parsed.value;
}

/** What a clean merge must say, by nothing but the values of the three. */
function expectBoth(base: string, files: string, database: string, merged: string, at = place): void {
  const [old, here, there, now] = [base, files, database, merged].map(
    (document) => read(document, at).fields,
  );
  if (!old || !here || !there || !now) throw new Error('four documents');
  const itemsOf = (fields: Fields, field: string) =>
    ((fields as unknown as Lists)[field] ?? []).map((item) => JSON.stringify(item));
  for (const field of Object.keys(now) as (keyof Fields)[]) {
    if (!Array.isArray(now[field])) {
      const isTheirs = JSON.stringify(here[field]) === JSON.stringify(old[field]);
      const isMine = JSON.stringify(there[field]) === JSON.stringify(old[field]);
      // What becomes of an unknown key that both changed stands in the table above.
      if (field === 'extra' && !isTheirs && !isMine) continue;
      const wanted = isTheirs ? there[field] : here[field];
      expect({ [field]: now[field] }).toEqual({ [field]: wanted });
      continue;
    }
    const [was, mine, theirs, all] = [old, here, there, now].map((fields) => itemsOf(fields, field));
    if (!was || !mine || !theirs || !all) throw new Error('four lists');
    const wanted = new Set([...mine, ...theirs]);
    for (const item of was) if (!mine.includes(item) || !theirs.includes(item)) wanted.delete(item);
    expect({ [field]: [...all].sort() }).toEqual({ [field]: [...wanted].sort() });
  }
}

/** Two edits of a document, each of one value; undefined where no patch says one of them. */
function edited(document: string, first: number, second: number, at = place) {
  const { fields } = read(document, at);
  const [one, two] = [plausibleEdits(fields, 'new: mine'), plausibleEdits(fields, 'new: theirs')];
  const [mine, theirs] = [one[first % one.length], two[second % two.length]];
  if (!mine || !theirs) return undefined;
  const [files, database] = [mine, theirs].map(({ changes }) => patchDocument(document, changes, at));
  if (!files?.ok || !database?.ok) return undefined;
  return { files: files.value, database: database.value, mine, theirs };
}

/** Whether one side's edit is of the same value as the other's, or may be. */
function meet({ mine, theirs }: NonNullable<ReturnType<typeof edited>>): boolean {
  const ofBody = ['capabilities', 'description'];
  return mine.field === theirs.field || (ofBody.includes(mine.field) && ofBody.includes(theirs.field));
}

function checkMerge(
  document: string,
  first: number,
  second: number,
  at = place,
): 'clean' | 'conflict' | 'none' {
  const edits = edited(document, first, second, at);
  if (edits === undefined) return 'none';
  const { files, database } = edits;
  const merged = mergeSkills(
    {
      base: skill({ [at.file]: document }, at.skill),
      files: skill({ [at.file]: files }, at.skill),
      database: skill({ [at.file]: database }, at.skill),
    },
    at.skill,
  );
  if (merged.ok) {
    expectBoth(document, files, database, documentOf(merged.skill).bytes.toString(), at);
    return 'clean';
  }
  const what = `${edits.mine.field} ${edits.mine.what}, ${edits.theirs.field} ${edits.theirs.what}`;
  if (!meet(edits)) expect.fail(`${what}: ${JSON.stringify(merged.regions)}\n${document}`);
  return 'conflict';
}

test.each([
  ['tidy', tidyDocuments.map((generated) => generated.text)],
  ['nasty', nastyDocuments],
])('generated edits of %s documents go together where they are of two values', (_, documents) => {
  const numbers = fc.nat(1000);
  fc.assert(
    fc.property(documents, numbers, numbers, (document, first, second) => {
      fc.pre(parseDocument(document, place).ok);
      fc.pre(checkMerge(document, first, second) !== 'none');
    }),
    { numRuns: runs(100) },
  );
});

test.skipIf(!existsSync(corpus))('edits of real documents go together where they are of two values', () => {
  const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\/SKILL\.md$/.test(file),
  );
  const seen = { clean: 0, conflict: 0, none: 0 };
  for (const [index, file] of files.entries()) {
    const at = { skill: dirname(file) as SkillPath, file: 'SKILL.md' };
    const decoded = decodeDocument(readFileSync(join(corpus, file)), at);
    if (!decoded.ok || !parseDocument(decoded.value, at).ok) continue;
    for (const step of [1, 7]) seen[checkMerge(decoded.value, index * step, index * 3 + step, at)]++;
  }
  expect(seen.clean).toBeGreaterThan(seen.conflict);
});

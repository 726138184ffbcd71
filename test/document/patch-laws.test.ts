// What holds for every patch of every document: generated ones, and real ones where they are at hand.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/document/fields.ts';
import { parseDocument, type SkillDocument } from '../../src/document/parse.ts';
import { patchDocument } from '../../src/document/patch.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { misread, nastyDocuments, type Region, tidyDocuments } from './generated-documents.ts';
import { type Edit, plausibleEdits } from './plausible-edits.ts';

const place = { skill: 'dev/my-skill' as SkillPath, file: 'SKILL.md' };
const runs = Number(process.env['PATCH_RUNS'] ?? 1500);

function parsed(text: string): SkillDocument {
  const outcome = parseDocument(text, place);
  if (!outcome.ok) throw new Error(outcome.problem.reason);
  return outcome.value;
}

/** Lists as sets, but those of capabilities: what the database makes of them. */
function unordered(fields: Fields) {
  const { capabilities, ...others } = fields;
  const sets = Object.entries(others).map(([field, value]) => [
    field,
    Array.isArray(value) ? new Set(value.map((item) => JSON.stringify(item))) : value,
  ]);
  return { ...Object.fromEntries(sets), capabilities };
}

function expectWanted(before: SkillDocument, text: string, { field, changes }: Edit): void {
  const after = parsed(text);
  expect(unordered(after.fields)).toEqual(unordered({ ...before.fields, ...changes }));
  if (field !== 'capabilities') expect(after.body).toBe(before.body);
  if (field !== 'status') expect(after.statesStatus).toBe(before.statesStatus);
}

/** Whether only the text of a region differs. */
function differsWithin(before: string, after: string, { start, end }: Omit<Region, 'key'>): boolean {
  return (
    after.length >= start + before.length - end &&
    after.startsWith(before.slice(0, start)) &&
    after.endsWith(before.slice(end))
  );
}

function hullOf(regions: readonly Region[]): Omit<Region, 'key'> {
  const starts = regions.map(({ start }) => start);
  return { start: Math.min(...starts), end: Math.max(...regions.map(({ end }) => end)) };
}

function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function isInsertion(before: string, after: string): boolean {
  const start = commonStart(before, after);
  return differsWithin(before, after, { start, end: start });
}

function isKey(name: string, key: string): boolean {
  const bare = key.replace(/^metadata\./, '').replaceAll('"', '');
  return bare.replaceAll('-', '_') === name.replaceAll('-', '_');
}

const texts = fc.oneof(fc.constantFrom(...misread), fc.constantFrom('plain', 'two words', 'x/y'));
const pick = fc.nat();

test('without a change the text stays', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        nastyDocuments,
        tidyDocuments.map(({ text }) => text),
      ),
      (text) => {
        const outcome = parseDocument(text, place);
        const patched = patchDocument(text, outcome.ok ? outcome.value.fields : {}, place);
        expect(patched).toEqual(outcome.ok ? { ok: true, value: text } : outcome);
        if (outcome.ok) expect(patchDocument(text, {}, place)).toEqual({ ok: true, value: text });
      },
    ),
    { numRuns: runs },
  );
});

test('in a tidy document each value can be changed, alone, and within its key', () => {
  fc.assert(
    fc.property(tidyDocuments, pick, texts, ({ text, regions }, chosen, word) => {
      const before = parsed(text);
      const edits = plausibleEdits(before.fields, word);
      const edit = edits[chosen % edits.length] as Edit;
      const outcome = patchDocument(text, edit.changes, place);
      if (!outcome.ok) throw new Error(`${edit.field} ${edit.what}: ${outcome.problem.reason}`);
      expectWanted(before, outcome.value, edit);
      const own = regions.filter(({ key }) => edit.keys.some((name) => isKey(name, key)));
      const map = regions.filter(({ key }) => key === 'metadata');
      const isWithin =
        isInsertion(text, outcome.value) ||
        [
          ...own,
          ...map,
          hullOf(own),
          ...(/^(?:emptied|removed)/.test(edit.what) ? [hullOf([...own, ...map])] : []),
        ].some((region) => differsWithin(text, outcome.value, region));
      if (parsed(outcome.value).body === before.body)
        expect([isWithin, edit, outcome.value]).toEqual([true, edit, outcome.value]);
    }),
    { numRuns: 2 * runs },
  );
});

// The text comes back where the value stands in one line, in the quotes that it needs or in more, in a literal
// block, or in a list of such texts, and the other value fits the same style; or where the first patch put the
// key there, and the second takes it out again.
const scalar = String.raw`(?:(?!yes|true)[a-z][\w/-]*|'[\w /]+'|"[\w /]+")`;
const beside = String.raw`(?: # beside)?\r?\n`;
const oneLine = new RegExp(String.raw`^[\w-]+: ${scalar}${beside}$`);
const quotedLine = new RegExp(String.raw`^[\w-]+: (?:'[\w /]+'|"[\w /]+")${beside}$`);
const literal = /^[\w-]+: \|-?\r?\n(?: +\S[^\r\n]*\S\r?\n|\r?\n)+$/;
const flowList = new RegExp(String.raw`^[\w-]+: \[${scalar}(?:, ${scalar})*\]${beside}$`);
const blockList = new RegExp(String.raw`^[\w-]+:${beside}(?: *- ${scalar}${beside})+$`);
const commaList = /^[\w-]+: [a-z][\w/-]*(?:, [a-z][\w/-]*)+\r?\n$/;

/** How the value of an edited key may stand, so that the text comes back. */
function formsFor({ field, what }: Edit): readonly RegExp[] {
  // A text that becomes a map, or one item of what then is a list, does not become one again.
  const isOfMaps = ['capabilities', 'dependencies', 'references', 'facets'].includes(field);
  if (isOfMaps) return what === 'added' ? [flowList, blockList] : [];
  if (field === 'description') return ['one word', 'appended'].includes(what) ? [quotedLine, literal] : [];
  return /^(?:changed|added)/.test(what) ? [oneLine, literal, flowList, blockList, commaList] : [];
}

test('a value that is changed, and changed back, gives the first text', () => {
  let tried = 0;
  fc.assert(
    fc.property(tidyDocuments, pick, ({ text, regions }, chosen) => {
      const before = parsed(text);
      const edits = plausibleEdits(before.fields, 'other');
      const edit = edits[chosen % edits.length] as Edit;
      const own = regions.filter(({ key }) => edit.keys.some((name) => isKey(name, key)));
      const written = own.map(({ start, end }) => text.slice(start, end).trimStart());
      const old = before.fields[edit.field];
      // An empty map of metadata is not known from one that a patch left empty.
      if (
        regions.some(
          ({ key, start, end }) =>
            key === 'metadata' && !/\w.*\w/s.test(text.slice(start, end).replace(/^metadata/m, '')),
        )
      )
        return;
      // What the index could not take does not come back from it.
      if (
        before.warnings.some((warning) =>
          edit.keys.some((name) => isKey(name, 'key' in warning ? warning.key : 'version')),
        )
      )
        return;
      const goes = old === null || (typeof old === 'object' && Object.keys(old).length === 0);
      if (own.length === 0 && !(goes && /^(?:changed|added)/.test(edit.what))) return;
      if (!written.every((lines) => formsFor(edit).some((form) => form.test(lines)))) return;
      // Of an item that stands twice the second one does not come back.
      const items = written.join('').match(/^ *- |: (?!\|)|, /gm) ?? [];
      if (own.length > 0 && Array.isArray(old) && items.length !== old.length) return;
      const there = patchDocument(text, edit.changes, place);
      if (!there.ok) throw new Error(there.problem.reason);
      const back = patchDocument(there.value, { [edit.field]: before.fields[edit.field] }, place);
      tried++;
      expect([edit, back]).toEqual([edit, { ok: true, value: text }]);
    }),
    { numRuns: runs },
  );
  expect(tried).toBeGreaterThan(runs / 20);
});

test('in any document a value is changed alone, or the change is refused', () => {
  let refused = 0;
  fc.assert(
    fc.property(nastyDocuments, pick, texts, (text, chosen, word) => {
      const outcome = parseDocument(text, place);
      if (!outcome.ok) return;
      const edits = plausibleEdits(outcome.value.fields, word);
      const edit = edits[chosen % edits.length] as Edit;
      const patched = patchDocument(text, edit.changes, place);
      if (patched.ok) expectWanted(outcome.value, patched.value, edit);
      else {
        refused++;
        expect(patched.problem.reason).toBe('not-patchable');
      }
    }),
    { numRuns: 2 * runs },
  );
  expect(refused).toBeLessThan(runs / 50);
});

const corpus = path.join(import.meta.dirname, '../../../shared/corpus');

describe.skipIf(!existsSync(corpus))('in every document of the corpus', async () => {
  const names = existsSync(corpus) ? await readdir(corpus, { recursive: true }) : [];
  const documents = names.filter((name) => /(?:^|\/)SKILL\.md$/.test(name)).sort();

  test('a value of each field is changed alone', async () => {
    const refused: string[] = [];
    for (const [index, name] of documents.entries()) {
      const text = await readFile(path.join(corpus, name), 'utf8');
      const outcome = parseDocument(text, place);
      if (!outcome.ok) continue;
      const byField = new Map<string, Edit[]>();
      for (const edit of plausibleEdits(outcome.value.fields)) {
        byField.set(edit.field, [...(byField.get(edit.field) ?? []), edit]);
      }
      for (const edits of byField.values()) {
        // Each document gets another of the edits of a field, so that all of them meet real ones.
        const edit = edits[index % edits.length] as Edit;
        const patched = patchDocument(text, edit.changes, place);
        if (patched.ok) expectWanted(outcome.value, patched.value, edit);
        else refused.push(`${name}: ${edit.field} ${edit.what}`);
      }
    }
    expect(refused).toEqual([]);
  });
});

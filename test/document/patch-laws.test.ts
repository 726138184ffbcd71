// What holds for every patch of every document: generated ones, and real ones where they are at hand.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/document/fields.ts';
import { decodeDocument, parseDocument, type SkillDocument } from '../../src/document/parse.ts';
import { patchDocument } from '../../src/document/patch.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { runs } from '../runs.ts';
import { misread, nastyDocuments, type Region, tidyDocuments } from './generated-documents.ts';
import { type Edit, plausibleEdits } from './plausible-edits.ts';

// On other libraries: PATCH_LIBRARIES=/some/skills:/other/skills npx vitest run test/document/patch-laws
const corpus = '../shared/corpus';
const libraries = process.env['PATCH_LIBRARIES']?.split(':') ?? [];
const place = { skill: 'dev/my-skill' as SkillPath, file: 'SKILL.md' };

function parsed(text: string, at = place): SkillDocument {
  const outcome = parseDocument(text, at);
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

function expectWanted(before: SkillDocument, text: string, { field, changes }: Edit, at = place): void {
  const after = parsed(text, at);
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

/** Whether a patch touched a key's lines only, or put lines between others; what goes may take its map along. */
function staysWithin(
  before: string,
  after: string,
  { what }: Edit,
  own: readonly Region[],
  map: readonly Region[],
): boolean {
  const goes = /^(?:emptied|removed)/.test(what);
  const regions = [...own, ...map, hullOf(own), ...(goes ? [hullOf([...own, ...map])] : [])];
  return isInsertion(before, after) || regions.some((region) => differsWithin(before, after, region));
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
    { numRuns: runs(500) },
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
      // Blank lines behind a text that keeps them are its own.
      const own = regions
        .filter(({ key }) => edit.keys.some((name) => isKey(name, key)))
        .map(({ key, start, end }) => ({
          key,
          start,
          end: end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0),
        }));
      const map = regions.filter(({ key }) => key === 'metadata');
      const isWithin = staysWithin(text, outcome.value, edit, own, map);
      if (parsed(outcome.value).body === before.body)
        expect([isWithin, edit, outcome.value]).toEqual([true, edit, outcome.value]);
    }),
    { numRuns: runs(1000) },
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
  if (field === 'extra') return /^(?:changed|added)/.test(what) ? [oneLine, literal] : [];
  if (field === 'description') return ['one word', 'appended'].includes(what) ? [quotedLine, literal] : [];
  return /^(?:changed|added)/.test(what) ? [oneLine, literal, flowList, blockList, commaList] : [];
}

/** Whether the text is to come back when an edit is taken back; `own` are the keys' lines, `map` those of metadata. */
function comesBack(
  text: string,
  { fields, warnings }: SkillDocument,
  edit: Edit,
  own: readonly Region[],
  map: readonly Region[],
): boolean {
  const written = (regions: readonly Region[]) =>
    regions.map(({ start, end }) => text.slice(start, end).trimStart());
  const old = fields[edit.field];
  const isSilent = old === null || (typeof old === 'object' && Object.keys(old).length === 0);
  // An empty map of metadata is not known from one that a patch left empty.
  if (written(map).some((lines) => !/\w.*\w/s.test(lines.replace(/^metadata/m, '')))) return false;
  // What the index could not take does not come back from it.
  const keyless: { readonly [code: string]: string } = {
    'name-too-long': 'name',
    'version-is-a-number': 'version',
  };
  const keys = warnings.map((warning) => ('key' in warning ? warning.key : (keyless[warning.code] ?? '')));
  if (keys.some((key) => edit.keys.some((name) => isKey(name, key)))) return false;
  if (own.length === 0) return isSilent && /^(?:changed|added)/.test(edit.what);
  // Of an item that stands twice the second one does not come back.
  const items =
    written(own)
      .join('')
      .match(/^ *- |: (?![|#])|, /gm) ?? [];
  if (Array.isArray(old) && items.length !== old.length) return false;
  return written(own).every((lines) => formsFor(edit).some((form) => form.test(lines)));
}

function expectBack(text: string, patched: string, before: SkillDocument, edit: Edit, at = place): void {
  const back = patchDocument(patched, { [edit.field]: before.fields[edit.field] }, at);
  expect([edit, back]).toEqual([edit, { ok: true, value: text }]);
}

test('a value that is changed, and changed back, gives the first text', () => {
  let tried = 0;
  fc.assert(
    fc.property(tidyDocuments, pick, ({ text, regions }, chosen) => {
      const before = parsed(text);
      const edits = plausibleEdits(before.fields, 'other');
      const edit = edits[chosen % edits.length] as Edit;
      const own = regions.filter(({ key }) => edit.keys.some((name) => isKey(name, key)));
      const map = regions.filter(({ key }) => key === 'metadata');
      if (!comesBack(text, before, edit, own, map)) return;
      const outcome = patchDocument(text, edit.changes, place);
      if (!outcome.ok) throw new Error(outcome.problem.reason);
      expectBack(text, outcome.value, before, edit);
      tried++;
    }),
    { numRuns: runs(500) },
  );
  expect(tried).toBeGreaterThan(runs(500) / 20);
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
    { numRuns: runs(1000) },
  );
  expect(refused).toBeLessThan(runs(500) / 50);
});

/** The lines of keys and of what is below them, found by their margins alone. */
function linesOf(text: string, names: readonly string[]): readonly Region[] {
  const { frontmatterSource } = parsed(text);
  const lines = frontmatterSource.split(/(?<=\n)/);
  const starts = lines.map((_, index) => lines.slice(0, index).join('').length);
  const marginOf = (line = '') =>
    line.trim() === '' ? Number.POSITIVE_INFINITY : line.length - line.trimStart().length;
  return lines.flatMap((line, index): readonly Region[] => {
    const key = /^\s*["']?([^"':]+)["']?[ \t]*:/.exec(line)?.[1]?.trim() ?? '';
    if (!names.some((name) => isKey(name, key))) return [];
    const isBelow = (other = '') => marginOf(other) > marginOf(line) || /^\s*(?:- |-$|[\]}])/.test(other);
    let [first, next] = [index, index + 1];
    while (/^\s*#/.test(lines[first - 1] ?? '')) first--;
    while (next < lines.length - 1 && isBelow(lines[next])) next++;
    return [{ key, start: starts[first] ?? 0, end: starts[next] ?? 0 }];
  });
}

/** The body's sections of capabilities. */
function sectionsOf(text: string): readonly Region[] {
  return [...text.matchAll(/^## +Capabilities[\s\S]*?(?=^#{1,2} |(?![\s\S]))/gm)].map((match) => ({
    key: 'capabilities',
    start: match.index,
    end: match.index + match[0].length,
  }));
}

describe.each([corpus, ...libraries])('real documents: %s', (library) => {
  const isThere = existsSync(library);
  const files = isThere
    ? readdirSync(library, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /(?:^|\/)skill\.md$/i.test(file),
      )
    : [];

  test.skipIf(!isThere)('each value of each can be changed, alone, and within its lines', () => {
    const refused: string[] = [];
    let [edited, returned] = [0, 0];
    for (const [index, file] of files.entries()) {
      const here = { skill: dirname(file) as SkillPath, file: 'SKILL.md' };
      const decoded = decodeDocument(readFileSync(join(library, file)), here);
      const read = decoded.ok ? parseDocument(decoded.value, here) : decoded;
      if (!decoded.ok || !read.ok) continue;
      const text = decoded.value;
      expect(patchDocument(text, read.value.fields, here)).toEqual({ ok: true, value: text });
      const edits = plausibleEdits(read.value.fields, 'other');
      // By turns, so that every sort of edit is tried, and all of them in a long run.
      const turns = [...new Set(edits.map(({ field }) => field))].map((field) => {
        const ofField = edits.filter((edit) => edit.field === field);
        return ofField[index % ofField.length] as Edit;
      });
      for (const edit of libraries.length > 0 ? edits : turns) {
        const outcome = patchDocument(text, edit.changes, here);
        edited++;
        if (!outcome.ok) {
          refused.push(`${file}: ${edit.field} ${edit.what}`);
          continue;
        }
        expectWanted(read.value, outcome.value, edit, here);
        const own = linesOf(text, edit.keys);
        const metadata = linesOf(text, ['metadata']);
        const map = [...metadata, ...(edit.field === 'capabilities' ? sectionsOf(text) : [])];
        expect([file, edit, staysWithin(text, outcome.value, edit, own, map)]).toEqual([file, edit, true]);
        const isRead = read.value.frontmatterSource.includes('---');
        if (isRead && comesBack(text, read.value, edit, own, metadata)) {
          expectBack(text, outcome.value, read.value, edit, here);
          returned++;
        }
      }
    }
    expect(returned).toBeGreaterThan(edited / 4);
    expect(edited).toBeGreaterThan(0);
    expect(refused).toEqual([]);
  });
});

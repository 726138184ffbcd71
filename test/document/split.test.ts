// Where a document's fences are, and that its two parts are always the whole of it.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitDocument } from '../../src/document/split.ts';

describe('a frontmatter is', () => {
  test.each([
    ['the usual one', '---\nname: a\n---\nbody\n', '---\nname: a\n---\n', 'name: a\n', 'body\n'],
    ['with CRLF', '---\r\nname: a\r\n---\r\nbody', '---\r\nname: a\r\n---\r\n', 'name: a\r\n', 'body'],
    ['after a BOM', '\uFEFF---\nname: a\n---\nb', '\uFEFF---\nname: a\n---\n', 'name: a\n', 'b'],
    ['with blanks after the fences', '---  \na: 1\n---\t\nb', '---  \na: 1\n---\t\n', 'a: 1\n', 'b'],
    ['empty', '---\n---\nb', '---\n---\n', '', 'b'],
    ['the whole file', '---\na: 1\n---', '---\na: 1\n---', 'a: 1\n', ''],
    ['closed by the first such line', '---\na: 1\n---\nb\n---\nc', '---\na: 1\n---\n', 'a: 1\n', 'b\n---\nc'],
    ['not closed by a longer line', '---\na: 1\n----\n---\nb', '---\na: 1\n----\n---\n', 'a: 1\n----\n', 'b'],
    ['not closed by a prefix', '---\na: |\n---x\n---\nb', '---\na: |\n---x\n---\n', 'a: |\n---x\n', 'b'],
    ['not closed within a line', '---\na: |\n ---\n---\nb', '---\na: |\n ---\n---\n', 'a: |\n ---\n', 'b'],
    ['not closed by three dots', '---\na: 1\n...\n---\nb', '---\na: 1\n...\n---\n', 'a: 1\n...\n', 'b'],
    ['not closed after a lone CR', '---\na: 1\r---\n---\nb', '---\na: 1\r---\n---\n', 'a: 1\r---\n', 'b'],
    [
      'not closed after U+2028',
      '---\na: \u2028---\n---\nb',
      '---\na: \u2028---\n---\n',
      'a: \u2028---\n',
      'b',
    ],
  ])('%s', (_, text, frontmatterSource, yaml, body) => {
    const split = splitDocument(text);
    expect(split).toMatchObject({ frontmatterSource, body, oddity: null });
    expect(split.yaml?.text).toBe(yaml);
    expect(text.slice(split.yaml?.start).startsWith(yaml)).toBe(true);
  });
});

describe('there is no frontmatter in', () => {
  test.each([
    ['nothing', '', '', null],
    ['a body', '# Title\n\n---\n\nmore\n---\n', '', null],
    ['a body after a BOM', '\uFEFF# Title', '\uFEFF', null],
    ['a rule and no more', '---', '', null],
    ['a rule and a line break', '---\n', '', null],
    ['a rule before prose', '---\n\n# Title\n', '', null],
    ['a fence after an empty line', '\n---\na: 1\n---\n', '', null],
    ['a fence of four', '----\na: 1\n----\n', '', null],
    ['a fence that is indented', ' ---\na: 1\n ---\n', '', null],
    ['lone CRs', '---\ra: 1\r---\r', '', null],
    ['a fence that names yaml', '---yaml\na: 1\n---\n', '', 'names-a-language'],
    ['a fence that names code', '--- js\r\n{ a: 1 }\n---\n', '', 'names-a-language'],
    ['a fence that never closes', '---\n\nname: a\nbody\n', '', 'never-closes'],
    ['a fence closed by three dots', '---\nname: a\n...\nbody\n', '', 'never-closes'],
  ])('%s', (_, text, frontmatterSource, oddity) => {
    const body = text.slice(frontmatterSource.length);
    expect(splitDocument(text)).toEqual({ frontmatterSource, body, yaml: null, oddity });
  });
});

const pieces = fc.constantFrom(
  '---',
  '---',
  '\n',
  '\n',
  '\r',
  '\r\n',
  '\uFEFF',
  ' ',
  '\t',
  '-',
  '...',
  'a: 1',
  '#',
  '\u2028',
);
const documents = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 24 }).map((parts) => parts.join(''));

test('the two parts are the text, and the YAML stands between the fences', () => {
  fc.assert(
    fc.property(documents, (text) => {
      const { frontmatterSource, body, yaml } = splitDocument(text);
      expect(frontmatterSource + body).toBe(text);
      if (yaml === null) {
        expect(['', '\uFEFF']).toContain(frontmatterSource);
        return;
      }
      const opening = frontmatterSource.slice(0, yaml.start);
      const closing = frontmatterSource.slice(yaml.start + yaml.text.length);
      expect(opening).toMatch(/^\uFEFF?---[ \t]*\r?\n$/);
      expect(closing).toMatch(/^---[ \t]*\r?\n?$/);
    }),
    { numRuns: 2000 },
  );
});

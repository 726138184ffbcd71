import { describe, expect, test } from 'vitest';
import { agreementOf, keptOtherwise } from '../../src/document/agreement.ts';
import { type Fields, silentFields } from '../../src/document/fields.ts';

const silent: Fields = { name: 'x', ...silentFields };
const capability = { name: 'Fly', description: 'Up.' };
const link = { target: 'other', type: 'required', justification: null } as const;

/** What a row and a document say, the rest silent; then what only the row says, and where they disagree. */
const cases: readonly (readonly [
  what: string,
  row: Partial<Fields>,
  document: Partial<Fields>,
  beyond: Partial<Fields>,
  against: readonly (keyof Fields)[],
])[] = [
  ['the same', { description: 'A.', type: 'tool' }, { description: 'A.', type: 'tool' }, {}, []],
  [
    'a silent row',
    {},
    { description: 'A.', version: '2.0.0', tags: ['a'], extra: { license: 'MIT' } },
    {},
    [],
  ],
  [
    'a silent document',
    { description: 'A.', type: 'tool', skillStyle: 'minimal', keywords: ['k'], category: 'data/ml' },
    {},
    { description: 'A.', type: 'tool', skillStyle: 'minimal', keywords: ['k'], category: 'data/ml' },
    [],
  ],
  ['another name', { name: 'y' }, {}, {}, ['name']],
  ['another version', { version: '1.1.0' }, { version: '2.0.0' }, {}, ['version']],
  [
    'another description and type',
    { description: 'A.', type: 'tool' },
    { description: 'B.', type: 'mcp' },
    {},
    ['description', 'type'],
  ],
  [
    'lists in another order',
    { tags: ['b', 'a'], capabilities: [capability] },
    { tags: ['a', 'b'], capabilities: [{ ...capability }] },
    {},
    [],
  ],
  [
    'lists of other items',
    { tags: ['a'], dependencies: [link] },
    { tags: ['a', 'b'], dependencies: [{ ...link, type: 'conflict' }] },
    {},
    ['tags', 'dependencies'],
  ],
  [
    'tags among the keywords',
    { keywords: ['k', 't'], tags: ['t'] },
    { keywords: ['k'], tags: ['t'] },
    {},
    [],
  ],
  ['tags as the only keywords', { keywords: ['t'] }, { tags: ['t'] }, {}, []],
  ['keywords that are no tags', { keywords: ['k', 't'] }, { tags: ['t'] }, { keywords: ['k'] }, []],
];

describe('a row and a document', () => {
  test.each(cases)('that say %s', (_, row, document, beyond, against) => {
    expect(
      agreementOf({ ...silent, ...row }, { fields: { ...silent, ...document }, statesStatus: false }),
    ).toEqual({ beyond, against });
  });

  test.each([
    ['draft', 'active', true, []],
    ['archived', 'active', false, []],
    ['archived', 'active', true, ['status']],
    ['archived', 'archived', true, []],
  ] as const)('of status %s and %s, stated: %s', (rowStatus, documentStatus, statesStatus, against) => {
    expect(
      agreementOf(
        { ...silent, status: rowStatus },
        { fields: { ...silent, status: documentStatus }, statesStatus },
      ),
    ).toEqual({ beyond: {}, against });
  });
});

/** What a document says, what its row says, the rest silent; then the keys of which the row says otherwise. */
const kept: readonly (readonly [
  what: string,
  document: Partial<Fields>,
  row: { readonly [F in keyof Fields]?: unknown },
  keys: readonly string[],
])[] = [
  ['the same', { tags: ['a', 'b'] }, { tags: ['b', 'a'] }, []],
  ['another description', { description: 'A.' }, { description: '' }, ['description']],
  [
    'fewer and more tags',
    { tags: ['a'], keywords: ['k'] },
    { tags: [], keywords: ['k', 'x'] },
    ['keywords', 'tags'],
  ],
  [
    'tags among the keywords',
    { tags: ['a', 'k'], keywords: ['k'] },
    { tags: ['a', 'k'], keywords: ['a', 'k'] },
    [],
  ],
  ['a status beside a silent document', {}, { status: 'draft' }, []],
  ['a label that no document can say', {}, { type: 'persona', skillStyle: 'essay' }, []],
  ['such a label beside a document that says one', { type: 'tool' }, { type: 'persona' }, ['type']],
  ['a known label beside a silent document', {}, { type: 'tool' }, ['type']],
  ['an alias that a rename left', { aliases: ['old', 'b'] }, { aliases: ['b'] }, []],
  ['an alias of its own', { aliases: ['old'] }, { aliases: ['theirs'] }, ['aliases']],
  [
    'its own category and links',
    { category: 'a' },
    { category: 'b', dependencies: [link], references: [link] },
    [],
  ],
  ['other keys', { extra: { a: 1, b: [-0], c: null } }, { extra: { a: 2, b: [0], d: 1 } }, ['a', 'c', 'd']],
  ['another tool', { allowedTools: ['Read'] }, { allowedTools: ['Write'] }, ['allowed-tools']],
];

describe('a row that was just stored from a document', () => {
  test.each(kept)('and says %s', (_, document, row, keys) => {
    expect(
      keptOtherwise({ ...silent, ...row } as Fields, {
        fields: { ...silent, ...document },
        statesStatus: false,
      }),
    ).toEqual(keys);
  });

  test('and has another status than the one that the document states', () => {
    const document = { fields: { ...silent, status: 'active' }, statesStatus: true } as const;
    expect(keptOtherwise({ ...silent, status: 'draft' }, document)).toEqual(['status']);
  });
});

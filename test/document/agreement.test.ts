import { describe, expect, test } from 'vitest';
import { agreementOf } from '../../src/document/agreement.ts';
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

// Edits of one value each, as somebody with SQL would make them.

import {
  type Fields,
  type Json,
  loadPriorities,
  skillStyles,
  skillTypes,
  weights,
} from '../../src/document/fields.ts';
import type { FieldChanges } from '../../src/document/patch.ts';
import { statuses } from '../../src/skill/status.ts';

export interface Edit {
  readonly field: keyof Fields;
  readonly what: string;
  readonly changes: FieldChanges;
  /** The keys that may say the field, at the top level or in the `metadata:` map. */
  readonly keys: readonly string[];
}

const other = <T>(words: readonly T[], word: T | null): T =>
  words.find((candidate) => candidate !== word) as T;

/** Lists with one item more, less or other; none that names something twice, which no table takes. */
function list<T>(
  items: readonly T[],
  added: T,
  changed: (item: T) => T,
  nameOf: (item: T) => unknown = (item) => item,
): readonly [string, readonly T[]][] {
  const middle = Math.floor(items.length / 2);
  const lists: readonly [string, readonly T[]][] = [
    ['added', [...items, added]],
    ['removed', items.toSpliced(middle, 1)],
    ['changed', items.map((item, index) => (index === middle ? changed(item) : item))],
    ['emptied', []],
  ];
  return lists.filter(([, all]) => new Set(all.map(nameOf)).size === all.length);
}

function describe(description: string, text: string): readonly [string, string][] {
  const words = description.split(' ');
  const middle = Math.floor(words.length / 2);
  return [
    ['one word', words.toSpliced(middle, 1, 'CHANGED: #1').join(' ')],
    ['appended', `${description.trimEnd()} And "more" of it's.`],
    ['other', text],
    ['lines', 'One line\nand another: one\n\n- and more'],
    ['emptied', ''],
  ];
}

/** Its first characters, of which none is cut in two. */
const start = (text: string) => [...text].slice(0, 20).join('');
const alike = (text: string) => `${start(text)}x`;

/**
 * Edits of every field.
 *
 * @param text what new texts are
 */
export function plausibleEdits(fields: Fields, text = 'new: one'): readonly Edit[] {
  const edit = <F extends keyof Fields>(
    field: F,
    keys: readonly string[],
    values: readonly (readonly [string, Fields[F]])[],
  ): readonly Edit[] =>
    values.map(([what, value]) => ({ field, what, keys, changes: { [field]: value } as FieldChanges }));
  const { extra } = fields;
  const { metadata, ...top } = extra;
  const [topKey] = Object.keys(top);
  const isMap =
    metadata === undefined || (typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata));
  const inner = (isMap ? (metadata ?? {}) : {}) as { readonly [key: string]: Json };
  const [innerKey] = Object.keys(inner);
  const without = (key: string, from: { readonly [key: string]: Json }) =>
    Object.fromEntries(Object.entries(from).filter(([name]) => name !== key));
  return [
    ...edit('name', ['name'], [['changed', text]]),
    ...edit('description', ['description'], describe(fields.description, text)),
    ...edit(
      'version',
      ['version'],
      [
        ['changed', start(text)],
        ['default', '1.0.0'],
      ],
    ),
    ...edit('type', ['type'], [['changed', other(skillTypes, fields.type)]]),
    ...edit('weight', ['weight'], [['changed', other(weights, fields.weight)]]),
    ...edit('loadPriority', ['load_priority'], [['changed', other(loadPriorities, fields.loadPriority)]]),
    ...edit('status', ['status'], [['changed', other(statuses, fields.status)]]),
    ...edit(
      'skillStyle',
      ['skill_style'],
      [
        ['changed', other(skillStyles, fields.skillStyle)],
        ['emptied', null],
      ],
    ),
    ...edit(
      'scope',
      ['scope'],
      [
        ['changed', text],
        ['emptied', null],
      ],
    ),
    ...edit(
      'category',
      ['category', 'taxonomy'],
      [
        ['changed', text],
        ['emptied', null],
      ],
    ),
    ...edit('keywords', ['keywords'], list(fields.keywords, text, alike)),
    ...edit('tags', ['tags'], list(fields.tags, text, alike)),
    ...edit('aliases', ['aliases'], list(fields.aliases, text, alike)),
    ...edit('allowedTools', ['allowed_tools'], list(fields.allowedTools, 'Bash(git add:*)', alike)),
    ...edit(
      'capabilities',
      ['capabilities'],
      list(
        fields.capabilities,
        { name: text, description: 'is: new' },
        ({ name }) => ({ name, description: text }),
        ({ name }) => name,
      ),
    ),
    ...edit(
      'dependencies',
      ['dependencies'],
      list<Fields['dependencies'][number]>(
        fields.dependencies,
        { target: text, type: 'recommended', justification: 'it helps' },
        ({ target }) => ({ target, type: 'conflict', justification: null }),
        ({ target }) => target,
      ),
    ),
    ...edit(
      'references',
      ['see_also', 'references'],
      list(
        fields.references,
        { target: text, type: 'see_also' },
        ({ target }) => ({ target, type: 'extends' }),
        ({ target, type }) => JSON.stringify([target, type]),
      ),
    ),
    ...edit(
      'facets',
      ['facets'],
      list(
        fields.facets,
        { key: 'os', value: text },
        ({ key }) => ({ key, value: `other ${text}` }),
        ({ key, value }) => JSON.stringify([key, value]),
      ),
    ),
    ...edit(
      'extra',
      ['homepage'],
      [['added', { ...extra, homepage: extra['homepage'] === 'x' ? 'y' : 'x' }]],
    ),
    ...(topKey === undefined
      ? []
      : [
          ...edit('extra', [topKey], [['changed', { ...extra, [topKey]: text }]]),
          ...edit('extra', [topKey], [['structured', { ...extra, [topKey]: { a: [1, 'b'] } }]]),
          ...edit('extra', [topKey], [['removed', without(topKey, extra)]]),
        ]),
    ...(isMap
      ? edit(
          'extra',
          ['author'],
          [
            [
              'added below',
              { ...extra, metadata: { ...inner, author: inner['author'] === 'x' ? 'y' : 'x' } },
            ],
          ],
        )
      : []),
    ...(innerKey === undefined
      ? []
      : [
          ...edit(
            'extra',
            [innerKey],
            [
              ['changed below', { ...extra, metadata: { ...inner, [innerKey]: text } }],
              [
                'removed below',
                Object.keys(inner).length === 1 ? top : { ...extra, metadata: without(innerKey, inner) },
              ],
            ],
          ),
        ]),
  ];
}

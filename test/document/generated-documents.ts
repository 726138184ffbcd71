// Documents as people write them, and worse ones, with the places of their keys, for laws to be tried on.

import fc from 'fast-check';

/** A key's own lines in a document, its comment above included: offsets in the text. */
export interface Region {
  /** The key, `metadata.` before it where it stands there. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

export interface GeneratedDocument {
  readonly text: string;
  readonly regions: readonly Region[];
}

/** A key's lines, not indented, and keys within them, by line. */
interface Part {
  readonly key: string | undefined;
  readonly lines: readonly string[];
  readonly parts?: readonly Part[];
}

export const misread = [
  'yes',
  'null',
  '~',
  '1.0',
  '007',
  '2024-01-01',
  '1:20',
  ': ',
  'a: b',
  'a #b',
  '# a',
  '@a',
  '`a`',
  '*a',
  '&a b',
  '!a',
  '- a',
  '{a}',
  '[a, b]',
  '"a',
  "it's",
  'a\\b',
  '---',
  '😀',
  'مرحبا',
  '\u202eabc',
  'a\nb',
  'a\n\nb\n',
  '\na',
  ' a',
  'a ',
  'a  b',
  '\ta',
  'a\r\nb',
  '\u0085',
  '\u2028',
  '\uFEFFa',
  '__proto__',
  '<<',
  'a,b',
  'a, b',
];

const words = ['alpha', 'beta', 'gamma-delta', 'x/y', 'Énfasis', '日本語', '😀', 'two words', 'v1', 'a.b'];
const word = fc.constantFrom(...words);
const sentence = fc.array(word, { minLength: 1, maxLength: 14 }).map((list) => list.join(' '));
const quoted = fc.oneof(fc.constantFrom(...misread), sentence);

const double = (text: string) =>
  JSON.stringify(text).replace(
    /[\u0085\u2028\uFEFF]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
const single = (text: string) => `'${text.replaceAll("'", "''")}'`;
const isSingle = (text: string) => !/[\n\r\t\u0085\u2028\uFEFF]/.test(text);

/** A scalar in one line. */
const inline = fc.oneof(
  { weight: 4, arbitrary: word },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1.0', '2', 'true', 'yes', '2024-01-01', '1.10', 'a:b', '-x', 'C#'),
  },
  { weight: 2, arbitrary: quoted.filter(isSingle).map(single) },
  { weight: 2, arbitrary: quoted.map(double) },
);
const beside = fc.constantFrom('', '', '', ' # beside', '   #');

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const part of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + part.length > width) lines.push(part);
    else lines.splice(-1, 1, `${last} ${part}`);
  }
  return lines;
}

const margin = fc.constantFrom('  ', '  ', '    ', ' ');
const scalarLines = (key: string): fc.Arbitrary<readonly string[]> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(inline, beside).map(([value, comment]) => [`${key}: ${value}${comment}`]),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom('|', '|-', '|+', '>', '>-', '>+', '|2', '>- # header'),
          sentence,
          sentence,
          margin,
        )
        .map(([header, a, b, by]) => [
          `${key}: ${header}`,
          ...[...wrap(a, 20), '', ...wrap(b, 25)].map((line) =>
            line === '' ? '' : (header === '|2' ? '  ' : by) + line,
          ),
        ]),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('', "'", '"'), sentence, margin).map(([quote, text, by]) =>
        [...wrap(text, 20)].map((line, index, all) => {
          const start = index === 0 ? `${key}: ${quote}` : by;
          return `${start}${line}${index === all.length - 1 ? quote : ''}`;
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom([`${key}:`], [`${key}: ~`], [`${key}: ""`], [`${key}:   # todo`]),
    },
    { weight: 1, arbitrary: inline.map((value) => [`${key}:`, `  ${value}`]) },
    { weight: 1, arbitrary: inline.map((value) => [`${key} :  ${value}`]) },
  );

const itemText = fc.oneof(inline, fc.constantFrom('~', 'a', 'a', 'See: sees far'));
const pairOf = (names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...names), inline).map(([name, value]) => [name, value] as const);
const mapItem = fc
  .tuple(
    pairOf(['name', 'path', 'skill', 'target']),
    fc.uniqueArray(pairOf(['description', 'type', 'reason', 'icon']), {
      maxLength: 3,
      selector: ([name]) => name,
    }),
  )
  .map(([first, others]) => [first, ...others]);
const inFlow = (text: string) => (/^["']/.test(text) ? text : text.replaceAll(/[[\]{},]/g, ''));

/** A list in each of the forms that lists have. */
const listLines = (key: string): fc.Arbitrary<readonly string[]> => {
  const items = fc.array(itemText, { minLength: 1, maxLength: 5 });
  const flow = items.map((list) => list.map(inFlow));
  const indent = fc.constantFrom('', '  ', '  ', '    ');
  return fc.oneof(
    fc.tuple(flow, beside).map(([list, comment]) => [`${key}: [${list.join(', ')}]${comment}`]),
    fc
      .tuple(flow, fc.constantFrom('', ','))
      .map(([list, comma]) => [`${key}: [ ${list.join(',')}${comma} ]`]),
    fc
      .tuple(flow, fc.boolean(), beside)
      .map(([list, comma, comment]) => [
        `${key}: [`,
        ...list.map((item, index) => `  ${item}${comma || index < list.length - 1 ? ',' : ''}${comment}`),
        '  ]',
      ]),
    fc
      .tuple(items, indent, beside, fc.constantFrom('', '# note'))
      .map(([list, by, comment, note]) => [
        `${key}:${comment}`,
        ...list.flatMap((item, index) => [
          ...(note !== '' && index === 1 ? [by + note] : []),
          `${by}- ${item}${comment}`,
        ]),
      ]),
    fc
      .array(mapItem, { minLength: 1, maxLength: 3 })
      .map((list) => [
        `${key}:`,
        ...list.flatMap((pairs) =>
          pairs.map(([name, value], index) => `${index === 0 ? '  - ' : '    '}${name}: ${value}`),
        ),
      ]),
    fc
      .array(mapItem, { minLength: 1, maxLength: 3 })
      .map((list) => [
        `${key}: [${list.map((pairs) => `{${pairs.map(([name, value]) => `${name}: ${inFlow(value)}`).join(', ')}}`).join(', ')}]`,
      ]),
    fc
      .tuple(fc.array(word, { minLength: 1, maxLength: 4 }), fc.constantFrom(', ', ',', '  ,  ', ' '))
      .map(([list, comma]) => [`${key}: ${list.join(comma)}`]),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('required', 'conflict', 'recommended', 'os'), flow), {
        minLength: 1,
        maxLength: 3,
        selector: ([name]) => name,
      })
      .map((list) => [`${key}:`, ...list.map(([name, values]) => `  ${name}: [${values.join(', ')}]`)]),
    fc.constantFrom(
      [`${key}: []`],
      [`${key}: {os: linux, a: [b, c]}`],
      [`${key}: {See: sees, Hear: }`],
      [`${key}: 2024`],
    ),
  );
};

const scalars = [
  'version',
  'type',
  'weight',
  'load_priority',
  'load-priority',
  'status',
  'skill_style',
  'scope',
  'category',
  'taxonomy',
];
const lists = [
  'keywords',
  'tags',
  'aliases',
  'capabilities',
  'dependencies',
  'see_also',
  'see-also',
  'references',
  'facets',
];
const top = ['name', 'description', 'license', 'homepage', 'user-invocable', '"quoted key"'];
const enums = ['technical', 'tool', 'heavyweight', 'always', 'draft', 'minimal'];

const fieldPart: fc.Arbitrary<Part> = fc.oneof(
  fc.constantFrom(...scalars, 'author').chain((key) =>
    fc
      .oneof(
        scalarLines(key),
        fc.constantFrom(...enums).map((value) => [`${key}: ${value}`]),
      )
      .map((lines) => ({ key, lines })),
  ),
  fc.constantFrom(...lists).chain((key) => listLines(key).map((lines) => ({ key, lines }))),
);
const topPart: fc.Arbitrary<Part> = fc.oneof(
  fc.constantFrom(...top).chain((key) => scalarLines(key).map((lines) => ({ key, lines }))),
  fc
    .constantFrom('allowed-tools', 'allowed_tools')
    .chain((key) => listLines(key).map((lines) => ({ key, lines }))),
);

const filler = fc.constantFrom<readonly string[]>(
  [],
  [],
  [],
  [''],
  ['# a comment'],
  ['# two', '# lines'],
  ['# apart', ''],
);
const withFillers = (part: fc.Arbitrary<Part>) =>
  fc.tuple(filler, part).map(([lines, own]): readonly Part[] => {
    const isOwn = lines.length > 0 && lines.at(-1) !== '';
    return isOwn ? [{ ...own, lines: [...lines, ...own.lines] }] : [{ key: undefined, lines }, own];
  });

const flowMetadata: fc.Arbitrary<Part> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...scalars, 'author'), inline), {
      minLength: 1,
      maxLength: 3,
      selector: ([key]) => key,
    }),
    fc.boolean(),
  )
  .map(([pairs, isJson]) => ({
    key: 'metadata',
    lines: isJson
      ? [`metadata: ${JSON.stringify(Object.fromEntries(pairs))}`]
      : [`metadata: {${pairs.map(([key, value]) => `${key}: ${inFlow(value)}`).join(', ')}}`],
  }));

const blockMetadata: fc.Arbitrary<Part> = fc
  .tuple(fc.array(withFillers(fieldPart), { minLength: 1, maxLength: 5 }), margin)
  .map(([nested, by]) => {
    const parts = nested.flat().map((part) => ({
      ...part,
      lines: part.lines.map((line) => (line === '' ? '' : by + line)),
    }));
    return { key: 'metadata', lines: ['metadata:'], parts };
  });

const metadata = fc.oneof(
  { weight: 6, arbitrary: blockMetadata },
  { weight: 2, arbitrary: flowMetadata },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(['metadata:'], ['metadata: text'], ['metadata: {}'], ['metadata: [a]'])
      .map((lines) => ({ key: 'metadata', lines })),
  },
);

const bodies = fc.oneof(
  fc.constantFrom('', '\n# Title\n\nText.\n', 'No line break', '\n---\na: b\n---\n'),
  fc
    .tuple(
      fc.array(
        fc.tuple(
          fc.constantFrom('- ', '* '),
          fc.constantFrom('See', 'Hear', 'Taste it', 'Smell', 'See'),
          fc.constantFrom('**: ', ':** ', '**:', ' **  : '),
          fc.constantFrom(
            '',
            'does it',
            'does it\n  over lines\n  and more',
            'does\n  - nested',
            'does\n\n  a paragraph',
          ),
        ),
        { maxLength: 4 },
      ),
      fc.constantFrom('\n', '\n\n'),
      fc.constantFrom('', '\n', '\n\n## Next\n\nText.\n', '\nSome text.\n'),
    )
    .map(([items, between, end]) => {
      const written = items.map(([bullet, name, colon, text]) => `${bullet}**${name}${colon}${text}`);
      return `# Title\n\nFirst paragraph.\n\n## Capabilities\n\n${written.join(between)}${end}`;
    }),
);

interface Placed {
  readonly text: string;
  readonly regions: readonly Region[];
}

function place(parts: readonly Part[], start: number, prefix: string, lineBreak: string): Placed {
  let text = '';
  const regions: Region[] = [];
  for (const { key, lines, parts: inner } of parts) {
    const from = start + text.length;
    text += lines.map((line) => line + lineBreak).join('');
    if (inner !== undefined) {
      const placed = place(inner, start + text.length, `${key}.`, lineBreak);
      text += placed.text;
      regions.push(...placed.regions);
    }
    if (key !== undefined) regions.push({ key: prefix + key, start: from, end: start + text.length });
  }
  return { text, regions };
}

function documentOf(
  parts: readonly Part[],
  body: string,
  mark: string,
  lineBreak: string,
): GeneratedDocument {
  const opening = `${mark}---${lineBreak}`;
  const { text, regions } = place(parts, opening.length, '', lineBreak);
  const written = body.replaceAll('\n', lineBreak);
  return { text: `${opening}${text}---${lineBreak}${written}`, regions };
}

const marks = fc.constantFrom('', '', '', '\uFEFF');
const lineBreaks = fc.constantFrom('\n', '\n', '\r\n');

/** Documents that strict readers take, each key once at its level. */
export const tidyDocuments: fc.Arbitrary<GeneratedDocument> = fc
  .tuple(
    fc.array(withFillers(fc.oneof(topPart, fieldPart)), { maxLength: 5 }),
    fc.option(withFillers(metadata), { nil: [] }),
    fc.array(withFillers(fieldPart), { maxLength: 2 }),
    bodies,
    marks,
    lineBreaks,
  )
  .map(([before, meta, after, body, mark, lineBreak]) => {
    const seen = new Set<string>();
    const once = (parts: readonly Part[], prefix: string): readonly Part[] =>
      parts.flatMap((part) => {
        const name = prefix + (part.key ?? '').replaceAll('-', '_');
        if (part.key !== undefined && seen.has(name)) return [];
        seen.add(name);
        return [part.parts === undefined ? part : { ...part, parts: once(part.parts, `${name}.`) }];
      });
    return documentOf(once([...before.flat(), ...meta, ...after.flat()], ''), body, mark, lineBreak);
  });

const nastyLines = fc.constantFrom(
  'description: a: b',
  'description: @x',
  'name: x\n  description: y',
  'tags: &t [a, b]',
  'keywords: *t',
  'scope: &s text',
  'category: *s',
  'version: !!str 1.0',
  'metadata: &m\n  type: tool',
  'type: tool',
  'type: mcp',
  'tags: a, b',
  'tags: [a, b',
  'Some prose here.',
  'prose: with: colons',
  '\ttags: a',
  '- item',
  '? tags\n: [a]',
  '? [tags]\n: [a]',
  '{tags: [a]}',
  '...',
  '# comment',
  '',
  'x: |\n  name: y\n z',
  '<<: {tags: [q]}',
  '*s : x',
  '__proto__: x',
  '"tags": [a]',
  "'tags' : [a]",
  'metadata:\n  a: b: c\n  tags: [a]\n  version: 1',
  'metadata:\n\ttags: [a]',
  'capabilities:\n- See: sees\n  Hear: hears\n- {name: A, description: b}',
  'dependencies:\n  required:\n    - a\n    - {path: b, reason: c}\n  conflict: d, e',
  'facets:\n  os: [linux, mac]\n  a: b',
  'a: "x\n  tags: [b]',
);

/** Documents of any sort: keys twice, anchors, text that is no YAML, no frontmatter at all. */
export const nastyDocuments: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.array(
          fc.oneof(
            nastyLines,
            withFillers(fc.oneof(topPart, fieldPart)).map((parts) =>
              parts.flatMap(({ lines }) => lines).join('\n'),
            ),
            blockMetadata.map((part) => place([part], 0, '', '\n').text.trimEnd()),
          ),
          { maxLength: 6 },
        ),
        bodies,
        marks,
        lineBreaks,
      )
      .map(([parts, body, mark, lineBreak]) =>
        `${mark}---\n${parts.map((part) => `${part}\n`).join('')}---\n${body}`.replaceAll('\n', lineBreak),
      ),
  },
  { weight: 1, arbitrary: fc.tuple(marks, bodies).map(([mark, body]) => mark + body) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

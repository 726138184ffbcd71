import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfigurationFile } from '../../src/config/configuration-file.ts';
import { sentenceOf } from '../../src/problem.ts';

const silent = {
  ignore: [],
  limits: {},
  taxonomy: { mapping: [] },
  validation: { rules: {}, overrides: [] },
  health: {},
};

const whole = {
  skillsDirectory: 'library',
  ignore: ['drafts/', '*.tmp'],
  limits: { documentBytes: 1, fileBytes: 2, skillBytes: 3, filesPerSkill: 2147483647 },
  taxonomy: { mapping: [{ glob: 'teams/*/c++-*/**', category: 'Development/Languages' }] },
  validation: {
    target: 'codex',
    rules: { 'name-format': 'off', 'link-not-found': 'error' },
    overrides: [{ paths: ['teams/*'], rules: { 'body-empty': 'info' } }],
    export: 'error',
  },
  health: { maxAge: '7d' },
};

describe('a configuration file', () => {
  test.each<[what: string, text: string, content: object]>([
    ['that is empty', '', silent],
    ['of comments', '# nothing\n', silent],
    ['of an empty document', '---\n', silent],
    ['of an empty JSON object', '{}', silent],
    ['with every setting, as JSON', JSON.stringify(whole, null, '\t'), whole],
    [
      'with every setting, as YAML',
      [
        'skillsDirectory: library # here',
        'ignore: [drafts/, "*.tmp"]',
        'limits:',
        '  documentBytes: 1',
        '  fileBytes: 2',
        '  skillBytes: 3',
        '  filesPerSkill: 2147483647',
        'taxonomy:',
        '  mapping:',
        '    - glob: teams/*/c++-*/**',
        '      category: Development/Languages',
        'validation:',
        '  target: codex',
        '  rules: {name-format: off, link-not-found: error}',
        '  overrides:',
        '    - paths: [teams/*]',
        '      rules: {body-empty: info}',
        '  export: error',
        'health: {maxAge: 7d}',
      ].join('\r\n'),
      whole,
    ],
    [
      'with a text that other YAML reads as a date',
      'skillsDirectory: 2024-01-01',
      { ...silent, skillsDirectory: '2024-01-01' },
    ],
  ])('%s is read', (_what, text, content) => {
    expect(parseConfigurationFile(text, 'file')).toEqual({ ok: true, value: content });
  });

  test.each<[what: string, text: string, mistakes: string]>([
    ['an unknown key', 'ignore: []\nskillDirectory: x', 'file:2: skillDirectory: there is no such setting'],
    [
      'an unknown inner key',
      'limits:\n  fileBytes: 1\n\n  bytes: 1',
      'file:4: limits.bytes: there is no such setting',
    ],
    ['a database URL', 'databaseUrl: postgres://host/db', 'file:1: databaseUrl: there is no such setting'],
    ['__proto__', '__proto__: {ignore: []}', 'file:1: __proto__: there is no such setting'],
    [
      'a text for a number',
      'limits:\n  fileBytes: 10MB',
      'file:2: limits.fileBytes: Invalid input: expected number, received string',
    ],
    [
      'a part of a byte',
      'limits: {fileBytes: 1.5}',
      'file:1: limits.fileBytes: Invalid input: expected int, received number',
    ],
    ['no duration', 'health: {maxAge: soon}', 'file:1: health.maxAge: not how long, as 7d, 12h or 30m'],
    ['no bytes', 'limits: {fileBytes: 0}', 'file:1: limits.fileBytes: Too small: expected number to be >=1'],
    [
      'too many bytes',
      'limits: {fileBytes: 2147483648}',
      'file:1: limits.fileBytes: Too big: expected number to be <=2147483647',
    ],
    ['a key with no value', '\nignore:\n', 'file:2: ignore: Invalid input: expected array, received null'],
    [
      'an item of a list',
      'ignore:\n  - a\n  - 1\n',
      'file:3: ignore.1: Invalid input: expected string, received number',
    ],
    [
      'an empty item',
      'ignore:\n  -\n  - a\n',
      'file:1: ignore.0: Invalid input: expected string, received null',
    ],
    [
      'a blank item',
      '{\n"ignore": [\n" "]}',
      'file:3: ignore.0: Too small: expected string to have >=1 characters',
    ],
    ['a list for the whole', '- a', 'file:1: Invalid input: expected object, received array'],
    [
      'a rule without a category',
      'taxonomy:\n  mapping:\n    - glob: a\n      category: b\n    - glob: a',
      'file:5: taxonomy.mapping.1.category: Invalid input: expected string, received undefined',
    ],
    [
      'several mistakes',
      'limits: {a: 1, b: 2}\nignore: 1',
      'file:1: limits.a: there is no such setting; file:1: limits.b: there is no such setting; file:2: ignore: Invalid input: expected array, received number',
    ],
    [
      'broken YAML',
      'ignore: []\nlimits: {a: 1',
      'file:2: unexpected end of the stream within a flow collection',
    ],
    ['a key twice', 'ignore: []\n\nignore: []', 'file:3: duplicated mapping key'],
    ['an alias', 'ignore: &a [x]\nlimits: *a', 'file:2: aliases exceeded maxAliases (0)'],
    [
      'a tag that makes an object',
      'ignore: !!js/function x',
      'file:1: unknown scalar tag !<tag:yaml.org,2002:js/function>',
    ],
    ['two documents', '---\n{}\n---\n{}', 'file:1: more than one YAML document'],
    ['a deep nest', '['.repeat(1000), 'file:1: nesting exceeded maxDepth (100)'],
  ])('with %s is a problem that names the place', (_what, text, mistakes) => {
    const parsed = parseConfigurationFile(text, 'file');
    if (parsed.ok) throw new Error('accepted');
    expect(sentenceOf(parsed.problem).what).toBe(mistakes);
  });

  test('with many mistakes tells the first eight', () => {
    const parsed = parseConfigurationFile(`ignore: [${'1,'.repeat(50)}]`, 'file');
    const mistakes =
      !parsed.ok && parsed.problem.reason === 'configuration-not-valid' && parsed.problem.mistakes;
    expect(mistakes).toHaveLength(8);
  });

  test.each<[glob: string, accepted: boolean]>([
    ['**', true],
    ['teams/*/@web-*', true],
    ['*.draft/.hidden', true],
    ['teams/', false],
    ['/teams', false],
    ['a//b', false],
    ['{a,b}', false],
    ['(a+)+', false],
    ['[ab]', false],
    ['a?', false],
    ['!a', false],
  ])('takes %s for a glob: %s', (glob, accepted) => {
    const text = JSON.stringify({ taxonomy: { mapping: [{ glob, category: 'a' }] } });
    expect(parseConfigurationFile(text, 'file').ok).toBe(accepted);
  });

  test.each<[category: string, accepted: boolean]>([
    ['Data/Machine Learning', true],
    ['x'.repeat(128), true],
    ['a/'.repeat(31).concat('a'), true],
    ['x'.repeat(129), false],
    ['a/'.repeat(32).concat('a'), false],
    ['a//b', false],
    ['/a', false],
    ['a\u0007b', false],
  ])('takes %j for a category: %s', (category, accepted) => {
    const text = JSON.stringify({ taxonomy: { mapping: [{ glob: 'a', category }] } });
    expect(parseConfigurationFile(text, 'file').ok).toBe(accepted);
  });

  test('of any text is read or is a problem with a line that the text has', () => {
    const tokens = [
      'ignore',
      'limits',
      'taxonomy',
      ':',
      '\n',
      ' ',
      '-',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      '&a',
      '*a',
      '!!map',
      '?',
      '#',
      '|',
      '\t',
      '1',
      '%',
    ];
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...tokens) }));
    fc.assert(
      fc.property(anything, (text) => {
        const parsed = parseConfigurationFile(text, 'file');
        if (parsed.ok || parsed.problem.reason !== 'configuration-not-valid') return;
        for (const { line } of parsed.problem.mistakes) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

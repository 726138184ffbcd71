import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SkillPath } from '../../src/skill/path.ts';
import { fitsCategory, parseCategoryPath } from '../../src/taxonomy/category.ts';
import { type CategoryClues, compileMapping, inferCategory } from '../../src/taxonomy/infer.ts';
import { indexCategories } from '../../src/taxonomy/known.ts';
import { seed } from '../../src/taxonomy/seed.ts';

const seeded = indexCategories(seed.map(({ path }) => path));

function clues(path: string, more: Partial<CategoryClues> = {}): CategoryClues {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { path: path as SkillPath, name, category: null, keywords: [], tags: [], ...more };
}

describe('the document decides', () => {
  test.each<[category: string, path: string, creates: boolean, reason: string]>([
    ['data/ml', 'data/ml', false, `document's category "data/ml"`],
    ['Data/ML', 'data/ml', false, `document's category "data/ml"`],
    ['ml', 'data/ml', false, `document's category "ml" is part of data/ml`],
    [
      'Code Review',
      'development/practices/code-review',
      false,
      `document's category "code-review" is part of development/practices/code-review`,
    ],
    [
      'ts',
      'development/languages/typescript',
      false,
      `document's category "ts" means development/languages/typescript`,
    ],
    ['marketing/seo', 'marketing/seo', true, `document's category "marketing/seo"`],
    [
      'databases/mysql',
      'data/databases/mysql',
      true,
      `document's category "databases" is part of data/databases`,
    ],
  ])('%s is %s', (category, path, creates, reason) => {
    const mapping = compileMapping([{ glob: '**', category: 'research' }]);
    expect(inferCategory(clues('python/async', { category }), seeded, mapping)).toEqual({
      path,
      reason,
      kind: 'document',
      creates,
    });
  });

  test('but not where its category is none', () => {
    for (const category of ['', ' / ', 'x'.repeat(129)]) {
      expect(inferCategory(clues('python/async', { category }), seeded, [])?.kind).toBe('folders');
    }
  });
});

describe('then the mapping', () => {
  const mapping = compileMapping([
    { glob: 'teams/web/**', category: 'react' },
    { glob: 'teams/**', category: 'Teams/All Others' },
    { glob: 'teams/web/special', category: 'research' },
    { glob: 'broken', category: '/' },
  ]);
  test.each<[path: string, category: string, creates: boolean, reason: string]>([
    [
      'teams/web/special',
      'development/frameworks/react',
      false,
      'rule teams/web/**: category "react" is part of development/frameworks/react',
    ],
    ['teams/python/a', 'teams/all-others', true, 'rule teams/**: category "teams/all-others"'],
  ])('gives %s the category %s, by its first rule', (path, category, creates, reason) => {
    expect(inferCategory(clues(path), seeded, mapping)).toEqual({
      path: category,
      reason,
      kind: 'mapping',
      creates,
    });
  });

  test('but not where no rule matches, or its category is none', () => {
    expect(inferCategory(clues('python/a'), seeded, mapping)?.kind).toBe('folders');
    expect(inferCategory(clues('broken'), seeded, mapping)).toBeNull();
  });
});

describe('then the folders above', () => {
  test.each<[path: string, category: string, creates: boolean, reason: string]>([
    [
      'python/async',
      'development/languages/python',
      false,
      'folder "python" is part of development/languages/python',
    ],
    [
      'Python/async',
      'development/languages/python',
      false,
      'folder "python" is part of development/languages/python',
    ],
    [
      'languages/python/async',
      'development/languages/python',
      false,
      'folder "languages/python" is part of development/languages/python',
    ],
    [
      'development/languages/python/async',
      'development/languages/python',
      false,
      'folder "development/languages/python"',
    ],
    [
      'k8s/helm',
      'operations/deployment/kubernetes',
      false,
      'folder "k8s" means operations/deployment/kubernetes',
    ],
    [
      'python/web/async',
      'development/languages/python/web',
      true,
      'folder "python" is part of development/languages/python',
    ],
    ['development/languages/ruby/gems', 'development/languages/ruby', true, 'folder "development/languages"'],
    ['backend/python/async', 'backend/python', true, 'folder "backend/python"'],
    ['team_a/My Tools/x', 'team-a/my-tools', true, 'folder "team-a/my-tools"'],
    [
      'plugins/python-development/skills/async-patterns',
      'python-development',
      true,
      'folder "python-development"',
    ],
    ['.github/plugins/azure/skills/web/x', 'azure/web', true, 'folder "azure/web"'],
  ])('%s is in %s', (path, category, creates, reason) => {
    expect(inferCategory(clues(path), seeded, [])).toEqual({
      path: category,
      reason,
      kind: 'folders',
      creates,
    });
  });

  test('stand as they are where two categories end so', () => {
    const known = indexCategories(['development/testing', 'quality/testing']);
    const inferred = inferCategory(clues('testing/unit'), known, []);
    expect(inferred).toMatchObject({ path: 'testing', creates: true });
  });

  test('stand as they are where the category below a known one would be too deep', () => {
    const folders = `python/${'x/'.repeat(30)}y`;
    expect(inferCategory(clues(`${folders}/a`), seeded, [])?.path).toBe(folders);
  });
});

describe('then words', () => {
  test.each<[path: string, category: string | null, reason?: string]>([
    ['python-anti-patterns', 'development/languages/python', 'name has "python"'],
    ['temporal-python-testing', 'development/languages/python', 'name has "python"'],
    ['testing-python', 'development/practices/testing', 'name has "testing"'],
    ['azure-ai-ml-py', 'development/languages/python', 'name has "py"'],
    ['requesting-code-review', 'development/practices/code-review', 'name has "code-review"'],
    ['test-driven-development', 'development/practices/tdd', 'name has "test-driven-development"'],
    ['ci-cd-and-automation', 'operations/cicd', 'name has "ci-cd"'],
    ['k8s-backup', 'operations/deployment/kubernetes', 'name has "k8s"'],
    ['Go Concurrency', 'development/languages/go', 'name has "go"'],
    ['skills/webapp-testing', 'development/practices/testing', 'name has "testing"'],
    ['.claude/skills/docker-expert', 'operations/deployment/docker', 'name has "docker"'],
    ['go-to-market', null],
    ['notes-on-the-go', null],
    ['skill-development', null],
    ['best-practices', null],
    ['trust-and-pythons', null],
    ['skill-creator', null],
    ['...', null],
  ])('%s is in %s', (path, category, reason) => {
    expect(inferCategory(clues(path), seeded, [])).toEqual(
      category === null ? null : { path: category, reason, kind: 'words', creates: false },
    );
  });

  test.each<[keywords: string[], tags: string[], category: string | null, reason?: string]>([
    [['api', 'FastAPI'], ['redis'], 'development/frameworks/fastapi', 'keyword "fastapi"'],
    [['analysis', 'machine learning', 'redis'], [], 'data/databases/redis', 'keyword "redis"'],
    [['CI/CD'], [], 'operations/cicd', 'keyword "ci-cd"'],
    [['python testing', 'development'], ['Docker'], 'operations/deployment/docker', 'tag "docker"'],
    [['', '!'], [], null],
  ])('keywords %j and tags %j: %s', (keywords, tags, category, reason) => {
    expect(inferCategory(clues('some-skill', { keywords, tags }), seeded, [])).toEqual(
      category === null ? null : { path: category, reason, kind: 'words', creates: false },
    );
  });

  test('of the name come before keywords, and these before tags', () => {
    const skill = clues('monitoring-it', { keywords: ['python'], tags: ['rust'] });
    expect(inferCategory(skill, seeded, [])?.path).toBe('operations/monitoring');
  });
});

describe('for any skill', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('python', 'py', 'go', 'to', 'data', 'ml', 'skills', 'code_review', 'x'.repeat(200)),
  );
  const path = fc.array(text, { minLength: 1, maxLength: 40 }).map((segments) => segments.join('/'));
  const skills = fc.record({
    path: path as fc.Arbitrary<SkillPath>,
    name: fc.array(text).map((words) => words.join('-')),
    category: fc.option(path),
    keywords: fc.array(text),
    tags: fc.array(text),
  });
  const paths = fc.array(fc.oneof(path, fc.constantFrom(...seed.map((category) => category.path))), {
    maxLength: 20,
  });
  const rules = fc.array(fc.record({ glob: fc.oneof(text, fc.constant('**')), category: text }), {
    maxLength: 2,
  });

  test('the category is a known one, or a valid path that is to be created', () => {
    fc.assert(
      fc.property(skills, paths, rules, (skill, known, mapping) => {
        const inferred = inferCategory(skill, indexCategories(known), compileMapping(mapping));
        if (inferred === null) return;
        expect(known.includes(inferred.path)).toBe(!inferred.creates);
        expect(fitsCategory(inferred.path)).toBe(true);
        expect(parseCategoryPath(inferred.path)).toBeDefined();
      }),
    );
  });

  test('the order of the known categories does not matter', () => {
    fc.assert(
      fc.property(skills, paths, (skill, known) => {
        const inferred = inferCategory(skill, indexCategories(known), []);
        expect(inferCategory(skill, indexCategories(known.toReversed()), [])).toEqual(inferred);
      }),
    );
  });
});

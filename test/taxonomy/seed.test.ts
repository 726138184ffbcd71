import { expect, test } from 'vitest';
import { lineage, maxCategoryNameLength, parseCategoryPath } from '../../src/taxonomy/category.ts';
import { displayName, seed } from '../../src/taxonomy/seed.ts';

test('the seeded tree', () => {
  const drawn = seed.map(({ path, name }) => {
    const segments = path.split('/');
    return `${'  '.repeat(segments.length - 1)}${segments.at(-1)}: ${name}`;
  });
  expect(drawn.join('\n')).toMatchInlineSnapshot(`
    "development: Development
      languages: Languages
        python: Python
        typescript: TypeScript
        javascript: JavaScript
        go: Go
        rust: Rust
      frameworks: Frameworks
        fastapi: FastAPI
        react: React
        dspy: DSPy
      practices: Practices
        tdd: Test-driven development
        testing: Testing
        refactoring: Refactoring
        code-review: Code review
    operations: Operations
      deployment: Deployment
        docker: Docker
        kubernetes: Kubernetes
      monitoring: Monitoring
      cicd: CI/CD
    data: Data
      analytics: Analytics
      ml: Machine learning
      databases: Databases
        postgresql: PostgreSQL
        redis: Redis
    communication: Communication
      documentation: Documentation
      collaboration: Collaboration
      presentation: Presentation
    research: Research
      analysis: Analysis
      investigation: Investigation
      synthesis: Synthesis"
  `);
});

test('every category is a valid path, comes once, and comes after its parent', () => {
  const seen = new Set<string>();
  for (const { path, name } of seed) {
    expect(parseCategoryPath(path)).toBe(path);
    expect(name.length).toBeLessThanOrEqual(maxCategoryNameLength);
    expect(seen).not.toContain(path);
    for (const above of lineage(path).slice(0, -1)) expect(seen).toContain(above);
    seen.add(path);
  }
});

test.each([
  ['operations/cicd', 'CI/CD'],
  ['company/postgresql', 'PostgreSQL'],
  ['data/api-design', 'Api design'],
  ['ünïcode', 'Ünïcode'],
  ['😀', '😀'],
  ['3d', '3d'],
])('the category %s is called %s', (path, name) => {
  expect(displayName(path)).toBe(name);
});

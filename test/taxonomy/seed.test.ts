import { expect, test } from 'vitest';
import { maxCategoryNameLength, parseCategoryPath } from '../../src/taxonomy/category.ts';
import { displayName, seed } from '../../src/taxonomy/seed.ts';

test('the seeded tree', () => {
  const drawn = seed.map(({ path, name, level }) => {
    return `${'  '.repeat(level)}${path.slice(path.lastIndexOf('/') + 1)}: ${name}`;
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
  for (const { path, name, parent, level } of seed) {
    expect(parseCategoryPath(path)).toBe(path);
    expect(name.length).toBeLessThanOrEqual(maxCategoryNameLength);
    expect(seen).not.toContain(path);
    const above = path.split('/').slice(0, -1);
    expect(parent).toBe(above.length === 0 ? null : above.join('/'));
    expect(level).toBe(above.length);
    if (parent !== null) expect(seen).toContain(parent);
    seen.add(path);
  }
});

test('siblings are numbered from 0 in the order in which they stand', () => {
  const places = new Map<string | null, number[]>();
  for (const { parent, sortOrder } of seed) {
    places.set(parent, [...(places.get(parent) ?? []), sortOrder]);
  }
  for (const orders of places.values()) expect(orders).toEqual([...orders.keys()]);
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

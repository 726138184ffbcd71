// The categories of a new database, and what any category is called.

import type { Category } from './category.ts';

/** The seeded taxonomy, parents before their children, siblings in their order. */
export const seed: readonly Category[] = [
  { path: 'development', name: 'Development' },
  { path: 'development/languages', name: 'Languages' },
  { path: 'development/languages/python', name: 'Python' },
  { path: 'development/languages/typescript', name: 'TypeScript' },
  { path: 'development/languages/javascript', name: 'JavaScript' },
  { path: 'development/languages/go', name: 'Go' },
  { path: 'development/languages/rust', name: 'Rust' },
  { path: 'development/frameworks', name: 'Frameworks' },
  { path: 'development/frameworks/fastapi', name: 'FastAPI' },
  { path: 'development/frameworks/react', name: 'React' },
  { path: 'development/frameworks/dspy', name: 'DSPy' },
  { path: 'development/practices', name: 'Practices' },
  { path: 'development/practices/tdd', name: 'Test-driven development' },
  { path: 'development/practices/testing', name: 'Testing' },
  { path: 'development/practices/refactoring', name: 'Refactoring' },
  { path: 'development/practices/code-review', name: 'Code review' },
  { path: 'operations', name: 'Operations' },
  { path: 'operations/deployment', name: 'Deployment' },
  { path: 'operations/deployment/docker', name: 'Docker' },
  { path: 'operations/deployment/kubernetes', name: 'Kubernetes' },
  { path: 'operations/monitoring', name: 'Monitoring' },
  { path: 'operations/cicd', name: 'CI/CD' },
  { path: 'data', name: 'Data' },
  { path: 'data/analytics', name: 'Analytics' },
  { path: 'data/ml', name: 'Machine learning' },
  { path: 'data/databases', name: 'Databases' },
  { path: 'data/databases/postgresql', name: 'PostgreSQL' },
  { path: 'data/databases/redis', name: 'Redis' },
  { path: 'communication', name: 'Communication' },
  { path: 'communication/documentation', name: 'Documentation' },
  { path: 'communication/collaboration', name: 'Collaboration' },
  { path: 'communication/presentation', name: 'Presentation' },
  { path: 'research', name: 'Research' },
  { path: 'research/analysis', name: 'Analysis' },
  { path: 'research/investigation', name: 'Investigation' },
  { path: 'research/synthesis', name: 'Synthesis' },
];

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const names: ReadonlyMap<string, string> = new Map(seed.map(({ path, name }) => [lastSegment(path), name]));

/** What a category is called when a sync creates it: `cicd` is `CI/CD`, and `api-design` is `Api design`. */
export function displayName(path: string): string {
  const words = lastSegment(path).replaceAll('-', ' ');
  const [first = ''] = words;
  return names.get(lastSegment(path)) ?? first.toUpperCase() + words.slice(first.length);
}

// The categories of a new database. Parents come before their children; siblings stand in their sort order.

import type { Category } from './category.ts';

/** A category with its place among the others. */
export interface SeedCategory extends Category {
  /** The path of the category above; null for a root. */
  readonly parent: string | null;
  /** 0 for a root. */
  readonly level: number;
  /** Its place among its siblings, from 0. */
  readonly sortOrder: number;
}

const categories: readonly (readonly [path: string, name: string])[] = [
  ['development', 'Development'],
  ['development/languages', 'Languages'],
  ['development/languages/python', 'Python'],
  ['development/languages/typescript', 'TypeScript'],
  ['development/languages/javascript', 'JavaScript'],
  ['development/languages/go', 'Go'],
  ['development/languages/rust', 'Rust'],
  ['development/frameworks', 'Frameworks'],
  ['development/frameworks/fastapi', 'FastAPI'],
  ['development/frameworks/react', 'React'],
  ['development/frameworks/dspy', 'DSPy'],
  ['development/practices', 'Practices'],
  ['development/practices/tdd', 'Test-driven development'],
  ['development/practices/testing', 'Testing'],
  ['development/practices/refactoring', 'Refactoring'],
  ['development/practices/code-review', 'Code review'],
  ['operations', 'Operations'],
  ['operations/deployment', 'Deployment'],
  ['operations/deployment/docker', 'Docker'],
  ['operations/deployment/kubernetes', 'Kubernetes'],
  ['operations/monitoring', 'Monitoring'],
  ['operations/cicd', 'CI/CD'],
  ['data', 'Data'],
  ['data/analytics', 'Analytics'],
  ['data/ml', 'Machine learning'],
  ['data/databases', 'Databases'],
  ['data/databases/postgresql', 'PostgreSQL'],
  ['data/databases/redis', 'Redis'],
  ['communication', 'Communication'],
  ['communication/documentation', 'Documentation'],
  ['communication/collaboration', 'Collaboration'],
  ['communication/presentation', 'Presentation'],
  ['research', 'Research'],
  ['research/analysis', 'Analysis'],
  ['research/investigation', 'Investigation'],
  ['research/synthesis', 'Synthesis'],
];

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function parentOf(path: string): string | null {
  const end = path.lastIndexOf('/');
  return end < 0 ? null : path.slice(0, end);
}

/** The seeded taxonomy, parents before their children. */
export const seed: readonly SeedCategory[] = categories.map(([path, name], index) => {
  const parent = parentOf(path);
  return {
    path,
    name,
    parent,
    level: path.split('/').length - 1,
    sortOrder: categories.slice(0, index).filter(([other]) => parentOf(other) === parent).length,
  };
});

const names: ReadonlyMap<string, string> = new Map(
  categories.map(([path, name]) => [lastSegment(path), name]),
);

/** What a category is called when a sync creates it: `cicd` is `CI/CD`, and `api-design` is `Api design`. */
export function displayName(path: string): string {
  const words = lastSegment(path).replaceAll('-', ' ');
  const [first = ''] = words;
  return names.get(lastSegment(path)) ?? first.toUpperCase() + words.slice(first.length);
}

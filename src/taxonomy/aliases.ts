// What else people call a category, and which words of a skill's name say nothing about its category.
// Chosen by eye over the names of 539 published skills.

/** A category's last segment → its other names, in the same form. */
export const categoryAliases: Readonly<Record<string, readonly string[]>> = {
  python: ['py'],
  typescript: ['ts'],
  javascript: ['js', 'nodejs'],
  go: ['golang'],
  react: ['reactjs', 'nextjs'],
  tdd: ['test-driven', 'test-driven-development'],
  testing: ['e2e'],
  refactoring: ['refactor'],
  'code-review': ['code-reviewer'],
  docker: ['dockerfile'],
  kubernetes: ['k8s', 'helm'],
  monitoring: ['observability'],
  cicd: ['ci', 'ci-cd', 'github-actions', 'gitlab-ci'],
  ml: ['machine-learning'],
  databases: ['database', 'sql'],
  postgresql: ['postgres'],
  documentation: ['docs'],
  presentation: ['presentations', 'slides', 'pptx'],
};

/**
 * Words and phrases that name a category as a folder does, but not within a skill's name:
 * `skill-development`, `best-practices`, `google-docs`, `go-to-market`. A phrase hides the words in it.
 */
export const vagueWords: ReadonlySet<string> = new Set([
  'communication',
  'development',
  'docs',
  'frameworks',
  'go-live',
  'go-to',
  'languages',
  'operations',
  'practices',
  'react-to',
  'the-go',
  'to-go',
]);

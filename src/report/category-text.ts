// A skill's category, and why it is that one, in half a line.

import { printableLine } from './terminal-text.ts';

/** `operations/cicd (folder)`: the reason does not repeat the category. It is null where no sync chose. */
export function categoryText(category: string | null, reason: string | null): string {
  if (category === null) return '(no category)';
  const why = reason === null ? '' : ` (${reason.replace(` "${category}"`, '')})`;
  return printableLine(`${category}${why}`);
}

// Files that a process rewrites for ever, by how it does that, and what is always true of them.

/** Files of a skills directory: written over in place, emptied first, or replaced by a new file. */
export const restlessFiles = {
  'restless/over': 'over',
  'restless/emptied': 'emptied',
  'restless/renamed': 'renamed',
  'alone/renamed': 'renamed',
} as const;

/** How many lines each has, all alike. */
export const wholeLines = 20_000;

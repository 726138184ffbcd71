// What verify found, as lines for people.

import type { Difference } from '../replica.ts';
import type { Colors } from './colors.ts';
import { counted } from './counted.ts';
import { printableLine } from './terminal-text.ts';

const sides = { files: 'the files', database: 'the database' } as const;
const editedSides = { files: 'edited here', database: 'edited there' } as const;
/** Tables that follow from others: before what they are wrong of. */
const ofWhat = { dependency_closure: '', taxonomy_closure: 'category ', tag_stats: 'tag ' } as const;

/** `PATH: what is not equal`, with the sides that were edited since both agreed. */
export function differenceLine(difference: Difference, colors: Colors): string {
  const { where, is } = partsOf(difference);
  const edited = 'edited' in difference ? difference.edited.map((side) => editedSides[side]) : [];
  const why = edited.length > 0 ? colors.dim(` (${edited.join(', ')})`) : '';
  return `${colors.bold(printableLine(where))}: ${printableLine(is)}${why}\n`;
}

function partsOf(difference: Difference): { readonly where: string; readonly is: string } {
  if (difference.what === 'blob') {
    return { where: `blob ${difference.sha256}`, is: 'its bytes are not those of its SHA-256' };
  }
  if ('of' in difference) {
    const { of, what } = difference;
    return { where: `${ofWhat[what]}${of}`, is: `${what} does not say what the database holds` };
  }
  return { where: difference.path, is: wordsOf(difference) };
}

function wordsOf(difference: Extract<Difference, { readonly path: string }>): string {
  switch (difference.what) {
    case 'skill':
      return `missing in ${sides[difference.missing]}`;
    case 'document':
    case 'file':
      return `${difference.file} ${difference.missing ? `is missing in ${sides[difference.missing]}` : 'differs'}`;
    case 'executable':
      return `the executable bit of ${difference.file} differs`;
    case 'column':
      return `${difference.column} in the database is not what the document says`;
    case 'digest':
      return `the noted digest of ${difference.file ?? 'the skill'} is not that of what the database holds`;
    case 'size':
      return `the noted size of ${difference.file} is not that of what the database holds`;
    case 'deleted':
      return 'the deleted skill is not what its last revision says';
    case 'revision':
      return `revision ${difference.revision} ${difference.why === 'contents' ? 'lacks contents' : 'is not what its digest says'}`;
  }
}

/** How much was read, where all of it is equal. */
export function equalLine(count: {
  readonly skills: number;
  readonly files: number;
  readonly bytes: number;
  readonly revisions: number;
  readonly blobs: number;
}): string {
  const [skills, files, bytes] = [
    counted(count.skills, 'skill'),
    counted(count.files, 'file'),
    counted(count.bytes, 'byte'),
  ];
  const history = `${counted(count.revisions, 'past revision')}, ${counted(count.blobs, 'blob')}`;
  return `Equal: read ${skills}, ${files}, ${bytes}, ${history}.\n`;
}

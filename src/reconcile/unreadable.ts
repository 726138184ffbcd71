// What a replica could not read: nothing is known there, and nothing taken for absent.

import type { Snapshot } from '../replica.ts';

/** Tells of which paths a replica cannot speak. */
export function unreadableIn({ unreadable }: Pick<Snapshot, 'unreadable'>): (path: string) => boolean {
  const places = new Set(unreadable.map((place) => place.path));
  const folders = new Set(unreadable.filter((place) => place.below).map((place) => place.path));
  return (path) => {
    if (places.has(path) || folders.has('')) return true;
    if (folders.size === 0) return false;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (folders.has(path.slice(0, end))) return true;
    }
    return false;
  };
}
